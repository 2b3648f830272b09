"""Explicit strategy: to aim elsewhere than at the target, because that works."""

import numpy as np
from numpy.typing import NDArray

from agent.adaptation import turn_from
from agent.config import AdaptationConfig
from agent.percept import Array


class AimingStrategy:
    r"""Prefrontal cortex holds an aim, basal ganglia gate it by what it has been worth.

    When a movement misses the target by a turn that cannot be overlooked, |τ| > threshold, the aim
    that would have hit, α − τ less what implicit adaptation does by itself, is held in mind. From
    then on there are two ways to act: to aim at the target or at α off it. The critic learns the
    error that each is followed by,

    .. math:: w_k \leftarrow w_k + \eta\, (|\tau| - w_k), \qquad k \in \{target, aside\}

    with a new aim believed to be without error, and the gate lets the better one through. The one
    not taken learns as well, from the error that it would have led to (a fictive one: Lohrenz,
    McCabe, Camerer & Montague 2007, doi:10.1073/pnas.0608842104), so that an aim is given up when
    implicit adaptation has made it superfluous. An aim that is taken follows what it misses by,

    .. math:: \alpha \leftarrow \alpha - \beta\, \tau

    (Taylor & Ivry 2011, doi:10.1371/journal.pcbi.1001096). Aiming elsewhere cancels the error of
    the target at once, but not that of prediction: implicit adaptation goes on and carries the
    hand past the target (Mazzoni & Krakauer 2006, doi:10.1523/JNEUROSCI.5317-05.2006).

    Attributes:
        aim: α, (4,) stretch (none) and turn as a rotation vector, rad.
        expected: w, (2,) error expected when aiming at the target and aside, rad.

    """

    _RATE = 0.3  # η
    _FOLLOW = 0.1  # β

    def __init__(self, config: AdaptationConfig, lesions: tuple[str, ...] = ()):
        self._threshold = np.radians(config.strategy_threshold)
        self._off = config.strategy_threshold <= 0 or "basal_ganglia" in lesions
        self.aim = np.zeros(4)
        self.expected = np.zeros(2)

    @property
    def aside(self) -> bool:
        """Whether the aim elsewhere is gated."""
        return not self._off and bool(self.aim.any()) and self.expected[1] < self.expected[0]

    def turn(self, n: int) -> Array:
        """Turn (n, 4) from the way to the target to the way to aim at."""
        return np.tile(self.aim if self.aside else np.zeros(4), (n, 1))

    @property
    def untaken(self) -> Array | None:
        """Turn (4,) from the way to the target to the one not aimed at; None without a choice."""
        if self._off or not self.aim.any():
            return None
        return np.zeros(4) if self.aside else self.aim

    def learn(
        self, wanted: Array, seen: Array, adapted: Array, fictive: Array | None = None
    ) -> None:
        """Learn from one movement.

        Args:
            wanted: (d,) way to the target.
            seen: (d,) way that was seen.
            adapted: (4,) turn by which the visuomotor map has changed since: what it will do
                about the miss by itself needs no strategy.
            fictive: (4,) turn by which the aim not taken would have missed the target.

        """
        if self._off:
            return
        miss = turn_from(wanted[None], seen[None])[0]
        miss[0] = 0.0
        size = float(np.linalg.norm(miss))
        chosen = int(self.aside)
        self.expected[chosen] += self._RATE * (size - self.expected[chosen])
        if fictive is not None:
            foregone = float(np.linalg.norm(fictive[1:]))
            self.expected[1 - chosen] += self._RATE * (foregone - self.expected[1 - chosen])
        if size > self._threshold:
            self.expected[chosen] = size
            self.aim = (self.aim if chosen else 0.0) - miss - adapted
            self.aim[0] = 0.0
            self.expected[1] = 0.0
        elif chosen:
            self.aim = self.aim - self._FOLLOW * miss

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"aim": self.aim, "expected": self.expected}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.aim, self.expected = state["aim"].copy(), state["expected"].copy()
