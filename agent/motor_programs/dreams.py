"""Dreams: in sleep, what the planner does is compiled into the motor cortex."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.basal_ganglia import BasalGanglia
from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.config import BrainConfig
from agent.motor_cortex import MotorCortex
from agent.motor_programs.courses import Course, cost, course
from agent.motor_programs.reach import Reach
from agent.motor_programs.refinement import Movement
from agent.percept import Array

Scene = tuple[Array, Array, Array]
"""Angles and velocities (n, n_joints) where movements begin, and their aims (n, d)."""


@dataclass
class Dreams:
    r"""Imagines movements all night, and teaches the motor cortex to have them at once.

    A dream puts together what was experienced: joints' angles from different beginnings, aims
    between and a little beyond those that were aimed at, or where the hand would be in such a
    posture, or any. The planner shows final postures, and how movements usually go; from there on
    the cortex dreams by itself, and each dreamt movement is made a little better by the slope of
    its imagined cost, through the learnt geometry and dynamics.

    In the end it is tried against the planner on beginnings and aims as they were; the share by
    which it usually is worse is what the gate goes by.

    A final posture is recalled, not learnt by the network: postures that served similar aims and
    are not far, and the one where the body is, are led to the aim by damped Gauss–Newton, and the
    nearest of those that get there is taken. Which of several solutions it is jumps from one
    situation to the next; how to move there does not, and that is what a network can hold. What
    serves an aim and would not be come upon in few steps is remembered in sleep, as in condensed
    nearest neighbours (Hart 1968, doi:10.1109/TIT.1968.1054155).
    """

    reach: Reach
    schema: BodySchema
    cerebellum: Cerebellum
    basal_ganglia: BasalGanglia
    cortex: MotorCortex
    config: BrainConfig

    _BEYOND = 0.2  # (Share of the distance of two memories by which a dream goes beyond them)
    _ANYWHERE = 0.15  # (Share of aims that are where the hand would be in any posture felt so far)
    _BATCH = 32  # (Movements dreamt at once)
    _CHUNK = 128  # (Scenes thought of at once)
    _SHOWN = 60  # (Final postures that the planner shows)
    _TRIED = 120  # (Movements in which planner and cortex are compared)
    _RECALLED = 4  # (Postures that come to mind for an aim)
    _NEAR = 0.1  # (Distance of an aim that counts as much as 1 rad of a posture, over the reach)
    _KEPT = 2048  # (Most postures remembered)
    _LONGER = 1.2  # (Ratio of ways from which a posture is worth being remembered)
    _PATIENT = 5  # (Steps of the inverse kinematics)
    _QUICK = 2  # (Steps after which a posture has to be found that need not be remembered)
    _STRIDE = 0.8  # (The longest of them, rad)
    _SERVES = 0.02  # (Distance up to which a posture serves an aim, over the reach)
    _FIRM = 0.01  # (Damping of the inverse kinematics, over the reach)
    _POOL = 16_384  # (Most scenes of a night: they recur)
    _WARM = 50  # (Batches in which the learning rate rises)
    _CRITIC = 0.1  # (Weight of learning what a movement will cost)

    def laid(self) -> Course:
        """Return the course of the cortex's movements."""
        return course(self.cortex.horizon, self.schema.step)

    def recall(
        self, angle: Array, aim: Array, looks: int = _PATIENT
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Recall ways to final postures.

        They stay within what the joints have felt, unless none of those serves the aim: then they
        go as far beyond as plans do (`JointRange.reachable`).

        Args:
            angle: (n, n_joints) where the bodies are.
            aim: (n, d) what the geometry's outcome must become.
            looks: steps of the inverse kinematics.

        Returns:
            Ways (n, n_joints) in joint space, distances (n,) of the hand from the aim, and whether
            the postures serve the aims, (n,).

        """
        felt = self.schema.range.free_low, self.schema.range.free_high
        way, distance, serves = self._recall(angle, aim, looks, felt)
        if not serves.all():
            far, beyond = ~serves, self.schema.range.reachable(self.schema.periodic)
            way[far], _, serves[far] = self._recall(angle[far], aim[far], looks, beyond)
        return way, distance, serves

    def _recall(
        self, angle: Array, aim: Array, looks: int, bounds: tuple[Array, Array]
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Recall ways to final postures within bounds of the joints; otherwise as `recall`."""
        schema = self.schema
        q = np.concatenate([angle[:, None], self._similar(angle, aim)], axis=1)
        miss, distance, jacobian = self._missed(q, aim)
        first, enough = distance[:, 0], self._SERVES * schema.spread
        for _ in range(looks - 1):
            q = self._led(q, miss, jacobian, bounds)
            miss, distance, jacobian = self._missed(q, aim)
        # The last step brings them closer yet: they are equally good that would serve without it.
        late = np.maximum(distance - enough, 0.0)
        way = schema.difference(q, angle[:, None])
        best = (np.abs(way).sum(axis=-1) + (1e3 / schema.spread) * late).argmin(axis=1)
        rows = np.arange(len(q))
        final = self._led(q[rows, best], miss[rows, best], jacobian[rows, best], bounds)
        return schema.difference(final, angle), first, distance[rows, best] < enough

    def _similar(self, angle: Array, aim: Array) -> Array:
        """Postures (n, k, n_joints) that served aims like these, not far from where bodies are."""
        cortex, schema = self.cortex, self.schema
        off = aim[:, None] - cortex.aims
        away = schema.difference(cortex.postures, angle[:, None])
        unlike = np.vecdot(off, off) + (self._NEAR * schema.spread) ** 2 * np.vecdot(away, away)
        k = min(self._RECALLED, unlike.shape[1])
        return np.asarray(cortex.postures[unlike.argpartition(k - 1, axis=1)[:, :k]])

    def _missed(self, posture: Array, aim: Array) -> tuple[Array, Array, Array]:
        """Find what postures (n, k, n_joints) lack to aims (n, d), its length, and the Jacobian."""
        outcome, jacobian = self.schema.chain.with_jacobian(posture)
        miss = aim[:, None] - outcome
        return miss, np.sqrt(np.vecdot(miss, miss)), jacobian

    def _led(
        self, posture: Array, miss: Array, jacobian: Array, bounds: tuple[Array, Array]
    ) -> Array:
        """Postures (…, n_joints) within bounds, one step of damped Gauss–Newton closer to an aim.

        That is what they miss, (…, d).
        """
        schema, transpose = self.schema, jacobian.swapaxes(-1, -2)
        firm = (self._FIRM * schema.spread) ** 2 * np.eye(miss.shape[-1])
        pull = np.linalg.solve(jacobian @ transpose + firm, miss[..., None])
        move = (transpose @ pull)[..., 0]
        np.minimum(np.maximum(move, -self._STRIDE, out=move), self._STRIDE, out=move)
        move += posture
        np.maximum(move, bounds[0], out=move)
        return np.minimum(move, bounds[1], out=move)

    def situation(self, angle: Array, velocity: Array, way: Array, distance: Array) -> Array:
        """Say what the cortex sees of a movement that begins, (n, n_inputs)."""
        free, end = self.schema.periodic, angle + way
        turns = [turn(at) for at in (angle, end) for turn in (np.cos, np.sin)]
        parts = [angle[:, ~free], *turns, way, np.abs(way)]
        speed = velocity / self.cerebellum.velocity_scale
        return np.concatenate([*parts, speed, distance[:, None]], axis=1)

    def numbers(self, recalled: Array, way: Array) -> Array:
        """Numbers (n, n_joints, knots) of the movements that the cortex has recalled."""
        usual = way[:, :, None] * self.cortex.profile
        change = recalled[:, :-1].reshape(usual.shape)
        return np.asarray(usual + change)

    def movement(
        self, angle: Array, velocity: Array, way: Array, distance: Array
    ) -> tuple[Movement, Array]:
        """Movements that the cortex has for ways that were recalled, and their expected cost."""
        recalled = self.cortex.recall(self.situation(angle, velocity, way, distance))
        y = self.numbers(recalled, way)
        return self.laid().unfold(angle, velocity, y), recalled[:, -1]

    def night(self, horizon: int, rng: np.random.Generator) -> bool:
        """Dream for a night of movements over `horizon` steps; returns whether anything is learnt.

        Nothing is where the body is not known, too few movements were planned, or the lesions or
        settings forbid it.
        """
        if self.schema.body is None or not self.cortex.can_sleep:
            return False
        cortex, c = self.cortex, self.config.motor_cortex
        fresh = horizon != cortex.horizon or not cortex.weights
        cortex.horizon = horizon
        self._watch(rng)
        pool = self._scenes(min(self._POOL, max(self._CHUNK, c.dreams // 4)), rng)
        self._remember(pool)
        parts = [self.recall(pool[0][rows], pool[2][rows]) for rows in self._batches(pool)]
        way, distance, there = (np.concatenate(part) for part in zip(*parts, strict=True))
        pool, way = (pool[0][there], pool[1][there], pool[2][there]), way[there]
        inputs = self.situation(*pool[:2], way, distance[there])
        if fresh:
            cortex.sprout(inputs, way.shape[1] * self.laid().knots + 1, rng)
        self._practise(pool, way, inputs, rng)
        cortex.shortfall, cortex.surprise = self._compare(rng), 0.0
        return True

    def _scenes(self, n: int, rng: np.random.Generator) -> Scene:
        """Put n scenes together from what is remembered."""
        angle, velocity, aim = self._remembered()
        posture = self._recombined(angle, n, rng)
        first, second = rng.integers(len(aim), size=(2, n))
        part = rng.uniform(-self._BEYOND, 1.0 + self._BEYOND, (n, 1))
        between = aim[first] + part * (aim[second] - aim[first])
        elsewhere = self._recombined(angle, n, rng)
        anywhere = rng.uniform(
            self.schema.range.free_low, self.schema.range.free_high, elsewhere.shape
        )
        draw = rng.random((n, 1))
        imagined = self.schema.chain(np.where(draw < self._ANYWHERE, anywhere, elsewhere))
        return posture, velocity[first], np.where(draw < 0.5, imagined, between)

    def _recombined(self, angle: Array, n: int, rng: np.random.Generator) -> Array:
        """Postures (n, n_joints), the angle of each joint near one of those remembered."""
        joints = np.arange(angle.shape[1])
        first, second = rng.integers(len(angle), size=(2, n, len(joints)))
        part = rng.uniform(-self._BEYOND, 0.5, (n, 1))
        near, far = angle[first, joints], angle[second, joints]
        return np.asarray(near + part * self.schema.difference(far, near))

    def _remembered(self) -> Scene:
        angle, velocity, aim = self.cortex.remembered()
        return angle, velocity, aim[:, : self.schema.chain.n_outcome]

    def _watch(self, rng: np.random.Generator) -> None:
        """See what postures the planner chooses, and how it moves there."""
        cortex, laid = self.cortex, self.laid()
        cortex.aims = np.zeros((0, self.schema.chain.n_outcome))
        angle, velocity, aim = self._scenes(self._SHOWN, rng)
        postures = [self.reach.postures(angle[i], aim[i], self.schema)[0] for i in range(len(aim))]
        cortex.postures, cortex.aims = np.array(postures), aim
        shown = range(self._SHOWN // 3)
        plans = [self._plan((angle[i], velocity[i], aim[i])) for i in shown]
        ways = np.array([plan[0][-1] - plan[0][0] for plan in plans])
        cortex.profile = laid.profile(np.array([plan[2] for plan in plans]), ways)

    def _remember(self, pool: Scene) -> None:
        """Remember postures that serve aims of scenes, where quick recall finds none as near."""
        cortex = self.cortex
        for rows in self._batches(pool):
            angle, aim = pool[0][rows], pool[2][rows]
            if len(cortex.aims) + len(aim) > self._KEPT:
                return
            way, _, serves = self.recall(angle, aim)
            quick, _, found = self.recall(angle, aim, self._QUICK)
            length, without = np.abs(way).sum(axis=1), np.abs(quick).sum(axis=1)
            new = serves & (~found | (without > self._LONGER * length))
            cortex.postures = np.concatenate([cortex.postures, (angle + way)[new]])
            cortex.aims = np.concatenate([cortex.aims, aim[new]])

    def _batches(self, pool: Scene) -> list[slice]:
        """Parts of a pool of scenes, none of which takes much room."""
        return [slice(k, k + self._CHUNK) for k in range(0, len(pool[0]), self._CHUNK)]

    def _practise(self, pool: Scene, way: Array, inputs: Array, rng: np.random.Generator) -> None:
        """Make dreamt movements better, those of all scenes in turn."""
        cortex, laid, limits = self.cortex, self.laid(), self.schema.range.limits()
        c, n = self.config.motor_cortex, len(way)
        size = min(self._BATCH, n)
        batches = max(1, c.dreams // size)
        usual_slope = usual_cost = 0.0
        for k in range(batches):
            if k % max(1, n // size) == 0:
                order = rng.permutation(n)
            rows = order[(k % max(1, n // size)) * size :][:size]
            recalled = cortex.recall(inputs[rows])
            y = self.numbers(recalled, way[rows])
            movement = laid.unfold(pool[0][rows], pool[1][rows], y)
            costs, slope = cost(movement, pool[2][rows], self.schema, self.cerebellum, limits, laid)
            steepness = np.sqrt((slope**2).sum(axis=(1, 2)))
            if k == 0:
                usual_slope, usual_cost = float(np.median(steepness)), float(costs.mean())
            slope *= np.minimum(1.0, usual_slope / (steepness + 1e-12))[:, None, None]
            wrong = self._CRITIC * usual_slope * (recalled[:, -1] - costs) / usual_cost
            warm = min(1.0, (k + 1) / self._WARM)
            rate = c.learning_rate * warm * 0.5 * (1.0 + np.cos(np.pi * k / batches))
            slope = np.concatenate([slope.reshape(size, -1), wrong[:, None]], axis=1)
            cortex.descend(inputs[rows], slope, rate)

    def _plan(self, scene: Scene) -> Movement:
        """Movement that the planner has for one scene."""
        angle, velocity, aim = scene
        parts = aim, self.schema, self.cerebellum
        proposals = self.reach.propose(angle, velocity, *parts, self.cortex.horizon, False)
        boldness = -self.config.reach.caution * self.schema.range.danger()
        value = self.basal_ganglia.value(proposals.worth, proposals.vigour)
        chosen = self.basal_ganglia.gate(value + boldness * proposals.venture, None)
        plan = self.reach.refine(proposals, chosen, *parts, boldness)
        return plan.angle, plan.velocity, plan.acceleration

    def _compare(self, rng: np.random.Generator) -> float:
        """Imagine by what share the cortex's movements are worse than the planner's."""
        angle, velocity, aim = self._remembered()
        start, end = rng.integers(len(aim), size=(2, self._TRIED))
        way, distance, familiar = self.recall(angle[start], aim[end])
        start, end, way, distance = (x[familiar] for x in (start, end, way, distance))
        if not len(start):
            return 1.0
        scenes = angle[start], velocity[start], aim[end]
        own = self.movement(*scenes[:2], way, distance)[0]
        planned = [self._plan((a, v, e)) for a, v, e in zip(*scenes, strict=True)]
        theirs = tuple(np.array(part) for part in zip(*planned, strict=True))
        laid, limits = self.laid(), self.schema.range.limits()
        judged = [
            cost((m[0], m[1], m[2]), aim[end], self.schema, self.cerebellum, limits, laid)[0]
            for m in (own, theirs)
        ]
        # Half of them: a rare failure is noticed on the way, and by the return awake.
        return float(np.median((judged[0] - judged[1]) / np.maximum(judged[1], 1e-12)))
