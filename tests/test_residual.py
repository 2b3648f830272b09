"""Residual learning: networks, the replay, and what refines a habit."""

import dataclasses
import io

import numpy as np
import pytest

import agent.config as settings
from agent.errors import StateError
from agent.networks import Networks
from agent.replay import Replay
from agent.residual import Residual
from policies import BrainAgent

CONFIG = settings.ResidualConfig(after=1, units=32, batch=32, first=100, remembered=4000, most=0.5)
NO, YES = np.zeros(1, bool), np.ones(1, bool)


def test_gradients_are_those_of_small_differences():
    rng = np.random.default_rng(0)
    networks = Networks(2, 3, 8, 2, rng)
    x = rng.normal(size=(5, 3)).astype(np.float32)
    aim = rng.normal(size=(2, 5, 2)).astype(np.float32)

    def loss(inputs):
        return 0.5 * float(np.square(networks.forward(inputs) - aim).sum(dtype=float))

    slope = networks.forward(x) - aim
    networks.backward(slope)
    gradient, by_input = networks._gradient.copy(), networks.to_inputs(slope).sum(axis=0)
    step, found = 3e-3, np.zeros_like(gradient)
    for i in range(len(gradient)):
        middle = networks.weights[i]
        ends = []
        for sign in (1.0, -1.0):
            networks.weights[i] = middle + sign * step
            ends.append(loss(x))
        networks.weights[i] = middle
        found[i] = (ends[0] - ends[1]) / (2 * step)
    # (Single ones cross the bend of a unit on the way)
    assert np.median(np.abs(found - gradient)) < 0.01 * np.abs(gradient).mean()
    assert np.corrcoef(found, gradient)[0, 1] > 0.999
    moved = np.zeros_like(x)
    for row, column in np.ndindex(x.shape):
        there, back = x.copy(), x.copy()
        there[row, column] += step
        back[row, column] -= step
        moved[row, column] = (loss(there) - loss(back)) / (2 * step)
    assert np.corrcoef(moved.ravel(), by_input.ravel())[0, 1] > 0.99


def test_networks_learn_a_function():
    rng = np.random.default_rng(1)
    networks = Networks(1, 2, 32, 1, rng)
    x = rng.uniform(-1.0, 1.0, (256, 2)).astype(np.float32)
    aim = (x[:, :1] * x[:, 1:]) - 0.5
    for _ in range(1000):
        networks.backward((networks.forward(x) - aim) / len(x))
        networks.descend(3e-3)
    assert np.square(networks.forward(x)[0] - aim).mean() < 0.02 * aim.var()


def test_new_units_change_nothing_that_networks_say():
    rng = np.random.default_rng(2)
    networks = Networks(2, 3, 8, 2, rng)
    felt = rng.normal(size=(6, 3)).astype(np.float32)
    other = felt[:, 2:]
    mean, spread = np.array([0.3, -1.0], np.float32), np.array([2.0, 0.5], np.float32)
    said = networks.forward(felt)
    # (In units `spread` about `mean`: what was the number x is (x - mean) / spread now)
    networks.move_inputs(spread, mean)
    networks.scale_outputs(0.25)
    moved = np.concatenate([(felt[:, :2] - mean) / spread, other], axis=1)
    assert networks.forward(moved) == pytest.approx(0.25 * said, abs=1e-5)


def fill(replay, steps, n, cut=(), fell=()):
    for t in range(steps):
        at = np.full((n, 1), t, np.float32)
        ends = np.full(n, t in fell), np.full(n, t in cut)
        replay.note(at, at, np.full(n, float(t)), *ends)


def test_stretches_never_run_over_a_cut_and_end_in_a_fall():
    replay = Replay(1, 1, 2, 100)
    fill(replay, 80, 2, cut=(60,), fell=(70,))  # (Of 50 rows: 30 to 79)
    drawn = replay.draw(5000, 3, 0.5, np.random.default_rng(0))
    begin, end = drawn.before[:, 0], drawn.after[:, 0]
    assert begin.min() == 30.0
    assert end.max() == 79.0
    assert not np.isin(begin, (58.0, 59.0, 60.0)).any()
    assert np.array_equal(end, begin + 3.0)
    falls = np.isin(begin, (68.0, 69.0, 70.0))
    assert np.array_equal(drawn.standing, ~falls)
    whole = begin + 0.5 * (begin + 1.0) + 0.25 * (begin + 2.0)
    assert drawn.earned[~falls] == pytest.approx(whole[~falls])
    assert drawn.earned[begin == 70.0] == pytest.approx(70.0)
    assert drawn.earned[begin == 69.0] == pytest.approx(69.0 + 35.0)


@pytest.mark.parametrize(("old", "new"), [(1, 3), (3, 1), (2, 2)])
def test_a_replay_goes_on_with_other_bodies(old, new):
    replay = Replay(1, 1, old, 60)
    fill(replay, 12, old)
    resized = replay.resized(new)
    assert len(resized) == 12 * old // new
    drawn = resized.draw(1000, 2, 1.0, np.random.default_rng(0))
    assert len(drawn.before)
    assert np.array_equal(drawn.after, drawn.before + 2.0)
    fill(resized, 3, new)
    drawn = resized.draw(1000, 2, 1.0, np.random.default_rng(0))
    assert np.array_equal(drawn.after, drawn.before + 2.0)


def test_what_rests_at_zero_much_of_the_time_is_not_heard():
    config = dataclasses.replace(CONFIG, first=50)
    residual = Residual(3, 1, 1, config, np.random.default_rng(0))
    residual.wait(1, True)
    rng, zero = np.random.default_rng(5), np.zeros(1)
    for t in range(200):
        channels = rng.normal(size=(1, 3)) * [1.0, 1.0, t % 2]
        residual.act(channels, zero, None, zero[None], np.arange(1))
        residual.learn(channels[:, 0], NO, NO, YES, NO, 50)
    seen = np.array([[0.3, -0.2, 0.0], [0.3, 0.4, 0.0], [0.3, -0.2, 1.0]])
    given = residual.act(seen, np.zeros(3), None, np.zeros((3, 1)), None)
    assert given[0] == pytest.approx(given[2], abs=1e-6)
    assert abs(given[0] - given[1]) > 1e-4


def live(residual, steps, best=0.3):
    """Live where a command pays the more the closer it is to `best`; the habit is at 0."""
    rng = np.random.default_rng(5)
    for _ in range(steps):
        channels = rng.normal(size=(1, 2))
        given = residual.act(channels, np.zeros(1), None, np.zeros((1, 1)), np.arange(1))
        reward = 1.0 - 4.0 * (given[:, 0] - best) ** 2
        residual.learn(reward, NO, NO, YES, NO, 50)


def performed(residual, habit=0.0):
    channels = np.random.default_rng(6).normal(size=(20, 2))
    steady = np.full((20, 1), habit)
    return residual.act(channels, np.zeros(20), None, steady, None)[:, 0]


def test_it_begins_as_the_habit_and_finds_what_pays():
    residual = Residual(2, 1, 1, CONFIG, np.random.default_rng(0))
    assert np.array_equal(performed(residual, 0.7), np.full(20, 0.7))
    live(residual, 101)
    assert performed(residual, 0.7) == pytest.approx(0.7, abs=0.05)
    assert not residual.trusted(residual.worth + 0.1)
    live(residual, 900)
    assert performed(residual).mean() == pytest.approx(0.3, abs=0.1)
    assert residual.trusted(0.5)
    assert not residual.trusted(1.0)
    assert not residual.trusted(None)
    far = Residual(2, 1, 1, CONFIG, np.random.default_rng(0))
    live(far, 500, best=1.0)
    assert performed(far).max() <= CONFIG.most


def test_a_fall_earns_nothing_more():
    residual = Residual(2, 1, 1, CONFIG, np.random.default_rng(0))
    for step in range(10):
        residual.act(np.zeros((1, 2)), np.zeros(1), None, np.zeros((1, 1)), np.arange(1))
        fell = YES if step == 9 else NO
        residual.learn(np.ones(1), fell, fell, YES, fell, 50)
    assert residual.tries == pytest.approx([10 / 50])


def test_it_goes_on_exactly_from_its_state_and_refuses_others():
    residual = Residual(2, 1, 1, CONFIG, np.random.default_rng(0))
    live(residual, 150)
    state = {key: np.array(value) for key, value in residual.state().items()}
    other = Residual(2, 1, 1, CONFIG, np.random.default_rng(9))
    other.check_state(state)
    other.load_state(state)
    for one in (residual, other):
        live(one, 50)
    for key, value in residual.state().items():
        assert np.array_equal(value, other.state()[key]), key
    for key, value in state.items():
        broken = {
            "missing": {k: v for k, v in state.items() if k != key},
            "shape": state | {key: np.zeros((3, 7, 2), value.dtype)},
            "type": state | {key: value.astype(np.float16)},
        }
        if value.dtype.kind == "f" and value.size:
            broken["nan"] = state | {key: np.full_like(value, np.nan)}
        for name, wrong in broken.items():
            with pytest.raises(StateError, match="residual"):
                other.check_state(wrong)
            assert name
    with pytest.raises(StateError, match="below what can be"):
        other.check_state(state | {"values.spread": -state["values.spread"]})


def test_units_follow_what_is_felt_and_earned():
    residual = Residual(2, 1, 1, CONFIG, np.random.default_rng(0))
    assert not residual.values.begun
    live(residual, 100)
    values, first = residual.values, residual.values.unit
    assert first > 0.0
    felt = np.concatenate([np.full((1, 2), 0.5), [[0.0, 1.0, 0.0, 0.0]]], axis=1)
    before = values.command(felt.astype(np.float32))
    live(residual, 95)
    assert values.unit == first
    values._find_units(residual.replay, len(residual.replay))
    assert values.unit != first
    once = values.command(felt.astype(np.float32))
    values._find_units(residual.replay, len(residual.replay))
    assert values.command(felt.astype(np.float32)) == pytest.approx(once, abs=1e-5)
    assert np.isfinite(before).all()


def test_success_makes_bolder_and_failure_meeker():
    residual = Residual(2, 1, 1, CONFIG, np.random.default_rng(0))

    def stretches(earned, n=1):
        before = residual.boldness
        for step in range(10 * n):
            residual.act(np.zeros((1, 2)), np.zeros(1), None, np.zeros((1, 1)), np.arange(1))
            over = YES if step % 10 == 9 else NO
            residual.learn(np.full(1, earned), NO, over, YES, NO, 10)
        return residual.boldness / before

    assert stretches(1.0, 10) == 1.0  # (Nothing is learnt yet: this is what the habit earns)
    assert stretches(1.5) > 1.0
    assert stretches(0.5) < 1.0
    assert stretches(-1.0, 8) < 0.4
    assert stretches(0.9, 5) < 1.0  # (More than is expected by now, and less than the habit)
    assert stretches(1.2, 5) > 1.0
    stretches(-1.0, 40)
    assert residual.boldness == pytest.approx(0.1)


def test_who_lies_or_has_practised_for_long_asks_to_be_put_back():
    residual = Residual(2, 1, 2, CONFIG, np.random.default_rng(0))
    none, one = np.zeros(2, bool), np.array([True, False])

    def step(lies, ended):
        residual.act(np.zeros((2, 2)), np.zeros(2), None, np.zeros((2, 1)), np.arange(2))
        residual.learn(np.ones(2), lies, ended, ~none, lies, 10)
        return residual.asks(10).tolist()

    assert step(none, none) == [False, False]
    assert step(one, none) == [True, False]
    assert step(none, one) == [False, False]
    for _ in range(5):
        assert step(none, none) == [False, False]
    assert step(none, none) == [False, True]


def crawler(seed=3, **changes):
    residual = dataclasses.replace(CONFIG, after=300, **changes)
    search = settings.SearchConfig(
        first=2, finalists=1, repeats=1, first_steps=20, bout_steps=20, periods=0.1, population=4
    )
    search = dataclasses.replace(search, trial_every=1, trial_steps=20, trials=1, patience=0)
    brain = settings.BrainConfig(residual=residual, search=search)
    return BrainAgent("BrainPolicy", "HalfCheetah-v5", seed=seed, brain=brain)


def test_a_crawler_refines_its_habit_and_resumes_exactly():
    whole = crawler().learn(1200)
    residual = whole.brain.crawling._life.residual
    assert residual.practises
    assert residual.replay.count > 200
    assert residual.values._updates > 0
    part, file = crawler().learn(1000), io.BytesIO()
    part.save(file)
    file.seek(0)
    again = BrainAgent.load(file, part.env, force_reset=False)
    again.learn(200, reset_num_timesteps=False)
    state, other = whole.brain.state(), again.brain.state()
    assert state.keys() == other.keys()
    assert "crawling.residual.values.actor.moments" in state
    for key, value in state.items():
        assert np.array_equal(value, other[key]), key
    assert whole.brain.summary()["residual_worth"] == residual.worth


def test_it_is_off_unless_it_is_asked_for():
    agent = BrainAgent("BrainPolicy", "HalfCheetah-v5", seed=3).learn(600)
    assert agent.brain.crawling._life.residual is None
    assert not any("residual" in key for key in agent.brain.state())
    other = crawler()
    with pytest.raises(StateError, match="residual"):
        agent.brain.load_state(other.learn(600).brain.state())
