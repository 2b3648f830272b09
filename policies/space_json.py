"""Spaces in JSON, so that a model file says what it senses and moves without pickling anything."""

import math
from typing import Any

import numpy as np
from gymnasium import spaces

from policies.model_file import DTYPES, ModelFileError


def space_to_json(space: spaces.Space[Any]) -> dict[str, Any]:
    """Describe a Box, or a Dict of Boxes, in JSON; an infinite bound is the string "inf" or "-inf".

    Raises:
        ModelFileError: for any other space.

    """
    if isinstance(space, spaces.Dict):
        parts = {key: space_to_json(part) for key, part in space.spaces.items()}
        return {"type": "Dict", "spaces": parts}
    if not isinstance(space, spaces.Box):
        raise ModelFileError(f"{space} cannot be saved: only a Box, or a Dict of Boxes, can.")
    low, high = (
        [bound if math.isfinite(bound) else str(bound) for bound in side.ravel().tolist()]
        for side in (space.low, space.high)
    )
    shape, dtype = list(space.shape), str(space.dtype)
    return {"type": "Box", "shape": shape, "dtype": dtype, "low": low, "high": high}


def space_from_json(data: Any) -> spaces.Space[Any]:
    """Rebuild the space that :func:`space_to_json` described.

    Raises:
        ModelFileError: for anything else.

    """
    try:
        if data["type"] == "Dict":
            return spaces.Dict({key: space_from_json(part) for key, part in data["spaces"].items()})
        if data["type"] != "Box" or data["dtype"] not in DTYPES:
            raise ValueError(f"type {data['type']!r} is neither Box nor Dict")
        dtype = np.dtype(data["dtype"])
        low, high = (
            np.array([float(b) if isinstance(b, str) else b for b in data[side]], dtype)
            for side in ("low", "high")
        )
        shape = tuple(data["shape"])
        return spaces.Box(low.reshape(shape), high.reshape(shape), dtype=dtype.type)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, AssertionError) as e:
        raise ModelFileError(f"The file describes a space that cannot be rebuilt: {e!r}.") from e
