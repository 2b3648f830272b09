"""`python -m scripts.tables`: write the tables of README.md from results/.

A table stands between `<!-- table:NAME -->` and `<!-- /table -->`, and what is between them is
replaced. No figure there is typed by hand.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from policies.baselines import SB3_CLASSES
from scripts.adaptation_tables import adaptation_table, rivals_table
from scripts.files import read_json, replacing
from scripts.key_table import key_rows
from scripts.key_table import read as read_keys
from scripts.maze_walks import DIRECT
from scripts.mazes import read as read_mazes
from scripts.records import load_records
from scripts.statistics import estimate, interquartile_mean
from scripts.summary import (
    Cost,
    Record,
    Threshold,
    by_algorithm,
    column,
    cost_of,
    default_thresholds,
    mean_curve,
)

TASKS = (
    "reacher",
    "reach",
    "reach3d",
    "reach3d_four",
    "ant",
    "ant_eight",
    "halfcheetah",
    "halfcheetah_eight",
    "halfcheetah_residual",
    "halfcheetah_plain",
    "swimmer",
    "swimmer_eight",
    "crawl",
    "crawl_residual",
    "crawl_to",
    "ant_to",
    "crawl_maze",
    "crawl_maze_straight",
)
MISSING = "*not measured yet*"
_BLOCK = re.compile(r"(<!-- table:(\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)
_VERSIONS = ("python", "gymnasium", "mujoco", "stable_baselines3", "torch")


def fill(text: str, results: Path) -> str:
    """Replace every table of a Markdown text by what `results` holds.

    Raises:
        KeyError: a marker names no table.
        ValueError: results that do not belong together.

    """
    return _BLOCK.sub(lambda found: f"{found[1]}{TABLES[found[2]](results)}\n{found[3]}", text)


def task_table(name: str) -> Callable[[Path], str]:
    """Make the writer of one task's table: scores, and what it took to reach them."""

    def write(results: Path) -> str:
        path = results / name / "results.json"
        if not path.exists():
            return MISSING
        records = _only_once(load_records(path), path)
        parts = [_scores(records), _costs(records), _seed_by_seed(records), _conditions(records)]
        if (results / name / "curves.png").exists():
            env = records[0]["env"]
            parts.append(f"![Learning curves on {env}](results/{name}/curves.png)")
        return "\n\n".join(part for part in parts if part)

    return write


def lesion_table(results: Path) -> str:
    """Write what the brain scores without each of its parts."""
    paths = sorted((results / "lesions").glob("*/results.json"))
    if not paths:
        return MISSING
    groups: dict[tuple[str, str], list[Record]] = {}
    for path in paths:
        for record in _only_once(load_records(path), path):
            lesion = " and ".join(record["settings"]["lesions"]) or "nothing"
            groups.setdefault((record["env"], lesion), []).append(record)
    order = sorted(groups, key=lambda key: (key[0], key[1] != "nothing", key[1]))
    rows = [
        [env, f"`{lesion}`" if lesion != "nothing" else lesion, *_score_cells(groups[env, lesion])]
        for env, lesion in order
    ]
    heads = ["environment", "taken away", "seeds", "steps", "return", "success", "CPU s"]
    everything = [record for group in groups.values() for record in group]
    return _table(heads, rows, left=2) + "\n\n" + _conditions(everything)


def benchmark_table(results: Path) -> str:
    """Write what the brain costs beside the simulator and beside SAC."""
    path = results / "benchmark.json"
    if not path.exists():
        return MISSING
    document = read_json(path)
    envs = document["envs"].items()
    bodies = document["bodies"]
    heads = ["environment", "bare loop, steps/s", "from birth, steps/s", "ratio"]
    names = ["bare_steps_per_second", "training_steps_per_second", "training_over_bare"]
    for n in bodies:
        heads += [f"{n} {'body' if n == 1 else 'bodies'}, steps/s", "ratio"]
        names += [f"raised_{n}_steps_per_second", f"raised_{n}_over_bare"]
    calls = ["act, µs", "SAC act, µs", "ratio", "learn, µs", "SAC update, µs", "ratio"]
    of_calls = ["act_us", "sac_act_us", "act_over_sac"]
    of_calls += ["learn_us", "sac_update_us", "learn_over_sac_update"]
    tables = [
        _table(head, [[env, *_figures(costs["median"], columns)] for env, costs in envs])
        for head, columns in ((heads, names), (["environment", *calls], of_calls))
    ]
    note = (
        f"Training from birth with one body ({document['steps']:,} steps, finding the body among "
        f"them), and with so many bodies in one process as life goes on, after "
        f"{4 * document['steps']:,} steps; the simulator is always included. The bare loop acts at "
        "random, and bodies that move otherwise cost the simulator otherwise: that is why a ratio "
        "can be above 1. "
    )
    return "\n\n".join([*tables, f"{note}{_command(document['command'])}{_named(document)}."])


def maze_table(results: Path) -> str:
    """Write how well random goals are found, by the brain and by others."""
    both = (results / name / "mazes.csv" for name in ("mazes", "ant_maze"))
    rows = [row for path in both for row in read_mazes(path)]
    if not rows:
        return MISSING
    groups: dict[tuple[str, str, str, int], list[dict[str, str]]] = {}
    for row in rows:
        key = row["env"], row["algo"], row["lesion"], int(row["steps"])
        groups.setdefault(key, []).append(row)
    lines = []
    for (env, algo, lesion, steps), group in sorted(groups.items()):
        who = f"{_label(algo)} without `{lesion}`" if lesion else _label(algo)
        success = [100 * float(row["success"]) for row in group]
        ratios = [float(row["way_ratio"]) for row in group if row["way_ratio"]]
        cells = [env, who, str(len(group)), f"{steps if algo != 'random' else 0:,}"]
        cells += [_spread(success, "{:.0f}", " %"), _spread(ratios, "{:.2f}") if ratios else ""]
        places = [float(row["places"]) for row in group if row["places"]]
        cells.append(f"{np.mean(places):.0f}" if places else "")
        lines.append([*cells, _round(float(np.mean([float(row["train_s"]) for row in group])))])
    heads = ["environment", "who", "seeds", "steps", "success", "way / shortest", "places", "CPU s"]
    return _table(heads, lines, left=2)


def maze_trial_table(results: Path) -> str:
    """Write what hidden and moved goals, closed doors and the dark came to."""
    lines = []
    for name, what in (("goals", "hidden goal, moved"), ("door", "a door has closed")):
        groups: dict[tuple[str, str, str], list[dict[str, str]]] = {}
        for row in read_mazes(results / "mazes" / f"{name}.csv"):
            groups.setdefault((row["env"], row["lesion"], row["trial"]), []).append(row)
        for (env, lesion, trial), group in sorted(groups.items()):
            arrived = np.array([row["arrived"] == "1" for row in group])
            ratio = np.array([float(row["way"]) / float(row["least"]) for row in group])
            cells = [f"{what}: trial {trial}", env, lesion or "nothing", _seeds(group)]
            cells += [
                f"{100 * arrived.mean():.0f} %",
                f"{100 * (arrived & (ratio <= DIRECT)).mean():.0f} %",
            ]
            lines.append([*cells, f"{np.median(ratio[arrived]):.2f}" if arrived.any() else ""])
    dark: dict[tuple[str, str, str, str], list[dict[str, str]]] = {}
    for row in read_mazes(results / "mazes" / "dark.csv"):
        dark.setdefault((row["env"], row["lesion"], row["noise"], row["lasting"]), []).append(row)
    if not lines and not dark:
        return MISSING
    heads = ["experiment", "maze", "taken away", "seeds", "arrived", "direct", "way / shortest"]
    table = _table(heads, lines, left=3)
    lines = [
        [
            env,
            lesion or "nothing",
            f"{100 * float(noise):.0f} %, {float(lasting):g} s",
            _seeds(group),
            *(
                _spread([scale * float(row[key]) for row in group], form, unit)
                for key, scale, form, unit in _DARK
            ),
        ]
        for (env, lesion, noise, lasting), group in sorted(dark.items())
    ]
    heads = ["after 60 s in the dark", "taken away", "noise, lasting", "seeds", "places reached"]
    heads += ["error of the place, m", "without walls, m"]
    return table + "\n\n" + _table(heads, lines, left=3)


_DARK = (
    ("success", 100.0, "{:.0f}", " %"),
    ("drift", 1.0, "{:.2f}", ""),
    ("unaided", 1.0, "{:.2f}", ""),
)


def _seeds(rows: Sequence[Mapping[str, str]]) -> str:
    return str(len({row["seed"] for row in rows}))


def keys_table(results: Path) -> str:
    """Write what the laboratory of keys and habits measured."""
    documents = read_keys(results / "keys")
    if not documents:
        return MISSING
    rows = [[what, asked or "–", got, seeds] for what, asked, got, seeds in key_rows(documents)]
    versions = "; ".join(sorted({_named(document) for document in documents.values()}))
    heads = ["what", "aim", "measured", "seeds"]
    return f"{_table(heads, rows, left=3)}\n\nMeans of training seeds from 200 on. {versions}."


def _figures(median: Mapping[str, float], names: Sequence[str]) -> list[str]:
    return [f"{median[n]:.3g}" if "over" in n else f"{median[n]:,.0f}" for n in names]


TABLES: Mapping[str, Callable[[Path], str]] = {
    **{name: task_table(name) for name in TASKS},
    "lesions": lesion_table,
    "benchmark": benchmark_table,
    "mazes": maze_table,
    "adaptation": adaptation_table,
    "rivals": rivals_table,
    "maze_trials": maze_trial_table,
    "keys": keys_table,
}


def _only_once(records: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    """Refuse runs that are there twice, as after a change of settings."""
    keys = [(r["algo"], r["seed"]) for r in records]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(
            f"{path} has {twice[0][0]} with seed {twice[0][1]} more than once: remove the records "
            "of other settings, or the file, and measure again"
        )
    return records


def _scores(records: Sequence[Record]) -> str:
    """One row per algorithm, the brain at each evaluation; IQM with its bootstrap interval."""
    rows = []
    for name, group in by_algorithm(records).items():
        last = len(group[0]["curve"]) - 1
        for point in range(last + 1) if name == "brain" else (last,):
            cells = _score_cells(group, point)
            returns = [record["curve"][point]["return_mean"] for record in group]
            cells.insert(3, estimate(interquartile_mean, returns).text())
            rows.append([_label(name), *cells])
    heads = ["algorithm", "seeds", "steps", "return", "IQM (95 %)", "success", "CPU s"]
    return _table(heads, rows)


def _seed_by_seed(records: Sequence[Record]) -> str:
    """List what the brain came to with every seed, evaluation by evaluation."""
    group = sorted(by_algorithm(records).get("brain", []), key=lambda record: record["seed"])
    lines = []
    for point in range(len(group[0]["curve"]) if len(group) > 1 else 0):
        points = [record["curve"][point] for record in group]
        returns = ", ".join(f"{p['return_mean']:.2f}" for p in points)
        lines.append(f"{points[0]['steps']:,} steps: {returns}")
    seeds = ", ".join(str(record["seed"]) for record in group)
    return f"The brain's returns with seeds {seeds}. {'; '.join(lines)}." if lines else ""


def _score_cells(group: Sequence[Record], point: int = -1) -> list[str]:
    """Seeds, steps, return, success and CPU seconds at one evaluation, mean (worst … best)."""
    points = [record["curve"][point] for record in group]
    seconds = sum(p["cpu_seconds"] for p in points) / len(points)
    known = all(p["success_rate"] is not None for p in points)
    return [
        f"{len(points)}",
        f"{max(p['steps'] for p in points):,}",
        _spread([p["return_mean"] for p in points], "{:.2f}"),
        _spread([100 * p["success_rate"] for p in points], "{:.0f}", " %") if known else "–",
        _round(seconds),
    ]


def _spread(values: Sequence[float], form: str, unit: str = "") -> str:
    mean = form.format(sum(values) / len(values))
    if len(values) == 1:
        return f"{mean}{unit}"
    return f"{mean}{unit} ({form.format(min(values))} … {form.format(max(values))})"


def _costs(records: Sequence[Record]) -> str:
    """Compare steps and CPU seconds to the same score, the brain's with each SB3 algorithm's.

    One that did not reach the score is counted with its whole budget: the ratio is a bound.
    """
    groups = by_algorithm(records)
    rivals = {name: group for name, group in groups.items() if name in SB3_CLASSES}
    if "brain" not in groups or not rivals:
        return ""
    thresholds = [(t, " (the brain's final)") for t in _own_finals(groups["brain"])]
    thresholds += [(t, "") for t in default_thresholds(records)]
    rows = []
    for threshold, whose in thresholds:
        own = cost_of(mean_curve(groups["brain"], threshold.metric), threshold.value)
        cells = [threshold.label + whose, f"{own.steps:,.0f}", _round(own.cpu_seconds)]
        if not math.isfinite(own.steps):
            cells[1:] = ["not reached", ""]
        for name, group in rivals.items():
            theirs = cost_of(mean_curve(group, threshold.metric), threshold.value)
            rows.append([*cells, *_rival_cells(name, group, own, theirs)])
    heads = ["to a mean over seeds of", "brain, steps", "brain, CPU s", "compared with"]
    return _table([*heads, "its steps", "its CPU s", "steps ratio", "CPU ratio"], rows)


def _rival_cells(name: str, group: Sequence[Record], own: Cost, theirs: Cost) -> list[str]:
    reached = math.isfinite(theirs.steps)
    if not reached:
        last = [record["curve"][-1] for record in group]
        mean_seconds = sum(p["cpu_seconds"] for p in last) / len(last)
        theirs = Cost(min(p["steps"] for p in last), mean_seconds)
    before = "" if reached else "not reached in "
    cells = [_label(name), f"{before}{theirs.steps:,.0f}", f"{before}{_round(theirs.cpu_seconds)}"]
    if not math.isfinite(own.steps):
        return [*cells, "", ""]
    pairs = ((theirs.steps, own.steps), (theirs.cpu_seconds, own.cpu_seconds))
    bound = "" if reached else "> "
    return [*cells, *(f"{bound}{_round(a / b)} ×" if b > 0 else "" for a, b in pairs)]


def _own_finals(group: Sequence[Record]) -> list[Threshold]:
    """Say what the brain ends with: its return, and its success where the task tells it."""
    metrics = ["return_mean"]
    if not any(math.isnan(x) for record in group for x in column(record, "success_rate")):
        metrics.append("success_rate")
    # From the curve itself, which is what is searched for the crossing: equal to the last bit.
    return [Threshold(name, float(mean_curve(group, name).mean[-1])) for name in metrics]


def _conditions(records: Sequence[Record]) -> str:
    """Tell episodes, training seeds and versions, all that were used."""
    first = {r["eval"]["first_seed"] for r in records}
    last = {r["eval"]["first_seed"] + r["eval"]["episodes"] - 1 for r in records}
    seeds = [r["seed"] for r in records]
    bodies = sorted({(_label(r["algo"]), r.get("n_envs", 1)) for r in records})
    together = [f"{n} bodies of {label} learn together. " for label, n in bodies if n > 1]
    return (
        "Mean (worst … best seed) of training seeds "
        f"{min(seeds)} to {max(seeds)}, on evaluation episodes {min(first)} to {max(last)}. "
        + "".join(together)
        + "; ".join(sorted({_named(r) for r in records}))
        + "."
    )


def _named(document: Mapping[str, Any]) -> str:
    versions = document["versions"]
    return ", ".join(f"{name} {versions[name]}" for name in _VERSIONS)


def _command(line: str) -> str:
    return f"`{line}`; medians over repeats. "


def _round(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _label(algo: str) -> str:
    return algo.upper() if algo in SB3_CLASSES or algo == "pd" else algo


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    lines = [heads, ["---"] * left + ["---:"] * (len(heads) - left), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(root: Path = Path()) -> None:
    """Rewrite README.md in `root` from `root`/results."""
    readme = root / "README.md"
    text = fill(readme.read_text(), root / "results")
    with replacing(readme) as beside:
        beside.write_text(text)


if __name__ == "__main__":
    main()
