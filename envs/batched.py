"""Many bodies at once: a vectorised environment whose physics is one batch of simulations."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium.wrappers import PassiveEnvChecker
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from envs.arm import ArmReachEnv
from envs.crawl import CrawlEnv
from envs.crawl_to import CrawlToEnv

try:
    from mujoco.batch import Batch
except ImportError:  # (An older MuJoCo: SB3's own vectorised environment serves)
    Batch = None

_BATCHED = (CrawlEnv, CrawlToEnv)  # (Tasks of the crawler, and no class derived from them)
_STATE = ("qpos", "qvel", "ctrl", "mocap_pos", "mocap_quat", "qacc_warmstart")
_ARM_READS = ("site_xpos", "cvel", "subtree_com")
_USUAL = (Monitor, gym.wrappers.TimeLimit, gym.wrappers.OrderEnforcing, PassiveEnvChecker)


def make_many(make: Callable[[], gym.Env], n: int, threads: int = 1) -> VecEnv:
    """Make n bodies that live at once: as one batch where that can be done, else one by one.

    Args:
        make: makes one environment.
        n: bodies.
        threads: that the batch's physics may use.

    """
    first = make()
    if n > 1 and can_be_batched(first):
        return BatchedVecEnv([first, *(make() for _ in range(n - 1))], threads)
    rest = [first]

    def one() -> gym.Env:
        env = rest.pop() if rest else make()
        return env if isinstance(env, Monitor) else Monitor(env)

    return DummyVecEnv([one] * n)


def can_be_batched(env: gym.Env) -> bool:
    """Whether `BatchedVecEnv` knows this task, with these options and wrappers."""
    inner = env
    while isinstance(inner, gym.Wrapper):
        if not isinstance(inner, _USUAL):
            return False
        inner = inner.env
    if Batch is None or inner.render_mode == "human":
        return False
    if isinstance(inner, ArmReachEnv):
        late_or_noisy = inner.vision_delay_steps or inner.motor_noise or inner.hand_force
        return not late_or_noisy and type(inner).step is ArmReachEnv.step
    return type(inner) in _BATCHED


class BatchedVecEnv(VecEnv):
    """n bodies of one kind, stepped as one batch: the same as n environments, but sooner.

    Arms observe the same bit for bit, crawlers but for the last rounding of the trunk's turn.

    Physics runs in `mujoco.batch`, observations and rewards are computed on whole arrays by the
    tasks' own methods. Each environment goes on to say how its episodes begin and is what
    `render` shows. As in SB3's vectorised environments a body whose episode ends begins the next
    at once; infos hold `terminal_observation`, `TimeLimit.truncated` and, at the end of an
    episode, the `episode` that `Monitor` tells.

    Args:
        envs: n environments that `can_be_batched` with the same model.
        threads: that the physics may use.

    Raises:
        ValueError: environments that are no batch.

    """

    def __init__(self, envs: Sequence[gym.Env], threads: int = 1) -> None:
        if not envs or not all(can_be_batched(env) for env in envs):
            raise ValueError(
                "these environments cannot be batched: use make_many, which falls back to SB3's "
                "DummyVecEnv where a task, its options or its wrappers are not known here"
            )
        self.envs = list(envs)
        self._bodies: list[Any] = [env.unwrapped for env in envs]
        one = self._one = self._bodies[0]
        if len({type(body) for body in self._bodies}) > 1:
            raise ValueError("the environments are of several kinds: make one batch for each")
        self._arm = isinstance(one, ArmReachEnv)
        self.metadata, self.render_mode = envs[0].metadata, envs[0].render_mode
        super().__init__(len(envs), envs[0].observation_space, envs[0].action_space)
        self._longest = np.array([_time_limit(env) for env in envs])
        self.batch: Any = Batch(one.model, nsim=len(envs), nthread=threads)
        self.batch.set_models([body.model for body in self._bodies])
        self._state = {name: self.batch.bind(name) for name in _STATE}
        reads = _ARM_READS if self._arm else one.reads
        self._fields = {name: self.batch.bind(name) for name in reads}
        # (Of a crawler only its trunk's turn is wanted anew, and that its place tells)
        self._stage = mujoco.mjtStage.mjSTAGE_VEL if self._arm else mujoco.mjtStage.mjSTAGE_NONE
        self._journey = {} if self._arm else one.new_journey(len(envs))
        self._steps = np.zeros(len(envs), np.int64)
        self._returns, self._begun = np.zeros(len(envs)), time.time()
        self._actions = np.zeros((len(envs), one.model.nu))
        self.reset_infos = [{} for _ in envs]

    def reset(self) -> Any:
        """Begin an episode with every body."""
        first = []
        for i in range(self.num_envs):
            options = {"options": self._options[i]} if self._options[i] else {}
            first.append(self._begin(i, seed=self._seeds[i], **options))
        self._reset_seeds()
        self._reset_options()
        if isinstance(first[0], dict):
            return {key: np.stack([look[key] for look in first]) for key in first[0]}
        return np.stack(first)

    def step_async(self, actions: NDArray[np.floating[Any]]) -> None:
        """Take the actions (n, nu) of the next step.

        Raises:
            ValueError: of another shape, NaN or infinite.

        """
        command = np.asarray(actions, np.float64)
        if command.shape != self._actions.shape or not np.isfinite(command).all():
            raise ValueError(
                f"actions are {actions!r}: give {self._actions.shape} finite numbers in [-1, 1]"
            )
        self._actions = command.clip(-1.0, 1.0)

    def step_wait(self) -> Any:
        """Let one control step pass; observations, rewards, whether episodes ended, infos."""
        one, command = self._one, self._actions
        self._state["ctrl"][:] = command if self._arm else one.controls(command)
        self.batch.step(nstep=one.frame_skip, stage=self._stage)
        self._steps += 1
        if self._arm:
            place, target, speed = self._hand()
            reward, info = one.judge(place, target, speed, command)
            observation, terminated = self._look(place, target), np.zeros(self.num_envs, bool)
        else:
            one.journey = self._journey
            seen = {**self._fields, "xmat": _trunk(self._state["qpos"])}
            info = one.account(seen, command)
            self._journey = one.journey
            observation = one.observe(seen)
            for i in np.flatnonzero(info["helped"]).tolist():
                _put(observation, i, self._help(i))
            reward, terminated = one.judge(observation, info)
        self._returns += reward
        truncated = self._steps >= self._longest
        dones = terminated | truncated
        infos = _rows(info, self.num_envs)
        for i, told in enumerate(infos):
            told["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        if dones.any():
            self._end(np.flatnonzero(dones), observation, infos)
        return observation, reward.astype(np.float32), dones, infos

    def _end(self, over: NDArray[np.int64], observation: Any, infos: list[dict[str, Any]]) -> None:
        """Close the episodes that are over and begin others, whose first look is put in place."""
        for i in over.tolist():
            infos[i]["terminal_observation"] = _row(observation, i)
            infos[i]["episode"] = {
                "r": round(float(self._returns[i]), 6),
                "l": int(self._steps[i]),
                "t": round(time.time() - self._begun, 6),
            }
            _put(observation, i, self._begin(i))

    def _begin(self, i: int, **options: Any) -> Any:
        """Begin an episode of body i as its own environment says; returns what it sees."""
        observation, self.reset_infos[i] = self.envs[i].reset(**options)
        self._take_over(i)
        if not self._arm:
            fresh = {**self._one.new_journey(), "place": self._bodies[i].position}
            for name, value in fresh.items():
                self._journey[name][i] = value
        self._steps[i], self._returns[i] = 0, 0.0
        return observation

    def _take_over(self, i: int) -> None:
        """Put body i of the batch into the state of its own environment."""
        for name, rows in self._state.items():
            rows[i] = getattr(self._bodies[i].data, name)

    def _hand_back(self, i: int) -> Any:
        """Put body i's own environment into its state in the batch; returns that environment."""
        body = self._bodies[i]
        for name, rows in self._state.items():
            getattr(body.data, name)[:] = rows[i]
        mujoco.mj_forward(body.model, body.data)
        return body

    def _help(self, i: int) -> Any:
        """Turn body i over; returns what it sees then."""
        body = self._hand_back(i)
        body.turn_over()
        self._take_over(i)
        return body.observe()

    def _hand(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Where fingertips and targets are, (n, 3) each, and how fast the fingertips, (n,)."""
        model, fields = self._one.model, self._fields
        tip, target = (model.site(name).id for name in ("fingertip", "target"))
        body = model.site_bodyid[tip]
        place = fields["site_xpos"][:, tip].copy()
        turning, moving = fields["cvel"][:, body, :3], fields["cvel"][:, body, 3:]
        arm = place - fields["subtree_com"][:, model.body_rootid[body]]
        velocity = moving + np.cross(turning, arm)
        return place, fields["site_xpos"][:, target].copy(), np.sqrt(np.vecdot(velocity, velocity))

    def _look(
        self, place: NDArray[np.float64], target: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Line up what arms observe, (n, ·) each, from fingertips and targets (n, 3)."""
        size = self._one.goal_size
        felt = np.concatenate((self._state["qpos"], self._state["qvel"]), axis=1)
        return {
            "observation": felt,
            "achieved_goal": place[:, :size],
            "desired_goal": target[:, :size],
        }

    def close(self) -> None:
        """Close the environments."""
        for env in self.envs:
            env.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Render each body."""
        images: list[Any] = []
        for i, env in enumerate(self.envs):
            self._hand_back(i)
            images.append(env.render())
        return images

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Read an attribute of environments, which are put into the state of the batch before."""
        found = []
        for i in self._get_indices(indices):
            self._hand_back(i)
            found.append(self.envs[i].get_wrapper_attr(attr_name))
        return found

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: it would not reach the batch.

        Raises:
            AttributeError: always.

        """
        raise AttributeError(
            f"{attr_name} cannot be set: the bodies are one batch. Give the option when the "
            "environments are made, or use SB3's DummyVecEnv"
        )

    def env_method(
        self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any
    ) -> list[Any]:
        """Call a method of environments, which are put into the state of the batch before.

        After `reset` the bodies of the batch begin an episode, too.
        """
        found: list[Any] = []
        for i in self._get_indices(indices):
            if method_name == "reset":
                found.append((self._begin(i, **kwargs), self.reset_infos[i]))
                continue
            self._hand_back(i)
            found.append(self.envs[i].get_wrapper_attr(method_name)(*args, **kwargs))
        return found

    def env_is_wrapped(self, wrapper_class: type[gym.Wrapper], indices: Any = None) -> list[bool]:
        """Whether environments are wrapped; returns are monitored in any case."""
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]


def _trunk(qpos: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn of the trunk as MuJoCo's `xmat` (n, 2, 9) of ground and trunk, from qpos (n, nq)."""
    w, x, y, z = qpos[:, 3:7].T
    norm = np.sqrt(w * w + x * x + y * y + z * z)
    scale = np.where(np.abs(norm - 1.0) > mujoco.mjMINVAL, 1.0 / norm, 1.0)
    w, x, y, z = (part * scale for part in (w, x, y, z))
    turn = np.zeros((len(qpos), 2, 9))
    turn[:, 1] = np.stack(
        (
            w * w + x * x - y * y - z * z,
            2 * (x * y - w * z),
            2 * (x * z + w * y),
            2 * (x * y + w * z),
            w * w - x * x + y * y - z * z,
            2 * (y * z - w * x),
            2 * (x * z - w * y),
            2 * (y * z + w * x),
            w * w - x * x - y * y + z * z,
        ),
        axis=1,
    )
    return turn


def _time_limit(env: gym.Env) -> int:
    """Tell how many steps the longest episode has."""
    spec = env.spec
    limit = None if spec is None else spec.max_episode_steps
    return np.iinfo(np.int64).max if limit is None else limit


def _rows(info: Mapping[str, NDArray], n: int) -> list[dict[str, Any]]:
    """Infos of n bodies, from arrays (n,)."""
    columns = [np.broadcast_to(value, (n,)).tolist() for value in info.values()]
    return [dict(zip(info, row, strict=True)) for row in zip(*columns, strict=True)]


def _row(observation: Any, i: int) -> Any:
    """Copy what body i sees."""
    if isinstance(observation, dict):
        return {key: value[i].copy() for key, value in observation.items()}
    return observation[i].copy()


def _put(observation: Any, i: int, look: Any) -> None:
    """Let body i see something else."""
    if isinstance(observation, dict):
        for key, value in observation.items():
            value[i] = look[key]
    else:
        observation[i] = look
