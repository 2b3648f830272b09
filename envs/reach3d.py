"""`neonate/Reach3D-v0`: a person's arm of seven joints reaches in space, under gravity."""

from typing import Any, ClassVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from envs.arm import ArmReachEnv


class Reach3DEnv(ArmReachEnv):
    """Arm of seven joints under gravity."""

    model_file = "reach3d.xml"
    control_substeps = 5
    goal_size = 3
    goal_bound = 2.0  # (Metres)

    comfortable_share: ClassVar[float] = 0.7
    front_distance: ClassVar[float] = 0.15  # (Metres)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        low, high = self.model.jnt_range.T
        margin = 0.5 * (1.0 - self.comfortable_share) * (high - low)
        self._comfortable = (low + margin, high - margin)
        self._scratch = mujoco.MjData(self.model)

    def sample_episode(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw starting posture and target, see the class."""
        posture, _ = self._sample_posture()
        _, target = self._sample_posture()
        return posture, target

    def _sample_posture(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Joint angles (7,) in rad and fingertip (3,) in m of a posture with the hand in front."""
        while True:
            posture = self.np_random.uniform(*self._comfortable)
            self._scratch.qpos[:] = posture
            mujoco.mj_kinematics(self.model, self._scratch)
            fingertip = self._scratch.site_xpos[self._fingertip_id].copy()
            if fingertip[1] > self.front_distance:
                return posture, fingertip
