"""Means over seeds and how sure they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its 95 % confidence interval, None where there is one value."""

    mean: float
    low: float | None
    high: float | None

    @property
    def below_0(self) -> bool:
        """Whether all of it lies below 0."""
        return self.high is not None and self.high < 0.0

    def text(self, scale: float = 1.0, digits: int = 2) -> str:
        """Write `mean (low … high)`."""
        mean = f"{scale * self.mean:.{digits}f}"
        if self.low is None or self.high is None:
            return mean
        return f"{mean} ({scale * self.low:.{digits}f} … {scale * self.high:.{digits}f})"


def interval_of(values: ArrayLike) -> Interval:
    """Mean of independent values (n,), and Student's t interval of it."""
    numbers = np.asarray(values, float)
    n, mean = len(numbers), float(numbers.mean())
    if n < 2:
        return Interval(mean, None, None)
    half = float(student.ppf(0.975, n - 1) * numbers.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)
