"""Practised movements under way: kept on their courses with as little thought as can be."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.cerebellum import Cerebellum
from agent.percept import Array, Body
from agent.senses import Senses
from agent.spinal_cord import SpinalCord
from agent.working_memory import NOWHERE, Memory

Part = slice | NDArray[np.int64]
"""Columns of an array; a slice where they lie side by side, which costs nothing to take."""

_STEP = np.array(1)  # (Arrays need no conversion)
_HARDLY = 1e-3  # (Share of a velocity, rad/s, that never adds up to a doubt)
LOOK = NOWHERE
"""What stands in a course, after angles and velocities, where it is time to look for the goal."""


class Layout(NamedTuple):
    """Where in the channels is what a practised movement needs, in the order of a course.

    Attributes:
        felt: (2 n_joints + 4 + settings,) angles or their sines, velocities, the first velocity
            once more (against it stands whether to look), the outcome (its first channel again
            where it has fewer than three), goal and context.
        cosine: of the angles, where all of them are given so; else None.
        mixed: whether some of the angles are given one way, and some the other.
        setting: goal and context.
        course: where `felt` stands in a row of a course.
        answer: (f, 2 n_joints + f), f = 2 n_joints + 4 + settings: from the way to the course to
            room for the change of the slip s, to the change of velocity over a step h that the
            reflex asks for, rad/s, and to how far each is off over what it may be off by before it
            is looked at closer.

    """

    felt: NDArray[np.int64]
    cosine: Part | None
    mixed: bool
    setting: Part
    course: slice
    answer: Array


def layout(body: Body, angle: float, setting: float, reflex: tuple[float, float]) -> Layout:
    """Say where in the channels is what a practised movement of a body needs.

    Args:
        body: whose channels they are.
        angle: rad by which a joint may be off.
        setting: by how much goal and context may change.
        reflex: acceleration per rad and per rad/s that a joint is off.

    """
    turns, m = body.periodic, len(body.sine)
    around = np.concatenate([body.goal, body.context])
    outcome = np.full(3, body.outcome[0])
    outcome[: len(body.outcome)] = body.outcome
    doubts = np.repeat([1.0 / angle, 0.0, _HARDLY, 0.0, 1.0 / setting], [m, m, 1, 3, len(around)])
    joint, answer = np.arange(m), np.zeros((len(doubts), 2 * m))
    answer[joint, m + joint], answer[m + joint, m + joint] = body.step * np.array(reflex)
    begin = m + m * m
    return Layout(
        felt=np.concatenate([body.sine, body.velocity, body.velocity[:1], outcome, around]),
        cosine=_part(body.cosine) if turns.all() else None,
        mixed=bool(turns.any() and not turns.all()),
        setting=_part(around),
        course=slice(begin, begin + len(doubts)),
        answer=np.hstack([answer, np.diag(doubts)]),
    )


def _part(columns: NDArray[np.int64]) -> Part:
    side_by_side = len(columns) > 0 and bool((np.diff(columns) == 1).all())
    return slice(int(columns[0]), int(columns[-1]) + 1) if side_by_side else columns


class Routine(NamedTuple):
    """Practised movements of k bodies over h steps.

    What is kept of one step is a row of numbers: commands, inertia (transposed, over h), then what
    is to be felt, in the order of `Layout.felt`, with `LOOK` against the second first velocity
    where it is time to look for the goal. From the end on it is `NOWHERE`.

    Attributes:
        angle: (k, h, n_joints) rad.
        velocity: (k, h, n_joints) rad/s.
        command: (k, h, n_motors).
        inertia: (k, h, n_joints, n_motors) command per acceleration.
        look: (h,) whether it is time to look.
        setting: (k, settings) goal and context that it was made for.

    """

    angle: Array
    velocity: Array
    command: Array
    inertia: Array
    look: NDArray[np.bool_]
    setting: Array

    def rows(self, shape: tuple[int, ...], step: float) -> Array:
        """Put down what is kept of it, (k, *shape), at control steps of so many seconds."""
        k, h, m = self.angle.shape
        rows = np.full((k, *shape), NOWHERE)
        known = rows[:, :h]
        known[..., :m] = self.command
        at = m + m * m
        np.divide(
            self.inertia.swapaxes(2, 3),
            step,
            out=known[..., m:at].reshape(k, h, m, m, copy=False),
        )
        known[..., at : at + m], known[..., at + m : at + 2 * m] = self.angle, self.velocity
        at += 2 * m
        known[..., at] = LOOK * self.look
        known[..., at + 1 : at + 4] = 0.0
        known[..., at + 4 : at + 4 + self.setting.shape[1]] = self.setting[:, None]
        return rows


class Now(NamedTuple):
    """Where bodies are on their courses.

    Attributes:
        felt: (n, 2 n_joints + 4 + settings) angles, rad, velocities, rad/s, and what is around.
        course: (n, …) the row that the course has now.
        way: (n, 2 n_joints + 4 + settings) from what is felt to the course.
        answer: (n, …) to that, see `Layout.answer`.
        well: whether all is well at a glance: every body is on a course, where it is not the
            time to look for the goal, nothing around has changed, and no joint is far off.

    """

    felt: Array
    course: Array
    way: Array
    answer: Array
    well: bool


@dataclass
class Practised:
    r"""Keeps bodies on the courses of practised movements.

    The course has angles q*, velocities v*, commands u* and inertia M. Nothing is imagined and
    nothing chosen on the way:

    .. math:: u_t = u^*_t + M \left( \omega^2 (q^*_t - q_t) + 2 \zeta \omega (v^*_t - v_t) \right)
        + b_t, \qquad b_t = b_{t-1} + \rho \left( u_{t-1} - u^*_{t-1} + M (s_t - s_{t-1}) / h -
        b_{t-1} \right), \qquad s = v^* - v

    with the reflex of `agent.spinal_cord.SpinalCord` and the fast state of
    `agent.cerebellum.Cerebellum`: what was given beyond the prepared command, and yet did not
    speed the joints up, is needed.
    """

    senses: Senses
    cerebellum: Cerebellum
    spinal_cord: SpinalCord
    _where: tuple[Body | None, Layout | None] = None, None
    _fast: tuple[int, Array, Array, float] = -1, np.zeros(()), np.zeros(0), 0.0
    _first: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def layout(self, body: Body, angle: float, setting: float) -> Layout:
        """Where in the channels everything is; arguments as those of `layout`, fixed per body."""
        known, where = self._where
        if where is None or known is not body:
            where = layout(body, angle, setting, self.spinal_cord.feedback(body.step))
            self._where = body, where
        return where

    def look(self, memory: Memory, channels: Array, where: Layout, body: Body) -> Now:
        """Compare what is felt with the courses."""
        felt: Array = channels.take(where.felt, 1)
        if where.mixed:
            felt[:, : len(body.sine)] = self.senses.angles(channels, body)
        elif where.cosine is not None:
            angle = felt[:, : len(body.sine)]
            np.arctan2(angle, channels[:, where.cosine], angle)
        course = self._row(memory["habit_course"], memory["plan_step"])
        way = course[:, where.course] - felt
        answer = way.dot(where.answer)
        off = answer[:, -way.shape[1] :].ravel()
        # (The sum of squares is quicker than the largest, and no less.)
        well = off.dot(off) <= 1.0 or (len(way) > 1 and np.abs(off).max() <= 1.0)
        return Now(felt, course, way, answer, bool(well))

    def _row(self, courses: Array, step: NDArray[np.int64]) -> Array:
        """Row (n, …) that each course (n, h, …) has at its step (n,)."""
        n, steps, width = courses.shape
        if n == 1:  # (By far the most usual, and a view is quicker than a copy.)
            return courses[:, step.item()]
        if len(self._first) != n:
            self._first = steps * np.arange(n)  # (Row in which each body's course begins)
        return courses.reshape(-1, width).take(self._first + step, 0)

    def begin(self, memory: Memory, rows: NDArray[np.int64], course: Routine, step: float) -> None:
        """Let bodies `rows` begin movements."""
        memory["habit_course"][rows] = course.rows(memory["habit_course"].shape[1:], step)
        memory["habit_slip"][rows] = 0.0
        memory["habit_given"][rows] = memory["last_command"][rows]

    def run(self, memory: Memory, now: Now, noise: Array | None) -> Array:
        """Command (n, n_motors) that keeps every body on its course, perhaps beyond full strength.

        What is given of it in the end is expected as `last_command`.

        Args:
            memory: of n bodies; updated, none of its arrays written to.
            now: what `look` returned; its answer is used up.
            noise: (n, n_motors) to explore with.

        """
        felt, course, way, answer, _ = now
        last = memory["last_command"]
        n, m = last.shape
        learnt, rate, bound, far = self._fast
        if learnt != self.cerebellum.learnt:
            learnt, rate, bound, far = self._set()
        slip = way[:, m : 2 * m]
        np.subtract(slip, memory["habit_slip"], answer[:, :m])
        asked, inertia = answer[:, : 2 * m].reshape(n, 2, m), course[:, m : m + m * m]
        if n == 1:
            pushed = asked[0].dot(inertia.reshape(m, m))[None]
        else:
            pushed = asked @ inertia.reshape(n, m, m)
        missed = last - memory["habit_given"]
        missed += pushed[:, 0]
        size = missed.ravel()
        if size.dot(size) > far:
            missed = np.minimum(np.maximum(missed, -bound), bound)
        missed *= rate
        missed += memory["fast_state"]
        given = course[:, :m] + missed
        command = given + pushed[:, 1]
        if noise is not None:
            command += noise
        memory["fast_state"], memory["habit_given"] = missed, given
        memory["plan_step"], memory["habit_slip"] = memory["plan_step"] + _STEP, slip
        memory["last_angle"], memory["last_velocity"] = felt[:, :m], felt[:, m : 2 * m]
        memory["last_outcome"] = felt[:, 2 * m + 1 : 2 * m + 4]
        return command

    def _set(self) -> tuple[int, Array, Array, float]:
        """Work out what stays the same until something is learnt.

        Returns:
            How much was learnt, the rate of the fast state, the errors (n_motors,) that it follows
            at most, and the sum of squares up to which none can be beyond that.

        """
        rate, bound = self.cerebellum.fast()
        self._fast = self.cerebellum.learnt, np.array(rate), bound, float(bound.min() ** 2)
        return self._fast
