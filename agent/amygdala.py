"""Amygdala: what foretells a fall, and when to withdraw from it."""

import numpy as np
from numpy.typing import NDArray

from agent.config import AmygdalaConfig
from agent.errors import StateError
from agent.percept import Array
from agent.randomness import generator_state, set_generator_state
from agent.working_memory import Memory

State = dict[str, NDArray]


class Amygdala:
    r"""Fear of falling, learnt from the falls that there were.

    .. math:: F(s) = w \cdot \phi(s) \approx \mathrm{E}\left[\gamma^{T - 1}\right], \qquad
        w = \arg\min_w \sum_k c_k \left(\gamma^{T_k - 1} - w \cdot \phi(s_k)\right)^2
        + \lambda |w|^2

    T the steps until the body falls, ∞ where it does not; w by ridge regression over the moments
    before the latest falls and a sample c of those that nothing came after. φ holds 1, all that is
    felt but places, in units of its spread, its squares, and random mixtures of it, as an
    expansion by interneurons would give. The *supervised error* is what has come minus what was
    feared: the teaching signal of aversive learning (McNally, Johansen & Blair 2011,
    doi:10.1016/j.tins.2011.03.005). While fear is well above its mean over life, and a few steps
    longer, the body freezes instead of going on (Fanselow 1994, doi:10.3758/BF03210947). Whoever
    falls all the time, as the newborn does, is not paralysed thereby. The longer bodies lie after
    falls, the less fear is enough: what freezing costs is set against what a fall does (Ydenberg &
    Dill 1986, doi:10.1016/S0065-3454(08)60192-8, on flight).

    Attributes:
        weights: w, (n_features,); empty while there have been too few falls.
        falls: that were felt so far.
        error: (n,) supervised error at the latest step: a fall minus what was feared, 0 elsewhere.

    Args:
        channels: (k,) channels that fear may heed.
        n: bodies.
        config: settings.
        rng: of the random mixtures, and of which safe moments are kept.
        lesioned: nothing is ever feared.

    """

    _FAR = 4.0  # (Spreads beyond which a number counts no more)
    _STILL = 1e-9  # (Spread below which a number counts as constant)

    def __init__(
        self,
        channels: NDArray[np.int64],
        n: int,
        config: AmygdalaConfig,
        rng: np.random.Generator,
        lesioned: bool = False,
    ):
        self._channels, self._config, self._rng, self._lesioned = channels, config, rng, lesioned
        k = len(channels)
        self._mixing = rng.normal(size=(k, config.mixtures)) / np.sqrt(max(1, k))
        self._bias = rng.normal(size=config.mixtures)
        self._danger = np.zeros((config.remembered, k))
        self._threat = np.zeros(config.remembered)  # (γ^(T − 1) of these moments)
        self._safe = np.zeros((2 * config.remembered, k))
        self._counts = np.zeros(3, np.int64)  # (Moments in danger, safe ones kept, and felt)
        self._middle, self._scale = np.zeros(k), np.ones(k)
        self.weights: Array = np.zeros(0)
        self._usual = np.zeros(1)  # (Mean fear over life)
        self.falls, self._fitted = 0, 0
        self.resize(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies; the moments that are not over yet are forgotten."""
        h, k = self._config.horizon, len(self._channels)
        self._recent = np.zeros((h, n, k))
        self._age = np.zeros(n, np.int64)
        self._step, self._next = 0, h  # (When a safe moment is kept next)
        self.error = np.zeros(n)

    @property
    def knows(self) -> bool:
        """Whether anything is feared."""
        return bool(len(self.weights)) and not self._lesioned

    def fear(self, channels: Array) -> Array:
        """F (n,) of what is felt, (n, n_channels); 0 while nothing is known."""
        if not self.knows:
            return np.zeros(len(channels))
        return np.asarray(self._features(channels.take(self._channels, 1)) @ self.weights)

    def freeze(self, memory: Memory, channels: Array, lying: float) -> Array:
        """Let bodies freeze for as long as they are afraid, and a little longer.

        Fear that no fall has followed for as long as it foretells one is given up, until it has
        been gone for as long (extinction: Milad & Quirk 2012,
        doi:10.1146/annurev.psych.121208.131631): else who is afraid of the posture that it freezes
        in would never move again.

        Args:
            memory: working memory of n bodies; updated.
            channels: (n, n_channels) felt now.
            lying: steps that a body lies after a fall, on average; 0 where that is unknown.

        Returns:
            Their fear (n,).

        """
        fear, c = self.fear(channels), self._config
        wary = min(c.threshold, c.price / lying) if lying else c.threshold
        afraid = fear > self._usual + wary
        borne = memory["borne"] + np.where(afraid, 1, -1)
        memory["borne"] = np.minimum(np.maximum(borne, 0), 2 * c.horizon)
        heeded = afraid & (borne <= c.horizon)
        memory["frozen"] = np.where(heeded, c.freeze, np.maximum(memory["frozen"] - 1, 0))
        return fear

    def afraid(self, fear: Array) -> NDArray[np.bool_]:
        """Whether bodies of fear (n,) are well more afraid than usual, (n,)."""
        return np.asarray(fear > self._usual + self._config.threshold)

    def learn(
        self,
        before: Array,
        fell: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        active: NDArray[np.bool_],
    ) -> None:
        """Learn from one step of every body.

        Args:
            before: (n, n_channels) felt before it.
            fell: (n,) it ended in a fall.
            ended: (n,) the episode is over.
            active: (n,) bodies that this is about; the past of the others is forgotten.

        """
        if self._lesioned:
            return
        c, h = self._config, self._config.horizon
        slot = self._step % h
        self._step += 1
        past = self._age >= h
        self._counts[2] += np.count_nonzero(past)
        if self._step >= self._next:
            self._next = self._step + int(self._rng.integers(1, 2 * c.every))
            self._keep_safe(self._recent[slot, past])
        self._recent[slot] = before.take(self._channels, 1).astype(np.float32)
        self._age = (self._age + 1) * active
        if self.error.any():
            self.error = np.zeros(len(fell))
        if not np.count_nonzero(ended):
            return
        for body in np.flatnonzero(fell & active).tolist():
            self._keep_danger(body)
            self.error[body] = 1.0 - self.fear(before[body : body + 1])[0]
        self._age[ended] = 0
        if self.falls >= max(c.least, int(c.refit * self._fitted)):
            self._fitted = self.falls
            self._fit()

    def _keep_safe(self, moments: Array) -> None:
        rows = (self._counts[1] + np.arange(len(moments))) % len(self._safe)
        self._safe[rows] = moments
        self._counts[1] += len(moments)

    def _keep_danger(self, body: int) -> None:
        """Remember what went before a fall."""
        n = min(int(self._age[body]), self._config.horizon)
        ago = np.arange(n)
        rows = (self._counts[0] + ago) % len(self._danger)
        self._danger[rows] = self._recent[(self._step - 1 - ago) % self._config.horizon, body]
        self._threat[rows] = self._config.discount**ago
        self._counts[0] += n
        self.falls += 1

    def _fit(self) -> None:
        danger = min(int(self._counts[0]), len(self._danger))
        safe = min(int(self._counts[1]), len(self._safe))
        if not safe:
            return
        felt = np.vstack([self._danger[:danger], self._safe[:safe]])
        threat = np.concatenate([self._threat[:danger], np.zeros(safe)])
        # (Of each kind so many were felt for one that is kept.)
        share = self._counts[2] / safe / max(1.0, self._counts[0] / danger)
        weight = np.concatenate([np.ones(danger), np.full(safe, share)])
        mean = weight @ felt / weight.sum()
        spread = np.sqrt(weight @ (felt - mean) ** 2 / weight.sum())
        moving = spread > self._STILL
        self._middle = mean
        self._scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=moving)
        phi = self._features(felt)
        system = (phi.T * weight) @ phi
        ridge = np.full(len(system), self._config.ridge * weight.sum() / 1e3)
        ridge[0] *= 1e-3
        system[np.diag_indices_from(system)] += ridge
        self._usual = np.array([weight @ threat / weight.sum()])
        self.weights = np.asarray(np.linalg.solve(system, phi.T @ (weight * threat)))

    def _features(self, felt: Array) -> Array:
        """Return φ (n, n_features) of what is felt, (n, k)."""
        x = (felt - self._middle) * self._scale
        x = np.minimum(np.maximum(x, -self._FAR), self._FAR)
        mixed = np.tanh(x @ self._mixing + self._bias)
        return np.concatenate([np.ones((len(x), 1)), x, x * x, mixed], axis=1)

    _OWN = (
        "mixing",
        "bias",
        "danger",
        "threat",
        "safe",
        "middle",
        "scale",
        "usual",
        "recent",
        "age",
    )

    def state(self) -> State:
        """Everything that is learnt, the moments that are not over included, for saving."""
        state = {name: np.array(getattr(self, f"_{name}")) for name in self._OWN}
        counts = [*self._counts.tolist(), self.falls, self._fitted, self._step, self._next]
        state["counts"] = np.array(counts, np.int64)
        state["weights"] = self.weights
        state["generator"] = generator_state(self._rng)
        return state

    def check_state(self, state: State) -> None:
        """Refuse weights that fit no fear that could have been learnt.

        Raises:
            StateError: naming the part.

        """
        size = 1 + 2 * len(self._channels) + self._config.mixtures
        own = {*self._OWN, "counts", "weights", "generator"}
        for key in sorted(own ^ set(state)):
            kind = "missing" if key in own else "unknown"
            raise StateError(f"weights 'crawling.amygdala.{key}' are {kind}")
        weights, counts = state["weights"], state["counts"]
        if weights.dtype != np.float64:
            raise StateError(
                f"weights 'crawling.amygdala.weights' are {weights.dtype}: expected float64"
            )
        if weights.shape not in ((0,), (size,)):
            raise StateError(
                f"weights 'crawling.amygdala.weights' have shape {weights.shape}: "
                f"expected (0,) or ({size},)"
            )
        if not np.isfinite(weights).all():
            raise StateError(
                "weights 'crawling.amygdala.weights' hold NaN or inf: the file is damaged"
            )
        if (counts < 0).any() or (len(weights) and not counts[0]):
            raise StateError(
                f"weights 'crawling.amygdala.counts' are {counts.tolist()}: no falls, no fear"
            )

    def load_state(self, state: State) -> None:
        """Take over what `state` returned."""
        for name in self._OWN:
            setattr(self, f"_{name}", state[name].copy())
        counts = state["counts"].tolist()
        self._counts = np.array(counts[:3], np.int64)
        self.falls, self._fitted, self._step, self._next = counts[3:]
        self.weights = state["weights"].copy()
        set_generator_state(self._rng, state["generator"])
        self.error = np.zeros(len(self._age))
