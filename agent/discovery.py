"""Finding out what the numbers of an observation are, from babbling alone.

Nothing is told: joints are found by what commands move, and the goal by what the reward is made of.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from agent.config import SchemaConfig
from agent.joints import NotYet, find_joints
from agent.memory import SensorimotorMemory
from agent.percept import Array, Body, Reward
from agent.senses import Senses

_STILL = 1e-9  # (Spread below which a channel counts as constant)
_SAME = 1e-6  # (Difference up to which two channels tell the same)
_MOST_CANDIDATES = 14  # (Channels among which the reward's distance is looked for)


def find_body(memory: SensorimotorMemory, senses: Senses, config: SchemaConfig) -> Body:
    """Find joints, motors, outcome, goal and reward.

    An angle that is the very place that counts is none: what commands move there is the body
    itself, and over a short way any geometry fits.

    Raises:
        NotYet: when what was felt so far does not tell, or tells of no limb.

    """
    rows = memory.rows
    before, after, command = memory.before[rows], memory.after[rows], memory.command[rows]
    reward, episode = memory.reward[rows], memory.episode[rows]
    joints = find_joints(
        before[:, senses.proprioception], after[:, senses.proprioception], command, config
    )
    none = np.empty(0, np.int64)
    if len(senses.desired):
        outcome, goal, context = senses.achieved, senses.desired, none
        form = _goal_reward(after[:, outcome], after[:, goal], command, reward, config)
    else:
        context = find_context(after, episode)
        taken = np.concatenate([joints.cosine, joints.sine, joints.velocity, context])
        free = np.setdiff1d(np.flatnonzero(after.std(axis=0) > _STILL), taken)
        goal = none
        outcome, form = find_outcome(after, command, reward, free, config.reward_r2)
    angle = after[:, senses.proprioception][:, joints.sine[joints.cosine < 0]]
    if (np.ptp(angle[:, :, None] - after[:, None, outcome], axis=0) < _SAME).any():
        raise NotYet("a joint's angle is the place that counts: commands move the body, not a limb")
    return Body(
        cosine=joints.cosine,
        sine=joints.sine,
        velocity=joints.velocity,
        step=joints.step,
        gain=joints.gain,
        outcome=outcome,
        goal=goal,
        context=context,
        reward=form,
    )


def _goal_reward(
    achieved: Array, desired: Array, command: Array, reward: Array, config: SchemaConfig
) -> Reward:
    """Find the reward of a goal task; a sparse one says nothing of distance, but the keys do."""
    if desired.shape[1] > 3:
        raise NotYet(f"the goal has {desired.shape[1]} numbers, a place has at most 3")
    found = fit_reward(achieved - desired, command, reward)
    if found is not None and found[1] >= config.reward_r2:
        return found[0]
    return Reward(distance=1.0, effort=0.01 * float(achieved.std(axis=0).max()), offset=0.0)


def find_context(after: Array, episode: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find channels that stay the same within each episode and differ between episodes.

    Raises:
        NotYet: before a second episode has begun.

    """
    numbers = np.unique(episode)
    if len(numbers) < 2:
        raise NotYet("one episode cannot show what changes between episodes")
    within = np.max([np.ptp(after[episode == k], axis=0) for k in numbers], axis=0)
    return np.flatnonzero((within < _STILL) & (np.ptp(after, axis=0) > _STILL))


def find_outcome(
    after: Array, command: Array, reward: Array, free: NDArray[np.int64], least_r2: float
) -> tuple[NDArray[np.int64], Reward]:
    """Find the two or three channels whose distance from zero the reward punishes.

    Args:
        after: (N, c) channels after a step.
        command: (N, m).
        reward: (N,) of the step.
        free: channels to look among.
        least_r2: share of the reward's variance that must be explained.

    Raises:
        NotYet: when no such channels are found.

    """
    if len(free) > _MOST_CANDIDATES:
        size = np.abs(after[:, free])
        centred = (size - size.mean(axis=0)) / size.std(axis=0)
        relation = np.abs(centred.T @ (reward - reward.mean()))
        free = np.sort(free[np.argsort(-relation)[:_MOST_CANDIDATES]])
    best: tuple[float, NDArray[np.int64], Reward] | None = None
    for size_of_set in (2, 3):
        for chosen in combinations(free, size_of_set):
            channels = np.array(chosen, np.int64)
            found = fit_reward(after[:, channels], command, reward)
            # A third coordinate must explain half of what two leave open to be believed.
            if found and (best is None or 1 - found[1] < 0.5 * (1 - best[0])):
                best = found[1], channels, found[0]
    if best is None or best[0] < least_r2:
        r2 = 0.0 if best is None else best[0]
        raise NotYet(f"the reward is no distance and effort that can be felt (R² {r2:.2f})")
    return best[1], best[2]


def fit_reward(error: Array, command: Array, reward: Array) -> tuple[Reward, float] | None:
    """Fit r = offset − distance·‖e‖ − effort·‖u‖² by least squares.

    Args:
        error: (N, d).
        command: (N, m).
        reward: (N,).

    Returns:
        The reward's form and R², or None when nearness does not pay or the reward is constant.

    """
    total = reward.var()
    if total < _STILL**2:
        return None
    length, effort = np.linalg.norm(error, axis=1), (command**2).sum(axis=1)
    inputs = np.stack([-length, -effort, np.ones(len(reward))], axis=1)
    weights = np.linalg.lstsq(inputs, reward, rcond=None)[0]
    if weights[1] < 0:
        weights = np.insert(np.linalg.lstsq(inputs[:, [0, 2]], reward, rcond=None)[0], 1, 0.0)
    if weights[0] <= 0:
        return None
    r2 = 1.0 - float((reward - inputs @ weights).var() / total)
    return Reward(float(weights[0]), float(weights[1]), float(weights[2])), r2
