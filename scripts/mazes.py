"""`python -m scripts.mazes`: how well a brain finds its way in mazes that it has explored itself.

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
from typing import Any

import gymnasium as gym
import numpy as np
import tyro

from agent.config import BrainConfig
from policies import BrainAgent
from scripts.errors import UserError
from scripts.files import replacing, write_json
from scripts.shortest import ShortestWays
from scripts.versions import versions

BODY_RADIUS = 0.1  # (Metres) of PointMaze's ball
ARRIVED = 0.45  # (Metres) within which PointMaze counts the goal as reached
TIMED = 1000  # observations over which the cost of a step is taken
LEAST_WAY = 0.3  # (Metres) shorter ways say nothing of the map
FIELDS = ("env", "lesion", "seed", "steps", "success", "way_ratio", "places", "cpu_us", "train_s")


@dataclass(frozen=True)
class Mazes:
    """Measure finding the way in PointMaze; writes mazes.csv and run.json."""

    out: Path
    """Folder to write to."""
    env: tuple[str, ...] = ("PointMaze_UMaze-v3",)
    """Mazes of gymnasium-robotics."""
    steps: tuple[int, ...] = (500, 1000)
    """Steps of training after which it is measured."""
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
        try:
            import gymnasium_robotics
        except ImportError as error:
            raise UserError("the mazes need gymnasium-robotics: pip install .[mazes]") from error
        gym.register_envs(gymnasium_robotics)
        self.out.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, Any]] = [
            dict(row) for row in read(self.out / "mazes.csv") if not self._same(row)
        ]
        about = {"versions": versions(), "eval_seed": self.eval_seed, "episodes": self.episodes}
        write_json(self.out / "run.json", about)
        for row in self._rows():  # (Written at once: an interruption loses one at most)
            rows.append(row)
            self._write(rows)

    def _write(self, rows: list[dict[str, Any]]) -> None:
        with (
            replacing(self.out / "mazes.csv") as beside,
            Path(beside).open("w", newline="") as file,
        ):
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def _same(self, row: dict[str, str]) -> bool:
        return row["env"] in self.env and row["lesion"] == self.lesion

    def _rows(self) -> Iterator[dict[str, Any]]:
        config = BrainConfig(lesions=(self.lesion,) if self.lesion else ())
        for env in self.env:
            for seed in range(self.first_seed, self.first_seed + self.seeds):
                agent = BrainAgent("BrainPolicy", env, seed=seed, brain=config)
                trained, done = 0.0, 0
                for steps in self.steps:
                    start = time.process_time()
                    agent.learn(steps - done, reset_num_timesteps=not done)
                    trained, done = trained + time.process_time() - start, steps
                    found = self._measure(agent, env)
                    row = {"env": env, "lesion": self.lesion, "seed": seed, "steps": steps}
                    row |= found | {"places": len(agent.brain.hippocampus.map)}
                    row["train_s"] = round(trained, 2)
                    print(row, flush=True)
                    yield row

    def _measure(self, agent: BrainAgent, name: str) -> dict[str, Any]:
        env = gym.make(name)
        maze = env.unwrapped.maze  # type: ignore[attr-defined]
        shortest = _shortest(maze)
        arrived: list[bool] = []
        ratios: list[float] = []
        felt: list[dict[str, Any]] = []
        for seed in range(self.eval_seed, self.eval_seed + self.episodes):
            seen, _ = env.reset(seed=seed)
            place, goal = seen["achieved_goal"].copy(), seen["desired_goal"].copy()
            least, way, state, there, over = shortest(place, goal, ARRIVED), 0.0, None, False, False
            begins = np.ones(1, bool)
            while not (there or over):
                batch = {key: part[None] for key, part in seen.items()}
                action, state = agent.predict(batch, state, begins, deterministic=True)
                begins = np.zeros(1, bool)
                if len(felt) < TIMED:
                    felt.append(batch)
                seen, _, ended, late, info = env.step(action[0])
                way += float(np.linalg.norm(seen["achieved_goal"] - place))
                place, there, over = seen["achieved_goal"].copy(), info["success"], ended or late
            arrived.append(there)
            if there and least > LEAST_WAY:
                ratios.append(way / least)
        env.close()
        ratio = round(float(np.median(ratios)), 3) if ratios else ""
        return {
            "success": round(float(np.mean(arrived)), 3),
            "way_ratio": ratio,
            "cpu_us": _cost(agent, felt),
        }


def _cost(agent: BrainAgent, felt: list[dict[str, Any]]) -> int:
    """CPU time of the brain's part of a step, µs, over observations met."""
    brain, begins = agent.brain, np.ones(1, bool)
    memory, start = brain.new_memory(1), time.process_time()
    for observation in felt:
        _, memory = brain.act(observation, memory, begins)
        begins = np.zeros(1, bool)
    return round(1e6 * (time.process_time() - start) / len(felt))


def _shortest(maze: Any) -> ShortestWays:
    walls = np.array([[str(cell) == "1" for cell in row] for row in maze.maze_map])
    rows, columns = walls.shape
    centre = np.array(
        [[maze.cell_rowcol_to_xy(np.array([i, j])) for j in range(columns)] for i in range(rows)]
    )
    return ShortestWays(walls, centre, maze.maze_size_scaling, BODY_RADIUS)


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a mazes.csv; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    tyro.cli(Mazes).run()
