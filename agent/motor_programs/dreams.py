"""Dreams: in sleep, what the planner does is compiled into the motor cortex."""

from dataclasses import dataclass

import numpy as np

from agent.basal_ganglia import BasalGanglia
from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.config import BrainConfig
from agent.motor_cortex import MotorCortex
from agent.motor_programs.courses import Course, cost, course
from agent.motor_programs.final_postures import FinalPostures
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
    posture, or any. The planner shows how movements usually go; from there on
    the cortex dreams by itself, and each dreamt movement is made a little better by the slope of
    its imagined cost, through the learnt geometry and dynamics.

    In the end it is tried against the planner on beginnings and aims as they were; the share by
    which it usually is worse is what the gate goes by.

    Final postures are not learnt by the network (`agent.motor_programs.final_postures`).
    """

    reach: Reach
    schema: BodySchema
    cerebellum: Cerebellum
    basal_ganglia: BasalGanglia
    cortex: MotorCortex
    config: BrainConfig

    def __post_init__(self) -> None:
        self.postures = FinalPostures(self.schema, self.cortex)

    _BEYOND = 0.2  # (Share of the distance of two memories by which a dream goes beyond them)
    _ANYWHERE = 0.15  # (Share of aims that are where the hand would be in any posture felt so far)
    _BATCH = 128  # (Movements dreamt at once)
    _KEPT = 1_000  # (Postures that come to mind as final ones)
    _SHOWN = 20  # (Movements that the planner shows)
    _TRIED = 120  # (Movements in which planner and cortex are compared)
    _POOL = 16_384  # (Most scenes of a night: they recur)
    _WARM = 50  # (Batches in which the learning rate rises)
    _CRITIC = 0.1  # (Weight of learning what a movement will cost)

    def laid(self) -> Course:
        """Return the course of the cortex's movements."""
        return course(self.cortex.horizon, self.schema.step)

    def situation(self, angle: Array, velocity: Array, way: Array, distance: Array) -> Array:
        """Say what the cortex sees of a movement that begins, (n, n_inputs)."""
        free = self.schema.periodic
        parts = [np.where(free, np.cos(angle), angle), np.sin(angle[:, free]), way, np.abs(way)]
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
        anywhere, felt = self._anywhere(self._KEPT // 2, rng), self._remembered()[0]
        self.postures.keep(np.concatenate([anywhere, self._recombined(felt, len(anywhere), rng)]))
        pool = self._scenes(min(self._POOL, max(self._BATCH, c.dreams // 4)), rng)
        way, there = self.postures.recall(pool[0], pool[2])
        pool, way = (pool[0][there], pool[1][there], pool[2][there]), way[there]
        inputs = self.situation(*pool[:2], way, self._distance(pool))
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
        anywhere = self._anywhere(n, rng)
        draw = rng.random((n, 1))
        imagined = self.schema.chain(np.where(draw < self._ANYWHERE, anywhere, elsewhere))
        return posture, velocity[first], np.where(draw < 0.5, imagined, between)

    def _anywhere(self, n: int, rng: np.random.Generator) -> Array:
        """Postures (n, n_joints) from all over the range that was felt."""
        low, high = self.schema.range.free_low, self.schema.range.free_high
        return rng.uniform(low, high, (n, len(low)))

    def _recombined(self, angle: Array, n: int, rng: np.random.Generator) -> Array:
        """Postures (n, n_joints), the angle of each joint near one of those remembered."""
        joints = np.arange(angle.shape[1])
        first, second = rng.integers(len(angle), size=(2, n, len(joints)))
        part = rng.uniform(-self._BEYOND, 0.5, (n, 1))
        near, far = angle[first, joints], angle[second, joints]
        return np.asarray(near + part * self.schema.difference(far, near))

    def _distance(self, scene: Scene) -> Array:
        """How far the hand is from the aim, (n,), when movements begin."""
        return np.asarray(np.linalg.norm(scene[2] - self.schema.chain(scene[0]), axis=1))

    def _remembered(self) -> Scene:
        angle, velocity, aim = self.cortex.remembered()
        return angle, velocity, aim[:, : self.schema.chain.n_outcome]

    def _watch(self, rng: np.random.Generator) -> None:
        """See how the planner moves."""
        plans = [self._plan(scene) for scene in zip(*self._scenes(self._SHOWN, rng), strict=True)]
        ways = np.array([plan[0][-1] - plan[0][0] for plan in plans])
        self.cortex.profile = self.laid().profile(np.array([plan[2] for plan in plans]), ways)

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
        way, familiar = self.postures.recall(angle[start], aim[end])
        start, end, way = (x[familiar] for x in (start, end, way))
        if not len(start):
            return 1.0
        scenes = angle[start], velocity[start], aim[end]
        own = self.movement(*scenes[:2], way, self._distance(scenes))[0]
        planned = [self._plan((a, v, e)) for a, v, e in zip(*scenes, strict=True)]
        theirs = tuple(np.array(part) for part in zip(*planned, strict=True))
        laid, limits = self.laid(), self.schema.range.limits()
        judged = [
            cost((m[0], m[1], m[2]), aim[end], self.schema, self.cerebellum, limits, laid)[0]
            for m in (own, theirs)
        ]
        # Half of them: a rare failure is noticed on the way, and by the return awake.
        return float(np.median((judged[0] - judged[1]) / np.maximum(judged[1], 1e-12)))
