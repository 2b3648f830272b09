"""`neonate/AntTo-v0`: Gymnasium's Ant goes to a place."""

from typing import Any, ClassVar

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.envs.mujoco.ant_v5 import AntEnv
from numpy.typing import NDArray

from envs.ground_goal import GroundGoal, check_reward_type


class AntToEnv(GroundGoal, AntEnv):
    """Gymnasium's Ant (v5) is to come to a place 1 to 8 m away, in any direction.

    Observation (dict of float64 arrays): `observation`, (27,), what Ant-v5 observes without the
    contact forces: height, orientation (quaternion), 8 joint angles, 6 velocities of the torso, 8
    joint velocities; `achieved_goal`, where the torso is, and `desired_goal`, where it is to be: x
    and y in m, (2,). Action: Ant-v5's, (8,) torques over their limits in [-1, 1]. How an episode
    begins is Ant-v5's, goals are drawn as `GroundGoal` says.

    The episode ends when the Ant arrives (its torso within `success_distance` of the goal), when
    it has been turned over (its top faces down: it cannot get up again) or Ant-v5 holds it for
    unhealthy, or after `episode_steps`, 50 s.

    Reward, each term in info under its name:

    | term | what | weight |
    |---|---|---|
    | `reward_distance` | −distance in m; `sparse`: −1 until arrival | 1 |
    | `reward_effort` | −mean over motors of action²; `sparse`: none | `effort_weight` |
    | `reward_fall` | on a fall, `reward_distance` of all steps that were left | 1 |

    Thus whoever falls gets what lying there would bring, and never gains by it. Info besides:
    `distance` (m), `speed` (m/s), `is_success` (arrived), `flipped`, `x_position`, `y_position`.

    Args:
        reward_type: `"dense"` or `"sparse"`.
        render_mode: `None`, `"human"`, `"rgb_array"`, `"depth_array"` or `"rgbd_tuple"`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Raises:
        ValueError: unknown `reward_type`.

    """

    effort_weight: ClassVar[float] = 0.1
    episode_steps: ClassVar[int] = 1000
    reward_terms = ("reward_effort", "reward_fall")

    def __init__(
        self,
        reward_type: str = "dense",
        render_mode: str | None = None,
        width: int = 1280,
        height: int = 720,
    ) -> None:
        self.reward_type = check_reward_type(reward_type)
        super().__init__(
            include_cfrc_ext_in_observation=False,
            render_mode=render_mode,
            width=width,
            height=height,
        )
        felt = self.observation_space
        assert isinstance(felt, spaces.Box)
        self.observation_space = self.goal_space(felt)
        self._steps: int = 0

    def _initialize_simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """Add a mark that shows the goal; it touches nothing."""
        spec = mujoco.MjSpec.from_file(self.fullpath)
        target = spec.worldbody.add_body(name="target", mocap=True, pos=(0.0, 0.0, -5.0))
        target.add_geom(
            name="target",
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            size=(self.success_distance, 0.005, 0.0),
            rgba=(0.93, 0.22, 0.20, 0.5),
            contype=0,
            conaffinity=0,
        )
        model = spec.compile()
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, self.width)
        model.vis.global_.offheight = max(model.vis.global_.offheight, self.height)
        return model, mujoco.MjData(model)

    # AntEnv is annotated for flat observations.
    def reset_model(self) -> dict[str, NDArray[np.float64]]:  # type: ignore[override]
        """Put the Ant at the origin and the goal somewhere."""
        self.data.mocap_pos[0, :2] = self.sample_goal()
        self.data.mocap_pos[0, 2] = 0.0
        self._steps = 0
        return self._observe(super().reset_model())

    def step(  # type: ignore[override]
        self, action: NDArray[np.floating[Any]]
    ) -> tuple[dict[str, NDArray[np.float64]], float, bool, bool, dict[str, Any]]:
        """Go on for one control step.

        Args:
            action: (8,) within [-1, 1].

        Returns:
            Observation, reward, terminated (arrived or fallen), truncated (by Gymnasium's time
            limit), info.

        Raises:
            ValueError: if the action has another shape.

        """
        felt, _, _, _, ant = super().step(action)
        self._steps += 1
        observation = self._observe(felt)
        achieved, desired = observation["achieved_goal"], observation["desired_goal"]
        offset = achieved - desired
        distance = float(np.sqrt(offset @ offset))
        arrived = distance < self.success_distance
        flipped = bool(self.data.body("torso").xmat[8] < 0.0)
        fallen = flipped or not self.is_healthy
        info: dict[str, Any] = {
            "x_position": ant["x_position"],
            "y_position": ant["y_position"],
            "distance": distance,
            "speed": float(np.hypot(ant["x_velocity"], ant["y_velocity"])),
            "is_success": arrived,
            "flipped": flipped,
            "reward_distance": float(self.distance_reward(achieved, desired)),
            "reward_effort": 0.0,
            "reward_fall": 0.0,
        }
        if self.reward_type == "dense":
            info["reward_effort"] = -self.effort_weight * float(np.mean(np.square(action)))
        if fallen and not arrived:
            left = max(self.episode_steps - self._steps, 0)
            info["reward_fall"] = left * info["reward_distance"]
        reward = float(self.compute_reward(achieved, desired, info))
        return observation, reward, arrived or fallen, False, info

    def _observe(self, felt: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {
            "observation": felt,
            "achieved_goal": self.data.qpos[:2].copy(),
            "desired_goal": self.data.mocap_pos[0, :2].copy(),
        }
