"""What there is to report of: every result, run, video and picture below a folder."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.errors import UserError
from scripts.files import read_json
from scripts.records import SHARD_FOLDER, load_records
from scripts.run_folder import RunFolder, RunInfo
from scripts.summary import Record

VIDEOS = {".mp4": "video/mp4", ".webm": "video/webm"}
PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}
DRAWN_ANEW = {"curves.png", "profiles.png"}  # the report draws these from the records
TOLD_ANEW = {"summary.csv", "improvement.csv"}  # beside records of `neonate evaluate`
_LOG = re.compile(r"progress(_from_\d+)?\.csv")


@dataclass(frozen=True)
class Comparison:
    """A results.json of `neonate evaluate`: the runs of one task."""

    place: str
    """Folder, as it is told on the page."""
    records: Sequence[Record]

    @property
    def env(self) -> str:
        """Id of the environment."""
        return str(self.records[0]["env"])

    @property
    def lesions(self) -> tuple[str, ...]:
        """What was taken away from the brain, in any of its runs."""
        brains = [r for r in self.records if r["algo"] == "brain"]
        found = {name for r in brains for name in r.get("settings", {}).get("lesions", ())}
        return tuple(sorted(found))


@dataclass(frozen=True)
class Trained:
    """A run of `neonate train`."""

    place: str
    info: RunInfo
    log: Sequence[Mapping[str, str]]
    """Rows of its progress files."""


@dataclass(frozen=True)
class Document:
    """Any other JSON file that holds an object, or a table of CSV (then `rows` only)."""

    place: str
    value: Mapping[str, Any]


@dataclass(frozen=True)
class File:
    """A video or a picture."""

    place: str
    path: Path
    kind: str
    """MIME type."""


@dataclass
class Findings:
    """All that was found, and what could not be read."""

    comparisons: list[Comparison] = field(default_factory=list)
    trained: list[Trained] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    videos: list[File] = field(default_factory=list)
    pictures: list[File] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    """Place and reason."""

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to report of."""
        return not (
            self.comparisons or self.trained or self.documents or self.videos or self.pictures
        )


def find(root: Path) -> Findings:
    """Look through a folder and all below it.

    A file that is damaged is named in `unread`; it does not stop the report.
    """
    found = Findings()
    for path in sorted(_files(root)):
        place = path.relative_to(root).as_posix()
        try:
            _take(found, path, place)
        except (UserError, OSError, ValueError, KeyError, TypeError) as error:
            found.unread.append((place, " ".join(str(error).split()) or repr(error)))
    return found


def _files(root: Path) -> Iterator[Path]:
    """Every file that is not hidden; of a comparison put together, not the shards as well."""
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if any(part.startswith(".") for part in parts) or not path.is_file():
            continue
        folders = [p for p in path.parents if SHARD_FOLDER.fullmatch(p.name)]
        if any((folder.parent / "results.json").is_file() for folder in folders):
            continue
        yield path


def _take(found: Findings, path: Path, place: str) -> None:
    """Put one file where it belongs."""
    folder = place.rpartition("/")[0]
    if path.suffix == ".json":
        _take_json(found, path, place, folder)
    elif path.suffix == ".csv":
        beside_records = path.name in TOLD_ANEW and _is_comparison(path.with_name("results.json"))
        if not (beside_records or _told_beside(path) or _LOG.fullmatch(path.name)):
            found.documents.append(Document(place, {"rows": read_csv(path)}))
    elif path.suffix in VIDEOS:
        found.videos.append(File(place, path, VIDEOS[path.suffix]))
    elif path.suffix in PICTURES and path.name not in DRAWN_ANEW and not _told_beside(path):
        found.pictures.append(File(place, path, PICTURES[path.suffix]))


def _take_json(found: Findings, path: Path, place: str, folder: str) -> None:
    if path.name == "run.json":
        info = RunFolder(path.parent).read()
        logs = sorted(path.parent.glob("progress*.csv"))
        rows = [row for log in logs if _LOG.fullmatch(log.name) for row in read_csv(log)]
        found.trained.append(Trained(folder or path.parent.name, info, rows))
        return
    value = read_json(path)
    if isinstance(value, list) and value and "curve" in value[0]:
        comparison = Comparison(folder or path.parent.name, check_records(load_records(path)))
        found.comparisons.append(comparison)
    elif isinstance(value, list) and path.name == "failures.json":
        for failure in value:
            what = f"{place}: {failure['algo']} seed {failure['seed']}"
            found.unread.append((what, f"the run broke: {failure['error']}"))
    elif isinstance(value, dict):
        found.documents.append(Document(place, value))


def check_records(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make sure that records can be drawn: of one task, with numbers where numbers belong.

    Raises:
        UserError: they are not.

    """
    for record in records:
        for point in record["curve"]:
            numbers = [point["steps"], point["cpu_seconds"], point["return_mean"]]
            numbers += [] if point["success_rate"] is None else [point["success_rate"]]
            if not all(isinstance(n, int | float) for n in numbers):
                raise UserError("a curve holds something that is no number")
        if not isinstance(record["algo"], str) or not isinstance(record["env"], str):
            raise UserError("a record does not name its algorithm and its environment")
    if len({record["env"] for record in records}) > 1:
        raise UserError("records of several environments in one file")
    return records


def _told_beside(path: Path) -> bool:
    """Tell whether a JSON file of the same name holds what this one shows."""
    return path.with_suffix(".json").is_file()


def _is_comparison(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open() as file:
        return file.read(1) == "["


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table with a head; what a row has beyond the head is left out."""
    with path.open(newline="") as file:
        rows = [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(file)]
    return rows


def plain_json(value: Any) -> str:
    """Spell settings so that people can read them."""
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def versions_of(found: Findings) -> list[tuple[str, str]]:
    """List every version of every package that anything was obtained with."""
    dicts: list[Mapping[str, Any]] = [r["versions"] for c in found.comparisons for r in c.records]
    dicts += [run.info.versions for run in found.trained]
    dicts += [d.value["versions"] for d in found.documents if _is_dict(d.value.get("versions"))]
    names = dict.fromkeys(name for versions in dicts for name in versions)
    return [
        (name, ", ".join(sorted({str(versions[name]) for versions in dicts if name in versions})))
        for name in names
    ]


def commands_of(found: Findings) -> list[str]:
    """List every command once."""
    lines: list[str] = [r.get("command", "") for c in found.comparisons for r in c.records]
    lines += [line for run in found.trained for line in run.info.commands]
    lines += [line for d in found.documents for line in _commands_in(d)]
    return [line for line in dict.fromkeys(lines) if line]


def _commands_in(document: Document) -> Iterable[str]:
    """Find the command of a document, or those of its runs."""
    runs = document.value.get("runs")
    holders = [document.value, *(runs if isinstance(runs, list) else [])]
    for holder in holders:
        if _is_dict(holder) and isinstance(holder.get("command"), str):
            yield holder["command"]


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)
