"""Statistics of a few runs: what can be said from them, and how surely.

Sources: R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville, M. G. Bellemare, "Deep reinforcement
learning at the edge of the statistical precipice", NeurIPS 2021, doi:10.48550/arXiv.2108.13264, for
the interquartile mean, stratified bootstrap intervals, the probability of improvement and
performance profiles; E. D. Dolan, J. J. Moré, 2002, doi:10.1007/s101070100263, for the latter.

A *stratum* holds the runs of one algorithm on one task; runs are drawn anew within their stratum
only, so that an interval tells of other seeds and not of other tasks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap, trim_mean

CONFIDENCE = 0.95
RESAMPLES = 5000
_SEED = 20_210_830  # the same records give the same intervals, to the last digit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its 95 % interval; the ends are NaN where seeds are too few."""

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def known(self) -> bool:
        """Tell whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def text(self, form: str = "{:.2f}", unit: str = "", scale: float = 1.0) -> str:
        """Spell `value (low … high)`."""
        if not math.isfinite(self.value):
            return ""
        middle = form.format(scale * self.value) + unit
        if not self.known:
            return middle
        return f"{middle} ({form.format(scale * self.low)} … {form.format(scale * self.high)})"


def interquartile_mean(*strata: Floats, axis: int = -1) -> Any:
    """Mean of the middle half of all runs, whatever their task; with 3 runs or fewer, of all."""
    return trim_mean(np.concatenate(strata, axis=axis), 0.25, axis=axis)


def mean_of_tasks(*strata: Floats, axis: int = -1) -> Any:
    """Mean over tasks of the mean over runs."""
    return np.mean([stratum.mean(axis=axis) for stratum in strata], axis=0)


def improvement(*strata: Floats, axis: int = -1) -> Any:
    """P(X > Y) of a run X of one algorithm and a run Y of another, a tie counting half.

    Args:
        strata: X on each task, then Y on each task in the same order.
        axis: of the runs.

    """
    half = len(strata) // 2
    shares = []
    for ours, theirs in zip(strata[:half], strata[half:], strict=True):
        x = np.moveaxis(ours, axis, -1)[..., :, None]
        y = np.moveaxis(theirs, axis, -1)[..., None, :]
        shares.append(((x > y) + 0.5 * (x == y)).mean(axis=(-2, -1)))
    return np.mean(shares, axis=0)


def estimate(statistic: Callable[..., Any], *strata: ArrayLike) -> Estimate:
    """Give a statistic of runs (n_runs,) per stratum, with its stratified bootstrap interval."""
    value, low, high = band(statistic, *strata)
    return Estimate(float(value), float(low), float(high))


def band(statistic: Callable[..., Any], *strata: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Give a statistic over the first axis of every stratum, and the ends of its interval.

    Args:
        statistic: takes the strata and `axis`, as `interquartile_mean` does.
        strata: one array per task, (n_runs, ...); the number of runs may differ.

    Returns:
        Value, low and high, each (...); low and high are NaN where a stratum has but one run.

    """
    samples = [np.asarray(stratum, np.float64) for stratum in strata]
    value = np.asarray(statistic(*samples, axis=0), np.float64)
    if min(len(sample) for sample in samples) < 2:
        nothing = np.full(value.shape, math.nan)
        return value, nothing, nothing
    found = bootstrap(
        samples,
        statistic,
        axis=0,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=500,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    )
    ends = found.confidence_interval
    return value, np.asarray(ends.low, np.float64), np.asarray(ends.high, np.float64)


def normalised(scores: ArrayLike, zero: float, one: float) -> Floats:
    """Put scores on a scale on which `zero` is 0 and `one` is 1; NaN where they are the same."""
    if zero == one:
        return np.full(np.shape(scores), math.nan)
    return (np.asarray(scores, np.float64) - zero) / (one - zero)


@dataclass(frozen=True)
class Profile:
    """The share of runs that score more than τ. Arrays are (n_taus,)."""

    taus: Floats
    share: Floats
    low: Floats
    high: Floats


def performance_profile(strata: Sequence[ArrayLike], taus: Floats) -> Profile:
    """Give the mean over tasks of the share of runs above each τ, with pointwise intervals."""
    above = [np.asarray(s, np.float64)[:, None] > taus for s in strata]
    return Profile(taus, *band(mean_of_tasks, *above))


def taus_for(groups: Mapping[str, Sequence[ArrayLike]], points: int = 101) -> Floats:
    """Choose the τ at which profiles are drawn: from below the lowest score to above the highest.

    Args:
        groups: scores of every algorithm, one array per task.
        points: how many.

    """
    scores = np.concatenate([np.ravel(s) for strata in groups.values() for s in strata])
    scores = scores[np.isfinite(scores)]
    low, high = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 1.0)
    margin = 0.02 * (high - low) or max(0.02 * abs(high), 1e-6)
    return np.linspace(low - margin, high + margin, points)
