"""The brain as a Stable-Baselines3 algorithm: SB3's contract and nothing of how it learns."""

import secrets
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np
import torch as th
from stable_baselines3.common.base_class import BaseAlgorithm, maybe_make_env
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback, TensorDict
from stable_baselines3.common.utils import check_for_correct_spaces, get_system_info, safe_mean
from stable_baselines3.common.vec_env import VecEnv, unwrap_vec_normalize, unwrap_vec_wrapper

from agent import Brain, BrainConfig, config_from_dict
from agent.senses import Senses
from policies import model_file
from policies.brain_checkpoint import SavedAgent, read_agent, write_agent
from policies.brain_file import Arrays, Observation, unprefixed
from policies.brain_policy import BrainPolicy
from policies.model_file import FileOrPath, ModelFileError
from policies.put_back import PutBack, with_put_back
from policies.transition import successor

__all__ = ["BrainAgent", "BrainPolicy"]


class BrainAgent(BaseAlgorithm):
    """A brain that learns while it acts, used as any Stable-Baselines3 algorithm.

    ::

        agent = BrainAgent("BrainPolicy", "Reacher-v5", seed=0).learn(300)
        agent.save("reacher")
        agent = BrainAgent.load("reacher", env="Reacher-v5")

    Args:
        policy: "BrainPolicy", or a subclass of it.
        env: environment, vector environment of any number of bodies, or id.
        seed: seeds the brain, the environment and its action space. No global generator is
            touched. None: the brain draws one and the environment's is left as it is.
        brain: the brain's configuration, or overrides of its defaults by name.
        stats_window_size: episodes over which logged returns are averaged.
        tensorboard_log: folder of TensorBoard's logs.
        verbose: 0 silent, 1 information.
        device: for the contract's sake: a brain computes in numpy.
        _init_setup_model: False leaves the brain to be set later, as `load` does.

    Raises:
        agent.UnsupportedSpaceError: the brain cannot sense or move in this environment.
        ValueError: the configuration has an unknown name or an impossible value.

    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"BrainPolicy": BrainPolicy}
    brain: Brain

    def __init__(
        self,
        policy: str | type[BrainPolicy],
        env: GymEnv | str | None,
        seed: int | None = None,
        brain: BrainConfig | Mapping[str, Any] | None = None,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        device: th.device | str = "cpu",
        _init_setup_model: bool = True,
    ) -> None:
        self.brain_config = _as_config(brain)
        if env is not None:
            env = maybe_make_env(env, verbose)
            # Before SB3 looks at them: its own complaint does not say what to do instead.
            Senses(env.observation_space, env.action_space)
        super().__init__(
            policy,
            env,
            learning_rate=0.0,  # the brain's rates are its configuration's
            stats_window_size=stats_window_size,
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            device=device,
            support_multi_env=True,
            seed=seed,
        )
        self._memory: Arrays | None = None
        if _init_setup_model:
            self._setup_model()

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        seed = secrets.randbits(32) if self.seed is None else self.seed
        brain = Brain(
            self.observation_space, self.action_space, self.n_envs, self.brain_config, seed
        )
        self._set_brain(brain)

    def _set_brain(self, brain: Brain) -> None:
        self.brain = brain
        self.policy = self.policy_class(self.observation_space, self.action_space, brain)

    def _get_policy_from_name(self, policy_name: str) -> type[BasePolicy]:
        if policy_name not in self.policy_aliases:
            raise ValueError(
                f"There is no policy {policy_name!r} of a {type(self).__name__}: write "
                f"{' or '.join(repr(name) for name in self.policy_aliases)}."
            )
        return self.policy_aliases[policy_name]

    def set_random_seed(self, seed: int | None = None) -> None:
        """Seed the environment and its action space; the brain's generator goes on as it was."""
        if seed is None:
            return
        self.action_space.seed(seed)
        if self.env is not None:
            self.env.seed(seed)

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        """Live in another environment with the same spaces and any number of bodies.

        Args:
            env: environment or vector environment.
            force_reset: False goes on with the episodes under way, where the number of bodies is
                the same.

        Raises:
            ValueError: the spaces are not those that the brain was made for.

        """
        env = self._wrap_env(env, self.verbose)
        check_for_correct_spaces(env, self.observation_space, self.action_space)
        self._vec_normalize_env = unwrap_vec_normalize(env)
        if env.num_envs != self.n_envs:
            self.brain.resize(env.num_envs)
            self._memory = None
        if force_reset or env.num_envs != self.n_envs:
            self._last_obs = None
        self.n_envs = env.num_envs
        self.env = env

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int | None = 4,
        tb_log_name: str = "brain",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> "BrainAgent":
        """Live for at least so many steps, summed over bodies, and learn at each.

        Args:
            total_timesteps: steps to take; more by less than the number of bodies.
            callback: SB3 callbacks. They are called when the step has been learnt, so that a
                checkpoint resumes exactly. A rollout lasts until a body ends an episode.
            log_interval: episodes between two logs; None never logs.
            tb_log_name: name of the run in TensorBoard.
            reset_num_timesteps: False counts on, and goes on with the episodes under way.
            progress_bar: show one.

        Raises:
            agent.SensoryError: an observation or reward is NaN or infinite. What was learnt before
                is kept; the next call begins new episodes.
            ValueError: there is no environment.

        """
        if self.env is None:
            raise ValueError("There is no environment to learn in: call set_env(env) first.")
        total_timesteps, callback = self._setup_learn(
            total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar
        )
        callback.on_training_start(locals(), globals())
        env = with_put_back(self.env)
        while self.num_timesteps < total_timesteps:
            if not self._live(env, callback, total_timesteps, log_interval):
                break
        callback.on_training_end()
        return self

    def _live(
        self, env: VecEnv, callback: BaseCallback, total_timesteps: int, log_interval: int | None
    ) -> bool:
        """Act and learn until a body ends its episode; False when a callback asks to stop."""
        callback.on_rollout_start()
        put_back = unwrap_vec_wrapper(env, PutBack)
        assert put_back is not None
        dones = np.zeros(env.num_envs, dtype=bool)
        while self.num_timesteps < total_timesteps and not dones.any():
            obs, starts, memory = self._last_obs, self._last_episode_starts, self._memory
            assert starts is not None
            if memory is None:
                memory = self.brain.new_memory(env.num_envs)
            # Whatever interrupts the step, the next call of learn() must not join this observation
            # to a later one, nor meet one that could not be sensed: having none, it resets.
            self._last_obs = None
            actions, memory = self.brain.act(obs, memory, starts, learning=True)
            put_back.ask(self.brain.asks(memory))
            new_obs, rewards, dones, infos = env.step(actions)
            # DummyVecEnv rounds rewards to float32, SubprocVecEnv does not: here both train alike.
            rewards = rewards.astype(np.float32, copy=False)
            seen = cast(Observation, new_obs)  # no tuple: such spaces have been refused
            self.brain.learn(obs, actions, rewards, *successor(seen, dones, infos), memory)
            self._last_obs, self._last_episode_starts, self._memory = seen, dones, memory

            self.num_timesteps += env.num_envs
            self._update_current_progress_remaining(self.num_timesteps, total_timesteps)
            self._update_info_buffer(infos, dones)
            episodes = self._episode_num
            self._episode_num += int(np.count_nonzero(dones))
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            if log_interval and self._episode_num // log_interval > episodes // log_interval:
                self.dump_logs()
        callback.on_rollout_end()
        return True

    def dump_logs(self) -> None:
        """Write SB3's usual scalars, and the brain's under ``brain/``, to the logger."""
        assert self.ep_info_buffer is not None and self.ep_success_buffer is not None
        seconds = max((time.time_ns() - self.start_time) / 1e9, sys.float_info.epsilon)
        steps = self.num_timesteps - self._num_timesteps_at_start
        if self.ep_info_buffer:
            for name, key in (("ep_rew_mean", "r"), ("ep_len_mean", "l")):
                mean = safe_mean([episode[key] for episode in self.ep_info_buffer])
                self.logger.record(f"rollout/{name}", mean)
        if self.ep_success_buffer:
            self.logger.record("rollout/success_rate", safe_mean(self.ep_success_buffer))
        self.logger.record("time/episodes", self._episode_num, exclude="tensorboard")
        self.logger.record("time/fps", int(steps / seconds))
        self.logger.record("time/time_elapsed", int(seconds), exclude="tensorboard")
        self.logger.record("time/total_timesteps", self.num_timesteps, exclude="tensorboard")
        for name, value in self.brain.summary().items():
            self.logger.record(f"brain/{name}", value)
        self.logger.dump(step=self.num_timesteps)

    def get_parameters(self) -> dict[str, dict]:
        """Return the brain's weights, statistics and generator: ``{"brain": {name: array}}``."""
        return {"brain": self.brain.state()}

    def set_parameters(
        self,
        load_path_or_dict: FileOrPath | TensorDict | Mapping[str, Mapping[str, np.ndarray]],
        exact_match: bool = True,
        device: th.device | str = "cpu",
    ) -> None:
        """Replace the brain's weights, statistics and generator.

        Args:
            load_path_or_dict: what `get_parameters` returned, or a file that `save` wrote.
            exact_match: False allows arrays to be left out; those stay as they are.
            device: of no effect.

        Raises:
            ModelFileError: the file cannot be used.
            ValueError: an array is missing, unknown or of a wrong shape or dtype. Nothing has
                changed then.

        """
        if isinstance(load_path_or_dict, Mapping):
            parameters: Mapping[str, Any] = load_path_or_dict
        else:
            _, arrays = model_file.read(load_path_or_dict)
            parameters = {"brain": unprefixed("brain", arrays)}
        if unknown := parameters.keys() - {"brain"}:
            raise ValueError(
                f"There is no part named {sorted(unknown)[0]!r}: a BrainAgent's parameters are "
                '{"brain": {name: array}}, as get_parameters returns them.'
            )
        if exact_match and "brain" not in parameters:
            raise ValueError('The part "brain" is missing: give it, or exact_match=False.')
        state = {name: np.asarray(array) for name, array in parameters.get("brain", {}).items()}
        self.brain.load_state(state if exact_match else self.brain.state() | state)

    def save(
        self,
        path: FileOrPath,
        exclude: Iterable[str] | None = None,
        include: Iterable[str] | None = None,
    ) -> None:
        """Save the agent in one file without pickle, from which `load` resumes exactly.

        The file of that name is replaced only when the new one is complete. The environment is
        not saved, nor is the folder of TensorBoard's logs: a file should not say where to write.

        Args:
            path: path, ``.neonate`` is added where it has no suffix; or a file open for writing.
            exclude: not offered: an agent is saved whole.
            include: not offered.

        Raises:
            ModelFileError: the brain has NaN among its weights; nothing is written then.
            ValueError: `exclude` or `include` is given.

        """
        if exclude or include:
            raise ValueError("A BrainAgent is saved whole: leave out exclude and include.")
        write_agent(path, self)

    @classmethod
    def load(
        cls,
        path: FileOrPath,
        env: GymEnv | str | None = None,
        device: th.device | str = "cpu",
        custom_objects: dict[str, Any] | None = None,
        print_system_info: bool = False,
        force_reset: bool = True,
        **kwargs: Any,
    ) -> "BrainAgent":
        """Load what `save` wrote; the brain's generator goes on where it was, whatever the seed.

        Args:
            path: path, with or without ``.neonate``, or a file open for reading.
            env: environment, vector environment of any number of bodies, or id. None: an agent
                that predicts, and learns once `set_env` has given it one.
            device: as in the constructor.
            custom_objects: of no effect: nothing in the file is deserialised into an object.
            print_system_info: print the versions of now and of when the agent was saved.
            force_reset: False goes on with the episodes that were under way; the environment must
                be in the condition it was in, and `learn` be told `reset_num_timesteps=False`.
            kwargs: seed (of the environment), tensorboard_log, verbose, stats_window_size.

        Raises:
            ModelFileError: the file cannot be used, or its spaces are not the environment's.
            TypeError: another keyword.

        """
        saved = read_agent(path)
        if "brain" in kwargs and _as_config(kwargs.pop("brain")) != saved.brain.config:
            raise ValueError(
                "The configuration given is not that of the brain in the file, which cannot be "
                "changed: leave out `brain`, or make a new BrainAgent."
            )
        agent = cls(
            "BrainPolicy", None, device=device, _init_setup_model=False, **saved.settings | kwargs
        )
        agent._take_over(saved)
        if env is not None:
            try:
                agent.set_env(maybe_make_env(env, agent.verbose), force_reset)
            except ValueError as error:
                raise ModelFileError(
                    f"{error}. The file's brain was made for the first of them: give an "
                    "environment that has them, or train a new BrainAgent for this one."
                ) from error
            if "seed" in kwargs:
                agent.set_random_seed(agent.seed)
        if print_system_info:
            print("== CURRENT SYSTEM INFO ==")
            get_system_info()
            print("== SAVED MODEL SYSTEM INFO ==")
            for name, version in saved.versions.items():
                print(f"- {name}: {version}")
        return agent

    def _take_over(self, saved: SavedAgent) -> None:
        """Become the agent that was saved, with its statistics and the episodes under way."""
        self.observation_space, self.action_space = saved.observation_space, saved.action_space
        self.n_envs, self.brain_config = saved.brain.n_envs, saved.brain.config
        self._set_brain(saved.brain)
        self.num_timesteps, self._episode_num = saved.num_timesteps, saved.episodes
        size = self._stats_window_size
        self.ep_info_buffer = deque(saved.ep_infos, maxlen=size)
        self.ep_success_buffer = deque(saved.successes, maxlen=size)
        if saved.under_way is not None:
            self._last_obs, self._last_episode_starts, self._memory = saved.under_way


def _as_config(brain: BrainConfig | Mapping[str, Any] | None) -> BrainConfig:
    return brain if isinstance(brain, BrainConfig) else config_from_dict(dict(brain or {}))
