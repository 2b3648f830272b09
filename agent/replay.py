"""Replay: the latest steps of bodies that live on, to be drawn from again and again."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]


class Stretch(NamedTuple):
    """Stretches of a few steps, drawn from a replay.

    Attributes:
        before: (k, n_features) felt where they begin.
        command: (k, n_motors) given there.
        earned: (k,) discounted reward over the stretch, up to a fall.
        after: (k, n_features) felt where they end.
        standing: (k,) 1 where the body has not fallen on the way.

    """

    before: Single
    command: Single
    earned: Single
    after: Single
    standing: Single


class Replay:
    """A ring of the latest steps of n bodies.

    What is felt after a step is what is felt before the next one of the same body, so that nothing
    is kept twice; a step after which that does not hold is cut from the next one.

    Attributes:
        features: (steps, n, n_features) felt before each step.
        command: (steps, n, n_motors) given then.
        reward: (steps, n).
        fell: (steps, n) whether life ended in it.
        cut: (steps, n) whether the next row is of something else.
        count: steps ever noted of each body.

    Args:
        n_features: numbers that are felt.
        n_motors: of a body.
        n: bodies.
        capacity: steps that are kept, over all bodies.

    """

    _NAMES = ("features", "command", "reward", "fell", "cut")

    def __init__(self, n_features: int, n_motors: int, n: int, capacity: int):
        self._capacity, steps = capacity, max(1, capacity // n)
        self.features = np.zeros((steps, n, n_features), np.float32)
        self.command = np.zeros((steps, n, n_motors), np.float32)
        self.reward = np.zeros((steps, n), np.float32)
        self.fell, self.cut = np.zeros((2, steps, n), np.bool_)
        self.count = 0

    @property
    def room(self) -> int:
        """Steps of each body that there is room for."""
        return len(self.reward)

    def __len__(self) -> int:
        """Count the steps that are kept of each body."""
        return min(self.count, len(self.reward))

    def note(
        self,
        features: Single,
        command: Single,
        reward: NDArray,
        fell: NDArray[np.bool_],
        cut: NDArray[np.bool_],
    ) -> None:
        """Keep one step of every body, in place of the oldest one."""
        row = self.count % len(self.reward)
        self.features[row], self.command[row], self.reward[row] = features, command, reward
        self.fell[row], self.cut[row] = fell, cut
        self.count += 1

    def part(self, bodies: NDArray[np.bool_]) -> None:
        """Cut the latest step of some bodies (n,) from what comes next."""
        if self.count:
            self.cut[(self.count - 1) % len(self.reward), bodies] = True

    def latest(self) -> tuple[Single, Single, Single, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return what was felt and given in the latest two steps, (2, n, ·).

        With it come reward, fall and cut of the earlier one, (n,).
        """
        was, now = (self.count - 2) % len(self.reward), (self.count - 1) % len(self.reward)
        rows = [was, now]
        outcome = self.reward[was], self.fell[was], self.cut[was]
        return self.features[rows], self.command[rows], *outcome

    def draw(self, k: int, length: int, discount: float, rng: np.random.Generator) -> Stretch:
        """Draw k stretches, fewer where they would run over a cut.

        Args:
            k: stretches.
            length: steps of each.
            discount: of reward, per step.
            rng: draws them.

        """
        steps, n = self.reward.shape
        first = self.count - len(self)
        begin = first + rng.integers(0, len(self) - length, k)
        body = rng.integers(0, n, k)
        earned, standing = np.zeros(k, np.float32), np.ones(k, np.float32)
        whole = np.ones(k, np.bool_)
        for i in range(length):
            at = (begin + i) % steps, body
            earned += np.float32(discount**i) * standing * self.reward[at]
            standing *= ~self.fell[at]
            whole &= ~self.cut[at] | (standing == 0.0)
        start, end = (begin % steps, body), ((begin + length) % steps, body)
        drawn = Stretch(
            self.features[start], self.command[start], earned, self.features[end], standing
        )
        return drawn if whole.all() else Stretch(*(part[whole] for part in drawn))

    def resized(self, n: int) -> "Replay":
        """Return the same steps as those of n bodies."""
        _, old, n_features = self.features.shape
        new = Replay(n_features, self.command.shape[2], n, self._capacity)
        rows = np.arange(self.count - len(self), self.count) % len(self.reward)
        steps = min(len(new.reward), len(rows) * old // n)
        if steps:
            # (One body's life after another, and the end of each cut from the next)
            for name in self._NAMES:
                kept = getattr(self, name)[rows].copy()
                if name == "cut":
                    kept[-1] = True
                line = kept.swapaxes(0, 1).reshape(-1, *kept.shape[2:])[-steps * n :]
                folded = line.reshape(n, steps, *line.shape[1:]).swapaxes(0, 1)
                getattr(new, name)[:steps] = folded
            new.cut[steps - 1], new.count = True, steps
        return new

    def state(self) -> dict[str, NDArray]:
        """Return what is kept, for saving."""
        kept = {name: getattr(self, name)[: len(self)] for name in self._NAMES}
        return kept | {"count": np.array(self.count, np.int64)}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in self._NAMES:
            getattr(self, name)[: len(state[name])] = state[name]
        self.count = int(state["count"])
