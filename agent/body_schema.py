"""Body schema: what is mine, how it is built, how far it goes."""

import numpy as np
from numpy.typing import NDArray

from agent.config import SchemaConfig
from agent.discovery import NotYet, find_body
from agent.errors import StateError
from agent.kinematic_chain import KinematicChain
from agent.memory import SensorimotorMemory
from agent.percept import Array, Body, Percept, Reward
from agent.senses import Senses

_CHANNELS = ("cosine", "sine", "velocity", "outcome", "goal", "context")


class BodySchema:
    """What babbling has shown of the body, kept up to date while acting.

    Channels and reward are found by `agent.discovery`, the geometry by
    `agent.kinematic_chain`. A joint's limit is where it was knocked at least twice: the range felt
    so far is no limit by itself.

    Attributes:
        body: the channels, or None while unknown.
        chain: the geometry.
        spread: size of the space the outcome was seen in, the outcome's unit.
        geometry_error: running mean distance between outcome seen and expected.
        free_low: (n_joints,) lowest angles reached without a knock, rad.
        free_high: (n_joints,) highest ones.
        limit_low: (n_joints,) lowest angles that the joints allow, −inf where none was felt.
        limit_high: (n_joints,) highest ones, inf where none was felt.
        status: what is known or missing, in words.

    """

    SKIN = 0.05  # (Distance from a limit that counts as touching it, rad)
    STRIDE = 1.0  # (How far outside the range felt so far a posture may lie, twice while probing)
    _TASTE = 3  # (Starts of the fit after which it is given up where none came near before either)
    _HOPELESS = 0.7  # (Error over the spread from which a start did not come near)
    _SETTLED = 20  # (Looks at which a geometry must have been right to be believed)
    _SURE = 2  # (Knocks after which a limit is believed)
    _PROBE = 0.3  # (How far beyond a limit felt once is tried again, rad)
    _LOOKS = 50  # (Least looks from which the geometry is fitted anew)
    _ENCOUNTER = 5  # (Steps without a knock that part two encounters with a limit)

    def __init__(self, n_motors: int, config: SchemaConfig, lesions: tuple[str, ...] = ()):
        self._config = config
        self._lesioned = "body_schema" in lesions
        self.body: Body | None = None
        self.chain = KinematicChain(n_motors, 1)
        self.spread = 1.0
        self.geometry_error = 0.0
        self.free_low = np.full(n_motors, np.inf)
        self.free_high = np.full(n_motors, -np.inf)
        self.limit_low = np.full(n_motors, -np.inf)
        self.limit_high = np.full(n_motors, np.inf)
        self._knocks = np.zeros((2, n_motors), np.int64)
        self._since_knock = np.full((2, n_motors), self._ENCOUNTER + 1, np.int64)
        self._hurts, self._ventures = 0, 0
        self._since_fit = 0
        self._hopeless = False  # (Whether no start came near at the latest attempt)
        self._looks = np.zeros(2, np.int64)  # (Looks at which the geometry was right, and wrong)
        self._expected: tuple[Percept, Array, Array] | None = None
        self.status = "newborn"

    @property
    def known(self) -> Body:
        """Body, only to be asked for once it has been found."""
        if self.body is None:
            raise RuntimeError("the body has not been found yet")
        return self.body

    @property
    def settled(self) -> bool:
        """Whether the geometry has held for so long that it is not to blame for an odd look."""
        return bool(self._looks[0] >= max(self._SETTLED, self._looks[1]))

    @property
    def step(self) -> float:
        """Control step h of Δangle = h · velocity."""
        return self.known.step

    @property
    def reward(self) -> Reward:
        """What the reward is made of."""
        return self.known.reward

    @property
    def periodic(self) -> NDArray[np.bool_]:
        """(n_joints,) joints whose angle is known up to full turns."""
        return self.known.periodic

    def difference(self, to: Array, start: Array) -> Array:
        """Shortest way (…, n_joints) from one posture to another."""
        way = to - start
        if not self.known.turns:
            return way
        turn = (way + np.pi) % (2 * np.pi) - np.pi
        # A joint that has a limit cannot go round.
        limited = np.isfinite(self.limit_low) | np.isfinite(self.limit_high)
        return np.where(self.periodic & ~limited, turn, way)

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

    def reachable(self, probing: bool = False) -> tuple[Array, Array]:
        """Lowest and highest angles (n_joints,) to aim for: limits, and not too far from the known.

        A joint whose angle is known up to full turns can be anywhere.
        """
        low, high = self.limits(probing)
        stride = 2 * self.STRIDE if probing else self.STRIDE
        far = np.where(self.periodic, np.inf, stride)
        return np.maximum(low, self.free_low - far), np.minimum(high, self.free_high + far)

    def touching(self, before: Array, after: Array) -> NDArray[np.bool_]:
        """Whether bodies touch a limit before or after a step, (n,); postures (n, n_joints)."""
        close = np.minimum(before, after) < self.limit_low + self.SKIN
        close |= np.maximum(before, after) > self.limit_high - self.SKIN
        return np.asarray(close.any(axis=1))

    def at_edge(self, angle: Array) -> NDArray[np.bool_]:
        """Whether joints (n, n_joints) are at the edge of the range felt so far, or outside."""
        low, high = self.free_low + self.SKIN, self.free_high - self.SKIN
        return np.asarray((angle < low) | (angle > high))

    def danger(self) -> float:
        """Chance that leaving the range felt so far hurts, as experience has it."""
        return (1.0 + self._hurts) / (1.0 + self._hurts + self._ventures / self._config.bold)

    def habitual(self) -> Array:
        """Middle of the range felt so far, (n_joints,)."""
        return 0.5 * (self.free_low + self.free_high)

    def strangeness(self, angle: Array) -> Array:
        """How far postures (…, n_joints) lie outside the range felt so far, (…,) in rad."""
        half = 0.5 * (self.free_high - self.free_low)
        away = np.abs(self.difference(angle, self.habitual()))
        return np.maximum(away - half, 0.0).sum(axis=-1)

    def attempt(self, memory: SensorimotorMemory, senses: Senses, rng: np.random.Generator) -> bool:
        """Try to find the body; on success everything but the limits is set.

        Args:
            memory: what was felt so far.
            senses: channels.
            rng: for the starts of the fit, and for the lesion.

        Returns:
            Whether the body is now known.

        """
        try:
            body = find_body(memory, senses, self._config)
        except NotYet as reason:
            self.status = str(reason)
            return False
        rows = memory.rows
        angle = senses.angles(memory.after[rows], body)
        outcome = memory.after[rows][:, body.outcome]
        context = memory.after[rows][:, body.context]
        self.spread = float(np.linalg.norm(outcome.std(axis=0))) + 1e-12
        # The latest movements are kept back: a geometry that holds for them is no lucky fit.
        train = slice(0, int(0.8 * len(rows)))
        test = slice(train.stop, len(rows))
        best, chosen = np.inf, self.chain
        for start in range(self._config.chain_starts):
            if start == self._TASTE and self._hopeless and best > self._HOPELESS * self.spread:
                # A body that is free to move: no chain from a fixed root comes near, from anywhere.
                break
            chain = KinematicChain(angle.shape[1], outcome.shape[1], context.shape[1])
            chain.randomise(self.spread, rng)
            chain.fit(angle[train], context[train], outcome[train])
            miss = outcome[test] - chain(angle[test], context[test])
            error = float(np.sqrt((miss**2).sum(axis=1).mean()))
            if error < best:
                best, chosen = error, chain
            if best < 0.1 * self._config.tolerance * self.spread:
                break
        self._hopeless = best > self._HOPELESS * self.spread
        if best > self._config.tolerance * self.spread:
            self.status = f"the geometry is known to {best / self.spread:.0%} of the reach"
            return False
        if self._lesioned:
            body = _shuffled(body, rng)
        self.body, self.chain, self.status = body, chosen, "found"
        self.geometry_error = best
        return True

    def expected(self, percept: Percept) -> Array:
        """Outcome (n, d) that the felt posture should show."""
        last = self._expected
        if last is None or last[0] is not percept or last[1] is not self.chain.parameters:
            outcome = self.chain(percept.angle, percept.context)
            self._expected = last = percept, self.chain.parameters, outcome
        return last[2]

    def aim(self, percept: Percept) -> Array:
        """Find what the geometry's outcome (n, d), apart from the context, must become."""
        return percept.goal - self.chain.shift(percept.context)

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
        outside = (free < self.free_low) | (free > self.free_high)
        if np.count_nonzero(outside):
            if np.isfinite(self.free_low).all():
                self._ventures += int(outside.any(axis=1).sum())
            self.free_low = np.minimum(self.free_low, free.min(axis=0))
            self.free_high = np.maximum(self.free_high, free.max(axis=0))
        self._pass_limits(free)
        steps = len(angle) if in_turn else 1
        now = np.arange(len(angle)) if in_turn else np.zeros(len(angle), np.int64)
        self._since_knock += steps
        if not knocked:
            return
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

    def see(self, error: Array, memory: SensorimotorMemory, senses: Senses) -> None:
        """Take note of how the geometry errs, and fit it anew when it does so for long.

        A young geometry is fitted anew at once. One that has held for long is settled: what is
        seen otherwise is at first a matter of the eyes, for the visuomotor map to adapt to, and the
        body itself is doubted once it has been wrong for longer than it was right.

        Args:
            error: (n, d) outcome seen less the one expected.
            memory: the latest transitions.
            senses: channels.

        """
        size = float(np.linalg.norm(error, axis=1).mean())
        self.geometry_error += 0.05 * (size - self.geometry_error)
        self._since_fit += self._config.glance_every
        wrong = self.geometry_error > 0.1 * self._config.tolerance * self.spread
        self._looks += np.array([not wrong, wrong])
        wrong = wrong and not self.settled
        if wrong and self._since_fit >= self._config.attempt_every and not self._lesioned:
            self._since_fit = 0
            body, rows = self.known, memory.rows
            # A look that stood still while the body moved was none.
            change = memory.after[rows] - memory.before[rows]
            looked = (change[:, body.outcome] != 0.0).any(axis=1)
            rows = rows[looked | (change[:, body.velocity] == 0.0).all(axis=1)]
            if len(rows) < self._LOOKS:
                # Too little was seen to tell the body anew by: it stays a matter of the eyes.
                self._looks[1] = 0
                return
            after = memory.after[rows]
            angle = senses.angles(after, body)
            self.chain.fit(angle, after[:, body.context], after[:, body.outcome], iterations=10)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving. An unknown body has empty channels."""
        body = self.body
        empty = np.empty(0, np.int64)
        state: dict[str, NDArray] = {
            name: empty if body is None else getattr(body, name) for name in _CHANNELS
        }
        reward = None if body is None else body.reward
        state["gain"] = np.empty(0) if body is None else body.gain
        state["form"] = (
            np.empty(0)
            if body is None or reward is None
            else np.array([body.step, reward.distance, reward.effort, reward.offset])
        )
        counts = self._since_fit, self._hurts, self._ventures
        return state | {
            "geometry": self.chain.parameters,
            "scalars": np.array([self.spread, self.geometry_error]),
            "counts": np.array([*counts, *self._looks, self._hopeless]),
            "knocks": self._knocks,
            "since_knock": self._since_knock,
            "range": np.stack([self.free_low, self.free_high, self.limit_low, self.limit_high]),
        }

    def check_state(self, state: dict[str, NDArray], n_channels: int) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        n = len(self.free_low)
        sizes = dict.fromkeys((*_CHANNELS, "gain", "form"), 0)
        d, c = 1, 0
        if state["form"].size:
            d, c = state["outcome"].size, state["context"].size
            goal = d if state["goal"].size else 0
            sizes = dict.fromkeys(("cosine", "sine", "velocity", "gain"), n)
            sizes |= {"outcome": d, "goal": goal, "context": c, "form": 4}
        if not 1 <= d <= 3:
            raise StateError(f"weights 'outcome' name {d} channels: a place has 1 to 3")
        sizes |= {"geometry": 6 * n + 3 + d * c, "scalars": 2, "counts": 6}
        for name, size in sizes.items():
            if state[name].shape != (size,):
                raise StateError(f"weights {name!r} are {state[name].shape}: expected ({size},)")
        for name in _CHANNELS:
            least = -1 if name == "cosine" else 0
            if ((state[name] < least) | (state[name] >= n_channels)).any():
                raise StateError(f"weights {name!r} name channels that the observation lacks")

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.body, self.status = None, "newborn"
        self.chain = KinematicChain(len(self.free_low), 1)
        if len(state["form"]):
            step, distance, effort, offset = (float(x) for x in state["form"])
            channels = {name: state[name].copy() for name in _CHANNELS}
            form = Reward(distance, effort, offset)
            self.body = Body(step=step, gain=state["gain"].copy(), reward=form, **channels)
            self.status = "found"
            n = len(self.body.sine)
            self.chain = KinematicChain(n, len(self.body.outcome), len(self.body.context))
        self.chain.parameters = state["geometry"].copy()
        self.spread, self.geometry_error = (float(x) for x in state["scalars"])
        self._since_fit, self._hurts, self._ventures = (int(x) for x in state["counts"][:3])
        self._looks, self._hopeless = state["counts"][3:5].copy(), bool(state["counts"][5])
        self._knocks = state["knocks"].copy()
        self._since_knock = state["since_knock"].copy()
        self.free_low, self.free_high, self.limit_low, self.limit_high = state["range"].copy()


def _shuffled(body: Body, rng: np.random.Generator) -> Body:
    """Take the joints of a body for each other."""
    order = np.roll(rng.permutation(len(body.sine)), 1)
    while (order == np.arange(len(order))).any() and len(order) > 1:
        order = rng.permutation(len(order))
    return Body(
        cosine=body.cosine[order],
        sine=body.sine[order],
        velocity=body.velocity,
        step=body.step,
        gain=body.gain[order],
        outcome=body.outcome,
        goal=body.goal,
        context=body.context,
        reward=body.reward,
    )
