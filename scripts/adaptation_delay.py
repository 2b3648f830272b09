"""Reaching with late senses: what the forward model is worth, whole and lesioned by degrees."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agent.config import BrainConfig
from envs.arm import ArmReachEnv
from envs.disturbances import SensoryDelay
from policies.brain_agent import BrainAgent
from scripts.adaptation_measures import Row, row_of
from scripts.adaptation_runs import Run
from scripts.errors import UserError

LIFE = 2000
"""Steps that a brain lives with late senses before it is tested."""
TRIALS = 4
"""Movements by which it is tested, all around; it neither learns nor explores in them."""
SECONDS = 1.5
"""How long these are, so that what oscillates can be seen to."""
_FIRST_SEED = 70_000  # (Of the test's movements)
_SETTLING = 0.8  # (Seconds from the start after which a hand should be still)
_SLOWEST = 1.0  # (Hz; slower is drift)
_STILL = 0.5e-3  # (Standard deviation of a place that is still, m)


@dataclass(frozen=True)
class Movement:
    """What one movement under late senses was like.

    Attributes:
        miss: distance from the target in the end, m.
        overshoot: farthest way along the line to the target, over its length, less 1, %.
        wobble: standard deviation of the way along that line once it should be still, m.
        frequency: at which it oscillates then, Hz; 0 where it is still.
        along: way along the line to the target at each step, over its length.

    """

    miss: float
    overshoot: float
    wobble: float
    frequency: float
    along: NDArray[np.float64]


def delay_runs(
    env_id: str,
    brain: BrainConfig,
    seed: int,
    delays: Sequence[float],
    shares: Sequence[float],
    life: int = LIFE,
    trials: int = TRIALS,
) -> Iterator[Run]:
    """Live with senses so many ms late, then reach with so large shares of the forward model.

    Args:
        env_id: a reaching task.
        brain: settings.
        seed: of the brain.
        delays: of all senses, ms.
        shares: of what is predicted that is believed; the first one is that of life.
        life: steps of life before the test.
        trials: movements of the test.

    Raises:
        UserError: a delay that the task cannot have.

    """
    for delay in delays:
        began = time.process_time()
        env = late(env_id, delay)
        agent = BrainAgent("BrainPolicy", env, seed=seed, brain=_believing(brain, shares[0]))
        agent.learn(life)
        state = agent.brain.state()
        env.close()
        task = late(env_id, delay, SECONDS)
        found = int(agent.brain.efference.lag)
        for share in shares if found else shares[:1]:
            tested = BrainAgent("BrainPolicy", task, seed=seed, brain=_believing(brain, share))
            tested.brain.load_state(state)
            moved = []
            for trial in range(trials):
                if hasattr(task.unwrapped, "directions"):
                    task.unwrapped.directions = (360.0 * trial / trials,)
                moved.append(perform(tested, task, _FIRST_SEED + trial))
            spent, began = time.process_time() - began, time.process_time()
            yield {
                "algo": "brain",
                "seed": seed,
                "experiment": "delay",
                "delay_ms": delay,
                "share": share,
                "steps_late": round(delay / _step_ms(task)),
                "steps_found": found,
                "lesions": list(brain.lesions),
                "cpu_seconds": round(spent, 2),
                "trials": _columns(moved),
                "along": np.mean([m.along for m in moved], axis=0).round(3).tolist(),
                "one": moved[0].along.round(3).tolist(),
                "step_ms": _step_ms(task),
            }
        task.close()


def late(env_id: str, delay: float, seconds: float | None = None) -> gym.Env:
    """Make a reaching task all of whose senses are late, with trials of so many seconds."""
    try:
        options: dict[str, Any] = {"targets": "centre_out"} if "Reach-" in env_id else {}
        env = gym.make(env_id, **options)
        if not isinstance(env.unwrapped, ArmReachEnv):
            raise UserError(f"--env {env_id}: write a reaching task, e.g. neonate/Reach-v0")
        if seconds is not None:
            steps = round(1000 * seconds / _step_ms(env))
            assert env.spec is not None
            env = gym.make(replace(env.spec, max_episode_steps=steps))
        return SensoryDelay(env, ms=delay)
    except (TypeError, ValueError, gym.error.Error) as error:
        raise UserError(f"--env {env_id} --delays {delay:g}: {error}") from error


def perform(agent: BrainAgent, env: gym.Env, seed: int) -> Movement:
    """Make one movement without learning."""
    observation, _ = env.reset(seed=seed)
    task = env.unwrapped
    assert isinstance(task, ArmReachEnv)
    start, way = task.fingertip, task.target - task.fingertip
    state: Any = None
    first, over, along = True, False, [0.0]
    while not over:
        action, state = agent.predict(
            observation, state=state, episode_start=np.array([first]), deterministic=True
        )
        observation, _, terminated, truncated, _ = env.step(action)
        first, over = False, terminated or truncated
        along.append(float((task.fingertip - start) @ way / (way @ way)))
    course = np.array(along)
    length = float(np.linalg.norm(way))
    wobble, frequency = oscillation(course * length, 1e-3 * _step_ms(env))
    overshoot = 100 * float(course.max() - 1.0)
    return Movement(task.distance, overshoot, wobble, frequency, course)


def oscillation(place: NDArray[np.float64], step: float) -> tuple[float, float]:
    """How far and how often a place moves to and fro once it should be still.

    Args:
        place: at each step from the start of a movement, m.
        step: s.

    Returns:
        Standard deviation in m, without drift, and the frequency of the largest part in Hz (0
        where the place is still).

    """
    rest = place[round(_SETTLING / step) :]
    moment = np.arange(len(rest))
    rest = rest - np.polyval(np.polyfit(moment, rest, 1), moment)
    wobble = float(rest.std())
    if wobble < _STILL:
        return wobble, 0.0
    # (Padded with zeros: between the frequencies that a short time tells apart)
    padded = 8 * len(rest)
    power = np.abs(np.fft.rfft(rest * np.hanning(len(rest)), padded)) ** 2
    hertz = np.fft.rfftfreq(padded, step)
    power[hertz < _SLOWEST] = 0.0
    return wobble, float(hertz[power.argmax()])


def _believing(brain: BrainConfig, share: float) -> BrainConfig:
    return replace(brain, adaptation=replace(brain.adaptation, forward_model=share))


def _columns(moved: Sequence[Movement]) -> Mapping[str, list[float]]:
    names = "miss", "overshoot", "wobble", "frequency"
    return {name: [round(float(getattr(m, name)), 5) for m in moved] for name in names}


def _step_ms(env: gym.Env) -> float:
    task = env.unwrapped
    assert isinstance(task, ArmReachEnv)
    return 1000.0 * float(task.dt)


def summarise_delays(runs: Sequence[Run]) -> list[Row]:
    """Rows of group (setting and delay), experiment (share of the model) and measures."""
    rows: list[Row] = []
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        lesions = "".join(f", without {lesion}" for lesion in run["lesions"])
        label = f"brain, {run['setting']}{lesions}, senses {run['delay_ms']:g} ms late"
        groups.setdefault((label, f"forward model {run['share']:g}"), []).append(run)
    for (label, name), own in groups.items():
        told = {
            "steps late": [run["steps_late"] for run in own],
            "steps late that were found": [run["steps_found"] for run in own],
            "end error, mm": _means(own, "miss", 1000.0),
            "overshoot, %": _means(own, "overshoot"),
            "oscillation after the movement, mm": _means(own, "wobble", 1000.0),
        }
        hertz = [f for run in own for f in run["trials"]["frequency"] if f > 0]
        if hertz:
            told["frequency of what oscillates, Hz"] = hertz
        rows += [row_of(label, name, key, values, len(own)) for key, values in told.items()]
    return rows


def _means(runs: Sequence[Run], column: str, scale: float = 1.0) -> list[float]:
    return [scale * float(np.mean(run["trials"][column])) for run in runs]
