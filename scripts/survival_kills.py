"""Training that is killed at random moments, and how it ends after it was resumed."""

import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.errors import UserError


@dataclass(frozen=True)
class KillStudy:
    """One run that is trained once without interruption, then killed again and again.

    Processes are forked from this one, which has imported everything: a kill then falls on
    training and not on the imports.
    """

    env: str
    steps: int
    checkpoint_every: int
    seed: int

    def words(self, out: Path, resume: bool) -> list[str]:
        """Words of the command that trains it."""
        words = ["train", "--out", str(out), "--steps", str(self.steps)]
        if resume:
            return [*words, "--resume"]
        words += ["--env", self.env, "--seed", str(self.seed)]
        return [*words, "--checkpoint-every", str(self.checkpoint_every)]

    def run(self, folder: Path, kills: int, rng: np.random.Generator) -> dict[str, Any]:
        """Kill it so many times, at moments uniform over the time that it takes.

        Returns:
            How many endings equalled the uninterrupted one bit by bit, and when the kills came.

        """
        whole = folder / "whole"
        begun = time.monotonic()
        if _wait(_start(self.words(whole, resume=False))) != 0:
            raise UserError(f"training of {self.env} fails without being killed")
        seconds = time.monotonic() - begun
        model = (whole / "model.neonate").read_bytes()
        outcomes = []
        for i in range(kills):
            out = folder / f"killed-{i}"
            after = float(rng.uniform(0.0, seconds))
            outcomes.append({"after_s": round(after, 3), **self._kill_once(out, after, model)})
            shutil.rmtree(out, ignore_errors=True)
        return {
            "env": self.env,
            "steps": self.steps,
            "checkpoint_every": self.checkpoint_every,
            "seed": self.seed,
            "uninterrupted_s": round(seconds, 3),
            "kills": kills,
            "killed_in_time": sum(one["killed"] for one in outcomes),
            "identical": sum(one["identical"] for one in outcomes),
            "outcomes": outcomes,
        }

    def _kill_once(self, out: Path, after: float, model: bytes) -> dict[str, Any]:
        process = _start(self.words(out, resume=False))
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
        killed = _wait(process) == -signal.SIGKILL
        saved = (out / "run.json").is_file()
        code = _wait(_start(self.words(out, resume=saved))) if killed else 0
        ended = out / "model.neonate"
        same = code == 0 and ended.is_file() and ended.read_bytes() == model
        left = [path.name for path in out.glob(".*")] if out.is_dir() else []
        return {"killed": killed, "resumed": saved, "code": code, "identical": same, "left": left}


def _start(words: list[str]) -> int:
    """Run a command in a forked process, silently; return its id."""
    from scripts.cli import main  # it imports this module

    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        code = main(words)
    finally:
        os._exit(code)


def _wait(process: int) -> int:
    """Return the exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
