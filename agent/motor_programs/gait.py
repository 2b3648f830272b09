"""Gait: a rhythm of all joints, whose shape is a vector that the basal ganglia search."""

import numpy as np

from agent.config import GaitConfig
from agent.percept import Array
from agent.spinal_cord import Rhythm

_LEAST = 1e-6  # (Range, rad, and gain, rad/s, below which there is none)


class Gait:
    r"""Turns a parameter vector x into a rhythm and the gains of the joint reflex.

    .. math:: f = f_0 e^{p x_0}, \quad \alpha = \sigma(x_1 + 1), \quad
        \beta = \sigma(x_2 - \tfrac12), \quad
        (o, A, \varphi, W_0, W_1) = \text{the other parameters, each times its unit}

    A gait is thus one point in a space of 3 + 5 n_joints numbers, as in open-loop oscillators for
    locomotion (Raffin et al. 2023, arXiv:2310.05808), with the heading error's say in addition.

    Its frequency is counted from that up to which the motors are strong enough to swing the joints
    through half of their range Q: an acceleration b/h by a full command gives

    .. math:: f_0 = \frac{1}{2\pi} \sqrt{\frac{b / h}{Q / 2}}

    and slower or quicker bodies thus have slower or quicker rhythms, as pendulums have.

    Attributes:
        n_parameters: length of x.
        frequency: f₀, Hz; the geometric mean over the joints.

    Args:
        step: control step h, s.
        middle: (n_joints,) posture in the middle of the range that babbling has shown, rad.
        half_range: (n_joints,) half of the range that babbling has shown, rad.
        gain: (n_joints,) change b of each joint's velocity by a full command of its motor, in one
            step, rad/s.
        config: units.

    """

    def __init__(
        self,
        step: float,
        middle: Array,
        half_range: Array,
        gain: Array,
        config: GaitConfig,
    ):
        self._n, self._step, self._config = len(middle), step, config
        self._middle, self._half, self._gain = middle, half_range, gain
        self.n_parameters = 3 + 5 * self._n
        swing = np.maximum(np.abs(gain), _LEAST) / (step * np.maximum(half_range, _LEAST))
        self.frequency = float(np.exp(0.5 * np.log(swing).mean())) / (2 * np.pi)

    def draw(self, k: int, rng: np.random.Generator) -> Array:
        """Random gaits (k, n_parameters), of any phases."""
        n, c = self._n, self._config
        x = c.first * rng.normal(size=(k, self.n_parameters))
        joints = x[:, -5 * n :].reshape(k, 5, n)
        joints[:, 0] = c.first_offset / c.offset * rng.normal(size=(k, n))
        joints[:, 1] = c.first_amplitude * rng.uniform(0.2, 1.0, (k, n))
        joints[:, 2] = rng.uniform(-np.pi, np.pi, (k, n)) / c.phase
        joints[:, 3:] = c.first_steering * rng.normal(size=(k, 2, n))
        return np.asarray(x)

    def period(self, x: Array) -> float:
        """Count the steps of one cycle of the gait x (n_parameters,)."""
        return float(np.exp(-self._config.pace * x[0]) / (self.frequency * self._step))

    def rhythm(self, x: Array) -> Rhythm:
        """Rhythm and reflex gains of gaits x (n, n_parameters)."""
        n, c = self._n, self._config
        offset, amplitude, phase, beat, lean = x[:, -5 * n :].reshape(-1, 5, n).swapaxes(0, 1)
        alpha, damping = _sigmoid(x[:, 1:2] + 1.0), _sigmoid(x[:, 2:3] - 0.5) / self._gain
        half = self._half
        return Rhythm(
            advance=2 * np.pi * self.frequency * self._step * np.exp(self._config.pace * x[:, 0]),
            middle=self._middle + half * c.offset * offset,
            amplitude=half * amplitude,
            phase=c.phase * phase,
            beat=half * beat,
            lean=half * lean,
            stiffness=alpha * damping / self._step,
            damping=damping,
        )


def _sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -50.0, 50.0))))
