"""The wiring of the brain: one tick reads like the diagram."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agent.basal_ganglia import BasalGanglia
from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.config import BrainConfig
from agent.errors import SensoryError, StateError
from agent.memory import SensorimotorMemory
from agent.motor_programs.babble import Babble
from agent.motor_programs.reach import Reach
from agent.percept import Array, Percept
from agent.randomness import generator_state, set_generator_state
from agent.senses import Senses
from agent.spinal_cord import SpinalCord
from agent.trace import Trace
from agent.working_memory import BABBLE, REACH, REST, Memory, begin_episodes, new_memory


class Brain:
    """A newborn brain for n bodies of one kind.

    ::

        observation ─► senses ─► body schema ─► reach, babble ─► basal ganglia
                          │       (geometry)     (proposals)      (gate) │ wanted movement
                          ▼                                              ▼
        action ◄──────────────── cerebellum ◄──────────────────── spinal cord
                                 (command)                        (reflex)

        after the step:  command − explained by what was felt ─► cerebellum (climbing fibre)
                         outcome seen − expected              ─► body schema
                         reward − imagined                    ─► basal ganglia (dopamine)

    Args:
        observation_space: of one environment: a flat box, or a goal dict of flat boxes.
        action_space: of one environment: a bounded flat box.
        n_envs: bodies that learn together.
        config: settings and lesions.
        seed: of everything random in it.

    Raises:
        UnsupportedSpaceError: for other spaces; the message says what to do.

    """

    _EYE_LAG = 0.8  # (Share of the visual bias that is kept from one step to the next)

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        n_envs: int = 1,
        config: BrainConfig | None = None,
        seed: int | None = 0,
    ):
        self.config = config or BrainConfig()
        self.n_envs = n_envs
        self.senses = Senses(observation_space, action_space)
        anatomy, learning, playing = np.random.SeedSequence(seed).spawn(3)
        self._rng, self._play = np.random.default_rng(learning), np.random.default_rng(playing)
        n, lesions = self.senses.n_motors, self.config.lesions
        self.memory = SensorimotorMemory(self.config.schema.memory, self.senses.n_channels, n)
        self.schema = BodySchema(n, self.config.schema, lesions)
        self.cerebellum = Cerebellum(
            n, self.config.cerebellum, np.random.default_rng(anatomy), lesions
        )
        self.spinal_cord = SpinalCord(n, self.config.spinal_cord, lesions)
        self.basal_ganglia = BasalGanglia(
            len(self.config.reach.vigours), self.config.basal_ganglia, lesions
        )
        self.babble, self.reach = Babble(self.config.babble), Reach(n, self.config.reach)
        self.trace = Trace()
        self.steps, self.episodes, self.episode_length, self._attempted = 0, 0, 0, 0
        self._felt = {"dopamine": 0.0, "climbing_fibre": 0.0, "pain": 0.0}

    def new_memory(self, n: int) -> Memory:
        """Working memory of n bodies at the start of an episode."""
        horizon = self.config.reach.horizon
        return new_memory(n, self.senses.n_motors, self.senses.n_channels, horizon)

    def resize(self, n_envs: int) -> None:
        """Learn from now on with another number of bodies."""
        self.n_envs = n_envs

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
        if self.schema.body is None:
            command = self._babble(memory, rng)
        else:
            percept = self.senses.percept(channels, self.schema.body)
            self._feel(memory, percept)
            self._propose_and_gate(memory, percept, channels, rng)
            command = self._execute(memory, percept)
            memory["last_angle"], memory["last_velocity"] = percept.angle, percept.velocity
            memory["last_outcome"][:, : percept.outcome.shape[1]] = percept.outcome
            memory["felt"][:] = True
            if rng is not None:
                command = command + self.config.reach.noise * rng.normal(size=command.shape)
        memory["last_command"] = np.clip(command, -1.0, 1.0)
        memory["steps"] += 1
        self.trace.record(command=memory["last_command"], program=memory["program"])
        return self.senses.action(command), memory

    def _babble(self, memory: Memory, rng: np.random.Generator | None) -> Array:
        if rng is None:
            memory["program"][:] = REST
            return np.zeros_like(memory["babble"])
        memory["program"][:] = BABBLE
        strength = self.babble.strength(len(memory["steps"]), rng)
        begins = self.babble.is_new_bout(memory["steps"])
        memory["strength"] = np.where(begins, strength, memory["strength"])
        memory["babble"] = self.babble.command(memory["babble"], memory["strength"], rng)
        return memory["babble"]

    def _feel(self, memory: Memory, percept: Percept) -> None:
        """Within a movement: what the models missed just now."""
        felt = memory["felt"]
        if not felt.any():
            return
        motion = self._motion(memory["last_angle"], memory["last_velocity"], percept)
        edge = self.schema.at_edge(percept.angle)
        fast = self.cerebellum.correct(memory["fast_state"], *motion, memory["last_command"], edge)
        memory["fast_state"] = np.where(felt[:, None], fast, 0.0)
        self._bump(memory, percept, edge & felt[:, None])
        every = self.config.schema.glance_every
        glance = felt & (memory["steps"] % every == 0)
        if glance.any() and "visual_correction" not in self.config.lesions:
            d = percept.outcome.shape[1]
            moved = np.linalg.norm(percept.outcome - memory["last_outcome"][:, :d], axis=1)
            # The eye is believed as far as the hand is slow.
            trust = np.exp(-((moved / (0.01 * self.schema.spread)) ** 2)) * glance
            trust *= 1.0 - self._EYE_LAG**every
            if (trust > 1e-3).any():
                bias = memory["visual_bias"][:, :d]
                bias += trust[:, None] * (percept.outcome - self.schema.expected(percept) - bias)

    def _bump(self, memory: Memory, percept: Percept, edge: NDArray[np.bool_]) -> None:
        """Give a movement up that has run into something, and remember where for this episode."""
        rows = np.arange(len(edge))
        wanted = memory["plan_angle"][rows, memory["plan_step"]] + memory["shift"]
        way = self.schema.difference(wanted, percept.angle)
        still = np.abs(percept.velocity) < 0.1 * self.cerebellum.velocity_scale
        stuck = edge & still & (np.abs(way) > self.schema.SKIN)
        memory["stuck"] = np.where(stuck, memory["stuck"] + 1, 0)
        bumped = memory["stuck"] >= self.config.reach.patience
        if bumped.any():
            memory["wall"][bumped] = np.sign(way[bumped])
            memory["wall_angle"][bumped] = percept.angle[bumped]
            memory["plan_length"][bumped.any(axis=1)] = 0

    def _walls(self, memory: Memory, body: int) -> tuple[Array, Array]:
        """Lowest and highest angles (n_joints,) that something has been in the way of."""
        wall, angle = memory["wall"][body], memory["wall_angle"][body]
        low = np.where(wall < 0, angle + self.schema.SKIN, -np.inf)
        return low, np.where(wall > 0, angle - self.schema.SKIN, np.inf)

    def _motion(self, angle: Array, velocity: Array, after: Percept) -> tuple[Array, Array, Array]:
        """Angle and velocity at mid-step, and acceleration over the step."""
        way = self.schema.difference(after.angle, angle)
        acceleration = (after.velocity - velocity) / self.schema.step
        return angle + 0.5 * way, 0.5 * (velocity + after.velocity), acceleration

    def _propose_and_gate(
        self, memory: Memory, percept: Percept, channels: Array, rng: np.random.Generator | None
    ) -> None:
        """Let a movement through wherever there is none, it has ended, or the goal has moved."""
        body, d = self.schema.known, percept.outcome.shape[1]
        setting = np.concatenate([body.goal, body.context])
        moved = np.abs(channels[:, setting] - memory["plan_setting"][:, setting]).max(
            axis=1, initial=0.0
        )
        over = memory["plan_step"] >= memory["plan_length"]
        reach = self.config.reach
        boldness = -reach.caution * self.schema.danger() if rng is None else reach.curiosity
        aims = self.schema.aim(percept) - memory["visual_bias"][:, :d]
        values = np.full(len(over), np.nan)
        for i in np.flatnonzero(over | (moved > 0.01 * self.schema.spread)):
            left = self.episode_length - memory["steps"][i]
            horizon = int(
                np.clip(
                    left if left > 0 else self.config.reach.horizon, 10, self.config.reach.horizon
                )
            )
            walls = self._walls(memory, int(i))
            proposals = self.reach.propose(
                percept.angle[i],
                percept.velocity[i],
                aims[i],
                self.schema,
                self.cerebellum,
                horizon,
                probing=rng is not None,
                walls=walls,
            )
            value = self.basal_ganglia.value(proposals.reward.sum(axis=1), proposals.vigour)
            value += boldness * proposals.venture
            chosen = self.basal_ganglia.gate(value, rng)
            gated = self.reach.refine(
                proposals, chosen, aims[i], self.schema, self.cerebellum, min(boldness, 0.0), walls
            )
            memory["program"][i] = REACH
            for name in ("angle", "velocity", "acceleration", "reward"):
                plan = getattr(gated, name)[0]
                memory[f"plan_{name}"][i, : len(plan)] = plan
            memory["plan_length"][i], memory["plan_step"][i] = horizon, 0
            memory["plan_vigour"][i] = gated.vigour[0]
            memory["plan_setting"][i], memory["shift"][i] = channels[i], 0.0
            memory["plan_bias"][i] = memory["visual_bias"][i]
            values[i] = value[chosen]
        self.trace.record(value=values)

    def _execute(self, memory: Memory, percept: Percept) -> Array:
        """Command (n, n_motors) that keeps each body on its plan."""
        d = percept.outcome.shape[1]
        drift = memory["plan_bias"][:, :d] - memory["visual_bias"][:, :d]
        for i in np.flatnonzero(np.linalg.norm(drift, axis=1) > 0.002 * self.schema.spread):
            jacobian = self.schema.chain.with_jacobian(percept.angle[i])[1]
            memory["shift"][i] = np.linalg.pinv(jacobian, rcond=0.05) @ drift[i]
        rows, t = np.arange(len(drift)), memory["plan_step"]
        wanted = memory["plan_angle"][rows, t] + memory["shift"]
        wanted_velocity = memory["plan_velocity"][rows, t]
        acceleration = self.spinal_cord.reflex(
            memory["plan_acceleration"][rows, t],
            self.schema.difference(wanted, percept.angle),
            wanted_velocity - percept.velocity,
            self.schema.step,
        )
        half = 0.5 * self.schema.step
        command = self.cerebellum.inverse(
            percept.angle + half * percept.velocity,
            percept.velocity + half * acceleration,
            acceleration,
        )
        memory["plan_step"] = t + 1
        self.trace.record(
            angle=percept.angle,
            wanted_angle=wanted,
            fast_state=memory["fast_state"],
            vigour=memory["plan_vigour"],
            outcome=percept.outcome,
            goal=percept.goal,
        )
        return command + memory["fast_state"]

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
        ended = np.asarray(terminated) | np.asarray(truncated)
        if ended.any():
            self.episode_length = max(self.episode_length, int(memory["steps"][ended].max()))
        if self.schema.body is None:
            self._look_for_body()
        else:
            self._learn_from_movement(before, command, reward, after, memory)
        self.trace.record(reward=reward, known=self.schema.body is not None)
        self.trace.next_tick()

    def _learn_from_movement(
        self, before: Array, command: Array, reward: Array, after: Array, memory: Memory
    ) -> None:
        body = self.schema.known
        was, now = self.senses.percept(before, body), self.senses.percept(after, body)
        motion = self._motion(was.angle, was.velocity, now)
        touching = self.schema.touching(was.angle) | self.schema.touching(now.angle)
        climbing_fibre, pain = self.cerebellum.learn(
            *motion, command, memory["fast_state"], touching
        )
        self.spinal_cord.feel(motion[2][~pain.any(axis=1)])
        self.schema.feel(now.angle, pain, climbing_fibre)
        if self.steps % self.config.schema.glance_every < len(reward):
            self.schema.see(now, self.memory, self.senses)
        dopamine = np.zeros(len(reward))
        gated = np.flatnonzero((memory["program"] == REACH) & (memory["plan_step"] > 0))
        if len(gated):
            imagined = memory["plan_reward"][gated, memory["plan_step"][gated] - 1]
            dopamine[gated] = self.basal_ganglia.learn(
                reward[gated],
                imagined,
                memory["plan_vigour"][gated],
                memory["plan_length"][gated],
            )
        self._felt = {
            "dopamine": float(dopamine.mean()),
            "climbing_fibre": float(np.sqrt((climbing_fibre**2).mean())),
            "pain": float(pain.any(axis=1).mean()),
        }
        if self.trace.enabled:
            predicted = self.cerebellum.forward(*motion[:2], command)
            self.trace.record(
                dopamine=dopamine,
                climbing_fibre=climbing_fibre,
                pain=pain,
                felt_acceleration=motion[2],
                predicted_acceleration=predicted,
            )

    def _look_for_body(self) -> None:
        schema = self.config.schema
        due = self.steps - self._attempted >= schema.attempt_every
        if self.steps < schema.first_attempt or not due:
            return
        self._attempted = self.steps
        if not self.schema.attempt(self.memory, self.senses, self._rng):
            return
        body, rows = self.schema.known, self.memory.rows
        was = self.senses.percept(self.memory.before[rows], body)
        now = self.senses.percept(self.memory.after[rows], body)
        motion = self._motion(was.angle, was.velocity, now)
        gain = np.abs(body.gain)
        crude = body.step * np.sign(body.gain) / np.maximum(gain, 0.1 * gain.max())
        command = self.memory.command[rows]
        pain = self.cerebellum.begin(*motion, command, crude)
        self.spinal_cord.feel(motion[2][~pain.any(axis=1)])
        error = command - self.cerebellum.inverse(*motion)
        self.schema.feel(now.angle, pain, error)

    def summary(self) -> dict[str, float]:
        """Scalars worth logging."""
        return {
            "body_known": float(self.schema.body is not None),
            "geometry_error": self.schema.geometry_error,
            "command_error": float(np.sqrt(self.cerebellum.error_variance.mean())),
            **self._felt,
        }

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt or random, flat, copied: `load_state` continues from it."""
        state = {
            f"{name}.{key}": value.copy()
            for name, region in self._regions().items()
            for key, value in region.state().items()
        }
        counts = [self.steps, self.episodes, self.episode_length, self._attempted]
        state["counts"] = np.array(counts, np.int64)
        state["random"] = np.stack([generator_state(r) for r in (self._rng, self._play)])
        return state

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Continue from a state.

        Raises:
            StateError: when it is not one of this brain's; nothing has changed then.

        """
        own = self.state()
        for key in sorted(set(own) ^ set(state)):
            raise StateError(f"weights {key!r} are {'missing' if key in own else 'unknown'}")
        for key, value in own.items():
            given = np.asarray(state[key])
            # How much is known of the body decides the size of its parts: they are checked below.
            fixed = not key.startswith("body_schema.") or value.ndim == 2
            if given.dtype != value.dtype or (fixed and given.shape != value.shape):
                raise StateError(
                    f"weights {key!r} are {given.dtype} {given.shape}: this brain has "
                    f"{value.dtype} {value.shape}; load them with the configuration and spaces "
                    "they were learnt with"
                )
            # Only the range of movement may be infinite: as long as no limit was felt.
            bad = np.isnan if key == "body_schema.range" else lambda x: ~np.isfinite(x)
            if given.dtype.kind == "f" and bad(given).any():
                raise StateError(f"weights {key!r} hold NaN or inf: the file is damaged")
        parts: dict[str, dict[str, NDArray]] = {name: {} for name in self._regions()}
        for key, value in state.items():
            name, _, part = key.partition(".")
            if part:
                parts[name][part] = np.asarray(value)
        self.schema.check_state(parts["body_schema"], self.senses.n_channels)
        for name, region in self._regions().items():
            region.load_state(parts[name])
        counts = (int(x) for x in state["counts"])
        self.steps, self.episodes, self.episode_length, self._attempted = counts
        for rng, words in zip((self._rng, self._play), state["random"], strict=True):
            set_generator_state(rng, words)

    def _regions(self) -> dict[str, Any]:
        return {
            "memory": self.memory,
            "body_schema": self.schema,
            "cerebellum": self.cerebellum,
            "spinal_cord": self.spinal_cord,
            "basal_ganglia": self.basal_ganglia,
        }
