"""Skill: reaches by habit where that is as good as planning, and by plan elsewhere."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.config import BrainConfig
from agent.motor_cortex import MotorCortex
from agent.motor_programs.dreams import Dreams
from agent.motor_programs.reaching import Reaching
from agent.percept import Array, Body
from agent.working_memory import REACH, STRETCH, Memory, rows_of

DOUBTED, PLANNED, HABITUAL = -1, 0, 1
"""How a movement came about; DOUBTED until the episode ends: planned, because a habit failed."""


class Now(NamedTuple):
    """Where bodies are on their courses.

    Attributes:
        angle: (n, n_joints) felt, rad.
        velocity: (n, n_joints) felt, rad/s.
        course: (n, 3 n_motors) angles, velocities and commands that the course has now.
        way: (n, n_joints) from the angles felt to those of the course, rad.

    """

    angle: Array
    velocity: Array
    course: Array
    way: Array


@dataclass
class Skill:
    r"""Gates habits of the motor cortex before the planner is asked, and runs them.

    Before a movement, the cortex hands over its whole course, and the commands u* and inertia M
    that belong to it. On the way nothing is imagined and nothing chosen:

    .. math:: u_t = u^*_t + M \left( \omega^2 (q^*_t - q_t) + 2 \zeta \omega (v^*_t - v_t) \right)
        + b_t, \qquad b_t = b_{t-1} + \rho \left( u_{t-1} - u^*_{t-1} + M (s_t - s_{t-1}) / h -
        b_{t-1} \right), \qquad s = v^* - v

    with the reflex of `agent.spinal_cord.SpinalCord` and the fast state of
    `agent.cerebellum.Cerebellum`: what was given beyond the prepared command, and yet did not
    speed the joints up, is needed.

    The planner takes over, for the rest of the episode, when the body is off its course, or is
    seen to miss the goal; and altogether, until the next night, when returns awake fall behind
    what was expected (`MotorCortex.trusted`). Without basal ganglia planning cannot choose any
    more; what is a habit by then runs as before.

    Attributes:
        asked: how many movements were begun: by plan and by habit.

    """

    reaching: Reaching
    cortex: MotorCortex
    dreams: Dreams
    config: BrainConfig
    asked: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))

    _MOVED = 0.01  # (Change of the goal at which another movement is due, over the reach)
    _STILL = 0.5  # (Velocity, over the usual one, from which on a body is not at rest)
    _GLANCE = 5  # (Steps between looks at whether the goal was reached)
    _MISSED = 0.05  # (Distance at which it was not, over the reach)
    _SETTLED = 0.8  # (Share of the course after which it should have been)
    _FAILURE = np.array([-0.2])  # (Surprise that a habit which had to be given up stands for)
    _believed: tuple[tuple[int, int], Array, Array] = ((-1, -1), np.zeros(0), np.zeros(0))
    _set: tuple[Body | None, NDArray[np.int64]] = (None, np.zeros(0, np.int64))

    def act(
        self,
        memory: Memory,
        channels: Array,
        rng: np.random.Generator | None,
        learning: bool,
        episode_length: int,
    ) -> Array:
        """Command (n, n_motors) of n bodies that reach; arguments as those of `Reaching.act`."""
        reaching = self.reaching
        if not self.cortex.trusted or reaching.efference.lag:
            self._give_up(memory, memory["habit"] == HABITUAL, PLANNED)
            return self._plan(memory, channels, rng, learning, episode_length)
        body = reaching.schema.known
        due = self._due(memory, channels, body)
        if np.count_nonzero(due):
            self._begin(memory, channels, np.flatnonzero(due & (memory["habit"] != DOUBTED)))
        angle, velocity = reaching.senses.angles(channels, body), channels[:, body.velocity]
        habitual = memory["habit"] == HABITUAL
        count = np.count_nonzero(habitual)
        if not count:
            return self._plan(memory, channels, rng, learning, episode_length)
        now = self._look(memory, angle, velocity)
        wrong = self._wrong(memory, channels, now.way, body) & habitual
        if np.count_nonzero(wrong):
            self._give_up(memory, wrong, DOUBTED)
            habitual &= ~wrong
            if learning:
                self.cortex.judge(np.repeat(self._FAILURE, np.count_nonzero(wrong)))
            count = np.count_nonzero(habitual)
        if count == len(habitual):
            return self._run(memory, channels, now, rng)
        if not count:
            return self._plan(memory, channels, rng, learning, episode_length)
        command = np.empty_like(memory["last_command"])
        for rows in (np.flatnonzero(habitual), np.flatnonzero(~habitual)):
            part, seen = rows_of(memory, rows), channels[rows]
            if habitual[rows[0]]:
                command[rows] = self._run(part, seen, Now(*(x[rows] for x in now)), rng)
            else:
                command[rows] = self._plan(part, seen, rng, learning, episode_length)
            for name, value in part.items():
                memory[name][rows] = value
        return command

    def _plan(
        self,
        memory: Memory,
        channels: Array,
        rng: np.random.Generator | None,
        learning: bool,
        episode_length: int,
    ) -> Array:
        """Let the planner act, and remember where it began movements, to dream of them."""
        reaching = self.reaching
        command = reaching.act(memory, channels, rng, episode_length)
        new = np.flatnonzero(memory["plan_step"] == 1)
        self.asked[0] += len(new)
        if learning and len(new):
            percept = reaching.senses.percept(channels[new], reaching.schema.known)
            aim = np.zeros((len(new), 3))
            aim[:, : percept.outcome.shape[1]] = reaching.schema.aim(percept)
            still = self._still(percept.velocity)
            self.cortex.note(percept.angle[still], percept.velocity[still], aim[still])
        return command

    def _still(self, velocity: Array) -> NDArray[np.bool_]:
        """Which bodies (n,) are as good as at rest: habits begin there."""
        slow = np.abs(velocity) < self._STILL * self.reaching.cerebellum.velocity_scale
        return np.asarray(slow.all(axis=1))

    @staticmethod
    def _give_up(memory: Memory, wrong: NDArray[np.bool_], instead: int) -> None:
        """Let the habits of some bodies (n,) go: the planner is asked at once."""
        if np.count_nonzero(wrong):
            memory["habit"] = np.where(wrong, instead, memory["habit"])
            memory["plan_length"] = np.where(wrong, 0, memory["plan_length"])

    def _due(self, memory: Memory, channels: Array, body: Body) -> NDArray[np.bool_]:
        """Bodies (n,) whose movement has ended, or whose goal has moved."""
        if self._set[0] is not body:
            self._set = body, np.concatenate([body.goal, body.context])
        setting = self._set[1]
        over = memory["plan_step"] >= memory["plan_length"]
        if setting.size:
            now, then = (x.take(setting, axis=1) for x in (channels, memory["plan_setting"]))
            if np.count_nonzero(now != then):
                far = np.abs(now - then) > self._MOVED * self.reaching.schema.spread
                over = over | far.any(axis=1)
        return np.asarray(over)

    def _look(self, memory: Memory, angle: Array, velocity: Array) -> Now:
        """Compare what is felt with the courses."""
        course = memory["habit_course"][np.arange(len(angle)), memory["plan_step"]]
        way = course[:, : angle.shape[1]] - angle
        if np.count_nonzero(np.abs(way) > np.pi):  # (A joint has gone round.)
            way = self.reaching.schema.difference(course[:, : angle.shape[1]], angle)
        return Now(angle, velocity, course, way)

    def _wrong(self, memory: Memory, channels: Array, way: Array, body: Body) -> NDArray[np.bool_]:
        """Bodies (n,) that are off their course, or should be at the goal by now and are not."""
        schema, t = self.reaching.schema, memory["plan_step"]
        wrong = np.maximum.reduce(np.abs(way), axis=1) > self.config.motor_cortex.doubt
        late = t % self._GLANCE == 0
        if np.count_nonzero(late):
            late &= t >= self._SETTLED * memory["plan_length"]
        if np.count_nonzero(late):
            percept = self.reaching.senses.percept(channels, body)
            seen = np.linalg.norm(percept.outcome - percept.goal, axis=1)
            wrong |= late & (seen > self._MISSED * schema.spread)
        return np.asarray(wrong)

    def _begin(self, memory: Memory, channels: Array, rows: NDArray[np.int64]) -> None:
        """Recall the movements of bodies `rows`, with their commands; leave alone the strange."""
        if not len(rows):
            return
        reaching, dreams = self.reaching, self.dreams
        schema, cerebellum = reaching.schema, reaching.cerebellum
        percept = reaching.senses.percept(channels, schema.known)
        reaching.guidance.begin(memory, percept)
        aim = reaching.guidance.aims(memory, percept, rows)[rows]
        way, distance, familiar = dreams.recall(percept.angle[rows], aim)
        familiar &= self._still(percept.velocity[rows])
        memory["habit"][rows] = np.where(familiar, HABITUAL, PLANNED)
        if not familiar.all():
            memory["plan_length"][rows[~familiar]] = 0
            rows, way, distance = rows[familiar], way[familiar], distance[familiar]
        if not len(rows):
            return
        self.asked[1] += len(rows)
        start = percept.angle[rows], percept.velocity[rows]
        (angle, velocity, acceleration), costs = dreams.movement(*start, way, distance)
        middle = 0.5 * (angle[:, 1:] + angle[:, :-1]), 0.5 * (velocity[:, 1:] + velocity[:, :-1])
        h, m = acceleration.shape[1:]
        course = memory["habit_course"]
        course[rows, : h + 1, :m], course[rows, : h + 1, m : 2 * m] = angle, velocity
        course[rows, :h, 2 * m :] = cerebellum.inverse(*middle, acceleration)
        halfway = np.minimum(np.arange(0, h, STRETCH) + STRETCH // 2, h)
        memory["habit_inertia"][rows, : len(halfway)] = self._inertia(angle[:, halfway])
        memory["habit_expected"][rows] = schema.reward.offset * h - costs
        memory["habit_earned"][rows] = 0.0
        memory["plan_length"][rows], memory["plan_step"][rows] = h, 0
        memory["plan_setting"][rows] = channels[rows]

    def _inertia(self, angle: Array) -> Array:
        """Command per acceleration, (…, n_joints, n_joints), at postures (…, n_joints).

        None of its elements is believed beyond what it is where movements began: on a course that
        is only dreamt of, the reflex must not be led by what the model never saw.
        """
        cerebellum, cortex = self.reaching.cerebellum, self.cortex
        known = cortex.count, cerebellum.learnt
        if self._believed[0] != known:
            usual = cerebellum.inertia(cortex.remembered()[0])
            self._believed = known, usual.min(axis=0), usual.max(axis=0)
        return np.clip(cerebellum.inertia(angle), *self._believed[1:])

    def _run(
        self,
        memory: Memory,
        channels: Array,
        now: Now,
        rng: np.random.Generator | None,
    ) -> Array:
        """Command (n, n_motors) that keeps every body on its course."""
        reaching, schema = self.reaching, self.reaching.schema
        angle, velocity, course, way = now
        m, t = angle.shape[1], memory["plan_step"]
        inertia = memory["habit_inertia"][np.arange(len(t)), t // STRETCH]
        slip, given = course[:, m : 2 * m] - velocity, course[:, 2 * m :]
        under_way = np.count_nonzero(t)
        if under_way:
            slower = (inertia @ (slip - memory["habit_slip"])[:, :, None])[:, :, 0]
            missed = memory["last_command"] - memory["habit_given"] + slower / schema.step
            fast = reaching.cerebellum.settle(memory["fast_state"], missed)
            some = under_way < len(t)
            memory["fast_state"] = np.where((t > 0)[:, None], fast, 0.0) if some else fast
        pull = reaching.spinal_cord.pull(way, slip, schema.step)
        command = given + memory["fast_state"]
        command += (inertia @ pull[:, :, None])[:, :, 0]
        if rng is not None:
            command += reaching.config.reach.noise * rng.normal(size=command.shape)
        outcome = channels[:, schema.known.outcome]
        memory["plan_step"], memory["habit_slip"], memory["habit_given"] = t + 1, slip, given
        memory["last_angle"], memory["last_velocity"] = angle, velocity
        memory["last_outcome"][:, : outcome.shape[1]] = outcome
        memory["felt"][:] = True
        memory["last_command"] = np.minimum(np.maximum(command, -1.0), 1.0)
        if reaching.trace.enabled:
            reaching.trace.record(
                angle=angle,
                wanted_angle=course[:, :m],
                fast_state=memory["fast_state"],
                habit=memory["habit"],
            )
        return memory["last_command"]

    def learn(self, reward: Array, memory: Memory, ended: NDArray[np.bool_]) -> None:
        """Judge habits by what movements brought, once they are over.

        Args:
            reward: (n,) of this step.
            memory: working memory returned by the `act` that chose the commands.
            ended: (n,) bodies whose episode is over.

        """
        if not np.count_nonzero(memory["habit"] == HABITUAL):
            return
        habitual = (memory["habit"] == HABITUAL) & (memory["program"] == REACH)
        memory["habit_earned"] = np.where(habitual, memory["habit_earned"] + reward, 0.0)
        steps, length = memory["plan_step"], memory["plan_length"]
        over = habitual & (ended | (steps >= length)) & (10 * steps >= 9 * length)
        done = np.flatnonzero(over)
        if len(done):
            expected = memory["habit_expected"][done]
            surprise = (memory["habit_earned"][done] - expected) / (np.abs(expected) + 1e-12)
            self.cortex.judge(surprise)

    def sleep(self, episode_length: int, rng: np.random.Generator) -> bool:
        """Compile what was planned into habits; returns whether there was anything to compile."""
        longest = self.config.reach.horizon
        horizon = episode_length if episode_length > 0 else longest
        return self.dreams.night(int(np.clip(horizon, 10, longest)), rng)
