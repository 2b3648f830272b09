"""What every reaching task shares: goal observation, reward, success, late vision, motor noise."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, ClassVar

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.envs.mujoco import MujocoEnv
from numpy.typing import NDArray

REWARD_TYPES = ("dense", "sparse")

HandForce = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""From the fingertip's position (3,) in m and velocity (3,) in m/s to a force on it (3,) in N."""


class ArmEnv(MujocoEnv):
    """A torque-driven arm: what it is moved by, and where its fingertip is.

    A task names its MJCF file and its frame skip. The MJCF names a site `fingertip` and a camera
    `view`, and has hinge joints only, each with one motor.

    Args:
        motor_noise: see `ArmReachEnv`.
        render_mode: `None`, `"human"`, `"rgb_array"`, `"depth_array"` or `"rgbd_tuple"`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Raises:
        ValueError: for an option outside its domain; the message says what is accepted.

    """

    metadata = {"render_modes": ["human", "rgb_array", "depth_array", "rgbd_tuple"]}  # noqa: RUF012
    model_file: ClassVar[str]
    control_substeps: ClassVar[int]

    def __init__(
        self, motor_noise: float, render_mode: str | None, width: int, height: int
    ) -> None:
        if not (np.isfinite(motor_noise) and motor_noise >= 0):
            raise ValueError(
                f"motor_noise is {motor_noise!r}: write a finite number from 0 up, e.g. 0.1"
            )
        super().__init__(
            model_path=str(files("assets") / self.model_file),
            frame_skip=self.control_substeps,
            observation_space=None,
            render_mode=render_mode,
            width=width,
            height=height,
            camera_name="view",
        )
        self.metadata = {**self.metadata, "render_fps": round(1 / self.dt)}
        self.motor_noise = float(motor_noise)
        n = self.model.nv
        self.joint_names = tuple(self.model.joint(j).name for j in range(n))
        self.observation_parts = {
            "joint_angles": slice(0, n),
            "joint_velocities": slice(n, 2 * n),
        }
        self._fingertip_id = self.model.site("fingertip").id
        self._site_velocity = np.zeros(6)
        self.hand_force: HandForce | None = None

    @property
    def fingertip(self) -> NDArray[np.float64]:
        """Where the fingertip truly is now, (3,) in m: a copy."""
        return self.data.site_xpos[self._fingertip_id].copy()

    @property
    def speed(self) -> float:
        """Of the fingertip now, in m/s."""
        mujoco.mj_objectVelocity(
            self.model,
            self.data,
            mujoco.mjtObj.mjOBJ_SITE,
            self._fingertip_id,
            self._site_velocity,
            0,
        )
        linear = self._site_velocity[3:]
        return float(np.sqrt(linear @ linear))

    def _drive(self, action: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Move the joints for one control step; returns the command (nu,), clipped."""
        command = np.asarray(action, dtype=np.float64)
        if command.shape != (self.model.nu,) or not np.isfinite(command).all():
            raise ValueError(
                f"action is {action!r}: give {self.model.nu} finite numbers in [-1, 1], one for "
                f"each of {self.joint_names}"
            )
        command = command.clip(-1.0, 1.0)
        torque = command
        if self.motor_noise:
            noise = self.motor_noise * self.np_random.standard_normal(command.shape)
            torque = (command * (1.0 + noise)).clip(-1.0, 1.0)
        self.data.ctrl[:] = torque
        self._simulate()
        # A step ends by integrating: without this, sites would still be where they were before.
        mujoco.mj_step1(self.model, self.data)
        return command

    def _simulate(self) -> None:
        """Let one control step pass, under the force on the hand if there is one."""
        if self.hand_force is None:
            mujoco.mj_step(self.model, self.data, nstep=self.frame_skip)
            return
        jacobian = np.zeros((3, self.model.nv))
        for _ in range(self.frame_skip):
            mujoco.mj_step1(self.model, self.data)
            position = self.data.site_xpos[self._fingertip_id]
            mujoco.mj_jacSite(self.model, self.data, jacobian, None, self._fingertip_id)
            force = self.hand_force(position, jacobian @ self.data.qvel)
            self.data.qfrc_applied[:] = jacobian.T @ force
            mujoco.mj_step2(self.model, self.data)

    def _delay_in_steps(self, delay_ms: float) -> int:
        step_ms = 1000.0 * self.dt
        steps = delay_ms / step_ms if np.isfinite(delay_ms) else -1.0
        if steps < 0 or abs(steps - round(steps)) > 1e-6:
            raise ValueError(
                f"vision_delay_ms is {delay_ms!r}: write a multiple of the control step of "
                f"{step_ms:g} ms from 0 up, e.g. {10 * step_ms:g}"
            )
        return round(steps)


class ArmReachEnv(ArmEnv):
    """A torque-driven arm that must bring its fingertip to a target and hold it there.

    A task names its MJCF file, its frame skip and the number of goal coordinates, and says how an
    episode begins (`sample_episode`). The MJCF names a site `fingertip`, a site `target` on a
    motion-capture body `target`, a camera `view`, and has hinge joints only, each with one motor.

    Observation (dict of float64 arrays)
        `observation`: joint angles (rad), then joint velocities (rad/s), in the order of
        `joint_names`; the slices are in `observation_parts`. `achieved_goal`: the fingertip as
        seen (m). `desired_goal`: the target (m).
    Action
        One number in [-1, 1] per joint, in the order of `joint_names`: torque over the joint's
        torque limit. What lies outside is clipped.
    Reward
        `dense`: −distance − `effort_weight` · ‖action‖², distance in m. `sparse`: 0 when the
        fingertip is within `success_distance`, else −1, with no effort term. The terms are in
        `info` as `reward_distance` and `reward_effort`, and sum to the reward.
    Info
        `is_success` (fingertip within `success_distance` and slower than `success_speed`, now: at
        the last step it says whether the reach was held), `distance` (m), `speed` (m/s),
        `reward_distance`, `reward_effort`; with a visual delay also `moved_since_seen` (m).

    Whoever holds the hand can act on it: `hand_force`, None at first, is asked at every step of
    the simulator for the force on the fingertip (`envs.force_fields`).

    Args:
        reward_type: `"dense"` or `"sparse"`.
        vision_delay_ms: age of `achieved_goal` in ms, a multiple of the control step. Joint angles
            and velocities (proprioception) are never late, nor is the target, which stands still.
            Before an episode the arm is at rest, so the first late views are of the starting
            posture. Reward and success judge the true fingertip, not the seen one.
        motor_noise: standard deviation of the torque in proportion to the torque itself
            (signal-dependent noise, Harris & Wolpert 1998, doi:10.1038/29528):
            τ = τ_command · (1 + motor_noise · ε), ε ~ N(0, 1) for each joint and control step.
            The motors still cannot exceed their limits.
        render_mode: `None`, `"human"`, `"rgb_array"`, `"depth_array"` or `"rgbd_tuple"`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Raises:
        ValueError: for an option outside its domain; the message says what is accepted.

    """

    goal_size: ClassVar[int]
    goal_bound: ClassVar[float]

    effort_weight: ClassVar[float] = 0.1  # (Reward per squared action)
    success_distance: ClassVar[float] = 0.02  # (Metres)
    success_speed: ClassVar[float] = 0.05  # (Metres per second)

    def __init__(
        self,
        reward_type: str = "dense",
        vision_delay_ms: float = 0.0,
        motor_noise: float = 0.0,
        render_mode: str | None = None,
        width: int = 1280,
        height: int = 720,
    ) -> None:
        if reward_type not in REWARD_TYPES:
            raise ValueError(f"reward_type is {reward_type!r}: write one of {REWARD_TYPES}")
        super().__init__(motor_noise, render_mode, width, height)
        self.reward_type = reward_type
        self.vision_delay_steps = self._delay_in_steps(vision_delay_ms)

        n = self.model.nv
        goal = spaces.Box(-self.goal_bound, self.goal_bound, (self.goal_size,), np.float64)
        self.observation_space = spaces.Dict(
            {
                "observation": spaces.Box(-np.inf, np.inf, (2 * n,), np.float64),
                "achieved_goal": goal,
                "desired_goal": spaces.Box(goal.low, goal.high, dtype=np.float64),
            }
        )
        self._target_id = self.model.site("target").id
        self._views: deque[NDArray[np.float64]] = deque(maxlen=self.vision_delay_steps + 1)

    def sample_episode(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw how an episode begins, from `self.np_random`.

        Returns:
            The joint angles (nq,) in rad at rest, and the target (3,) in m, within reach.

        """
        raise NotImplementedError

    @property
    def target(self) -> NDArray[np.float64]:
        """Where the target is, (3,) in m: a copy."""
        return self.data.site_xpos[self._target_id].copy()

    @property
    def distance(self) -> float:
        """From the fingertip to the target now, in m."""
        offset = self.data.site_xpos[self._fingertip_id] - self.data.site_xpos[self._target_id]
        return float(np.sqrt(offset @ offset))

    # MujocoEnv is annotated for flat observations.
    def reset_model(self) -> dict[str, NDArray[np.float64]]:  # type: ignore[override]
        """Put the arm in its starting posture at rest, place the target, and look."""
        posture, target = self.sample_episode()
        self.data.mocap_pos[0] = target
        self.set_state(posture, np.zeros(self.model.nv))
        self._views.extend([self.fingertip[: self.goal_size]] * (self.vision_delay_steps + 1))
        return self._observe()

    def step(  # type: ignore[override]
        self, action: NDArray[np.floating[Any]]
    ) -> tuple[dict[str, NDArray[np.float64]], float, bool, bool, dict[str, Any]]:
        """Drive the joints for one control step.

        Args:
            action: (nu,) torque over torque limit, clipped to [-1, 1].

        Returns:
            Observation, reward, terminated (never), truncated (by Gymnasium's time limit), info.

        Raises:
            ValueError: if the action has another shape, or is NaN or infinite.

        """
        command = self._drive(action)
        fingertip = self.fingertip
        self._views.append(fingertip[: self.goal_size])
        observation = self._observe()
        reward, judged = self.judge(fingertip, self.target, self.speed, command)
        info = {key: value.item() for key, value in judged.items()}
        if self.vision_delay_steps:
            info["moved_since_seen"] = fingertip[: self.goal_size] - observation["achieved_goal"]
        if self.render_mode == "human":
            self.render()
        return observation, float(reward), False, False, info

    def judge(
        self,
        fingertip: NDArray[np.float64],
        target: NDArray[np.float64],
        speed: NDArray[np.float64] | float,
        command: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], dict[str, NDArray]]:
        """Judge a step, of one arm or of many at once.

        Args:
            fingertip: where it truly is, (…, 3) in m.
            target: (…, 3) in m.
            speed: of the fingertip, (…,) in m/s.
            command: (…, nu) in [-1, 1].

        Returns:
            Reward (…,) and the info of the class, (…,) each.

        """
        offset = fingertip - target
        distance = np.sqrt((offset * offset).sum(axis=-1))
        near, slow = distance < self.success_distance, speed < self.success_speed
        size = self.goal_size
        info = {
            "is_success": np.asarray(near & slow),
            "distance": distance,
            "speed": np.asarray(speed),
            "reward_effort": np.zeros_like(distance),
            "reward_distance": self._distance_reward(fingertip[..., :size], target[..., :size]),
        }
        if self.reward_type == "dense":
            info["reward_effort"] = -self.effort_weight * np.square(command).sum(axis=-1)
        return info["reward_distance"] + info["reward_effort"], info

    def compute_reward(
        self,
        achieved_goal: NDArray[np.float64],
        desired_goal: NDArray[np.float64],
        info: Mapping[str, Any] | Sequence[Mapping[str, Any]] | NDArray[np.object_],
    ) -> Any:
        """Reward of having achieved one goal while another was desired.

        What the two goals cannot tell is read from `info`: `reward_effort`, and under a visual
        delay `moved_since_seen`, by which the true fingertip is ahead of the seen one. Hence the
        result equals the reward of `step` exactly when goals and info are those of the step. An
        info without them counts as no effort and no delay: SB3's `HerReplayBuffer` hands over
        empty ones unless it is built with `copy_info_dict=True`.

        Args:
            achieved_goal: (goal_size,) or (batch, goal_size) fingertip as seen, in m.
            desired_goal: the same shape, in m.
            info: the step's info, or one for each row of the batch.

        Returns:
            The reward, a float64 or an array (batch,).

        """
        if isinstance(info, Mapping):
            effort = info.get("reward_effort", 0.0)
            moved = info.get("moved_since_seen", 0.0)
        else:
            still = np.zeros(self.goal_size)
            effort = np.array([i.get("reward_effort", 0.0) for i in info])
            moved = np.array([i.get("moved_since_seen", still) for i in info])
        return self._distance_reward(achieved_goal + moved, desired_goal) + effort

    def _distance_reward(
        self, fingertip: NDArray[np.float64], target: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        offset = fingertip - target
        distance = np.sqrt((offset * offset).sum(axis=-1))
        if self.reward_type == "sparse":
            return np.where(distance < self.success_distance, 0.0, -1.0)
        return -distance

    def _observe(self) -> dict[str, NDArray[np.float64]]:
        return {
            "observation": np.concatenate((self.data.qpos, self.data.qvel)),
            "achieved_goal": self._views[0].copy(),
            "desired_goal": self.target[: self.goal_size],
        }
