"""An agent in a file: its brain, how far it has come, and the episodes under way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agent import Brain
from policies import model_file
from policies.brain_file import (
    Arrays,
    Observation,
    Space,
    describe_brain,
    describe_episodes,
    entries,
    entry,
    episodes_under_way,
    prefixed,
    restore_brain,
    versions,
)
from policies.model_file import FileOrPath

if TYPE_CHECKING:
    from policies.brain_agent import BrainAgent


@dataclass(frozen=True)
class SavedAgent:
    """What a file tells of an agent.

    Attributes:
        brain: with its weights and generator.
        observation_space: of one environment.
        action_space: of one environment.
        settings: of the agent's constructor.
        num_timesteps: steps taken, summed over bodies.
        episodes: that have ended.
        ep_infos: return "r" and length "l" of the latest episodes.
        successes: of the latest episodes.
        under_way: last observation, episode starts and working memory; None where none were saved.
        versions: of what can change a result, when the agent was saved.

    """

    brain: Brain
    observation_space: Space
    action_space: Space
    settings: dict[str, Any]
    num_timesteps: int
    episodes: int
    ep_infos: list[dict[str, Any]]
    successes: list[bool]
    under_way: tuple[Observation, np.ndarray, Arrays] | None
    versions: dict[str, Any]


def write_agent(path: FileOrPath, agent: "BrainAgent") -> None:
    """Write an agent in one file without pickle.

    Raises:
        ModelFileError: the brain has NaN among its weights; nothing is written then.

    """
    document = {
        "brain": describe_brain(agent.brain, agent.observation_space, agent.action_space),
        "agent": {
            "num_timesteps": agent.num_timesteps,
            "episodes": agent._episode_num,
            "seed": agent.seed,
            "verbose": agent.verbose,
            "stats_window_size": agent._stats_window_size,
            "returns": [float(info["r"]) for info in agent.ep_info_buffer or ()],
            "lengths": [int(info["l"]) for info in agent.ep_info_buffer or ()],
            "successes": [bool(success) for success in agent.ep_success_buffer or ()],
        },
        "versions": versions(),
    }
    arrays = prefixed("brain", agent.brain.state())
    if agent._last_obs is not None and agent._memory is not None:
        starts = np.asarray(agent._last_episode_starts, dtype=bool)
        arrays |= describe_episodes(agent._last_obs, starts, agent._memory)
    model_file.write(path, document, arrays)


def read_agent(path: FileOrPath) -> SavedAgent:
    """Read what `write_agent` wrote.

    Raises:
        ModelFileError: the file cannot be used.

    """
    document, arrays = model_file.read(path)
    brain, observation_space, action_space = restore_brain(document, arrays)
    saved = entry(document, "agent", dict)
    settings: dict[str, Any] = {
        name: entry(saved, name, int) for name in ("verbose", "stats_window_size")
    }
    if saved.get("seed") is not None:
        settings["seed"] = entry(saved, "seed", int)
    returns, lengths = entries(saved, "returns", float), entries(saved, "lengths", int)
    return SavedAgent(
        brain=brain,
        observation_space=observation_space,
        action_space=action_space,
        settings=settings,
        num_timesteps=entry(saved, "num_timesteps", int),
        episodes=entry(saved, "episodes", int),
        ep_infos=[{"r": r, "l": n} for r, n in zip(returns, lengths, strict=False)],
        successes=entries(saved, "successes", bool),
        under_way=episodes_under_way(brain, observation_space, arrays),
        versions=entry(document, "versions", dict),
    )
