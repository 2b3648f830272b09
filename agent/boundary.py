"""Boundary cells: where something was in the way, and which ways it blocks."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class Boundaries:
    r"""Remembers where the body bumped into something.

    A bump at place p that pushed the body back along the unit vector n says that it cannot get
    to where :math:`(x - p) \cdot n < 0`, for as far along the wall as it is wide. Boundary cells
    of the entorhinal cortex fire along a wall, whatever its length (Solstad et al. 2008,
    doi:10.1126/science.1166466; Lever et al. 2009, doi:10.1523/JNEUROSCI.1319-09.2009): two
    bumps into the same wall are taken to have felt what lies between them as well.

    What the body has walked through is no wall: such a bump is narrowed, and forgotten in the end.

    Args:
        width: of what one bump is taken to have felt, m, to either side.

    Attributes:
        place: (k, 2) where the body's centre was, m.
        normal: (k, 2) away from the wall.
        left: (k,) how far the wall reaches to one side, along (−n_y, n_x), m.
        right: (k,) how far to the other.

    """

    _MANY = 2000  # (Ways times walls from which it is quicker to leave out what is far first)

    def __init__(self, width: float):
        self.width = width
        self.place, self.normal = np.zeros((0, 2)), np.zeros((0, 2))
        self.left, self.right = np.zeros(0), np.zeros(0)
        self._settle()

    def _settle(self) -> None:
        """Keep what every question about the walls needs: their axes, and how far they reach."""
        self._along = np.stack([-self.normal[:, 1], self.normal[:, 0]], axis=1)
        self._across = np.ascontiguousarray(self.normal.T)
        self._depth = (self.normal * self.place).sum(axis=1)
        self._aside = (self._along * self.place).sum(axis=1)
        # (From a wall's place to the middle of what was felt of it, and from there to its ends)
        self._at, along = np.ascontiguousarray(self.place.T), np.ascontiguousarray(self._along.T)
        self._middle = 0.5 * (self.left - self.right) * along
        self._half = 0.5 * (self.left + self.right) * np.abs(along)

    def __len__(self) -> int:
        return len(self.place)

    def blocks(self, start: Array, end: Array, stretch: float = 1.0) -> NDArray[np.bool_]:
        """Whether a known wall lies between places (k, 2) and (k, 2), (k,).

        Args:
            start: from where; one for all, (1, 2), or one each.
            end: to where.
            stretch: by how much to take walls for longer than was felt: they usually go on.

        """
        if not len(self.place):
            return np.zeros(len(end), bool)
        rows, walls, aside = self._crossings(start, end, stretch)
        blocked = np.zeros(len(end), bool)
        if len(rows):
            inside = (aside < stretch * self.left[walls]) & (-aside < stretch * self.right[walls])
            blocked[rows[inside]] = True
        return blocked

    def _crossings(
        self, start: Array, end: Array, stretch: float = 1.0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """Which ways cross the plane of which wall inwards, and how far to its left.

        Walls that lie aside from all these ways may be left out.
        """
        skin = 0.2 * self.width
        near: NDArray[np.int64] | slice = slice(None)
        if len(end) * len(self.place) > self._MANY:
            near = self._about(start, end, stretch, skin)
        across, depth = self._across[:, near], self._depth[near]
        first, last = start @ across - depth, end @ across - depth
        rows, columns = np.nonzero((first > -skin) & (last < -skin))
        walls = columns if isinstance(near, slice) else near[columns]
        if not len(rows):
            return rows, walls, np.zeros(0)
        source = rows if len(first) == len(last) else np.zeros_like(rows)
        before, after = first[source, columns], last[rows, columns]
        # (Where on its way the body meets the plane; at once, if it stands a little inside it)
        share = np.maximum(before, 0.0) / np.maximum(before - after, 1e-9)
        begin = start[source]
        place = begin + share[:, None] * (end[rows] - begin)
        return rows, walls, (place * self._along[walls]).sum(axis=1) - self._aside[walls]

    def _about(self, start: Array, end: Array, stretch: float, skin: float) -> NDArray[np.int64]:
        """Walls within the rectangle that holds ways from places to others, or close by."""
        places = np.concatenate([start, end])
        low, high = np.minimum.reduce(places), np.maximum.reduce(places)
        middle, reach = 0.5 * (low + high), 0.5 * (high - low) + 2.0 * skin
        off = np.abs(self._at + stretch * self._middle - middle[:, None])
        near = off < stretch * self._half + reach[:, None]
        return np.flatnonzero(near[0] & near[1])

    def bump(self, place: Array, normal: Array) -> bool:
        """Remember a bump at place (2,) that pushed along the unit vector (2,).

        Returns:
            Whether anything new was felt.

        """
        w = self.width
        same, aside = self._same(place, normal)
        if self._felt(same, aside):
            return False
        between = same & (np.abs(aside) < 3 * w)
        self.left = np.where(between & (aside > 0), np.maximum(self.left, aside), self.left)
        self.right = np.where(between & (aside < 0), np.maximum(self.right, -aside), self.right)
        self.place, self.normal = np.vstack([self.place, place]), np.vstack([self.normal, normal])
        self.left, self.right = np.append(self.left, w), np.append(self.right, w)
        self._settle()
        return True

    def knows(self, place: Array, normal: Array) -> bool:
        """Whether a bump at place (2,) that pushed along the unit vector (2,) would be no news."""
        return self._felt(*self._same(place, normal))

    def _same(self, place: Array, normal: Array) -> tuple[NDArray[np.bool_], Array]:
        """Which walls (k,) a bump may have been into, and how far to their left it was, m."""
        away = place - self.place
        depth = np.abs((away * self.normal).sum(axis=1))
        aside = away[:, 1] * self.normal[:, 0] - away[:, 0] * self.normal[:, 1]
        return (self.normal @ normal > 0.9) & (depth < 0.4 * self.width), aside

    def _felt(self, same: NDArray[np.bool_], aside: Array) -> bool:
        inside = (aside < self.left - 0.5 * self.width) & (-aside < self.right - 0.5 * self.width)
        return bool((same & inside).any())

    def widen(self, width: float) -> None:
        """Take the wall that was felt last to reach so many metres to either side."""
        self.left[-1], self.right[-1] = max(self.left[-1], width), max(self.right[-1], width)
        self._settle()

    def beyond(self, other: "Boundaries") -> "Boundaries":
        """Walls that were felt, or reach farther, than in others that these began as."""
        k = len(other)
        new = np.ones(len(self), bool)
        new[:k] = (self.left[:k] > other.left) | (self.right[:k] > other.right)
        part = Boundaries(self.width)
        part.load_state({name: value[new] for name, value in self.state().items()})
        return part

    def correction(self, place: Array, normal: Array, most: float) -> Array:
        """Way from where a body takes itself to be to the nearest part of the wall that it touches.

        Args:
            place: (2,) where the body takes itself to be, m.
            normal: (2,) unit vector away from the wall.
            most: distance beyond which it must be another wall, m.

        Returns:
            (2,) m: along the normal, and along the wall where none is known here; 0 where no such
            wall is known.

        """
        away = self.place - place
        depth = (away * self.normal).sum(axis=1)
        aside = away[:, 0] * self.normal[:, 1] - away[:, 1] * self.normal[:, 0]
        beyond = np.maximum(aside - self.left, 0.0) - np.maximum(-aside - self.right, 0.0)
        here = (np.abs(beyond) < 2 * self.width) & (np.abs(depth) < most)
        here &= self.normal @ normal > 0.9
        if not here.any():
            return np.zeros(2)
        wall = int(np.where(here, depth**2 + beyond**2, np.inf).argmin())
        to_right = np.array([normal[1], -normal[0]])
        return np.asarray(depth[wall] * normal + beyond[wall] * to_right)

    def pass_through(self, start: Array, end: Array) -> bool:
        """Learn that bodies went from places (k, 2) to (k, 2).

        Returns:
            Whether a wall was narrowed.

        """
        if not len(self.place):
            return False
        _, walls, aside = self._crossings(start, end)
        through = (aside < self.left[walls]) & (-aside < self.right[walls])
        if not np.count_nonzero(through):
            return False
        for wall, offset in zip(walls[through], aside[through].tolist(), strict=True):
            if offset >= 0:
                self.left[wall] = min(self.left[wall], offset)
            else:
                self.right[wall] = min(self.right[wall], -offset)
        keep = self.left + self.right > 0.2 * self.width
        self.place, self.normal = self.place[keep], self.normal[keep]
        self.left, self.right = self.left[keep], self.right[keep]
        self._settle()
        return True

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "place": self.place,
            "normal": self.normal,
            "left": self.left,
            "right": self.right,
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.place, self.normal = state["place"].copy(), state["normal"].copy()
        self.left, self.right = state["left"].copy(), state["right"].copy()
        self._settle()
