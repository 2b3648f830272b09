"""Blending: in a sequence, the next reach begins before the one under way has ended."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.motor_programs.passage import Passage, PassageSearch, Task
from agent.percept import Array, Plan
from agent.working_memory import Memory

IN_VAIN, NOT, UNDER_WAY = -1, 0, 1
"""How the act that is due is blended; IN_VAIN: it was, and did not count."""


@dataclass
class Blending:
    r"""Plans the next movement together with the one that is due, and begins it before that ends.

    While one act of a sequence is under way and the next is known, the hand need not come to rest
    at the goal g of the first: it has to be near and slow enough there to be taken for having been
    there, and may be on its way to the goal g' of the second (coarticulation in sequences: Sosnik
    et al. 2004, Exp. Brain Res. 156, 422). How such a movement is found is told in
    `agent.motor_programs.passage.PassageSearch`: within a distance R and a speed S at g.

    R and S are learnt by doing. From acts that ended without blending, the farthest and the fastest
    that counted; from blended ones by the weighted up-down method (Kaernbach 1991,
    doi:10.3758/BF03214307): after success a little more of what was made full use of, after failure
    much less of what was farthest from its limit when the hand was nearest to both.

    Attributes:
        lesioned: whether every movement ends before the next begins.
        untaught: whether nothing is learnt from blended acts.
        limits: R and S, (2,), in units of the outcome, and that per unit of time.
        usual: mean distance and speed when acts counted that ended without blending, (2,): the
            limits do not fall below.
        counts: acts that ended without blending, blended ones that counted, and that failed, (3,).

    """

    lesioned: bool = False
    untaught: bool = False
    limits: Array = field(default_factory=lambda: np.zeros(2))
    usual: Array = field(default_factory=lambda: np.zeros(2))
    counts: Array = field(default_factory=lambda: np.zeros(3))

    _NEVER = 1e3  # (Shares of the limits before the hand has been anywhere)
    _ENOUGH = 10  # (Acts without blending, before the first with it)
    _UP, _DOWN = 0.02, 0.38  # (Steps of the limits' logarithm: 19 successes make up for a failure)
    _FULL = 0.85  # (Share of a limit from which it was made full use of)
    GRACE = 2
    """Steps after the arrival for which the act is waited for."""

    @property
    def able(self) -> bool:
        """Whether it is known what being there feels like."""
        return bool(self.counts[0] >= self._ENOUGH) and not self.lesioned

    def begin(
        self, memory: Memory, body: int, plain: Plan, length: int, task: Task, learning: bool
    ) -> tuple[Plan, int]:
        """Blend a movement that is about to begin with the one after it, where that is known.

        Args:
            memory: with `key_follows`, whether the next goal is known, `key_follow_by` (n, d), the
                way to it from the goal that is due, and `key_blend` (n,), how the act that is due
                has been tried; updated.
            body: which of the bodies it is.
            plain: movement that ends at the goal.
            length: steps that it lasts.
            task: goals and models; what `following` is does not matter.
            learning: whether failures are learnt from.

        Returns:
            The movement, and its steps.

        """
        state = memory["key_blend"]
        if state[body] == UNDER_WAY:  # (It was waited for in vain.)
            if learning:
                self.judge(False, memory["key_nearest"][body])
            state[body] = IN_VAIN
        if state[body] == IN_VAIN or not memory["key_follows"][body] or not self.able:
            return plain, length
        following = task.aim + memory["key_follow_by"][body]
        passage = self.through(plain, task._replace(following=following))
        if passage is None:
            return plain, length
        state[body], memory["key_nearest"][body] = UNDER_WAY, self._NEVER
        return passage.plan, min(passage.arrival + self.GRACE, length)

    def arrived(self, felt: Array) -> None:
        """Learn from an act that counted and was not blended: distance and speed (2,) then."""
        self.counts[0] += 1
        if self.counts[1:].sum() == 0:
            self.limits = np.maximum(self.limits, felt)
        self.usual += (felt - self.usual) / self.counts[0]

    def judge(self, well: bool, share: Array) -> float:
        """Learn from a blended act.

        Args:
            well: whether it counted.
            share: (2,) distance and speed when it did, or when both were best, over their limits.

        Returns:
            Local dopamine: how well it went less how well such acts usually go.

        """
        if self.untaught:
            return 0.0
        blended = self.counts[1:].sum()
        usual = (self.counts[1] + 1.0) / (blended + 2.0)
        self.counts[1 if well else 2] += 1
        change = self._UP * (share >= self._FULL) if well else -self._DOWN * (share == share.max())
        self.limits = np.maximum(self.limits * np.exp(change), self.usual)
        return float(well) - float(usual)

    def through(self, plain: Plan, task: Task) -> Passage | None:
        """Plan a movement through a goal to the next; None where none is found that is allowed."""
        return PassageSearch(self.limits, self.GRACE).find(plain, task)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"limits": self.limits, "usual": self.usual, "counts": self.counts}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in ("limits", "usual", "counts"):
            setattr(self, name, state[name].copy())
