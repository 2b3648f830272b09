"""What a body that crawls has once its joints are known, and whose joints they are."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.habit_search import HabitSearch
from agent.joints import Joints
from agent.motor_programs.gait import Gait
from agent.proprioception import Proprioception
from agent.residual import Residual
from agent.spinal_cord import Rhythm


@dataclass
class Life:
    """What a body that crawls has once its joints are known."""

    joints: Joints
    gait: Gait
    search: HabitSearch
    rhythm: Rhythm
    habit: Rhythm | None = None
    residual: Residual | None = None

    @property
    def refines(self) -> bool:
        """Whether the habit is refined instead of sought."""
        return self.residual is not None and self.residual.practises

    @cached_property
    def proprioception(self) -> Proprioception:
        """What is believed of the joints."""
        return Proprioception(self.joints)

    @cached_property
    def channels(self) -> NDArray[np.int64]:
        """Channels that belong to joints."""
        joints = self.joints
        channels = np.concatenate([joints.cosine, joints.sine, joints.velocity])
        return channels[channels >= 0]  # (There is no cosine where the angle itself is given)


def shuffled(joints: Joints, rng: np.random.Generator) -> Joints:
    """Take the joints of a body for each other."""
    order = np.roll(rng.permutation(len(joints.sine)), 1)
    return replace(
        joints,
        cosine=joints.cosine[order],
        sine=joints.sine[order],
        velocity=joints.velocity[order],
    )
