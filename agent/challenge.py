"""Challenge: the centre of a search is tried against the habit, and what follows from that."""

import numpy as np
from numpy.typing import NDArray

from agent.habits import Habits
from agent.percept import Array

_NOTHING = -float(np.finfo(float).max)  # (Less than any search has promised)


class Challenge:
    """Trials of one challenger after the other.

    A challenger is beaten as soon as its trials are worse than the habit on average, and becomes a
    habit when it has had all of them. A search whose challenger is beaten is given up, unless this
    challenger did better than its last one, and begins anew from the habit; after several of
    these in a row it begins elsewhere.

    Args:
        n_parameters: of a program.
        trials: that a challenger has to win on average.
        setbacks: searches given up in a row after which one begins elsewhere.

    Attributes:
        challenger: (n_parameters,).
        due: whether a trial of it is to come.
        retry: whether the habit is to be tried once more.
        given_up: whether the search is.
        elsewhere: whether the search has begun far from the habit.

    """

    _FLAGS = ("due", "retry", "given_up", "elsewhere")

    def __init__(self, n_parameters: int, trials: int, setbacks: int):
        self._all, self._most = trials, setbacks
        self.challenger, self._trials = np.zeros(n_parameters), np.zeros(0)
        self.forget()

    def forget(self) -> None:
        """Nothing was lost, and nothing is promised."""
        self.due, self.retry, self.given_up, self.elsewhere = False, False, False, False
        self._setbacks, self._promise = 0, _NOTHING

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
        self.given_up = beaten and mean <= self._promise
        self._setbacks = self._setbacks + self.given_up if beaten else 0
        self.elsewhere &= beaten
        self._promise = mean
        self.retry = beaten  # (What beats challengers is to show that it still can)

    def renew(self, worth: float) -> bool:
        """Begin another search; returns whether elsewhere, not from the habit, of this worth."""
        self.given_up, self.elsewhere = False, self._setbacks >= self._most
        self._promise = _NOTHING if self.elsewhere else worth
        if self.elsewhere:
            self._setbacks = 0
        return self.elsewhere

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        return {
            "challenger": self.challenger,
            "trials": self._trials,
            "flags": np.array([getattr(self, name) for name in self._FLAGS]),
            "setbacks": np.array(self._setbacks),
            "promise": np.array(self._promise),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.challenger, self._trials = state["challenger"].copy(), state["trials"].copy()
        self._setbacks, self._promise = int(state["setbacks"]), float(state["promise"])
        for name, flag in zip(self._FLAGS, state["flags"].tolist(), strict=True):
            setattr(self, name, flag)
