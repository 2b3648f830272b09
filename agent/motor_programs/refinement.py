"""Refinement: make an imagined movement a better one before it begins."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.body_schema import BodySchema
from agent.cerebellum import Cerebellum
from agent.percept import Array

STRICT = 10.0
"""Imagined cost of a motor strained by a full command, or a joint 1 rad beyond its limit, over
that of missing the goal by the whole reach."""
Movement = tuple[Array, Array, Array]
"""Angles (…, h + 1, n), velocities (…, h + 1, n) and accelerations (…, h, n)."""

Limits = tuple[Array, Array]
"""Lowest and highest angles (n,), infinite where there is no limit."""

_KNOTS = 1.25  # (Ratio of the times at which a movement can change: fine at first, coarse later)
_SPARSE = 0.12  # (Distance of glimpses of a movement, over the time since it began)
_SETTLE = 0.8  # (Share of the time after which nothing changes: a movement ends at rest)
_PRECISION = 0.01  # (Distance under which the weight of distance grows no more, over the reach)
_TOUCH = 0.02  # (Excess under which the weight of strain and limits grows no more)
_FULL = 0.9  # (Command from which a motor counts as strained)
_DAMPING = (0.001, 0.03, 0.3, 3.0)  # (Costs of moving joints that are tried, over the distance's)


def refine(
    movement: Movement,
    aim: Array,
    schema: BodySchema,
    cerebellum: Cerebellum,
    limits: Limits,
    imagine: Callable[[Movement], Array],
    passes: int,
) -> Movement:
    r"""Change a movement so that more reward is imagined for it.

    The plain feedback law treats the distance as if it were its square and the geometry as if it
    were linear. Here both are taken up around the movement as it is: iteratively reweighted
    damped Gauss–Newton steps (Daubechies et al. 2010, doi:10.1002/cpa.20303) on

    .. math:: \min_c \sum_t \frac{w_d}{2 \|e_t\|} \|e_t + J_t \delta q_t\|^2
        + w_u \|u_t + M_t \delta \dot v_t + D \delta v_t + K_t \delta q_t\|^2

    with a further such term for every command beyond a motor's strength and every angle beyond a
    limit. δv̇ is piecewise linear between knots whose distance grows with time, with values c. The
    body's law of motion, from acceleration to angle, is exact, so that all is one small
    least-squares problem. A step is taken only if what is imagined then is better.

    The sum is taken at glimpses of the movement, each of which stands for the steps around it.

    Args:
        movement: of one body.
        aim: (d,) what the geometry's outcome must become.
        schema: geometry and reward.
        cerebellum: inverse model.
        limits: of the joints.
        imagine: return (k,) of movements of leading shape (k,).
        passes: most steps to take.

    """
    value = imagine(_lead(movement))[0]
    for _ in range(passes):
        changes = _changes(movement, aim, schema, cerebellum, limits)
        tried = tuple(part + change for part, change in zip(movement, changes, strict=True))
        values = imagine((tried[0], tried[1], tried[2]))
        best = int(np.nan_to_num(values, nan=-np.inf).argmax())
        if not values[best] > value:
            break
        movement = tried[0][best], tried[1][best], tried[2][best]
        small = values[best] - value < 1e-3 * abs(value)
        value = values[best]
        if small:
            break
    return movement


def _changes(
    movement: Movement, aim: Array, schema: BodySchema, cerebellum: Cerebellum, limits: Limits
) -> Movement:
    """Levenberg–Marquardt steps of one movement, one for each damping."""
    horizon, n = movement[2].shape
    at, stand_for = glimpses(horizon)
    after, mid_angle, mid_velocity, acceleration = _seen(movement, at)
    on_angle, on_velocity, on_acceleration = _knots(horizon, schema.step)
    on_after, *on_mid = _seen((on_angle, on_velocity, on_acceleration), at)
    reward, k, m, d = schema.reward, on_angle.shape[1], len(at), len(aim)
    outcome, jacobian = schema.chain.with_jacobian(after)
    miss = outcome - aim
    near = _PRECISION * schema.spread
    far = np.maximum(np.linalg.norm(miss, axis=-1), near)
    weight = np.sqrt(0.5 * reward.distance * stand_for / far)
    command = cerebellum.inverse(mid_angle, mid_velocity, acceleration)
    inertia, viscosity = cerebellum.inertia(mid_angle), cerebellum.viscosity()
    stiffness = cerebellum.stiffness(mid_angle, acceleration)
    # Effort that costs nothing would call for endless strength.
    effort = np.sqrt(max(reward.effort, 1e-3 * reward.distance * schema.spread) * stand_for)
    slope = np.empty((m * (d + n), n * k))
    by_distance = slope[: m * d].reshape(m, d, n, k)
    np.multiply(
        (weight[:, None, None] * jacobian)[..., None],
        on_after[:, None, None, :],
        out=by_distance,
    )
    by_effort = slope[m * d :].reshape(m, n * n, k)
    body = np.stack([stiffness, np.broadcast_to(viscosity, inertia.shape), inertia], axis=-1)
    change = effort[:, None, None] * np.stack(on_mid, axis=1)
    np.matmul(body.reshape(m, n * n, 3), change, out=by_effort)
    slopes = [slope]
    costs = [(weight[:, None] * miss).ravel(), (effort[:, None] * command).ravel()]
    by_command = by_effort.reshape(m, n, n, k) / effort[:, None, None, None]
    for excess, by_change in (
        (strain(command), lambda rows: by_command[rows]),
        (beyond(after, limits), lambda rows: _own(rows, on_after)),
    ):
        rows = excess != 0.0
        if rows.any():
            size, time = excess[rows], np.nonzero(rows)[0]
            force = np.sqrt(0.5 * STRICT * reward.distance * schema.spread * stand_for[time])
            force = force / np.sqrt(np.maximum(np.abs(size), _TOUCH))
            slopes.append((force[:, None, None] * by_change(rows)).reshape(-1, n * k))
            costs.append(force * size)
    slope, cost = np.concatenate(slopes) if len(slopes) > 1 else slope, np.concatenate(costs)
    curvature = slope.T @ slope
    # Damped by how far the joints move: a posture has directions that cost nothing.
    pull = (by_distance**2).sum() / (on_angle**2).sum() / n
    still = np.kron(np.eye(n), on_angle.T @ on_angle) * pull
    damped = curvature + np.array(_DAMPING)[:, None, None] * still
    damped += 1e-9 * np.trace(curvature) / (n * k) * np.eye(n * k)
    c = -np.linalg.solve(damped, (slope.T @ cost)[:, None])[..., 0]
    c = np.swapaxes(c.reshape(-1, n, k), 1, 2)
    return on_angle @ c, on_velocity @ c, on_acceleration @ c


def _seen(movement: Movement, at: NDArray[np.int64]) -> tuple[Array, Array, Array, Array]:
    """Angle after and at the middle of the steps at `at`, velocity at the middle, acceleration."""
    angle, velocity, acceleration = movement
    after = angle[1:][at]
    return (
        after,
        0.5 * (after + angle[:-1][at]),
        0.5 * (velocity[1:][at] + velocity[:-1][at]),
        acceleration[at],
    )


@lru_cache(maxsize=64)
def glimpses(horizon: int) -> tuple[NDArray[np.int64], Array]:
    """Choose steps (m,) at which to look at a movement, and how many steps each stands for, (m,).

    Close at first, where much changes from one to the next, and ever farther apart.
    """
    steps = [0]
    while steps[-1] < horizon - 1:
        steps.append(min(horizon - 1, steps[-1] + max(1, round(_SPARSE * steps[-1]))))
    at = np.array(steps)
    edges = np.concatenate([[0.0], 0.5 * (at[1:] + at[:-1]) + 0.5, [horizon]])
    return at, np.diff(edges)


def _own(rows: NDArray[np.bool_], on_angle: Array) -> Array:
    """Change (m, n, k) of the m angles at `rows` (h, n), each by the knots of its own joint."""
    time, joint = np.nonzero(rows)
    slope = np.zeros((len(time), rows.shape[1], on_angle.shape[1]))
    slope[np.arange(len(time)), joint] = on_angle[time]
    return slope


def strain(command: Array) -> Array:
    """How far commands (…, n) go beyond what the motors should be asked for, signed."""
    return command - np.clip(command, -_FULL, _FULL)


def beyond(angle: Array, limits: Limits) -> Array:
    """How far angles (…, n) are beyond the lowest and highest ones allowed, signed, rad."""
    return angle - np.clip(angle, *limits)


@lru_cache(maxsize=64)
def _knots(horizon: int, step: float) -> Movement:
    """Angle, velocity and acceleration (·, k) that a unit of acceleration at each knot gives."""
    end = int(_SETTLE * horizon)
    times = [0]
    while times[-1] < end:
        times.append(min(end, max(times[-1] + 1, round(times[-1] * _KNOTS))))
    acceleration = np.stack(
        [np.interp(np.arange(horizon), times, one) for one in np.eye(len(times))[:-1]], axis=1
    )
    velocity = np.zeros((horizon + 1, len(times) - 1))
    velocity[1:] = step * np.cumsum(acceleration, axis=0)
    angle = np.zeros_like(velocity)
    angle[1:] = np.cumsum(step * velocity[:-1] + 0.5 * step**2 * acceleration, axis=0)
    return angle, velocity, acceleration


def _lead(movement: Movement) -> Movement:
    return movement[0][None], movement[1][None], movement[2][None]
