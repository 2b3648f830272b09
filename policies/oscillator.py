"""The plain comparator of crawling: open-loop oscillators, tuned by an evolution strategy."""

from collections import deque
from typing import Any, ClassVar, Self

import cma
import mujoco
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback
from stable_baselines3.common.vec_env import VecEnv

from policies.priors import Prior, UnsuitableBodyError

SHARED = 4  # parameters besides three for each motor: frequency, swing, stiffness, damping


class Joints:
    """What the oscillator is told of a body: the joint behind each motor, and where it is felt.

    Attributes:
        angle: (motors,) index of the joint's angle in the observation.
        velocity: (motors,) index of its velocity.
        middle: (motors,) middle of the joint's range in rad, or 0 where it has none.
        half: (motors,) half of that range in rad, or 1 where it has none.
        servo: (motors,) True where the motor is a position servo.
        dt: control step in s.

    """

    def __init__(self, env: VecEnv) -> None:
        """Read the model of the environment.

        Raises:
            UnsuitableBodyError: it is no MuJoCo body, its motors do not each drive a hinge, or
                nothing says where in the observation its joints are.

        """
        if isinstance(env.observation_space, spaces.Dict):
            raise UnsuitableBodyError(
                "oscillator plays one rhythm whatever is observed and cannot pursue a goal; "
                "compare with `sac` on goal tasks"
            )
        try:
            model: mujoco.MjModel = env.get_attr("model", 0)[0]
            self.dt = float(env.get_attr("dt", 0)[0])
        except AttributeError as error:
            raise UnsuitableBodyError(
                "oscillator needs a MuJoCo environment (attributes `model` and `dt`); "
                "compare with `random` on this one"
            ) from error
        joint = int(mujoco.mjtTrn.mjTRN_JOINT)
        joints = model.actuator_trnid[:, 0]
        hinge = int(mujoco.mjtJoint.mjJNT_HINGE)
        if any(int(kind) != joint for kind in model.actuator_trntype) or any(
            int(kind) != hinge for kind in model.jnt_type[joints]
        ):
            raise UnsuitableBodyError(
                "oscillator needs motors that each drive a hinge, and this model has others; "
                "compare with `random` on it"
            )
        self.angle, self.velocity = _channels(env, model, joints)
        low, high = model.jnt_range[joints].T
        limited = model.jnt_limited[joints].astype(bool)
        self.middle = np.where(limited, 0.5 * (low + high), 0.0)
        self.half = np.where(limited, 0.5 * (high - low), 1.0)
        affine = int(mujoco.mjtBias.mjBIAS_AFFINE)
        self.servo = np.array([int(kind) == affine for kind in model.actuator_biastype])


def _channels(
    env: VecEnv, model: mujoco.MjModel, joints: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Look up where in the observation the angles and velocities of some joints are."""
    angles, velocities = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
    if all(env.has_attr(name) for name in ("observation_parts", "joint_names")):  # ours
        parts = env.get_attr("observation_parts", 0)[0]
        order = np.arange(len(joints))
        return parts["joint_angles"].start + order, parts["joint_velocities"].start + order
    if env.has_attr("observation_structure"):  # Gymnasium's
        parts = env.get_attr("observation_structure", 0)[0]
        return angles - parts.get("skipped_qpos", 0), parts["qpos"] + velocities
    raise UnsuitableBodyError(
        "oscillator needs to be told where in the observation the joints are (attribute "
        "`observation_structure` of Gymnasium's MuJoCo environments, version 5); "
        "compare with `random` on this one"
    )


class OscillatorPolicy(BasePolicy):
    """One oscillator for each motor, all of one frequency, and a PD controller of each joint.

        q*ᵢ = middleᵢ + halfᵢ · (bᵢ + aᵢ sin(θᵢ + φᵢ))
        dθᵢ/dt = ω_swing if sin(θᵢ + φᵢ) > 0, else ω_stance
        u = kp (q* − q) − kd q̇, clipped to the bounds; a position servo gets q* itself

    as Raffin et al. 2023, "An Open-Loop Baseline for Reinforcement Learning Locomotion Tasks"
    (arXiv:2310.05808). `gait` (4 + 3 · motors,) holds what is searched, about 0 with unit spread:

    | index | of `gait` x | value | unit |
    |---|---|---|---|
    | 0 | frequency of a whole cycle | 1.4 exp(0.7 x) | Hz |
    | 1 | share of the cycle that swings | 1 / (1 + exp(−x/4)) | 1 |
    | 2 | kp | 3 exp(x) | action / rad |
    | 3 | kd | 0.1 exp(x) | action · s / rad |
    | 4 … | amplitude aᵢ | 0.5 + 0.4 x | half of the joint's range |
    | … | offset bᵢ | 0.15 x | half of the joint's range |
    | … | phase φᵢ | 1.5 x | rad |

    The state of `predict` is the number of steps since the episode began, (n, 1).
    """

    gait: torch.nn.Parameter

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Box,
        joints: Joints | None,
    ) -> None:
        super().__init__(observation_space, action_space)
        self.joints = joints
        size = SHARED + 3 * spaces.flatdim(action_space)
        self.gait = torch.nn.Parameter(torch.zeros(size, dtype=torch.float64), requires_grad=False)

    def commands(
        self,
        gaits: NDArray[np.float64],
        steps: NDArray[np.int64],
        observation: NDArray[np.floating[Any]],
    ) -> NDArray[np.float64]:
        """Act by one gait in each body.

        Args:
            gaits: (n, 4 + 3 · motors) or one for all.
            steps: (n,) since the episode began.
            observation: (n, observed).

        Returns:
            (n, motors) within the bounds of actions.

        """
        body = self.joints
        if body is None:
            raise UnsuitableBodyError(
                "oscillator does not know which body it moves: call set_env(env) first"
            )
        shared, amplitude, offset, phase = np.split(
            np.atleast_2d(gaits), SHARED + len(body.middle) * np.arange(3), axis=1
        )
        cycles = 1.4 * np.exp(0.7 * shared[:, :1]) * body.dt * steps[:, None]
        swing = 1.0 / (1.0 + np.exp(-0.25 * shared[:, 1:2]))
        place = (cycles + 1.5 * phase / (2 * np.pi)) % 1.0  # in the cycle, 0 to 1
        stance = 0.5 + 0.5 * (place - swing) / (1.0 - swing)
        wave = np.sin(2 * np.pi * np.where(place < swing, 0.5 * place / swing, stance))
        wanted = 0.15 * offset + (0.5 + 0.4 * amplitude) * wave
        stiffness, damping = 3.0 * np.exp(shared[:, 2:3]), 0.1 * np.exp(shared[:, 3:4])
        miss = body.middle + body.half * wanted - observation[:, body.angle]
        pull = stiffness * miss - damping * observation[:, body.velocity]
        command = np.clip(np.where(body.servo, wanted, pull), -1.0, 1.0)
        space = self.action_space
        assert isinstance(space, spaces.Box)
        return space.low + 0.5 * (command + 1.0) * (space.high - space.low)

    def predict(
        self,
        observation: Any,
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Act by the kept gait; the returned state carries the time on."""
        seen = np.asarray(observation)
        batch = np.atleast_2d(seen)
        steps = np.zeros(len(batch), np.int64) if state is None else state[0][:, 0]
        if episode_start is not None:
            steps = np.where(episode_start, 0, steps)
        action = self.commands(self.gait.numpy(), steps, batch).astype(np.float32)
        return action if seen.ndim == 2 else action[0], ((steps + 1)[:, None],)

    def _predict(self, observation: Any, deterministic: bool = False) -> torch.Tensor:
        return torch.as_tensor(self.predict(observation.numpy())[0])


class GaitSearch:
    """CMA-ES over gaits (Hansen & Ostermeier 2001, doi:10.1162/106365601750190398).

    First `random_gaits` gaits are drawn, each tried for `first_steps`; CMA-ES (package `cma`)
    starts from the best. Its trials last `trial_steps`, longer by 5 % each generation up to
    `most_steps`. Every `test_every` generations its mean and the gait that is kept are tried
    for `test_steps`; the mean is kept instead if it does better than the other on average so far.

    Args:
        size: number of parameters.
        rng: draws the gaits; CMA-ES draws from it, too.

    """

    random_gaits: ClassVar[int] = 40
    first_steps: ClassVar[int] = 60
    trial_steps: ClassVar[float] = 100.0
    growth: ClassVar[float] = 1.05
    most_steps: ClassVar[int] = 1000
    test_every: ClassVar[int] = 4
    test_steps: ClassVar[int] = 1000
    spread: ClassVar[float] = 0.4
    settings: ClassVar[tuple[str, ...]] = (
        "random_gaits",
        "first_steps",
        "trial_steps",
        "growth",
        "most_steps",
        "test_every",
        "test_steps",
        "spread",
    )

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.kept, self.kept_score, self.kept_tests = np.zeros(size), -np.inf, 0
        self.strategy: cma.CMAEvolutionStrategy | None = None
        self.generation = 0
        self._under_way: list[int] = []
        self._begin(list(rng.standard_normal((self.random_gaits, size))), self.first_steps)

    def ask(self, n: int) -> tuple[NDArray[np.float64], int]:
        """Take the next gaits to try.

        Args:
            n: bodies that can try one each.

        Returns:
            Up to `n` gaits (k, size), and for how many steps.

        """
        count = min(n, len(self._waiting))
        self._under_way = [self._waiting.popleft() for _ in range(count)]
        return np.array([self._gaits[i] for i in self._under_way]), self.steps

    def tell(self, scores: NDArray[np.float64]) -> None:
        """Take in the mean reward per step (k,) of the gaits that were last asked for."""
        for i, score in zip(self._under_way, scores, strict=True):
            self._scores[i] = float(score)
        self._under_way = []
        if not self._waiting:
            self._advance()

    def give_back(self) -> None:
        """Have the gaits that were last asked for tried again: their trial was cut short."""
        self._waiting.extendleft(reversed(self._under_way))
        self._under_way = []

    def _begin(self, gaits: list[NDArray[np.float64]], steps: int, test: bool = False) -> None:
        self._gaits, self.steps, self._testing = gaits, steps, test
        self._scores = [-np.inf] * len(gaits)
        self._waiting = deque(range(len(gaits)))

    def _advance(self) -> None:
        """Learn from a round that is complete, and begin the next."""
        if self.strategy is None:
            best = int(np.argmax(self._scores))
            self.kept = self._gaits[best]
            options = {"verbose": -9, "randn": self._normal, "seed": np.nan}
            self.strategy = cma.CMAEvolutionStrategy(self.kept, self.spread, options)
        elif self._testing:
            self._compare(*self._scores)
        else:
            self.strategy.tell(self._gaits, [-score for score in self._scores])
            self.generation += 1
            if self.generation % self.test_every == 0:
                self._begin([self.strategy.mean.copy(), self.kept], self.test_steps, test=True)
                return
        steps = min(self.trial_steps * self.growth**self.generation, self.most_steps)
        self._begin(self.strategy.ask(), round(steps))

    def _compare(self, score: float, kept_score: float) -> None:
        """Keep the mean that was tested, or the kept gait with its new average."""
        total = kept_score + (self.kept_score * self.kept_tests if self.kept_tests else 0.0)
        self.kept_tests += 1
        self.kept_score = total / self.kept_tests
        if score > self.kept_score:
            self.kept, self.kept_score, self.kept_tests = self._gaits[0], score, 1

    def _normal(self, *shape: int) -> NDArray[np.float64]:
        return self.rng.standard_normal(shape)


class Oscillator(Prior):
    """`OscillatorPolicy` as an algorithm; `learn` tunes its gait, and every step of that counts.

    Each trial begins with a reset of all environments, and n of them try n gaits at once. A trial
    that ends early (a fall) earns nothing for the steps that are missing. What it is told of the
    body is in `Joints`.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"OscillatorPolicy": OscillatorPolicy}
    policy: OscillatorPolicy
    search: GaitSearch

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        assert isinstance(self.action_space, spaces.Box)
        joints = None if self.env is None else Joints(self.env)
        self.policy = OscillatorPolicy(self.observation_space, self.action_space, joints)
        if not hasattr(self, "search"):  # a loaded one goes on where it stopped
            rng = np.random.default_rng(self.seed)
            self.search = GaitSearch(len(self.policy.gait), rng)

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        """Move the body of this environment from now on."""
        vec_env = self._wrap_env(env, self.verbose)
        joints = Joints(vec_env)
        self.n_envs = vec_env.num_envs
        super().set_env(vec_env, force_reset)
        self.policy.joints = joints

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 100,
        tb_log_name: str = "run",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Tune the gait for `total_timesteps` steps of all environments together."""
        total_timesteps, calls = self._setup_learn(
            total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar
        )
        calls.on_training_start(locals(), globals())
        assert self.env is not None
        going_on = True
        while going_on and self.num_timesteps < total_timesteps:
            gaits, steps = self.search.ask(self.env.num_envs)
            n, tried = self.env.num_envs, len(gaits)
            rewards, running = np.zeros(n), np.arange(n) < tried
            gaits = np.concatenate((gaits, np.tile(self.search.kept, (n - tried, 1))))
            self._last_obs = self.env.reset()  # type: ignore[assignment]
            for t in range(steps):
                assert isinstance(self._last_obs, np.ndarray)
                actions = self.policy.commands(gaits, np.full(n, t), self._last_obs)
                step = self.env.step(actions.astype(np.float32))
                self._last_obs, reward, dones, infos = step  # type: ignore[assignment]
                rewards[running] += reward[running]
                running &= ~dones
                self.num_timesteps += n
                calls.update_locals(locals())
                self._update_info_buffer(infos, dones)
                going_on = calls.on_step()
                if not going_on or self.num_timesteps >= total_timesteps or not running.any():
                    break
            if running.any() and t + 1 < steps:
                self.search.give_back()
                break
            self.search.tell(rewards[:tried] / steps)
            with torch.no_grad():
                self.policy.gait.copy_(torch.as_tensor(self.search.kept))
            self._episode_num += 1
            if self._episode_num % log_interval == 0:
                self.dump_logs()
        calls.on_training_end()
        return self
