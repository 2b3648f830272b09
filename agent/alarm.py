"""Alarm: breaks practice off that is about to end in a fall."""

import numpy as np
from numpy.typing import NDArray

State = dict[str, NDArray]


class Alarm:
    """Lets bodies that try something out break it off where they become afraid, and pause.

    A fall costs more than what there was to be learnt by it: whoever lies on its back learns
    nothing until it is up again. An animal that startles stops what it does (Koch 1999,
    doi:10.1016/S0301-0082(98)00098-7, on the startle and the amygdala's part in it). Only becoming
    afraid counts: who goes on in a condition that it fears, and that is not followed by a fall, is
    not kept from trying.

    Args:
        n: bodies.
        pause: steps for which a body pauses.

    Attributes:
        rang: (n,) whether the body has just broken off what it tried.

    """

    def __init__(self, n: int, pause: int):
        self._pause = pause
        self.resize(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies, none of them afraid."""
        self._left, self._afraid = np.zeros(n, np.int64), np.zeros(n, np.bool_)
        self.rang = np.zeros(n, np.bool_)

    @property
    def pausing(self) -> NDArray[np.bool_]:
        """(n,) whether a body pauses after it has broken something off."""
        return np.asarray((self._left > 0) & ~self.rang)

    def heed(
        self, bodies: NDArray[np.int64], afraid: NDArray[np.bool_], tries: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Tell which of bodies (k,) are to stand still now, (k,).

        Args:
            bodies: (k,) which of the n they are.
            afraid: (k,) whether they are afraid.
            tries: (k,) whether they try something out, and could still fall.

        """
        left = self._left[bodies]
        rang = afraid & ~self._afraid[bodies] & tries & (left == 0)
        self._left[bodies] = left = np.where(rang, self._pause, np.maximum(left - 1, 0))
        self._afraid[bodies] = afraid
        self.rang[:] = False
        self.rang[bodies] = rang
        return np.asarray(left > 0)

    def end(self, ended: NDArray[np.bool_]) -> None:
        """Let bodies (n,) whose episode is over begin without fear."""
        if np.count_nonzero(ended):
            self._left[ended] = 0
            self._afraid[ended] = False

    def state(self) -> State:
        """Everything, for saving."""
        return {"left": self._left, "afraid": self._afraid}

    def load_state(self, state: State) -> None:
        """Take over what `state` returned."""
        self._left, self._afraid = state["left"].copy(), state["afraid"].copy()
        self.rang = np.zeros(len(self._left), np.bool_)
