"""Body schema: what is mine, how it is built, how far it goes."""

import numpy as np
from numpy.typing import NDArray

from agent.config import SchemaConfig
from agent.discovery import NotYet, find_body
from agent.errors import StateError
from agent.joint_range import JointRange
from agent.kinematic_chain import KinematicChain
from agent.memory import SensorimotorMemory
from agent.percept import Array, Body, Percept, Reward
from agent.senses import Senses

_CHANNELS = ("cosine", "sine", "velocity", "outcome", "goal", "context")


class BodySchema:
    """What babbling has shown of the body, kept up to date while acting.

    Channels and reward are found by `agent.discovery`, the geometry by
    `agent.kinematic_chain`, how far the joints go by `agent.joint_range`.

    Attributes:
        body: the channels, or None while unknown.
        chain: the geometry.
        range: how far the joints go.
        spread: size of the space the outcome was seen in, the outcome's unit.
        geometry_error: running mean distance between outcome seen and expected.
        status: what is known or missing, in words.

    """

    _TASTE = 3  # (Starts of the fit after which it is given up where none came near before either)
    _HOPELESS = 0.7  # (Error over the spread from which a start did not come near)
    _SETTLED = 20  # (Looks at which a geometry must have been right to be believed)
    _LOOKS = 50  # (Least looks from which the geometry is fitted anew)

    def __init__(self, n_motors: int, config: SchemaConfig, lesions: tuple[str, ...] = ()):
        self._config = config
        self._lesioned = "body_schema" in lesions
        self.body: Body | None = None
        self.chain = KinematicChain(n_motors, 1)
        self.spread = 1.0
        self.geometry_error = 0.0
        self.range = JointRange(n_motors, config.bold)
        self._since_fit = 0
        self._hopeless = False  # (Whether no start came near at the latest attempt)
        self._looks = np.zeros(2, np.int64)  # (Looks at which the geometry was right, and wrong)
        self._read: tuple[Percept, Array, Array, Array] | None = None
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
        return np.where(self.periodic & ~self.range.bounded, turn, way)

    def reachable(self, probing: bool = False) -> tuple[Array, Array]:
        """Lowest and highest angles (n_joints,) to aim for: limits, and not too far from the known.

        A joint whose angle is known up to full turns can be anywhere.
        """
        return self.range.reachable(self.periodic, probing)

    def strangeness(self, angle: Array) -> Array:
        """How far postures (…, n_joints) lie outside the range felt so far, (…,) in rad."""
        half = 0.5 * (self.range.free_high - self.range.free_low)
        away = np.abs(self.difference(angle, self.range.middle()))
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
        return self._place(percept)[1]

    def reached(self, percept: Percept) -> Array:
        """Outcome (n, d) of the felt posture, apart from the context."""
        return self._place(percept)[0]

    def _place(self, percept: Percept) -> tuple[Array, Array]:
        """Outcome (n, d) of the felt posture without and with the context; kept for the next."""
        last, parameters = self._read, self.chain.parameters
        if last is None or last[0] is not percept or last[1] is not parameters:
            place = self.chain(percept.angle)
            shifted = place + self.chain.shift(percept.context)
            self._read = last = percept, parameters, place, shifted
        return last[2:]

    def aim(self, percept: Percept) -> Array:
        """Find what the geometry's outcome (n, d), apart from the context, must become."""
        return percept.goal - self.chain.shift(percept.context)

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
        self._since_fit += self._config.glance_every * len(error)
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
        return state | {
            **self.range.state(),
            "geometry": self.chain.parameters,
            "scalars": np.array([self.spread, self.geometry_error]),
            "counts": np.array([self._since_fit, *self._looks, self._hopeless]),
        }

    def check_state(self, state: dict[str, NDArray], n_channels: int) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        n = len(self.range.free_low)
        sizes = dict.fromkeys((*_CHANNELS, "gain", "form"), 0)
        d, c = 1, 0
        if state["form"].size:
            d, c = state["outcome"].size, state["context"].size
            goal = d if state["goal"].size else 0
            sizes = dict.fromkeys(("cosine", "sine", "velocity", "gain"), n)
            sizes |= {"outcome": d, "goal": goal, "context": c, "form": 4}
        if not 1 <= d <= 3:
            raise StateError(f"weights 'outcome' name {d} channels: a place has 1 to 3")
        sizes |= {"geometry": 6 * n + 3 + d * c, "scalars": 2, "counts": 4, "ventures": 2}
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
        self.chain = KinematicChain(len(self.range.free_low), 1)
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
        self._since_fit, self._hopeless = int(state["counts"][0]), bool(state["counts"][3])
        self._looks = state["counts"][1:3].copy()
        self.range.load_state(state)


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
