"""Grid cells: where the body is, as phases that its own movement pushes on."""

import math

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class GridCells:
    r"""Modules of grid cells: a path integrator, and a code for places.

    Module m has spacing λ_m and a random orientation; its three wave vectors k lie 60° apart
    with |k| = 4π/(√3 λ_m) (Solstad, Moser & Einevoll 2006, doi:10.1002/hipo.20244). Movement
    pushes the phases on, a place that is seen pulls them back (Burak & Fiete 2009,
    doi:10.1371/journal.pcbi.1000291; Hardcastle, Ganguli & Giocomo 2015,
    doi:10.1016/j.neuron.2015.03.039):

    .. math:: \varphi \leftarrow \varphi + K \Delta x, \qquad
        \varphi \leftarrow \varphi + \kappa\, (K x - \varphi)

    Spacings grow by √2 from one module to the next, as measured in rats (Stensola et al. 2012,
    doi:10.1038/nature11649). The range over which the code is unique is that of the largest.

    Args:
        modules: how many.
        finest: λ of the first one, m.
        rng: for the orientations.

    Attributes:
        spacing: (modules,) λ, m.
        orientation: (modules,) of the first wave vector, rad.
        waves: K, (3 modules, 2), rad/m, from the finest module to the coarsest.

    """

    def __init__(self, modules: int, finest: float, rng: np.random.Generator):
        self.spacing = finest * 2.0 ** (0.5 * np.arange(modules))
        orientation = rng.uniform(0.0, np.pi / 3, modules)
        turn = (orientation[:, None] + np.arange(3) * np.pi / 3).ravel()
        length = np.repeat(4 * np.pi / (np.sqrt(3) * self.spacing), 3)
        waves = length[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        self._take(waves, orientation)

    def _take(self, waves: Array, orientation: Array) -> None:
        self.waves, self.orientation = waves, orientation
        self._columns = np.ascontiguousarray(waves.T)
        self._inverse = np.ascontiguousarray(np.linalg.pinv(self.waves).T)
        size = len(self.waves)
        self._modules = [slice(i, i + 3) for i in range(size - 3, -1, -3)]
        self._coarse = [np.linalg.pinv(self.waves[part]) for part in self._modules]

    def widen(self, finest: float) -> None:
        """Let spacings begin at λ = `finest`, m, with orientations as they are."""
        ratio = finest / float(self.spacing[0])
        self.spacing = self.spacing * ratio
        self._take(self.waves / ratio, self.orientation)

    @property
    def n_phases(self) -> int:
        """How many phases there are: three per module."""
        return len(self.waves)

    def encode(self, place: Array) -> Array:
        """Phases (…, n_phases) of places (…, 2) in m, in −π to π."""
        return _wrap(place @ self._columns)

    def integrate(self, phase: Array, moved: Array) -> Array:
        """Phases (n, n_phases) after a movement (n, 2) in m."""
        return _wrap(phase + moved @ self._columns)

    def update(self, phase: Array, moved: Array, place: Array, pull: Array) -> Array:
        """Phases (n, n_phases) after a movement, drawn towards those of a place that is seen.

        Args:
            phase: before.
            moved: (n, 2) m.
            place: (n, 2) that is seen, m.
            pull: (n,) share of the way to its phases by which they are drawn there.

        """
        phase = phase + moved @ self._columns
        if np.count_nonzero(pull):
            phase = phase + pull[:, None] * _wrap(place @ self._columns - phase)
        return _wrap(phase)

    def decode(self, phase: Array, near: Array | None = None) -> Array:
        """Places (n, 2) in m that phases (n, n_phases) stand for.

        Args:
            phase: to decode.
            near: (n, 2) places that they are known to be near to, within half of the finest
                spacing; None to decode from the coarsest module to the finest.

        """
        if near is not None:
            return near + _wrap(phase - near @ self._columns) @ self._inverse
        place = np.zeros((len(phase), 2))
        for part, inverse in zip(self._modules, self._coarse, strict=True):
            place = place + _wrap(phase[:, part] - place @ self.waves[part].T) @ inverse.T
        return place

    @staticmethod
    def features(phase: Array) -> Array:
        """Turn phases into vectors (…, 2 n_phases): products are mean cosines of differences."""
        n = phase.shape[-1]
        joined = np.empty((*phase.shape[:-1], 2 * n))
        np.cos(phase, out=joined[..., :n])
        np.sin(phase, out=joined[..., n:])
        joined *= 1.0 / math.sqrt(n)
        return joined

    def similarity(self, distance: float) -> float:
        """Mean similarity of the codes of places so many metres apart."""
        turn = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
        away = distance * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        return float(np.cos(away @ self.waves.T).mean())

    def state(self) -> dict[str, NDArray]:
        """Everything that differs from brain to brain, for saving."""
        return {"waves": self.waves, "orientation": self.orientation}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._take(state["waves"].copy(), state["orientation"].copy())

    def rates(self, phase: Array) -> Array:
        """Give firing rates (…, modules), 0 to 1, of a cell per module at phases (…, n_phases).

        The sum of three cosines, shifted so that it is never negative.
        """
        waves = np.cos(phase).reshape(*phase.shape[:-1], -1, 3).sum(axis=-1)
        return np.asarray((waves + 1.5) / 4.5)


def _wrap(angle: Array) -> Array:
    return np.asarray(angle - _TURN * np.rint(angle * (1.0 / _TURN)))


_TURN = 2 * np.pi
