"""Crawling: the motor program that moves the whole body by a rhythm, and seeks a better one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.alarm import Alarm
from agent.amygdala import Amygdala
from agent.config import BrainConfig
from agent.critic import Critic
from agent.errors import StateError
from agent.head_direction import HeadDirection
from agent.hippocampus import Hippocampus
from agent.joints import Joints
from agent.motor_programs import crawling_state, practice
from agent.motor_programs.crawling_life import Life, shuffled
from agent.motor_programs.gait import Gait
from agent.motor_programs.journey import Journey
from agent.motor_programs.steering import Steering
from agent.nearness import Nearness
from agent.parts import part_of
from agent.percept import Array
from agent.prefrontal import Prefrontal
from agent.residual import Residual
from agent.senses import Senses
from agent.spinal_cord import PatternGenerator
from agent.trace import Trace
from agent.working_memory import Memory


class Crawling:
    """Runs one gait per body, and hands every step's worth to the critic and the search.

    On tasks that name a place to go to, a step is worth what `Nearness` says. Where the
    configuration asks for it, the habit is refined in the end (`Residual`) instead of sought.

    Attributes:
        steering: where the bodies head.
        critic: what the condition that a body is in is worth.

    """

    def __init__(
        self,
        senses: Senses,
        config: BrainConfig,
        n: int,
        rng: np.random.Generator,
        trace: Trace,
        fear: np.random.Generator,
        hippocampus: Hippocampus,
        prefrontal: Prefrontal,
    ):
        self._senses, self._config, self._n, self._rng = senses, config, n, rng
        self._trace, lesions = trace, config.lesions
        self.steering = Steering(senses, n, rng, "heading" in lesions)
        self._head_direction = HeadDirection()
        self.journey = Journey(senses, hippocampus, prefrontal)
        self.critic = Critic(senses.n_channels, n, config.critic, "critic" in lesions)
        places = np.append(senses.achieved, senses.desired)
        felt = np.setdiff1d(np.arange(senses.n_channels), places)
        self.amygdala = Amygdala(felt, n, config.amygdala, fear, "amygdala" in lesions)
        self._alarm = Alarm(n, config.amygdala.pause)
        self._nearness = Nearness(config.critic.horizon)
        self._life: Life | None = None
        # (Heading error that the latest commands answered, and places that they headed for)
        self._error, self._aim = np.zeros(n), np.zeros((n, 2))
        self.journey.resize(n)

    @property
    def available(self) -> bool:
        """Whether there are joints to move."""
        return self._life is not None

    @property
    def step(self) -> float:
        """Control step, s; only to be asked for once there are joints."""
        if self._life is None:
            raise RuntimeError("the joints have not been found yet")
        return self._life.joints.step

    def begin(self, joints: Joints) -> None:
        """Begin to search, with joints that babbling has found."""
        if "body_schema" in self._config.lesions:
            joints = shuffled(joints, self._rng)
        gait = self._gait(joints)
        first = gait.draw(self._config.search.first, self._rng)
        self._life = self._new_life(joints, gait, first, self._rng)

    def _new_life(self, joints: Joints, gait: Gait, first: Array, rng: np.random.Generator) -> Life:
        config = self._config.search
        life = Life.new(joints, gait, first, self._n, config, rng, self._put_back)
        life.residual = self._residual(rng)
        return life

    def _residual(self, rng: np.random.Generator) -> Residual | None:
        config, motors = self._config.residual, self._senses.n_motors
        if not config.after:
            return None
        return Residual(self._senses.n_channels, motors, self._n, config, rng)

    def _gait(self, joints: Joints) -> Gait:
        middle, half = 0.5 * (joints.low + joints.high), 0.5 * (joints.high - joints.low)
        return Gait(joints.step, middle, half, joints.gain, self._config.gait)

    def resize(self, n: int) -> None:
        """Go on with n bodies."""
        self._n, self._error, self._aim = n, np.zeros(n), np.zeros((n, 2))
        self.steering.resize(n)
        self.journey.resize(n)
        self.critic.resize(n)
        self.amygdala.resize(n)
        self._alarm.resize(n)
        if self._life is not None:
            self._life.search.resize(n)
            self._life.turning.resize(n)
            self._life.rhythm = self._life.gait.rhythm(self._life.search.parameters)
            if self._life.residual is not None:
                self._life.residual.resize(n)

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
        if bodies is None or life.refines:
            if life.habit is None:
                life.habit = life.gait.rhythm(self._habit(life)[None])
            rhythm = life.habit
        else:
            rhythm = life.rhythm if len(bodies) == self._n else life.rhythm.take(bodies)
        error = self._heading_error(life, memory, channels, bodies)
        wanted = PatternGenerator.posture(rhythm, memory["phase"], error)
        if self.amygdala.knows:
            lying = life.search.lying.mean
            fear = self.amygdala.freeze(memory, channels, lying)
            frozen = memory["frozen"] > 0
            if bodies is not None:
                tries = life.practising(even_recovering=False)[bodies]
                # (For who is put back a fall is no more than the end of a bout.)
                minds = tries & ~self.steering.lies(channels) & (not self._put_back)
                pauses = self._alarm.heed(bodies, self.amygdala.afraid(fear), minds)
                frozen = pauses | (frozen & ~tries)
            wanted = np.where(frozen[:, None], life.gait.middle, wanted)
            self._trace.record(fear=fear)
        joints = life.joints
        felt = self._senses.angles(channels, joints)
        first = int(bodies[0]) if bodies is not None and len(bodies) else None
        angle, velocity = life.proprioception.feel(memory, channels, felt, wanted, first)
        if self._trace.enabled:
            unsteered = PatternGenerator.posture(rhythm, memory["phase"], None)
            self._trace.record(angle=angle, wanted_angle=wanted, steering=wanted - unsteered)
        command = PatternGenerator.follow(rhythm, wanted, angle, velocity)
        plain, command = command, life.refine(self._n, memory, channels, error, command, bodies)
        if command is not plain:
            self._trace.record(refinement=command - np.clip(plain, -1.0, 1.0))
        memory["phase"] = memory["phase"] + rhythm.advance
        self._trace.record(phase=memory["phase"])
        if error is not None:
            self._trace.record(heading_error=error)
        return command

    @property
    def _put_back(self) -> bool:
        """Whether bodies are put back to a start after each bout.

        Those that have a place to go to live on: it is on their way that they learn.
        """
        return self._config.search.put_back and not len(self._senses.desired)

    @property
    def asks(self) -> NDArray[np.bool_]:
        """Which of n bodies ask to be put back to a start after this step, if they crawl, (n,).

        A bout that begins where the one before has left the body is judged by that, too.
        """
        life = self._life
        if life is None or not self._put_back:
            return np.zeros(self._n, np.bool_)
        if life.residual is not None and life.refines:
            return life.residual.asks(self._config.search.trial_steps)
        return life.search.finishing | life.search.recovering

    def _habit(self, life: Life) -> Array:
        lesioned = "habit" in self._config.lesions
        return life.search.attempt if lesioned else life.search.habit

    def _heading_error(
        self, life: Life, memory: Memory, channels: Array, bodies: NDArray[np.int64] | None
    ) -> Array | None:
        steering = self.steering
        if steering.heading is None:
            if bodies is not None and steering.to_goals:
                self._aim[bodies] = channels[:, self._senses.desired[:2]]
            return None
        if bodies is not None:
            self._choose(life, memory, channels, bodies)
        off, known = self._head_direction.believe(
            memory, channels, steering.heading, not steering.to_goals
        )
        aim = None
        if steering.to_goals:
            free = known & (memory["frozen"] == 0) & ~steering.lies(channels)
            if bodies is not None:
                free &= ~life.search.practising[bodies] | life.refines
            aim = self.journey.head(memory, channels, free, bodies is not None)
            self._trace.record(
                place=memory["place"], aim=aim, cell=memory["cell"], goal=memory["goal"]
            )
        error = steering.error(channels, bodies, off, aim)
        assert error is not None
        error *= known
        if aim is not None:
            error = self.journey.turn(memory, error)
        if bodies is not None:
            self._error[bodies] = error
            if aim is not None:
                self._aim[bodies] = aim
        return error

    def _choose(
        self, life: Life, memory: Memory, channels: Array, bodies: NDArray[np.int64]
    ) -> None:
        """Let bodies (k,) that practise choose a direction, or another one."""
        practising = life.practising(even_recovering=self.steering.pays)
        place = channels[:, self._senses.achieved[:2]]
        turned = practice.choose(
            self.steering, self.journey, memory, channels, place, bodies, practising
        )
        if len(turned):  # (No gait is credited with the other direction)
            felt = np.zeros((self._n, channels.shape[1]))
            felt[bodies] = channels
            self.critic.credit(turned, felt, self._error, np.zeros(self._n, np.bool_), keep=True)

    def look(self, before: Array, after: Array, reward: Array, memory: Memory) -> None:
        """Watch how the body is turned, and look for the heading and its worth now and then."""
        life = self._life
        joints = None if life is None else life.joints
        found = self.steering.look(
            before, after, reward, memory["episode"], memory["steps"], joints
        )
        if found and life is not None:
            life.search.begin_anew(even_late=self.steering.pays)

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
        self.steering.watch(before, after)
        worth, fell = self.steering.paid(before, after, reward), terminated
        away = np.ones(len(reward), bool)  # (Who has arrived has nothing left to do well)
        if len(self._senses.desired):
            way, distance = self.steering.approach(before, after, self._aim)
            worth = self._nearness.worth(reward, way, distance)
            fell = terminated & self._nearness.hurts(reward)
            away = ~(self.steering.heads_for_goal & self.journey.arrived(distance, ended))
            self.journey.learn(after[bodies], reward[bodies])
        active = np.zeros(len(reward), bool)
        active[bodies] = True
        pausing, broke_off = self._alarm.pausing & active, self._alarm.rang & active
        self._alarm.end(ended)
        lying, lay = self.steering.lies(after), self.steering.lies(before)
        fell = fell | (lying & ~lay & active)  # (Turning over is a fall, whoever else minds)
        self.amygdala.learn(before, fell, ended | fell, active & away & ~lay)
        active &= away & ~pausing
        up, over = active & ~lay, ended | fell
        felt = self.steering.error(after, np.arange(len(reward)), None, self._aim)
        error = np.zeros(len(reward)) if felt is None else felt
        self.critic.feel(before, self._error, worth, after, error, fell, over, up)
        if self.critic.due:
            places = self._senses.achieved, self._senses.desired
            # (Practice knows no direction of the world that is better than others.)
            turned = self.steering.turned_by if self.steering.pays else life.channels[:0]
            self.critic.fit(np.concatenate([life.channels, *places, turned]))

        def credit(over: NDArray[np.int64]) -> Array:
            return self.critic.credit(over, after, error, fell)

        if self._trace.enabled:
            habits = life.search.habits
            expected = habits.mean[habits.best] if len(habits) else np.nan
            self._trace.record(supervised_error=self.amygdala.error)
            self._trace.record(worth=worth, expected_worth=np.full(len(worth), expected))
        residual = life.residual
        if residual is not None:
            if residual.practises:
                # (Who lies is put back, where anybody is: nothing more is earned there.)
                for_good = fell & (ended | self._put_back)
                trial = self._config.search.trial_steps
                residual.learn(worth, for_good, ended, active, lying, trial)
                return residual.dopamine
            residual.wait(len(bodies), len(life.search.habits) > 0)
            if residual.practises:
                self.steering.begin(np.arange(self._n))
        heading, told = self.steering.heading, life.search.practising & ~fell
        if heading is not None:
            turn = np.asarray(heading.angle(after) - heading.angle(before), float)
            turn = turn - 2 * np.pi * np.rint(turn / (2 * np.pi))
            life.turning.watch(turn, self._error, active & ~ended & ~lying)
        tried = life.search.parameters.copy()
        begun = life.search.learn(worth, fell | broke_off, ended, active, credit, lying)
        stumbled = np.flatnonzero(pausing & lying & ~ended)
        if len(stumbled):
            life.search.stumble(stumbled)
            self._alarm.end(lying)
            begun = np.union1d(begun, stumbled)
        if len(begun):
            life.turning.end(begun, life.gait, tried, told)
            life.rhythm.put(begun, life.gait.rhythm(life.search.parameters[begun]))
            life.habit = None
            self.steering.begin(begun)
        return life.search.dopamine

    def summary(self) -> dict[str, float]:
        """Scalars worth logging."""
        if self._life is None:
            return {}
        habits, residual = self._life.search.habits, self._life.residual
        return {
            "heading_known": float(self.steering.heading is not None),
            "habit_worth": self._life.search.habit_worth,
            "habits": float(len(habits)),
        } | ({} if residual is None else {"residual_worth": residual.worth})

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        state = {f"steering.{k}": v for k, v in self.steering.state().items()}
        state |= {f"critic.{k}": v for k, v in self.critic.state().items()}
        state |= {f"amygdala.{k}": v for k, v in self.amygdala.state().items()}
        state |= {f"alarm.{k}": v for k, v in self._alarm.state().items()}
        state["relation"] = self._nearness.relation
        state["journey"] = self.journey.state()
        return state if self._life is None else state | self._life.state()

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        c, method = self._senses.n_channels, self._config.search.method
        refined = part_of(state, "residual.")
        self.amygdala.check_state(part_of(state, "amygdala."))
        apart = ("residual.", "amygdala.")
        rest = {key: value for key, value in state.items() if not key.startswith(apart)}
        crawling_state.check(rest, self._senses.n_motors, self._n, c, method)
        rng = np.random.default_rng(0)  # (Nothing is to change where a state is refused)
        residual = self._residual(rng) if "joints.step" in state else None
        if residual is not None:
            residual.check_state(refined)
        elif refined:
            raise StateError(
                "weights 'residual' are of a brain that refines its habit: this one does not"
            )

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.steering.load_state(part_of(state, "steering."))
        self.critic.load_state(part_of(state, "critic."))
        self.amygdala.load_state(part_of(state, "amygdala."))
        self._alarm.load_state(part_of(state, "alarm."))
        self._nearness.relation = state["relation"].copy()
        self.journey.load_state(state["journey"])
        self._life = None
        parts = part_of(state, "joints.")
        if parts:
            values: dict[str, Any] = {name: value.copy() for name, value in parts.items()}
            joints = Joints(**{**values, "step": float(values["step"])})
            gait, told = self._gait(joints), part_of(state, "search.")
            first, rng = told["tournament.parameters"], np.random.default_rng(0)
            self._life = self._new_life(joints, gait, first, rng)
            self._life.load_state(state)
