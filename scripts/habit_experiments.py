"""Experiments on habits: reaching before and after a night, and without basal ganglia."""

import dataclasses
import time
from typing import Any

import gymnasium as gym
import numpy as np

import envs  # noqa: F401  it registers the tasks
from agent.motor_programs.skill import DOUBTED
from agent.percept import Array
from policies import BrainAgent

Row = dict[str, Any]

TASKS = {"Reacher-v5": 300, "neonate/Reach3D-v0": 2000}
"""Steps of life before the night."""
_EPISODES, _FEW = 30, 15
_FIRST_EPISODE = 20_000


def habits(seed: int, env_id: str) -> Row:
    """Learn, sleep for a night, and reach by plan and by habit in the same episodes.

    Returns:
        Of reaching by plan, by habit, and (in fewer episodes) with basal ganglia taken away from
        each: the mean return, the share of movements that were begun by habit and of episodes in
        which one was given up, and the microseconds of CPU that the reaching program took per
        step, its beginnings included (`us`) and left out (`us_on_the_way`). A name with `_least` is
        of the quickest episode, for a machine that others use, too.

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
    """Reach in the episodes of evaluation, and watch how."""
    assert agent.env is not None
    spec = agent.env.get_attr("spec")[0]
    env, skill = gym.make(spec.id), agent.brain.skill
    names = agent.brain.memory_names
    act, spent = skill.act, np.zeros(2)

    def timed(*arguments: Any) -> Array:
        begun = int(skill.asked.sum())
        start = time.process_time()
        command = act(*arguments)
        duration = time.process_time() - start
        spent[:] += duration, duration * (int(skill.asked.sum()) == begun)
        return command

    skill.asked[:] = 0
    skill.act = timed  # type: ignore[method-assign,assignment]
    returns, micros, doubted = [], [], 0
    for episode in range(episodes):
        seen, _ = env.reset(seed=_FIRST_EPISODE + episode)
        memory, start, over, total, steps = None, np.ones(1, bool), False, 0.0, 0
        spent[:], begun = 0.0, int(skill.asked.sum())
        while not over:
            action, memory = agent.predict(seen, memory, start, deterministic=True)
            seen, reward, terminated, truncated, _ = env.step(action)
            total, over, start = total + float(reward), terminated or truncated, np.zeros(1, bool)
            steps += 1
        returns.append(total)
        ways = max(steps - (int(skill.asked.sum()) - begun), 1)
        micros.append(1e6 * spent / (steps, ways))
        assert memory is not None
        doubted += int(dict(zip(names, memory, strict=True))["habit"][0] == DOUBTED)
    del skill.act
    planned, habitual = (int(k) for k in skill.asked)
    return {
        "return": float(np.mean(returns)),
        "by_habit": habitual / max(planned + habitual, 1),
        "given_up": doubted / episodes,
    } | {
        f"{name}{which}": float(how(np.array(micros)[:, column]))
        for column, name in enumerate(("us", "us_on_the_way"))
        for which, how in (("", np.mean), ("_least", np.min))
    }
