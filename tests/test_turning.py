"""What turns a body is learnt from its turns, and makes a gait steer."""

import numpy as np
import pytest

from agent.config import GaitConfig
from agent.motor_programs.gait import Gait
from agent.motor_programs.turning import Turning

JOINTS = 4
PULL = np.array([0.03, -0.02, 0.0, 0.01, 0.0, 0.02, -0.01, 0.0])  # (rad a step, per shape)
WANTED = 0.01


def gait() -> Gait:
    ones = np.ones(JOINTS)
    return Gait(0.05, 0 * ones, 0.6 * ones, ones, GaitConfig())


def lived(noise: float, bouts: int = 150, drift: float = 0.004, seed: int = 0, n: int = 1):
    """Bouts of gaits around one that turns by itself, on bodies that PULL turns."""
    rng, g, turning = np.random.default_rng(seed), gait(), Turning(n, JOINTS)
    centre = g.draw(1, rng)[0]
    yes = np.ones(n, bool)
    for _ in range(bouts):
        x = centre + 0.15 * rng.normal(size=(n, len(centre)))
        error = rng.uniform(-1.5, 1.5, n)
        for _ in range(40):
            shape = g.shape(x, np.clip(error, -1.0, 1.0))
            turning.watch(drift + shape @ PULL + noise * rng.normal(size=n), error, yes)
        turning.end(np.arange(n), g, x, yes)
    return g, turning, centre


def turn(g: Gait, x: np.ndarray, error: float, drift: float = 0.004) -> float:
    return float(drift + g.shape(x[None], np.array([error]))[0] @ PULL)


def test_the_shape_of_a_gait_is_what_its_joints_do_on_average():
    g = gait()
    x, error = g.draw(3, np.random.default_rng(1)), np.array([0.0, 0.7, -1.0])
    rhythm = g.rhythm(x)
    posture = (rhythm.middle + error[:, None] * rhythm.lean) / 0.6
    stroke = (rhythm.amplitude + error[:, None] * rhythm.beat) / 0.6
    np.testing.assert_allclose(g.shape(x, error), np.hstack([posture, stroke]))


def test_a_gait_is_reshaped_as_asked_and_nothing_else_of_it_changes():
    g, rng = gait(), np.random.default_rng(2)
    x, always, per_error = g.draw(1, rng)[0], *rng.normal(size=(2, 2 * JOINTS))
    other = g.reshaped(x, always, per_error)
    for e in (-1.0, 0.0, 0.5):
        was, now = (g.shape(y[None], np.array([e]))[0] for y in (x, other))
        np.testing.assert_allclose(now - was, always + e * per_error, atol=1e-12)
    np.testing.assert_array_equal(other[:3], x[:3])
    np.testing.assert_array_equal(other[3:].reshape(5, -1)[2], x[3:].reshape(5, -1)[2])


@pytest.mark.parametrize("n", [1, 3])
def test_a_corrected_gait_turns_to_where_it_is_to_head_and_goes_straight_on(n):
    g, turning, centre = lived(noise=0.02, n=n)
    better = turning.corrected(g, centre, WANTED)
    answer = turn(g, better, 1.0) - turn(g, better, 0.0)
    assert answer == pytest.approx(WANTED, rel=0.3)
    own = turn(g, centre, 0.0)
    assert abs(own) > 0.004 and abs(turn(g, better, 0.0)) < 0.35 * abs(own)


def test_nothing_is_corrected_before_enough_is_known():
    g, turning, centre = lived(noise=0.0, bouts=59)
    assert turning.corrected(g, centre, WANTED) is None
    g, turning, centre = lived(noise=0.0, bouts=60)
    assert turning.corrected(g, centre, WANTED) is not None


def test_where_turns_are_chance_nothing_is_corrected():
    told = []
    for seed in range(10):
        g, turning, centre = lived(noise=2.0, seed=seed)
        told.append(turning.corrected(g, centre, WANTED) is not None)
    assert sum(told) <= 1


def test_a_body_that_never_turns_gets_no_advice():
    rng, g, turning = np.random.default_rng(0), gait(), Turning(1, JOINTS)
    for _ in range(100):
        for _ in range(40):
            turning.watch(np.zeros(1), np.zeros(1), np.ones(1, bool))
        turning.end(np.zeros(1, int), g, g.draw(1, rng), np.ones(1, bool))
    assert turning.corrected(g, g.draw(1, rng)[0], WANTED) is None


def test_changes_are_bounded():
    g, turning, centre = lived(noise=0.02)
    better = turning.corrected(g, centre, 10.0)
    for e, most in ((0.0, 0.3), (1.0, 0.8)):
        was, now = (g.shape(y[None], np.array([e]))[0] for y in (centre, better))
        assert np.abs(now - was).max() <= most + 1e-9


def test_bouts_that_were_short_or_are_not_to_be_learnt_from_are_passed_over():
    g, turning = gait(), Turning(2, JOINTS)
    x, both = g.draw(2, np.random.default_rng(0)), np.arange(2)
    for steps, told in ((29, [True, True]), (30, [False, True])):
        for _ in range(steps):
            turning.watch(np.array([0.1, 0.2]), np.zeros(2), np.ones(2, bool))
        turning.end(both, g, x, np.array(told))
    state = turning.state()
    np.testing.assert_allclose(state["turn"], [0.2])
    np.testing.assert_allclose(state["shape"], g.shape(x[1:], np.zeros(1)))


def test_only_steps_of_active_bodies_count():
    g, turning = gait(), Turning(1, JOINTS)
    for active in (True, False) * 30:
        turning.watch(np.array([0.1 if active else 9.0]), np.zeros(1), np.array([active]))
    turning.end(np.zeros(1, int), g, g.draw(1, np.random.default_rng(0)), np.ones(1, bool))
    np.testing.assert_allclose(turning.state()["turn"], [0.1])


def test_a_saved_state_gives_the_same_advice():
    g, turning, centre = lived(noise=0.02)
    other = Turning(1, JOINTS)
    other.load_state(turning.state())
    args = g, centre, WANTED
    np.testing.assert_array_equal(other.corrected(*args), turning.corrected(*args))
