"""Lying: how long a body that is turned over lies until it is up again, or put up."""

import numpy as np
from numpy.typing import NDArray


class Lying:
    """Counts the steps that bodies lie after falls.

    Args:
        n: bodies.
        unknown: steps that a body is taken to lie before one ever has.

    Attributes:
        mean: steps that a body lies after a fall, on average; 0 while unknown.
        down: (n,) steps that bodies have lain so far.

    """

    _RATE = 0.2  # (Rate at which the mean follows)

    def __init__(self, n: int, unknown: int):
        self.mean, self._unknown = 0.0, float(unknown)
        self.resize(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies, all up."""
        self.down = np.zeros(n, np.int64)

    @property
    def expected(self) -> float:
        """Steps that a body is to lie after a fall."""
        return self.mean if self.mean else self._unknown

    def watch(self, lying: NDArray[np.bool_]) -> None:
        """Take note of which bodies (n,) lie after a step and have not been put up."""
        for lain in self.down[(self.down > 0) & ~lying].tolist():
            self.mean += (self._RATE if self.mean else 1.0) * (lain - self.mean)
        self.down = np.where(lying, self.down + 1, 0)
