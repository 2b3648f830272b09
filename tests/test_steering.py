"""Steering: bodies practise directions of their own, and head for their goals otherwise."""

import numpy as np
import pytest
from gymnasium import spaces

from agent.heading import Heading
from agent.motor_programs.steering import Steering
from agent.nearness import Nearness
from agent.senses import Senses


def box(n: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (n,), np.float64)


GOALS = spaces.Dict({"observation": box(3), "achieved_goal": box(2), "desired_goal": box(2)})
MOTORS = spaces.Box(-1.0, 1.0, (2,), np.float32)
N = 4


def steering(goals: bool = True) -> Steering:
    s = Steering(Senses(GOALS if goals else box(3), MOTORS), N, np.random.default_rng(0))
    s.heading = Heading(cosine=-1, sine=0, turns=1.0, sign=1.0, zero=0.0, wander=1.0)
    return s


def channels(s: Steering, angle: float, place=(0.0, 0.0), goal=(0.0, 0.0)) -> np.ndarray:
    seen = np.zeros((N, 7 if s.to_goals else 3))
    seen[:, 0] = angle
    if s.to_goals:
        seen[:, s._place], seen[:, s._goal] = place, goal
    return seen


def test_without_practice_the_error_is_the_turn_to_the_goal_or_to_where_episodes_begin():
    s = steering()
    error = s.error(channels(s, 0.5, goal=(0.0, 2.0)))
    assert error == pytest.approx(np.pi / 2 - 0.5)
    flat = steering(goals=False)
    assert flat.error(channels(flat, 0.5)) == pytest.approx(-0.5)


def test_who_practises_heads_to_a_side_and_who_does_not_for_the_goal():
    s, bodies = steering(), np.arange(N)
    seen = channels(s, 0.5, goal=(0.0, 2.0))
    practising = np.array([True, True, True, False])
    s.choose(seen, bodies, practising)
    error = s.error(seen, bodies)
    assert ((np.abs(error[:3]) >= 0.3) & (np.abs(error[:3]) <= 1.5)).all()
    assert error[3] == pytest.approx(np.pi / 2 - 0.5)
    s.choose(seen, bodies, practising)
    assert s.error(seen, bodies) == pytest.approx(error)  # (Until the next bout)
    s.begin(bodies)
    s.choose(seen, bodies, practising)
    assert (s.error(seen, bodies)[:3] != error[:3]).all()
    s.begin(bodies)
    s.choose(seen, bodies, ~practising)
    assert s.error(seen, bodies)[:3] == pytest.approx(np.pi / 2 - 0.5)


def test_way_is_made_towards_where_the_body_heads():
    s, bodies = steering(), np.arange(N)
    before = channels(s, 0.0, goal=(3.0, 0.0))
    s.choose(before, bodies, np.array([True, True, False, False]))
    error = s.error(before, bodies)
    after = channels(s, 0.0, place=(0.1, 0.0), goal=(3.0, 0.0))
    way, distance = s.approach(before, after, np.tile([3.0, 0.0], (N, 1)))
    assert way == pytest.approx(0.1 * np.cos(error))
    assert distance == pytest.approx(2.9)
    way, distance = s.approach(before, after, np.tile([0.0, 3.0], (N, 1)))
    assert way[2:] == pytest.approx(3.0 - np.hypot(3.0, 0.1))  # (A subgoal, to the side)
    assert distance == pytest.approx(2.9)
    aside = s.error(before, None, None, np.tile([0.0, 3.0], (N, 1)))
    assert aside == pytest.approx(np.pi / 2)


def test_nothing_is_practised_where_there_is_no_goal_or_no_heading():
    flat, seen = steering(goals=False), np.zeros((N, 3))
    flat.choose(seen, np.arange(N), np.ones(N, bool))
    assert flat.error(seen, np.arange(N)) == pytest.approx(0.0)
    blind = steering()
    blind.heading = None
    blind.choose(channels(blind, 0.0), np.arange(N), np.ones(N, bool))
    assert blind.error(channels(blind, 0.0)) is None


def test_it_goes_on_exactly_where_it_stopped():
    s, other, bodies = steering(), steering(), np.arange(N)
    seen = channels(s, 0.3, goal=(1.0, 1.0))
    s.choose(seen, bodies, np.array([True, False, True, False]))
    other.load_state({key: np.array(value) for key, value in s.state().items()})
    assert other.error(seen, bodies) == pytest.approx(s.error(seen, bodies))
    assert other.heading == s.heading


def test_an_early_end_is_harm_only_where_the_reward_says_so():
    nearness = Nearness(300)
    for reward in (-2.0, -3.0, -4.0):
        nearness.worth(np.full(N, reward), np.zeros(N), np.full(N, -reward))
    rewards = np.array([-0.4, -4.5, -10.0, 5.0])
    np.testing.assert_array_equal(nearness.hurts(rewards), [False, False, True, False])


def test_a_step_is_worth_the_way_at_the_price_of_being_away():
    nearness = Nearness(300)
    distance = np.linspace(1.0, 3.0, 200)
    for d in distance:
        worth = nearness.worth(np.array([0.5 - 2.0 * d]), np.array([0.01]), np.array([d]))
    # (Being near pays 2 per m and step; what else there is pays 0.5)
    assert worth == pytest.approx(2.0 * 300 * 0.01 + 0.5, rel=0.02)


def test_where_nearness_does_not_pay_a_step_is_worth_its_way():
    nearness = Nearness(300)
    for d in np.linspace(8.0, 0.0, 500):
        worth = nearness.worth(np.array([float(d < 0.01)]), np.array([0.01]), np.array([d]))
        if d > 0.01:
            assert worth == pytest.approx(300 * 0.01)
    assert worth == pytest.approx(300 * 0.01 + 1.0)


def test_who_practises_among_walls_practises_where_there_is_room():
    s, bodies, bearings = steering(), np.arange(N), []
    seen = channels(s, 0.0)

    def room(rows, bearing):  # (Free to the left alone)
        assert len(rows) == len(bearing) == N
        bearings.append(bearing)
        return np.sin(bearing)

    s.choose(seen, bodies, np.ones(N, bool))
    s.watch(seen, channels(s, 0.0, place=(3.0, 4.0)))  # (A bout of 5 m: more than there is room)
    s.begin(bodies)
    s._rng = np.random.default_rng(2)
    s.choose(seen, bodies, np.ones(N, bool), room)
    (drawn,) = bearings
    assert drawn.shape[1] > 1
    np.testing.assert_allclose(s.practised(bodies), drawn.max(axis=1))
    assert (s.practised(bodies) > 0.3).all()

    held, rows = s.practised(bodies).copy(), np.array([0, 2])
    turned = s.reconsider(seen, bodies, rows, lambda rows, bearing: -np.sin(bearing))
    assert turned.tolist() == [0, 2]  # (Free to the right alone)
    assert (s.practised(turned) < -0.3).all()
    assert s.practised(bodies)[[1, 3]] == pytest.approx(held[[1, 3]])
    held = s.practised(bodies).copy()
    none = s.reconsider(seen, bodies, rows, lambda rows, bearing: np.zeros(bearing.shape))
    assert not len(none) and s.practised(bodies) == pytest.approx(held)


def test_more_room_than_a_bout_takes_is_worth_nothing():
    s, bodies, bearings = steering(), np.arange(N), []
    seen, free = channels(s, 0.0), np.tile([0.1, 0.7, 9.0, 1.0, 0.1, 0.1, 3.0, 0.1], (N, 1))

    def room(rows, bearing):
        bearings.append(bearing)
        return free

    for enough, first in ((0.0, 0), (0.6, 1), (2.1, 2), (17.0, 2)):
        s.begin(bodies)
        s.choose(seen, bodies, np.ones(N, bool), room, enough)
        assert s.practised(bodies) == pytest.approx(bearings[-1][:, first])


def test_a_bout_asks_for_more_room_than_bouts_usually_take():
    s, bodies = steering(), np.arange(N)
    seen = channels(s, 0.0)
    assert s.range == 0.0
    for _ in range(2):
        s.begin(bodies)
        s.choose(seen, bodies, np.ones(N, bool))
        s.watch(seen, channels(s, 0.0, place=(0.6, 0.8)))
    assert s.range == pytest.approx(1.5)
    other = steering()
    other.load_state(s.state())
    s.begin(bodies)
    other.begin(bodies)
    for one in (s, other):
        one.watch(seen, channels(s, 0.0, place=(3.0, 4.0)))
        one.choose(seen, bodies, np.ones(N, bool))
    assert 1.5 < s.range == other.range


def test_while_nearness_is_not_told_from_harm_it_is_worth_the_distance():
    nearness = Nearness(300)
    for d, r in ((1.0, -50.0), (2.0, -20.0), (3.0, -10.0)):  # (Worse where it is nearer)
        worth = nearness.worth(np.array([r]), np.array([0.01]), np.array([d]))
    assert worth == pytest.approx(300 * 0.01 - 10.0 + 3.0)
