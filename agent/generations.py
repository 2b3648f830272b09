"""Generations: the candidates that an explorer asks for, and what each of them has earned."""

import numpy as np
from numpy.typing import NDArray

from agent.config import SearchConfig
from agent.explorers import EXPLORERS, Explorer
from agent.parts import part_of
from agent.percept import Array
from agent.randomness import generator_state, set_generator_state


class Generations:
    """Candidates about the centre of a search, one generation after the other.

    Args:
        n_parameters: of a program.
        config: settings.
        rng: of the explorer alone: its candidates are drawn again when a search is taken up.

    Attributes:
        explorer: draws them, and learns from what they earn; None until there is a centre.
        number: generations that are over, since all began or began anew.
        reward: (k,) what the candidates of the one under way have earned, NaN where that is not
            known yet; of size 0 between two generations.

    """

    def __init__(self, n_parameters: int, config: SearchConfig, rng: np.random.Generator):
        self._config, self._rng = config, rng
        self.explorer: Explorer | None = None
        self.number, self.reward = 0, np.zeros(0)
        self._candidates = np.zeros((0, n_parameters))

    def explore(self, start: Array, spread: float) -> Explorer:
        """Search from a centre (n_parameters,) on, by perturbations of that size."""
        explorer = EXPLORERS[self._config.method](start, self._config, self._rng, spread)
        self.explorer = explorer
        return explorer

    def end(self) -> None:
        """Search no more, and count generations from 0 again."""
        self.explorer, self.number, self.reward = None, 0, np.zeros(0)

    def begin(self) -> list[int] | None:
        """Begin a generation where none is under way; returns the tickets of its candidates."""
        if self.explorer is None or len(self.reward):
            return None
        self._candidates = self.explorer.ask()
        self.reward = np.full(len(self._candidates), np.nan)
        return list(range(len(self._candidates)))

    def candidate(self, ticket: int) -> Array:
        """Parameters (n_parameters,) of one of the generation under way."""
        return np.asarray(self._candidates[ticket])

    @property
    def bout_steps(self) -> int:
        """Least steps for which a candidate is to be tried."""
        c = self._config
        return round(min(c.longest, c.bout_steps * (1 + c.growth) ** self.number))

    def earn(self, ticket: int, reward: float) -> int:
        """Take note of what a candidate has earned.

        Returns:
            How many candidates the generation had that is over with that; 0 where it goes on.

        """
        assert self.explorer is not None
        self.reward[ticket] = reward
        if np.isnan(self.reward).any():
            return 0
        self.explorer.tell(self.reward)
        candidates, self.reward = len(self.reward), np.zeros(0)
        self.number += 1
        return candidates

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        state = {
            "reward": np.nan_to_num(self.reward),  # (NaN where not tried yet: files hold none)
            "reward_known": ~np.isnan(self.reward),
            "exploring": generator_state(self._rng),
            "number": np.array(self.number),
        }
        if self.explorer is not None:
            state |= {f"explorer.{key}": value for key, value in self.explorer.state().items()}
        return state

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned, among other things."""
        self.reward = np.where(state["reward_known"], state["reward"], np.nan)
        self.number = int(state["number"])
        set_generator_state(self._rng, state["exploring"])
        self.explorer, told = None, part_of(state, "explorer.")
        if told:
            explorer = self.explore(np.zeros(self._candidates.shape[1]), self._config.spread)
            explorer.load_state(told)
            if len(self.reward):
                self._candidates = explorer.ask()
