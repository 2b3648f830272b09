"""Spinal cord: rhythms, and the joint reflexes that keep the limb on the wanted path."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.config import SpinalCordConfig
from agent.percept import Array


@dataclass(frozen=True)
class Rhythm:
    """Shape of a rhythm of n bodies and the gains of the reflex that follows it.

    Attributes:
        advance: (n,) phase gained per step, rad.
        middle: (n, n_joints) posture about which the joints swing, rad.
        amplitude: (n, n_joints) of the swing, rad.
        phase: (n, n_joints) of each joint, rad.
        beat: (n, n_joints) amplitude added per rad of heading error.
        lean: (n, n_joints) posture added per rad of heading error.
        stiffness: (n, n_joints) command per rad.
        damping: (n, n_joints) command per rad/s.

    """

    advance: Array
    middle: Array
    amplitude: Array
    phase: Array
    beat: Array
    lean: Array
    stiffness: Array
    damping: Array

    def take(self, bodies: NDArray[np.int64]) -> "Rhythm":
        """Rhythms of some bodies."""
        return replace(self, **{k: v[bodies] for k, v in vars(self).items()})

    def put(self, bodies: NDArray[np.int64], other: "Rhythm") -> None:
        """Let some bodies have the rhythms of `other`, (len(bodies),)."""
        for name, value in vars(other).items():
            getattr(self, name)[bodies] = value


class PatternGenerator:
    r"""Central pattern generator with a heading reflex.

    .. math:: q^* = o + A \sin(\phi + \varphi) + e\, (W_0 \sin(\phi + \varphi) + W_1), \qquad
        \phi \leftarrow \phi + 2 \pi f h

    one oscillator φ that all joints share, each at its own phase (Ijspeert 2008,
    doi:10.1016/j.neunet.2008.03.014), and e the heading error, clipped to ±1 rad, which changes
    the stroke (W₀) and the posture (W₁) of each joint. Motors follow by the stretch reflex

    .. math:: u = \beta \left( \alpha (q^* - q) / h - v \right) / b

    which would close the share α of the error within one step if β were 1; b is the motor's gain.
    Position servos and springs are moved by the same reflex: adding the command that holds a joint
    against them made worse gaits.
    """

    @staticmethod
    def posture(rhythm: Rhythm, phase: Array, heading_error: Array | None) -> Array:
        """Wanted angles (n, n_joints) at phase (n,) and heading error (n,), rad or None."""
        wave = np.sin(phase[:, None] + rhythm.phase)
        if heading_error is None:
            wave *= rhythm.amplitude
            wave += rhythm.middle
            return wave
        error = np.minimum(np.maximum(heading_error, -1.0), 1.0)[:, None]
        wave *= rhythm.amplitude + error * rhythm.beat
        wave += rhythm.middle
        wave += error * rhythm.lean
        return wave

    @staticmethod
    def follow(rhythm: Rhythm, wanted: Array, angle: Array, velocity: Array) -> Array:
        """Commands (n, n_joints) that bring joints to the wanted angles.

        Args:
            rhythm: its reflex gains.
            wanted: (n, n_joints) angles, rad.
            angle: (n, n_joints) felt, rad.
            velocity: (n, n_joints) felt, rad/s.

        """
        command = wanted - angle
        command *= rhythm.stiffness
        command -= rhythm.damping * velocity
        return command


class SpinalCord:
    r"""Stretch reflex about a moving wanted posture.

    .. math:: \dot v = \dot v^* + \omega^2 (q^* - q) + 2 \zeta \omega (v^* - v), \qquad
              \omega = k / h

    the equilibrium-point reflex (Feldman 1986, doi:10.1080/00222895.1986.10735369) around the
    wanted acceleration v̇*, no stiffer than the control step h allows. What it asks for is no
    stronger than the wanted movement itself or any acceleration felt so far: the first has been
    imagined with the strength of the motors, beyond the second nothing is known.

    Attributes:
        strongest: (n_joints,) largest acceleration felt, rad/s².

    """

    def __init__(self, n_joints: int, config: SpinalCordConfig, lesions: tuple[str, ...] = ()):
        self._config = config
        self._cut = "spinal_cord" in lesions
        self.strongest = np.zeros(n_joints)

    def feel(self, acceleration: Array) -> None:
        """Take note of accelerations (n, n_joints) that the body is capable of."""
        strong = np.maximum.reduce(np.abs(acceleration), axis=0, initial=0.0)
        self.strongest = np.maximum(self.strongest, strong)

    def reflex(
        self, wanted: Array, angle_error: Array, velocity_error: Array, step: float
    ) -> Array:
        """Acceleration to ask for, (n, n_joints).

        Args:
            wanted: acceleration of the wanted movement.
            angle_error: wanted minus felt angle, rad.
            velocity_error: wanted minus felt velocity, rad/s.
            step: control step h, s.

        """
        bound = np.maximum(self.strongest, np.abs(wanted))
        if not self._cut:
            omega = self._config.stiffness / step
            wanted = wanted + omega**2 * angle_error
            wanted += 2 * self._config.damping * omega * velocity_error
        return np.asarray(np.minimum(np.maximum(wanted, -bound), bound))

    def feedback(self, step: float) -> tuple[float, float]:
        """Acceleration per angle and per velocity that a joint is off, at control steps h (s)."""
        if self._cut:
            return 0.0, 0.0
        omega = self._config.stiffness / step
        return omega**2, 2 * self._config.damping * omega

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"strongest": self.strongest}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.strongest = state["strongest"].copy()
