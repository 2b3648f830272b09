"""What a result was obtained with."""

import platform
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version

PACKAGES = ("neonate", "gymnasium", "mujoco", "numpy", "stable_baselines3", "sb3_contrib", "torch")


def versions() -> dict[str, str]:
    """Versions of Python and of every package that a return depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def command_line(argv: list[str] | None = None, without: Sequence[str] = ()) -> str:
    """Spell the command as the user typed it.

    Args:
        argv: its words after the program; `sys.argv` if not given.
        without: flags with one value each that are to be left out.

    """
    words = iter(sys.argv[1:] if argv is None else argv)
    kept = []
    for word in words:
        flag, equals, _ = word.partition("=")
        if flag.replace("_", "-") not in without:
            kept.append(word)
        elif not equals:
            next(words, None)
    return shlex.join(["neonate", *kept])
