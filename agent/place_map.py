"""Place cells, and the map that they form: which place is how far from which."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from agent.boundary import Boundaries
from agent.percept import Array

_HEADINGS = np.arange(8) * np.pi / 4
DIRECTIONS = np.stack([np.cos(_HEADINGS), np.sin(_HEADINGS)], axis=1)
"""(8, 2) ways that are tried out in the mind."""


class PlaceMap:
    r"""Place cells recruited where the body has been, and links between them.

    A place cell j has stored the grid code φ_j of where it was recruited (O'Keefe & Dostrovsky
    1971, doi:10.1016/0006-8993(71)90358-1; Solstad, Moser & Einevoll 2006,
    doi:10.1002/hipo.20244) and fires as

    .. math:: s_j = \operatorname{mean} \cos(\varphi - \varphi_j)

    Links join cells whose fields touch, unless something was felt to be in between. The links
    make a graph (Muller, Stead & Pach 1996, doi:10.1085/jgp.107.6.663) over which activity
    spreads from the goal as a wavefront (Ponulak & Hopfield 2013,
    doi:10.3389/fncom.2013.00098); its time of arrival, found by Dijkstra's algorithm, is the
    distance left to go.

    Args:
        n_features: of a code.
        spacing: distance at which a new cell is recruited, m.

    Attributes:
        code: (cells, n_features) unit vectors.
        place: (cells, 2) decoded, m.
        links: (cells, cells) lengths, m; inf where there is none.
        walked: (cells, cells) whether the body has gone from one field into the other.
        novel: (cells, 8) ways from each cell that lead to places not known yet.
        version: changes with every change.

    """

    _TOUCHING = 2.1  # (Distance over the spacing up to which fields touch: both know halfway)
    _COVERED = 1.05  # (Distance over the spacing up to which there is nothing to be found)
    _PREPLAY = 1.5  # (Distance over the spacing at which a way is tried out in the mind)
    _KNOWN = 1.05  # (Distance over the spacing up to which a place is one that a cell knows)
    _TOIL = 0.3  # (Rate at which what a way costs follows)
    _BESIDE = 1.25  # (Distance over the spacing up to which a place can be dared to pass through)

    def __init__(self, n_features: int, spacing: float):
        self.spacing = spacing
        self.code = np.zeros((0, n_features))
        self.place = np.zeros((0, 2))
        self.links = np.zeros((0, 0))
        self.walked = np.zeros((0, 0), bool)
        self.novel = np.zeros((0, 8), bool)
        self.version = 0
        self._fields: dict[tuple[int, bool], tuple[Array, NDArray[np.int32]]] = {}
        self._graphs: dict[bool, csr_array] = {}
        self._group: NDArray[np.int32] | None = None
        self._change()

    def __len__(self) -> int:
        return len(self.place)

    def copy(self) -> "PlaceMap":
        """Another map that knows the same."""
        other = PlaceMap(self.code.shape[1], self.spacing)
        other.code, other.place, other.links = self.code, self.place, self.links.copy()
        other.walked, other.novel = self.walked.copy(), self.novel.copy()
        other._change()
        other._fields, other._graphs = self._fields.copy(), self._graphs.copy()
        other._group = self._group
        return other

    def off(self, place: Array) -> float:
        """Distance of a place (2,) from the nearest cell, m; inf where there is none."""
        away = self.place - place
        return float(np.sqrt((away * away).sum(axis=1).min(initial=np.inf)))

    def activity(self, code: Array) -> Array:
        """Similarity s (n, cells) of codes (n, n_features) to those of the cells."""
        return code @ self.code.T

    def recruit(self, code: Array, place: Array, boundaries: Boundaries) -> int:
        """Make a new cell for a place of code (n_features,) that decodes to (2,) m; its index."""
        away = np.linalg.norm(self.place - place, axis=1)
        near = np.flatnonzero(away < self._TOUCHING * self.spacing)
        here = np.broadcast_to(place, (len(near), 2))
        shut = boundaries.blocks(place[None], self.place[near])
        shut |= boundaries.blocks(self.place[near], here)
        n = len(self.place)
        links, walked = np.empty((n + 1, n + 1)), np.zeros((n + 1, n + 1), bool)
        links[:n, :n], walked[:n, :n] = self.links, self.walked
        links[n] = links[:, n] = np.inf
        near, group = near[~shut], self.group
        joined = np.unique(group[near])
        links[near, n] = links[n, near] = away[near]
        self.links, self.walked = links, walked
        self.code, self.place = np.vstack([self.code, code]), np.vstack([self.place, place])
        ahead = self.probes(np.array([n]))[0]
        self.novel = np.vstack([self.novel, ~boundaries.blocks(np.tile(place, (8, 1)), ahead)])
        self._change()
        if len(joined) > 1:
            self._cover()
            return n
        own = joined[0] if len(joined) else group.max(initial=-1) + 1
        self._group = np.append(group, np.int32(own)).astype(np.int32)
        self._cover(n)
        return n

    @property
    def group(self) -> NDArray[np.int32]:
        """Which cells (cells,) can be reached from each other: those of the same number."""
        if self._group is None:
            self._group = connected_components(self._graph(walked=False), directed=False)[1]
        return self._group

    def _cover(self, new: int | None = None) -> None:
        """Give up ways to places that a cell knows, unless there is no known way to that cell.

        Args:
            new: the cell that is all that has changed; None where ways may have been joined.

        """
        cells, ways = np.nonzero(self.novel)
        probe = self.place[cells] + self._PREPLAY * self.spacing * DIRECTIONS[ways]
        group, reach = self.group, (self._COVERED * self.spacing) ** 2
        if new is None:
            away = ((probe[:, None] - self.place) ** 2).sum(axis=2)
            known = ((away < reach) & (group[cells, None] == group)).any(axis=1)
        else:
            known = ((probe - self.place[new]) ** 2).sum(axis=1) < reach
            known &= group[cells] == group[new]
            own = np.flatnonzero(cells == new)
            away = ((probe[own, None] - self.place) ** 2).sum(axis=2)
            known[own] |= ((away < reach) & (group == group[new])).any(axis=1)
        self.novel[cells[known], ways[known]] = False

    def probes(self, cells: NDArray[np.int64] | None = None) -> Array:
        """Places (cells, 8, 2) that the ways from each cell lead to, m."""
        place = self.place if cells is None else self.place[cells]
        return place[:, None] + self._PREPLAY * self.spacing * DIRECTIONS

    def crowd(self, place: Array, radius: float, cell: int) -> NDArray[np.int64]:
        """How many cells (k,) that a cell is joined to are within a radius, m, of places (k, 2)."""
        near = place @ self._columns - self._half_square
        close = near > 0.5 * ((place**2).sum(axis=1) - radius**2)[:, None]
        return np.asarray((close & (self.group == self.group[cell])).sum(axis=1))

    def walk(self, start: int, end: int) -> None:
        """Learn that the body went from the field of one cell into that of another."""
        if start == end or self.walked[start, end]:
            return
        self.walked[start, end] = self.walked[end, start] = True
        length = float(np.linalg.norm(self.place[start] - self.place[end]))
        group, joins = self.group, self.group[start] != self.group[end]
        self.links[start, end] = self.links[end, start] = length
        self._change()
        if joins:
            self._cover()
        else:
            self._group = group

    def toil(self, start: int, end: int, way: float) -> None:
        """Learn that going from one cell to the next cost as much as a way, m, does usually."""
        before = float(self.links[start, end])
        if np.isfinite(before):
            least = float(np.linalg.norm(self.place[start] - self.place[end]))
            cost = before + self._TOIL * (max(way, least) - before)
            self.links[start, end] = self.links[end, start] = cost
            group = self.group
            self._change()
            self._group = group

    def contradicts(self, boundaries: Boundaries) -> bool:
        """Whether the walls are across a way that the body has gone along."""
        start, end = np.nonzero(self.walked)
        return bool(boundaries.blocks(self.place[start], self.place[end]).any())

    def wall(self, boundaries: Boundaries) -> None:
        """Cut links and give up ways that a wall just felt is across."""
        start, end = self._joined()
        shut = boundaries.blocks(self.place[start], self.place[end])
        start, end = start[shut], end[shut]
        self.links[start, end] = self.links[end, start] = np.inf
        self.walked[start, end] = self.walked[end, start] = False
        cell, way = np.nonzero(self.novel)
        ahead = self.place[cell] + self._PREPLAY * self.spacing * DIRECTIONS[way]
        shut = boundaries.blocks(self.place[cell], ahead)
        self.novel[cell[shut], way[shut]] = False
        if len(start):
            self._change()
        else:  # (Distances stay what they are)
            self.version += 1

    def give_up(self, cell: int, way: int) -> None:
        """Take a way that could not be gone for one that leads nowhere."""
        self.novel[cell, way] = False

    def distances(self, goal: int, walked: bool = False) -> Array:
        """Lengths (cells,) of the ways to a cell, m; inf where there is none.

        Args:
            goal: the cell.
            walked: only by links that the body has gone along.

        """
        return self._field(goal, walked)[0]

    def way(self, start: int, goal: int, walked: bool = False, most: int = 16) -> list[int]:
        """Cells on the way from one cell to another, up to `most`; empty where there is none."""
        distance, towards = self._field(goal, walked)
        if not np.isfinite(distance[start]):
            return []
        way = [start]
        while way[-1] != goal and len(way) < most:
            way.append(int(towards[way[-1]]))
        return way[1:] or way

    def _field(self, goal: int, walked: bool) -> tuple[Array, NDArray[np.int32]]:
        if (goal, walked) not in self._fields:
            graph = self._graph(walked)
            self._fields[goal, walked] = dijkstra(
                graph, directed=False, indices=goal, return_predecessors=True
            )
        return self._fields[goal, walked]

    def _graph(self, walked: bool) -> csr_array:
        if walked not in self._graphs:
            start, end = self._joined()
            if walked:
                gone = self.walked[start, end]
                start, end = start[gone], end[gone]
            rows = np.searchsorted(start, np.arange(len(self) + 1))
            self._graphs[walked] = csr_array(
                (self.links[start, end], end, rows), shape=self.links.shape
            )
        return self._graphs[walked]

    def _joined(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which cells are linked to which, in order."""
        return np.divmod(np.flatnonzero(np.isfinite(self.links)), max(1, len(self)))

    def sweep(
        self,
        start: Array,
        ends: Array,
        boundaries: Boundaries | None,
        bold: bool = False,
        aside: float = 0.0,
    ) -> NDArray[np.bool_]:
        """Try out in the mind to go straight from a place (2,) to others (k, 2): which are clear.

        Cells must know every place on the way, and no wall be felt there (look-ahead sweeps,
        Johnson & Redish 2007, doi:10.1523/JNEUROSCI.3761-07.2007).

        Args:
            start: (2,) m.
            ends: (k, 2) m.
            boundaries: walls that were felt; None where they are known not to be in the way.
            bold: whether places a little beside those that cells know do as well.
            aside: distance to both sides at which it must be clear, too, m: a body is not a point.

        """
        if aside:
            way = ends - start
            size = np.maximum(np.linalg.norm(way, axis=1), 1e-9)[:, None]
            shift = aside * np.stack([-way[:, 1], way[:, 0]], axis=1) / size
            clear = self.sweep(start, ends, boundaries, bold)
            for i in np.flatnonzero(clear):
                for side in (-1.0, 1.0):
                    to, off = ends[i : i + 1], side * shift[i]
                    clear[i] &= self.sweep(start + off, to + off, boundaries, bold)[0]
            return clear
        clear = np.ones(len(ends), np.bool_)
        if boundaries is not None:
            clear = ~boundaries.blocks(start[None], ends)
        if not np.count_nonzero(clear):
            return clear
        way = ends - start
        length = float(np.sqrt((way * way).sum(axis=1).max()))
        share = self._shares(2 + int(length / (0.4 * self.spacing)))
        on_the_way = start + share * way[:, None]
        # |x − p|² by one product: this is the costliest part of finding the way.
        near = (on_the_way @ self._columns - self._half_square).max(axis=2)
        reach = (self._BESIDE if bold else self._KNOWN) * self.spacing
        least = 0.5 * ((on_the_way * on_the_way).sum(axis=2) - reach**2)
        clear &= (near > least).all(axis=1)
        return clear

    def _shares(self, n: int) -> Array:
        """Parts (n − 1, 1) of a way at whose ends it is looked at."""
        return (np.arange(1, n) / (n - 1))[:, None]

    def _change(self) -> None:
        self.version += 1
        self._fields, self._graphs, self._group = {}, {}, None
        self._columns = np.ascontiguousarray(self.place.T)
        self._half_square = 0.5 * (self.place**2).sum(axis=1)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "code": self.code,
            "place": self.place,
            "links": np.where(np.isfinite(self.links), self.links, -1.0),
            "walked": self.walked,
            "novel": self.novel,
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.code, self.place = state["code"].copy(), state["place"].copy()
        self.walked, self.novel = state["walked"].copy(), state["novel"].copy()
        self.links = np.where(state["links"] >= 0.0, state["links"], np.inf)
        self._change()
