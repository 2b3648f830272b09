"""Challenge: the centre of a search is tried against the habit."""

import numpy as np
from numpy.typing import NDArray

from agent.habits import Habits
from agent.percept import Array


class Challenge:
    """Trials of one challenger after the other.

    A challenger is beaten as soon as its trials are surely worse than the habit, that is by more
    than the standard error of the difference. It becomes a habit when it has had all of them and is
    no worse on average; else nothing has been decided, and the search goes on. A search whose
    challenger was beaten is given up unless it may be persistent: then not before so many in a row
    have been no better than one before them.

    Args:
        n_parameters: of a program.
        trials: of each challenger.
        persistence: challengers, from the best of a search on, after which it may be given up.

    Attributes:
        challenger: (n_parameters,).
        due: whether a trial of it is to come.
        retry: whether the habit is to be tried once more.
        advised: whether the challenger comes from elsewhere than the search.
        given_up: whether the search is to begin anew, as its challenger was beaten, or as advice
            has become the habit in use.
        lost: challengers of the search that were beaten since one last became a habit.

    """

    _FLAGS = ("due", "retry", "advised", "given_up")

    def __init__(self, n_parameters: int, trials: int, persistence: int = 1):
        self._all, self._persistence = trials, persistence
        self.challenger, self._trials = np.zeros(n_parameters), np.zeros(0)
        self.forget()

    def forget(self) -> None:
        """Nothing was lost, and nobody challenges."""
        self.due = self.retry = self.advised = self.given_up = False
        self.lost = 0
        self._earned = np.zeros(0)

    def begin(self, challenger: Array, retry: bool, advised: bool = False) -> None:
        """Challenge the habit, which is to be tried first if `retry`."""
        self.challenger, self._trials, self.due = challenger, np.zeros(0), True
        self.retry |= retry
        self.advised = advised

    def judge(self, parameters: Array, earned: float, habits: Habits) -> None:
        """Take note of a trial of parameters (n_parameters,); of others than asked for, nothing."""
        if not self.due or not np.array_equal(parameters, self.challenger):
            return
        self._trials = np.append(self._trials, earned)
        behind = doubt = 0.0
        if len(habits):
            behind = float(habits.mean[habits.best] - self._trials.mean())
            trials = 1.0 / len(self._trials) + 1.0 / float(habits.count[habits.best])
            doubt = habits.spread * np.sqrt(trials)
        beaten = behind > doubt
        self.due = not beaten and len(self._trials) < self._all
        if self.due:
            return
        self.retry = beaten  # (What beats challengers is to show that it still can)
        self.given_up = False
        if not self.advised:
            self._earned = np.append(self._earned, self._trials.mean())
            since_best = len(self._earned) - int(self._earned.argmax())
            self.given_up = beaten and since_best >= self._persistence
        self.lost += self.given_up
        if behind <= 0.0:
            habits.add(self.challenger, self._trials.tolist())
            best = np.array_equal(habits.parameters[habits.best], self.challenger)
            self.given_up, self.lost = self.advised and best, 0

    def renew(self) -> None:
        """Take note that the search begins anew."""
        self.given_up, self._earned = False, np.zeros(0)

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        return {
            "challenger": self.challenger,
            "trials": self._trials,
            "earned": self._earned,
            "flags": np.array([getattr(self, name) for name in self._FLAGS]),
            "lost": np.array(self.lost),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.challenger, self._trials = state["challenger"].copy(), state["trials"].copy()
        self._earned, self.lost = state["earned"].copy(), int(state["lost"])
        for name, flag in zip(self._FLAGS, state["flags"].tolist(), strict=True):
            setattr(self, name, flag)
