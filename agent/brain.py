"""The wiring of the brain: one tick reads like the diagram."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agent.adaptation import VisuomotorMap
from agent.basal_ganglia import BasalGanglia, ProgramGate
from agent.body_schema import BodySchema
from agent.body_search import BodySearch
from agent.cerebellum import Cerebellum
from agent.config import BrainConfig
from agent.dynamics_adaptation import DynamicsAdaptation
from agent.efference import EfferenceCopies
from agent.hippocampus import Hippocampus
from agent.memory import SensorimotorMemory
from agent.motor_cortex import MotorCortex
from agent.motor_programs.babble import Babble
from agent.motor_programs.crawling import Crawling
from agent.motor_programs.dreams import Dreams
from agent.motor_programs.guidance import Guidance
from agent.motor_programs.keyboard import Keyboard
from agent.motor_programs.reach import Reach
from agent.motor_programs.reaching import Reaching
from agent.motor_programs.repertoire import Repertoire
from agent.motor_programs.skill import Skill
from agent.motor_programs.travel import Travel
from agent.prefrontal import Prefrontal
from agent.saving import Knowledge
from agent.senses import Senses, full_at_most
from agent.spinal_cord import SpinalCord
from agent.strategy import AimingStrategy
from agent.trace import Trace
from agent.working_memory import (
    Memory,
    begin_episodes,
    new_memory,
    note_command,
    number_episodes,
)


class Brain(Knowledge):
    """A newborn brain for n bodies of one kind.

    ::

        observation ─► senses ─► body schema ─► babble, reach, gait ──► basal ganglia
                          │      (joints,         (programs)      (gate) │ wanted movement
                          │       geometry)                              ▼
        action ◄──────────┴───── cerebellum ◄──────────────────── spinal cord
                                 (command)                  (reflex and rhythm)

        where commands move the body's place itself:
        senses ─► prefrontal (goal) ─► hippocampus (map and subgoal) ─► travel ─► action

        what is practised:
        senses ─► motor cortex (course and commands) ─► spinal cord ─► action

        within a reach:
        senses ─► efference (body now) ─► strategy (aim) ─► adaptation (turn) ─► reach
        felt − explained ─► dynamics adaptation (force) ─► spinal cord

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
        self.config = c = config or BrainConfig()
        seeds = np.random.SeedSequence(seed).spawn(6)
        generators = [np.random.default_rng(s) for s in seeds]
        anatomy, self._rng, self._play, search, compass, self._dreaming = generators
        self._generators = self._rng, self._play, search, self._dreaming
        self.trace = trace = Trace()
        self.senses = senses = Senses(observation_space, action_space)
        n, lesions = senses.n_motors, c.lesions
        self.memory = SensorimotorMemory(c.schema.memory, senses.n_channels, n)
        self.schema = schema = BodySchema(n, c.schema, lesions)
        self.cerebellum = Cerebellum(n, c.cerebellum, anatomy, lesions)
        self.spinal_cord = SpinalCord(n, c.spinal_cord, lesions)
        self.basal_ganglia = BasalGanglia(len(c.reach.vigours), c.basal_ganglia, lesions)
        self.gate = ProgramGate(3, n_envs, c.basal_ganglia)
        self.hippocampus = Hippocampus(c.hippocampus, compass, lesions)
        self.prefrontal = Prefrontal(c.prefrontal, lesions)
        limb = schema, self.cerebellum, self.spinal_cord, self.basal_ganglia
        self.babble = Babble(c.babble)
        self.adaptation = VisuomotorMap(c.adaptation, lesions)
        self.dynamics = DynamicsAdaptation(n, c.adaptation, anatomy, lesions)
        self.efference = EfferenceCopies(c.adaptation, lesions)
        self.strategy = AimingStrategy(c.adaptation, lesions)
        guidance = Guidance(schema, self.adaptation, self.strategy, c, self._play)
        adapting = guidance, self.dynamics, self.efference
        reach = Reach(n, c.reach)
        self.reaching = Reaching(senses, *limb, reach, *adapting, c, trace)
        self.cortex = MotorCortex(n, c.motor_cortex, lesions)
        dreams = Dreams(reach, schema, self.cerebellum, self.basal_ganglia, self.cortex, c)
        self.skill = Skill(self.reaching, self.cortex, dreams, c)
        self.crawling = Crawling(senses, c, n_envs, search, trace)
        self.travel = Travel(senses, self.hippocampus, self.prefrontal, trace)
        programs = self.reaching, self.crawling, self.travel
        self.programs = Repertoire(
            self.babble, *programs, self.skill, trace, crawls=not senses.keys
        )
        self.keyboard = Keyboard(senses, c, trace) if senses.keys else None
        self.search = BodySearch(senses, schema, *programs, c.schema)
        self.n_envs, self.steps, self.episodes, self.episode_length = n_envs, 0, 0, 0

    def new_memory(self, n: int) -> Memory:
        """Working memory of n bodies at the start of an episode."""
        memory = new_memory(
            n,
            self.senses.n_motors,
            self.senses.n_channels,
            self.config.reach.horizon,
            self.hippocampus.grid.n_phases,
        )
        return memory | (self.keyboard.memory(n) if self.keyboard else {})

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
            memory: what `new_memory` or the last `act` returned. It is not changed, but while
                learning it is taken over: go on with the one that is returned.
            episode_start: (n,) whether an episode begins.
            learning: explore, and number the episodes.
            deterministic: without exploration (while not learning).

        Returns:
            Actions (n, n_motors) within the action box, and the memory of the next call.

        Raises:
            SensoryError: for a NaN or infinite number; nothing has changed then.

        """
        channels = self.senses.channels(observation)
        memory = begin_episodes(memory, np.asarray(episode_start, bool), own=learning)
        rng = self._rng if learning else None if deterministic else self._play
        if learning:
            self.episodes += number_episodes(memory, self.episodes)
        if self.keyboard:
            self.keyboard.intend(memory, channels, rng, self.schema.body is not None)
        memory["program"] = self.gate.let_through(memory["program"], self.programs.able, rng)
        wanted = self.programs.act(memory, channels, rng, learning, self.episode_length)
        memory["last_command"] = command = full_at_most(wanted)
        memory["steps"] = memory["steps"] + 1
        if self.efference.lag:
            note_command(memory, command)
        self.trace.record(command=command, program=memory["program"])
        return self.senses.action(command), memory

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
        step = self.senses.transition(
            observation, action, reward, next_observation, terminated, truncated
        )
        self.steps += len(step.reward)
        if self.efference.lag:
            step = step._replace(command=self.efference.cause(memory["copies"]))
        if self.efference.felt(memory["copied"]):
            self.memory.store(*step[:4], memory["episode"])
        if np.count_nonzero(step.ended):
            longest = int(memory["steps"][step.ended].max())
            self.episode_length = max(self.episode_length, longest)
        worth = self.gate.saturate(step.reward)
        if self.keyboard:
            self.keyboard.judge(step, memory)
            step = self.keyboard.felt(step, memory, self.schema.body)
        self.programs.learn(step, worth, memory, self.memory)
        self.gate.learn(memory["program"], worth, step.ended)
        if not any(self.programs.able) and self.search.due(self.steps, len(step.reward)):
            self.efference.find(self.memory, self.n_envs, self.senses.proprioception)
        self.search.look(self.memory, self.steps, self._rng)
        every = self.config.sleep.every
        if every and self.steps % every < len(step.reward):
            self.sleep()
        self.trace.record(reward=step.reward, known=any(self.programs.able))
        self.trace.next_tick()

    def sleep(self) -> list[tuple[int, ...]]:
        """Sleep for a night; returns the chunks of acts that were compiled in it.

        What the planner did is compiled into habits, too (`MotorCortex.shortfall` says how good
        they are).
        """
        self.skill.sleep(self.episode_length, self._dreaming)
        return self.keyboard.sleep() if self.keyboard else []
