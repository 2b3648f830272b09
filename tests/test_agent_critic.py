"""The critic tells good conditions from bad ones, and credits whoever brought them about."""

import numpy as np
import pytest

from agent.config import CriticConfig
from agent.critic import Critic

CONFIG = CriticConfig(stretch=5, horizon=100, memory=600, fit_every=50)
JOINTS = np.array([1])


def live(critic: Critic, steps: int, rng: np.random.Generator, n: int = 2) -> None:
    """Bodies whose channel 0 wanders slowly and pays, 1 is a joint's, 2 is noise."""
    state = rng.normal(size=(n, 3))
    error = np.zeros(n)
    no = np.zeros(n, bool)
    for _ in range(steps):
        after = state.copy()
        after[:, 0] = 0.98 * state[:, 0] + 0.2 * rng.normal(size=n)
        after[:, 1], after[:, 2] = after[:, 0], rng.normal(size=n)
        turned = np.clip(error + 0.1 * rng.normal(size=n), -2.0, 2.0)
        reward = after[:, 0] + np.cos(turned)
        critic.feel(state, error, reward, after, turned, no, no, ~no)
        if critic.due:
            critic.fit(JOINTS)
        state, error = after, turned


def test_it_finds_what_is_slow_and_what_it_is_worth():
    critic = Critic(3, 2, CONFIG)
    live(critic, 2000, np.random.default_rng(0))
    assert critic.slow.tolist() == [0]  # (1 is slow too, but a joint's)
    places, straight = np.zeros((3, 3)), np.zeros(3)
    places[:, 0] = -1.0, 0.0, 1.0
    assert (np.diff(critic.value(places, straight)) > 1.0).all()
    here = np.zeros((3, 3))
    value = critic.value(here, np.array([0.0, 1.0, 2.0]))
    assert (np.diff(value) < -0.5).all()


def test_whoever_brings_a_better_condition_about_is_credited_once():
    critic, no = Critic(3, 2, CONFIG), np.zeros(2, bool)
    live(critic, 2000, np.random.default_rng(1))
    both, straight = np.arange(2), np.zeros(2)
    low, high = np.zeros((2, 3)), np.zeros((2, 3))
    low[:, 0], high[:, 0] = -1.0, [1.0, -1.0]
    critic.credit(both, low, straight, no)
    critic.feel(low, straight, straight, high, straight, no, no, ~no)
    rise = critic.credit(both, high, straight, no)
    assert rise[0] > 1.0
    assert rise[1] == pytest.approx(0.0)
    assert critic.credit(both, high, straight, no) == pytest.approx(0.0)


def test_being_put_elsewhere_is_nobodys_merit_and_a_fall_is():
    critic, no = Critic(3, 2, CONFIG), np.zeros(2, bool)
    live(critic, 2000, np.random.default_rng(2))
    both, straight = np.arange(2), np.zeros(2)
    low, high = np.zeros((2, 3)), np.zeros((2, 3))
    low[:, 0], high[:, 0] = 0.0, 1.0
    critic.credit(both, low, straight, no)
    fell = np.array([False, True])
    critic.feel(low, straight, straight, low, straight, fell, ~no, ~no)
    critic.feel(high, straight, straight, high, straight, no, no, ~no)
    rise = critic.credit(both, high, straight, no)
    assert rise[0] == pytest.approx(0.0)
    assert rise[1] < -1.0


def test_it_says_nothing_before_it_has_seen_enough_or_when_it_is_gone():
    for critic in (Critic(3, 2, CONFIG), Critic(3, 2, CONFIG, lesioned=True)):
        live(critic, 40 if critic is not None and not critic._lesioned else 2000, _rng())
        assert not len(critic.weights)
        no = np.zeros(2, bool)
        assert not critic.credit(np.arange(2), np.ones((2, 3)), np.ones(2), no).any()


def _rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("stop", [3, 203, 1001])
def test_it_goes_on_exactly_where_it_stopped(stop):
    critic, other = Critic(3, 2, CONFIG), Critic(3, 2, CONFIG)
    live(critic, stop, np.random.default_rng(4))
    other.load_state({key: value.copy() for key, value in critic.state().items()})
    for one in (critic, other):
        live(one, 300, np.random.default_rng(5))
    for key, value in critic.state().items():
        assert np.array_equal(value, other.state()[key]), key
