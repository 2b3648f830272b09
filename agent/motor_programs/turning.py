"""Turning: what in a gait turns the body, and how a gait is to answer to heading errors."""

import numpy as np
from numpy.typing import NDArray

from agent.motor_programs.gait import Gait
from agent.percept import Array

State = dict[str, NDArray]


class Turning:
    r"""Learns from the turns that bouts bring which postures and strokes make the body turn.

    .. math:: \omega_k \approx \bar\omega + g \cdot (z_k - \bar z)

    ω the mean turn per step of bout k and z what its joints did on average, `Gait.shape`: a
    regression over the latest bouts, with a ridge, whose worth is told by leaving one bout out at
    a time (Allen 1974, doi:10.1080/00401706.1974.10489157). Animals turn by an asymmetry of the
    same rhythm that drives them on (Ijspeert et al. 2007, doi:10.1126/science.1138353); the
    asymmetry that turns this body is along g, so that a gait which adds

    .. math:: \Delta z = \frac{e\, (\omega^* - g \cdot w) - \omega_0}{|g|^2}\, g

    at heading error e turns by ω* per rad of it and straight on at none, w being what it adds per
    rad already and ω₀ how it turns by itself. Reward tells of all that in one number a bout, of
    which next to nothing is due to how the body steers; the turn itself is felt.

    Args:
        n: bodies.
        n_joints: of each.

    """

    _KEPT = 150  # (Bouts)
    _ENOUGH = 60
    _STEPS = 30  # (Least steps of a bout that tells of turns)
    _RIDGE = 10.0  # (Over the variance of what bouts did)
    _TRUSTED = 0.03  # (Share of the variance of turns that is to be foretold)
    _ADDED = 0.5  # (Most that is added per rad, over half of a joint's range)
    _SHIFTED = 0.3  # (Most that is added at no error, the same)

    def __init__(self, n: int, n_joints: int):
        self._shape, self._turn = np.zeros((0, 2 * n_joints)), np.zeros(0)
        self.resize(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies; bouts under way tell nothing."""
        self._turned, self._error, self._steps = np.zeros((3, n))

    def watch(self, turned: Array, error: Array, active: NDArray[np.bool_]) -> None:
        """Take note of one step of every body.

        Args:
            turned: (n,) by how much, rad.
            error: (n,) heading error that was answered, rad.
            active: (n,) bodies that this is about.

        """
        self._turned += turned * active
        self._error += np.clip(error, -1.0, 1.0) * active
        self._steps += active

    def end(
        self, bodies: NDArray[np.int64], gait: Gait, parameters: Array, told: NDArray[np.bool_]
    ) -> None:
        """Learn from bouts that are over.

        Args:
            bodies: (k,) whose.
            gait: meaning of the parameters.
            parameters: (n, n_parameters) that bodies ran.
            told: (n,) whether a body's bout is to be learnt from.

        """
        use = bodies[told[bodies] & (self._steps[bodies] >= self._STEPS)]
        if len(use):
            steps = self._steps[use]
            shape = gait.shape(parameters[use], self._error[use] / steps)
            self._shape = np.vstack([self._shape, shape])[-self._KEPT :]
            self._turn = np.append(self._turn, self._turned[use] / steps)[-self._KEPT :]
        self._turned[bodies] = self._error[bodies] = self._steps[bodies] = 0.0

    def corrected(self, gait: Gait, parameters: Array, wanted: float) -> Array | None:
        """Parameters (n_parameters,) of a gait that steers; None as long as that is not known.

        Args:
            gait: meaning of the parameters.
            parameters: (n_parameters,) of the gait to correct.
            wanted: turn per step and rad of heading error, ω*.

        """
        k = len(self._turn)
        if k < self._ENOUGH or not self._turn.std():
            return None
        middle, spread = self._shape.mean(axis=0), self._shape.std(axis=0)
        scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0.0)
        z, turn = (self._shape - middle) * scale, self._turn - self._turn.mean()
        solved = np.linalg.solve(z.T @ z + self._RIDGE * np.eye(z.shape[1]), z.T)
        leverage = (z * solved.T).sum(axis=1) + 1.0 / k
        missed = (turn - z @ (solved @ turn)) / (1.0 - leverage)
        if 1.0 - (missed**2).mean() / (turn**2).mean() < self._TRUSTED:
            return None
        g = scale * (solved @ turn)
        at, one = gait.shape(parameters[None], np.zeros(1))[0], np.ones(1)
        own = self._turn.mean() + g @ (at - middle)
        answer = g @ (gait.shape(parameters[None], one)[0] - at)
        way = g / (g @ g)
        return gait.reshaped(
            parameters,
            _at_most(-own * way, self._SHIFTED),
            _at_most((wanted - answer) * way, self._ADDED),
        )

    _OWN = ("shape", "turn", "turned", "error", "steps")

    def state(self) -> State:
        """Everything, for saving."""
        return {name: getattr(self, f"_{name}") for name in self._OWN}

    def load_state(self, state: State) -> None:
        """Take over what `state` returned."""
        for name in self._OWN:
            setattr(self, f"_{name}", state[name].copy())


def _at_most(change: Array, most: float) -> Array:
    return np.asarray(change * min(1.0, most / max(float(np.abs(change).max()), 1e-12)))
