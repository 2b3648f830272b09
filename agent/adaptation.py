"""Visuomotor adaptation: which movement of the hand makes a wanted movement be seen."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.config import AdaptationConfig
from agent.percept import Array

_CELLS = {1: 2, 2: 24, 3: 96}
_NEXT, _LAST = np.array([1, 2, 0]), np.array([2, 0, 1])
_PARTS = 4  # (Logarithm of the stretch, then the turn as a rotation vector)


class VisuomotorMap:
    r"""Cerebellar map from a seen way to the hand's, in log-polar form, with two rates.

    .. math:: p_{hand} = e^{g}\, R(\omega)\, p_{seen}, \qquad
        x = [g, \omega] = F + S \varphi(p_{seen} / |p_{seen}|)

    with R the rotation by a rotation vector ω: turns and stretches of what is seen are added and
    unlearnt in this form, and what is learnt in one direction does not come back mirrored in the
    opposite one. The fast state F serves all directions, the slow one S generalises around the
    direction aimed at: φ are tuning curves φ_i ∝ exp((cos δ_i − 1) / σ²) over directions
    (Krakauer et al. 2000, doi:10.1523/JNEUROSCI.20-23-08916.2000), |φ| = 1.

    The teaching signal is the *sensory prediction error* e: the turn and stretch from where the
    felt movement should have been seen to where it was seen, not from where the target was
    (Mazzoni & Krakauer 2006, doi:10.1523/JNEUROSCI.5317-05.2006). Once a movement (Smith,
    Ghazizadeh & Shadmehr 2006, doi:10.1371/journal.pbio.0040179):

    .. math:: F \leftarrow a_f F - b_f\, k(e)\, e, \qquad
        S \leftarrow a_s S - b_s\, k(e)\, e \varphi^T

    The sensitivity k to an error of a size grows where such errors are followed by errors of the
    same sign, and shrinks where by the opposite (Herzfeld et al. 2014,
    doi:10.1126/science.1253138), which outlasts what was learnt and makes the second time quicker:

    .. math:: k(e) = 1 + m[bin(e)], \qquad m[bin(e_n)] \mathrel{+}= \beta\, sign(e_n e_{n+1})

    Attributes:
        fast: F, (4,): logarithm of the stretch, rotation vector in rad.
        slow: S, (4, n_cells).
        memory: m, (4, n_bins), between 0 and 2.
        last_error: (4,) e of the movement before, 0 where nothing was seen.

    """

    _BIN = np.radians(5.0)  # (Width of the bins of the error memory; a stretch of 9 %)
    _BINS = 73
    _SURE = np.radians(0.5)  # (Errors below have no sign)
    _MOST = 2.0

    def __init__(self, config: AdaptationConfig, lesions: tuple[str, ...] = ()):
        self._config = config
        self._lesioned = "cerebellum" in lesions or "adaptation" in lesions
        self._forgetful = "error_memory" in lesions
        self.fast = np.zeros(_PARTS)
        self.slow = np.zeros((_PARTS, max(_CELLS.values())))
        self.memory = np.zeros((_PARTS, self._BINS))
        self.last_error = np.zeros(_PARTS)

    def turn(self, way: Array) -> Array:
        """Read x, (n, 4), for seen ways (n, d) aimed at; also off-line, for any directions."""
        return np.asarray(self.fast + self.tuning(way) @ self.slow.T)

    def tuning(self, way: Array) -> Array:
        """Activity φ of the cells, (n, n_cells), for ways (n, d)."""
        n, d = way.shape
        preferred = _directions(d)
        activity = np.zeros((n, self.slow.shape[1]))
        length = np.linalg.norm(way, axis=1, keepdims=True)
        if self._config.width >= 180.0:
            activity[:, 0] = 1.0
            return activity
        cosine = (way / np.maximum(length, 1e-12)) @ preferred.T
        drive = np.exp((cosine - 1.0) / np.radians(self._config.width) ** 2)
        activity[:, : len(preferred)] = drive / np.linalg.norm(drive, axis=1, keepdims=True)
        return activity

    def learn(self, way: Array, error: Array, weight: float) -> None:
        """Learn from one movement.

        Args:
            way: (d,) that was aimed at, as seen.
            error: (4,) stretch and turn from the way predicted to the way seen, as `turn_from`
                returns it; 0 where nothing was seen.
            weight: how far the error can be believed, 0 to 1; 0 where nothing was seen.

        """
        if self._lesioned:
            return
        c = self._config
        climbing_fibre = self._sensitivity(error, weight) * weight * error
        self.fast = c.fast_retention * self.fast - c.fast_rate * climbing_fibre
        step = np.multiply.outer(climbing_fibre, self.tuning(way[None])[0])
        self.slow = c.slow_retention * self.slow - c.slow_rate * step

    def _sensitivity(self, error: Array, weight: float) -> Array:
        """K (4,), after the memory has taken up how the last error went on."""
        part, bins = np.arange(_PARTS), self._bin(self.last_error)
        sign = np.where(np.abs(error) > self._SURE, np.sign(error), 0.0)
        before = np.where(np.abs(self.last_error) > self._SURE, np.sign(self.last_error), 0.0)
        if self._forgetful:
            return np.ones(_PARTS)
        learnt = self.memory[part, bins] + self._config.error_memory * sign * before * weight
        self.memory[part, bins] = np.clip(learnt, 0.0, self._MOST)
        self.last_error = weight * error
        return np.asarray(1.0 + self.memory[part, self._bin(error)])

    def _bin(self, error: Array) -> NDArray[np.int64]:
        middle = self._BINS // 2
        bins = np.floor(error / self._BIN + 0.5).astype(np.int64) + middle
        return np.clip(bins, 0, self._BINS - 1)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "fast": self.fast,
            "slow": self.slow,
            "memory": self.memory,
            "last_error": self.last_error,
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.fast, self.slow = state["fast"].copy(), state["slow"].copy()
        self.memory, self.last_error = state["memory"].copy(), state["last_error"].copy()


def apply_turn(way: Array, turn: Array) -> Array:
    """Stretch and turn ways (n, d) by x (n, 4); by −x, undo it. Rodrigues' formula."""
    n, d = way.shape
    vector = np.zeros((n, 3))
    vector[:, :d] = way
    angle = np.sqrt(np.vecdot(turn[:, 1:], turn[:, 1:]))[:, None]
    axis = turn[:, 1:] / np.maximum(angle, 1e-12)
    across = axis.take(_NEXT, axis=1) * vector.take(_LAST, axis=1)
    across -= axis.take(_LAST, axis=1) * vector.take(_NEXT, axis=1)
    turned = np.vecdot(axis, vector)[:, None] * axis
    turned += np.cos(angle) * (vector - turned)
    turned += np.sin(angle) * across
    return np.asarray(np.exp(turn[:, :1]) * turned[:, :d])


def turn_from(start: Array, to: Array) -> Array:
    """Stretch and turn x (n, 4) that bring ways (n, d) to others; 0 where one has no length."""
    n, d = start.shape
    vectors = np.zeros((2, n, 3))
    vectors[0, :, :d], vectors[1, :, :d] = start, to
    length = np.linalg.norm(vectors, axis=2)
    sound = (length > 1e-9).all(axis=0)
    unit = vectors / np.maximum(length, 1e-12)[..., None]
    cross = np.cross(unit[0], unit[1])
    sine = np.linalg.norm(cross, axis=1)
    cosine = (unit[0] * unit[1]).sum(axis=1)
    # Opposite ways in a plane differ by half a turn about its normal.
    axis = np.where(sine[:, None] > 1e-9, cross / np.maximum(sine, 1e-12)[:, None], [0.0, 0.0, 1.0])
    turn = np.zeros((n, _PARTS))
    turn[sound, 0] = np.log(length[1, sound] / length[0, sound])
    turn[sound, 1:] = (np.arctan2(sine, cosine)[:, None] * axis)[sound]
    return turn


@cache
def _directions(d: int) -> Array:
    """Preferred directions (n_cells, d), evenly spread over the circle or sphere."""
    count = _CELLS[d]
    if d == 1:
        return np.array([[1.0], [-1.0]])
    if d == 2:
        angle = 2 * np.pi * np.arange(count) / count
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    # Fibonacci's lattice (Gonzalez 2010, doi:10.1007/s11004-009-9257-x)
    height = 1.0 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
