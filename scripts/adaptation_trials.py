"""Trials of the motor-adaptation laboratory: the perturbed task, and what is measured of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import DummyVecEnv

from envs.arm import ArmReachEnv
from envs.force_fields import CurlField, Load
from envs.perturbations import CursorGain, CursorRotation, EndpointVision, Perturbation
from envs.schedules import Phase, Schedule
from scripts.errors import UserError

PERTURBATIONS = ("rotation", "gain", "curl", "load")
PATH_POINTS = 50  # (Points in time at which a path is kept)


@dataclass(frozen=True)
class Strength:
    """How large the full perturbation of each kind is."""

    degrees: float = 30.0
    """Rotation of the cursor, degrees."""
    gain: float = 0.7
    """Gain of the cursor."""
    viscosity: float = 13.0
    """Curl field, N s/m."""
    mass: float = 1.0
    """Load in the hand, kg."""


@dataclass(frozen=True)
class Measured:
    """What one trial was like.

    Attributes:
        phase: of the schedule.
        strength: share of the full perturbation.
        clamp: whether errors were clamped.
        target: direction of the target, degrees.
        turn: direction of the hand in the end less that of the target, degrees.
        launch: the same at the greatest speed.
        stretch: way of the hand over that to the target.
        miss: distance of hand or cursor from the target in the end, m.
        overshoot: farthest way along the line to the target, over its length, less 1.
        compensation: force on a channel's walls over what the full field would take: slope of
            the one on the other over the trial; 0 without a channel.
        path: (PATH_POINTS, d) hand from its start, m.

    """

    phase: str
    strength: float
    clamp: bool
    target: float
    turn: float
    launch: float
    stretch: float
    miss: float
    overshoot: float
    compensation: float
    path: NDArray[np.float64] = field(repr=False)


class Recorder(gym.Wrapper):
    """Measures every trial that passes through it.

    Attributes:
        trials: what was measured, a trial each.

    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.task = env.unwrapped
        self.trials: list[Measured] = []
        self._path: list[NDArray[np.float64]] = []
        self._push: list[tuple[float, float]] = []

    def reset(self, **options: Any) -> Any:
        """Begin a trial."""
        observation, info = self.env.reset(**options)
        assert isinstance(self.task, ArmReachEnv)
        self._start = self.task.fingertip
        self._path, self._push = [np.zeros(self.task.goal_size)], []
        return observation, info

    def step(self, action: Any) -> Any:
        """Measure, and keep what was measured when the trial is over."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        assert isinstance(self.task, ArmReachEnv)
        size = self.task.goal_size
        self._path.append((self.task.fingertip - self._start)[:size])
        self._push.append((float(info.get("push", 0.0)), float(info.get("needed", 0.0))))
        if terminated or truncated:
            self.trials.append(self._measure(info, (self.task.target - self._start)[:size]))
        return observation, reward, terminated, truncated, info

    def _measure(self, info: dict[str, Any], wanted: NDArray[np.float64]) -> Measured:
        path = np.array(self._path)
        fastest = int(np.linalg.norm(np.diff(path, axis=0), axis=1).argmax()) + 1
        length = float(np.linalg.norm(wanted))
        along = path @ wanted / length**2
        push, needed = np.array(self._push).T
        moments = np.linspace(0, len(path) - 1, PATH_POINTS)
        resampled = [np.interp(moments, np.arange(len(path)), part) for part in path.T]
        return Measured(
            phase=str(info.get("phase", "")),
            strength=float(info.get("strength", 0.0)),
            clamp=bool(info.get("clamp", False)),
            target=float(np.degrees(np.arctan2(wanted[1], wanted[0]))),
            turn=turn_between(wanted, path[-1]),
            launch=turn_between(wanted, path[fastest]),
            stretch=float(np.linalg.norm(path[-1])) / length,
            miss=float(info["distance"]),
            overshoot=float(along.max()) - 1.0,
            compensation=float(push @ needed / max(needed @ needed, 1e-9)),
            path=np.stack(resampled, axis=1),
        )


def turn_between(start: NDArray[np.float64], to: NDArray[np.float64]) -> float:
    """Angle from one way (d,) to another in the plane of x and y, degrees in [−180, 180)."""
    turn = np.arctan2(to[1], to[0]) - np.arctan2(start[1], start[0])
    return float(np.degrees((turn + np.pi) % (2 * np.pi) - np.pi))


class Bench(DummyVecEnv):
    """A vector of one body that hands on what it says, without copying all of it at each step."""

    def step_wait(self) -> Any:
        """Move the body, and begin the next trial when one is over."""
        observation, reward, terminated, truncated, info = self.envs[0].step(self.actions[0])
        over = bool(terminated or truncated)
        info["TimeLimit.truncated"] = bool(truncated and not terminated)
        if over:
            info["terminal_observation"] = observation
            observation, self.reset_infos[0] = self.envs[0].reset()
        seen = {name: np.array(value)[None] for name, value in observation.items()}
        return seen, np.array([reward], np.float32), np.array([over]), [info]


class Laboratory:
    """A reaching task under a perturbation whose schedule can be changed between experiments.

    Args:
        env_id: a reaching task.
        perturbation: one of `PERTURBATIONS`, or `none`.
        strength: how large it is in full.
        endpoint: whether the hand is seen only before and after the movement.
        steps: of a trial.
        motor_noise: of the arm, see `ArmReachEnv`.
        seed: of what schedules draw by chance.

    Raises:
        UserError: for another perturbation, or a task that is no reaching task.

    """

    def __init__(
        self,
        env_id: str,
        perturbation: str = "rotation",
        strength: Strength | None = None,
        endpoint: bool = True,
        steps: int = 60,
        motor_noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        strength = strength or Strength()
        self.env_id, self.motor_noise = env_id, motor_noise
        kwargs: dict[str, Any] = {"max_episode_steps": steps, "motor_noise": motor_noise}
        if env_id == "neonate/Reach-v0":
            kwargs["targets"] = "centre_out"
        practice = Schedule((Phase("practice", 1),))
        try:
            env = gym.make(env_id, **kwargs)
            self.perturbation = _perturb(env, perturbation, strength, practice, seed)
        except (TypeError, ValueError, gym.error.Error) as error:
            raise UserError(f"--env {env_id}: {error}") from error
        self._seen = EndpointVision(self.perturbation)
        self._seen.hidden = endpoint
        self.env = self.recorder = Recorder(self._seen)
        self.bench = Bench([lambda: self.env])
        self.steps = steps

    def look(self, endpoint: bool) -> None:
        """Show the hand only before and after the movement, or all the time."""
        self._seen.hidden = endpoint

    def schedule(self, schedule: Schedule, done: Sequence[Measured] = ()) -> None:
        """Begin an experiment: the next trial is the first of this schedule after those done."""
        self.perturbation.schedule = schedule
        self.perturbation.trials = len(done)
        self.recorder.trials = list(done)

    @property
    def trials(self) -> list[Measured]:
        """What was measured since the schedule began."""
        return self.recorder.trials


def _perturb(
    env: gym.Env, name: str, strength: Strength, schedule: Schedule, seed: int
) -> Perturbation:
    if name == "rotation":
        return CursorRotation(env, strength.degrees, schedule, seed)
    if name == "gain":
        return CursorGain(env, strength.gain, schedule, seed)
    if name == "curl":
        return CurlField(env, schedule, strength.viscosity, seed)
    if name == "load":
        return Load(env, schedule, strength.mass, seed)
    raise UserError(f"--perturbation {name}: write one of {', '.join(PERTURBATIONS)}")
