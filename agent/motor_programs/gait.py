"""Gait: a rhythm of all joints, whose shape is a vector that the basal ganglia search."""

import numpy as np

from agent.config import GaitConfig
from agent.percept import Array
from agent.spinal_cord import Rhythm


class Gait:
    r"""Turns a parameter vector x into a rhythm and the gains of the joint reflex.

    .. math:: f = f_0 e^{x_0}, \quad \alpha = \sigma(x_1 + 1), \quad
        \beta = \sigma(x_2 - \tfrac12), \quad
        (o, A, \varphi, W_0, W_1) = \text{the other parameters, each times its unit}

    A gait is thus one point in a space of 3 + 5 n_joints numbers, as in open-loop oscillators for
    locomotion (Raffin et al. 2023, arXiv:2310.05808), with the heading error's say in addition.

    Attributes:
        n_parameters: length of x.
        middle: as given.

    Args:
        step: control step h, s.
        middle: (n_joints,) posture in the middle of the range that babbling has shown, rad.
        half_range: (n_joints,) half of the range that babbling has shown, rad.
        gain: (n_joints,) change of each joint's velocity by a full command of its motor, in one
            step, rad/s.
        config: units.

    """

    _CENTRE = 1.5  # (f₀, Hz)

    def __init__(
        self,
        step: float,
        middle: Array,
        half_range: Array,
        gain: Array,
        config: GaitConfig,
    ):
        self._n, self._step, self._config = len(middle), step, config
        self.middle, self._half, self._gain = middle, half_range, gain
        self.n_parameters = 3 + 5 * self._n

    def draw(self, k: int, rng: np.random.Generator) -> Array:
        """Random gaits (k, n_parameters): any phases, frequencies log-uniform."""
        n, c = self._n, self._config
        x = c.first_reflex * rng.normal(size=(k, self.n_parameters))
        slow, fast = np.log(c.slowest / self._CENTRE), np.log(c.fastest / self._CENTRE)
        x[:, 0] = rng.uniform(slow, fast, k)
        joints = x[:, -5 * n :].reshape(k, 5, n)
        joints[:, 0] = c.first_offset / c.offset * rng.normal(size=(k, n))
        joints[:, 1] = c.first_amplitude * rng.uniform(0.2, 1.0, (k, n))
        joints[:, 2] = rng.uniform(-np.pi, np.pi, (k, n)) / c.phase
        joints[:, 3:] = c.first_steering * rng.normal(size=(k, 2, n))
        return x

    def period(self, x: Array) -> float:
        """Count the steps of one cycle of the gait x (n_parameters,)."""
        return float(np.exp(-x[0]) / (self._CENTRE * self._step))

    def shape(self, x: Array, error: Array) -> Array:
        """Average what joints do, over half of their ranges.

        Args:
            x: (k, n_parameters) gaits.
            error: (k,) heading errors, clipped to ±1 rad.

        Returns:
            (k, 2 n_joints): the postures about which joints swing, and the strokes.

        """
        joints, e = x[:, -5 * self._n :].reshape(-1, 5, self._n), error[:, None]
        offset = self._config.offset * joints[:, 0] + e * joints[:, 4]
        return np.concatenate([offset, joints[:, 1] + e * joints[:, 3]], axis=1)

    def reshaped(self, x: Array, always: Array, per_error: Array) -> Array:
        """Gait (n_parameters,) that does something else than gait x (n_parameters,).

        Args:
            x: parameters.
            always: (2 n_joints,) added to its `shape` at any heading error.
            per_error: (2 n_joints,) added per rad of it.

        """
        n, x = self._n, x.copy()
        joints = x[-5 * n :].reshape(5, n)
        joints[0] += always[:n] / self._config.offset
        joints[1] += always[n:]
        joints[3] += per_error[n:]
        joints[4] += per_error[:n]
        return x

    def rhythm(self, x: Array) -> Rhythm:
        """Rhythm and reflex gains of gaits x (n, n_parameters)."""
        n, c = self._n, self._config
        offset, amplitude, phase, beat, lean = x[:, -5 * n :].reshape(-1, 5, n).swapaxes(0, 1)
        alpha, damping = _sigmoid(x[:, 1:2] + 1.0), _sigmoid(x[:, 2:3] - 0.5) / self._gain
        half = self._half
        return Rhythm(
            advance=2 * np.pi * self._CENTRE * self._step * np.exp(x[:, 0]),
            middle=self.middle + half * c.offset * offset,
            amplitude=half * amplitude,
            phase=c.phase * phase,
            beat=half * beat,
            lean=half * lean,
            stiffness=alpha * damping / self._step,
            damping=damping,
        )


def _sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -50.0, 50.0))))
