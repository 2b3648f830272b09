"""`neonate mazes`: how well a brain finds its way in mazes that it has explored itself.

Every run trains one brain from scratch; after each number of steps asked for, it has to get to
random goals, with learning off. What counts is whether it arrives, and its way over the shortest
one. The mazes are those of gymnasium-robotics, unchanged; the shortest way is computed from their
walls, which the brain is never told.
"""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from agent.config import BrainConfig
from policies import BrainAgent, make_algorithm
from policies.baselines import learns
from scripts.files import replacing, write_json
from scripts.maze_dark import dark_rows
from scripts.maze_trials import door_rows, goal_rows
from scripts.maze_walks import Performer, Seen, Walk, cost, register_mazes, shortest_ways, walk
from scripts.versions import versions

TIMED = 1000  # observations over which the cost of a step is taken
FIELDS: dict[str, tuple[str, ...]] = {
    "find": (
        *("env", "algo", "lesion", "seed", "steps", "success", "way_ratio"),
        *("places", "cpu_us", "train_s"),
    ),
    "goals": ("env", "lesion", "seed", "steps", "goal", "trial", "arrived", "way", "least"),
    "door": ("env", "lesion", "seed", "steps", "goal", "trial", "arrived", "way", "least"),
    "dark": ("env", "lesion", "seed", "steps", "noise", "lasting", "success", "drift", "unaided"),
}
"""What the rows of each experiment tell."""
FILES = {"find": "mazes.csv", "goals": "goals.csv", "door": "door.csv", "dark": "dark.csv"}


@dataclass(frozen=True)
class Mazes:
    """Measure finding the way in PointMaze: a CSV file per experiment, and conditions.json."""

    out: Path
    """Folder to write to."""
    experiment: Literal["find", "goals", "door", "dark"] = "find"
    """Random goals; goals that are hidden, found and moved; a door that closes; the dark."""
    env: tuple[str, ...] = ("PointMaze_UMaze-v3",)
    """Mazes of gymnasium-robotics; with a door: names of `scripts/maze_trials.py`."""
    algo: str = "brain"
    """Who finds the way; another than the brain only finds random goals."""
    steps: tuple[int, ...] = (500, 1000)
    """Steps of training after which it is measured; the last number alone but for `find`."""
    seeds: int = 5
    """Brains trained in each."""
    first_seed: int = 100
    """Seed of the first; the others count up from it."""
    episodes: int = 30
    """Goals that each has to get to."""
    eval_seed: int = 30_000
    """Seed of the first of them; the others count up from it."""
    lesion: str = ""
    """Region taken away."""

    def run(self) -> None:
        """Do it."""
        register_mazes()
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / FILES[self.experiment]
        rows: list[dict[str, Any]] = [dict(row) for row in read(path) if not self._same(row)]
        about = {"versions": versions(), "eval_seed": self.eval_seed, "episodes": self.episodes}
        write_json(self.out / "conditions.json", about)
        for row in self._rows():  # (Written at once: an interruption loses one at most)
            print(row, flush=True)
            rows.append(row)
            with replacing(path) as beside, Path(beside).open("w", newline="") as file:
                writer = csv.DictWriter(file, FIELDS[self.experiment], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)

    def _same(self, row: dict[str, str]) -> bool:
        mine = row["env"] in self.env and row["lesion"] == self.lesion
        return mine and row.get("algo", "brain") == self.algo

    def _rows(self) -> Iterator[dict[str, Any]]:
        config = BrainConfig(lesions=(self.lesion,) if self.lesion else ())
        for env in self.env:
            for seed in range(self.first_seed, self.first_seed + self.seeds):
                about = {"env": env, "lesion": self.lesion, "seed": seed}
                if self.experiment == "find":
                    yield from self._find(about, config)
                    continue
                steps = self.steps[-1]
                about["steps"] = steps
                make = {"goals": goal_rows, "door": door_rows, "dark": dark_rows}[self.experiment]
                for row in make(env, config, seed, steps, self.eval_seed):
                    yield about | row

    def _find(self, about: dict[str, Any], config: BrainConfig) -> Iterator[dict[str, Any]]:
        name, seed = about["env"], about["seed"]
        agent = make_algorithm(self.algo, name, seed, config, steps=self.steps[-1])
        trained, done = 0.0, 0
        for steps in self.steps:
            start = time.process_time()
            if learns(self.algo):
                agent.learn(steps - done, reset_num_timesteps=not done)
            trained, done = trained + time.process_time() - start, steps
            row = about | {"algo": self.algo, "steps": steps} | self._measure(agent, name)
            yield row | {"train_s": round(trained, 2)}

    def _measure(self, agent: Any, name: str) -> dict[str, Any]:
        env, felt = gym.make(name), list[Seen]()
        shortest, walker = shortest_ways(env), Performer(agent)
        walks, starts = list[Walk](), set[int]()
        for i in range(self.episodes):
            starts.add(len(felt))
            walks.append(walk(walker, env, shortest, self.eval_seed + i, watch=felt.append))
        env.close()
        found = summary(walks)
        if isinstance(agent, BrainAgent):
            found["places"] = len(agent.brain.hippocampus.map)
            found["cpu_us"] = cost(agent, felt[:TIMED], starts)
        return found


def summary(walks: list[Walk]) -> dict[str, Any]:
    """Share of goals reached, and the median way over the shortest one."""
    ratios = [walk.ratio for walk in walks if walk.ratio is not None]
    return {
        "success": round(float(np.mean([walk.arrived for walk in walks])), 3),
        "way_ratio": round(float(np.median(ratios)), 3) if ratios else "",
    }


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
