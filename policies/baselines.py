"""Every algorithm by name: the brain, its Stable-Baselines3 comparators and the plain priors.

from policies import make_algorithm

agent = make_algorithm("sac", "neonate/Reach-v0", seed=0).learn(20_000)
"""

import difflib
import io
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from sb3_contrib import TQC
from stable_baselines3 import PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from agent import BrainConfig
from policies.brain_agent import BrainAgent
from policies.checked_env import FiniteVecEnv, check_spaces
from policies.oscillator import GaitSearch, Oscillator
from policies.priors import JacobianPD, Prior, RandomActions
from policies.sb3_settings import TD3_NOISE, kind_of, settings_for, task_of

SB3_CLASSES: dict[str, type[BaseAlgorithm]] = {"ppo": PPO, "sac": SAC, "td3": TD3, "tqc": TQC}
PRIORS: dict[str, type[Prior]] = {
    "oscillator": Oscillator,
    "pd": JacobianPD,
    "random": RandomActions,
}
ALGORITHMS = ("brain", *SB3_CLASSES, *PRIORS)

EnvLike = str | gym.Env | VecEnv | Callable[[], gym.Env]

_STATISTICS = "normalisation.npz"  # entry that carries VecNormalize's statistics in a model's zip


class UnknownAlgorithmError(ValueError):
    """No algorithm has this name."""


def check_name(name: str) -> str:
    """Return the name if an algorithm has it.

    Raises:
        UnknownAlgorithmError: with the nearest name that exists.

    """
    if name not in ALGORITHMS:
        near = difflib.get_close_matches(name.lower(), ALGORITHMS, n=1, cutoff=0.3)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UnknownAlgorithmError(
            f"unknown algorithm {name!r}: {hint}There are {', '.join(ALGORITHMS)}"
        )
    return name


def learns(name: str) -> bool:
    """Tell whether training changes the algorithm (it does not change `pd` and `random`)."""
    return name not in ("pd", "random")


def make_algorithm(
    name: str,
    env: EnvLike,
    seed: int,
    brain_config: BrainConfig | None = None,
    *,
    steps: int | None = None,
    tensorboard_log: str | None = None,
    verbose: int = 0,
) -> BaseAlgorithm:
    """Make an algorithm with the settings that suit the kind of task.

    Args:
        name: one of `ALGORITHMS`.
        env: an environment, its id, a function that makes one, or a `VecEnv`.
        seed: seeds the algorithm and its training environment.
        brain_config: the configuration of `brain`; the others have none.
        steps: the training budget, if it is known: a replay buffer need not be larger.
        tensorboard_log: folder of TensorBoard's logs.
        verbose: SB3's verbosity.

    Raises:
        UnknownAlgorithmError: no algorithm has this name.
        UnsupportedSpaceError: the algorithm cannot see or act in these spaces.
        UnsuitableBodyError: `pd` was asked to move something else than an arm, or `oscillator`
            to pursue a goal or to move a body without hinges.

    """
    check_name(name)
    vec_env = as_vec_env(env)
    common: dict[str, Any] = {
        "seed": seed,
        "verbose": verbose,
        "tensorboard_log": tensorboard_log,
        "device": "cpu",
    }
    if name == "brain":
        return BrainAgent("BrainPolicy", vec_env, brain=brain_config, **common)
    check_spaces(vec_env.observation_space, vec_env.action_space)
    if name in PRIORS:
        policy = next(iter(PRIORS[name].policy_aliases))
        return PRIORS[name](policy, vec_env, **common)
    settings, normalisation = _settings(name, vec_env, steps)
    if name == "td3":
        size = spaces.flatdim(vec_env.action_space)
        settings["action_noise"] = NormalActionNoise(np.zeros(size), np.full(size, TD3_NOISE))
    vec_env = FiniteVecEnv(vec_env)
    if normalisation is not None:
        vec_env = VecNormalize(vec_env, **normalisation)
    policy = (
        "MultiInputPolicy" if isinstance(vec_env.observation_space, spaces.Dict) else "MlpPolicy"
    )
    return SB3_CLASSES[name](policy, vec_env, **settings, **common)


def algorithm_settings(name: str, env: gym.Env, steps: int | None = None) -> dict[str, Any]:
    """Name the settings that `make_algorithm` would choose, as plain JSON values.

    `brain` answers for itself, through its `BrainConfig`: nothing is listed for it.
    """
    check_name(name)
    if name == "pd":
        return {key: getattr(JacobianPD, key) for key in ("frequency", "damping_ratio")}
    if name == "oscillator":
        return {key: getattr(GaitSearch, key) for key in GaitSearch.settings}
    if name not in SB3_CLASSES:
        return {}
    settings, normalisation = _settings_of(name, env.observation_space, env.spec, steps)
    plain = _plain(settings)
    return plain if normalisation is None else {**plain, "normalise": normalisation}


def save_algorithm(agent: BaseAlgorithm, path: str | os.PathLike[str]) -> None:
    """Save an algorithm, and the statistics that normalise what it sees, in one file.

    The file is written beside `path` first and then moved, so that `path` is whole at any time.
    """
    path = Path(path)
    if isinstance(agent, BrainAgent):
        agent.save(path)  # moves the file in place by itself
        return
    beside = path.with_name(f".{path.name}.part{path.suffix}")
    agent.save(beside)
    normaliser = agent.get_vec_normalize_env()
    if normaliser is not None:
        buffer = io.BytesIO()
        np.savez(buffer, **_statistics(normaliser))  # type: ignore[arg-type]
        with zipfile.ZipFile(beside, "a") as archive:
            archive.writestr(_STATISTICS, buffer.getvalue())
    os.replace(beside, path)


def load_algorithm(
    name: str,
    path: str | os.PathLike[str],
    env: EnvLike,
    replay_buffer: Path | None = None,
) -> BaseAlgorithm:
    """Load what `save_algorithm` wrote. SB3's format unpickles: load only files that you trust.

    Args:
        name: one of `ALGORITHMS`.
        path: the file.
        env: an environment, its id, a function that makes one, or a `VecEnv`.
        replay_buffer: file of an off-policy algorithm's replay buffer, as SB3 wrote it. Without
            it, `learn` first fills an empty buffer with random steps, as at the beginning.

    Raises:
        UnknownAlgorithmError: no algorithm has this name.
        FileNotFoundError: there is no such file.
        ValueError: the file is not a model of this algorithm, or is damaged.

    """
    check_name(name)
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no model at {path}: train one with `neonate train`")
    vec_env = as_vec_env(env)
    if name == "brain":
        return BrainAgent.load(path, vec_env)
    if name in PRIORS:
        return PRIORS[name].load(path, vec_env, device="cpu")
    try:
        with zipfile.ZipFile(path) as archive:
            saved = archive.read(_STATISTICS) if _STATISTICS in archive.namelist() else None
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{path} is not a model of {name!r} or is damaged: train it again"
        ) from error
    settings, normalisation = _settings(name, vec_env)
    vec_env = FiniteVecEnv(vec_env)
    if saved is not None:
        vec_env = VecNormalize(vec_env, **(normalisation or {}))
        with np.load(io.BytesIO(saved), allow_pickle=False) as arrays:
            _restore(vec_env, dict(arrays))
    agent = SB3_CLASSES[name].load(path, vec_env, device="cpu")
    if isinstance(agent, OffPolicyAlgorithm):
        agent.learning_starts = settings["learning_starts"]
        if replay_buffer is None:
            agent.learning_starts += agent.num_timesteps
        else:
            with warnings.catch_warnings():  # the episode under way is cut short: that is meant
                warnings.filterwarnings("ignore", "The last trajectory in the replay buffer")
                agent.load_replay_buffer(replay_buffer)
    return agent


def as_vec_env(env: EnvLike) -> VecEnv:
    """Wrap an environment, its id or its maker as SB3 wants it, with returns monitored."""
    if isinstance(env, VecEnv):
        return env
    if isinstance(env, gym.Env):
        return DummyVecEnv([lambda: Monitor(env)])
    make: Callable[[], gym.Env] = (lambda: gym.make(env)) if isinstance(env, str) else env
    return DummyVecEnv([lambda: Monitor(make())])


Settings = tuple[dict[str, Any], dict[str, Any] | None]


def _settings(name: str, env: VecEnv, steps: int | None = None) -> Settings:
    """Choose the settings of an algorithm for what this environment holds."""
    spec = env.get_attr("spec", indices=0)[0]
    return _settings_of(name, env.observation_space, spec, steps)


def _settings_of(
    name: str, observation_space: spaces.Space, spec: EnvSpec | None, steps: int | None
) -> Settings:
    """Choose the settings; an environment without a spec has no time limit and no name."""
    limit, env_id = (None, None) if spec is None else (spec.max_episode_steps, spec.id)
    return settings_for(name, kind_of(observation_space, limit), steps, task_of(env_id))


def _plain(value: Any) -> Any:
    """Name classes, inside dictionaries too, so that JSON can hold the value."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value.__name__ if isinstance(value, type) else value


def _moments(normaliser: VecNormalize) -> dict[str, Any]:
    """Name the running moments: one of each observation channel, one of the return."""
    seen = normaliser.obs_rms
    channels = seen if isinstance(seen, dict) else {"": seen}
    return {
        **{f"observation.{key}": rms for key, rms in channels.items()},
        "return": normaliser.ret_rms,
    }


def _statistics(normaliser: VecNormalize) -> dict[str, np.ndarray]:
    return {
        f"{name}.{field}": np.asarray(getattr(rms, field))
        for name, rms in _moments(normaliser).items()
        for field in ("mean", "var", "count")
    }


def _restore(normaliser: VecNormalize, arrays: dict[str, np.ndarray]) -> None:
    for name, rms in _moments(normaliser).items():
        for field in ("mean", "var", "count"):
            value = arrays[f"{name}.{field}"]
            setattr(rms, field, float(value) if field == "count" else value)
