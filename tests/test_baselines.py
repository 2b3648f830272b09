"""Every algorithm keeps one contract; the comparators are set as well as their authors set them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import HerReplayBuffer
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import envs  # noqa: F401  registers neonate/…
from agent.errors import SensoryError, UnsupportedSpaceError
from policies.baselines import (
    ALGORITHMS,
    SB3_CLASSES,
    UnknownAlgorithmError,
    algorithm_settings,
    learns,
    load_algorithm,
    make_algorithm,
    save_algorithm,
)
from policies.evaluation import Evaluator
from policies.priors import UnsuitableBodyError
from policies.sb3_settings import kind_of, settings_for

ENVS = ("Reacher-v5", "neonate/Reach-v0")
CASES = [
    (name, env_id)
    for name in ALGORITHMS
    for env_id in (("Swimmer-v5", "neonate/Crawl-v0") if name == "oscillator" else ENVS)
]
UNSEEN = 70_000  # episodes that are in no comparison


class Faulty(gym.Env):
    """Spaces as asked, and a fault in what it returns after three steps."""

    def __init__(
        self,
        observation_space: spaces.Space | None = None,
        action_space: spaces.Space | None = None,
        fault: str = "",
    ) -> None:
        self.observation_space = observation_space or spaces.Box(-1, 1, (3,))
        self.action_space = action_space or spaces.Box(-1, 1, (2,))
        self.fault, self.steps = fault, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict]:
        """Begin an episode."""
        super().reset(seed=seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        """Go on, or break."""
        self.steps += 1
        broken = self.steps == 3
        observation, reward = self.observation_space.sample(), 0.0
        if broken and self.fault == "observation":
            observation[1] = np.nan
        if broken and self.fault == "reward":
            reward = np.inf
        return observation, reward, False, self.steps == 10, {}


def observations(env_id: str, count: int) -> Any:
    """Reset some bodies of an environment, batch first."""
    env = DummyVecEnv([lambda: gym.make(env_id)] * count)
    env.seed(UNSEEN)
    seen = env.reset()
    env.close()
    return seen


def weights(agent: Any) -> list[np.ndarray]:
    return [tensor.detach().numpy().copy() for tensor in agent.policy.parameters()]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("name", "env_id"), CASES)
def test_learns_predicts_and_survives_saving(name: str, env_id: str, tmp_path: Path) -> None:
    agent = make_algorithm(name, env_id, seed=3, steps=1_000)
    before = weights(agent)
    assert agent.learn(115) is agent
    assert agent.num_timesteps >= 115
    if name in SB3_CLASSES:
        assert any((a != b).any() for a, b in zip(before, weights(agent), strict=True))

    path = tmp_path / f"model.{'neonate' if name == 'brain' else 'zip'}"
    save_algorithm(agent, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if name == "pd":  # its actions are those of the body that it reads
        agent.set_env(gym.make(env_id))
        agent.get_env().seed(UNSEEN)
        seen = agent.get_env().reset()
        loaded = load_algorithm(name, path, agent.get_env())
    else:
        seen = observations(env_id, 1)
        loaded = load_algorithm(name, path, env_id)
    assert loaded.num_timesteps == agent.num_timesteps
    actions = [act(one, seen) for one in (agent, loaded)]
    np.testing.assert_array_equal(*actions)
    assert actions[0].shape == (1, *agent.action_space.shape)
    assert agent.action_space.contains(actions[0][0].astype(np.float32))
    loaded.learn(115, reset_num_timesteps=False)
    assert loaded.num_timesteps >= agent.num_timesteps + 115


def act(agent: Any, seen: Any) -> np.ndarray:
    """Act as the evaluator does: normalise with the agent's own frozen statistics."""
    normaliser = agent.get_vec_normalize_env()
    seen = seen if normaliser is None else normaliser.normalize_obs(seen)
    return agent.predict(seen, deterministic=True)[0]


@pytest.mark.usefixtures("quick")
def test_normalisation_statistics_are_saved_with_the_model(tmp_path: Path) -> None:
    agent = make_algorithm("ppo", "neonate/Reach-v0", seed=0).learn(640)
    save_algorithm(agent, tmp_path / "model.zip")
    loaded = load_algorithm("ppo", tmp_path / "model.zip", "neonate/Reach-v0")
    old, new = agent.get_vec_normalize_env(), loaded.get_vec_normalize_env()
    assert isinstance(old, VecNormalize) and isinstance(new, VecNormalize)
    for key in ("observation", "achieved_goal", "desired_goal"):
        np.testing.assert_array_equal(old.obs_rms[key].mean, new.obs_rms[key].mean)
        np.testing.assert_array_equal(old.obs_rms[key].var, new.obs_rms[key].var)
        assert new.obs_rms[key].count == old.obs_rms[key].count > 600
    assert new.ret_rms.var == old.ret_rms.var != 1.0


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["brain", "ppo", "td3", "random"])
def test_same_seed_same_algorithm(name: str) -> None:
    def live(seed: int) -> np.ndarray:
        agent = make_algorithm(name, "Reacher-v5", seed).learn(130)
        return act(agent, observations("Reacher-v5", 4))

    np.testing.assert_array_equal(live(1), live(1))
    assert (live(1) != live(2)).any()


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownAlgorithmError, match="did you mean 'sac'"):
        make_algorithm("sacc", "Reacher-v5", seed=0)


@pytest.mark.parametrize("name", ["sac", "td3", "tqc"])
def test_goal_tasks_replay_in_hindsight(name: str) -> None:
    agent = make_algorithm(name, "neonate/Reach-v0", seed=0, steps=1_000)
    assert isinstance(agent.replay_buffer, HerReplayBuffer)
    assert agent.replay_buffer.her_ratio == pytest.approx(0.8)
    assert agent.get_vec_normalize_env() is not None


def test_the_kind_of_task_decides() -> None:
    flat = spaces.Box(-1, 1, (3,))
    goal = spaces.Dict(observation=flat, achieved_goal=flat, desired_goal=flat)
    assert kind_of(goal, 100) == "goal"
    assert kind_of(goal, 1_000) == kind_of(goal, None) == "far"
    assert kind_of(flat, 50) == "short"
    assert kind_of(flat, 1_000) == kind_of(flat, None) == "flat"


def test_a_way_is_longer_than_a_movement() -> None:
    movement, way = gym.make("neonate/Reach-v0"), gym.make("neonate/CrawlTo-v0")
    for name in ("sac", "td3", "tqc"):
        assert algorithm_settings(name, movement)["gamma"] == 0.95
        assert algorithm_settings(name, way)["gamma"] == 0.99


def test_a_run_does_not_change_the_settings_of_the_next() -> None:
    before = str(settings_for("sac", "short", 1_000))
    make_algorithm("sac", "Reacher-v5", seed=0, steps=1_000)
    assert str(settings_for("sac", "short", 1_000)) == before


@pytest.mark.parametrize("name", SB3_CLASSES)
def test_learning_starts_within_a_short_budget(name: str) -> None:
    settings = algorithm_settings(name, gym.make("Reacher-v5"), steps=30_000)
    assert settings.get("learning_starts", 0) <= 1_000


@pytest.mark.parametrize(
    ("name", "discount"), [("ppo", 0.9999), ("sac", 0.999), ("td3", 0.9999), ("tqc", 0.999)]
)
def test_rows_that_were_tuned_by_name(name: str, discount: float, tmp_path: Path) -> None:
    swimmer, ant = gym.make("Swimmer-v5"), gym.make("Ant-v5")
    assert algorithm_settings(name, swimmer)["gamma"] == discount
    assert algorithm_settings(name, ant).get("gamma", 0.99) == 0.99
    agent = make_algorithm(name, "Swimmer-v5", seed=0, steps=1_000)
    assert agent.gamma == discount
    if name == "ppo":
        normaliser = agent.get_vec_normalize_env()
        assert normaliser is not None and normaliser.gamma == discount
    save_algorithm(agent, tmp_path / "model.zip")
    assert load_algorithm(name, tmp_path / "model.zip", "Swimmer-v5").gamma == discount


@pytest.mark.parametrize("env_id", ["HalfCheetah-v5", "Swimmer-v5", "Hopper-v5", "Walker2d-v5"])
def test_settings_are_plain_json(env_id: str) -> None:
    for name in ALGORITHMS:
        settings = algorithm_settings(name, gym.make(env_id), steps=1_000)
        assert json.loads(json.dumps(settings)) == settings


def test_noise_of_td3_is_a_tenth_of_the_range() -> None:
    agent = make_algorithm("td3", "Reacher-v5", seed=0, steps=1_000)
    assert agent.action_noise is not None
    draws = np.array([agent.action_noise() for _ in range(2_000)])
    assert draws.shape[1] == 2
    assert draws.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(("env_id", "least"), [("Reacher-v5", -7.0), ("neonate/Reach-v0", -15.0)])
def test_pd_reaches_without_learning(env_id: str, least: float) -> None:
    evaluator = Evaluator(lambda: gym.make(env_id), UNSEEN, 20)
    scores = evaluator(make_algorithm("pd", env_id, seed=0))
    random = evaluator(make_algorithm("random", env_id, seed=0))
    assert scores.returns.mean() > least
    assert scores.returns.mean() > random.returns.mean() + 10


def test_pd_holds_an_arm_up_against_gravity() -> None:
    evaluator = Evaluator(lambda: gym.make("neonate/Reach3D-v0"), UNSEEN, 20)
    rate = evaluator(make_algorithm("pd", "neonate/Reach3D-v0", seed=0)).success_rate
    assert rate is not None and rate > 0.7


def test_pd_does_not_disturb_the_body() -> None:
    agent = make_algorithm("pd", "Reacher-v5", seed=0)
    env = agent.get_env()
    seen = env.reset()
    data = env.get_attr("data")[0]
    before = data.qpos.copy(), data.qvel.copy(), data.xpos.copy()
    first = agent.predict(seen)[0]
    for old, new in zip(before, (data.qpos, data.qvel, data.xpos), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(first, agent.predict(seen)[0])


@pytest.mark.parametrize("env_id", ["HalfCheetah-v5", "Pendulum-v1"])
def test_pd_needs_an_arm(env_id: str) -> None:
    with pytest.raises(UnsuitableBodyError, match=r"pd needs .* compare with `random`"):
        make_algorithm("pd", env_id, seed=0)


def test_pd_refuses_bodies_that_it_does_not_read() -> None:
    agent = make_algorithm("pd", "Reacher-v5", seed=0)
    with pytest.raises(UnsuitableBodyError, match="set_env"):
        agent.predict(observations("Reacher-v5", 3))


def test_random_actions_fill_the_bounds() -> None:
    agent = make_algorithm("random", "Pendulum-v1", seed=0)
    actions = agent.predict(np.zeros((4_000, 3), np.float32))[0]
    assert actions.min() < -1.95 and actions.max() > 1.95
    assert abs(actions.mean()) < 0.1


def test_only_priors_do_not_learn() -> None:
    assert {name for name in ALGORITHMS if not learns(name)} == {"pd", "random"}


@pytest.mark.parametrize("name", ["sac", "ppo", "random"])
@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: Faulty(action_space=spaces.Discrete(3)), "continuous actions"),
        (lambda: Faulty(action_space=spaces.Box(-np.inf, np.inf, (2,))), "bounds must be finite"),
        (lambda: Faulty(spaces.Box(0, 255, (8, 8, 3), np.uint8)), "pictures are not supported"),
        (lambda: Faulty(spaces.Discrete(4)), "FlattenObservation"),
    ],
)
def test_unsupported_spaces_say_what_to_do(
    name: str, make: Callable[[], gym.Env], hint: str
) -> None:
    with pytest.raises(UnsupportedSpaceError, match=hint):
        make_algorithm(name, make, seed=0)


@pytest.mark.parametrize(
    ("fault", "channel"), [("observation", r"observation\[0, 1\] = nan"), ("reward", "reward.*inf")]
)
def test_numbers_that_are_not_finite_are_refused(fault: str, channel: str) -> None:
    agent = make_algorithm("sac", lambda: Faulty(fault=fault), seed=0, steps=100)
    with pytest.raises(SensoryError, match=channel):
        agent.learn(20)
    with pytest.raises(SensoryError, match=channel):
        Evaluator(lambda: Faulty(fault=fault), 0, 2)(agent)


def test_damaged_and_missing_models(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neonate train"):
        load_algorithm("sac", tmp_path / "none.zip", "Reacher-v5")
    (tmp_path / "model.zip").write_bytes(b"not a zip")
    with pytest.raises(ValueError, match="damaged"):
        load_algorithm("sac", tmp_path / "model.zip", "Reacher-v5")
