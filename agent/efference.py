"""Efference copies: how late the senses are, and where the body is by now."""

from collections.abc import Callable

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

    _EVIDENCE = 30.0  # (Least gain in log likelihood over any other lag)
    _KNOCK = 9.0  # (Change beyond so many times the median that is a knock)
    _USUAL = 20.0  # (Change of velocity that is believed, over the usual velocity)
    _JERK = 0.1  # (Change of velocity, over the usual one, from which a step is computed twice)
    _LEAST = 40  # (Samples beyond the numbers fitted)

    def __init__(self, config: AdaptationConfig, lesions: tuple[str, ...] = ()):
        self._share = config.forward_model
        self._blind = "cerebellum" in lesions
        self.lag, self._guess = 0, -1

    def find(self, memory: SensorimotorMemory, n_envs: int, channels: NDArray[np.int64]) -> None:
        """Look for the lag in what was felt of n_envs bodies in turn; memory is put right by it.

        A lag is believed that explains more than any other at two looks in a row: few samples of
        smooth commands fit by chance at some lag, and not at the same one again.

        Args:
            memory: whose commands are those of the present lag.
            n_envs: bodies, whose transitions are stored by turns.
            channels: those that feel the body.

        """
        rows = memory.rows
        before, after = memory.before[rows][:, channels], memory.after[rows][:, channels]
        command = memory.command[rows]
        change = np.abs(after - before)
        # A knock is no matter of commands, late or not.
        calm = (change <= self._KNOCK * np.median(change, axis=0) + 1e-9).all(axis=1)
        moving = (before != after).any(axis=1) & calm
        needed = self._LEAST + before.shape[1] + command.shape[1]
        most = LONGEST - 1
        usable = self._usable(memory, most, n_envs) & moving
        while usable.sum() < needed and most > max(1, self.lag):
            most = max(most // 2, self.lag)
            usable = self._usable(memory, most, n_envs) & moving
        if usable.sum() < needed:
            return
        at = np.flatnonzero(usable)
        change, state = (after - before)[at], before[at]
        change = change[:, change.std(axis=0) > 1e-9]
        scores = np.full(most + 1, np.inf)
        for lag in range(most + 1):
            given = command[at - (lag - self.lag) * n_envs]
            inputs = np.concatenate([state, given, np.ones((len(at), 1))], axis=1)
            left = change - inputs @ np.linalg.lstsq(inputs, change, rcond=1e-9)[0]
            scores[lag] = 0.5 * len(at) * np.log((left**2).sum(axis=0) + 1e-300).sum()
        order = scores.argsort()
        best = int(order[0])
        longer = best == most < LONGEST - 1
        sure = scores[order[1]] - scores[best] >= self._EVIDENCE
        again, self._guess = best == self._guess, best
        if longer or not sure or not again or best == self.lag:
            return
        self._shift(memory, best - self.lag, n_envs)
        self.lag = best

    def _usable(self, memory: SensorimotorMemory, most: int, n_envs: int) -> NDArray[np.bool_]:
        """Transitions (N,), oldest first, of which commands at lags from 0 to `most` are stored."""
        latest = self._known(memory, -self.lag, n_envs)
        return np.asarray(latest & self._known(memory, most - self.lag, n_envs))

    @staticmethod
    def _known(memory: SensorimotorMemory, by: int, n_envs: int) -> NDArray[np.bool_]:
        """Transitions (N,), the oldest first, for which that of `by` steps before is stored."""
        rows = memory.rows
        source = np.arange(len(rows)) - by * n_envs
        known = (source >= 0) & (source < len(rows))
        known[known] &= memory.episode[rows[source[known]]] == memory.episode[rows[known]]
        return np.asarray(known)

    @classmethod
    def _shift(cls, memory: SensorimotorMemory, by: int, n_envs: int) -> None:
        """Give every transition the command of `by` steps before; forget those without."""
        rows = memory.rows
        source = np.arange(len(rows)) - by * n_envs
        known = cls._known(memory, by, n_envs)
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
        changed: Callable[[Array, Array], Array],
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
            changed: the same, for angles and velocities (n, n_joints): it goes with the movement.
            cerebellum: whose forward model it is.
            step: control step h.

        """
        if not self.lag or self._blind or self._share == 0.0:
            return angle, velocity
        q, v, a = angle, velocity, np.zeros_like(velocity)
        for back in range(self.lag - 1, -1, -1):
            half = 0.5 * step
            given = copies[:, back] - missed
            for _ in range(2):
                middle, guess = (q + half * (v + 0.5 * half * a), v + half * a), a
                a = cerebellum.forward(*middle, given - changed(*middle))
                # What the middle of the step is like was guessed from the acceleration before.
                if (np.abs(a - guess) * step < self._JERK * cerebellum.velocity_scale).all():
                    break
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
        return {"lag": np.array([self.lag, self._guess], np.int64)}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        lag, guess = np.clip(state["lag"], -1, LONGEST - 1)
        self.lag, self._guess = max(int(lag), 0), int(guess)
