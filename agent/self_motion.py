"""Self-motion: finding out whether commands move the body's place, and how."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.joints import NotYet
from agent.memory import SensorimotorMemory
from agent.percept import Array
from agent.senses import Senses

_LEAST = 60  # (Steps to judge by)
_FELT = 0.98  # (Share of the place's change that its velocity must explain)
_DRIVEN = 0.95  # (Share of that velocity's change that the law must explain)
_ALIKE = 0.05  # (Relative difference up to which both directions have the same control step)
_SPARED = 0.8  # (Share of the steps that the law must hold for: in the others there were bumps)
_SHARP = 0.005  # (Share of the change that half of the steps may miss in each direction, at first)
_PATIENT = 300  # (Steps after which it may be more: senses may be noisy)
_PASSES = 40
_EXACT = 1e-4  # (Of the mean error: smaller ones count as none)
_INLIER = 6.0  # (Median errors up to which a step is one without a bump)


@dataclass(frozen=True)
class Motion:
    """How a body's place is moved by commands.

    Attributes:
        velocity: (2,) channels of the velocity of the place, in its own coordinates.
        step: h of Δplace = h · velocity, s when these are m and m/s.
        law: (3 + m, 2) weights of (1, v, u), the velocity after a step.

    """

    velocity: NDArray[np.int64]
    step: float
    law: Array


def find_motion(memory: SensorimotorMemory, senses: Senses) -> Motion:
    r"""Find out whether the achieved goal is a place that commands move directly.

    It is when two channels, as felt, are its velocity,

    .. math:: x' - x = h\, v', \qquad v' = c + A v + B u

    with the same h in both directions, and constant A and B explain what becomes of that velocity
    wherever the body is (`fit_law`). The place of a hand does not pass, because it moves as the
    posture lets it, nor that of a legged body, because its feet decide. Steps in which something
    else pushed (bumps) are left out where it is judged: the fifth that fits worst.

    Raises:
        NotYet: when what was felt does not show that; the message says what is missing.

    """
    if len(senses.achieved) != 2:
        raise NotYet("there is no place on the ground to be moved")
    rows = memory.rows
    if len(rows) < _LEAST:
        raise NotYet("too few steps")
    before, after, command = memory.before[rows], memory.after[rows], memory.command[rows]
    moved = after[:, senses.achieved] - before[:, senses.achieved]
    own = senses.proprioception
    velocity, steps = np.zeros(2, np.int64), np.zeros(2)
    power = (after[:, own] ** 2).sum(axis=0) + 1e-12
    for axis in range(2):
        slope = after[:, own].T @ moved[:, axis] / power
        left = ((moved[:, axis, None] - after[:, own] * slope) ** 2).sum(axis=0)
        best = int(np.argmin(left))
        if left[best] > (1 - _FELT) * (moved[:, axis] ** 2).sum() or slope[best] <= 0.0:
            raise NotYet("no velocity of the place is felt")
        velocity[axis], steps[axis] = own[best], slope[best]
    step = float(steps.mean())
    if velocity[0] == velocity[1] or np.ptp(steps) > _ALIKE * step:
        raise NotYet("the velocities of the place are not felt alike")
    was, now = before[:, velocity], after[:, velocity]
    law = fit_law(inputs(was, command), now)
    error = ((now - inputs(was, command) @ law) ** 2).sum(axis=1)
    free = error <= np.quantile(error, _SPARED)
    change = now - was
    unexplained = error[free].sum() / ((change[free] - change[free].mean(axis=0)) ** 2).sum()
    if not unexplained < 1 - _DRIVEN:
        raise NotYet(f"commands explain {max(0.0, 1 - unexplained):.0%} of the place's velocity")
    missed = np.median(np.abs(now - inputs(was, command) @ law), axis=0)
    if len(rows) < _PATIENT and (missed > _SHARP * change.std(axis=0)).any():
        raise NotYet("no law fits half of the steps well: the body may have leaned on something")
    drive = law[3:]
    if np.linalg.matrix_rank(drive, tol=1e-3 * np.abs(drive).max()) < 2:
        raise NotYet("commands do not move the place in all directions")
    return Motion(velocity, step, law)


def inputs(velocity: Array, command: Array) -> Array:
    """Line up the inputs (n, 3 + m) of the law of motion."""
    return np.concatenate([np.ones((len(velocity), 1)), velocity, command], axis=1)


def fit_law(given: Array, velocity: Array) -> Array:
    """Law (3 + m, 2) of most steps, however wrong it is for those with bumps.

    The sum of absolute errors is made least, each direction by itself, by least squares with the
    weights 1/|e| (Schlossmacher 1973, doi:10.1080/01621459.1973.10481467): that passes through what
    the steps have in common although a third of them does not fit; then least squares over these.

    Args:
        given: (n, 3 + m) see `inputs`.
        velocity: (n, 2) after the steps, m/s.

    """
    law: Array = np.zeros((given.shape[1], 2))
    for axis, now in enumerate(velocity.T):
        weight = np.ones(len(now))
        for _ in range(_PASSES):
            root = np.sqrt(weight)
            fit = np.linalg.lstsq(given * root[:, None], now * root, rcond=None)[0]
            error = np.abs(now - given @ fit)
            weight = 1.0 / np.maximum(error, _EXACT * error.mean() + 1e-12)
        keep = error <= _INLIER * np.median(error) + 1e-9
        law[:, axis] = np.linalg.lstsq(given[keep], now[keep], rcond=None)[0]
    return law
