"""Writing files whole or not at all, and never over what is there."""

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and move it to `path` if the block succeeds."""
    beside = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        UserError: the file is missing or is no JSON.

    """
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged: it is not JSON ({error})") from error


def unfinished(folder: Path) -> list[Path]:
    """List what a process left that was killed while it wrote, see `replacing`."""
    return [
        path
        for path in folder.iterdir()
        if path.name.startswith(".") and (".part" in path.suffixes or path.suffix == ".tmp")
    ]


def claim_folder(folder: Path, resume: bool) -> None:
    """Make sure that a folder may be written to: it is new or empty, or is to be resumed.

    Raises:
        UserError: it holds something and `resume` is not set, or it is a file.

    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {folder} is a file: name a folder")
    if folder.is_dir():
        for left in unfinished(folder):
            left.unlink(missing_ok=True)
    if not resume and folder.is_dir() and any(folder.iterdir()):
        raise UserError(
            f"--out {folder} is not empty: add --resume to go on with it, or name another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV; a column for every name that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as beside, open(beside, "w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
