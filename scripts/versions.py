"""What a result was obtained with."""

import platform
import shlex
import sys
from importlib.metadata import version

PACKAGES = ("neonate", "gymnasium", "mujoco", "numpy", "stable_baselines3", "sb3_contrib", "torch")


def versions() -> dict[str, str]:
    """Versions of Python and of every package that a return depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def command_line(argv: list[str] | None = None) -> str:
    """Spell the command as the user typed it."""
    return shlex.join(["neonate", *(sys.argv[1:] if argv is None else argv)])
