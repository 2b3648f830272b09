"""Skill: reaches by habit where that is as good as planning, and by plan elsewhere."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.config import BrainConfig
from agent.motor_cortex import MotorCortex
from agent.motor_programs.dreams import Dreams
from agent.motor_programs.practised import Layout, Now, Practised
from agent.motor_programs.reaching import Reaching
from agent.percept import Array, Body
from agent.working_memory import REACH, STRETCH, Memory, rows_of

DOUBTED, PLANNED, HABITUAL = -1, 0, 1
_HABITUAL = np.array(HABITUAL)  # (It needs no conversion)
"""How a movement came about; DOUBTED until the episode ends: planned, because a habit failed."""


@dataclass
class Skill:
    r"""Gates habits of the motor cortex before the planner is asked, and runs them.

    Before a movement, the cortex hands over its whole course, and the commands and inertia that
    belong to it; on the way nothing is imagined and nothing chosen
    (`agent.motor_programs.practised.Practised`).

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

    def __post_init__(self) -> None:
        reaching = self.reaching
        self._practised = Practised(reaching.senses, reaching.cerebellum, reaching.spinal_cord)

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
        where = self._practised.layout(body)
        due = memory["plan_step"] >= memory["plan_length"]
        begins = np.count_nonzero(due)
        if np.count_nonzero(channels[:, where.setting] != memory["plan_setting"][:, where.setting]):
            due |= self._moved(memory, channels, where)
            begins = np.count_nonzero(due)
        if begins:
            self._begin(memory, channels, np.flatnonzero(due & (memory["habit"] != DOUBTED)))
        habitual = memory["habit"] == _HABITUAL
        count = np.count_nonzero(habitual)
        if not count:
            return self._plan(memory, channels, rng, learning, episode_length)
        now = self._practised.look(memory, channels, where, body)
        wrong = self._wrong(memory, channels, now, body)
        if wrong is not None and np.count_nonzero(wrong & habitual):
            wrong &= habitual
            self._give_up(memory, wrong, DOUBTED)
            habitual &= ~wrong
            if learning:
                self.cortex.judge(np.repeat(self._FAILURE, np.count_nonzero(wrong)))
            count = np.count_nonzero(habitual)
        if count == len(habitual):
            return self._run(memory, channels, now, where, rng)
        if not count:
            return self._plan(memory, channels, rng, learning, episode_length)
        command = np.empty_like(memory["last_command"])
        for rows in (np.flatnonzero(habitual), np.flatnonzero(~habitual)):
            part, seen = rows_of(memory, rows), channels[rows]
            if habitual[rows[0]]:
                command[rows] = self._run(part, seen, Now(*(x[rows] for x in now)), where, rng)
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

    def _moved(self, memory: Memory, channels: Array, where: Layout) -> NDArray[np.bool_]:
        """Bodies (n,) whose goal has moved too far for the movement under way."""
        moved = channels[:, where.setting] - memory["plan_setting"][:, where.setting]
        far = np.abs(moved) > self._MOVED * self.reaching.schema.spread
        return np.asarray(far.any(axis=1))

    def _wrong(
        self, memory: Memory, channels: Array, now: Now, body: Body
    ) -> NDArray[np.bool_] | None:
        """Bodies (n,) that are off their course, or should be at the goal by now and are not.

        None where all is well, as far as can be told at a glance.
        """
        schema, doubt = self.reaching.schema, self.config.motor_cortex.doubt
        felt, course, way = now
        m = way.shape[1] // 2
        off = np.abs(way[:, :m])
        size = np.maximum.reduce(off, axis=None)
        look = np.count_nonzero(course[:, -1])
        if size <= doubt and not look:
            return None
        if size > np.pi:  # (A joint has gone round.)
            way[:, :m] = schema.difference(course[:, :m], felt[:, :m])
            off = np.abs(way[:, :m])
        wrong = off.max(axis=1) > doubt
        if look:
            percept = self.reaching.senses.percept(channels, body)
            seen = np.linalg.norm(percept.outcome - percept.goal, axis=1)
            wrong |= (course[:, -1] > 0) & (seen > self._MISSED * schema.spread)
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
        course[rows, :h, 2 * m : 3 * m] = cerebellum.inverse(*middle, acceleration)
        times = np.arange(h + 1)
        course[rows, : h + 1, 3 * m] = (times % self._GLANCE == 0) & (times >= self._SETTLED * h)
        halfway = np.minimum(np.arange(0, h, STRETCH) + STRETCH // 2, h)
        memory["felt"][rows] = True
        inertia = self._inertia(angle[:, halfway])
        self._practised.begin(memory, rows, inertia, schema.step)
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
        where: Layout,
        rng: np.random.Generator | None,
    ) -> Array:
        """Command (n, n_motors) that keeps every body on its course."""
        reaching, noise = self.reaching, None
        if rng is not None:
            noise = reaching.config.reach.noise * rng.normal(size=memory["last_command"].shape)
        step = reaching.schema.step
        command = self._practised.run(memory, channels, now, where, step, noise)
        if reaching.trace.enabled:
            reaching.trace.record(
                angle=memory["last_angle"],
                wanted_angle=now.course[:, : command.shape[1]],
                fast_state=memory["fast_state"],
                habit=memory["habit"],
            )
        return command

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
