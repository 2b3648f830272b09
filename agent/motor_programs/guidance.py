"""Guidance: what a reach makes of what it sees, before, on and after the way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.adaptation import VisuomotorMap, apply_turn, turn_from
from agent.body_schema import BodySchema
from agent.config import BrainConfig
from agent.percept import Array, Percept
from agent.strategy import AimingStrategy
from agent.working_memory import Memory


@dataclass
class Guidance:
    r"""Turns seen ways into ways of the hand, and corrects by what is seen.

    The way from the hand to the goal, as seen, goes through the visuomotor map, which gives the
    way that the hand is to go. Where the felt hand should then be seen is the same backwards,

    .. math:: \hat y = o + M^{-1} (h - o_h), \qquad M = e^g R(\omega)

    with o where the hand was seen, and o_h where it was felt, at the start of the episode. While
    the hand is slow, y − ŷ corrects the aim (`visual_bias`). In the end, the turn and stretch from
    ŷ − o to y − o teach the map.

    A look that does not change at all while the joints move is none: nothing is learnt of it.
    """

    schema: BodySchema
    map: VisuomotorMap
    strategy: AimingStrategy
    config: BrainConfig
    rng: np.random.Generator
    _foreseen: tuple[Array, Array] | None = None

    PREPARED = "origin_seen", "origin_felt", "way", "turn", "unseen"
    """What `begin` and `aims` write to."""
    _EYE_LAG = 0.8  # (Share of the visual bias that is kept from one step to the next)
    _BLIND = 0.01  # (Movement of a joint without any change of the look: nothing is seen, rad)
    _SMALL = 0.002  # (Way that needs no correction, over the spread)
    _NEAR = 0.05  # (Length of a way whose direction is known to half, over the spread)

    def begin(self, memory: Memory, percept: Percept) -> None:
        """Note where the hand is at the start of an episode."""
        new = ~memory["felt"]
        if not np.count_nonzero(new):
            return
        d = percept.outcome.shape[1]
        memory["origin_seen"][new, :d] = percept.outcome[new]
        memory["origin_felt"][new, :d] = self.schema.expected(percept)[new]
        memory["turn"][new], memory["unseen"][new] = 0.0, 0.0
        self._foreseen = None

    def look(self, memory: Memory, percept: Percept) -> None:
        """Within a movement: how far what is seen is off what should be seen."""
        felt = memory["felt"]
        memory["unseen"] = self._unseen(memory, percept)
        if "visual_correction" in self.config.lesions:
            return
        glance = felt & self.glance(memory) & (memory["unseen"] <= self._BLIND)
        if not np.count_nonzero(glance):
            return
        d = percept.outcome.shape[1]
        moved = np.linalg.norm(percept.outcome - memory["last_outcome"][:, :d], axis=1)
        # The eye is believed as far as the hand is slow.
        trust = np.exp(-((moved / (0.01 * self.schema.spread)) ** 2)) * glance
        trust *= 1.0 - self._EYE_LAG**self.config.schema.glance_every
        if np.count_nonzero(trust > 1e-3):
            bias = memory["visual_bias"][:, :d]
            bias += trust[:, None] * (percept.outcome - self.expected(memory, percept) - bias)

    def glance(self, memory: Memory) -> NDArray[np.bool_]:
        """Whether it is time to compare what is seen with what should be, (n,)."""
        return np.asarray(memory["steps"] % self.config.schema.glance_every == 0)

    def _unseen(self, memory: Memory, percept: Percept) -> Array:
        """How far joints (n,) have moved since what is seen has changed, rad."""
        d = percept.outcome.shape[1]
        same = (percept.outcome == memory["last_outcome"][:, :d]).all(axis=1) & memory["felt"]
        if not np.count_nonzero(same):
            return np.zeros(len(same))
        moved = np.abs(percept.angle - memory["last_angle"]).max(axis=1)
        return np.where(same, memory["unseen"] + moved, 0.0)

    def expected(self, memory: Memory, percept: Percept) -> Array:
        """Where the felt hand should be seen, ŷ (n, d)."""
        felt = self.schema.expected(percept)
        if not np.count_nonzero(memory["turn"]):
            return felt
        last = self._foreseen  # (What is compared after a step is asked for before the next)
        if last is None or last[0] is not felt:
            way = felt - memory["origin_felt"][:, : felt.shape[1]]
            self._foreseen = last = felt, felt + apply_turn(way, -memory["turn"]) - way
        return last[1]

    def aims(self, memory: Memory, percept: Percept, due: NDArray[np.int64]) -> Array:
        """Find what the geometry's outcome (n, d), apart from the context, must become.

        Args:
            memory: of n bodies; the turn of those that are due is set.
            percept: of all n.
            due: bodies that are about to plan.

        """
        d = percept.outcome.shape[1]
        aims = self.schema.aim(percept) - memory["visual_bias"][:, :d]
        here = self.schema.reached(percept)
        seen = aims - here
        if self.strategy.aside:
            seen = apply_turn(seen, self.strategy.turn(len(seen)))
            aims = here + seen
        memory["way"][due, :d] = seen[due]
        turn = self.map.turn(seen)
        memory["turn"][due] = turn[due]
        self._foreseen = None
        noise = self.config.adaptation.planning_noise
        if noise:
            turn = turn.copy()
            turn[:, 3] += np.radians(noise) * self.rng.normal(size=len(turn))
        return aims if not turn.any() else here + apply_turn(seen, turn)

    def correction(self, memory: Memory, d: int) -> Array:
        """Change of the hand's aim (n, d) by what was seen since the plan was made.

        What is too small to be corrected is 0.
        """
        drift: Array = memory["plan_bias"][:, :d] - memory["visual_bias"][:, :d]
        large = np.vecdot(drift, drift) > (self._SMALL * self.schema.spread) ** 2
        drift *= large[:, None]
        if not np.count_nonzero(large) or not np.count_nonzero(memory["turn"]):
            return drift
        return apply_turn(drift, memory["turn"])

    def fresh(self, memory: Memory, after: Percept) -> NDArray[np.bool_]:
        """Whether something was seen after a step, (n,)."""
        return np.asarray(self._unseen(memory, after) <= self._BLIND)

    def learn(self, memory: Memory, after: Percept, ended: NDArray[np.bool_]) -> None:
        """Teach the map by movements of bodies `ended` (n,), from what is felt and seen then."""
        seen = self.fresh(memory, after)
        d = after.outcome.shape[1]
        # Where eye and geometry disagree from the start is no matter of the movement.
        predicted = self.expected(memory, after) - memory["origin_felt"][:, :d]
        error = turn_from(predicted, after.outcome - memory["origin_seen"][:, :d])
        length = (predicted**2).sum(axis=1)
        weight = length / (length + (self._NEAR * self.schema.spread) ** 2)
        for i in np.flatnonzero(ended & memory["felt"]):
            if seen[i]:
                way, origin = memory["way"][i, :d], memory["origin_seen"][i, :d]
                # What the map would err now: other bodies have taught it since this one aimed.
                since = self.map.turn(way[None])[0] - memory["turn"][i]
                self.map.learn(way, error[i] + since, float(weight[i]))
                adapted = self.map.turn(way[None])[0] - memory["turn"][i]
                wanted, untaken = after.goal[i] - origin, self.strategy.untaken
                if untaken is None:
                    fictive = None
                else:
                    # What the world turns ways by, and what the map would have done about it.
                    other = apply_turn(wanted[None], untaken[None])
                    fictive = untaken + error[i] - memory["turn"][i] + self.map.turn(other)[0]
                self.strategy.learn(wanted, after.outcome[i] - origin, adapted, fictive)
            else:
                self.map.learn(memory["way"][i, :d], 0.0 * error[i], 0.0)
