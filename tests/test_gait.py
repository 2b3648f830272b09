"""Gaits and the spinal rhythm, by their equations."""

import numpy as np
import pytest

from agent.config import GaitConfig
from agent.motor_programs.gait import Gait
from agent.spinal_cord import PatternGenerator, Rhythm

STEP, JOINTS = 0.05, 3
REST, HALF, GAIN = np.array([0.1, -0.5, 1.0]), np.array([0.6, 0.4, 1.2]), np.array([4.0, 2.0, -3.0])


def make() -> Gait:
    return Gait(STEP, REST, HALF, GAIN, GaitConfig())


def wanted(rhythm: Rhythm, phase: float, error: float | None) -> np.ndarray:
    n = len(rhythm.advance)
    heading = None if error is None else np.full(n, error)
    return PatternGenerator.posture(rhythm, np.full(n, phase), heading)


def test_first_gaits_span_the_frequencies_and_stay_in_range():
    gait, c = make(), GaitConfig()
    x = gait.draw(400, np.random.default_rng(0))
    assert x.shape == (400, gait.n_parameters)
    hertz = np.array([1 / (gait.period(row) * STEP) for row in x])
    assert c.slowest <= hertz.min() < 1.1 * c.slowest and 0.9 * c.fastest < hertz.max() <= c.fastest
    assert 0.4 < np.mean(hertz < np.sqrt(c.slowest * c.fastest)) < 0.6
    strokes = np.abs(gait.rhythm(x).amplitude) / HALF
    assert strokes.max() <= c.first_amplitude


def test_the_rhythm_repeats_after_its_period():
    gait = make()
    x = gait.draw(1, np.random.default_rng(1))
    rhythm = gait.rhythm(x)
    turns = rhythm.advance[0] * gait.period(x[0])
    assert turns == pytest.approx(2 * np.pi)
    assert np.allclose(wanted(rhythm, 0.3, 0.2), wanted(rhythm, 0.3 + turns, 0.2))
    assert not np.allclose(wanted(rhythm, 0.3, 0.2), wanted(rhythm, 0.3 + turns / 2, 0.2))


def test_a_body_at_rest_does_not_move_without_a_stroke():
    gait = make()
    rhythm = gait.rhythm(np.zeros((1, gait.n_parameters)))
    posture = wanted(rhythm, 0.7, 0.9)
    assert np.allclose(posture, REST)
    command = PatternGenerator.follow(rhythm, posture, REST[None], np.zeros((1, JOINTS)))
    assert np.allclose(command, 0.0)


def test_each_body_has_its_own_gait():
    gait = make()
    x = gait.draw(4, np.random.default_rng(2))
    together = wanted(gait.rhythm(x), 1.1, -0.4)
    alone = [wanted(gait.rhythm(x[i : i + 1]), 1.1, -0.4)[0] for i in range(4)]
    assert np.allclose(together, alone)
    rhythm = gait.rhythm(x)
    rhythm.put(np.array([2]), gait.rhythm(x[:1]))
    changed = wanted(rhythm, 1.1, -0.4)
    assert np.allclose(changed[2], together[0]) and np.allclose(
        changed[[0, 1, 3]], alone[:2] + alone[3:]
    )


def test_the_heading_error_changes_stroke_and_posture_up_to_one_radian():
    gait = make()
    rhythm = gait.rhythm(gait.draw(1, np.random.default_rng(3)))
    straight = wanted(rhythm, 0.5, 0.0)
    assert np.allclose(straight, wanted(rhythm, 0.5, None))
    bent = wanted(rhythm, 0.5, 0.5) - straight
    assert np.abs(bent).max() > 0.01
    assert np.allclose(wanted(rhythm, 0.5, 1.0) - straight, 2 * bent)
    assert np.allclose(wanted(rhythm, 0.5, 3.0), wanted(rhythm, 0.5, 1.0))


def test_the_reflex_brings_joints_of_either_sign_to_the_wanted_angle():
    gait = make()
    rhythm = gait.rhythm(np.zeros((1, gait.n_parameters)))
    angle, velocity = REST[None] + np.array([[0.3, -0.3, 0.3]]), np.zeros((1, JOINTS))
    for _ in range(200):
        command = PatternGenerator.follow(rhythm, REST[None], angle, velocity)
        velocity = velocity + GAIN * np.clip(command, -1, 1)
        angle = angle + STEP * velocity
    assert np.abs(angle - REST).max() < 0.01


def test_some_bodies_rhythms_can_be_taken_out():
    rhythm = make().rhythm(make().draw(4, np.random.default_rng(5)))
    some = rhythm.take(np.array([3, 1]))
    assert np.allclose(wanted(some, 0.4, 0.2), wanted(rhythm, 0.4, 0.2)[[3, 1]])
