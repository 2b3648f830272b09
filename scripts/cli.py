"""The command `neonate`: one subcommand per module."""

import os
import sys
from typing import Annotated

# One thread a process: the matrices are small, and threads that wait for each other cost more
# than they bring. It has to be said before numpy is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import tyro
from tyro.conf import subcommand

import envs  # noqa: F401  it chooses how MuJoCo draws, before policies import mujoco
from agent.errors import SensoryError, UnsupportedSpaceError
from policies.baselines import UnknownAlgorithmError
from policies.model_file import ModelFileError
from policies.priors import UnsuitableBodyError
from scripts.adapt import Adapt
from scripts.benchmark import Benchmark
from scripts.errors import UserError
from scripts.evaluate import Evaluate
from scripts.keys import Keys
from scripts.lesion import Lesion
from scripts.map import Map
from scripts.mazes import Mazes
from scripts.render import Render
from scripts.report import Report
from scripts.robustness import Robustness
from scripts.sleep import Sleep
from scripts.survival import Survival
from scripts.train import Train

USER_ERRORS = (
    UserError,
    UnknownAlgorithmError,
    UnsuitableBodyError,
    UnsupportedSpaceError,
    SensoryError,
    ModelFileError,
    OSError,
)

Command = (
    Annotated[Train, subcommand("train")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Render, subcommand("render")]
    | Annotated[Adapt, subcommand("adapt")]
    | Annotated[Benchmark, subcommand("benchmark")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Lesion, subcommand("lesion")]
    | Annotated[Robustness, subcommand("robustness")]
    | Annotated[Survival, subcommand("survival")]
    | Annotated[Map, subcommand("map")]
    | Annotated[Mazes, subcommand("mazes")]
    | Annotated[Sleep, subcommand("sleep")]
    | Annotated[Keys, subcommand("keys")]
)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 after a user's error, 130 after Ctrl-C."""
    try:
        command = tyro.cli(
            Command,
            prog="neonate",
            description="A newborn brain for robot bodies.",
            args=argv,
        )
        command.run()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except USER_ERRORS as error:
        print(f"neonate: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("neonate: stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
