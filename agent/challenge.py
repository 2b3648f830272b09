"""Challenge: the centre of a search is tried against the habit."""

import numpy as np
from numpy.typing import NDArray

from agent.habits import Habits
from agent.percept import Array


class Challenge:
    """Trials of one challenger after the other.

    A challenger is beaten as soon as its trials are worse than the habit on average, and becomes a
    habit when it has had all of them.

    Args:
        n_parameters: of a program.
        trials: that a challenger has to win on average.
        setbacks: challengers beaten in a row after which the search is given up.

    Attributes:
        challenger: (n_parameters,).
        due: whether a trial of it is to come.
        retry: whether the habit is to be tried once more.

    """

    _FLAGS = ("due", "retry")

    def __init__(self, n_parameters: int, trials: int, setbacks: int):
        self._all, self._most = trials, setbacks
        self.challenger, self._trials = np.zeros(n_parameters), np.zeros(0)
        self.forget()

    def forget(self) -> None:
        """Nothing was lost, and nobody challenges."""
        self.due, self.retry, self._setbacks = False, False, 0

    def begin(self, challenger: Array, retry: bool) -> None:
        """Challenge the habit, which is to be tried first if `retry`."""
        self.challenger, self._trials, self.due = challenger, np.zeros(0), True
        self.retry |= retry

    def judge(self, parameters: Array, earned: float, habits: Habits) -> None:
        """Take note of a trial of parameters (n_parameters,); of others than asked for, nothing."""
        if not self.due or not np.array_equal(parameters, self.challenger):
            return
        self._trials = np.append(self._trials, earned)
        mean, enough = float(self._trials.mean()), len(self._trials) >= self._all
        beaten = len(habits) > 0 and mean < habits.mean[habits.best]
        self.due = not beaten and not enough
        if self.due:
            return
        if not beaten:
            habits.add(self.challenger, self._trials.tolist())
        self._setbacks = self._setbacks + 1 if beaten else 0
        self.retry = beaten  # (What beats challengers is to show that it still can)

    @property
    def given_up(self) -> bool:
        """Whether the search has lost so often that it is to begin anew."""
        return self._setbacks >= self._most

    def renew(self) -> None:
        """Begin the search anew: nothing is lost yet."""
        self._setbacks = 0

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        return {
            "challenger": self.challenger,
            "trials": self._trials,
            "flags": np.array([getattr(self, name) for name in self._FLAGS]),
            "setbacks": np.array(self._setbacks),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.challenger, self._trials = state["challenger"].copy(), state["trials"].copy()
        self._setbacks = int(state["setbacks"])
        for name, flag in zip(self._FLAGS, state["flags"].tolist(), strict=True):
            setattr(self, name, flag)
