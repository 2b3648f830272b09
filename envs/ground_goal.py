"""What the tasks of going to a place share: goals on open ground, reward, arrival."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

REWARD_TYPES = ("dense", "sparse")


def check_reward_type(reward_type: str) -> str:
    """Return the name of a reward if there is such a one.

    Raises:
        ValueError: there is none.

    """
    if reward_type not in REWARD_TYPES:
        raise ValueError(f"reward_type is {reward_type!r}: write one of {REWARD_TYPES}")
    return reward_type


class GroundGoal:
    """Mix-in of an environment whose body must come to a place on open ground.

    Goal: x and y in m, uniform over the ring of `nearest` to `farthest` around the origin, where
    the body starts. Arrived is who is within `success_distance` of it; that ends the episode.

    Reward: `dense`: −distance in m, and the terms named in `reward_terms`. `sparse`: 0 on arrival,
    else −1, and none of these terms but a fall's. Whoever falls for good pays at once for the
    steps that are left.
    """

    reward_type: str
    np_random: np.random.Generator

    nearest: ClassVar[float] = 1.0  # (Metres)
    farthest: ClassVar[float] = 8.0  # (Metres)
    success_distance: ClassVar[float] = 0.5  # (Metres)
    reward_terms: ClassVar[tuple[str, ...]] = ()  # besides that of the distance

    def goal_space(self, felt: spaces.Box) -> spaces.Dict:
        """Space of what is observed: what the body feels, where it is, where it is to be."""
        return spaces.Dict(
            {
                "observation": felt,
                "achieved_goal": spaces.Box(-np.inf, np.inf, (2,), np.float64),
                "desired_goal": spaces.Box(-self.farthest, self.farthest, (2,), np.float64),
            }
        )

    def sample_goal(self) -> NDArray[np.float64]:
        """Draw a goal (2,) in m, uniform in area."""
        radius = np.sqrt(self.np_random.uniform(self.nearest**2, self.farthest**2))
        bearing = self.np_random.uniform(-np.pi, np.pi)
        return radius * np.array([np.cos(bearing), np.sin(bearing)])

    def compute_reward(
        self,
        achieved_goal: NDArray[np.float64],
        desired_goal: NDArray[np.float64],
        info: Mapping[str, Any] | Sequence[Mapping[str, Any]] | NDArray[np.object_],
    ) -> Any:
        """Reward of having been at one place while another was desired.

        What the two places cannot tell, the terms of `reward_terms`, is read from `info`: the
        result equals the reward of `step` when goals and info are those of the step. An info
        without them counts as none: SB3's `HerReplayBuffer` hands over empty ones unless it is
        built with `copy_info_dict=True`.

        Args:
            achieved_goal: (2,) or (batch, 2) in m.
            desired_goal: the same shape, in m.
            info: the step's info, or one for each row of the batch.

        Returns:
            The reward, a float64 or an array (batch,).

        """
        reward = self.distance_reward(achieved_goal, desired_goal)
        for term in self.reward_terms:
            if isinstance(info, Mapping):
                reward = reward + info.get(term, 0.0)
            else:
                reward = reward + np.array([i.get(term, 0.0) for i in info])
        return reward

    def distance_reward(
        self, achieved_goal: NDArray[np.float64], desired_goal: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Part of the reward that the two places (…, 2) tell, (…,)."""
        offset = achieved_goal - desired_goal
        distance = np.sqrt((offset * offset).sum(axis=-1))
        if self.reward_type == "sparse":
            return np.where(distance < self.success_distance, 0.0, -1.0)
        return -distance
