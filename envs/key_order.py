"""Which keys are to be pressed in which order: the rules of all keyboard tasks."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

FEEDBACK = ("rich", "sparse")
CREDIT = ("graded", "whole")

Order = tuple[int, ...]


@dataclass(frozen=True)
class KeyOrder:
    """A book of sequences, one for each cue, made of parts that they share.

    The parts are hidden: nothing tells where one ends. No key follows itself. With the same
    settings the book is always the same, whatever the seed of an environment.

    Raises:
        ValueError: for a setting outside its domain.

    """

    keys: int = 7
    """Keys of the keyboard."""
    length: int = 6
    """Presses of a sequence, a multiple of `part_length`."""
    cues: int = 6
    """Cues, each of which announces a sequence of its own."""
    parts: int = 4
    """Hidden parts that the sequences are made of."""
    part_length: int = 3
    """Presses of a part; 0 for sequences without parts."""
    long_cues: int = 0
    """Further cues, whose sequences are longer and made of the same parts."""
    long_length: int = 12
    """Presses of those, a multiple of `part_length`."""
    asked: tuple[int, ...] = ()
    """Cues that occur; empty for all of them."""
    feedback: str = "rich"
    """`rich`: each press is answered. `sparse`: nothing but a reward at the end."""
    credit: str = "graded"
    """What the end of a sparse sequence brings when a share p of the presses was right: `graded`
    a reward p with probability p, `whole` 1 for all right and else 0."""
    book: int = 0
    """Which of the possible books."""
    sequences: tuple[Order, ...] = field(init=False)

    _TRIES: ClassVar[int] = 100

    def __post_init__(self) -> None:
        for name, least in {"keys": 3, "length": 1, "cues": 1, "part_length": 0, "book": 0}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: write {least} or more")
        if self.feedback not in FEEDBACK:
            raise ValueError(f"feedback is {self.feedback!r}: write one of {FEEDBACK}")
        if self.credit not in CREDIT:
            raise ValueError(f"credit is {self.credit!r}: write one of {CREDIT}")
        lengths = [self.length] * self.cues + [self.long_length] * self.long_cues
        if self.part_length and any(n % self.part_length for n in lengths):
            raise ValueError(
                f"length {self.length} or long_length {self.long_length} is no multiple of "
                f"part_length {self.part_length}"
            )
        unknown = [cue for cue in self.asked if not 0 <= cue < len(lengths)]
        if unknown:
            raise ValueError(f"asked names cue {unknown[0]}: there are 0 to {len(lengths) - 1}")
        object.__setattr__(self, "sequences", self._compose(lengths))

    @property
    def n_cues(self) -> int:
        """All cues, the long ones included."""
        return self.cues + self.long_cues

    def _compose(self, lengths: list[int]) -> tuple[Order, ...]:
        rng = np.random.default_rng(self.book)
        if not self.part_length:
            return tuple(self._walk(rng, n) for n in lengths)
        for _ in range(self._TRIES):
            parts = list(
                dict.fromkeys(self._walk(rng, self.part_length) for _ in range(self.parts))
            )
            orders: dict[Order, None] = {}
            for n in lengths:
                for _ in range(self._TRIES):
                    order = self._join(rng, parts, n // self.part_length)
                    if order is not None and order not in orders:
                        orders[order] = None
                        break
            if len(parts) == self.parts and len(orders) == len(lengths):
                return tuple(orders)
        raise ValueError(
            f"{self.parts} parts of {self.part_length} out of {self.keys} keys do not give "
            f"{len(lengths)} different sequences: ask for more parts or fewer cues"
        )

    def _walk(self, rng: np.random.Generator, n: int) -> Order:
        keys = [int(rng.integers(self.keys))]
        while len(keys) < n:
            # One of the others: skipping the last key keeps the draw uniform among them.
            step = int(rng.integers(self.keys - 1))
            keys.append(step + (step >= keys[-1]))
        return tuple(keys)

    @staticmethod
    def _join(rng: np.random.Generator, parts: list[Order], n: int) -> Order | None:
        order: list[int] = []
        for _ in range(n):
            fits = [part for part in parts if not order or part[0] != order[-1]]
            if not fits:
                return None
            order.extend(fits[int(rng.integers(len(fits)))])
        return tuple(order)


class Recital:
    """One attempt at a sequence: takes presses, answers and rewards them.

    With rich feedback a wrong press costs 1, is answered by −1, and the same key is still due; a
    right one brings 1 and the answer 1. With sparse feedback every press moves on, right or wrong,
    without an answer, and the last brings the reward.

    Attributes:
        cue: index of the sequence.
        order: keys to press.
        stage: presses that count so far.
        right: presses that were right.
        presses: all presses.
        over: whether the sequence is finished.

    """

    def __init__(self, rules: KeyOrder, rng: np.random.Generator):
        asked = rules.asked or tuple(range(rules.n_cues))
        self._rules, self._rng = rules, rng
        self.cue = int(asked[rng.integers(len(asked))])
        self.order = rules.sequences[self.cue]
        self.stage = self.right = self.presses = 0

    @property
    def over(self) -> bool:
        """Whether the sequence is finished."""
        return self.stage >= len(self.order)

    @property
    def perfect(self) -> bool:
        """Whether it is finished without a wrong press."""
        return self.over and self.right == self.presses

    def press(self, key: int) -> tuple[float, float]:
        """Press a key; returns the reward and the answer (−1, 1, or 0 for none)."""
        good = key == self.order[self.stage]
        self.presses += 1
        self.right += good
        if self._rules.feedback == "rich":
            self.stage += good
            return (1.0, 1.0) if good else (-1.0, -1.0)
        self.stage += 1
        if not self.over:
            return 0.0, 0.0
        share = self.right / len(self.order)
        if self._rules.credit == "whole":
            return float(share == 1.0), 0.0
        return (share if self._rng.random() < share else 0.0), 0.0


def one_hot(index: int, n: int) -> NDArray[np.float64]:
    """Return (n,) with 1 at the index; zeros where it is negative."""
    vector = np.zeros(n)
    if index >= 0:
        vector[index] = 1.0
    return vector
