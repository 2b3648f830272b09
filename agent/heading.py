"""Finding the heading: which numbers tell how the whole body is turned, and which turn is free."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from agent.joints import Joints
from agent.percept import Array

_UNIT = 1e-6  # (How exactly four squares must add up to 1 to be a quaternion's)
_FLAT = 0.15  # (Mean share of a direction's squared length that two of its numbers may miss)
_GLANCES = 100  # (Looks by which orientations are told)
_SURE = 2.0  # (Standard errors by which displacements must agree better with the unusual sign)
_FOLLOWS = 0.7  # (Share of an angle's change that a velocity explains, of an angle given as such)


@dataclass(frozen=True)
class Heading:
    """How the body is turned about the axis that nothing holds it from turning about.

    ψ = sign · turns · atan2(sine, cosine) − zero, or with the channel `sine` itself as the angle.

    Attributes:
        cosine: channel, −1 where the angle itself is given.
        sine: channel of the sine, or of the angle.
        turns: 2 for numbers of a quaternion, which hold half the angle, 1 otherwise.
        sign: 1, or −1 where the angle grows while the world's bearing of the body falls.
        zero: angle at which episodes begin, rad; 0 where places are felt, so that ψ differs from
            the bearing of the body's travel by a constant of the gait.
        wander: median turn from one window of time to the next, rad.
        turning: channel that tells how fast the body turns, −1 where none does.
        per_step: rad that ψ turns in a control step for 1 of that channel.
        tilts: first of the channels of a quaternion that tell tilts, −1 where none do.
        tilts_too: the other.

    """

    cosine: int
    sine: int
    turns: float
    sign: float
    zero: float
    wander: float
    turning: int = -1
    per_step: float = 0.0
    tilts: int = -1
    tilts_too: int = -1

    def lies(self, channels: Array) -> NDArray[np.bool_]:
        """Whether bodies (n,) of channels (n, c) are turned over; never, where nothing tells.

        For a turn about an axis on the ground, and one about the vertical, in a quaternion's
        numbers w, x, y, z, the upward direction of the body is 1 − 2 (x² + y²) upward.
        """
        if self.tilts < 0:
            return np.zeros(len(channels), np.bool_)
        first, second = channels[:, self.tilts], channels[:, self.tilts_too]
        return np.asarray(first * first + second * second > 0.5)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that it is read from."""
        return tuple(c for c in (self.cosine, self.sine) if c >= 0)

    def angle(self, channels: Array) -> Array:
        """Heading (n,) in rad, from −π to π, of channels (n, c)."""
        turned = _read(channels, self.cosine, self.sine, self.turns)
        return _wrap(self.sign * turned - self.zero)


class HeadingSense:
    r"""Looks at the body now and then, and finds the heading by what turns freely.

    Gravity brings pitch and roll back and joints have limits: only about the vertical can a body
    on the ground turn on and on. Of all numbers that tell how it is turned, the heading has the
    slow part, :math:`z_w = \sum_{t \in w} e^{i\psi_t}` over windows w longer than a stride, that
    wanders the most:

    .. math:: \text{wander} = \text{median}_w |\arg(z_{w+1} \bar z_w)|

    as cells that tell heading are told from others by turning with the whole animal (Taube 1990,
    doi:10.1523/JNEUROSCI.10-02-00420.1990). Where places are felt, displacements d (as complex
    numbers) of one gait point the same way once turned back, which tells the sign σ by the larger
    :math:`\sum_w (|\sum_{t \in w} d_t e^{-i\sigma\psi_t}|^2 - \sum_{t \in w} |d_t|^2)`.

    Args:
        n_channels: numbers of an observation.
        capacity: looks kept, the latest ones.
        stride: steps from one look to the next.
        window: looks of one window.
        least_wander: rad from one window to the next that a heading turns at least.
        least_windows: comparisons of windows before anything is believed.

    """

    def __init__(
        self,
        n_channels: int,
        capacity: int = 1000,
        stride: int = 5,
        window: int = 20,
        least_wander: float = 0.1,
        least_windows: int = 8,
    ):
        self._stride, self._window = stride, window
        self._least_wander, self._least_windows = least_wander, least_windows
        # (Of more bodies than these there would be no two whole windows among the latest looks.)
        self.watched = max(1, capacity // (4 * window))
        self._before = np.zeros((capacity, n_channels))
        self._after = np.zeros((capacity, n_channels))
        self._episode = np.full(capacity, -1, np.int64)
        self._count = 0

    def look(
        self, before: Array, after: Array, episode: NDArray[np.int64], step: NDArray[np.int64]
    ) -> None:
        """Remember how the first `watched` of n bodies are turned, every `stride` steps.

        Args:
            before: (n, c) channels before a step.
            after: (n, c) channels after it.
            episode: (n,) number of the episode, another one for each body and episode.
            step: (n,) steps since the episode began.

        """
        due = np.flatnonzero(step[: self.watched] % self._stride == 0)
        rows = (self._count + np.arange(len(due))) % len(self._episode)
        self._before[rows], self._after[rows] = before[due], after[due]
        self._episode[rows] = episode[due]
        self._count += len(due)

    def find(self, joints: Joints, place: NDArray[np.int64]) -> Heading | None:
        """Find the heading in what was looked at.

        Args:
            joints: whose channels tell no orientation.
            place: channels of where the body is, two of them; empty where it is not felt.

        Returns:
            None as long as nothing turns freely, as in most bodies that live in a plane.

        """
        rows = (self._count + np.arange(len(self._episode))) % len(self._episode)
        rows = rows[self._episode[rows] >= 0]
        # Bodies that live together are told apart by their episodes.
        rows = rows[np.argsort(self._episode[rows], kind="stable")]
        seen, episode = self._before[rows], self._episode[rows]
        taken = np.concatenate([joints.cosine, joints.sine, joints.velocity, place])
        starts = np.flatnonzero(np.diff(episode, prepend=-1))
        best: Heading | None = None
        ways = find_orientations(seen, self._after[rows], starts, taken, joints.step)
        for cosine, sine, turns in ways:
            angle = _read(seen, cosine, sine, turns)
            turn = self._turns(angle, episode)
            if len(turn) < self._least_windows:
                continue
            wander = float(np.median(turn))
            if wander < max(self._least_wander, 0.0 if best is None else best.wander):
                continue
            if len(place):
                sign, zero = self._sign(angle, seen[:, place], episode), 0.0
            else:
                sign, zero = 1.0, float(np.angle(np.exp(1j * angle[starts]).sum()))
            best = Heading(cosine, sine, turns, sign, zero, wander)
            if turns == 2.0:
                tilts = [other for real, other, _ in ways if real == cosine and other != sine]
                best = replace(best, tilts=tilts[0], tilts_too=tilts[1])
        return None if best is None else self._with_turning(best, rows)

    def _with_turning(self, heading: Heading, rows: NDArray[np.int64]) -> Heading:
        """Find which number tells how fast the body turns, in looks `rows`."""
        before, after = self._before[rows], self._after[rows]
        turn = _wrap(heading.angle(after) - heading.angle(before))
        speed = 0.5 * (before + after)
        speed[:, list(heading.channels)] = 0.0
        power = (speed**2).sum(axis=0) + _UNIT**2
        per_step = speed.T @ turn / power
        explained = per_step**2 * power / ((turn**2).sum() + _UNIT**2)
        best = int(explained.argmax())
        if explained[best] < _FOLLOWS:
            return heading
        return replace(heading, turning=best, per_step=float(per_step[best]))

    def _windows(self, values: NDArray, episode: NDArray[np.int64], n: int) -> NDArray:
        """Values of n windows in a row within an episode, (k, n, window)."""
        size = n * self._window
        begins = np.arange(0, len(episode) - size + 1, self._window // 2)
        begins = begins[episode[begins] == episode[begins + size - 1]]
        return values[begins[:, None] + np.arange(size)].reshape(-1, n, self._window)

    def _turns(self, angle: Array, episode: NDArray[np.int64]) -> Array:
        """Return turns (k,) in rad from one window to the next."""
        slow = self._windows(np.exp(1j * angle), episode, 2).sum(axis=2)
        return np.abs(np.angle(slow[:, 1] * slow[:, 0].conj()))

    def _sign(self, angle: Array, place: Array, episode: NDArray[np.int64]) -> float:
        """Whether displacements agree once turned back by the angle, 1, or by its negative, −1.

        The usual order, cosine before sine and a quaternion's real part first, means 1 until
        there is proof of the contrary.
        """
        moved = np.append(np.diff(place[:, 0] + 1j * place[:, 1]), 0.0)
        middle = angle + 0.5 * np.append(_wrap(np.diff(angle)), 0.0)
        agreement = []
        for sign in (1.0, -1.0):
            # The last look of a window may be the last of its episode: it has moved nowhere.
            back = self._windows(moved * np.exp(-1j * sign * middle), episode, 1)[:, 0, :-1]
            agreement.append(np.abs(back.sum(axis=1)) ** 2 - (np.abs(back) ** 2).sum(axis=1))
        more = agreement[0] - agreement[1]
        return -1.0 if more.sum() < -_SURE * np.sqrt((more**2).sum()) else 1.0

    def state(self) -> dict[str, NDArray]:
        """Everything, for saving."""
        return {
            "before": self._before,
            "after": self._after,
            "episode": self._episode,
            "count": np.array(self._count),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._before[:], self._after[:] = state["before"], state["after"]
        self._episode[:], self._count = state["episode"], int(state["count"])


def find_orientations(
    before: Array,
    after: Array,
    starts: NDArray[np.int64],
    taken: NDArray[np.int64],
    step: float,
) -> list[tuple[int, int, float]]:
    """Find the numbers that can tell how a body is turned.

    Four whose squares add up to 1 are a quaternion, and 2 atan2(z, w) its twist about an axis
    (Dobrowolski 2015, arXiv:1506.05481). Two whose squares nearly do are a direction's parts on
    the ground. A number whose change another one explains is an angle, and the other its velocity.

    Args:
        before: (N, c) channels before a step.
        after: (N, c) channels after it.
        starts: rows in which an episode begins.
        taken: channels that are something else.
        step: h of Δangle = h · velocity over one control step.

    Returns:
        Cosine channel (−1 where the angle is given), sine channel and turns of each.

    """
    # Looked at after steps: a body may be set down in a way that no body can be.
    some = after[:: max(1, len(after) // _GLANCES)]
    free = np.setdiff1d(np.flatnonzero(some.std(axis=0) > _UNIT), taken)
    squares = some**2
    bounded = free[(np.abs(some[:, free]).max(axis=0) < 1 + _UNIT)]
    # Numbers that rest at zero most of the time, as forces do, tell no orientation.
    bounded = bounded[np.median(squares[:, bounded], axis=0) > _UNIT**2]
    begun = np.median(before[starts] ** 2, axis=0)
    found: list[tuple[int, int, float]] = []
    used: set[int] = set()
    for four in combinations(bounded, 4):
        parts = squares[:, four]
        if used.isdisjoint(four) and np.median(np.abs(parts.sum(axis=1) - 1)) < _UNIT:
            real = four[int(begun[list(four)].argmax())]
            found += [(int(real), int(k), 2.0) for k in four if k != real]
            used.update(four)
    flat = [
        (float(1 - np.mean(squares[:, i] + squares[:, j])), i, j)
        for i, j in combinations([k for k in bounded if k not in used], 2)
        if (squares[:, i] + squares[:, j]).max() < 1 + _UNIT
    ]
    for miss, i, j in sorted(flat):
        if miss < _FLAT and used.isdisjoint((i, j)):
            found.append((int(i), int(j), 1.0))
            used.update((i, j))
    rest = np.array([k for k in free if k not in used], np.int64)
    change = after[:, rest] - before[:, rest]
    speed = 0.5 * step * (after[:, rest] + before[:, rest])
    moved = (change**2).sum(axis=0)[:, None] + _UNIT**2
    explained = (2 * change.T @ speed - (speed**2).sum(axis=0)) / moved
    np.fill_diagonal(explained, 0.0)
    found += [(-1, int(k), 1.0) for k in rest[explained.max(axis=1, initial=0.0) > _FOLLOWS]]
    return found


def _read(channels: Array, cosine: int, sine: int, turns: float) -> Array:
    angle = channels[:, sine]
    return _wrap(angle if cosine < 0 else turns * np.arctan2(angle, channels[:, cosine]))


def _wrap(angle: Array) -> Array:
    return (angle + np.pi) % (2 * np.pi) - np.pi
