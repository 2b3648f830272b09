"""`neonate keys`: the laboratory of sequences, chunks, sleep and the memory of cues."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from scripts import key_experiments as lab
from scripts.errors import UserError
from scripts.files import read_json, write_json
from scripts.habit_experiments import TASKS as REACHES
from scripts.habit_experiments import habits
from scripts.key_arm import arm_practice
from scripts.key_crawler import crawler_practice
from scripts.key_experiments import Row
from scripts.key_figures import draw
from scripts.versions import command_line, versions

PARTS = (
    "search",
    "actors",
    "chunks",
    "dopamine",
    "delay",
    "lesion",
    "sb3",
    "arm",
    "places",
    "habits",
)


@dataclass(frozen=True)
class Keys:
    """Measure how sequences are learnt, chunked, slept on and lost, and draw it.

    Parts: `search` orders found by trial and error; `actors` opponent against plain; `chunks` with
    and without sleep; `dopamine` without the global and without the local kind; `delay` a cue kept;
    `lesion` basal ganglia taken away; `sb3` PPO and RecurrentPPO on the same acts; `arm` all of it
    with the arm of neonate/Keys-v0; `places` with the crawler of neonate/Places-v0; `habits` what
    sleep makes of reaching. A part that is in the folder already is kept.
    """

    out: Path
    """Folder of the results."""
    parts: tuple[str, ...] = PARTS
    """What to measure."""
    seeds: int = 8
    """Seeds of each part."""
    searches: int = 20
    """Seeds of `search`."""
    first_seed: int = 100
    """First of the seeds."""
    arm_trials: int = 100
    """Trials of each arm."""
    crawler_steps: int = 60_000
    """Steps of the life of each crawler."""
    sb3_steps: int = 20_000
    """Presses that SB3's algorithms are trained for."""

    def run(self) -> None:
        """Do it."""
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown:
            raise UserError(f"--parts {unknown[0]}: write some of {', '.join(PARTS)}")
        counts = self.seeds, self.searches, self.arm_trials, self.crawler_steps, self.sb3_steps
        if min(counts) < 1:
            raise UserError(
                "--seeds, --searches, --arm-trials, --crawler-steps and --sb3-steps: at least 1"
            )
        torch.set_num_threads(1)
        self.out.mkdir(parents=True, exist_ok=True)
        for part in self.parts:
            path = self.out / f"{part}.json"
            if path.is_file():
                continue
            rows = self._measure()[part]()
            about = {"command": command_line(), "versions": versions()}
            write_json(path, about | {"part": part, "rows": rows})
            print(f"wrote {path}")
        results = {
            part: read_json(self.out / f"{part}.json")["rows"]
            for part in PARTS
            if (self.out / f"{part}.json").is_file()
        }
        print(summary(results))
        (self.out / "summary.txt").write_text(summary(results) + "\n")
        draw(results, self.out)

    def _measure(self) -> dict[str, Callable[[], list[Row]]]:
        seeds = range(self.first_seed, self.first_seed + self.seeds)
        many = range(self.first_seed, self.first_seed + self.searches)
        both = (True, False)
        return {
            "search": lambda: [
                lab.trial_and_error(s, *task)
                for task in lab.TASKS
                for s in (many if task in lab.HARD else seeds)
            ],
            "actors": lambda: [
                *(lab.trial_and_error(s, 7, 5, opponent=False) for s in seeds),
                *(
                    lab.bandits(s, opponent, kind)
                    for kind in ("rich", "lean", "cost")
                    for opponent in both
                    for s in many
                ),
            ],
            "chunks": lambda: [lab.chunking(s, sleeps) for sleeps in both for s in seeds],
            "dopamine": lambda: [
                lab.chunking(s, True, 120, 80, (f"{kind}_dopamine",))
                for kind in ("global", "local")
                for s in seeds
            ],
            "delay": lambda: [
                lab.delayed_cue(s, lesions) for lesions in ((), ("cue_memory",)) for s in seeds
            ],
            "lesion": lambda: [lab.basal_ganglia_lesion(s) for s in seeds],
            "sb3": self._sb3,
            "arm": lambda: [
                arm_practice(s, sleeps, self.arm_trials, blends)
                for sleeps, blends in ((True, True), (True, False), (False, True))
                for s in seeds
            ],
            "places": lambda: [crawler_practice(s, self.crawler_steps) for s in seeds],
            "habits": lambda: [habits(s, task) for task in REACHES for s in seeds],
        }

    def _sb3(self) -> list[Row]:
        steps, seeds = self.sb3_steps, range(self.first_seed, self.first_seed + self.seeds)
        search = {"keys": 7, "length": 5, "cues": 1, "part_length": 0, "feedback": "sparse"}
        known = lab.SHARED | {"asked": tuple(range(6))}
        delayed = lab.DELAYED | {"distractors": 0.3}
        return [
            *(lab.sb3("ppo", s, search, steps, "search") for s in seeds),
            *(lab.sb3("ppo", s, known, steps, "chunks") for s in seeds),
            *(lab.sb3("ppo", s, delayed, steps, "delay") for s in seeds),
            *(lab.sb3("recurrent_ppo", s, delayed, steps, "delay") for s in seeds),
        ]


def summary(results: dict[str, list[Row]]) -> str:
    """Say in words what was measured."""
    lines: list[str] = []
    for keys, length in lab.TASKS:
        rows = [r for r in results.get("search", []) if (r["keys"], r["length"]) == (keys, length)]
        if rows:
            lines.append(f"search {keys} keys x {length}: {_epochs(rows)}")
    lines += _actors(results.get("actors", []))
    for sleeps in (True, False):
        name = "with sleep" if sleeps else "without sleep"
        for part in ("chunks", "arm"):
            rows = [r for r in results.get(part, []) if r["sleeps"] == sleeps]
            rows = [r for r in rows if r.get("blends", True)]
            lines += [f"{part} {name}: " + _means(rows)] if rows else []
    if rows := [r for r in results.get("arm", []) if not r.get("blends", True)]:
        lines.append("arm with sleep, without blending: " + _means(rows))
    for kind in ("global", "local"):
        rows = [r for r in results.get("dopamine", []) if r["lesions"] == [f"{kind}_dopamine"]]
        lines += [f"without {kind} dopamine: " + _means(rows)] if rows else []
    if rows := results.get("places", []):
        lines.append("crawler, places: " + _means(rows))
    for lesions in ([], ["cue_memory"]):
        rows = [r for r in results.get("delay", []) if r["lesions"] == lesions]
        if rows:
            lines.append(f"delayed cue, {'lesioned' if lesions else 'intact'}: {_means(rows)}")
    if rows := results.get("lesion", []):
        lines.append("without basal ganglia after practice: " + _means(rows))
    for name, task in dict.fromkeys((r["algorithm"], r["task"]) for r in results.get("sb3", [])):
        rows = [r for r in results["sb3"] if (r["algorithm"], r["task"]) == (name, task)]
        lines.append(f"{name} on {task}: {_means(rows)}")
    lines += _habits(results.get("habits", []))
    return "\n".join(lines)


def _habits(habits: list[Row]) -> list[str]:
    lines: list[str] = []
    for task in REACHES:
        rows = [r for r in habits if r["env"] == task]
        for name in ("plan", "habit", "plan_lesioned", "habit_lesioned"):
            if rows:
                lines.append(f"{task}, {name}: {_means([r[name] for r in rows])}")
        if rows:
            plan, habit = (sum(r[k]["return"] for r in rows) for k in ("plan", "habit"))
            worse = 100.0 * (plan - habit) / abs(plan)
            lines.append(f"{task}: by habit {worse:.2f} % worse than by plan")
    return lines


def _actors(actors: list[Row]) -> list[str]:
    lines: list[str] = []
    if plain := [r for r in actors if "epochs" in r]:
        lines.append(f"plain actor, search 7 keys x 5: {_epochs(plain)}")
    for kind in ("rich", "lean", "cost"):
        for opponent in (True, False):
            best = [r["best"] for r in actors if (r.get("kind"), r["opponent"]) == (kind, opponent)]
            if best:
                name = "opponent" if opponent else "plain"
                lines.append(f"bandit {kind}, {name}: best key {np.mean(best):.2f} of choices")
    return lines


def _epochs(rows: list[Row]) -> str:
    reached = [np.inf if r["epochs"] is None else r["epochs"] for r in rows]
    return (
        f"{np.isinf(reached).sum()} failures of {len(rows)}, median {np.median(reached):g} epochs "
        f"of {lab.EPOCH} sequences, most {max(reached):g}"
    )


def _means(rows: list[Row]) -> str:
    parts = []
    for name in rows[0]:
        values = [r[name] for r in rows]
        if name in ("seed", "sleeps", "blends", "opponent") or isinstance(
            values[0], str | list | tuple
        ):
            continue
        told = [float(v) for v in values if v is not None]
        if told:
            missing = f" ({len(values) - len(told)} never)" if len(told) < len(values) else ""
            parts.append(f"{name} {np.mean(told):.3g}{missing}")
    return ", ".join(parts) + f" ({len(rows)} seeds)"
