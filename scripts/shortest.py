"""Shortest ways through a maze of square walls, for a round body: what ways are compared with."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

Array = NDArray[np.float64]

_STRIDE = 0.03  # (Of a cell) between points of a line that are looked at
_ROUND = 5  # points on the arc round each corner: their chords keep clear of it
_SIDES = 16  # points around the goal


class ShortestWays:
    """Visibility graph of a maze.

    Args:
        walls: (rows, columns) whether a cell is wall.
        centre: (rows, columns, 2) middle of each cell, m.
        size: side of a cell, m.
        radius: of the body, m.

    """

    def __init__(self, walls: NDArray[np.bool_], centre: Array, size: float, radius: float):
        self._size, self._radius = size, radius
        self._walls = centre[walls]
        turns = []
        rows, columns = walls.shape
        for i, j in np.argwhere(~walls):
            for down in (-1, 1):
                for right in (-1, 1):
                    a, b = i + down, j + right
                    if not (0 <= a < rows and 0 <= b < columns):
                        continue
                    if walls[a, b] and not walls[a, j] and not walls[i, b]:
                        corner = 0.5 * (centre[i, j] + centre[a, b])
                        along = [centre[i, j] - centre[a, j], centre[i, j] - centre[i, b]]
                        for share in np.linspace(0.0, 1.0, _ROUND):
                            way = (1 - share) * along[0] + share * along[1]
                            turns.append(corner + 1.02 * radius * way / np.linalg.norm(way))
        self._turns = np.unique(np.round(turns, 5), axis=0) if turns else np.zeros((0, 2))
        self._between = self._sight(self._turns, self._turns)

    def _free(self, place: Array) -> NDArray[np.bool_]:
        outside = np.maximum(np.abs(place[..., None, :] - self._walls) - 0.5 * self._size, 0.0)
        return np.linalg.norm(outside, axis=-1).min(axis=-1) >= 0.99 * self._radius

    def _sight(self, starts: Array, ends: Array) -> Array:
        """Distances (k, l) between places that see each other, inf between others."""
        found = np.full((len(starts), len(ends)), np.inf)
        for i, start in enumerate(starts):
            for j, end in enumerate(ends):
                length = float(np.linalg.norm(end - start))
                share = np.linspace(0.0, 1.0, 2 + int(length / (_STRIDE * self._size)))
                if self._free(start + share[:, None] * (end - start)).all():
                    found[i, j] = max(length, 1e-9)
        return found

    def __call__(self, start: Array, goal: Array, within: float) -> float:
        """Length of the shortest way from a place (2,) to within some m of a goal (2,), in m."""
        angle = np.linspace(0.0, 2 * np.pi, _SIDES, endpoint=False)
        ring = goal + 0.999 * within * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        away = start - goal
        distance = float(np.linalg.norm(away))
        if distance <= within:
            return 0.0
        ends = np.vstack([goal, goal + within / distance * away, ring])
        ends = ends[self._free(ends)]
        places = np.vstack([start[None], self._turns])
        graph = np.zeros((len(places), len(places)))
        graph[1:, 1:] = np.where(np.isfinite(self._between), self._between, 0.0)
        first = self._sight(start[None], self._turns)[0]
        graph[0, 1:] = np.where(np.isfinite(first), first, 0.0)
        reach = dijkstra(graph, directed=False, indices=0)
        return float((self._sight(ends, places) + reach).min())
