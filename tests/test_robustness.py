"""The battery of disturbances, and the command that goes through it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from envs.disturbances import Disturbance, StuckSensor, WeakActuator
from policies.baselines import make_algorithm
from scripts.battery import BATTERY, CLEAN, Felt, disturbed, feel
from scripts.cli import main
from scripts.robustness import table_of
from scripts.tasks import Task

SMALL = ["--eval-episodes", "2", "--disturbances", "stuck_0", "dead"]


@pytest.mark.parametrize("name", BATTERY)
@pytest.mark.parametrize("env_id", ["neonate/Reach-v0", "HalfCheetah-v5"])
def test_every_disturbance_can_be_made(name: str, env_id: str) -> None:
    task = Task(env_id)
    felt = feel(task, make_algorithm("random", task, 0), 5, 1)
    env = disturbed(task, name, felt)()
    assert isinstance(env, Disturbance)
    env.reset(seed=0)
    observation = env.step(env.action_space.sample())[0]
    assert env.observation_space.contains(observation)


def test_what_is_felt_is_measured() -> None:
    task = Task("neonate/Reach-v0")
    felt = feel(task, make_algorithm("random", task, 0), 5, 2)
    assert set(felt.spread) == {"observation", "achieved_goal", "desired_goal"}
    assert (felt.spread["observation"] > 0.0).all() and ("achieved_goal", 1) in felt.moving
    assert all(key != "desired_goal" for key, _ in felt.moving)


def test_a_number_chooses_one_sensor_and_motor_for_all_episodes() -> None:
    task, felt = Task("HalfCheetah-v5"), Felt(np.ones(17), [3, 5, 7])
    sensors, motors = set(), set()
    stuck = disturbed(task, "stuck_0", felt, which=4)()
    dead = disturbed(task, "dead", felt, which=8)()
    assert isinstance(stuck, StuckSensor) and isinstance(dead, WeakActuator)
    for seed in range(5):
        stuck.reset(seed=seed)
        dead.reset(seed=seed)
        sensors.add(stuck.stuck)
        motors.add(dead.weak)
    assert sensors == {("", 5)} and motors == {2}
    assert disturbed(task, CLEAN, felt) is task


def test_the_command_trains_measures_and_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "battery"
    words = ["robustness", "--env", "neonate/Reach-v0", "--out", str(out), *SMALL]
    words += ["--algos", "brain", "random", "--steps", "200"]
    assert main(words) == 0
    first = json.loads((out / "robustness.json").read_text())
    assert len(first["runs"]) == 6
    assert (out / "agents" / "brain-0" / "model.neonate").is_file()
    assert main(words) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--resume", "--learn-on", "100"]) == 0
    document = json.loads((out / "robustness.json").read_text())
    assert document["runs"][:6] == first["runs"]
    learnt = [(r["algo"], r["disturbance"]) for r in document["runs"] if r["learn_on"] == 100]
    assert learnt == [("brain", "stuck_0"), ("brain", "dead")]
    rows = {(r["algo"], r["disturbance"], r["learn_on"]): r for r in document["table"]}
    assert "retained" not in rows["brain", "dead", 0]  # returns are negative there
    assert rows["brain", "clean", 0]["return"] > rows["brain", "dead", 0]["return"]
    assert (out / "robustness.png").stat().st_size > 1000
    with open(out / "robustness.csv") as file:
        assert len(list(csv.DictReader(file))) == len(document["table"])
    assert main([*words, "--resume", "--steps", "900"]) == 0  # everything asked is measured
    more = ["--resume", "--disturbances", "push", "--steps", "900"]
    assert main([*words, *more]) == 2
    assert "200 of 900 steps" in capsys.readouterr().err


def test_a_share_is_of_the_agents_own_clean_score() -> None:
    def run(seed: int, name: str, value: float) -> dict:
        return {
            "algo": "brain",
            "seed": seed,
            "disturbance": name,
            "learn_on": 0,
            "return_mean": value,
            "returns": [value],
            "success_rate": None,
        }

    runs = [run(0, CLEAN, 100.0), run(1, CLEAN, 50.0), run(0, "push", 80.0), run(1, "push", 50.0)]
    rows = {row["disturbance"]: row for row in table_of(runs, ["brain"], ["push"])}
    assert rows["push"]["retained"] == pytest.approx(0.9)
    assert rows["push"]["worst_episode"] == 50.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--disturbances", "earthquake"], "earthquake"),
        (["--env", "Pendulum-v1"], "MuJoCo"),
        (["--first-seed", "20000"], "overlap"),
    ],
)
def test_nonsense_is_refused(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = ["robustness", "--env", "neonate/Reach-v0", "--out", str(tmp_path / "b")]
    assert main([*start, "--algos", "random", "--steps", "1", *SMALL, *words]) == 2
    assert told in capsys.readouterr().err
