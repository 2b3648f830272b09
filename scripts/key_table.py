"""What `neonate keys` measured, as rows of a table: measured, and what was to be reached."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.files import read_json
from scripts.habit_experiments import TASKS as REACHES
from scripts.key_experiments import TASKS

Row = dict[str, Any]
Cells = list[str]


def read(folder: Path) -> dict[str, Row]:
    """Documents of the parts that were measured, by name."""
    return {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}


def key_rows(documents: dict[str, Row]) -> list[Cells]:
    """Rows of: what, asked, measured, seeds."""
    parts = {name: document["rows"] for name, document in documents.items()}
    return [
        *_search(parts.get("search", [])),
        *_chunks(parts.get("chunks", [])),
        *_dopamine(parts.get("dopamine", [])),
        *_arm(parts.get("arm", [])),
        *_places(parts.get("places", [])),
        *_memory(parts.get("delay", []), parts.get("lesion", [])),
        *_habits(parts.get("habits", [])),
        *_actors(parts.get("actors", [])),
        *_rivals(parts.get("sb3", [])),
    ]


def _mean(rows: Sequence[Row], name: str) -> float:
    told = [float(r[name]) for r in rows if r[name] is not None]
    return float(np.mean(told)) if told else float("nan")


def _epochs(rows: Sequence[Row]) -> str:
    reached = [np.inf if r["epochs"] is None else r["epochs"] for r in rows]
    failed = int(np.isinf(reached).sum())
    return f"{failed} failures, median {np.median(reached):g} epochs, most {max(reached):g}"


def _search(rows: Sequence[Row]) -> list[Cells]:
    asked = {(7, 5): "0 failures of 20, median ≤ 12", (6, 6): "0 failures"}
    lines = []
    for task in TASKS:
        group = [r for r in rows if (r["keys"], r["length"]) == task]
        if group:
            what = f"order found by trial and error, {task[0]} keys × {task[1]}"
            lines.append([what, asked.get(task, ""), _epochs(group), str(len(group))])
    return lines


def _chunks(rows: Sequence[Row]) -> list[Cells]:
    slept, awake = ([r for r in rows if r["sleeps"] is s] for s in (True, False))
    if not slept or not awake:
        return []

    def pair(name: str, form: str = "{:.1f}") -> str:
        mine, other = _mean(slept, name), _mean(awake, name)
        return f"{form.format(mine)}, unchunked {form.format(other)}"

    ratios = {k: _mean(slept, k) / _mean(awake, k) for k in ("known_decisions", "long_early")}
    seeds = str(len(slept))
    never = sum(r["long_criterion"] is None for r in slept)
    told = {
        "decisions per known sequence": (
            "≤ 0.45 of unchunked",
            f"{ratios['known_decisions']:.2f} ({pair('known_decisions')})",
        ),
        "return of known sequences": ("not lower", pair("known_reward", "{:.2f}")),
        "longer sequences of known parts: errors in the first 40 trials": (
            "≤ 0.5 of unchunked",
            f"{ratios['long_early']:.2f} ({pair('long_early', '{:.0f}')})",
        ),
        "… trials to criterion (5 in a row without error)": (
            "not worse",
            pair("long_criterion") + (f" ({never} never)" if never else ""),
        ),
        "… errors per sequence in the last 40 trials": (
            "not worse",
            pair("long_late", "{:.4f}"),
        ),
        "hidden parts found in sleep": ("", f"{100 * _mean(slept, 'parts_found'):.0f} %"),
    }
    return [[what, *cells, seeds] for what, cells in told.items()]


def _dopamine(rows: Sequence[Row]) -> list[Cells]:
    lines = []
    for kind in ("global", "local"):
        group = [r for r in rows if r["lesions"] == [f"{kind}_dopamine"]]
        if group:
            first = float(np.mean([np.mean(r["errors"][:10]) for r in group]))
            last = float(np.mean([np.mean(r["errors"][-10:]) for r in group]))
            measured = (
                f"errors per sequence {first:.1f} at first, {last:.1f} after 110 sequences; longer "
                f"ones, in the first 40 together {_mean(group, 'long_early'):.0f}, in the last 40 "
                f"{40 * _mean(group, 'long_late'):.0f}"
            )
            lines.append([f"without {kind} dopamine", "", measured, str(len(group))])
    return lines


def _arm(rows: Sequence[Row]) -> list[Cells]:
    slept, apart, awake = (
        [r for r in rows if (r["sleeps"], r.get("blends", True)) == kind]
        for kind in ((True, True), (True, False), (False, True))
    )
    if not slept or not awake:
        return []
    seeds, unchunked = str(len(slept)), _mean(awake, "last_ms")

    def shorter(group: Sequence[Row]) -> str:
        ms = _mean(group, "last_ms")
        share = 100 * (1 - ms / unchunked)
        return f"{share:.0f} % shorter ({ms:.0f} ms, unchunked {unchunked:.0f} ms)"

    def intervals(group: Sequence[Row]) -> str:
        return " and ".join(f"{_mean(group, f'gap_{name}_ms'):.0f} ms" for name in _GAPS)

    inside, end = (100 * _mean(slept, name) for name in ("stops_inside", "stops_at_end"))
    errors = (f"{_mean(group, 'last_errors'):.3f}" for group in (slept, awake))
    decisions = _mean(slept, "last_decisions") / _mean(awake, "last_decisions")
    lines = [
        ["arm: time of a known sequence", "≥ 15 % shorter", shorter(slept)],
        ["… wrong presses per sequence", "not more", "{}, unchunked {}".format(*errors)],
        ["… decisions per sequence", "≤ 0.45 of unchunked", f"{decisions:.2f}"],
        ["… between keys, within a chunk and at its boundary", "", intervals(slept)],
        [
            "… presses with a stop signal, within a chunk and at its end",
            "at boundaries only",
            f"{inside:.0f} %, {end:.0f} %",
        ],
    ]
    if apart:
        lines[1:1] = [
            ["… the same without blending", "", shorter(apart)],
            ["… its times between keys", "", intervals(apart)],
        ]
    return [[*line, seeds] for line in lines]


def _places(rows: Sequence[Row]) -> list[Cells]:
    if not rows:
        return []
    each = ", ".join(f"{100 * r['perfect']:.0f}" for r in rows)
    measured = (
        f"{100 * _mean(rows, 'perfect'):.0f} % of sequences without error ({each} %), "
        f"{_mean(rows, 'right'):.1f} of 4 places, {_mean(rows, 'seconds'):.0f} s, "
        f"{_mean(rows, 'decisions'):.1f} decisions"
    )
    trials = np.mean([len(r["life"]) for r in rows])
    steps = f"{rows[0]['steps']:,}"
    what = f"crawler: places in order, after {steps} steps of life ({trials:.0f} sequences)"
    return [[what, "", measured, str(len(rows))]]


_GAPS = "inside", "between"


def _memory(delay: Sequence[Row], lesion: Sequence[Row]) -> list[Cells]:
    lines = []
    whole, hurt = ([r for r in delay if bool(r["lesions"]) is lost] for lost in (False, True))
    if whole and hurt:
        got, lost = (100 * _mean(rows, "perfect") for rows in (whole, hurt))
        measured = f"{got:.0f} % perfect, without the memory {lost:.0f} %"
        lines.append(["cue kept over a delay", "lost without", measured, str(len(whole))])
    if lesion:
        measured = (
            f"practised: reward {_mean(lesion, 'practised_reward'):.2f} of 6; new: errors "
            f"{_mean(lesion, 'new_errors_first_10'):.1f} at first, "
            f"{_mean(lesion, 'new_errors_last_10'):.1f} after 60 trials"
        )
        asked = "practised ones run, new ones not learnt"
        lines.append(["sequences without basal ganglia", asked, measured, str(len(lesion))])
    return lines


def _habits(rows: Sequence[Row]) -> list[Cells]:
    lines = []
    for task in REACHES:
        group = [r for r in rows if r["env"] == task]
        if not group:
            continue
        kinds = "plan", "habit", "plan_lesioned", "habit_lesioned"
        worth = {k: float(np.mean([r[k]["return"] for r in group])) for k in kinds}
        gated = [r for r in group if r["gated"]]

        def micros(name: str, gated: list[Row] = gated) -> str:
            habit, plan = (np.mean([r[k][name] for r in gated]) for k in ("habit", "plan"))
            least = float(np.mean([r["habit"][f"{name}_least"] for r in gated]))
            return f"{habit:.0f} µs, plan {plan:.0f} µs; quickest episode {least:.0f} µs"

        worse = 100 * (worth["plan"] - worth["habit"]) / abs(worth["plan"])
        used = 100 * float(np.mean([r["habit"]["by_habit"] for r in group]))
        seeds = str(len(group))
        lines += [
            [
                f"{task}: return by habit",
                "within 3 % of the plan's",
                f"{worse:.1f} % worse ({worth['habit']:.2f}, plan {worth['plan']:.2f}); "
                f"{used:.0f} % of movements by habit",
                seeds,
            ],
            [
                f"{task}: CPU time of the program per step on the way, one body",
                "≤ 60 µs",
                micros("us_on_the_way"),
                str(len(gated)),
            ],
            ["… its beginnings included", "", micros("us"), str(len(gated))],
            [
                f"{task}: return without basal ganglia",
                "habits run",
                f"habit {worth['habit_lesioned']:.2f}, plan {worth['plan_lesioned']:.2f}",
                seeds,
            ],
        ]
    return lines


def _actors(rows: Sequence[Row]) -> list[Cells]:
    plain = [r for r in rows if "epochs" in r]
    lines = []
    if plain:
        what = "plain actor instead of D1/D2: order of 7 keys × 5"
        lines.append([what, "", _epochs(plain), str(len(plain))])
    for kind in ("rich", "lean", "cost"):
        best = [
            [r["best"] for r in rows if (r.get("kind"), r["opponent"]) == (kind, opponent)]
            for opponent in (True, False)
        ]
        if all(best):
            both, one = (float(np.mean(group)) for group in best)
            what = f"best of 7 keys chosen, {kind} reward"
            lines.append([what, "", f"D1/D2 {both:.2f}, plain {one:.2f}", str(len(best[0]))])
    return lines


def _rivals(rows: Sequence[Row]) -> list[Cells]:
    lines = []
    for name, task in dict.fromkeys((r["algorithm"], r["task"]) for r in rows):
        group = [r for r in rows if (r["algorithm"], r["task"]) == (name, task)]
        label = {"ppo": "PPO", "recurrent_ppo": "RecurrentPPO"}[name]
        measured = (
            f"{100 * _mean(group, 'perfect'):.0f} % of sequences without error after "
            f"{_mean(group, 'trials'):,.0f} trials"
        )
        lines.append([f"{label} on {task}", "", measured, str(len(group))])
    return lines
