"""Proprioception: what a joint does when its sensor stands still or a look of it is lost."""

import numpy as np

from agent.joints import Joints
from agent.percept import Array
from agent.working_memory import Memory


class Proprioception:
    r"""Angles and velocities of the joints, those that are not felt expected from the others.

    Angle and velocity of a joint tell the same twice, :math:`\Delta q = h v`, as babbling has
    found. A sensor that shows the very same number for `STUCK` steps while its partner changes is
    not believed. An angle is then the sum of the velocities since it last moved, or since the
    episode began as episodes do, drawn back where it is off what is wanted by more than half of
    the joint's range Q, and a velocity the change of the angle carried on to now:

    .. math:: \hat q \leftarrow \hat q + \tfrac{h}{2} (v_t + v_{t-1})
        + \lambda\, \text{soft}_{Q / 2}(q^* - \hat q),
        \qquad \hat v = c_t + \tfrac12 (c_t - c_{t-1}), \quad c_t = (q_t - q_{t-1}) / h

    Where nothing of an observation has changed, it has been lost: the joints are believed to be
    where they were wanted, and go on as they went, so that no reflex answers to old news. All that
    is sound goes through as it is. (Sensors that tell of the same thing are weighed by what can be
    believed of each: Ernst & Banks 2002, doi:10.1038/415429a.)
    """

    STUCK = 3
    _DRAW = 0.05  # (λ)
    _SLACK = 0.5  # (Share of its range by which a joint that is not felt may be off what is wanted)

    def __init__(self, joints: Joints):
        self._joints = joints

    def feel(
        self, memory: Memory, channels: Array, angle: Array, wanted: Array
    ) -> tuple[Array, Array]:
        """Angles and velocities (n, m) to believe.

        Args:
            memory: working memory of n bodies; updated.
            channels: (n, n_channels) as they are felt.
            angle: (n, m) read from them, rad.
            wanted: (n, m) angles that were wanted, rad.

        """
        joints = self._joints
        velocity = channels.take(joints.velocity, axis=1)
        before = memory["sensed"]
        known = memory["sensing"]
        memory["sensed"], memory["sensing"] = channels, np.ones(len(known), np.bool_)
        was_angle, was_velocity = memory["joint_angle"], memory["joint_velocity"]
        same = channels == before
        lost = known & np.logical_and.reduce(same, axis=1)
        still = same.take(joints.sine, axis=1), same.take(joints.velocity, axis=1)
        held = memory["stuck_angle"], memory["stuck_velocity"]
        if not any(np.count_nonzero(odd) for odd in (~known, lost, *still, *held)):
            memory["joint_led"] = angle
            memory["joint_change"] = (angle - was_angle) / joints.step
            memory["joint_angle"], memory["joint_velocity"] = angle, velocity
            return angle, velocity
        counts = []
        for own, other, count in (
            (still[0], still[1], held[0]),
            (still[1], still[0], held[1]),
        ):
            more = own & ~other & known[:, None]
            count = np.where(own, count + more, 0)
            counts.append(np.where(known[:, None], count, 0))
        memory["stuck_angle"], memory["stuck_velocity"] = counts
        no_angle, no_velocity = (count >= self.STUCK for count in counts)
        no_velocity &= ~no_angle
        led = memory["joint_led"] + 0.5 * joints.step * (velocity + was_velocity)
        off = wanted - led
        slack = self._SLACK * (joints.high - joints.low)
        led += self._DRAW * no_angle * (off - np.minimum(np.maximum(off, -slack), slack))
        led = np.where(still[0], led, angle)
        memory["joint_led"] = led = np.where(known[:, None], led, joints.start)
        change = (angle - was_angle) / joints.step
        ahead = change + 0.5 * (change - memory["joint_change"])
        velocity = np.where(no_velocity, ahead, velocity)
        angle = np.where(no_angle, led, angle)
        if np.count_nonzero(lost):
            row = lost[:, None]
            angle = np.where(row, wanted, angle)
            velocity = np.where(row, was_velocity, velocity)
        memory["joint_change"] = (angle - was_angle) / joints.step
        memory["joint_angle"], memory["joint_velocity"] = angle, velocity
        return angle, velocity
