"""Discovery: babbling shows which numbers are joints, outcome, goal and reward."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_agent_bodies import (
    ENV_IDS,
    REACHER,
    babble_in,
    flat_names,
    flat_senses,
    goal_senses,
    simulate_babbling,
)

from agent.config import SchemaConfig
from agent.discovery import NotYet, find_body
from agent.memory import SensorimotorMemory

CONFIG = SchemaConfig()
SEEDS = range(4)
QUICK = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def look(names: list[str], run, **memory):
    """Body found in a simulated run whose channels are `names`, as names."""
    senses = flat_senses(len(names), run.command.shape[1])
    body = find_body(run.memory(names, **memory), senses, CONFIG)
    return body, {
        part: [names[i] if i >= 0 else "" for i in getattr(body, part)]
        for part in ("cosine", "sine", "velocity", "outcome", "goal", "context")
    }


def expected(n_joints: int, trigonometric: bool) -> dict[str, list[str]]:
    joints = range(n_joints)
    return {
        "cosine": [f"cos{j}" if trigonometric else "" for j in joints],
        "sine": [f"{'sin' if trigonometric else 'angle'}{j}" for j in joints],
        "velocity": [f"vel{j}" for j in joints],
        "outcome": ["error0", "error1"],
        "goal": [],
        "context": ["target0", "target1"],
    }


def unordered(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Outcome and context have no order of their own."""
    return {k: sorted(v) if k in ("outcome", "context") else v for k, v in found.items()}


@pytest.mark.parametrize("trigonometric", [True, False], ids=["pairs", "angles"])
@pytest.mark.parametrize("n_joints", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_simulated_arm_is_found(n_joints, trigonometric, seed):
    run = simulate_babbling(n_joints, seed, step=0.02)
    body, found = look(flat_names(n_joints, trigonometric), run)
    assert found == expected(n_joints, trigonometric)
    assert body.step == pytest.approx(0.02, rel=0.01)
    assert body.reward.distance == pytest.approx(1.0, rel=1e-3)
    assert body.reward.effort == pytest.approx(1.0, rel=1e-3)
    assert body.reward.offset == pytest.approx(0.0, abs=1e-3)
    assert (body.gain > 0).all()


@QUICK
@given(order=st.permutations(range(11)), motors=st.permutations(range(2)), seed=st.integers(0, 3))
def test_the_order_of_channels_and_motors_does_not_matter(order, motors, seed):
    run = simulate_babbling(2, seed)
    names = [flat_names(2, True)[i] for i in order]
    _, found = look(names, run, motors=motors)
    truth = expected(2, True)
    for part in ("cosine", "sine", "velocity"):
        truth[part] = [truth[part][motor] for motor in motors]
    assert unordered(found) == unordered(truth)


@pytest.mark.parametrize("step", [0.002, 0.01, 0.05])
def test_the_control_step_is_measured(step):
    body, _ = look(flat_names(2, True), simulate_babbling(2, 0, step=step))
    assert body.step == pytest.approx(step, rel=0.01)


@QUICK
@given(scale=st.floats(1e-2, 1e3), offset=st.floats(-100, 100))
def test_the_reward_is_found_at_any_scale_and_offset(scale, offset):
    run = simulate_babbling(2, 1)
    reward = scale * (-run.distance() - 0.5 * run.effort()) + offset
    body, found = look(flat_names(2, True), run, reward=reward)
    assert found == expected(2, True)
    assert body.reward.distance == pytest.approx(scale, rel=1e-3)
    assert body.reward.effort == pytest.approx(0.5 * scale, rel=1e-2)
    assert body.reward.offset == pytest.approx(offset, abs=1e-3 * (scale + abs(offset)))


def test_a_reward_without_effort_has_none():
    run = simulate_babbling(2, 1)
    body, _ = look(flat_names(2, True), run, reward=-3.0 * run.distance())
    assert body.reward.effort == pytest.approx(0.0, abs=1e-6)
    assert body.reward.distance == pytest.approx(3.0)


def _with_one_episode(run):
    run.episode = np.zeros_like(run.episode)
    return {}


UNKNOWABLE: dict[str, tuple[Callable, str]] = {
    "one episode": (_with_one_episode, "one episode"),
    "reward for the first joint": (lambda r: {"reward": r.after["vel0"]}, "reward"),
    "reward for being far": (lambda r: {"reward": r.distance()}, "reward"),
    "reward by chance": (
        lambda r: {"reward": np.random.default_rng(0).normal(size=len(r.episode))},
        "reward",
    ),
    "no reward": (lambda r: {"reward": np.zeros(len(r.episode))}, "reward"),
}


@pytest.mark.parametrize(("change", "says"), UNKNOWABLE.values(), ids=UNKNOWABLE)
def test_what_cannot_be_told_yet_is_said(change, says):
    run = simulate_babbling(2, 2)
    with pytest.raises(NotYet, match=says):
        look(flat_names(2, True), run, **change(run))


@pytest.mark.parametrize("hidden", ["vel", "sin", "angle"])
def test_without_velocities_or_angles_there_are_no_joints(hidden):
    run = simulate_babbling(2, 2)
    names = [n for n in flat_names(2, hidden != "angle") if not n.startswith(hidden)]
    with pytest.raises(NotYet, match=r"motors have a joint|velocity"):
        look(names, run)


def goal_body(run, own: list[str], **memory):
    names = [*own, "tip0", "tip1", "target0", "target1"]
    senses = goal_senses(len(own), run.command.shape[1])
    return find_body(run.memory(names, **memory), senses, CONFIG)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "own", [["angle1", "vel0", "angle0", "vel1"], ["angle0", "angle1", "vel0", "vel1"]]
)
def test_a_goal_dict_says_what_the_outcome_is_even_in_one_episode(own, seed):
    run = simulate_babbling(2, seed, episode_steps=1000)
    body = goal_body(run, own)
    np.testing.assert_array_equal(body.sine, [own.index("angle0"), own.index("angle1")])
    np.testing.assert_array_equal(body.velocity, [own.index("vel0"), own.index("vel1")])
    np.testing.assert_array_equal(body.outcome, [4, 5])
    np.testing.assert_array_equal(body.goal, [6, 7])
    assert body.reward.distance == pytest.approx(1.0, rel=1e-3)
    assert len(body.context) == 0


@pytest.mark.parametrize("sparse", ["never there", "sometimes"])
def test_a_sparse_reward_falls_back_on_the_goal_keys(sparse):
    run = simulate_babbling(2, 1)
    reward = np.full(len(run.episode), -1.0)
    if sparse == "sometimes":
        reward[run.distance() < np.quantile(run.distance(), 0.05)] = 0.0
    body = goal_body(run, ["angle0", "angle1", "vel0", "vel1"], reward=reward)
    assert body.reward.distance == 1.0
    assert 0 < body.reward.effort < 1
    np.testing.assert_array_equal(body.outcome, [4, 5])


def test_a_place_that_commands_move_is_no_joint():
    run = simulate_babbling(2, 1)
    own = ["angle0", "vel0", "angle1", "vel1"]
    names = [*own, "tip0", "angle1", "target0", "target1"]
    with pytest.raises(NotYet, match="not a limb"):
        find_body(run.memory(names), goal_senses(4, 2), CONFIG)


def test_a_goal_of_four_numbers_is_no_place():
    run = simulate_babbling(2, 1)
    own = ["angle0", "angle1", "vel0", "vel1"]
    names = [*own, *["tip0", "tip1"] * 2, *["target0", "target1"] * 2]
    with pytest.raises(NotYet, match="4 numbers"):
        find_body(run.memory(names), goal_senses(4, 2, size=4), CONFIG)


# Real environments: what their documentation says about each index.
TRUTH = {
    REACHER: {
        "cosine": [0, 1],
        "sine": [2, 3],
        "velocity": [6, 7],
        "outcome": [8, 9],
        "context": [4, 5],
        "goal": [],
    },
    "neonate/Reach-v0": {
        "cosine": [-1, -1],
        "sine": [0, 1],
        "velocity": [2, 3],
        "outcome": [4, 5],
        "context": [],
        "goal": [6, 7],
    },
    "neonate/Reach3D-v0": {
        "cosine": [-1] * 7,
        "sine": list(range(7)),
        "velocity": list(range(7, 14)),
        "outcome": [14, 15, 16],
        "context": [],
        "goal": [17, 18, 19],
    },
}
STEP = {REACHER: 0.02, "neonate/Reach-v0": 0.01, "neonate/Reach3D-v0": 0.02}
EFFORT = {REACHER: 1.0, "neonate/Reach-v0": 0.1, "neonate/Reach3D-v0": 0.1}
each_env = pytest.mark.parametrize("env_id", ENV_IDS)


def found_in(body) -> dict[str, list[int]]:
    return {part: getattr(body, part).tolist() for part in TRUTH[REACHER]}


@each_env
@pytest.mark.parametrize("seed", range(5))
def test_the_body_of_an_environment_is_found(env_id, seed):
    body = find_body(*babble_in(env_id, seed), CONFIG)
    assert found_in(body) == TRUTH[env_id]
    assert body.reward.distance == pytest.approx(1.0, rel=0.01)
    assert body.reward.effort == pytest.approx(EFFORT[env_id], rel=0.05)
    assert body.step == pytest.approx(STEP[env_id], rel=0.01)


@each_env
def test_permuted_proprioception_permutes_what_is_found(env_id):
    memory, senses = babble_in(env_id, 7)
    order = np.arange(senses.n_channels)
    own = senses.proprioception
    order[own] = np.random.default_rng(3).permutation(own)
    permuted = SensorimotorMemory(len(memory.reward), senses.n_channels, senses.n_motors)
    permuted.store(
        memory.before[:, order],
        memory.command,
        memory.reward,
        memory.after[:, order],
        memory.episode,
    )
    body = find_body(permuted, senses, CONFIG)
    back = {k: [int(order[i]) if i >= 0 else -1 for i in v] for k, v in found_in(body).items()}
    assert {k: sorted(v) if k in ("outcome", "context") else v for k, v in back.items()} == TRUTH[
        env_id
    ]


@pytest.mark.parametrize("n", [1, 3, 9])
def test_the_ring_keeps_the_latest_transitions_oldest_first(n):
    ring = SensorimotorMemory(10, 1, 1)
    for t in range(7):
        number = np.arange(n * t, n * (t + 1))
        column = number[:, None].astype(float)
        ring.store(column, column, number.astype(float), column, number)
        stored = np.arange(max(0, ring.count - 10), n * (t + 1))
        for part in (ring.before, ring.command, ring.reward, ring.after, ring.episode):
            np.testing.assert_array_equal(part[ring.rows].ravel(), stored)
