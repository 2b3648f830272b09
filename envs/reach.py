"""`neonate/Reach-v0`: a person's arm in the horizontal plane reaches for a target."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.arm import ArmReachEnv

TARGETS = ("random", "centre_out")


class ReachEnv(ArmReachEnv):
    """Planar arm of two joints."""

    model_file = "reach.xml"
    control_substeps = 5
    goal_size = 2
    goal_bound = 0.65  # (Metres) the stretched arm measures 0.63 m

    shoulder_range: ClassVar[tuple[float, float]] = (-30.0, 120.0)  # (Degrees)
    elbow_range: ClassVar[tuple[float, float]] = (20.0, 140.0)  # (Degrees)
    centre_posture: ClassVar[tuple[float, float]] = (45.0, 90.0)  # (Degrees)
    centre_out_distance: ClassVar[float] = 0.10  # (Metres)
    centre_out_directions: ClassVar[int] = 8

    def __init__(self, targets: str = "random", **options: Any) -> None:
        if targets not in TARGETS:
            raise ValueError(f"targets is {targets!r}: write one of {TARGETS}")
        self.targets = targets
        super().__init__(**options)
        upper_arm = self.model.body("forearm").pos[0]
        forearm = self.model.body("hand").pos[0] + self.model.site("fingertip").pos[0]
        self._links = np.array([upper_arm, forearm])

    def sample_episode(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw starting posture and target, see the class."""
        if self.targets == "centre_out":
            posture = np.radians(self.centre_posture)
            direction = 2 * np.pi * self.np_random.integers(8) / self.centre_out_directions
            step = self.centre_out_distance * np.array([np.cos(direction), np.sin(direction)])
            return posture, self._place(posture, step)
        return self._sample_posture(), self._place(self._sample_posture(), np.zeros(2))

    def _sample_posture(self) -> NDArray[np.float64]:
        shoulder = self.np_random.uniform(*np.radians(self.shoulder_range))
        # The area element of the plane is l1 l2 |sin elbow| d(shoulder) d(elbow): an elbow uniform
        # in its cosine makes the fingertip uniform in area.
        folded, stretched = np.cos(np.radians(self.elbow_range[::-1]))
        return np.array([shoulder, np.arccos(self.np_random.uniform(folded, stretched))])

    def _place(
        self, posture: NDArray[np.float64], step: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Fingertip (3,) in m of a posture (2,) in rad, moved by a step (2,) in m."""
        angles = np.cumsum(posture)
        x, y = self._links @ np.stack([np.cos(angles), np.sin(angles)], axis=1) + step
        return np.array([x, y, 0.0])
