"""The command `neonate`: one subcommand per module."""

import sys
from typing import Annotated

import tyro
from tyro.conf import subcommand

import envs  # noqa: F401  it chooses how MuJoCo draws, before policies import mujoco
from agent.errors import SensoryError, UnsupportedSpaceError
from policies.baselines import UnknownAlgorithmError
from policies.priors import UnsuitableBodyError
from scripts.errors import UserError
from scripts.evaluate import Evaluate

USER_ERRORS = (
    UserError,
    UnknownAlgorithmError,
    UnsuitableBodyError,
    UnsupportedSpaceError,
    SensoryError,
)

Command = Annotated[Evaluate, subcommand("evaluate")]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 after a user's error, 130 after Ctrl-C."""
    command = tyro.cli(
        Command,
        prog="neonate",
        description="A newborn brain for robot bodies.",
        args=argv,
    )
    try:
        command.run()
    except USER_ERRORS as error:
        print(f"neonate: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("neonate: stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
