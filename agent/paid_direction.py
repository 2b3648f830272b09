"""What reward pays of moving in a direction of the world, where movement is felt from within."""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from agent.heading import Heading
from agent.percept import Array

_STILL = 1e-9  # (Spread below which a number counts as constant)


@dataclass(frozen=True)
class Pay:
    """Reward per step of moving along the world's axes.

    Attributes:
        ahead: channel of the movement along an axis of the body.
        aside: channel of the movement along the axis a quarter turn further.
        first: reward for 1 of `ahead` while the heading is 0.
        second: reward for 1 of `aside` while it is 0.

    """

    ahead: int
    aside: int
    first: float
    second: float

    def of(self, before: Array, after: Array, turned: Array) -> Array:
        """Reward (n,) that the movement of a step would earn at headings (n,) in rad.

        Args:
            before: (n, c) channels before the step.
            after: (n, c) channels after it.
            turned: (n,) heading to reckon with.

        """
        ahead = 0.5 * (before[:, self.ahead] + after[:, self.ahead])
        aside = 0.5 * (before[:, self.aside] + after[:, self.aside])
        along = np.cos(turned) * ahead - np.sin(turned) * aside
        across = np.sin(turned) * ahead + np.cos(turned) * aside
        return np.asarray(self.first * along + self.second * across)


def halfway(heading: Heading, before: Array, after: Array) -> Array:
    """Heading (n,) in rad in the middle of a step from channels `before` to `after`, (n, c)."""
    was, now = heading.angle(before), heading.angle(after)
    return np.asarray(was + 0.5 * ((now - was + np.pi) % (2 * np.pi) - np.pi))


class PaidDirection:
    r"""Finds what reward pays of movement along the world's axes, felt along the body's own.

    Who feels how fast it moves ahead (v₁) and aside (v₂), and how it is turned (ψ), can tell

    .. math:: r \approx c + B\, x + a\, (v_1 \cos\psi - v_2 \sin\psi)
        + b\, (v_1 \sin\psi + v_2 \cos\psi)

    from what all channels x say without being turned, and so knows what the same step would have
    earned had it been turned otherwise: the transform from egocentric to allocentric movement
    (Byrne, Becker & Burgess 2007, doi:10.1037/0033-295X.114.2.340). v₁ and v₂ are found: of all
    pairs of numbers, in both orders, the one that explains most of the reward that the plain
    channels leave over, if it is enough. Bodies that feel their velocity along the world's axes
    have nothing left over, and those that never turn cannot tell.

    Args:
        n_channels: numbers of an observation.
        capacity: looks kept, the latest ones.
        stride: steps from one look to the next.
        least_looks: looks before anything is believed.
        least_share: of what the plain channels leave over, that a pair explains at least.

    Attributes:
        pay: None while none is known.

    """

    _PATIENCE = 0.5  # (Looks until the next attempt, over those so far)
    _LOOKS_EACH = 4  # (Looks per channel below which some pair would always explain what is left)

    def __init__(
        self,
        n_channels: int,
        capacity: int = 1000,
        stride: int = 5,
        least_looks: int = 100,
        least_share: float = 0.3,
    ):
        self._stride, self._least, self._share = stride, least_looks, least_share
        self._before, self._after = np.zeros((2, capacity, n_channels))
        self._reward = np.zeros(capacity)
        self._steps, self._count, self._tried = 0, 0, 0
        self.pay: Pay | None = None

    def look(self, before: Array, after: Array, reward: Array) -> None:
        """Remember what n bodies felt and were paid, every `stride` steps.

        Args:
            before: (n, c) channels before a step.
            after: (n, c) channels after it.
            reward: (n,).

        """
        self._steps += 1
        if self._steps % self._stride:
            return
        capacity = len(self._reward)
        rows = (self._count + np.arange(min(len(reward), capacity))) % capacity
        self._before[rows], self._after[rows] = before[:capacity], after[:capacity]
        self._reward[rows] = reward[:capacity]
        self._count += len(rows)

    @property
    def due(self) -> bool:
        """Whether it is time to look for what is paid."""
        return self._count >= max(self._least, (1.0 + self._PATIENCE) * self._tried)

    def find(self, heading: Heading, taken: NDArray[np.int64]) -> bool:
        """Look for what is paid in what was looked at.

        Args:
            heading: how the body is turned.
            taken: channels of the joints.

        Returns:
            Whether it has been found for the first time.

        """
        self._tried, known = self._count, self.pay is not None
        n = min(self._count, len(self._reward))
        before, after, reward = self._before[:n], self._after[:n], self._reward[:n]
        felt = 0.5 * (before + after)
        spread = felt.std(axis=0)
        free = np.setdiff1d(np.flatnonzero(spread > _STILL), np.append(taken, heading.channels))
        if len(free) < 2 or n < self._LOOKS_EACH * len(free):
            return False
        turned, x = halfway(heading, before, after), felt[:, free]
        # (The work of the joints costs, wherever the body is turned)
        work = np.square(felt[:, taken]).mean(axis=1, keepdims=True)
        sensor = before[:, list(heading.channels)]
        plain = np.hstack([np.ones_like(work), work, sensor, x])
        plain /= np.sqrt((plain**2).mean(axis=0)) + _STILL
        basis = np.linalg.qr(plain)[0]
        rest = np.column_stack([reward, np.cos(turned)[:, None] * x, np.sin(turned)[:, None] * x])
        rest -= basis @ (basis.T @ rest)
        self.pay = self._best(rest, free) or self.pay
        return self.pay is not None and not known

    def _best(self, rest: Array, free: NDArray[np.int64]) -> Pay | None:
        """Find the pair of channels, `free` (d,), that explains most of what is left over.

        Args:
            rest: (N, 1 + 2 d) what plain channels leave of reward, of channels times cosine, and
                of channels times sine.
            free: (d,) channels.

        """
        d = len(free)
        products = rest.T @ rest
        size, cosine, sine = products[0, 0], slice(1, d + 1), slice(d + 1, None)
        to_cosine, to_sine = products[0, cosine], products[0, sine]
        cc, cs, ss = products[cosine, cosine], products[cosine, sine], products[sine, sine]
        # Pair (i, j) has the features C_i − S_j and S_i + C_j.
        along = to_cosine[:, None] - to_sine
        across = to_sine[:, None] + to_cosine
        diagonal_cc, diagonal_ss, both = np.diag(cc), np.diag(ss), np.diag(cs)
        p = diagonal_cc[:, None] - 2 * cs + diagonal_ss + _STILL
        q = diagonal_ss[:, None] + 2 * cs.T + diagonal_cc + _STILL
        mixed = both[:, None] + cc - ss.T - both
        free_of = np.maximum(p * q - mixed**2, 1e-3 * p * q)
        first = (q * along - mixed * across) / free_of
        second = (p * across - mixed * along) / free_of
        explained = first * along + second * across
        np.fill_diagonal(explained, 0.0)
        i, j = (int(k) for k in np.unravel_index(explained.argmax(), explained.shape))
        if explained[i, j] < self._share * size + _STILL:
            return None
        return Pay(int(free[i]), int(free[j]), float(first[i, j]), float(second[i, j]))

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "before": self._before,
            "after": self._after,
            "reward": self._reward,
            "counts": np.array([self._steps, self._count, self._tried]),
            "pay": np.zeros(0) if self.pay is None else np.array(astuple(self.pay), float),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._before[:], self._after[:] = state["before"], state["after"]
        self._reward[:] = state["reward"]
        self._steps, self._count, self._tried = (int(x) for x in state["counts"])
        self.pay = None
        if len(state["pay"]):
            ahead, aside, first, second = state["pay"].tolist()
            self.pay = Pay(int(ahead), int(aside), first, second)
