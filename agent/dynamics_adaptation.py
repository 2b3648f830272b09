"""Adaptation of dynamics: torques that a perturbed body needs on top of the inverse model's."""

import numpy as np
from numpy.typing import NDArray

from agent.config import AdaptationConfig
from agent.percept import Array


class DynamicsAdaptation:
    r"""Cerebellar layer that learns within a few movements what the inverse model misses.

    .. math:: u = W\varphi + (D_f + D_s)\, \psi, \qquad
        \psi = |\tilde v|\, [\tanh(A [\cos q, \sin q, \tilde v] + b),\; \tilde v / |\tilde v|]

    with ṽ the velocity over the usual one: what depends on the movement, so that a body at rest
    feels nothing of it. The inverse model is the body, learnt once and changed slowly; this layer
    is what has happened to it: a force field, a tool in the hand, a weak muscle.

    The teaching signal is the felt torque error, e = command − Wφ(felt acceleration) − Dψ, at each
    step by normalised LMS, with two rates that are kept from movement to movement by
    :math:`a_f, a_s` (Smith, Ghazizadeh & Shadmehr 2006, doi:10.1371/journal.pbio.0040179; basis
    functions of posture and velocity: Donchin, Francis & Shadmehr 2003,
    doi:10.1523/JNEUROSCI.23-27-09032.2003):

    .. math:: D_f \mathrel{+}= b_f\, e \psi^T / (\epsilon + |\psi|^2), \qquad
        D_s \mathrel{+}= b_s\, e \psi^T / (\epsilon + |\psi|^2)

    Attributes:
        fast: D_f, (n_motors, n_features), commands as shares of the full command.
        slow: D_s, the same.

    """

    _FLOOR = 0.3  # (ε over |ψ|² at the usual velocity)

    def __init__(
        self,
        n_motors: int,
        config: AdaptationConfig,
        rng: np.random.Generator,
        lesions: tuple[str, ...] = (),
    ):
        self._config = config
        self._lesioned = "cerebellum" in lesions or "adaptation" in lesions
        self._granules = rng.normal(size=(3 * n_motors + 1, config.granules))
        self._granules[:-1] /= np.sqrt(1.5 * n_motors)
        self.fast = np.zeros((n_motors, config.granules + n_motors))
        self.slow = np.zeros_like(self.fast)
        self._both = np.zeros_like(self.fast)
        self._silent = True
        self._felt: tuple[Array, Array, Array] | None = None

    def features(self, angle: Array, velocity: Array, usual: Array) -> Array:
        """Activity ψ (n, n_features) at postures and velocities (n, n_motors).

        Args:
            angle: rad.
            velocity: rad/s.
            usual: (n_motors,) usual speeds, rad/s.

        """
        last = self._felt  # (A step is asked for again when it is learnt from)
        if last and last[0] is angle and last[1] is velocity:
            return last[2]
        n, k = angle.shape[1], self._config.granules
        inputs = np.empty((len(angle), 3 * n))
        v = inputs[:, 2 * n :]
        np.cos(angle, out=inputs[:, :n])
        np.sin(angle, out=inputs[:, n : 2 * n])
        np.divide(velocity, usual, out=v)
        activity = np.empty((len(angle), k + n))
        activity[:, k:] = v
        hidden = activity[:, :k]
        np.matmul(inputs, self._granules[:-1], out=hidden)
        hidden += self._granules[-1]
        np.tanh(hidden, out=hidden)
        hidden *= np.sqrt(np.vecdot(v, v) / k)[:, None]
        self._felt = angle, velocity, activity
        return activity

    def command(self, angle: Array, velocity: Array, usual: Array) -> Array:
        """Command (n, n_motors) to add; arguments as for `features`."""
        if self._silent:
            return np.zeros_like(angle)
        return np.asarray(self.features(angle, velocity, usual) @ self._both.T)

    def learn(
        self,
        angle: Array,
        velocity: Array,
        usual: Array,
        climbing_fibre: Array,
        sound: NDArray[np.bool_],
    ) -> None:
        """Learn from one step of each of n bodies.

        Args:
            angle: at mid-step, (n, n_motors).
            velocity: at mid-step, (n, n_motors).
            usual: (n_motors,) usual speeds.
            climbing_fibre: e (n, n_motors), what inverse model and this layer missed.
            sound: (n,) bodies that neither knocked nor touch a limit.

        """
        if self._lesioned or not np.count_nonzero(sound):
            return
        psi = self.features(angle, velocity, usual)
        if np.count_nonzero(sound) < len(sound):
            psi, climbing_fibre = psi[sound], climbing_fibre[sound]
        floor = self._FLOOR * angle.shape[1]
        share = climbing_fibre / ((floor + np.vecdot(psi, psi)) * len(psi))[:, None]
        step = share.T @ psi
        self.fast += self._config.torque_fast_rate * step
        self.slow += self._config.torque_slow_rate * step
        np.add(self.fast, self.slow, out=self._both)
        self._silent = False

    def rest(self) -> None:
        """Let a movement be over."""
        self.fast *= self._config.torque_fast_retention
        self.slow *= self._config.torque_slow_retention
        self._both = self.fast + self.slow

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"fast": self.fast, "slow": self.slow, "granules": self._granules}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.fast, self.slow = state["fast"].copy(), state["slow"].copy()
        self._both = self.fast + self.slow
        self._granules = state["granules"].copy()
        self._silent = not (self.fast.any() or self.slow.any())
