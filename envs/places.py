"""`neonate/Places-v0`: the crawler goes to places in an order that a cue announces."""

from typing import Any, ClassVar

import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.crawler import CrawlerEnv
from envs.key_order import KeyOrder, Recital, one_hot

Observation = dict[str, NDArray[np.float64]]


class PlacesEnv(CrawlerEnv):
    """The crawler of `neonate/CrawlTo-v0` visits places in the order that a cue announces.

    It is `neonate/Keys-v0` with a body that crawls: a place is visited as a key is pressed. The
    places, discs of `place_radius`, lie evenly on a ring of `ring_radius` around where the body
    begins. A place is visited when the trunk comes into it; to visit it once more, the trunk has to
    leave it first.

    Observation (dict of float64):

    | key | shape | what | unit |
    |---|---|---|---|
    | `observation` | (28,) | proprioception, see `CrawlerEnv` | |
    | `achieved_goal` | (2,) | where the trunk is | m |
    | `places` | (2 · keys,) | x and y of every place | m |
    | `cue` | (cues,) | the cue that is shown, one-hot; zeros while none is shown | |
    | `go` | (1,) | 1 when visits count | |
    | `pressed` | (keys,) | the place that is entered in this step, one-hot | |
    | `answer` | (1,) | in a step with a visit: 1 right, −1 wrong, 0 without feedback | |

    Action, options of the body and the rest of info are those of `CrawlerEnv`.

    Reward: that of the visit (`envs.key_order.Recital`), and the costs of crawling as in
    `neonate/CrawlTo-v0`; the terms are in info as `reward_press`, `reward_effort`, `reward_haste`
    and `reward_slip`.

    An episode is one sequence. It terminates with the last visit that counts, and is cut off after
    2000 steps, 100 s.

    `info` also has `is_success` (finished without a wrong visit), `errors` (wrong visits), `right`
    (visits that were right), `cue`, `pressed` (the place entered in this step, −1 for none).

    Args:
        cue_steps: for how many steps the cue is shown; 0 for the whole episode.
        delay_steps: from then on until visits count; wants a `cue_steps`.
        keys: places.
        length: visits of a sequence.
        cues: as in `envs.key_order.KeyOrder`.
        parts: the same.
        part_length: the same.
        long_cues: the same.
        long_length: the same.
        asked: the same.
        feedback: the same.
        credit: the same.
        book: the same.
        **body: options of `CrawlerEnv`.

    Raises:
        ValueError: for an option outside its domain.

    """

    camera = "wide"
    effort_weight: ClassVar[float] = 0.1
    haste_weight: ClassVar[float] = 0.2
    slip_weight: ClassVar[float] = 0.2
    most_places: ClassVar[int] = 10
    ring_radius: ClassVar[float] = 1.0  # (Metres)
    place_radius: ClassVar[float] = 0.4  # (Metres)

    _PLAIN: ClassVar[tuple[float, ...]] = (0.55, 0.60, 0.70, 1.0)
    _ENTERED: ClassVar[tuple[float, ...]] = (0.95, 0.75, 0.25, 1.0)

    def __init__(
        self,
        cue_steps: int = 0,
        delay_steps: int = 0,
        keys: int = 4,
        length: int = 4,
        cues: int = 2,
        parts: int = 2,
        part_length: int = 2,
        long_cues: int = 0,
        long_length: int = 8,
        asked: tuple[int, ...] = (),
        feedback: str = "rich",
        credit: str = "graded",
        book: int = 0,
        **body: Any,
    ) -> None:
        self.rules = KeyOrder(
            keys=keys,
            length=length,
            cues=cues,
            parts=parts,
            part_length=part_length,
            long_cues=long_cues,
            long_length=long_length,
            asked=asked,
            feedback=feedback,
            credit=credit,
            book=book,
        )
        if keys > self.most_places:
            raise ValueError(f"keys is {keys}: there is room for {self.most_places}")
        if min(cue_steps, delay_steps) < 0 or (delay_steps and not cue_steps):
            raise ValueError(
                f"cue_steps is {cue_steps} and delay_steps {delay_steps}: write numbers from 0 "
                "up, and a delay only after a cue that is shown for some steps"
            )
        self.cue_steps, self.delay_steps = cue_steps, delay_steps
        turn = 2 * np.pi * (np.arange(keys) + 0.5) / keys
        self.places = self.ring_radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        super().__init__(**body)
        bounds = {
            "achieved_goal": (np.inf, 2),
            "places": (self.ring_radius, 2 * keys),
            "cue": (1.0, self.rules.n_cues),
            "go": (1.0, 1),
            "pressed": (1.0, keys),
            "answer": (1.0, 1),
        }
        boxes: dict[str, spaces.Space[Any]] = {"observation": self.body_space}
        for name, (bound, size) in bounds.items():
            boxes[name] = spaces.Box(-bound, bound, (size,), np.float64)
        self.observation_space = spaces.Dict(boxes)

    def furnish(self, spec: mujoco.MjSpec) -> None:
        """Draw the places on the ground; they are in nobody's way."""
        for i, (x, y) in enumerate(self.places):
            spec.worldbody.add_geom(
                name=f"place{i}",
                type=mujoco.mjtGeom.mjGEOM_CYLINDER,
                pos=[x, y, 0.001],
                size=[self.place_radius, 0.001, 0.0],
                rgba=self._PLAIN,
                contype=0,
                conaffinity=0,
            )

    def reset_model(self) -> Observation:  # type: ignore[override]
        """Draw a cue, and put the body in the middle of the places."""
        self.recital = Recital(self.rules, self.np_random)
        self._steps, self._on, self._pressed, self._answer = 0, -1, -1, 0.0
        self.data.mocap_pos[0] = (0.0, 0.0, -1.0)  # (There is no other goal.)
        self.place_body()
        self._colour()
        return self.observe()

    def step(  # type: ignore[override]
        self, action: NDArray[np.floating[Any]]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Crawl for one control step, and visit the place that the body is in.

        Args:
            action: (8,) clipped to [-1, 1].

        Returns:
            Observation, reward, terminated (the sequence is finished), truncated (by Gymnasium's
            time limit), info.

        Raises:
            ValueError: if the action has another shape, or is NaN or infinite.

        """
        counts = self._go
        info = self.crawl(action)
        self._steps += 1
        away = np.linalg.norm(self.places - self.position, axis=1)
        nearest = int(away.argmin())
        here = nearest if away[nearest] < self.place_radius else -1
        self._pressed, self._answer, visit = -1, 0.0, 0.0
        if here not in (self._on, -1) and counts:
            visit, self._answer = self.recital.press(here)
            self._pressed = here
        self._on = here
        self._colour()
        info |= {
            "is_success": self.recital.perfect,
            "errors": self.recital.presses - self.recital.right,
            "right": self.recital.right,
            "cue": self.recital.cue,
            "pressed": self._pressed,
            "reward_press": visit,
            "reward_effort": -self.effort_weight * info["effort"],
            "reward_haste": -self.haste_weight * info["haste"],
            "reward_slip": -self.slip_weight * info["foot_slip"],
        }
        terms = "reward_press", "reward_effort", "reward_haste", "reward_slip"
        reward = float(sum(info[name] for name in terms))
        if self.render_mode == "human":
            self.render()
        return self.observe(), reward, self.recital.over, False, info

    @property
    def _go(self) -> bool:
        """Whether visits count."""
        return not self.cue_steps or self._steps >= self.cue_steps + self.delay_steps

    def _colour(self) -> None:
        for i in range(self.rules.keys):
            self.model.geom(f"place{i}").rgba = self._ENTERED if i == self._on else self._PLAIN

    def observe(self) -> Observation:
        """Observation now."""
        shown = not self.cue_steps or self._steps < self.cue_steps
        return {
            "observation": self.feel(),
            "achieved_goal": self.position,
            "places": self.places.ravel().copy(),
            "cue": one_hot(self.recital.cue if shown else -1, self.rules.n_cues),
            "go": np.array([float(self._go)]),
            "pressed": one_hot(self._pressed, self.rules.keys),
            "answer": np.array([self._answer]),
        }
