"""Foresight: what parameters that were never run would earn, by what others like them have."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.spatial.distance import cdist

from agent.percept import Array


class Foresight:
    r"""The mean of a Gaussian process over the latest bouts.

    .. math:: \hat R(\theta) = \bar R + k(\theta)^\top (K + I)^{-1} (R - \bar R), \qquad
        k_i(\theta) = e^{-\|z - z_i\|^2 / 2d}

    z are the d parameters in units of the exploration that is going on, so that two candidates of
    one generation are about as far apart as they are like each other, and a bout is as much noise
    as it is its parameters' doing (Rasmussen & Williams 2006, ISBN 0-262-18253-X, eq. 2.25).
    Neurons of the striatum hold what an act would be worth before it is chosen (Samejima, Ueda,
    Doya & Kimura 2005, doi:10.1126/science.1115270).

    Attributes:
        parameters: (k, n_parameters) that were run, the latest last.
        earned: (k,) what each did.

    Args:
        n_parameters: of a program.
        most: bouts remembered.

    """

    def __init__(self, n_parameters: int, most: int):
        self._most = most
        self.parameters, self.earned = np.zeros((0, n_parameters)), np.zeros(0)

    def remember(self, parameters: Array, earned: Array) -> None:
        """Take note of what parameters (k, n_parameters) have earned, (k,)."""
        self.parameters = np.vstack([self.parameters, parameters])[-self._most :]
        self.earned = np.append(self.earned, earned)[-self._most :]

    def expect(self, parameters: Array, units: Array) -> Array:
        """Foretell what parameters would earn.

        Args:
            parameters: (q, n_parameters).
            units: (n_parameters, n_parameters) matrix that takes them to units of the exploration.

        Returns:
            (q,) R̂ − R̄, in units of the spread of what was earned.

        """
        known, asked = self.parameters @ units, parameters @ units
        scale = -0.5 / known.shape[1]
        kernel = np.exp(scale * cdist(known, known, "sqeuclidean"))
        error = (self.earned - self.earned.mean()) / (self.earned.std() + 1e-12)
        weights = solve(kernel + np.eye(len(error)), error, assume_a="pos")
        return np.asarray(np.exp(scale * cdist(asked, known, "sqeuclidean")) @ weights)

    def clear(self) -> None:
        """Forget all: none of it holds any more."""
        self.parameters, self.earned = self.parameters[:0], np.zeros(0)

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        return {"parameters": self.parameters, "earned": self.earned}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.parameters, self.earned = state["parameters"].copy(), state["earned"].copy()
