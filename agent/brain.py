"""The wiring of the brain: one tick reads like the diagram."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agent import saving
from agent.basal_ganglia import BasalGanglia, ProgramGate
from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.config import BrainConfig
from agent.errors import SensoryError
from agent.joints import NotYet, find_joints
from agent.memory import SensorimotorMemory
from agent.motor_programs.babble import Babble
from agent.motor_programs.crawling import Crawling
from agent.motor_programs.reach import Reach
from agent.motor_programs.reaching import Reaching
from agent.percept import Array
from agent.senses import Senses
from agent.spinal_cord import SpinalCord
from agent.trace import Trace
from agent.working_memory import BABBLE, CRAWL, REACH, REST, Memory, begin_episodes, new_memory


class Brain:
    """A newborn brain for n bodies of one kind.

    ::

        observation ─► senses ─► body schema ─► babble, reach, gait ──► basal ganglia
                          │      (joints,         (programs)      (gate) │ wanted movement
                          │       geometry)                              ▼
        action ◄──────────┴───── cerebellum ◄──────────────────── spinal cord
                                 (command)                  (reflex and rhythm)

        after the step:  command − explained by what was felt ─► cerebellum (climbing fibre)
                         outcome seen − expected              ─► body schema
                         reward − expected                    ─► basal ganglia (dopamine)

    Args:
        observation_space: of one environment: a flat box, or a goal dict of flat boxes.
        action_space: of one environment: a bounded flat box.
        n_envs: bodies that learn together.
        config: settings and lesions.
        seed: of everything random in it.

    Raises:
        UnsupportedSpaceError: for other spaces; the message says what to do.

    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        n_envs: int = 1,
        config: BrainConfig | None = None,
        seed: int | None = 0,
    ):
        self.config = config = config or BrainConfig()
        self.n_envs = n_envs
        self.senses = Senses(observation_space, action_space)
        anatomy, learning, playing, searching = np.random.SeedSequence(seed).spawn(4)
        self._rng, self._play, self._search = (
            np.random.default_rng(s) for s in (learning, playing, searching)
        )
        n, lesions = self.senses.n_motors, config.lesions
        self.trace = Trace()
        self.memory = SensorimotorMemory(config.schema.memory, self.senses.n_channels, n)
        self.schema = BodySchema(n, config.schema, lesions)
        self.cerebellum = Cerebellum(n, config.cerebellum, np.random.default_rng(anatomy), lesions)
        self.spinal_cord = SpinalCord(n, config.spinal_cord, lesions)
        self.basal_ganglia = BasalGanglia(len(config.reach.vigours), config.basal_ganglia, lesions)
        self.gate = ProgramGate(2, n_envs, config.basal_ganglia)
        self.babble = Babble(config.babble)
        self.reaching = Reaching(
            self.senses,
            self.schema,
            self.cerebellum,
            self.spinal_cord,
            self.basal_ganglia,
            Reach(n, config.reach),
            config,
            self.trace,
        )
        self.crawling = Crawling(self.senses, config, n_envs, self._search, self.trace)
        self.steps, self.episodes, self.episode_length, self._attempted = 0, 0, 0, 0
        self._felt = {"dopamine": 0.0, "climbing_fibre": 0.0, "pain": 0.0}

    def new_memory(self, n: int) -> Memory:
        """Working memory of n bodies at the start of an episode."""
        horizon = self.config.reach.horizon
        return new_memory(n, self.senses.n_motors, self.senses.n_channels, horizon)

    def resize(self, n_envs: int) -> None:
        """Learn from now on with another number of bodies."""
        self.n_envs = n_envs
        self.gate.resize(n_envs)
        self.crawling.resize(n_envs)

    def act(
        self,
        observation: Any,
        memory: Memory,
        episode_start: NDArray[np.bool_],
        learning: bool = False,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], Memory]:
        """Choose actions for n bodies.

        Args:
            observation: (n, ·) or dict of them.
            memory: what `new_memory` or the last `act` returned; not changed.
            episode_start: (n,) whether an episode begins.
            learning: explore, and number the episodes.
            deterministic: without exploration (while not learning).

        Returns:
            Actions (n, n_motors) within the action box, and the memory of the next call.

        Raises:
            SensoryError: for a NaN or infinite number; nothing has changed then.

        """
        channels = self.senses.channels(observation)
        memory = begin_episodes(memory, np.asarray(episode_start, bool))
        rng = self._rng if learning else None if deterministic else self._play
        if learning:
            newly = np.flatnonzero(memory["episode"] < 0)
            memory["episode"][newly] = self.episodes + np.arange(len(newly))
            self.episodes += len(newly)
        self._choose_program(memory, rng, learning)
        command = np.zeros_like(memory["babble"])
        for program in np.unique(memory["program"]).tolist():
            rows = np.flatnonzero(memory["program"] == program)
            if len(rows) == len(command):
                command = self._run(program, memory, channels, rng, learning, rows)
                continue
            self.trace.of(rows, len(command))
            part = {name: value[rows] for name, value in memory.items()}
            command[rows] = self._run(program, part, channels[rows], rng, learning, rows)
            for name, value in part.items():
                memory[name][rows] = value
            self.trace.of(rows, len(rows))
        memory["last_command"] = np.clip(command, -1.0, 1.0)
        memory["steps"] += 1
        self.trace.record(command=memory["last_command"], program=memory["program"])
        return self.senses.action(command), memory

    def _choose_program(
        self, memory: Memory, rng: np.random.Generator | None, learning: bool
    ) -> None:
        """Give every body that has none a program, the best that can run by now."""
        able = np.array([self.reaching.available, self.crawling.available])
        idle = memory["program"] < REACH
        if able.any():
            for body in np.flatnonzero(idle):
                memory["program"][body] = REACH + self.gate.choose(able, rng if learning else None)
        else:
            memory["program"][idle] = REST if rng is None else BABBLE

    def _run(
        self,
        program: int,
        memory: Memory,
        channels: Array,
        rng: np.random.Generator | None,
        learning: bool,
        bodies: NDArray[np.int64],
    ) -> Array:
        """Command (n, n_motors) of n bodies that run the same program."""
        if program == REACH:
            return self.reaching.act(memory, channels, rng, self.episode_length)
        if program == CRAWL:
            return self.crawling.act(memory, channels, bodies if learning else None)
        if rng is None:
            return np.zeros_like(memory["babble"])
        strength = self.babble.strength(len(memory["steps"]), rng)
        begins = self.babble.is_new_bout(memory["steps"])
        memory["strength"] = np.where(begins, strength, memory["strength"])
        memory["babble"] = self.babble.command(memory["babble"], memory["strength"], rng)
        return memory["babble"]

    def learn(
        self,
        observation: Any,
        action: Any,
        reward: Any,
        next_observation: Any,
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        memory: Memory,
    ) -> None:
        """Learn from one transition of each of n bodies.

        Args:
            observation: before the step, (n, ·) or dict of them.
            action: (n, n_motors) that was taken.
            reward: (n,).
            next_observation: the true successor, also at the end of an episode.
            terminated: (n,).
            truncated: (n,).
            memory: returned by the `act` that chose the action.

        Raises:
            SensoryError: for NaN or infinite numbers; nothing has been learnt then.

        """
        before = self.senses.channels(observation)
        after = self.senses.channels(next_observation)
        reward = np.asarray(reward, float)
        if not np.isfinite(reward).all():
            body = int(np.flatnonzero(~np.isfinite(reward))[0])
            raise SensoryError(
                f"the reward of environment {body} is {reward[body]}: nothing was learnt from it. "
                "Repair the reward or end the episode before it"
            )
        command = np.clip(self.senses.command(action), -1.0, 1.0)
        if not np.isfinite(command).all():
            raise SensoryError(
                f"the action is {action}: nothing was learnt; hand in finite numbers"
            )
        self.memory.store(before, command, reward, after, memory["episode"])
        self.steps += len(reward)
        terminated = np.asarray(terminated, bool)
        ended = terminated | np.asarray(truncated, bool)
        if ended.any():
            self.episode_length = max(self.episode_length, int(memory["steps"][ended].max()))
        if self.reaching.available:
            look = self.steps % self.config.schema.glance_every < len(reward)
            self._felt = self.reaching.learn(
                before, command, reward, after, memory, self.memory, look
            )
        if not self.reaching.available:
            self.crawling.look(before, after, memory)
        worth = self.gate.saturate(reward)
        if self.crawling.available:
            crawlers = np.flatnonzero(memory["program"] == CRAWL)
            if len(crawlers):
                dopamine = self.crawling.learn(before, worth, after, terminated, ended, crawlers)
                self._felt["dopamine"] = float(dopamine.mean())
                self.trace.record(dopamine=dopamine)
        self.gate.learn(memory["program"] - REACH, worth, ended)
        self._look_for_body()
        self.trace.record(reward=reward, known=self.reaching.available or self.crawling.available)
        self.trace.next_tick()

    def _look_for_body(self) -> None:
        """While parts of the body are unknown, look at what was felt, at growing intervals."""
        schema = self.config.schema
        if self.reaching.available and self.crawling.available:
            return
        wait = self._attempted if self.crawling.available else schema.attempt_every
        if self.steps < schema.first_attempt or self.steps - self._attempted < wait:
            return
        self._attempted = self.steps
        if not self.reaching.available and self.schema.attempt(self.memory, self.senses, self._rng):
            self.reaching.begin(self.memory)
        if self.steps >= schema.patience and not self.crawling.available:
            rows, own = self.memory.rows, self.senses.proprioception
            felt = self.memory.before[rows][:, own], self.memory.after[rows][:, own]
            try:
                joints = find_joints(*felt, self.memory.command[rows], schema)
                self.crawling.begin(joints)
            except NotYet as reason:
                if not self.reaching.available:
                    self.schema.status = str(reason)

    def summary(self) -> dict[str, float]:
        """Scalars worth logging."""
        return {
            "body_known": float(self.reaching.available or self.crawling.available),
            "geometry_error": self.schema.geometry_error,
            "command_error": float(np.sqrt(self.cerebellum.error_variance.mean())),
            "reach_worth": float(self.gate.worth[0]),
            "crawl_worth": float(self.gate.worth[1]),
            **self._felt,
            **self.crawling.summary(),
        }

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt or random, flat, copied: `load_state` continues from it."""
        counts = [self.steps, self.episodes, self.episode_length, self._attempted]
        return saving.collect(self._regions(), counts, self._generators())

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Continue from a state.

        Raises:
            StateError: when it is not one of this brain's; nothing has changed then.

        """
        saving.check(self.state(), state)
        parts = saving.parts(self._regions(), state)
        self.schema.check_state(parts["body_schema"], self.senses.n_channels)
        self.crawling.check_state(parts["crawling"])
        for name, region in self._regions().items():
            region.load_state(parts[name])
        counts = saving.restore(state, self._generators())
        self.steps, self.episodes, self.episode_length, self._attempted = counts

    def _generators(self) -> tuple[np.random.Generator, ...]:
        return self._rng, self._play, self._search

    def _regions(self) -> dict[str, Any]:
        return {
            "memory": self.memory,
            "body_schema": self.schema,
            "cerebellum": self.cerebellum,
            "spinal_cord": self.spinal_cord,
            "basal_ganglia": self.basal_ganglia,
            "gate": self.gate,
            "crawling": self.crawling,
        }
