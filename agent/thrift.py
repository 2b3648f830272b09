"""Thrift: how much the costs of moving count while it is found out how to move at all."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class Thrift:
    r"""Lets costs count no more than what they buy.

    A bout is worth :math:`\bar g + \lambda \bar c`, the mean g of what the way made is paid and the
    mean c of all else, with

    .. math:: \lambda = \min\left(1, \frac{\text{spread of } \bar g}{\text{spread of } \bar c}
        \right)

    over the latest bouts. Random movements differ by what they cost more than by where they get,
    so that whoever is paid the plain sum learns to lie still. Habits are judged by the plain sum
    all the same.

    Args:
        n: bodies.

    Attributes:
        share: λ.

    """

    _REMEMBERED = 45  # (Bouts)
    _LEAST = 10  # (Bouts before λ is anything but 1)

    def __init__(self, n: int):
        self.share, self._latest = 1.0, np.zeros((0, 2))
        self.resize(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies; bouts under way are forgotten."""
        self._sums = np.zeros((n, 3))  # (Of g, c, and steps)

    def weigh(self, gained: Array, rest: Array) -> Array:
        """Worth (n,) of a step of n bodies whose way is paid `gained` (n,), and all else `rest`."""
        self._sums += np.stack([gained, rest, np.ones(len(rest))], axis=1)
        return gained + self.share * rest

    def end(self, bodies: NDArray[np.int64], practised: NDArray[np.bool_]) -> None:
        """Learn from the bouts that end of bodies (k,), those of them that `practised` (k,)."""
        sums = self._sums[bodies]
        whole = sums[practised & (sums[:, 2] > 0.0)]
        self._sums[bodies] = 0.0
        if not len(whole):
            return
        self._latest = np.vstack([self._latest, whole[:, :2] / whole[:, 2:]])[-self._REMEMBERED :]
        self._reckon()

    def _reckon(self) -> None:
        if len(self._latest) >= self._LEAST:
            gained, rest = self._latest.std(axis=0).tolist()
            self.share = min(1.0, gained / rest) if rest > 0.0 else 1.0

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"sums": self._sums, "latest": self._latest}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._sums, self._latest = state["sums"].copy(), state["latest"].copy()
        self.share = 1.0
        self._reckon()
