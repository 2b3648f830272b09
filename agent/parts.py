"""Parts of a saved state: entries that share a prefix."""

from numpy.typing import NDArray


def part_of(state: dict[str, NDArray], prefix: str) -> dict[str, NDArray]:
    """Entries of a state whose names have a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
