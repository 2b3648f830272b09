"""Lesions of trained brains, and the command that compares them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from agent.config import LESIONS
from policies.baselines import make_algorithm
from policies.lesioned import lesion_trained
from scripts.cli import main
from scripts.intervals import interval_of
from scripts.lesion import table_of
from scripts.tasks import Task

TASKS = {"neonate/Reach3D-v0": 500, "Ant-v5": 1500}
# What a frozen brain does without these differs from what it does with them.
CHANGES = {
    "neonate/Reach3D-v0": {
        "body_schema",
        "cerebellum",
        "granule_cells",
        "fast_state",
        "spinal_cord",
    },
    "Ant-v5": {"body_schema"},
}


@pytest.fixture(scope="module")
def trained():
    agents = {}
    for env, steps in TASKS.items():
        agents[env] = make_algorithm("brain", Task(env), 0).learn(steps)
    return agents


def actions(agent, env_id: str) -> np.ndarray:
    env = DummyVecEnv([Task(env_id)])
    env.seed(7)
    seen, state, start, done = env.reset(), None, np.ones(1, bool), []
    for _ in range(40):
        action, state = agent.predict(seen, state, start, deterministic=True)
        seen, _, start, _ = env.step(action)
        done.append(action[0])
    return np.array(done)


@pytest.mark.parametrize("env_id", TASKS)
@pytest.mark.parametrize("name", LESIONS)
def test_a_trained_brain_lives_on_without_a_part(trained, env_id: str, name: str) -> None:
    agent = trained[env_id]
    before = {key: part.copy() for key, part in agent.brain.state().items()}
    lesioned = lesion_trained(agent, [name])
    assert lesioned.brain.config.lesions == (name,) and agent.brain.config.lesions == ()
    moves = actions(lesioned, env_id)
    assert np.isfinite(moves).all()
    for key, part in agent.brain.state().items():
        np.testing.assert_array_equal(part, before[key], err_msg=key)
    if name in CHANGES[env_id]:
        assert not np.array_equal(moves, actions(agent, env_id))


def test_no_lesion_leaves_a_brain_as_it_is(trained) -> None:
    agent = trained["neonate/Reach3D-v0"]
    same = actions(lesion_trained(agent, []), "neonate/Reach3D-v0")
    np.testing.assert_array_equal(same, actions(agent, "neonate/Reach3D-v0"))


def test_without_heading_a_brain_does_not_steer(trained) -> None:
    lesioned = lesion_trained(trained["Ant-v5"], ["heading"])
    assert lesioned.brain.summary()["heading_known"] == 0.0


def test_an_unknown_part_is_refused(trained) -> None:
    with pytest.raises(ValueError, match="cannot lesion 'soul'"):
        lesion_trained(trained["Ant-v5"], ["soul"])


def test_a_lesioned_brain_learns_on(trained) -> None:
    lesioned = lesion_trained(trained["neonate/Reach3D-v0"], ["granule_cells"])
    lesioned.set_env(DummyVecEnv([Task("neonate/Reach3D-v0")]))
    steps = lesioned.brain.steps
    lesioned.learn(50)
    assert lesioned.brain.steps == steps + 50


def test_the_command_scores_each_lesion_both_ways_and_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    words = ["lesion", "--env", "neonate/Reach-v0", "--steps", "200", "--eval-episodes", "2"]
    words += ["--regions", "cerebellum", "habit", "--out", str(out)]
    assert main([*words, "--seeds", "1"]) == 0
    first = json.loads((out / "lesions.json").read_text())
    assert main([*words, "--seeds", "2"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--seeds", "2", "--resume"]) == 0
    document = json.loads((out / "lesions.json").read_text())
    assert document["runs"][:5] == first["runs"] and len(document["runs"]) == 10
    rows = {(row["lesion"], row["when"]): row for row in document["table"]}
    assert set(rows) == {
        ("intact", "from birth"),
        *((name, when) for name in ("cerebellum", "habit") for when in WHEN),
    }
    assert rows["habit", "from birth"]["return_change"] == 0.0  # an arm does not crawl
    assert rows["cerebellum", "after learning"]["return_change"] < 0.0
    assert (out / "lesions.png").stat().st_size > 1000
    with open(out / "lesions.csv") as file:
        assert len(list(csv.DictReader(file))) == len(document["table"])
    other = ["--resume", "--seeds", "2"]
    assert main([*(w if w != "200" else "300" for w in words), *other]) == 2
    assert "another study" in capsys.readouterr().err


WHEN = ("from birth", "after learning")


def test_a_cost_is_one_that_seeds_agree_on() -> None:
    def run(lesion: str, seed: int, value: float) -> dict:
        when = "from birth"
        return {
            "lesion": lesion,
            "when": when,
            "seed": seed,
            "return_mean": value,
            "success_rate": None,
        }

    runs = [run("intact", s, 10.0 * s) for s in range(4)]
    runs += [run("cerebellum", s, 10.0 * s - 3.0 - 0.1 * s) for s in range(4)]
    runs += [run("habit", s, 10.0 * s + (-1) ** s) for s in range(4)]
    table = {row["lesion"]: row for row in table_of(runs, ["cerebellum", "habit"])}
    assert table["cerebellum"]["costs"] and not table["habit"]["costs"]
    assert table["cerebellum"]["return_change"] == pytest.approx(-3.15)


def test_intervals() -> None:
    assert interval_of([2.0]).low is None
    found = interval_of([1.0, 2.0, 3.0])
    assert found.mean == 2.0 and found.low == pytest.approx(2.0 - 4.303 / np.sqrt(3), abs=1e-3)
    assert interval_of([-1.0, -1.1]).below_0 and not interval_of([-1.0, 1.0]).below_0


def test_unknown_regions_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["lesion", "--env", "neonate/Reach-v0", "--regions", "soul", "--out", str(tmp_path)]
    assert main(words) == 2
    assert "soul" in capsys.readouterr().err
