"""The oscillator moves as its equations say, and its search counts every step."""

import itertools
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

import envs  # noqa: F401  registers neonate/…
from policies.baselines import load_algorithm, make_algorithm, save_algorithm
from policies.evaluation import Evaluator
from policies.oscillator import SHARED, GaitSearch, Oscillator
from policies.priors import UnsuitableBodyError

BODIES = ("Ant-v5", "HalfCheetah-v5", "Hopper-v5", "Swimmer-v5", "Walker2d-v5", "neonate/Crawl-v0")
UNSEEN = 70_000  # episodes that are in no comparison

each_body = pytest.mark.parametrize("env_id", BODIES)


def oscillator(env_id: str, seed: int = 0) -> Oscillator:
    agent = make_algorithm("oscillator", env_id, seed)
    assert isinstance(agent, Oscillator)
    return agent


@each_body
def test_joints_are_where_the_observation_says(env_id: str) -> None:
    agent = oscillator(env_id)
    env = gym.make(env_id)
    env.reset(seed=0)
    for _ in range(5):
        seen = env.step(0.2 * env.action_space.sample())[0]
    model, data = env.unwrapped.model, env.unwrapped.data
    joints = agent.policy.joints
    for motor in range(model.nu):
        joint = model.joint(model.actuator_trnid[motor, 0])
        assert seen[joints.angle[motor]] == data.qpos[joint.qposadr[0]]
        assert seen[joints.velocity[motor]] == np.clip(data.qvel[joint.dofadr[0]], -10, 10)
    assert joints.dt == env.unwrapped.dt
    assert joints.servo.all() == (env_id == "neonate/Crawl-v0")


def test_published_gait_of_the_swimmer() -> None:
    """0.62 Hz, phases 0 and 0.95 of a cycle, kp 10, kd 0.5, amplitude 1 rad: about 351."""
    agent = oscillator("Swimmer-v5")
    half = np.radians(100)  # of the joint's range
    amplitude = (1 / half - 0.5) / 0.4
    phase = 2 * np.pi * 0.95 / 1.5
    shared = [np.log(0.62 / 1.4) / 0.7, 0.0, np.log(10 / 3), np.log(0.5 / 0.1)]
    gait = [*shared, amplitude, amplitude, 0.0, 0.0, 0.0, phase]
    with torch.no_grad():
        agent.policy.gait.copy_(torch.tensor(gait))
    scores = Evaluator(lambda: gym.make("Swimmer-v5"), UNSEEN, 2)(agent)
    assert scores.returns.min() > 345


def test_oscillators_follow_their_differential_equation() -> None:
    agent = oscillator("neonate/Crawl-v0")  # servos: the command is the oscillation itself
    policy, rng = agent.policy, np.random.default_rng(0)
    n, dt = len(policy.joints.middle), policy.joints.dt
    x = rng.standard_normal(SHARED + 3 * n)
    x[SHARED : SHARED + n] = -1.0 + 0.1 * rng.standard_normal(n)  # so that nothing is clipped
    frequency, share = 1.4 * np.exp(0.7 * x[0]), 1 / (1 + np.exp(-0.25 * x[1]))
    fast, slow = np.pi * frequency / share, np.pi * frequency / (1 - share)
    amplitude, offset = 0.5 + 0.4 * x[SHARED : SHARED + n], 0.15 * x[SHARED + n : SHARED + 2 * n]
    substeps = 20_000
    cycle = (1.5 * x[SHARED + 2 * n :] / (2 * np.pi)) % 1.0
    stance = np.pi + np.pi * (cycle - share) / (1 - share)
    angle = np.where(cycle < share, np.pi * cycle / share, stance)
    for step in range(15):
        command = policy.commands(x, np.array([step]), np.zeros((1, 28)))[0]
        np.testing.assert_allclose(command, offset + amplitude * np.sin(angle), atol=2e-3)
        for _ in range(substeps // 100):
            angle += np.where(np.sin(angle) > 0, fast, slow) * dt / (substeps // 100)


@each_body
def test_each_body_in_a_batch_acts_by_its_own_gait(env_id: str) -> None:
    agent = oscillator(env_id)
    rng = np.random.default_rng(0)
    gaits = rng.standard_normal((3, len(agent.policy.gait)))
    seen = rng.standard_normal((3, agent.observation_space.shape[0]))
    steps = np.array([0, 7, 100])
    together = agent.policy.commands(gaits, steps, seen)
    for i in range(3):
        alone = agent.policy.commands(gaits[i], steps[i : i + 1], seen[i : i + 1])[0]
        np.testing.assert_array_equal(together[i], alone)
    assert all(agent.action_space.contains(row.astype(np.float32)) for row in together)


def test_time_is_in_the_state_and_begins_anew_with_an_episode() -> None:
    agent = oscillator("Swimmer-v5")
    seen = np.zeros((2, 8), np.float32)
    start = np.array([True, True])
    first, state = agent.predict(seen, None, start)
    second, state = agent.predict(seen, state, np.array([False, True]))
    np.testing.assert_array_equal(second[1], first[1])
    assert (second[0] != first[0]).any()
    np.testing.assert_array_equal(state[0][:, 0], [2, 1])
    np.testing.assert_array_equal(agent.predict(seen[0])[0], first[0])


@pytest.mark.parametrize("n_envs", [1, 3])
def test_every_step_counts(n_envs: int) -> None:
    env = DummyVecEnv([lambda: gym.make("Swimmer-v5")] * n_envs)
    seen: list[int] = []

    class Watch(BaseCallback):
        def _on_step(self) -> bool:
            seen.append(self.num_timesteps)
            return len(seen) < 130

    agent = Oscillator("OscillatorPolicy", env, seed=0)
    agent.learn(100 * n_envs, callback=Watch())
    assert seen == [n_envs * (i + 1) for i in range(100)]
    agent.learn(10_000, callback=Watch(), reset_num_timesteps=False)
    assert len(seen) == 130 and agent.num_timesteps == 130 * n_envs


def test_goes_on_exactly_from_a_file(tmp_path: Path) -> None:
    agent = oscillator("Swimmer-v5", seed=2).learn(4_000)
    save_algorithm(agent, tmp_path / "model.zip")
    loaded = load_algorithm("oscillator", tmp_path / "model.zip", "Swimmer-v5")
    agent.search.give_back()
    loaded.search.give_back()
    for _ in range(30):
        for search in (agent.search, loaded.search):
            gaits, _ = search.ask(4)
            search.tell(-(gaits**2).sum(axis=1))
    np.testing.assert_array_equal(agent.search.strategy.mean, loaded.search.strategy.mean)
    np.testing.assert_array_equal(agent.search.kept, loaded.search.kept)


def test_search_finds_an_optimum_and_keeps_the_best_mean() -> None:
    rng = np.random.default_rng(0)
    search, optimum = GaitSearch(6, rng), np.array([1.0, -1.0, 0.5, 0.0, 2.0, -0.5])
    kept = [search.kept_score]
    for _ in range(300):
        gaits, steps = search.ask(4)
        assert len(gaits) <= 4 and 60 <= steps <= 1_000
        search.tell(-((gaits - optimum) ** 2).sum(axis=1))
        kept.append(search.kept_score)
    assert np.linalg.norm(search.kept - optimum) < 0.1
    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(kept))


def test_what_was_cut_short_is_tried_again() -> None:
    search = GaitSearch(3, np.random.default_rng(0))
    first, _ = search.ask(3)
    search.give_back()
    np.testing.assert_array_equal(search.ask(3)[0], first)


def test_learns_something() -> None:
    agent = oscillator("HalfCheetah-v5", seed=0)
    evaluator = Evaluator(lambda: gym.make("HalfCheetah-v5"), UNSEEN, 1)
    before = evaluator(agent).returns[0]
    assert evaluator(agent.learn(5_000)).returns[0] > before + 50


@pytest.mark.parametrize(
    ("env_id", "hint"),
    [
        ("neonate/CrawlTo-v0", "cannot pursue a goal"),
        ("neonate/Reach-v0", "cannot pursue a goal"),
        ("Pendulum-v1", "needs a MuJoCo environment"),
        ("Reacher-v5", "where in the observation"),
        ("InvertedPendulum-v5", "each drive a hinge"),
    ],
)
def test_unsuitable_bodies_are_told_apart(env_id: str, hint: str) -> None:
    with pytest.raises(UnsuitableBodyError, match=hint):
        make_algorithm("oscillator", env_id, seed=0)
