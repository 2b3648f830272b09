"""What a vector environment says of a step, as the brain is told it."""

import numpy as np

from policies.brain_file import Observation

Ends = tuple[Observation, np.ndarray, np.ndarray]


def successor(observation: Observation, dones: np.ndarray, infos: list[dict]) -> Ends:
    """Find what followed a step: where an episode ended, its last observation.

    A VecEnv has by then reset those bodies, and returns the first observation of the next one.

    Args:
        observation: what the VecEnv returned, (n, ·) or dict of them.
        dones: (n,) whether an episode ended.
        infos: of n bodies.

    Returns:
        The true successor, and (n,) whether the episode was terminated, whether it was truncated.

    Raises:
        ValueError: an ended episode's last observation is not told.

    """
    if not np.count_nonzero(dones):
        return observation, dones, dones
    truncated = dones & [info.get("TimeLimit.truncated", False) for info in infos]
    ends = np.flatnonzero(dones)
    if any(infos[i].get("terminal_observation") is None for i in ends):
        raise ValueError(
            "The vector environment ended an episode without telling its last observation: it must "
            'put it in info["terminal_observation"], as SB3\'s DummyVecEnv does.'
        )
    last = [infos[i]["terminal_observation"] for i in ends]
    if isinstance(observation, dict):
        after: Observation = {
            key: _replaced(part, ends, [terminal[key] for terminal in last])
            for key, part in observation.items()
        }
    else:
        after = _replaced(observation, ends, last)
    return after, dones & ~truncated, truncated


def _replaced(rows: np.ndarray, which: np.ndarray, by: list[np.ndarray]) -> np.ndarray:
    rows = rows.copy()
    rows[which] = by
    return rows
