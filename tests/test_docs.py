"""What the documents say holds: tables, commands, examples, links, the diagram of the brain."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tyro

import agent
from agent.config import LESIONS
from policies.baselines import learns
from scripts.adapt import Adapt
from scripts.cli import Command
from scripts.evaluate import Evaluate, per_algorithm
from scripts.files import write_json
from scripts.records import load_records
from scripts.tables import MISSING, TABLES, fill, main
from scripts.versions import versions

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
RESULTS = sorted(ROOT.glob("results/**/results.json"))


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Lines that call `neonate`, continued lines joined."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in lines if re.match(r"(\S*/)?neonate ", line.strip())]


def parse(line: str) -> Command:
    return tyro.cli(Command, prog="neonate", args=shlex.split(line, comments=True)[1:])


def make(target: str) -> list[str]:
    """Commands of a target of the Makefile, none of them run, all files taken for missing."""
    words = ["make", "--dry-run", "--always-make", "--no-print-directory", target]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return commands(done.stdout)


DOCUMENTED = [
    (path.name, line)
    for path in DOCUMENTS
    for block in code_blocks(path.read_text(), "console")
    for line in commands(block)
]


def test_readme_tables_are_those_of_the_results() -> None:
    assert fill(README, ROOT / "results") == README, "run `make tables`"


def test_readme_shows_every_table_once() -> None:
    assert sorted(re.findall(r"<!-- table:(\w+) -->", README)) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_results_says_so(name: str, tmp_path: Path) -> None:
    text = f"<!-- table:{name} -->\nold\n<!-- /table -->"
    assert fill(text, tmp_path) == f"<!-- table:{name} -->\n{MISSING}\n<!-- /table -->"


def record(algo: str, seed: int, returns: list[float], every: int) -> dict[str, Any]:
    curve = [
        {
            "steps": every * (i + 1),
            "cpu_seconds": 0.5 * every * (i + 1),
            "return_mean": value,
            "return_std": 1.0,
            "success_rate": None,
        }
        for i, value in enumerate(returns)
    ]
    return {
        "schema": 1,
        "env": "Some-v0",
        "algo": algo,
        "seed": seed,
        "eval": {"every": every, "episodes": 50, "first_seed": 20_000},
        "settings": {"lesions": []},
        "versions": versions(),
        "curve": curve,
    }


def test_a_task_table_tells_scores_and_what_they_cost(tmp_path: Path) -> None:
    records = [
        record("brain", 0, [-9.0, -3.0], 10),
        record("brain", 1, [-7.0, -5.0], 10),
        record("brain", 2, [-8.5, -3.5], 10),
        record("brain", 3, [-7.5, -4.5], 10),
        record("ppo", 0, [-30.0, -6.0], 1000),
        record("sac", 0, [-5.0, -4.0], 100),
    ]
    (tmp_path / "reach").mkdir()
    write_json(tmp_path / "reach" / "results.json", records)
    rows = TABLES["reach"](tmp_path).splitlines()
    assert "| brain | 4 | 10 | -8.00 (-9.00 … -7.00) | -8.00 (-9.00 … -7.00) | – | 5 |" in rows
    assert "| brain | 4 | 20 | -4.00 (-5.00 … -3.00) | -4.00 (-5.00 … -3.00) | – | 10 |" in rows
    assert "| PPO | 1 | 2,000 | -6.00 | -6.00 | – | 1,000 |" in rows
    each = "10 steps: -9.00, -7.00, -8.50, -7.50; 20 steps: -3.00, -5.00, -3.50, -4.50."
    assert f"The brain's returns with seeds 0, 1, 2, 3. {each}" in rows
    final = "| return -4 (the brain's final) | 20 | 10"
    assert f"{final} | SAC | 200 | 100 | 10 × | 10 × |" in rows
    bound = "not reached in 2,000 | not reached in 1,000 | > 100 × | > 100 ×"
    assert f"{final} | PPO | {bound} |" in rows


def test_the_interquartile_mean_leaves_the_best_and_the_worst_out(tmp_path: Path) -> None:
    returns = [-100.0, 1.0, 2.0, 3.0, 50.0]
    (tmp_path / "reach").mkdir()
    records = [record("brain", i, [value], 10) for i, value in enumerate(returns)]
    write_json(tmp_path / "reach" / "results.json", records)
    row = next(row for row in TABLES["reach"](tmp_path).splitlines() if "| brain |" in row)
    assert row.split(" | ")[4].startswith("2.00 (")


def test_a_lesion_table_has_the_intact_brain_first(tmp_path: Path) -> None:
    lesioned = {**record("brain", 0, [-20.0], 10), "settings": {"lesions": ["critic"]}}
    for name, content in {"a-critic": lesioned, "a-intact": record("brain", 0, [-4.0], 10)}.items():
        (tmp_path / "lesions" / name).mkdir(parents=True)
        write_json(tmp_path / "lesions" / name / "results.json", [content])
    rows = TABLES["lesions"](tmp_path).splitlines()
    assert rows[2].startswith("| Some-v0 | nothing | 1 | 10 | -4.00 |")
    assert rows[3].startswith("| Some-v0 | `critic` | 1 | 10 | -20.00 |")


def test_runs_of_two_settings_are_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "reach").mkdir()
    twice = [record("brain", 0, [-9.0], 10), record("brain", 0, [-8.0], 10)]
    write_json(tmp_path / "reach" / "results.json", twice)
    with pytest.raises(ValueError, match="brain with seed 0 more than once"):
        TABLES["reach"](tmp_path)


def test_tables_are_written_into_the_readme(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- table:reach -->\n<!-- /table -->\nend\n")
    main(tmp_path)
    written = (tmp_path / "README.md").read_text()
    assert written == f"<!-- table:reach -->\n{MISSING}\n<!-- /table -->\nend\n"


@pytest.mark.parametrize(("document", "line"), DOCUMENTED, ids=[line for _, line in DOCUMENTED])
def test_documented_commands_are_accepted(document: str, line: str) -> None:
    assert callable(parse(line).run)


@pytest.mark.parametrize("target", ["demo", "results"])
def test_the_makefile_s_commands_are_accepted(target: str) -> None:
    lines = make(target)
    assert len(lines) >= 3
    assert all(callable(parse(line).run) for line in lines)


def test_every_command_and_lesion_is_documented() -> None:
    typed = " ".join(line for _, line in DOCUMENTED)
    commands = (
        "train evaluate render benchmark report lesion robustness survival adapt map mazes sleep "
        "keys"
    )
    for name in commands.split():
        assert f"neonate {name} " in typed
    folders = "results/lesions/", "results/adapt/"
    measured = [parse(line) for line in make("results") if any(f in line for f in folders)]
    brains = [m.brain for m in measured if isinstance(m, Evaluate | Adapt)]
    lesioned = {word for brain in brains for word in brain.lesions}
    # (Regions of the map are lesioned in mazes; two of them matter in the dark: tests show it.)
    # (That of the amygdala is by `neonate lesion`, which also takes it away after learning.)
    elsewhere = {"hippocampus", "grid", "prefrontal", "amygdala"} | {
        "sleep",
        "cue_memory",
        "blending",
        "global_dopamine",
        "local_dopamine",
        "motor_cortex",
    }  # (`neonate keys`)
    assert lesioned == set(LESIONS) - elsewhere


@pytest.mark.parametrize("path", RESULTS, ids=[str(p.parent.relative_to(ROOT)) for p in RESULTS])
def test_results_are_those_that_the_makefile_measures(path: Path) -> None:
    asked = {m.out: m for m in map(parse, make("results")) if isinstance(m, Evaluate)}
    command = asked[path.parent.relative_to(ROOT)]
    seeds = per_algorithm("--seeds", command.seeds, command.algos)
    steps = per_algorithm("--steps", command.steps, command.algos)
    expected = {
        (command.env, name, command.first_seed + i, steps[name] if learns(name) else 0)
        for name in command.algos
        for i in range(seeds[name])
    }
    records = load_records(path)
    assert {(r["env"], r["algo"], r["seed"], r["steps"]) for r in records} == expected
    for record in records:
        assert f"--out {command.out}" in record["command"]
        assert record["eval"]["episodes"] == command.eval_episodes
        if record["algo"] == "brain":
            assert tuple(record["settings"]["lesions"]) == command.brain.lesions


@pytest.mark.parametrize("code", code_blocks(README, "python"))
def test_readme_examples_run(code: str, tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=[p.name for p in DOCUMENTS])
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        other = path.parent / name if name else path
        assert other.exists(), f"{path.name} links to {target}"
        if anchor:
            heads = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE)
            slugs = {
                re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads
            }
            assert anchor in slugs, f"{path.name} links to {target}"


def test_regions_of_the_diagram_are_modules() -> None:
    """Every part that the wiring's diagram names is a file of `agent`, and the document agrees."""
    found = re.search(r"^    ::\n\n(.*?)\n\n    Args:", agent.Brain.__doc__ or "", re.DOTALL | re.M)
    assert found is not None
    parts = re.findall(
        r"(?:^|─► |◄─+ |, )([a-z][a-z ]*[a-z])", found[1].replace("\n        ", "\n")
    )
    ends = {"observation", "action", "command", "after the step"}
    regions = {part for part in parts if part not in ends}
    drawn = {
        "senses",
        "body schema",
        "reach",
        "babble",
        "basal ganglia",
        "cerebellum",
        "spinal cord",
    }
    assert drawn <= regions
    files = {path.stem for path in (ROOT / "agent").rglob("*.py")}
    assert {region.replace(" ", "_") for region in regions} <= files
    shown = (ROOT / "docs" / "brain.md").read_text()
    for line in found[1].splitlines():
        assert line.strip() in shown
