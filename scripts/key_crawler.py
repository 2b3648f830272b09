"""The keyboard laboratory with a body that crawls: places visited in order, from birth."""

from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

import envs  # noqa: F401  it registers the tasks
from agent.config import BrainConfig, SleepConfig
from policies import BrainAgent

Row = dict[str, Any]

_NIGHT = 5000  # (Steps between two nights)
_JUDGED = 16  # (Sequences in which it performs)
_FIRST_EPISODE = 20_000
_STEP_S = 0.05


class _Visits(BaseCallback):
    """Writes down every sequence of a life: right visits, wrong ones, steps."""

    def __init__(self) -> None:
        super().__init__()
        self.trials: list[Row] = []
        self._steps = 0

    def _on_step(self) -> bool:
        self._steps += 1
        if self.locals["dones"][0]:
            info = self.locals["infos"][0]
            self.trials.append({k: int(info[k]) for k in ("right", "errors", "cue")})
            self.trials[-1]["steps"], self._steps = self._steps, 0
        return True


def crawler_practice(seed: int, steps: int) -> Row:
    """Live on neonate/Places-v0 from birth, for so many steps, then perform.

    Returns:
        Share of perfect sequences, visits, decisions and seconds per sequence of the performance,
        the chunks, and all sequences of the life.

    """
    env = gym.make("neonate/Places-v0", book=seed)
    visits = _Visits()
    config = BrainConfig(sleep=SleepConfig(_NIGHT))
    agent = BrainAgent("BrainPolicy", env, seed=seed, brain=config).learn(steps, callback=visits)
    assert agent.brain.keyboard is not None
    row = {"seed": seed, "steps": steps, "life": visits.trials} | _perform(agent, env)
    row["chunks"] = [list(chunk) for chunk in agent.brain.keyboard.chunks.all]
    env.close()
    return row


def _perform(agent: BrainAgent, env: gym.Env[Any, Any]) -> Row:
    """Perform sequences; nothing is learnt."""
    names = agent.brain.memory_names
    told: list[Row] = []
    for episode in range(_JUDGED):
        seen, _ = env.reset(seed=_FIRST_EPISODE + episode)
        memory, start, over, steps = None, np.ones(1, bool), False, 0
        while not over:
            action, memory = agent.predict(seen, memory, start, deterministic=True)
            seen, _, terminated, truncated, info = env.step(action)
            steps, over, start = steps + 1, terminated or truncated, np.zeros(1, bool)
        assert memory is not None
        decisions = int(dict(zip(names, memory, strict=True))["key_decisions"][0])
        told.append({"right": info["right"], "errors": info["errors"], "decisions": decisions})
        told[-1] |= {"perfect": info["is_success"], "seconds": _STEP_S * steps}
    return {name: float(np.mean([one[name] for one in told])) for name in told[0]}
