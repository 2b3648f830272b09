"""Cerebellum: the command that makes a wanted movement so, and what a command will feel like."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from agent.config import CerebellumConfig
from agent.percept import Array


class Cerebellum:
    r"""Granule expansion and Purkinje read-out, as an inverse model and its inversion.

    .. math:: \hat u = W \varphi(q, v, \dot v), \quad
        \varphi = [\,g_0(q),\; g_1(q) \otimes \dot v,\; v,\; v \otimes v\,], \quad
        g(q) = [1, \cos q, \sin q, \max(0, A [\cos q, \sin q] + b)]

    The granule cells are the rectified units of g (fixed random A, b; Marr 1969,
    doi:10.1113/jphysiol.1969.sp008820). Those of g₁ multiply the wanted acceleration: a gain
    field that can hold the posture-dependent inertia. û is affine in the acceleration, so that
    the forward model is the same weights solved for it (paired models, Wolpert & Kawato 1998,
    doi:10.1016/S0893-6080(98)00066-5):

    .. math:: \hat{\dot v} = M(q)^{-1} (u - W \varphi(q, v, 0)), \quad M = \partial \hat u /
        \partial \dot v

    The climbing-fibre error e = u − Wφ teaches by recursive least squares,

    .. math:: k = P\varphi / (r + \varphi^T P \varphi), \quad W \mathrel{+}= e k^T, \quad
        P \mathrel{-}= k \varphi^T P, \quad r = r_0 + \varphi^T G \varphi

    with G the prior variances. The noise r grows with the features' own size, as in the
    normalised LMS rule: without it a few violent accelerations rule the fit. P regains a small
    share of the prior at each step, so that learning never stops. Errors smaller than usual teach
    nothing worth the trouble: climbing fibres are silent most of the time, and so are these
    (set-membership filtering, Gollamudi et al. 1998, doi:10.1109/97.668945).

    Attributes:
        weights: W, (n_motors, n_features), commands as shares of the full command.
        covariance: P, (n_features, n_features), lower triangle.
        prior: diagonal of G, (n_features,).
        error_variance: σ², (n_motors,) running mean of e² / (r + φᵀPφ).
        jump_variance: (n_motors,) running mean of (e − fast state)².
        velocity_scale: (n_motors,) usual speed of each joint, rad/s.
        learnt: number of samples learnt from.

    """

    _NOISE_FLOOR = 0.05  # r0
    _LEAST_KNOCK = 0.05  # (Error, share of the full command, that is never a knock)
    _SMALL = 1e-3  # (Error, share of the full command, that is never distrusted)

    def __init__(
        self,
        n_motors: int,
        config: CerebellumConfig,
        rng: np.random.Generator,
        lesions: tuple[str, ...] = (),
    ):
        self._config, self._n = config, n_motors
        self._blind = "cerebellum" in lesions
        self._no_fast_state = "fast_state" in lesions or self._blind
        granules = "granule_cells" not in lesions
        n0 = config.gravity_granules if granules else 0
        n1 = config.gain_granules if granules else 0
        base = 2 * n_motors
        spread = 1.5 / np.sqrt(base)
        # Drawn whether lesioned or not, so that a lesion leaves all other chance as it was.
        draws = [
            rng.normal(size=(k, base + 1)) for k in (config.gravity_granules, config.gain_granules)
        ]
        drawn = [d[:k] for d, k in zip(draws, (n0, n1), strict=True)]
        self._granules = np.ascontiguousarray(np.vstack(drawn).T)
        self._granules[:-1] *= spread
        self._sizes = n0, n1
        self._mix_granules()
        self._upper = np.triu_indices(n_motors)
        posture = np.concatenate([np.ones(1 + base), np.full(n0, 5.0 / max(n0, 1))])
        gain = np.concatenate([[1.0], np.full(base, 0.3), np.full(n1, 5.0 / max(n1, 1))])
        squares = np.full(len(self._upper[0]), 0.1)
        self._gain_part = slice(len(posture), len(posture) + gain.size * n_motors)
        self._speed_part = slice(self._gain_part.stop, self._gain_part.stop + n_motors)
        self.prior = np.concatenate(
            [posture, np.repeat(gain, n_motors), np.ones(n_motors), squares]
        )
        self.velocity_scale = np.ones(n_motors)
        self._acceleration_scale = np.ones(n_motors)
        self.weights = np.zeros((n_motors, self.prior.size))
        self.covariance = np.zeros((self.prior.size, self.prior.size), order="F")
        self.error_variance = np.zeros(n_motors)
        self.jump_variance = np.zeros(n_motors)
        self.learnt = 0

    def begin(
        self, angle: Array, velocity: Array, acceleration: Array, command: Array, crude: Array
    ) -> NDArray[np.bool_]:
        """Take up what babbling has taught, robustly, from N samples in turn of (·, n_motors).

        Args:
            angle: of the joints at mid-step.
            velocity: at mid-step.
            acceleration: over the step.
            command: that was given.
            crude: (n_motors,) command per acceleration of each joint alone, to start from.

        Returns:
            (N, n_motors), where pain was felt: samples that no smooth dynamics explains.

        """
        self.velocity_scale = np.sqrt((velocity**2).mean(axis=0)) + 1e-9
        self._acceleration_scale = np.sqrt((acceleration**2).mean(axis=0)) + 1e-9
        knocked = self._find_knocks(angle, velocity, acceleration, command)
        joint = np.arange(self._n)
        gain = self.weights[:, self._gain_part].reshape(self._n, -1, self._n)
        gain[joint, 0, joint] = crude * self._acceleration_scale
        self.covariance[:] = np.diag(self._config.prior_scale * self.prior)
        inputs = self.features(angle, velocity, acceleration)
        scores = [np.zeros(self._n)]
        # What comes just before and after a knock may be part of it, too little of it to stand out.
        near = knocked.copy()
        near[1:] |= knocked[:-1]
        near[:-1] |= knocked[1:]
        for i in np.flatnonzero(~near) if not self._blind else ():
            error = command[i] - self.weights @ inputs[i]
            scores.append(error**2 / self._descend(inputs[i], error))
        self.error_variance = 2.2 * np.median(scores, axis=0)
        left = np.abs(command - inputs @ self.weights.T)
        self.jump_variance = (1.48 * np.median(left, axis=0)) ** 2
        self.learnt = int((~near).sum())
        main = left >= np.maximum(0.5 * left.max(axis=1, keepdims=True), self._LEAST_KNOCK)
        return main & knocked[:, None]

    def _find_knocks(
        self, angle: Array, velocity: Array, acceleration: Array, command: Array
    ) -> NDArray[np.bool_]:
        """Find samples (N,) that stand out from a robust fit of a linear law of motion.

        The fit begins with the least absolute errors, by iteratively reweighted least squares:
        squares would bend to the knocks, and then hide the weaker ones.
        """
        one = np.ones((len(angle), 1))
        law = np.concatenate([one, np.cos(angle), np.sin(angle), velocity, command], axis=1)
        law /= np.sqrt((law**2).mean(axis=0)) + 1e-9
        motion = acceleration / self._acceleration_scale
        knocked = np.zeros(len(angle), bool)
        ridge = 1e-3 * np.eye(law.shape[1])
        weight = np.ones(motion.T.shape)
        for _ in range(30):
            left = weight[:, None] * law.T
            slope = np.linalg.solve(left @ law + ridge, left @ motion.T[..., None])[..., 0]
            off = np.abs(motion - law @ slope.T)
            weight = 1.0 / (off + 1e-3).T
        for i in range(5):
            if i:
                x, y = law[~knocked], motion[~knocked]
                off = np.abs(motion - law @ np.linalg.solve(x.T @ x + ridge, x.T @ y))
            usual = 1.48 * np.median(off, axis=0) + 1e-3
            knocked = (off > self._config.outlier * usual).any(axis=1)
        return knocked

    def features(self, angle: Array, velocity: Array, acceleration: Array) -> Array:
        """Mossy-fibre and granule activity φ, (…, n_features), for (…, n_motors) each."""
        posture, gain = self._posture(angle)
        a = acceleration / self._acceleration_scale
        phi = np.empty((*a.shape[:-1], self.prior.size))
        phi[..., : self._gain_part.start] = posture
        by_gain = phi[..., self._gain_part].reshape(*gain.shape, self._n)  # (A view)
        np.multiply(gain[..., :, None], a[..., None, :], out=by_gain)
        v = phi[..., self._speed_part]
        np.divide(velocity, self.velocity_scale, out=v)
        first, second = self._upper
        products = phi[..., self._speed_part.stop :]
        np.multiply(v.take(first, axis=-1), v.take(second, axis=-1), out=products)
        return phi

    def inverse(self, angle: Array, velocity: Array, acceleration: Array) -> Array:
        """Command (…, n_motors) that brings about an acceleration (…, n_motors)."""
        return self.features(angle, velocity, acceleration) @ self.weights.T

    def inertia(self, angle: Array) -> Array:
        """Command per acceleration, M (…, n_motors, n_joints), at postures (…, n_motors)."""
        n = self._n
        gain = self._posture(angle)[1]
        on_gain = self.weights[:, self._gain_part].reshape(n, -1, n)
        inertia = gain @ np.swapaxes(on_gain, 0, 1).reshape(-1, n * n)
        return inertia.reshape(*angle.shape, n) / self._acceleration_scale

    def stiffness(self, angle: Array, acceleration: Array) -> Array:
        """Command per angle, ∂û/∂q (…, n_motors, n_joints), while moving with an acceleration."""
        n, direct = self._n, 1 + 2 * self._n
        n0 = self._sizes[0]
        base = np.concatenate([np.cos(angle), np.sin(angle)], axis=-1)
        active = base @ self._granules[:-1] + self._granules[-1] > 0.0
        on_gain = self.weights[:, self._gain_part].reshape(n, -1, n)
        moving = acceleration / self._acceleration_scale @ on_gain.reshape(-1, n).T
        moving = moving.reshape(*angle.shape, -1)
        on_posture = self.weights[:, : self._gain_part.start]
        by_base = on_posture[:, 1:direct] + moving[..., 1:direct]
        mix = self._granules[:-1].T
        weighed = (on_posture[:, direct:].T[..., None] * mix[:n0, None]).reshape(n0, 2 * n * n)
        by_base += (active[..., :n0].astype(float) @ weighed).reshape(by_base.shape)
        by_base += (moving[..., direct:] * active[..., None, n0:]) @ mix[n0:]
        return np.asarray(
            by_base[..., n:] * base[..., None, :n] - by_base[..., :n] * base[..., None, n:]
        )

    def viscosity(self) -> Array:
        """Command per velocity around rest, (n_motors, n_joints)."""
        return self.weights[:, self._speed_part] / self.velocity_scale

    def forward(self, angle: Array, velocity: Array, command: Array) -> Array:
        """Acceleration (…, n_motors) that a command (…, n_motors) will bring about."""
        rest = self.inverse(angle, velocity, np.zeros_like(angle))
        inertia = self.inertia(angle)
        ridge = 1e-6 * np.trace(inertia, axis1=-2, axis2=-1)[..., None, None] / self._n
        return np.linalg.solve(inertia + ridge * np.eye(self._n), (command - rest)[..., None])[
            ..., 0
        ]

    def correct(
        self,
        fast: Array,
        missed: Array,
        velocity: Array,
        edge: NDArray[np.bool_],
    ) -> Array:
        """Fast state after a step, (n, n_motors): what the model missed within this movement.

        b ← b + rate · clip(e − b) with e the climbing-fibre error (`missed`, (n, n_motors)), added
        to the next command and forgotten at the end of the trial; the fast process of Smith,
        Ghazizadeh & Shadmehr (2006, doi:10.1371/journal.pbio.0040179), here as fast as one
        movement. A joint that suddenly stands still where it should move, or does so at the edge
        of what is known of its range (`edge`, (n, n_motors)), is against something: it does not
        push harder.
        """
        still = np.abs(velocity) < 0.1 * self.velocity_scale
        if np.count_nonzero(still):
            blocked = still & (edge | (np.abs(missed - fast) > self._bound()))
            missed = np.where(blocked, fast, missed)
        if self._no_fast_state:
            return np.zeros_like(fast)
        bound = self._bound()
        jump = np.minimum(np.maximum(missed - fast, -bound), bound)
        return fast + self._config.fast_rate * jump

    def fast(self) -> tuple[float, Array]:
        """Rate of the fast state, and by how much (n_motors,) it follows an error at most."""
        return (0.0 if self._no_fast_state else self._config.fast_rate), self._bound()

    def _bound(self) -> Array:
        """Errors (n_motors,) that the fast state may miss and that are yet no knock."""
        return self._config.outlier * np.sqrt(self.jump_variance) + self._LEAST_KNOCK

    def learn(
        self,
        angle: Array,
        velocity: Array,
        acceleration: Array,
        command: Array,
        fast: Array,
        touching: NDArray[np.bool_],
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Learn from one step of each of n bodies.

        A model that is not good yet errs smoothly, and the fast state follows. What neither
        explains is a knock, and so is what a body that touches its limits feels: not learnt.

        Args:
            angle: of the joints at mid-step, (n, n_motors).
            velocity: at mid-step.
            acceleration: over the step.
            command: that was given.
            fast: fast state before the step.
            touching: (n,) bodies that touch a limit.

        Returns:
            Climbing-fibre error e, and where it was a knock, both (n, n_motors).

        """
        inputs = self.features(angle, velocity, acceleration)
        errors, knock = np.empty_like(command), np.zeros(command.shape, bool)
        for i, phi in enumerate(inputs):
            errors[i] = climbing_fibre = command[i] - self.weights @ phi
            jump = climbing_fibre - fast[i]
            size = np.abs(jump)
            passed = size > self._bound()
            if np.count_nonzero(passed):
                # A limit takes from its own joint; what the others show is the echo.
                knock[i] = passed & (size >= 0.5 * size.max())
            if np.count_nonzero(knock[i]):
                # A bound that is passed again and again is too narrow.
                self.jump_variance *= 1.02
                continue
            jump *= jump
            surprise = jump / (self.jump_variance + self._SMALL**2)
            self.jump_variance += 0.02 * (jump - self.jump_variance)
            dull = np.add.reduce(surprise) < self._config.silence * self._n
            if dull or touching[i] or self._blind:
                continue
            total = self._descend(phi, climbing_fibre, 1.0 + np.maximum.reduce(surprise) / 9.0)
            self.learnt += 1
            self.error_variance += 0.01 * (climbing_fibre**2 / total - self.error_variance)
        return errors, knock

    def _mix_granules(self) -> None:
        """Lay out how [1, cos, sin] becomes [g₀, g₁] before it is rectified, and where it is."""
        direct, n0 = 1 + 2 * self._n, self._sizes[0]
        granules = np.roll(self._granules, 1, axis=0)  # (Constant first)
        same = np.eye(direct)
        self._mix = np.hstack([same, granules[:, :n0], same, granules[:, n0:]])
        free, rectified = np.full(direct, -np.inf), np.zeros(granules.shape[1])
        self._floor = np.concatenate([free, rectified[:n0], free, rectified[n0:]])

    def _posture(self, angle: Array) -> tuple[Array, Array]:
        """Posture and gain-field activity g₀ (…, ·) and g₁ (…, ·)."""
        n = self._n
        base = np.empty((*angle.shape[:-1], 1 + 2 * n))
        base[..., 0] = 1.0
        np.cos(angle, out=base[..., 1 : 1 + n])
        np.sin(angle, out=base[..., 1 + n :])
        out = base @ self._mix
        np.maximum(out, self._floor, out=out)
        return out[..., : self._gain_part.start], out[..., self._gain_part.start :]

    def _descend(self, phi: Array, climbing_fibre: Array, distrust: float = 1.0) -> float:
        """One recursive least-squares step, in place; returns r + φᵀPφ as it was before.

        `distrust` multiplies the noise r: a sample that jumps out of line weighs less.
        """
        p_phi = blas.dsymv(1.0, self.covariance, phi, lower=1)
        noise = self._NOISE_FLOOR + phi @ (self.prior * phi)
        total = float(distrust * noise + phi @ p_phi)
        self.weights += np.multiply.outer(climbing_fibre, p_phi / total)
        blas.dsyr(-1.0 / total, p_phi, a=self.covariance, lower=1, overwrite_a=1)
        diagonal = self.covariance.ravel(order="K")[:: self.prior.size + 1]  # (A view)
        diagonal += self._config.drift * self._config.prior_scale * self.prior
        return total

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {
            "weights": self.weights,
            "covariance": np.ascontiguousarray(self.covariance),
            "error_variance": self.error_variance,
            "jump_variance": self.jump_variance,
            "velocity_scale": self.velocity_scale,
            "acceleration_scale": self._acceleration_scale,
            "granules": self._granules,
            "learnt": np.array(self.learnt),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.weights = state["weights"].copy()
        self.covariance = np.asfortranarray(state["covariance"])
        self.error_variance = state["error_variance"].copy()
        self.jump_variance = state["jump_variance"].copy()
        self.velocity_scale = state["velocity_scale"].copy()
        self._acceleration_scale = state["acceleration_scale"].copy()
        self._granules = state["granules"].copy()
        self._mix_granules()
        self.learnt = int(state["learnt"])
