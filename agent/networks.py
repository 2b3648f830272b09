"""Small feed-forward networks whose weights are one vector, and their gradient descent."""

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]

_BETAS = 0.9, 0.999
_TINY = np.float32(1e-8)
_FLAT = np.float32(1e-5)  # (Variance below which layer normalisation does not blow units up)


class Networks:
    r"""Networks of the same shape side by side, each with two hidden layers.

    .. math:: h_1 = \max(0, N(W_1 x + b_1)), \quad h_2 = \max(0, N(W_2 h_1 + b_2)), \quad
        y = W_3 h_2 + b_3

    with N the normalisation of a layer to mean 0 and variance 1 (Ba, Kiros & Hinton 2016,
    arXiv:1607.06450), which keeps values learnt from few data from running away (Ball et al. 2023,
    arXiv:2302.02948). The gradient is descended by Adam (Kingma & Ba 2015, arXiv:1412.6980).

    Attributes:
        weights: (copies · weights of one,) all of them.

    Args:
        copies: how many networks.
        n_inputs: of each.
        n_units: of each hidden layer.
        n_outputs: of each.
        rng: draws the first weights, uniform within ±1/√inputs of a layer.
        silent: whether the outputs are 0 at first.

    """

    def __init__(
        self,
        copies: int,
        n_inputs: int,
        n_units: int,
        n_outputs: int,
        rng: np.random.Generator,
        silent: bool = False,
    ):
        sizes = (n_inputs, n_units), (n_units, n_units), (n_units, n_outputs)
        shapes = [s for k, m in sizes for s in ((copies, k, m), (copies, 1, m))]
        self._ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        self._shapes = shapes
        self.weights = np.zeros(self._ends[-1], np.float32)
        self._gradient = np.zeros_like(self.weights)
        self._layers, self._slopes = self._views(self.weights), self._views(self._gradient)
        for layer, (k, _) in enumerate(sizes[:2] if silent else sizes):
            for part in self._layers[2 * layer : 2 * layer + 2]:
                part[:] = rng.uniform(-1.0, 1.0, part.shape) / np.sqrt(k)
        self._first, self._second = np.zeros((2, len(self.weights)), np.float32)
        self._descents = 0

    def _views(self, vector: Single) -> list[Single]:
        ends, shapes = self._ends, self._shapes
        return [
            vector[end - int(np.prod(shape)) : end].reshape(shape)
            for end, shape in zip(ends, shapes, strict=True)
        ]

    def forward(self, x: Single) -> Single:
        """Find outputs (copies, n, n_outputs) for inputs (n, n_inputs)."""
        w1, b1, w2, b2, w3, b3 = self._layers
        first, wide = _normalised(x @ w1 + b1)
        h1 = np.maximum(first, 0.0)
        second, deep = _normalised(h1 @ w2 + b2)
        h2 = np.maximum(second, 0.0)
        self._passed = x, first, wide, h1, second, deep, h2
        return np.asarray(h2 @ w3 + b3)

    def backward(self, slope: Single) -> None:
        """Find the weights' gradient at the latest pass, from ∂loss/∂y (copies, n, n_outputs)."""
        x, first, wide, h1, second, deep, h2 = self._passed
        d2, d1 = self._hidden(slope, first, wide, second, deep)
        for i, (below, above) in enumerate(((x, d1), (h1, d2), (h2, slope))):
            np.matmul(below.swapaxes(-1, -2), above, out=self._slopes[2 * i])
            above.sum(axis=-2, keepdims=True, out=self._slopes[2 * i + 1])

    def to_inputs(self, slope: Single) -> Single:
        """∂loss/∂x (copies, n, n_inputs) of the latest pass, from ∂loss/∂y."""
        _, first, wide, _, second, deep, _ = self._passed
        _, d1 = self._hidden(slope, first, wide, second, deep)
        return np.asarray(d1 @ self._layers[0].swapaxes(-1, -2))

    def _hidden(
        self, slope: Single, first: Single, wide: Single, second: Single, deep: Single
    ) -> tuple[Single, Single]:
        """∂loss by what the two hidden layers sum up, the second layer first."""
        _, _, w2, _, w3, _ = self._layers
        d2 = _back(slope @ w3.swapaxes(-1, -2), second, deep)
        return d2, _back(d2 @ w2.swapaxes(-1, -2), first, wide)

    def descend(self, rate: float) -> None:
        """Go down the gradient that `backward` has found, by one step of Adam."""
        self._descents += 1
        gradient, (early, late) = self._gradient, _BETAS
        self._first += np.float32(1.0 - early) * (gradient - self._first)
        self._second += np.float32(1.0 - late) * (gradient * gradient - self._second)
        rate *= np.sqrt(1.0 - late**self._descents) / (1.0 - early**self._descents)
        self.weights -= np.float32(rate) * self._first / (np.sqrt(self._second) + _TINY)

    def follow(self, other: "Networks", share: float) -> None:
        """Move the weights towards those of another by a share of the way."""
        self.weights += np.float32(share) * (other.weights - self.weights)

    def move_inputs(self, ratio: Single, shift: Single) -> None:
        """Say the same of the first inputs in new units: x / ratio − shift / ratio in place of x.

        Args:
            ratio: (k,) new unit of each over the old one.
            shift: (k,) new zero of each, in the old unit.

        """
        w, b = self._layers[:2]
        b += (shift @ w[:, : len(ratio)])[:, None]
        w[:, : len(ratio)] *= ratio[:, None]

    def scale_outputs(self, ratio: float) -> None:
        """Say `ratio` times as much."""
        for part in self._layers[4:]:
            part *= np.float32(ratio)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        moments = np.stack([self.weights, self._first, self._second])
        return {"moments": moments, "descents": np.array(self._descents, np.int64)}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.weights[:], self._first[:], self._second[:] = state["moments"]
        self._descents = int(state["descents"])


def _normalised(x: Single) -> tuple[Single, Single]:
    """Rows of mean 0 and variance 1, and the spread that they had."""
    x -= x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + _FLAT)
    x /= spread
    return x, spread


def _back(slope: Single, normal: Single, spread: Single) -> Single:
    """Bring a gradient back through a rectified, normalised layer."""
    slope *= normal > 0.0
    along = (slope * normal).mean(axis=-1, keepdims=True)
    slope -= slope.mean(axis=-1, keepdims=True)
    slope -= normal * along
    slope /= spread
    return slope
