"""Wayfinding: which way to go on a map that has been learnt, and where to learn more."""

import numpy as np

from agent.boundary import Boundaries
from agent.config import HippocampusConfig
from agent.grid_cells import GridCells
from agent.percept import Array
from agent.place_map import PlaceMap
from agent.working_memory import SEARCHED, Memory

_NOTHING = np.zeros((0, 4))


class Wayfinding:
    """Names the next subgoal on a map.

    The next subgoal is the farthest place on the way to the goal to which the way is clear as the
    map has it. Where no cell knows the goal, cells next to it come first, then the edge of what is
    known; a body that is off the map goes back to it by way of the cell from which the goal is
    nearest, and keeps in mind what it bumps into. While learning, ways that lead where no cell
    knows the place come first (novelty).

    Args:
        config: settings.
        grid: code of places.
        world: the map.
        boundaries: where something was in the way.
        lesioned: no map is known: every subgoal is the goal itself.

    """

    _CROWD = 2.5  # (Distance over the spacing within which place cells make a place crowded)
    _NEXT = 2.0  # (Distance over the spacing up to which a place is next to one that a cell knows)
    _LOST = 1.5  # (Distance over the spacing from the nearest cell at which a place is off the map)
    _SHUT = 1e3  # (Metres of way that it is worth not to go where a wall was felt)

    def __init__(
        self,
        config: HippocampusConfig,
        grid: GridCells,
        world: PlaceMap,
        boundaries: Boundaries,
        lesioned: bool = False,
    ):
        self._config, self._grid = config, grid
        self._map, self._boundaries, self._lesioned = world, boundaries, lesioned
        self._known = grid.similarity(config.spacing)

    def explore(self, memory: Memory, body: int, velocity: Array, reach: float) -> Array | None:
        """Next subgoal (2,) on the way to where nobody has been; None when all is known.

        Args:
            memory: working memory; updated.
            body: which of the bodies.
            velocity: (2,) of that body.
            reach: way that it makes in a step at full speed, m.

        """
        world = self._map
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

    def search(self, memory: Memory, body: int) -> Array | None:
        """Next subgoal (2,) when nothing is wanted: the nearest place where it has not looked yet.

        Args:
            memory: working memory; updated.
            body: which of the bodies.

        """
        if self._lesioned or not len(self._map):
            return None
        now, searched = int(memory["cell"][body]), memory["searched"][body]
        searched[now % SEARCHED] = True
        length = self._map.distances(now)
        done = searched[np.arange(len(length)) % SEARCHED]
        if (done | np.isinf(length)).all():  # (All over again)
            searched[:] = False
            done = np.arange(len(length)) == now
        target = int(np.argmin(np.where(done, np.inf, length)))
        careful = bool(memory["careful"][body] > 0)
        return self.subgoal(now, memory["place"][body], self._map.place[target], careful)

    def _leads_on(self, cell: int, quest: int) -> bool:
        """Whether a way is still novel, and can be reached from a cell."""
        world = self._map
        if quest >= world.novel.size or not world.novel.flat[quest]:
            return False
        return bool(np.isfinite(world.distances(cell)[quest // 8]))

    def _nearest_novelty(self, cell: int, here: Array, velocity: Array) -> tuple[int, float] | None:
        world = self._map
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
        config = self._config
        wall = self._boundaries.blocks(world.place[cells], probe, config.wall_stretch)
        crowd = world.crowd(probe, self._CROWD * world.spacing)
        # (Half of what is round a place at the edge of the map is the map: cells count twice)
        bias = config.wall_worth * wall + config.crowd_worth * 2.0 * crowd
        bias = bias + config.momentum * 0.5 * (1.0 - straight) * (away < 3 * world.spacing)
        best = int(np.argmin(length + world.spacing * bias))
        return int(cells[best] * 8 + ways[best]), float(length[best])

    def subgoal(
        self,
        cell: int,
        here: Array,
        goal: Array,
        careful: bool = False,
        felt: Array = _NOTHING,
    ) -> Array:
        """Next subgoal on the way to a goal.

        Args:
            cell: whose field the body is in.
            here: (2,) where it is, m.
            goal: (2,) m.
            careful: whether to keep to where the body has been, from field to field.
            felt: (k, 4) bumps that are in mind: where, m, and unit vectors away from there.

        Returns:
            (2,) m.

        """
        world = self._map
        if self._lesioned or not len(world):
            return goal
        if not careful and world.sweep(here, goal[None], self._boundaries)[0]:
            return goal
        activity = world.code @ self._grid.features(self._grid.encode(goal))
        target = int(activity.argmax())
        if np.linalg.norm(world.place[cell] - here) > self._LOST * world.spacing:
            back = self._back_to_the_map(here, goal, target, felt)
            if back is not None:
                return back
        if activity[target] < self._known or not np.isfinite(world.distances(target)[cell]):
            return self._towards_unknown(cell, here, goal, careful, felt)
        if careful:
            return self._next_field(cell, here, target, goal)
        if cell == target:
            return goal
        return self._farthest_clear(here, world.place[world.way(cell, target)])

    def _next_field(self, cell: int, here: Array, target: int, goal: Array) -> Array:
        """Middle of the field that the body is in, or of the next one on the way."""
        place = self._map.place
        if np.linalg.norm(place[cell] - here) > 0.5 * self._config.spacing:
            return np.asarray(place[cell])
        way = self._map.way(cell, target, walked=True) or self._map.way(cell, target)
        return goal if cell == target else np.asarray(place[way[0]])

    def _towards_unknown(
        self, cell: int, here: Array, goal: Array, careful: bool, felt: Array
    ) -> Array:
        """Subgoal (2,) on the way to a goal (2,) that no cell knows.

        By way of the cells next to it, or of where the unknown begins that it must lie in.
        """
        world, config = self._map, self._config
        walls = self._walls_with(felt)
        distance, reach = world.distances(cell), self._NEXT * world.spacing
        near = np.flatnonzero(np.linalg.norm(world.place - goal, axis=1) < reach)
        cells, ways = np.nonzero(world.novel)
        probe = world.probes(cells)[np.arange(len(cells)), ways]
        goals = np.broadcast_to(goal, (len(near), 2))
        near = near[~walls.blocks(world.place[near], goals) & np.isfinite(distance[near])]
        if len(near):  # (What is known to lead there comes first)
            cells, probe = near, world.place[near]
        novel = not len(near)
        use = np.isfinite(distance[cells])
        if not use.any():
            return goal
        cells, ends = cells[use], probe[use]
        left, stretch = np.linalg.norm(ends - goal, axis=1), config.wall_stretch
        goals = np.broadcast_to(goal, ends.shape)
        wall = walls.blocks(world.place[cells], ends, stretch).astype(float)
        wall += walls.blocks(ends, goals, stretch)
        cost = distance[cells] + config.unknown * left + config.wall_worth * world.spacing * wall
        cost += self._SHUT * walls.blocks(world.place[cells], ends)
        best = int(np.argmin(cost))
        at = world.place[cells[best]]
        if novel and np.linalg.norm(ends[best] - here) < np.linalg.norm(ends[best] - at) + 1e-9:
            at = here  # (It is on its way there already)
        straight = not careful and not walls.blocks(here[None], goal[None], stretch)[0]
        if straight and np.linalg.norm(here - goal) <= left[best] + 0.25 * world.spacing:
            return goal
        if np.linalg.norm(at - here) < world.spacing:
            return np.asarray(ends[best]) if novel else goal
        if cells[best] == cell:
            return np.asarray(at)
        return self._farthest_clear(here, world.place[world.way(cell, int(cells[best]))])

    def _back_to_the_map(self, here: Array, goal: Array, target: int, felt: Array) -> Array | None:
        """Place (2,) of the cell by way of which the goal (2,) is nearest, from off the map."""
        world, config, walls = self._map, self._config, self._walls_with(felt)
        left = world.distances(target)
        left = np.where(np.isfinite(left), left, np.linalg.norm(world.place - goal, axis=1))
        ends = np.vstack([world.place, goal])
        away = np.linalg.norm(ends - here, axis=1)
        # (Straight to the goal, what is unknown is all the way)
        cost = config.unknown * away + np.append(left, 0.0)
        stretched = walls.blocks(here[None], ends, config.wall_stretch)
        cost = cost + config.wall_worth * world.spacing * stretched
        cost = np.where(walls.blocks(here[None], ends), np.inf, cost)
        best = int(np.argmin(cost))
        return np.asarray(ends[best]) if np.isfinite(cost[best]) else None

    def _walls_with(self, felt: Array) -> Boundaries:
        """Walls that are known, and those that are in mind (k, 4)."""
        if not len(felt):
            return self._boundaries
        walls = Boundaries(self._boundaries.width)
        walls.load_state(self._boundaries.state())
        for place, normal in zip(felt[:, :2], felt[:, 2:], strict=True):
            walls.bump(place, normal)
        return walls

    def _farthest_clear(self, here: Array, way: Array) -> Array:
        """Farthest of the places (k, 2) on a way to which one can go straight, by bisection."""
        low, high = 0, len(way) - 1
        if self._map.sweep(here, way[-1:], self._boundaries)[0]:
            return np.asarray(way[-1])
        while high - low > 1:
            middle = (low + high) // 2
            if self._map.sweep(here, way[middle : middle + 1], self._boundaries)[0]:
                low = middle
            else:
                high = middle
        return np.asarray(way[low])
