"""Bouts: what bodies run at the moment, for how long, and what it has earned so far."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array

FIRST, BOUT, TRIAL, RETRIAL, RECOVERY = range(5)
"""Kinds: a random program, a perturbed one, a challenger, a habit, and getting over something."""


class Bouts:
    """Keeps the books of the bouts that n bodies are in the middle of.

    Args:
        n: bodies.
        n_parameters: of a program.

    Attributes:
        parameters: (n, n_parameters) that each body runs.
        kind: (n,) of its bout.
        ticket: (n,) which of those that are tried it is; −1 where that does not matter.
        sum: (n,) reward so far.
        late: (n,) reward since the first third of the bout.
        steps: (n,) so far.
        length: (n,) steps when it is over.
        fresh: (n,) whether an episode has ended since it began.
        stranded: (n,) recoveries in a row, 0 where all is well.

    """

    _OWN = ("parameters", "kind", "ticket", "sum", "late", "steps", "length", "fresh", "stranded")

    def __init__(self, n: int, n_parameters: int):
        self.parameters = np.zeros((n, n_parameters))
        self.kind, self.ticket = np.full(n, RECOVERY), np.full(n, -1)
        self.sum, self.late = np.zeros(n), np.zeros(n)
        self.steps, self.length = np.zeros(n), np.zeros(n)
        self.fresh, self.stranded = np.ones(n, bool), np.zeros(n, np.int64)

    def begin(self, body: int, kind: int, ticket: int, parameters: Array, length: int) -> None:
        """Let a body run parameters (n_parameters,) for so many steps."""
        self.parameters[body], self.kind[body], self.ticket[body] = parameters, kind, ticket
        self.sum[body], self.late[body] = 0.0, 0.0
        self.steps[body], self.length[body] = 0.0, length
        self.fresh[body] = False

    def count(self, reward: Array, active: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Take note of one step of every body.

        Args:
            reward: (n,) of it.
            active: (n,) bodies whose bouts go on; all, if None.

        Returns:
            (n,) whose bouts have had all their steps.

        """
        self.steps += 1 if active is None else active
        self.sum += reward
        self.late += reward * (self.steps > self.length // 3)
        return np.asarray(self.steps >= self.length)

    def mean(self, body: int, lost: float = 0.0) -> float:
        """Reward per step of a body's bout; of so many steps, if `lost` to a fall.

        From a fall on reward is 0, or the mean so far where that is negative: to fall early does
        not save costs.
        """
        steps, mean = self.steps[body], self.sum[body] / self.steps[body]
        if lost:
            mean = (self.sum[body] + (lost - steps) * min(0.0, mean)) / lost
        return float(mean)

    def kept_up(self, body: int) -> float:
        """Reward per step of a body's bout, or of all but its first third if that is less.

        What a dash from standing earns, or a half turn, does not last for an episode.
        """
        late = self.steps[body] - self.length[body] // 3
        return min(self.mean(body), float(self.late[body] / late)) if late > 0 else self.mean(body)

    @property
    def last(self) -> NDArray[np.bool_]:
        """(n,) whether bouts are over with one more step."""
        return np.asarray(self.steps + 1 >= self.length)

    @property
    def practised(self) -> NDArray[np.bool_]:
        """(n,) whether a body runs what is to be judged by itself, not a habit or a challenger."""
        return np.asarray((self.kind == FIRST) | (self.kind == BOUT))

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        return {name: getattr(self, name) for name in self._OWN}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned, among other things."""
        for name in self._OWN:
            setattr(self, name, state[name].copy())
