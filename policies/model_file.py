"""The model file: one safetensors file that holds a JSON document and named arrays.

Nothing in it is ever executed: the arrays are plain numbers, the document is plain JSON, and one
SHA-256 digest covers both. The layout is safetensors' own, so that any safetensors reader can look
at the arrays::

    8 bytes   length of the header, little-endian
    header    JSON: name, dtype, shape and place of each array; under "__metadata__" the string
              "neonate", itself JSON: {"document": ..., "format_version": 1, "sha256": "..."}
    rest      the arrays, C order, little-endian

Equal contents give equal bytes.
"""

import hashlib
import io
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as decode_safetensors
from safetensors.numpy import save as encode_safetensors

FORMAT_VERSION = 1
SUFFIX = ".neonate"
MAX_HEADER_BYTES = 100_000_000  # what safetensors accepts when reading

FileOrPath = str | os.PathLike[str] | io.BufferedIOBase

_LABEL = "neonate"
_FLOATS = {"float16", "float32", "float64"}
DTYPES = _FLOATS | {"bool"} | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}


class ModelFileError(ValueError):
    """A model file cannot be read or written; the message says why, and what to do instead."""


def write(target: FileOrPath, document: Any, arrays: Mapping[str, np.ndarray]) -> Path | None:
    """Write a model file; a file of that name is replaced only when the new one is complete.

    Args:
        target: path (``.neonate`` is added where it has no suffix, missing folders are made), or a
            file opened for writing bytes.
        document: what JSON can hold: dicts with string keys, lists, strings, finite numbers, None.
        arrays: arrays of any shape: booleans, integers, or floats of 16 to 64 bits, NaN excepted.

    Returns:
        The path written; None for an open file.

    Raises:
        ModelFileError: for contents that could not be read back; nothing is written then.

    """
    data = _encode(document, arrays)
    if not isinstance(target, str | os.PathLike):
        target.write(data)
        return None
    path = with_suffix(target)
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder: name a file instead, such as {path / 'model'}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, hence on the same file system: only there is the replacement atomic.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(unfinished, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def read(source: FileOrPath) -> tuple[Any, dict[str, np.ndarray]]:
    """Read what :func:`write` has written.

    Args:
        source: path (as it is, or with ``.neonate`` added), or a file opened for reading bytes.

    Returns:
        The document and the arrays.

    Raises:
        ModelFileError: there is no such file, or it is not whole, not ours, or of another format
            version.

    """
    name, data = _load_bytes(source)
    try:
        arrays = decode_safetensors(data)
        label = _label(data)
        digest = _digest(label.get("document"), arrays)
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(_why_not_ours(name, data, error)) from error
    if label.get("format_version") != FORMAT_VERSION:
        raise ModelFileError(
            f"{name} has format version {label.get('format_version')!r}, and this Neonate reads "
            f"version {FORMAT_VERSION}: load it with the Neonate that wrote it, or train anew."
        )
    if label.get("sha256") != digest:
        raise ModelFileError(
            f"{name} is damaged: its contents do not match the SHA-256 digest stored with them. "
            "Load an earlier checkpoint or another copy."
        )
    _refuse_nan(arrays, f"{name} cannot be used. Load an earlier checkpoint.")
    return label["document"], {key: array.copy() for key, array in arrays.items()}


def with_suffix(path: str | os.PathLike[str]) -> Path:
    """Return the path, with ``.neonate`` added where it has no suffix.

    Raises:
        ModelFileError: for a path without a name, such as "" or "/".

    """
    path = Path(path)
    if not path.name:
        raise ModelFileError(f"{str(path)!r} names no file: give one, such as 'model{SUFFIX}'.")
    return path if path.suffix else path.with_name(path.name + SUFFIX)


def _encode(document: Any, arrays: Mapping[str, np.ndarray]) -> bytes:
    for key, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ModelFileError(
                f"Array {key!r} has dtype {array.dtype}, of which the file holds none. "
                f"Nothing was saved; give it one of {', '.join(sorted(DTYPES))}."
            )
    _refuse_nan(arrays, "Nothing was saved.")
    # safetensors copies the memory as it lies: another order than this would come back scrambled.
    arrays = {
        key: np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        for key, array in arrays.items()
    }
    try:
        digest = _digest(document, arrays)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"The settings are not JSON: {error}. Nothing was saved.") from error
    label = {"document": document, "format_version": FORMAT_VERSION, "sha256": digest}
    data = encode_safetensors(arrays, {_LABEL: _canonical(label)})
    if int.from_bytes(data[:8], "little") > MAX_HEADER_BYTES:
        raise ModelFileError(
            f"Settings and array names take more than {MAX_HEADER_BYTES} bytes. Nothing was saved."
        )
    return data


def _load_bytes(source: FileOrPath) -> tuple[str, bytes]:
    if not isinstance(source, str | os.PathLike):
        return "The open file", source.read()
    path = Path(source)
    if not path.is_file():
        path = with_suffix(path)
    try:
        return str(path), path.read_bytes()
    except FileNotFoundError as error:
        there = sorted(file.name for file in path.parent.glob(f"*{SUFFIX}"))
        found = f"that folder has {', '.join(there)}" if there else f"no {SUFFIX} file is beside it"
        raise ModelFileError(f"There is no file {path}; {found}.") from error
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}.") from error


def _label(data: bytes) -> dict[str, Any]:
    """Return our part of the header of a file that safetensors has found valid."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    label = json.loads(header["__metadata__"][_LABEL], parse_constant=_refuse_constant)
    if not isinstance(label, dict):
        raise TypeError(f"its {_LABEL!r} entry is no JSON object")
    return label


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _why_not_ours(name: str, data: bytes, error: Exception) -> str:
    if data[:4] == b"PK\x03\x04":
        return (
            f"{name} is a zip file, as Stable-Baselines3 saves its own algorithms: load it with "
            "the class that saved it, such as PPO.load or SAC.load."
        )
    if isinstance(error, SafetensorError):
        return (
            f"{name} is cut short, damaged, or not a model file ({error}; {len(data)} bytes). "
            f"Load an earlier checkpoint, or a {SUFFIX} file that BrainAgent.save wrote."
        )
    return (
        f"{name} is a safetensors file, but not one that BrainAgent.save wrote ({error!r}). "
        f"Load a {SUFFIX} file that it did."
    )


def _refuse_nan(arrays: Mapping[str, np.ndarray], consequence: str) -> None:
    for key, array in arrays.items():
        if array.dtype.name in _FLOATS and np.isnan(array).any():
            raise ModelFileError(f"Array {key!r} has NaN in it: {consequence}")


def _canonical(document: Any) -> str:
    return json.dumps(document, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _digest(document: Any, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(_canonical(document).encode())
    for key in sorted(arrays):
        array = arrays[key]
        digest.update(_canonical([key, array.dtype.name, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
