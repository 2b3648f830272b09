"""Residual learning: commands beside those of a habit, by learning what they are worth."""

import numpy as np
from numpy.typing import NDArray

from agent.config import ResidualConfig
from agent.errors import StateError
from agent.parts import part_of
from agent.percept import Array
from agent.randomness import generator_state, set_generator_state
from agent.replay import Replay
from agent.value_learning import ValueLearning

Single = NDArray[np.float32]

_BODY = 3  # (Numbers felt beside channels and habit: sine, cosine of the rhythm, heading error)


class Residual:
    r"""Refines what a habit does, from what has been lived through in practice.

    Commands are those of the habit and a change that :class:`ValueLearning` learns, which is 0 at
    first, so that all begins with the habit (residual policy learning: Silver et al. 2018,
    arXiv:1812.06298; Johannink et al. 2019, doi:10.1109/ICRA.2019.8794127). What is felt are
    channels, phase of the rhythm, heading error and the habit's command.

    How boldly it changes commands depends on how practice goes: more boldly where a stretch of it
    earned more than at first, when it was the habit and exploration, and more than was expected
    from those before; less so where it did not. (As a search's spread grows and shrinks with its
    success: Rechenberg 1973.)

    It is trusted where practice, its exploration included, has lately earned what the habit does:
    the habit is what remains otherwise.

    Attributes:
        replay: steps lived through in practice.
        values: what is learnt from them.
        dopamine: (n,) r + γ Q(s', u') − Q(s, u) of the step before the latest one, whose outcome
            is known only now; 0 where it is not.
        tries: (k,) mean reward per step of the latest stretches of practice.
        boldness: how much worth counts beside keeping to the habit.
        crawled: steps that all bodies together have crawled, before it begins.

    Args:
        n_channels: numbers of an observation.
        n_motors: of a body.
        n: bodies.
        config: settings.
        rng: of everything random in it.

    """

    _BOLDER, _MEEKER = 1.1, 0.86  # (Factors of boldness after success and failure)
    _BOLDEST, _MEEKEST = 100.0, 0.1
    _FOLLOWS = 0.2  # (Rate at which what is expected of practice follows it)

    def __init__(
        self,
        n_channels: int,
        n_motors: int,
        n: int,
        config: ResidualConfig,
        rng: np.random.Generator,
    ):
        self._config = config
        self._rng = rng = np.random.default_rng(int(rng.integers(0, 2**63)))
        size = n_channels + _BODY + n_motors
        self.replay = Replay(size, n_motors, n, config.remembered)
        self.values = ValueLearning(size, n_motors, config, rng)
        self.tries: Array = np.zeros(0)
        self.boldness, self._expected, self._at_first = config.boldness, 0.0, 0.0
        self.crawled, self._judged = 0, 0
        self._lay_out(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies; stretches under way are forgotten."""
        self.replay = self.replay.resized(n)
        self._lay_out(n)

    def _lay_out(self, n: int) -> None:
        _, _, size = self.replay.features.shape
        self._felt = np.zeros((n, size), np.float32)
        self._given = np.zeros((n, self.replay.command.shape[2]), np.float32)
        self._sum, self._steps, self.dopamine = np.zeros((3, n))
        self._lies = np.zeros(n, np.bool_)

    @property
    def practises(self) -> bool:
        """Whether bodies practise to refine the habit instead of searching for another."""
        return self.crawled >= self._config.after > 0

    @property
    def worth(self) -> float:
        """Mean reward per step of the latest practice, 0 before."""
        return float(self.tries.mean()) if len(self.tries) else 0.0

    def wait(self, steps: int, known: bool) -> None:
        """Let bodies crawl until it is time to refine, and until there is a habit to refine."""
        ready = known or self._config.plain
        self.crawled = min(self.crawled + steps, self._config.after - (not ready))

    def trusted(self, habit: float | None) -> bool:
        """Whether practice has lately earned what the habit does, per step; None: there is none."""
        if self._config.plain:
            return True
        if len(self.tries) < self._config.tries or habit is None:
            return False
        return self.worth >= habit

    def act(
        self,
        channels: Array,
        phase: Array,
        error: Array | None,
        habit: Array,
        bodies: NDArray[np.int64] | None,
    ) -> Array:
        """Command (k, n_motors) of k bodies.

        Args:
            channels: (k, n_channels) felt.
            phase: (k,) of the rhythm, rad.
            error: (k,) heading error, rad; None where no heading is known.
            habit: (k, n_motors) command of the habit.
            bodies: (k,) which of the n that practise they are; None to perform.

        """
        if self._config.plain:
            phase, habit = np.zeros(len(phase)), np.zeros_like(habit)
        off = np.zeros(len(phase)) if error is None else error
        habit = np.minimum(np.maximum(habit, -1.0), 1.0)
        rhythm = np.stack([np.sin(phase), np.cos(phase), off], axis=1)
        felt = np.concatenate([channels, rhythm, habit], axis=1).astype(np.float32)
        command = habit
        if self.values.begun:
            command = np.asarray(self.values.command(felt), float)
        elif self._config.plain and bodies is not None:
            command = self._rng.uniform(-1.0, 1.0, habit.shape)
        if bodies is not None:
            noise = self._config.noise * self._rng.standard_normal(command.shape)
            command = np.clip(command + noise, -1.0, 1.0)
            self._felt[bodies], self._given[bodies] = felt, command
        return command

    def asks(self, trial: int) -> NDArray[np.bool_]:
        """Which bodies (n,) ask to be put back to a start after the step under way.

        Args:
            trial: steps after which a stretch of practice is judged.

        """
        return self._lies | (self._steps >= trial - 1)

    def learn(
        self,
        reward: Array,
        fell: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        active: NDArray[np.bool_],
        lies: NDArray[np.bool_],
        trial: int,
    ) -> None:
        """Learn from one step of every body that practised.

        Args:
            reward: (n,) received.
            fell: (n,) whether nothing more is to be earned after it.
            ended: (n,) whether an episode is over, by a fall or by the clock.
            active: (n,) bodies that practised.
            lies: (n,) whether a body lies on its back after it.
            trial: steps after which a stretch of practice is judged.

        """
        self._lies = lies & ~ended
        if not active.all():
            self.replay.part(~active)
        self.replay.note(self._felt, self._given, reward, fell, (ended & ~fell) | ~active)
        self._judge(reward, fell, ended, active, trial)
        c, n, count = self._config, len(reward), self.replay.count
        if count * n < c.first or len(self.replay) <= c.stretch:
            return
        updates = int(c.updates * count * n) - int(c.updates * (count - 1) * n)
        self.values.learn(self.replay, updates, self.boldness)
        self.dopamine = self.values.dopamine(self.replay)

    def begin(self, bodies: NDArray[np.bool_]) -> None:
        """Part what comes next from what was, for bodies (n,) that begin an episode."""
        self.replay.part(bodies)
        self._sum[bodies], self._steps[bodies] = 0.0, 0.0

    def _judge(
        self,
        reward: Array,
        fell: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        active: NDArray[np.bool_],
        trial: int,
    ) -> None:
        """Account for stretches of practice that are over; after a fall nothing more is earned."""
        self._sum += reward * active
        self._steps += active
        full = self._steps >= trial
        for body in np.flatnonzero(full | ended | fell).tolist():
            mean = self._sum[body] / max(1.0, self._steps[body])
            if fell[body]:
                mean = (self._sum[body] + (trial - self._steps[body]) * min(0.0, mean)) / trial
            if full[body] or fell[body] or self._steps[body] >= 0.5 * trial:
                self.tries = np.append(self.tries, mean)[-self._config.tries :]
                self._adjust(mean)
            self._sum[body] = self._steps[body] = 0.0

    def _adjust(self, mean: float) -> None:
        """Change commands more or less boldly, after a stretch that earned `mean` per step."""
        self._judged += 1
        if self.values.begun and self._judged > 1:
            succeeds = mean > max(self._expected, self._at_first)
            factor = self._BOLDER if succeeds else self._MEEKER
            self.boldness = min(self._BOLDEST, max(self._MEEKEST, factor * self.boldness))
        self._expected += max(self._FOLLOWS, 1.0 / self._judged) * (mean - self._expected)
        if not self.values.begun or self._judged == 1:
            self._at_first = self._expected

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"replay.{k}": v for k, v in self.replay.state().items()}
        state |= {f"values.{k}": v for k, v in self.values.state().items()}
        state |= {"tries": self.tries, "felt": self._felt, "given": self._given}
        state["practice"] = np.stack([self._sum, self._steps])
        state["lies"] = self._lies
        state["boldness"] = np.array([self.boldness, self._expected, self._at_first])
        state["counts"] = np.array([self.crawled, self._judged], np.int64)
        state["generator"] = generator_state(self._rng)
        return state

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        own = self.state()
        for key in sorted(set(own) ^ set(state)):
            what = "missing" if key in own else "unknown"
            raise StateError(f"weights 'residual.{key}' are {what}")
        kept = min(max(0, int(state["replay.count"].ravel()[:1].sum())), self.replay.room)
        for key, value in own.items():
            given, shape = state[key], value.shape
            if key.startswith("replay.") and value.ndim:
                shape = (kept, *shape[1:])
            if key == "tries" and given.ndim == 1 and len(given) <= self._config.tries:
                shape = given.shape
            if given.dtype != value.dtype or given.shape != shape:
                raise StateError(
                    f"weights 'residual.{key}' are {given.dtype} {given.shape}: expected "
                    f"{value.dtype} {shape}"
                )
            if given.dtype.kind == "f" and not np.isfinite(given).all():
                raise StateError(f"weights 'residual.{key}' hold NaN or inf: the file is damaged")
        counts = np.append(state["counts"], state["replay.count"])
        least = counts, state["practice"][1], state["boldness"][:1]
        possible = self.values.check_state(part_of(state, "values."))
        if not possible or any((part < 0).any() for part in least):
            raise StateError("weights 'residual' hold counts or spreads below what can be")

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.replay.load_state(part_of(state, "replay."))
        self.values.load_state(part_of(state, "values."))
        self.tries = state["tries"].copy()
        self._felt, self._given = state["felt"].copy(), state["given"].copy()
        self._sum, self._steps = state["practice"].copy()
        self._lies = state["lies"].copy()
        self.boldness, self._expected, self._at_first = state["boldness"].tolist()
        self.crawled, self._judged = (int(x) for x in state["counts"])
        set_generator_state(self._rng, state["generator"])
        self.dopamine = np.zeros(len(self._sum))
