"""Working memory: what a body is in the middle of. Never weights."""

import numpy as np
from numpy.typing import NDArray

Memory = dict[str, NDArray]

REST, BABBLE, REACH, CRAWL = -1, 0, 1, 2


def new_memory(n: int, n_motors: int, n_channels: int, horizon: int) -> Memory:
    """Working memory of n bodies at the start of an episode; every array is (n, …).

    Keys: `steps` since the episode began; `episode` number, −1 outside training; `program`;
    `phase` of the rhythm, rad; `babble` command and its `strength`; `felt` whether there was a
    step before, with `last_angle`, `last_velocity`, `last_command`, `last_outcome`; `fast_state`
    of the cerebellum; `visual_bias` seen minus expected outcome; the plan: `plan_angle`,
    `plan_velocity`, `plan_acceleration`, `plan_reward` over its `plan_length` (0 where there is
    none), how far it is (`plan_step`), its `plan_vigour`, the `plan_setting` (channels) and
    `plan_bias` it was made for, and the `shift` of its postures by what was seen since; `stuck`
    steps that each joint has been held up, the side on which it met a `wall` in this episode
    (−1, 1, 0 none), `wall_angle`.
    """
    zeros = np.zeros
    return {
        "steps": zeros(n, np.int64),
        "episode": np.full(n, -1, np.int64),
        "program": np.full(n, REST, np.int64),
        "phase": zeros(n),
        "babble": zeros((n, n_motors)),
        "strength": zeros(n),
        "felt": zeros(n, np.bool_),
        "last_angle": zeros((n, n_motors)),
        "last_velocity": zeros((n, n_motors)),
        "last_command": zeros((n, n_motors)),
        "last_outcome": zeros((n, 3)),
        "fast_state": zeros((n, n_motors)),
        "visual_bias": zeros((n, 3)),
        "plan_angle": zeros((n, horizon + 1, n_motors)),
        "plan_velocity": zeros((n, horizon + 1, n_motors)),
        "plan_acceleration": zeros((n, horizon, n_motors)),
        "plan_reward": zeros((n, horizon)),
        "plan_length": zeros(n, np.int64),
        "plan_step": zeros(n, np.int64),
        "plan_vigour": zeros(n, np.int64),
        "plan_setting": zeros((n, n_channels)),
        "plan_bias": zeros((n, 3)),
        "shift": zeros((n, n_motors)),
        "stuck": zeros((n, n_motors), np.int64),
        "wall": zeros((n, n_motors)),
        "wall_angle": zeros((n, n_motors)),
    }


_NONE = ("episode", "program", "key_shown", "key_held", "key_program", "key_done", "key_last")
_AT_START = dict.fromkeys(_NONE, -1) | {"key_fresh": 1}
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


def rows_of(memory: Memory, rows: NDArray[np.int64]) -> Memory:
    """Copy of the working memory of some bodies."""
    return {name: value[rows] for name, value in memory.items()}
