"""Skill: reaches by habit where that is as good as planning, and by plan elsewhere."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.config import BrainConfig
from agent.motor_cortex import MotorCortex
from agent.motor_programs.dreams import Dreams
from agent.motor_programs.guidance import Guidance
from agent.motor_programs.practised import LOOK, Layout, Now, Practised, Routine
from agent.motor_programs.reaching import Reaching
from agent.percept import Array, Body
from agent.working_memory import NOWHERE, REACH, Memory, make_own, rows_of

DOUBTED, PLANNED, HABITUAL = -1, 0, 1
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

    _PREPARED = (
        *Guidance.PREPARED,
        "felt",
        "habit",
        "habit_course",
        "habit_slip",
        "habit_given",
        "habit_expected",
        "habit_earned",
        "plan_length",
        "plan_step",
        "plan_setting",
    )  # (What is written to when movements begin)
    _MOVED = 0.01  # (Change of the goal at which another movement is due, over the reach)
    _STRETCH = 5  # (Steps of a movement over which a limb's inertia is taken for the same)
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
            if not learning:
                make_own(memory)
            self._give_up(memory, memory["habit"] == HABITUAL, PLANNED)
            return self._plan(memory, channels, rng, learning, episode_length)
        schema = reaching.schema
        body, doubt = schema.known, self.config.motor_cortex.doubt
        where = self._practised.layout(body, doubt, self._MOVED * schema.spread)
        now = self._practised.look(memory, channels, where, body)
        if now.well:
            return self._run(memory, now, rng)
        begun = self._due(memory, channels, where)
        if np.count_nonzero(begun):
            self._begin(memory, channels, where, np.flatnonzero(begun), own=learning)
            now = self._practised.look(memory, channels, where, body)
            if now.well:
                return self._run(memory, now, rng)
        habitual = self._stay(memory, channels, now, begun, body, learning)
        count = np.count_nonzero(habitual)
        if count == len(habitual):
            return self._run(memory, now, rng)
        if not learning:
            make_own(memory)
        if not count:
            return self._plan(memory, channels, rng, learning, episode_length)
        return self._part(memory, channels, now, habitual, rng, learning, episode_length)

    def _part(
        self,
        memory: Memory,
        channels: Array,
        now: Now,
        habitual: NDArray[np.bool_],
        rng: np.random.Generator | None,
        learning: bool,
        episode_length: int,
    ) -> Array:
        """Command (n, n_motors) of bodies some of which, `habitual` (n,), move by habit."""
        command = np.empty_like(memory["last_command"])
        for rows in (np.flatnonzero(habitual), np.flatnonzero(~habitual)):
            part, seen = rows_of(memory, rows), channels[rows]
            if habitual[rows[0]]:
                felt, course, way, answer = (part[rows] for part in now[:4])
                here = Now(felt, course, way, answer, now.well)
                command[rows] = self._run(part, here, rng)
            else:
                command[rows] = self._plan(part, seen, rng, learning, episode_length)
            for name, value in part.items():
                memory[name][rows] = value
        return command

    def _due(self, memory: Memory, channels: Array, where: Layout) -> NDArray[np.bool_]:
        """Bodies (n,) that are to begin a movement, by habit if there is one for it."""
        due = memory["plan_step"] >= memory["plan_length"]
        if np.count_nonzero(due) < len(due):
            moved = channels[:, where.setting] - memory["plan_setting"][:, where.setting]
            if np.count_nonzero(moved):
                due |= (np.abs(moved) > self._MOVED * self.reaching.schema.spread).any(axis=1)
        due &= memory["habit"] != DOUBTED
        return due

    def _stay(
        self,
        memory: Memory,
        channels: Array,
        now: Now,
        begun: NDArray[np.bool_],
        body: Body,
        learning: bool,
    ) -> NDArray[np.bool_]:
        """Give up habits that failed; returns which bodies (n,) move by habit."""
        habitual: NDArray[np.bool_] = memory["habit"] == HABITUAL
        under_way = habitual & ~begun
        if np.count_nonzero(under_way):
            wrong = self._wrong(channels, now, body) & under_way
            failed = np.count_nonzero(wrong)
            if failed:
                self._give_up(memory, wrong, DOUBTED)
                habitual &= ~wrong
                if learning:
                    self.cortex.judge(np.repeat(self._FAILURE, failed))
        return habitual

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
            course = memory["habit_course"]
            memory["habit"] = np.where(wrong, instead, memory["habit"])
            memory["plan_length"] = np.where(wrong, 0, memory["plan_length"])
            memory["habit_course"] = np.where(wrong[:, None, None], NOWHERE, course)

    def _wrong(self, channels: Array, now: Now, body: Body) -> NDArray[np.bool_]:
        """Bodies (n,) that are off their course, or should be at the goal by now and are not.

        A joint that seems far off may have gone round: its way is made the shortest one.
        """
        schema, m, doubt = self.reaching.schema, len(body.sine), self.config.motor_cortex.doubt
        off, felt = now.way[:, :m], now.felt[:, :m]
        far = np.abs(off) > doubt
        if np.count_nonzero(far):
            off[:] = schema.difference(off + felt, felt)
            far = np.abs(off) > doubt
        wrong: NDArray[np.bool_] = np.logical_or.reduce(far, axis=1)
        looks = now.way[:, 2 * m] > 0.5 * LOOK
        if np.count_nonzero(looks):
            miss = channels.take(body.outcome, 1)
            if len(body.goal):
                miss -= channels.take(body.goal, 1)
            wrong |= looks & (np.vecdot(miss, miss) > (self._MISSED * schema.spread) ** 2)
        return wrong

    def _begin(
        self, memory: Memory, channels: Array, where: Layout, rows: NDArray[np.int64], own: bool
    ) -> None:
        """Recall the movements of bodies `rows`, with their commands; leave alone the strange.

        What is written to in the memory is copied before, unless it is the brain's `own`.
        """
        if not own:
            make_own(memory, self._PREPARED)
        reaching, dreams = self.reaching, self.dreams
        schema, cerebellum = reaching.schema, reaching.cerebellum
        percept = reaching.senses.percept(channels, schema.known)
        reaching.guidance.begin(memory, percept)
        aim = reaching.guidance.aims(memory, percept, rows).take(rows, 0)
        start = percept.angle.take(rows, 0), percept.velocity.take(rows, 0)
        way, distance, familiar = dreams.recall(start[0], aim)
        familiar &= self._still(start[1])
        memory["habit"][rows] = np.where(familiar, HABITUAL, PLANNED)
        if not familiar.all():
            memory["plan_length"][rows[~familiar]] = 0
            memory["habit_course"][rows[~familiar]] = NOWHERE
            rows, way, distance = rows[familiar], way[familiar], distance[familiar]
            start = start[0][familiar], start[1][familiar]
        if not len(rows):
            return
        self.asked[1] += len(rows)
        (angle, velocity, acceleration), costs = dreams.movement(*start, way, distance)
        middle = 0.5 * (angle[:, 1:] + angle[:, :-1]), 0.5 * (velocity[:, 1:] + velocity[:, :-1])
        h, seen = acceleration.shape[1], channels.take(rows, 0)
        times = np.arange(h)
        look = (times % self._GLANCE == 0) & (times >= self._SETTLED * h)
        stretches = np.minimum(times[:: self._STRETCH] + self._STRETCH // 2, h)
        inertia = self._inertia(angle.take(stretches, 1)).take(times // self._STRETCH, 1)
        command = cerebellum.inverse(*middle, acceleration)
        around = seen[:, where.setting]
        course = Routine(angle[:, :h], velocity[:, :h], command, inertia, look, around)
        self._practised.begin(memory, rows, course, schema.step)
        memory["felt"][rows] = True
        memory["habit_expected"][rows] = schema.reward.offset * h - costs
        memory["habit_earned"][rows] = 0.0
        memory["plan_length"][rows], memory["plan_step"][rows] = h, 0
        memory["plan_setting"][rows] = seen

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
        least, most = self._believed[1:]
        return np.minimum(np.maximum(cerebellum.inertia(angle), least), most)

    def _run(self, memory: Memory, now: Now, rng: np.random.Generator | None) -> Array:
        """Command (n, n_motors) that keeps every body on its course."""
        reaching, noise = self.reaching, None
        if rng is not None:
            noise = reaching.config.reach.noise * rng.normal(size=memory["last_command"].shape)
        command = self._practised.run(memory, now, noise)
        if reaching.trace.enabled:
            reaching.trace.record(
                angle=memory["last_angle"],
                wanted_angle=now.felt[:, : command.shape[1]] + now.way[:, : command.shape[1]],
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
