"""Two rules by which reward shapes the parameters of a motor program."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.config import SearchConfig
from agent.percept import Array
from agent.randomness import generator_state, set_generator_state


class Explorer(ABC):
    """A centre θ from which candidates are drawn, generation by generation.

    Attributes:
        population: candidates per generation.

    """

    population: int

    @property
    @abstractmethod
    def centre(self) -> Array:
        """θ, (n_parameters,)."""

    @abstractmethod
    def ask(self) -> Array:
        """Draw the next generation, (population, n_parameters)."""

    @abstractmethod
    def tell(self, reward: Array) -> None:
        """Learn what the generation that was asked for earned, (population,)."""

    @abstractmethod
    def state(self) -> dict[str, NDArray]:
        """Everything as of the last `tell`: a generation under way is asked for again."""

    @abstractmethod
    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._spread = float(state["spread"])


class CovarianceAdaptation(Explorer):
    r"""CMA-ES (Hansen 2016, arXiv:1604.00772), from the `cma` package.

    .. math:: \theta_k = m + \sigma \varepsilon_k, \quad \varepsilon_k \sim N(0, C), \qquad
        m \mathrel{+}= \sigma \textstyle\sum_k w(\text{rank of } r_k)\, \varepsilon_k

    The perturbation ε of a candidate is the eligibility: what the synapses did differently. Its
    weight w, positive for the better half of the generation and negative for the worse, is the
    prediction error, the generation being the expectation and ranks the unit. C and σ, learnt
    from the same products, are the memory of which perturbations have paid together.

    Its state is what it began with and what it has been told since: replaying that gives the
    same numbers again, so that nothing inside the package has to be saved.
    """

    def __init__(self, start: Array, config: SearchConfig, rng: np.random.Generator, spread: float):
        self._config, self._rng, self._spread = config, rng, spread
        self._begin(start)

    def _begin(self, start: Array) -> None:
        import cma  # (Here: it takes a second, and not every brain searches)

        self._start, self._seed = start.copy(), generator_state(self._rng)
        self._told: list[Array] = []
        options: dict[str, Any] = {
            "verbose": -9,
            "seed": np.nan,
            "randn": lambda *shape: self._rng.standard_normal(shape),
        }
        if self._config.population:
            options["popsize"] = self._config.population
        self._cma = cma.CMAEvolutionStrategy(start, self._spread, options)
        self.population = self._cma.popsize

    @property
    def centre(self) -> Array:
        """θ, (n_parameters,)."""
        return np.array(self._cma.mean)

    def ask(self) -> Array:
        """Draw the next generation, (population, n_parameters)."""
        self._asked = self._cma.ask()
        return np.array(self._asked)

    def tell(self, reward: Array) -> None:
        """Learn what the generation that was asked for earned, (population,)."""
        self._told.append(np.array(reward, float))
        self._cma.tell(self._asked, list(-self._told[-1]))

    def state(self) -> dict[str, NDArray]:
        """Everything as of the last `tell`: a generation under way is asked for again."""
        told = np.array(self._told).reshape(-1, self.population)
        return {
            "spread": np.array(self._spread),
            "start": self._start,
            "seed": self._seed,
            "told": told,
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._spread = float(state["spread"])
        set_generator_state(self._rng, state["seed"])
        self._begin(state["start"])
        for reward in state["told"]:
            self.ask()
            self.tell(reward)


class ThreeFactor(Explorer):
    r"""Perturb, and keep what paid better than expected.

    .. math:: \theta_k = \theta \pm \sigma \varepsilon_k, \qquad
        \theta \mathrel{+}= \frac{\eta \sigma}{\sqrt{K}} \sum_k
        \frac{r_k - \bar r}{s} (\pm \varepsilon_k)

    The three factors are activity, the eligibility ±ε that its perturbation has left, and the
    reward prediction error, the mean of the generation being what was expected (Williams 1992,
    doi:10.1007/BF00992696; Fiete & Seung 2006, doi:10.1103/PhysRevLett.97.048104), in units of
    its own spread s as dopamine neurons adapt to it (Tobler, Fiorillo & Schultz 2005,
    doi:10.1126/science.1105370). Each perturbation is tried in both directions.
    """

    def __init__(self, start: Array, config: SearchConfig, rng: np.random.Generator, spread: float):
        self._config, self._rng, self._spread = config, rng, spread
        self.population = 2 * ((config.population or 8) // 2)
        self._centre, self._scale = start.copy(), 0.0
        self._told = generator_state(rng)

    @property
    def centre(self) -> Array:
        """θ, (n_parameters,)."""
        return self._centre.copy()

    def ask(self) -> Array:
        """Draw the next generation, (population, n_parameters)."""
        half = self._rng.normal(size=(self.population // 2, len(self._centre)))
        self._eligibility = np.stack([half, -half], axis=1).reshape(-1, len(self._centre))
        return self._centre + self._spread * self._eligibility

    def tell(self, reward: Array) -> None:
        """Learn what the generation that was asked for earned, (population,)."""
        error = reward - reward.mean()
        spread = float(error.std()) + 1e-12
        self._scale = 0.8 * self._scale + 0.2 * spread if self._scale else spread
        step = self._config.rate * self._spread / np.sqrt(self.population)
        self._centre = self._centre + step * (error / self._scale) @ self._eligibility
        self._told = generator_state(self._rng)

    def state(self) -> dict[str, NDArray]:
        """Everything as of the last `tell`: a generation under way is asked for again."""
        return {
            "spread": np.array(self._spread),
            "centre": self._centre,
            "scale": np.array(self._scale),
            "generator": self._told,
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._spread = float(state["spread"])
        self._centre, self._scale = state["centre"].copy(), float(state["scale"])
        self._told = state["generator"].copy()
        set_generator_state(self._rng, self._told)


EXPLORERS: dict[str, type[CovarianceAdaptation] | type[ThreeFactor]] = {
    "cma": CovarianceAdaptation,
    "three_factor": ThreeFactor,
}
