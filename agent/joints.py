"""Finding the joints: which numbers are a joint's angle and velocity, and which motor drives it.

Nothing is told. Angles are found as cosine–sine pairs or as numbers whose change a velocity
explains, each motor's joint by what its command accelerates.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from agent.config import SchemaConfig
from agent.percept import Array

_STILL = 1e-9  # (Spread below which a channel counts as constant)
_GLANCE = 10  # (Moments by which most channels are told not to be a cosine and a sine)
_AGAINST = 0.5  # (Weight of a joint that turns against its motor's command: motors rarely do)
_DRAWS = 40  # (Sets of gains, within their errors, that must all give the same joints)
_FEW = 30  # (Steps at which the errors of gains are taken to be twice as large)
_STIFF = 0.15  # (Squared natural frequency times control step from which a motor is a servo)
_SURE = 2.0  # (Standard errors from there)
_FIRST = np.zeros(1, np.int64)
_PASSES = 3  # (Fits of the gains, each weighing down what jumped out of line in the one before)


class NotYet(Exception):
    """The body is not known yet; the message says what is missing."""


@dataclass(frozen=True)
class Joints:
    """The joint of each of m motors.

    Attributes:
        cosine: (m,) channel of the joint's cosine, −1 where the angle itself is given.
        sine: (m,) channel of its sine, or of the angle itself.
        velocity: (m,) channel of its velocity.
        step: h of Δangle = h · velocity over one control step.
        gain: (m,) change of its velocity by a full command.
        pull: (m,) change of its velocity per rad away from `rest`: negative where a servo or a
            spring pulls it back.
        rest: (m,) angle at which it would stay without a command, rad.
        low: (m,) lowest angle to want, rad: 2 % of those felt lie below, or with a servo where
            a full command holds it, if that is lower.
        high: (m,) highest angle to want, rad.
        start: (m,) angle with which episodes usually begin, rad.

    """

    cosine: NDArray[np.int64]
    sine: NDArray[np.int64]
    velocity: NDArray[np.int64]
    step: float
    gain: Array
    pull: Array
    rest: Array
    low: Array
    high: Array
    start: Array

    @property
    def periodic(self) -> NDArray[np.bool_]:
        """(m,) whether a joint's angle is known only up to full turns."""
        return self.cosine >= 0

    @property
    def channels(self) -> NDArray[np.int64]:
        """Channels that belong to joints."""
        channels = np.concatenate([self.cosine, self.sine, self.velocity])
        return channels[channels >= 0]  # (There is no cosine where the angle itself is given)

    @property
    def servo(self) -> bool:
        """Whether a command is a wanted angle, rest + stroke · u, which a joint soon takes.

        So it is when −pull · h, the square of natural frequency times control step, is large: of
        position servos, and just as well of strong springs that torque motors work against.
        """
        return bool(np.median(-self.pull * self.step) > _STIFF)

    @property
    def stroke(self) -> Array:
        """How far a full command holds each joint from its rest, (m,) in rad, at most π."""
        held = np.abs(self.gain) / np.maximum(-self.pull, np.abs(self.gain) / np.pi + _STILL)
        return np.sign(self.gain) * held


@dataclass(frozen=True)
class _Pairs:
    """Velocities, k of them, each with the angle that it changes."""

    cosine: NDArray[np.int64]
    sine: NDArray[np.int64]
    velocity: NDArray[np.int64]
    step: Array  # (k,) of Δangle = step · velocity
    fit: Array  # (k,) share of the angle's change that the velocity explains


@dataclass(frozen=True)
class _Effects:
    """What m commands do to k velocities, and how sure that is."""

    gain: Array  # (m, k) change of the velocity by a full command
    pull: Array  # (k,) change of the velocity per rad of its own angle
    rest: Array  # (k,) angle at which that vanishes without a command
    deviation: Array  # (m, k) standard error of the gain
    pull_deviation: Array  # (k,) standard error of the pull
    mixing: Array  # (k, k) Cholesky factor of the correlation of errors between velocities


def find_joints(
    before: Array,
    after: Array,
    command: Array,
    config: SchemaConfig,
    starts: NDArray[np.int64] = _FIRST,
) -> Joints:
    r"""Find each motor's joint.

    Commands accelerate the joints through the inverse inertia, Δv_j = Σ_i B_ij u_i, where row i
    of B is row i of M⁻¹ times the motor's strength. M⁻¹ is positive definite, so that the square
    of (M⁻¹)_ij is less than (M⁻¹)_ii (M⁻¹)_jj, and of all ways to give each motor a joint of its
    own the true one has the largest product of gains, whatever the strengths and units:

    .. math:: \sigma = \arg\max_\sigma \textstyle\prod_i |B_{i\sigma(i)}|

    (Horn & Johnson 2012, Matrix Analysis, chapter 7, doi:10.1017/CBO9781139020411), a linear
    assignment. Velocities that no motor drives take part, and lose because a trunk is heavier
    than a limb.

    Args:
        before: (N, c) channels before a step.
        after: (N, c) channels after it.
        command: (N, m).
        config: thresholds.
        starts: rows in which an episode begins.

    Raises:
        NotYet: when fewer angle–velocity pairs than motors are found, when gains within their
            errors would give other joints, or when it is not sure whether commands are torques.

    """
    n_motors = command.shape[1]
    pairs = _find_pairs(before, after, config.pairing_r2)
    if len(set(pairs.sine)) < n_motors:
        raise NotYet(
            f"only {len(set(pairs.sine))} of {n_motors} motors have a joint so far: few numbers' "
            "change is explained by another number's value (a velocity)"
        )
    effects = _find_effects(before, after, command, pairs)
    own = _assign(effects.gain, pairs.fit)
    # The same draws each time: what is found depends on what was felt alone.
    noise = np.random.default_rng(0).normal(size=(_DRAWS, *effects.gain.shape))
    # Errors that are guessed from few steps are guessed too small.
    deviation = (1 + _FEW / len(command)) * effects.deviation
    draws = effects.gain + deviation * (noise @ effects.mixing.T)
    sure = np.all([_assign(draw, pairs.fit) == own for draw in draws], axis=0)
    if not sure.all() or len(set(pairs.sine[own])) < n_motors:
        raise NotYet(f"only {int(sure.sum())} of {n_motors} motors have a joint so far")
    cosine, sine = pairs.cosine[own], pairs.sine[own]
    low, high = np.quantile(_angles(before, cosine, sine), (0.02, 0.98), axis=0)
    joints = Joints(
        cosine=cosine,
        sine=sine,
        velocity=pairs.velocity[own],
        step=float(np.median(pairs.step[own])),
        gain=effects.gain[np.arange(n_motors), own],
        pull=effects.pull[own],
        rest=effects.rest[own],
        low=low,
        high=high,
        start=np.median(_angles(before[starts], cosine, sine), axis=0),
    )
    margin = (-joints.pull - _STIFF / joints.step) / effects.pull_deviation[own]
    # With a full memory nothing will become surer.
    if len(command) < config.memory and abs(np.median(margin)) < _SURE:
        raise NotYet("it is not sure yet whether commands are torques or wanted angles")
    if not joints.servo:
        return joints
    reach = np.abs(joints.stroke)
    return replace(
        joints,
        low=np.minimum(low, joints.rest - reach),
        high=np.maximum(high, joints.rest + reach),
    )


def find_angles(before: Array, after: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find channels that can be angles: cosine–sine pairs, then every other one that varies.

    Returns:
        Cosine channels (−1 where a channel is the angle itself) and sine channels, each (k,).

    """
    both = np.concatenate([before, after])
    varying = np.flatnonzero(both.std(axis=0) > _STILL)
    squares = both[:, varying] ** 2
    some = squares[:: max(1, len(squares) // _GLANCE)]
    close = (np.abs(some[:, :, None] + some[:, None, :] - 1.0) < 1e-3).all(axis=0)
    pairs, used = [], set()
    for i, j in zip(*np.nonzero(np.triu(close, 1)), strict=True):
        on_circle = np.abs(squares[:, i] + squares[:, j] - 1.0).max() < 1e-3
        if on_circle and i not in used and j not in used:
            used |= {i, j}
            pairs.append((varying[i], varying[j]))
    rest = [(-1, channel) for k, channel in enumerate(varying) if k not in used]
    found = np.array(pairs + rest, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _angles(channels: Array, cosine: NDArray[np.int64], sine: NDArray[np.int64]) -> Array:
    pair = cosine >= 0
    angle = channels[:, sine].copy()
    angle[:, pair] = np.arctan2(angle[:, pair], channels[:, cosine[pair]])
    return angle


def _inside(before: Array, after: Array) -> NDArray[np.bool_]:
    """Where neither value is the channel's extreme (N, c): a clipped velocity is none.

    Where nothing is clipped, the two or four steps to and from its peaks are left out for nothing.
    """
    low = np.minimum(before.min(axis=0), after.min(axis=0))
    high = np.maximum(before.max(axis=0), after.max(axis=0))
    return (np.minimum(before, after) > low) & (np.maximum(before, after) < high)


def _find_pairs(before: Array, after: Array, least: float) -> _Pairs:
    """Find each velocity's angle: one step h explains the change of all, Δangle = h · velocity.

    Steps within which a velocity jumps say little about its mean and weigh less.
    """
    cosine, sine = find_angles(before, after)
    change = _angles(after, cosine, sine) - _angles(before, cosine, sine)
    change = np.where(cosine >= 0, (change + np.pi) % (2 * np.pi) - np.pi, change)
    moving = np.flatnonzero((after - before).std(axis=0) > _STILL)
    speeds = np.intersect1d(sine[cosine < 0], moving)
    was, now = before[:, speeds], after[:, speeds]
    inside, mean, jump = _inside(was, now), 0.5 * (was + now), (now - was) ** 2
    typical = (inside * jump).sum(axis=0) / np.maximum(inside.sum(axis=0), 1)
    weight = inside / (jump + 0.01 * typical + _STILL)
    overlap = change.T @ (weight * mean)
    moved, size = (change**2).T @ weight + _STILL, (weight * mean**2).sum(axis=0) + _STILL
    step = overlap / size
    possible = (cosine >= 0)[:, None] | ((step > 0) & (sine[:, None] != speeds))

    def explained(h: float) -> Array:
        left = moved - 2 * h * np.abs(overlap) + h * h * size
        return np.where(possible, 1.0 - left / moved, 0.0)

    alone = np.where(possible, overlap * step / moved, 0.0)
    best = alone.argmax(axis=0, keepdims=True) if alone.size else np.empty((1, 0), np.int64)
    steps = np.abs(np.take_along_axis(step, best, 0))[np.take_along_axis(alone, best, 0) >= least]
    if len(steps) == 0:
        raise NotYet("no number's change is explained by another number's value (a velocity)")
    # All joints are stepped by one clock: pairs with another step are look-alikes.
    common = max(steps, key=lambda h: (np.maximum(explained(h).max(axis=0), 0.0) ** 4).sum())
    fit = explained(common)
    good = np.flatnonzero(fit.max(axis=0) >= least)
    angle = fit.argmax(axis=0)[good]
    cos, sin = cosine[angle], sine[angle]
    # A cosine and sine taken for each other turn the other way: the angle is π/2 minus the angle.
    turned = (cos >= 0) & (step[angle, good] < 0)
    cos[turned], sin[turned] = sin[turned], cos[turned]
    return _Pairs(cos, sin, speeds[good], np.abs(step[angle, good]), fit[angle, good])


def _find_effects(before: Array, after: Array, command: Array, pairs: _Pairs) -> _Effects:
    """Robust ridge regression of velocity changes on commands, angles and velocities."""
    m, k = command.shape[1], len(pairs.velocity)
    was, now = before[:, pairs.velocity], after[:, pairs.velocity]
    state = np.concatenate([_angles(before, pairs.cosine, pairs.sine), was], axis=1)
    centre, scale = state.mean(axis=0), state.std(axis=0) + _STILL
    state = 0.3 * (state - centre) / scale
    inputs = np.concatenate([command, state, np.ones((len(command), 1))], axis=1)
    ridge = 1e-3 * len(command) * command.var() * np.eye(inputs.shape[1])
    inside, change = _inside(was, now), now - was
    weight = inside.astype(float)
    for _ in range(_PASSES):
        weighted = weight.T[:, :, None] * inputs
        inverse = np.linalg.inv(inputs.T @ weighted + ridge)
        fitted = inverse @ (weighted.transpose(0, 2, 1) @ change.T[:, :, None])
        miss = change - (inputs @ fitted)[:, :, 0].T
        usual = 1.4826 * np.median(np.abs(miss), axis=0) + _STILL
        last, weight = weight, inside * np.minimum(1.0, 1.5 * usual / (np.abs(miss) + _STILL))
    variance = (last * miss**2).sum(axis=0) / np.maximum(last.sum(axis=0) - inputs.shape[1], 5.0)
    spread = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2).T * variance)
    weighted_miss = last * miss / np.sqrt(variance)
    common = weighted_miss.T @ weighted_miss / len(command) + 1e-6 * np.eye(k)
    size = np.sqrt(np.diag(common))
    own = np.arange(k)
    pull = 0.3 * fitted[own, m + own, 0] / scale[:k]
    return _Effects(
        gain=fitted[:, :m, 0].T,
        pull=pull,
        rest=centre[:k] - fitted[:, -1, 0] / np.where(np.abs(pull) > _STILL, pull, np.inf),
        deviation=spread[:m],
        pull_deviation=0.3 * spread[m + own, own] / scale[:k],
        mixing=np.linalg.cholesky(common / np.outer(size, size)),
    )


def _assign(gain: Array, fit: Array) -> NDArray[np.int64]:
    """Velocity (m,) of each motor's own joint for gains (m, k)."""
    value = np.log(np.abs(gain) * np.where(gain > 0, 1.0, _AGAINST) * fit + _STILL)
    return np.asarray(linear_sum_assignment(-value)[1])
