"""Sensorimotor memory: the latest transitions, from which the body schema is found."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class SensorimotorMemory:
    """Ring of the latest transitions (felt, done, felt next, rewarded).

    Attributes:
        before: (capacity, n_channels) observation before the step.
        after: (capacity, n_channels) observation after it.
        command: (capacity, n_motors) in [−1, 1].
        reward: (capacity,).
        episode: (capacity,) number of the episode, different for every body and episode.
        count: transitions ever stored.

    """

    def __init__(self, capacity: int, n_channels: int, n_motors: int):
        self.before = np.zeros((capacity, n_channels))
        self.after = np.zeros((capacity, n_channels))
        self.command = np.zeros((capacity, n_motors))
        self.reward = np.zeros(capacity)
        self.episode = np.zeros(capacity, np.int64)
        self.count = 0

    def store(
        self,
        before: Array,
        command: Array,
        reward: Array,
        after: Array,
        episode: NDArray[np.int64],
    ) -> None:
        """Store one transition of each of n bodies; the oldest ones are overwritten."""
        n, capacity = len(reward), len(self.reward)
        start = self.count % capacity
        rows: slice | NDArray[np.int64] = slice(start, start + n)
        if start + n > capacity:
            rows = (start + np.arange(n)) % capacity
        self.before[rows], self.after[rows] = before, after
        self.command[rows], self.reward[rows], self.episode[rows] = command, reward, episode
        self.count += n

    @property
    def rows(self) -> NDArray[np.int64]:
        """Indices of what is stored, oldest first."""
        capacity = len(self.reward)
        if self.count <= capacity:
            return np.arange(self.count)
        return np.asarray((self.count + np.arange(capacity)) % capacity, np.int64)

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        return {
            "before": self.before,
            "after": self.after,
            "command": self.command,
            "reward": self.reward,
            "episode": self.episode,
            "count": np.array(self.count),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in ("before", "after", "command", "reward", "episode"):
            getattr(self, name)[:] = state[name]
        self.count = int(state["count"])
