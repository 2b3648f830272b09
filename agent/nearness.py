"""Nearness: what a step towards a place is worth to a body that is paid for being there."""

import numpy as np
from numpy.typing import NDArray

from agent.percept import Array


class Nearness:
    r"""Values the way made towards a place, apart from what being there pays.

    .. math:: \rho_t = w\, H\, a_t + (r_t + w\, d_t)

    the approach a_t, valued by what being that far away would have cost over the horizon H, plus
    what else the reward says (potential-based shaping, Ng, Harada & Russell 1999): standing near
    would otherwise pay more than coming nearer. w is the regression of reward r on distance d, 1
    per unit while unknown.

    Attributes:
        relation: means of d and r, variance of d, covariance of d and r, steps counted.

    Args:
        horizon: steps H.

    """

    _HARM = 2.0  # (Reward below the mean from which an early end is harm, over the mean's size)
    _LEAST = 0.01  # (Reward per unit of distance under which it is taken not to pay nearness)
    _FADE = 1e-4  # (Rate at which old distances and rewards are forgotten)

    def __init__(self, horizon: int):
        self._horizon = horizon
        self.relation = np.zeros(5)

    def hurts(self, reward: Array) -> NDArray[np.bool_]:
        """Whether rewards (n,) tell of harm: far worse than what this task is used to.

        Where there is a place to go to, an episode may end early by arriving there.
        """
        usual = self.relation[1]
        return np.asarray(reward < usual - self._HARM * abs(usual))

    def worth(self, reward: Array, way: Array, distance: Array) -> Array:
        """Worth (n,) of steps, of which this learns what nearness pays.

        Args:
            reward: (n,) received.
            way: (n,) made towards where each body heads, m.
            distance: (n,) from its place after the step, m.

        """
        usual_d, usual_r, variance, covariance, steps = self.relation.tolist()
        for d, r in zip(distance.tolist(), reward.tolist(), strict=True):
            steps += 1.0
            rate, off_d, off_r = max(self._FADE, 1.0 / steps), d - usual_d, r - usual_r
            usual_d += rate * off_d
            usual_r += rate * off_r
            variance += rate * (off_d * off_d - variance)
            covariance += rate * (off_d * off_r - covariance)
        self.relation = np.array([usual_d, usual_r, variance, covariance, steps])
        weight = -covariance / variance if variance > 0.0 else 1.0
        if weight <= self._LEAST and usual_r > -usual_d:
            return self._horizon * way + reward
        weight = weight if weight > self._LEAST else 1.0
        return weight * self._horizon * way + (reward + weight * distance)
