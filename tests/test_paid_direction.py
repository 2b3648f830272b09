"""What moving in a direction of the world is paid is found, and what another would have been."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces

import envs  # noqa: F401  it registers the tasks
from agent.errors import StateError
from agent.heading import Heading
from agent.motor_programs.steering import Steering
from agent.paid_direction import PaidDirection, Pay
from agent.senses import Senses
from agent.thrift import Thrift
from policies import BrainAgent

# Channels: cosine and sine of the heading, one joint's angle and velocity, movement ahead and
# aside, and two that tell nothing.
COSINE, SINE, ANGLE, VELOCITY, AHEAD, ASIDE, NOISE, NOISE_TOO = range(8)
JOINTS = np.array([ANGLE, VELOCITY])
FACING = Heading(cosine=COSINE, sine=SINE, turns=1.0, sign=1.0, zero=0.0, wander=1.0)
BOX = spaces.Box(-np.inf, np.inf, (8,), np.float64)
MOTORS = spaces.Box(-1.0, 1.0, (2,), np.float32)


def steps(rng, n=600, turned=None, world=False):
    """Channels before and after n steps of a turning body, and its speeds along the world."""
    turned = rng.uniform(-np.pi, np.pi, n) if turned is None else turned
    before = rng.normal(size=(n, 8))
    before[:, COSINE], before[:, SINE] = np.cos(turned), np.sin(turned)
    ahead, aside = before[:, AHEAD].copy(), before[:, ASIDE].copy()
    speeds = np.stack(
        [
            np.cos(turned) * ahead - np.sin(turned) * aside,
            np.sin(turned) * ahead + np.cos(turned) * aside,
        ]
    )
    if world:
        before[:, AHEAD], before[:, ASIDE] = speeds
    return before, before.copy(), speeds


def found(before, after, reward, heading=FACING):
    paid = PaidDirection(8, stride=1)
    for row in range(len(reward)):
        paid.look(before[[row]], after[[row]], reward[[row]])
    assert paid.due
    return paid.find(heading, JOINTS), paid


@pytest.mark.parametrize("bearing", [0.0, 0.7, 3.0])
def test_what_is_paid_is_found_whatever_else_costs(bearing):
    rng = np.random.default_rng(0)
    before, after, (east, north) = steps(rng)
    way = np.cos(bearing) * east + np.sin(bearing) * north
    reward = 2.0 * way - 0.3 * before[:, VELOCITY] ** 2 + 0.2 * rng.normal(size=len(way)) + 1.0
    new, paid = found(before, after, reward)
    assert new and (paid.pay.ahead, paid.pay.aside) == (AHEAD, ASIDE)
    assert paid.pay.first == pytest.approx(2.0 * np.cos(bearing), abs=0.05)
    assert paid.pay.second == pytest.approx(2.0 * np.sin(bearing), abs=0.05)
    assert not paid.find(FACING, JOINTS)  # (It is not new any more)


def test_left_may_be_right_and_the_heading_may_grow_clockwise():
    before, _, (east, _) = steps(np.random.default_rng(1))
    for heading in (FACING, replace(FACING, sign=-1.0)):
        for swapped in (False, True):
            felt = before.copy()
            if swapped:
                felt[:, [AHEAD, ASIDE]] = felt[:, [ASIDE, AHEAD]]
            _, paid = found(felt, felt.copy(), east, heading)
            turned = heading.angle(felt)
            assert paid.pay.of(felt, felt, turned) == pytest.approx(east, abs=1e-6)
            # (Turned by a quarter, the body would move along the world's other axis)
            moved = paid.pay.of(felt, felt, turned + heading.sign * np.pi / 2)
            expected = -np.sin(FACING.angle(before)) * before[:, AHEAD]
            expected -= np.cos(FACING.angle(before)) * before[:, ASIDE]
            assert moved == pytest.approx(expected, abs=1e-6)


def test_nothing_is_found_where_movement_is_felt_along_the_world():
    before, after, (east, _) = steps(np.random.default_rng(2), world=True)
    new, paid = found(before, after, east)
    assert not new and paid.pay is None


def test_nothing_is_found_in_a_body_that_hardly_turns():
    rng = np.random.default_rng(3)
    before, after, (east, _) = steps(rng, turned=0.05 * rng.normal(size=600))
    new, paid = found(before, after, east + 0.3 * rng.normal(size=600))
    assert not new and paid.pay is None


def test_nothing_is_found_where_reward_has_nothing_to_do_with_it():
    rng = np.random.default_rng(4)
    before, after, _ = steps(rng)
    new, _ = found(before, after, rng.normal(size=600))
    assert not new


@pytest.mark.parametrize("n", [100, 400])
def test_many_numbers_that_tell_nothing_are_not_taken_for_movement(n):
    rng = np.random.default_rng(10)
    before, _, _ = steps(rng, n=n)
    before = np.hstack([before, rng.normal(size=(n, 85))])
    paid = PaidDirection(before.shape[1], stride=1)
    for row in range(n):
        paid.look(before[[row]], before[[row]], rng.normal(size=1))
    assert paid.due and not paid.find(FACING, JOINTS)


def test_it_is_not_looked_for_at_every_step():
    paid = PaidDirection(8, stride=5)
    before, after, (east, _) = steps(np.random.default_rng(5), n=1000)
    tries = 0
    for row in range(1000):
        paid.look(before[[row]], after[[row]], east[[row]])
        if paid.due:
            tries += 1
            paid.find(FACING, JOINTS)
    assert tries == 2  # (After 100 and 150 looks; the next one would come after 225)


def test_more_bodies_than_there_is_room_for_do_no_harm():
    paid = PaidDirection(8, capacity=50, stride=1, least_looks=50)
    before, after, (east, _) = steps(np.random.default_rng(6), n=600)
    paid.look(before, after, east)
    assert paid.due and paid.find(FACING, JOINTS)


def test_it_goes_on_exactly_where_it_stopped():
    before, after, (east, _) = steps(np.random.default_rng(7))
    _, paid = found(before, after, east)
    other = PaidDirection(8, stride=1)
    other.load_state({key: np.array(value) for key, value in paid.state().items()})
    assert other.pay == paid.pay and not other.due
    for part in (paid, other):
        part.look(before[:300], after[:300], -east[:300])
        part.find(FACING, JOINTS)
    assert other.pay == paid.pay


def steering(n=3):
    s = Steering(Senses(BOX, MOTORS), n, np.random.default_rng(0))
    s.heading, s._paid.pay = FACING, Pay(AHEAD, ASIDE, 1.0, 0.0)
    return s


def test_who_practises_is_paid_for_its_own_direction_and_who_does_not_for_the_worlds():
    s, bodies = steering(), np.arange(3)
    seen = np.zeros((3, 8))
    seen[:, COSINE], seen[:, AHEAD] = -1.0, 0.5  # (All face away from what is paid, and advance)
    s.choose(seen, bodies, np.array([True, True, False]))
    error = s.error(seen, bodies)
    assert (np.abs(error[:2]) <= 1.0).all() and abs(error[2]) == pytest.approx(np.pi)
    worth = s.paid(seen, seen, np.full(3, -0.5 - 0.1))  # (Effort costs 0.1)
    assert worth[:2] == pytest.approx(0.5 * np.cos(error[:2]) - 0.1)
    assert worth[2] == -0.6


def test_without_knowing_what_is_paid_nothing_is_practised():
    s, bodies = steering(), np.arange(3)
    s._paid.pay = None
    seen = np.zeros((3, 8))
    seen[:, COSINE] = 1.0
    s.choose(seen, bodies, np.ones(3, bool))
    assert s.heads_for_goal.all()
    reward = np.array([1.0, 2.0, 3.0])
    assert s.paid(seen, seen, reward) is reward


def test_practice_goes_on_exactly_where_it_stopped():
    s, other, bodies, rng = steering(), steering(), np.arange(3), np.random.default_rng(8)
    before, after, _ = steps(rng, n=3)
    s.choose(before, bodies, np.ones(3, bool))
    for _ in range(12):
        s.paid(before, after, rng.normal(size=3))
        s.begin(bodies[:2])
    other.load_state({key: np.array(value) for key, value in s.state().items()})
    reward = rng.normal(size=3)
    np.testing.assert_array_equal(s.paid(before, after, reward), other.paid(before, after, reward))


def bout(thrift, gained, cost, steps=4):
    for _ in range(steps):
        thrift.weigh(np.array([gained]), np.array([cost]))
    thrift.end(np.array([0]), np.array([True]))


def test_costs_count_no_more_than_what_they_buy():
    thrift, rng = Thrift(1), np.random.default_rng(9)
    for _ in range(9):
        bout(thrift, 0.1 * rng.normal(), -0.4 * rng.random())
    assert thrift.share == 1.0  # (Too few bouts)
    for _ in range(100):
        bout(thrift, 0.1 * rng.choice([-1, 1]), 0.4 * rng.choice([-1, 1]))
    assert thrift.share == pytest.approx(0.25, rel=0.05)
    assert thrift.weigh(np.array([1.0]), np.array([-2.0])) == pytest.approx(
        1.0 - 2.0 * thrift.share
    )
    for _ in range(100):
        bout(thrift, 0.4 * rng.choice([-1, 1]), 0.1 * rng.choice([-1, 1]))
    assert thrift.share == 1.0


def test_thrift_learns_from_practice_alone():
    thrift = Thrift(2)
    both = np.arange(2)
    for k in range(20):
        thrift.weigh(np.array([0.0, 1.0 * (k % 2)]), np.array([0.0, 5.0 * (k % 2)]))
        thrift.end(both, np.array([True, False]))
    assert thrift.share == 1.0  # (Of who practised, nothing differed)
    assert len(thrift._latest) == 20 and not thrift._latest.any()


@pytest.fixture(scope="module")
def crawler():
    # (Who begins every bout turned the same way does not need it, and would find it later.)
    brain = {"search": {"put_back": False}}
    return BrainAgent("BrainPolicy", "neonate/Crawl-v0", seed=1, brain=brain).learn(3000)


def test_the_crawler_finds_what_forward_is_paid(crawler):
    steering = crawler.brain.crawling.steering
    pay, parts = steering._paid.pay, crawler.get_env().get_attr("observation_parts")[0]
    velocity = np.arange(parts["velocity"].start, parts["velocity"].stop)
    assert (pay.ahead, pay.aside) == tuple(velocity[:2])
    assert np.hypot(pay.first, pay.second) == pytest.approx(1.0, abs=0.2)
    assert 0.0 < steering._thrift.share <= 1.0


def test_a_crawler_loaded_from_a_file_goes_on_the_same(crawler, tmp_path):
    crawler.save(tmp_path / "crawler")
    lives = [BrainAgent.load(tmp_path / "crawler", env="neonate/Crawl-v0") for _ in range(2)]
    for life in lives:
        life.get_env().seed(5)
    states = [life.learn(400, reset_num_timesteps=False).brain.state() for life in lives]
    assert states[0].keys() == states[1].keys()
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
    kept = crawler.brain.state()
    brain = {"search": {"put_back": False}}
    other = BrainAgent("BrainPolicy", "neonate/Crawl-v0", seed=2, brain=brain)
    other.brain.load_state({name: np.array(value) for name, value in kept.items()})
    for name, value in other.brain.state().items():
        np.testing.assert_array_equal(value, kept[name], err_msg=name)


@pytest.mark.parametrize(
    ("pay", "words"),
    [
        ([14.0, 15.0, 1.0], "expected"),
        ([14.0, 28.0, 1.0, 0.0], "channels"),
        ([-1.0, 15.0, 1.0, 0.0], "channels"),
        ([14.0, 15.0, np.nan, 0.0], "NaN"),
    ],
)
def test_a_damaged_pay_is_refused(crawler, pay, words):
    state = crawler.brain.state()
    damaged = state | {"crawling.steering.paid.pay": np.array(pay)}
    with pytest.raises(StateError, match=words):
        BrainAgent("BrainPolicy", "neonate/Crawl-v0").brain.load_state(damaged)
