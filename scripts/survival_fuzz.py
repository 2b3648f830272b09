"""Damaged and forged files, and what reading them comes to."""

import copy
import io
import json
import math
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agent import config_from_dict
from agent.errors import SensoryError
from policies import model_file
from policies.brain_agent import BrainAgent
from policies.model_file import ModelFileError
from scripts.errors import UserError
from scripts.records import load_records
from scripts.run_folder import RunFolder

REFUSED = (ModelFileError, UserError, SensoryError)
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    3,
    2**63,
    -(2**70),
    1e308,
    -0.0,
    "",
    "x" * 1000,
    "__import__('os')",
    [],
    [[]],
    {},
    {"a": 1},
    ["nan"],
)


@dataclass
class Outcomes:
    """What became of mutated files.

    Attributes:
        refused: with a clear error.
        loaded: and usable.
        failures: the mutation, and the error that nobody had foreseen.

    """

    refused: int = 0
    loaded: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds."""
        return {
            "refused": self.refused,
            "loaded": self.loaded,
            "failed": len(self.failures),
            "kinds": dict(sorted(self.kinds.items())),
            "failures": self.failures[:20],
        }


def fuzz(
    model: bytes, texts: dict[str, bytes], count: int, rng: np.random.Generator, folder: Path
) -> Outcomes:
    """Read so many mutated files, most of them a brain's.

    Half of the brain files are damaged anywhere; the other half are forged: documents and arrays
    are changed and signed anew, so that only the contents can be refused.

    Args:
        model: a whole brain file.
        texts: whole files of JSON, by the name of what reads them: `run`, `records`, `config`.
        count: mutations.
        rng: chooses them.
        folder: where files may be written to.

    """
    outcomes = Outcomes()
    document, arrays = model_file.read(io.BytesIO(model))
    readers = readers_of(folder)
    for _ in range(count):
        kind = str(rng.choice(["damaged", "forged", *texts], p=_shares(len(texts))))
        if kind == "damaged":
            data, what = damage(model, rng)
        elif kind == "forged":
            data, what = forge(document, arrays, rng)
        else:
            data, what = _mutate_text(texts[kind], rng)
        outcomes.kinds[f"{kind}: {what}"] += 1
        try:
            readers[kind](data)
        except REFUSED:
            outcomes.refused += 1
        except Exception as error:  # whatever was not foreseen is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            text = f"{type(error).__name__}: {error} ({where})"
            outcomes.failures.append({"mutation": f"{kind}: {what}", "error": text[:300]})
        else:
            outcomes.loaded += 1
    return outcomes


def readers_of(folder: Path) -> dict[str, Callable[[bytes], None]]:
    """Return what reads each kind of file, by its name."""

    def read_brain(data: bytes) -> None:
        agent = BrainAgent.load(io.BytesIO(data))
        space = agent.observation_space
        seen = copy.deepcopy(space.sample())
        for part in seen.values() if isinstance(seen, dict) else [seen]:
            np.nan_to_num(part, copy=False)
        action, _ = agent.predict(seen, deterministic=True)
        if not np.isfinite(action).all() or not agent.action_space.contains(action):
            raise AssertionError(f"a brain that was loaded acts {action}")

    def read_run(data: bytes) -> None:
        (folder / "run.json").write_bytes(data)
        RunFolder(folder).read()

    def read_records(data: bytes) -> None:
        path = folder / "results.json"
        path.write_bytes(data)
        load_records(path)

    def read_config(data: bytes) -> None:
        try:
            values = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise UserError("no JSON") from error
        try:
            config_from_dict(values)
        except ValueError as error:  # its documented refusal
            raise UserError(str(error)) from error

    return {
        "damaged": read_brain,
        "forged": read_brain,
        "run": read_run,
        "records": read_records,
        "config": read_config,
    }


def damage(data: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Damage bytes anywhere, more often in the header than its length would have it."""
    out = bytearray(data)
    header = min(8 + int.from_bytes(data[:8], "little"), len(data))
    at = int(rng.integers(header if rng.random() < 0.5 else len(out)))
    span = int(rng.integers(1, 65))
    what = str(rng.choice(["flip", "cut", "insert", "remove", "repeat", "zero", "length"]))
    if what == "flip":
        out[at] ^= 1 << int(rng.integers(8))
    elif what == "cut":
        del out[at:]
    elif what == "insert":
        out[at:at] = rng.bytes(span)
    elif what == "remove":
        del out[at : at + span]
    elif what == "repeat":
        out[at:at] = out[max(0, at - span) : at]
    elif what == "zero":
        out[at : at + span] = bytes(len(out[at : at + span]))
    else:
        out[:8] = rng.bytes(8)
    return bytes(out), what


def forge(
    document: Any, arrays: dict[str, np.ndarray], rng: np.random.Generator
) -> tuple[bytes, str]:
    """Change the contents of a brain file and sign it anew."""
    document, arrays = copy.deepcopy(document), dict(arrays)
    what = str(rng.choice(["entry", "number", "shape", "dtype", "lost", "strange", "swapped"]))
    names = sorted(arrays)
    name = names[int(rng.integers(len(names)))]
    array = np.array(arrays[name])
    if what == "entry":
        _change_entry(document, rng)
    elif what == "number" and array.size:
        flat = array.reshape(-1)
        odd = [0, 1, -1, 127] if array.dtype.kind in "iub" else [0.0, -1.0, 1e300, math.inf, 1e-300]
        with np.errstate(over="ignore"):
            flat[int(rng.integers(flat.size))] = np.array(rng.choice(odd)).astype(array.dtype)
        arrays[name] = flat.reshape(array.shape)
    elif what == "shape":
        arrays[name] = np.resize(array, tuple(int(n) for n in rng.integers(0, 5, rng.integers(4))))
    elif what == "dtype":
        with np.errstate(all="ignore"):
            arrays[name] = array.astype(str(rng.choice(["float32", "int8", "bool", "uint64"])))
    elif what == "lost":
        del arrays[name]
    elif what == "strange":
        arrays[str(rng.choice(["brain/soul", "memory/x", "../../x", "seen/"]))] = np.zeros(3)
    else:
        other = names[int(rng.integers(len(names)))]
        arrays[name], arrays[other] = arrays[other], arrays[name]
    buffer = io.BytesIO()
    try:
        model_file.write(buffer, document, arrays)
    except ModelFileError:  # what cannot be written cannot be forged either
        return buffer.getvalue(), what
    return buffer.getvalue(), what


def _mutate_text(data: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    if rng.random() < 0.5:
        return damage(data, rng)
    value = json.loads(data)
    _change_entry(value, rng)
    return json.dumps(value).encode(), "entry"


def _change_entry(value: Any, rng: np.random.Generator) -> None:
    """Replace, remove or add an entry somewhere in nested dictionaries and lists."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = keys[int(rng.integers(len(keys)))]
        part = value[key]
        if not isinstance(part, dict | list) or not part or rng.random() < 0.15:
            break
        value = part
    chance = rng.random()
    if chance < 0.7:
        value[key] = ODD[int(rng.integers(len(ODD)))]
    elif chance < 0.85:
        del value[key]
    elif isinstance(value, dict):
        value["odd"] = ODD[int(rng.integers(len(ODD)))]
    else:
        value.append(ODD[int(rng.integers(len(ODD)))])


def _shares(texts: int) -> list[float]:
    return [0.4, 0.4, *[0.2 / texts] * texts]
