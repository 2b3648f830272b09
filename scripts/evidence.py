"""`python -m scripts.evidence`: write docs/evidence.md from results/, no figure by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.files import read_json, replacing
from scripts.intervals import Interval

HEAD = """# Evidence: lesions, disturbances, survival

Written by `make evidence` from `results/`, where every score is; the commands are in the Makefile
and in each file. Means over training seeds with 95 % intervals (Student's t).
"""

LESIONS = """## Lesions

Each region taken away from birth, and from a brain that has learnt. A change is that between brains
of the same seed; **bold** where its interval lies below 0, of return or of success. 0.00 without an
interval's width means that the region has no part in the task.
"""

ROBUSTNESS = """## Disturbances

Agents trained undisturbed and then frozen. In brackets the share of the agent's own clean return.
The sensor or motor that fails is drawn anew for each episode, among all that are not constant.
Noise is measured by the spread that the agent itself feels when nothing disturbs it. What lives on
with a disturbance, learning, does so with the same sensor or motor in every episode.
"""

SURVIVAL = "## Survival\n"


def write_evidence(results: Path) -> str:
    """Return the document that `results` gives."""
    parts = [HEAD]
    studies = sorted(results.glob("lesion/*/lesions.json"))
    parts += [LESIONS] if studies else []
    parts += [lesions(read_json(path), path, results) for path in studies]
    parts += [verdicts([read_json(path) for path in studies])] if studies else []
    studies = sorted(results.glob("robustness/*/robustness.json"))
    parts += [ROBUSTNESS] if studies else []
    parts += [robustness(read_json(path), path, results) for path in studies]
    parts += [SURVIVAL, *survival(results)]
    if (results / "batch.json").exists():
        parts.append(batch(read_json(results / "batch.json")))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def lesions(document: Mapping[str, Any], path: Path, results: Path) -> str:
    """Write the table of one lesion study."""
    rows = []
    for row in document["table"]:
        intact = row["lesion"] == "intact"
        metrics = ["return", "success"] if "success" in row else ["return"]
        cells = ["nothing" if intact else f"`{row['lesion']}`", row["when"]]
        for name in metrics:
            scale, digits = (100.0, 0) if name == "success" else (1.0, 2)
            if intact:
                value = Interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
                cells += [value.text(scale, digits), ""]
                continue
            ends = row[f"{name}_change_low"], row[f"{name}_change_high"]
            change = Interval(row[f"{name}_change"], *ends)
            text = change.text(scale, digits)
            cells += [f"{scale * row[name]:.{digits}f}", f"**{text}**" if change.below_0 else text]
        rows.append(cells)
    heads = ["without", "lesion made", "return", "change"]
    if rows and len(rows[0]) > len(heads):
        heads += ["success, %", "change"]
    seeds = sorted({run["seed"] for run in document["runs"]})
    none = [name for name in document["regions"] if not _costs(document["table"], name)]
    title = f"### {document['env']}, {document['steps']:,} steps, seeds {seeds[0]} to {seeds[-1]}"
    verdict = f"No cost shown here: {', '.join(f'`{name}`' for name in none)}." if none else ""
    picture = f"![Lesions](../results/{path.parent.relative_to(results)}/lesions.png)"
    return "\n\n".join(filter(None, [title, _table(heads, rows), verdict, picture])) + "\n"


ELSEWHERE = {
    "adaptation": "motor adaptation: table of README.md, `results/adapt/without-adaptation`",
    "error_memory": "savings: table of README.md, `results/adapt/without-error-memory`",
    "basal_ganglia": "new key sequences: table of README.md, `results/keys/lesion.json`",
    "hippocampus": "mazes: table of README.md, `results/mazes/mazes.csv`",
    "prefrontal": "goals out of sight: table of README.md, `results/mazes/goals.csv`",
    "cue_memory": "delayed cues: table of README.md, `results/keys/delay.json`",
    "sleep": "chunks of keys: table of README.md, `results/keys/chunks.json`",
}
"""Where else a region's loss was measured, with tables of its own."""


def verdicts(studies: Sequence[Mapping[str, Any]]) -> str:
    """Say of each region which task it costs when it is taken away, or that none was found."""
    rows, idle = [], []
    for name in dict.fromkeys(name for study in studies for name in study["regions"]):
        tasks = [
            f"{study['env']} ({study['steps']:,} steps)"
            for study in studies
            if name in study["regions"] and _costs(study["table"], name)
        ]
        told = [*tasks, ELSEWHERE[name]] if name in ELSEWHERE else tasks
        rows.append([f"`{name}`", "; ".join(told) or "**nothing yet**"])
        if not told:
            idle.append(f"`{name}`")
    said = f"Not earning their place so far: {', '.join(idle)}." if idle else ""
    parts = ["### What each region is needed for", _table(["region", "costs"], rows), said]
    return "\n\n".join(filter(None, parts)) + "\n"


def robustness(document: Mapping[str, Any], path: Path, results: Path) -> str:
    """Write the table of one battery."""
    table = document["table"]
    algos = list(dict.fromkeys(row["algo"] for row in table))
    cells = {(r["algo"], r["disturbance"], r["learn_on"]): r for r in table}
    rows = []
    for name, learn_on in dict.fromkeys((r["disturbance"], r["learn_on"]) for r in table):
        learnt = f", {learn_on:,} steps lived with it" if learn_on else ""
        line = [document["disturbances"].get(name, name) + learnt]
        for algo in algos:
            row = cells.get((algo, name, learn_on))
            text = "" if row is None else f"{row['return']:.0f}"
            if row is not None and name != "clean" and "retained" in row:
                share = Interval(row["retained"], row["retained_low"], row["retained_high"])
                text += f" ({share.text(100.0, 0)} %)"
            if row is not None and "success" in row:
                text += f", success {100.0 * row['success']:.0f} %"
            line.append(text)
        rows.append(line)
    counts = {algo: cells[algo, "clean", 0]["seeds"] for algo in algos}
    heads = [
        "disturbance",
        *(f"{a}, {document['steps'][a]:,} steps, {counts[a]} seeds" for a in algos),
    ]
    picture = f"![Disturbances](../results/{path.parent.relative_to(results)}/robustness.png)"
    return "\n\n".join([f"### {document['env']}", _table(heads, rows), picture]) + "\n"


def survival(results: Path) -> list[str]:
    """Write what kills, mutated files and long lives came to."""
    folder, parts = results / "survival", []
    if (folder / "kills.json").exists():
        rows = [
            [s["env"], f"{s['steps']:,}", str(s["kills"]), str(s["identical"])]
            for s in read_json(folder / "kills.json")["studies"]
        ]
        heads = ["training of", "steps", "random SIGKILLs", "bit-identical endings"]
        parts.append(_table(heads, rows) + "\n")
    if (folder / "mutations.json").exists():
        rows = [
            [s["env"], *(f"{s[k]:,}" for k in ("mutations", "refused", "loaded", "failed"))]
            for s in read_json(folder / "mutations.json")["studies"]
        ]
        heads = ["files of", "mutated", "refused clearly", "loaded and usable", "failed otherwise"]
        parts.append(_table(heads, rows) + "\n")
    if (folder / "steps.json").exists():
        rows = []
        for s in read_json(folder / "steps.json")["studies"]:
            first, last = s["looks"][2], s["looks"][-1]
            finite = "yes" if s["finite"] else "no"
            scores = f"{first['return_mean']:.2f} → {last['return_mean']:.2f}"
            line = [s["env"], f"{s['steps']:,}", str(s["bodies"]), finite]
            rows.append([*line, f"{s['memory_growth_mb']:.1f}", scores])
        heads = ["life in", "steps", "bodies", "finite", "memory grown by, MB"]
        parts.append(_table([*heads, "return after 30 % and 100 %"], rows) + "\n")
    return parts


def batch(document: Mapping[str, Any]) -> str:
    """Write the account of many crawlers at once."""
    names = {
        "environments": "environments in a DummyVecEnv, random actions",
        "batched_environments": "the same bodies in a BatchedVecEnv",
        "training": f"the brain training {document['bodies']} bodies",
        "training_of_one": "the brain training one body",
    }
    rows = []
    for name, text in names.items():
        share = document.get(f"{name}_physics_share")
        told = "" if share is None else f"{share:.2f}"
        rows.append([text, f"{document[name]:,.0f}", told])
    heads = ["what", "control steps per CPU second", "share of mujoco.batch in it"]
    title = f"## {document['bodies']} crawlers at once ({document['env']})"
    most = document["training"] / document["training_physics_share"] / document["training_of_one"]
    said = (
        f"Training {document['bodies']} bodies makes {document['training_over_one']:.1f} times the "
        "steps of training one in the same CPU time. With nothing but the physics of the batch it "
        f"would be {most:.1f} times."
    )
    return "\n\n".join([title, _table(heads, rows), said]) + "\n"


def _costs(table: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(row["costs"] for row in table if row["lesion"] == name)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(heads), ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Write the document."""
    root = Path(__file__).resolve().parent.parent
    with replacing(root / "docs" / "evidence.md") as beside:
        beside.write_text(write_evidence(root / "results"))


if __name__ == "__main__":
    main()
