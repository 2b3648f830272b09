"""The folder that `neonate train` writes: what was run, the model, and its log."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from policies.baselines import ALGORITHMS, load_algorithm, save_algorithm
from policies.model_file import ModelFileError
from scripts.errors import UserError
from scripts.files import read_json, replacing, write_json
from scripts.tasks import Task

SCHEMA = 1


@dataclass(frozen=True)
class RunInfo:
    """What run.json says."""

    env: str
    algo: str
    seed: int
    steps_asked: int
    steps_done: int
    n_envs: int = 1
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    env_packages: tuple[str, ...] = ("envs",)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The brain's configuration, or the settings of another algorithm."""
    versions: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    """The command that began the run and those that resumed it."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0 where it was not recorded."""
    schema: int = SCHEMA

    def task(self) -> Task:
        """Name the environment of the run."""
        return Task(self.env, self.env_kwargs, self.env_packages)


class RunFolder:
    """Files of one run. Each is replaced in one move, so that a crash leaves the one before it.

    `run.json` describes the run, `model.neonate` (brain) or `model.zip` (Stable-Baselines3) is the
    algorithm after its last checkpoint, `progress*.csv` its log, and `replay_buffer.pkl` what an
    off-policy algorithm needs to go on. The zip and the buffer are SB3's formats, which unpickle:
    open only runs that you trust.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.info_file = path / "run.json"
        self.buffer_file = path / "replay_buffer.pkl"

    def model_file(self, algo: str) -> Path:
        """Where an algorithm's model is."""
        return self.path / ("model.neonate" if algo == "brain" else "model.zip")

    def read(self) -> RunInfo:
        """Read run.json.

        Raises:
            UserError: there is none, it is damaged, or another version wrote it.

        """
        if not self.info_file.is_file():
            raise UserError(f"{self.path} is no run: `neonate train --out {self.path}` makes one")
        values = read_json(self.info_file)
        if not isinstance(values, dict) or not _fits(values):
            raise UserError(f"{self.info_file} is damaged or not of schema {SCHEMA}: train again")
        for name in ("env_packages", "commands"):
            values[name] = tuple(values[name])
        return RunInfo(**values)

    def save(self, agent: BaseAlgorithm, info: RunInfo, buffer: bool = False) -> None:
        """Write the model and then what is known of it.

        Args:
            agent: the algorithm.
            info: what run.json is to say.
            buffer: also write the replay buffer, where there is one.

        Raises:
            UserError: the disk is full or the folder cannot be written to. What was saved before
                is still there.

        """
        try:
            save_algorithm(agent, self.model_file(info.algo))
            if buffer and isinstance(agent, OffPolicyAlgorithm):
                with replacing(self.buffer_file) as beside:
                    agent.save_replay_buffer(beside)
            write_json(self.info_file, asdict(info))
        except OSError as error:
            kept = "nothing was saved before"
            if self.info_file.is_file() and self.model_file(info.algo).is_file():
                kept = "the checkpoint before is still there: --resume goes on from it"
            raise UserError(
                f"cannot save to {self.path} after {info.steps_done} steps: "
                f"{error.strerror or error}; {kept}"
            ) from error

    def load(self, info: RunInfo, env: Any) -> BaseAlgorithm:
        """Load the model to act or learn in an environment.

        Raises:
            UserError: the model is missing, damaged, or does not fit the environment.

        """
        path = self.model_file(info.algo)
        buffer = self.buffer_file if self.buffer_file.is_file() else None
        try:
            return load_algorithm(info.algo, path, env, buffer)
        except (FileNotFoundError, ModelFileError, ValueError) as error:
            raise UserError(f"cannot load {path}: {error}") from error


def _fits(values: Mapping[str, Any]) -> bool:
    """Tell whether values are those that `RunInfo` needs, by name and type."""
    kinds: dict[Any, type] = {
        str: str,
        int: int,
        Mapping[str, Any]: dict,
        Mapping[str, str]: dict,
    }
    expected = {part.name: kinds.get(part.type, list) for part in fields(RunInfo)}
    return (
        set(expected) - {"checkpoint_every"} <= set(values) <= set(expected)
        and all(isinstance(values[name], expected[name]) for name in values)
        and values["schema"] == SCHEMA
        and values["algo"] in ALGORITHMS
    )
