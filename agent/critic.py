"""Critic: what the condition that a body is in is worth, whatever it does next."""

import numpy as np
from numpy.typing import NDArray

from agent.config import CriticConfig
from agent.percept import Array


class Critic:
    r"""Value of slow conditions of the body, by least-squares temporal differences.

    .. math:: V(s) = w \cdot \phi(s), \qquad
        \Big[\textstyle\sum_k \phi_k (\phi_k - \gamma \phi'_k)^T + \lambda I\Big] w
        = \sum_k \phi_k\, r_k, \qquad \gamma = 1 - m / H

    (Bradtke & Barto 1996, doi:10.1007/BF00114723) over the latest stretches k of m steps, from
    condition φ to φ', r the reward of a stretch and H the horizon. What is slow is found: numbers
    that still resemble themselves a stretch later and belong to no joint, since joints follow the
    rhythm. φ holds 1, these numbers in units of their spread, their squares, and the heading error
    by its cosine, its sine, and the cosine of its double. Learning what a condition is worth,
    apart from which act pays, is the part of the ventral striatum (O'Doherty et al. 2004,
    doi:10.1126/science.1094285).

    A bout of a motor program is credited with the rise of V from its beginning to its end: turning
    away or falling is paid for at once by whoever does it, and not by who comes next.

    Args:
        n_channels: numbers of an observation.
        n: bodies.
        config: settings.
        lesioned: nothing is worth anything.

    Attributes:
        weights: w, (n_features,), reward; empty while nothing is known.
        slow: channels that are slow.

    """

    _SLOW = 0.5  # (Correlation with itself a stretch later from which a number is slow)
    _FAR = 3.0  # (Spreads beyond which a number counts no more)
    _LEAST = 100  # (Stretches before anything is believed)
    _RIDGE = 0.01  # (λ over the number of stretches; a thousandth of that for the constant)
    _STILL = 1e-9  # (Spread below which a number counts as constant)

    def __init__(self, n_channels: int, n: int, config: CriticConfig, lesioned: bool = False):
        self._config, self._lesioned = config, lesioned
        self._decay = 1.0 - config.stretch / config.horizon
        self._before, self._after = np.zeros((2, config.memory, n_channels))
        # (Heading error before and after, reward, 1 where it ended in a fall)
        self._felt = np.zeros((config.memory, 4))
        self._count, self._since_fit = 0, 0
        self._middle, self._spread = np.zeros(n_channels), np.ones(n_channels)
        self.slow: NDArray[np.int64] = np.zeros(0, np.int64)
        self.weights: Array = np.zeros(0)
        self.resize(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies; stretches under way are forgotten."""
        c = self._before.shape[1]
        # Where the stretch under way began, and where what is to be credited began.
        self._stretch, self._stretch_error = np.zeros((n, c)), np.zeros(n)
        self._start, self._start_error = np.zeros((n, c)), np.zeros(n)
        self._earned, self._steps = np.zeros(n), np.zeros(n, np.int64)
        self._gain, self._open = np.zeros(n), np.zeros(n, bool)

    def feel(
        self,
        before: Array,
        error_before: Array,
        reward: Array,
        after: Array,
        error: Array,
        fell: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        active: NDArray[np.bool_],
    ) -> None:
        """Take note of one step of every body.

        Args:
            before: (n, c) channels before it.
            error_before: (n,) heading error before it, rad.
            reward: (n,).
            after: (n, c) channels after it.
            error: (n,) heading error after it, rad.
            fell: (n,) the episode ended in a fall.
            ended: (n,) the episode is over.
            active: (n,) bodies that this is about; what the others were in the middle of is lost.

        """
        if self._lesioned:
            return
        if not active.all():
            self._open[~active], self._steps[~active], self._earned[~active] = False, 0, 0.0
        new = active & ~self._open
        if np.count_nonzero(new):
            self._start[new], self._start_error[new] = before[new], error_before[new]
            self._open[new] = True
        new = active & (self._steps == 0)
        if np.count_nonzero(new):
            self._stretch[new], self._stretch_error[new] = before[new], error_before[new]
        self._earned += reward * active
        self._steps += active
        self._since_fit += len(reward)
        over = active & ((self._steps >= self._config.stretch) | ended)
        if np.count_nonzero(over):
            whole = np.flatnonzero(over & ((self._steps >= self._config.stretch) | fell))
            felt = np.stack([self._stretch_error, error, self._earned, fell], axis=1)
            self._store(self._stretch[whole], after[whole], felt[whole])
            self._earned[over], self._steps[over] = 0.0, 0
        ended = active & ended
        if np.count_nonzero(ended):
            # The body is put elsewhere now: that is nobody's merit.
            self.credit(np.flatnonzero(ended), after, error, fell, keep=True)

    def _store(self, before: Array, after: Array, felt: Array) -> None:
        rows = (self._count + np.arange(len(before))) % len(self._felt)
        self._before[rows], self._after[rows], self._felt[rows] = before, after, felt
        self._count += len(before)

    def credit(
        self,
        bodies: NDArray[np.int64],
        after: Array,
        error: Array,
        fell: NDArray[np.bool_],
        keep: bool = False,
    ) -> Array:
        """How much V has risen since the last credit, and begin to count anew.

        Args:
            bodies: (k,) whose bout is over.
            after: (n, c) channels now.
            error: (n,) heading error now, rad.
            fell: (n,) bodies for which nothing comes any more.
            keep: only close what cannot go on, for a later credit.

        Returns:
            Rise of V (k,), reward; 0 while nothing is known.

        """
        live = bodies[self._open[bodies]]
        if len(live) and len(self.weights):
            now = self.value(after[live], error[live])
            now[fell[live]] = np.minimum(0.0, now[fell[live]])
            self._gain[live] += now - self.value(self._start[live], self._start_error[live])
        self._open[bodies] = False
        gain = self._gain[bodies]
        if not keep:
            self._gain[bodies], self._earned[bodies], self._steps[bodies] = 0.0, 0.0, 0
        return gain

    @property
    def due(self) -> bool:
        """Whether enough has been felt since the last fit."""
        enough = min(self._count, len(self._felt)) >= self._LEAST
        return enough and self._since_fit >= self._config.fit_every

    def fit(self, left_out: NDArray[np.int64]) -> None:
        """Learn w from the latest stretches; `left_out` are channels that do not count."""
        n = min(self._count, len(self._felt))
        self._since_fit = 0
        before, after, felt = self._before[:n], self._after[:n], self._felt[:n]
        self._middle, self._spread = before.mean(axis=0), before.std(axis=0)
        was, now = before - self._middle, after - after.mean(axis=0)
        size = self._spread * after.std(axis=0)
        alike = np.divide((was * now).mean(axis=0), size, out=np.zeros_like(size), where=size > 0.0)
        alike[self._spread < self._STILL] = 0.0
        alike[left_out] = 0.0
        self.slow = np.flatnonzero(alike > self._SLOW)
        phi, phi_next = self._features(before, felt[:, 0]), self._features(after, felt[:, 1])
        phi_next[felt[:, 3] > 0.0] = 0.0
        system = phi.T @ (phi - self._decay * phi_next)
        ridge = np.full(len(system), self._RIDGE * n)
        ridge[0] *= 1e-3
        self.weights = np.asarray(
            np.linalg.solve(system + np.diag(ridge), phi.T @ felt[:, 2]), float
        )

    def _features(self, channels: Array, error: Array) -> Array:
        x = (channels[:, self.slow] - self._middle[self.slow]) / self._spread[self.slow]
        x = np.minimum(np.maximum(x, -self._FAR), self._FAR)
        e = error[:, None]
        return np.hstack([np.ones_like(e), x, x**2, np.cos(e), np.sin(e), np.cos(2 * e)])

    def value(self, channels: Array, error: Array) -> Array:
        """V (k,) of channels (k, c) at heading errors (k,) in rad; 0 while nothing is known."""
        if not len(self.weights):
            return np.zeros(len(channels))
        return np.asarray(self._features(channels, error) @ self.weights)

    _OWN = ("_before", "_after", "_felt", "_middle", "_spread", "slow", "weights")
    _OPEN = ("_stretch", "_stretch_error", "_start", "_start_error")
    _COUNTED = ("_earned", "_steps", "_gain", "_open")

    def state(self) -> dict[str, NDArray]:
        """Everything, stretches under way included, for saving."""
        names = self._OWN + self._OPEN + self._COUNTED
        counts = np.array([self._count, self._since_fit])
        return {name.lstrip("_"): getattr(self, name) for name in names} | {"counts": counts}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in self._OWN + self._OPEN + self._COUNTED:
            setattr(self, name, state[name.lstrip("_")].copy())
        self._count, self._since_fit = (int(x) for x in state["counts"])
