"""Striatum: which motor program to gate in a context, taught by dopamine (actor and critic)."""

import numpy as np
from numpy.typing import NDArray

from agent.config import StriatumConfig
from agent.percept import Array

Index = NDArray[np.int64]


class Striatum:
    r"""Contextual actor-critic over motor programs.

    The ventral striatum is the critic: V(s) of context s. After every act, dopamine is the
    temporal difference (Schultz, Dayan & Montague 1997, doi:10.1126/science.275.5306.1593)

    .. math:: \delta = r + V(s') - V(s)

    and all that is eligible learns from it, TD(λ) (Sutton & Barto 2018, ch. 12):
    :math:`V(s) \mathrel{+}= \alpha_V \delta e`, e having been 1 at the act and λ times less after
    each later one.

    The dorsal striatum is the actor. Each act k in context s has a direct (Go, D1) and an indirect
    (NoGo, D2) pathway, on which dopamine acts in opposite ways (Collins & Frank 2014,
    doi:10.1037/a0037015):

    .. math:: G \leftarrow G (1 + \alpha \delta e), \quad N \leftarrow N (1 - \alpha \delta e),
        \qquad H = G - N

    or, without opponency, one plain preference (policy gradient, Williams 1992,
    doi:10.1007/BF00992696): :math:`H \mathrel{+}= \alpha \delta e (1 - \pi)`.

    A chunk p of acts is a program whose drive is that of its first act and a preference of its own:

    .. math:: D(s, p) = H(s, k_1(p)) + C(s, p)

    so that what is known of an act holds for all programs that begin with it. C is taught by the
    local dopamine of the program: whether it ran to its end (`learn_program`).

    One program is gated by softmax of :math:`\beta D`. With opponent pathways, whose weights change
    in proportion to themselves, D spreads faster the further it has come: choice begins as softmax
    and sharpens.

    Attributes:
        value: V, (n_contexts,), reward.
        go: G, (n_contexts, n_acts).
        no_go: N, the same; without opponency 0, and `go` is H.
        own: C, (n_contexts, n_programs); of acts it is 0.

    Args:
        n_contexts: contexts told apart.
        n_acts: acts that the body can do.
        n_programs: acts and chunks that there is room for.
        config: settings.
        lesioned: nothing is learnt, and choice knows nothing new: what was learnt stays.

    """

    _LEARNT = ("value", "go", "no_go", "own", "first")
    _LEAST, _MOST = 1e-2, 1e2  # (A synapse neither vanishes for good nor grows without end)

    def __init__(
        self,
        n_contexts: int,
        n_acts: int,
        n_programs: int,
        config: StriatumConfig,
        lesioned: bool = False,
    ):
        if not 1 <= n_acts <= n_programs:
            raise ValueError(f"{n_acts} acts among {n_programs} programs: at least 1, at most all")
        self._config, self._lesioned = config, lesioned
        self.value = np.zeros(n_contexts)
        self.go = np.full((n_contexts, n_acts), float(config.opponent))
        self.no_go = self.go.copy()
        self.own = np.zeros((n_contexts, n_programs))
        self.first = np.arange(n_programs) % n_acts  # (First act of each program)

    def preference(self, context: Index) -> Array:
        """H (n, n_acts) of every act in contexts (n,)."""
        return np.asarray(self.go[context] - self.no_go[context])

    def drive(self, context: Index) -> Array:
        """D (n, n_programs) of every program in contexts (n,)."""
        return self.preference(context)[:, self.first] + self.own[context]

    def chances(self, context: Index, able: NDArray[np.bool_]) -> Array:
        """Probability (n, n_programs) of each program in contexts (n,), of those `able` (…)."""
        drive = np.where(able, self._config.gain * self.drive(context), -np.inf)
        chance = np.exp(drive - drive.max(axis=1, keepdims=True))
        return np.asarray(chance / chance.sum(axis=1, keepdims=True))

    def gate(
        self,
        context: Index,
        able: NDArray[np.bool_],
        rng: np.random.Generator | None,
    ) -> Index:
        """Let one program through.

        Args:
            context: (n,).
            able: (n_programs,) or (n, n_programs), which of them can run.
            rng: to choose by softmax; None takes the strongest.

        Returns:
            Program (n,).

        """
        if rng is None:
            return np.asarray(np.where(able, self.drive(context), -np.inf).argmax(axis=1))
        chance = self.chances(context, able).cumsum(axis=1)
        # The last sum may fall short of 1 by rounding: it is that of whoever is able.
        draw = rng.random((len(context), 1)) * chance[:, -1:]
        return np.asarray((chance > draw).argmax(axis=1))

    def dopamine(
        self, reward: Array, context: Index, following: Index, over: NDArray[np.bool_]
    ) -> Array:
        """Reward prediction error δ (n,) of acts in contexts (n,).

        Args:
            reward: (n,) received for the act.
            context: (n,) it was done in.
            following: (n,) contexts that it led to.
            over: (n,) whether nothing follows.

        """
        after = np.where(over, 0.0, self.value[following])
        return np.asarray(reward + after - self.value[context])

    def learn(self, dopamine: Array, context: Index, act: Index, eligibility: Array) -> None:
        """Learn from dopamine.

        Args:
            dopamine: (n,) δ.
            context: (n, m) of the latest m acts of each body.
            act: (n, m).
            eligibility: (n, m), 0 where there was none.

        """
        if self._lesioned:
            return
        c = self._config
        signal = dopamine[:, None] * eligibility
        live = np.nonzero(signal)
        s, k, teach = context[live], act[live], signal[live]
        np.add.at(self.value, s, c.critic_rate * teach)
        if c.opponent:
            change = np.clip(c.actor_rate * teach, -0.9, 0.9)
            np.multiply.at(self.go, (s, k), 1.0 + change)
            np.multiply.at(self.no_go, (s, k), 1.0 - change)
            np.clip(self.go, self._LEAST, self._MOST, out=self.go)
            np.clip(self.no_go, self._LEAST, self._MOST, out=self.no_go)
        else:
            drive = c.gain * self.preference(s)
            chance = np.exp(drive - drive.max(axis=1, keepdims=True))
            chance /= chance.sum(axis=1, keepdims=True)
            gradient = np.eye(self.go.shape[1])[k] - chance
            np.add.at(self.go, s, c.actor_rate * teach[:, None] * gradient)

    def learn_program(self, local_dopamine: Array, context: Index, program: Index) -> None:
        """Learn from local dopamine (n,) how well programs (n,) run when begun in contexts (n,)."""
        if not self._lesioned:
            np.add.at(self.own, (context, program), local_dopamine)

    def grow(self, program: int, first: int, preference: Array) -> None:
        """Take up a new program that begins with an act, so much preferred in (n_contexts,)."""
        self.first[program] = first
        self.own[:, program] = preference

    def revise(self, program: int, least: Array, most: Array) -> None:
        """Bring a program's preference within bounds (n_contexts,) that sleep has found."""
        if not self._lesioned:
            self.own[:, program] = np.clip(self.own[:, program], least, most)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {name: getattr(self, name) for name in self._LEARNT}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in self._LEARNT:
            setattr(self, name, state[name].copy())
