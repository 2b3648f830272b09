"""`neonate/KeyChoice-v0`: the keyboard without an arm, whose keys are pressed by choosing them."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.key_order import KeyOrder, Recital, one_hot

Observation = dict[str, NDArray[np.float64]]


class KeyChoiceEnv(gym.Env[Observation, np.int64]):
    """Keys pressed in the order that a cue announces; one step is one press.

    The action set of `neonate/Keys-v0` without its arm: for algorithms that choose among acts.

    Observation (dict of float64):

    | key | shape | what |
    |---|---|---|
    | `cue` | (cues,) | the cue that is shown, one-hot; zeros while none is shown |
    | `go` | (1,) | 1 when presses count |
    | `pressed` | (keys,) | the key just pressed, one-hot |
    | `answer` | (1,) | 1 after a right press, −1 after a wrong one, 0 without feedback |
    | `stage` | (stages,) | presses that count so far, one-hot |

    Action: the key to press, `Discrete(keys)`; while `go` is 0 it has no effect.

    An episode is one sequence. It terminates with the last press that counts, and is truncated
    after `most_presses`. Reward: see `envs.key_order.Recital`.

    `info`: `is_success` (finished without a wrong press), `errors` (wrong presses), `cue`.

    Args:
        cue_steps: steps for which the cue is shown; 0 for as long as the episode lasts.
        delay: steps from then on until presses count.
        distractors: probability that another cue flashes in a step of the delay.
        most_presses: per episode.
        render_mode: None only.
        **rules: of `envs.key_order.KeyOrder`.

    Raises:
        ValueError: for an option outside its domain.

    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        cue_steps: int = 0,
        delay: int = 0,
        distractors: float = 0.0,
        most_presses: int = 100,
        render_mode: str | None = None,
        **rules: Any,
    ) -> None:
        if cue_steps < 0 or delay < 0 or not 0 <= distractors <= 1 or most_presses < 1:
            raise ValueError(
                f"cue_steps {cue_steps}, delay {delay}, distractors {distractors}, most_presses "
                f"{most_presses}: steps from 0 up, a probability, and at least one press"
            )
        if delay and not cue_steps:
            raise ValueError("a delay needs cue_steps: how long the cue is shown before it")
        self.rules = KeyOrder(**rules)
        self.render_mode = render_mode
        self.cue_steps, self.delay = cue_steps, delay
        self.distractors, self.most_presses = distractors, most_presses
        self.stages = max(len(order) for order in self.rules.sequences) + 1
        sizes = {"cue": self.rules.n_cues, "go": 1, "pressed": self.rules.keys}
        sizes |= {"answer": 1, "stage": self.stages}
        self.observation_space = spaces.Dict(  # type: ignore[assignment]
            {
                k: spaces.Box(-1.0 if k == "answer" else 0.0, 1.0, (n,), np.float64)
                for k, n in sizes.items()
            }
        )
        self.action_space = spaces.Discrete(self.rules.keys)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a cue and show it."""
        super().reset(seed=seed)
        self.recital = Recital(self.rules, self.np_random)
        self._steps = 0
        return self._observe(-1, 0.0), self._info()

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Press a key."""
        if not self.action_space.contains(action):
            raise ValueError(f"action is {action!r}: write a key from 0 to {self.rules.keys - 1}")
        counts = self._go
        self._steps += 1
        reward, answer = self.recital.press(int(action)) if counts else (0.0, 0.0)
        observation = self._observe(int(action) if counts else -1, answer)
        truncated = self.recital.presses >= self.most_presses and not self.recital.over
        return observation, reward, self.recital.over, truncated, self._info()

    @property
    def _go(self) -> bool:
        """Whether presses count; where the cue is brief, once the delay after it is over."""
        return not self.cue_steps or self._steps >= self.cue_steps + self.delay

    def _observe(self, pressed: int, answer: float) -> Observation:
        cue = self.recital.cue if not self.cue_steps or self._steps < self.cue_steps else -1
        if not self._go and cue < 0 and self.np_random.random() < self.distractors:
            cue = int(self.np_random.integers(self.rules.n_cues))
        return {
            "cue": one_hot(cue, self.rules.n_cues),
            "go": np.array([float(self._go)]),
            "pressed": one_hot(pressed, self.rules.keys),
            "answer": np.array([answer]),
            "stage": one_hot(self.recital.stage, self.stages),
        }

    def _info(self) -> dict[str, Any]:
        recital = self.recital
        return {
            "is_success": recital.perfect,
            "errors": recital.presses - recital.right,
            "cue": recital.cue,
        }
