"""Prefrontal memory of a cue: what was shown briefly is kept as long as it is needed."""

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]

NOTHING = -1
HOLD, TAKE_IN = 0, 1


class CueMemory:
    """One item for each body, kept active by the prefrontal cortex behind a gate.

    Whatever begins to be shown is taken in or kept out. Opening the gate is an act like any
    other: the basal ganglia learn by dopamine when it pays (O'Reilly & Frank 2006,
    doi:10.1162/089976606775093909). Its context (`context`) says what there is to decide about:
    whether something is held by now. As long as the gate stays shut, the item is kept.

    Args:
        lesioned: nothing is held: what is not shown is not known.

    """

    n_contexts = 2

    def __init__(self, lesioned: bool = False):
        self._lesioned = lesioned

    @staticmethod
    def context(held: Index) -> Index:
        """Say what the gate decides about, (n,): 0 while nothing is held, 1 while something is."""
        return np.asarray((held != NOTHING).astype(np.int64))

    @staticmethod
    def onset(shown: Index, before: Index) -> NDArray[np.bool_]:
        """Whether something begins to be shown (n,) that was not shown `before`."""
        return np.asarray((shown != NOTHING) & (shown != before))

    def keep(self, held: Index, shown: Index, gate: Index) -> Index:
        """Item (n,) that is held from now on.

        Args:
            held: (n,) so far, −1 for nothing.
            shown: (n,) by the senses, −1 for nothing.
            gate: (n,) HOLD or TAKE_IN.

        """
        if self._lesioned:
            return shown.copy()
        return np.asarray(np.where((gate == TAKE_IN) & (shown != NOTHING), shown, held))
