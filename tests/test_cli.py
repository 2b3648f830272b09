"""The commands as a user types them, and every mistake a user can make with them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from policies.baselines import load_algorithm
from scripts.cli import main
from scripts.tables import TABLES

REACH = ["--env", "neonate/Reach-v0"]


def train_args(out: Path, *more: str) -> list[str]:
    return ["train", *REACH, "--algo", "random", "--steps", "60", "--out", str(out), *more]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Train one."""
    folder = tmp_path / "run"
    assert main(train_args(folder)) == 0
    return folder


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("algo", ["brain", "ppo", "sac", "random"])
def test_train_writes_a_run_and_resume_goes_on(
    algo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["train", *REACH, "--algo", algo, "--seed", "4", "--out", str(out)]
    assert main([*words, "--steps", "120"]) == 0
    model = "model.neonate" if algo == "brain" else "model.zip"
    assert {"run.json", "progress.csv", model} <= set(contents(out))
    assert model in capsys.readouterr().out.replace("\n", "")
    info = json.loads((out / "run.json").read_text())
    assert info["env"] == "neonate/Reach-v0" and info["algo"] == algo and info["seed"] == 4
    assert info["steps_asked"] == 120 <= info["steps_done"]
    assert {"python", "numpy", "mujoco", "gymnasium", "stable_baselines3"} <= set(info["versions"])
    agent = load_algorithm(algo, out / model, "neonate/Reach-v0")
    assert agent.num_timesteps == info["steps_done"]

    target = str(info["steps_done"] + 30)
    assert main(["train", "--resume", "--out", str(out), "--steps", target]) == 0
    resumed = json.loads((out / "run.json").read_text())
    assert resumed["steps_done"] >= int(target)
    assert len(resumed["commands"]) == 2
    assert f"progress_from_{info['steps_done']}.csv" in contents(out)


def test_settings_of_the_brain_are_flags(tmp_path: Path) -> None:
    words = ["--algo", "brain", "--brain.babble.strongest", "0.2", "--brain.lesions", "critic"]
    assert main(["train", *REACH, *words, "--steps", "20", "--out", str(tmp_path / "run")]) == 0
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["settings"]
    assert settings["babble"]["strongest"] == 0.2 and settings["lesions"] == ["critic"]


def test_ctrl_c_leaves_a_checkpoint_that_resumes(tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["train", "--env", "Reacher-v5", "--algo", "random", "--steps", "10000000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.cli", *words, "--checkpoint-every", "100", "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (out / "run.json").exists() and json.loads((out / "run.json").read_text())["steps_done"]:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "--resume" in told and "Traceback" not in errors
    info = json.loads((out / "run.json").read_text())
    assert 100 <= info["steps_done"] < info["steps_asked"] == 10_000_000
    agent = load_algorithm("random", out / "model.zip", "Reacher-v5")
    assert agent.num_timesteps == info["steps_done"]
    target = str(info["steps_done"] + 10)
    assert main(["train", "--resume", "--out", str(out), "--steps", target]) == 0
    assert json.loads((out / "run.json").read_text())["steps_done"] == int(target)


def test_render_films_a_run(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "films" / "reach.mp4"
    words = ["render", str(run), "--out", str(out), "--episodes", "1"]
    size = ["--width", "320", "--height", "180"]
    assert main([*words, *size]) == 0
    printed = capsys.readouterr().out
    assert printed.count("return") == 1 and printed.count("success") == 1
    assert str(out) in printed.replace("\n", "")
    reader = imageio_ffmpeg.read_frames(str(out))
    meta = next(reader)
    assert meta["size"] == (320, 180) and meta["fps"] == 50
    pictures = [np.frombuffer(data, np.uint8) for data in reader]
    assert len(pictures) == 51 + 20  # one second, and 0.4 s of its end
    assert np.abs(pictures[0].astype(int) - pictures[50]).mean() > 0.2  # the arm has moved
    before = out.read_bytes()
    assert main([*words, *size]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert main([*words, "--seed", "9", *size, "--overwrite"]) == 0
    assert out.read_bytes() != before
    assert list(out.parent.iterdir()) == [out]


def test_benchmark_relates_the_brain_to_simulator_and_sac(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "benchmark.json"
    words = "--envs Reacher-v5 neonate/Reach-v0 --steps 60 --calls 5 --repeats 2".split()
    words += ["--bodies", "1", "4"]
    assert main(["benchmark", *words, "--out", str(out)]) == 0
    assert "Reacher-v5" in capsys.readouterr().out
    document = json.loads(out.read_text())
    assert set(document["envs"]) == {"Reacher-v5", "neonate/Reach-v0"}
    for result in document["envs"].values():
        assert len(result["repeats"]) == 2
        median, repeats = result["median"], result["repeats"]
        ratios = [r["training_steps_per_second"] / r["bare_steps_per_second"] for r in repeats]
        assert median["training_over_bare"] == pytest.approx(np.median(ratios))
        for n in (1, 4):
            rate = f"raised_{n}_steps_per_second"
            ratios = [r[rate] / r["bare_steps_per_second"] for r in repeats]
            assert median[f"raised_{n}_over_bare"] == pytest.approx(np.median(ratios))
        ratios = [r["learn_us"] / r["sac_update_us"] for r in repeats]
        assert median["learn_over_sac_update"] == pytest.approx(np.median(ratios))
        assert all(0 < value for value in median.values())
    assert main(["benchmark", *words, "--out", str(out)]) == 2
    table = TABLES["benchmark"](tmp_path)
    assert "| environment | bare loop, steps/s | from birth, steps/s | ratio | 1 body" in table
    assert "| 4 bodies, steps/s | ratio |" in table


@pytest.mark.parametrize("bodies", [["0"], ["8", "8"]])
def test_benchmark_refuses_numbers_of_bodies_that_mean_nothing(
    bodies: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "--bodies", *bodies]) == 2
    assert "--bodies" in capsys.readouterr().err


def test_environments_of_other_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "their_envs.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('Theirs-v0', 'gymnasium.envs.classic_control:PendulumEnv',\n"
        "                   max_episode_steps=20)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    words = ["train", "--env", "Theirs-v0", "--algo", "random", "--steps", "30"]
    words += ["--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "--env-package" in capsys.readouterr().err
    assert main([*words, "--env-package", "their_envs"]) == 0


def test_keyword_arguments_of_the_environment(tmp_path: Path) -> None:
    words = ["--env-kwargs", "reward_type=sparse", "motor_noise=0.1"]
    assert main(train_args(tmp_path / "run", *words)) == 0
    kwargs = json.loads((tmp_path / "run" / "run.json").read_text())["env_kwargs"]
    assert kwargs == {"reward_type": "sparse", "motor_noise": 0.1}


EVALUATE = ["evaluate", *REACH, "--algos", "random", "sac"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", "--env", "Recher-v5"], "did you mean Reacher-v5"),
        (["train", "--env", "neonate/Reach3d-v0"], "did you mean neonate/Reach3D-v0"),
        (["train"], "--env is missing"),
        (["train", *REACH, "--algo", "brian"], "did you mean 'brain'"),
        (["train", *REACH, "--steps", "0"], "at least 1"),
        (["train", *REACH, "--env-kwargs", "sparse"], "key=value"),
        (["train", *REACH, "--env-kwargs", "reward_type=wrong"], "reward_type is 'wrong'"),
        (["train", *REACH, "--env-package", "no_such_package"], "no_such_package"),
        (["train", "--env", "CartPole-v1", "--algo", "sac"], "continuous actions"),
        (["train", "--env", "CartPole-v1", "--algo", "brain"], "Discrete"),
        (["train", "--env", "Pendulum-v1", "--algo", "pd"], "pd needs"),
        (["evaluate", "--env", "CartPole-v1", "--algos", "random", "brain"], "Discrete"),
        (["evaluate", "--env", "Pendulum-v1", "--algos", "random", "pd"], "pd needs"),
        (["evaluate", *REACH, "--algos", "random", "sca"], "did you mean 'sac'"),
        (["evaluate", *REACH, "--algos", "sac", "sac"], "once"),
        ([*EVALUATE, "--steps", "sac=1000"], "says nothing of random"),
        ([*EVALUATE, "--steps", "1e4"], "whole number"),
        ([*EVALUATE, "--steps", "ppo=10", "10"], "'ppo' is not among"),
        ([*EVALUATE, "--seeds", "0"], "at least 1"),
        ([*EVALUATE, "--first-seed", "20010"], "overlap"),
        (["evaluate", "--env", "Reach-v0", "--algos", "random"], "did you mean neonate/Reach-v0"),
    ],
)
def test_mistakes_are_answered_in_one_line_and_nothing_is_written(
    words: list[str], hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert hint in error and error.startswith("neonate: ") and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", *REACH, "--algo", "random"], "--resume"),
        ([*EVALUATE], "--resume"),
        (["train", "--resume", "--steps", "59"], "ask for more"),
        (["train", "--resume", "--steps", "90", "--env", "Reacher-v5"], "is of neonate/Reach-v0"),
        (["train", "--resume", "--steps", "90", "--algo", "sac"], "is of random"),
    ],
)
def test_a_run_that_exists_is_not_overwritten(
    words: list[str], hint: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(run)
    assert main([*words, "--out", str(run)]) == 2
    assert hint in capsys.readouterr().err
    assert contents(run) == before


def test_resuming_a_run_that_is_whole_changes_nothing(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(run)
    assert main(["train", "--resume", "--steps", "60", "--out", str(run)]) == 0
    assert "nothing is left to do" in capsys.readouterr().out
    assert contents(run) == before


@pytest.mark.parametrize("command", ["train", "render"])
@pytest.mark.parametrize(
    ("file", "damage", "hint"),
    [
        ("run.json", b"{", "damaged"),
        ("run.json", b"[1, 2]", "damaged"),
        ("run.json", b'"steps_done": "60"', "damaged"),
        ("run.json", None, "is no run"),
        ("model.zip", b"PK\x03\x04", "cannot load"),
        ("model.zip", None, "no model"),
    ],
)
def test_damaged_runs(
    command: str,
    file: str,
    damage: bytes | None,
    hint: str,
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if damage is None:
        (run / file).unlink()
    elif damage.startswith(b'"'):  # one entry of another type
        text = (run / file).read_bytes()
        (run / file).write_bytes(text.replace(b'"steps_done": 60', damage))
    else:
        (run / file).write_bytes(damage)
    before = contents(run)
    film = tmp_path / "film.mp4"
    words = {
        "train": ["train", "--resume", "--out", str(run), "--steps", "90"],
        "render": ["render", str(run), "--out", str(film)],
    }[command]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert hint in error and error.count("\n") == 1
    assert contents(run) == before and not film.exists()


@pytest.mark.parametrize("damage", [lambda data: data[:-7], lambda data: data[:-1] + b"\x00\x01"])
def test_damaged_brains(
    damage: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["train", *REACH, "--steps", "20", "--out", str(run)]) == 0
    model = run / "model.neonate"
    model.write_bytes(damage(model.read_bytes()))
    before = contents(run)
    for words in (
        ["train", "--resume", "--out", str(run), "--steps", "40"],
        ["render", str(run), "--out", str(tmp_path / "film.mp4")],
    ):
        assert main(words) == 2
        error = capsys.readouterr().err
        assert "cannot load" in error and error.count("\n") == 1
    assert contents(run) == before


BROKEN = """
import gymnasium, numpy
from gymnasium.envs.classic_control import PendulumEnv

class Broken(PendulumEnv):
    def step(self, action):
        observation, reward, *rest = super().step(action)
        observation[2] = numpy.nan
        return observation, reward, *rest

gymnasium.register("Broken-v0", Broken, max_episode_steps=20, disable_env_checker=True)
"""


@pytest.mark.parametrize(
    "words", [["train", "--algo", "brain"], ["evaluate", "--algos", "sac"], ["train", "--algo=ppo"]]
)
def test_observations_that_are_not_finite(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "broken_envs.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    words = [*words, "--env", "Broken-v0", "--env-package", "broken_envs", "--steps", "50"]
    out = tmp_path / "out"
    assert main([*words, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    if words[0] == "evaluate":
        assert "failures.json" in error
        error = (out / "failures.json").read_text()
        assert not any(name.startswith("model") for name in contents(out))
    else:  # What is kept is the checkpoint before.
        assert json.loads((out / "run.json").read_text())["steps_done"] == 0
    assert "observation" in error and "nan" in error.lower()


@pytest.mark.parametrize("results", ["[", '[{"schema": 99}]', '{"a": 1}'])
def test_damaged_results_are_kept(
    results: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text(results)
    words = ["evaluate", *REACH, "--algos", "random", "--seeds", "1", "--resume"]
    assert main([*words, "--out", str(tmp_path)]) == 2
    assert "results.json" in capsys.readouterr().err
    assert contents(tmp_path) == {"results.json": results.encode()}


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    for command in ("train", "evaluate", "render", "benchmark", "lesion", "robustness", "survival"):
        assert command in told
