"""Reach: bring the outcome to the goal, by several postures and at several vigours."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.config import ReachConfig
from agent.motor_programs.refinement import (
    STRICT,
    Limits,
    Movement,
    beyond,
    glimpses,
    refine,
    strain,
)
from agent.optimal_control import riccati_feedback
from agent.percept import Array, Plan, Proposals

NO_WALLS: Limits = (np.array(-np.inf), np.array(np.inf))


class Reach:
    r"""Proposes movements to postures that bring the outcome to the goal.

    Final postures q* are found by damped Gauss–Newton through the learnt geometry, from many
    starts. To each, the optimal feedback movement is laid out (Todorov & Jordan 2002,
    doi:10.1038/nn963), with the dynamics made linear by the cerebellum's inverse model, for
    several weights of distance against effort (the vigours):

    .. math:: \min_{\dot v} \sum_t \frac{\text{vigour}\, w_d}{\|e_0\|} \left( \|J \Delta q\|^2 +
        \rho \|\Delta q\|^2 \right) + w_u \|M \dot v + D v\|^2

    Each is then imagined: the commands from the inverse model, the outcome from the geometry,
    the reward from the form it was found to have. What a motor cannot give or a joint's limit does
    not allow counts against it.
    """

    _HELD = 0.1  # ρ over the mean squared lever arm: how firmly the whole posture is wanted
    _PASSES = 10  # (Most steps of the inverse kinematics)
    _HOME = 0.2  # (Share of the way to the middle of the range known that each of them goes back)
    _SETTLED = 3e-3  # (Change of every joint at which a posture is found, rad)
    _SMOOTH = 1e-3  # (Least cost of accelerating any joint, over the mean cost)

    def __init__(self, n_joints: int, config: ReachConfig):
        self._config = config
        # Spread evenly and always the same: where to look for postures is no matter of luck.
        self._spread = qmc.Halton(n_joints, scramble=False).random(config.starts + 1)[1:]

    def postures(
        self,
        angle: Array,
        aim: Array,
        schema: BodySchema,
        probing: bool = False,
        walls: Limits = NO_WALLS,
    ) -> Array:
        """Find distinct final postures (k, n_joints), the nearest first.

        Args:
            angle: (n_joints,) where the body is.
            aim: (d,) what the geometry's outcome must become.
            schema: the geometry and the limits felt so far.
            probing: whether to go beyond limits that are not sure.
            walls: lowest and highest angles that nothing is in the way of.

        """
        low, high = within(schema.reachable(probing), walls)
        centre = schema.range.middle()
        half = np.minimum(
            np.pi, 0.5 * (schema.range.free_high - schema.range.free_low) + schema.range.STRIDE
        )
        start = np.clip(centre + (2 * self._spread - 1) * half, low, high)
        q = np.concatenate([angle[None], start])
        tolerance = schema.spread
        for _ in range(self._PASSES):
            outcome, jacobian = schema.chain.with_jacobian(q)
            miss = aim - outcome
            transpose = np.swapaxes(jacobian, -1, -2)
            square = jacobian @ transpose + (0.01 * tolerance) ** 2 * np.eye(len(aim))
            inverse = transpose @ np.linalg.inv(square)
            move = (inverse @ miss[..., None])[..., 0]
            home = self._HOME * np.where(schema.periodic, 0.0, centre - q)
            home -= (inverse @ (jacobian @ home[..., None]))[..., 0]
            last, q = q, np.clip(q + np.clip(move + home, -0.3, 0.3), low, high)
            if np.abs(q - last).max() < self._SETTLED:
                break
        miss_size = np.linalg.norm(aim - schema.chain(q), axis=-1)
        q = angle + schema.difference(q, angle)
        good = miss_size <= miss_size.min() + 0.01 * tolerance
        good[0] = True  # (The nearest, even if it falls short: imagined like the others)
        q = q[good]
        effort = np.abs(q - angle).sum(axis=1)
        q = q[np.argsort(effort if probing else effort + 3.0 * schema.strangeness(q))]
        chosen: list[Array] = []
        for posture in q:
            if all(np.abs(schema.difference(posture, other)).max() > 0.1 for other in chosen):
                chosen.append(posture)
            if len(chosen) == self._config.postures:
                break
        return np.array(chosen)

    def propose(
        self,
        angle: Array,
        velocity: Array,
        aim: Array,
        schema: BodySchema,
        cerebellum: Cerebellum,
        horizon: int,
        probing: bool,
        walls: Limits = NO_WALLS,
    ) -> Proposals:
        """Lay out and imagine movements of one body.

        Args:
            angle: (n_joints,) felt.
            velocity: (n_joints,) felt.
            aim: (d,) what the geometry's outcome must become.
            schema: body schema that has been found.
            cerebellum: inverse model.
            horizon: steps to imagine.
            probing: whether postures beyond limits that are not sure may be tried.
            walls: lowest and highest angles that nothing is in the way of.

        """
        postures = self.postures(angle, aim, schema, probing, walls)
        limits = within(schema.range.limits(), walls)
        gains = self._feedback(postures, angle, aim, schema, cerebellum)
        n, n_vigours = len(angle), len(self._config.vigours)
        final = np.repeat(postures, n_vigours, axis=0)
        a, b = _double_integrator(n, schema.step)
        closed = a - b @ gains
        first = np.concatenate([angle - final, np.broadcast_to(velocity, final.shape)], axis=1)
        state = _unroll(closed, first, horizon)
        wanted_angle = state[..., :n] + final[:, None]
        wanted_velocity = state[..., n:]
        acceleration = -state[:, :-1] @ np.swapaxes(gains, -1, -2)
        movements = wanted_angle, wanted_velocity, acceleration
        worth = self._foresee(movements, aim, schema, cerebellum, limits)
        vigour = np.tile(np.arange(n_vigours), len(postures))
        venture = _venture(wanted_angle, schema)
        sane = np.isfinite(worth)
        return Proposals(
            wanted_angle[sane],
            wanted_velocity[sane],
            acceleration[sane],
            worth[sane],
            vigour[sane],
            venture[sane],
        )

    def refine(
        self,
        proposals: Proposals,
        chosen: int,
        aim: Array,
        schema: BodySchema,
        cerebellum: Cerebellum,
        boldness: float,
        walls: Limits = NO_WALLS,
    ) -> Plan:
        """Make the gated movement a better one before it begins.

        Args:
            proposals: k movements.
            chosen: the one that was gated.
            aim: (d,) what the geometry's outcome must become.
            schema: body schema that has been found.
            cerebellum: inverse model.
            boldness: worth of leaving the range felt so far.
            walls: lowest and highest angles that nothing is in the way of.

        """
        limits = within(schema.range.limits(), walls)
        movement = (
            proposals.angle[chosen],
            proposals.velocity[chosen],
            proposals.acceleration[chosen],
        )

        def worth(movements: Movement) -> Array:
            foreseen = self._foresee(movements, aim, schema, cerebellum, limits)
            return foreseen + boldness * _venture(movements[0], schema)

        movement = refine(
            movement, aim, schema, cerebellum, limits, worth, self._config.refinements
        )
        steps = slice(None)
        return Plan(*movement, self._imagine(movement, steps, aim, schema, cerebellum, limits))

    def _feedback(
        self,
        postures: Array,
        angle: Array,
        aim: Array,
        schema: BodySchema,
        cerebellum: Cerebellum,
    ) -> Array:
        """Acceleration gains of every posture × vigour, (k, n, 2 n)."""
        reward = schema.reward
        n = len(angle)
        a, b = _double_integrator(n, schema.step)
        jacobian = schema.chain.with_jacobian(postures)[1]
        lever = np.swapaxes(jacobian, -1, -2) @ jacobian
        mean_lever = np.trace(lever, axis1=-2, axis2=-1)[:, None, None] / n
        pull = lever + self._HELD * mean_lever * np.eye(n)
        distance = np.linalg.norm(aim - schema.chain(angle)) + 0.02 * schema.spread
        inertia, viscosity = cerebellum.inertia(postures), cerebellum.viscosity()
        moving = np.zeros((n, 2 * n))
        moving[:, n:] = viscosity
        # Effort that costs nothing would call for endless strength.
        effort = max(reward.effort, 1e-3 * reward.distance * schema.spread)
        q = effort * np.broadcast_to(moving.T @ moving, (len(postures), 2 * n, 2 * n))
        s = effort * moving.T @ inertia
        r = effort * np.swapaxes(inertia, -1, -2) @ inertia
        mean_r = np.trace(r, axis1=-2, axis2=-1)[:, None, None] / n
        r = r + self._SMOOTH * mean_r * np.eye(n)
        vigour = np.array(self._config.vigours)[None, :, None, None]
        q = np.repeat(q[:, None], vigour.size, axis=1)
        q[:, :, :n, :n] += vigour * (reward.distance / distance) * pull[:, None]
        stacked = [np.repeat(x, vigour.size, axis=0) for x in (r, s)]
        return riccati_feedback(a, b, q.reshape(-1, 2 * n, 2 * n), *stacked)

    def _foresee(
        self,
        movements: Movement,
        aim: Array,
        schema: BodySchema,
        cerebellum: Cerebellum,
        limits: Limits,
    ) -> Array:
        """Return (k,) of the movements, from glimpses of them."""
        steps, stand_for = glimpses(movements[2].shape[-2])
        return self._imagine(movements, steps, aim, schema, cerebellum, limits) @ stand_for

    def _imagine(
        self,
        movements: Movement,
        steps: NDArray[np.int64] | slice,
        aim: Array,
        schema: BodySchema,
        cerebellum: Cerebellum,
        limits: Limits,
    ) -> Array:
        """Reward (…, m) of m of the steps of the movements."""
        angle, velocity, acceleration = movements
        after = angle[..., 1:, :][..., steps, :]
        mid_angle = 0.5 * (after + angle[..., :-1, :][..., steps, :])
        mid_velocity = velocity[..., 1:, :][..., steps, :] + velocity[..., :-1, :][..., steps, :]
        mid_velocity *= 0.5
        command = cerebellum.inverse(mid_angle, mid_velocity, acceleration[..., steps, :])
        distance = np.linalg.norm(schema.chain(after) - aim, axis=-1)
        forbidden = np.abs(strain(command)) + np.abs(beyond(after, limits))
        reward = schema.reward
        return (
            reward.offset
            - reward.distance * (distance + STRICT * schema.spread * forbidden.sum(axis=-1))
            - reward.effort * (command**2).sum(axis=-1)
        )


def within(limits: Limits, walls: Limits) -> Limits:
    """Take the narrower of two pairs of limits; a wall that was met is nearer than any guess."""
    low, high = np.maximum(limits[0], walls[0]), np.minimum(limits[1], walls[1])
    return np.minimum(low, high), np.maximum(low, high)


def _venture(angle: Array, schema: BodySchema) -> Array:
    """How far and long movements (k, h + 1, n) leave the range felt so far, as reward at stake."""
    strangeness = schema.strangeness(angle[:, 1:]).sum(axis=1)
    return np.asarray(schema.reward.distance * schema.spread * strangeness, np.float64)


def _unroll(closed: Array, first: Array, horizon: int) -> Array:
    """States (k, h + 1, m) of x' = A x from first ones (k, m), for A (k, m, m), by doubling."""
    state = np.empty((len(first), horizon + 1, first.shape[1]))
    state[:, 0] = first
    power, done = np.swapaxes(closed, -1, -2), 1
    while done <= horizon:
        more = min(done, horizon + 1 - done)
        np.matmul(state[:, :more], power, out=state[:, done : done + more])
        power, done = power @ power, done + more
    return state


def _double_integrator(n: int, step: float) -> tuple[Array, Array]:
    identity, zero = np.eye(n), np.zeros((n, n))
    a = np.block([[identity, step * identity], [zero, identity]])
    return a, np.vstack([0.5 * step**2 * identity, step * identity])
