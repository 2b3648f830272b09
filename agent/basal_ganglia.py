"""Basal ganglia: gate one of the proposed movements, and learn from dopamine what it was worth."""

import numpy as np
from numpy.typing import NDArray

from agent.config import BasalGangliaConfig
from agent.percept import Array
from agent.working_memory import BABBLE, REACH, REST


class BasalGanglia:
    r"""Gate and critic over motor programs.

    A proposal k comes with the return Ĝ that the cortex imagines for it. The critic knows how
    imagination of this kind has erred so far:

    .. math:: V_k = \hat G_k + w \cdot \psi_k, \qquad \psi_k = [1, \text{one-hot(vigour)}]

    The gate lets the proposal of the highest V through (while learning, by softmax). From then
    on every step's dopamine is the reward prediction error (Schultz, Dayan & Montague 1997,
    doi:10.1126/science.275.5306.1593)

    .. math:: \delta_t = r_t + V_{t+1} - V_t, \qquad
        V_t = \textstyle\sum_{s \ge t} \hat r_s + (w \cdot \psi_k)(1 - t / L)

    and the critic learns by TD(1): :math:`w \mathrel{+}= \alpha \delta_t \psi_k / |\psi_k|^2`,
    the eligibility ψ of the gated proposal lasting until its end at step L.

    Attributes:
        critic: w, (1 + n_vigours,), in units of return.

    """

    def __init__(self, n_vigours: int, config: BasalGangliaConfig, lesions: tuple[str, ...] = ()):
        self._config = config
        self._lesioned = "basal_ganglia" in lesions
        self._no_critic = "critic" in lesions or self._lesioned
        self.critic = np.zeros(1 + n_vigours)

    def value(self, imagined: Array, vigour: NDArray[np.int64]) -> Array:
        """Expect a return V of proposals (k,) of imagined return (k,) and vigour index (k,)."""
        return imagined + self.critic[0] + self.critic[1 + vigour]

    def gate(self, value: Array, rng: np.random.Generator | None) -> int:
        """Index of the proposal that goes through; by softmax where a generator is given."""
        if self._lesioned:
            # Without basal ganglia the cortex's first idea goes through, whatever it is worth.
            return 0
        if rng is None:
            return int(value.argmax())
        drive = (value - value.max()) / (self._config.temperature * abs(value.max()) + 1e-12)
        chance = np.exp(drive)
        return int(rng.choice(value.size, p=chance / chance.sum()))

    def learn(
        self, reward: Array, imagined: Array, vigour: NDArray[np.int64], length: Array
    ) -> Array:
        """Learn from one step of n bodies, each within a gated movement.

        Args:
            reward: (n,) received.
            imagined: (n,) reward that was imagined for this step.
            vigour: (n,) vigour index of the movement.
            length: (n,) steps L that it was imagined to last.

        Returns:
            Dopamine δ (n,).

        """
        dopamine = reward - imagined - (self.critic[0] + self.critic[1 + vigour]) / length
        if not self._no_critic:
            step = 0.5 * self._config.learning_rate * dopamine
            self.critic[0] += np.add.reduce(step)
            self.critic[1:] += np.bincount(vigour, step, len(self.critic) - 1)
        return dopamine

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"critic": self.critic}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.critic = state["critic"].copy()


class ProgramGate:
    r"""Which motor program pays: the actor-critic over whole programs.

    The critic knows the reward per step w_p that program p has earned. When a bout of L steps
    ends, dopamine is the reward prediction error and moves it,

    .. math:: \delta = \tfrac{1}{L} \sum_t r_t - w_p, \qquad
        w_p \leftarrow w_p + \delta / \min(k_p, 1/\alpha)

    with k_p the bouts of p so far. The actor lets every program that can run have a bout, then by
    softmax of w (Sutton & Barto 2018, ch. 2 and 13),

    .. math:: p \propto \exp\left( \frac{w_p - w_{best}}{d\, s}\, \sqrt{\min_p k_p} \right)

    with s what bouts of one program differ by, the root of the mean square of δ, or what programs
    differ by if that is less. So a program that has been worse by more than chance explains is not
    tried again, however long the body lives, and two that are alike go on being compared.

    Attributes:
        worth: w, (n_programs,), reward per step.
        bouts: k, (n_programs,).
        noise: s², mean square of δ over all bouts but the first of each program.
        scale: usual size of a step's reward.

    """

    _SATURATION = 10.0  # (Reward beyond so many times the usual size counts no more)
    _SLOW = 0.01  # (Rate at which the usual size is learnt)

    def __init__(self, n_programs: int, n: int, config: BasalGangliaConfig):
        self._config = config
        self.worth, self.bouts = np.zeros(n_programs), np.zeros(n_programs)
        self.noise, self.scale = 0.0, 0.0
        self.resize(n)

    @property
    def _compared(self) -> float:
        """How many bouts could be compared with earlier ones of the same program."""
        return float(np.maximum(self.bouts - 1.0, 0.0).sum())

    def resize(self, n: int) -> None:
        """Go on with n bodies; bouts under way are not counted."""
        self._earned, self._steps = np.zeros(n), np.zeros(n)

    def saturate(self, reward: Array) -> Array:
        """Reward (n,) as dopamine neurons can signal it: one glitch is not worth a lifetime."""
        if self.scale == 0.0:
            self.scale = float(np.abs(reward).mean())
            return reward
        most = self._SATURATION * self.scale
        reward = np.minimum(np.maximum(reward, -most), most)
        mean = float(np.add.reduce(np.abs(reward))) / len(reward)
        self.scale += self._SLOW * (mean - self.scale)
        return reward

    def let_through(
        self,
        program: NDArray[np.int64],
        able: tuple[bool, ...],
        rng: np.random.Generator | None,
    ) -> NDArray[np.int64]:
        """Give every body that has no program the best that can run by now.

        Args:
            program: (n,) what each body runs, as working memory numbers it.
            able: (n_programs,) whether reaching, crawling, travelling can run.
            rng: to explore with; None to perform.

        Returns:
            Program (n,) of each body. Where none is able, a body that explores babbles.

        """
        idle = program < REACH
        if not np.count_nonzero(idle):
            return program
        program = program.copy()
        if not any(able):
            program[idle] = REST if rng is None else BABBLE
            return program
        for body in np.flatnonzero(idle):
            program[body] = REACH + self.choose(np.array(able), rng)
        return program

    def choose(self, able: NDArray[np.bool_], rng: np.random.Generator | None) -> int:
        """Index of a program among those that are able, (n_programs,); exploring with a generator.

        The order of programs is that in which untried ones are preferred.
        """
        options = np.flatnonzero(able)
        if len(options) == 1:
            return int(options[0])
        tried = self.bouts[options] > 0
        if not tried.all() and (rng is not None or not tried.any()):
            return int(options[~tried][0])
        options = options[tried]
        worth = self.worth[options]
        if rng is None:
            return int(options[worth.argmax()])
        differ = np.ptp(worth)
        if self._compared:
            differ = min(differ, np.sqrt(self.noise))
        drive = (worth - worth.max()) / (self._config.doubt * differ + 1e-12)
        chance = np.exp(drive * np.sqrt(self.bouts[options].min()))
        return int(rng.choice(options, p=chance / chance.sum()))

    def learn(
        self, program: NDArray[np.int64], reward: Array, ended: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Learn from one step of n bodies.

        Args:
            program: (n,) what each runs, as working memory numbers it.
            reward: (n,) received.
            ended: (n,) whether its bout is over.

        Returns:
            Dopamine (n,) of the bouts that are over, 0 elsewhere.

        """
        self._earned += reward
        self._steps += 1.0
        dopamine = np.zeros(len(reward))
        if not np.count_nonzero(ended):
            return dopamine
        for body in np.flatnonzero(ended & (program >= REACH)):
            p = program[body] - REACH
            dopamine[body] = self._earned[body] / self._steps[body] - self.worth[p]
            self.bouts[p] += 1.0
            if self.bouts[p] > 1.0:
                rate = max(self._config.learning_rate, 1.0 / self._compared)
                self.noise += rate * (dopamine[body] ** 2 - self.noise)
            rate = max(self._config.learning_rate, 1.0 / self.bouts[p])
            self.worth[p] += rate * dopamine[body]
        self._earned[ended], self._steps[ended] = 0.0, 0.0
        return dopamine

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        under_way = np.stack([self._earned, self._steps])
        return {
            "worth": self.worth,
            "bouts": self.bouts,
            "under_way": under_way,
            "noise": np.array(self.noise),
            "scale": np.array(self.scale),
        }

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.worth, self.bouts = state["worth"].copy(), state["bouts"].copy()
        self._earned, self._steps = state["under_way"].copy()
        self.noise, self.scale = float(state["noise"]), float(state["scale"])
