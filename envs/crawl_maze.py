"""`neonate/CrawlMaze-v0`: crawl to a place in an arena with walls."""

from collections.abc import Mapping
from typing import Any, ClassVar

import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.crawler import CrawlerEnv
from envs.ground_goal import GroundGoal, check_reward_type

MAPS: Mapping[str, tuple[str, ...]] = {
    "room": ("...", "...", "..."),
    "u": ("...", "##.", "..."),
    "cross": ("#.#", "...", "#.#"),
    "ring": ("....", ".##.", "...."),
    "door": ("...", ".#D", "..."),
}
"""Arenas: `.` is free, `#` is wall, `D` is free or shut. A wall goes round all of it."""

GOALS = ("visible", "hidden", "moving")
DOORS = ("open", "shut", "shuts")

Place = NDArray[np.float64]


class CrawlMazeEnv(GroundGoal, CrawlerEnv):
    """The crawler is to come to a place behind walls, from anywhere, facing anywhere.

    Observation (dict of float64 arrays): `observation`, the body's proprioception (28,), see
    `CrawlerEnv`; `achieved_goal`, where the trunk is, and `desired_goal`, where it is to be: x and
    y in m, (2,). The origin is the middle of the arena. Walls are only felt by bumping into them.

    | option `goal` | what `desired_goal` shows |
    |---|---|
    | `visible` | the goal |
    | `hidden` | the goal within `sight` of it, else the place where the body is |
    | `moving` | the goal, which goes round a circle at `goal_speed` |

    | option `door` | in the map `door` |
    |---|---|
    | `open` | can be passed |
    | `shut` | cannot |
    | `shuts` | can be passed in the first `episodes_open` episodes, and then no more |

    Action, reward, end of an episode and info are those of `CrawlToEnv`, with `door_shut` besides.
    An episode lasts 75 s at most: the longest ways of the arenas are some 9 m, and .2 m/s a brisk
    crawl.
    The reward tells of the goal also where it is hidden: take `reward_type="sparse"` there.

    Args:
        maze: name of an arena, or its rows: equally long, of `.`, `#` and `D`.
        goal: as above.
        door: as above.
        reward_type: `"dense"` or `"sparse"`.
        **options: those of `CrawlerEnv`.

    Raises:
        ValueError: for an option outside its domain; the message says what is accepted.

    """

    camera = "wide"
    cell: ClassVar[float] = 2.0  # (Metres)
    wall_height: ClassVar[float] = 0.4  # (Metres)
    margin: ClassVar[float] = 0.5  # (Metres) between a wall and where a body or a goal may be put
    sight: ClassVar[float] = 1.0  # (Metres)
    goal_radius: ClassVar[float] = 0.4  # (Metres)
    goal_speed: ClassVar[float] = 0.1  # (Metres per second)
    episodes_open: ClassVar[int] = 20
    effort_weight: ClassVar[float] = 0.1
    haste_weight: ClassVar[float] = 0.2
    slip_weight: ClassVar[float] = 0.2
    reward_terms = ("reward_effort", "reward_haste", "reward_slip")

    def __init__(
        self,
        maze: str | tuple[str, ...] = "u",
        goal: str = "visible",
        door: str = "open",
        reward_type: str = "dense",
        **options: Any,
    ) -> None:
        self.rows = _rows(maze)
        for name, value, known in (("goal", goal, GOALS), ("door", door, DOORS)):
            if value not in known:
                raise ValueError(f"{name} is {value!r}: write one of {known}")
        self.goal_kind, self.door = goal, door
        self.reward_type = check_reward_type(reward_type)
        super().__init__(**options)
        self.observation_space = self.goal_space(self.body_space)
        self.observation_space["desired_goal"] = spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self._doors = [
            int(self.model.body(i).mocapid[0])
            for i in range(self.model.nbody)
            if self.model.body(i).name.startswith("door")
        ]
        self._episodes = 0
        self._centre, self._turn, self._goal = np.zeros(2), 0.0, np.zeros(2)

    def centre_of(self, row: int, column: int) -> Place:
        """Middle (2,) of a cell in m; row 0 is at the top, where y is largest."""
        height, width = len(self.rows), len(self.rows[0])
        return self.cell * np.array([column - 0.5 * (width - 1), 0.5 * (height - 1) - row])

    def free_cells(self) -> Place:
        """Middles (k, 2) in m of the cells that are free."""
        return np.array(
            [
                self.centre_of(i, j)
                for i, row in enumerate(self.rows)
                for j, kind in enumerate(row)
                if kind == "."
            ]
        )

    @property
    def door_shut(self) -> bool:
        """Whether doors are shut."""
        late = self._episodes > self.episodes_open
        return self.door == "shut" or (self.door == "shuts" and late)

    def furnish(self, spec: mujoco.MjSpec) -> None:
        """Build the walls: boxes on the ground, which the body touches."""
        height, width = len(self.rows), len(self.rows[0])
        look = {"rgba": (0.62, 0.66, 0.70, 1.0), "contype": 1, "conaffinity": 0}
        block = (0.5 * self.cell, 0.5 * self.cell, 0.5 * self.wall_height)
        for i in range(-1, height + 1):
            for j in range(-1, width + 1):
                inside = 0 <= i < height and 0 <= j < width
                kind = self.rows[i][j] if inside else "#"
                place = (*self.centre_of(i, j), 0.5 * self.wall_height)
                if kind == "#":
                    spec.worldbody.add_geom(
                        name=f"wall_{i}_{j}",
                        type=mujoco.mjtGeom.mjGEOM_BOX,
                        size=block,
                        pos=place,
                        **look,
                    )
                elif kind == "D":
                    leaf = spec.worldbody.add_body(name=f"door_{i}_{j}", pos=place, mocap=True)
                    leaf.add_geom(
                        type=mujoco.mjtGeom.mjGEOM_BOX,
                        size=block,
                        **(look | {"rgba": (0.55, 0.40, 0.25, 1.0)}),
                    )

    # MujocoEnv is annotated for flat observations.
    def reset_model(self) -> dict[str, NDArray[np.float64]]:  # type: ignore[override]
        """Put body and goal into two cells, and doors where they belong."""
        self._episodes += 1
        cells = self.free_cells()
        start, goal = self.np_random.choice(len(cells), 2, replace=False)
        roam = 0.5 * self.cell - self.margin
        place = cells[start] + self.np_random.uniform(-roam, roam, 2)
        self._centre = cells[goal] + self.np_random.uniform(-roam, roam, 2)
        self._turn = self.np_random.uniform(-np.pi, np.pi)
        self.place_body()
        posture, facing = self.data.qpos.copy(), 0.5 * self.np_random.uniform(-np.pi, np.pi)
        posture[:2] = place
        turned = np.zeros(4)
        mujoco.mju_mulQuat(
            turned, np.array([np.cos(facing), 0.0, 0.0, np.sin(facing)]), posture[3:7]
        )
        posture[3:7] = turned
        for door in self._doors:
            height = 0.5 * self.wall_height
            self.data.mocap_pos[door, 2] = height if self.door_shut else -10.0
        self._move_goal()
        self.set_state(posture, self.data.qvel.copy())
        self.journey["place"] = self.position
        return self._observe()

    def _move_goal(self) -> None:
        self._goal = self._centre
        if self.goal_kind == "moving":
            self._turn += self.goal_speed * self.dt / self.goal_radius
            circle = np.array([np.cos(self._turn), np.sin(self._turn)])
            self._goal = self._centre + self.goal_radius * circle
        self.data.mocap_pos[0] = (*self._goal, 0.0)

    def step(  # type: ignore[override]
        self, action: NDArray[np.floating[Any]]
    ) -> tuple[dict[str, NDArray[np.float64]], float, bool, bool, dict[str, Any]]:
        """Crawl for one control step.

        Args:
            action: (8,) clipped to [-1, 1].

        Returns:
            Observation, reward, terminated (arrived), truncated (by Gymnasium's time limit), info.

        Raises:
            ValueError: if the action has another shape, or is NaN or infinite.

        """
        info = self.crawl(action)
        self._move_goal()
        here = self.position
        away = here - self._goal
        info["distance"] = float(np.sqrt(away @ away))
        info["is_success"] = info["distance"] < self.success_distance
        info["door_shut"] = self.door_shut
        counts = 1.0 if self.reward_type == "dense" else 0.0
        info["reward_distance"] = float(self.distance_reward(here, self._goal))
        info["reward_effort"] = -counts * self.effort_weight * info["effort"]
        info["reward_haste"] = -counts * self.haste_weight * info["haste"]
        info["reward_slip"] = -counts * self.slip_weight * info["foot_slip"]
        if self.render_mode == "human":
            self.render()
        reward = float(self.compute_reward(here, self._goal, info))
        return self._observe(), reward, info["is_success"], False, info

    def _observe(self) -> dict[str, NDArray[np.float64]]:
        here = self.position
        seen = self.goal_kind != "hidden" or np.linalg.norm(here - self._goal) < self.sight
        return {
            "observation": self.feel(),
            "achieved_goal": here,
            "desired_goal": self._goal.copy() if seen else here.copy(),
        }


def _rows(maze: str | tuple[str, ...]) -> tuple[str, ...]:
    """Look an arena up, or check one that is given as rows."""
    if isinstance(maze, str):
        if maze not in MAPS:
            raise ValueError(f"maze is {maze!r}: write one of {tuple(MAPS)}, or rows of '.#D'")
        return MAPS[maze]
    rows = tuple(maze)
    even = rows and all(isinstance(row, str) and len(row) == len(rows[0]) for row in rows)
    if not even or set("".join(rows)) - set(".#D") or "".join(rows).count(".") < 2:
        raise ValueError(
            f"maze is {maze!r}: write rows of equal length, of '.', '#' and 'D', with at least "
            "two '.', e.g. ('...', '##.', '...')"
        )
    return rows
