"""Crawling: the motor program that moves the whole body by a rhythm, and seeks a better one."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.config import BrainConfig
from agent.critic import Critic
from agent.habit_search import HabitSearch
from agent.head_direction import HeadDirection
from agent.joints import Joints
from agent.motor_programs import crawling_state
from agent.motor_programs.gait import Gait
from agent.motor_programs.steering import Steering
from agent.percept import Array
from agent.proprioception import Proprioception
from agent.senses import Senses
from agent.spinal_cord import PatternGenerator, Rhythm
from agent.trace import Trace
from agent.working_memory import Memory


@dataclass
class _Life:
    """What there is once the joints are known."""

    joints: Joints
    gait: Gait
    search: HabitSearch
    rhythm: Rhythm
    habit: Rhythm | None = None

    @cached_property
    def proprioception(self) -> Proprioception:
        """What is believed of the joints."""
        return Proprioception(self.joints)

    @cached_property
    def channels(self) -> NDArray[np.int64]:
        """Channels that belong to joints."""
        joints = self.joints
        channels = np.concatenate([joints.cosine, joints.sine, joints.velocity])
        return channels[channels >= 0]  # (There is no cosine where the angle itself is given)


class Crawling:
    r"""Runs one gait per body, and hands every step's worth to the critic and the search.

    On tasks that name a place to go to, a step is worth

    .. math:: \rho_t = w\, H\, a_t + (r_t + w\, d_t)

    the approach, valued by what being that far away would have cost over the critic's horizon H,
    plus what else the reward says (potential-based shaping, Ng, Harada & Russell 1999): standing
    near would otherwise pay more than coming nearer. w is the regression of reward on distance, 1
    per unit while unknown, and a_t the way made in this step towards where the body heads: its
    goal, or what it practises.

    Attributes:
        steering: where the bodies head.
        critic: what the condition that a body is in is worth.

    """

    _HARM = 2.0  # (Reward below the mean from which an early end is harm, over the mean's size)
    _LEAST = 0.01  # (Reward per unit of distance under which it is taken not to pay nearness)
    _FADE = 1e-4  # (Rate at which old distances and rewards are forgotten)

    def __init__(
        self, senses: Senses, config: BrainConfig, n: int, rng: np.random.Generator, trace: Trace
    ):
        self._senses, self._config, self._n, self._rng = senses, config, n, rng
        self._trace, lesions = trace, config.lesions
        self.steering = Steering(senses, n, rng, "heading" in lesions)
        self._head_direction = HeadDirection()
        self.critic = Critic(senses.n_channels, n, config.critic, "critic" in lesions)
        self._relation = np.zeros(5)  # (Means of d and r, var(d), cov(d, r), steps counted)
        self._life: _Life | None = None
        self._error = np.zeros(n)  # (Heading error that the latest commands answered)

    @property
    def available(self) -> bool:
        """Whether there are joints to move."""
        return self._life is not None

    def begin(self, joints: Joints) -> None:
        """Begin to search, with joints that babbling has found."""
        if "body_schema" in self._config.lesions:
            joints = _shuffled(joints, self._rng)
        gait = self._gait(joints)
        first = gait.draw(self._config.search.first, self._rng)
        search = HabitSearch(first, gait.period, self._n, self._config.search, self._rng)
        self._life = _Life(joints, gait, search, gait.rhythm(search.parameters))

    def _gait(self, joints: Joints) -> Gait:
        middle, half = 0.5 * (joints.low + joints.high), 0.5 * (joints.high - joints.low)
        return Gait(joints.step, middle, half, joints.gain, self._config.gait)

    def resize(self, n: int) -> None:
        """Go on with n bodies."""
        self._n, self._error = n, np.zeros(n)
        self.steering.resize(n)
        self.critic.resize(n)
        if self._life is not None:
            self._life.search.resize(n)
            self._life.rhythm = self._life.gait.rhythm(self._life.search.parameters)

    def act(
        self, memory: Memory, channels: Array, bodies: NDArray[np.int64] | None = None
    ) -> Array:
        """Command (n, n_motors) of n bodies that crawl.

        Args:
            memory: working memory of these bodies; updated.
            channels: (n, n_channels).
            bodies: which of those that learn they are; None to perform the habit.

        """
        life = self._life
        if life is None:
            raise RuntimeError("the joints have not been found yet")
        if bodies is None:
            if life.habit is None:
                life.habit = life.gait.rhythm(self._habit(life)[None])
            rhythm = life.habit
        else:
            rhythm = life.rhythm if len(bodies) == self._n else life.rhythm.take(bodies)
        error = self._heading_error(life, memory, channels, bodies)
        wanted = PatternGenerator.posture(rhythm, memory["phase"], error)
        joints = life.joints
        felt = self._senses.angles(channels, joints)
        first = int(bodies[0]) if bodies is not None and len(bodies) else None
        angle, velocity = life.proprioception.feel(memory, channels, felt, wanted, first)
        if self._trace.enabled:
            unsteered = PatternGenerator.posture(rhythm, memory["phase"], None)
            self._trace.record(angle=angle, wanted_angle=wanted, steering=wanted - unsteered)
        memory["phase"] = memory["phase"] + rhythm.advance
        self._trace.record(phase=memory["phase"])
        if error is not None:
            self._trace.record(heading_error=error)
        return PatternGenerator.follow(rhythm, wanted, angle, velocity)

    def _habit(self, life: _Life) -> Array:
        explorer = life.search.explorer
        if "habit" in self._config.lesions and explorer is not None:
            return explorer.centre
        return life.search.habit

    def _heading_error(
        self, life: _Life, memory: Memory, channels: Array, bodies: NDArray[np.int64] | None
    ) -> Array | None:
        steering = self.steering
        if steering.heading is None:
            return None
        if bodies is not None:
            steering.choose(channels, bodies, life.search.practising)
        off, known = self._head_direction.believe(
            memory, channels, steering.heading, not steering.to_goals
        )
        error = steering.error(channels, bodies, off)
        assert error is not None
        error *= known
        if bodies is not None:
            self._error[bodies] = error
        return error

    def look(self, before: Array, after: Array, memory: Memory) -> None:
        """Watch how the body is turned, and look for the heading now and then."""
        life = self._life
        joints = None if life is None else life.joints
        found = self.steering.look(before, after, memory["episode"], memory["steps"], joints)
        if found and life is not None:
            life.search.begin_anew()

    def learn(
        self,
        before: Array,
        reward: Array,
        after: Array,
        terminated: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        bodies: NDArray[np.int64],
    ) -> Array:
        """Learn from one step of the bodies that crawl.

        Args:
            before: (n, n_channels) of all bodies.
            reward: (n,).
            after: (n, n_channels).
            terminated: (n,) ended before the time was up.
            ended: (n,) the episode is over.
            bodies: those of the n that crawled.

        Returns:
            Dopamine (n,).

        """
        life = self._life
        if life is None or not len(bodies):
            return np.zeros(len(reward))
        worth, fell = reward, terminated
        if len(self._senses.desired):
            worth, fell = self._worth(before, reward, after), terminated & self._hurts(reward)
        active = np.zeros(len(reward), bool)
        active[bodies] = True
        felt = self.steering.error(after, np.arange(len(reward)))
        error = np.zeros(len(reward)) if felt is None else felt
        self.critic.feel(before, self._error, worth, after, error, fell, ended, active)
        if self.critic.due:
            places = self._senses.achieved, self._senses.desired
            self.critic.fit(np.concatenate([life.channels, *places]))

        def credit(over: NDArray[np.int64]) -> Array:
            return self.critic.credit(over, after, error, fell)

        if self._trace.enabled:
            habits = life.search.habits
            expected = habits.mean[habits.best] if len(habits) else np.nan
            self._trace.record(worth=worth, expected_worth=np.full(len(worth), expected))
        begun = life.search.learn(worth, fell, ended, active, credit)
        if len(begun):
            life.rhythm.put(begun, life.gait.rhythm(life.search.parameters[begun]))
            life.habit = None
            self.steering.begin(begun)
        return life.search.dopamine

    def _hurts(self, reward: Array) -> NDArray[np.bool_]:
        """Whether rewards (n,) tell of harm: far worse than what this task is used to.

        Where there is a place to go to, an episode may end early by arriving there.
        """
        usual = self._relation[1]
        return np.asarray(reward < usual - self._HARM * abs(usual))

    def _worth(self, before: Array, reward: Array, after: Array) -> Array:
        way, now = self.steering.approach(before, after)
        usual_d, usual_r, variance, covariance, steps = self._relation.tolist()
        for d, r in zip(now.tolist(), reward.tolist(), strict=True):
            steps += 1.0
            rate, off_d, off_r = max(self._FADE, 1.0 / steps), d - usual_d, r - usual_r
            usual_d += rate * off_d
            usual_r += rate * off_r
            variance += rate * (off_d * off_d - variance)
            covariance += rate * (off_d * off_r - covariance)
        self._relation = np.array([usual_d, usual_r, variance, covariance, steps])
        weight = -covariance / variance if variance > 0.0 else 0.0
        weight = weight if weight > self._LEAST else 1.0
        return weight * self._config.critic.horizon * way + (reward + weight * now)

    def summary(self) -> dict[str, float]:
        """Scalars worth logging."""
        if self._life is None:
            return {}
        habits = self._life.search.habits
        return {
            "heading_known": float(self.steering.heading is not None),
            "habit_worth": float(habits.mean[habits.best]) if len(habits) else 0.0,
            "habits": float(len(habits)),
        }

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"steering.{k}": v for k, v in self.steering.state().items()}
        state |= {f"critic.{k}": v for k, v in self.critic.state().items()}
        state["relation"] = self._relation
        if self._life is not None:
            for f in fields(Joints):
                state[f"joints.{f.name}"] = np.asarray(getattr(self._life.joints, f.name))
            state |= {f"search.{k}": v for k, v in self._life.search.state().items()}
            expected = self._life.proprioception.expectation.state()
            state |= {f"expected.{k}": v for k, v in expected.items()}
        return state

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        c, method = self._senses.n_channels, self._config.search.method
        crawling_state.check(state, self._senses.n_motors, self._n, c, method)

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.steering.load_state(_part(state, "steering."))
        self.critic.load_state(_part(state, "critic."))
        self._relation = state["relation"].copy()
        self._life = None
        parts = _part(state, "joints.")
        if parts:
            values: dict[str, Any] = {name: value.copy() for name, value in parts.items()}
            joints = Joints(**{**values, "step": float(values["step"])})
            gait, told = self._gait(joints), _part(state, "search.")
            first, rng = told["first"], np.random.default_rng(0)
            search = HabitSearch(first, gait.period, self._n, self._config.search, rng)
            search.load_state(told)
            self._life = _Life(joints, gait, search, gait.rhythm(search.parameters))
            self._life.proprioception.expectation.load_state(_part(state, "expected."))


def _part(state: dict[str, NDArray], prefix: str) -> dict[str, NDArray]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _shuffled(joints: Joints, rng: np.random.Generator) -> Joints:
    """Take the joints of a body for each other."""
    order = np.roll(rng.permutation(len(joints.sine)), 1)
    return replace(
        joints,
        cosine=joints.cosine[order],
        sine=joints.sine[order],
        velocity=joints.velocity[order],
    )
