"""From records of runs to figures: final scores, what a score costs, who beats whom."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from policies.baselines import ALGORITHMS, SB3_CLASSES
from scripts.statistics import Estimate, band, estimate, interquartile_mean, normalised

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Threshold:
    """A score to reach: a return or a success rate."""

    metric: str
    """`return_mean` or `success_rate`."""
    value: float

    @property
    def label(self) -> str:
        """As a heading has it."""
        if self.metric == "success_rate":
            return f"{100 * self.value:g} % success"
        return f"return {self.value:.4g}"


@dataclass(frozen=True)
class MeanCurve:
    """The curves of one algorithm's seeds on common steps. Arrays are (points,)."""

    steps: NDArray[np.float64]
    cpu_seconds: NDArray[np.float64]
    mean: NDArray[np.float64]
    half_width: NDArray[np.float64]
    """Half of the 95 % confidence interval of the mean over seeds (Student's t)."""


@dataclass(frozen=True)
class IqmCurve:
    """Interquartile mean over seeds on common steps, with its interval. Arrays are (points,)."""

    steps: NDArray[np.float64]
    cpu_seconds: NDArray[np.float64]
    """Mean over seeds of the CPU seconds that so many steps took."""
    iqm: NDArray[np.float64]
    low: NDArray[np.float64]
    """Ends of the 95 % bootstrap interval; NaN for one seed."""
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """What it took until the mean over seeds first reached a threshold."""

    steps: float
    """Environment steps; infinite if it was not reached."""
    cpu_seconds: float
    """CPU seconds of training; infinite if it was not reached."""
    steps_ratio: float = math.nan
    """Steps of the quickest SB3 algorithm over these steps."""
    cpu_ratio: float = math.nan
    """CPU seconds of the quickest SB3 algorithm over these."""
    reached: int = 0
    """Seeds that reached it at any time, each by itself."""
    at_least: bool = False
    """No SB3 algorithm reached it: the ratios count from the smallest budget, and are bounds."""


@dataclass(frozen=True)
class Row:
    """One algorithm's summary."""

    algo: str
    seeds: int
    steps: int
    cpu_seconds: float
    final_return: float
    final_half_width: float
    worst_seed: float
    final_success: float | None
    costs: tuple[Cost, ...]
    iqm: Estimate
    """Interquartile mean of the final returns."""
    normalised: Estimate | None
    """The same where random actions are 0 and the best SB3 algorithm's mean is 1."""
    success: Estimate | None
    """Interquartile mean of the final success rates."""


def by_algorithm(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Group records, in the order of `ALGORITHMS`."""
    groups = {name: [r for r in records if r["algo"] == name] for name in ALGORITHMS}
    return {name: group for name, group in groups.items() if group}


def column(record: Record, name: str) -> NDArray[np.float64]:
    """One quantity along a curve, (points,); NaN where it is null."""
    return np.array([math.nan if p[name] is None else p[name] for p in record["curve"]], float)


def half_width(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of the 95 % confidence interval of the mean over axis 0; NaN for fewer than 2 values."""
    n = len(values)
    if n < 2:
        return np.full(values.shape[1:], math.nan)
    return np.asarray(student.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / math.sqrt(n))


def on_common_steps(
    records: Sequence[Record], metric: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Bring seeds to every step where any was evaluated and all have begun and not ended.

    Returns:
        Steps (points,), mean CPU seconds there (points,), and the metric (seeds, points).

    """
    steps = [column(r, "steps") for r in records]
    first, last = max(s[0] for s in steps), min(s[-1] for s in steps)
    grid = np.unique(np.concatenate(steps))
    grid = grid[(grid >= first) & (grid <= last)]

    def on_grid(name: str) -> NDArray[np.float64]:
        pairs = zip(steps, records, strict=True)
        return np.array([np.interp(grid, s, column(r, name)) for s, r in pairs])

    return grid, on_grid("cpu_seconds").mean(axis=0), on_grid(metric)


def mean_curve(records: Sequence[Record], metric: str) -> MeanCurve:
    """Average over seeds on common steps."""
    grid, cpu, values = on_common_steps(records, metric)
    return MeanCurve(grid, cpu, values.mean(axis=0), half_width(values))


def iqm_curve(records: Sequence[Record], metric: str) -> IqmCurve:
    """Interquartile mean over seeds on common steps, with bootstrap intervals."""
    grid, cpu, values = on_common_steps(records, metric)
    return IqmCurve(grid, cpu, *band(interquartile_mean, values))


def finals(records: Sequence[Record], metric: str = "return_mean") -> NDArray[np.float64]:
    """Take what each run came to at the end, (runs,); NaN where it is null."""
    return np.array([column(r, metric)[-1] for r in records])


def scale_of(records: Sequence[Record]) -> tuple[float, float] | None:
    """Find the returns that a normalised score has as 0 and 1, from the runs of one task.

    0 is the mean of random actions, 1 that of the Stable-Baselines3 algorithm that ended best.
    Both are taken as given: the intervals of normalised scores tell of the seeds of what is
    scored. None where either was not measured.
    """
    groups = by_algorithm(records)
    sb3 = [float(finals(group).mean()) for name, group in groups.items() if name in SB3_CLASSES]
    if "random" not in groups or not sb3:
        return None
    return float(finals(groups["random"]).mean()), max(sb3)


def cost_of(curve: MeanCurve, threshold: float) -> Cost:
    """Where the mean curve first reaches the threshold."""
    reached = np.flatnonzero(curve.mean >= threshold)
    if len(reached) == 0:
        return Cost(math.inf, math.inf)
    return Cost(float(curve.steps[reached[0]]), float(curve.cpu_seconds[reached[0]]))


def default_thresholds(records: Sequence[Record]) -> list[Threshold]:
    """Choose the best SB3 algorithm's final return, and 90 % success where the task tells it."""
    groups = by_algorithm(records)
    best = [float(finals(group).mean()) for name, group in groups.items() if name in SB3_CLASSES]
    thresholds = [Threshold("return_mean", max(best))] if best else []
    if records and all(p["success_rate"] is not None for r in records for p in r["curve"]):
        thresholds.append(Threshold("success_rate", 0.9))
    return thresholds


def summarise(records: Sequence[Record], thresholds: Sequence[Threshold]) -> list[Row]:
    """One row per algorithm."""
    groups = by_algorithm(records)
    costs = {name: [] for name in groups}  # type: dict[str, list[Cost]]
    for threshold in thresholds:
        found = {
            name: cost_of(mean_curve(group, threshold.metric), threshold.value)
            for name, group in groups.items()
        }
        budgets = {
            name: Cost(max(r["curve"][-1]["steps"] for r in group), _cpu_seconds(group))
            for name, group in groups.items()
        }
        for name, cost in found.items():
            reached = sum(
                bool((column(r, threshold.metric) >= threshold.value).any()) for r in groups[name]
            )
            costs[name].append(replace(_with_ratios(cost, found, budgets), reached=reached))
    scale = scale_of(records)
    return [_row(name, group, tuple(costs[name]), scale) for name, group in groups.items()]


def _with_ratios(cost: Cost, found: Mapping[str, Cost], budgets: Mapping[str, Cost]) -> Cost:
    """Relate a cost to that of the quickest SB3 algorithm."""
    bars = [found[name] for name in found if name in SB3_CLASSES]
    if not bars or not math.isfinite(cost.steps):
        return cost
    at_least = not any(math.isfinite(bar.steps) for bar in bars)
    if at_least:
        bars = [budgets[name] for name in found if name in SB3_CLASSES]
    return Cost(
        cost.steps,
        cost.cpu_seconds,
        _ratio(min(bar.steps for bar in bars), cost.steps),
        _ratio(min(bar.cpu_seconds for bar in bars), cost.cpu_seconds),
        at_least=at_least,
    )


def _ratio(bar: float, own: float) -> float:
    return bar / own if own > 0 else math.inf


def _cpu_seconds(group: Sequence[Record]) -> float:
    return float(np.mean([r["curve"][-1]["cpu_seconds"] for r in group]))


def _row(
    name: str,
    group: Sequence[Record],
    costs: tuple[Cost, ...],
    scale: tuple[float, float] | None,
) -> Row:
    returns, successes = finals(group), finals(group, "success_rate")
    told = not np.isnan(successes).any()
    return Row(
        algo=name,
        seeds=len(group),
        steps=max(r["curve"][-1]["steps"] for r in group),
        cpu_seconds=_cpu_seconds(group),
        final_return=float(returns.mean()),
        final_half_width=float(half_width(returns)),
        worst_seed=float(returns.min()),
        final_success=float(successes.mean()) if told else None,
        costs=costs,
        iqm=estimate(interquartile_mean, returns),
        normalised=estimate(interquartile_mean, normalised(returns, *scale)) if scale else None,
        success=estimate(interquartile_mean, successes) if told else None,
    )
