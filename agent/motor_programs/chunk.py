"""Chunks: sequences of acts that run as one program, from a start signal to a stop signal."""

import numpy as np
from numpy.typing import NDArray

from agent.config import ChunkConfig

Acts = tuple[int, ...]
Index = NDArray[np.int64]


class Chunks:
    r"""The supplementary motor area's store of compiled sequences.

    A program below `n_acts` is a single act. The others are chunks: rows of `acts`. A chunk is
    gated once; from then on its position alone says what comes next, so the basal ganglia are
    silent within it, and speak at its start and its stop (Jin, Tecuapetla & Costa 2014,
    doi:10.1038/nn.3632). When an act within it is answered by less reward than was expected, the
    chunk is aborted.

    Trust in a chunk follows whether it runs to its end,
    :math:`T \leftarrow T + \rho (\text{completed} - T)`, from 1 at first; one that sinks below
    the doubt is dissolved, and makes room.

    Attributes:
        acts: (most, longest row so far), −1 beyond a chunk's end.
        length: (most,), 0 where there is none.
        trust: T, (most,).
        runs: (most,) how often each was begun.

    """

    _LONGEST = 16  # (Acts)

    def __init__(self, n_acts: int, config: ChunkConfig):
        self._config, self.n_acts = config, n_acts
        self.acts = np.full((config.most, self._LONGEST), -1, np.int64)
        self.length = np.zeros(config.most, np.int64)
        self.trust, self.runs = np.zeros(config.most), np.zeros(config.most)

    @property
    def n_programs(self) -> int:
        """Acts, and chunks that there is room for."""
        return self.n_acts + len(self.length)

    @property
    def able(self) -> NDArray[np.bool_]:
        """(n_programs,) which programs exist."""
        return np.concatenate([np.ones(self.n_acts, bool), self.length > 0])

    @property
    def all(self) -> list[Acts]:
        """The chunks there are, spelt out."""
        return [self.spell(self.n_acts + int(i)) for i in np.flatnonzero(self.length)]

    def spell(self, program: int) -> Acts:
        """Acts that a program is made of."""
        if program < self.n_acts:
            return (int(program),)
        i = program - self.n_acts
        return tuple(int(a) for a in self.acts[i, : self.length[i]])

    def lengths(self, program: Index) -> Index:
        """Acts that programs (n,) are made of, (n,)."""
        whole = np.concatenate([np.ones(self.n_acts, np.int64), self.length])
        return np.asarray(whole[program])

    def act(self, program: Index, position: Index) -> Index:
        """Act (n,) at positions (n,) of programs (n,)."""
        chunk = np.maximum(program - self.n_acts, 0)
        inside = self.acts[chunk, np.minimum(position, self._LONGEST - 1)]
        return np.asarray(np.where(program < self.n_acts, program, inside))

    def add(self, acts: Acts) -> int | None:
        """Take up a chunk.

        Returns:
            Its program, or None where it is known already, too long, or no single room is left.

        """
        free = np.flatnonzero(self.length == 0)
        if not 2 <= len(acts) <= self._LONGEST or acts in self.all or not len(free):
            return None
        i = int(free[0])
        self.acts[i] = -1
        self.acts[i, : len(acts)], self.length[i] = acts, len(acts)
        self.trust[i], self.runs[i] = 1.0, 0.0
        return self.n_acts + i

    def ran(self, program: Index, completed: NDArray[np.bool_]) -> None:
        """Learn whether programs (n,) ran to their ends."""
        for i, well in zip(program - self.n_acts, completed, strict=True):
            if i >= 0 and self.length[i]:
                self.runs[i] += 1
                self.trust[i] += self._config.rate * (float(well) - self.trust[i])

    def dissolve(self) -> list[int]:
        """Drop the chunks that do not pay any more; returns what programs they were."""
        gone = np.flatnonzero((self.length > 0) & (self.trust < self._config.doubt))
        self.length[gone] = 0
        self.acts[gone] = -1
        return [self.n_acts + int(i) for i in gone]

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {name: getattr(self, name) for name in ("acts", "length", "trust", "runs")}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name in ("acts", "length", "trust", "runs"):
            setattr(self, name, state[name].copy())
