"""Amygdala: fear of falling, and freezing."""

import numpy as np
import pytest

from agent.amygdala import Amygdala
from agent.config import AmygdalaConfig
from agent.errors import StateError

CONFIG = AmygdalaConfig(mixtures=30, remembered=400)
CHANNELS = np.array([0, 2, 3])
NO = np.zeros(1, bool)


def make(lesioned: bool = False, n: int = 1, seed: int = 0) -> Amygdala:
    return Amygdala(CHANNELS, n, CONFIG, np.random.default_rng(seed), lesioned)


class Walker:
    """A body whose number 2 rises for 15 steps before it falls; number 1 is a place."""

    def __init__(self, seed: int):
        self.rng, self.until = np.random.default_rng(seed), 60

    def step(self) -> tuple[np.ndarray, bool]:
        """Return what is felt (1, 4), and whether the body falls now."""
        self.until -= 1
        rise = max(0.0, 15.0 - self.until) / 15.0
        felt = self.rng.normal(0.0, 0.1, 4)
        felt[1] = 1e3 * self.rng.random()
        felt[2] += rise
        fell = self.until == 0
        if fell:
            self.until = int(self.rng.integers(100, 300))
        return felt[None], fell


def live(amygdala: Amygdala, walker: Walker, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Fear of every step, and steps to the fall."""
    fear, falls = np.zeros(steps), np.zeros(steps, bool)
    for t in range(steps):
        felt, fell = walker.step()
        fear[t], falls[t] = amygdala.fear(felt)[0], fell
        amygdala.learn(felt, np.array([fell]), np.array([fell]), ~NO)
    ahead, to_fall = steps, np.zeros(steps)
    for t in range(steps - 1, -1, -1):
        ahead = 0 if falls[t] else ahead + 1
        to_fall[t] = ahead
    return fear, to_fall


def test_it_fears_what_has_gone_before_falls_and_as_much_as_they_are_near():
    amygdala, walker = make(), Walker(1)
    live(amygdala, walker, 6000)
    fear, ahead = live(amygdala, walker, 4000)
    assert fear[ahead < 3].mean() > 0.6
    assert fear[(ahead >= 6) & (ahead < 9)].mean() > 0.3
    assert np.abs(fear[ahead > 40]).mean() < 0.1
    assert (fear[ahead < 3] > CONFIG.threshold).mean() > 0.95
    assert (fear[ahead > 30] > CONFIG.threshold).mean() < 0.05


def test_nothing_is_feared_before_there_were_falls_or_without_it():
    for amygdala, steps in ((make(), 200), (make(lesioned=True), 3000)):
        live(amygdala, Walker(1), steps)
        assert not amygdala.knows
        assert amygdala.fear(np.ones((2, 4))).tolist() == [0.0, 0.0]


def test_it_is_surprised_less_and_less_by_falls():
    amygdala, walker, errors = make(), Walker(2), []
    for _ in range(9000):
        felt, fell = walker.step()
        amygdala.learn(felt, np.array([fell]), np.array([fell]), ~NO)
        if fell:
            errors.append(amygdala.error[0])
        else:
            assert amygdala.error[0] == 0.0
    assert errors[0] == 1.0
    assert np.abs(errors[-10:]).mean() < 0.4


def bodies(n):
    """Working memory of n bodies that have not been afraid yet."""
    return {name: np.zeros(n, np.int64) for name in ("frozen", "borne")}


def test_the_body_freezes_while_afraid_and_some_steps_longer():
    amygdala = make()
    live(amygdala, Walker(1), 6000)
    memory, calm = bodies(2), np.zeros((2, 4))
    danger = calm.copy()
    danger[1, 2] = 1.0
    fear = amygdala.freeze(memory, danger, 0.0)
    assert memory["frozen"].tolist() == [0, CONFIG.freeze]
    assert fear[1] > CONFIG.threshold > fear[0]
    for expected in [*range(CONFIG.freeze - 1, -1, -1), 0]:
        amygdala.freeze(memory, calm, 0.0)
        assert memory["frozen"].tolist() == [0, expected]


def test_fear_that_no_fall_follows_is_given_up_until_it_has_been_gone():
    amygdala = make()
    live(amygdala, Walker(1), 6000)
    memory, calm, danger = bodies(1), np.zeros((1, 4)), np.zeros((1, 4))
    danger[0, 2] = 1.0

    def frozen(felt, steps):
        still = 0
        for _ in range(steps):
            amygdala.freeze(memory, felt, 0.0)
            still += int(memory["frozen"][0] > 0)
        return still

    foretold = CONFIG.horizon
    assert frozen(danger, 10 * foretold) == foretold + CONFIG.freeze - 1
    assert frozen(calm, foretold - 1) == frozen(danger, 5) == 0
    frozen(calm, 2 * foretold)
    assert frozen(danger, foretold) == foretold


def test_less_fear_is_enough_where_bodies_lie_long_after_falls():
    amygdala = make()
    live(amygdala, Walker(1), 6000)
    felt, frozen = np.zeros((60, 4)), []
    felt[:, 2] = np.linspace(0.0, 1.0, 60)
    for lying in (0.0, 1.0, 150.0, 300.0, 600.0):
        memory = bodies(60)
        amygdala.freeze(memory, felt, lying)
        frozen.append(int((memory["frozen"] > 0).sum()))
    assert frozen[0] == frozen[1] > 0  # (Never more daring than where nothing is known)
    assert frozen[1] < frozen[2] < frozen[3] < frozen[4] < 60


def test_episodes_that_end_otherwise_are_no_threat():
    amygdala, walker = make(), Walker(1)
    for _ in range(3000):
        felt, ended = walker.step()
        amygdala.learn(felt, NO, np.array([ended]), ~NO)
    assert amygdala.falls == 0
    assert not amygdala.knows


def test_what_other_programs_did_is_not_remembered():
    amygdala = make()
    for fell in (False, False, True):
        amygdala.learn(np.ones((1, 4)), np.array([fell]), np.array([fell]), NO)
    assert amygdala.falls == 0


@pytest.mark.parametrize("stop", [37, 700])
def test_it_goes_on_exactly_where_it_stopped(stop):
    whole, walker = make(), Walker(4)
    live(whole, walker, stop)
    other, twin = make(seed=5), Walker(4)
    other.load_state(whole.state())
    live(make(), twin, stop)
    one, _ = live(whole, walker, 800)
    two, _ = live(other, twin, 800)
    assert (one == two).all()
    assert all((whole.state()[k] == v).all() for k, v in other.state().items())


def test_other_numbers_of_bodies_may_follow():
    amygdala, walker = make(), Walker(1)
    live(amygdala, walker, 3000)
    before = amygdala.fear(np.ones((1, 4)))
    amygdala.resize(3)
    felt = np.ones((3, 4))
    amygdala.learn(felt, np.array([True, False, False]), np.array([True, False, False]), ~NO)
    assert amygdala.error.shape == (3,)
    assert amygdala.fear(np.ones((1, 4))) == before
    amygdala.resize(1)
    kept = amygdala.state()["counts"][1]
    live(amygdala, walker, 500)  # (Fewer steps than were lived before)
    assert amygdala.state()["counts"][1] > kept


def test_weights_that_do_not_fit_are_refused():
    amygdala = make()
    live(amygdala, Walker(1), 3000)
    state = amygdala.state()
    amygdala.check_state(state)
    with pytest.raises(StateError, match=r"amygdala\.weights"):
        amygdala.check_state({**state, "weights": state["weights"][:-1]})
    with pytest.raises(StateError, match="NaN"):
        amygdala.check_state({**state, "weights": state["weights"] * np.nan})
    with pytest.raises(StateError, match="counts"):
        amygdala.check_state({**state, "counts": -state["counts"]})
