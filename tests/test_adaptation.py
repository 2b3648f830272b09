"""Visuomotor adaptation: the map, its two rates, its memory for errors."""

from types import SimpleNamespace

import numpy as np
import pytest

from agent.adaptation import VisuomotorMap, apply_turn, turn_from
from agent.config import HUMAN_ADAPTATION, AdaptationConfig, BrainConfig
from agent.motor_programs.guidance import Guidance
from agent.percept import Percept
from agent.strategy import AimingStrategy
from agent.working_memory import new_memory
from scripts.adaptation_measures import first_crossing, human_curve

EAST, NORTH = np.array([0.1, 0.0]), np.array([0.0, 0.1])


def rotated(degrees):
    return np.array([0.0, 0.0, 0.0, np.radians(degrees)])


def learn(adaptation, degrees, way=EAST, trials=80):
    """Corrections, in degrees, of one trial after the other under a rotation."""
    corrections = []
    for _ in range(trials):
        turn = adaptation.turn(way[None])[0]
        corrections.append(-np.degrees(turn[3]))
        adaptation.learn(way, rotated(degrees) + turn, 1.0)
    return np.array(corrections)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_turn_takes_one_way_to_the_other(d):
    rng = np.random.default_rng(d)
    start, to = rng.normal(size=(2, 20, d))
    if d == 1:
        to = np.abs(to) * np.sign(start)
    turn = turn_from(start, to)
    np.testing.assert_allclose(apply_turn(start, turn), to, atol=1e-9)
    np.testing.assert_allclose(apply_turn(to, -turn), start, atol=1e-9)


def test_no_way_has_no_direction():
    assert not turn_from(np.zeros((1, 2)), EAST[None]).any()


def test_two_rates_are_those_of_people():
    config = AdaptationConfig(0.63, 0.33, 1.0, 0.056, width=22.0, error_memory=0.0)
    np.testing.assert_allclose(learn(VisuomotorMap(config), 30) / 30, human_curve(80), atol=1e-9)


def test_the_human_setting_is_near_people():
    off = learn(VisuomotorMap(HUMAN_ADAPTATION), 30) - 30 * human_curve(80)
    assert np.sqrt((off**2).mean()) < 2.8


def test_savings_need_the_error_memory():
    quicker = {}
    for lesions in ((), ("error_memory",)):
        adaptation = VisuomotorMap(HUMAN_ADAPTATION, lesions)
        first = learn(adaptation, 30)
        washout = learn(adaptation, 0, trials=200)
        assert abs(washout[-1]) < 1.0
        again = first_crossing(learn(adaptation, 30) / 30, 0.8)
        quicker[lesions] = again / first_crossing(first / 30, 0.8)
    assert quicker[()] <= 0.8
    assert quicker["error_memory",] > 0.95


def test_an_error_memory_that_is_lesioned_later_is_silent():
    practised, lesioned = (VisuomotorMap(HUMAN_ADAPTATION, x) for x in ((), ("error_memory",)))
    learn(practised, 30)
    state = practised.state()
    assert state["memory"].any()
    lesioned.load_state(state | {"fast": np.zeros(4), "slow": np.zeros_like(state["slow"])})
    newborn = VisuomotorMap(HUMAN_ADAPTATION, ("error_memory",))
    np.testing.assert_array_equal(learn(lesioned, 30), learn(newborn, 30))


def test_memory_rebounds_when_errors_are_clamped():
    adaptation = VisuomotorMap(HUMAN_ADAPTATION)
    learn(adaptation, 30)
    learn(adaptation, -30, trials=8)
    assert -np.degrees(adaptation.turn(EAST[None])[0, 3]) < 0
    for _ in range(15):
        adaptation.learn(EAST, np.zeros(4), 1.0)
    assert 6.0 < -np.degrees(adaptation.turn(EAST[None])[0, 3]) < 18.0


def test_people_generalise_locally_and_the_default_everywhere():
    for config, far in ((HUMAN_ADAPTATION, (0.0, 0.1)), (AdaptationConfig(), (0.9, 1.1))):
        adaptation = VisuomotorMap(config)
        near = learn(adaptation, 30)[-1]
        there = -np.degrees(adaptation.turn(NORTH[None])[0, 3]) / near
        assert far[0] <= there <= far[1]


@pytest.mark.parametrize("lesion", ["cerebellum", "adaptation"])
def test_without_the_map_nothing_adapts(lesion):
    adaptation = VisuomotorMap(AdaptationConfig(), (lesion,))
    assert not learn(adaptation, 30).any()


def test_a_stretch_is_learnt_apart_from_turns():
    adaptation = VisuomotorMap(AdaptationConfig())
    for _ in range(80):
        turn = adaptation.turn(EAST[None])[0]
        adaptation.learn(EAST, np.array([np.log(0.7), 0, 0, 0]) + turn, 1.0)
    turn = adaptation.turn(NORTH[None])[0]
    assert turn[0] == pytest.approx(-np.log(0.7), rel=0.02) and not turn[1:].any()


def test_what_is_learnt_is_saved():
    adaptation, other = VisuomotorMap(HUMAN_ADAPTATION), VisuomotorMap(HUMAN_ADAPTATION)
    learn(adaptation, 30, trials=9)
    other.load_state(adaptation.state())
    np.testing.assert_array_equal(learn(adaptation, 20), learn(other, 20))


def test_bodies_that_end_at_once_teach_the_map_no_more_than_it_lacks():
    n, trials, turned = 32, 12, rotated(30)
    config = BrainConfig()
    schema = SimpleNamespace(spread=0.1, expected=lambda percept: percept.angle)
    map_ = VisuomotorMap(config.adaptation)
    strategy = AimingStrategy(config.adaptation)
    guidance = Guidance(schema, map_, strategy, config, np.random.default_rng(0))
    ways = np.tile(EAST, (n, 1))
    lacking = []
    for _ in range(trials):
        memory = new_memory(n, 2, 6, 10)
        memory["felt"][:], memory["way"][:, :2] = True, ways
        memory["turn"] = map_.turn(ways)
        hand = apply_turn(ways, memory["turn"])
        seen = apply_turn(hand, np.tile(turned, (n, 1)))
        after = Percept(hand, np.zeros((n, 2)), seen, np.zeros((n, 0)), ways)
        guidance.learn(memory, after, np.ones(n, bool))
        lacking.append(30 + np.degrees(map_.turn(EAST[None])[0, 3]))
    assert np.abs(lacking).max() < 30 and abs(lacking[-1]) < 2
