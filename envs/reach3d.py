"""`neonate/Reach3D-v0`: a person's arm of seven joints reaches in space, under gravity."""

from typing import Any, ClassVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from envs.arm import ArmReachEnv


class Reach3DEnv(ArmReachEnv):
    """Torque arm of seven joints under gravity: upper arm 0.30 m, forearm 0.27 m, hand 0.18 m.

    Three joints at the shoulder, one at the elbow, the forearm's rotation and two at the wrist,
    all with a person's ranges; lengths, masses, torque limits and their sources are in
    `assets/reach3d.xml`. The arm must be held up against gravity at every moment, and seven joints
    serve three coordinates: many postures reach the same target. One step is 20 ms (5 of
    MuJoCo's), an episode 75 steps.

    Origin: the shoulder, 1 m above the floor, which the arm cannot touch. x points to the person's
    right, y forward, z up. At zero angles the arm hangs with the palm to the thigh.

    `observation`, (14,) float64:

    | index | what | joint | range | unit |
    |---|---|---|---|---|
    | 0 | angle | `shoulder_flexion` | -1.05 to 3.14 | rad |
    | 1 | angle | `shoulder_abduction` | -0.35 to 1.57 | rad |
    | 2 | angle | `shoulder_rotation` | -1.57 to 1.22 | rad |
    | 3 | angle | `elbow_flexion` | 0.00 to 2.62 | rad |
    | 4 | angle | `forearm_rotation` | -1.40 to 1.40 | rad |
    | 5 | angle | `wrist_flexion` | -1.22 to 1.40 | rad |
    | 6 | angle | `wrist_deviation` | -0.52 to 0.35 | rad |
    | 7 | angular velocity | `shoulder_flexion` | -inf to inf | rad/s |
    | 8 | angular velocity | `shoulder_abduction` | -inf to inf | rad/s |
    | 9 | angular velocity | `shoulder_rotation` | -inf to inf | rad/s |
    | 10 | angular velocity | `elbow_flexion` | -inf to inf | rad/s |
    | 11 | angular velocity | `forearm_rotation` | -inf to inf | rad/s |
    | 12 | angular velocity | `wrist_flexion` | -inf to inf | rad/s |
    | 13 | angular velocity | `wrist_deviation` | -inf to inf | rad/s |

    The limits of the joints are soft: pressed against one, an angle may pass it a little.

    `achieved_goal` and `desired_goal`, (3,) float64: x, y and z in m of the fingertip (middle
    finger) and of the target.

    Action, (7,) float32 in [-1, 1]:

    | index | joint | torque at 1 | unit |
    |---|---|---|---|
    | 0 | `shoulder_flexion` | 40 | N m |
    | 1 | `shoulder_abduction` | 40 | N m |
    | 2 | `shoulder_rotation` | 20 | N m |
    | 3 | `elbow_flexion` | 25 | N m |
    | 4 | `forearm_rotation` | 5 | N m |
    | 5 | `wrist_flexion` | 6 | N m |
    | 6 | `wrist_deviation` | 6 | N m |

    How an episode begins, always at rest: the starting posture is drawn uniformly from
    `comfortable` (below, degrees), again until the fingertip is at least `front_distance` in front
    of the shoulder. The target is where the fingertip of a second posture, drawn alike, would be:
    hence it can be reached, and is nearer the middle of the workspace more often than its rim.

    Reward, info and the options are those of `ArmReachEnv`.
    """

    model_file = "reach3d.xml"
    control_substeps = 5
    goal_size = 3
    goal_bound = 0.80  # (Metres) the straight arm measures 0.75

    comfortable: ClassVar[dict[str, tuple[float, float]]] = {  # (Degrees)
        "shoulder_flexion": (0.0, 100.0),
        "shoulder_abduction": (0.0, 60.0),
        "shoulder_rotation": (-40.0, 40.0),
        "elbow_flexion": (30.0, 120.0),
        "forearm_rotation": (-50.0, 50.0),
        "wrist_flexion": (-40.0, 40.0),
        "wrist_deviation": (-20.0, 10.0),
    }
    front_distance: ClassVar[float] = 0.20  # (Metres)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._low, self._high = np.radians([self.comfortable[j] for j in self.joint_names]).T
        self._imagined = mujoco.MjData(self.model)

    def sample_episode(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw how an episode begins: joint angles (7,) in rad and target (3,) in m."""
        posture, _ = self._sample_posture()
        _, target = self._sample_posture()
        return posture, target

    def _sample_posture(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Joint angles (7,) in rad and fingertip (3,) in m of a posture with the hand in front."""
        while True:
            posture = self.np_random.uniform(self._low, self._high)
            self._imagined.qpos[:] = posture
            mujoco.mj_kinematics(self.model, self._imagined)
            fingertip = self._imagined.site("fingertip").xpos.copy()
            if fingertip[1] >= self.front_distance:
                return posture, fingertip
