"""Perturbations of what is seen: cursors that do not go where the hand goes, and late looks.

They wrap the reaching tasks. A perturbation counts trials (calls of `reset`) and asks its
`Schedule` how strong it is in each. The agent is not told: what the wrapper knows is in `info`.

::

    env = gym.make("neonate/Reach-v0", targets="centre_out")
    env = EndpointVision(CursorRotation(env, 30.0, Schedule.blocks(20, 80, 40, 80)))
"""

from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from envs.arm import ArmReachEnv
from envs.schedules import Schedule, Trial

Observation = dict[str, NDArray[np.float64]]
Step = tuple[Observation, float, bool, bool, dict[str, Any]]


def reaching_task(env: gym.Env, wrapper: str) -> ArmReachEnv:
    """Find the reaching task within, or say that there is none."""
    task = env.unwrapped
    if not isinstance(task, ArmReachEnv):
        raise ValueError(
            f"{wrapper} cannot wrap {env}: it needs a reaching task, e.g. neonate/Reach-v0"
        )
    return task


class Perturbation(gym.Wrapper, RecordConstructorArgs):
    """Counts trials and holds what the present one is like.

    Info: `phase`, `strength`, `clamp` and `seen` of the trial, and `hand`, its way from the start.

    Args:
        env: reaching task.
        schedule: how strong the perturbation is in which trial.
        seed: of what the schedule draws by chance.
        **recorded: further arguments of the subclass, for Gymnasium to make it again.

    Raises:
        ValueError: the task is no reaching task.

    """

    def __init__(self, env: gym.Env, schedule: Schedule, seed: int = 0, **recorded: float) -> None:
        arguments: dict[str, Any] = {"schedule": schedule, "seed": seed, **recorded}
        RecordConstructorArgs.__init__(self, **arguments)
        gym.Wrapper.__init__(self, env)
        self.task = reaching_task(env, type(self).__name__)
        self.schedule = schedule
        self.trials = 0
        self._rng = np.random.default_rng(seed)
        self.trial = schedule.trial(0, self._rng)
        self.start = np.zeros(3)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next trial."""
        self.trial = self.schedule.trial(self.trials, self._rng)
        self.trials += 1
        if hasattr(self.task, "directions"):
            self.task.directions = self.trial.directions
        observation, info = self.env.reset(seed=seed, options=options)
        self.start = self.task.fingertip
        return observation, info | self.told(self.trial)

    def told(self, trial: Trial) -> dict[str, Any]:
        """Say of the trial what goes into `info`."""
        return {
            "phase": trial.phase,
            "strength": trial.strength,
            "clamp": trial.clamp,
            "seen": trial.seen,
            "hand": self.task.fingertip[: self.task.goal_size] - self._from(),
        }

    def _from(self) -> NDArray[np.float64]:
        return self.start[: self.task.goal_size]


class Cursor(Perturbation):
    """A cursor in place of the hand: `achieved_goal`, reward, success and distance are its own.

    It starts where the hand starts. In a clamped trial it keeps to the line to the target
    (Morehead et al. 2017, doi:10.1162/jocn_a_01108), as far from the start as the hand is.
    The look must not be late: wrap a delay around the cursor instead.
    """

    def __init__(self, env: gym.Env, schedule: Schedule, seed: int = 0, **recorded: float) -> None:
        super().__init__(env, schedule, seed, **recorded)
        if self.task.vision_delay_steps:
            raise ValueError(
                f"{type(self).__name__} cannot wrap a task with vision_delay_ms: make it without, "
                "and wrap a delay around the cursor"
            )

    def move(self, away: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
        """Where the cursor is when the hand is at `away` (d,), both from the start, in m."""
        raise NotImplementedError

    def step(self, action: Any) -> Step:
        """Move the hand, and show the cursor."""
        observation, _, terminated, truncated, info = self.env.step(action)
        away = observation["achieved_goal"] - self._from()
        wanted = observation["desired_goal"] - self._from()
        if self.trial.clamp:
            shift = np.linalg.norm(away) * wanted / max(float(np.linalg.norm(wanted)), 1e-9)
        else:
            shift = self.move(away, self.trial.strength)
        observation = {**observation, "achieved_goal": self._from() + shift}
        distance = float(np.linalg.norm(shift - wanted))
        info = info | self.told(self.trial) | {"distance": distance}
        near = distance < self.task.success_distance
        info["is_success"] = bool(near and info["speed"] < self.task.success_speed)
        seen, goal = observation["achieved_goal"], observation["desired_goal"]
        reward = float(self.task.compute_reward(seen, goal, info))
        info["reward_distance"] = reward - info["reward_effort"]
        return observation, reward, bool(terminated), bool(truncated), info


class CursorRotation(Cursor):
    """The cursor's way is the hand's, turned about the start in the plane of x and y.

    Args:
        env: reaching task.
        degrees: of the full rotation, counter-clockwise (Krakauer et al. 2000,
            doi:10.1523/JNEUROSCI.20-23-08916.2000).
        schedule: how strong it is in which trial.
        seed: of what the schedule draws by chance.

    """

    def __init__(self, env: gym.Env, degrees: float, schedule: Schedule, seed: int = 0) -> None:
        super().__init__(env, schedule, seed, degrees=degrees)
        self.degrees = _finite("degrees", degrees, 30.0)

    def move(self, away: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
        """Turn the way."""
        angle = np.radians(self.degrees * strength)
        turned = away.copy()
        turned[0] = np.cos(angle) * away[0] - np.sin(angle) * away[1]
        turned[1] = np.sin(angle) * away[0] + np.cos(angle) * away[1]
        return turned


class CursorGain(Cursor):
    """The cursor's way is the hand's, times a gain that is 1 at strength 0.

    Args:
        env: reaching task.
        gain: at full strength, above 0.
        schedule: how strong it is in which trial.
        seed: of what the schedule draws by chance.

    """

    def __init__(self, env: gym.Env, gain: float, schedule: Schedule, seed: int = 0) -> None:
        super().__init__(env, schedule, seed, gain=gain)
        self.gain = _finite("gain", gain, 0.7)
        if gain <= 0:
            raise ValueError(f"gain is {gain!r}: write a number above 0, e.g. 0.7")

    def move(self, away: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
        """Stretch the way."""
        return away * (1.0 + strength * (self.gain - 1.0))


class EndpointVision(gym.Wrapper, RecordConstructorArgs):
    """The hand or cursor is seen before it starts and at the last step, not on the way.

    Between, `achieved_goal` stays what it was at the start. In trials that the schedule says are
    not seen (`Phase.seen`) it stays so to the end. Rewards are those of the whole way; by
    `moved_since_seen` in `info` the true place is ahead of the seen one.

    Args:
        env: reaching task, perturbed or not, with a limit of steps.

    Attributes:
        hidden: False shows everything all the time.

    Raises:
        ValueError: it is no reaching task.

    """

    def __init__(self, env: gym.Env) -> None:
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        reaching_task(env, type(self).__name__)
        self.hidden = True
        self._at_start = np.zeros(0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next trial, and look."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._at_start = observation["achieved_goal"].copy()
        return observation, info

    def step(self, action: Any) -> Step:
        """Move, and look if the trial is over."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if self.hidden and (not (terminated or truncated) or not info.get("seen", True)):
            moved = observation["achieved_goal"] - self._at_start
            info = {**info, "moved_since_seen": moved}
            observation = {**observation, "achieved_goal": self._at_start.copy()}
        return cast(Observation, observation), float(reward), terminated, truncated, info


def _finite(name: str, value: float, example: float) -> float:
    if not np.isfinite(value):
        raise ValueError(f"{name} is {value!r}: write a finite number, e.g. {example}")
    return float(value)
