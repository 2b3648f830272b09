"""Proprioception: what a joint does when its sensor stands still or a look of it is lost."""

import numpy as np
from numpy.typing import NDArray

from agent.joint_expectation import JointExpectation
from agent.joints import Joints
from agent.percept import Array
from agent.working_memory import Memory


class Proprioception:
    r"""Angles and velocities of the joints, those that are not felt expected from the others.

    Angle and velocity of a joint tell the same twice, :math:`\Delta q = h v`, as babbling has
    found. A sensor that shows the very same number for `STUCK` steps while its partner changes is
    not believed. An angle is then the sum of the velocities since it last moved, or since the
    episode began as episodes do, drawn to what the joint usually does by as much as such sums have
    been found to go astray, and a velocity the change of the angle carried on to now:

    .. math:: \hat q \leftarrow \hat q + \tfrac{h}{2} (v_t + v_{t-1}) + \kappa (\bar q_t - \hat q),
        \qquad \hat v = c_t + \tfrac12 (c_t - c_{t-1}), \quad c_t = (q_t - q_{t-1}) / h

    Where nothing of an observation has changed, it has been lost: the joints are believed to be
    where they were wanted, and go on as they went, so that no reflex answers to old news. All that
    is sound goes through as it is. (Sensors that tell of the same thing are weighed by what can be
    believed of each: Ernst & Banks 2002, doi:10.1038/415429a.)

    Attributes:
        expectation: what the joints usually do.

    """

    STUCK = 3

    def __init__(self, joints: Joints):
        self._joints = joints
        self.expectation = JointExpectation(len(joints.sine))

    def feel(
        self,
        memory: Memory,
        channels: Array,
        angle: Array,
        wanted: Array,
        first: int | None = None,
    ) -> tuple[Array, Array]:
        """Angles and velocities (n, m) to believe.

        Args:
            memory: working memory of n bodies; updated.
            channels: (n, n_channels) as they are felt.
            angle: (n, m) read from them, rad.
            wanted: (n, m) angles that are wanted, rad.
            first: number of the first body if there is something to learn, or None.

        """
        joints = self._joints
        velocity = channels.take(joints.velocity, axis=1)
        before = memory["sensed"]
        known = memory["sensing"]
        memory["sensed"], memory["sensing"] = channels, np.ones(len(known), np.bool_)
        was_angle, was_velocity = memory["joint_angle"], memory["joint_velocity"]
        was_wanted, memory["joint_wanted"] = memory["joint_wanted"], wanted
        same = channels == before
        lost = known & np.logical_and.reduce(same, axis=1)
        still = same.take(joints.sine, axis=1), same.take(joints.velocity, axis=1)
        held = memory["stuck_angle"], memory["stuck_velocity"]
        odd = ~known, lost, *still, *held
        if first is not None:
            self._learn(first, odd, angle, velocity, wanted)
        if not any(np.count_nonzero(part) for part in odd):
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
        expected = self.expectation.expect(wanted, np.where(known[:, None], was_wanted, wanted))
        led += self.expectation.draw * no_angle * (expected - led)
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

    def _learn(
        self, first: int, odd: tuple[NDArray, ...], angle: Array, velocity: Array, wanted: Array
    ) -> None:
        """Learn from the first body what joints usually do, unless something is odd about it."""
        if first or any(np.count_nonzero(part[0]) for part in odd):
            self.expectation.interrupt()
        else:
            self.expectation.watch(angle[0], velocity[0], wanted[0], self._joints.step)
