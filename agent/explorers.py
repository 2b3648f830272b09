"""Two rules by which reward shapes the parameters of a motor program."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.config import SearchConfig
from agent.foresight import Foresight
from agent.percept import Array
from agent.randomness import generator_state, set_generator_state


class Explorer(ABC):
    """A centre θ from which candidates are drawn, generation by generation.

    Attributes:
        population: candidates per generation.

    Args:
        start: (n_parameters,) the first centre.
        config: settings.
        rng: of the perturbations.
        spread: their standard deviation at first.
        foresight: what other parameters have earned so far; asked by rules that can use it.

    """

    population: int

    @abstractmethod
    def __init__(
        self,
        start: Array,
        config: SearchConfig,
        rng: np.random.Generator,
        spread: float,
        foresight: Foresight | None = None,
    ): ...

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

    For every other candidate several perturbations come to mind, of which only the one that
    `Foresight` thinks most of is run (Ulmer, Streichert & Zell 2003,
    doi:10.1109/CEC.2003.1299643). The rest of a generation is drawn blindly: were all of it
    foreseen, m would move and σ grow by what is expected, whatever is earned.

    Its state is what it began with, which candidates were run, and what it has been told since:
    replaying that gives the same numbers again, so that nothing inside the package has to be saved.
    """

    def __init__(
        self,
        start: Array,
        config: SearchConfig,
        rng: np.random.Generator,
        spread: float,
        foresight: Foresight | None = None,
    ):
        self._config, self._rng, self._spread = config, rng, spread
        self._foresight = foresight
        self._begin(start)

    def _begin(self, start: Array) -> None:
        import cma  # (Here: it takes a second, and not every brain searches)

        self._start, self._seed = start.copy(), generator_state(self._rng)
        self._told: list[Array] = []
        self._run: list[NDArray[np.int64]] = []  # (Which of those that came to mind were run)
        self._imagined: list[int] = []  # (How many for each that was)
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
        seen, best = self._foresight, np.zeros(self.population, np.int64)
        known = seen is not None and len(seen.earned) >= 2 * self.population
        count = self._config.imagined if known else 1
        candidates = self._draw(count)
        if seen is not None and count > 1:
            worth = seen.expect(candidates, self._units())
            best = worth.reshape(self.population, count).argmax(axis=1)
            best[1::2] = 0
        return self._choose(candidates, best)

    def _draw(self, count: int) -> Array:
        """Let count candidates for each that is to be run come to mind."""
        self._count = count
        return np.array(self._cma.ask(count * self.population))

    def _choose(self, candidates: Array, best: NDArray[np.int64]) -> Array:
        self._best = best
        self._asked = candidates[np.arange(self.population) * self._count + best]
        return self._asked.copy()

    def _units(self) -> Array:
        """Matrix (n_parameters, n_parameters) under which perturbations are N(0, I)."""
        scale = self._cma.sigma * np.asarray(self._cma.sigma_vec.scaling)
        return np.asarray(self._cma.sm.B / np.reshape(scale, (-1, 1)) / self._cma.sm.D)

    def tell(self, reward: Array) -> None:
        """Learn what the generation that was asked for earned, (population,)."""
        self._told.append(np.array(reward, float))
        self._run.append(self._best)
        self._imagined.append(self._count)
        self._cma.tell(list(self._asked), list(-self._told[-1]))

    def state(self) -> dict[str, NDArray]:
        """Everything as of the last `tell`: a generation under way is asked for again."""
        told = np.array(self._told).reshape(-1, self.population)
        run = np.array(self._run, np.int64).reshape(-1, self.population)
        return {
            "spread": np.array(self._spread),
            "start": self._start,
            "seed": self._seed,
            "told": told,
            "run": run,
            "imagined": np.array(self._imagined, np.int64),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._spread = float(state["spread"])
        set_generator_state(self._rng, state["seed"])
        self._begin(state["start"])
        counts = state["imagined"].tolist()
        for reward, run, count in zip(state["told"], state["run"], counts, strict=True):
            self._choose(self._draw(count), run)
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

    def __init__(
        self,
        start: Array,
        config: SearchConfig,
        rng: np.random.Generator,
        spread: float,
        foresight: Foresight | None = None,
    ):
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
