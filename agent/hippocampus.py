"""Hippocampus: where the body is, what it knows of its world, and which way to go."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.boundary import Boundaries
from agent.config import HippocampusConfig
from agent.errors import StateError
from agent.grid_cells import GridCells
from agent.parts import part_of
from agent.percept import Array
from agent.place_map import PlaceMap
from agent.wayfinding import Wayfinding
from agent.working_memory import Memory

_LARGEST = 64.0  # (Times the finest fields, the largest that there are)


class Hippocampus:
    """Finds the place from self-motion and sight, learns the map, and names the next subgoal.

    Grid cells integrate the body's own movement; a place that is seen corrects them. Place cells
    are recruited wherever none knows the code, and linked to those near by; bumps cut links. A
    place that is not seen is corrected by walls that are touched.

    Args:
        config: settings.
        rng: for the orientations of the grid.
        lesions: `hippocampus` knows no map and heads straight for the goal; `grid` leaves place
            cells without path integration: the place is known only while it is seen.

    Attributes:
        config: settings, lengths as they are now.
        scale: how many times the fields of the configuration its own are.
        grid: the path integrator.
        map: places and links.
        boundaries: where something was in the way.
        ways: which way to go.

    """

    _TOUCH_PULL = 0.5  # (Share of what a touch says that is believed)
    _TOUCH = 2.0  # (Distance over the spacing up to which a wall is taken for one that is known)
    _LOOK = 4  # (Steps after which it is looked again whether a wall has come in between)
    _CANDIDATES = 8  # (Most active cells among which one on this side of a wall is looked for)

    def __init__(
        self, config: HippocampusConfig, rng: np.random.Generator, lesions: tuple[str, ...] = ()
    ):
        self._finest = config
        self.lesioned, self._gridless = "hippocampus" in lesions, "grid" in lesions
        self.grid = GridCells(config.modules, config.finest, rng)
        self._lay_out(1.0)

    def _lay_out(self, scale: float) -> None:
        """Begin with an empty map whose fields are so many times those of the configuration."""
        fine, self.scale = self._finest, scale
        spacing, width = scale * fine.spacing, scale * fine.bump_width
        self.config = replace(fine, spacing=spacing, bump_width=width)
        self.grid.widen(scale * fine.finest)
        self.map = PlaceMap(2 * self.grid.n_phases, self.config.spacing)
        self.boundaries = Boundaries(self.config.bump_width)
        # A cell knows a place as long as it is as active as this.
        self._known = self.grid.similarity(self.config.spacing)
        self.ways = Wayfinding(self.config, self.grid, self.map, self.boundaries, self.lesioned)

    def coarsen(self) -> None:
        """Make fields larger by √2, for a body that leaves them too soon; what is known is kept.

        Place fields and grids grow from the dorsal to the ventral end of the hippocampus, up to
        ten metres in rats (Kjelstrup et al. 2008, doi:10.1126/science.1157086): a quicker body
        uses what lies more ventrally. Walls stay; of places that come to lie in one field, one
        stays. Whoever was under way is to call `recode` before anything else.
        """
        if self.scale >= _LARGEST:
            return
        places, walls = self.map.place, self.boundaries.state()
        self._lay_out(min(self.scale * 2.0**0.5, _LARGEST))
        self.boundaries.load_state(walls)
        for place in places:
            if self.map.off(place) >= self.map.spacing:
                code = self.grid.features(self.grid.encode(place))
                self.map.recruit(code, place, self.boundaries)

    def recode(self, memory: Memory) -> None:
        """Tell bodies whose codes are of other fields where they are in the code of these.

        Args:
            memory: working memory; updated.

        """
        other = memory["field_scale"] != self.scale
        if np.count_nonzero(other):
            phase = self.grid.encode(memory["place"])
            memory["grid"] = np.where(other[:, None], phase, memory["grid"])
            memory["last_cell"] = np.where(other, 0, memory["last_cell"])
            memory["field_scale"] = np.full(len(other), self.scale)

    def sense(self, memory: Memory, moved: Array, seen: Array) -> None:
        """Update where n bodies are.

        Args:
            memory: working memory; updated.
            moved: (n, 2) by the last step, as it was felt, m.
            seen: (n, 2) places as the senses have them; one that has not changed although the
                body moved is not seen.

        """
        # (A body at a time in plain Python, where that is quicker than arrays of few)
        sight, had = memory["sight"].tolist(), memory["placed"].tolist()
        fresh = np.array([now != then for now, then in zip(seen.tolist(), sight, strict=True)])
        placed = memory["placed"]
        new = ~placed
        memory["sight"] = seen
        if self._gridless:
            memory["place"] = np.where((new | fresh)[:, None], seen, memory["place"])
            memory["grid"] = self.grid.encode(memory["place"])
        else:
            near = memory["place"] + moved
            pull = self.config.pull * fresh
            if not all(had):
                moved = np.where(new[:, None], 0.0, moved)
                near, pull = np.where(new[:, None], seen, near), np.where(new, 1.0, pull)
            phase = self.grid.update(memory["grid"], moved, seen, pull)
            memory["grid"], memory["place"] = phase, self.grid.decode(phase, near)
        memory["placed"] = placed if all(had) else placed | True
        memory["unseen_place"] = ~fresh & placed
        if not len(self.map):
            return
        activity = self.map.activity(self.grid.features(memory["grid"]))
        best, place = activity.argmax(axis=1), memory["place"]
        cell, most, before = best.copy(), len(self.map) - 1, memory["cell"].tolist()
        # A cell goes on until another is clearly more active, and on this side of every wall.
        for row, (first, held) in enumerate(zip(best.tolist(), before, strict=True)):
            firing, last = activity[row], min(held, most)
            if had[row] and firing[last] > firing[first] - self.config.hysteresis:
                cell[row] = last
        moved_on = cell.tolist() != before or memory["steps"][0] % self._LOOK == 0
        behind = self._behind(place, cell) if moved_on else ~placed
        for body in np.flatnonzero(behind) if np.count_nonzero(behind) else ():
            if cell[body] == before[body]:  # (It has not gone from there to where it is taken now)
                memory["last_cell"] = memory["last_cell"].copy()
                memory["last_cell"][body] = 0
            nearest = np.argsort(-activity[body])[: self._CANDIDATES]
            behind = self._behind(place[body, None], nearest)
            cell[body] = nearest[np.argmin(behind)]
            activity[body, nearest[behind]] -= 1.0
            best[body] = activity[body].argmax()
        memory["cell"] = cell
        memory["familiar"] = activity[np.arange(len(best)), best]

    def lost(self, memory: Memory) -> list[int]:
        """Which of n bodies are where no place cell knows the place."""
        if self.lesioned:
            return []
        return [i for i, s in enumerate(memory["familiar"].tolist()) if s < self._known]

    def _behind(self, here: Array, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a wall is known between places (k or 1, 2) and the fields of cells (k,)."""
        return self.boundaries.blocks(here, self.map.place[cells])

    def learn(self, memory: Memory, moved: Array) -> None:
        """Recruit and link place cells where n bodies are.

        Args:
            memory: working memory of the step that was taken; updated.
            moved: (n, 2) by that step, m.

        """
        if self.lesioned:
            return
        if self.boundaries.pass_through(memory["place"], memory["place"] + moved):
            self.map.version += 1
        recruited: list[int] = []
        for body in range(len(moved)):
            if len(self.map) and memory["familiar"][body] >= self._known:
                cell = int(memory["cell"][body])
            else:
                code = self.grid.features(memory["grid"][body])
                if any(self.map.code[one] @ code >= self._known for one in recruited):
                    continue  # (Another body was here just now)
                cell = self.map.recruit(code, memory["place"][body], self.boundaries)
                memory["cell"][body], memory["familiar"][body] = cell, 1.0
                recruited.append(cell)
            last = int(memory["last_cell"][body]) - 1
            at = memory["place"][body, None]
            if last not in (-1, cell) and not self._behind(at, np.array([cell]))[0]:
                self.map.walk(last, cell)
            memory["last_cell"][body] = cell + 1

    def bump(self, place: Array, normal: Array) -> bool:
        """Take in that something at place (2,) pushed along the unit vector (2,); whether new."""
        if self.lesioned or not self.boundaries.bump(place, normal):
            return False
        if self.map.contradicts(self.boundaries):  # (What has shut a way is as wide as a field)
            self.boundaries.widen(self.config.spacing)
        self.map.wall(self.boundaries)
        return True

    def touch(self, memory: Memory, bodies: NDArray[np.int64], normal: Array) -> None:
        """Correct the places of bodies that are not seen by the walls that they touch.

        Border cells put the path integrator right along one direction (Hardcastle, Ganguli &
        Giocomo 2015, doi:10.1016/j.neuron.2015.03.039); a wall's end does along the other.

        Args:
            memory: working memory; updated.
            bodies: (k,) that were pushed.
            normal: (k, 2) unit vectors that they were pushed along.

        """
        if self.lesioned or self._gridless:
            return
        for body, n in zip(bodies, normal, strict=True):
            place = memory["place"][body]
            if not memory["unseen_place"][body]:
                continue
            most = self._TOUCH * self.config.spacing
            shift = self._TOUCH_PULL * self.boundaries.correction(place, n, most)
            memory["place"], memory["grid"] = memory["place"].copy(), memory["grid"].copy()
            memory["place"][body] += shift
            memory["grid"][body] = self.grid.integrate(memory["grid"][body], shift)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"map.{k}": v for k, v in self.map.state().items()}
        state |= {f"grid.{k}": v for k, v in self.grid.state().items()}
        state["scale"] = np.array(self.scale)
        return state | {f"boundaries.{k}": v for k, v in self.boundaries.state().items()}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._lay_out(float(state["scale"]))
        for name in ("map", "boundaries", "grid"):
            getattr(self, name).load_state(part_of(state, f"{name}."))

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        cells, walls, phases = len(state["map.place"]), len(state["boundaries.place"]), self.grid
        shapes = {
            "map.code": (cells, 2 * phases.n_phases),
            "map.place": (cells, 2),
            "map.links": (cells, cells),
            "map.walked": (cells, cells),
            "map.novel": (cells, 8),
            "boundaries.place": (walls, 2),
            "boundaries.normal": (walls, 2),
            "boundaries.left": (walls,),
            "boundaries.right": (walls,),
            "grid.waves": phases.waves.shape,
            "grid.orientation": phases.orientation.shape,
        }
        shapes["scale"] = ()
        for key, shape in shapes.items():
            if state[key].shape != shape:
                raise StateError(f"weights {key!r} have shape {state[key].shape}: expected {shape}")
            if not np.isfinite(state[key]).all():
                raise StateError(f"weights {key!r} hold NaN or inf: the file is damaged")
        if not 1.0 <= float(state["scale"]) <= _LARGEST:
            raise StateError(f"weights 'scale' are {state['scale']}: expected 1 to {_LARGEST:g}")
