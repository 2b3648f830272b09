"""`neonate/Reach-v0`: a person's arm in the horizontal plane reaches for a target."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.arm import ArmReachEnv

TARGETS = ("random", "centre_out")


class ReachEnv(ArmReachEnv):
    """Planar torque arm of two joints: upper arm 0.30 m, forearm and fist 0.33 m.

    The task of motor-control laboratories: the arm lies on a frictionless table at shoulder
    height, gravity plays no part, and within a second the fist must come to a target and stay.
    Masses, inertias, ranges, viscosity and torque limits are a person's; their sources are in
    `assets/reach.xml`. One step is 10 ms (5 of MuJoCo's), an episode 100 steps.

    Origin: the shoulder. x points to the person's right, y forward. The shoulder's angle is
    counted from the x axis, the elbow's from the straight arm.

    `observation`, (4,) float64:

    | index | what | joint | range | unit |
    |---|---|---|---|---|
    | 0 | angle | `shoulder` | -0.70 to 2.27 | rad |
    | 1 | angle | `elbow` | 0.00 to 2.62 | rad |
    | 2 | angular velocity | `shoulder` | -inf to inf | rad/s |
    | 3 | angular velocity | `elbow` | -inf to inf | rad/s |

    The limits of the joints are soft: pressed against one, an angle may pass it a little.

    `achieved_goal` and `desired_goal`, (2,) float64: x and y in m of the fingertip (the middle
    knuckles of the fist) and of the target.

    Action, (2,) float32 in [-1, 1]:

    | index | joint | torque at 1 | unit |
    |---|---|---|---|
    | 0 | `shoulder` | 20 | N m |
    | 1 | `elbow` | 15 | N m |

    How an episode begins, always at rest:

    - `targets="random"`: starting posture and target are drawn alike, so that the fingertip is
      uniform in area over what a shoulder of -30 to 120 degrees and an elbow of 20 to 140 degrees
      (the joint ranges less 10 degrees, and less 20 where the elbow is straight) can reach at
      least 15 cm in front of the shoulder, which is to say not within the chest.
    - `targets="centre_out"`: from shoulder 45 and elbow 90 degrees (hand straight in front) to one
      of 8 targets, 45 degrees apart, on a circle of 10 cm; or, where `directions` has been set to
      a tuple of degrees, to one of those.

    Reward, info and the other options are those of `ArmReachEnv`.

    Args:
        targets: `"random"` or `"centre_out"`.
        **options: of `ArmReachEnv`.

    Raises:
        ValueError: for an option outside its domain; the message says what is accepted.

    """

    model_file = "reach.xml"
    control_substeps = 5
    goal_size = 2
    goal_bound = 0.65  # (Metres) the straight arm measures 0.63

    shoulder_range: ClassVar[tuple[float, float]] = (-30.0, 120.0)  # (Degrees)
    elbow_range: ClassVar[tuple[float, float]] = (20.0, 140.0)  # (Degrees)
    front_distance: ClassVar[float] = 0.15  # (Metres)
    centre_posture: ClassVar[tuple[float, float]] = (45.0, 90.0)  # (Degrees)
    centre_out_distance: ClassVar[float] = 0.10  # (Metres)
    centre_out_directions: ClassVar[int] = 8

    def __init__(self, targets: str = "random", **options: Any) -> None:
        if targets not in TARGETS:
            raise ValueError(f"targets is {targets!r}: write one of {TARGETS}")
        self.targets = targets
        self.directions: tuple[float, ...] | None = None
        super().__init__(**options)
        upper_arm = self.model.body("forearm").pos[0]
        forearm = self.model.body("hand").pos[0] + self.model.site("fingertip").pos[0]
        self._links = np.array([upper_arm, forearm])

    def sample_episode(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw how an episode begins: joint angles (2,) in rad and target (3,) in m."""
        if self.targets == "random":
            posture, _ = self._sample_posture()
            _, target = self._sample_posture()
            return posture, target
        posture = np.radians(self.centre_posture)
        if self.directions is None:
            turn = 2 * np.pi * self.np_random.integers(self.centre_out_directions)
            turn /= self.centre_out_directions
        else:
            turn = np.radians(self.np_random.choice(self.directions))
        away = self.centre_out_distance * np.array([np.cos(turn), np.sin(turn), 0.0])
        return posture, self._fingertip_of(posture) + away

    def _sample_posture(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Joint angles (2,) in rad and fingertip (3,) in m of a posture with the hand in front."""
        # The fingertip's element of area is l1 l2 |sin elbow| d(shoulder) d(elbow): an elbow drawn
        # uniformly in its cosine spreads the fingertip evenly over the plane.
        folded, stretched = np.cos(np.radians(self.elbow_range[::-1]))
        while True:
            shoulder = self.np_random.uniform(*np.radians(self.shoulder_range))
            elbow = np.arccos(self.np_random.uniform(folded, stretched))
            posture = np.array([shoulder, elbow])
            fingertip = self._fingertip_of(posture)
            if fingertip[1] >= self.front_distance:
                return posture, fingertip

    def _fingertip_of(self, posture: NDArray[np.float64]) -> NDArray[np.float64]:
        directions = np.cumsum(posture)
        return np.array([self._links @ np.cos(directions), self._links @ np.sin(directions), 0.0])
