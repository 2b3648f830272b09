"""Disturbances do what they say, on any MuJoCo body, and change nothing else."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.env_util import make_vec_env

import envs  # noqa: F401  registers the tasks
from envs.body_disturbances import body_index
from envs.disturbances import (
    AddedMass,
    DroppedFrames,
    Push,
    SensorNoise,
    SensoryDelay,
    StuckSensor,
    WeakActuator,
    channel_spread,
)

BODIES = ("neonate/Reach-v0", "neonate/Crawl-v0", "neonate/AntTo-v0", "Ant-v5", "HalfCheetah-v5")


def moving_channel(env: gym.Env) -> Any:
    return ("observation", 3) if isinstance(env.observation_space, gym.spaces.Dict) else 14


KINDS: dict[str, Any] = {
    "noise": lambda env: SensorNoise(env, sigma=0.5),
    "stuck": lambda env: StuckSensor(env, moving_channel(env)),
    "dropped": lambda env: DroppedFrames(env, probability=0.5),
    "delay": lambda env: SensoryDelay(env, steps=3),
    "push": lambda env: Push(env, strength=1.0, probability=0.3),
    "dead": lambda env: WeakActuator(env, factor=0.0),
    "mass": lambda env: AddedMass(env, factor=2.0),
}
OF_THE_BODY = {"push", "dead", "mass"}

each_body = pytest.mark.parametrize("env_id", BODIES)
each_kind = pytest.mark.parametrize("kind", KINDS)


def flat(observation: Any) -> np.ndarray:
    if isinstance(observation, dict):
        return np.concatenate([observation[key] for key in sorted(observation)])
    return np.asarray(observation)


def live(env: gym.Env, seed: int = 3, steps: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Observations and rewards under the same commands."""
    commands = np.random.default_rng(0)
    observation, _ = env.reset(seed=seed)
    seen, rewards = [flat(observation)], []
    for _ in range(steps):
        action = commands.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        observation, reward, terminated, _, _ = env.step(action)
        seen.append(flat(observation))
        rewards.append(float(reward))
        if terminated:
            break
    return np.array(seen), np.array(rewards)


@each_body
@each_kind
def test_repeatable_hidden_and_felt(env_id: str, kind: str) -> None:
    clean, disturbed = gym.make(env_id), KINDS[kind](gym.make(env_id))
    assert disturbed.observation_space == clean.observation_space
    assert disturbed.action_space == clean.action_space
    (seen, rewards), (clean_seen, clean_rewards) = live(disturbed), live(clean)
    again = live(disturbed)
    np.testing.assert_array_equal(seen, again[0])
    np.testing.assert_array_equal(rewards, again[1])
    n = min(len(seen), len(clean_seen))
    assert not np.array_equal(seen[:n], clean_seen[:n])
    if kind not in OF_THE_BODY:
        np.testing.assert_array_equal(rewards, clean_rewards)
    assert disturbed.step(disturbed.action_space.sample())[4].keys() == (
        clean.step(clean.action_space.sample())[4].keys()
    )


@each_body
@each_kind
def test_switched_off_is_undisturbed(env_id: str, kind: str) -> None:
    clean, disturbed = gym.make(env_id), KINDS[kind](gym.make(env_id))
    live(disturbed)
    disturbed.active = False
    for one, other in zip(live(disturbed), live(clean), strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_wrappers_draw_from_streams_of_their_own() -> None:
    env = Push(DroppedFrames(gym.make("Ant-v5"), 0.5), probability=0.5)
    env.reset(seed=5)
    assert env.rng.random() != env.env.rng.random()


def test_active_is_reached_through_a_vector_environment() -> None:
    env = make_vec_env(lambda: SensorNoise(gym.make("neonate/Reach-v0"), sigma=1.0), 2)
    env.set_attr("active", False)
    assert env.get_attr("active") == [False, False]


def test_noise_follows_the_spread() -> None:
    env = SensorNoise(gym.make("neonate/Crawl-v0"), sigma=0.25, spread=np.arange(28.0))
    clean = gym.make("neonate/Crawl-v0")
    noise = np.array([env.reset(seed=s)[0] - clean.reset(seed=s)[0] for s in range(300)])
    np.testing.assert_allclose(noise.std(axis=0), 0.25 * np.arange(28), rtol=0.2)


def test_noise_spares_the_goal_and_keeps_to_bounds() -> None:
    env = SensorNoise(gym.make("neonate/Reach-v0"), sigma=100.0)
    clean = gym.make("neonate/Reach-v0")
    felt, truth = env.reset(seed=0)[0], clean.reset(seed=0)[0]
    np.testing.assert_array_equal(felt["desired_goal"], truth["desired_goal"])
    assert env.observation_space["achieved_goal"].contains(felt["achieved_goal"])


def test_spread_is_measured_by_channel() -> None:
    assert channel_spread(np.array([[0.0, 1.0], [2.0, 1.0]])).tolist() == [1.0, 0.0]
    assert channel_spread({"a": np.array([[0.0], [4.0]])})["a"].tolist() == [2.0]


@pytest.mark.parametrize("value", [0.0, 5.0, None])
def test_stuck_sensor_shows_one_number(value: float | None) -> None:
    env = StuckSensor(gym.make("neonate/Reach-v0"), ("achieved_goal", 1), value)
    first = gym.make("neonate/Reach-v0").reset(seed=1)[0]["achieved_goal"][1]
    env.reset(seed=1)
    for _ in range(5):
        observation = env.step(env.action_space.sample())[0]
        assert observation["achieved_goal"][1] == (first if value is None else value)
        assert observation["achieved_goal"][0] != value


def test_another_sensor_gets_stuck_in_another_episode() -> None:
    env = StuckSensor(gym.make("Ant-v5"))
    drawn = set()
    for seed in range(20):
        env.reset(seed=seed)
        drawn.add(env.stuck)
    assert len(drawn) > 10


def test_only_listed_sensors_get_stuck() -> None:
    env = StuckSensor(gym.make("Ant-v5"), [3, 7])
    drawn = set()
    for seed in range(20):
        env.reset(seed=seed)
        drawn.add(env.stuck)
    assert drawn == {("", 3), ("", 7)}


def test_delay_shows_what_was() -> None:
    late, prompt = SensoryDelay(gym.make("neonate/Crawl-v0"), ms=150), gym.make("neonate/Crawl-v0")
    assert late.steps == 3
    (seen, _), (now, _) = live(late), live(prompt)
    np.testing.assert_array_equal(seen[3:], now[:-3])
    np.testing.assert_array_equal(seen[:3], now[[0, 0, 0]])


def test_dropped_frames_show_the_last_one_shown() -> None:
    env, clean = DroppedFrames(gym.make("Ant-v5"), 0.5), gym.make("Ant-v5")
    (seen, _), (truth, _) = live(env), live(clean)
    fresh = (seen == truth).all(axis=1)
    assert fresh[0] and 0.2 < fresh.mean() < 0.8
    for t in np.flatnonzero(~fresh):
        np.testing.assert_array_equal(seen[t], seen[t - 1])


def test_dead_motor_has_no_force_and_comes_back() -> None:
    env = WeakActuator(gym.make("neonate/Crawl-v0"), factor=0.0, actuator=2)
    inner = env.unwrapped
    gain, bias = inner.model.actuator_gainprm.copy(), inner.model.actuator_biasprm.copy()
    live(env)
    assert inner.data.actuator_force[2] == 0.0 and (inner.data.actuator_force[[0, 1]] != 0.0).all()
    env.active = False
    np.testing.assert_array_equal(inner.model.actuator_gainprm, gain)
    np.testing.assert_array_equal(inner.model.actuator_biasprm, bias)


def test_mass_changes_what_follows_from_it_and_comes_back() -> None:
    env = AddedMass(gym.make("Ant-v5"), kg=1.0)
    model = env.unwrapped.model
    trunk = body_index(model, None)
    mass, total = float(model.body_mass[trunk]), float(model.body_subtreemass[0])
    inverse = model.body_invweight0.copy()
    env.reset(seed=0)
    assert model.body_mass[trunk] == pytest.approx(mass + 1.0)
    assert model.body_subtreemass[0] == pytest.approx(total + 1.0)
    env.active = False
    assert float(model.body_mass[trunk]) == mass
    np.testing.assert_array_equal(model.body_invweight0, inverse)


def test_push_ends() -> None:
    env = Push(gym.make("Ant-v5"), strength=1.0, probability=1.0, steps=2)
    env.reset(seed=0)
    applied = env.unwrapped.data.xfrc_applied
    env.step(env.action_space.sample())
    force = np.linalg.norm(applied[env.body, :3])
    assert force == pytest.approx(float(env.unwrapped.model.body_mass.sum()) * 9.81)
    env.probability = 0.0
    env.step(env.action_space.sample())
    assert np.linalg.norm(applied[env.body]) == pytest.approx(force)
    env.step(env.action_space.sample())
    assert not applied.any()


@pytest.mark.parametrize(
    ("env_id", "part"),
    [("Ant-v5", "torso"), ("HalfCheetah-v5", "torso"), ("neonate/Crawl-v0", "trunk")],
)
def test_the_trunk_is_found(env_id: str, part: str) -> None:
    model = gym.make(env_id).unwrapped.model
    assert model.body(body_index(model, None)).name == part


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda e: SensorNoise(e, sigma=-1.0), "from 0 up"),
        (lambda e: SensorNoise(e, sigma=1.0, spread=np.ones(3)), "shape"),
        (lambda e: StuckSensor(e, channel=28), "no sensor 28"),
        (lambda e: StuckSensor(e, value=np.nan), "finite"),
        (lambda e: DroppedFrames(e, probability=1.5), "0 to 1"),
        (lambda e: SensoryDelay(e), "steps or in ms"),
        (lambda e: SensoryDelay(e, ms=70), "multiple of the control step of 50 ms"),
        (lambda e: SensoryDelay(e, steps=-1), "whole number"),
        (lambda e: Push(e, steps=0), "from 1 up"),
        (lambda e: Push(e, body="tail"), "no part 'tail'"),
        (lambda e: WeakActuator(e, factor=0.5, actuator=8), "0 to 7"),
        (lambda e: AddedMass(e), "kg or as a factor"),
        (lambda e: AddedMass(e, kg=-1000), "leave some"),
    ],
)
def test_nonsense_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(gym.make("neonate/Crawl-v0"))


def test_a_body_without_mujoco_is_refused() -> None:
    with pytest.raises(ValueError, match="no MuJoCo"):
        Push(gym.make("Pendulum-v1"))
