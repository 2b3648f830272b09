"""Trials in mazes: a goal that is hidden until found, and moved; a door that closes."""

from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from agent.config import BrainConfig
from envs.maze_senses import HiddenGoal
from policies import BrainAgent
from scripts.errors import UserError
from scripts.maze_walks import Array, Learner, Walk, shortest_ways, walk

SIGHT = 1.0  # (Metres) from which a hidden goal is seen
GOALS = 4  # places that the hidden goal is moved to in turn
PAIRS = 6  # of start and goal with the door in between
TRIALS = 3  # with each of them
PATIENCE = 4  # (Times the usual length of an episode) that a trial may last
FAR = 2.0  # (Metres) from the start to a hidden goal, at least
DETOUR = 1.3  # (Way over the one through the open door) when it is shut, at least

DOORS: Mapping[str, tuple[str, ...]] = {
    "ring": ("1111111", "1000001", "1011101", "1011101", "100D001", "1111111"),
    "gallery": ("1111111", "1000001", "1D11101", "1000001", "1011101", "1000001", "1111111"),
    "two_rooms": ("1111111", "1001001", "100D001", "1001001", "1000001", "1111111"),
    "ladder": ("11111111", "10000001", "10110D11", "10000001", "11011011", "10000001", "11111111"),
    "comb": ("1111111", "1000001", "10101D1", "1010101", "1000001", "1111111"),
    "eight": (
        "111111111",
        "100010001",
        "101D00101",
        "100010001",
        "101010101",
        "100000001",
        "111111111",
    ),
}
"""Mazes with a door D, open at first: 1 is wall, 0 is free. The first three are for development."""


def _raised(env: gym.Env, config: BrainConfig, seed: int, steps: int) -> BrainAgent:
    return BrainAgent("BrainPolicy", env, seed=seed, brain=config).learn(steps)


def _cells(world: Any) -> list[Array]:
    maze = world.maze
    rows = enumerate(maze.maze_map)
    return [np.array([i, j]) for i, row in rows for j, one in enumerate(row) if str(one) != "1"]


def goal_rows(
    name: str, config: BrainConfig, seed: int, steps: int, eval_seed: int
) -> Iterator[dict[str, Any]]:
    """Explore without any goal; then find hidden goals, and come back to them from elsewhere.

    Each goal stays for some trials from random starts, and is then moved. It is seen from near by
    alone, and being there is what pays.
    """
    limit = PATIENCE * (gym.spec(name).max_episode_steps or 1000)
    unseen = HiddenGoal(gym.make(name), 0.0)
    walker = Learner(_raised(unseen, config, seed, steps))
    env = HiddenGoal(gym.make(name, max_episode_steps=limit), SIGHT)
    shortest, world = shortest_ways(env), env.unwrapped
    cells, rng = _cells(world), np.random.default_rng([eval_seed, seed])
    maze: Any = world.maze  # type: ignore[attr-defined]
    last = -1
    for goal in range(GOALS):
        options = [i for i in range(len(cells)) if i != last]
        last = int(rng.choice(options))
        env.goal = maze.cell_rowcol_to_xy(cells[last]) + rng.uniform(-0.2, 0.2, 2)
        far = [
            cell for cell in cells if shortest(maze.cell_rowcol_to_xy(cell), env.goal, 0.0) >= FAR
        ]
        for trial in range(1, TRIALS + 1):
            start = {"reset_cell": far[int(rng.integers(len(far)))], "goal_cell": cells[last]}
            found = walk(walker, env, shortest, int(rng.integers(2**31)), start)
            yield _row(goal, trial, found)
    env.close()


def door_rows(
    name: str, config: BrainConfig, seed: int, steps: int, eval_seed: int
) -> Iterator[dict[str, Any]]:
    """Explore with the door open; then the way to a goal leads through the door, which is shut.

    Every pair of start and goal is met by the brain as it was when the door was still open.
    """
    if name not in DOORS:
        raise UserError(f"no maze {name!r} with a door: write one of {', '.join(DOORS)}")
    opened, shut = (_with_door(DOORS[name], door) for door in (0, 1))
    agent = _raised(gym.make("PointMaze_UMaze-v3", maze_map=opened), config, seed, steps)
    env = gym.make("PointMaze_UMaze-v3", maze_map=shut, max_episode_steps=PATIENCE * 300)
    before = shortest_ways(gym.make("PointMaze_UMaze-v3", maze_map=opened))
    after = shortest_ways(env)
    maze: Any = env.unwrapped.maze  # type: ignore[attr-defined]
    cells, rng = _cells(env.unwrapped), np.random.default_rng([eval_seed, seed])
    place = [maze.cell_rowcol_to_xy(cell) for cell in cells]
    state = agent.brain.state()
    for index in range(PAIRS):
        while True:
            start, goal = (int(i) for i in rng.choice(len(cells), 2, replace=False))
            ends = place[start], place[goal]
            if after(*ends, 0.1) > DETOUR * before(*ends, 0.1):
                break
        agent.brain.load_state(state)
        walker = Learner(agent)
        for trial in range(1, TRIALS + 1):
            options = {"reset_cell": cells[start], "goal_cell": cells[goal]}
            found = walk(walker, env, after, int(rng.integers(2**31)), options)
            yield _row(index, trial, found)
    env.close()


def _with_door(rows: tuple[str, ...], door: int) -> list[list[int]]:
    return [[door if cell == "D" else int(cell) for cell in row] for row in rows]


def _row(goal: int, trial: int, found: Walk) -> dict[str, Any]:
    return {
        "goal": goal,
        "trial": trial,
        "arrived": int(found.arrived),
        "way": round(found.way, 3),
        "least": round(found.least, 3),
    }
