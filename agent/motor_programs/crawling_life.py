"""What a body that crawls has once its joints are known, and whose joints they are."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.config import SearchConfig
from agent.habit_search import HabitSearch
from agent.joints import Joints
from agent.motor_programs.gait import Gait
from agent.motor_programs.turning import Turning
from agent.parts import part_of
from agent.percept import Array
from agent.proprioception import Proprioception
from agent.residual import Residual
from agent.spinal_cord import Rhythm
from agent.working_memory import Memory


@dataclass
class Life:
    """What a body that crawls has once its joints are known."""

    joints: Joints
    gait: Gait
    search: HabitSearch
    rhythm: Rhythm
    turning: Turning
    habit: Rhythm | None = None
    residual: Residual | None = None

    @classmethod
    def new(
        cls,
        joints: Joints,
        gait: Gait,
        first: Array,
        n: int,
        config: SearchConfig,
        rng: np.random.Generator,
        put_back: bool = False,
    ) -> "Life":
        """Begin to search for a gait, on n bodies.

        Args:
            joints: whose.
            gait: meaning of its parameters.
            first: (k, n_parameters) random gaits to try first.
            n: bodies.
            config: of the search.
            rng: of everything random in it.
            put_back: bodies are put back to a start after each bout.

        """
        turning = Turning(n, len(joints.sine))
        wanted = 2.0 / config.bout_steps  # (Half a bout, and the body is turned)

        def advice(parameters: Array) -> Array | None:
            return turning.corrected(gait, parameters, wanted)

        search = HabitSearch(first, gait.period, n, config, rng, advice, put_back)
        return cls(joints, gait, search, gait.rhythm(search.parameters), turning)

    @property
    def refines(self) -> bool:
        """Whether the habit is refined instead of sought."""
        return self.residual is not None and self.residual.practises

    def practising(self, even_recovering: bool) -> NDArray[np.bool_]:
        """(n,) whether a body tries gaits out; `even_recovering` from something that happened."""
        search = self.search
        some = search.practising | search.recovering if even_recovering else search.practising
        return np.asarray(some & (not self.refines))

    @cached_property
    def proprioception(self) -> Proprioception:
        """What is believed of the joints."""
        return Proprioception(self.joints)

    @cached_property
    def channels(self) -> NDArray[np.int64]:
        """Channels that belong to joints."""
        return self.joints.channels

    def refine(
        self,
        n: int,
        memory: Memory,
        channels: Array,
        error: Array | None,
        command: Array,
        bodies: NDArray[np.int64] | None,
    ) -> Array:
        """Command (k, n_motors) in place of the habit's, or that one where nothing is refined.

        Args:
            n: bodies that learn.
            memory: working memory of k bodies.
            channels: (k, n_channels).
            error: (k,) heading errors, rad; None where no heading is known.
            command: (k, n_motors) of the habit.
            bodies: which of those that learn they are; None to perform.

        """
        residual = self.residual
        if residual is None or not residual.practises:
            return command
        habits = self.search.habits
        known = float(habits.mean[habits.best]) if len(habits) else None
        if bodies is None and not residual.trusted(known):
            return command
        if bodies is not None:
            new = np.zeros(n, np.bool_)
            new[bodies] = memory["steps"] == 0
            if new.any():
                residual.begin(new)
        return residual.act(channels, memory["phase"], error, command, bodies)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"joints.{f.name}": np.asarray(getattr(self.joints, f.name)) for f in _JOINTS}
        state |= {f"search.{k}": v for k, v in self.search.state().items()}
        state |= {f"turning.{k}": v for k, v in self.turning.state().items()}
        expected = self.proprioception.expectation.state()
        state |= {f"expected.{k}": v for k, v in expected.items()}
        if self.residual is not None:
            state |= {f"residual.{k}": v for k, v in self.residual.state().items()}
        return state

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned, where the joints are those of that state already."""
        self.search.load_state(part_of(state, "search."))
        self.turning.load_state(part_of(state, "turning."))
        self.rhythm = self.gait.rhythm(self.search.parameters)
        self.proprioception.expectation.load_state(part_of(state, "expected."))
        if self.residual is not None:
            self.residual.load_state(part_of(state, "residual."))


_JOINTS = fields(Joints)


def shuffled(joints: Joints, rng: np.random.Generator) -> Joints:
    """Take the joints of a body for each other."""
    order = np.roll(rng.permutation(len(joints.sine)), 1)
    return replace(
        joints,
        cosine=joints.cosine[order],
        sine=joints.sine[order],
        velocity=joints.velocity[order],
    )
