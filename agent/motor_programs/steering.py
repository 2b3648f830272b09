"""Steering: where a crawling body is to head, and how far it is off."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from agent.heading import Heading, HeadingSense
from agent.joints import Joints
from agent.paid_direction import PaidDirection, halfway
from agent.parts import part_of
from agent.percept import Array
from agent.senses import Senses
from agent.thrift import Thrift

_HEADING = tuple(f.name for f in fields(Heading))
_CHANNELS = ("cosine", "sine", "turning", "tilts", "tilts_too")
_DRAWN = 8  # (Directions among which one with room is practised)
_ROOM = 1.5  # (Room that a bout asks for, over the way that bouts usually make)
_RATE = 0.05  # (Rate at which that way follows)
_TURN = (0.3, 1.5)  # (Radians) between how the body is turned and a direction that it practises
_SLIGHT = (0.0, 1.0)  # (The same where no goals lie all around, but one direction pays)


class Steering:
    """Looks for the heading, and says by how much each body is off.

    The heading error is the turn from how the body is turned to the bearing of its goal; where
    there is no goal, to how episodes begin. While a body tries out a perturbed program on a task
    with a goal, or knows what else would have been paid (`PaidDirection`), it heads in a direction
    of its own instead, drawn anew for every bout to one side of where it is turned: steering is
    practised from the first day, and no program is judged by where the one before has left the
    body (goal babbling, Rolf, Steil & Gienger 2010, doi:10.1109/TAMD.2010.2062511).

    Args:
        senses: channels.
        n: bodies.
        rng: for the directions practised.
        lesioned: no heading is ever found.

    Attributes:
        heading: None while none was found.

    """

    _GLANCE = 500  # (Steps between looks for the heading while there is none)

    def __init__(self, senses: Senses, n: int, rng: np.random.Generator, lesioned: bool = False):
        self._rng, self._lesioned = rng, lesioned
        self._place, self._goal = senses.achieved[:2], senses.desired[:2]
        self._sense = HeadingSense(senses.n_channels)
        self._paid, self._thrift = PaidDirection(senses.n_channels), Thrift(n)
        self.heading: Heading | None = None
        self._since_glance = 0
        self._usual = 0.0  # (Way that a bout makes, m)
        self.resize(n)

    @property
    def to_goals(self) -> bool:
        """Whether there is a place on the ground to go to."""
        return len(self._goal) == 2

    @property
    def pays(self) -> bool:
        """Whether it is known what moving in another direction would have been paid."""
        return self._paid.pay is not None

    @property
    def turned_by(self) -> NDArray[np.int64]:
        """Channels that tell how the body is turned."""
        return np.array(() if self.heading is None else self.heading.channels, np.int64)

    def resize(self, n: int) -> None:
        """Go on with n bodies, each about to choose where to head."""
        # (Bearing practised, NaN where a body heads for its goal; whether it is to be drawn)
        self._practised, self._undecided = np.full(n, np.nan), np.ones(n, bool)
        self._moved = np.zeros((n, 2))  # (Since a body has chosen, m)
        self._thrift.resize(n)

    def look(
        self,
        before: Array,
        after: Array,
        reward: Array,
        episode: NDArray[np.int64],
        steps: NDArray[np.int64],
        joints: Joints | None,
    ) -> bool:
        """Watch how the body is turned, and look for the heading and what it pays now and then.

        Args:
            before: (n, c) channels before a step.
            after: (n, c) channels after it.
            reward: (n,).
            episode: (n,) number of the episode.
            steps: (n,) since it began.
            joints: None while they are not known.

        Returns:
            Whether the heading, or what is paid, has just been found.

        """
        if self._lesioned:
            return False
        if not self.to_goals:
            self._paid.look(before, after, reward)
        if self.heading is not None:
            if self.to_goals or joints is None or not self._paid.due:
                return False
            return self._paid.find(self.heading, joints.channels)
        self._sense.look(before, after, episode, steps)
        self._since_glance += min(len(before), self._sense.watched)
        if joints is None or self._since_glance < self._GLANCE:
            return False
        self._since_glance = 0
        self.heading = self._sense.find(joints, np.append(self._place, self._goal))
        return self.heading is not None

    @property
    def heads_for_goal(self) -> NDArray[np.bool_]:
        """Whether each of n bodies heads for its goal instead of practising."""
        return np.isnan(self._practised)

    def lies(self, channels: Array) -> NDArray[np.bool_]:
        """Whether bodies (n,) of channels (n, c) are turned over, as far as is known."""
        if self.heading is None:
            return np.zeros(len(channels), np.bool_)
        return self.heading.lies(channels)

    def begin(self, bodies: NDArray[np.int64]) -> None:
        """Let bodies that begin a bout choose where to head when they feel where they are."""
        self._thrift.end(bodies, ~self.heads_for_goal[bodies])
        self._undecided[bodies] = True

    def choose(
        self,
        channels: Array,
        bodies: NDArray[np.int64],
        practising: NDArray[np.bool_],
        room: Callable[[NDArray[np.int64], Array], Array] | None = None,
        enough: float = np.inf,
    ) -> None:
        """Draw a direction for bodies that are about to choose.

        Args:
            channels: (k, c) of these bodies.
            bodies: (k,) which of the n they are.
            practising: (n,) bodies that are to practise rather than to head for their goal.
            room: asked for rows (m,) of the k and bearings (m, d), how far places are known and
                nothing is in the way, (m, d) in m; None where no place is known.
            enough: room, m, beyond which more is worth nothing.

        """
        if self.heading is None or not (self.to_goals or self.pays):
            return
        new = np.flatnonzero(self._undecided[bodies])
        if not len(new):
            return
        rows = bodies[new]
        for way in np.linalg.norm(self._moved[rows[~self.heads_for_goal[rows]]], axis=1).tolist():
            self._usual += (_RATE if self._usual else 1.0) * (way - self._usual)
        self._moved[rows] = 0.0
        way = self._drawn(channels[new], new, room, enough)[0]
        self._practised[rows] = np.where(practising[rows], way, np.nan)
        self._undecided[rows] = False

    @property
    def range(self) -> float:
        """Room that a bout asks for, m: half as much again as bouts usually take."""
        return _ROOM * self._usual

    def reconsider(
        self,
        channels: Array,
        bodies: NDArray[np.int64],
        rows: NDArray[np.int64],
        room: Callable[[NDArray[np.int64], Array], Array],
    ) -> NDArray[np.int64]:
        """Draw another direction for bodies that practise one, if there is one with more room.

        Args:
            channels: (k, c) of bodies.
            bodies: (k,) which of the n they are.
            rows: (m,) rows of the k for which to do so.
            room: see `choose`.

        Returns:
            Which of the n bodies have turned to another.

        """
        held = self._practised[bodies[rows]]
        way, free = self._drawn(channels[rows], rows, room)
        better = free > room(rows, held[:, None])[:, 0]
        turned = bodies[rows[better]]
        self._practised[turned] = way[better]
        return turned

    def _drawn(
        self,
        channels: Array,
        rows: NDArray[np.int64],
        room: Callable[[NDArray[np.int64], Array], Array] | None,
        enough: float = np.inf,
    ) -> tuple[Array, Array]:
        """Bearings (m,), the first of some drawn with enough room or the most, and how much, m."""
        assert self.heading is not None
        drawn = len(rows) if room is None else (_DRAWN, len(rows))
        side = self._rng.choice([-1.0, 1.0], drawn)
        turn = _TURN if self.to_goals else _SLIGHT
        way = self.heading.angle(channels) + side * self._rng.uniform(*turn, drawn)
        if room is None:
            return way, np.full(len(rows), np.inf)
        free = np.minimum(room(rows, way.T), enough)
        widest, row = free.argmax(axis=1), np.arange(len(rows))
        return way[widest, row], free[row, widest]

    def practised(self, bodies: NDArray[np.int64]) -> Array:
        """Bearings (k,) that bodies (k,) practise, rad, NaN where they head for their goals."""
        return self._practised[bodies]

    def error(
        self,
        channels: Array,
        bodies: NDArray[np.int64] | None = None,
        off: Array | None = None,
        aim: Array | None = None,
    ) -> Array | None:
        """Heading error (k,) in rad, None where no heading is known.

        Args:
            channels: (k, c).
            bodies: (k,) which of those that learn they are; None for goals alone.
            off: (k,) turn believed beyond the heading that is felt, rad.
            aim: (k, 2) places to head for on the way to the goals, m; None for the goals.

        """
        if self.heading is None:
            return None
        turn = -self.heading.angle(channels)
        if off is not None:
            turn -= off
        if self.to_goals:
            way = (channels[:, self._goal] if aim is None else aim) - channels[:, self._place]
            bearing = np.arctan2(way[:, 1], way[:, 0])
        else:
            bearing = np.zeros(len(turn))
        if bodies is not None:
            own = self._practised[bodies]
            bearing = np.where(np.isnan(own), bearing, own)
        turn += bearing
        return np.asarray(turn - 2 * np.pi * np.rint(turn / (2 * np.pi)))

    def watch(self, before: Array, after: Array) -> None:
        """Take note of how far bodies get in a step, from channels (n, c) to channels (n, c)."""
        if self.to_goals:
            self._moved += after[:, self._place] - before[:, self._place]

    def approach(self, before: Array, after: Array, aim: Array) -> tuple[Array, Array]:
        """Way (n,) made towards where each body heads, and distance (n,) from its goal, both in m.

        Args:
            before: (n, c) channels before a step.
            after: (n, c) channels after it.
            aim: (n, 2) places to head for on the way to the goals, m.

        """
        start, end = before[:, self._place], after[:, self._place]
        closer = np.linalg.norm(start - aim, axis=1) - np.linalg.norm(end - aim, axis=1)
        moved = end - start
        along = moved[:, 0] * np.cos(self._practised) + moved[:, 1] * np.sin(self._practised)
        away = np.linalg.norm(end - after[:, self._goal], axis=1)
        return np.where(np.isnan(self._practised), closer, along), away

    def paid(self, before: Array, after: Array, reward: Array) -> Array:
        """Worth (n,) of a step as if the direction that each body practises were the paid one.

        Args:
            before: (n, c) channels before a step.
            after: (n, c) channels after it.
            reward: (n,) received.

        """
        pay, heading = self._paid.pay, self.heading
        if pay is None or heading is None or self.heads_for_goal.all():
            return reward
        turned = halfway(heading, before, after)
        own = turned - np.nan_to_num(self._practised)
        gained, rest = pay.of(before, after, own), reward - pay.of(before, after, turned)
        return np.where(self.heads_for_goal, reward, self._thrift.weigh(gained, rest))

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"sense.{k}": v for k, v in self._sense.state().items()}
        state |= {f"paid.{k}": v for k, v in self._paid.state().items()}
        state |= {f"thrift.{k}": v for k, v in self._thrift.state().items()}
        state["since_glance"] = np.array(self._since_glance)
        state["practises"] = ~np.isnan(self._practised)  # (Files hold no NaN)
        state["practised"] = np.nan_to_num(self._practised)
        state["undecided"] = self._undecided
        state["moved"], state["usual"] = self._moved, np.array(self._usual)
        heading = self.heading
        state["heading"] = (
            np.zeros(0)
            if heading is None
            else np.array([getattr(heading, name) for name in _HEADING], float)
        )
        return state

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        parts = ("sense.", self._sense), ("paid.", self._paid), ("thrift.", self._thrift)
        for prefix, part in parts:
            part.load_state(part_of(state, prefix))
        self._since_glance = int(state["since_glance"])
        self._practised = np.where(state["practises"], state["practised"], np.nan)
        self._undecided = state["undecided"].copy()
        self._moved, self._usual = state["moved"].copy(), float(state["usual"])
        self.heading = None
        if len(state["heading"]):
            found = dict(zip(_HEADING, state["heading"].tolist(), strict=True))
            self.heading = Heading(
                **{name: int(x) if name in _CHANNELS else x for name, x in found.items()}
            )
