"""The motor-adaptation laboratory: experiments that share phases, studies, what is measured."""

import json

import gymnasium as gym
import numpy as np
import pytest

from agent.body_schema import BodySchema
from agent.config import AdaptationConfig, BrainConfig, SchemaConfig
from agent.percept import Body, Reward
from agent.strategy import AimingStrategy
from envs.schedules import Phase, Schedule
from scripts.adapt import Adapt, with_values
from scripts.adaptation_crawl import WeakLeg, summarise_legs, weak_leg_runs
from scripts.adaptation_delay import delay_runs, oscillation, summarise_delays
from scripts.adaptation_measures import (
    NEVER,
    aiming,
    first_held,
    measures,
    row_of,
    savings,
    steadiness,
    write_rows,
)
from scripts.adaptation_protocols import PROTOCOLS
from scripts.adaptation_runs import _parts, brain_runs
from scripts.adaptation_studies import plot_delays, plot_legs
from scripts.adaptation_tables import adaptation_table, rivals_table
from scripts.adaptation_trials import Laboratory
from scripts.errors import UserError
from scripts.files import write_json
from scripts.tables import MISSING

ONE = (0.0,)


def test_experiments_go_on_from_the_end_of_the_phases_that_they_share():
    learnt = (Phase("baseline", 2, directions=ONE), Phase("adaptation", 6, 1.0, directions=ONE))
    schedules = {
        "long": Schedule((*learnt, Phase("washout", 3, directions=ONE))),
        "other": Schedule((*learnt, Phase("clamp", 2, clamp=True, directions=ONE))),
    }
    together = list(
        brain_runs(Laboratory("neonate/Reach-v0"), schedules, "human", BrainConfig(), 0)
    )
    alone = list(
        brain_runs(
            Laboratory("neonate/Reach-v0"),
            {"other": schedules["other"]},
            "human",
            BrainConfig(),
            0,
        )
    )
    assert [len(run["trials"]["turn"]) for run in together] == [11, 10]
    assert together[0]["trials"]["turn"][:8] == together[1]["trials"]["turn"][:8]
    assert together[1]["trials"]["turn"] == pytest.approx(alone[0]["trials"]["turn"], abs=0.01)
    assert together[1]["cpu_seconds"] < 0.5 * alone[0]["cpu_seconds"]


def test_a_brain_practises_once_for_all_commands(tmp_path):
    schedules = {"short": Schedule((Phase("adaptation", 3, 1.0),))}

    def turns(setting, lesions=(), kept=tmp_path):
        brain, lab = BrainConfig(lesions=lesions), Laboratory("neonate/Reach-v0", seed=1)
        (run,) = brain_runs(lab, schedules, setting, brain, 1, practice=2, practised=kept)
        return run["trials"]["turn"]

    first = turns("human")
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    assert turns("human") == first == turns("human", kept=None)
    assert turns("strategy")[0] == first[0]
    assert len(turns("human", ("adaptation",))) == 3
    assert [p.stat().st_mtime_ns for p in tmp_path.iterdir()] == [written]
    turns("human", ("fast_state",))
    assert len(list(tmp_path.iterdir())) == 2  # what practice needs is lacking before it


def test_a_schedule_is_cut_where_another_one_parts():
    a, b, c, d = (Phase(name, 1) for name in "abcd")
    assert _parts((a, b, c), (), [(a, b, d), (d,)]) == [(a, b), (a, b, c)]
    assert _parts((a, b, d), (a, b), [(a, b, c)]) == [(a, b, d)]


def test_all_of_the_standard_protocol_s_experiments_with_one_target_share_what_they_learn():
    one = [PROTOCOLS["standard"][name].phases for name in ("savings", "rebound", "generalisation")]
    assert len({phases[:2] for phases in one}) == 1


def geometry_that_held():
    schema = BodySchema(2, SchemaConfig())
    none = np.empty(0, np.int64)
    schema.body = Body(
        cosine=np.full(2, -1),
        sine=np.arange(2),
        velocity=np.arange(2, 4),
        step=0.01,
        gain=np.ones(2),
        outcome=np.arange(4, 6),
        goal=np.arange(6, 8),
        context=none,
        reward=Reward(1.0, 0.1, 0.0),
    )
    for _ in range(25):
        schema.see(np.zeros((1, 2)), None, None)
    return schema


class Unlooked:
    """A sensorimotor memory in which nothing was seen to change while the body moved."""

    rows = np.arange(60)
    before = np.zeros((60, 8))
    after = np.tile([0, 0, 1, 1, 0, 0, 0, 0], (60, 1)).astype(float)


def test_a_body_is_not_doubted_by_looks_that_are_too_few_to_know_it_anew():
    schema = geometry_that_held()
    assert schema.settled
    unsettled = 0
    for _ in range(400):
        schema.see(np.ones((1, 2)), Unlooked, None)
        unsettled += not schema.settled
    assert unsettled < 80


def test_an_aim_is_given_up_when_it_would_have_missed_by_less_without_it():
    strategy = AimingStrategy(AdaptationConfig(strategy_threshold=35.0))
    east, none = np.array([0.1, 0.0]), np.zeros(4)
    assert strategy.untaken is None
    turned = 0.1 * np.array([np.cos(np.radians(45)), np.sin(np.radians(45))])
    strategy.learn(east, turned, none)
    assert strategy.aside and not strategy.untaken.any()
    slightly_off = 0.1 * np.array([np.cos(np.radians(-20)), np.sin(np.radians(-20))])
    for _ in range(8):
        strategy.learn(east, slightly_off, none, fictive=np.array([0, 0, 0, np.radians(25)]))
    assert strategy.aside
    for _ in range(8):
        strategy.learn(east, slightly_off, none, fictive=np.array([0, 0, 0, np.radians(10)]))
    assert not strategy.aside and -np.radians(45) < strategy.untaken[3] < 0.0


@pytest.mark.parametrize("hertz", [2.0, 3.0, 4.5])
def test_an_oscillation_is_found_with_its_frequency(hertz):
    seconds = 0.01 * np.arange(201)
    wobble, found = oscillation(0.1 + 0.01 * np.sin(2 * np.pi * hertz * seconds), 0.01)
    assert found == pytest.approx(hertz, abs=0.2)
    assert wobble == pytest.approx(0.01 / np.sqrt(2), rel=0.1)
    assert oscillation(0.1 + 1e-5 * seconds, 0.01)[1] == 0.0


def test_late_senses_are_studied_and_drawn(tmp_path):
    runs = list(
        delay_runs("neonate/Reach-v0", BrainConfig(), 1, (0.0, 50.0), (1.0, 0.5), 600, trials=1)
    )
    assert [(r["delay_ms"], r["share"]) for r in runs] == [(0.0, 1.0), (50.0, 1.0), (50.0, 0.5)]
    assert [run["steps_found"] for run in runs] == [0, 5, 5]
    assert runs[2]["trials"]["overshoot"][0] > runs[1]["trials"]["overshoot"][0] + 5.0
    runs = [run | {"setting": "default"} for run in runs]
    rows = summarise_delays(runs)
    assert {row["experiment"] for row in rows} == {"forward model 1", "forward model 0.5"}
    plot_delays(tmp_path / "delay.png", runs, "late")
    assert (tmp_path / "delay.png").stat().st_size > 10_000
    json.dumps(runs, allow_nan=False)


def test_a_weak_leg_is_lived_with_and_drawn(tmp_path):
    asked = WeakLeg("neonate/Crawl-v0", life=600, lived=(200, 400), episodes=1)
    asked.check()
    runs = list(weak_leg_runs(asked, BrainConfig(), 0))
    assert [run["life"] for run in runs] == ["lives on", "is newborn"]
    assert runs[0]["steps"] == [0, 200, 400] and runs[1]["steps"] == [200, 400]
    rows = summarise_legs(runs)
    assert "share of before after 400 steps, %" in {row["measure"] for row in rows}
    plot_legs(tmp_path / "legs.png", runs, "weak")
    assert (tmp_path / "legs.png").stat().st_size > 5_000
    with pytest.raises(UserError, match="--leg 99"):
        WeakLeg("neonate/Crawl-v0", motors=(99,)).check()


def test_the_whole_leg_is_weak_and_no_other():
    asked = WeakLeg("Ant-v5", motors=(2, 3), strength=0.25)
    env, usual = asked.weakened(), gym.make("Ant-v5")
    env.reset(seed=0)
    share = (
        env.unwrapped.model.actuator_gainprm[:, 0] / usual.unwrapped.model.actuator_gainprm[:, 0]
    )
    np.testing.assert_allclose(share, [1, 1, 0.25, 0.25, 1, 1, 1, 1])


def test_steady_and_aimed_trials_are_measured():
    told = steadiness(np.concatenate([np.full(50, 0.9), np.full(100, 1.1)]))
    assert told["lowest mean of 50 trials, %"] == pytest.approx(90)
    assert told["highest mean of 50 trials, %"] == pytest.approx(110)
    told = aiming(np.concatenate([[0.0, 1.0], np.linspace(1.0, 1.5, 20), np.full(20, 1.0)]))
    assert told["most correction, mean of 8 trials, %"] > 135
    assert 10 <= told["trial of the most correction"] <= 20


def test_what_is_crossed_by_chance_is_not_held():
    wide = np.tile([-2.0, 3.0], 20)  # (Right on average of ten, wrong each time)
    learnt = np.concatenate([np.linspace(0.0, 0.9, 10), np.full(30, 1.0)])
    assert first_held(learnt, 0.8) == 9
    assert first_held(learnt, 0.9) == 10
    assert first_held(wide, 0.8) == NEVER
    assert first_held(1.5 * learnt, 0.9) == NEVER
    assert first_held(np.ones(5), 0.9) == NEVER


def test_savings_are_trials_over_trials():
    def run(first, again):
        phases = ["adaptation"] * 5 + ["re-exposure"] * 5
        value = [-30.0 * (i >= first) for i in range(5)] + [-30.0 * (i >= again) for i in range(5)]
        return {"trials": {"phase": phases, "value": value}}

    assert savings([run(3, 1)], -30.0) == pytest.approx(0.5)
    assert savings([run(3, 5)], -30.0) == pytest.approx(NEVER / 4)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"protocol": "delay"}, "not for --perturbation rotation"),
        ({"protocol": "crawl", "perturbation": "delay"}, "crawl for weak"),
        ({"protocol": "delay", "perturbation": "delay", "algos": ("sac",)}, "brain alone"),
        ({"protocol": "delay", "perturbation": "delay", "forward_model": (2.0,)}, "between 0"),
        ({"protocol": "delay", "perturbation": "delay", "delays": (3.0,)}, "--delays 3"),
        ({"protocol": "crawl", "perturbation": "weak", "leg": (0, 77)}, "--leg 0 77"),
    ],
)
def test_what_cannot_be_is_refused(asked, message, tmp_path):
    with pytest.raises(UserError, match=message):
        Adapt(**asked, out=tmp_path / "none").run()


def test_every_trial_counts():
    turn, stretch = [-30.0] * 20, [1.0] * 20
    turn[-1], stretch[-1] = 66.0, 2.6
    trials = {"phase": ["adaptation"] * 20, "turn": turn, "stretch": stretch}
    told = measures(with_values({"experiment": "rebound", "trials": trials}, "rotation"), -30.0)
    assert told["final correction, %"] == pytest.approx(100 * (15 - 2.2) / 16)


def test_readme_s_tables_say_what_is_in_the_results(tmp_path):
    folder = tmp_path / "adapt" / "rotation"
    folder.mkdir(parents=True)
    rows = [
        row_of("brain, human", "savings", "trials to 90 %", [9.0, 12.0, NEVER]),
        row_of("brain, human", "generalisation", "half width, degrees", [36.0], 3),
    ]
    write_rows(folder / "summary.csv", rows)
    run = {"algo": "brain", "seed": 1, "cpu_seconds": 90.0}
    write_json(folder / "trials.json", {"runs": [run, run | {"algo": "sac"}]})
    table = adaptation_table(tmp_path)
    assert "| first correction of 90 %, one target, trials | 11 ± 2 | 12 (9 … never) | 3 |" in table
    assert "| 30 to 40 | 36 | 3 |" in table
    assert "rotation 90 (1 seeds); 2 minutes in all" in table
    assert rivals_table(tmp_path) == MISSING
