"""The Stable-Baselines3 contract of BrainAgent, as SB3 tests its own algorithms."""

import copy
import io
import json
import random
import re
import runpy
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch as th
import yaml
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import (
    BaseCallback,
    CheckpointCallback,
    EvalCallback,
    LogEveryNTimesteps,
    ProgressBarCallback,
    StopTrainingOnMaxEpisodes,
)
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecFrameStack,
    VecNormalize,
)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agent import BrainConfig, SensoryError, UnsupportedSpaceError, config_from_dict, config_to_dict
from policies import model_file
from policies.brain_agent import BrainAgent, BrainPolicy
from policies.model_file import ModelFileError

FLAT, GOAL = "Reacher-v5", "envs:neonate/Reach-v0"
TASKS = pytest.mark.parametrize("env_id", [FLAT, GOAL])


class Clock(gym.Env):
    """Observes (episode, step, 1); even episodes end at step 3, odd ones run out at step 5."""

    observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float64)
    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, spoilt_at=None, spoil=None):
        self.episode, self.steps, self.total = -1, 0, 0
        self.spoilt_at, self.spoil = spoilt_at, spoil

    def observe(self):  # noqa: D102
        return np.array([self.episode, self.steps, 1.0])

    def reset(self, *, seed=None, options=None):  # noqa: D102
        super().reset(seed=seed)
        self.episode, self.steps = self.episode + 1, 0
        return self.observe(), {}

    def step(self, action):  # noqa: D102
        assert self.action_space.contains(action)
        self.steps, self.total = self.steps + 1, self.total + 1
        even = self.episode % 2 == 0
        observation, reward = self.observe(), -float(np.square(action).sum())
        if self.total == self.spoilt_at:
            observation, reward = self.spoil(observation, reward)
        return observation, reward, even and self.steps == 3, not even and self.steps == 5, {}


class Record(BaseCallback):
    """Writes down which events came, and stops after so many steps."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.events, self.stop_after = [], stop_after

    def _on_training_start(self):
        self.events.append("training start")

    def _on_rollout_start(self):
        self.events.append("rollout start")

    def _on_step(self):
        assert {"new_obs", "rewards", "dones", "infos", "actions"} <= self.locals.keys()
        self.events.append("step")
        return self.stop_after is None or self.n_calls < self.stop_after

    def _on_rollout_end(self):
        self.events.append("rollout end")

    def _on_training_end(self):
        self.events.append("training end")


def act(model, observation):
    return model.predict(observation, deterministic=True)[0]


def make(env, seed=0, **settings):
    return BrainAgent("BrainPolicy", env, seed=seed, **settings)


def weights(agent):
    return copy.deepcopy(agent.get_parameters()["brain"])


def same(first, second):
    return first.keys() == second.keys() and all(
        first[name].tobytes() == second[name].tobytes() for name in first
    )


def resume(agent, steps, **settings):
    """Save and load the agent, and let the loaded one go on in the same environment."""
    buffer = io.BytesIO()
    agent.save(buffer)
    buffer.seek(0)
    loaded = BrainAgent.load(buffer, agent.env, force_reset=False, **settings)
    return loaded.learn(steps, reset_num_timesteps=False)


def observe(env_id, n, seed=0):
    """Return the first observations of n episodes, batch-first."""
    env = make_vec_env(env_id, n_envs=n, seed=seed)
    observation = env.reset()
    env.close()
    return observation


def one(observation, i=0):
    if isinstance(observation, dict):
        return {key: part[i] for key, part in observation.items()}
    return observation[i]


@pytest.fixture(scope="module", params=[FLAT, GOAL])
def trained(request):
    """Return an agent that stopped in the middle of an episode; tests must not change it."""
    agent = make(request.param).learn(130)
    agent.env_id = request.param
    return agent


# --- construction


def test_is_an_sb3_algorithm():
    agent = BrainAgent(policy="BrainPolicy", env=None, device="cpu", _init_setup_model=False)
    assert isinstance(agent, BaseAlgorithm)
    assert isinstance(make(Clock()).policy, BrainPolicy)
    assert not hasattr(agent, "save_replay_buffer")


def test_config_or_overrides():
    assert make(Clock()).brain.config == BrainConfig()
    overrides = config_to_dict(BrainConfig())
    assert make(Clock(), brain=overrides).brain.config == BrainConfig()
    with pytest.raises(ValueError, match="no_such_setting"):
        make(Clock(), brain={"no_such_setting": 1})


def test_policy_by_another_name():
    with pytest.raises(ValueError, match=r"no policy 'MlpPolicy'.*write 'BrainPolicy'"):
        BrainAgent("MlpPolicy", Clock())


class Spaces(Clock):
    """A Clock that claims other spaces."""

    def __init__(self, observation_space=Clock.observation_space, action_space=Clock.action_space):
        super().__init__()
        self.observation_space, self.action_space = observation_space, action_space


BOX = Clock.observation_space


@pytest.mark.parametrize(
    "claimed",
    [
        {"action_space": spaces.Discrete(3)},
        {"action_space": spaces.MultiDiscrete([2, 2])},
        {"action_space": spaces.Box(-np.inf, np.inf, (2,))},
        {"action_space": spaces.Box(np.array([-1, -np.inf]), np.array([1, np.inf]))},
        {"observation_space": spaces.Discrete(5)},
        {"observation_space": spaces.Box(0, 255, (36, 36, 3), np.uint8)},
        {"observation_space": spaces.Dict({"observation": BOX, "achieved_goal": BOX})},
        {"observation_space": spaces.Dict({"position": BOX, "velocity": BOX})},
        {"observation_space": spaces.Dict({"observation": spaces.Dict({"a": BOX})})},
        {"observation_space": spaces.Tuple([BOX, BOX])},
    ],
    ids=lambda claimed: repr(next(iter(claimed.values())))[:40],
)
def test_unsupported_spaces(claimed):
    with pytest.raises(UnsupportedSpaceError):
        make(Spaces(**claimed))


# --- learning


@pytest.mark.parametrize("n_envs", [1, 3])
@TASKS
def test_learns_in_any_number_of_bodies(env_id, n_envs):
    agent = make(make_vec_env(env_id, n_envs=n_envs))
    before = weights(agent)
    assert agent.learn(40) is agent
    assert agent.num_timesteps == -(-40 // n_envs) * n_envs
    assert not same(before, weights(agent))


def test_processes_change_nothing():
    here, apart = (
        make(make_vec_env(GOAL, n_envs=2, vec_env_cls=cls)).learn(240)
        for cls in (DummyVecEnv, SubprocVecEnv)
    )
    assert same(weights(here), weights(apart))
    assert here.num_timesteps == apart.num_timesteps == 240
    apart.env.close()


def test_the_brain_is_told_the_true_successor(monkeypatch):
    agent, told = make(DummyVecEnv([Clock, Clock])), []
    act, learn = agent.brain.act, agent.brain.learn

    def spy_act(observation, memory, episode_start, **kwargs):
        told.append({"seen": observation.copy(), "start": episode_start.copy()})
        return act(observation, memory, episode_start, **kwargs)

    def spy_learn(observation, action, reward, following, terminated, truncated, memory):
        told[-1] |= {"now": observation.copy(), "next": following.copy(), "reward": reward.copy()}
        told[-1] |= {"action": action, "terminated": terminated, "truncated": truncated}
        learn(observation, action, reward, following, terminated, truncated, memory)

    monkeypatch.setattr(agent.brain, "act", spy_act)
    monkeypatch.setattr(agent.brain, "learn", spy_learn)
    agent.learn(2 * 16)
    assert len(told) == 16
    assert [t["start"][0] for t in told] == [i in (0, 3, 8, 11) for i in range(16)]
    assert [t["terminated"][0] for t in told] == [i in (2, 10) for i in range(16)]
    assert [t["truncated"][0] for t in told] == [i in (7, 15) for i in range(16)]
    for t in told:
        assert np.array_equal(t["now"], t["seen"])
        assert np.array_equal(t["next"], t["now"] + [0, 1, 0])  # never that of the next episode
        assert np.allclose(t["reward"], -np.square(t["action"]).sum(1))


def test_goal_observations_are_told_the_true_successor(monkeypatch):
    agent, told = make(GOAL), []
    learn = agent.brain.learn

    def spy(observation, action, reward, following, *rest):
        told.append((observation, following))
        learn(observation, action, reward, following, *rest)

    monkeypatch.setattr(agent.brain, "learn", spy)
    steps = agent.env.get_attr("spec")[0].max_episode_steps + 5
    agent.learn(steps)
    assert len(told) == steps
    for observation, following in told:
        assert np.array_equal(observation["desired_goal"], following["desired_goal"])


def test_vec_env_that_hides_the_last_observation():
    class Hiding(DummyVecEnv):
        def step_wait(self):
            *rest, infos = super().step_wait()
            return *rest, [{k: v for k, v in i.items() if k[:8] != "terminal"} for i in infos]

    with pytest.raises(ValueError, match="terminal_observation"):
        make(Hiding([Clock])).learn(10)


def test_timesteps_are_counted_on():
    agent = make(DummyVecEnv([Clock, Clock]))
    assert agent.learn(10).num_timesteps == 10
    assert agent.learn(10).num_timesteps == 10
    episode = agent.env.envs[0].episode
    assert agent.learn(2, reset_num_timesteps=False).num_timesteps == 12
    assert agent.env.envs[0].episode == episode + 1 or agent.env.envs[0].steps > 1
    assert agent.learn(5, reset_num_timesteps=False).num_timesteps == 18


@TASKS
def test_deterministic(env_id):
    first, second, other = (make(env_id, seed=seed).learn(120) for seed in (1, 1, 2))
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(other))


def test_without_a_seed_brains_differ():
    assert not same(weights(make(Clock(), seed=None)), weights(make(Clock(), seed=None)))


def test_global_generators_are_left_alone():
    def states():
        return random.getstate(), np.random.get_state()[1].tobytes(), th.get_rng_state().tolist()

    before = states()
    agent = make(Clock()).learn(20)
    agent.predict(np.zeros(3))
    buffer = io.BytesIO()
    agent.save(buffer)
    buffer.seek(0)
    BrainAgent.load(buffer, Clock(), seed=3)
    assert states() == before


def test_set_env_with_another_number_of_bodies():
    agent = make(Clock()).learn(10)
    agent.set_env(DummyVecEnv([Clock] * 3))
    assert agent.learn(9, reset_num_timesteps=False).num_timesteps == 19
    agent.set_env(Clock(), force_reset=False)
    assert agent.learn(5, reset_num_timesteps=False).num_timesteps == 24
    assert agent.brain.n_envs == agent.n_envs == 1
    with pytest.raises(ValueError, match="spaces do not match"):
        agent.set_env(gym.make(FLAT))


def test_learning_without_an_environment(trained):
    buffer = io.BytesIO()
    trained.save(buffer)
    buffer.seek(0)
    with pytest.raises(ValueError, match="set_env"):
        BrainAgent.load(buffer).learn(10)


@pytest.mark.parametrize("wrapper", [VecNormalize, lambda env: VecFrameStack(env, 2)])
@TASKS
def test_wrapped_vec_env(env_id, wrapper):
    whole, part = (make(wrapper(make_vec_env(env_id, n_envs=2))) for _ in range(2))
    assert (part.get_vec_normalize_env() is not None) == (wrapper is VecNormalize)
    whole.learn(300)
    assert same(weights(whole), weights(resume(part.learn(260), 40)))


# --- bad sensations


def spoil_observation(value):
    return lambda observation, reward: (np.array([observation[0], value, 1.0]), reward)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [2, 3, 4], ids=["mid-episode", "at its end", "at its start"])
def test_bad_observation_in_learning(value, at):
    env = Clock(spoilt_at=at, spoil=spoil_observation(value))
    agent, reference = make(env), make(Clock())
    with pytest.raises(SensoryError):
        agent.learn(20)
    assert agent.num_timesteps == at - 1
    assert agent.num_timesteps == reference.learn(at - 1).num_timesteps
    kept, expected = weights(agent), weights(reference)
    changed = {name for name in kept if kept[name].tobytes() != expected[name].tobytes()}
    assert changed <= {"random", "counts"}  # the action was chosen, and perhaps an episode begun
    agent.learn(6, reset_num_timesteps=False)  # in new episodes


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_reward(value):
    with pytest.raises(SensoryError, match="reward"):
        make(Clock(spoilt_at=2, spoil=lambda observation, _: (observation, value))).learn(5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_observation_in_predict(trained, value):
    observation = observe(trained.env_id, 2)
    part = observation["observation"] if isinstance(observation, dict) else observation
    part[1, 0] = value
    before = weights(trained)
    with pytest.raises(SensoryError):
        trained.predict(observation)
    assert same(before, weights(trained))


# --- callbacks and logs


def test_callback_events():
    callback = Record()
    make(Clock()).learn(9, callback)
    rollouts = [3, 5, 1]  # two episodes and the beginning of a third
    expected = ["training start"]
    for steps in rollouts:
        expected += ["rollout start", *["step"] * steps, "rollout end"]
    assert callback.events == [*expected, "training end"]


def test_callback_stops_training():
    callback = Record(stop_after=4)
    agent = make(Clock()).learn(50, [callback])
    assert agent.num_timesteps == 4
    assert callback.events[-2:] == ["step", "training end"]
    assert (
        make(Clock()).learn(50, lambda here, _: here["self"].num_timesteps < 7).num_timesteps == 7
    )
    agent = make(Clock()).learn(50, StopTrainingOnMaxEpisodes(2))
    assert agent.num_timesteps == 3 + 5


def test_checkpoints_resume_exactly(tmp_path):
    agent = make(DummyVecEnv([Clock, Clock]))
    agent.learn(12, CheckpointCallback(4, str(tmp_path), name_prefix="brain"))
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"brain_{n}_steps.zip" for n in (8,)]
    checkpoint = BrainAgent.load(tmp_path / "brain_8_steps.zip")
    whole = make(DummyVecEnv([Clock, Clock])).learn(8)
    assert checkpoint.num_timesteps == 8
    assert same(weights(whole), weights(checkpoint))


@pytest.mark.parametrize("n_envs", [1, 3])
def test_eval_callback(tmp_path, n_envs):
    env, eval_env = (make_vec_env(Clock, n_envs=n_envs) for _ in range(2))
    callback = EvalCallback(
        eval_env,
        n_eval_episodes=4,
        eval_freq=5,
        log_path=str(tmp_path),
        best_model_save_path=str(tmp_path),
        verbose=0,
    )
    agent, alone = make(env), make(make_vec_env(Clock, n_envs=n_envs))
    agent.learn(10 * n_envs, callback)
    with np.load(tmp_path / "evaluations.npz") as log:
        assert log["timesteps"].tolist() == [5 * n_envs, 10 * n_envs]
        assert log["results"].shape == (2, 4)
    assert BrainAgent.load(tmp_path / "best_model").num_timesteps in (5 * n_envs, 10 * n_envs)
    assert same(weights(agent), weights(alone.learn(10 * n_envs)))  # evaluation changes nothing


def test_progress_bar(capfd):
    bar = ProgressBarCallback()
    make(DummyVecEnv([Clock, Clock])).learn(11, bar)
    assert bar.pbar.n == 12
    make(Clock()).learn(10, progress_bar=True)
    assert "10/10" in "".join(capfd.readouterr())


def scalars(folder):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return {
        tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def test_tensorboard(tmp_path):
    agent = make(GOAL, tensorboard_log=str(tmp_path))
    agent.learn(200, log_interval=1, tb_log_name="reach")
    agent.learn(100, log_interval=1, tb_log_name="reach", reset_num_timesteps=False)
    logged = scalars(tmp_path / "reach_1")
    for tag in ("rollout/ep_rew_mean", "rollout/ep_len_mean", "rollout/success_rate", "time/fps"):
        assert [step for step, _ in logged[tag]] == [100, 200, 300]
    assert logged["rollout/ep_len_mean"][0][1] == 100
    for name, value in agent.brain.summary().items():
        assert logged[f"brain/{name}"][-1][1] == pytest.approx(value, rel=1e-5, nan_ok=True)


@pytest.mark.parametrize(("log_interval", "rows"), [(1, 6), (2, 3), (4, 1), (None, 0)])
def test_log_interval(tmp_path, log_interval, rows):
    agent = make(make_vec_env(Clock))
    agent.set_logger(configure(str(tmp_path), ["json"]))
    agent.learn(24, log_interval=log_interval)  # 6 episodes
    logged = [json.loads(line) for line in Path(tmp_path / "progress.json").open()]
    assert len(logged) == rows
    if log_interval == 1:
        assert [row["time/total_timesteps"] for row in logged] == [3, 8, 11, 16, 19, 24]
        assert [row["rollout/ep_len_mean"] for row in logged][:2] == [3, 4]


def test_dump_logs_when_asked(tmp_path):
    agent = make(make_vec_env(Clock))
    agent.set_logger(configure(str(tmp_path), ["csv"]))
    agent.learn(24, LogEveryNTimesteps(8), log_interval=None)
    assert len((tmp_path / "progress.csv").read_text().splitlines()) == 1 + 3


# --- predicting


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("n", [1, 3, 7])
def test_predict_shapes(trained, n, deterministic):
    observation = observe(trained.env_id, n)
    action, state = trained.predict(observation, deterministic=deterministic)
    assert action.shape == (n, *trained.action_space.shape)
    assert isinstance(state, tuple)
    assert all(isinstance(part, np.ndarray) and len(part) == n for part in state)
    again, state = trained.predict(observation, state, np.zeros(n, dtype=bool), deterministic)
    assert all(trained.action_space.contains(row) for row in np.concatenate([action, again]))


def test_predict_one_body(trained):
    batch = observe(trained.env_id, 2)
    batched, batched_state = trained.predict(batch, deterministic=True)
    for i in range(2):
        action, state = trained.predict(one(batch, i), deterministic=True)
        assert action.shape == trained.action_space.shape
        assert np.allclose(action, batched[i], atol=1e-5)
        assert [len(part) for part in state] == [1] * len(batched_state)
        action, state = trained.predict(one(batch, i), state, deterministic=True)
        assert trained.action_space.contains(action)


def test_predict_is_pure(trained):
    before, memory = weights(trained), copy.deepcopy(trained._memory)
    observation = observe(trained.env_id, 2)
    kept = copy.deepcopy(observation)
    first, state = trained.predict(observation, deterministic=True)
    state_kept = copy.deepcopy(state)
    for start in (None, np.ones(2, dtype=bool)):
        trained.predict(observation, state, start, deterministic=True)
    assert all(np.array_equal(a, b) for a, b in zip(state, state_kept, strict=True))
    assert np.array_equal(trained.predict(observation, deterministic=True)[0], first)
    assert same(before, weights(trained))
    assert same(memory, trained._memory)
    if isinstance(observation, dict):
        assert same(observation, kept)
    else:
        assert np.array_equal(observation, kept)


def test_noisy_prediction_does_not_disturb_training():
    disturbed, plain = make(GOAL).learn(80), make(GOAL).learn(80)
    observation = observe(GOAL, 3)
    draws = [disturbed.predict(observation, deterministic=False)[0] for _ in range(2)]
    assert not np.array_equal(*draws)
    first, second = (
        weights(agent.learn(40, reset_num_timesteps=False)) for agent in (disturbed, plain)
    )
    training, playing = 0, 1
    assert np.array_equal(first["random"][training], second["random"][training])
    assert not np.array_equal(first.pop("random")[playing], second.pop("random")[playing])
    assert same(first, second)


def test_a_new_episode_forgets_the_old_one(trained):
    observation = observe(trained.env_id, 2)
    fresh, _ = trained.predict(observation, deterministic=True)
    _, state = trained.predict(observe(trained.env_id, 2, seed=1), deterministic=True)
    restarted, _ = trained.predict(observation, state, np.ones(2, dtype=bool), deterministic=True)
    assert np.array_equal(fresh, restarted)


def test_evaluate_policy_learns_nothing(trained):
    before = weights(trained)
    env = make_vec_env(trained.env_id, n_envs=2, seed=5)
    results = []
    for model in (trained, trained.policy):
        env.seed(5)
        results.append(evaluate_policy(model, env, 4, return_episode_rewards=True))
    assert results[0] == results[1]
    assert same(before, weights(trained))


def test_predict_complains(trained):
    batch = observe(trained.env_id, 2)
    _, state = trained.predict(batch)
    with pytest.raises(ValueError, match="memory of 2 bodies, but 3"):
        trained.predict(observe(trained.env_id, 3), state)
    with pytest.raises(ValueError, match="pass on the state"):
        trained.predict(batch, state[1:])
    with pytest.raises(ValueError, match=r"tuple.*first part"):
        trained.predict((one(batch), {}))
    if isinstance(batch, dict):
        with pytest.raises(ValueError, match="keys achieved_goal"):
            trained.predict({"observation": batch["observation"]})
        with pytest.raises(ValueError, match="must be a dict"):
            trained.predict(batch["observation"])
        mixed = batch | {"desired_goal": batch["desired_goal"][0]}
        with pytest.raises(ValueError, match="mix of vectorized"):
            trained.predict(mixed)
    else:
        with pytest.raises(ValueError, match="shape"):
            trained.predict(batch[:, :-1])


# --- saving and loading


def test_save_and_load(trained, tmp_path):
    trained.save(tmp_path / "agent")
    assert [p.name for p in tmp_path.iterdir()] == ["agent.neonate"]
    observation = observe(trained.env_id, 3)
    for source in (tmp_path / "agent", str(tmp_path / "agent.neonate")):
        loaded = BrainAgent.load(source)
        assert same(weights(trained), weights(loaded))
        assert loaded.num_timesteps == trained.num_timesteps
        assert loaded.brain.config == trained.brain.config
        assert loaded.seed == trained.seed
        assert np.array_equal(act(loaded, observation), act(trained, observation))
    policy = BrainPolicy.load(tmp_path / "agent")
    assert np.array_equal(act(policy, observation), act(trained, observation))


def test_policy_alone(trained, tmp_path):
    trained.policy.save(tmp_path / "policy")
    policy = BrainPolicy.load(tmp_path / "policy")
    observation = observe(trained.env_id, 2)
    assert np.array_equal(act(policy, observation), act(trained, observation))
    tensors = policy.obs_to_tensor(observation)[0]
    assert np.array_equal(policy._predict(tensors, True).numpy(), act(trained, observation))
    with pytest.raises(ModelFileError, match="no entry 'agent'"):
        BrainAgent.load(tmp_path / "policy")


@pytest.mark.parametrize("n_envs", [1, 3])
@TASKS
def test_resumes_exactly_in_mid_episode(env_id, n_envs):
    whole, part = (make(make_vec_env(env_id, n_envs=n_envs)) for _ in range(2))
    whole.learn(220 * n_envs)
    resumed = resume(part.learn(130 * n_envs), 90 * n_envs)
    assert same(weights(whole), weights(resumed))
    assert resumed.num_timesteps == whole.num_timesteps
    assert resumed._episode_num == whole._episode_num
    for key in ("r", "l"):
        assert [i[key] for i in resumed.ep_info_buffer] == [i[key] for i in whole.ep_info_buffer]
    assert resumed.ep_success_buffer == whole.ep_success_buffer


def test_resumes_exactly_in_a_copy_of_the_environment():
    agent = make(Clock()).learn(7)
    env, buffer = copy.deepcopy(agent.env), io.BytesIO()
    agent.save(buffer)
    agent.learn(7, reset_num_timesteps=False)
    buffer.seek(0)
    resumed = BrainAgent.load(buffer, env, force_reset=False)
    assert same(weights(agent), weights(resumed.learn(7, reset_num_timesteps=False)))


def test_saving_changes_nothing(tmp_path):
    saving, plain = make(GOAL), make(GOAL)
    for _ in range(3):
        saving.learn(50, reset_num_timesteps=False).save(tmp_path / "agent")
        plain.learn(50, reset_num_timesteps=False)
    assert same(weights(saving), weights(plain))


def test_load_begins_new_episodes_unless_told(tmp_path):
    make(Clock()).learn(5).save(tmp_path / "agent")
    env = Clock()
    BrainAgent.load(tmp_path / "agent", env).learn(1, reset_num_timesteps=False)
    assert env.episode == 0
    agent = BrainAgent.load(tmp_path / "agent", DummyVecEnv([Clock] * 3), force_reset=False)
    assert agent.learn(3, reset_num_timesteps=False).num_timesteps == 8


def test_load_does_not_seed(tmp_path):
    """A seed would replay the exploration and the episodes of the first run."""

    class Seeded(Clock):
        seeds: list = []  # noqa: RUF012

        def reset(self, *, seed=None, options=None):
            self.seeds.append(seed)
            return super().reset(seed=seed)

    make(Seeded(), seed=7).learn(5).save(tmp_path / "agent")
    BrainAgent.load(tmp_path / "agent", Seeded()).learn(1)
    assert Seeded.seeds[-1] is None
    agent = BrainAgent.load(tmp_path / "agent", Seeded(), seed=8)
    assert same(weights(agent), weights(BrainAgent.load(tmp_path / "agent")))
    agent.learn(1)
    assert Seeded.seeds[-1] == 8


def test_load_settings(tmp_path, capsys):
    make(Clock(), brain={}).learn(5).save(tmp_path / "agent")
    agent = BrainAgent.load(
        tmp_path / "agent",
        Clock(),
        device="cpu",
        custom_objects={"learning_rate": 0.0},
        print_system_info=True,
        tensorboard_log=str(tmp_path / "logs"),
        verbose=0,
        brain={},
    )
    assert agent.tensorboard_log == str(tmp_path / "logs")
    assert "SAVED MODEL SYSTEM INFO" in capsys.readouterr().out
    with pytest.raises(TypeError, match="gamma"):
        BrainAgent.load(tmp_path / "agent", gamma=0.9)
    with pytest.raises(ValueError, match="whole"):
        agent.save(tmp_path / "agent", exclude=["brain"])


def test_load_into_other_spaces(trained, tmp_path):
    trained.save(tmp_path / "agent")
    with pytest.raises(ModelFileError, match=r"spaces do not match.*made for"):
        BrainAgent.load(tmp_path / "agent", Clock())


def test_diverged_brain_keeps_the_former_file(tmp_path, monkeypatch):
    agent = make(Clock()).learn(5)
    agent.save(tmp_path / "agent")
    former = (tmp_path / "agent.neonate").read_bytes()
    state = weights(agent)
    floats = next(name for name, a in state.items() if a.dtype.kind == "f" and a.size)
    state[floats] = np.full_like(state[floats], np.nan)
    monkeypatch.setattr(agent.brain, "state", lambda: state)
    with pytest.raises(ModelFileError, match=r"NaN.*Nothing was saved"):
        agent.save(tmp_path / "agent")
    assert (tmp_path / "agent.neonate").read_bytes() == former


# --- parameters


def test_parameters_move_between_agents(trained):
    other = make(trained.env_id, seed=9)
    other.set_parameters(trained.get_parameters())
    assert same(weights(trained), weights(other))
    observation = observe(trained.env_id, 2)
    assert np.array_equal(act(other, observation), act(trained, observation))


def test_parameters_from_a_file(trained, tmp_path):
    trained.save(tmp_path / "agent")
    other = make(trained.env_id, seed=9)
    other.set_parameters(tmp_path / "agent")
    assert same(weights(trained), weights(other))


def test_parameters_that_do_not_fit():
    agent = make(Clock()).learn(5)
    good = weights(agent)
    name = next(name for name, a in good.items() if a.dtype == np.float64 and a.size)
    without = {key: array for key, array in good.items() if key != name}
    for wrong, match in [
        ({"policy": {}}, "'policy'"),
        ({}, '"brain" is missing'),
        ({"brain": without}, name),
        ({"brain": good | {"no_such": np.zeros(1)}}, "no_such"),
        ({"brain": good | {name: np.zeros((2, 3, 4))}}, name),
        ({"brain": good | {name: good[name].astype(np.int8)}}, name),
    ]:
        with pytest.raises(ValueError, match=match):
            agent.set_parameters(wrong)
        assert same(good, weights(agent))
    with pytest.raises(ValueError, match="no_such"):
        agent.set_parameters({"brain": {"no_such": np.zeros(1)}}, exact_match=False)
    agent.set_parameters({"brain": {name: good[name] + 0}}, exact_match=False)
    agent.set_parameters({}, exact_match=False)
    assert same(good, weights(agent))


# --- files that were tampered with


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "agent"
    make(Clock()).learn(5).save(path)
    return model_file.read(path)


def changed(document, *keys, to):
    document = copy.deepcopy(document)
    part = document
    for key in keys[:-1]:
        part = part[key]
    if to is None:
        del part[keys[-1]]
    else:
        part[keys[-1]] = to
    return document


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (("brain",), None),
        (("brain",), []),
        (("brain", "n_envs"), 0),
        (("brain", "n_envs"), True),
        (("brain", "n_envs"), 1.5),
        (("brain", "n_envs"), 2),
        (("brain", "n_envs"), 10**17),
        (("brain", "config"), {"no_such_setting": 1}),
        (("brain", "config"), "BrainConfig()"),
        (("brain", "observation_space"), None),
        (("brain", "observation_space", "type"), "Discrete"),
        (("brain", "action_space", "high"), ["inf", "inf"]),
        (("agent",), None),
        (("agent", "num_timesteps"), -1),
        (("agent", "num_timesteps"), "5"),
        (("agent", "stats_window_size"), 10**30),
        (("agent", "seed"), "0"),
        (("agent", "returns"), ["1"]),
        (("agent", "lengths"), [1.5]),
        (("agent", "successes"), [1]),
        (("agent", "verbose"), None),
    ],
)
def test_document_that_does_not_fit(contents, keys, to):
    document, arrays = contents
    buffer = io.BytesIO()
    model_file.write(buffer, changed(document, *keys, to=to), arrays)
    buffer.seek(0)
    with pytest.raises(ModelFileError):
        BrainAgent.load(buffer)


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "dtype"])
@pytest.mark.parametrize("group", ["brain", "memory", "seen", "episode_starts"])
def test_arrays_that_do_not_fit(contents, group, change):
    document, arrays = contents
    names = [name for name in arrays if name.startswith(group)]
    assert names
    for name in names:
        wrong = dict(arrays)
        if change == "missing":
            del wrong[name]
        elif change == "extra":
            wrong[name + "2"] = arrays[name]
        elif change == "shape":
            if name.startswith("brain/body_schema."):  # as large as the body that was found
                continue
            wrong[name] = np.stack([arrays[name]] * 2)
        elif group == "seen":  # of any precision
            continue
        else:
            other = np.float32 if arrays[name].dtype != np.float32 else np.float64
            wrong[name] = arrays[name].astype(other)
        buffer = io.BytesIO()
        model_file.write(buffer, document, wrong)
        buffer.seek(0)
        with pytest.raises(ModelFileError):
            BrainAgent.load(buffer)


@settings(max_examples=100, deadline=None)
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_mutated_agent_is_refused_or_the_same(contents, place, byte):
    buffer = io.BytesIO()
    model_file.write(buffer, *contents)
    data = bytearray(buffer.getvalue())
    data[int(place * (len(data) - 1))] = byte
    try:
        loaded = BrainAgent.load(io.BytesIO(data))
    except ModelFileError:
        return
    assert all(np.array_equal(contents[1][f"brain/{k}"], a) for k, a in weights(loaded).items())


# --- rl_zoo3


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Return a folder with the files that docs/rl_zoo3.md says to save, and its blocks by kind."""
    text = (Path(__file__).parents[1] / "docs" / "rl_zoo3.md").read_text()
    blocks = {"python": [], "yaml": [], "console": []}
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        blocks[kind].append(block)
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "zoo.py").write_text(blocks["python"][0])
    (folder / "brain.yml").write_text(blocks["yaml"][0])
    return folder, blocks


def run(folder, *command):
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(find_spec("rl_zoo3") is None, reason="rl_zoo3 is an optional extra")
@pytest.mark.parametrize("which", [0, 1])
def test_rl_zoo3_trains_as_the_docs_say(zoo, which, monkeypatch):
    folder, blocks = zoo
    words = shlex.split(blocks["console"][0].splitlines()[which])
    env_id = words[words.index("--env") + 1]
    run(folder, *words[1:], "--n-timesteps", "120", "--eval-episodes", "1")
    name = env_id.replace("/", "-")
    agent = BrainAgent.load(folder / "logs" / "brain" / f"{name}_1" / name)
    assert agent.num_timesteps == 120
    if which == 0:
        assert (folder / "logs" / "brain" / f"{name}_1" / "best_model.neonate").exists()
        (folder / "load.py").write_text(blocks["python"][1])
        monkeypatch.chdir(folder)
        assert runpy.run_path("load.py")["agent"].num_timesteps == 120
    else:
        configured = yaml.safe_load(blocks["yaml"][0])[env_id]["brain"]
        assert agent.brain.config == config_from_dict(configured)
        assert agent.brain.config != BrainConfig()
