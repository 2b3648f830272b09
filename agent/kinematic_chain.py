"""Body geometry: which point in space a posture brings the hand to."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class KinematicChain:
    r"""A chain of rotating joints whose axes and lengths are learnt from what is seen.

    .. math:: y_j = p_j + R(a_j, q_j)\,(y_{j+1} - p_j), \qquad y_{n+1} = \text{tip}, \qquad
              \hat x = (y_1)_{1..d} + C c

    Joint j turns by angle q_j about the axis a_j through the point p_j (product of exponentials,
    Brockett 1984, doi:10.1007/BFb0031048). What is born in is that a body is a chain of rigid
    pieces; axes, points and tip are found by Levenberg–Marquardt from pairs of posture and seen
    outcome, as in the learnt body schema of Hersch, Sauser & Billard (2008,
    doi:10.1142/S0219843608001376).

    Attributes:
        parameters: (6 n + 3 + d c,) axes a (n × 3), points p (n × 3), tip (3), context matrix C
            (d × c); lengths in the outcome's unit.
        n_joints: n.
        n_outcome: d, 1 to 3.
        n_context: c, numbers that shift the outcome whatever the posture (a target's place when
            the outcome is given relative to it).

    """

    def __init__(self, n_joints: int, n_outcome: int, n_context: int = 0):
        if not 1 <= n_outcome <= 3:
            raise ValueError(f"an outcome has 1 to 3 coordinates in space, not {n_outcome}")
        self.n_joints, self.n_outcome, self.n_context = n_joints, n_outcome, n_context
        self.parameters = np.zeros(6 * n_joints + 3 + n_outcome * n_context)
        self.parameters[0 : 3 * n_joints : 3] = 1.0
        self._turned: tuple[bytes, Array] = b"", np.empty(0)

    def randomise(self, scale: float, rng: np.random.Generator) -> None:
        """Start from random axes, and points `scale` (the outcome's unit) around the origin."""
        n = self.n_joints
        self.parameters[:] = 0.0
        self.parameters[: 3 * n] = rng.normal(size=3 * n)
        self.parameters[3 * n : 6 * n + 3] = scale * rng.normal(size=3 * n + 3)

    def __call__(self, angle: Array, context: Array | None = None) -> Array:
        """Outcome (…, d) of postures (…, n) in context (…, c)."""
        outcome: Array = self._walk(angle, self.parameters)[0][..., : self.n_outcome]
        return outcome + self.shift(context) if context is not None else outcome

    def shift(self, context: Array) -> Array:
        """Add-on (…, d) to the outcome by the context (…, c)."""
        return context @ self._unpack(self.parameters)[3].T

    def with_jacobian(self, angle: Array) -> tuple[Array, Array]:
        """Outcome (…, d) of postures (…, n), and its change by each joint, (…, d, n)."""
        n, d, shape = self.n_joints, self.n_outcome, angle.shape[:-1]
        point, tip = self._unpack(self.parameters)[1:3]
        turns = self._turns(self.parameters)
        flat = angle.reshape(-1, n).T[..., None]
        # The tip and its change by each joint on the way from there are turned together.
        vectors = np.empty((n + 1, flat.shape[1], 3))
        points = np.empty((n, flat.shape[1], 3))
        shares = np.empty((n, flat.shape[1], 6))
        points[:] = point[:, None]
        shares[..., :3], shares[..., 3:] = np.sin(flat), 1.0 - np.cos(flat)
        place = vectors[n]
        place[:] = tip
        for j in range(n - 1, -1, -1):
            place -= points[j]
            turned, turn = vectors[j + 1 :], turns[j]
            sides = turned.reshape(-1, 3).dot(turn).reshape(n - j, -1, 6)
            sides *= shares[j]
            turned += sides[..., :3]
            turned += sides[..., 3:]
            vectors[j] = place.dot(turn[:, :3])
            place += points[j]
        slope = vectors[:n, :, :d].transpose(1, 2, 0).reshape(*shape, d, n)
        return place[:, :d].reshape(*shape, d), slope

    def fit(self, angle: Array, context: Array, outcome: Array, iterations: int = 60) -> float:
        """Move the parameters to explain N postures; stops when that is done or stuck.

        Args:
            angle: (N, n) joint angles.
            context: (N, c).
            outcome: (N, d) as seen.
            iterations: most Levenberg–Marquardt steps.

        Returns:
            Root mean square error over all coordinates, in the outcome's unit.

        """
        theta, damping = self.parameters, 1e-2
        exact = 1e-6 * float(np.std(outcome, axis=0).max()) + 1e-12
        error = self._error(theta, angle, context, outcome)
        cost = error @ error
        identity = np.eye(theta.size)
        for _ in range(iterations):
            slope = self._slope(theta, angle, context)
            curvature, descent = slope.T @ slope, slope.T @ error
            while True:
                trial = theta + np.linalg.solve(curvature + damping * identity, descent)
                trial_error = self._error(trial, angle, context, outcome)
                trial_cost = trial_error @ trial_error
                if trial_cost < cost or damping > 1e8:
                    break
                damping *= 4.0
            if not trial_cost < cost:
                break
            settled = cost - trial_cost < 1e-6 * cost
            theta, error, cost = trial, trial_error, trial_cost
            damping = max(damping / 3.0, 1e-9)
            if settled or cost < error.size * exact**2:
                break
        self.parameters = theta
        return float(np.sqrt(cost / error.size))

    def _unpack(self, theta: Array) -> tuple[Array, Array, Array, Array]:
        n = self.n_joints
        return (
            theta[: 3 * n].reshape(n, 3),
            theta[3 * n : 6 * n].reshape(n, 3),
            theta[6 * n : 6 * n + 3],
            theta[6 * n + 3 :].reshape(self.n_outcome, self.n_context),
        )

    def _turns(self, theta: Array) -> Array:
        """[Kᵀ, (K²)ᵀ] of each joint, (n, 3, 6), K the axis as a cross-product matrix.

        Rodrigues: a vector turned by q about the axis is v + sin q K v + (1 − cos q) K² v.
        """
        axis = self._unpack(theta)[0]
        key = axis.tobytes()
        if key != self._turned[0]:
            cross = _cross_matrix(axis / np.linalg.norm(axis, axis=1, keepdims=True))
            turns = np.concatenate([np.swapaxes(cross, -1, -2), cross @ cross], axis=-1)
            self._turned = key, turns
        return self._turned[1]

    def _walk(self, angle: Array, theta: Array) -> tuple[Array, list[Array]]:
        """From the tip to the root, for postures (…, n).

        Returns:
            The place (…, 3) in space, and the lever arms y − p before each joint's turn, (…, 3)
            each.

        """
        _, point, tip, _ = self._unpack(theta)
        turns = self._turns(theta)
        sine, bend = np.sin(angle), 1.0 - np.cos(angle)
        place = np.empty((*angle.shape[:-1], 3))
        place[:] = tip
        arms = []
        for j in range(self.n_joints - 1, -1, -1):
            arm = place - point[j]
            arms.append(arm)
            sides = arm @ turns[j]
            place = sine[..., j, None] * sides[..., :3] + bend[..., j, None] * sides[..., 3:]
            place += arm
            place += point[j]
        return place, arms[::-1]

    def _rotations(self, angle: Array, theta: Array) -> Array:
        """Turn of each joint as a matrix, (N, n, 3, 3), for postures (N, n)."""
        turns = np.swapaxes(self._turns(theta), -1, -2)
        sine, bend = np.sin(angle)[..., None, None], 1.0 - np.cos(angle)[..., None, None]
        return np.asarray(np.eye(3) + sine * turns[:, :3] + bend * turns[:, 3:])

    def _error(self, theta: Array, angle: Array, context: Array, outcome: Array) -> Array:
        """Outcome seen minus expected, (N d,)."""
        place = self._walk(angle, theta)[0]
        shift = context @ self._unpack(theta)[3].T
        return (outcome - place[:, : self.n_outcome] - shift).ravel()

    def _slope(self, theta: Array, angle: Array, context: Array) -> Array:
        """Change of the expected outcome by the parameters, (N d, ·)."""
        n, d = self.n_joints, self.n_outcome
        _, arms = self._walk(angle, theta)
        rotations = self._rotations(angle, theta)
        axis = self._unpack(theta)[0]
        slope = np.zeros((len(angle), d, theta.size))
        frame = np.broadcast_to(np.eye(3), (len(angle), 3, 3))
        cosine, sine = np.cos(angle)[..., None, None], np.sin(angle)[..., None, None]
        for j in range(n):
            length = np.linalg.norm(axis[j])
            unit, arm = axis[j] / length, arms[j]
            along = (arm @ unit)[:, None, None]
            by_axis = along * np.eye(3) + unit[:, None] * arm[:, None, :]
            by_axis = (1.0 - cosine[:, j]) * by_axis - sine[:, j] * _cross_matrix(arm)
            by_axis = by_axis @ ((np.eye(3) - np.outer(unit, unit)) / length)
            slope[:, :, 3 * j : 3 * j + 3] = (frame @ by_axis)[:, :d]
            by_point = frame @ (np.eye(3) - rotations[:, j])
            slope[:, :, 3 * (n + j) : 3 * (n + j) + 3] = by_point[:, :d]
            frame = frame @ rotations[:, j]
        slope[:, :, 6 * n : 6 * n + 3] = frame[:, :d]
        for i in range(d):
            first = 6 * n + 3 + i * self.n_context
            slope[:, i, first : first + self.n_context] = context
        return slope.reshape(len(angle) * d, -1)


def _cross_matrix(vector: Array) -> NDArray[np.float64]:
    """(…, 3) to (…, 3, 3) such that the matrix times w is the cross product with w."""
    matrix = np.zeros((*vector.shape, 3))
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    matrix[..., 0, 1], matrix[..., 0, 2], matrix[..., 1, 2] = -z, y, -x
    matrix[..., 1, 0], matrix[..., 2, 0], matrix[..., 2, 1] = z, -y, x
    return matrix
