"""Journey: the way of a body that crawls, by places that it knows and round what was in its way."""

import numpy as np
from numpy.typing import NDArray

from agent.hippocampus import Hippocampus
from agent.percept import Array
from agent.prefrontal import Prefrontal
from agent.senses import Senses
from agent.working_memory import Memory, make_own, rows_of


class Journey:
    """Says which place a crawling body is to head for on the way to its goal.

    As long as nothing has ever been in its way, that is the goal itself. Where the body hardly
    moves although it is turned to where it heads, something is: it is remembered as a wall, and
    from then on the hippocampus is asked for the next subgoal (`agent.wayfinding`). What has
    turned out to be passable is forgotten again. A body that cannot turn to where it heads, wedged
    beside a wall, turns the other way for a while.

    The map grows as the body goes to its goals. It is looked at now and then: a rhythm takes many
    steps to get from one place to the next. For a body that is so fast that it leaves the field
    of a place cell between two looks, fields grow.

    Args:
        senses: channels.
        hippocampus: the map.
        prefrontal: the goal.

    Attributes:
        pace: usual way in a step of a body that is turned to where it heads, m; 0 while unknown.
        hides: whether there are times at which no goal is shown.

    """

    _STRETCH = 5  # (Looks after which the way made is judged)
    _TURNED = 0.7  # (Mean cosine of the heading error from which a body is turned to its heading)
    _PATIENCE = 3  # (Stretches after which it turns the other way, and for how many looks)
    _ESCAPE = 12
    _SHARPLY = 1.2  # (Heading error for which it then acts, rad)
    _STALLED = 0.25  # (Share of the usual way under which a body is held up)
    _RATE = 0.02  # (Rate at which the usual way follows)
    _DOUBLINGS = 5  # (Of the spacing of places, up to the distance to which room is asked for)
    _BESIDE = 1.0  # (Distance over the spacing at which it is to be clear beside it)
    _GRAIN = 2.0  # (Distance over the spacing beyond which the map is fine enough to tell of room)
    _AHEAD = 2.0  # (Distance over the spacing up to which it is to be clear before a body)
    _ARRIVED = 0.5  # (Distance over the spacing of places at which a subgoal counts as reached)

    def __init__(self, senses: Senses, hippocampus: Hippocampus, prefrontal: Prefrontal):
        self._place, self._goal = senses.achieved[:2], senses.desired[:2]
        self._hippocampus, self._prefrontal = hippocampus, prefrontal
        self._every = hippocampus.config.replan_every
        self.pace, self.hides = 0.0, False
        self._there = np.zeros(1, np.int64)  # (Steps that bodies have been near their goals)

    def resize(self, n: int) -> None:
        """Go on with n bodies."""
        self._there = np.zeros(n, np.int64)

    def head(
        self, memory: Memory, channels: Array, free: NDArray[np.bool_], learning: bool
    ) -> Array:
        """Places (n, 2) that bodies are to head for, m.

        Args:
            memory: working memory of these bodies; updated.
            channels: (n, n_channels).
            free: (n,) bodies whose way tells what is in it: they run a habit, towards the goal.
            learning: whether the map is to be learnt.

        """
        due = memory["aim_left"] <= 0
        left = np.where(due, self._every, memory["aim_left"]) - 1
        if np.count_nonzero(due):
            rows = np.flatnonzero(due)
            part = rows_of(memory, rows)
            self._look(part, channels[rows], free[rows], learning)
            if not learning:
                make_own(memory, _USED)
            for name in _USED:
                memory[name][rows] = part[name]
        memory["aim_left"] = left
        return memory["aim"]

    def room(self, place: Array, bearing: Array, beside: bool = False) -> Array:
        """How far (k, d) cells know the way on from places (k, 2), with nothing in it, m.

        Args:
            place: (k, 2) m.
            bearing: (k, d) rad.
            beside: whether the same must hold a field to both sides of the way.

        """
        aside = self._BESIDE * self._hippocampus.map.spacing if beside else 0.0
        world, walls = self._hippocampus.map, self._hippocampus.boundaries
        far = world.spacing * 2.0 ** np.arange(self._DOUBLINGS)
        free = np.zeros(bearing.shape)
        for body, here in enumerate(place):
            way = np.stack([np.cos(bearing[body]), np.sin(bearing[body])], axis=1)
            going = np.arange(len(way))
            for length in far:
                ends = here + length * way[going]
                going = going[world.sweep(here, ends, walls, aside=aside)]
                free[body, going] = length
        return free

    def blocked(self, memory: Memory, bearing: Array) -> NDArray[np.int64]:
        """Which of n bodies look about now and find the way ahead not to be clear.

        Args:
            memory: working memory.
            bearing: (n,) rad, NaN for bodies that head for their goals.

        """
        look = np.flatnonzero((memory["aim_left"] <= 0) & memory["placed"] & ~np.isnan(bearing))
        if not self.walled or not len(look):
            return look[:0]
        room = self.room(memory["place"][look], bearing[look, None], beside=True)[:, 0]
        return look[room < self._AHEAD * self._hippocampus.map.spacing]

    @property
    def mapped(self) -> bool:
        """Whether any place is known."""
        return len(self._hippocampus.map) > 0

    @property
    def grain(self) -> float:
        """Way, m, up to which the map is too coarse to tell whether there is room."""
        return self._GRAIN * self._hippocampus.map.spacing

    @property
    def walled(self) -> bool:
        """Whether anything is known that could be in a body's way."""
        return len(self._hippocampus.boundaries) > 0

    def arrived(self, distance: Array, ended: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether bodies (n,) stay at their goals, as closely as they step, and go on living.

        Args:
            distance: (n,) from their goals after a step, m.
            ended: (n,) whether the episode is over.

        """
        near = (distance < self.pace * self._every) & ~ended
        self._there = np.where(near, self._there + 1, 0)
        return np.asarray(self._there > self._every)

    def turn(self, memory: Memory, error: Array) -> Array:
        """Heading errors (n,) to answer, rad, for those (n,) that there are; these are noted."""
        turned = np.stack([np.cos(error), np.sin(error)], axis=1)
        memory["course"] = memory["course"] + turned
        escape = memory["escape"]
        if np.count_nonzero(escape):
            return np.where(escape != 0, self._SHARPLY * np.sign(escape), error)
        return error

    def _look(
        self, memory: Memory, channels: Array, free: NDArray[np.bool_], learning: bool
    ) -> None:
        """Find where bodies are, what is in their way, and where to head."""
        hippocampus, had = self._hippocampus, memory["placed"]
        seen = channels.take(self._place, axis=1)
        moved = np.where(had[:, None], seen - memory["sight"], 0.0)
        hippocampus.recode(memory)
        hippocampus.sense(memory, moved, seen)
        goal, wanted = self._prefrontal.hold(memory, channels.take(self._goal, axis=1), seen)
        self.hides |= learning and not bool(wanted.all())
        if learning:
            last = memory["last_cell"] - 1
            hippocampus.learn(memory, -moved)  # (The way that has just been made)
            self._linger(memory, last, free)
        else:
            for body in hippocampus.lost(memory):
                hippocampus.ways.sketches.note_place(memory, body)
        self._judge(memory, free, learning)
        memory["aim"] = goal.copy()
        ways = hippocampus.ways
        if not len(hippocampus.boundaries) and not memory["bumped"].any() and wanted.all():
            return
        for body in range(len(goal)):
            if wanted[body]:
                cell, sketch = int(memory["cell"][body]), ways.sketches.of(memory, body)
                aim = ways.subgoal(cell, memory["place"][body], goal[body], False, sketch, "broad")
                memory["aim"][body] = aim
            elif (place := ways.search(memory, body)) is not None:
                memory["aim"][body] = place

    def _linger(self, memory: Memory, last: NDArray[np.int64], free: NDArray[np.bool_]) -> None:
        """Learn what it cost to come from the last cells (n,), −1 for none."""
        lingered, cell = memory["lingered"], memory["cell"]
        for body in np.flatnonzero((cell != last) & (last >= 0) & (lingered > 0)).tolist():
            way = self.pace * self._every * int(lingered[body])
            self._hippocampus.map.toil(int(last[body]), int(cell[body]), way)
        # (Counted only from a change of cell on, and while the way tells what is in it)
        again = free & ((cell != last) | (lingered > 0))
        memory["lingered"] = np.where(again, np.where(cell != last, 0, lingered) + 1, 0)

    def _judge(self, memory: Memory, free: NDArray[np.bool_], learning: bool) -> None:
        """Notice which bodies are held up, at the end of a stretch."""
        place, escape = memory["place"], memory["escape"]
        new = (memory["headed"] == 0) | ~free | (escape != 0)
        memory["escape"] = escape - np.sign(escape)
        memory["aim_from"] = np.where(new[:, None], place, memory["aim_from"])
        memory["course"] = np.where(new[:, None], 0.0, memory["course"])
        memory["headed"] = np.where(free, np.where(new, 0, memory["headed"]) + 1, 0)
        coarser = False
        for body in np.flatnonzero(memory["headed"] > self._STRETCH).tolist():
            memory["headed"][body] = 0
            steps = self._STRETCH * self._every
            gone = float(np.linalg.norm(place[body] - memory["aim_from"][body])) / steps
            ahead, aside = memory["course"][body] / steps
            held_up, turned = gone < self._STALLED * self.pace, ahead > self._TURNED
            if held_up and turned:
                self._bump(memory, body, learning)
            elif turned and learning:
                rate = self._RATE if self.pace else 1.0
                self.pace += rate * (gone - self.pace)
                coarser |= self.pace * self._every > self._hippocampus.config.spacing
            if turned:
                memory["unturned"][body] = memory["escapes"][body] = 0
            elif self._walled(memory, body):
                self._be_patient(memory, body, float(aside))
        if coarser:
            self._hippocampus.coarsen()
            self._hippocampus.recode(memory)
            self._hippocampus.sense(memory, np.zeros_like(place), memory["sight"])

    def _walled(self, memory: Memory, body: int) -> bool:
        """Whether a body knows of anything that could be in its way."""
        return bool(len(self._hippocampus.boundaries) or memory["bumped"][body])

    def _be_patient(self, memory: Memory, body: int, aside: float) -> None:
        """Let a body that does not get turned turn the other way in the end, and then this way."""
        memory["unturned"][body] += 1
        if memory["unturned"][body] >= self._PATIENCE:
            side = 1 if (aside < 0.0) == (memory["escapes"][body] % 2 == 0) else -1
            memory["escape"][body] = side * self._ESCAPE
            memory["unturned"][body] = 0
            memory["escapes"][body] += 1

    def _bump(self, memory: Memory, body: int, learning: bool) -> None:
        """Take what holds a body up for a wall."""
        back = memory["place"][body] - memory["aim"][body]
        size = float(np.linalg.norm(back))
        if size < self._ARRIVED * self._hippocampus.config.spacing:
            return
        if learning:
            self._hippocampus.bump(memory["place"][body], back / size)
        else:
            self._hippocampus.ways.sketches.note_bump(memory, body, back / size)

    def learn(self, after: Array, reward: Array) -> None:
        """Remember what was rewarding where, in a world in which goals are hidden.

        Args:
            after: (n, n_channels) after a step of bodies that crawl.
            reward: (n,) of that step.

        """
        if self.hides:
            self._prefrontal.learn(after.take(self._place, axis=1), reward)

    def state(self) -> Array:
        """Everything that is learnt, (2,), for saving."""
        return np.array([self.pace, float(self.hides)])

    def load_state(self, state: Array) -> None:
        """Take over what `state` returned."""
        self.pace, self.hides = float(state[0]), bool(state[1])


_USED = (
    "placed",
    "grid",
    "place",
    "sight",
    "cell",
    "familiar",
    "last_cell",
    "unseen_place",
    "goal",
    "holds_goal",
    "aim",
    "aim_from",
    "headed",
    "course",
    "escape",
    "lingered",
    "field_scale",
    "unturned",
    "escapes",
    "searched",
    "bumps",
    "bumped",
    "trail",
    "trailed",
)
