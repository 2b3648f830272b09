"""A generator's state as an array, so that it can be saved with the weights."""

import numpy as np
from numpy.typing import NDArray

_WORD = 1 << 64


def generator_state(rng: np.random.Generator) -> NDArray[np.uint64]:
    """State of a PCG64 generator, (6,)."""
    state = rng.bit_generator.state
    inner = state["state"]
    words = [*divmod(inner["state"], _WORD), *divmod(inner["inc"], _WORD)]
    return np.array([*words, state["has_uint32"], state["uinteger"]], np.uint64)


def set_generator_state(rng: np.random.Generator, words: NDArray[np.uint64]) -> None:
    """Bring a PCG64 generator into a state that `generator_state` returned."""
    w = [int(x) for x in words]
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": w[0] * _WORD + w[1], "inc": w[2] * _WORD + w[3]},
        "has_uint32": w[4],
        "uinteger": w[5],
    }
