"""What a saved state of crawling must look like, before anything is taken over from it."""

import numpy as np
from numpy.typing import NDArray

from agent.errors import StateError
from agent.joint_expectation import WINDOW, JointExpectation
from agent.parts import part_of

State = dict[str, NDArray]

# Shapes: n bodies, c channels, p parameters, m motors, z averages of a gait, k first gaits, h
# habits; a word stands for any number.
Shape = tuple[str, tuple[str | int, ...]]

_JOINTS: dict[str, Shape] = {name: ("i", ("m",)) for name in ("cosine", "sine", "velocity")}
_JOINTS |= {name: ("f", ("m",)) for name in ("gain", "pull", "rest", "low", "high", "start")}
_JOINTS |= {"step": ("f", ())}
_SEARCH: dict[str, Shape] = {
    "tournament.parameters": ("f", ("k", "p")),
    "tournament.best": ("f", ("p",)),
    "tournament.earned": ("f", ("rounds", "k")),
    "tournament.earned_known": ("b", ("rounds", "k")),
    "tournament.flags": ("b", (2,)),
    "challenge.challenger": ("f", ("p",)),
    "challenge.trials": ("f", ("tried",)),
    "challenge.earned": ("f", ("challengers",)),
    "challenge.flags": ("b", (4,)),
    "challenge.lost": ("i", ()),
    "generations.reward": ("f", ("candidates",)),
    "generations.reward_known": ("b", ("candidates",)),
    "generations.exploring": ("u", (6,)),
    "generations.number": ("i", ()),
    "latest": ("f", ("bouts", 3)),
    "former": ("f", ("former", "p")),
    "parameters": ("f", ("n", "p")),
    "kind": ("i", ("n",)),
    "ticket": ("i", ("n",)),
    "sum": ("f", ("n",)),
    "late": ("f", ("n",)),
    "steps": ("f", ("n",)),
    "length": ("f", ("n",)),
    "fresh": ("b", ("n",)),
    "stranded": ("i", ("n",)),
    "down": ("i", ("n",)),
    "lies": ("f", ()),
    "overdue": ("i", ()),
    "generator": ("u", (6,)),
    "waiting": ("i", ("queue",)),
    "doubt.in_vain": ("i", ("n",)),
    "doubt.counts": ("i", (4,)),
    "doubt.short": ("f", ()),
    "habits.parameters": ("f", ("h", "p")),
    "habits.mean": ("f", ("h",)),
    "habits.count": ("f", ("h",)),
    "habits.scatter": ("f", (2,)),
}
_TURNING: dict[str, Shape] = {
    "shape": ("f", ("turns", "z")),
    "turn": ("f", ("turns",)),
    "turned": ("f", ("n",)),
    "error": ("f", ("n",)),
    "steps": ("f", ("n",)),
}
_EXPECTED: dict[str, Shape] = {
    "normal": ("f", ("m", 3, 3)),
    "moment": ("f", ("m", 3)),
    "drift": ("f", ("m",)),
    "bias": ("f", ("m",)),
    "window": ("f", (WINDOW, 3, "m")),
    "counts": ("i", (2,)),
}
_EXPLORERS: dict[str, dict[str, Shape]] = {
    "cma": {
        "spread": ("f", ()),
        "start": ("f", ("p",)),
        "seed": ("u", (6,)),
        "told": ("f", ("generations", "population")),
    },
    "three_factor": {
        "spread": ("f", ()),
        "centre": ("f", ("p",)),
        "scale": ("f", ()),
        "generator": ("u", (6,)),
    },
}
_ALWAYS: dict[str, Shape] = {
    "relation": ("f", (5,)),
    "journey": ("f", (2,)),
    "steering.heading": ("f", ("heading",)),
    "steering.paid.before": ("f", ("looks", "c")),
    "steering.paid.after": ("f", ("looks", "c")),
    "steering.paid.reward": ("f", ("looks",)),
    "steering.paid.counts": ("i", (3,)),
    "steering.paid.pay": ("f", ("pay",)),
    "steering.thrift.sums": ("f", ("n", 3)),
    "steering.thrift.latest": ("f", ("practised", 2)),
    "steering.since_glance": ("i", ()),
    "steering.practised": ("f", ("n",)),
    "steering.practises": ("b", ("n",)),
    "steering.undecided": ("b", ("n",)),
    "steering.moved": ("f", ("n", 2)),
    "steering.usual": ("f", ()),
    "alarm.left": ("i", ("n",)),
    "alarm.afraid": ("b", ("n",)),
    "critic.before": ("f", ("stretches", "c")),
    "critic.after": ("f", ("stretches", "c")),
    "critic.felt": ("f", ("stretches", 4)),
    "critic.middle": ("f", ("c",)),
    "critic.spread": ("f", ("c",)),
    "critic.slow": ("i", ("slow",)),
    "critic.weights": ("f", ("features",)),
    "critic.stretch": ("f", ("n", "c")),
    "critic.stretch_error": ("f", ("n",)),
    "critic.start": ("f", ("n", "c")),
    "critic.start_error": ("f", ("n",)),
    "critic.earned": ("f", ("n",)),
    "critic.steps": ("i", ("n",)),
    "critic.gain": ("f", ("n",)),
    "critic.open": ("b", ("n",)),
    "critic.counts": ("i", (2,)),
}
_BYTES = {"f": np.float64, "i": np.int64, "u": np.uint64, "b": np.bool_}


def check(state: State, n_motors: int, n_bodies: int, n_channels: int, method: str) -> None:
    """Refuse a state whose parts are missing, unknown, or do not fit each other.

    Raises:
        StateError: naming the part.

    """
    expected = dict(_ALWAYS)
    if any(key.startswith(("joints.", "search.", "turning.", "expected.")) for key in state):
        expected |= {f"joints.{k}": v for k, v in _JOINTS.items()}
        expected |= {f"search.{k}": v for k, v in _SEARCH.items()}
        expected |= {f"turning.{k}": v for k, v in _TURNING.items()}
        expected |= {f"expected.{k}": v for k, v in _EXPECTED.items()}
    explorer = "search.generations.explorer."
    if any(key.startswith(explorer) for key in state):
        expected |= {explorer + k: v for k, v in _EXPLORERS[method].items()}
    given = {key for key in state if not key.startswith("steering.sense.")}
    for key in sorted(set(expected) ^ given):
        raise StateError(f"weights {key!r} are {'missing' if key in expected else 'unknown'}")
    sizes: dict[str | int, int] = {"m": n_motors, "n": n_bodies, "c": n_channels}
    sizes["p"], sizes["z"] = 3 + 5 * n_motors, 2 * n_motors
    for key, (kind, shape) in expected.items():
        array = state[key]
        if array.dtype != _BYTES[kind]:
            raise StateError(f"weights {key!r} are {array.dtype}: expected {_BYTES[kind].__name__}")
        if kind == "f" and not np.isfinite(array).all():
            raise StateError(f"weights {key!r} hold NaN or inf: the file is damaged")
        if array.ndim == len(shape):
            found = zip(shape, array.shape, strict=True)
            sizes |= {s: n for s, n in found if isinstance(s, str) and s not in sizes}
        wanted = tuple(sizes.get(s, s) for s in shape)
        if array.shape != wanted:
            raise StateError(f"weights {key!r} have shape {array.shape}: expected {wanted}")
    _check_channels(state, n_channels)
    told = part_of(state, "expected.")
    if told:
        JointExpectation.check_state(told)


def _check_channels(state: State, n_channels: int) -> None:
    for key in ("joints.cosine", "joints.sine", "joints.velocity"):
        least = -1 if key == "joints.cosine" else 0
        if key in state and ((state[key] < least) | (state[key] >= n_channels)).any():
            raise StateError(f"weights {key!r} name channels that the observation lacks")
    heading = state["steering.heading"]
    if heading.size not in (0, 10):
        raise StateError(f"weights 'heading' have shape {heading.shape}: expected (0,) or (10,)")
    named = heading[[0, 1, 6, 8, 9]] if heading.size else np.zeros(0)
    if not ((named >= -1) & (named < n_channels)).all() or (heading.size and named[1] < 0):
        raise StateError("weights 'heading' name channels that the observation lacks")
    pay = state["steering.paid.pay"]
    if pay.size not in (0, 4):
        raise StateError(f"weights 'paid.pay' have shape {pay.shape}: expected (0,) or (4,)")
    if not ((pay[:2] >= 0) & (pay[:2] < n_channels)).all():
        raise StateError("weights 'paid.pay' name channels that the observation lacks")
    slow, weights = state["critic.slow"], state["critic.weights"]
    if len(weights) not in ((4 + 2 * len(slow),) if len(slow) else (0, 4)):
        raise StateError("weights 'critic.weights' do not fit 'critic.slow'")
    if ((slow < 0) | (slow >= n_channels)).any() or (state["critic.spread"][slow] <= 0.0).any():
        raise StateError("weights 'critic.slow' name channels that the observation lacks")
    if "search.waiting" in state:
        waiting, k = state["search.waiting"], max(1, state["search.tournament.earned"].size)
        most = max(k, len(state["search.generations.reward"]))
        if ((waiting < 0) | (waiting >= most)).any():
            raise StateError("weights 'search.waiting' name candidates that there are none of")
