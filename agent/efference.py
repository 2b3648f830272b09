"""Efference copies: how late the senses are, and where the body is by now."""

import numpy as np
from numpy.typing import NDArray

from agent.cerebellum import Cerebellum
from agent.config import AdaptationConfig
from agent.memory import SensorimotorMemory
from agent.percept import Array
from agent.working_memory import LONGEST


class EfferenceCopies:
    r"""Finds the delay of the senses, and predicts over it.

    What is felt at step t is the body of step t − L. Which L, babbling tells: it is the lag at
    which commands explain best how the senses change,

    .. math:: L = \arg\min_l \sum_j \log \min_{A, B, c}
        \| \Delta o_j(t) - A_j o(t) - B_j u(t - l) - c_j \|^2

    From then on the state is predicted from what is felt by the cerebellum's forward model, over
    the copies of the L commands given since (Wolpert, Miall & Kawato 1998,
    doi:10.1016/S1364-6613(98)01221-2; the loop is Smith's predictor: Miall, Weir, Wolpert & Stein
    1993, doi:10.1080/00222895.1993.9942050),

    .. math:: v \leftarrow v + h\, f(q, v, u), \qquad q \leftarrow q + h\, \bar v

    Attributes:
        lag: L, steps.

    """

    _EVIDENCE = 30.0  # (Least gain in log likelihood over no delay)
    _CLEARER = np.log(1.5)  # (Least gain in the logarithm of what is left over, per motor)
    _USUAL = 20.0  # (Change of velocity that is believed, over the usual velocity)
    _LEAST = 40  # (Samples beyond the numbers fitted)

    def __init__(self, config: AdaptationConfig, lesions: tuple[str, ...] = ()):
        self._share = config.forward_model
        self._blind = "cerebellum" in lesions
        self.lag = 0

    def find(self, memory: SensorimotorMemory, n_envs: int, channels: NDArray[np.int64]) -> None:
        """Look for the lag in what was felt of n_envs bodies in turn; memory is put right by it.

        Args:
            memory: whose commands are those of the present lag.
            n_envs: bodies, whose transitions are stored by turns.
            channels: those that feel the body.

        """
        rows = memory.rows
        before, after = memory.before[rows][:, channels], memory.after[rows][:, channels]
        command = memory.command[rows]
        moving = (before != after).any(axis=1)
        needed = self._LEAST + before.shape[1] + command.shape[1]
        most = LONGEST - 1 - self.lag
        usable = self._usable(memory, most, n_envs) & moving
        while usable.sum() < needed and most > 1:
            most //= 2
            usable = self._usable(memory, most, n_envs) & moving
        if usable.sum() < needed:
            return
        at = np.flatnonzero(usable)
        change, state = (after - before)[at], before[at]
        varying = change.std(axis=0) > 1e-9
        left_over = np.full((most + 1, np.count_nonzero(varying)), np.inf)
        for more in range(most + 1):
            given = command[at - more * n_envs]
            inputs = np.concatenate([state, given, np.ones((len(at), 1))], axis=1)
            left = change[:, varying]
            left = left - inputs @ np.linalg.lstsq(inputs, left, rcond=1e-9)[0]
            left_over[more] = np.log((left**2).sum(axis=0) + 1e-300)
        scores = 0.5 * len(at) * left_over.sum(axis=1)
        best = int(scores.argmin())
        # Each motor must have something that its command explains much better when late: laws that
        # are not quite linear leave something over too, that chance commands explain a bit.
        clearer = np.sort(left_over[0] - left_over[best])[-command.shape[1] :]
        longer = best == most < LONGEST - 1 - self.lag
        sure = scores[0] - scores[best] >= self._EVIDENCE and clearer.mean() >= self._CLEARER
        if best == 0 or longer or not sure:
            return
        self._shift(memory, best, n_envs)
        self.lag += best

    @staticmethod
    def _usable(memory: SensorimotorMemory, lag: int, n_envs: int) -> NDArray[np.bool_]:
        """Transitions (N,), the oldest first, whose command of `lag` steps before is stored."""
        rows = memory.rows
        source = np.arange(len(rows)) - lag * n_envs
        known = source >= 0
        known[known] &= memory.episode[rows[source[known]]] == memory.episode[rows[known]]
        return np.asarray(known)

    @staticmethod
    def _shift(memory: SensorimotorMemory, by: int, n_envs: int) -> None:
        """Give every transition the command that has brought it about; forget those without."""
        rows = memory.rows
        source = np.arange(len(rows)) - by * n_envs
        known = EfferenceCopies._usable(memory, by, n_envs)
        kept = {
            name: getattr(memory, name)[rows[known]]
            for name in ("before", "after", "reward", "episode")
        }
        command = memory.command[rows[source[known]]]
        memory.count = 0
        if len(command):
            memory.store(kept["before"], command, kept["reward"], kept["after"], kept["episode"])

    def cause(self, copies: Array) -> Array:
        """Commands (n, n_motors) whose effect is felt now, of copies (n, LONGEST, n_motors)."""
        return np.asarray(copies[:, self.lag])

    def felt(self, copied: NDArray[np.int64]) -> bool:
        """Whether the senses of all bodies show what commands of this episode have done."""
        return not self.lag or bool((copied > self.lag).all())

    def now(
        self,
        angle: Array,
        velocity: Array,
        copies: Array,
        known: NDArray[np.int64],
        missed: Array,
        cerebellum: Cerebellum,
        step: float,
    ) -> tuple[Array, Array]:
        """Predict angles and velocities (n, n_joints) of now.

        Args:
            angle: felt, (n, n_joints).
            velocity: felt.
            copies: (n, LONGEST, n_motors) commands given, the latest first.
            known: (n,) how many of them.
            missed: (n, n_motors) share of commands that does not move the body as the model says.
            cerebellum: whose forward model it is.
            step: control step h.

        """
        if not self.lag or self._blind or self._share == 0.0:
            return angle, velocity
        q, v, a = angle, velocity, np.zeros_like(velocity)
        for back in range(self.lag - 1, -1, -1):
            half = 0.5 * step
            a = cerebellum.forward(q + half * v, v + half * a, copies[:, back] - missed)
            a = np.where((known > back)[:, None], a, 0.0)
            # Before the first command the body stood still.
            moved = v + step * a
            q = q + np.where((known > back)[:, None], half * (v + moved), 0.0)
            v = moved
        way = q - angle, v - velocity
        # A model that runs away says nothing of where the body is.
        usual = self._USUAL * cerebellum.velocity_scale
        sane = np.isfinite(way[0]).all() and (np.abs(way[1]) <= usual).all()
        share = self._share if sane else 0.0
        return angle + share * np.nan_to_num(way[0]), velocity + share * np.nan_to_num(way[1])

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"lag": np.array(self.lag, np.int64)}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.lag = int(np.clip(state["lag"], 0, LONGEST - 1))
