"""From trials to the figures that people are known by: curves, after-effect, rebound, savings."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scripts.adaptation_protocols import PROBED
from scripts.adaptation_runs import Run
from scripts.files import replacing

Array = NDArray[np.float64]

_LEARNT = 50  # (Trials after which a perturbation that stays is learnt)
_FAST_GONE = 6  # (Trials in the clamp after which the fast state has decayed)

NEVER = 999.0
"""Trials to what was never reached."""

HUMAN_CROSSINGS = {50: 3.0, 80: 7.0, 90: 11.0}
"""Trials in which the median person first corrects so many percent of 30° (public data)."""
HUMAN_REBOUND = 11.5
"""Rebound of people in an error clamp after 30°, degrees (public data)."""


def human_curve(trials: int) -> Array:
    """Correction of people in each trial, as a share of the rotation.

    The two-rate model of Smith, Ghazizadeh & Shadmehr (2006, doi:10.1371/journal.pbio.0040179)
    fitted to the mean of a public data set of 30° rotations: A_s 1.00, B_s .056, A_f .63, B_f .33.
    """
    fast = slow = 0.0
    curve = np.empty(trials)
    for trial in range(trials):
        curve[trial] = fast + slow
        error = 1.0 - curve[trial]
        fast, slow = 0.63 * fast + 0.33 * error, slow + 0.056 * error
    return curve


def correction(run: Run, full: float, phase: str) -> Array:
    """Share of the perturbation that the trials of a phase corrected for, (trials,).

    Args:
        run: what was measured.
        full: what corrects for all of it: minus the rotation, in the units of `measure_of`.
        phase: of the schedule.

    """
    trials = run["trials"]
    values = np.array(
        [t for t, p in zip(trials["value"], trials["phase"], strict=True) if p == phase]
    )
    return values / full


def first_crossing(curve: Array, share: float) -> float:
    """Find the first trial, counted from 1, that corrects at least a share; else `NEVER`."""
    found = np.flatnonzero(curve >= share)
    return float(found[0] + 1) if len(found) else NEVER


def first_held(curve: Array, share: float, trials: int = 8) -> float:
    """Find the first crossing, counted from 1, from which so many trials keep it on average.

    Correcting too much by as much counts as little; else `NEVER`. One who misses widely crosses
    any share by chance, but does not stay there.
    """
    if len(curve) < trials:
        return NEVER
    smooth = np.mean(np.lib.stride_tricks.sliding_window_view(curve, trials), axis=1)
    held = np.abs(smooth - 1.0) <= 1.0 - share + 1e-9
    found = np.flatnonzero(held & (curve[: len(held)] >= share - 1e-9))
    return float(found[0] + 1) if len(found) else NEVER


def measures(run: Run, full: float) -> dict[str, float]:
    """Tell everything that an experiment shows of one seed, by name."""
    if run["experiment"] == "force":
        return force_measures(run)
    phases = set(run["trials"]["phase"])
    learnt = correction(run, full, "adaptation")
    told: dict[str, float] = {}
    if len(learnt):
        told |= _crossings(learnt, run["experiment"] == "rivals")
        told["final correction, %"] = 100 * float(np.mean(learnt[-16:]))
        if len(learnt) >= 500:
            told |= steadiness(learnt[_LEARNT:])
        if run["experiment"] == "strategy":
            told |= aiming(learnt)
    if "washout" in phases:
        left = correction(run, full, "washout")
        told["after-effect, %"] = 100 * float(left[0])
        told["left after washout, %"] = 100 * float(np.mean(left[-8:]))
    if "re-exposure" in phases:
        again = correction(run, full, "re-exposure")
        for share in (80, 90):
            told[f"trials to {share} % on re-exposure"] = first_crossing(again, share / 100)
    if "clamp" in phases:
        clamped = correction(run, full, "clamp")
        # Single trials are as noisy as planning is; the fast state is gone after the first ones.
        told["rebound, %"] = 100 * float(np.mean(clamped[_FAST_GONE:]))
    if f"probe {PROBED[0]:g}" in phases:
        trained = float(np.mean(learnt[-16:]))
        for probe in PROBED:
            value = float(np.mean(correction(run, full, f"probe {probe:g}")))
            told[f"generalisation to {probe:g}°, %"] = 100 * value / trained
    return told


def _crossings(learnt: Array, held: bool) -> dict[str, float]:
    shares = 50, 80, 90
    told = {f"trials to {share} %": first_crossing(learnt, share / 100) for share in shares}
    if held:
        for share in shares[1:]:
            told[f"trials to {share} %, held"] = first_held(learnt, share / 100)
    return told


def steadiness(learnt: Array) -> dict[str, float]:
    """Tell how steady trials (n,) are once a perturbation is learnt."""
    blocks = learnt[: len(learnt) // 50 * 50].reshape(-1, 50)
    return {
        "lowest mean of 50 trials, %": 100 * float(np.mean(blocks, axis=1).min()),
        "highest mean of 50 trials, %": 100 * float(np.mean(blocks, axis=1).max()),
        "standard deviation of trials, %": 100 * float(np.std(learnt)),
    }


def aiming(learnt: Array) -> dict[str, float]:
    """Tell how an aim elsewhere cancels an error at once, and how the hand drifts then."""
    smooth = np.mean(np.lib.stride_tricks.sliding_window_view(learnt[2:], 8), axis=1)
    return {
        "correction in trials 3 to 6, %": 100 * float(np.mean(learnt[2:6])),
        "most correction, mean of 8 trials, %": 100 * float(smooth.max()),
        "trial of the most correction": float(3 + smooth.argmax()),
    }


def compensation(run: Run) -> Array:
    """Share of the field that each trial expected, (trials,); NaN but for channel trials.

    The baseline's is taken off: natural paths are not quite straight, and press on channels too.
    """
    trials = run["trials"]
    value = np.where(trials["clamp"], trials["compensation"], np.nan)
    return np.asarray(value - np.nanmean(value[np.array(trials["phase"]) == "baseline"]))


def force_measures(run: Run) -> dict[str, float]:
    """Tell what learning in a force field shows of one seed, by name."""
    trials = run["trials"]
    phase, free = np.array(trials["phase"]), ~np.array(trials["clamp"])
    like, expected = np.array(trials["likeness"]), compensation(run)
    known = free & (like != 0.0)  # (Targets that the baseline had)
    told = {}
    for name in ("baseline", "adaptation", "washout"):
        own = like[known & (phase == name)]
        told[f"path like baseline's, {name}, first 8"] = float(own[:8].mean())
        told[f"path like baseline's, {name}, last 16"] = float(own[-16:].mean())
    channel = expected[~free & (phase == "adaptation")]
    told["field expected in the first channel trial, %"] = 100 * float(channel[0])
    told["field expected in the last 4 channel trials, %"] = 100 * float(channel[-4:].mean())
    last = float(expected[~free & (phase == "washout")][-1])
    told["field expected at the end of washout, %"] = 100 * last
    return told


def mean_curve(runs: Sequence[Run], full: float, phase: str) -> Array:
    """Correction of each trial of a phase, (seeds, trials)."""
    return np.array([correction(run, full, phase) for run in runs])


def rmse_to_people(runs: Sequence[Run], full: float) -> float:
    """Distance of the mean curve of seeds from people's, root mean square over trials, a share."""
    curve = np.mean(mean_curve(runs, full, "adaptation"), axis=0)
    return float(np.sqrt(np.mean((curve - human_curve(len(curve))) ** 2)))


def savings(runs: Sequence[Run], full: float) -> float:
    """Trials to 80 % on re-exposure over those of the first time, medians over seeds."""
    first, again = (
        np.median([first_crossing(c, 0.8) for c in mean_curve(runs, full, phase)])
        for phase in ("adaptation", "re-exposure")
    )
    return float(again / first)


def gained(runs: Sequence[Run], full: float) -> Array:
    """How much more re-exposure corrects in its first trials than the first time, (seeds,).

    Means over trials 2 to 12: single crossings are as noisy as planning is.
    """
    first, again = (
        mean_curve(runs, full, phase)[:, 1:12].mean(axis=1)
        for phase in ("adaptation", "re-exposure")
    )
    return np.asarray(again - first)


def half_width(runs: Sequence[Run], full: float) -> float:
    """Angle at which mean generalisation is half, degrees; between probes on a straight line."""
    mean = [
        float(np.mean([measures(run, full)[f"generalisation to {p:g}°, %"] for run in runs]))
        for p in PROBED
    ]
    for i, value in enumerate(mean[1:], start=1):
        if value < 50.0:
            share = (mean[i - 1] - 50.0) / (mean[i - 1] - value)
            return PROBED[i - 1] + share * (PROBED[i] - PROBED[i - 1])
    return 180.0


def _error(values: Sequence[float] | Array) -> float:
    """Tell the standard error of the mean of values; 0 of a single one."""
    return float(np.std(values, ddof=min(1, len(values) - 1)) / len(values) ** 0.5)


Row = Mapping[str, str | float]


def summarise(groups: Mapping[str, Sequence[Run]], full: float) -> list[Row]:
    """Rows of group, experiment, measure, median, mean, lowest, highest and seeds."""
    rows: list[Row] = []
    for label, runs in groups.items():
        for name in dict.fromkeys(run["experiment"] for run in runs):
            own = [run for run in runs if run["experiment"] == name]
            each = [measures(run, full) for run in own]
            for measure in each[0]:
                rows.append(row_of(label, name, measure, [one[measure] for one in each]))
            whole: dict[str, float] = {}
            phases = set(own[0]["trials"]["phase"])
            if name in ("learning", "long", "rebound"):
                curve = np.mean(mean_curve(own, full, "adaptation"), axis=0)
                apart = rmse_to_people(own, full)
                whole["mean curve, RMSE to people's, %"] = 100 * apart
                whole["mean curve, RMSE to people's, degrees of 30"] = 30 * apart
                for share in (50, 80, 90):
                    crossing = first_crossing(curve, share / 100)
                    whole[f"mean curve, trials to {share} %"] = crossing
            if "re-exposure" in phases:
                whole["savings: trials to 80 % over those of the first time"] = savings(own, full)
                more = 100 * gained(own, full)
                whole["savings: correction in trials 2 to 12, again less first, %"] = float(
                    more.mean()
                )
                whole["standard error of that, %"] = _error(more)
            if name == "generalisation":
                whole["half width, degrees"] = half_width(own, full)
                for probe in (90.0, 180.0):
                    shares = [one[f"generalisation to {probe:g}°, %"] for one in each]
                    whole[f"mean generalisation to {probe:g}°, %"] = float(np.mean(shares))
                    whole[f"standard error of the mean to {probe:g}°, %"] = _error(shares)
            for measure, value in whole.items():
                rows.append(row_of(label, name, measure, [value], len(own)))
    return rows


def row_of(label: str, name: str, measure: str, values: list[float], seeds: int = 0) -> Row:
    """Row of the summary: values of one measure, one for each seed or of `seeds` together."""
    return {
        "group": label,
        "experiment": name,
        "measure": measure,
        "median": round(float(np.median(values)), 2),
        "mean": round(float(np.mean(values)), 2),
        "lowest": round(min(values), 2),
        "highest": round(max(values), 2),
        "seeds": seeds or len(values),
    }


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the summary as CSV, whole or not at all."""
    with replacing(path) as beside, beside.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
