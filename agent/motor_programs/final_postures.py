"""Final postures: where a practised movement is to end, recalled instead of searched for."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from agent.body_schema import BodySchema
from agent.motor_cortex import MotorCortex
from agent.percept import Array


@dataclass
class FinalPostures:
    r"""Final postures for aims, from those that come to mind.

    A posture is recalled, not learnt by a network: which of several solutions it is jumps from one
    situation to the next; how to move there does not, and that is what a network can hold.

    Kept are postures put together from those felt, which are easy to be in, and others from all
    over the range, where few were felt; each with its place x and the matrices of a damped
    Gauss–Newton step that leans back to where the body is as far as the aim allows
    (null space: Liégeois 1977, doi:10.1109/TSMC.1977.4309644):

    .. math:: \Delta q = J^+ (x^* - x(q) - J h) + h, \qquad J^+ = J^T (J J^T + \lambda^2)^{-1},
        \qquad h = \beta (q_0 - q)

    What this step leads to is thus known at once of those closest to the aim. From the ones that
    are the shortest way then, further steps without h go on until one is there.
    """

    schema: BodySchema
    cortex: MotorCortex
    _kept: tuple[Array, Array, Array, KDTree, Array, Array] | None = field(default=None, repr=False)

    _CLOSE, _LED = 16, 4  # (Those that come to mind for an aim, and those that are led there)
    _LEAN = 0.5  # (β in the first step)
    _LOOKS = 6  # (Most of them at where a step has led to)
    _STRIDE = 0.8  # (Longest step, rad)
    _ARRIVED = 0.005  # (Distance up to which postures are equally good, over the reach)
    _SERVES = 0.02  # (Distance up to which a posture serves an aim, over the reach)
    _FIRM = 0.01  # (Damping of the inverse kinematics, over the reach)

    def keep(self, postures: Array) -> None:
        """Keep postures (k, n_joints) in place of those before."""
        known = self.schema.range
        self.cortex.postures = np.clip(postures, known.free_low, known.free_high)

    def recall(self, angle: Array, aim: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Recall ways to final postures.

        Args:
            angle: (n, n_joints) where the bodies are.
            aim: (n, d) what the geometry's outcome must become.

        Returns:
            Ways (n, n_joints) in joint space, and whether the postures serve the aims, (n,).

        """
        schema, rows = self.schema, np.arange(len(angle))
        places, tree, slopes, pulls = self._remembered()
        k = min(self._CLOSE, tree.n)
        close = tree.query(aim, k)[1].reshape(len(aim), k)
        here, aim = angle[:, None], aim[:, None]
        q = self.cortex.postures[close]
        home = self._LEAN * schema.difference(here, q)
        miss = (aim - places[close])[..., None] - slopes[close] @ home[..., None]
        q = self._moved(q, home + (pulls[close] @ miss)[..., 0])
        ways = np.abs(schema.difference(q, here)).sum(axis=-1)
        q = q[rows[:, None], ways.argpartition(min(self._LED, k - 1), axis=1)[:, : self._LED]]
        for looks in range(self._LOOKS, 0, -1):
            place, _, pull = self._look(q)
            way = aim - place
            far = np.sqrt(np.vecdot(way, way)) / schema.spread
            there = far.min(axis=1) < self._ARRIVED
            if looks == 1 or there.all():
                break
            move = (pull @ way[..., None])[..., 0]
            move[there] = 0.0  # (What is done for one body is not for the others to change)
            q = self._moved(q, move)
        way = schema.difference(q, here)
        late = np.maximum(far - self._ARRIVED, 0.0)
        best = (np.abs(way).sum(axis=-1) + 1e3 * late).argmin(axis=1)
        return way[rows, best], far[rows, best] < self._SERVES

    def _look(self, q: Array) -> tuple[Array, Array, Array]:
        """Where postures (…, n_joints) bring the hand, (…, d), and J and J⁺ there."""
        place, slope = self.schema.chain.with_jacobian(q)
        firm = (self._FIRM * self.schema.spread) ** 2 * np.eye(place.shape[-1])
        pull = np.linalg.solve(slope @ slope.swapaxes(-1, -2) + firm, slope).swapaxes(-1, -2)
        return place, slope, np.asarray(pull)

    def _moved(self, q: Array, move: Array) -> Array:
        """Postures (…, n_joints) a step on; a habit stays within what has been felt."""
        known = self.schema.range
        q = q + np.minimum(np.maximum(move, -self._STRIDE), self._STRIDE)
        return np.minimum(np.maximum(q, known.free_low), known.free_high)

    def _remembered(self) -> tuple[Array, KDTree, Array, Array]:
        """Places (p, d) of the postures kept, a tree of them, J (p, d, n_joints) and J⁺."""
        geometry, postures, kept = self.schema.chain.parameters, self.cortex.postures, self._kept
        if kept is None or kept[0] is not geometry or kept[1] is not postures:
            place, slope, pull = self._look(postures)
            self._kept = kept = geometry, postures, place, KDTree(place), slope, pull
        return kept[2:]
