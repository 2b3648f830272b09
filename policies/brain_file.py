"""What a model file says about a brain: configuration, spaces, weights, episodes under way."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any, TypeVar

import numpy as np
from gymnasium import spaces

from agent import Brain, config_from_dict, config_to_dict
from policies.model_file import ModelFileError
from policies.space_json import space_from_json, space_to_json

Arrays = dict[str, np.ndarray]
Observation = np.ndarray | Arrays
Space = spaces.Space[Any]
T = TypeVar("T")

_LARGEST = 1e60  # a weight beyond it overflows when it is squared and summed


def describe_brain(brain: Brain, observation: Space, action: Space) -> dict[str, Any]:
    """Say in JSON what `restore_brain` needs beside the weights."""
    return {
        "config": config_to_dict(brain.config),
        "observation_space": space_to_json(observation),
        "action_space": space_to_json(action),
        "n_envs": brain.n_envs,
    }


def restore_brain(document: Any, arrays: Mapping[str, np.ndarray]) -> tuple[Brain, Space, Space]:
    """Make the brain that `describe_brain` described and give it its weights.

    Args:
        document: a model file's document, of which the entry "brain" is read.
        arrays: a model file's arrays, of which those under "brain/" are read.

    Returns:
        The brain, its observation space and its action space.

    Raises:
        ModelFileError: the description or the weights are not those of a brain.

    """
    description = entry(document, "brain", dict)
    n_envs = entry(description, "n_envs", int)
    if n_envs < 1:
        raise ModelFileError(f"The file describes a brain of {n_envs} bodies; 1 is the least.")
    observation_space, action_space = (
        space_from_json(entry(description, name, dict))
        for name in ("observation_space", "action_space")
    )
    try:
        config = config_from_dict(entry(description, "config", dict))
        brain = Brain(observation_space, action_space, n_envs, config)
        brain.load_state(unprefixed("brain", arrays))
        _try_out(brain, observation_space)
    except (ValueError, ArithmeticError, LookupError, MemoryError) as error:
        raise ModelFileError(
            f"The file's brain is not one that this Neonate can make: {error} Load another "
            "checkpoint, or train anew."
        ) from error
    return brain, observation_space, action_space


def _try_out(brain: Brain, space: Space) -> None:
    """Have a brain act once: numbers that fit in form and size can still be none of a brain's.

    Raises:
        ValueError: a number is absurdly large, or the action is not finite. Anything else that
            its regions raise when they compute with nonsense.

    """
    for name, array in brain.state().items():
        # Only the range of movement may be infinite: as long as no limit was felt.
        sizes = np.abs(array[np.isfinite(array)]) if array.dtype.kind == "f" else np.zeros(1)
        if (largest := float(sizes.max(initial=0.0))) > _LARGEST:
            raise ValueError(f"its {name} are as large as {largest:.0e}.")
    parts = space.spaces if isinstance(space, spaces.Dict) else {"": space}
    zeros = {name: np.zeros((1, *(part.shape or ()))) for name, part in parts.items()}
    seen = zeros if isinstance(space, spaces.Dict) else zeros[""]
    with np.errstate(all="ignore"):
        action, _ = brain.act(seen, brain.new_memory(1), np.ones(1, dtype=bool))
    if not np.isfinite(action).all():
        raise ValueError("it cannot act.")


def describe_episodes(seen: Observation, starts: np.ndarray, memory: Arrays) -> Arrays:
    """Name what `episodes_under_way` needs: last observation, episode starts, working memory."""
    parts = seen if isinstance(seen, dict) else {"": seen}
    return prefixed("seen", parts) | prefixed("memory", memory) | {"episode_starts": starts}


def episodes_under_way(
    brain: Brain, space: Space, arrays: Mapping[str, np.ndarray]
) -> tuple[Observation, np.ndarray, Arrays] | None:
    """Return last observation, episode starts and working memory; None where none were saved.

    Args:
        brain: whose working memory it is.
        space: of observations.
        arrays: a model file's arrays, of which those outside "brain/" are read.

    Raises:
        ModelFileError: they do not fit the brain.

    """
    under_way = {name: a for name, a in arrays.items() if not name.startswith("brain/")}
    if not under_way:
        return None
    parts = space.spaces if isinstance(space, spaces.Dict) else {"": space}
    of_one_body = describe_episodes(
        {name: np.zeros((1, *(part.shape or ()))) for name, part in parts.items()},
        np.zeros(1, dtype=bool),
        brain.new_memory(1),
    )
    seen = unprefixed("seen", under_way)
    # VecNormalize's observations may be of another precision than their space.
    as_float64 = prefixed("seen", {name: part.astype(np.float64) for name, part in seen.items()})
    check_batches(under_way | as_float64, of_one_body, brain.n_envs)
    observation = seen if isinstance(space, spaces.Dict) else seen[""]
    return observation, under_way["episode_starts"], unprefixed("memory", under_way)


def entry(document: Any, name: str, kind: type[T]) -> T:
    """Return an entry of a document, of the expected type; an int is a count, ≥ 0.

    Raises:
        ModelFileError: it is missing or of another type.

    """
    if not isinstance(document, dict) or name not in document:
        raise ModelFileError(f"The file's document has no entry {name!r}: it was not saved whole.")
    if not _is(document[name], kind):
        raise ModelFileError(
            f"The file's entry {name!r} is {document[name]!r:.60}; expected {kind.__name__}."
        )
    return document[name]


def entries(document: Any, name: str, kind: type[T]) -> list[T]:
    """Return an entry that is a list of members of the expected type.

    Raises:
        ModelFileError: it is missing or something else.

    """
    members = entry(document, name, list)
    if not all(_is(member, kind) for member in members):
        raise ModelFileError(f"The file's entry {name!r} is no list of {kind.__name__}.")
    return members


def _is(value: Any, kind: type) -> bool:
    """Tell whether a JSON value is of a type; a Python bool is no number, a count is 0 to 2⁶³."""
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return isinstance(value, kind)


def prefixed(group: str, arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Name arrays as members of a group, "group/name"."""
    return {f"{group}/{name}": array for name, array in arrays.items()}


def unprefixed(group: str, arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Return the arrays of a group under their own names."""
    start = f"{group}/"
    return {k.removeprefix(start): array for k, array in arrays.items() if k.startswith(start)}


def check_batches(
    arrays: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], n: int
) -> None:
    """Compare names, shapes and dtypes with those of a batch of one body, but for n bodies.

    Raises:
        ModelFileError: they differ.

    """
    if arrays.keys() != expected.keys():
        missing, extra = expected.keys() - arrays.keys(), arrays.keys() - expected.keys()
        raise ModelFileError(
            f"The file lacks the arrays {sorted(missing)} and has the unknown {sorted(extra)}: it "
            "was saved by another Neonate or changed since. Load another checkpoint."
        )
    for name, like in expected.items():
        array, shape = arrays[name], (n, *like.shape[1:])
        if array.shape != shape or array.dtype != like.dtype:
            raise ModelFileError(
                f"Array {name!r} has shape {array.shape} and dtype {array.dtype}; expected {shape} "
                f"and {like.dtype}."
            )


@cache
def versions() -> dict[str, str]:
    """Versions of what can change a result."""
    found = {"python": python_version()}
    for name in ("neonate", "numpy", "gymnasium", "stable_baselines3"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a checkout
            found[name] = "not installed"
    return found
