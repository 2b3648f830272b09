"""Adaptation of dynamics, prediction over a delay, and strategy."""

import gymnasium as gym
import numpy as np
import pytest
from test_agent_bodies import babble_in

from agent.config import AdaptationConfig
from agent.dynamics_adaptation import DynamicsAdaptation
from agent.efference import EfferenceCopies
from agent.memory import SensorimotorMemory
from agent.strategy import AimingStrategy
from envs.disturbances import SensoryDelay
from policies import BrainAgent

USUAL = np.ones(2)


def movements(rng, n=40):
    return rng.uniform(-1, 1, (n, 2)), rng.normal(size=(n, 2))


def test_a_velocity_field_is_learnt_and_forgotten():
    layer = DynamicsAdaptation(2, AdaptationConfig(), np.random.default_rng(0))
    rng, field = np.random.default_rng(1), np.array([[0.0, 0.3], [-0.3, 0.0]])
    for trials, curl in ((30, field), (60, 0 * field)):
        for _ in range(trials):
            for angle, velocity in zip(*movements(rng), strict=True):
                q, v = angle[None], velocity[None]
                error = v @ curl.T - layer.command(q, v, USUAL)
                layer.learn(q, v, USUAL, error, np.array([True]))
            layer.rest()
        angle, velocity = movements(rng, 200)
        left = velocity @ curl.T - layer.command(angle, velocity, USUAL)
        assert np.abs(left).mean() < 0.06
    still = layer.command(angle, 0 * velocity, USUAL)
    np.testing.assert_allclose(still, 0.0, atol=1e-12)


@pytest.mark.parametrize("lesion", ["cerebellum", "adaptation"])
def test_without_it_no_field_is_learnt(lesion):
    layer = DynamicsAdaptation(2, AdaptationConfig(), np.random.default_rng(0), (lesion,))
    angle, velocity = movements(np.random.default_rng(1))
    layer.learn(angle, velocity, USUAL, np.ones_like(angle), np.ones(len(angle), bool))
    assert not layer.command(angle, velocity, USUAL).any()


def felt_late(lag, n_envs=1, steps=200, seed=0):
    """Memory of bodies whose velocity follows commands, felt `lag` steps late."""
    rng = np.random.default_rng(seed)
    memory = SensorimotorMemory(512, 2, 1)
    state, command = np.zeros((n_envs, 2)), np.zeros((n_envs, 1))
    line = [state] * (lag + 1)
    for _ in range(steps):
        command = 0.8 * command + 0.2 * rng.normal(size=(n_envs, 1))
        velocity = 0.9 * state[:, 1:] + command
        state = np.concatenate([state[:, :1] + 0.1 * velocity, velocity], axis=1)
        before, line = line[0], [*line[1:], state]
        reward, episode = np.zeros(n_envs), np.arange(n_envs)
        memory.store(before, command, reward, line[0], episode)
    return memory


@pytest.mark.parametrize("n_envs", [1, 2])
@pytest.mark.parametrize("lag", [0, 1, 4, 9])
def test_the_delay_is_found_and_memory_put_right(lag, n_envs):
    memory, copies = felt_late(lag, n_envs), EfferenceCopies(AdaptationConfig())
    copies.find(memory, n_envs, np.arange(2))
    assert copies.lag == 0  # a second look must agree
    copies.find(memory, n_envs, np.arange(2))
    assert copies.lag == lag
    rows = memory.rows
    caused = memory.after[rows, 1] - 0.9 * memory.before[rows, 1]
    np.testing.assert_allclose(caused, memory.command[rows, 0], atol=1e-9)
    copies.find(memory, n_envs, np.arange(2))
    assert copies.lag == lag


def test_a_lag_that_was_found_wrongly_is_put_right():
    memory, copies = felt_late(0), EfferenceCopies(AdaptationConfig())
    copies._shift(memory, 7, 1)
    copies.lag = 7
    for _ in range(2):
        copies.find(memory, 1, np.arange(2))
    assert copies.lag == 0
    rows = memory.rows
    caused = memory.after[rows, 1] - 0.9 * memory.before[rows, 1]
    np.testing.assert_allclose(caused, memory.command[rows, 0], atol=1e-9)


def test_knocks_do_not_hide_the_lag():
    memory, copies = felt_late(4), EfferenceCopies(AdaptationConfig())
    memory.after[memory.rows[::12], 1] += 40.0
    for _ in range(2):
        copies.find(memory, 1, np.arange(2))
    assert copies.lag == 4


def overshoot(share, trials=6):
    """Mean overshoot, %, of a brain that has lived 1,000 steps with senses 100 ms late."""
    env = SensoryDelay(gym.make("neonate/Reach-v0", targets="centre_out"), steps=10)
    adaptation = {"forward_model": share}
    agent = BrainAgent("BrainPolicy", env, seed=0, brain={"adaptation": adaptation}).learn(1000)
    assert agent.brain.efference.lag == 10
    over, task = [], env.unwrapped
    for trial in range(trials):
        observation, _ = env.reset(seed=70_000 + trial)
        start, way = task.fingertip, task.target - task.fingertip
        state, first, done, along = None, True, False, [0.0]
        while not done:
            action, state = agent.predict(
                observation, state=state, episode_start=np.array([first]), deterministic=True
            )
            observation, _, terminated, truncated, info = env.step(action)
            first, done = False, terminated or truncated
            along.append((task.fingertip - start) @ way / (way @ way))
        over.append(100 * (max(along) - 1))
    return float(np.mean(over)), info["distance"]


def test_prediction_over_a_delay_prevents_overshoot_by_its_share():
    over, distance = overshoot(1.0)
    assert over < 6.0 and distance < 0.003
    assert over + 5.0 < overshoot(0.8)[0]


def test_a_strategy_is_tried_where_errors_are_large_and_given_up_when_worse():
    strategy = AimingStrategy(AdaptationConfig(strategy_threshold=35.0))
    east, none = np.array([0.1, 0.0]), np.zeros(4)

    def at(degrees):
        return 0.1 * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])

    strategy.learn(east, at(20), none)
    assert not strategy.aside
    strategy.learn(east, at(45), none)
    assert strategy.aside and strategy.turn(1)[0, 3] == pytest.approx(-np.radians(45))
    strategy.learn(east, at(5), none)
    assert strategy.aside
    other = AimingStrategy(AdaptationConfig(strategy_threshold=35.0))
    other.learn(east, at(45), np.array([0, 0, 0, -np.radians(15)]))
    assert other.turn(1)[0, 3] == pytest.approx(-np.radians(30))  # the map does the rest


@pytest.mark.parametrize(("threshold", "lesions"), [(0.0, ()), (35.0, ("basal_ganglia",))])
def test_no_strategy_without_basal_ganglia_or_by_default(threshold, lesions):
    strategy = AimingStrategy(AdaptationConfig(strategy_threshold=threshold), lesions)
    strategy.learn(np.array([0.1, 0.0]), np.array([0.0, 0.1]), np.zeros(4))
    assert not strategy.aside and not strategy.turn(2).any()


@pytest.mark.parametrize("seed", [0, 105])
def test_senses_that_are_not_late_are_not_taken_for_late(seed):
    copies = EfferenceCopies(AdaptationConfig())
    for steps in (125, 150):
        memory, senses = babble_in("neonate/Reach-v0", seed, steps)
        copies.find(memory, 1, senses.proprioception)
        assert copies.lag == 0


@pytest.mark.parametrize(
    ("env_id", "seed", "late"),
    [("neonate/Reach-v0", 9, 0), ("neonate/Reach-v0", 9, 10), ("neonate/Reach3D-v0", 0, 5)],
)
def test_bodies_of_which_little_is_linear_show_how_late_their_senses_are(env_id, seed, late):
    targets = {"targets": "centre_out"} if env_id == "neonate/Reach-v0" else {}
    env = SensoryDelay(gym.make(env_id, **targets), steps=late)
    agent = BrainAgent("BrainPolicy", env, seed=seed).learn(250)
    assert agent.brain.efference.lag == late
    assert agent.brain.programs.able[0]


def test_an_aim_follows_what_it_misses_by():
    strategy = AimingStrategy(AdaptationConfig(strategy_threshold=35.0))
    east, none = np.array([0.1, 0.0]), np.zeros(4)

    def seen(degrees):
        return 0.1 * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])

    strategy.learn(east, seen(45), none)
    strategy.learn(east, seen(-20), none)
    assert strategy.aim[3] == pytest.approx(-np.radians(43))
