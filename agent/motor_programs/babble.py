"""Babble: smooth random commands, by which a newborn finds out what moves what."""

import numpy as np

from agent.config import BabbleConfig
from agent.percept import Array
from agent.working_memory import Memory


class Babble:
    r"""Ornstein–Uhlenbeck commands in bouts of different strength.

    .. math:: u \leftarrow s u + \sqrt{1 - s^2}\, A\, \varepsilon, \qquad \varepsilon \sim N(0, 1)

    The strength A is log-uniform from one bout to the next, as infants' spontaneous movements
    come in bursts of all sizes (Thelen 1979, doi:10.1016/0003-3472(79)90006-X).
    """

    def __init__(self, config: BabbleConfig):
        self._config = config

    def act(self, memory: Memory, rng: np.random.Generator) -> Array:
        """Command (n, n_motors) of n bodies that babble; their working memory is updated."""
        strength = self.strength(len(memory["steps"]), rng)
        begins = self.is_new_bout(memory["steps"])
        memory["strength"] = np.where(begins, strength, memory["strength"])
        memory["babble"] = self.command(memory["babble"], memory["strength"], rng)
        return memory["babble"]

    def strength(self, n: int, rng: np.random.Generator) -> Array:
        """Strengths A of n bouts, (n,), shares of the full command."""
        low, high = np.log(self._config.weakest), np.log(self._config.strongest)
        return np.exp(rng.uniform(low, high, n))

    def is_new_bout(self, steps: Array) -> Array:
        """Whether a bout begins at each count of steps, (n,)."""
        return np.asarray(steps % self._config.bout_steps == 0)

    def command(self, last: Array, strength: Array, rng: np.random.Generator) -> Array:
        """Next command (n, n_motors) after `last` (n, n_motors), at strengths (n,)."""
        s = self._config.smoothness
        noise = strength[:, None] * rng.normal(size=last.shape)
        return np.clip(s * last + np.sqrt(1 - s * s) * noise, -1.0, 1.0)
