"""Reaching: the motor program that brings the outcome to the goal, from plan to command."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.basal_ganglia import BasalGanglia
from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.config import BrainConfig
from agent.dynamics_adaptation import DynamicsAdaptation
from agent.efference import EfferenceCopies
from agent.memory import SensorimotorMemory
from agent.motor_programs.blending import Blending
from agent.motor_programs.guidance import Guidance
from agent.motor_programs.passage import Task
from agent.motor_programs.reach import Reach, within
from agent.percept import Array, Body, Percept
from agent.senses import Senses
from agent.spinal_cord import SpinalCord
from agent.trace import Trace
from agent.working_memory import CRAWL, REACH, Memory

Motion = tuple[Array, Array, Array]
"""Angle and velocity at mid-step and acceleration over the step, (n, n_joints) each."""


@dataclass
class Reaching:
    """Lets proposed movements through, carries them out, and learns from what they feel like.

    It knows of no other program; the regions it works with are handed in, and so are the
    settings. Bodies come as rows of the arrays.
    """

    senses: Senses
    schema: BodySchema
    cerebellum: Cerebellum
    spinal_cord: SpinalCord
    basal_ganglia: BasalGanglia
    reach: Reach
    guidance: Guidance
    dynamics: DynamicsAdaptation
    efference: EfferenceCopies
    config: BrainConfig
    trace: Trace
    blending: Blending | None = None
    _read: tuple[Body, Array, Percept] | None = None
    _moved: tuple[Array, Array, Percept, Motion] | None = None

    @property
    def available(self) -> bool:
        """Whether the body, its geometry and the goal are known."""
        return self.schema.body is not None

    def begin(self, experience: SensorimotorMemory) -> None:
        """Learn from what babbling has shown, now that it can be read."""
        body, rows = self.schema.known, experience.rows
        rows = rows[np.argsort(experience.episode[rows], kind="stable")]  # (Each body's in turn)
        was = self.senses.percept(experience.before[rows], body)
        now = self.senses.percept(experience.after[rows], body)
        motion = self._motion(was.angle, was.velocity, now)
        gain = np.abs(body.gain)
        crude = body.step * np.sign(body.gain) / np.maximum(gain, 0.1 * gain.max())
        command = experience.command[rows]
        pain = self.cerebellum.begin(*motion, command, crude)
        self.spinal_cord.feel(motion[2][~pain.any(axis=1)])
        error = command - self.cerebellum.inverse(*motion)
        self.schema.range.feel(now.angle, pain, self._stopped(was, now, error), in_turn=True)

    def act(
        self,
        memory: Memory,
        channels: Array,
        rng: np.random.Generator | None,
        episode_length: int,
    ) -> Array:
        """Command (n, n_motors) of n bodies that reach.

        Args:
            memory: working memory of these bodies; updated.
            channels: (n, n_channels).
            rng: to explore with; None to perform.
            episode_length: steps of the longest episode so far, 0 before the first has ended.

        """
        percept = self._percept(channels)
        self.guidance.begin(memory, percept)
        self._feel(memory, percept)
        here = self._predict(memory, percept)
        self._propose_and_gate(memory, here, channels, rng, episode_length)
        command = self._execute(memory, here)
        memory["last_angle"], memory["last_velocity"] = percept.angle, percept.velocity
        memory["last_outcome"][:, : percept.outcome.shape[1]] = percept.outcome
        memory["felt"][:] = True
        if rng is not None:
            command = command + self.config.reach.noise * rng.normal(size=command.shape)
        memory["last_command"] = np.clip(command, -1.0, 1.0)
        return memory["last_command"]

    def _percept(self, channels: Array) -> Percept:
        """Read channels (n, n_channels); what was read last is not read again."""
        body, last = self.schema.known, self._read
        if last is not None and last[0] is body:
            if last[1] is channels:
                return last[2]
            if last[1].shape == channels.shape and not np.count_nonzero(last[1] != channels):
                return last[2]
        self._read = last = body, channels, self.senses.percept(channels, body)
        return last[2]

    def _predict(self, memory: Memory, percept: Percept) -> Percept:
        """Where the body is by now, if what is felt is late."""
        if not self.efference.lag:
            return percept
        angle, velocity = self.efference.now(
            percept.angle,
            percept.velocity,
            memory["copies"],
            memory["copied"],
            memory["fast_state"],
            self._adapted,
            self.cerebellum,
            self.schema.step,
        )
        return percept._replace(angle=angle, velocity=velocity)

    def _feel(self, memory: Memory, percept: Percept) -> None:
        """Within a movement: what the models missed just now."""
        felt, lag = memory["felt"], self.efference.lag
        if not np.count_nonzero(felt):
            return
        given = memory["last_command"]
        if lag:
            felt, given = felt & (memory["copied"] > lag), self.efference.cause(memory["copies"])
        motion = self._motion(memory["last_angle"], memory["last_velocity"], percept)
        edge = self.schema.range.at_edge(percept.angle)
        missed = memory["missed"]
        unknown = ~memory["learnt"]  # (Of a step that was learnt from, it is known)
        if np.count_nonzero(unknown):
            error = given - self._adapted(*motion[:2]) - self.cerebellum.inverse(*motion)
            missed = np.where(unknown[:, None], error, missed)
        memory["learnt"] = np.zeros(len(missed), np.bool_)
        fast = self.cerebellum.correct(memory["fast_state"], missed, motion[1], edge)
        memory["fast_state"] = fast * felt[:, None]
        self._bump(memory, percept, edge & felt[:, None])
        self.guidance.look(memory, percept)

    def _bump(self, memory: Memory, percept: Percept, edge: NDArray[np.bool_]) -> None:
        """Give a movement up that has run into something, and remember where for this episode."""
        if not np.count_nonzero(edge):
            memory["stuck"] = np.zeros_like(memory["stuck"])
            return
        rows = np.arange(len(edge))
        then = np.maximum(memory["plan_step"] - self.efference.lag, 0)
        wanted = memory["plan_angle"][rows, then] + memory["shift"]
        way = self.schema.difference(wanted, percept.angle)
        still = np.abs(percept.velocity) < 0.1 * self.cerebellum.velocity_scale
        stuck = edge & still & (np.abs(way) > self.schema.range.SKIN)
        memory["stuck"] = np.where(stuck, memory["stuck"] + 1, 0)
        bumped = memory["stuck"] >= self.config.reach.patience
        if np.count_nonzero(bumped):
            memory["wall"][bumped] = np.sign(way[bumped])
            memory["wall_angle"][bumped] = percept.angle[bumped]
            memory["plan_length"][bumped.any(axis=1)] = 0

    def _walls(self, memory: Memory, body: int) -> tuple[Array, Array]:
        """Lowest and highest angles (n_joints,) that something has been in the way of."""
        wall, angle = memory["wall"][body], memory["wall_angle"][body]
        low = np.where(wall < 0, angle + self.schema.range.SKIN, -np.inf)
        return low, np.where(wall > 0, angle - self.schema.range.SKIN, np.inf)

    def _motion(self, angle: Array, velocity: Array, after: Percept) -> Motion:
        """Angle and velocity at mid-step, and acceleration over the step; kept for the next ask."""
        last = self._moved
        if last and last[0] is angle and last[1] is velocity and last[2] is after:
            return last[3]
        way = self.schema.difference(after.angle, angle)
        acceleration = (after.velocity - velocity) / self.schema.step
        motion = angle + 0.5 * way, 0.5 * (velocity + after.velocity), acceleration
        self._moved = angle, velocity, after, motion
        return motion

    def _stopped(self, was: Percept, now: Percept, error: Array) -> Array:
        """Share of the command (n, n_motors) that something in the joint's way may have taken.

        A limit only slows down what goes or pushes into it: what errs otherwise is the model.
        """
        error = error * np.sign(self.schema.known.gain)
        side = np.sign(error)
        slow = 0.1 * self.cerebellum.velocity_scale
        into = side * was.velocity > -slow
        slower = side * (now.velocity - was.velocity) < slow
        return np.where(into & slower, error, 0.0)

    def _propose_and_gate(
        self,
        memory: Memory,
        percept: Percept,
        channels: Array,
        rng: np.random.Generator | None,
        episode_length: int,
    ) -> None:
        """Let a movement through wherever there is none, it has ended, or the goal has moved."""
        body = self.schema.known
        setting = np.concatenate([body.goal, body.context])
        moved = channels.take(setting, axis=1) - memory["plan_setting"].take(setting, axis=1)
        moved = np.abs(moved).max(axis=1, initial=0.0)
        over = memory["plan_step"] >= memory["plan_length"]
        due = np.flatnonzero(over | (moved > 0.01 * self.schema.spread))
        values = np.full(len(over), np.nan)
        if not len(due):
            self.trace.record(value=values)
            return
        reach = self.config.reach
        boldness = -reach.caution * self.schema.range.danger() if rng is None else reach.curiosity
        aims = self.guidance.aims(memory, percept, due)
        for i in due:
            left = episode_length - memory["steps"][i]
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
            value = self.basal_ganglia.value(proposals.worth, proposals.vigour)
            value += boldness * proposals.venture
            chosen = self.basal_ganglia.gate(value, rng)
            plan = self.reach.refine(
                proposals, chosen, aims[i], self.schema, self.cerebellum, min(boldness, 0.0), walls
            )
            if self.blending is not None:
                task = Task(
                    aims[i],
                    aims[i],
                    self.schema,
                    self.cerebellum,
                    within(self.schema.range.limits(), walls),
                )
                plan, horizon = self.blending.begin(
                    memory, int(i), plan, horizon, task, rng is not None
                )
            for name in ("angle", "velocity", "acceleration", "reward"):
                course = getattr(plan, name)
                memory[f"plan_{name}"][i, : len(course)] = course
            memory["plan_length"][i], memory["plan_step"][i] = horizon, 0
            memory["plan_vigour"][i] = proposals.vigour[chosen]
            memory["plan_setting"][i], memory["shift"][i] = channels[i], 0.0
            memory["plan_bias"][i] = memory["visual_bias"][i]
            values[i] = value[chosen]
        self.trace.record(value=values)

    def _execute(self, memory: Memory, percept: Percept) -> Array:
        """Command (n, n_motors) that keeps each body on its plan."""
        drift = self.guidance.correction(memory, percept.outcome.shape[1])
        for i in np.flatnonzero(drift.any(axis=1)) if np.count_nonzero(drift) else ():
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
        command += self._adapted(percept.angle, percept.velocity)
        return command + memory["fast_state"]

    def _adapted(self, angle: Array, velocity: Array) -> Array:
        """Command (n, n_motors) by which dynamics differ from the inverse model's."""
        return self.dynamics.command(angle, velocity, self.cerebellum.velocity_scale)

    def learn(
        self,
        before: Array,
        command: Array,
        reward: Array,
        after: Array,
        memory: Memory,
        experience: SensorimotorMemory,
        ended: NDArray[np.bool_],
    ) -> dict[str, NDArray]:
        """Learn from one step of each of n bodies, whatever program moved them.

        Args:
            before: (n, n_channels).
            command: (n, n_motors).
            reward: (n,).
            after: (n, n_channels).
            memory: working memory of these bodies; what was missed is noted.
            experience: the latest transitions.
            ended: (n,) bodies whose episode is over.

        Returns:
            Dopamine (n,), climbing-fibre error (n, n_motors) and whether there was pain (n,);
            nothing where none of them was felt yet.

        """
        was, now = self._percept(before), self._percept(after)
        if np.count_nonzero(ended):
            if self.schema.settled:
                self.guidance.learn(memory, now, ended & (memory["program"] == REACH))
            self.dynamics.rest()
        if not self.efference.felt(memory["copied"]):
            return {}
        motion = self._motion(was.angle, was.velocity, now)
        touching = self.schema.range.touching(was.angle, now.angle)
        climbing_fibre, pain = self.cerebellum.learn(
            *motion, command - self._adapted(*motion[:2]), memory["fast_state"], touching
        )
        memory["missed"], memory["learnt"] = climbing_fibre, np.ones(len(reward), np.bool_)
        hurt = np.logical_or.reduce(pain, axis=1)
        usual = self.cerebellum.velocity_scale
        self.dynamics.learn(*motion[:2], usual, climbing_fibre, ~hurt & ~touching)
        if np.count_nonzero(hurt):
            self.spinal_cord.feel(motion[2][~hurt])
            stopped, believed = self._stopped(was, now, climbing_fibre), np.ones_like(hurt)
            if self.efference.lag:
                # A rhythm on late senses runs wild: what no model explains then may be no limit.
                believed = ~hurt | (memory["program"] != CRAWL)
            self.schema.range.feel(now.angle[believed], pain[believed], stopped[believed])
        else:
            self.spinal_cord.feel(motion[2])
            self.schema.range.feel(now.angle, pain, climbing_fibre)
        glance = self.guidance.glance(memory)
        if np.count_nonzero(glance):
            glance &= self.guidance.fresh(memory, now)
        if np.count_nonzero(glance):
            error = now.outcome - self.guidance.expected(memory, now)
            self.schema.see(error[glance], experience, self.senses)
        dopamine = np.zeros(len(reward))
        planned = (memory["program"] == REACH) & (memory["habit"] <= 0)
        gated = np.flatnonzero(planned & (memory["plan_step"] > 0))
        if len(gated):
            imagined = memory["plan_reward"][gated, memory["plan_step"][gated] - 1]
            dopamine[gated] = self.basal_ganglia.learn(
                reward[gated],
                imagined,
                memory["plan_vigour"][gated],
                memory["plan_length"][gated],
            )
        if self.trace.enabled:
            predicted = self.cerebellum.forward(*motion[:2], command)
            self.trace.record(
                dopamine=dopamine,
                climbing_fibre=climbing_fibre,
                pain=pain,
                felt_acceleration=motion[2],
                predicted_acceleration=predicted,
            )
        return {"dopamine": dopamine, "climbing_fibre": climbing_fibre, "pain": hurt}
