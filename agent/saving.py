"""A brain's regions as one flat dict of arrays, and back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import StateError
from agent.randomness import generator_state, set_generator_state

State = dict[str, NDArray]

_GROWING = ("crawling.joints.", "crawling.search.", "crawling.heading")
"""What is there only once it has been found: its region checks it."""


def collect(
    regions: dict[str, Any], counts: Sequence[int], generators: Sequence[np.random.Generator]
) -> State:
    """Copy everything that regions know into one flat dict."""
    state = {
        f"{name}.{key}": np.array(value)
        for name, region in regions.items()
        for key, value in region.state().items()
    }
    state["counts"] = np.array(counts, np.int64)
    state["random"] = np.stack([generator_state(rng) for rng in generators])
    return state


def check(own: State, state: State) -> None:
    """Refuse a state that cannot be one of a brain whose state is `own`.

    Raises:
        StateError: naming what is missing, unknown, of a wrong shape or type, or not finite.

    """
    for key in sorted(set(own) ^ set(state)):
        if not key.startswith(_GROWING):
            raise StateError(f"weights {key!r} are {'missing' if key in own else 'unknown'}")
    for key, array in state.items():
        given = np.asarray(array)
        # Only the range of movement may be infinite: as long as no limit was felt.
        bad = np.isnan if key == "body_schema.range" else lambda x: ~np.isfinite(x)
        if key.startswith(_GROWING):
            continue
        if given.dtype.kind == "f" and bad(given).any():
            raise StateError(f"weights {key!r} hold NaN or inf: the file is damaged")
        value = own[key]
        # How much is known of the body decides the size of its parts: they are checked below.
        fixed = not key.startswith("body_schema.") or value.ndim == 2
        if given.dtype != value.dtype or (fixed and given.shape != value.shape):
            raise StateError(
                f"weights {key!r} are {given.dtype} {given.shape}: this brain has "
                f"{value.dtype} {value.shape}; load them with the configuration and spaces "
                "they were learnt with"
            )


def parts(regions: dict[str, Any], state: State) -> dict[str, State]:
    """Divide a flat state among the regions."""
    divided: dict[str, State] = {name: {} for name in regions}
    for key, value in state.items():
        name, _, part = key.partition(".")
        if part:
            divided[name][part] = np.asarray(value)
    return divided


def restore(state: State, generators: Sequence[np.random.Generator]) -> list[int]:
    """Bring generators into their saved states, and return the counts."""
    for rng, words in zip(generators, state["random"], strict=True):
        set_generator_state(rng, words)
    return [int(x) for x in state["counts"]]
