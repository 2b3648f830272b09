"""Comparators that do not learn: random actions, and a PD controller that knows the body."""

from typing import Any, ClassVar, Self

import mujoco
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback
from stable_baselines3.common.utils import safe_mean
from stable_baselines3.common.vec_env import VecEnv

RIDGE = 1.5  # added to the fingertip's mobility, which is of order 1
JOINT_SHARE = 0.2  # damping of the joints over that of the fingertip


class UnsuitableBodyError(ValueError):
    """A controller was asked to move a body that lacks the parts it needs."""


class RandomPolicy(BasePolicy):
    """Uniform actions within the bounds, whatever is observed."""

    def __init__(
        self, observation_space: spaces.Space, action_space: spaces.Box, rng: np.random.Generator
    ) -> None:
        super().__init__(observation_space, action_space)
        self.rng = rng

    def _predict(self, observation: Any, deterministic: bool = False) -> torch.Tensor:
        first = next(iter(observation.values())) if isinstance(observation, dict) else observation
        low, high = self.action_space.low, self.action_space.high  # type: ignore[attr-defined]
        return torch.as_tensor(self.rng.uniform(low, high, (len(first), *low.shape)))


class JacobianPDPolicy(BasePolicy):
    """PD control of the fingertip through the Jacobian transpose, with the true model.

    A spring pulls the fingertip at the target, a damper brakes it, and weaker dampers brake the
    joints, which an arm with more joints than coordinates needs to come to rest:

        f = (1 + ε) (J Jᵀ/L² + ε I)⁻¹ (ω² (x_target − x_tip) − 2ζω ẋ_tip) / L
        a = Jᵀ f / L − 2ζω ρ q̇
        τ = M a + c

    with J (3, joints) the fingertip's translational Jacobian (m/rad), L (m) the length of the
    stretched arm, which makes ω (rad/s) mean the same on arms of any length, ε = `RIDGE`, which
    keeps the matrix that evens out the arm's mobility from straining where it is small (ε → ∞ is
    the plain transpose), ρ = `JOINT_SHARE`, M (joints, joints) the inertia matrix (kg m²), which
    makes ω mean the same on arms of any mass, and c (joints,) the torque of gravity, Coriolis and
    centrifugal forces (N m). The action is τ over each motor's gear.

    Impedance control: Hogan 1985 (doi:10.1115/1.3140702); with inertia and bias torques: Khatib
    1987 (doi:10.1109/JRA.1987.1087068); damped inverse: Nakamura & Hanafusa 1986
    (doi:10.1115/1.3143764).
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Box,
        frequency: float,
        damping_ratio: float,
    ) -> None:
        super().__init__(observation_space, action_space)
        self.frequency = frequency
        self.damping_ratio = damping_ratio
        self.arms: list[_Arm] = []

    def bind(self, env: VecEnv) -> None:
        """Read the bodies of this environment from now on.

        Raises:
            UnsuitableBodyError: a body is not a torque-driven MuJoCo arm with a fingertip and a
                target.

        """
        try:
            models, states = env.get_attr("model"), env.get_attr("data")
        except AttributeError as error:
            raise UnsuitableBodyError(
                "pd needs a MuJoCo environment (attributes `model` and `data`); "
                "compare with `random` on this one"
            ) from error
        self.arms = [_Arm(model, data) for model, data in zip(models, states, strict=True)]

    def _predict(self, observation: Any, deterministic: bool = False) -> torch.Tensor:
        first = next(iter(observation.values())) if isinstance(observation, dict) else observation
        if len(first) != len(self.arms):
            raise UnsuitableBodyError(
                f"pd reads {len(self.arms)} bodies but was shown {len(first)} observations: "
                "call set_env(env) with the environment that it is to act in"
            )
        space = self.action_space
        assert isinstance(space, spaces.Box)
        u = np.stack([arm.command(self.frequency, self.damping_ratio) for arm in self.arms])
        return torch.as_tensor(space.low + 0.5 * (u + 1.0) * (space.high - space.low))


class _Arm:
    """One body: where its fingertip and target are, and which motors move it."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self.model, self.data = model, data
        self.scratch = mujoco.MjData(model)  # the body's own state must not be disturbed
        self.tip, self.target = _find(model, "fingertip"), _find(model, "target")
        joint = int(mujoco.mjtTrn.mjTRN_JOINT)
        if model.nu == 0 or any(int(kind) != joint for kind in model.actuator_trntype):
            raise UnsuitableBodyError(
                "pd needs a motor on each joint that it moves, and this model has other actuators; "
                "compare with `random` on it"
            )
        self.dofs = model.jnt_dofadr[model.actuator_trnid[:, 0]]
        low, high = model.actuator_ctrlrange.T
        self.centre, self.half_range = 0.5 * (low + high), 0.5 * (high - low)
        self.length = self._stretched_length(model.actuator_trnid[:, 0])
        self.torque_per_ctrl = model.actuator_gear[:, 0] * model.actuator_gainprm[:, 0]

    def command(self, frequency: float, damping_ratio: float) -> NDArray[np.float64]:
        """Motor commands (motors,) in [−1, 1]."""
        model, scratch, dofs = self.model, self.scratch, self.dofs
        scratch.qpos[:], scratch.qvel[:] = self.data.qpos, self.data.qvel
        scratch.mocap_pos[:] = self.data.mocap_pos
        mujoco.mj_forward(model, scratch)
        (tip, body), (target, _) = self._place(self.tip), self._place(self.target)
        jacobian = np.zeros((3, model.nv))
        mujoco.mj_jac(model, scratch, jacobian, None, tip, body)
        jacobian = jacobian[:, dofs] / self.length
        q_dot, brake = scratch.qvel[dofs], 2.0 * damping_ratio * frequency
        wanted = frequency**2 * (target - tip) / self.length - brake * jacobian @ q_dot
        mobility = jacobian @ jacobian.T + RIDGE * np.eye(3)
        force = (1.0 + RIDGE) * np.linalg.solve(mobility, wanted)
        acceleration = np.zeros(model.nv)
        acceleration[dofs] = jacobian.T @ force - JOINT_SHARE * brake * q_dot
        torque = np.zeros(model.nv)
        mujoco.mj_mulM(model, scratch, torque, acceleration)
        ctrl = (torque + scratch.qfrc_bias)[dofs] / self.torque_per_ctrl
        return np.clip((ctrl - self.centre) / self.half_range, -1.0, 1.0)

    def _stretched_length(self, joints: NDArray[np.int32]) -> float:
        """Way in metres from joint to joint and on to the fingertip; posture does not change it."""
        mujoco.mj_kinematics(self.model, self.scratch)
        way = np.vstack([self.scratch.xanchor[joints], self._place(self.tip)[0]])
        return float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())

    def _place(self, part: tuple[str, int]) -> tuple[NDArray[np.float64], int]:
        """Position (3,) of a part in metres and the body that carries it."""
        kind, index = part
        if kind == "site":
            return self.scratch.site_xpos[index], int(self.model.site_bodyid[index])
        return self.scratch.xpos[index], index


def _find(model: mujoco.MjModel, name: str) -> tuple[str, int]:
    """Find a site or else a body by its name."""
    for kind, code in (("site", mujoco.mjtObj.mjOBJ_SITE), ("body", mujoco.mjtObj.mjOBJ_BODY)):
        index = mujoco.mj_name2id(model, code, name)
        if index >= 0:
            return kind, index
    raise UnsuitableBodyError(
        f"pd needs a site or body named {name!r} in the MuJoCo model and found none; "
        "compare with `random` on this environment"
    )


class Prior(BaseAlgorithm):
    """An algorithm whose `learn` acts and counts steps, but changes nothing."""

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {}

    def __init__(
        self,
        policy: str | type[BasePolicy],
        env: GymEnv | str | None,
        seed: int | None = None,
        verbose: int = 0,
        tensorboard_log: str | None = None,
        device: torch.device | str = "cpu",
        _init_setup_model: bool = True,
    ) -> None:
        super().__init__(
            policy,
            env,
            learning_rate=0.0,
            seed=seed,
            verbose=verbose,
            tensorboard_log=tensorboard_log,
            device=device,
            support_multi_env=True,
            supported_action_spaces=(spaces.Box,),
        )
        if _init_setup_model:
            self._setup_model()

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 100,
        tb_log_name: str = "run",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Act for `total_timesteps` steps, with callbacks and logs but without learning."""
        total_timesteps, calls = self._setup_learn(
            total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar
        )
        calls.on_training_start(locals(), globals())
        assert self.env is not None
        while self.num_timesteps < total_timesteps:
            assert self._last_obs is not None
            actions, _ = self.predict(self._last_obs)
            self._last_obs, rewards, dones, infos = self.env.step(actions)  # type: ignore[assignment]
            self.num_timesteps += self.env.num_envs
            calls.update_locals(locals())
            if not calls.on_step():
                break
            self._update_info_buffer(infos, dones)
            for _ in range(int(dones.sum())):
                self._episode_num += 1
                if self._episode_num % log_interval == 0:
                    self.dump_logs()
        calls.on_training_end()
        return self

    def dump_logs(self) -> None:
        """Write the mean return and length of recent episodes to the logger."""
        assert self.ep_info_buffer is not None
        self.logger.record("rollout/ep_rew_mean", safe_mean([e["r"] for e in self.ep_info_buffer]))
        self.logger.record("rollout/ep_len_mean", safe_mean([e["l"] for e in self.ep_info_buffer]))
        self.logger.record("time/total_timesteps", self.num_timesteps)
        self.logger.dump(step=self.num_timesteps)


class RandomActions(Prior):
    """Uniform random actions from a seeded generator, which is saved along."""

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"RandomPolicy": RandomPolicy}
    rng: np.random.Generator

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        if not hasattr(self, "rng"):  # a loaded one goes on where it stopped
            self.rng = np.random.default_rng(self.seed)
        assert isinstance(self.action_space, spaces.Box)
        self.policy = RandomPolicy(self.observation_space, self.action_space, self.rng)


class JacobianPD(Prior):
    """`JacobianPDPolicy` as an algorithm. It reads the environment that `set_env` gave it.

    One setting serves every arm. It is a compromise found by a grid over ω, ζ and ε on episodes
    70000 to 70099, which are in no comparison: mean return on Reacher-v5, success on the others.

    | ω, ζ, ε | Reacher-v5 | Reach-v0 | Reach3D-v0 |
    |---|---|---|---|
    | 17, 0.5, 1.5 (chosen) | −5.57 | 0.73 | 0.88 |
    | 17, 0.5, ∞: best on Reacher-v5 | −5.49 | 0.47 | 0.78 |
    | 20, 0.6, ∞ | −5.58 | 0.56 | 0.83 |
    | 20, 0.6, 0.1: best on the others | under −7 | 0.94 | 0.99 |

    Attributes:
        frequency: ω in rad/s.
        damping_ratio: ζ.

    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"JacobianPDPolicy": JacobianPDPolicy}
    frequency: float = 17.0
    damping_ratio: float = 0.5

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        assert isinstance(self.action_space, spaces.Box)
        self.policy: JacobianPDPolicy = JacobianPDPolicy(
            self.observation_space, self.action_space, self.frequency, self.damping_ratio
        )
        if self.env is not None:
            self.policy.bind(self.env)

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        """Act in this environment from now on; it may hold any number of bodies."""
        vec_env = self._wrap_env(env, self.verbose)
        self.n_envs = vec_env.num_envs
        super().set_env(vec_env, force_reset)
        self.policy.bind(vec_env)
