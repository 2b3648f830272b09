"""Lesions made in a brain that has learnt already."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from agent import Brain
from policies.brain_agent import BrainAgent
from policies.brain_file import Arrays


def lesion_trained(agent: BrainAgent, lesions: Sequence[str]) -> BrainAgent:
    """Return an agent whose brain is a trained one's without some of its parts.

    Its configuration names the lesions, and the parts that are left keep what they have learnt.
    What a part has learnt goes with it, to where a brain stands that has lived without the part:

    - `body_schema`: the joints are taken for each other;
    - `cerebellum`: what is left of the inverse model is the crude strength of each motor;
    - `granule_cells`: their weights are gone, those of the other afferents stay;
    - `heading`: forgotten;
    - `critic`, `basal_ganglia`: values are gone;
    - the others act through the configuration alone.

    Args:
        agent: with a brain that was trained; it stays as it is.
        lesions: names of `agent.config.LESIONS`.

    Raises:
        ValueError: there is no such lesion.

    """
    old = agent.brain
    config = replace(old.config, lesions=tuple(dict.fromkeys((*old.config.lesions, *lesions))))
    brain = Brain(agent.observation_space, agent.action_space, agent.n_envs, config)
    state = {name: np.array(part) for name, part in old.state().items()}
    for name in lesions:
        if name not in old.config.lesions and name in _TAKES:
            _TAKES[name](state, old)
    brain.load_state(state)
    other = BrainAgent("BrainPolicy", None, brain=config, _init_setup_model=False)
    other.observation_space, other.action_space = agent.observation_space, agent.action_space
    other.n_envs, other.num_timesteps = agent.n_envs, agent.num_timesteps
    other._set_brain(brain)
    return other


def _confuse_joints(state: Arrays, brain: Brain) -> None:
    for name in ("cosine", "sine", "gain"):
        state[f"body_schema.{name}"] = np.roll(state[f"body_schema.{name}"], 1)
    for name in ("cosine", "sine", "velocity"):
        if f"crawling.joints.{name}" in state:
            state[f"crawling.joints.{name}"] = np.roll(state[f"crawling.joints.{name}"], 1)


def _take_cerebellum(state: Arrays, brain: Brain) -> None:
    weights, n = state["cerebellum.weights"], brain.senses.n_motors
    posture, gain, _ = _layout(brain)
    own = np.arange(n)
    crude = weights[:, posture : posture + gain * n].reshape(n, gain, n)[own, 0, own].copy()
    weights[:] = 0.0
    weights[:, posture : posture + gain * n].reshape(n, gain, n)[own, 0, own] = crude


def _take_granules(state: Arrays, brain: Brain) -> None:
    n = brain.senses.n_motors
    posture, gain, rest = _layout(brain)
    direct = 1 + 2 * n
    kept = np.concatenate(
        [
            np.arange(posture) < direct,
            np.repeat(np.arange(gain) < direct, n),
            np.ones(rest, bool),
        ]
    )
    state["cerebellum.weights"] = state["cerebellum.weights"][:, kept]
    state["cerebellum.covariance"] = state["cerebellum.covariance"][np.ix_(kept, kept)]
    state["cerebellum.granules"] = state["cerebellum.granules"][:, :0]


def _layout(brain: Brain) -> tuple[int, int, int]:
    """Count the features of posture, those of the gain field, and the others."""
    n, config = brain.senses.n_motors, brain.config.cerebellum
    granules = _has_granules(brain)
    n0 = config.gravity_granules if granules else 0
    n1 = config.gain_granules if granules else 0
    posture, gain = 1 + 2 * n + n0, 1 + 2 * n + n1
    return posture, gain, brain.cerebellum.weights.shape[1] - posture - gain * n


def _has_granules(brain: Brain) -> bool:
    """Tell whether a brain has granule cells."""
    return "granule_cells" not in brain.config.lesions


def _forget_heading(state: Arrays, brain: Brain) -> None:
    state["crawling.steering.heading"] = state["crawling.steering.heading"][:0]


def _take_values(state: Arrays, brain: Brain) -> None:
    state["basal_ganglia.critic"] = np.zeros_like(state["basal_ganglia.critic"])
    for name in ("slow", "weights"):
        state[f"crawling.critic.{name}"] = state[f"crawling.critic.{name}"][:0]


_TAKES: dict[str, Callable[[Arrays, Brain], None]] = {
    "body_schema": _confuse_joints,
    "cerebellum": _take_cerebellum,
    "granule_cells": _take_granules,
    "heading": _forget_heading,
    "critic": _take_values,
    "basal_ganglia": _take_values,
}
