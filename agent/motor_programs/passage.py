"""Passages: movements that are at one goal in passing, on their way to the next."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.motor_programs.refinement import Limits, Movement, beyond, strain
from agent.percept import Array, Plan


class Passage(NamedTuple):
    """A movement through a goal, and when it is to be there.

    Attributes:
        plan: the movement.
        arrival: steps until the hand counts as being at the goal.

    """

    plan: Plan
    arrival: int


class Task(NamedTuple):
    """What a passage is planned for and with.

    Attributes:
        aim: (d,) goal on the way.
        following: (d,) goal after it.
        schema: geometry and reward.
        cerebellum: inverse model.
        limits: of the joints.

    """

    aim: Array
    following: Array
    schema: BodySchema
    cerebellum: Cerebellum
    limits: Limits


@dataclass(frozen=True)
class PassageSearch:
    r"""Looks for the movement through a goal g to a goal g' that loses least time.

    Of movements that are at g in step T, each imagined through the learnt geometry and dynamics,

    .. math:: \|y_T - g\| \le R, \qquad \|J(q_T)\, v_T\| \le S,

    that one is taken whose

    .. math:: J = T + \sum_{t > T} \|y_t - g'\| / \|g - g'\|

    is least, and that asks for no more than motors can give and joints can bear. The same least
    squares are solved for all T at once: accelerations are piecewise linear between knots,
    distances are reweighted (Daubechies et al. 2010, doi:10.1002/cpa.20303), limits are hinges, and
    commands, which cost much at first, cost less and less.

    Attributes:
        limits: R and S, (2,), in units of the outcome, and that per unit of time.
        margin: steps after T that a movement must have at least.

    """

    limits: Array
    margin: int

    _EARLIER, _LATER = 6, 9  # (Steps by which arrivals that are tried differ from the plain one's)
    _BRAKE = 8  # (Steps in which the search's first movement comes to rest)
    _AFTER = 14  # (Steps of the movement after it that are looked at)
    _DAMPING = (1e-5, 1e-3, 0.1, 10.0)
    _EXACT = 1.1  # (Limits times this are good enough in imagination)
    _STRAINED = 0.2  # (And commands so far beyond what is to be asked for)
    _EASE = (1.0, 1.0, 0.3, 0.3, 0.1, 0.1, 0.03, 0.03)  # (Cost of commands, over that of time)
    _GATE, _STRICT = 50.0, 5.0  # (Costs of what is not allowed)

    def find(self, plain: Plan, task: Task) -> Passage | None:
        """Plan a movement through a goal to the next.

        Args:
            plain: movement of one body that ends at the goal.
            task: goals and models.

        Returns:
            The passage, or None where none is found that is allowed.

        """
        reached = self._plain_arrival(plain, task)
        if reached is None:
            return None
        first = max(3, reached - self._EARLIER)
        arrivals = np.arange(first, reached + self._LATER + 1)
        horizon = min(int(arrivals[-1]) + self._AFTER, len(plain.acceleration))
        arrivals = arrivals[arrivals < horizon - self.margin]
        if not len(arrivals):
            return None
        movement = self._braked(plain, horizon, task.schema.step, len(arrivals))
        found = self._improve(movement, arrivals, task)
        return self._choose(found, arrivals, task)

    def _braked(self, plain: Plan, horizon: int, step: float, n: int) -> Movement:
        """Begin the search with n movements that do nothing but come to rest.

        They strain nothing; from the plain movement, which may, the search gets nowhere.
        """
        slower = np.maximum(0.0, 1.0 - np.arange(horizon + 1) / self._BRAKE)[:, None]
        velocity = plain.velocity[0] * slower
        acceleration = np.diff(velocity, axis=0) / step
        way = step * (velocity[:-1] + velocity[1:]) / 2
        angle = plain.angle[0] + np.concatenate([np.zeros_like(way[:1]), way.cumsum(axis=0)])
        first, second, third = (np.repeat(x[None], n, 0) for x in (angle, velocity, acceleration))
        return first, second, third

    def _plain_arrival(self, plain: Plan, task: Task) -> int | None:
        """Find when the plain movement is near and slow enough, in steps; None if it never is."""
        outcome, jacobian = task.schema.chain.with_jacobian(plain.angle)
        moving = (jacobian @ plain.velocity[..., None])[..., 0]
        near = np.linalg.norm(outcome - task.aim, axis=1) <= self.limits[0]
        slow = np.linalg.norm(moving, axis=1) <= self.limits[1]
        both = np.flatnonzero((near & slow)[1:])
        return int(both[0]) + 1 if len(both) else None

    def _improve(self, movement: Movement, arrivals: NDArray[np.int64], task: Task) -> Movement:
        """Damped Gauss–Newton on movements (b, …), one for each arrival (b,)."""
        horizon, n = movement[2].shape[1:]
        knots = _knots(horizon, task.schema.step)
        on_angle, on_velocity, on_acceleration = knots
        k, b = on_angle.shape[1], len(arrivals)
        easy = 1e-9 * np.eye(n * k) + np.kron(np.eye(n), on_acceleration.T @ on_acceleration)
        easy /= np.trace(easy)
        for ease in self._EASE:
            value = self._value(movement, arrivals, task, ease)
            cost, slope = self._residuals(movement, arrivals, task, ease, knots)
            curvature = np.swapaxes(slope, 1, 2) @ slope
            pull = np.trace(curvature, axis1=1, axis2=2)[:, None, None] * easy
            damped = curvature[None] + np.array(self._DAMPING)[:, None, None, None] * pull
            downhill = (np.swapaxes(slope, 1, 2) @ cost[..., None])[None]
            c = -np.linalg.solve(damped, np.broadcast_to(downhill, (*damped.shape[:3], 1)))
            c = np.swapaxes(c[..., 0].reshape(-1, b, n, k), 2, 3)
            tried = (
                movement[0] + on_angle @ c,
                movement[1] + on_velocity @ c,
                movement[2] + on_acceleration @ c,
            )
            flat = tuple(x.reshape(-1, *x.shape[2:]) for x in tried)
            all_arrivals = np.tile(arrivals, len(self._DAMPING))
            values = self._value((flat[0], flat[1], flat[2]), all_arrivals, task, ease)
            values = np.nan_to_num(values, nan=np.inf).reshape(-1, b)
            best = values.argmin(axis=0)
            better = values.min(axis=0) < value
            at = best, np.arange(b)
            movement = tuple(  # type: ignore[assignment]
                np.where(better[:, None, None], x[at], old)
                for x, old in zip(tried, movement, strict=True)
            )
        return movement

    def _value(
        self, movement: Movement, arrivals: NDArray[np.int64], task: Task, ease: float
    ) -> Array:
        """Costs (b,) of movements: half of what is linear is not in the squares."""
        cost = self._residuals(movement, arrivals, task, ease)[0] ** 2
        linear = movement[2].shape[1] * len(task.aim)
        return np.asarray(cost.sum(axis=1) + cost[:, :linear].sum(axis=1))

    def _residuals(
        self,
        movement: Movement,
        arrivals: NDArray[np.int64],
        task: Task,
        ease: float,
        knots: Movement | None = None,
    ) -> tuple[Array, Array]:
        """Roots of the costs (b, m) of movements, and their slopes by knots (b, m, n k).

        Distances count linearly: the weights of their squares are taken anew each time.
        """
        angle, velocity, acceleration = movement
        schema, cerebellum = task.schema, task.cerebellum
        b, horizon, n = acceleration.shape
        rows = np.arange(b)
        after = angle[:, 1:]
        outcome, jacobian = schema.chain.with_jacobian(after)
        leg = np.linalg.norm(task.following - task.aim) + 1e-9
        later = np.arange(1, horizon + 1) > arrivals[:, None]
        miss = outcome - task.following
        far = np.linalg.norm(miss, axis=-1)
        weight = np.sqrt(0.5 * later / (leg * np.maximum(far, self.limits[0])))
        there = arrivals - 1
        lever = jacobian[rows, there]
        off = outcome[rows, there] - task.aim
        speed = (lever @ velocity[rows, arrivals][..., None])[..., 0]
        gates = []
        for vector, limit in zip((off, speed), self.limits, strict=True):
            size = np.linalg.norm(vector, axis=1, keepdims=True)
            excess = np.maximum(size - limit, 0.0)
            firm = np.sqrt(self._GATE) / limit
            gates.append((firm * vector * excess / (size + 1e-12), firm * (excess > 0)))
        middle = 0.5 * (after + angle[:, :-1])
        mid_velocity = 0.5 * (velocity[:, 1:] + velocity[:, :-1])
        command = cerebellum.inverse(middle, mid_velocity, acceleration)
        strained, out = strain(command), beyond(after, task.limits)
        ease, strict = np.sqrt(ease), np.sqrt(self._STRICT)
        cost = np.concatenate(
            [
                (weight[..., None] * miss).reshape(b, -1),
                gates[0][0],
                gates[1][0],
                (ease * command).reshape(b, -1),
                (strict * strained).reshape(b, -1),
                (strict * out).reshape(b, -1),
            ],
            axis=1,
        )
        if knots is None:
            return cost, np.zeros(0)
        on_angle, on_velocity, on_acceleration = knots
        k = on_angle.shape[1]
        on_after = on_angle[1:]
        hand = jacobian[..., None] * on_after[None, :, None, None]  # (b, h, d, n, k)
        by_off = hand[rows, there]
        by_speed = lever[..., None] * on_velocity[arrivals][:, None, None]
        mid_angle = 0.5 * (on_after + on_angle[:-1])
        mid_speed = 0.5 * (on_velocity[1:] + on_velocity[:-1])
        by_command = (
            cerebellum.stiffness(middle, acceleration)[..., None] * mid_angle[:, None, None]
            + cerebellum.viscosity()[..., None] * mid_speed[:, None, None]
            + cerebellum.inertia(middle)[..., None] * on_acceleration[:, None, None]
        )
        own = np.eye(n)[:, :, None] * on_after[:, None, None]
        parts = (
            weight[..., None, None, None] * hand,
            gates[0][1][..., None, None] * by_off,
            gates[1][1][..., None, None] * by_speed,
            ease * by_command,
            strict * (strained != 0)[..., None, None] * by_command,
            strict * (out != 0)[..., None, None] * own,
        )
        return cost, np.concatenate([p.reshape(b, -1, n * k) for p in parts], axis=1)

    def _choose(
        self, movement: Movement, arrivals: NDArray[np.int64], task: Task
    ) -> Passage | None:
        """Take the movement that loses least time, of those that do as they should."""
        schema = task.schema
        angle, velocity, acceleration = movement
        outcome, jacobian = schema.chain.with_jacobian(angle)
        rows, horizon = np.arange(len(arrivals)), acceleration.shape[1]
        off = np.linalg.norm(outcome[rows, arrivals] - task.aim, axis=1)
        moving = (jacobian[rows, arrivals] @ velocity[rows, arrivals][..., None])[..., 0]
        speed = np.linalg.norm(moving, axis=1)
        share = np.stack([off, speed], axis=1) / self.limits
        middle = 0.5 * (angle[:, 1:] + angle[:, :-1])
        mid_velocity = 0.5 * (velocity[:, 1:] + velocity[:, :-1])
        command = task.cerebellum.inverse(middle, mid_velocity, acceleration)
        strained = np.abs(strain(command)).max(axis=(1, 2))
        out = np.abs(beyond(angle, task.limits)).max(axis=(1, 2))
        allowed = (share <= self._EXACT).all(axis=1) & (strained < self._STRAINED) & (out < 0.05)
        if not allowed.any():
            return None
        leg = np.linalg.norm(task.following - task.aim) + 1e-9
        left = np.linalg.norm(outcome[:, 1:] - task.following, axis=-1) / leg
        later = np.arange(1, horizon + 1) > arrivals[:, None]
        lost = arrivals + (left * later).sum(axis=1)
        best = int(np.where(allowed, lost, np.inf).argmin())
        reward = schema.reward
        miss = np.linalg.norm(outcome[best, 1:] - task.aim, axis=1)
        brought = reward.offset - reward.distance * miss
        brought -= reward.effort * (command[best] ** 2).sum(axis=1)
        plan = Plan(angle[best], velocity[best], acceleration[best], brought)
        return Passage(plan, int(arrivals[best]))


_APART = 2  # (Steps between the knots of a passage)


@lru_cache(maxsize=64)
def _knots(horizon: int, step: float) -> Movement:
    """Angle, velocity and acceleration (·, k) that a unit of acceleration at each knot gives."""
    times = np.arange(0, horizon + _APART, _APART)
    units = np.eye(len(times))
    acceleration = np.stack([np.interp(np.arange(horizon), times, one) for one in units], axis=1)
    velocity = np.zeros((horizon + 1, len(times)))
    velocity[1:] = step * np.cumsum(acceleration, axis=0)
    angle = np.zeros_like(velocity)
    angle[1:] = np.cumsum(step * velocity[:-1] + 0.5 * step**2 * acceleration, axis=0)
    return angle, velocity, acceleration
