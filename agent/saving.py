"""What a brain knows: its regions as one flat dict of arrays, and back; scalars for logs."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agent.basal_ganglia import ProgramGate
from agent.body_schema import BodySchema
from agent.body_search import BodySearch
from agent.cerebellum import Cerebellum
from agent.errors import StateError
from agent.hippocampus import Hippocampus
from agent.motor_cortex import MotorCortex
from agent.motor_programs.crawling import Crawling
from agent.motor_programs.keyboard import Keyboard
from agent.motor_programs.repertoire import Repertoire
from agent.motor_programs.travel import Travel
from agent.prefrontal import Prefrontal
from agent.randomness import generator_state, set_generator_state
from agent.senses import Senses

State = dict[str, NDArray]

_GROWING = (
    "crawling.amygdala.weights",
    "crawling.expected.",
    "crawling.joints.",
    "crawling.residual.",
    "crawling.search.",
    "crawling.turning.",
    "crawling.steering.heading",
    "crawling.steering.paid.pay",
    "crawling.steering.thrift.latest",
    "crawling.critic.slow",
    "crawling.critic.weights",
    "motor_cortex.",
)
"""What is there only once it has been found: its region checks it."""
_LONGER = ("hippocampus.", "prefrontal.", "travel.velocity")
"""What grows with what is found: its region checks how long it is."""


class Knowledge:
    """What a brain knows, seen from outside: as arrays for a file, as scalars for a log.

    The brain is a subclass: how it is wired is one thing, what can be told of it another.
    """

    _REGIONS: ClassVar[dict[str, str]] = {
        "memory": "memory",
        "body_schema": "schema",
        "cerebellum": "cerebellum",
        "adaptation": "adaptation",
        "dynamics": "dynamics",
        "efference": "efference",
        "strategy": "strategy",
        "spinal_cord": "spinal_cord",
        "basal_ganglia": "basal_ganglia",
        "gate": "gate",
        "crawling": "crawling",
        "hippocampus": "hippocampus",
        "prefrontal": "prefrontal",
        "travel": "travel",
        "motor_cortex": "cortex",
    }
    """Attribute of each region by the name that its arrays have in a state."""

    senses: Senses
    schema: BodySchema
    cerebellum: Cerebellum
    gate: ProgramGate
    programs: Repertoire
    crawling: Crawling
    hippocampus: Hippocampus
    prefrontal: Prefrontal
    travel: Travel
    keyboard: Keyboard | None
    cortex: MotorCortex
    search: BodySearch
    steps: int
    episodes: int
    episode_length: int
    _generators: tuple[np.random.Generator, ...]

    @property
    def _regions(self) -> dict[str, str]:
        keyboard = {"keyboard": "keyboard"} if self.keyboard is not None else {}
        return self._REGIONS | keyboard

    def state(self) -> State:
        """Everything that is learnt or random, flat, copied: `load_state` continues from it."""
        state = {
            f"{name}.{key}": np.array(value)
            for name, attribute in self._regions.items()
            for key, value in getattr(self, attribute).state().items()
        }
        counts = self.steps, self.episodes, self.episode_length, self.search.attempted
        state["counts"] = np.array(counts, np.int64)
        state["random"] = np.stack([generator_state(rng) for rng in self._generators])
        return state

    def load_state(self, state: State) -> None:
        """Continue from a state.

        Raises:
            StateError: when it is not one of this brain's; nothing has changed then.

        """
        check(self.state(), state)
        parts: dict[str, State] = {name: {} for name in self._regions}
        for key, value in state.items():
            name, _, part = key.partition(".")
            if part:
                parts[name][part] = np.asarray(value)
        self.schema.check_state(parts["body_schema"], self.senses.n_channels)
        self.crawling.check_state(parts["crawling"])
        self.hippocampus.check_state(parts["hippocampus"])
        self.prefrontal.check_state(parts["prefrontal"])
        self.travel.check_state(parts["travel"])
        self.cortex.check_state(parts["motor_cortex"])
        for name, attribute in self._regions.items():
            getattr(self, attribute).load_state(parts[name])
        for rng, words in zip(self._generators, state["random"], strict=True):
            set_generator_state(rng, words)
        counts = (int(x) for x in state["counts"])
        self.steps, self.episodes, self.episode_length, self.search.attempted = counts

    def summary(self) -> dict[str, float]:
        """Scalars worth logging."""
        return {
            "body_known": float(any(self.programs.able)),
            "geometry_error": self.schema.geometry_error,
            "command_error": float(np.sqrt(self.cerebellum.error_variance.mean())),
            "reach_worth": float(self.gate.worth[0]),
            "crawl_worth": float(self.gate.worth[1]),
            "travel_worth": float(self.gate.worth[2]),
            **self.programs.felt,
            **self.crawling.summary(),
            **self.travel.summary(),
        }


def check(own: State, state: State) -> None:
    """Refuse a state that cannot be one of a brain whose state is `own`.

    Raises:
        StateError: naming what is missing, unknown, of a wrong shape or type, or not finite.

    """
    for key in sorted(set(own) ^ set(state)):
        if not key.startswith(_GROWING):
            raise StateError(f"weights {key!r} are {'missing' if key in own else 'unknown'}")
    for key, array in state.items():
        given = np.asarray(array)
        # Only the range of movement may be infinite: as long as no limit was felt.
        bad = np.isnan if key == "body_schema.range" else lambda x: ~np.isfinite(x)
        if key.startswith(_GROWING):
            continue
        if given.dtype.kind == "f" and bad(given).any():
            raise StateError(f"weights {key!r} hold NaN or inf: the file is damaged")
        value = own[key]
        # How much is known of the body decides the size of its parts: they are checked below.
        fixed = not key.startswith("body_schema.") or value.ndim == 2
        if key.startswith(_LONGER) and given.ndim == value.ndim > 0:
            fixed = False
        if given.dtype != value.dtype or (fixed and given.shape != value.shape):
            raise StateError(
                f"weights {key!r} are {given.dtype} {given.shape}: this brain has "
                f"{value.dtype} {value.shape}; load them with the configuration and spaces "
                "they were learnt with"
            )
