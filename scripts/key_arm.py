"""The keyboard laboratory with an arm: practice from birth, night by night."""

from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

import envs  # noqa: F401  it registers the tasks
from agent.config import BrainConfig, MotorCortexConfig, SleepConfig
from agent.motor_programs.blending import UNDER_WAY
from policies import BrainAgent

Row = dict[str, Any]

TASK: Row = {"keys": 7, "length": 6, "cues": 4, "parts": 3}
NIGHT = 2000  # (Steps between two nights)
_LAST = 20  # (Trials at the end that are judged)
_MOST_STEPS = 60_000
_STEP_MS = 10


class Diary(BaseCallback):
    """Writes down every trial, and ends the life after so many.

    Attributes:
        trials: of each: errors, steps, decisions, and its presses.

    """

    def __init__(self, trials: int) -> None:
        super().__init__()
        self.trials: list[Row] = []
        self._most = trials
        self._presses: list[Row] = []
        self._steps = 0

    def _on_training_start(self) -> None:
        self.model.brain.trace.enabled = True  # type: ignore[attr-defined]

    def _on_step(self) -> bool:
        brain, memory = self.model.brain, self.locals["memory"]  # type: ignore[attr-defined]
        info, self._steps = self.locals["infos"][0], self._steps + 1
        if info["pressed"] >= 0 and brain.schema.body is not None:
            program, position = (int(memory[f"key_{n}"][0]) for n in ("program", "position"))
            length = int(brain.keyboard.chunks.lengths(np.array([max(program, 0)]))[0])
            press = {"step": self._steps, "key": info["pressed"], "program": program}
            right, blended = info["reward_press"] > 0, int(memory["key_blend"][0]) == UNDER_WAY
            press |= {"inside": position < length - 1, "right": right, "blended": blended}
            self._presses.append(press)
        if not self.locals["dones"][0]:
            return True
        trace = brain.trace
        told = {
            name: [float(np.nan_to_num(v[0])) for v in trace.column(name)]
            for name in ("gate_start", "gate_stop", "key_dopamine")
            if any(name in row for row in trace.rows)
        }
        trace.clear()
        self.trials.append(
            {
                "errors": info["errors"],
                "steps": self._steps,
                "presses": self._presses,
                "trace": told,
            }
            | {"decisions": int(memory["key_decisions"][0]), "cue": info["cue"]}
        )
        self._presses, self._steps = [], 0
        return len(self.trials) < self._most


def arm_practice(seed: int, sleeps: bool, trials: int, blends: bool = True) -> Row:
    """Live on neonate/Keys-v0 from birth, for so many trials.

    Args:
        seed: of the brain, the environment and the book of sequences.
        sleeps: whether there are nights.
        trials: sequences.
        blends: whether movements within chunks may blend.

    Returns:
        Numbers of the last trials, all trials in short, and two trials in full: the first that
        was finished with a known arm, and the last.

    """
    config = BrainConfig(
        sleep=SleepConfig(NIGHT),
        motor_cortex=MotorCortexConfig(dreams=0),  # (Chunks alone are looked at here)
        lesions=(() if sleeps else ("sleep",)) + (() if blends else ("blending",)),
    )
    env = gym.make("neonate/Keys-v0", book=seed, **TASK)
    diary = Diary(trials)
    BrainAgent("BrainPolicy", env, seed=seed, brain=config).learn(_MOST_STEPS, callback=diary)
    env.close()
    last = diary.trials[-_LAST:]
    stops = {True: [], False: []}  # type: dict[bool, list[float]]
    gaps: dict[bool, list[int]] = {True: [], False: []}
    for trial in last:
        # What stops is told in the tick after the press that it ends with.
        stop = trial["trace"].get("gate_stop", [])
        for press in trial["presses"]:
            if press["step"] < len(stop):
                stops[press["inside"]].append(stop[press["step"]])
        for before, after in zip(trial["presses"], trial["presses"][1:], strict=False):
            if before["right"] and after["right"]:
                gaps[before["inside"]].append(_STEP_MS * (after["step"] - before["step"]))
    before = next(t for t in diary.trials if len(t["presses"]) >= TASK["length"])
    return {
        "seed": seed,
        "sleeps": sleeps,
        "blends": blends,
        "steps": sum(t["steps"] for t in diary.trials),
        "last_errors": float(np.mean([t["errors"] for t in last])),
        "last_decisions": float(np.mean([t["decisions"] for t in last])),
        "last_ms": float(np.mean([t["steps"] for t in last]) * _STEP_MS),
        "gap_inside_ms": float(np.mean(gaps[True])) if gaps[True] else None,
        "gap_between_ms": float(np.mean(gaps[False])) if gaps[False] else None,
        "blended": float(np.mean([p["blended"] for t in last for p in t["presses"]])),
        "last_reward": float(np.mean([TASK["length"] - t["errors"] for t in last])),
        "stops_inside": float(np.mean(stops[True])) if stops[True] else None,
        "stops_at_end": float(np.mean(stops[False])) if stops[False] else None,
        "errors": [t["errors"] for t in diary.trials],
        "decisions": [t["decisions"] for t in diary.trials],
        "ms": [t["steps"] * _STEP_MS for t in diary.trials],
        "shown": [before, diary.trials[-1]],
    }
