"""Habits of the motor cortex: dreamt of, gated, doubted, kept, and of what use."""

import dataclasses
from functools import lru_cache

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401  it registers the tasks
from agent.config import BrainConfig, MotorCortexConfig
from agent.errors import StateError
from agent.motor_cortex import MotorCortex
from agent.motor_programs.courses import Course, cost
from agent.motor_programs.practised import Practised, Routine
from agent.motor_programs.skill import DOUBTED, HABITUAL
from policies import BrainAgent

DREAMS = 25_000


@lru_cache
def _slept(*lesions: str) -> tuple[float, BrainAgent]:
    """Mean return by plan, and the agent after a night."""
    brain = BrainConfig(motor_cortex=MotorCortexConfig(dreams=DREAMS), lesions=lesions)
    agent = BrainAgent("BrainPolicy", "Reacher-v5", seed=0, brain=brain).learn(300)
    planned = _performance(agent)[0]
    agent.brain.sleep()
    return planned, agent


def _performance(agent: BrainAgent, strength: float = 1.0, episodes: int = 12) -> tuple[float, int]:
    """Mean return, and in how many episodes a habit was doubted."""
    env = gym.make("Reacher-v5")
    names = agent.brain.memory_names
    total, doubted = 0.0, 0
    for episode in range(episodes):
        obs, _ = env.reset(seed=500 + episode)
        state, start, over = None, np.ones(1, bool), False
        while not over:
            action, state = agent.predict(obs, state, start, deterministic=True)
            obs, reward, terminated, truncated, _ = env.step(strength * action)
            total, over, start = total + float(reward), terminated or truncated, np.zeros(1, bool)
        doubted += int(dict(zip(names, state, strict=True))["habit"][0] == DOUBTED)
    return total / episodes, doubted


def test_a_habit_is_as_good_as_the_plan_and_asks_nobody() -> None:
    planned, agent = _slept()
    brain = agent.brain
    assert brain.cortex.trusted
    brain.skill.asked[:] = 0
    by_habit, _ = _performance(agent)
    assert by_habit > planned - 0.05 * abs(planned)
    assert brain.skill.asked[1] >= 12 and brain.skill.asked[0] <= 2


@pytest.mark.parametrize("lesion", ["motor_cortex", "sleep"])
def test_without_cortex_or_sleep_there_are_no_habits(lesion: str) -> None:
    brain = BrainConfig(motor_cortex=MotorCortexConfig(dreams=200), lesions=(lesion,))
    agent = BrainAgent("BrainPolicy", "Reacher-v5", seed=0, brain=brain).learn(300)
    agent.brain.sleep()
    assert not agent.brain.cortex.trusted
    assert _performance(agent, episodes=1)[0] > -15.0


def test_a_habit_that_goes_wrong_gives_way_to_the_planner() -> None:
    agent = _slept()[1]
    assert _performance(agent)[1] <= 2
    assert _performance(agent, strength=-1.0)[1] >= 6  # (The motors pull the wrong way)


def test_habits_that_disappoint_are_not_gated_until_the_next_night() -> None:
    cortex = MotorCortex(2, MotorCortexConfig())
    cortex.horizon, cortex.shortfall = 50, 0.01
    assert cortex.trusted
    for _ in range(20):
        cortex.judge(np.array([-0.3]))
    assert not cortex.trusted
    for _ in range(60):
        cortex.judge(np.array([0.0]))
    assert cortex.trusted


def test_what_is_a_habit_runs_without_the_basal_ganglia() -> None:
    planned, agent = _slept()
    config = dataclasses.replace(agent.brain.config, lesions=("basal_ganglia",))
    lesioned = BrainAgent("BrainPolicy", "Reacher-v5", seed=0, brain=config)
    lesioned.brain.load_state(agent.brain.state())
    lesioned.brain.skill.asked[:] = 0
    assert _performance(lesioned)[0] > planned - 0.05 * abs(planned)
    assert lesioned.brain.skill.asked[1] >= 12


def test_habits_survive_a_file_and_bodies_side_by_side(tmp_path) -> None:
    agent = _slept()[1]
    agent.save(tmp_path / "brain")
    again = BrainAgent.load(tmp_path / "brain")
    obs = np.array([gym.make("Reacher-v5").reset(seed=s)[0] for s in range(3)])
    alone = [agent.predict(one, None, np.ones(1, bool), deterministic=True)[0] for one in obs]
    together, memory = again.predict(obs, None, np.ones(3, bool), deterministic=True)
    names = again.brain.memory_names
    assert (dict(zip(names, memory, strict=True))["habit"] == HABITUAL).all()
    np.testing.assert_allclose(together, np.array(alone), atol=1e-5)


@pytest.mark.parametrize("strength", [1.0, -1.0])
def test_a_memory_that_was_handed_in_is_never_written_to(strength: float) -> None:
    agent, bodies = _slept()[1], [gym.make("Reacher-v5") for _ in range(3)]
    obs = np.array([env.reset(seed=500 + k)[0] for k, env in enumerate(bodies)])
    memory, habits = None, set()
    for step in range(60):
        if memory is not None:
            for array in memory:
                array.flags.writeable = False
        start = np.array([step == 0, step in (0, 20), step == 0])  # (At 50, courses end)
        action, memory = agent.predict(obs, memory, start, deterministic=True)
        habits |= set(dict(zip(agent.brain.memory_names, memory, strict=True))["habit"].tolist())
        # (The motors of the last body may pull the wrong way.)
        pull = np.array([[1.0], [1.0], [strength]])
        obs = np.array([e.step(a)[0] for e, a in zip(bodies, pull * action, strict=True)])
    assert HABITUAL in habits and (DOUBTED in habits) == (strength < 0)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("weights0", lambda w: w[:-1]),
        ("weights1", lambda w: w * np.nan),
        ("mean", lambda w: w[:-1]),
        ("counts", lambda w: w * 0),
        ("postures", lambda w: w[:0]),
        ("spread", lambda w: w * 0),
    ],
)
def test_a_damaged_cortex_is_refused(name, change) -> None:
    agent = _slept()[1]
    state = agent.brain.cortex.state()
    with pytest.raises(StateError, match="motor_cortex"):
        agent.brain.cortex.check_state(state | {name: change(state[name])})


def test_sleep_remembers_the_postures_that_would_not_be_come_upon_quickly() -> None:
    brain = _slept()[1].brain
    dreams, cortex = brain.skill.dreams, brain.cortex
    angle, _, aim = dreams._scenes(500, np.random.default_rng(2))
    kept = cortex.postures, cortex.aims
    found = dreams.recall(angle, aim, dreams._QUICK)[2].mean()
    try:
        cortex.postures, cortex.aims = kept[0][: dreams._SHOWN], kept[1][: dreams._SHOWN]
        before = dreams.recall(angle, aim, dreams._QUICK)[2].mean()
        way, _, serves = dreams.recall(angle, aim)
    finally:
        cortex.postures, cortex.aims = kept
    # Looking closer finds them, too, and takes longer; some aims are out of reach.
    assert before < serves.mean() - 0.2 and found > serves.mean() - 0.03
    assert serves.mean() > 0.9
    off = np.linalg.norm(aim - brain.schema.chain(angle + way), axis=1)[serves]
    assert off.max() < 0.02 * brain.schema.spread


def test_a_habit_goes_beyond_what_was_felt_only_where_it_has_to() -> None:
    brain = _slept()[1].brain
    dreams, felt = brain.skill.dreams, brain.schema.range
    angle, _, aim = dreams._remembered()
    low, high = felt.free_low.copy(), felt.free_high.copy()
    limits = felt.limit_low.copy(), felt.limit_high.copy(), felt._knocks.copy()
    within = angle + dreams.recall(angle, aim)[0]
    assert dreams.recall(angle, aim)[2].all()
    assert ((low <= within) & (within <= high))[:, 1].all()
    most = np.abs(within[:, 1]).max()
    try:  # (An elbow that was never bent as far as some of these aims ask for)
        felt.free_low, felt.free_high = low.clip(-0.8 * most), high.clip(None, 0.8 * most)
        way, _, serves = dreams.recall(angle, aim)
        bent = np.abs(dreams.schema.difference(angle + way, 0.0 * way)[:, 1])
        assert serves.all() and 0.0 < (bent > 0.8 * most + 1e-9).mean() < 0.5
        assert bent.max() < 0.8 * most + felt.STRIDE
        felt.limit_low[1], felt.limit_high[1] = -0.8 * most, 0.8 * most  # (There it is stopped)
        felt._knocks[:, 1] = felt._SURE
        assert not dreams.recall(angle, aim)[2].all()
    finally:
        felt.free_low, felt.free_high = low, high
        felt.limit_low, felt.limit_high, felt._knocks = limits


def test_the_slope_of_a_course_is_that_of_its_cost() -> None:
    brain = _slept()[1].brain
    laid, rng = brain.skill.dreams.laid(), np.random.default_rng(0)
    angle, velocity, aim = brain.skill.dreams._remembered()
    y = 0.2 * rng.normal(size=(len(aim), angle.shape[1], laid.knots))
    parts = aim, brain.schema, brain.cerebellum, brain.schema.range.limits(), laid
    change = rng.normal(size=y.shape)
    slope = cost(laid.unfold(angle, velocity, y), *parts)[1]
    up, down = (
        cost(laid.unfold(angle, velocity, y + d * change), *parts)[0] for d in (1e-5, -1e-5)
    )
    measured = (up - down) / 2e-5
    told = (slope * change).sum(axis=(1, 2))
    # Where strain or a limit begins, the slope rounds a corner off.
    assert np.median(np.abs(measured - told) / np.abs(measured)) < 0.02


def test_a_course_without_numbers_comes_to_rest() -> None:
    laid = Course(60, 0.02)
    angle, velocity, _ = laid.unfold(
        np.zeros((1, 2)), np.ones((1, 2)), np.zeros((1, 2, laid.knots))
    )
    assert abs(velocity[0, -1]).max() < 0.05
    assert abs(angle[0, -1]).max() < 0.2
    np.testing.assert_allclose(angle[0, 0], 0.0, atol=1e-9)


@pytest.mark.parametrize("n", [1, 3])
def test_a_practised_movement_is_kept_to_by_the_law_that_is_told(n: int) -> None:
    brain = _slept()[1].brain
    rng, m, h = np.random.default_rng(1), 2, brain.schema.step
    body = brain.schema.known
    practised = Practised(brain.senses, brain.cerebellum, brain.spinal_cord)
    where = practised.layout(body, 1.0, 1.0)
    memory = brain.new_memory(n)
    course = 0.1 * rng.normal(size=(n, 4, 3 * m))
    inertia = rng.normal(size=(n, 1, m, m))
    parts = course[..., :m], course[..., m : 2 * m], course[..., 2 * m :]
    around, look = np.zeros((n, 4)), np.zeros(4, bool)
    whole = Routine(*parts, np.repeat(inertia, 4, axis=1), look, around)
    practised.begin(memory, np.arange(n), whole, h)
    spinal, cerebellum = brain.spinal_cord, brain.cerebellum
    omega, damping = spinal._config.stiffness / h, spinal._config.damping
    rate, bound = cerebellum.fast()
    fast, last, slip_before = np.zeros((n, m)), None, None
    for t in range(4):
        channels = rng.normal(size=(n, brain.senses.n_channels))
        angle = 0.3 * rng.normal(size=(n, m))
        channels[:, body.cosine], channels[:, body.sine] = np.cos(angle), np.sin(angle)
        velocity = channels[:, body.velocity] = 0.5 * rng.normal(size=(n, m))
        now = practised.look(memory, channels, where, body)
        command = np.clip(practised.run(memory, now, None), -1.0, 1.0)
        memory["last_command"] = command
        way, slip = course[:, t, :m] - angle, course[:, t, m : 2 * m] - velocity
        pull = omega**2 * way + 2 * damping * omega * slip
        if last is not None:
            change = np.einsum("nij,nj->ni", inertia[:, 0], slip - slip_before) / h
            missed = last - course[:, t - 1, 2 * m :] + change
            fast = fast + rate * np.clip(missed - fast, -bound, bound)
        prepared = course[:, t, 2 * m :]
        expected = prepared + fast + np.einsum("nij,nj->ni", inertia[:, 0], pull)
        last, slip_before = np.clip(expected, -1.0, 1.0), slip
        if t:  # (In the first step, slip counts from none.)
            np.testing.assert_allclose(command, last, atol=1e-9)
        else:
            fast = memory["fast_state"].copy()
            last = command.copy()
