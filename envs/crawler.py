"""The crawling body: its options, what it feels, and what a step of crawling costs."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, ClassVar

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.envs.mujoco import MujocoEnv
from numpy.typing import NDArray

ACTUATIONS = ("position", "torque")
LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")
STARTS = ("hands_and_knees", "belly", "back")

GRAVITY = 9.81  # (Metres per second squared)


class CrawlerEnv(MujocoEnv):
    """An infant-like body of 8 kg that crawls, sprawling on hands and knees, on flat ground.

    Each of its four limbs has two hinges: one swings it forward and back, one lifts it. A task
    says where to go (`neonate/Crawl-v0`, `neonate/CrawlTo-v0`). One step is 50 ms (10 of
    MuJoCo's). Sources of its measures are in `assets/crawler.xml`.

    Proprioception, (28,) float64, in the named parts of `observation_parts`:

    | index | what | of | range | unit |
    |---|---|---|---|---|
    | 0 | height of the centre | trunk | -inf to inf | m |
    | 1 | upward direction as the trunk feels it, forward part | trunk | -1 to 1 | 1 |
    | 2 | upward direction as the trunk feels it, leftward part | trunk | -1 to 1 | 1 |
    | 3 | upward direction as the trunk feels it, dorsal part | trunk | -1 to 1 | 1 |
    | 4 | direction that it faces, part along the world's x | trunk | -1 to 1 | 1 |
    | 5 | direction that it faces, part along the world's y | trunk | -1 to 1 | 1 |
    | 6 | angle | `left_arm_swing` | -0.87 to 0.87 | rad |
    | 7 | angle | `left_arm_lift` | -0.52 to 1.22 | rad |
    | 8 | angle | `right_arm_swing` | -0.87 to 0.87 | rad |
    | 9 | angle | `right_arm_lift` | -0.52 to 1.22 | rad |
    | 10 | angle | `left_leg_swing` | -0.87 to 0.87 | rad |
    | 11 | angle | `left_leg_lift` | -0.52 to 1.22 | rad |
    | 12 | angle | `right_leg_swing` | -0.87 to 0.87 | rad |
    | 13 | angle | `right_leg_lift` | -0.52 to 1.22 | rad |
    | 14 | velocity, forward | trunk | -inf to inf | m/s |
    | 15 | velocity, leftward | trunk | -inf to inf | m/s |
    | 16 | velocity, dorsal | trunk | -inf to inf | m/s |
    | 17 | angular velocity about the forward axis | trunk | -inf to inf | rad/s |
    | 18 | angular velocity about the leftward axis | trunk | -inf to inf | rad/s |
    | 19 | angular velocity about the dorsal axis | trunk | -inf to inf | rad/s |
    | 20 | angular velocity | `left_arm_swing` | -inf to inf | rad/s |
    | 21 | angular velocity | `left_arm_lift` | -inf to inf | rad/s |
    | 22 | angular velocity | `right_arm_swing` | -inf to inf | rad/s |
    | 23 | angular velocity | `right_arm_lift` | -inf to inf | rad/s |
    | 24 | angular velocity | `left_leg_swing` | -inf to inf | rad/s |
    | 25 | angular velocity | `left_leg_lift` | -inf to inf | rad/s |
    | 26 | angular velocity | `right_leg_swing` | -inf to inf | rad/s |
    | 27 | angular velocity | `right_leg_lift` | -inf to inf | rad/s |

    Everything is felt from within: velocities are in the trunk's own axes, and where on the ground
    the body is, is not among them. Limits of the joints are soft and may be passed a little.

    Action, (8,) float32 in [-1, 1], in the order of `joint_names`. With `actuation="position"` it
    is the angle that a servo holds, from one end of the joint's range to the other; with
    `"torque"` it is the torque over its limit:

    | index | joint | torque limit | unit |
    |---|---|---|---|
    | 0 | `left_arm_swing` | 8 | N m |
    | 1 | `left_arm_lift` | 12 | N m |
    | 2 | `right_arm_swing` | 8 | N m |
    | 3 | `right_arm_lift` | 12 | N m |
    | 4 | `left_leg_swing` | 8 | N m |
    | 5 | `left_leg_lift` | 12 | N m |
    | 6 | `right_leg_swing` | 8 | N m |
    | 7 | `right_leg_lift` | 12 | N m |

    How an episode begins: all joints within 0.1 rad of `start`, the trunk facing x within 0.1 rad
    and just above the ground, at rest.

    A body on its back cannot turn over by itself, as an infant of its age often cannot, and an
    episode does not end there: after `lies_before_help` on its back somebody turns it over, and it
    lies on its belly where it was, facing as before. The time is lost.

    Info:

    | key | what | unit |
    |---|---|---|
    | `x_position`, `y_position` | where on the ground the trunk is | m |
    | `x_velocity` | along the world's x over this step | m/s |
    | `speed` | over the ground | m/s |
    | `cost_of_transport` | so far: work of the motors (braking is free) / (weight · way) | 1 |
    | `effort` | power of the motors / weight: how fast it could lift the body | m/s |
    | `haste` | mean over motors of the squared change of the action since the step before | 1 |
    | `foot_slip` | mean speed along the ground of the palms and knees that touch it | m/s |
    | `flipped` | the trunk's back faces down | |
    | `helped` | somebody turned it over at the end of this step | |

    Args:
        actuation: `"position"` servos or `"torque"` motors.
        limb_strength: strength of limbs by name, as a share of the usual one, e.g.
            `{"left_arm": 0.5}`: torque limits, and the stiffness of servos, are scaled. The limbs
            are `left_arm`, `right_arm`, `left_leg`, `right_leg`.
        limb_length: length of limbs by name, as a share of the usual one; masses stay.
        start: `"hands_and_knees"`, `"belly"` (limbs raised) or `"back"`.
        render_mode: `None`, `"human"`, `"rgb_array"`, `"depth_array"` or `"rgbd_tuple"`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Raises:
        ValueError: for an option outside its domain; the message says what is accepted.

    """

    metadata = {"render_modes": ["human", "rgb_array", "depth_array", "rgbd_tuple"]}  # noqa: RUF012
    model_file: ClassVar[str] = "crawler.xml"
    control_substeps: ClassVar[int] = 10
    camera: ClassVar[str] = "view"  # follows the body

    start_noise: ClassVar[float] = 0.1  # (Radians) of joints and of the direction faced
    start_heights: ClassVar[dict[str, float]] = {  # (Metres) just above the ground
        "hands_and_knees": 0.18,
        "belly": 0.10,
        "back": 0.13,
    }
    lies_before_help: ClassVar[float] = 2.0  # (Seconds)
    belly_lift: ClassVar[float] = 0.9  # (Radians) of limbs that carry nothing
    reads: ClassVar[tuple[str, ...]] = (
        "qpos",
        "qvel",
        "xmat",
        "actuator_force",
        "actuator_velocity",
        "sensordata",
    )

    def __init__(
        self,
        actuation: str = "position",
        limb_strength: Mapping[str, float] | None = None,
        limb_length: Mapping[str, float] | None = None,
        start: str = "hands_and_knees",
        render_mode: str | None = None,
        width: int = 1280,
        height: int = 720,
    ) -> None:
        for name, value, known in (("actuation", actuation, ACTUATIONS), ("start", start, STARTS)):
            if value not in known:
                raise ValueError(f"{name} is {value!r}: write one of {known}")
        self.actuation, self.start = actuation, start
        self.limb_strength = _limb_factors("limb_strength", limb_strength)
        self.limb_length = _limb_factors("limb_length", limb_length)
        super().__init__(
            model_path=str(files("assets") / self.model_file),
            frame_skip=self.control_substeps,
            observation_space=None,
            render_mode=render_mode,
            width=width,
            height=height,
            camera_name=self.camera,
        )
        self.metadata = {**self.metadata, "render_fps": round(1 / self.dt)}
        n = self.model.nu
        self.joint_names = tuple(self.model.actuator(a).name for a in range(n))
        low, high = self.model.actuator_ctrlrange.T
        self._ctrl_centre, self._ctrl_half = 0.5 * (low + high), 0.5 * (high - low)
        self.action_space = spaces.Box(-1.0, 1.0, (n,), np.float32)
        self.observation_parts = {
            "height": slice(0, 1),
            "up": slice(1, 4),
            "facing": slice(4, 6),
            "joint_angles": slice(6, 6 + n),
            "velocity": slice(6 + n, 9 + n),
            "angular_velocity": slice(9 + n, 12 + n),
            "joint_velocities": slice(12 + n, 12 + 2 * n),
        }
        self.body_space = spaces.Box(-np.inf, np.inf, (12 + 2 * n,), np.float64)
        self.weight = float(self.model.body_subtreemass[1]) * GRAVITY  # (Newtons)
        self.journey = self.new_journey()

    def _initialize_simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """Compile the body as the options want it."""
        spec = mujoco.MjSpec.from_file(self.fullpath)
        for limb, factor in self.limb_length.items():
            _scale_limb(spec.body(limb), factor)
        for motor in spec.actuators:
            limb = motor.target.rsplit("_", 1)[0]
            factor = self.limb_strength.get(limb, 1.0)
            limit = factor * float(motor.forcerange[1])
            if self.actuation == "torque":
                motor.set_to_motor()
                motor.inheritrange = 0.0
                motor.ctrlrange = (-limit, limit)
            else:
                motor.gainprm[0] *= factor
                motor.biasprm[1] *= factor
            motor.forcerange = (-limit, limit)
        self.furnish(spec)
        model = spec.compile()
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, self.width)
        model.vis.global_.offheight = max(model.vis.global_.offheight, self.height)
        return model, mujoco.MjData(model)

    def furnish(self, spec: mujoco.MjSpec) -> None:
        """Add what stands on the ground to the model: nothing, unless a task does."""

    @property
    def position(self) -> NDArray[np.float64]:
        """Where on the ground the trunk is, (2,) in m: a copy."""
        return self.data.qpos[:2].copy()

    @property
    def up(self) -> float:
        """How far the trunk is upright: 1 on hands and knees, −1 on its back."""
        return float(self.data.xmat[1, 8])

    def place_body(self) -> None:
        """Put the body where an episode begins, drawing from `self.np_random`."""
        noise = self.np_random.uniform(-self.start_noise, self.start_noise, self.model.nu + 1)
        posture, speed = self.init_qpos.copy(), np.zeros(self.model.nv)
        posture[2] = self.start_heights[self.start]
        half = 0.5 * noise[-1]
        if self.start == "back":
            posture[3:7] = 0.0, np.cos(half), np.sin(half), 0.0
        else:
            posture[3:7] = np.cos(half), 0.0, 0.0, np.sin(half)
        posture[7:] = noise[:-1]
        if self.start != "hands_and_knees":
            posture[8::2] += self.belly_lift
        self.set_state(posture, speed)
        self.journey = {**self.new_journey(), "place": self.position}

    def turn_over(self) -> None:
        """Lay the body on its belly where it is, facing as before, at rest."""
        posture = self.data.qpos.copy()
        forward = self.data.xmat[1].reshape(3, 3)[:, 0]
        half = 0.5 * np.arctan2(forward[1], forward[0])
        posture[2] = self.start_heights["belly"]
        posture[3:7] = np.cos(half), 0.0, 0.0, np.sin(half)
        posture[7:] = 0.0
        posture[8::2] = self.belly_lift
        self.set_state(posture, np.zeros(self.model.nv))

    def crawl(self, action: NDArray[np.floating[Any]]) -> dict[str, Any]:
        """Drive the joints for one control step.

        Args:
            action: (nu,) clipped to [-1, 1].

        Returns:
            The info that every crawling task gives.

        Raises:
            ValueError: if the action has another shape, or is NaN or infinite.

        """
        command = np.asarray(action, dtype=np.float64)
        if command.shape != (self.model.nu,) or not np.isfinite(command).all():
            raise ValueError(
                f"action is {action!r}: give {self.model.nu} finite numbers in [-1, 1], one for "
                f"each of {self.joint_names}"
            )
        command = command.clip(-1.0, 1.0)
        self.data.ctrl[:] = self.controls(command)
        mujoco.mj_step(self.model, self.data, nstep=self.frame_skip)
        # A step ends by integrating: without this, the trunk would face where it faced before.
        # Forces and what the palms feel stay those of the last substep, 5 ms ago.
        mujoco.mj_kinematics(self.model, self.data)
        info = {key: value.item() for key, value in self.account(self.seen, command).items()}
        if info["helped"]:
            self.turn_over()
        return info

    @property
    def seen(self) -> dict[str, NDArray[np.float64]]:
        """Fields of the simulation that a task reads (`reads`): views."""
        return {name: getattr(self.data, name) for name in self.reads}

    def controls(self, command: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn commands (…, nu) in [-1, 1] into the simulation's controls (…, nu)."""
        return np.asarray(self._ctrl_centre + self._ctrl_half * command)

    def account(
        self, seen: Mapping[str, NDArray[np.float64]], command: NDArray[np.float64]
    ) -> dict[str, NDArray]:
        """Account for a step of crawling, of one body or of many at once.

        Args:
            seen: fields of the simulation after the step, of shapes (…, *).
            command: (…, nu) in [-1, 1].

        Returns:
            The info that every crawling task gives, (…,) each. Way, work and time on the back are
            counted on in `journey`.

        """
        journey = self.journey
        power = (seen["actuator_force"] * seen["actuator_velocity"]).clip(0.0).sum(axis=-1)
        place = seen["qpos"][..., :2].copy()
        moved = place - journey["place"]
        step_length = np.sqrt((moved * moved).sum(axis=-1))
        flipped = seen["xmat"][..., 1, 8] < 0.0
        on_back = np.where(flipped, journey["on_back"] + self.dt, 0.0)
        helped = on_back > self.lies_before_help - 1e-9
        way, work = journey["way"] + step_length, journey["work"] + power * self.dt
        change = np.where(journey["begun"][..., None], command - journey["command"], 0.0)
        self.journey = {
            "work": work,
            "way": way,
            "on_back": np.where(helped, 0.0, on_back),
            "place": place,
            "command": command,
            "begun": np.ones_like(journey["begun"]),
        }
        return {
            "x_position": place[..., 0],
            "y_position": place[..., 1],
            "x_velocity": moved[..., 0] / self.dt,
            "speed": step_length / self.dt,
            "cost_of_transport": work / (self.weight * np.maximum(way, 1e-3)),
            "effort": power / self.weight,
            "haste": np.square(change).sum(axis=-1) / command.shape[-1],
            "foot_slip": _foot_slip(seen["sensordata"]),
            "flipped": flipped,
            "helped": helped,
        }

    def feel(self, seen: Mapping[str, NDArray[np.float64]] | None = None) -> NDArray[np.float64]:
        """Proprioception (…, 28), the table of the class, of this body or of what is `seen`."""
        seen = self.seen if seen is None else seen
        turn = seen["xmat"][..., 1, :].reshape(*seen["xmat"].shape[:-2], 3, 3)
        qpos, qvel = seen["qpos"], seen["qvel"]
        return np.concatenate(
            (
                qpos[..., 2:3],
                turn[..., 2, :],
                turn[..., :2, 0],
                qpos[..., 7:],
                (qvel[..., None, :3] @ turn)[..., 0, :],
                qvel[..., 3:],
            ),
            axis=-1,
        )

    def new_journey(self, n: int | None = None) -> dict[str, NDArray]:
        """Begin to account for a journey of one body, or of n, each from where `place` will be."""
        shape = () if n is None else (n,)
        return {
            "work": np.zeros(shape),
            "way": np.zeros(shape),
            "on_back": np.zeros(shape),
            "place": np.zeros((*shape, 2)),
            "command": np.zeros((*shape, self.model.nu)),
            "begun": np.zeros(shape, bool),
        }


def _foot_slip(sensed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean speed along the ground (…,) of the palms and knees that touch it, in m/s."""
    touching = sensed[..., :4] > 0.0
    along = sensed[..., 4:].reshape(*sensed.shape[:-1], 4, 3)[..., :2]
    speed = np.sqrt((along * along).sum(axis=-1))
    return np.asarray((speed * touching).sum(axis=-1) / np.maximum(touching.sum(axis=-1), 1))


def _limb_factors(option: str, factors: Mapping[str, float] | None) -> dict[str, float]:
    """Check shares by limb."""
    factors = {} if factors is None else factors
    if not isinstance(factors, Mapping) or not set(factors) <= set(LIMBS):
        raise ValueError(
            f"{option} is {factors!r}: write shares by limb, e.g. {{'left_arm': 0.5}}; the limbs "
            f"are {LIMBS}"
        )
    for limb, factor in factors.items():
        if not (np.isfinite(factor) and 0.1 <= factor <= 2.0):
            raise ValueError(
                f"{option} of {limb} is {factor!r}: write a share from 0.1 to 2, e.g. 0.5"
            )
    return {limb: float(factor) for limb, factor in factors.items()}


def _scale_limb(body: mujoco.MjsBody, factor: float) -> None:
    """Lengthen what hangs on a limb's joints; what is thick stays as thick."""
    for geom in body.geoms:
        geom.pos = factor * geom.pos
        geom.fromto = factor * geom.fromto
    for site in body.sites:
        site.pos = factor * site.pos
