"""Sketch: the map as a body has it in mind while it performs, forgotten when the episode ends."""

import numpy as np
from numpy.typing import NDArray

from agent.boundary import Boundaries
from agent.grid_cells import GridCells
from agent.percept import Array
from agent.place_map import PlaceMap
from agent.working_memory import Memory


class Sketch:
    """What is known of the world, and what a body has met since its episode began.

    Performing teaches the map nothing, but where the map ends a body must still remember where it
    has already looked, and what it has bumped into: prefrontal cells hold places over a trial
    (Fujisawa et al. 2008, doi:10.1038/nn.2134; Ito et al. 2015, doi:10.1038/nature14396). Places
    off the map become place cells of a copy of it, and bumps cut its links.

    Args:
        world: what is known.
        walls: that are known.
        grid: code of places.
        trail: (k, 2) places off the map where the body has been, m; None for no such place.
        felt: (k, 4) bumps that are in mind: where, m, and unit vectors away from there; None for
            no bump.

    Attributes:
        map: places and links, the body's own among them.
        walls: those that are known, and those that are in mind.
        contradicted: whether no way is left that the bumps in mind do not rule out.

    """

    def __init__(
        self,
        world: PlaceMap,
        walls: Boundaries,
        grid: GridCells,
        trail: Array | None = None,
        felt: Array | None = None,
    ):
        trail = np.zeros((0, 2)) if trail is None else trail
        felt = np.zeros((0, 4)) if felt is None else felt
        self.map, self.walls, self._known = world, walls, len(world)
        self._felt, self.contradicted = felt[:, :2], False
        if len(felt):
            self.walls = Boundaries(walls.width)
            self.walls.load_state(walls.state())
            for place, normal in zip(felt[:, :2], felt[:, 2:], strict=True):
                self.walls.bump(place, normal)
        if not len(felt) and not len(trail):
            return
        self.map = world.copy()
        for place, code in zip(trail, grid.features(grid.encode(trail)), strict=True):
            if self.map.off(place) >= self.map.spacing:  # (It may have been learnt meanwhile)
                self.map.recruit(code, place, self.walls)
        if len(felt):
            self.map.wall(self.walls.beyond(walls))

    def cell(self, here: Array, cell: int) -> int:
        """Cell that a body at (2,) is in; of those that are known, it is `cell`."""
        if len(self.map) == self._known:
            return cell
        away = np.linalg.norm(self.map.place - here, axis=1)
        own = self.map.place[self._known :]
        away[self._known :][self.walls.blocks(here[None], own)] = np.inf
        nearest = self._known + int(away[self._known :].argmin())
        return nearest if away[nearest] < away[cell] else cell

    def tried(self, start: Array, end: Array) -> NDArray[np.bool_]:
        """Whether a bump is in mind within a field of the straight ways from (k, 2) to (k, 2)."""
        way = end - start
        to = self._felt[:, None] - start
        length = np.maximum((way * way).sum(axis=1), 1e-12)
        share = np.clip((to * way).sum(axis=2) / length, 0.0, 1.0)
        off = np.linalg.norm(to - share[..., None] * way, axis=2)
        return np.asarray((off < self.map.spacing).any(axis=0))


class Sketches:
    """Sketches of several bodies, made anew only when a body has met something.

    Args:
        world: what is known.
        walls: that are known.
        grid: code of places.

    """

    _KEPT = 16  # (Sketches)

    def __init__(self, world: PlaceMap, walls: Boundaries, grid: GridCells):
        self._world, self._walls, self._grid = world, walls, grid
        self._made: dict[tuple[int, bytes, bytes], Sketch] = {}

    def of(self, memory: Memory, body: int) -> Sketch:
        """Sketch that a body has in mind."""
        trail = memory["trail"][body, : memory["trailed"][body]]
        felt = memory["bumps"][body, : memory["bumped"][body]]
        key = self._world.version, trail.tobytes(), felt.tobytes()
        found = self._made.pop(key, None)
        if found is None:
            found = Sketch(self._world, self._walls, self._grid, trail, felt)
        self._made[key] = found  # (The latest last)
        if len(self._made) > self._KEPT:
            del self._made[next(iter(self._made))]
        return found

    def note_place(self, memory: Memory, body: int) -> None:
        """Keep in mind where a body is, which the map does not know."""
        trail, k = memory["trail"][body], int(memory["trailed"][body])
        here = memory["place"][body]
        if (
            k < len(trail)
            and (np.linalg.norm(trail[:k] - here, axis=1) > self._world.spacing).all()
        ):
            trail[k] = here
            memory["trailed"][body] = k + 1

    def reconsider(self, memory: Memory, body: int) -> None:
        """Forget the bumps that a body has in mind, if they leave it no way at all.

        Where it took itself to be when it felt them was not where it was.
        """
        if memory["bumped"][body] and self.of(memory, body).contradicted:
            memory["bumped"] = memory["bumped"].copy()
            memory["bumped"][body] = 0

    def note_bump(self, memory: Memory, body: int, normal: Array, known: bool = False) -> bool:
        """Keep a bump that pushed a body along the unit vector (2,) in mind; whether it is news.

        Whoever leans on a wall feels it at every step.

        Args:
            memory: working memory; updated.
            body: which of the bodies.
            normal: (2,).
            known: whether to keep it in mind even if the wall is known.

        """
        place, bumps = memory["place"][body], memory["bumps"][body]
        k = int(memory["bumped"][body])
        if known:
            if (np.linalg.norm(bumps[:k, :2] - place, axis=1) < 0.25 * self._world.spacing).any():
                return False
        elif self.of(memory, body).walls.knows(place, normal):
            return False
        if k == len(bumps):  # (The first is forgotten)
            bumps[:-1], k = bumps[1:].copy(), k - 1
        bumps[k, :2], bumps[k, 2:] = place, normal
        memory["bumped"][body] = k + 1
        return True
