"""Spinal cord: the joint reflex that keeps the limb on the wanted path."""

import numpy as np
from numpy.typing import NDArray

from agent.config import SpinalCordConfig
from agent.percept import Array


class SpinalCord:
    r"""Stretch reflex about a moving wanted posture.

    .. math:: \dot v = \dot v^* + \omega^2 (q^* - q) + 2 \zeta \omega (v^* - v), \qquad
              \omega = k / h

    the equilibrium-point reflex (Feldman 1986, doi:10.1080/00222895.1986.10735369) around the
    wanted acceleration, no stiffer than the control step h allows and no stronger than any
    acceleration felt so far.

    Attributes:
        strongest: (n_joints,) largest acceleration felt, rad/s².

    """

    def __init__(self, n_joints: int, config: SpinalCordConfig, lesions: tuple[str, ...] = ()):
        self._config = config
        self._cut = "spinal_cord" in lesions
        self.strongest = np.zeros(n_joints)

    def feel(self, acceleration: Array) -> None:
        """Take note of accelerations (n, n_joints) that the body is capable of."""
        self.strongest = np.maximum(self.strongest, np.abs(acceleration).max(axis=0, initial=0.0))

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
        if not self._cut:
            omega = self._config.stiffness / step
            wanted = wanted + omega**2 * angle_error
            wanted = wanted + 2 * self._config.damping * omega * velocity_error
        return np.clip(wanted, -self.strongest, self.strongest)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"strongest": self.strongest}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.strongest = state["strongest"].copy()
