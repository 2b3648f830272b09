"""Schedules: how strong a perturbation is in which trial."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Trial(NamedTuple):
    """What one trial is like.

    Attributes:
        phase: name of the phase it belongs to.
        strength: share of the full perturbation, 1 for all of it, 0 for none.
        clamp: whether errors are clamped: the cursor keeps to the line to the target, or the
            hand is held in a channel.
        seen: whether the cursor is seen in the end.
        directions: targets to draw from, degrees; None for those of the task.

    """

    phase: str
    strength: float
    clamp: bool
    seen: bool
    directions: tuple[float, ...] | None


@dataclass(frozen=True)
class Phase:
    """Trials of one kind in a row.

    Attributes:
        name: what it is for.
        trials: how many.
        strength: share of the full perturbation at first.
        end: share at the end, reached evenly (a gradual perturbation); None for `strength`.
        levels: shares to draw from by chance in each trial (a random perturbation), if any.
        clamp: whether errors are clamped in all of its trials.
        clamp_every: 0, or clamp the last of every so many trials.
        clamp_directions: targets of these, degrees; None for those of the others.
        seen: whether the cursor is seen in the end.
        directions: targets to draw from, degrees; None for those of the task.

    Raises:
        ValueError: for a number of trials below 1 or a strength that is not finite.

    """

    name: str
    trials: int
    strength: float = 0.0
    end: float | None = None
    levels: tuple[float, ...] = ()
    clamp: bool = False
    clamp_every: int = 0
    clamp_directions: tuple[float, ...] | None = None
    seen: bool = True
    directions: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.trials < 1 or self.clamp_every < 0:
            raise ValueError(
                f"phase {self.name!r} has {self.trials} trials, one in {self.clamp_every} of them "
                "clamped: write at least 1 trial, and 0 or a number of trials from 1 up"
            )
        ends = (self.strength, self.strength if self.end is None else self.end, *self.levels)
        if not np.isfinite(ends).all():
            raise ValueError(f"phase {self.name!r} has strengths {ends}: write finite numbers")

    def trial(self, index: int, rng: np.random.Generator) -> Trial:
        """Say what its trial `index` is like, counted from 0."""
        strength = self.strength
        if self.levels:
            strength = float(rng.choice(self.levels))
        elif self.end is not None:
            strength += (self.end - self.strength) * (index + 1) / self.trials
        now = bool(self.clamp_every and (index + 1) % self.clamp_every == 0)
        directions = self.clamp_directions if now and self.clamp_directions else self.directions
        return Trial(self.name, strength, self.clamp or now, self.seen, directions)


@dataclass(frozen=True)
class Schedule:
    """Phases one after the other; the last one goes on for ever.

    ::

        Schedule.abrupt()                      # the full perturbation from the first trial on
        Schedule.gradual(60)                   # growing over 60 trials
        Schedule.random((-1.0, 0.0, 1.0))      # another one in each trial
        Schedule.blocks(20, 80, 40, 80)        # none, full, none (washout), full (re-exposure)

    Raises:
        ValueError: there is no phase.

    """

    phases: tuple[Phase, ...]

    def __post_init__(self) -> None:
        if not self.phases:
            raise ValueError("a schedule has no phases: write at least one, e.g. Phase('full', 1)")

    @classmethod
    def abrupt(cls, baseline: int = 0) -> "Schedule":
        """All of it at once, after so many trials without."""
        before = (Phase("baseline", baseline),) if baseline else ()
        return cls((*before, Phase("adaptation", 1, 1.0)))

    @classmethod
    def gradual(cls, trials: int, baseline: int = 0) -> "Schedule":
        """Growing evenly over so many trials, after so many without."""
        before = (Phase("baseline", baseline),) if baseline else ()
        return cls((*before, Phase("growing", trials, 0.0, 1.0), Phase("adaptation", 1, 1.0)))

    @classmethod
    def random(cls, levels: Sequence[float]) -> "Schedule":
        """In each trial one of these shares, by chance."""
        return cls((Phase("random", 1, levels=tuple(levels)),))

    @classmethod
    def blocks(cls, *trials: int) -> "Schedule":
        """None and all of it by turns, beginning with none, for so many trials each."""
        return cls(tuple(Phase(f"block {i}", n, float(i % 2)) for i, n in enumerate(trials)))

    @property
    def trials(self) -> int:
        """Trials of all phases."""
        return sum(phase.trials for phase in self.phases)

    def trial(self, index: int, rng: np.random.Generator) -> Trial:
        """Say what trial `index` is like, counted from 0."""
        for phase in self.phases:
            if index < phase.trials:
                return phase.trial(index, rng)
            index -= phase.trials
        last = self.phases[-1]
        return last.trial(index % last.trials if last.clamp_every else last.trials - 1, rng)
