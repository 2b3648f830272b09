"""Tournament: random parameters are tried, and the best few of them again."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class Tournament:
    """Keeps what random parameters have earned, and says which are to be tried.

    Args:
        parameters: (k, n_parameters).
        finalists: how many are tried again.
        repeats: how often these are.
        lengthens: whether they are tried for longer then, so that these trials alone decide.

    Attributes:
        parameters: as given.
        best: (n_parameters,) those that have earned most.
        decided: whether that is so after all trials.

    """

    def __init__(self, parameters: Array, finalists: int, repeats: int, lengthens: bool = False):
        self.parameters, self.best = parameters, parameters[0]
        self._finalists, self._repeats, self._lengthens = finalists, repeats, lengthens
        self._earned = np.full((repeats + 1, len(parameters)), np.nan)
        self._asked_again, self.decided = False, False

    @property
    def usual(self) -> float:
        """What the parameters have earned on average, each tried once."""
        return float(np.nanmean(self._earned[0]))

    def begin(self) -> list[int]:
        """Forget what was earned; returns the tickets of trials to be made."""
        self._earned[:] = np.nan
        self._asked_again, self.decided = False, False
        return list(range(len(self.parameters)))

    def entry(self, ticket: int) -> Array:
        """Parameters (n_parameters,) that a trial is to be made of."""
        return np.asarray(self.parameters[ticket % len(self.parameters)])

    def longer(self, ticket: int) -> bool:
        """Whether a trial is to be longer than the first ones."""
        return self._lengthens and ticket >= len(self.parameters)

    def end(self, ticket: int, earned: float) -> list[int]:
        """Take note of what a trial has earned; returns tickets of further trials to be made."""
        k = len(self.parameters)
        self._earned[divmod(ticket, k)] = earned
        once = np.nan_to_num(self._earned[0], nan=-np.inf)
        self.best = self.parameters[once.argmax()]
        if np.isinf(once).any():
            return []
        best = np.argsort(-once, kind="stable")[: self._finalists]
        if not np.isnan(self._earned[1:, best]).any():
            counts = self._earned[1:] if self._lengthens else self._earned
            self.best = self.parameters[best[counts[:, best].mean(axis=0).argmax()]]
            self.decided = True
        elif not self._asked_again:
            self._asked_again = True
            return [r * k + int(i) for r in range(1, self._repeats + 1) for i in best]
        return []

    def recall(self, known: Array) -> None:
        """Let what is known (m, n_parameters) be among what is tried."""
        known = known[: len(self.parameters)]
        self.parameters[: len(known)] = known

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving; of trials that were not made, 0."""
        known = ~np.isnan(self._earned)
        return {
            "parameters": self.parameters,
            "best": self.best,
            "earned": np.nan_to_num(self._earned),
            "earned_known": known,
            "flags": np.array([self._asked_again, self.decided]),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.parameters, self.best = state["parameters"].copy(), state["best"].copy()
        self._earned = np.where(state["earned_known"], state["earned"], np.nan)
        self._asked_again, self.decided = (bool(x) for x in state["flags"])
