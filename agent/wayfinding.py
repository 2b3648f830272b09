"""Wayfinding: which way to go on a map that has been learnt, and where to learn more."""

from typing import Literal

import numpy as np

from agent.boundary import Boundaries
from agent.config import HippocampusConfig
from agent.grid_cells import GridCells
from agent.percept import Array
from agent.place_map import PlaceMap
from agent.sketch import Sketch, Sketches
from agent.working_memory import SEARCHED, Memory

Course = Literal["known", "tight", "broad"]
"""How ways lead: see `Wayfinding.subgoal`."""


class Wayfinding:
    """Names the next subgoal on a map.

    The next subgoal is the farthest place on the way to the goal to which the way is clear as the
    map has it; a way to a goal may be pulled tight, round the corners. Where no cell knows the
    goal, cells next to it come first, then the edge of what is known, and where no way is known to
    a cell that does, what lies in between; where nothing unknown can be got to either, links that
    were cut are doubted. A body that performs keeps in mind where it was off the
    map, and what it bumped into (`agent.sketch`). While learning, ways that lead where no cell
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
    _STRIDE = 0.25  # (Distance over the spacing between places on a way that are looked at)
    _PULLS = np.arange(15, 0, -1) / 16  # (Shares of the way by which it is tried to pull a turn)
    _SLACK = 0.25  # (Distance over the spacing by which a turn is pulled less than it could be)
    _ASIDE = 1.5  # (Distance over the spacing at which it is to be clear beside a broad way)
    _TRIED = 300  # (Pairs of places between which it is looked whether one can pass)
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
        self.sketches = Sketches(world, boundaries, grid)
        self._bare = Sketch(world, boundaries, grid)

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
        # (By places that are known: who cuts corners on the way to the unknown learns less of them)
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
        crowd = world.crowd(probe, self._CROWD * world.spacing, cell)
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
        sketch: Sketch | None = None,
        course: Course = "known",
    ) -> Array:
        """Next subgoal on the way to a goal.

        Args:
            cell: whose field the body is in.
            here: (2,) where it is, m.
            goal: (2,) m.
            careful: whether to keep to where the body has been, from field to field.
            sketch: the map as the body has it in mind; None for what is known.
            course: how ways lead. known: by places that cells know; tight: pulled tight like a
                string, close by what is in the way; broad: with room to both sides.

        Returns:
            (2,) m.

        """
        if self._lesioned or not len(self._map):
            return goal
        world, walls = (sketch.map, sketch.walls) if sketch else (self._map, self._boundaries)
        tight, aside = course == "tight", self._ASIDE * world.spacing * (course == "broad")
        if not careful and world.sweep(here, goal[None], walls, tight, aside)[0]:
            return goal
        activity = world.code @ self._grid.features(self._grid.encode(goal))
        target = int(activity.argmax())
        cell = sketch.cell(here, cell) if sketch else cell
        known = activity[target] >= self._known
        if not known or not np.isfinite(world.distances(target)[cell]):
            ends = world.distances(target) if known else None
            mind = sketch or self._bare
            return self._towards_unknown(mind, cell, here, goal, ends, careful)
        if careful:
            return self._next_field(world, cell, here, target, goal)
        if cell == target:
            return goal
        cells = world.way(cell, target)
        way = world.place[cells]
        if not tight:
            return np.asarray(way[self._farthest_clear(world, walls, here, way, aside=aside)])
        if cells[-1] == target:
            way = np.vstack([way, goal])
        return self._pulled_tight(world, walls, here, way)

    def _next_field(
        self, world: PlaceMap, cell: int, here: Array, target: int, goal: Array
    ) -> Array:
        """Middle of the field that the body is in, or of the next one on the way."""
        if np.linalg.norm(world.place[cell] - here) > 0.5 * self._config.spacing:
            return np.asarray(world.place[cell])
        way = world.way(cell, target, walked=True) or world.way(cell, target)
        return goal if cell == target else np.asarray(world.place[way[0]])

    def _towards_unknown(
        self,
        sketch: Sketch,
        cell: int,
        here: Array,
        goal: Array,
        beyond: Array | None,
        careful: bool,
    ) -> Array:
        """Subgoal (2,) on the way to a goal (2,) to which no way is known.

        By way of the cells next to it, or of where the unknown begins that it must lie in, or
        that lies between here and cells from which it can be reached.

        Args:
            sketch: map and walls.
            cell: whose field the body is in.
            here: (2,) where it is, m.
            goal: (2,) m.
            beyond: (cells,) distance from each cell to the goal, m; None where no cell knows it.
            careful: whether to keep to where the body has been.

        """
        world, walls, config = sketch.map, sketch.walls, self._config
        stretch = config.wall_stretch
        shy = config.wall_worth * world.spacing
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
            return self._across(sketch, cell, here, goal, beyond)
        cells, ends = cells[use], probe[use]
        left = np.linalg.norm(ends - goal, axis=1)
        goals = np.broadcast_to(goal, ends.shape)
        rest = config.unknown * left + shy * walls.blocks(ends, goals, stretch)
        if beyond is not None:
            rest = np.minimum(rest, self._by_way_of(world, walls, ends, beyond))
        cost = distance[cells] + rest
        cost += shy * walls.blocks(world.place[cells], ends, stretch)
        cost += self._SHUT * walls.blocks(world.place[cells], ends)
        best = int(np.argmin(cost))
        at = world.place[cells[best]]
        free = not walls.blocks(here[None], ends[best : best + 1])[0]
        nearer = np.linalg.norm(ends[best] - here) < np.linalg.norm(ends[best] - at) + 1e-9
        if novel and free and nearer:
            at = here  # (It is on its way there already)
        straight = not careful and not walls.blocks(here[None], goal[None], stretch)[0]
        if straight and np.linalg.norm(here - goal) <= left[best] + 0.25 * world.spacing:
            return goal
        close = world.spacing if free else 0.25 * world.spacing
        if np.linalg.norm(at - here) < close:
            return np.asarray(ends[best]) if novel else goal
        if cells[best] == cell:
            return np.asarray(at)
        way = world.place[world.way(cell, int(cells[best]))]
        return np.asarray(way[self._farthest_clear(world, walls, here, way)])

    def _across(
        self, sketch: Sketch, cell: int, here: Array, goal: Array, beyond: Array | None
    ) -> Array:
        """Subgoal (2,) where neither known ways nor unknown ones lead on: what was cut is doubted.

        Links stay cut when the wall that has cut them turns out to end sooner: where no wall is
        known any more between two fields, it is tried whether one can pass, between neighbours
        first; then where one is known, but not where the body has just been held up. When it was
        held up wherever one might pass, what is in mind cannot be right (`Sketch.contradicted`).
        Arguments as those of `_towards_unknown`.
        """
        if beyond is None:
            return goal
        world, walls = sketch.map, sketch.walls
        distance = world.distances(cell)
        mine, theirs = np.flatnonzero(np.isfinite(distance)), np.flatnonzero(np.isfinite(beyond))
        gap = np.linalg.norm(world.place[mine][:, None] - world.place[theirs], axis=2)
        cost = distance[mine][:, None] + self._config.unknown * gap + beyond[theirs]
        cost += 0.5 * self._SHUT * (gap > self._NEXT * world.spacing)
        first = np.argsort(cost, axis=None)[: self._TRIED]
        rows, columns = np.unravel_index(first, cost.shape)
        near, far = world.place[mine[rows]], world.place[theirs[columns]]
        shut = walls.blocks(near, far)
        tried = sketch.tried(near, far)
        cost = cost[rows, columns] + self._SHUT * (1.0 * shut + tried)
        best = int(np.argmin(cost))
        sketch.contradicted |= bool(tried[best])
        edge, at, other = int(mine[rows[best]]), near[best], far[best]
        between = np.linalg.norm(other - here) < np.linalg.norm(other - at) + 1e-9
        ahead = here[None], other[None]
        free = not sketch.tried(*ahead)[0] and (shut[best] or not walls.blocks(*ahead)[0])
        if (between and free) or np.linalg.norm(at - here) < 0.25 * world.spacing:
            return np.asarray(other)
        if edge == cell:
            return np.asarray(at)
        way = world.place[world.way(cell, edge)]
        return np.asarray(way[self._farthest_clear(world, walls, here, way)])

    def _by_way_of(self, world: PlaceMap, walls: Boundaries, ends: Array, beyond: Array) -> Array:
        """Lengths (k,) of the ways from places (k, 2) by way of cells beyond the unknown."""
        there = np.flatnonzero(np.isfinite(beyond))
        gap = np.linalg.norm(ends[:, None] - world.place[there], axis=2)
        length = self._config.unknown * gap + beyond[there]
        best = length.argmin(axis=1)
        shut = walls.blocks(ends, world.place[there[best]], self._config.wall_stretch)
        shy = self._config.wall_worth * world.spacing
        return np.asarray(length[np.arange(len(ends)), best] + shy * shut)

    def _pulled_tight(self, world: PlaceMap, walls: Boundaries, here: Array, way: Array) -> Array:
        """First turn (2,) of a way by places (k, 2) when it is pulled tight like a string.

        It is the farthest place on the way to which one can go straight, moved towards the straight
        line to the farthest that one can go to from there, for as long as both lines are clear.
        """
        places = _along(np.vstack([here, way]), self._STRIDE * world.spacing)
        first = self._farthest_clear(world, walls, here, places, bold=True)
        turn, rest = places[first], places[first + 1 :]
        if not len(rest):
            return np.asarray(turn)
        after = rest[self._farthest_clear(world, walls, turn, rest, bold=True)]
        straight = after - here
        share = float((turn - here) @ straight) / max(float(straight @ straight), 1e-9)
        pull = here + min(max(share, 0.0), 1.0) * straight - turn
        ends, done = np.stack([here, after]), 0.0
        pulled = turn + self._PULLS[:, None] * pull
        shut = walls.blocks(np.repeat(pulled, 2, axis=0), np.tile(ends, (len(pulled), 1)))
        for i in np.flatnonzero(~shut.reshape(-1, 2).any(axis=1)):
            if world.sweep(pulled[i], ends, None, bold=True).all():
                done = float(self._PULLS[i])
                break
        slack = self._SLACK * world.spacing / max(float(np.linalg.norm(pull)), 1e-9)
        turn = turn + max(done - slack, 0.0) * pull
        # (Pulled to where the body is, it is no turn: the way goes on behind it.)
        gone = np.linalg.norm(turn - here) < self._STRIDE * world.spacing and done > 0.0
        return np.asarray(after if gone else turn)

    @staticmethod
    def _farthest_clear(
        world: PlaceMap,
        walls: Boundaries,
        here: Array,
        way: Array,
        bold: bool = False,
        aside: float = 0.0,
    ) -> int:
        """Farthest of the places (k, 2) on a way up to which one can go straight to all.

        Walls are looked at for all at once; of what is left, by bisection, cells must know the way.
        """
        shut = walls.blocks(here[None], way)
        low, high = 0, int(shut.argmax()) if shut.any() else len(way)
        at = high - 1
        while low < high:
            if world.sweep(here, way[at : at + 1], walls if aside else None, bold, aside)[0]:
                low = at + 1
            else:
                high = at
            at = (low + high) // 2
        return max(low - 1, 0)


def _along(way: Array, stride: float) -> Array:
    """Places (n, 2) on a way by places (k, 2), a stride apart at most, its start left out."""
    length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1)))
    at = np.linspace(0.0, length[-1], 2 + int(length[-1] / stride))[1:]
    return np.stack([np.interp(at, length, way[:, axis]) for axis in (0, 1)], axis=1)
