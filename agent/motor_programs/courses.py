"""Courses of practised movements: how they are written in few numbers, and what they cost."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.motor_programs.refinement import STRICT, Limits, Movement, beyond, strain
from agent.percept import Array

_LATER = 1.25  # (Ratio of the times at which a course can change: fine at first, coarse later)
_END = 0.8  # (Share of the time after which nothing changes)
_STRENGTH = 0.3  # (Weight of accelerations against angles in what counts as one unit of course)
_CLOSE = 0.003  # (Distance under which the slope of distance sinks, over the reach)
_TOUCH = 0.02  # (The same for strain, and for being beyond a limit, rad)
_GLANCES = 0.25  # (Distance of the steps looked at in a dream, over the time since it began)


class Course:
    r"""Movements as numbers: accelerations are piecewise linear between knots.

    .. math:: q_t = q_0 + t h v_0 + A_t c, \quad v_t = v_0 + V_t c, \quad \dot v_t = B_t c

    for every joint, the knots lying close at first. c = S (y + v_0 y_b), with S such that a change
    of any of the numbers y changes the movement equally much, and y_b the braking of a joint that
    moves, so that y = 0 comes to rest.

    Attributes:
        angle: A S, (horizon + 1, knots).
        velocity: V S, the same.
        acceleration: B S, (horizon, knots).
        drift: (horizon + 1,) angle that a velocity of 1 rad/s at the beginning leads to, braked.
        slowing: (horizon + 1,) the velocity of that, and its `braking`, (horizon,).

    """

    def __init__(self, horizon: int, step: float):
        times = [0]
        while times[-1] < int(_END * horizon):
            later = max(times[-1] + 1, round(times[-1] * _LATER))
            times.append(min(int(_END * horizon), later))
        steps = np.arange(horizon)
        units = np.eye(len(times))[:-1]
        acceleration = np.array([np.interp(steps, times, unit) for unit in units]).T
        velocity = np.zeros((horizon + 1, len(units)))
        velocity[1:] = step * acceleration.cumsum(axis=0)
        angle = np.zeros_like(velocity)
        angle[1:] = (step * velocity[:-1] + 0.5 * step**2 * acceleration).cumsum(axis=0)
        size = _STRENGTH * angle.std() / acceleration.std()
        _, scale, turn = np.linalg.svd(np.vstack([angle, size * acceleration]), full_matrices=False)
        whiten = turn.T / scale
        self.angle, self.velocity = angle @ whiten, velocity @ whiten
        self.acceleration = acceleration @ whiten
        time = step * np.arange(horizon + 1.0)
        course = np.vstack([self.angle, size * self.acceleration])
        coast = np.concatenate([time, np.zeros(horizon)])
        brake = -np.linalg.lstsq(course, coast, rcond=None)[0]
        self.drift, self.slowing = time + self.angle @ brake, 1.0 + self.velocity @ brake
        self.braking = self.acceleration @ brake

    @property
    def knots(self) -> int:
        """Numbers that a joint's course has."""
        return self.angle.shape[1]

    def profile(self, acceleration: Array, way: Array) -> Array:
        """Usual course (knots,) per rad of movements (k, h, n) whose joints go ways (k, n)."""
        usual = np.einsum("khn,kn->h", acceleration, way) / max((way**2).sum(), 1e-12)
        y = np.linalg.lstsq(self.acceleration, usual, rcond=None)[0]
        end = float(self.angle[-1] @ y)
        return np.asarray(y / end if abs(end) > 1e-6 else np.zeros_like(y))

    def unfold(self, angle: Array, velocity: Array, y: Array) -> Movement:
        """Movements (n, …) from where bodies are, (n, n_joints); numbers (n, n_joints, knots)."""
        turned, moving = np.swapaxes(y, 1, 2), velocity[:, None]
        return (
            angle[:, None] + moving * self.drift[:, None] + self.angle @ turned,
            moving * self.slowing[:, None] + self.velocity @ turned,
            moving * self.braking[:, None] + self.acceleration @ turned,
        )


@lru_cache(maxsize=16)
def course(horizon: int, step: float) -> Course:
    """Return the course of so many steps, made once."""
    return Course(horizon, step)


def cost(
    movement: Movement,
    aim: Array,
    schema: BodySchema,
    cerebellum: Cerebellum,
    limits: Limits,
    laid: Course,
) -> tuple[Array, Array]:
    r"""Imagined cost of movements of n bodies, and its slope by their numbers.

    .. math:: \sum_t w_d \|e_t\| + w_u \|u_t\|^2 + F (|\text{strain}_t| + |\text{beyond}_t|)

    at glances, each of which stands for the steps around it; e and u as in
    `agent.motor_programs.refinement`. The slope goes backwards through geometry and dynamics,
    by their derivatives J, ∂u/∂q, ∂u/∂v, ∂u/∂v̇.

    Args:
        movement: angles, velocities and accelerations, (n, …).
        aim: (n, d).
        schema: geometry and reward.
        cerebellum: inverse model.
        limits: of the joints.
        laid: what the movements' numbers stand for.

    Returns:
        Cost (n,), and slope (n, n_joints, knots).

    """
    at, stand_for = _glances(movement[2].shape[1])
    after, mid_angle, mid_velocity, acceleration = _seen(movement, at, axis=1)
    on = laid.angle, laid.velocity, laid.acceleration
    on_after, *on_mid = _seen(on, at, axis=0)
    outcome, jacobian = schema.chain.with_jacobian(after)
    miss = outcome - aim[:, None]
    distance = np.linalg.norm(miss, axis=-1)
    command = cerebellum.inverse(mid_angle, mid_velocity, acceleration)
    strained, out = strain(command), beyond(after, limits)
    reward, reach = schema.reward, schema.spread
    effort = max(reward.effort, 1e-3 * reward.distance * reach)
    force = STRICT * reward.distance * reach
    forbidden = (np.abs(strained) + np.abs(out)).sum(axis=-1)
    each = reward.distance * distance + effort * (command**2).sum(axis=-1) + force * forbidden
    direction = miss / np.maximum(distance, _CLOSE * reach)[..., None]
    by_after = reward.distance * (np.swapaxes(jacobian, -1, -2) @ direction[..., None])[..., 0]
    by_after += force * np.clip(out / _TOUCH, -1.0, 1.0)
    by_command = 2 * effort * command + force * np.clip(strained / _TOUCH, -1.0, 1.0)
    by_command *= stand_for[:, None]
    row = by_command[..., None, :]
    by_mid = (
        (row @ cerebellum.stiffness(mid_angle, acceleration))[..., 0, :],
        by_command @ cerebellum.viscosity(),
        (row @ cerebellum.inertia(mid_angle))[..., 0, :],
    )
    slope = np.swapaxes(by_after * stand_for[:, None], 1, 2) @ on_after
    for by, basis in zip(by_mid, on_mid, strict=True):
        slope += np.swapaxes(by, 1, 2) @ basis
    return each @ stand_for, slope


def _seen(movement: Movement, at: NDArray[np.int64], axis: int) -> tuple[Array, ...]:
    """Angle after and in the middle of the steps at `at`, velocity there, and acceleration."""
    take: Callable[..., Array] = np.take
    angle, velocity, acceleration = movement
    after, before = take(angle, at + 1, axis), take(angle, at, axis)
    fast = take(velocity, at + 1, axis) + take(velocity, at, axis)
    return after, 0.5 * (after + before), 0.5 * fast, take(acceleration, at, axis)


@lru_cache(maxsize=16)
def _glances(horizon: int) -> tuple[NDArray[np.int64], Array]:
    """Choose steps to look at, (m,), and how many steps each of them stands for."""
    steps = [0]
    while steps[-1] < horizon - 1:
        steps.append(min(horizon - 1, steps[-1] + max(1, round(_GLANCES * steps[-1]))))
    at = np.array(steps)
    edges = np.concatenate([[0.0], 0.5 * (at[1:] + at[:-1]) + 0.5, [horizon]])
    return at, np.diff(edges)
