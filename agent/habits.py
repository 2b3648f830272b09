"""Habits: the few parameter vectors that have proved themselves, and how sure that is."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array

_SURPRISE = 3.0  # (Spreads below the mean from which a trial is a surprise)
_FORGETS = 4.0  # (By how much earlier trials then count less)


class Habits:
    r"""A small repertoire, each member with the mean reward of its trials.

    The habit in use is the one that is reliably best,

    .. math:: \arg\max_i\; \bar r_i - \kappa\, s / \sqrt{n_i},

    s the spread of trials about their mean, pooled over all. Luck cannot keep a habit on its
    throne: the habit in use is tried again from time to time, and the one before it, still in the
    repertoire, comes back when its mean has sunk. Stored action values of this kind, which change
    slowly and outlive what is being tried at the moment, are those of the posterior striatum
    (Kim & Hikosaka 2013, doi:10.1016/j.neuron.2013.06.044).

    Attributes:
        parameters: (k, n_parameters), k ≤ size.
        mean: (k,) mean reward per step of the trials.
        count: (k,) trials, at most `memory`, so that a body that changes is noticed.

    """

    def __init__(self, n_parameters: int, size: int, caution: float, memory: int):
        self._size, self._caution, self._memory = size, caution, memory
        self.parameters = np.zeros((0, n_parameters))
        self.mean, self.count = np.zeros(0), np.zeros(0)
        self._squares, self._freedom = 0.0, 0.0

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def spread(self) -> float:
        """Standard deviation s of one trial about the mean of its habit."""
        return float(np.sqrt(self._squares / self._freedom)) if self._freedom else 0.0

    @property
    def sure(self) -> Array:
        """(k,) what each is reliably worth, reward per step."""
        return np.asarray(self.mean - self._caution * self.spread / np.sqrt(self.count))

    @property
    def best(self) -> int:
        """Index of the habit in use."""
        return int(self.sure.argmax())

    @property
    def well_known(self) -> bool:
        """Whether the habit in use has been tried as often as trials are remembered."""
        return bool(self.count[self.best] >= self._memory)

    def add(self, parameters: Array, rewards: list[float]) -> None:
        """Take in parameters (n_parameters,) with their trials; the surely worst must leave.

        Of a habit that is there already these are more trials.
        """
        if (self.parameters == parameters).all(axis=1).any():
            for reward in rewards:
                self.felt(parameters, reward)
            return
        mean = float(np.mean(rewards))
        self._squares += float(((np.array(rewards) - mean) ** 2).sum())
        self._freedom += len(rewards) - 1
        self.parameters = np.vstack([self.parameters, parameters])
        self.mean = np.append(self.mean, mean)
        self.count = np.append(self.count, float(len(rewards)))
        if len(self) > self._size:
            keep = np.arange(len(self)) != self.sure.argmin()
            self.parameters, self.mean = self.parameters[keep], self.mean[keep]
            self.count = self.count[keep]

    def felt(self, parameters: Array, reward: float) -> bool:
        """Learn from one more trial of a habit; one that has left since is passed over.

        After a surprisingly bad one all that were made count less: the next is learnt from faster
        (Pearce & Hall 1980, doi:10.1037/0033-295X.87.6.532). Itself it is a trial like others: a
        single fall does not cost a habit its throne.

        Returns:
            Whether it was.

        """
        found = np.flatnonzero((self.parameters == parameters).all(axis=1))
        if not found.size:
            return False
        i, error = found[0], reward - self.mean[found[0]]
        usual = max(error, -_SURPRISE * self.spread)
        surprising = error < usual
        self._squares += float(usual**2 * self.count[i] / (self.count[i] + 1))
        self._freedom += 1
        self.count[i] = min(self.count[i] + 1, self._memory)
        self.mean[i] += error / self.count[i]
        if surprising:
            self.count[i] = max(1.0, self.count[i] / _FORGETS)
        return bool(surprising)

    def clear(self) -> None:
        """Forget all: none of it can be relied on any more."""
        none = np.zeros(0)
        self.parameters, self.mean, self.count = self.parameters[:0], none, none
        self._squares, self._freedom = 0.0, 0.0

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "parameters": self.parameters,
            "mean": self.mean,
            "count": self.count,
            "scatter": np.array([self._squares, self._freedom]),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.parameters = state["parameters"].copy()
        self.mean, self.count = state["mean"].copy(), state["count"].copy()
        self._squares, self._freedom = (float(x) for x in state["scatter"])
