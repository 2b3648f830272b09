"""Comparisons are fair, interrupted ones lose nothing, and the figures say what they claim."""

import csv
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm

import envs  # noqa: F401  registers neonate/…
from policies import evaluation
from policies.baselines import make_algorithm
from policies.evaluation import EpisodeScores, Evaluator
from scripts import launchers, learning_curve
from scripts.cli import main
from scripts.evaluate import per_algorithm
from scripts.learning_curve import Measure
from scripts.summary import Threshold, default_thresholds, mean_curve, summarise

UNSEEN = 70_000  # episodes that are in no comparison
POINT = {"steps", "cpu_seconds", "return_mean", "return_std", "success_rate"}


class Lottery(gym.Env):
    """Each episode pays what its seed drew at reset, for 3 to 6 steps; success is told at each."""

    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Box(-1, 1, (1,))
    first_draws: list[float] = []  # noqa: RUF012  shared on purpose: what every episode drew

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        """Draw."""
        super().reset(seed=seed)
        self.pay = float(self.np_random.uniform())
        self.left = 3 + int(4 * self.pay)
        self.first_draws.append(self.pay)
        return np.zeros(2, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Pay; only a last step that pays more than one half is a success."""
        self.left -= 1
        over = self.left == 0
        success = self.pay > 0.5 if over else True
        return np.zeros(2, np.float32), self.pay, over, False, {"is_success": success}


def expected(seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Return and success of the lottery's episodes."""
    draws = np.array([np.random.default_rng(seed).uniform() for seed in seeds])
    return draws * (3 + np.floor(4 * draws)), draws > 0.5


@pytest.mark.parametrize("side_by_side", [1, 4, 50])
def test_every_evaluation_is_of_the_same_episodes(
    side_by_side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "SIDE_BY_SIDE", side_by_side)
    evaluator = Evaluator(Lottery, first_seed=40, episodes=10)
    returns, successes = expected(range(40, 50))
    for name in ("random", "sac"):
        for _ in range(2):
            scores = evaluator(make_algorithm(name, Lottery, seed=1, steps=100))
            np.testing.assert_allclose(scores.returns, returns, rtol=1e-5)
            assert scores.successes is not None
            np.testing.assert_array_equal(scores.successes, successes)
            assert scores.success_rate == successes.mean()


def test_no_success_rate_where_the_task_tells_none() -> None:
    scores = Evaluator(lambda: gym.make("Reacher-v5"), UNSEEN, 2)(
        make_algorithm("random", "Reacher-v5", seed=0)
    )
    assert scores.successes is None and scores.success_rate is None
    assert scores.lengths.tolist() == [50, 50]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["brain", "ppo", "td3"])
def test_evaluation_leaves_no_trace_in_training(name: str) -> None:
    def train(every: int) -> tuple[BaseAlgorithm, Measure]:
        agent = make_algorithm(name, "neonate/Reach-v0", seed=5, steps=150)
        evaluator = Evaluator(lambda: gym.make("neonate/Reach-v0"), UNSEEN, 2)
        measure = Measure(evaluator, every, 150, lambda steps: None)
        agent.learn(150, callback=measure)
        return agent, measure

    (often, many), (once, one) = train(30), train(10_000)
    assert often.num_timesteps == once.num_timesteps == many.curve[-1].steps
    assert len(many.curve) > 4 and len(one.curve) == 1
    if name == "brain":
        states = [agent.get_parameters()["brain"] for agent in (often, once)]
        assert all(np.array_equal(states[0][k], states[1][k]) for k in states[0])
    else:
        states = [agent.policy.state_dict() for agent in (often, once)]
        assert all((states[0][k] == states[1][k]).all() for k in states[0])
    assert many.curve[-1].return_mean == one.curve[-1].return_mean


class Slow:
    """An evaluator that burns CPU time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, agent: BaseAlgorithm) -> EpisodeScores:
        """Burn."""
        begun = time.process_time()
        while time.process_time() - begun < self.seconds:
            pass
        return EpisodeScores(np.zeros(1), np.ones(1, np.int64), None)


def test_time_of_evaluation_is_not_counted() -> None:
    agent = make_algorithm("random", "Reacher-v5", seed=0)
    measure = Measure(Slow(0.3), 20, 100, lambda steps: None)  # type: ignore[arg-type]
    agent.learn(100, callback=measure)
    assert [point.steps for point in measure.curve] == [20, 40, 60, 80, 100]
    seconds = [point.cpu_seconds for point in measure.curve]
    assert seconds == sorted(seconds)
    assert 0 < seconds[-1] < 0.3


def evaluate_args(out: Path, *more: str) -> list[str]:
    """Spell a tiny comparison as a user would."""
    words = "--env neonate/Reach-v0 --algos random pd sac --steps sac=40 random=1 pd=1 --seeds 2"
    words += f" --first-seed 3 --eval-episodes 2 --eval-seed {UNSEEN} --eval-every sac=20"
    words += " random=1 pd=1"
    return ["evaluate", *words.split(), "--out", str(out), *more]


def test_evaluate_writes_results_summary_and_curves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "comparison"
    words = evaluate_args(out, "--success-thresholds", "0.5", "--thresholds", "-60")
    monkeypatch.setattr(sys, "argv", ["neonate", *words])  # the command that a record repeats
    assert main(words) == 0
    records = json.loads((out / "results.json").read_text())
    assert [(r["algo"], r["seed"]) for r in records] == [
        (name, seed) for name in ("random", "pd", "sac") for seed in (3, 4)
    ]
    for record in records:
        assert record["env"] == "neonate/Reach-v0" and record["schema"] == 1
        assert record["eval"]["first_seed"] == UNSEEN and record["eval"]["episodes"] == 2
        assert {"python", "numpy", "mujoco", "gymnasium", "stable_baselines3"} <= set(
            record["versions"]
        )
        assert record["command"].startswith("neonate ")
        assert all(set(point) == POINT for point in record["curve"])
        steps = [20, 40] if record["algo"] == "sac" else [0]
        assert [point["steps"] for point in record["curve"]] == steps
    rows = {row["algo"]: row for row in csv.DictReader((out / "summary.csv").open())}
    assert set(rows) == {"random", "pd", "sac"}
    finals = [r["curve"][-1]["return_mean"] for r in records if r["algo"] == "sac"]
    assert float(rows["sac"]["return_mean"]) == pytest.approx(np.mean(finals), rel=1e-5)
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "profiles.png").read_bytes().startswith(b"\x89PNG")
    written = {"results.json", "summary.csv", "improvement.csv", "curves.png", "profiles.png"}
    assert {p.name for p in out.iterdir()} == written
    assert float(rows["sac"]["normalised_iqm"]) == pytest.approx(1, abs=1e-5)  # the best of SB3
    assert float(rows["random"]["normalised_iqm"]) == pytest.approx(0, abs=1e-5)
    pairs = {(r["algo"], r["than"]): r for r in csv.DictReader((out / "improvement.csv").open())}
    assert len(pairs) == 6 and float(pairs["pd", "random"]["probability"]) == 1
    printed = capsys.readouterr().out
    assert "To return -60" in printed and "To 50 % success" in printed


def test_an_interrupted_comparison_is_finished_by_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[tuple[str, int]] = []

    def interrupted(run: Any, report: Any) -> list[dict[str, Any]]:
        if len(begun) == 3:
            raise KeyboardInterrupt
        begun.append((run.algo, run.seed))
        return learning_curve.run_curve(run, report)

    monkeypatch.setattr(launchers, "run_curve", interrupted)
    assert main(evaluate_args(tmp_path, "--jobs", "1")) == 130
    kept = json.loads((tmp_path / "results.json").read_text())
    assert [(r["algo"], r["seed"]) for r in kept] == begun
    assert main(evaluate_args(tmp_path)) == 2
    assert "--resume" in capsys.readouterr().err
    assert json.loads((tmp_path / "results.json").read_text()) == kept

    begun.clear()
    assert main(evaluate_args(tmp_path, "--resume", "--jobs", "1")) == 0
    assert begun == [("pd", 4), ("sac", 3), ("sac", 4)]
    assert json.loads((tmp_path / "results.json").read_text())[:3] == kept
    begun.clear()
    assert main(evaluate_args(tmp_path, "--resume", "--jobs", "1")) == 0
    assert begun == []


def test_processes_side_by_side_give_the_same_curves(tmp_path: Path) -> None:
    words = f"evaluate --env Reacher-v5 --algos pd --seeds 1 --eval-seed {UNSEEN}".split()
    words += ["--eval-episodes", "3"]
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    assert main([*words, "--out", str(tmp_path / "two"), "--jobs", "2"]) == 0
    one, two = (json.loads((tmp_path / d / "results.json").read_text()) for d in ("one", "two"))
    curves = [{r["algo"]: r["curve"] for r in records} for records in (one, two)]
    assert curves[0] == curves[1]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("3000",), {"brain": 3000, "sac": 3000}),
        (("brain=300", "sac=30000"), {"brain": 300, "sac": 30000}),
        (("500", "sac=30_000"), {"brain": 500, "sac": 30000}),
    ],
)
def test_steps_by_algorithm(words: tuple[str, ...], numbers: dict[str, int]) -> None:
    assert per_algorithm("--steps", words, ("brain", "sac")) == numbers


def test_ten_evaluations_where_nothing_is_said() -> None:
    steps = {"brain": 300, "sac": 30_000}
    assert per_algorithm("--eval-every", (), tuple(steps), steps) == {"brain": 30, "sac": 3000}


def test_seeds_by_algorithm(tmp_path: Path) -> None:
    words = f"--algos random pd --seeds random=3 pd=1 --first-seed 5 --eval-seed {UNSEEN}".split()
    words += ["--env", "Reacher-v5", "--eval-episodes", "1", "--out", str(tmp_path)]
    assert main(["evaluate", *words]) == 0
    records = json.loads((tmp_path / "results.json").read_text())
    assert [(r["algo"], r["seed"]) for r in records] == [
        ("random", 5),
        ("random", 6),
        ("random", 7),
        ("pd", 5),
    ]


def record(algo: str, seed: int, *points: tuple[float, ...]) -> dict[str, Any]:
    """Spell a record; a point is steps, CPU seconds, return and perhaps success."""
    keys = ("steps", "cpu_seconds", "return_mean", "success_rate")
    curve = [dict(zip(keys, (*p, None)[:4], strict=True)) | {"return_std": 0.0} for p in points]
    return {"algo": algo, "seed": seed, "curve": curve}


SYNTHETIC = [
    record("brain", 0, (100, 0.1, -9), (200, 0.2, -4), (300, 0.3, -3)),
    record("brain", 1, (100, 0.1, -7), (200, 0.4, -6), (300, 0.5, -3)),
    record("sac", 0, (1000, 10, -9), (2000, 20, -6), (3000, 30, -5)),
    record("sac", 1, (1000, 10, -9), (2000, 20, -5), (3000, 30, -4)),
    record("ppo", 0, (1000, 1, -9), (9000, 9, -5)),
    record("random", 0, (0, 0, -40)),
]


def test_figures_of_the_summary() -> None:
    reachable, too_high = Threshold("return_mean", -5.0), Threshold("return_mean", -3.5)
    rows = {row.algo: row for row in summarise(SYNTHETIC, [reachable, too_high])}
    brain, sac = rows["brain"], rows["sac"]
    assert list(rows) == ["brain", "ppo", "sac", "random"]
    assert (brain.final_return, brain.worst_seed, brain.steps) == (-3, -3, 300)
    assert (sac.final_return, sac.worst_seed, sac.seeds) == (-4.5, -5, 2)
    assert sac.final_half_width == pytest.approx(12.706 * 0.5, rel=1e-3)  # t of 1 degree, 97.5 %
    assert math.isnan(rows["ppo"].final_half_width)

    cost = brain.costs[0]  # mean over seeds is -8, -5, -3
    assert (cost.steps, cost.cpu_seconds) == (200, pytest.approx(0.3))
    assert cost.steps_ratio == 3000 / 200  # SAC's steps, as it took fewer than PPO
    assert cost.cpu_ratio == pytest.approx(9 / 0.3)  # PPO's seconds, as it took fewer than SAC
    assert not cost.at_least
    assert sac.costs[0].steps_ratio == 1

    bound = brain.costs[1]  # no SB3 algorithm got there: at least the smallest budget
    assert bound.at_least and bound.steps == 300
    assert bound.steps_ratio == 3000 / 300 and bound.cpu_ratio == pytest.approx(9 / 0.4)
    assert math.isinf(sac.costs[1].steps) and math.isinf(rows["random"].costs[0].steps)


def test_default_thresholds() -> None:
    assert default_thresholds(SYNTHETIC) == [Threshold("return_mean", -4.5)]
    told = [record("sac", 0, (10, 1, -9, 0.0), (20, 2, -5, 0.5))]
    assert default_thresholds(told) == [
        Threshold("return_mean", -5),
        Threshold("success_rate", 0.9),
    ]
    assert default_thresholds([SYNTHETIC[0]]) == []


def test_mean_curve_of_seeds_evaluated_at_different_steps() -> None:
    curve = mean_curve(
        [record("ppo", 0, (10, 1, 0), (30, 3, 20)), record("ppo", 1, (20, 2, 0), (40, 4, 20))],
        "return_mean",
    )
    assert curve.steps.tolist() == [20, 30]
    assert curve.mean.tolist() == [5, 15]
    assert curve.cpu_seconds.tolist() == [2, 3]
