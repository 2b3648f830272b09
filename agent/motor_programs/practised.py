"""Practised movements under way: kept on their courses with as little thought as can be."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.cerebellum import Cerebellum
from agent.percept import Array, Body
from agent.senses import Senses, full_at_most
from agent.spinal_cord import SpinalCord
from agent.working_memory import STRETCH, Memory

Part = slice | NDArray[np.int64]
"""Columns of an array; a slice where they lie side by side, which costs nothing to take."""

_STRETCH, _STEP = np.array(STRETCH), np.array(1)  # (Arrays need no conversion)


class Layout(NamedTuple):
    """Where in the channels is what a practised movement needs.

    Attributes:
        felt: (2 n_joints,) angles or their sines, then velocities.
        cosine: of the angles, where all of them are given so; else None.
        mixed: whether some of the angles are given one way, and some the other.
        outcome: what is to be brought to the goal.
        setting: goal and context.

    """

    felt: NDArray[np.int64]
    cosine: Part | None
    mixed: bool
    outcome: Part
    setting: Part


def layout(body: Body) -> Layout:
    """Say where in the channels is what a practised movement of a body needs."""
    turns = body.periodic
    return Layout(
        felt=np.concatenate([body.sine, body.velocity]),
        cosine=_part(body.cosine) if turns.all() else None,
        mixed=bool(turns.any() and not turns.all()),
        outcome=_part(body.outcome),
        setting=_part(np.concatenate([body.goal, body.context])),
    )


def _part(columns: NDArray[np.int64]) -> Part:
    side_by_side = len(columns) > 0 and bool((np.diff(columns) == 1).all())
    return slice(int(columns[0]), int(columns[-1]) + 1) if side_by_side else columns


class Now(NamedTuple):
    """Where bodies are on their courses.

    Attributes:
        felt: (n, 2 n_joints) angles, rad, and velocities, rad/s.
        course: (n, 3 n_motors + 1) angles, velocities and commands that the course has now, and
            whether it is time to look for the goal.
        way: (n, 2 n_joints) from what is felt to the course.

    """

    felt: Array
    course: Array
    way: Array


class _Settings(NamedTuple):
    """What stays the same as long as nothing is learnt, in units of a step h.

    Attributes:
        feedback: (2 n_joints, n_joints) acceleration by `way`, over h.
        strength: (n_joints,) the spinal cord's own array of strongest accelerations.
        strongest: (n_joints,) of them, over h.
        weakest: the same, negative.
        rate: of the fast state.
        bound: (n_motors,) errors that it follows at most.
        least: the same, negative.

    """

    feedback: Array
    strength: Array
    strongest: Array
    weakest: Array
    rate: Array
    bound: Array
    least: Array


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
    _for: tuple[int, float, int] = -1, 0.0, 0
    _settings: _Settings | None = None
    _rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def layout(self, body: Body) -> Layout:
        """Where in the channels everything is."""
        if self._where[0] is not body or self._where[1] is None:
            self._where = body, layout(body)
        assert self._where[1] is not None
        return self._where[1]

    def look(self, memory: Memory, channels: Array, where: Layout, body: Body) -> Now:
        """Compare what is felt with the courses."""
        if len(self._rows) != len(channels):
            self._rows = np.arange(len(channels))
        felt: Array = channels.take(where.felt, axis=1)
        m = felt.shape[1] // 2
        if where.mixed:
            felt[:, :m] = self.senses.angles(channels, body)
        elif where.cosine is not None:
            felt[:, :m] = np.arctan2(felt[:, :m], channels[:, where.cosine])
        course = memory["habit_course"][self._rows, memory["plan_step"]]
        return Now(felt, course, course[:, : 2 * m] - felt)

    def begin(self, memory: Memory, rows: NDArray[np.int64], inertia: Array, step: float) -> None:
        """Note the inertia (k, stretches, n_joints, n_motors) of movements that bodies begin."""
        over_time = np.swapaxes(inertia, 2, 3) / step
        memory["habit_inertia"][rows, : inertia.shape[1]] = over_time
        memory["habit_slip"][rows] = 0.0
        memory["habit_given"][rows] = memory["last_command"][rows]

    def run(
        self,
        memory: Memory,
        channels: Array,
        now: Now,
        where: Layout,
        step: float,
        noise: Array | None,
    ) -> Array:
        """Command (n, n_motors) that keeps every body on its course.

        Args:
            memory: of n bodies; updated.
            channels: (n, n_channels).
            now: what `look` returned.
            where: layout.
            step: of control, s.
            noise: (n, n_motors) to explore with.

        """
        felt, course, way = now
        m, t = felt.shape[1] // 2, memory["plan_step"]
        s = self._settings
        known = self.cerebellum.learnt, step, m
        if s is None or self._for != known or s.strength is not self.spinal_cord.strongest:
            s = self._set(step, m)
        slip = way[:, m:]
        push = np.empty((len(t), 2, m))
        np.subtract(slip, memory["habit_slip"], out=push[:, 0])
        pull = way @ s.feedback
        np.minimum(np.maximum(pull, s.weakest), s.strongest, out=push[:, 1])
        pushed = push @ memory["habit_inertia"][self._rows[: len(t)], t // _STRETCH]
        missed = memory["last_command"] - memory["habit_given"]
        missed += pushed[:, 0]
        missed = np.minimum(np.maximum(missed, s.least), s.bound)
        missed *= s.rate
        missed += memory["fast_state"]
        given = course[:, 2 * m : 3 * m] + missed
        command = given + pushed[:, 1]
        if noise is not None:
            command += noise
        memory["fast_state"], memory["habit_given"] = missed, given
        memory["plan_step"], memory["habit_slip"] = t + _STEP, slip
        memory["last_angle"], memory["last_velocity"] = felt[:, :m], felt[:, m:]
        outcome = channels[:, where.outcome]
        memory["last_outcome"][:, : outcome.shape[1]] = outcome
        memory["last_command"] = command = full_at_most(command)
        return command

    def _set(self, step: float, m: int) -> _Settings:
        """Work out what stays the same until something is learnt."""
        pull, brake = self.spinal_cord.feedback(step)
        strength = self.spinal_cord.strongest
        strongest = step * np.broadcast_to(strength, (m,))
        rate, bound = self.cerebellum.fast()
        feedback = step * np.concatenate([pull * np.eye(m), brake * np.eye(m)])
        settings = _Settings(
            feedback, strength, strongest, -strongest, np.array(rate), bound, -bound
        )
        self._for, self._settings = (self.cerebellum.learnt, step, m), settings
        return settings
