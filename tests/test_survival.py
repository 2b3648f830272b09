"""Kills, full disks, damaged files and long lives."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from policies import model_file
from policies.baselines import make_algorithm
from scripts import survival_fuzz
from scripts.cli import main
from scripts.files import claim_folder
from scripts.run_folder import RunFolder
from scripts.survival_kills import KillStudy
from scripts.survival_steps import LOOKS
from scripts.tasks import Task

REACH = ["train", "--env", "neonate/Reach-v0", "--seed", "5", "--checkpoint-every", "100"]


def train(out: Path, *words: str) -> int:
    return main([*REACH, "--out", str(out), *words])


@pytest.mark.parametrize(("env", "steps"), [("neonate/Reach-v0", 300), ("neonate/CrawlTo-v0", 600)])
def test_killed_training_ends_as_if_it_had_not_been(env: str, steps: int, tmp_path: Path) -> None:
    study = KillStudy(env, steps, 100, seed=1)
    found = study.run(tmp_path, kills=2, rng=np.random.default_rng(2))  # (Early)
    assert found["identical"] == found["kills"] == 2 and found["killed_in_time"] >= 1
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_resumed_run_keeps_its_checkpoints_apart(tmp_path: Path) -> None:
    assert train(tmp_path / "a", "--steps", "250") == 0
    info = RunFolder(tmp_path / "a").read()
    assert info.checkpoint_every == 100 and info.steps_done == 250


def test_a_run_of_before_checkpoints_were_recorded_is_read(tmp_path: Path) -> None:
    assert train(tmp_path / "a", "--steps", "20") == 0
    path = tmp_path / "a" / "run.json"
    values = json.loads(path.read_text())
    del values["checkpoint_every"]
    path.write_text(json.dumps(values))
    assert RunFolder(tmp_path / "a").read().checkpoint_every == 0


@pytest.mark.parametrize(("number", "word"), [(errno.ENOSPC, "space"), (errno.EROFS, "Read-only")])
def test_a_disk_that_refuses_leaves_the_checkpoint_before(
    number: int,
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, saves, sync = tmp_path / "a", [], os.fsync

    def refuse(file: int) -> None:
        saves.append(file)
        if len(saves) > 2:
            raise OSError(number, os.strerror(number))
        sync(file)

    monkeypatch.setattr(model_file.os, "fsync", refuse)
    assert train(out, "--steps", "300") == 2
    told = capsys.readouterr().err
    assert word in told and "the checkpoint before is still there" in told
    assert "Traceback" not in told
    monkeypatch.undo()
    assert RunFolder(out).read().steps_done == 100
    assert not list(out.glob(".*"))
    assert main(["train", "--resume", "--out", str(out), "--steps", "300"]) == 0
    assert train(tmp_path / "b", "--steps", "300") == 0
    whole, resumed = (tmp_path / name / "model.neonate" for name in "ba")
    assert whole.read_bytes() == resumed.read_bytes()


def test_a_file_that_may_not_grow_is_a_clear_error(tmp_path: Path) -> None:
    """The kernel itself refuses here: no file may be longer than 20 kB."""
    out = tmp_path / "a"
    code = (
        "import resource, signal, sys; from scripts.cli import main; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        f"sys.exit(main({[*REACH, '--steps', '300', '--out', str(out)]!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "File too large" in done.stderr and "Traceback" not in done.stderr
    assert not list(out.glob(".*"))


def test_what_a_kill_left_half_written_is_swept_away(tmp_path: Path) -> None:
    for name in (".model.neonate.12ab34cd.tmp", ".run.part.json", ".model.zip.part.zip"):
        (tmp_path / name).write_text("half")
    claim_folder(tmp_path, resume=False)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_many_bodies_waits_for_one_of_them(tmp_path: Path) -> None:
    words = ["--steps", "1000", "--n-envs", "3", "--checkpoint-every", "350"]
    assert train(tmp_path / "a", *words) == 0
    assert RunFolder(tmp_path / "a").read().steps_done >= 1000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "brain.neonate"
    agent = make_algorithm("brain", DummyVecEnv([Task("neonate/Reach-v0")]), 0)
    agent.learn(200).save(path)
    return path.read_bytes()


def test_mutated_files_are_refused_or_load(model: bytes, tmp_path: Path) -> None:
    run = json.dumps({"env": "a", "schema": 1}).encode()
    texts = {"run": run, "records": b"[]", "config": b'{"lesions": []}'}
    found = survival_fuzz.fuzz(model, texts, 150, np.random.default_rng(0), tmp_path)
    assert found.failures == []
    assert found.refused > 50 and found.refused + found.loaded == 150
    assert sum(found.kinds.values()) == 150


def test_an_error_that_nobody_foresaw_is_counted(
    model: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise IndexError("oops")

    monkeypatch.setattr(survival_fuzz.BrainAgent, "load", broken)
    found = survival_fuzz.fuzz(model, {"config": b"{}"}, 10, np.random.default_rng(0), tmp_path)
    assert found.failures and "IndexError: oops" in found.failures[0]["error"]


def test_a_forged_file_has_a_valid_signature(model: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.neonate"
    path.write_bytes(model)
    document, arrays = model_file.read(path)
    rng, valid = np.random.default_rng(0), 0
    for _ in range(20):
        data, _ = survival_fuzz.forge(document, arrays, rng)
        if data:
            path.write_bytes(data)
            model_file.read(path)
            valid += 1
    assert valid > 15


def test_the_command_writes_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["survival", "--out", str(tmp_path), "--envs", "neonate/Reach-v0"]
    assert main(words) == 2
    assert "nothing is asked for" in capsys.readouterr().err
    assert main([*words, "--steps", "300", "--mutations", "5", "--mutation-steps", "100"]) == 0
    life = json.loads((tmp_path / "steps.json").read_text())["studies"][0]
    assert len(life["looks"]) == LOOKS and life["finite"] and life["steps"] == 300
    found = json.loads((tmp_path / "mutations.json").read_text())["studies"][0]
    assert found["refused"] + found["loaded"] + found["failed"] == 5


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [("brain/body_schema.form", 0, 0.0), ("brain/cerebellum.weights", 3, 1e300)],
)
def test_numbers_that_no_brain_has_are_refused(
    name: str, index: int, value: float, model: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "m.neonate"
    path.write_bytes(model)
    document, arrays = model_file.read(path)
    arrays[name].reshape(-1)[index] = value
    model_file.write(path, document, arrays)
    with pytest.raises(model_file.ModelFileError, match="not one that this Neonate can make"):
        survival_fuzz.BrainAgent.load(path)
