"""Hippocampus: where the body is, what it knows of its world, and which way to go."""

import numpy as np
from numpy.typing import NDArray

from agent.boundary import Boundaries
from agent.config import HippocampusConfig
from agent.errors import StateError
from agent.grid_cells import GridCells
from agent.percept import Array
from agent.place_map import PlaceMap
from agent.working_memory import Memory


class Hippocampus:
    """Finds the place from self-motion and sight, learns the map, and names the next subgoal.

    Grid cells integrate the body's own movement; a place that is seen corrects them. Place cells
    are recruited wherever none knows the code, and linked to those near by; bumps cut links. The
    next subgoal is the farthest place on the way to the goal to which the way is clear as the map
    has it. While learning, ways that lead where no cell knows the place come first (novelty):
    the nearest of them, before any goal.

    Args:
        config: settings.
        rng: for the orientations of the grid.
        lesions: `hippocampus` knows no map and heads straight for the goal; `grid` leaves place
            cells without path integration: the place is known only while it is seen.

    Attributes:
        grid: the path integrator.
        map: places and links.
        boundaries: where something was in the way.

    """

    _LOOK = 4  # (Steps after which it is looked again whether a wall has come in between)
    _CANDIDATES = 8  # (Most active cells among which one on this side of a wall is looked for)

    def __init__(
        self, config: HippocampusConfig, rng: np.random.Generator, lesions: tuple[str, ...] = ()
    ):
        self.config = config
        self.lesioned, self._gridless = "hippocampus" in lesions, "grid" in lesions
        self.grid = GridCells(config.modules, config.finest, rng)
        self.map = PlaceMap(2 * self.grid.n_phases, config.spacing)
        self.boundaries = Boundaries(config.bump_width)
        # A cell knows a place as long as it is as active as this.
        self._known = self.grid.similarity(config.spacing)

    def sense(self, memory: Memory, moved: Array, seen: Array) -> None:
        """Update where n bodies are.

        Args:
            memory: working memory; updated.
            moved: (n, 2) by the last step, as it was felt, m.
            seen: (n, 2) places as the senses have them; one that has not changed although the
                body moved is not seen.

        """
        fresh = (seen != memory["sight"]).any(axis=1)
        placed = memory["placed"]
        new = ~placed
        memory["sight"] = seen
        if self._gridless:
            memory["place"] = np.where((new | fresh)[:, None], seen, memory["place"])
            memory["grid"] = self.grid.encode(memory["place"])
        else:
            near = memory["place"] + moved
            pull = self.config.pull * fresh
            if np.count_nonzero(new):
                moved = np.where(new[:, None], 0.0, moved)
                near, pull = np.where(new[:, None], seen, near), np.where(new, 1.0, pull)
            phase = self.grid.integrate(memory["grid"], moved)
            if np.count_nonzero(pull):
                phase = self.grid.correct(phase, seen, pull)
            memory["grid"], memory["place"] = phase, self.grid.decode(phase, near)
        memory["placed"] = placed | True
        if not len(self.map):
            return
        activity = self.map.activity(self.grid.features(memory["grid"]))
        best, place = activity.argmax(axis=1), memory["place"]
        rows = np.arange(len(best))
        # A cell goes on until another is clearly more active, and on this side of every wall.
        last = np.minimum(memory["cell"], len(self.map) - 1)
        stays = activity[rows, last] > activity[rows, best] - self.config.hysteresis
        cell = np.where(stays & placed, last, best)
        moved_on = np.count_nonzero(cell != memory["cell"]) or memory["steps"][0] % self._LOOK == 0
        behind = self._behind(place, cell) if moved_on else ~placed
        for body in np.flatnonzero(behind) if np.count_nonzero(behind) else ():
            nearest = np.argsort(-activity[body])[: self._CANDIDATES]
            behind = self._behind(place[body, None], nearest)
            cell[body] = nearest[np.argmin(behind)]
            activity[body, nearest[behind]] -= 1.0
            best[body] = activity[body].argmax()
        memory["cell"] = cell
        memory["familiar"] = activity[rows, best]

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
            if last >= 0:
                self.map.walk(last, cell)
            memory["last_cell"][body] = cell + 1

    def bump(self, place: Array, normal: Array) -> bool:
        """Take in that something at place (2,) pushed along the unit vector (2,); whether new."""
        if self.lesioned or not self.boundaries.bump(place, normal):
            return False
        self.map.wall(self.boundaries)
        return True

    def explore(self, memory: Memory, body: int, velocity: Array, reach: float) -> Array | None:
        """Next subgoal (2,) on the way to where nobody has been; None when all is known.

        Args:
            memory: working memory; updated.
            body: which of the bodies.
            velocity: (2,) of that body.
            reach: way that it makes in a step at full speed, m.

        """
        world = self.map
        quest, here = int(memory["quest"][body]) - 1, memory["place"][body]
        if quest >= 0 and memory["quest_left"][body] <= 0:
            world.give_up(quest // 8, quest % 8)
        now = int(memory["cell"][body])
        if quest < 0 or not self._leads_on(now, quest):
            found = self._nearest_novelty(now, here, velocity)
            if found is None:
                memory["quest"][body] = 0
                return None
            quest, length = found
            memory["quest"][body] = quest + 1
            memory["quest_left"][body] = 50 + int(4 * length / reach)
        cell, way = quest // 8, quest % 8
        probe = world.probes(np.array([cell]))[0, way]
        if np.linalg.norm(probe - here) < 0.25 * world.spacing:
            world.give_up(cell, way)
        if np.linalg.norm(world.place[cell] - here) < world.spacing:
            return np.asarray(probe)
        careful = bool(memory["careful"][body] > 0)
        return self.subgoal(now, here, world.place[cell], careful)

    def _leads_on(self, cell: int, quest: int) -> bool:
        """Whether a way is still novel, and can be reached from a cell."""
        world = self.map
        if quest >= world.novel.size or not world.novel.flat[quest]:
            return False
        return bool(np.isfinite(world.distances(cell)[quest // 8]))

    def _nearest_novelty(self, cell: int, here: Array, velocity: Array) -> tuple[int, float] | None:
        world = self.map
        cells, ways = np.nonzero(world.novel)
        length = world.distances(cell)[cells] if len(cells) else np.zeros(0)
        if not np.isfinite(length).any():
            return None
        probe = world.probes(cells)[np.arange(len(cells)), ways]
        ahead = probe - here
        near = length < world.spacing
        away = np.linalg.norm(ahead, axis=1)
        length = np.where(near, away, length + 1.5 * world.spacing)
        speed = float(np.linalg.norm(velocity)) + 1e-9
        straight = (ahead @ velocity) / (away * speed + 1e-9)
        config = self.config
        wall = self.boundaries.blocks(world.place[cells], probe, config.wall_stretch)
        crowd = world.crowd(probe, 2.5 * world.spacing)
        bias = config.wall_worth * wall + config.crowd_worth * crowd
        bias = bias - config.momentum * straight * (away < 3 * world.spacing)
        best = int(np.argmin(length + world.spacing * bias))
        return int(cells[best] * 8 + ways[best]), float(length[best])

    def subgoal(self, cell: int, here: Array, goal: Array, careful: bool = False) -> Array:
        """Next subgoal on the way to a goal.

        Args:
            cell: whose field the body is in.
            here: (2,) where it is, m.
            goal: (2,) m.
            careful: whether to keep to where the body has been, from field to field.

        Returns:
            (2,) m.

        """
        world = self.map
        if self.lesioned or not len(world):
            return goal
        if not careful and world.sweep(here, goal[None], self.boundaries)[0]:
            return goal
        activity = world.code @ self.grid.features(self.grid.encode(goal))
        target = int(activity.argmax())
        if activity[target] < self._known or not np.isfinite(world.distances(target)[cell]):
            return self._towards_unknown(cell, here, goal, careful)
        if careful:
            return self._next_field(cell, here, target, goal)
        if cell == target:
            return goal
        return self._farthest_clear(here, world.place[world.way(cell, target)])

    def _next_field(self, cell: int, here: Array, target: int, goal: Array) -> Array:
        """Middle of the field that the body is in, or of the next one on the way."""
        place = self.map.place
        if np.linalg.norm(place[cell] - here) > 0.5 * self.config.spacing:
            return np.asarray(place[cell])
        way = self.map.way(cell, target, walked=True) or self.map.way(cell, target)
        return goal if cell == target else np.asarray(place[way[0]])

    def _towards_unknown(self, cell: int, here: Array, goal: Array, careful: bool) -> Array:
        """Subgoal (2,) on the way to where the unknown begins that the goal (2,) must lie in."""
        world, config = self.map, self.config
        cells, ways = np.nonzero(world.novel)
        length = world.distances(cell)[cells]
        reached = np.isfinite(length)
        if not reached.any():
            return goal
        cells, ways, length = cells[reached], ways[reached], length[reached]
        probe = world.probes(cells)[np.arange(len(cells)), ways]
        left = np.linalg.norm(probe - goal, axis=1)
        goals = np.broadcast_to(goal, probe.shape)
        wall = self.boundaries.blocks(world.place[cells], probe, config.wall_stretch)
        wall = wall.astype(float) + self.boundaries.blocks(probe, goals, config.wall_stretch)
        cost = length + config.unknown * left + config.wall_worth * world.spacing * wall
        best = int(np.argmin(cost))
        if not careful and np.linalg.norm(here - goal) <= left[best] + 0.25 * world.spacing:
            return goal
        if np.linalg.norm(world.place[cells[best]] - here) < world.spacing:
            return np.asarray(probe[best])
        if cells[best] == cell:
            return np.asarray(world.place[cell])
        return self._farthest_clear(here, world.place[world.way(cell, int(cells[best]))])

    def _farthest_clear(self, here: Array, way: Array) -> Array:
        """Farthest of the places (k, 2) on a way to which one can go straight, by bisection."""
        low, high = 0, len(way) - 1
        if self.map.sweep(here, way[-1:], self.boundaries)[0]:
            return np.asarray(way[-1])
        while high - low > 1:
            middle = (low + high) // 2
            if self.map.sweep(here, way[middle : middle + 1], self.boundaries)[0]:
                low = middle
            else:
                high = middle
        return np.asarray(way[low])

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"map.{k}": v for k, v in self.map.state().items()}
        state |= {f"grid.{k}": v for k, v in self.grid.state().items()}
        return state | {f"boundaries.{k}": v for k, v in self.boundaries.state().items()}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in ("map", "boundaries", "grid"):
            prefix = f"{name}."
            parts = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            getattr(self, name).load_state(parts)

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        cells, walls, phases = len(state["map.place"]), len(state["boundaries.place"]), self.grid
        shapes = {
            "map.code": (cells, 2 * phases.n_phases),
            "map.place": (cells, 2),
            "map.linked": (cells, cells),
            "map.walked": (cells, cells),
            "map.novel": (cells, 8),
            "boundaries.place": (walls, 2),
            "boundaries.normal": (walls, 2),
            "boundaries.left": (walls,),
            "boundaries.right": (walls,),
            "grid.waves": phases.waves.shape,
            "grid.orientation": phases.orientation.shape,
        }
        for key, shape in shapes.items():
            if state[key].shape != shape:
                raise StateError(f"weights {key!r} have shape {state[key].shape}: expected {shape}")
            if not np.isfinite(state[key]).all():
                raise StateError(f"weights {key!r} hold NaN or inf: the file is damaged")
