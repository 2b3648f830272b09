"""Value learning: what commands are worth, from what was lived through, and better commands."""

import numpy as np
from numpy.typing import NDArray

from agent.config import ResidualConfig
from agent.networks import Networks
from agent.parts import part_of
from agent.replay import Replay, Stretch

Single = NDArray[np.float32]

_NETWORKS = "critic", "critic_slow", "actor", "actor_slow"


class ValueLearning:
    r"""Twin critics and an actor that changes given commands, as in TD3.

    .. math:: u = \mathrm{clip}(u_h + \kappa \tanh \pi(s), \pm 1)

    u_h, the command that is changed, is the last part of what is felt, s; κ is the most that it is
    changed by. The critics learn from stretches of a few steps that are drawn from a replay
    (Fujimoto, van Hoof & Meger 2018, arXiv:1802.09477), and the actor goes up

    .. math:: b \, Q(s, u) / \sigma_Q - |\tanh \pi(s)|^2 / m

    with σ_Q the spread of Q over the draw, m motors and b boldness: a critic that knows little is
    not to lead far away from what is known to work. The balance is that of Fujimoto & Gu (2021,
    arXiv:2106.06860), who hold an actor to the commands of a data set. Where no command is given
    (`plain`), there is none to keep to.

    Reward is counted in a unit of its own, so that worth is of the size that networks learn
    quickly, and numbers felt in theirs. When there is twice as much to tell the units from, they
    are found anew, and the first and last weights are changed so that the networks say the same.

    Attributes:
        unit: of reward; 0 until there is enough to tell.

    Args:
        n_features: numbers felt.
        n_motors: of a body.
        config: settings.
        rng: draws first weights, stretches and noise.

    """

    _SMOOTH, _SMOOTHEST = 0.2, 0.5  # (Spread of the noise on commands that are judged, its bound)
    _RATE_OF_TARGETS = 0.005
    _FAR = 10.0  # (Spreads beyond which a number counts no more)
    _LEAST = 0.01  # (Least spread)
    _RESTS, _STILL = 0.2, 1e-6  # (Share of steps at zero, or so close, that leaves a number out)
    _LEFT_OUT = 1e9  # (Spread of such a number)
    _ACTOR_EVERY = 2  # (Updates of the critics)
    _UNIT = 10.0  # (Unit of reward, in root mean squares of a step's)
    _TOLD = 1e-3  # (Least spread of worth, in its unit)

    def __init__(
        self, n_features: int, n_motors: int, config: ResidualConfig, rng: np.random.Generator
    ):
        self._config, self._n_motors, self._rng = config, n_motors, rng
        self._critic, self._critic_slow = (
            Networks(2, n_features + n_motors, config.units, 1, rng) for _ in range(2)
        )
        self._actor, self._actor_slow = (
            Networks(1, n_features, config.units, n_motors, rng, silent=True) for _ in range(2)
        )
        self._critic_slow.follow(self._critic, 1.0)
        self._actor_slow.follow(self._actor, 1.0)
        self._mean, self._spread = np.zeros((2, n_features), np.float32)
        self.unit, self._told, self._updates = 0.0, 0, 0

    @property
    def begun(self) -> bool:
        """Whether there has been enough to tell the units from."""
        return self.unit > 0.0

    def command(self, felt: Single) -> Single:
        """Command (k, n_motors) where so much is felt (k, n_features)."""
        return self._changed(self._actor, self._seen(felt))

    def _seen(self, felt: Single) -> Single:
        """Scale what was felt (k, n_features) by its spread."""
        x = (felt - self._mean) / self._spread
        return np.minimum(np.maximum(x, -self._FAR), self._FAR)

    def _given(self, seen: Single) -> Single:
        """Command (k, n_motors) that is to be changed."""
        return np.asarray(seen[:, -self._n_motors :])

    def _changed(self, actor: Networks, seen: Single) -> Single:
        change = np.tanh(actor.forward(seen)[0])
        change *= np.float32(self._config.most)
        change += self._given(seen)
        return np.minimum(np.maximum(change, np.float32(-1.0)), np.float32(1.0))

    def learn(self, replay: Replay, updates: int, boldness: float) -> None:
        """Learn from a replay.

        Args:
            replay: of what was lived through.
            updates: draws that are learnt from.
            boldness: how much worth counts beside keeping to what is given.

        """
        steps = len(replay)
        if steps >= 2 * self._told:
            self._find_units(replay, steps)
        for _ in range(updates):
            self._update(replay, boldness)

    def _find_units(self, replay: Replay, steps: int) -> None:
        """Find the units of what is felt and earned, and let the networks say the same in them.

        Numbers that rest at zero much of the time, as forces of contact do, are left out: where
        they are many, nothing is learnt with them.

        """
        m, mean, spread, unit = self._n_motors, self._mean, self._spread, self.unit
        felt = replay.features[:steps].reshape(-1, len(mean))
        self._mean = felt.mean(axis=0)
        self._spread = np.maximum(felt.std(axis=0), np.float32(self._LEAST))
        rests = (np.abs(felt) < self._STILL).mean(axis=0) > self._RESTS
        self._mean[rests], self._spread[rests] = 0.0, self._LEFT_OUT
        self._mean[-m:], self._spread[-m:] = 0.0, 1.0
        size = np.sqrt(np.square(replay.reward[:steps]).mean(dtype=float))
        self.unit, self._told = self._UNIT * max(float(size), self._LEAST), steps
        if not unit:
            return
        ratio, shift = self._spread / spread, (self._mean - mean) / spread
        for network in (self._critic, self._critic_slow, self._actor, self._actor_slow):
            network.move_inputs(ratio, shift)
        for network in (self._critic, self._critic_slow):
            network.scale_outputs(unit / self.unit)

    def dopamine(self, replay: Replay) -> NDArray:
        """R + γ Q(s', u') − Q(s, u) of the step before the latest one, (n,), 0 where it is cut."""
        felt, given, reward, fell, cut = replay.latest()
        seen = self._seen(felt.reshape(-1, felt.shape[-1]))
        both = np.concatenate([seen, given.reshape(len(seen), -1)], axis=1)
        was, now = self.unit * self._critic.forward(both).min(axis=0).reshape(2, -1)
        came = reward + self._config.discount * now * ~fell - was
        return np.where(cut, 0.0, came)

    def _update(self, replay: Replay, boldness: float) -> None:
        """Learn from one draw of the replay: the critics always, the actor now and then."""
        c = self._config
        drawn = replay.draw(c.batch, c.stretch, c.discount, self._rng)
        seen = self._seen(drawn.before)
        self._learn_worth(drawn, seen)
        self._updates += 1
        if self._updates % self._ACTOR_EVERY == 0:
            self._learn_command(seen, boldness)
            self._critic_slow.follow(self._critic, self._RATE_OF_TARGETS)
            self._actor_slow.follow(self._actor, self._RATE_OF_TARGETS)

    def _learn_worth(self, drawn: Stretch, seen: Single) -> None:
        after = self._seen(drawn.after)
        then = self._changed(self._actor_slow, after)
        noise = np.float32(self._SMOOTH) * self._rng.standard_normal(then.shape, np.float32)
        then = np.clip(then + np.clip(noise, -self._SMOOTHEST, self._SMOOTHEST), -1.0, 1.0)
        worth = self._critic_slow.forward(np.concatenate([after, then], axis=1)).min(axis=0)
        discount = np.float32(self._config.discount**self._config.stretch)
        earned = drawn.earned / np.float32(self.unit)
        wanted = earned[:, None] + discount * drawn.standing[:, None] * worth
        held = self._critic.forward(np.concatenate([seen, drawn.command], axis=1))
        self._critic.backward(np.float32(2.0 / len(seen)) * (held - wanted))
        self._critic.descend(self._config.rate)

    def _learn_command(self, seen: Single, boldness: float) -> None:
        change = np.tanh(self._actor.forward(seen)[0])
        most = np.float32(self._config.most)
        free = self._given(seen) + most * change
        command = np.clip(free, -1.0, 1.0)
        held = self._critic.forward(np.concatenate([seen, command], axis=1))
        slope = np.zeros_like(held)  # (Up the first critic's worth)
        slope[0] = -boldness / (len(seen) * max(self._TOLD, float(held[0].std())))
        by_command = self._critic.to_inputs(slope)[0, :, seen.shape[1] :]
        # (Beyond full force nothing changes; only the way back is open)
        by_command = np.where((free != command) & (by_command * free < 0.0), 0.0, by_command)
        by_change = by_command * most
        if not self._config.plain:
            by_change += np.float32(2.0 / change.size) * change
        by_output = by_change * (1.0 - change * change)
        self._actor.backward(by_output[None].astype(np.float32))
        self._actor.descend(self._config.rate)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state: dict[str, NDArray] = {}
        for name in _NETWORKS:
            own = getattr(self, f"_{name}").state()
            state |= {f"{name}.{k}": v for k, v in own.items()}
        state |= {"mean": self._mean, "spread": self._spread, "unit": np.array(self.unit)}
        return state | {"learnt": np.array([self._told, self._updates], np.int64)}

    def check_state(self, state: dict[str, NDArray]) -> bool:
        """Tell whether a state of the right shapes is one that can be."""
        descents = [state[f"{name}.descents"] for name in _NETWORKS]
        seconds = [state[f"{name}.moments"][2] for name in _NETWORKS]
        least = [*descents, *seconds, state["learnt"], state["spread"], state["unit"]]
        positive = state["unit"] == 0.0 or (state["spread"] > 0.0).all()
        return bool(positive) and not any((part < 0).any() for part in least)

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in _NETWORKS:
            getattr(self, f"_{name}").load_state(part_of(state, f"{name}."))
        self._mean, self._spread = state["mean"].copy(), state["spread"].copy()
        self.unit = float(state["unit"])
        self._told, self._updates = (int(x) for x in state["learnt"])
