"""The brain as a whole, over every task and number of bodies: its contract, and that it learns."""

import copy
import dataclasses
import functools
import re
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from test_agent_bodies import ENV_IDS, REACHER, Bodies, batch, same_state

import agent
from agent import (
    Brain,
    BrainConfig,
    SensoryError,
    StateError,
    config_from_dict,
    config_to_dict,
)
from agent.config import LESIONS
from agent.working_memory import BABBLE, CRAWL, REACH, REST

SPACE = "neonate/Reach3D-v0"
BODIES = [(env_id, n) for env_id in ENV_IDS for n in (1, 3)]
each_env = pytest.mark.parametrize("env_id", ENV_IDS)
each_body = pytest.mark.parametrize(("env_id", "n_envs"), BODIES, ids=lambda x: str(x))
TICKS = {1: 300, 3: 100}


def new_brain(bodies, n_envs=1, seed=3, lesions=()):
    return Brain(*bodies.spaces, n_envs=n_envs, seed=seed, config=BrainConfig(lesions=lesions))


@functools.cache
def _raised(env_id, n_envs, lesions):
    bodies = Bodies(env_id, n_envs, seed=3)
    brain = new_brain(bodies, n_envs, lesions=lesions)
    bodies.live(brain, TICKS[n_envs])
    brain.gate.worth[:], brain.gate.bouts[:] = (
        (0.0, -10.0, 0.0),
        9.0,
    )  # it has tried crawling: no good
    return brain


def raised(env_id, n_envs=1, lesions=()):
    """Hand over a brain that has lived some 300 steps, to each caller one of its own."""
    return copy.deepcopy(_raised(env_id, n_envs, lesions))


def one_transition(bodies, brain, memory=None):
    """Arguments of one `learn`."""
    memory = brain.new_memory(len(bodies.envs)) if memory is None else memory
    seen = batch(bodies.observation)
    action, memory = brain.act(seen, memory, bodies.starts, learning=True)
    felt = [env.step(a) for env, a in zip(bodies.envs, action, strict=True)]
    now, reward, terminated, truncated, _ = zip(*felt, strict=True)
    ends = np.array(terminated), np.array(truncated)
    return [seen, action, np.array(reward, float), batch(now), *ends, memory]


# --- Acting


@each_body
def test_acting_without_learning_changes_nothing_and_repeats_itself(env_id, n_envs):
    brain, bodies = raised(env_id, n_envs), Bodies(env_id, n_envs, seed=12)
    memory, starts, seen = brain.new_memory(n_envs), bodies.starts, batch(bodies.observation)
    for _ in range(3):
        state, kept = brain.state(), {k: v.copy() for k, v in memory.items()}
        action, after = brain.act(seen, memory, starts)
        again, after_again = brain.act(seen, memory, starts)
        assert same_state(brain.state(), state)
        assert same_state(memory, kept)
        np.testing.assert_array_equal(action, again)
        assert same_state(after, after_again)
        assert action.shape == (n_envs, *bodies.spaces[1].shape) and action.dtype == np.float32
        assert all(bodies.spaces[1].contains(a) for a in action)
        memory, starts = after, np.zeros(n_envs, bool)


@each_env
def test_exploring_without_learning_varies_and_leaves_learning_alone(env_id):
    brain, bodies = raised(env_id), Bodies(env_id, seed=12)
    state = brain.state()
    memory, seen = brain.new_memory(1), batch(bodies.observation)
    actions = [brain.act(seen, memory, bodies.starts, deterministic=False)[0] for _ in range(3)]
    assert len(np.unique(np.concatenate(actions), axis=0)) == 3
    after = brain.state()
    np.testing.assert_array_equal(after.pop("random")[0], state.pop("random")[0])
    assert same_state(after, state)


@each_env
def test_bodies_do_not_disturb_each_other(env_id):
    brain, bodies = raised(env_id, 3), Bodies(env_id, 3, seed=13)
    together = brain.act(batch(bodies.observation), brain.new_memory(3), bodies.starts)[0]
    for i, observation in enumerate(bodies.observation):
        alone = brain.act(batch([observation]), brain.new_memory(1), np.ones(1, bool))[0]
        np.testing.assert_allclose(together[i], alone[0], rtol=1e-5, atol=1e-6)


def moved_goal(observation, by):
    changed = copy.deepcopy(observation)
    if isinstance(changed, dict):
        changed["desired_goal"] = changed["desired_goal"] + by
    else:  # Reacher: target in 4–5, fingertip minus target in 8–9
        changed[:, 4:6] += by
        changed[:, 8:10] -= by
    return changed


@each_env
def test_a_goal_that_moves_is_reached_for_anew(env_id):
    brain, bodies = raised(env_id), Bodies(env_id, seed=12)
    observation, no = batch(bodies.observation), np.zeros(1, bool)
    memory = brain.act(observation, brain.new_memory(1), bodies.starts)[1]
    assert memory["program"][0] == REACH
    memory = brain.act(observation, memory, no)[1]
    assert memory["plan_step"][0] == 2
    still, moved = (brain.act(moved_goal(observation, by), memory, no)[1] for by in (0.0, 0.05))
    assert (still["plan_step"][0], moved["plan_step"][0]) == (3, 1)
    assert not np.allclose(still["plan_angle"], moved["plan_angle"])


@each_env
def test_a_newborn_rests_until_it_is_let_learn(env_id):
    bodies = Bodies(env_id)
    brain = new_brain(bodies)
    seen = batch(bodies.observation)
    action, memory = brain.act(seen, brain.new_memory(1), bodies.starts)
    np.testing.assert_array_equal(brain.senses.command(action), np.zeros_like(action))
    assert memory["program"][0] == REST
    action, memory = brain.act(seen, brain.new_memory(1), bodies.starts, learning=True)
    assert memory["program"][0] == BABBLE and np.any(brain.senses.command(action))


# --- Bad sensations


BAD = [np.nan, np.inf, -np.inf]


def spoilt(observation, bad):
    changed = copy.deepcopy(observation)
    (changed["achieved_goal"] if isinstance(changed, dict) else changed)[-1, 1] = bad
    return changed


@each_body
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("where", ["observation", "next observation", "reward"])
def test_a_bad_sensation_is_refused_by_name_and_nothing_changes(env_id, n_envs, bad, where):
    brain, bodies = raised(env_id, n_envs), Bodies(env_id, n_envs, seed=12)
    arguments = one_transition(bodies, brain)
    state = brain.state()
    at = {"observation": 0, "reward": 2, "next observation": 3}[where]
    if where == "reward":
        arguments[at][-1] = bad
        name = "reward"
    else:
        arguments[at] = spoilt(arguments[at], bad)
        name = r"observation\[1\]" if env_id == REACHER else r"achieved_goal\[1\]"
    with pytest.raises(SensoryError, match=f"{name} of environment {n_envs - 1} is {bad}"):
        brain.learn(*arguments)
    assert same_state(brain.state(), state)
    if where == "observation":
        with pytest.raises(SensoryError, match=name):
            brain.act(arguments[0], brain.new_memory(n_envs), bodies.starts, learning=True)
        assert same_state(brain.state(), state)


def test_an_action_that_is_no_number_does_not_reach_the_weights():
    brain, bodies = raised(REACHER), Bodies(REACHER, seed=12)
    arguments = one_transition(bodies, brain)
    arguments[1] = np.full_like(arguments[1], np.nan)
    try:
        brain.learn(*arguments)
    except ValueError:
        pass
    assert all(np.isfinite(v).all() for k, v in brain.state().items() if k.startswith("cerebellum"))


# --- Learning


def untrained_and_trained(env_id, n_envs, lesions=(), ticks=160):
    """Mean return and share of successes of a newborn and of a raised brain, on the same trials."""
    scores = []
    for brain in (new_brain(Bodies(env_id), n_envs), raised(env_id, n_envs, lesions)):
        life = Bodies(env_id, n_envs, seed=77).live(brain, ticks, learning=False)
        scores.append((np.mean(life.returns), np.mean(life.successes)))
    return scores


@each_body
def test_some_three_hundred_steps_are_enough_to_reach(env_id, n_envs):
    ticks = 210 if n_envs == 3 or env_id == SPACE else 410
    untrained, trained = untrained_and_trained(env_id, n_envs, ticks=ticks)
    assert trained[0] > 0.5 * untrained[0]
    assert brain_knows(raised(env_id, n_envs))
    if env_id != REACHER:
        assert untrained[1] == 0 and trained[1] >= 0.5


def brain_knows(brain):
    summary = brain.summary()
    assert all(isinstance(v, float) and np.isfinite(v) for v in summary.values())
    return summary["body_known"] == 1.0 and summary["geometry_error"] < 0.02 * brain.schema.spread


@each_env
@pytest.mark.parametrize("lesion", LESIONS)
def test_every_lesion_lives(env_id, lesion):
    brain = raised(env_id, 3, (lesion,))
    assert brain.schema.body is not None
    assert all(np.isfinite(v).all() for k, v in brain.state().items() if "range" not in k)


COST = {
    "body_schema": 5.0,
    "cerebellum": 2.0,
    "fast_state": 1.2,
    "spinal_cord": 3.0,
}


@pytest.mark.parametrize("lesion", COST)
def test_a_lesion_costs_performance(lesion):
    whole, hurt = (
        np.mean([untrained_and_trained(SPACE, n, cut, ticks=310)[1] for n in (1, 3)], axis=0)
        for cut in ((), (lesion,))
    )
    assert hurt[0] < COST[lesion] * whole[0]  # (returns are negative)
    assert hurt[1] < whole[1]


@each_env
def test_the_number_of_bodies_may_change(env_id):
    brain = raised(env_id)
    steps, episodes = brain.steps, brain.episodes
    brain.resize(3)
    Bodies(env_id, 3, seed=5).live(brain, 20)
    brain.resize(1)
    Bodies(env_id, 1, seed=6).live(brain, 20)
    assert brain.steps == steps + 3 * 20 + 20
    assert brain.episodes == episodes + 4


def test_a_body_that_cannot_be_found_goes_on_babbling():
    bodies = Bodies("Pendulum-v1", 2)
    brain = new_brain(bodies, 2)
    life = bodies.live(brain, 100)
    assert brain.schema.body is None and brain.summary()["body_known"] == 0.0
    assert brain.schema.status not in ("newborn", "found")
    assert np.std(life.actions[-50:]) > 0


def test_a_body_without_geometry_begins_to_crawl_when_patience_ends():
    bodies = Bodies("Pendulum-v1", 2)
    brain = new_brain(bodies, 2)
    bodies.live(brain, brain.config.schema.patience)
    assert brain.schema.body is None and brain.crawling.available
    brain.trace.enabled = True
    bodies.live(brain, 20)
    assert (brain.trace.column("program") == CRAWL).all()


def test_crawling_without_learning_leaves_the_memory_it_was_given():
    bodies = Bodies("Pendulum-v1", 2)
    brain = new_brain(bodies, 2)
    bodies.live(brain, brain.config.schema.patience)
    seen, memory = batch(bodies.observation), brain.new_memory(2)
    for starts in (np.ones(2, bool), np.zeros(2, bool), np.array([False, True])):
        kept = copy.deepcopy(memory)
        after = brain.act(seen, memory, starts)[1]
        assert same_state(memory, kept)
        mixed = {**after, "program": np.array([REST, CRAWL])}
        kept = copy.deepcopy(mixed)
        brain.act(seen, mixed, starts)
        assert same_state(mixed, kept)
        memory = after
    assert (memory["program"] == CRAWL).all()


# --- Saving


@each_body
@pytest.mark.parametrize("age", ["newborn", "raised"])
def test_a_restored_brain_goes_on_bit_by_bit(env_id, n_envs, age):
    bodies = Bodies(env_id, n_envs, seed=14)
    first = new_brain(bodies, n_envs) if age == "newborn" else raised(env_id, n_envs)
    second = new_brain(bodies, n_envs, seed=999)
    second.load_state(first.state())
    lives = [Bodies(env_id, n_envs, seed=15).live(b, 90 // n_envs) for b in (first, second)]
    np.testing.assert_array_equal(lives[0].actions, lives[1].actions)
    assert same_state(first.state(), second.state())
    explored = [
        Bodies(env_id, n_envs, seed=16).live(b, 3, learning=False, deterministic=False).actions
        for b in (first, second)
    ]
    np.testing.assert_array_equal(*explored)


def test_a_state_is_a_copy():
    brain = raised(REACHER)
    state = brain.state()
    for value in state.values():
        value[...] = 0
    assert np.any(brain.state()["cerebellum.weights"])
    kept = brain.state()
    other = raised(REACHER, lesions=())
    other.load_state(kept)
    Bodies(REACHER, seed=3).live(other, 10)
    assert same_state(kept, brain.state())


def _without(state, key):
    del state[key]


def _misshaped(state, key):
    state[key] = np.zeros((*state[key].shape, 2), state[key].dtype)


def _retyped(state, key):
    state[key] = state[key].astype(np.float32)


def _nan(state, key):
    state[key] = np.full_like(state[key], np.nan)


KEYS = sorted(_raised(REACHER, 1, ()).state())
FLOATS = [k for k, v in _raised(REACHER, 1, ()).state().items() if v.dtype.kind == "f" and v.size]
DAMAGE = [
    *((_without, k, "missing") for k in KEYS),
    *((_misshaped, k, "") for k in KEYS),
    *((_retyped, k, "") for k in KEYS),
    *((_nan, k, "NaN") for k in FLOATS),
]


@pytest.mark.parametrize(
    ("damage", "key", "says"), DAMAGE, ids=[f"{d.__name__[1:]} {k}" for d, k, _ in DAMAGE]
)
def test_a_damaged_state_is_refused_by_name_and_nothing_changes(damage, key, says):
    brain = _raised(REACHER, 1, ())
    own, state = brain.state(), brain.state()
    damage(state, key)
    with pytest.raises(StateError, match=f"'(.*\\.)?{re.escape(key.split('.')[-1])}'.*{says}"):
        brain.load_state(state)
    assert same_state(brain.state(), own)


def test_a_state_with_a_key_too_many_is_refused():
    brain = _raised(REACHER, 1, ())
    with pytest.raises(StateError, match=r"'cerebellum.soul'.*unknown"):
        brain.load_state({**brain.state(), "cerebellum.soul": np.zeros(1)})


@pytest.mark.parametrize("channel", [-2, 10, 10_000])
def test_channels_that_the_observation_lacks_are_refused(channel):
    brain = _raised(REACHER, 1, ())
    own, state = brain.state(), brain.state()
    state["body_schema.velocity"][0] = channel
    with pytest.raises(StateError, match=r"'velocity'.*observation lacks"):
        brain.load_state(state)
    assert same_state(brain.state(), own)


@pytest.mark.parametrize("other", [SPACE, "neonate/Reach-v0"])
def test_the_state_of_another_body_is_refused(other):
    with pytest.raises(StateError, match="weights '"):
        _raised(REACHER, 1, ()).load_state(_raised(other, 1, ()).state())


# --- Trace


@pytest.mark.parametrize("n_envs", [1, 3])
def test_the_trace_has_every_signal_of_every_tick(n_envs):
    brain, bodies = raised(SPACE, n_envs), Bodies(SPACE, n_envs, seed=4)
    brain.trace.enabled = True
    life = bodies.live(brain, 30)
    n, commands = 7, brain.senses.command(np.array(life.actions))
    np.testing.assert_allclose(brain.trace.column("command"), commands, atol=1e-6)
    for name in ("angle", "wanted_angle", "fast_state", "climbing_fibre", "pain"):
        assert brain.trace.column(name).shape == (30, n_envs, n), name
    for name in ("felt_acceleration", "predicted_acceleration"):
        assert brain.trace.column(name).shape == (30, n_envs, n), name
    for name in ("outcome", "goal"):
        assert brain.trace.column(name).shape == (30, n_envs, 3), name
    for name in ("dopamine", "reward", "vigour", "program"):
        assert brain.trace.column(name).shape == (30, n_envs), name
    for name in ("dopamine", "angle", "climbing_fibre"):
        assert np.isfinite(brain.trace.column(name)).all(), name


def test_the_trace_of_crawling_tells_posture_and_worth():
    brain, n = raised("Swimmer-v5"), 2
    brain.trace.enabled = True
    Bodies("Swimmer-v5", seed=4).live(brain, 20)
    for name in ("angle", "wanted_angle", "steering"):
        assert brain.trace.column(name).shape == (20, 1, n), name
        assert np.isfinite(brain.trace.column(name)).all(), name
    np.testing.assert_array_equal(brain.trace.column("worth"), brain.trace.column("reward"))
    assert brain.trace.column("expected_worth").shape == (20, 1)


def test_a_signal_that_a_tick_lacks_is_nan():
    brain = raised(SPACE)
    brain.trace.enabled = True
    Bodies(SPACE, seed=4).live(brain, 100)
    value = brain.trace.column("value")
    assert value.shape == (100, 1)
    assert np.isfinite(value[[0, 75]]).all()  # a plan is made when an episode begins
    assert np.isnan(value).sum() > 50


def test_the_values_of_all_bodies_are_in_the_trace():
    brain = raised(REACHER, 3)
    brain.trace.enabled = True
    Bodies(REACHER, 3, seed=4).live(brain, 2)
    assert np.size(brain.trace.rows[0]["value"]) == 3


def test_an_unknown_signal_is_refused_with_those_that_exist():
    brain = raised(REACHER)
    with pytest.raises(KeyError, match="none"):
        brain.trace.column("dopamine")
    brain.trace.enabled = True
    Bodies(REACHER, seed=4).live(brain, 3)
    with pytest.raises(KeyError, match=r"no signal 'serotonin'.*climbing_fibre.*dopamine"):
        brain.trace.column("serotonin")
    brain.trace.clear()
    assert brain.trace.rows == []


@each_env
def test_being_watched_changes_nothing(env_id):
    brains = raised(env_id), raised(env_id)
    brains[1].trace.enabled = True
    for brain in brains:
        Bodies(env_id, seed=4).live(brain, 20)
    assert same_state(*(brain.state() for brain in brains))
    assert len(brains[0].trace.rows) == 0 and len(brains[1].trace.rows) == 20


# --- Configuration and anatomy


def test_a_configuration_survives_the_way_through_a_dict():
    config = config_from_dict({"lesions": ["critic"], "reach": {"vigours": [1, 2.5], "starts": 4}})
    assert config.reach.vigours == (1.0, 2.5) and config.lesions == ("critic",)
    assert config_from_dict(config_to_dict(config)) == config
    assert config_from_dict({}) == BrainConfig()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"soul": 1}, "no field soul: it has adaptation, amygdala, babble"),
        ({"reach": {"stars": 3}}, r"no field reach\.stars: it has"),
        ({"reach": 3}, r"config reach\. is 3: write a table"),
        ([], r"config root is \[\]"),
        ({"reach": {"starts": "many"}}, r"config reach\.starts is 'many': expected int"),
        ({"reach": {"starts": 2.5}}, r"reach\.starts is 2\.5: expected int"),
        ({"reach": {"starts": True}}, r"reach\.starts is True: expected int"),
        ({"reach": {"noise": "0.1"}}, r"reach\.noise is '0\.1': expected float"),
        ({"reach": {"noise": float("nan")}}, r"reach\.noise is nan"),
        ({"reach": {"noise": True}}, r"reach\.noise is True"),
        ({"reach": {"vigours": 1.0}}, r"reach\.vigours is 1\.0: expected tuple"),
        ({"reach": {"vigours": ["x"]}}, r"reach\.vigours is 'x': expected float"),
        ({"lesions": ["heart"]}, "cannot lesion 'heart': write one of body_schema"),
    ],
    ids=str,
)
def test_a_bad_configuration_is_refused_by_name(values, says):
    with pytest.raises(ValueError, match=says):
        config_from_dict(values)


REGIONS = {
    "senses": "senses",
    "body schema": "body_schema",
    "reach": "motor_programs.reaching",
    "gait": "motor_programs.crawling",
    "babble": "motor_programs.babble",
    "basal ganglia": "basal_ganglia",
    "cerebellum": "cerebellum",
    "spinal cord": "spinal_cord",
    "prefrontal": "prefrontal",
    "hippocampus": "hippocampus",
    "travel": "motor_programs.travel",
    "adaptation": "adaptation",
    "dynamics adaptation": "dynamics_adaptation",
    "efference": "efference",
    "strategy": "strategy",
    "motor cortex": "motor_cortex",
}
NOT_DRAWN = {"config", "trace", "memory", "motor_programs.repertoire", "body_search"} | {
    "motor_programs.skill"
}


def diagram():
    """Lines of the diagram in the docstring of the brain."""
    drawn = Brain.__doc__.partition("::")[2].partition("Args:")[0]
    return [line.strip() for line in drawn.splitlines() if line.strip()]


def test_what_is_drawn_is_built_and_what_is_built_is_drawn():
    brain = new_brain(Bodies(REACHER))
    owned = {type(part).__module__ for part in vars(brain).values()}
    built = {m.removeprefix("agent.") for m in owned if m.startswith("agent.")}
    assert built - NOT_DRAWN == set(REGIONS.values())
    name = r"[a-z]+(?: (?:schema|ganglia|cord|adaptation|cortex))?"
    ends = re.findall(rf"[─►◄]+\s({name})", "\n".join(diagram()))
    assert set(REGIONS) - {"reach", "gait"} <= set(ends)  # (three programs share an arrow)
    assert set(ends) <= {*REGIONS, "action"}
    assert "babble, reach, gait" in diagram()[0]


def calls(work):
    """Note the calls of functions of the brain that some work makes, as (module, function)."""
    made = []

    def note(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(Path(agent.__file__).parent):
            made.append((path.stem, frame.f_code.co_name))

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


def test_a_tick_runs_along_the_arrows_of_the_diagram():
    brain, bodies = raised(REACHER), Bodies(REACHER, seed=12)
    brain.act(batch(bodies.observation), brain.new_memory(1), bodies.starts, learning=True)
    arguments = []
    acted = calls(lambda: arguments.extend(one_transition(bodies, brain)))
    verb = {
        "senses": ("senses", "channels"),
        "body schema": ("body_schema", "aim"),
        "babble, reach, gait": ("reach", "propose"),
        "basal ganglia": ("basal_ganglia", "gate"),
        "spinal cord": ("spinal_cord", "reflex"),
        "action": ("senses", "action"),
    }
    lines = diagram()
    out = next(line for line in lines if line.startswith("action"))
    there, back = (re.findall(r"[a-z][a-z, ]*[a-z]", line) for line in (lines[0], out))
    path = [*there[1:], *reversed(back)]
    assert set(path) == {*verb, "cerebellum"}
    # The cerebellum imagines movements before it turns the one let through into a command.
    last = len(acted) - 1 - acted[::-1].index(("cerebellum", "inverse"))
    at = [last if name == "cerebellum" else acted.index(verb[name]) for name in path]
    assert at == sorted(at)

    guidance = brain.reaching.guidance
    guidance.config = dataclasses.replace(
        guidance.config, schema=dataclasses.replace(guidance.config.schema, glance_every=1)
    )
    learnt = calls(lambda: brain.learn(*arguments))
    taught = [re.findall(r"─► ([a-z ]*[a-z])", line)[0] for line in lines[-3:]]
    signal = {"cerebellum": "learn", "body schema": "see", "basal ganglia": "learn"}
    assert set(taught) == set(signal)
    assert all((name.replace(" ", "_"), signal[name]) in learnt for name in taught)


def test_the_brain_imports_no_learning_library():
    modules = [vars(agent)[n].__module__ for n in agent.__all__]
    assert all(m.startswith("agent.") for m in modules)


@pytest.mark.parametrize("low", [-1.0, -2.0])
def test_the_range_of_the_action_box_is_filled(low):
    box = spaces.Box(np.float32(low), np.float32(3.0), (2,))
    brain = Brain(gym.make(REACHER).observation_space, box)
    memory = brain.new_memory(1)
    rest = brain.act(np.zeros((1, 10)), memory, np.ones(1, bool))[0]
    np.testing.assert_allclose(rest, (low + 3.0) / 2)
