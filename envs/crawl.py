"""`neonate/Crawl-v0` and `neonate/CrawlTorque-v0`: crawl forward."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.crawler import CrawlerEnv


class CrawlEnv(CrawlerEnv):
    """The crawler is to crawl along the world's x axis, as fast as it is worth the effort.

    The observation is the body's proprioception (`CrawlerEnv`), (28,) float64, and so are action,
    options and the rest of info. An episode is 1000 steps, 50 s, and never ends sooner.

    Reward, each term in info under its name:

    | term | what | weight |
    |---|---|---|
    | `reward_forward` | velocity along x in m/s | 1 |
    | `reward_effort` | −`effort` | `effort_weight` |
    | `reward_haste` | −`haste`: tiny steps would pay as well as strides | `haste_weight` |
    | `reward_slip` | −`foot_slip` in m/s | `slip_weight` |
    """

    effort_weight: ClassVar[float] = 0.1
    haste_weight: ClassVar[float] = 0.2
    slip_weight: ClassVar[float] = 0.2

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.observation_space = self.body_space

    def reset_model(self) -> NDArray[np.float64]:
        """Put the body at the origin."""
        self.place_body()
        return self.feel()

    def step(  # type: ignore[override]
        self, action: NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """Crawl for one control step.

        Args:
            action: (8,) clipped to [-1, 1].

        Returns:
            Observation, reward, terminated (never), truncated (by Gymnasium's time limit), info.

        Raises:
            ValueError: if the action has another shape, or is NaN or infinite.

        """
        info = self.crawl(action)
        observation = self.observe()
        reward, terminated = self.judge(observation, info)
        if self.render_mode == "human":
            self.render()
        return observation, float(reward), bool(terminated), False, info

    def observe(self, seen: Mapping[str, NDArray[np.float64]] | None = None) -> NDArray[np.float64]:
        """Observation (…, 28) of this body now, or of what is `seen` of many (`reads`)."""
        return self.feel(seen)

    def judge(self, observation: Any, info: dict[str, Any]) -> tuple[Any, Any]:
        """Reward (…,) and whether the episode is over (…,); the terms are added to info."""
        info["reward_forward"] = info["x_velocity"]
        info["reward_effort"] = -self.effort_weight * info["effort"]
        info["reward_haste"] = -self.haste_weight * info["haste"]
        info["reward_slip"] = -self.slip_weight * info["foot_slip"]
        terms = ("reward_forward", "reward_effort", "reward_haste", "reward_slip")
        reward = sum(info[term] for term in terms)
        return reward, np.zeros(np.shape(reward), bool)
