"""Motor cortex: practised movements, recalled in one sweep without imagining any."""

import numpy as np
from numpy.typing import NDArray

from agent.config import MotorCortexConfig
from agent.errors import StateError
from agent.percept import Array


class MotorCortex:
    r"""A feed-forward network from a situation to the course of a movement.

    What is planned at leisure is recalled in haste: the network amortises the planner (dual
    controllers: Daw, Niv & Dayan 2005, doi:10.1038/nn1560; learning a policy from a model that
    can be differentiated: Levine & Koltun 2013). The preparatory state sets the whole time course
    (Churchland et al. 2012, doi:10.1038/nature11129):

    .. math:: h_1 = \tanh(W_1 x + b_1), \quad h_2 = \tanh(W_2 h_1 + b_2), \quad
        y = W_3 h_2 + b_3

    x is the situation, standardised; y what is to be added to the usual course of a movement, and
    last the cost that it is expected to have. It is trained in sleep alone, by the gradient
    ∂cost/∂y of dreamt movements (`descend`; Kingma & Ba 2015, doi:10.48550/arXiv.1412.6980).

    Where movements began while awake is remembered, so that they can be dreamt of.

    Attributes:
        weights: W₁, b₁, W₂, b₂, W₃, b₃; empty before the first night.
        mean: of the situations dreamt of, (n_inputs,).
        spread: their standard deviation, the same.
        profile: (knots,) usual course of a movement that goes 1 rad, in units of the course.
        postures: (p, n_joints) final postures that are remembered, rad.
        aims: (p, d) what they serve, m.
        horizon: steps of a course, 0 before the first night.
        shortfall: share by which its dreamt movements were worse than the planner's.
        surprise: running mean of (return − expected) / |expected| of its movements awake.
        begun: (capacity, 2 n_joints + 3) angle, velocity and aim where movements began.
        count: how many ever began.

    """

    _LEARNT = ("mean", "spread", "profile", "postures", "aims")
    _SPACE = 3  # (Coordinates of an aim that there is room for)
    _FLOOR = 0.02  # (Least spread of a situation, rad)
    _BETAS = 0.9, 0.999

    def __init__(self, n_joints: int, config: MotorCortexConfig, lesions: tuple[str, ...] = ()):
        self._config, self._lesioned = config, "motor_cortex" in lesions
        self._asleep = self._lesioned or "sleep" in lesions
        self.weights: list[Array] = []
        for name in self._LEARNT:
            setattr(self, name, np.zeros(0))
        self.mean: Array
        self.spread: Array
        self.profile: Array
        self.postures: Array
        self.aims: Array
        self.horizon, self.shortfall, self.surprise, self.count = 0, np.inf, 0.0, 0
        self.begun = np.zeros((config.remembered, 2 * n_joints + self._SPACE))
        self._n = n_joints

    @property
    def trusted(self) -> bool:
        """Whether it is as good as the planner, for all that is known."""
        if not self.horizon or self._lesioned:
            return False
        return self.shortfall - min(self.surprise, 0.0) <= self._config.tolerance

    @property
    def can_sleep(self) -> bool:
        """Whether there is enough to dream of, and anything to dream with."""
        enough = min(self.count, len(self.begun)) >= self._config.least
        return enough and not self._asleep and self._config.dreams > 0

    def note(self, angle: Array, velocity: Array, aim: Array) -> None:
        """Remember where planned movements (n, ·) began and what they aimed at."""
        for row in np.concatenate([angle, velocity, aim], axis=1):
            self.begun[self.count % len(self.begun)] = row
            self.count += 1

    def remembered(self) -> tuple[Array, Array, Array]:
        """Angles, velocities and aims (k, ·) where movements began."""
        rows = self.begun[: min(self.count, len(self.begun))]
        n = self._n
        return rows[:, :n], rows[:, n : 2 * n], rows[:, 2 * n :]

    def sprout(self, situations: Array, n_outputs: int, rng: np.random.Generator) -> None:
        """Begin anew, with a network for situations like these (N, n_inputs)."""
        self.mean = situations.mean(axis=0)
        self.spread = np.maximum(situations.std(axis=0), self._FLOOR)
        k, m = situations.shape[1], self._config.units
        self.weights = [
            rng.normal(size=(k, m)) / np.sqrt(k),
            np.zeros(m),
            rng.normal(size=(m, m)) / np.sqrt(m),
            np.zeros(m),
            np.zeros((m, n_outputs)),
            np.zeros(n_outputs),
        ]
        self._moments = [[np.zeros_like(w) for w in self.weights] for _ in self._BETAS]
        self._updates = 0

    def recall(self, situation: Array) -> Array:
        """Y (n, n_outputs) of situations (n, n_inputs)."""
        return self._forward(situation)[-1]

    def _forward(self, situation: Array) -> tuple[Array, Array, Array, Array]:
        w1, b1, w2, b2, w3, b3 = self.weights
        x = (situation - self.mean) / self.spread
        first = np.tanh(x.dot(w1) + b1)
        second = np.tanh(first.dot(w2) + b2)
        return x, first, second, second.dot(w3) + b3

    def descend(self, situation: Array, slope: Array, rate: float) -> None:
        """Change the weights so that the cost sinks, by one step of Adam.

        Args:
            situation: (n, n_inputs).
            slope: (n, n_outputs), ∂cost/∂y.
            rate: of learning.

        """
        x, first, second, _ = self._forward(situation)
        by_output = slope / len(slope)
        by_second = (by_output @ self.weights[4].T) * (1.0 - second**2)
        by_first = (by_second @ self.weights[2].T) * (1.0 - first**2)
        layers = (x, by_first), (first, by_second), (second, by_output)
        self._updates += 1
        gradients = [g for below, by in layers for g in (below.T @ by, by.sum(axis=0))]
        early, late = (1.0 - beta**self._updates for beta in self._BETAS)
        for w, g, mean, square in zip(self.weights, gradients, *self._moments, strict=True):
            mean += (1.0 - self._BETAS[0]) * (g - mean)
            square += (1.0 - self._BETAS[1]) * (g * g - square)
            w -= rate * (mean / early) / (np.sqrt(square / late) + 1e-8)

    def judge(self, surprise: Array) -> None:
        """Learn from how much better movements (n,) went than expected, as a share of that."""
        for one in np.clip(surprise, -1.0, 1.0):
            self.surprise += self._config.rate * (float(one) - self.surprise)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {name: getattr(self, name) for name in self._LEARNT}
        state |= {f"weights{i}": w for i, w in enumerate(self.weights)}
        counts = np.array([self.horizon, self.count], np.int64)
        shortfall = self.shortfall if np.isfinite(self.shortfall) else -1.0
        worth = np.array([shortfall, self.surprise])
        return state | {"begun": self.begun, "counts": counts, "worth": worth}

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        names = {*self._LEARNT, "begun", "counts", "worth"}
        layers = 6 if "weights0" in state else 0
        names |= {f"weights{i}" for i in range(layers)}
        for name in sorted(names ^ set(state)):
            what = "missing" if name in names else "unknown"
            raise StateError(f"weights 'motor_cortex.{name}' are {what}")
        shapes = self._shapes(state, layers)
        for name, value in state.items():
            kind = "int64" if name == "counts" else "float64"
            if value.dtype != kind or value.shape != shapes[name]:
                raise StateError(
                    f"weights 'motor_cortex.{name}' are {value.dtype} {value.shape}: expected "
                    f"{kind} {shapes[name]}"
                )
            if not np.isfinite(value).all():
                raise StateError(f"weights 'motor_cortex.{name}' hold NaN or inf")
        horizon, count = state["counts"]
        if min(horizon, count) < 0 or bool(horizon) != bool(layers):
            raise StateError(f"weights 'motor_cortex.counts' are {horizon}, {count}: cannot be")
        inputs = len(state["mean"])
        if layers and not 7 * self._n < inputs <= 8 * self._n + 1:
            raise StateError(
                f"weights 'motor_cortex.mean' have {inputs} inputs: movements of {self._n} joints "
                f"are told by {7 * self._n + 1} to {8 * self._n + 1}"
            )
        if (state["spread"] <= 0).any() or (layers and not len(state["postures"])):
            raise StateError("weights 'motor_cortex.spread' or 'postures' cannot be")

    def _shapes(self, state: dict[str, NDArray], layers: int) -> dict[str, tuple[int, ...]]:
        """Shapes that the parts of a state have to have, if some of them are right."""
        shapes: dict[str, tuple[int, ...]] = {name: (0,) for name in self._LEARNT}
        shapes |= {"begun": self.begun.shape, "counts": (2,), "worth": (2,)}
        if not layers:
            return shapes
        m, n, p = self._config.units, self._n, len(state["postures"])
        inputs, outputs = (len(state[name].ravel()) for name in ("mean", "weights5"))
        sizes = (inputs, m), (m,), (m, m), (m,), (m, outputs), (outputs,)
        shapes |= {f"weights{i}": size for i, size in enumerate(sizes)}
        d = min(state["aims"].shape[-1] if state["aims"].ndim else 0, self._SPACE)
        shapes |= {"mean": (inputs,), "spread": (inputs,), "profile": ((outputs - 1) // n,)}
        return shapes | {"postures": (p, n), "aims": (p, d)}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in (*self._LEARNT, "begun"):
            setattr(self, name, state[name].copy())
        self.weights = [state[k].copy() for k in sorted(state) if k.startswith("weights")]
        self.horizon, self.count = (int(x) for x in state["counts"])
        shortfall, self.surprise = (float(x) for x in state["worth"])
        self.shortfall = shortfall if self.horizon else np.inf
