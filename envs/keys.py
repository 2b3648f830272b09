"""`neonate/Keys-v0`: the arm of `neonate/Reach-v0` presses keys in an order that a cue tells."""

from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.arm import ArmEnv
from envs.key_order import KeyOrder, Recital, one_hot

Observation = dict[str, NDArray[np.float64]]


class KeysEnv(ArmEnv):
    """Planar torque arm at a keyboard of keys that lie on a ring.

    The arm, its joints and its motors are those of `envs.reach.ReachEnv`; one step is 10 ms. The
    keys, discs of 2.5 cm, lie evenly on a ring of 13 cm around a point 38 cm in front of the
    shoulder, where the hand begins, at rest.

    A key is pressed when the fingertip is on it and slower than `press_speed`; to press it once
    more, the fingertip has to leave it first.

    Observation (dict of float64):

    | key | shape | what | unit |
    |---|---|---|---|
    | `observation` | (4,) | angles of shoulder and elbow, their velocities | rad, rad/s |
    | `achieved_goal` | (2,) | fingertip | m |
    | `places` | (2 · keys,) | x and y of every key | m |
    | `cue` | (cues,) | the cue that is shown, one-hot; zeros while none is shown | |
    | `go` | (1,) | 1 when presses count | |
    | `pressed` | (keys,) | the key pressed in this step, one-hot | |
    | `answer` | (1,) | in a step with a press: 1 right, −1 wrong, 0 without feedback | |

    Action, (2,) float32 in [-1, 1]: torque of shoulder and elbow over their limits.

    Reward: that of the press (`envs.key_order.Recital`), less `effort_cost` · ‖action‖². The
    terms are in `info` as `reward_press` and `reward_effort`.

    An episode is one sequence. It terminates with the last press that counts.

    `info` also has `is_success` (finished without a wrong press), `errors` (wrong presses), `cue`,
    `pressed` (the key pressed in this step, −1 for none).

    Args:
        cue_ms: for how long the cue is shown; 0 for the whole episode.
        delay_ms: from then on until presses count; wants a `cue_ms`.
        press_speed: m/s.
        effort_cost: reward per squared action and step.
        motor_noise: see `ArmReachEnv`.
        render_mode: see `ArmReachEnv`, as `width` and `height`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        **rules: of `envs.key_order.KeyOrder`: keys, length, cues, feedback and others.

    Raises:
        ValueError: for an option outside its domain.

    """

    model_file = "keys.xml"
    control_substeps = 5

    reach: ClassVar[float] = 0.65  # (Metres) the straight arm measures 0.63
    most_keys: ClassVar[int] = 10
    ring_centre: ClassVar[tuple[float, float]] = (0.0, 0.38)  # (Metres)
    ring_radius: ClassVar[float] = 0.13  # (Metres)
    key_radius: ClassVar[float] = 0.025  # (Metres)

    _PLAIN: ClassVar[tuple[float, ...]] = (0.97, 0.97, 0.95, 1.0)
    _RIGHT: ClassVar[tuple[float, ...]] = (0.30, 0.72, 0.40, 1.0)
    _WRONG: ClassVar[tuple[float, ...]] = (0.86, 0.28, 0.24, 1.0)
    _MUTE: ClassVar[tuple[float, ...]] = (0.95, 0.75, 0.25, 1.0)

    def __init__(
        self,
        cue_ms: float = 0.0,
        delay_ms: float = 0.0,
        press_speed: float = 0.4,
        effort_cost: float = 0.0,
        motor_noise: float = 0.0,
        render_mode: str | None = None,
        width: int = 1280,
        height: int = 720,
        **rules: Any,
    ) -> None:
        self.rules = KeyOrder(**rules)
        if self.rules.keys > self.most_keys:
            raise ValueError(f"keys is {self.rules.keys}: there is room for {self.most_keys}")
        if delay_ms and not cue_ms:
            raise ValueError("a delay needs cue_ms: how long the cue is shown before it")
        if not press_speed > 0 or not effort_cost >= 0:
            raise ValueError(
                f"press_speed is {press_speed} and effort_cost {effort_cost}: write a speed above "
                "0 m/s and a cost from 0 up"
            )
        super().__init__(motor_noise, render_mode, width, height)
        self.press_speed, self.effort_cost = press_speed, effort_cost
        self.cue_steps, self.delay_steps = (self._delay_in_steps(t) for t in (cue_ms, delay_ms))
        turn = np.pi / 2 - 2 * np.pi * np.arange(self.rules.keys) / self.rules.keys
        ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        self.places = np.array(self.ring_centre) + self.ring_radius * ring
        for i in range(self.most_keys):
            here = i < self.rules.keys
            place = (*self.places[i], -0.03) if here else (0.0, 0.0, -1.0)
            self.model.body(f"key{i}").pos = place
        upper, fore = 0.30, self.model.body("hand").pos[0] + self.model.site("fingertip").pos[0]
        self._start = self._posture(np.array(self.ring_centre), upper, fore)
        k = self.rules.keys
        bounds = {
            "observation": (np.inf, 2 * self.model.nv),
            "achieved_goal": (self.reach, 2),
            "places": (self.reach, 2 * k),
            "cue": (1.0, self.rules.n_cues),
            "go": (1.0, 1),
            "pressed": (1.0, k),
            "answer": (1.0, 1),
        }
        self.observation_space = spaces.Dict(
            {n: spaces.Box(-b, b, (size,), np.float64) for n, (b, size) in bounds.items()}
        )

    @staticmethod
    def _posture(point: NDArray[np.float64], upper: float, fore: float) -> NDArray[np.float64]:
        """Angles (2,) of shoulder and elbow that bring the fingertip to a point (2,), in rad."""
        far = point @ point
        elbow = np.arccos((far - upper**2 - fore**2) / (2 * upper * fore))
        inner = np.arctan2(fore * np.sin(elbow), upper + fore * np.cos(elbow))
        return np.array([np.arctan2(point[1], point[0]) - inner, elbow])

    def reset_model(self) -> Observation:  # type: ignore[override]
        """Draw a cue, and put the hand in the middle of the keys, at rest."""
        self.recital = Recital(self.rules, self.np_random)
        self._steps, self._on, self._pressed, self._answer = 0, -1, -1, 0.0
        self.data.mocap_pos[0] = (0.0, 0.0, -1.0)
        self.set_state(self._start, np.zeros(self.model.nv))
        self._colour(-1, self._PLAIN)
        return self._observe()

    def step(  # type: ignore[override]
        self, action: NDArray[np.floating[Any]]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Drive the joints for one control step, and press what the hand is on."""
        counts = self._go
        command = self._drive(action)
        self._steps += 1
        key = self._key_below()
        self._pressed, self._answer, press_reward = -1, 0.0, 0.0
        if key != self._on and (key < 0 or self.speed < self.press_speed):
            if key >= 0:
                self._colour(self._on, self._PLAIN)
            self._on = key
            if key >= 0 and counts:
                press_reward, self._answer = self.recital.press(key)
                self._pressed = key
                lit = {1.0: self._RIGHT, -1.0: self._WRONG, 0.0: self._MUTE}[self._answer]
                self._colour(key, lit)
            elif key < 0:
                self._colour(-1, self._PLAIN)
        effort = -self.effort_cost * float(command @ command)
        info = {
            "is_success": self.recital.perfect,
            "errors": self.recital.presses - self.recital.right,
            "cue": self.recital.cue,
            "pressed": self._pressed,
            "reward_press": press_reward,
            "reward_effort": effort,
        }
        if self.render_mode == "human":
            self.render()
        return self._observe(), press_reward + effort, self.recital.over, False, info

    def _key_below(self) -> int:
        """Key that the fingertip is on, −1 for none."""
        away = np.linalg.norm(self.places - self.fingertip[:2], axis=1)
        nearest = int(away.argmin())
        return nearest if away[nearest] < self.key_radius else -1

    def _colour(self, key: int, colour: tuple[float, ...]) -> None:
        """Colour one key, or all of them (−1)."""
        for i in range(self.rules.keys) if key < 0 else (key,):
            self.model.geom(f"key{i}").rgba = colour

    @property
    def _go(self) -> bool:
        """Whether presses count."""
        return not self.cue_steps or self._steps >= self.cue_steps + self.delay_steps

    def _observe(self) -> Observation:
        shown = not self.cue_steps or self._steps < self.cue_steps
        return {
            "observation": np.concatenate((self.data.qpos, self.data.qvel)),
            "achieved_goal": self.fingertip[:2],
            "places": self.places.ravel().copy(),
            "cue": one_hot(self.recital.cue if shown else -1, self.rules.n_cues),
            "go": np.array([float(self._go)]),
            "pressed": one_hot(self._pressed, self.rules.keys),
            "answer": np.array([self._answer]),
        }
