"""Velocity sense: which changes of velocity are a push, and which are noise."""

import math

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
        # (Body by body in plain floats: for few bodies, arrays take several times longer)
        push, noises = np.zeros_like(felt), memory["velocity_noise"].tolist()
        least = (self._SLOW * strength) ** 2
        expected, placed = memory["expected"].tolist(), memory["placed"].tolist()
        for body, ((vx, vy), (sx, sy)) in enumerate(zip(felt.tolist(), seen.tolist(), strict=True)):
            (ex, ey), noise = expected[body], noises[body]
            # (Nothing is expected yet of a body that has only just begun)
            dx, dy = (vx - ex, vy - ey) if placed[body] else (0.0, 0.0)
            size, speed = dx * dx + dy * dy, ex * ex + ey * ey
            if size > self.odd(noise * speed, deviation, strength) ** 2:
                push[body] = dx, dy
            if speed > least:
                wrong = min(size, (vx - sx) ** 2 + (vy - sy) ** 2)
                change = min(0.5 * wrong / speed, 9.0 * noise + self._NOISE_FLOOR) - noise
                noises[body] = noise + self._NOISE_RATE * change
        memory["velocity_noise"] = np.array(noises)
        return push

    def odd(self, sense: float, deviation: float, strength: float) -> float:
        """Size of an error of velocity from which it is a push, m/s.

        Args:
            sense: variance of the noise of what is felt, (m/s)².
            deviation: as in `push`.
            strength: as in `push`.

        """
        explained = self._OUTLIER * deviation + self._NOISY * math.sqrt(sense)
        return max(explained, self._LEAST_PUSH * strength)
