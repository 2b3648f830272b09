"""Perturbations of the reaching tasks, and their schedules."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs  # noqa: F401
from envs.force_fields import CurlField, Load
from envs.perturbations import CursorGain, CursorRotation, EndpointVision
from envs.schedules import Phase, Schedule

FULL = Schedule.abrupt()
ACTION = {"neonate/Reach-v0": [0.1, -0.15], "neonate/Reach3D-v0": [0.1] * 7}
WRAPPERS = {
    "rotation": lambda env, schedule=FULL: CursorRotation(env, 30.0, schedule),
    "gain": lambda env, schedule=FULL: CursorGain(env, 0.7, schedule),
    "curl": lambda env, schedule=FULL: CurlField(env, schedule),
    "load": lambda env, schedule=FULL: Load(env, schedule, 1.0),
}


def task(name="neonate/Reach-v0", **kwargs):
    return gym.make(name, max_episode_steps=30, **kwargs)


def moved(env, seed=0):
    """Start, last observation, reward and info of a trial with a constant action."""
    first, _ = env.reset(seed=seed)
    done = False
    while not done:
        observation, reward, terminated, truncated, info = env.step(ACTION[env.spec.id])
        done = terminated or truncated
    return first["achieved_goal"], observation, reward, info


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", ACTION)
def test_a_perturbed_task_keeps_gymnasium_s_contract(name, wrapper):
    check_env(WRAPPERS[wrapper](task(name)), skip_render_check=True)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_at_strength_0_nothing_is_changed(wrapper):
    plain = moved(task())
    none = moved(WRAPPERS[wrapper](task(), Schedule((Phase("none", 1),))))
    np.testing.assert_allclose(none[1]["achieved_goal"], plain[1]["achieved_goal"], atol=1e-6)
    assert none[2] == pytest.approx(plain[2], abs=1e-6)


@pytest.mark.parametrize("name", ACTION)
def test_the_cursor_s_way_is_turned(name):
    start, hand, _, _ = moved(task(name))
    _, cursor, reward, info = moved(WRAPPERS["rotation"](task(name)))
    way, seen = hand["achieved_goal"] - start, cursor["achieved_goal"] - start
    angle = np.arctan2(seen[1], seen[0]) - np.arctan2(way[1], way[0])
    assert np.degrees(angle) % 360 == pytest.approx(30.0)
    distance = np.linalg.norm(cursor["achieved_goal"] - cursor["desired_goal"])
    assert info["distance"] == pytest.approx(distance)
    assert reward == pytest.approx(-distance + info["reward_effort"])


def test_the_cursor_s_way_is_stretched():
    start, hand, _, _ = moved(task())
    _, cursor, _, _ = moved(WRAPPERS["gain"](task()))
    way = hand["achieved_goal"] - start
    np.testing.assert_allclose(cursor["achieved_goal"] - start, 0.7 * way, atol=1e-12)


def test_a_clamped_cursor_keeps_to_the_line():
    schedule = Schedule((Phase("clamp", 1, clamp=True),))
    start, hand, _, info = moved(WRAPPERS["rotation"](task(), schedule))
    seen, wanted = hand["achieved_goal"] - start, hand["desired_goal"] - start
    assert seen @ wanted == pytest.approx(np.linalg.norm(seen) * np.linalg.norm(wanted))
    assert np.linalg.norm(seen) == pytest.approx(np.linalg.norm(info["hand"]))


def test_a_curl_field_pushes_across_and_does_no_work():
    field = CurlField(task(), FULL, 13.0)
    velocity = np.array([0.3, 0.4, 0.0])
    force = field.force(np.zeros(3), velocity, 1.0)
    assert force @ velocity == pytest.approx(0.0) and np.linalg.norm(force) == pytest.approx(6.5)
    assert force @ np.array([velocity[1], -velocity[0], 0.0]) > 0  # to the right of the way
    _start, plain, _, _ = moved(task())
    _, pushed, _, _ = moved(field)
    assert np.linalg.norm(pushed["achieved_goal"] - plain["achieved_goal"]) > 0.01


def test_a_channel_holds_the_hand_on_the_line():
    env = CurlField(task(targets="centre_out"), Schedule((Phase("channel", 1, clamp=True),)))
    _, _, _, info = moved(env)
    across = info["hand"] @ env._across[:2]
    assert abs(across) < 0.003 and abs(info["push"]) > 0.5


def test_a_channel_follows_the_path_that_the_hand_took_unperturbed():
    way = {"directions": (60.0,)}
    free, held = Phase("free", 2, **way), Phase("channel", 1, clamp=True, **way)
    pushed, bent = [], []
    for schedule in (Schedule((held,)), Schedule((free, held))):
        env = CurlField(
            gym.make("neonate/Reach-v0", max_episode_steps=24, targets="centre_out"), schedule
        )
        for _ in range(schedule.trials):
            push, over = [], False
            env.reset(seed=4)
            while not over:
                _, _, _, over, info = env.step([0.05, -0.1])
                push.append(abs(info["push"]))
            bent.append(float(info["hand"] @ env._across[:2]))
        pushed.append(max(push))
    assert abs(bent[0]) < 0.003 < abs(bent[1])
    assert bent[3] == pytest.approx(bent[1], abs=0.003)
    assert pushed[1] < 0.5 * pushed[0]


def test_what_was_perturbed_is_no_natural_path():
    env, kept = CurlField(task(), Schedule.blocks(1, 2, 1)), []
    env._keep = kept.append
    for _ in range(4):
        moved(env)
    assert len(kept) == 1


def test_a_load_is_carried_and_put_down():
    env = Load(task(), Schedule.blocks(1, 1, 1), mass=2.0)
    mass = [env.task.model.body_mass.sum()]
    for _ in range(3):
        env.reset(seed=0)
        mass.append(env.task.model.body_mass.sum())
    np.testing.assert_allclose(np.array(mass[1:]) - mass[0], [0.0, 2.0, 0.0], atol=1e-12)


def test_the_endpoint_alone_is_seen():
    env = EndpointVision(task())
    first, _ = env.reset(seed=0)
    for step in range(30):
        observation, _, _, truncated, info = env.step(ACTION["neonate/Reach-v0"])
        still = (observation["achieved_goal"] == first["achieved_goal"]).all()
        assert still != truncated and truncated == (step == 29)
        if still and step > 5:
            true = observation["achieved_goal"] + info["moved_since_seen"]
            np.testing.assert_allclose(true, env.unwrapped.fingertip[:2])


def test_schedules():
    rng = np.random.default_rng(0)
    strengths = [Schedule.blocks(2, 3, 1).trial(i, rng).strength for i in range(8)]
    assert strengths == [0, 0, 1, 1, 1, 0, 0, 0]
    assert [Schedule.abrupt(1).trial(i, rng).strength for i in range(3)] == [0, 1, 1]
    gradual = [Schedule.gradual(4).trial(i, rng).strength for i in range(6)]
    np.testing.assert_allclose(gradual, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0])
    drawn = {Schedule.random((-1.0, 1.0)).trial(i, rng).strength for i in range(20)}
    assert drawn == {-1.0, 1.0}
    clamped = [Phase("p", 4, clamp_every=2).trial(i, rng).clamp for i in range(4)]
    assert clamped == [False, True, False, True]


def test_directions_are_those_of_the_schedule():
    schedule = Schedule((Phase("two", 1, directions=(90.0,)), Phase("one", 1, directions=(0.0,))))
    env = CursorRotation(task(targets="centre_out"), 30.0, schedule)
    for expected in ([0.0, 0.1], [0.1, 0.0], [0.1, 0.0]):
        observation, _ = env.reset(seed=3)
        way = observation["desired_goal"] - observation["achieved_goal"]
        np.testing.assert_allclose(way, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Phase("p", 0), "at least 1 trial"),
        (lambda: Phase("p", 1, float("nan")), "finite"),
        (lambda: Schedule(()), "no phases"),
        (lambda: CursorRotation(task(), float("inf"), FULL), "degrees"),
        (lambda: CursorGain(task(), 0.0, FULL), "above 0"),
        (lambda: CurlField(task(), FULL, float("nan")), "viscosity"),
        (lambda: Load(task(), FULL, -1.0), "mass"),
        (lambda: CursorRotation(gym.make("Reacher-v5"), 30.0, FULL), "reaching task"),
        (lambda: CursorRotation(task(vision_delay_ms=100.0), 30.0, FULL), "vision_delay_ms"),
    ],
)
def test_errors_say_what_to_write(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
