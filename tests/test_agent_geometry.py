"""Kinematic chain: its slopes are true, and its fit recovers a body from what was seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_agent_bodies import goal_senses, simulate_babbling

from agent.body_schema import BodySchema
from agent.config import SchemaConfig
from agent.kinematic_chain import KinematicChain

SHAPES = [(1, 1, 0), (2, 2, 0), (2, 2, 2), (3, 3, 1), (7, 3, 0), (7, 3, 3)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
QUICK = settings(max_examples=5, deadline=None, derandomize=True)


def random_chain(shape, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    chain = KinematicChain(*shape)
    chain.randomise(scale, rng)
    chain.parameters[6 * shape[0] + 3 :] = rng.normal(size=shape[1] * shape[2])
    return chain, rng


def central(function, x, h=1e-6):
    """Differentiate a function of a vector by central differences, one column per entry."""
    columns = [(function(x + d) - function(x - d)) / (2 * h) for d in h * np.eye(len(x))]
    return np.stack(columns, axis=-1)


@each_shape
@QUICK
@given(seed=st.integers(0, 10_000))
def test_the_jacobian_is_the_change_of_the_outcome(shape, seed):
    chain, rng = random_chain(shape, seed)
    angle = rng.uniform(-np.pi, np.pi, (4, shape[0]))
    outcome, jacobian = chain.with_jacobian(angle)
    np.testing.assert_allclose(outcome, chain(angle), atol=1e-12)
    assert jacobian.shape == (4, shape[1], shape[0])
    for q, j in zip(angle, jacobian, strict=True):
        np.testing.assert_allclose(j, central(chain, q), atol=1e-6)


@each_shape
@QUICK
@given(seed=st.integers(0, 10_000))
def test_the_slope_of_the_fit_is_the_change_of_what_is_expected(shape, seed):
    chain, rng = random_chain(shape, seed)
    angle, context = rng.uniform(-2, 2, (5, shape[0])), rng.normal(size=(5, shape[2]))
    outcome = rng.normal(size=(5, shape[1]))

    def expected(theta):
        return -chain._error(theta, angle, context, outcome)

    slope = chain._slope(chain.parameters, angle, context)
    np.testing.assert_allclose(slope, central(expected, chain.parameters), atol=1e-5)


@each_shape
def test_one_posture_or_any_stack_of_them_gives_the_same(shape):
    chain, rng = random_chain(shape, 0)
    angle, context = rng.normal(size=(2, 3, shape[0])), rng.normal(size=(2, 3, shape[2]))
    outcome = chain(angle, context)
    assert outcome.shape == (2, 3, shape[1])
    np.testing.assert_allclose(chain(angle[1, 2], context[1, 2]), outcome[1, 2], atol=1e-12)
    np.testing.assert_allclose(outcome, chain(angle) + chain.shift(context), atol=1e-12)


def test_a_chain_of_two_hinges_is_the_textbook_arm():
    chain = KinematicChain(2, 2)
    axes, points, tip = [0, 0, 1] * 2, [0, 0, 0, 0.4, 0, 0], [0.7, 0, 0]
    chain.parameters[:] = [*axes, *points, *tip]
    q = np.random.default_rng(0).uniform(-3, 3, (20, 2))
    x = 0.4 * np.cos(q[:, 0]) + 0.3 * np.cos(q.sum(axis=1))
    y = 0.4 * np.sin(q[:, 0]) + 0.3 * np.sin(q.sum(axis=1))
    np.testing.assert_allclose(chain(q), np.stack([x, y], axis=1), atol=1e-12)


@given(stretch=st.floats(0.01, 100))
def test_the_length_of_an_axis_does_not_matter(stretch):
    chain, rng = random_chain((3, 3, 0), 1)
    q = rng.normal(size=(4, 3))
    before = chain(q)
    chain.parameters[:9] *= stretch
    np.testing.assert_allclose(chain(q), before, atol=1e-10)


def planar_arm(n, rng):
    angle = rng.uniform(-1.5, 1.5, (n, 2))
    context = np.empty((n, 0))
    first, both = angle[:, 0], angle.sum(axis=1)
    tip = 0.3 * np.stack([np.cos(first), np.sin(first)], 1)
    return angle, context, tip + 0.2 * np.stack([np.cos(both), np.sin(both)], 1)


def error_to_a_target(n, rng):
    angle, _, tip = planar_arm(n, rng)
    target = rng.uniform(-0.3, 0.3, (n, 2))
    return angle, target, tip - target


def seven_joints(n, rng):
    # Two hinges cross at the root, as in a shoulder.
    body = KinematicChain(7, 3)
    body.randomise(0.3, rng)
    body.parameters[24:27] = body.parameters[21:24]
    angle = rng.uniform(-1, 1, (n, 7))
    return angle, np.empty((n, 0)), body(angle)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("body", [planar_arm, error_to_a_target, seven_joints])
def test_the_fit_holds_for_postures_never_seen(body, seed):
    rng = np.random.default_rng(seed)
    angle, context, outcome = body(260, rng)
    spread = np.linalg.norm(outcome.std(axis=0))
    train, test = slice(0, 200), slice(200, None)
    misses = []
    for _ in range(12):
        chain = KinematicChain(angle.shape[1], outcome.shape[1], context.shape[1])
        chain.randomise(spread, rng)
        chain.fit(angle[train], context[train], outcome[train])
        misses.append(np.abs(chain(angle[test], context[test]) - outcome[test]).max())
        if misses[-1] < 1e-4 * spread:
            return
    pytest.fail(f"the best of 12 starts misses by {min(misses) / spread:.1e} of the spread")


@pytest.mark.parametrize("body", [planar_arm, error_to_a_target])
def test_the_fit_returns_its_error_and_never_gets_worse(body):
    rng = np.random.default_rng(3)
    angle, context, outcome = body(80, rng)
    outcome = outcome + 0.01 * rng.normal(size=outcome.shape)
    chain = KinematicChain(2, 2, context.shape[1])
    chain.randomise(0.3, rng)
    last = np.inf
    for iterations in (1, 2, 5, 40):
        error = chain.fit(angle, context, outcome, iterations=iterations)
        miss = np.sqrt(((chain(angle, context) - outcome) ** 2).mean())
        assert error == pytest.approx(miss)
        assert error <= last
        last = error
    assert last == pytest.approx(0.01, rel=0.2)


def test_a_target_that_shifts_the_error_is_taken_off():
    rng = np.random.default_rng(5)
    angle, target, error = error_to_a_target(150, rng)
    for _ in range(12):
        chain = KinematicChain(2, 2, 2)
        chain.randomise(0.3, rng)
        if chain.fit(angle, target, error) < 1e-5:
            break
    np.testing.assert_allclose(chain.shift(np.eye(2)), -np.eye(2), atol=1e-3)


@pytest.mark.parametrize("n_outcome", [0, 4])
def test_an_outcome_that_is_no_place_is_refused(n_outcome):
    with pytest.raises(ValueError, match=rf"1 to 3 coordinates in space, not {n_outcome}"):
        KinematicChain(2, n_outcome)


@pytest.mark.parametrize(("free", "fits"), [(True, 3), (False, 12)])
def test_a_body_that_is_free_to_move_is_soon_known_to_have_no_geometry(monkeypatch, free, fits):
    life = simulate_babbling(2, 0)
    if free:
        for side in (life.before, life.after):
            for i in range(2):
                side[f"tip{i}"] = 0.1 * np.arange(len(life.episode)) + side[f"vel{i}"]
    tried = []
    monkeypatch.setattr(KinematicChain, "fit", lambda chain, *data: tried.append(chain))
    if not free:  # No start fits, but the best is not hopeless either.
        outcome = np.stack([life.after[f"tip{i}"] for i in range(2)], axis=1)
        near = outcome[120:] + 0.3 * outcome.std()
        monkeypatch.setattr(KinematicChain, "__call__", lambda *data: near)
    names = ["angle0", "angle1", "vel0", "vel1", "tip0", "tip1", "target0", "target1"]
    schema = BodySchema(2, SchemaConfig(chain_starts=12))
    for attempt in (12, fits):
        tried.clear()
        assert not schema.attempt(life.memory(names), goal_senses(4, 2), np.random.default_rng(0))
        assert len(tried) == attempt
    assert "geometry is known to" in schema.status
