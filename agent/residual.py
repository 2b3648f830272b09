"""Residual learning: commands beside those of a habit, by learning what they are worth."""

import numpy as np
from numpy.typing import NDArray

from agent.config import ResidualConfig
from agent.errors import StateError
from agent.networks import Networks
from agent.parts import part_of
from agent.percept import Array
from agent.randomness import generator_state, set_generator_state
from agent.replay import Replay, Stretch

Single = NDArray[np.float32]

_BODY = 3  # (Numbers felt beside channels and habit: sine, cosine of the rhythm, heading error)
_STILL = 1e-6  # (Size up to which a number is zero)
_NETWORKS = "critic", "critic_slow", "actor", "actor_slow"


class Residual:
    r"""Actor and critic that refine what a habit does, from what has been lived through.

    .. math:: u = \mathrm{clip}(u_h + \kappa \tanh \pi(s), \pm 1)

    with u_h the habit's command, s what is felt: channels, phase of the rhythm, heading error and
    u_h; π is 0 at first, so that all begins with the habit (residual policy learning: Silver et
    al. 2018, arXiv:1812.06298; Johannink et al. 2019, doi:10.1109/ICRA.2019.8794127). What u is
    worth is learnt by twin critics from stretches of a few steps that are drawn from a replay, and
    π goes up their gradient, as in TD3 (Fujimoto, van Hoof & Meger 2018, arXiv:1802.09477).

    It is trusted where practice, its exploration included, has lately earned what the habit does:
    the habit is what remains otherwise.

    Attributes:
        replay: steps lived through in practice.
        dopamine: (n,) r + γ Q(s', u') − Q(s, u) of the step before the latest one, whose outcome
            is known only now; 0 where it is not.
        tries: (k,) mean reward per step of the latest stretches of practice.
        crawled: steps that all bodies together have crawled, before it begins.

    Args:
        n_channels: numbers of an observation.
        n_motors: of a body.
        n: bodies.
        config: settings.
        rng: of everything random in it.

    """

    _SMOOTH, _SMOOTHEST = 0.2, 0.5  # (Spread of the noise on commands that are judged, its bound)
    _RATE_OF_TARGETS = 0.005
    _FAR = 5.0  # (Spreads beyond which a number counts no more)
    _LEAST = 0.01  # (Least spread)
    _RESTS = 0.2  # (Share of steps at zero from which a number is left out)
    _LEFT_OUT = 1e9  # (Spread of such a number)
    _ACTOR_EVERY = 2  # (Updates of the critics)

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
        size, units = n_channels + _BODY + n_motors, config.units
        self.replay = Replay(size, n_motors, n, config.remembered)
        self._critic, self._critic_slow = (
            Networks(2, size + n_motors, units, 1, rng) for _ in range(2)
        )
        self._actor, self._actor_slow = (
            Networks(1, size, units, n_motors, rng, silent=True) for _ in range(2)
        )
        self._critic_slow.follow(self._critic, 1.0)
        self._actor_slow.follow(self._actor, 1.0)
        self._mean, self._spread = np.zeros(size, np.float32), np.zeros(0, np.float32)
        self.tries: Array = np.zeros(0)
        self.crawled, self._updates = 0, 0
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
        if len(self._spread):
            command = np.asarray(self._refined(self._actor, self._seen(felt)), float)
        elif self._config.plain and bodies is not None:
            command = self._rng.uniform(-1.0, 1.0, habit.shape)
        if bodies is not None:
            noise = self._config.noise * self._rng.standard_normal(command.shape)
            command = np.clip(command + noise, -1.0, 1.0)
            self._felt[bodies], self._given[bodies] = felt, command
        return command

    def _seen(self, felt: Single) -> Single:
        """Scale what was felt (k, n_features) by its spread."""
        x = (felt - self._mean) / self._spread
        return np.minimum(np.maximum(x, -self._FAR), self._FAR)

    def _habit(self, seen: Single) -> Single:
        """Command of the habit (k, n_motors) where so much was felt."""
        m = self._given.shape[1]
        return np.asarray(seen[:, -m:])

    def _refined(self, actor: Networks, seen: Single) -> Single:
        change = np.tanh(actor.forward(seen)[0])
        change *= np.float32(self._config.most)
        change += self._habit(seen)
        return np.minimum(np.maximum(change, np.float32(-1.0)), np.float32(1.0))

    def learn(
        self,
        reward: Array,
        fell: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        active: NDArray[np.bool_],
        trial: int,
    ) -> None:
        """Learn from one step of every body that practised.

        Args:
            reward: (n,) received.
            fell: (n,) whether life ended in it.
            ended: (n,) whether an episode is over, by a fall or by the clock.
            active: (n,) bodies that practised.
            trial: steps after which a stretch of practice is judged.

        """
        if not active.all():
            self.replay.part(~active)
        self.replay.note(self._felt, self._given, reward, fell, (ended & ~fell) | ~active)
        self._judge(reward, fell, ended, active, trial)
        c, n, count = self._config, len(reward), self.replay.count
        if count * n < c.first or len(self.replay) <= c.stretch:
            return
        if not len(self._spread):
            self._standardise()
        self._feel()
        for _ in range(int(c.updates * count * n) - int(c.updates * (count - 1) * n)):
            self._update()

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
            self._sum[body] = self._steps[body] = 0.0

    def _standardise(self) -> None:
        """Find the units of what is felt, once there is enough to tell.

        Numbers that rest at zero much of the time, as forces of contact do, are left out: where
        they are many, nothing is learnt with them.

        """
        m = self._given.shape[1]
        felt = self.replay.features[: len(self.replay)].reshape(-1, len(self._mean))
        self._mean = felt.mean(axis=0)
        self._spread = np.maximum(felt.std(axis=0), np.float32(self._LEAST))
        rests = (np.abs(felt) < _STILL).mean(axis=0) > self._RESTS
        self._mean[rests], self._spread[rests] = 0.0, self._LEFT_OUT
        self._mean[-m:], self._spread[-m:] = 0.0, 1.0

    def _feel(self) -> None:
        felt, given, reward, fell, cut = self.replay.latest()
        seen = self._seen(felt.reshape(-1, felt.shape[-1]))
        both = np.concatenate([seen, given.reshape(len(seen), -1)], axis=1)
        was, now = self._critic.forward(both).min(axis=0).reshape(2, -1)
        came = reward + self._config.discount * now * ~fell - was
        self.dopamine = np.where(cut, 0.0, came)

    def _update(self) -> None:
        """Learn from one draw of the replay: the critics always, the actor now and then."""
        c = self._config
        drawn = self.replay.draw(c.batch, c.stretch, c.discount, self._rng)
        seen = self._seen(drawn.before)
        self._learn_worth(drawn, seen)
        self._updates += 1
        if self._updates % self._ACTOR_EVERY == 0:
            self._learn_command(seen)
            self._critic_slow.follow(self._critic, self._RATE_OF_TARGETS)
            self._actor_slow.follow(self._actor, self._RATE_OF_TARGETS)

    def _learn_worth(self, drawn: Stretch, seen: Single) -> None:
        after = self._seen(drawn.after)
        then = self._refined(self._actor_slow, after)
        noise = np.float32(self._SMOOTH) * self._rng.standard_normal(then.shape, np.float32)
        then = np.clip(then + np.clip(noise, -self._SMOOTHEST, self._SMOOTHEST), -1.0, 1.0)
        worth = self._critic_slow.forward(np.concatenate([after, then], axis=1)).min(axis=0)
        discount = np.float32(self._config.discount**self._config.stretch)
        wanted = drawn.earned[:, None] + discount * drawn.standing[:, None] * worth
        held = self._critic.forward(np.concatenate([seen, drawn.command], axis=1))
        self._critic.backward(np.float32(2.0 / len(seen)) * (held - wanted))
        self._critic.descend(self._config.rate)

    def _learn_command(self, seen: Single) -> None:
        change = np.tanh(self._actor.forward(seen)[0])
        most = np.float32(self._config.most)
        free = self._habit(seen) + most * change
        command = np.clip(free, -1.0, 1.0)
        held = self._critic.forward(np.concatenate([seen, command], axis=1))
        slope = np.zeros_like(held)
        slope[0] = -1.0 / len(seen)  # (Up the first critic's worth)
        by_command = self._critic.to_inputs(slope)[0, :, seen.shape[1] :]
        # (Beyond full force nothing changes; only the way back is open)
        by_command = np.where((free != command) & (by_command * free < 0.0), 0.0, by_command)
        by_output = by_command * most * (1.0 - change * change)
        self._actor.backward(by_output[None].astype(np.float32))
        self._actor.descend(self._config.rate)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"replay.{k}": v for k, v in self.replay.state().items()}
        for name in _NETWORKS:
            own = getattr(self, f"_{name}").state()
            state |= {f"{name}.{k}": v for k, v in own.items()}
        state |= {"mean": self._mean, "spread": self._spread, "tries": self.tries}
        state |= {"felt": self._felt, "given": self._given}
        state["practice"] = np.stack([self._sum, self._steps])
        state["counts"] = np.array([self.crawled, self._updates], np.int64)
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
            if key == "spread" and len(given):
                shape = self._mean.shape
            if key == "tries" and given.ndim == 1 and len(given) <= self._config.tries:
                shape = given.shape
            if given.dtype != value.dtype or given.shape != shape:
                raise StateError(
                    f"weights 'residual.{key}' are {given.dtype} {given.shape}: expected "
                    f"{value.dtype} {shape}"
                )
            if given.dtype.kind == "f" and not np.isfinite(given).all():
                raise StateError(f"weights 'residual.{key}' hold NaN or inf: the file is damaged")
        descents = [state[f"{name}.descents"] for name in _NETWORKS]
        seconds = [state[f"{name}.moments"][2] for name in _NETWORKS]
        counts = np.concatenate([state["counts"], descents, [state["replay.count"]]])
        least = [counts, state["practice"][1], *seconds]
        if any((part < 0).any() for part in least) or (state["spread"] <= 0.0).any():
            raise StateError("weights 'residual' hold counts or spreads below what can be")

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.replay.load_state(part_of(state, "replay."))
        for name in _NETWORKS:
            getattr(self, f"_{name}").load_state(
                {key: state[f"{name}.{key}"] for key in ("moments", "descents")}
            )
        self._mean, self._spread = state["mean"].copy(), state["spread"].copy()
        self.tries = state["tries"].copy()
        self._felt, self._given = state["felt"].copy(), state["given"].copy()
        self._sum, self._steps = state["practice"].copy()
        self.crawled, self._updates = (int(x) for x in state["counts"])
        set_generator_state(self._rng, state["generator"])
        self.dopamine = np.zeros(len(self._sum))
