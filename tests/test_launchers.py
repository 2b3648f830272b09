"""Runs side by side, on shards and on a Ray cluster come to the same file; broken ones are told."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.cli import main
from scripts.errors import UserError
from scripts.launchers import longest_first
from scripts.learning_curve import Run
from scripts.records import parse_shard
from scripts.tasks import Task
from scripts.versions import command_line

FRAGILE = '''
"""An environment that breaks, or takes its process with it, when it is trained with some seeds."""

import os
import signal
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Fragile(gym.Env):
    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Box(-1, 1, (1,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        healed = Path(__file__).with_name("healed").exists()
        if seed == 4 and not healed:
            raise RuntimeError("broken\\non purpose")
        if seed == 5 and not healed:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left = 5
        return self.observation_space.sample() * 0, {}

    def step(self, action):
        self.left -= 1
        return np.zeros(2, np.float32), float(-action[0] ** 2), self.left == 0, False, {}


gym.register("Fragile-v0", Fragile)
'''


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Spell a comparison in which seed 4 raises and seed 5 dies, until a file `healed` is there."""
    name = f"fragile_{tmp_path.name}"  # a module of its own: Python remembers the others
    (tmp_path / f"{name}.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(tmp_path)
    words = f"evaluate --env Fragile-v0 --env-package {name} --algos sac --steps 10 --seeds 4"
    words += " --first-seed 3 --eval-seed 70000 --eval-episodes 2 --eval-every 10"
    return [*words.split(), "--out", str(tmp_path / "out")]


def seeds_of(path: Path) -> list[int]:
    return [record["seed"] for record in json.loads(path.read_text())]


def test_a_broken_run_is_told_and_does_not_stop_the_rest(
    fragile: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([*fragile, "--jobs", "2"]) == 2
    told = capsys.readouterr()
    assert "2 of 4 runs broke" in told.err and "failures.json" in told.err
    assert "sac seed 4 broke: RuntimeError: broken on purpose" in told.out
    assert "SIGKILL" in told.out
    assert seeds_of(out / "results.json") == [3, 6]
    failures = {f["seed"]: f for f in json.loads((out / "failures.json").read_text())}
    assert set(failures) == {4, 5}
    assert "in reset" in "\n".join(failures[4]["traceback"])
    assert (out / "summary.csv").exists()

    kept = (out / "results.json").read_bytes()
    (tmp_path / "healed").touch()
    assert main([*fragile, "--jobs", "2", "--resume"]) == 0
    assert "2 of 4 runs are finished already" in capsys.readouterr().out
    assert seeds_of(out / "results.json") == [3, 4, 5, 6]
    assert not (out / "failures.json").exists()
    merged = json.loads((out / "results.json").read_text())
    assert [merged[0], merged[3]] == json.loads(kept)  # what was finished was not run again


def test_a_broken_run_in_the_same_process(fragile: list[str], tmp_path: Path) -> None:
    words = list(fragile)
    words[words.index("--seeds") + 1] = "2"  # 3 and 4: the one that would kill us is left out
    assert main([*words, "--jobs", "1"]) == 2
    assert seeds_of(tmp_path / "out" / "results.json") == [3]


def priors(out: Path, *more: str) -> list[str]:
    """Spell a comparison of algorithms that do not learn: not even seconds can differ."""
    words = "evaluate --env neonate/Reach-v0 --algos pd random --seeds 3 --eval-episodes 2"
    return [*words.split(), "--eval-seed", "70000", "--out", str(out), *more]


def test_shards_come_together_to_the_same_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(out: Path, *more: str) -> int:
        monkeypatch.setattr("sys.argv", ["neonate", *priors(Path("x"), *more)])
        return main(priors(out, *more))

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(whole, "--jobs", "2") == 0
    for i in (1, 3):  # the machine of the second was lost
        assert run(parts, "--shard", f"{i}/3", "--jobs", "1") == 0
    assert {p.name for p in parts.iterdir()} == {"shard-1-of-3", "shard-3-of-3"}
    assert main(priors(parts)) == 2  # not empty
    capsys.readouterr()
    assert run(parts, "--jobs=1") == 2
    monkeypatch.setattr("sys.argv", ["neonate", *priors(Path("x"))])
    assert main(priors(parts, "--resume", "--jobs", "1")) == 0
    assert "4 of 6 runs are finished already" in capsys.readouterr().out
    assert (parts / "results.json").read_bytes() == (whole / "results.json").read_bytes()


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_shard_that_does_not_exist(text: str) -> None:
    with pytest.raises(UserError, match="--shard"):
        parse_shard(text)


@pytest.mark.parametrize(
    "more", [("--jobs", "2", "--launcher", "ray"), ("--ray-address", "x:1"), ("--jobs", "0")]
)
def test_flags_that_do_not_go_together(
    more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(priors(tmp_path / "out", *more)) == 2
    assert more[0] in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_command_is_told_without_where_it_was_run() -> None:
    words = ["evaluate", "--jobs", "2", "--env", "a", "--shard=1/2", "--ray-address", "h:1", "--x"]
    told = command_line(words, without=("--jobs", "--shard", "--ray-address"))
    assert told == "neonate evaluate --env a --x"
    assert command_line(words[:3]) == "neonate evaluate --jobs 2"


def test_long_runs_begin_first() -> None:
    def run(algo: str, steps: int) -> Run:
        return Run(Task("Reacher-v5"), algo, 0, steps, 1, 1, 0)

    runs = [run("random", 0), run("brain", 300), run("ppo", 3000), run("sac", 1000)]
    assert [r.algo for r in longest_first(runs)] == ["sac", "ppo", "brain", "random"]


def plain(path: Path) -> list[dict[str, Any]]:
    """Read results without the seconds, which no two measurements have in common."""
    records = json.loads(path.read_text())
    for record in records:
        for point in record["curve"]:
            del point["cpu_seconds"]
    return records


def test_learning_side_by_side_gives_the_same_results(tmp_path: Path) -> None:
    words = "evaluate --env neonate/Reach-v0 --algos brain sac --steps 60 --seeds 2".split()
    words += "--eval-seed 70000 --eval-episodes 2 --eval-every 30".split()
    for name, jobs in (("one", "1"), ("two", "2")):
        assert main([*words, "--out", str(tmp_path / name), "--jobs", jobs]) == 0
    assert plain(tmp_path / "one" / "results.json") == plain(tmp_path / "two" / "results.json")
