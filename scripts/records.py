"""Records of finished runs: results.json, whichever process, machine or shard made them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.errors import UserError
from scripts.files import read_json
from scripts.learning_curve import Run
from scripts.versions import command_line, versions

SCHEMA = 1
SHARD_FOLDER = re.compile(r"shard-\d+-of-\d+")
_WHERE = ("--jobs", "--launcher", "--ray-address", "--shard")
"""Flags that say where runs are done and not what they are."""


def load_records(path: Path) -> list[dict[str, Any]]:
    """Read results.json.

    Raises:
        UserError: it is damaged, or of another schema.

    """
    records = read_json(path)
    if not isinstance(records, list) or any(
        not isinstance(r, dict) or r.get("schema") != SCHEMA or not r.get("curve") for r in records
    ):
        raise UserError(
            f"{path} is not a list of records of schema {SCHEMA}: name another --out folder"
        )
    return records


def collect_records(folder: Path) -> list[dict[str, Any]]:
    """Read what a folder holds, and what the shards in it hold; the same run is taken once."""
    paths = [folder / "results.json", *sorted(folder.glob("shard-*-of-*/results.json"))]
    records: list[dict[str, Any]] = []
    seen: list[Mapping[str, Any]] = []
    for path in paths:
        for record in load_records(path) if path.exists() else []:
            identity = _identity(record)
            if identity not in seen:
                seen.append(identity)
                records.append(record)
    return records


def is_record_of(run: Run, record: Mapping[str, Any]) -> bool:
    """Tell whether a record is of this run, settings and evaluation included."""
    told = {"n_envs": 1, **record}  # (One body where a record does not tell)
    return all(told.get(key) == value for key, value in run.key().items())


def make_record(run: Run, curve: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say what was run, with what, by which command, and what came of it.

    The command is told without the flags that only say where its runs are done, so that a record
    is the same wherever it was made, but for the seconds.
    """
    return {
        "schema": SCHEMA,
        **run.key(),
        "versions": versions(),
        "command": command_line(without=_WHERE),
        "curve": list(curve),
    }


def in_order(records: Sequence[dict[str, Any]], runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Sort records as the runs are planned; those of other plans stay in front."""

    def place(record: Mapping[str, Any]) -> int:
        found = (i for i, run in enumerate(runs) if is_record_of(run, record))
        return next(found, -1)

    return sorted(records, key=place)


def parse_shard(text: str) -> tuple[int, int]:
    """Read `i/n`: the i-th of n shards, counted from 1.

    Raises:
        UserError: it is something else.

    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    i, n = (int(part) for part in found.groups()) if found else (0, 0)
    if not 1 <= i <= n:
        raise UserError(f"--shard {text}: write which of how many, e.g. --shard 1/4 to 4/4")
    return i, n


def shard_folder(out: Path, shard: tuple[int, int]) -> Path:
    """Where a shard's results are, below the folder of the whole."""
    return out / f"shard-{shard[0]}-of-{shard[1]}"


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record.items() if k not in ("curve", "command", "versions")}
