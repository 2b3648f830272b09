"""How far the joints go: the range felt so far, and the limits that were knocked into."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class JointRange:
    """Free range and limits of the joints, from where they went and where they were stopped.

    A joint's limit is where it was knocked at least twice: the range felt so far is no limit by
    itself.

    Attributes:
        free_low: (n_joints,) lowest angles reached without a knock, rad.
        free_high: (n_joints,) highest ones.
        limit_low: (n_joints,) lowest angles that the joints allow, −inf where none was felt.
        limit_high: (n_joints,) highest ones, inf where none was felt.

    """

    SKIN = 0.05  # (Distance from a limit that counts as touching it, rad)
    STRIDE = 1.0  # (How far outside the range felt so far a posture may lie, twice while probing)
    _SURE = 2  # (Knocks after which a limit is believed)
    _PROBE = 0.3  # (How far beyond a limit felt once is tried again, rad)
    _ENCOUNTER = 5  # (Steps without a knock that part two encounters with a limit)

    def __init__(self, n_joints: int, bold: float):
        self._bold = bold
        self.free_low = np.full(n_joints, np.inf)
        self.free_high = np.full(n_joints, -np.inf)
        self.limit_low = np.full(n_joints, -np.inf)
        self.limit_high = np.full(n_joints, np.inf)
        self._knocks = np.zeros((2, n_joints), np.int64)
        self._since_knock = np.full((2, n_joints), self._ENCOUNTER + 1, np.int64)
        self._hurts, self._ventures = 0, 0
        self._take_stock()

    def _take_stock(self) -> None:
        """Note between which angles there is nothing new to feel, and where joints touch."""
        self.bounded = np.isfinite(self.limit_low) | np.isfinite(self.limit_high)
        self._touch = self.limit_low + self.SKIN, self.limit_high - self.SKIN
        self._edge = self.free_low + self.SKIN, self.free_high - self.SKIN
        self._calm = (
            np.maximum(self.free_low, self.limit_low - self.SKIN),
            np.minimum(self.free_high, self.limit_high + self.SKIN),
        )

    def limits(self, probing: bool = False) -> tuple[Array, Array]:
        """Lowest and highest angles (n_joints,) to aim for, infinite where no limit is known.

        `probing` goes beyond limits, the further the less often they were felt: one that is none
        will be passed.
        """
        if probing:
            margin = self._PROBE / np.maximum(self._knocks, 1)
        else:
            margin = np.where(self._knocks < self._SURE, np.inf, -self.SKIN)
        return self.limit_low - margin[0], self.limit_high + margin[1]

    def reachable(self, periodic: NDArray[np.bool_], probing: bool = False) -> tuple[Array, Array]:
        """Lowest and highest angles (n_joints,) to aim for: limits, and not too far from the known.

        A joint whose angle is known up to full turns, `periodic` (n_joints,), can be anywhere.
        """
        low, high = self.limits(probing)
        stride = 2 * self.STRIDE if probing else self.STRIDE
        far = np.where(periodic, np.inf, stride)
        return np.maximum(low, self.free_low - far), np.minimum(high, self.free_high + far)

    def touching(self, before: Array, after: Array) -> NDArray[np.bool_]:
        """Whether bodies touch a limit before or after a step, (n,); postures (n, n_joints)."""
        close = np.minimum(before, after) < self._touch[0]
        close |= np.maximum(before, after) > self._touch[1]
        return np.logical_or.reduce(close, axis=1)

    def at_edge(self, angle: Array) -> NDArray[np.bool_]:
        """Whether joints (n, n_joints) are at the edge of the range felt so far, or outside."""
        return np.asarray((angle < self._edge[0]) | (angle > self._edge[1]))

    def danger(self) -> float:
        """Chance that leaving the range felt so far hurts, as experience has it."""
        return (1.0 + self._hurts) / (1.0 + self._hurts + self._ventures / self._bold)

    def middle(self) -> Array:
        """Middle of the range felt so far, (n_joints,)."""
        return 0.5 * (self.free_low + self.free_high)

    def widen(self, free: Array) -> None:
        """Take postures (n, n_joints) into the free range."""
        outside = (free < self.free_low) | (free > self.free_high)
        if not np.count_nonzero(outside):
            return
        if np.isfinite(self.free_low).all():
            self._ventures += int(outside.any(axis=1).sum())
        self.free_low = np.minimum(self.free_low, free.min(axis=0))
        self.free_high = np.maximum(self.free_high, free.max(axis=0))
        self._take_stock()

    def feel(
        self, angle: Array, knock: NDArray[np.bool_], error: Array, in_turn: bool = False
    ) -> None:
        """Widen the free range by postures of n bodies, and note the limits they knocked into.

        Args:
            angle: (n, n_joints) after the step.
            knock: (n, n_joints) where the command's effect was suddenly not as expected.
            error: (n, n_joints) the command that had no effect, positive towards larger angles
                and zero where nothing can have been in the way: a limit takes from what pushes
                into it.
            in_turn: whether the postures are those of one body in turn, not of n bodies at once.

        """
        knocked = np.count_nonzero(knock) > 0
        free = angle[~knock.any(axis=1)] if knocked else angle
        if np.count_nonzero((free < self._calm[0]) | (free > self._calm[1])):
            self.widen(free)
            self._pass_limits(free)
        steps = len(angle) if in_turn else 1
        self._since_knock += steps
        if not knocked:
            return
        now = np.arange(len(angle)) if in_turn else np.zeros(len(angle), np.int64)
        edge = 0.1 * (self.free_high - self.free_low)
        low = knock & (error < 0) & (angle < self.free_low + edge)
        high = knock & (error > 0) & (angle > self.free_high - edge)
        self._hurts += int((low | high).sum())
        for body, joint in np.argwhere(low | high):
            side = int(high[body, joint])
            since = self._since_knock[side, joint] - (steps - 1 - now[body])
            self._since_knock[side, joint] = steps - 1 - now[body]
            # An encounter lasts a few steps, and is one.
            if since > self._ENCOUNTER:
                self._feel_limit(joint, float(angle[body, joint]), bool(side))

    def _pass_limits(self, free: Array) -> None:
        """Doubt the limits that postures (n, n_joints) without a knock lie beyond.

        Such a limit is at least that far out, and has been felt one time too often. One that is
        passed by far was none.
        """
        passed = (free < self.limit_low - self.SKIN) | (free > self.limit_high + self.SKIN)
        if not np.count_nonzero(passed):
            return
        for side, beyond, limit in (
            (0, self.limit_low - free.min(axis=0), self.limit_low),
            (1, free.max(axis=0) - self.limit_high, self.limit_high),
        ):
            for joint in np.flatnonzero(beyond > self.SKIN):
                if beyond[joint] > 3 * self.SKIN:
                    self._knocks[side, joint] = 0
                elif self._since_knock[side, joint] > self._ENCOUNTER:
                    self._knocks[side, joint] -= 1
                    self._since_knock[side, joint] = 0
                    limit[joint] += beyond[joint] if side else -beyond[joint]
                if self._knocks[side, joint] <= 0:
                    self._knocks[side, joint] = 0
                    limit[joint] = np.inf if side else -np.inf
        self._take_stock()

    def _feel_limit(self, joint: int, angle: float, high: bool) -> None:
        """Take up one knock: farther out than the limit known it replaces it, near by it counts.

        A true limit is never passed by far, and what knocks far inside it is something else.
        """
        limit, side = (self.limit_high, 1) if high else (self.limit_low, 0)
        beyond = (angle - limit[joint]) * (1 if high else -1)
        if not np.isfinite(limit[joint]) or beyond > 3 * self.SKIN:
            limit[joint], self._knocks[side, joint] = angle, 1
        elif beyond > -3 * self.SKIN:
            self._knocks[side, joint] += 1
            limit[joint] += (angle - limit[joint]) / self._knocks[side, joint]
        self._take_stock()

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "knocks": self._knocks,
            "since_knock": self._since_knock,
            "range": np.stack([self.free_low, self.free_high, self.limit_low, self.limit_high]),
            "ventures": np.array([self._hurts, self._ventures]),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._knocks = state["knocks"].copy()
        self._since_knock = state["since_knock"].copy()
        self.free_low, self.free_high, self.limit_low, self.limit_high = state["range"].copy()
        self._hurts, self._ventures = (int(x) for x in state["ventures"])
        self._take_stock()
