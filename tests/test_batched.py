"""Many bodies as one batch are the same as one by one."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import envs  # noqa: F401
from envs.batched import BatchedVecEnv, can_be_batched, make_many

N = 3
TASKS = (
    ("neonate/Reach-v0", {}),
    ("neonate/Reach-v0", {"reward_type": "sparse"}),
    ("neonate/Reach3D-v0", {}),
    ("neonate/Crawl-v0", {"actuation": "torque"}),
    ("neonate/CrawlTo-v0", {"start": "back"}),
    ("neonate/CrawlTo-v0", {"limb_strength": {"left_arm": 0.5}}),
)


def both(env_id, options, n=N):
    def make():
        return gym.make(env_id, **options)

    return make_many(make, n), DummyVecEnv([lambda: Monitor(make())] * n)


def assert_same(one, other):
    if isinstance(other, dict):
        assert one.keys() == other.keys()
        for key, value in other.items():
            assert_same(one[key], value)
    else:
        assert type(one) is type(other)
        # (How the trunk is turned is computed here and in MuJoCo: one rounding may differ.)
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("env_id", "options"), TASKS, ids=lambda x: str(x))
def test_a_batch_lives_as_its_bodies_would_one_by_one(env_id, options):
    batch, singles = both(env_id, options)
    assert isinstance(batch, BatchedVecEnv)
    assert batch.observation_space == singles.observation_space
    for vec_env in (batch, singles):
        vec_env.seed(7)
    assert_same(batch.reset(), singles.reset())
    rng = np.random.default_rng(0)
    for _ in range(110):  # past the end of an arm's episode, and until somebody is turned over
        action = rng.uniform(-1.2, 1.2, (N, *batch.action_space.shape)).astype(np.float32)
        for mine, usual in zip(batch.step(action)[:3], singles.step(action)[:3], strict=True):
            assert_same(mine, usual)
    for told, usual in zip(batch.step(action)[3], singles.step(action)[3], strict=True):
        assert_same(told, usual)
    batch.close()
    singles.close()


def test_the_end_of_an_episode_is_told_as_monitor_tells_it():
    batch, singles = both("neonate/Reach-v0", {})
    for vec_env in (batch, singles):
        vec_env.seed(1)
        vec_env.reset()
    still = np.zeros((N, 2), np.float32)
    for _ in range(200):
        (_, _, dones, mine), (_, _, usual_dones, usual) = batch.step(still), singles.step(still)
        np.testing.assert_array_equal(dones, usual_dones)
        if dones.any():
            break
    assert dones.all()
    for one, other in zip(mine, usual, strict=True):
        assert one["TimeLimit.truncated"] is other["TimeLimit.truncated"] is True
        assert_same(one["terminal_observation"], other["terminal_observation"])
        assert one["episode"]["l"] == other["episode"]["l"]
        assert one["episode"]["r"] == pytest.approx(other["episode"]["r"], abs=1e-5)


@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        ("Pendulum-v1", {}),
        ("neonate/Reach-v0", {"motor_noise": 0.1}),
        ("neonate/Reach-v0", {"vision_delay_ms": 50}),
        ("neonate/CrawlMaze-v0", {}),
    ],
    ids=str,
)
def test_what_cannot_be_batched_lives_one_by_one(env_id, options):
    many = make_many(lambda: gym.make(env_id, **options), 2)
    assert isinstance(many, DummyVecEnv)
    with pytest.raises(ValueError, match="use make_many"):
        BatchedVecEnv([gym.make(env_id, **options)])


def test_an_unknown_wrapper_keeps_a_task_out_of_the_batch():
    env = gym.make("neonate/Reach-v0")
    assert can_be_batched(env)
    assert not can_be_batched(gym.wrappers.RescaleAction(env, -0.5, 0.5))


def test_one_body_is_no_batch():
    assert isinstance(make_many(lambda: gym.make("neonate/Reach-v0"), 1), DummyVecEnv)


@pytest.mark.parametrize("action", [np.full((N, 2), np.nan), np.zeros((N, 3)), np.zeros(2)])
def test_bad_actions_are_told_and_nothing_is_stepped(action):
    batch, _ = both("neonate/Reach-v0", {})
    before = batch.reset()
    with pytest.raises(ValueError, match="finite numbers"):
        batch.step(action)
    after = batch.step(np.zeros((N, 2)))[0]
    np.testing.assert_allclose(after["observation"], before["observation"], atol=0.05)


def test_attributes_are_read_and_setting_them_is_refused():
    batch, _ = both("neonate/Reach-v0", {})
    assert batch.get_attr("reward_type") == ["dense"] * N
    assert batch.env_is_wrapped(Monitor) == [True] * N
    with pytest.raises(AttributeError, match="one batch"):
        batch.set_attr("reward_type", "sparse")


def test_methods_see_the_body_as_it_is_now():
    batch, _ = both("neonate/CrawlTo-v0", {})
    batch.seed(0)
    batch.reset()
    for _ in range(5):
        seen = batch.step(np.ones((N, 8)))[0]
    felt = batch.env_method("observe", indices=[1])[0]
    np.testing.assert_allclose(felt["observation"], seen["observation"][1], atol=1e-9)


def test_sb3_trains_on_a_batch():
    batch, _ = both("neonate/CrawlTo-v0", {}, n=8)
    agent = PPO("MultiInputPolicy", batch, n_steps=8, batch_size=32, device="cpu").learn(64)
    assert agent.num_timesteps == 64
