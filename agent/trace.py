"""The one record of everything worth seeing in the brain."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Trace:
    """Named signals, one row per tick, for videos, plots, logs and tests.

    A region hands its signals over with `record`; nothing is kept unless `enabled` is true. Rows
    of one tick are joined until `next_tick`. Signals that a tick does not have are absent from its
    row; `column` fills them with NaN.

    A video draws `program`, `value`, `dopamine`, `angle` and `wanted_angle` or felt and predicted
    acceleration, `command`, `fast_state` or `steering`, `heading_error`, and a map of places where
    there are `place_centres` (n, cells, 2) in m and their `place_activity` (n, cells).

    Attributes:
        enabled: whether signals are kept.
        rows: one dict of signals per tick; arrays are batch-first (n_envs, …).

    """

    def __init__(self) -> None:
        self.enabled = False
        self.rows: list[dict[str, Any]] = []
        self._open: dict[str, Any] = {}
        self._bodies: tuple[NDArray[np.int64], int] | None = None

    def of(self, bodies: NDArray[np.int64], n: int) -> None:
        """Say that what is recorded next is of some bodies of n; the others' rows are NaN."""
        self._bodies = None if len(bodies) == n else (bodies, n)

    def record(self, **signals: Any) -> None:
        """Add signals to the tick under way. Arrays are copied."""
        if self.enabled:
            for name, value in signals.items():
                self._open[name] = self._whole(name, value)

    def _whole(self, name: str, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        if self._bodies is None:
            return np.array(value)
        bodies, n = self._bodies
        whole = self._open.get(name, np.full((n, *value.shape[1:]), np.nan))
        whole[bodies] = value
        return whole

    def next_tick(self) -> None:
        """Close the tick under way and open the next."""
        if self.enabled and self._open:
            self.rows.append(self._open)
            self._open = {}

    def clear(self) -> None:
        """Forget all rows."""
        self.rows, self._open = [], {}

    def column(self, name: str) -> NDArray[np.float64]:
        """One signal over all ticks, (ticks, …), NaN where a tick does not have it.

        Raises:
            KeyError: when no tick has it; the message lists those that exist.

        """
        found = [np.asarray(row[name], float) for row in self.rows if name in row]
        if not found:
            known = sorted({key for row in self.rows for key in row})
            raise KeyError(f"no signal {name!r} in the trace: it has {', '.join(known) or 'none'}")
        missing = np.full(found[0].shape, np.nan)
        return np.stack([np.asarray(row.get(name, missing), float) for row in self.rows])
