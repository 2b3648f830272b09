"""Velocity sense: which changes of velocity are a push, and which are noise."""

import numpy as np

from agent.percept import Array
from agent.working_memory import Memory


class VelocitySense:
    r"""Compares the velocity that is felt with the one that was expected, and feels bumps.

    What is expected is the law of motion's v̄ = c + A v + B u, from the copy of the command. ρ is
    the noise of the felt velocity over its size, as the body meets it:

    .. math:: \rho^2 \leftarrow \rho^2 + \eta\, \left(
        \min\left(\tfrac{1}{2} e^2 / \|\bar v\|^2,\;
        9 \rho^2 + \epsilon\right) - \rho^2 \right), \qquad
        e = \min\left(\|v - \bar v\|,\; \|v - \Delta x / h\|\right)

    What the place as it is seen has moved by, Δx in a step h, shows that a velocity was felt right,
    however odd it is: else who leans on a wall for long would take that for noise. A velocity that
    neither this noise nor the law's error explains is a push. (To weigh the two velocities by how
    far they can be trusted, as a Kalman filter does, was tried: a body that leans on a wall then
    believes that it moves into it.)
    """

    _NOISE_RATE = 0.05  # (η)
    _NOISE_FLOOR = 1e-3  # (ε: what one odd step may add to ρ²)
    _SLOW = 0.1  # (Of the strength: velocity below which noise cannot be told)
    _OUTLIER = 8.0  # (Deviations of the law from which something must have pushed)
    _NOISY = 5.0  # (Deviations of the noise from which it must)
    _LEAST_PUSH = 0.15  # (Of what a full command does in a step, from which it counts as a bump)

    def push(
        self, memory: Memory, felt: Array, seen: Array, deviation: float, strength: float
    ) -> Array:
        """Find what pushed the body, (n, 2) in m/s, 0 where nothing did.

        Args:
            memory: working memory; `velocity_noise` is updated.
            felt: (n, 2) velocity, m/s.
            seen: (n, 2) velocity of the place as it is seen, m/s.
            deviation: standard deviation of the law's error, m/s.
            strength: change of velocity by a full command in a step, m/s.

        """
        expected, noise = memory["expected"], memory["velocity_noise"]
        # (Nothing is expected yet of a body that has only just begun)
        error = (felt - expected) * memory["placed"][:, None]
        size, speed = (error * error).sum(axis=1), (expected * expected).sum(axis=1)
        bumped = size > self.odd(noise * speed, deviation, strength) ** 2
        least = (self._SLOW * strength) ** 2
        wrong = felt - seen
        wrong = np.minimum(size, (wrong * wrong).sum(axis=1))
        ratio = 0.5 * wrong / np.maximum(speed, least)
        change = np.minimum(ratio, 9.0 * noise + self._NOISE_FLOOR) - noise
        memory["velocity_noise"] = noise + self._NOISE_RATE * (speed > least) * change
        return np.asarray(error * bumped[:, None])

    def odd(self, sense: Array, deviation: float, strength: float) -> Array:
        """Size (n,) of an error of velocity from which it is a push, m/s.

        Args:
            sense: (n,) variance of the noise of what is felt, (m/s)².
            deviation: as in `push`.
            strength: as in `push`.

        """
        explained = self._OUTLIER * deviation + self._NOISY * np.sqrt(sense)
        return np.maximum(explained, self._LEAST_PUSH * strength)
