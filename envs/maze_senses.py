"""What can be seen in a maze: wrappers that hide the goal, or the place where the body is."""

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

PLACE_SENSES = ("given", "landmarks", "start")

Seen = dict[str, NDArray[np.float64]]


class HiddenGoal(gym.Wrapper[Seen, Any, Seen, Any]):
    """Shows the goal only from near by: otherwise the goal shown is where the body is.

    Args:
        env: PointMaze or AntMaze of gymnasium-robotics.
        sight: distance from which the goal is seen, m; 0 for never, and then it pays nothing.

    Attributes:
        goal: (2,) where the goal is put when an episode begins; None for where the maze puts it.

    """

    def __init__(self, env: gym.Env, sight: float):
        super().__init__(env)
        if not sight >= 0.0:
            raise ValueError(f"sight is {sight}: write a distance in m, 0 or more")
        self.sight = sight
        self.goal: NDArray[np.float64] | None = None

    def reset(self, **kwargs: Any) -> tuple[Seen, dict[str, Any]]:
        """Begin an episode."""
        seen, info = self.env.reset(**kwargs)
        if self.goal is not None:
            world: Any = self.env.unwrapped
            world.goal = self.goal.copy()
            world.update_target_site_pos()
            seen["desired_goal"] = self.goal.copy()
        return self._hide(seen), info

    def step(self, action: Any) -> tuple[Seen, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        seen, reward, ended, late, info = self.env.step(action)
        return self._hide(seen), reward if self.sight else 0.0, ended, late, info

    def _hide(self, seen: Seen) -> Seen:
        away = float(np.linalg.norm(seen["desired_goal"] - seen["achieved_goal"]))
        if away >= self.sight:
            seen = seen | {"desired_goal": seen["achieved_goal"].copy()}
        return seen


class PlaceSense(gym.Wrapper[Seen, Any, Seen, Any]):
    r"""Shows where the body is always, near landmarks, or only when an episode begins.

    Where it is not seen, `achieved_goal`, and what repeats it in `observation`, stay at what was
    seen last. The velocity that is felt has noise of its own size,

    .. math:: v' = v + \sigma \|v\|\, n, \qquad
        n \leftarrow e^{-h / \tau} n + \sqrt{1 - e^{-2 h / \tau}}\, \xi, \quad \xi \sim N(0, I)

    Args:
        env: PointMaze of gymnasium-robotics.
        sense: one of `PLACE_SENSES`.
        landmarks: (k, 2) places, m.
        near: distance from a landmark within which the place is seen, m.
        noise: σ.
        lasting: τ, how long the noise lasts, s; 0 for noise that is new in every step.

    Attributes:
        sense: may be changed at any time.

    """

    def __init__(
        self,
        env: gym.Env,
        sense: str = "given",
        landmarks: NDArray[np.float64] | None = None,
        near: float = 0.5,
        noise: float = 0.0,
        lasting: float = 0.0,
    ):
        super().__init__(env)
        if sense not in PLACE_SENSES:
            raise ValueError(f"sense is {sense!r}: write one of {PLACE_SENSES}")
        if not (noise >= 0.0 and lasting >= 0.0):
            raise ValueError(f"noise is {noise}, lasting {lasting} s: write 0 or more")
        self.sense, self.noise = sense, noise
        self._landmarks = np.zeros((0, 2)) if landmarks is None else np.asarray(landmarks, float)
        self._near = near
        step = float(env.unwrapped.point_env.dt)  # type: ignore[attr-defined]
        self._keep = float(np.exp(-step / lasting)) if lasting else 0.0
        self._place, self._now = np.zeros(2), np.zeros(2)

    def reset(self, **kwargs: Any) -> tuple[Seen, dict[str, Any]]:
        """Begin an episode; the place is seen then."""
        seen, info = self.env.reset(**kwargs)
        self._place, self._now = seen["achieved_goal"].copy(), self.np_random.normal(size=2)
        return self._veil(seen), info

    def step(self, action: Any) -> tuple[Seen, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        seen, reward, ended, late, info = self.env.step(action)
        fresh = self.np_random.normal(size=2)
        self._now = self._keep * self._now + np.sqrt(1.0 - self._keep**2) * fresh
        return self._veil(seen), reward, ended, late, info

    def _veil(self, seen: Seen) -> Seen:
        place, felt = seen["achieved_goal"], seen["observation"].copy()
        away = np.linalg.norm(self._landmarks - place, axis=1)
        if self.sense == "given" or (self.sense == "landmarks" and (away < self._near).any()):
            self._place = place.copy()
        felt[:2] = self._place
        felt[2:4] += self.noise * np.linalg.norm(felt[2:4]) * self._now
        return seen | {"observation": felt, "achieved_goal": self._place.copy()}
