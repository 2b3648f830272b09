"""Experiments on habits: reaching before and after a night, and without basal ganglia."""

import dataclasses
import time
from typing import Any

import gymnasium as gym
import numpy as np

import envs  # noqa: F401  it registers the tasks
from agent.motor_programs.skill import DOUBTED, Skill
from agent.percept import Array
from policies import BrainAgent

Row = dict[str, Any]

TASKS = {"Reacher-v5": 300, "neonate/Reach3D-v0": 2000}
"""Steps of life before the night."""
_EPISODES, _FEW, _RUNS = 30, 15, 5
_FIRST_EPISODE = 20_000


def habits(seed: int, env_id: str) -> Row:
    """Learn, sleep for a night, and reach by plan and by habit in the same episodes.

    Returns:
        Of reaching by plan, by habit, and (in fewer episodes) with basal ganglia taken away from
        each: the mean return, the share of movements that were begun by habit and of episodes in
        which one was given up, and the microseconds of CPU that the reaching program took per
        step, its beginnings included (`us`) and left out (`us_on_the_way`). The same episodes are
        run five times; `_least` is the mean of each one's quickest run, for a machine that others
        use, too.

    """
    agent = BrainAgent("BrainPolicy", env_id, seed=seed).learn(TASKS[env_id])
    row: Row = {"seed": seed, "env": env_id, "plan": _perform(agent)}
    row["plan_lesioned"] = _perform(_without_basal_ganglia(agent), _FEW)
    start = time.process_time()
    agent.brain.sleep()
    row["night_s"] = time.process_time() - start
    cortex = agent.brain.cortex
    told = cortex.shortfall if np.isfinite(cortex.shortfall) else None
    row |= {"shortfall": told, "gated": cortex.trusted, "habit": _perform(agent)}
    row["habit_lesioned"] = _perform(_without_basal_ganglia(agent), _FEW)
    return row


def _without_basal_ganglia(agent: BrainAgent) -> BrainAgent:
    """Copy an agent, its basal ganglia taken away."""
    brain = agent.brain
    config = dataclasses.replace(brain.config, lesions=("basal_ganglia",))
    env = agent.get_env()
    assert env is not None
    copy = BrainAgent("BrainPolicy", env, seed=agent.seed, brain=config)
    copy.brain.load_state(brain.state())
    return copy


def _perform(agent: BrainAgent, episodes: int = _EPISODES) -> Row:
    """Reach in the episodes of evaluation, several times, and watch how."""
    assert agent.env is not None
    skill, clock = agent.brain.skill, _Clock(agent.brain.skill)
    env = gym.make(agent.env.get_attr("spec")[0].id)
    skill.act = clock.act  # type: ignore[method-assign,assignment]
    skill.asked[:] = 0
    runs = [
        [_episode(agent, env, clock, _FIRST_EPISODE + episode) for episode in range(episodes)]
        for _ in range(_RUNS)
    ]
    del skill.act
    planned, habitual = (int(k) for k in skill.asked)
    micros = np.array([[one[2] for one in run] for run in runs])
    return {
        "return": float(np.mean([one[0] for one in runs[0]])),
        "by_habit": habitual / max(planned + habitual, 1),
        "given_up": float(np.mean([one[1] for one in runs[0]])),
    } | {
        f"{name}{which}": float(how(micros[:, :, column], axis=0).mean())
        for column, name in enumerate(("us", "us_on_the_way"))
        for which, how in (("", np.mean), ("_least", np.min))
    }


class _Clock:
    """Times a skill's acts: all of them, and those in which no movement began."""

    def __init__(self, skill: Skill):
        self._skill, self._act, self.spent, self.ways = skill, skill.act, np.zeros(2), 0

    def act(self, *arguments: Any) -> Array:
        begun = int(self._skill.asked.sum())
        start = time.process_time()
        command = self._act(*arguments)
        duration = time.process_time() - start
        way = int(self._skill.asked.sum()) == begun
        self.spent += duration, duration * way
        self.ways += way
        return command


def _episode(
    agent: BrainAgent, env: gym.Env, clock: _Clock, seed: int
) -> tuple[float, bool, list[float]]:
    """Return of an episode, whether a habit was given up, and µs per step, all and on the way."""
    seen, _ = env.reset(seed=seed)
    memory, start, over, total, steps = None, np.ones(1, bool), False, 0.0, 0
    clock.spent, clock.ways = np.zeros(2), 0
    while not over:
        action, memory = agent.predict(seen, memory, start, deterministic=True)
        seen, reward, terminated, truncated, _ = env.step(action)
        total, over, start = total + float(reward), terminated or truncated, np.zeros(1, bool)
        steps += 1
    assert memory is not None
    how = dict(zip(agent.brain.memory_names, memory, strict=True))["habit"][0]
    micros = 1e6 * clock.spent / (steps, max(clock.ways, 1))
    return total, bool(how == DOUBTED), micros.tolist()
