"""README's tables of motor adaptation, from results/adapt/."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.adaptation_measures import NEVER
from scripts.files import read_json

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Figure:
    """One figure of the table.

    Attributes:
        text: what it is.
        asked: people's, or the bar.
        folder: below results/adapt/.
        measure: in its summary.csv.
        experiment: there; "" for any.
        group: beginning of the name of the group there.

    """

    text: str
    asked: str
    folder: str
    measure: str
    experiment: str = ""
    group: str = ""


_CROSSED = "first correction of {0} %, one target, trials"
_LATE = "brain, default, senses 100 ms late"
FIGURES = (
    Figure(_CROSSED.format(50), "3 ± 2", "rotation", "trials to 50 %", "savings"),
    Figure(_CROSSED.format(80), "7 ± 2", "rotation", "trials to 80 %", "savings"),
    Figure(_CROSSED.format(90), "11 ± 2", "rotation", "trials to 90 %", "savings"),
    Figure(
        "mean curve from people's two-rate fit, one target, RMS degrees", "≤ 2.8",
        "rotation", "mean curve, RMSE to people's, degrees of 30", "rebound",
    ),
    Figure(
        "the same, eight targets by chance", "≤ 4", "rotation",
        "mean curve, RMSE to people's, degrees of 30", "long",
    ),
    Figure("rebound in error clamp, % of the rotation", "20 to 45", "rotation", "rebound, %"),
    Figure(
        "left after 64 trials of washout, %", "0", "rotation", "left after washout, %", "savings"
    ),
    Figure(
        "savings: trials to 80 % over those of the first time", "≤ 0.8", "rotation",
        "savings: trials to 80 % over those of the first time", "savings",
    ),
    Figure(
        "savings: correction in trials 2 to 12, second time less first, %", "above 0", "rotation",
        "savings: correction in trials 2 to 12, again less first, %", "savings",
    ),
    Figure(
        "the same: standard error", "", "rotation", "standard error of that, %", "savings"
    ),
    Figure("generalisation: half width, degrees", "30 to 40", "rotation", "half width, degrees"),
    *(
        row
        for angle, bar in ((90, 25), (180, 5))
        for row in (
            Figure(
                f"generalisation to {angle}°, mean, %", f"≤ {bar}", "rotation",
                f"mean generalisation to {angle}°, %",
            ),
            Figure(
                "the same: standard error", "", "rotation",
                f"standard error of the mean to {angle}°, %",
            ),
        )
    ),
    Figure(
        "`default`: trials to 90 %, eight targets", "≤ 9", "quickest", "trials to 90 %", "learning"
    ),
    Figure(
        "`default`: the same on re-exposure", "≤ 5", "quickest",
        "trials to 90 % on re-exposure", "learning",
    ),
    Figure(
        "`default`, 2 % motor noise, 1,000 trials: lowest mean of 50 trials, %", "stable",
        "noise-2", "lowest mean of 50 trials, %",
    ),
    Figure("the same: highest", "stable", "noise-2", "highest mean of 50 trials, %"),
    Figure("5 % motor noise: lowest", "stable", "noise-5", "lowest mean of 50 trials, %"),
    Figure("the same: highest", "stable", "noise-5", "highest mean of 50 trials, %"),
    Figure(
        "curl field: paths like the baseline's, trials 65 to 80", "≥ 0.95", "curl",
        "path like baseline's, adaptation, last 16",
    ),
    Figure(
        "curl field: mirrored force in channel trials, % of the field", "mirrored", "curl",
        "field expected in the last 4 channel trials, %",
    ),
    Figure(
        "curl field: the same after 32 trials without the field", "0", "curl",
        "field expected at the end of washout, %",
    ),
    Figure(
        "45° with a strategy: correction in trials 3 to 6, %", "100", "strategy",
        "correction in trials 3 to 6, %",
    ),
    Figure(
        "then the drift: most correction, mean of 8 trials, %", "above 100", "strategy",
        "most correction, mean of 8 trials, %",
    ),
    Figure("in the end, %", "100", "strategy", "final correction, %"),
    Figure("left after 32 trials of washout, %", "0", "strategy", "left after washout, %"),
    *(
        Figure(text, asked, "delay-100", measure, "forward model 1", _LATE)
        for text, asked, measure in (
            ("senses 100 ms (10 steps) late: steps found", "10", "steps late that were found"),
            ("the same: end error, mm", "≤ 3", "end error, mm"),
            ("the same: overshoot, %", "≤ 3", "overshoot, %"),
        )
    ),
    *(
        Figure(
            f"overshoot with {share:g} of the forward model, %", "graded", "delay",
            "overshoot, %", f"forward model {share:g}", _LATE,
        )
        for share in (0.9, 0.8, 0.7, 0.6)
    ),
    Figure(
        "oscillation with 0.6 of it, Hz", "2 to 4", "delay",
        "frequency of what oscillates, Hz", "forward model 0.6", _LATE,
    ),
    Figure(
        "without the cerebellum's adaptation: correction in the end, %", "0",
        "without-adaptation", "final correction, %",
    ),
    Figure("the same: after-effect, %", "0", "without-adaptation", "after-effect, %"),
    Figure(
        "savings after 128 trials of washout, trials as above", "≤ 0.8", "relearning",
        "savings: trials to 80 % over those of the first time",
    ),
    Figure(
        "the same: more correction the second time, %", "above 0", "relearning",
        "savings: correction in trials 2 to 12, again less first, %",
    ),
    Figure("the same: standard error", "", "relearning", "standard error of that, %"),
    Figure(
        "the same without the error memory: trials as above", "1", "without-error-memory",
        "savings: trials to 80 % over those of the first time",
    ),
    Figure(
        "the same: more correction the second time, %", "0", "without-error-memory",
        "savings: correction in trials 2 to 12, again less first, %",
    ),
    Figure("the same: standard error", "", "without-error-memory", "standard error of that, %"),
    Figure(
        "without basal ganglia, 45°: correction in trials 3 to 6, %", "no strategy",
        "without-basal-ganglia", "correction in trials 3 to 6, %",
    ),
    Figure(
        "a leg of half its force, Ant-v5: share of the score, %", "lower", "weak-leg",
        "share of before after 0 steps, %", "crawl", "brain that lives on",
    ),
    Figure(
        "the same after 20,000 steps with it", "regained", "weak-leg",
        "share of before after 20,000 steps, %", "crawl", "brain that lives on",
    ),
    Figure(
        "a newborn after 20,000 steps with it", "control", "weak-leg",
        "share of before after 20,000 steps, %", "crawl", "brain that is newborn",
    ),
    Figure(
        "without the cerebellum: share of the score with a weak leg, %", "lower",
        "weak-leg-without-cerebellum", "share of before after 0 steps, %", "crawl",
        "brain that lives on",
    ),
    Figure(
        "the same after 20,000 steps with it", "regained", "weak-leg-without-cerebellum",
        "share of before after 20,000 steps, %", "crawl", "brain that lives on",
    ),
)  # fmt: skip
"""What people do or what was asked, and what of results/adapt/ shows it."""

_WHOLE = (
    "mean curve",
    "half width",
    "savings",
    "mean generalisation",
    "standard error",
)  # (Measures of all seeds together)


def adaptation_table(results: Path) -> str:
    """Write what adaptation reached beside people's figures and the bars."""
    folder = results / "adapt"
    lines = []
    for figure in FIGURES:
        path = folder / figure.folder / "summary.csv"
        if path.is_file() and (row := _find(_read(path), figure)):
            lines.append([figure.text, figure.asked, _reached(row), row["seeds"]])
    if not lines:
        return "*not measured yet*"
    heads = ["figure", "people or bar", "median (lowest … highest)", "seeds"]
    table = [heads, ["---", "---", "---:", "---:"], *lines]
    text = "\n".join(f"| {' | '.join(line)} |" for line in table)
    return f"{text}\n\n{_costs(folder)}"


def rivals_table(results: Path) -> str:
    """Write how many trials brain and SAC take under equal conditions."""
    path = results / "adapt" / "rivals"
    if not (path / "summary.csv").is_file():
        return "*not measured yet*"
    runs, rows = read_json(path / "trials.json")["runs"], _read(path / "summary.csv")
    heads = ["who", "seeds", "trials to 80 %, held", "to 90 %, held", "correction in the end, %"]
    lines = [heads, ["---", *["---:"] * 4]]
    for group in dict.fromkeys(row["group"] for row in rows):
        own = {row["measure"]: row for row in rows if row["group"] == group}
        cells = [_reached(own[f"trials to {share} %, held"]) for share in (80, 90)]
        final = own["final correction, %"]
        lines.append([group, final["seeds"], *cells, _reached(final)])
    practice = [run for run in runs if run["experiment"] == "practice"]
    notes = [
        f"seed {run['seed']}: {len(run['trials']['miss'])} trials, the last 32 missed by "
        f"{1000 * sum(run['trials']['miss'][-32:]) / 32:.0f} mm on average"
        for run in practice
    ]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{text}\n\nPractice of SAC before: {'; '.join(notes)}."


def _read(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _find(rows: Rows, figure: Figure) -> Mapping[str, str] | None:
    for row in rows:
        if (
            row["measure"] == figure.measure
            and figure.experiment in ("", row["experiment"])
            and row["group"].startswith(figure.group)
        ):
            return row
    return None


def _reached(row: Mapping[str, str]) -> str:
    low, middle, high = (float(row[name]) for name in ("lowest", "median", "highest"))
    if row["measure"].startswith(_WHOLE) or low == high:
        return _plain(middle)
    return f"{_plain(middle)} ({_plain(low)} … {_plain(high)})"


def _plain(value: float) -> str:
    return "never" if value == NEVER else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _costs(folder: Path) -> str:
    """Tell CPU seconds of each folder, of the brain alone."""
    parts, total = [], 0.0
    for path in sorted(folder.glob("*/trials.json")):
        runs = [run for run in read_json(path)["runs"] if run["algo"] == "brain"]
        seconds = sum(run["cpu_seconds"] for run in runs)
        seeds = len({run["seed"] for run in runs})
        parts.append(f"{path.parent.name} {seconds:.0f} ({seeds} seeds)")
        total += seconds
    return f"CPU seconds of the brain's part: {', '.join(parts)}; {total / 60:.0f} minutes in all."
