"""Finding out what the numbers of an observation are, from babbling alone.

Nothing is told: angles are found as cosine–sine pairs or as numbers whose change a velocity
explains, each motor's joint by what its command moves, and the goal by what the reward is made of.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from agent.config import SchemaConfig
from agent.memory import SensorimotorMemory
from agent.percept import Array, Body, Reward
from agent.senses import Senses

_STILL = 1e-9  # (Spread below which a channel counts as constant)
_MOST_CANDIDATES = 14  # (Channels among which the reward's distance is looked for)


class NotYet(Exception):
    """The body is not known yet; the message says what is missing."""


def find_body(memory: SensorimotorMemory, senses: Senses, config: SchemaConfig) -> Body:
    """Find joints, motors, outcome, goal and reward.

    Raises:
        NotYet: when what was felt so far does not tell.

    """
    rows = memory.rows
    before, after, command = memory.before[rows], memory.after[rows], memory.command[rows]
    reward, episode = memory.reward[rows], memory.episode[rows]
    cosine, sine, velocity, step, gain = find_joints(
        before[:, senses.proprioception], after[:, senses.proprioception], command, config
    )
    none = np.empty(0, np.int64)
    if len(senses.desired):
        outcome, goal, context = senses.achieved, senses.desired, none
        form = _goal_reward(after[:, outcome], after[:, goal], command, reward, config)
    else:
        context = find_context(after, episode)
        taken = np.concatenate([cosine, sine, velocity, context])
        free = np.setdiff1d(np.flatnonzero(after.std(axis=0) > _STILL), taken)
        goal = none
        outcome, form = find_outcome(after, command, reward, free, config.reward_r2)
    return Body(
        cosine=cosine,
        sine=sine,
        velocity=velocity,
        step=step,
        gain=gain,
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


def find_joints(
    before: Array, after: Array, command: Array, config: SchemaConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], float, Array]:
    """Find each motor's joint.

    Args:
        before: (N, c) channels before a step.
        after: (N, c) channels after it.
        command: (N, m).
        config: thresholds.

    Returns:
        Channels of cosine (−1 where the angle is given), sine and velocity, each (m,), the step h
        of Δangle = h · velocity, and the gain (m,) of each motor on its own joint's velocity.

    Raises:
        NotYet: when fewer angle–velocity pairs than motors are found.

    """
    cosine, sine = find_angles(before, after)
    angle_before, angle_after = (_angles(x, cosine, sine) for x in (before, after))
    change = angle_after - angle_before
    change = np.where(cosine >= 0, (change + np.pi) % (2 * np.pi) - np.pi, change)
    speeds = np.setdiff1d(np.flatnonzero(before.std(axis=0) > _STILL), cosine)
    speeds = np.setdiff1d(speeds, sine[cosine >= 0])
    mean_speed = 0.5 * (before + after)[:, speeds]
    overlap = change.T @ mean_speed
    steps = overlap / np.maximum((mean_speed**2).sum(axis=0), _STILL)
    explained = overlap * steps / np.maximum((change**2).sum(axis=0), _STILL)[:, None]
    explained[sine[:, None] == speeds] = 0.0
    # A cosine and sine taken for each other turn the other way: the angle is π/2 minus the angle.
    explained[(cosine < 0)[:, None] & (steps <= 0)] = 0.0
    if explained.size == 0 or explained.max() < config.pairing_r2:
        raise NotYet("no number's change is explained by another number's value (a velocity)")
    step = abs(float(steps.flat[explained.argmax()]))
    # All joints are stepped by one clock: pairs with another step are look-alikes.
    fit = explained**4 * np.exp(-np.abs(np.log(np.maximum(np.abs(steps), _STILL) / step)))
    best = fit.argmax(axis=0)
    gain = _own_gain(before, after[:, speeds] - before[:, speeds], command)
    drive = gain**2 * command.var(axis=0)[:, None]
    drive /= np.maximum((after - before)[:, speeds].var(axis=0), _STILL)
    motors, owned = linear_sum_assignment(-drive * fit[best, np.arange(len(speeds))])
    good = (explained[best[owned], owned] >= config.pairing_r2) & (drive[motors, owned] > 0)
    if good.sum() < command.shape[1] or len(set(best[owned])) < command.shape[1]:
        raise NotYet(f"only {int(good.sum())} of {command.shape[1]} motors have a joint so far")
    joint = best[owned]
    cos, sin = cosine[joint].copy(), sine[joint].copy()
    turned = (cos >= 0) & (steps[joint, owned] < 0)
    cos[turned], sin[turned] = sin[turned], cos[turned]
    return cos, sin, speeds[owned], step, gain[motors, owned]


def find_angles(before: Array, after: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find channels that can be angles: cosine–sine pairs, then every other one that varies.

    Returns:
        Cosine channels (−1 where a channel is the angle itself) and sine channels, each (k,).

    """
    both = np.concatenate([before, after])
    varying = np.flatnonzero(both.std(axis=0) > _STILL)
    squares = both[:, varying] ** 2
    off_circle = np.abs(squares[:, :, None] + squares[:, None, :] - 1.0).max(axis=0)
    pairs, used = [], set()
    for i, j in zip(*np.nonzero(np.triu(off_circle < 1e-3, 1)), strict=True):
        if i not in used and j not in used:
            used |= {i, j}
            pairs.append((varying[i], varying[j]))
    rest = [(-1, channel) for k, channel in enumerate(varying) if k not in used]
    found = np.array(pairs + rest, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _angles(channels: Array, cosine: NDArray[np.int64], sine: NDArray[np.int64]) -> Array:
    pair = cosine >= 0
    angle = channels[:, sine].copy()
    angle[:, pair] = np.arctan2(angle[:, pair], channels[:, cosine[pair]])
    return angle


def _own_gain(before: Array, change: Array, command: Array) -> Array:
    """Ridge regression of velocity changes on commands and the state: (m, speeds)."""
    scale = before.std(axis=0)
    state = (before - before.mean(axis=0))[:, scale > _STILL] / scale[scale > _STILL]
    inputs = np.concatenate([command, 0.3 * state, np.ones((len(before), 1))], axis=1)
    ridge = 1e-3 * len(before) * command.var() * np.eye(inputs.shape[1])
    weights = np.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ change)
    return weights[: command.shape[1]]


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
