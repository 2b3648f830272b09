"""What a joint usually does when this is wanted of it, and how well its velocity tells the same."""

import numpy as np
from numpy.typing import NDArray

from agent.errors import StateError
from agent.percept import Array

WINDOW = 100  # (Steps watched in a row, W)
_RATE = 0.05  # (Rate at which older windows are forgotten)
_PRIOR = 1e-3  # (Weight of the belief that joints are where they are wanted)


class JointExpectation:
    r"""Expects angles of what is wanted, and weighs that against sums of velocities.

    .. math:: \bar q_t = w_0 + w_1 q^*_t + w_2 (q^*_t - q^*_{t-1}), \qquad
        \kappa = \min\left(1, \frac{D^2}{W R^2}\right)

    w is the regression over the latest windows of W steps: the lag and the share with which a
    joint follows its rhythm, a forward model of the reflex. D is how far angles are from what
    the velocities of a window add up to (impacts make them miss more than sliding does), R how
    far the mean angle of a window is from the mean that was expected, root mean squares both. 1/κ
    steps of integration thus go as far astray as the expectation may be, which is when to trust
    it instead. It learns from one body; what is born of it is that joints do what is wanted, and
    that velocities tell the truth.

    Args:
        n_joints: m.

    Attributes:
        weights: w, (m, 3).
        draw: κ, (m,) per step.

    """

    def __init__(self, n_joints: int):
        born = np.zeros((n_joints, 3))
        born[:, 1] = _PRIOR
        self._normal = np.tile(_PRIOR * np.eye(3), (n_joints, 1, 1))
        self._moment = born
        self._drift, self._bias = np.zeros(n_joints), np.ones(n_joints)  # (D² in rad², R² in rad²)
        self._window = np.zeros((WINDOW, 3, n_joints))  # (Angle, velocity, wanted)
        self._count, self._windows = 0, 0
        self._solve()

    def _solve(self) -> None:
        self.weights = np.linalg.solve(self._normal, self._moment[..., None])[..., 0]
        self.draw = np.minimum(1.0, self._drift / (WINDOW * self._bias + 1e-12))

    def expect(self, wanted: Array, before: Array) -> Array:
        """Angles (n, m) to expect where (n, m) is wanted, and `before` was at the step before."""
        w = self.weights
        return np.asarray(w[:, 0] + w[:, 1] * wanted + w[:, 2] * (wanted - before))

    def watch(self, angle: Array, velocity: Array, wanted: Array, step: float) -> None:
        """Take in one sound step of the body that is learnt from.

        Args:
            angle: (m,) felt, rad.
            velocity: (m,) felt, rad/s.
            wanted: (m,) rad.
            step: h of Δangle = h · velocity over one control step.

        """
        row = self._window[self._count]
        row[0], row[1], row[2] = angle, velocity, wanted
        self._count += 1
        if self._count == WINDOW:
            self._learn(step)
            self._count = 0

    def interrupt(self) -> None:
        """Begin the window anew: an episode has ended, or something was not felt."""
        self._count = 0

    def _learn(self, step: float) -> None:
        angle, velocity, wanted = self._window.swapaxes(0, 1)
        usual = np.ones_like(wanted[1:])
        features = np.stack([usual, wanted[1:], wanted[1:] - wanted[:-1]], axis=-1)
        missed = angle[1:] - (features * self.weights).sum(axis=-1)
        turned = (0.5 * step * (velocity[1:] + velocity[:-1])).sum(axis=0)
        drift = (angle[-1] - angle[0] - turned) ** 2
        self._windows += 1
        rate = max(_RATE, 1.0 / self._windows)
        self._drift += rate * (drift - self._drift)
        self._bias += rate * (missed.mean(axis=0) ** 2 - self._bias)
        each = features.swapaxes(0, 1)  # (m, W - 1, 3)
        self._normal += _RATE * (each.swapaxes(1, 2) @ each / len(missed) - self._normal)
        told = np.einsum("mwi,wm->mi", each, angle[1:]) / len(missed)
        self._moment += _RATE * (told - self._moment)
        self._normal += _RATE * _PRIOR * np.eye(3)
        self._moment[:, 1] += _RATE * _PRIOR
        self._solve()

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "normal": self._normal,
            "moment": self._moment,
            "drift": self._drift,
            "bias": self._bias,
            "window": self._window,
            "counts": np.array([self._count, self._windows]),
        }

    @staticmethod
    def check_state(state: dict[str, NDArray]) -> None:
        """Refuse arrays that no life can have left.

        Raises:
            StateError: naming the array.

        """
        count, windows = (int(x) for x in state["counts"])
        if not 0 <= count < WINDOW or windows < 0:
            raise StateError(
                f"weights 'expected.counts' are {count}, {windows}: the file is damaged"
            )
        try:
            np.linalg.cholesky(state["normal"])
        except np.linalg.LinAlgError:
            raise StateError(
                "weights 'expected.normal' are no sums of squares: the file is damaged"
            ) from None

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._normal, self._moment = state["normal"].copy(), state["moment"].copy()
        self._drift, self._bias = state["drift"].copy(), state["bias"].copy()
        self._window = state["window"].copy()
        self._count, self._windows = (int(x) for x in state["counts"])
        self._solve()
