"""Watching an agent live in an environment: pictures, and what its brain signals at each step."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm

from scripts.errors import UserError

Picture = NDArray[np.uint8]
Signals = dict[str, NDArray[np.float64]]


@dataclass
class Moment:
    """One step of an episode.

    Attributes:
        step: steps since the episode began; 0 is its start.
        total: return so far.
        signals: what is known of this step, by name, each (…) of the one body.
        picture: (height, width, 3); None where this step is not filmed.
        over: whether it is the last of the episode.

    """

    step: int
    total: float
    signals: Signals = field(default_factory=dict)
    picture: Picture | None = None
    over: bool = False


class Watched:
    """An algorithm in one environment, episode by episode.

    A brain that only performs does not compute what only learning needs (dopamine, felt against
    predicted). So a witness, a copy of the brain made as each episode begins, is told what
    happens, and signals what the brain itself would; what the witness learns is thrown away.

    Args:
        agent: any algorithm; a `BrainAgent` is also looked into.
        env: environment that draws `rgb_array`.
        stride: steps between two pictures.
        look: whether to look into the brain.
        learning: let the brain explore and learn on, as in training; what it learns is not saved.

    Raises:
        UserError: another algorithm than the brain is to learn on.

    """

    def __init__(
        self,
        agent: BaseAlgorithm,
        env: gym.Env,
        stride: int = 1,
        look: bool = False,
        learning: bool = False,
    ) -> None:
        self.agent, self.env, self.stride = agent, env, stride
        self.brain: Any = getattr(agent, "brain", None)  # of another algorithm: None
        if learning and not hasattr(agent, "brain"):
            raise UserError("--learning films a brain that learns on: this run is of another one")
        self.look, self.learning = look and hasattr(agent, "brain"), learning
        self.total, self.steps, self.success, self.seed = 0.0, 0, None, 0
        self.most_steps = 0  # after which an episode is left; 0 for none
        low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
        self._centre, self._half = 0.5 * (high + low), 0.5 * (high - low)
        if hasattr(agent, "brain"):
            agent.brain.trace.enabled = self.look

    def episode(self, seed: int) -> Iterator[Moment]:
        """Yield the start and every step of the episode of a seed."""
        self.seed, self.total, self.steps, self.success = seed, 0.0, 0, None
        seen, _ = self.env.reset(seed=seed)
        normaliser = self.agent.get_vec_normalize_env()
        state: Any = None
        start, over = np.ones(1, dtype=bool), False
        witness = self.brain
        if self.look and not self.learning:
            witness = copy.deepcopy(self.brain)
            witness.resize(1)  # (What it was in the middle of is over)
        yield Moment(0, 0.0, self._places(seen), self._picture())
        while not over:
            batch: Any = as_batch(seen)
            if normaliser is not None:
                batch = normaliser.normalize_obs(batch)
            if self.learning:
                memory = self.brain.new_memory(1) if state is None else state
                action, state = self.brain.act(batch, memory, start, learning=True)
            else:
                action, state = self.agent.predict(batch, state, start, deterministic=True)
            seen, reward, terminated, truncated, info = self.env.step(action[0])
            self.total += float(reward)
            self.steps += 1
            self.success = info.get("is_success")
            left = self.steps == self.most_steps
            over, start = terminated or truncated or left, np.zeros(1, dtype=bool)
            signals = self._places(seen)
            signals["command"] = (action[0] - self._centre) / self._half
            signals["reward"] = np.array(reward, float)
            if witness is not None and (self.look or self.learning):
                after = as_batch(seen)
                if normaliser is not None:
                    after = normaliser.normalize_obs(after)
                ends = np.array([terminated]), np.array([truncated and not terminated])
                signals |= self._look(witness, (batch, action, reward, after, *ends), state)
            moment = Moment(self.steps, self.total, signals, over=over)
            if over or self.steps % self.stride == 0:
                moment.picture = self._picture()
            yield moment

    def summary(self) -> str:
        """Say what the episode came to."""
        text = f"episode {self.seed}: return {self.total:.3f} in {self.steps} steps"
        if self.success is None:
            return text
        return f"{text}, {'success' if self.success else 'no success'}"

    def _look(self, witness: Any, step: tuple[Any, ...], state: Any) -> Signals:
        """Tell a brain of a step, and return what was signalled in acting and in learning."""
        acted: dict[str, Any] = {}
        memory = state
        if not self.learning:
            self.brain.trace.next_tick()
            acted = self.brain.trace.rows[-1] if self.brain.trace.rows else {}
            self.brain.trace.clear()
            names = self.brain.memory_names
            memory = {name: np.array(part) for name, part in zip(names, state, strict=True)}
        seen, action, reward, after, terminated, truncated = step
        rewards = np.array([reward], dtype=np.float32)
        witness.learn(seen, action, rewards, after, terminated, truncated, memory)
        rows = {**acted, **(witness.trace.rows[-1] if witness.trace.rows else {})}
        witness.trace.clear()
        signals = {k: np.asarray(v[0] if np.ndim(v) else v, float) for k, v in rows.items()}
        if not self.learning and "worth" in signals:
            # No bout of the search is under way: what a step is worth is held against the habit.
            signals["dopamine"] = signals["worth"] - signals["expected_worth"]
        return signals

    @staticmethod
    def _places(seen: Any) -> Signals:
        """Return where the body is and where it is to be, where the task says so."""
        if not isinstance(seen, dict) or "achieved_goal" not in seen:
            return {}
        return {
            "place": np.array(seen["achieved_goal"], float),
            "aim": np.array(seen["desired_goal"], float),
        }

    def _picture(self) -> Picture:
        picture = self.env.render()
        if not isinstance(picture, np.ndarray):
            raise UserError(f"{self.env} draws no picture in render_mode rgb_array")
        return picture


def as_batch(observation: Any) -> Any:
    """Turn the observation of one body into a batch of one."""
    if isinstance(observation, dict):
        return {key: np.asarray(part)[None] for key, part in observation.items()}
    return np.asarray(observation)[None]
