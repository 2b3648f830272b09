"""Working memory: what a body is in the middle of. Never weights."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Memory = dict[str, NDArray]

REST, BABBLE, REACH, CRAWL, TRAVEL = -1, 0, 1, 2, 3

NOWHERE = 1e6
"""What a course of which there is none consists of: every body is far from it."""

_BUMPS = 24  # Bumps kept in mind
_TRAIL = 48  # Places off the map kept in mind

SEARCHED = 512
"""Place cells of which it is kept in mind whether the body was there; then numbers recur."""

LONGEST = 16
"""Commands of which copies are kept: steps of delay below which one is found."""


def course_width(n_motors: int, n_channels: int) -> int:
    """Numbers of one step of a practised movement, as many as there can be."""
    return 3 * n_motors + n_motors**2 + 4 + n_channels


def new_memory(n: int, n_motors: int, n_channels: int, horizon: int, n_phases: int = 0) -> Memory:
    """Working memory of n bodies at the start of an episode; every array is (n, …).

    Keys: `steps` since the episode began; `episode` number, −1 outside training; `program`;
    `phase` of the rhythm, rad; for how many steps fear has it still `frozen`, and for how many it
    has `borne` fear that no fall followed; `babble` command and its `strength`; `felt` whether
    there was a step before, with `last_angle`, `last_velocity`, `last_command`, `last_outcome`;
    `fast_state` of the cerebellum, and what its model `missed` at the step before if that was
    `learnt` from;
    `visual_bias` seen minus expected outcome; where the outcome was seen and
    felt when the episode began (`origin_seen`, `origin_felt`), the seen `way` aimed at and its
    visuomotor `turn`, how far joints have moved since the look has changed (`unseen`); `copies` of
    the latest commands, the last one first, and how many (`copied`); the plan:
    `plan_angle`, `plan_velocity`, `plan_acceleration`, `plan_reward` over its `plan_length` (0
    where there is none), how far it is (`plan_step`), its `plan_vigour`, the `plan_setting`
    (channels) and `plan_bias` it was made for, and the `shift` of its postures by what was seen
    since; how it came about (`habit`, see `agent.motor_programs.skill`), and of a habit its
    `habit_course` (see `agent.motor_programs.practised.Routine`), how far velocities were off and
    what command was prepared a step before (`habit_slip`, `habit_given`), what it was to bring
    (`habit_expected`) and has brought (`habit_earned`);
    `stuck`
    steps that each joint has been held up, the side on which it met a `wall` in this episode
    (−1, 1, 0 none), `wall_angle`.

    Of a body that crawls: the channels `sensed` at the step before and whether there was one
    (`sensing`), the angle that was wanted (`joint_wanted`), the `joint_angle` and `joint_velocity`
    believed then, the `joint_change` that led there, per time, where its velocities alone have led
    it since it moved (`joint_led`), and for how many steps a sensor has stood still (`stuck_angle`,
    `stuck_velocity`, `stuck_heading`), the turn believed beyond the heading that is felt
    (`heading_off`), and whether a heading that moves was felt in this episode (`oriented`).

    Of a body that travels: whether it is `placed`, phases of its `grid` cells, the `place` that
    they stand for and the one last in `sight`; the active place `cell`, how `familiar` it is, and
    the last one, plus 1 (`last_cell`); the `goal` held and whether there is one (`holds_goal`); the
    subgoal it makes for (`aim`), steps until it is chosen anew (`aim_left`) and whether it is the
    goal (`aim_last`), where it was then (`aim_from`), and how many more times it chooses carefully
    because it was held up (`careful`), and how often it was (`stalls`); the velocity `expected`,
    the `velocity_noise` ρ² of the one that is felt; whether its place is not seen (`unseen_place`);
    the cells at which it has looked for a goal in vain (`searched`); where it bumped while it
    performed, and the unit vectors away from there (`bumps`, the first `bumped` of them); where it
    was off the map while it performed (`trail`, the first `trailed` of them); the way
    it explores, plus 1 (`quest`) and steps left (`quest_left`). One that crawls to places has some
    of these, too, and the looks since its way is judged (`headed`), sums of cosine and sine of its
    heading error since then (`course`), and for how many more looks it turns to the left, or to
    the right if negative, to get free (`escape`), in how many stretches in a row it did not get
    turned (`unturned`) and how often it has tried to get free since it did (`escapes`), the looks
    since the cell has changed (`lingered`), and for fields of which size its code of places is
    (`field_scale`).
    """
    zeros = np.zeros
    return {
        "steps": zeros(n, np.int64),
        "episode": np.full(n, -1, np.int64),
        "program": np.full(n, REST, np.int64),
        "phase": zeros(n),
        "frozen": zeros(n, np.int64),
        "borne": zeros(n, np.int64),
        "babble": zeros((n, n_motors)),
        "strength": zeros(n),
        "felt": zeros(n, np.bool_),
        "last_angle": zeros((n, n_motors)),
        "last_velocity": zeros((n, n_motors)),
        "last_command": zeros((n, n_motors)),
        "last_outcome": zeros((n, 3)),
        "fast_state": zeros((n, n_motors)),
        "missed": zeros((n, n_motors)),
        "learnt": zeros(n, np.bool_),
        "visual_bias": zeros((n, 3)),
        "origin_seen": zeros((n, 3)),
        "origin_felt": zeros((n, 3)),
        "way": zeros((n, 3)),
        "turn": zeros((n, 4)),
        "unseen": zeros(n),
        "copies": zeros((n, LONGEST, n_motors)),
        "copied": zeros(n, np.int64),
        "plan_angle": zeros((n, horizon + 1, n_motors)),
        "plan_velocity": zeros((n, horizon + 1, n_motors)),
        "plan_acceleration": zeros((n, horizon, n_motors)),
        "plan_reward": zeros((n, horizon)),
        "plan_length": zeros(n, np.int64),
        "plan_step": zeros(n, np.int64),
        "plan_vigour": zeros(n, np.int64),
        "plan_setting": zeros((n, n_channels)),
        "plan_bias": zeros((n, 3)),
        "habit": zeros(n, np.int64),
        "habit_course": np.full((n, horizon + 1, course_width(n_motors, n_channels)), NOWHERE),
        "habit_slip": zeros((n, n_motors)),
        "habit_given": zeros((n, n_motors)),
        "habit_expected": zeros(n),
        "habit_earned": zeros(n),
        "shift": zeros((n, n_motors)),
        "stuck": zeros((n, n_motors), np.int64),
        "wall": zeros((n, n_motors)),
        "wall_angle": zeros((n, n_motors)),
        "sensed": zeros((n, n_channels)),
        "sensing": zeros(n, np.bool_),
        "joint_angle": zeros((n, n_motors)),
        "joint_velocity": zeros((n, n_motors)),
        "joint_change": zeros((n, n_motors)),
        "joint_led": zeros((n, n_motors)),
        "joint_wanted": zeros((n, n_motors)),
        "stuck_angle": zeros((n, n_motors), np.int64),
        "stuck_velocity": zeros((n, n_motors), np.int64),
        "stuck_heading": zeros(n, np.int64),
        "heading_off": zeros(n),
        "oriented": zeros(n, np.bool_),
        "placed": zeros(n, np.bool_),
        "grid": zeros((n, n_phases)),
        "place": zeros((n, 2)),
        "sight": zeros((n, 2)),
        "cell": zeros(n, np.int64),
        "familiar": zeros(n),
        "last_cell": zeros(n, np.int64),
        "goal": zeros((n, 2)),
        "holds_goal": zeros(n, np.bool_),
        "aim": zeros((n, 2)),
        "aim_left": zeros(n, np.int64),
        "aim_last": zeros(n, np.bool_),
        "aim_from": zeros((n, 2)),
        "careful": zeros(n, np.int64),
        "stalls": zeros(n, np.int64),
        "expected": zeros((n, 2)),
        "velocity_noise": zeros(n),
        "unseen_place": zeros(n, np.bool_),
        "searched": zeros((n, SEARCHED), np.bool_),
        "bumps": zeros((n, _BUMPS, 4)),
        "bumped": zeros(n, np.int64),
        "trail": zeros((n, _TRAIL, 2)),
        "trailed": zeros(n, np.int64),
        "quest": zeros(n, np.int64),
        "quest_left": zeros(n, np.int64),
        "headed": zeros(n, np.int64),
        "course": zeros((n, 2)),
        "escape": zeros(n, np.int64),
        "unturned": zeros(n, np.int64),
        "escapes": zeros(n, np.int64),
        "lingered": zeros(n, np.int64),
        "field_scale": zeros(n),
    }


_NONE = ("episode", "program", "key_shown", "key_held", "key_program", "key_done", "key_last")
_AT_START: dict[str, float] = dict.fromkeys(_NONE, -1) | {"key_fresh": 1, "habit_course": NOWHERE}
"""What is not 0 at the start of an episode."""


def begin_episodes(memory: Memory, starts: NDArray[np.bool_], own: bool = False) -> Memory:
    """Put the bodies at `starts` (n,) at the start of an episode.

    Args:
        memory: working memory of n bodies.
        starts: (n,).
        own: whether its arrays may be written to; otherwise those that change are copied.

    Returns:
        The memory, in a dictionary of its own.

    """
    begun = dict(memory)
    if np.count_nonzero(starts):
        for name, value in begun.items():
            begun[name] = value = value if own else value.copy()
            value[starts] = _AT_START.get(name, 0)
    return begun


def number_episodes(memory: Memory, first: int) -> int:
    """Give numbers from `first` on to episodes that have none yet, and tell how many these are."""
    new = memory["episode"] < 0
    count = int(np.count_nonzero(new))
    if count:
        memory["episode"][new] = first + np.arange(count)
    return count


def note_command(memory: Memory, command: NDArray[np.float64]) -> None:
    """Keep a copy of the commands (n, n_motors) that are given now."""
    memory["copies"] = np.concatenate([command[:, None], memory["copies"][:, :-1]], axis=1)
    memory["copied"] = np.minimum(memory["copied"] + 1, LONGEST)


def make_own(memory: Memory, names: Iterable[str] | None = None) -> None:
    """Copy arrays of some names, or all, so that they may be written to."""
    memory.update({name: memory[name].copy() for name in names or memory})


def rows_of(memory: Memory, rows: NDArray[np.int64]) -> Memory:
    """Copy of the working memory of some bodies."""
    return {name: value[rows] for name, value in memory.items()}
