"""Heading: the numbers that tell about which axis a body turns freely."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from test_agent_joints import truth

from agent.heading import Heading, HeadingSense, find_orientations

NO_PLACE = np.empty(0, np.int64)
STEP = 0.05


def joints(*channels: int) -> SimpleNamespace:
    """Joints of which only channels and step matter here."""
    taken = np.array(channels, np.int64)
    none = np.empty(0, np.int64)
    return SimpleNamespace(cosine=none, sine=taken, velocity=none, step=STEP)


def sway(steps, rng):
    """Tilt that gravity brings back, in the rhythm of a gait, (steps,) in rad."""
    noise = np.convolve(rng.normal(size=steps + 9), np.ones(10) / 10, "valid")
    return 0.2 * np.sin(0.5 * np.arange(steps)) + 0.1 * noise


def quaternion(yaw, pitch, roll):
    """Return a unit quaternion (n, 4), w first."""
    (cy, cp, cr), (sy, sp, sr) = (
        [trig(0.5 * x) for x in (yaw, pitch, roll)] for trig in (np.cos, np.sin)
    )
    return np.stack(
        [
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ],
        axis=1,
    )


def life(form, seed, turning=0.01, steps=1500, episode_steps=500):
    """Transitions, episode, step and true yaw of a body that crawls and turns.

    The last two channels are its place.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(steps)
    episode, step = t // episode_steps, t % episode_steps
    rate = turning * np.repeat(rng.normal(size=steps // 100), 100)
    yaw = np.concatenate([np.cumsum(part) for part in np.split(rate, steps // episode_steps)])
    pitch, roll = sway(steps, rng), sway(steps, rng)
    if form == "quaternion":
        turned = quaternion(yaw, pitch, roll)
    elif form == "direction":
        level = np.cos(pitch)
        up = [-np.sin(pitch), np.sin(roll) * level, np.cos(roll) * level]
        turned = np.stack([level * np.cos(yaw), level * np.sin(yaw), *up], axis=1)
    else:
        parts = steps // episode_steps
        speeds = [
            np.concatenate([np.gradient(part, STEP) for part in np.split(x, parts)])
            for x in (yaw, pitch)
        ]
        turned = np.stack([yaw, pitch, *speeds], axis=1)
    limbs = np.sin(0.5 * t[:, None] + np.arange(2)) + 0.1 * rng.normal(size=(steps, 2))
    forces = (rng.uniform(size=(steps, 3)) < 0.1) * rng.uniform(-1, 1, (steps, 3))
    # It moves at an angle to where it faces, as each gait has its own.
    bearing = yaw + np.repeat(rng.uniform(-1, 1, steps // 100), 100)
    path = np.stack([np.cos(bearing), np.sin(bearing)], axis=1) + 0.5 * rng.normal(size=(steps, 2))
    place = np.cumsum(0.02 * path, axis=0)
    return np.concatenate([limbs, turned, forces, place], axis=1), episode, step, yaw


def later(channels, step):
    """Channels after each step."""
    last = np.append(step[1:] == 0, True)
    return np.where(last[:, None], channels, np.roll(channels, -1, axis=0))


def looked(channels, episode, step, **options) -> HeadingSense:
    sense = HeadingSense(channels.shape[1], **options)
    for row in zip(channels, later(channels, step), episode, step, strict=True):
        sense.look(*(np.asarray(x)[None] for x in row))
    return sense


def difference(one, other):
    return np.abs((one - other + np.pi) % (2 * np.pi) - np.pi)


FORMS = ["quaternion", "direction", "angle"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", FORMS)
def test_the_free_turn_is_found_in_every_form(form, seed):
    channels, episode, step, yaw = life(form, seed)
    place = np.arange(channels.shape[1] - 2, channels.shape[1])
    found = looked(channels, episode, step).find(joints(0, 1, *place), NO_PLACE)
    assert found is not None
    error = difference(found.angle(channels), yaw)
    assert np.median(error) < 0.1
    assert found.wander > 0.1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", FORMS)
def test_a_place_that_is_felt_tells_which_way_the_heading_grows(form, seed):
    channels, episode, step, yaw = life(form, seed)
    n = channels.shape[1]
    order = np.arange(n)
    order[[2, 3]] = 3, 2  # (Sine before cosine: the angle found runs the other way)
    for kept in (np.arange(n), order):
        sense = looked(channels[:, kept], episode, step)
        found = sense.find(joints(0, 1), np.array([n - 2, n - 1]))
        assert found is not None
        offset = np.exp(1j * (found.angle(channels[:, kept]) - yaw))
        assert np.abs(offset.mean()) > 0.95  # (The same but for a constant)


@pytest.mark.parametrize("form", FORMS)
def test_a_body_that_only_sways_has_no_heading(form):
    channels, episode, step, _ = life(form, 0, turning=0.0)
    assert looked(channels, episode, step).find(joints(0, 1), NO_PLACE) is None


def test_nothing_is_believed_of_episodes_too_short_to_compare():
    channels, episode, step, _ = life("quaternion", 0, episode_steps=100)
    assert looked(channels, episode, step).find(joints(0, 1), NO_PLACE) is None


def test_zero_is_how_episodes_begin():
    channels, episode, step, _ = life("angle", 1)
    channels[:, 2] += 0.7
    found = looked(channels, episode, step).find(joints(0, 1), NO_PLACE)
    assert found is not None
    assert found.zero == pytest.approx(0.7, abs=0.05)


def test_bodies_that_live_together_are_told_apart():
    lives = [life("quaternion", seed) for seed in (0, 1)]
    after = [later(c, s) for c, _, s, _ in lives]
    sense = HeadingSense(lives[0][0].shape[1])
    for t in range(len(lives[0][0])):
        rows = [(c[t], after[i][t], 100 * i + e[t], s[t]) for i, (c, e, s, _) in enumerate(lives)]
        sense.look(*(np.stack(x) for x in zip(*rows, strict=True)))
    found = sense.find(joints(0, 1), NO_PLACE)
    assert found is not None
    for channels, _, _, yaw in lives:
        assert np.median(difference(found.angle(channels), yaw)) < 0.1


def test_only_the_latest_looks_are_kept():
    channels, episode, step, _ = life("direction", 0)
    still = life("direction", 0, turning=0.0)[0]
    sense = looked(
        np.concatenate([channels, still]),
        np.concatenate([episode, episode + 10]),
        np.concatenate([step, step]),
        capacity=300,
    )
    assert sense.find(joints(0, 1), NO_PLACE) is None


def test_the_angle_of_a_batch_wraps():
    heading = Heading(cosine=0, sine=1, turns=2.0, sign=-1.0, zero=0.5, wander=1.0)
    turn = np.linspace(-3.0, 3.0, 7)
    channels = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    angle = heading.angle(channels)
    assert angle.shape == (7,)
    assert (np.abs(angle) <= np.pi).all()
    np.testing.assert_allclose(np.exp(1j * angle), np.exp(1j * (-2 * turn - 0.5)))


def test_a_quaternion_has_three_twists_and_its_real_part_is_that_of_the_beginning():
    channels, _, step, _ = life("quaternion", 2)
    starts = np.flatnonzero(step == 0)
    found = find_orientations(channels, later(channels, step), starts, np.arange(2), STEP)
    assert {(2, 3, 2.0), (2, 4, 2.0), (2, 5, 2.0)} <= set(found)


def test_a_saved_sense_finds_the_same():
    channels, episode, step, _ = life("quaternion", 0)
    sense = looked(channels, episode, step)
    copy = HeadingSense(channels.shape[1])
    copy.load_state(sense.state())
    assert copy.find(joints(0, 1), NO_PLACE) == sense.find(joints(0, 1), NO_PLACE) is not None


# Real bodies: what their documentation says of the numbers that tell yaw.
YAW = {
    "Ant-v5": (1, 4),
    "Swimmer-v5": (-1, 0),
    "neonate/Crawl-v0": (4, 5),
    "neonate/CrawlTo-v0": (4, 5),
    "neonate/CrawlTorque-v0": (4, 5),
    "neonate/AntTo-v0": (1, 4),
    "Walker2d-v5": None,
    "Hopper-v5": None,
}
# Bodies that at once lie on their back unless a reflex keeps their joints near the gait.
STEADIED = {"Ant-v5", "neonate/AntTo-v0", "neonate/CrawlTorque-v0"}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("env_id", YAW)
def test_the_heading_of_a_body_is_found_while_it_tries_gaits(env_id, seed):
    env, rng, known = gym.make(env_id), np.random.default_rng(seed), truth(env_id)
    sine, velocity = known["sine"], known["velocity"]
    limbs = joints(*sine, *velocity)
    limbs.step = env.unwrapped.dt

    def line_up(observation):
        parts = observation.values() if isinstance(observation, dict) else [observation]
        return np.concatenate(list(parts))

    observation, _ = env.reset(seed=30000 + seed)
    now = line_up(observation)
    rest, episode, step = now[sine], 0, 0
    place = len(now) - 4 + np.arange(2) if isinstance(observation, dict) else NO_PLACE
    sense = HeadingSense(len(now))
    for t in range(2000):
        if t % 100 == 0:
            rate, phase = rng.uniform(0.05, 0.6), rng.uniform(0, 2 * np.pi, len(sine))
            centre, size = 0.3 * rng.normal(size=len(sine)), rng.uniform(0.2, 0.8, len(sine))
        wave = centre + size * np.sin(rate * t + phase)
        if env_id in STEADIED:
            wave = 2.0 * (rest + 0.5 * wave - now[sine]) - 0.1 * now[velocity]
        before = now
        observation, _, terminated, truncated, _ = env.step(
            wave.clip(-1, 1) * env.action_space.high
        )
        now = line_up(observation)
        sense.look(before[None], now[None], np.array([episode]), np.array([step]))
        step += 1
        if terminated or truncated:
            now = line_up(env.reset()[0])
            episode, step = episode + 1, 0
    found = sense.find(limbs, np.append(place, place + 2))
    assert (None if found is None else (found.cosine, found.sine)) == YAW[env_id]
    assert found is None or found.sign == 1.0


def test_of_many_bodies_some_are_watched_for_long():
    channels, episode, step, yaw = life("direction", 0)
    n = 64
    sense = HeadingSense(channels.shape[1])
    after = later(channels, step)
    for t in range(700):
        rows = t + 100 * np.arange(n)  # (bodies whose lives are parts of one)
        rows = rows % len(channels)
        number = 1000 * np.arange(n) + episode[rows]
        sense.look(channels[rows], after[rows], number, step[rows])
    place = np.arange(channels.shape[1] - 2, channels.shape[1])
    found = sense.find(joints(0, 1, *place), NO_PLACE)
    assert found is not None
    assert np.median(difference(found.angle(channels) + found.zero, yaw)) < 0.1


@pytest.mark.parametrize("form", FORMS)
def test_a_quaternion_tells_when_the_body_is_turned_over(form):
    channels, episode, step, _ = life(form, 0)
    sense = looked(channels, episode, step)
    heading = sense.find(joints(0, 1), np.arange(channels.shape[1] - 2, channels.shape[1]))
    assert heading is not None
    assert not heading.lies(channels).any()
    if form != "quaternion":  # (Nothing tells)
        return
    turned = np.tile(channels[:1], (4, 1))
    yaw, over = np.array([0.3, -2.0, 1.0, 3.0]), np.array([0.5, 1.5, 1.7, 3.1])
    turned[:, 2:6] = quaternion(yaw, np.zeros(4), over)
    np.testing.assert_array_equal(heading.lies(turned), [False, False, True, True])
    turned[:, 2:6] = -quaternion(yaw, over, np.zeros(4))
    np.testing.assert_array_equal(heading.lies(turned), [False, False, True, True])
