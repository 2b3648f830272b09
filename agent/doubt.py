"""Doubt: signs that what has been learnt no longer holds, because body or world have changed."""

import numpy as np
from numpy.typing import NDArray


class Doubt:
    """Tells noise from change: when to try what is known again, and when to expect nothing.

    Noise is expected uncertainty, and averages deal with it; a change is unexpected uncertainty,
    after which what was averaged misleads (Yu & Dayan 2005, doi:10.1016/j.neuron.2005.04.026).
    Signs of change are recoveries in vain, one after the other, and surprisingly bad trials of
    habits in a row. Such a trial is asked for where a generation of perturbed programs stays
    behind the habit by twice as much as usual.

    Args:
        n: bodies.
        rest: generations between two trials that are asked for.

    Attributes:
        check: whether the habit is to be tried.

    """

    _IN_VAIN = 40  # (Recoveries without success that are too many)
    _SURPRISES = 2  # (Surprisingly bad trials in a row that are too many)
    _SHORT = 2.0  # (Usual shortfall of a generation at which the habit is suspected)
    _RATE = 0.2  # (Rate at which that is known)
    _COUNTS = ("_generation", "_checked", "_surprises")

    def __init__(self, n: int, rest: int):
        self._rest = rest
        self._generation, self._checked = 0, 0
        self.resize(n)
        self.begin_again()

    def resize(self, n: int) -> None:
        """Go on with n bodies."""
        self._in_vain = np.zeros(n, np.int64)

    def begin_again(self) -> None:
        """Nothing is expected any more."""
        self.check, self._short, self._surprises = False, 0.0, 0
        self._in_vain[:], self._checked = 0, self._generation

    def recovered(self, body: int, well: bool) -> bool:
        """Take note of how a body does; returns whether it has tried to recover for too long."""
        self._in_vain[body] = 0 if well else self._in_vain[body] + 1
        return bool(self._in_vain[body] >= self._IN_VAIN)

    def compare(self, short: float) -> None:
        """Take note of a generation's shortfall from what the habit is held to be worth."""
        self._generation += 1
        short = max(0.0, short)
        if self._short and short > self._SHORT * self._short:
            self.check |= self._generation - self._checked >= self._rest
        self._short += self._RATE * (short - self._short) if self._short else short

    def tried(self, surprising: bool) -> bool:
        """Take note of one more trial of a habit; returns whether there were too many bad ones."""
        if surprising:
            self._surprises, self.check = self._surprises + 1, True
        else:
            self._surprises, self._checked = 0, self._generation
        return self._surprises >= self._SURPRISES

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        counts = [getattr(self, name) for name in self._COUNTS]
        return {
            "in_vain": self._in_vain,
            "counts": np.array([*counts, int(self.check)]),
            "short": np.array(self._short),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._in_vain, self._short = state["in_vain"].copy(), float(state["short"])
        *counts, check = (int(x) for x in state["counts"])
        self.check = bool(check)
        for name, count in zip(self._COUNTS, counts, strict=True):
            setattr(self, name, count)
