"""Ways through mazes: how long they are, and how long they had to be."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agent.working_memory import Memory
from policies import BrainAgent
from scripts.errors import UserError
from scripts.shortest import ShortestWays

Array = NDArray[np.float64]
Seen = dict[str, Array]

BODY_RADIUS = 0.1  # (Metres) of PointMaze's ball
ARRIVED = 0.45  # (Metres) within which PointMaze counts the goal as reached
LEAST_WAY = 0.3  # (Metres) shorter ways say nothing of the map
DIRECT = 1.2  # (Way over the shortest one) up to which a way is direct


@dataclass(frozen=True)
class Walk:
    """One way to a goal.

    Attributes:
        arrived: whether it ended there.
        way: its length, m.
        least: length of the shortest one, m.

    """

    arrived: bool
    way: float
    least: float

    @property
    def ratio(self) -> float | None:
        """Way over the shortest one; None where that is no measure."""
        return self.way / self.least if self.arrived and self.least > LEAST_WAY else None

    @property
    def direct(self) -> bool:
        """Whether it arrived without a detour."""
        return self.arrived and self.way <= DIRECT * max(self.least, LEAST_WAY)


def register_mazes() -> None:
    """Make gymnasium-robotics' mazes known to Gymnasium.

    Raises:
        UserError: they are not installed.

    """
    try:
        import gymnasium_robotics
    except ImportError as error:
        raise UserError("the mazes need gymnasium-robotics: pip install .[mazes]") from error
    gym.register_envs(gymnasium_robotics)


def shortest_ways(env: gym.Env) -> ShortestWays:
    """Shortest ways of PointMaze's ball through a maze, computed from its walls."""
    maze: Any = env.unwrapped.maze  # type: ignore[attr-defined]
    walls = np.array([[str(cell) == "1" for cell in row] for row in maze.maze_map])
    rows, columns = walls.shape
    centre = np.array(
        [[maze.cell_rowcol_to_xy(np.array([i, j])) for j in range(columns)] for i in range(rows)]
    )
    return ShortestWays(walls, centre, maze.maze_size_scaling, BODY_RADIUS)


class Performer:
    """An agent that walks with learning off.

    Args:
        agent: any of SB3's kind.

    """

    def __init__(self, agent: Any):
        self._agent, self._normaliser = agent, agent.get_vec_normalize_env()
        self._state: Any = None
        self._begins = np.ones(1, bool)

    def begin(self) -> None:
        """Begin an episode."""
        self._state, self._begins = None, np.ones(1, bool)

    def act(self, seen: Seen) -> Array:
        """Choose an action (m,) for what is seen."""
        batch: Any = {key: part[None] for key, part in seen.items()}
        if self._normaliser is not None:
            batch = self._normaliser.normalize_obs(batch)
        action, self._state = self._agent.predict(
            batch, self._state, self._begins, deterministic=True
        )
        self._begins = np.zeros(1, bool)
        return np.asarray(action[0])

    def learn(self, seen: Seen, action: Array, reward: float, after: Seen, over: bool) -> None:
        """Learn nothing."""


class Learner(Performer):
    """A brain that does its best, and learns from it.

    Attributes:
        memory: its working memory.

    """

    def __init__(self, agent: BrainAgent):
        super().__init__(agent)
        self.brain = agent.brain
        self.memory: Memory = self.brain.new_memory(1)

    def act(self, seen: Seen) -> Array:
        """Choose an action (m,) for what is seen."""
        batch = {key: part[None] for key, part in seen.items()}
        action, memory = self.brain.act(batch, self.memory, self._begins)
        self.memory = {name: value.copy() for name, value in memory.items()}
        self._begins = np.zeros(1, bool)
        return np.asarray(action[0])

    def learn(self, seen: Seen, action: Array, reward: float, after: Seen, over: bool) -> None:
        """Learn from one step."""
        before, then = ({key: part[None] for key, part in one.items()} for one in (seen, after))
        ended, none = np.array([over]), np.zeros(1, bool)
        self.brain.learn(before, action[None], np.array([reward]), then, none, ended, self.memory)


def walk(
    walker: Performer,
    env: gym.Env,
    shortest: Callable[[Array, Array, float], float],
    seed: int,
    options: dict[str, Any] | None = None,
    watch: Callable[[Seen], None] | None = None,
) -> Walk:
    """Let an agent go to the goal of one episode.

    Args:
        walker: that goes.
        env: PointMaze, perhaps wrapped.
        shortest: length of the shortest way from a place to within some m of a goal.
        seed: of the episode.
        options: of its reset.
        watch: called with everything that is seen.

    """
    seen, _ = env.reset(seed=seed, options=options)
    world: Any = env.unwrapped
    place, goal = world.data.qpos[:2].copy(), world.goal.copy()
    least, way, there, over = shortest(place, goal, ARRIVED), 0.0, False, False
    walker.begin()
    while not (there or over):
        if watch is not None:
            watch(seen)
        action = walker.act(seen)
        after, reward, ended, late, info = env.step(action)
        there, over = bool(info["success"]), ended or late
        walker.learn(seen, action, float(reward), after, there or over)
        now, seen = world.data.qpos[:2].copy(), after
        way, place = way + float(np.linalg.norm(now - place)), now
    return Walk(there, way, least)


def cost(agent: BrainAgent, felt: list[Seen], starts: Collection[int] = ()) -> int:
    """CPU time of the brain's part of a step, µs, over observations met.

    Args:
        agent: whose brain it is.
        felt: what was met, one step after the other.
        starts: where in it episodes begin, besides the first.

    """
    brain, memory, start = agent.brain, agent.brain.new_memory(1), time.process_time()
    for step, seen in enumerate(felt):
        batch = {key: part[None] for key, part in seen.items()}
        begins = np.array([step == 0 or step in starts])
        _, memory = brain.act(batch, memory, begins)
    return round(1e6 * (time.process_time() - start) / len(felt))
