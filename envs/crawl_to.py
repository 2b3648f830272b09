"""`neonate/CrawlTo-v0` and `neonate/CrawlToTorque-v0`: crawl to a place."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.crawler import CrawlerEnv
from envs.ground_goal import GroundGoal, check_reward_type


class CrawlToEnv(GroundGoal, CrawlerEnv):
    """The crawler is to come to a place 1 to 8 m away, in any direction.

    Observation (dict of float64 arrays): `observation`, the body's proprioception (28,), see
    `CrawlerEnv`; `achieved_goal`, where the trunk is, and `desired_goal`, where it is to be: x and
    y in m, (2,). Action, options and the rest of info are those of `CrawlerEnv`; goals are drawn
    as `GroundGoal` says.

    The episode ends when the body arrives (its trunk within `success_distance` of the goal), or
    after 1000 steps, 50 s.

    Reward, each term in info under its name:

    | term | what | weight |
    |---|---|---|
    | `reward_distance` | −distance in m; `sparse`: −1 until arrival | 1 |
    | `reward_effort` | −`effort`; `sparse`: none | `effort_weight` |
    | `reward_haste` | −`haste`; `sparse`: none | `haste_weight` |
    | `reward_slip` | −`foot_slip` in m/s; `sparse`: none | `slip_weight` |

    Info besides: `distance` (m), `is_success` (arrived).

    Args:
        reward_type: `"dense"` or `"sparse"`.
        **options: those of `CrawlerEnv`.

    Raises:
        ValueError: for an option outside its domain; the message says what is accepted.

    """

    camera = "wide"
    reads = (*CrawlerEnv.reads, "mocap_pos")
    effort_weight: ClassVar[float] = 0.1
    haste_weight: ClassVar[float] = 0.2
    slip_weight: ClassVar[float] = 0.2
    reward_terms = ("reward_effort", "reward_haste", "reward_slip")

    def __init__(self, reward_type: str = "dense", **options: Any) -> None:
        self.reward_type = check_reward_type(reward_type)
        super().__init__(**options)
        self.observation_space = self.goal_space(self.body_space)

    # MujocoEnv is annotated for flat observations.
    def reset_model(self) -> dict[str, NDArray[np.float64]]:  # type: ignore[override]
        """Put the body at the origin and the goal somewhere."""
        self.data.mocap_pos[0, :2] = self.sample_goal()
        self.data.mocap_pos[0, 2] = 0.0
        self.place_body()
        return self.observe()

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
        observation = self.observe()
        reward, arrived = self.judge(observation, info)
        if self.render_mode == "human":
            self.render()
        told = {key: np.asarray(value).item() for key, value in info.items()}
        return observation, float(reward), bool(arrived), False, told

    def observe(
        self, seen: Mapping[str, NDArray[np.float64]] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Observation of this body now, or of what is `seen` of many (`reads`), (…, *)."""
        seen = self.seen if seen is None else seen
        return {
            "observation": self.feel(seen),
            "achieved_goal": seen["qpos"][..., :2].copy(),
            "desired_goal": seen["mocap_pos"][..., 0, :2].copy(),
        }

    def judge(
        self, observation: dict[str, NDArray[np.float64]], info: dict[str, Any]
    ) -> tuple[Any, Any]:
        """Reward (…,) and arrival (…,); distance, success and the terms are added to info."""
        achieved, desired = observation["achieved_goal"], observation["desired_goal"]
        offset = achieved - desired
        info["distance"] = np.sqrt((offset * offset).sum(axis=-1))
        info["is_success"] = info["distance"] < self.success_distance
        counts = 1.0 if self.reward_type == "dense" else 0.0
        info["reward_distance"] = self.distance_reward(achieved, desired)
        info["reward_effort"] = -counts * self.effort_weight * info["effort"]
        info["reward_haste"] = -counts * self.haste_weight * info["haste"]
        info["reward_slip"] = -counts * self.slip_weight * info["foot_slip"]
        reward = info["reward_distance"]
        for term in self.reward_terms:
            reward = reward + info[term]
        return reward, info["is_success"]
