"""The model file: reads back what was written, refuses everything else, executes nothing."""

import io
import json
import os

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save as encode_safetensors
from stable_baselines3 import PPO

from policies import model_file
from policies.model_file import ModelFileError
from policies.space_json import space_from_json, space_to_json

DOCUMENT = {"name": "née", "nested": {"list": [1, 2.5, None, True, "x"]}}
ARRAYS = {
    "a/weights": np.arange(6.0).reshape(2, 3),
    "a/count": np.array(7, dtype=np.int64),
    "b/": np.array([True, False]),
    "generator": np.array([2**64 - 1, 0], dtype=np.uint64),
    "none": np.zeros((0, 4), dtype=np.float32),
}


def same(first, second):
    """Tell whether two {name: array} are bit-identical."""
    return first.keys() == second.keys() and all(
        first[k].dtype == second[k].dtype
        and first[k].shape == second[k].shape
        and first[k].tobytes() == second[k].tobytes()
        for k in first
    )


def encode(document=DOCUMENT, arrays=ARRAYS):
    buffer = io.BytesIO()
    model_file.write(buffer, document, arrays)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path):
    return model_file.write(tmp_path / "model", DOCUMENT, ARRAYS)


any_array = hnp.arrays(
    dtype=hnp.floating_dtypes(endianness="<")
    | hnp.integer_dtypes(endianness="<")
    | hnp.boolean_dtypes(),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements={"allow_nan": False},
)
any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(arrays=st.dictionaries(st.text(max_size=5), any_array, max_size=4), document=any_json)
def test_reads_what_was_written(arrays, document):
    arrays = {k: a for k, a in arrays.items() if k != "__metadata__"}
    read_document, read_arrays = model_file.read(io.BytesIO(encode(document, arrays)))
    assert same(read_arrays, arrays)
    assert read_document == document


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.broadcast_to(np.arange(3.0), (2, 3)),
        np.arange(3.0).astype(">f8"),
    ],
    ids=["fortran", "transposed", "strided", "broadcast", "big-endian"],
)
def test_memory_layout_does_not_matter(array):
    _, arrays = model_file.read(io.BytesIO(encode(arrays={"a": array})))
    assert np.array_equal(arrays["a"], array)


def test_arrays_read_can_be_written_to(path):
    _, arrays = model_file.read(path)
    before = arrays["a/weights"].copy()
    arrays["a/weights"] += 1
    assert np.array_equal(arrays["a/weights"], before + 1)


def test_equal_contents_give_equal_bytes():
    reordered = dict(reversed(ARRAYS.items()))
    assert encode() == encode(arrays=reordered)


def test_suffix_and_folders(tmp_path):
    written = model_file.write(str(tmp_path / "new" / "folder" / "ant"), DOCUMENT, ARRAYS)
    assert written == tmp_path / "new" / "folder" / "ant.neonate"
    assert model_file.read(tmp_path / "new" / "folder" / "ant")[0] == DOCUMENT
    assert model_file.write(tmp_path / "ant.zip", DOCUMENT, ARRAYS) == tmp_path / "ant.zip"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_failed_write_keeps_the_former_file(path, monkeypatch, failing):
    def fail(*args):
        raise OSError("disk full")

    former = path.read_bytes()
    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        model_file.write(path, {"new": True}, {})
    assert path.read_bytes() == former
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("document", "arrays", "match"),
    [
        ({"a": float("nan")}, {}, "not JSON"),
        ({"a": object()}, {}, "not JSON"),
        ({}, {"w": np.array([1.0, np.nan])}, "'w' has NaN"),
        ({}, {"w": np.array([np.nan], dtype=np.float32)}, "'w' has NaN"),
        ({}, {"w": np.array([1j])}, "dtype complex128"),
        ({}, {"w": np.array(["x"])}, "dtype"),
        ({}, {"w": np.array([object()])}, "dtype object"),
    ],
)
def test_refuses_to_write_what_it_could_not_read(path, document, arrays, match):
    former = path.read_bytes()
    with pytest.raises(ModelFileError, match=match):
        model_file.write(path, document, arrays)
    assert path.read_bytes() == former


@pytest.mark.parametrize("name", ["", "/"])
def test_path_without_a_name(name):
    with pytest.raises(ModelFileError, match="names no file"):
        model_file.write(name, {}, {})


def test_path_of_a_folder(tmp_path):
    (tmp_path / "run.neonate").mkdir()
    with pytest.raises(ModelFileError, match="is a folder"):
        model_file.write(tmp_path / "run.neonate", {}, {})
    with pytest.raises(ModelFileError, match="cannot be read"):
        model_file.read(tmp_path / "run.neonate")


def test_missing_file_names_those_beside_it(path):
    with pytest.raises(
        ModelFileError, match=r"no file .*other\.neonate; that folder has model\.neonate"
    ):
        model_file.read(path.with_name("other"))


def test_sb3_zip_given_by_mistake(tmp_path):
    PPO("MlpPolicy", "Pendulum-v1", n_steps=8, batch_size=8).save(tmp_path / "ppo")
    with pytest.raises(ModelFileError, match=r"zip file.*PPO\.load"):
        model_file.read(tmp_path / "ppo.zip")


@pytest.mark.parametrize("keep", [0, 7, 8, 100, -1])
def test_truncated(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelFileError, match="cut short"):
        model_file.read(path)


def relabelled(**changes):
    """Encode a file whose label has other values, over arrays that are as they should be."""
    data = encode()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    label = json.loads(header["__metadata__"]["neonate"]) | changes
    return encode_safetensors(ARRAYS, {"neonate": json.dumps(label)})


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (relabelled(format_version=2), r"format version 2.*reads version 1"),
        (relabelled(document={"other": 1}), "damaged"),
        (relabelled(sha256="0" * 64), "damaged"),
        (relabelled(document=float("nan")), "NaN is not JSON"),
        (encode_safetensors(ARRAYS), "not one that BrainAgent.save wrote"),
        (encode_safetensors(ARRAYS, {"format": "pt"}), "not one that BrainAgent.save wrote"),
        (encode_safetensors(ARRAYS, {"neonate": "[]"}), "no JSON object"),
        (encode_safetensors(ARRAYS, {"neonate": "[" * 100_000}), "not one that BrainAgent.save"),
        (encode_safetensors(ARRAYS, {"neonate": "9" * 5_000}), "not one that BrainAgent.save"),
        (b"\x80\x04\x95" + b"cos\nsystem\n" * 20, "not a model file"),
    ],
    ids=[
        "version",
        "document",
        "digest",
        "nan",
        "unlabelled",
        "other-label",
        "list",
        "deep",
        "digits",
        "pickle",
    ],
)
def test_refuses_what_is_not_ours(data, match):
    with pytest.raises(ModelFileError, match=match):
        model_file.read(io.BytesIO(data))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mutated_bytes_are_refused_or_harmless(data):
    whole = encode()
    mutated = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(mutated)))
        action = data.draw(st.sampled_from(["replace", "insert", "delete"]))
        if action == "insert":
            mutated[place:place] = data.draw(st.binary(min_size=1, max_size=8))
        elif action == "delete":
            del mutated[place : place + data.draw(st.integers(1, 16))]
        else:
            mutated[place : place + 1] = data.draw(st.binary(min_size=1, max_size=1))
    try:
        document, arrays = model_file.read(io.BytesIO(mutated))
    except ModelFileError:
        return
    assert document == DOCUMENT
    assert same(arrays, ARRAYS)


boxes = st.builds(
    lambda pair, dtype: spaces.Box(
        pair.min(0).astype(dtype), pair.max(0).astype(dtype), dtype=dtype
    ),
    hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 4)), elements=st.floats(-1e6, 1e6)),
    st.sampled_from([np.float32, np.float64]),
)


@settings(max_examples=50, deadline=None)
@given(boxes | st.dictionaries(st.sampled_from("abc"), boxes, min_size=1).map(spaces.Dict))
def test_spaces_survive_json(space):
    assert space_from_json(json.loads(json.dumps(space_to_json(space), allow_nan=False))) == space


def test_unbounded_space_survives_json():
    space = spaces.Box(
        np.array([-np.inf, 0, -1.5]), np.array([np.inf, np.inf, 2]), dtype=np.float64
    )
    assert space_from_json(json.loads(json.dumps(space_to_json(space), allow_nan=False))) == space


@pytest.mark.parametrize("space", [spaces.Discrete(3), spaces.Dict({"a": spaces.MultiBinary(2)})])
def test_other_spaces_are_not_saved(space):
    with pytest.raises(ModelFileError, match="only a Box"):
        space_to_json(space)


GOOD_BOX = {"type": "Box", "shape": [2], "dtype": "float32", "low": [0, "-inf"], "high": [1, "inf"]}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"type": "Discrete", "n": 3},
        {"type": "Dict", "spaces": {"a": None}},
        {"type": "Dict"},
        GOOD_BOX | {"dtype": "object"},
        GOOD_BOX | {"dtype": "__import__('os')"},
        GOOD_BOX | {"dtype": ["float32"]},
        GOOD_BOX | {"shape": [3]},
        GOOD_BOX | {"shape": "2"},
        GOOD_BOX | {"low": [0, "x"]},
        GOOD_BOX | {"low": [0, None]},
        GOOD_BOX | {"low": [2, 2]},
        GOOD_BOX | {"high": [[1, 1], [1]]},
    ],
)
def test_impossible_spaces_are_refused(data):
    assert isinstance(space_from_json(GOOD_BOX), spaces.Box)
    with pytest.raises(ModelFileError, match="space that cannot be rebuilt"):
        space_from_json(data)
