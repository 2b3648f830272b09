"""Earnings: what a bout of a motor program is worth, and by how much that was not expected."""

import numpy as np

from agent.percept import Array


class Earnings:
    r"""What the latest bouts have earned, and what the next is worth beside them.

    .. math:: R = \bar r + c\, \frac{V(s_L) - V(s_0)}{L}, \qquad
        \bar r = \frac{1}{L} \sum_{t < L} r_t, \qquad
        c = \min\left(1, \frac{\text{spread of } \bar r}{\text{spread of } \Delta V / L}\right)

    with V what the critic holds the body's condition to be worth, taken no more seriously than the
    reward itself.

    Attributes:
        latest: (k, 3) R, mean reward and rise of V per step of the latest bouts.

    """

    def __init__(self) -> None:
        self.latest: Array = np.zeros((0, 3))

    def worth(self, mean: float, rise: float) -> float:
        """R of a bout, from its mean reward and the rise of V, both per step."""
        own, risen = np.vstack([self.latest[:, 1:], [mean, rise]]).std(axis=0)
        return float(mean + min(1.0, own / (risen + 1e-12)) * rise)

    def surprise(self, worth: float) -> float:
        """R against that of the latest bouts, in units of their spread."""
        usual, spread = self.latest[:, 0].mean(), self.latest[:, 0].std()
        return float((worth - usual) / (spread + 1e-12))

    def usual(self, mean: float) -> bool:
        """Whether a mean reward is no less than is usual."""
        usual = self.latest[:, 1]
        return not len(usual) or bool(mean >= usual.mean() - usual.std())

    def keep(self, worth: float, mean: float, rise: float, most: int) -> None:
        """Remember a bout, and of the latest `most` at most."""
        self.latest = np.vstack([self.latest, [worth, mean, rise]])[-most:]

    def clear(self) -> None:
        """Nothing is usual any more."""
        self.latest = np.zeros((0, 3))
