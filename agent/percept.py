"""What travels between the regions."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reward:
    """What the reward was found to be made of: r = offset − distance·‖e‖ − effort·‖u‖².

    Attributes:
        distance: reward per unit of distance between outcome and goal.
        effort: reward per squared command, commands as shares of the motors' full range.
        offset: constant part.

    """

    distance: float
    effort: float
    offset: float


@dataclass(frozen=True)
class Body:
    """What the numbers of the observation are, found by babbling.

    Attributes:
        cosine: (n_joints,) channel of each joint's cosine, −1 where the angle itself is given.
        sine: (n_joints,) channel of each joint's sine, or of the angle itself.
        velocity: (n_joints,) channel of each joint's velocity.
        step: Δangle = step · velocity over one control step, so seconds when velocities are rad/s.
        gain: (n_joints,) change of its own joint's velocity by a full command of each motor.
        outcome: channels of what is to be brought somewhere, (d,).
        goal: channels of where it is wanted, (d,): error = outcome − goal. Empty when the outcome
            channels are themselves the error.
        context: channels that stay the same within an episode and differ between episodes; only
            of use where `goal` is empty.
        reward: what the reward is made of.

    """

    cosine: NDArray[np.int64]
    sine: NDArray[np.int64]
    velocity: NDArray[np.int64]
    step: float
    gain: Array
    outcome: NDArray[np.int64]
    goal: NDArray[np.int64]
    context: NDArray[np.int64]
    reward: Reward

    @cached_property
    def periodic(self) -> NDArray[np.bool_]:
        """(n_joints,) whether a joint's angle is known only up to full turns."""
        return self.cosine >= 0

    @cached_property
    def turns(self) -> bool:
        """Whether any joint's angle is known only up to full turns."""
        return bool(self.periodic.any())


class Percept(NamedTuple):
    """What is felt and seen now, of n bodies.

    Attributes:
        angle: (n, n_joints) joint angles.
        velocity: (n, n_joints) joint velocities.
        outcome: (n, d) what is to be brought to the goal, as seen.
        context: (n, c) what does not change within an episode and bears on the outcome.
        goal: (n, d) where the outcome is wanted.

    """

    angle: Array
    velocity: Array
    outcome: Array
    context: Array
    goal: Array


class Transition(NamedTuple):
    """One step of each of n bodies, as it was felt.

    Attributes:
        before: (n, n_channels) before the step.
        command: (n, n_motors) in [−1, 1].
        reward: (n,).
        after: (n, n_channels) after the step, at the end of an episode before the next begins.
        terminated: (n,) whether the episode ended before the time was up.
        ended: (n,) whether it ended at all.

    """

    before: Array
    command: Array
    reward: Array
    after: Array
    terminated: NDArray[np.bool_]
    ended: NDArray[np.bool_]


@dataclass(frozen=True)
class Proposals:
    """Movements that the cortex proposes to one body, k of them over h steps, as imagined.

    Attributes:
        angle: (k, h + 1, n_joints) wanted joint angles.
        velocity: (k, h + 1, n_joints) wanted joint velocities.
        acceleration: (k, h, n_joints) wanted joint accelerations.
        worth: (k,) imagined return.
        vigour: (k,) index of the vigour.
        venture: (k,) how far and long it leaves the range felt so far, as reward at stake.

    """

    angle: Array
    velocity: Array
    acceleration: Array
    worth: Array
    vigour: NDArray[np.int64]
    venture: Array


@dataclass(frozen=True)
class Plan:
    """A movement of one body over h steps that is about to begin.

    Attributes:
        angle: (h + 1, n_joints) wanted joint angles.
        velocity: (h + 1, n_joints) wanted joint velocities.
        acceleration: (h, n_joints) wanted joint accelerations.
        reward: (h,) imagined reward of each step.

    """

    angle: Array
    velocity: Array
    acceleration: Array
    reward: Array
