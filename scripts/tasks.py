"""Environments by the name that a user types."""

import ast
import difflib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from scripts.errors import UserError


@dataclass(frozen=True)
class Task:
    """An environment that can be made as often as it is needed, in any process.

    Calling it makes one. Making a `Task` imports its packages and checks that its id is known.

    Raises:
        UserError: unknown package or id, with the nearest id that exists.

    """

    env: str
    """Id in Gymnasium's registry."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the environment."""
    packages: Sequence[str] = ("envs",)
    """Packages to import first, so that their ids are registered."""

    def __post_init__(self) -> None:
        for package in self.packages:
            _register(package)
        _check_id(self.env)

    def __call__(self, **more: Any) -> gym.Env:
        """Make one environment; `more` keyword arguments go on top of the task's own."""
        for package in self.packages:  # a process that this was sent to may not know them yet
            _register(package)
        try:
            return gym.make(self.env, **{**self.kwargs, **more})
        except (gym.error.Error, ImportError, ValueError, TypeError) as error:
            raise UserError(f"cannot make {self.env}: {_one_line(error)}") from error


def parse_kwargs(words: Sequence[str]) -> dict[str, Any]:
    """Turn `key=value` words into keyword arguments; values are Python literals or text.

    Raises:
        UserError: a word without `=`.

    """
    kwargs: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key.isidentifier():
            raise UserError(f"--env-kwargs {word!r}: write key=value, e.g. reward_type=sparse")
        try:
            kwargs[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            kwargs[key] = text
    return kwargs


def _register(package: str) -> None:
    """Import a package; if importing it registers nothing by itself, ask it to."""
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise UserError(
            f"--env-package {package!r} cannot be imported ({_one_line(error)}): "
            "install it or correct the name"
        ) from error
    gym.register_envs(module)


def _check_id(env: str) -> None:
    known = sorted(gym.registry)
    if env in known:
        return
    try:
        gym.spec(env)  # also finds `module:id` and the newest version of an unversioned id
    except (gym.error.Error, ImportError) as error:
        named = [name for name in known if name.lower().endswith(f"/{env.lower()}")]
        near = named or difflib.get_close_matches(env, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UserError(
            f"unknown environment {env!r}: {hint}"
            "Ids of another package need --env-package (e.g. --env-package gymnasium_robotics)"
        ) from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
