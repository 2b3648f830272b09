"""Travel: the motor program that takes the body's place to a goal, by way of subgoals."""

import math

import numpy as np
from numpy.typing import NDArray

from agent.errors import StateError
from agent.hippocampus import Hippocampus
from agent.percept import Array, Transition
from agent.prefrontal import Prefrontal
from agent.self_motion import Motion, inputs
from agent.senses import Senses, full_at_most
from agent.trace import Trace
from agent.velocity_sense import VelocitySense
from agent.working_memory import Memory


class Travel:
    r"""Heads for the hippocampus's subgoals by a learnt controller of velocity.

    The law of motion is learnt by recursive least squares (Haykin 2002, Adaptive Filter Theory,
    ch. 9) and turned round:

    .. math:: v' = c + A v + B u, \qquad u = B^{-1} (v^* - c - A v)

    The wanted velocity v* points at the subgoal and is the largest from which the body can still
    stop there; it never exceeds that from which it can stop within the field of a place cell.
    A step whose velocity differs from the law's by far is a bump, and not learnt from.

    Attributes:
        motion: None until commands were found to move the place.
        deviation: standard deviation of the law's error, m/s.

    """

    _BRAKE = 0.6  # (Share of the full command that is counted on for braking)
    _FORGET = 0.9995  # (Forgetting factor of the law)
    _ARRIVED = 0.25  # (Distance over the spacing of places at which a subgoal counts as reached)
    _STALLED = 0.1  # (Share of the way at full speed under which a body is held up)
    _CAREFUL = 3  # (Half of the subgoals that it then chooses carefully, the first time)
    _THROUGH = 0.5  # (Share of full speed at which subgoals are passed)

    def __init__(
        self,
        senses: Senses,
        hippocampus: Hippocampus,
        prefrontal: Prefrontal,
        trace: Trace,
    ):
        self._senses, self._trace = senses, trace
        self.hippocampus, self.prefrontal = hippocampus, prefrontal
        config = hippocampus.config
        self._replan_every, self._spacing = config.replan_every, config.spacing
        self.motion: Motion | None = None
        self._velocity = VelocitySense()
        self._braking = self._fastest = 0.0
        size = 3 + senses.n_motors
        self._take(np.zeros((size, 2)))
        self._covariance = np.eye(size)
        self.deviation = 0.0
        self.bumps = 0

    @property
    def available(self) -> bool:
        """Whether commands are known to move the body's place."""
        return self.motion is not None

    def begin(self, motion: Motion) -> None:
        """Begin to travel, with a law of motion that babbling has shown."""
        self.motion = motion
        self._take(motion.law.copy())
        self._covariance = 1e-2 * np.eye(len(self._law))
        self.deviation = 1e-3 * self._strength

    def _take(self, law: Array) -> None:
        self._law, drive = law, law[3:]
        # B's pseudoinverse and least singular value, from the 2 × 2 matrix B'B.
        (a, b), (_, d) = (drive.T @ drive).tolist()
        half, det = 0.5 * (a + d), a * d - b * b
        solved = np.array([[d, -b], [-b, a]]) / det if det > 0.0 else np.zeros((2, 2))
        self._inverse = solved @ drive.T
        # Change of velocity that a full command makes in a step in the weakest direction, m/s
        self._strength = math.sqrt(max(half - math.sqrt(max(half * half - det, 0.0)), 0.0))
        step = 1.0 if self.motion is None else self.motion.step
        self._braking = self._BRAKE * self._strength / step
        # Largest velocity from which the body stops within the field of a place cell, m/s
        self._fastest = math.sqrt(2.0 * self._braking * self._spacing)

    def act(
        self, memory: Memory, channels: Array, rng: np.random.Generator | None, learning: bool
    ) -> Array:
        """Command (n, n_motors) of n bodies that travel.

        Args:
            memory: working memory of these bodies; updated.
            channels: (n, n_channels).
            rng: to explore with; None to perform.
            learning: whether what is done now will be learnt from.

        """
        motion, hippocampus = self.motion, self.hippocampus
        if motion is None:
            raise RuntimeError("the law of motion has not been found yet")
        velocity = channels.take(motion.velocity, axis=1)
        seen = channels.take(self._senses.achieved, axis=1)
        shown = (seen - memory["sight"]) / motion.step
        push = self._velocity.push(memory, velocity, shown, self.deviation, self._strength)
        hippocampus.sense(memory, motion.step * velocity, seen)
        if np.count_nonzero(push):
            self._feel_bumps(memory, push, learning)
        if not learning:
            self._keep_in_mind(memory)
        goal, wanted = self.prefrontal.hold(
            memory, channels.take(self._senses.desired, axis=1), seen
        )
        here, left = memory["place"], memory["aim_left"] - 1
        away = _ways(memory["aim"], here)
        near, last = self._ARRIVED * self._spacing, memory["aim_last"].tolist()
        memory["quest_left"] = memory["quest_left"] - 1
        late = [
            rest <= 0 or (length < near and not end)
            for rest, (_, _, length), end in zip(left.tolist(), away, last, strict=True)
        ]
        if any(late):
            due = np.flatnonzero(late)
            memory.update({name: memory[name].copy() for name in _CHOSEN})
            reach = motion.step * self._fastest
            self._notice_stalls(memory, due[left[due] == 0], reach, learning)
            for body in due:
                before = memory["aim"][body].copy(), bool(memory["aim_last"][body])
                self._aim(memory, int(body), velocity[body], goal, wanted, reach, learning)
                if left[body] == 0 and self._turns_back(memory, int(body), before[0], reach):
                    memory["aim"][body], memory["aim_last"][body] = before
            # (Time goes on where a subgoal was reached: who reaches one after the other and yet
            # does not get on is held up.)
            over = due[left[due] <= 0]
            memory["aim_from"][over] = memory["place"][over]
            left[over] = self._replan_every
        memory["aim_left"] = left
        command = self._drive(memory, velocity)
        self._trace.record(place=here, aim=memory["aim"], cell=memory["cell"], goal=goal)
        return command

    def _keep_in_mind(self, memory: Memory) -> None:
        """Remember for this episode where bodies are that the map does not know."""
        if lost := self.hippocampus.lost(memory):
            memory.update({name: memory[name].copy() for name in ("trail", "trailed")})
            for body in lost:
                self.hippocampus.ways.sketches.note_place(memory, body)

    def _notice_stalls(
        self, memory: Memory, bodies: NDArray[np.int64], reach: float, learning: bool
    ) -> None:
        """Let bodies be careful that have hardly moved since they chose their subgoal."""
        made = _ways(memory["place"][bodies], memory["aim_from"][bodies])
        left = _ways(memory["aim"][bodies], memory["place"][bodies])
        least = self._STALLED * self._replan_every * reach
        for body, (_, _, gone), (_, _, rest) in zip(bodies.tolist(), made, left, strict=True):
            careful = int(memory["careful"][body])
            # (A body at rest has not been held up: it has only just begun)
            held_up = gone < least and rest > max(gone, least)
            if held_up and memory["steps"][body] > 2 * self._replan_every:
                if careful > 0 and not learning:
                    self._block(memory, body)
                # Whoever has been held up again and again is careful for ever longer.
                memory["stalls"][body] += 1
                memory["careful"][body] = self._CAREFUL * 2 ** min(int(memory["stalls"][body]), 5)
            elif careful > 0:
                memory["careful"][body] = careful - 1

    def _turns_back(self, memory: Memory, body: int, before: Array, reach: float) -> bool:
        """Whether a careful body is about to turn back, though it came closer to its subgoal.

        Round a corner the way is not straight, and from where it bends the middle of the field
        that the body has just left is the nearer one.
        """
        if memory["careful"][body] == 0:
            return False
        here, start = memory["place"][body], memory["aim_from"][body]
        ahead = before - here
        closer = math.hypot(*(before - start).tolist()) - math.hypot(*ahead.tolist())
        if closer < self._STALLED * self._replan_every * reach:
            return False
        return bool(ahead @ (memory["aim"][body] - here) < 0.0)

    def _block(self, memory: Memory, body: int) -> None:
        """Take for a wall what holds up a body that was careful already."""
        back = memory["place"][body] - memory["aim"][body]
        size = math.hypot(*back.tolist())
        if size > 0.0:
            memory.update({name: memory[name].copy() for name in ("bumps", "bumped")})
            self.hippocampus.ways.sketches.note_bump(memory, body, back / size, known=True)

    def _aim(
        self,
        memory: Memory,
        body: int,
        velocity: Array,
        goal: Array,
        wanted: NDArray[np.bool_],
        reach: float,
        learning: bool,
    ) -> None:
        """Choose the subgoal of one body."""
        here, aim = memory["place"][body], None
        if learning:
            aim = self.hippocampus.ways.explore(memory, body, velocity, reach)
        last = False
        if aim is None and wanted[body]:
            careful = bool(memory["careful"][body] > 0)
            cell, ways = int(memory["cell"][body]), self.hippocampus.ways
            sketch = None if learning else ways.sketches.of(memory, body)
            aim = ways.subgoal(cell, here, goal[body], careful, sketch, "tight")
            if not learning:
                ways.sketches.reconsider(memory, body)
            last = bool((aim == goal[body]).all())
        elif aim is None:
            aim = self.hippocampus.ways.search(memory, body)
        memory["aim"][body] = here if aim is None else aim
        memory["aim_last"][body] = last

    def _drive(self, memory: Memory, velocity: Array) -> Array:
        """Command (n, n_motors) that brings the velocity (n, 2) towards the subgoals."""
        assert self.motion is not None
        fastest, slow = self._fastest, (self._THROUGH * self._fastest) ** 2
        close, wanted = 4 * self.motion.step, []
        ends = memory["aim_last"].tolist()
        for (x, y, away), last in zip(_ways(memory["aim"], memory["place"]), ends, strict=True):
            passing = 0.0 if last else slow
            speed = min(fastest, math.sqrt(passing + 2.0 * self._braking * away), away / close)
            # (Close by, what is left of the way is made in a few steps)
            share = speed / max(away, 1e-9)
            wanted.append((share * x, share * y))
        target = np.array(wanted)
        law = self._law
        free = law[0] + velocity @ law[1:3]
        command = full_at_most((target - free) @ self._inverse)
        memory["expected"] = free + command @ law[3:]
        return command

    def _feel_bumps(self, memory: Memory, push: Array, learning: bool) -> None:
        """Find the place by walls that are known, and keep others in mind.

        Args:
            memory: working memory; updated.
            push: (n, 2) change of velocity that neither command nor noise explains, m/s.
            learning: whether they will be learnt, so that they need not be kept in mind.

        """
        size = np.hypot(push[:, 0], push[:, 1])
        # What is in the way takes from a movement, and does not hurry it.
        against = (push * memory["expected"]).sum(axis=1) < 0.0
        bodies = np.flatnonzero((size > 0.0) & against)
        normal = push[bodies] / size[bodies, None]
        self.hippocampus.touch(memory, bodies, normal)
        if learning or not len(bodies):
            return
        memory.update({name: memory[name].copy() for name in ("bumps", "bumped", "aim_left")})
        for body, n in zip(bodies, normal, strict=True):
            if self.hippocampus.ways.sketches.note_bump(memory, int(body), n):
                memory["aim_left"][body] = 0

    def learn(self, step: Transition, memory: Memory, bodies: NDArray[np.int64]) -> float:
        """Learn from one step of the bodies that travel.

        Args:
            step: of all n bodies.
            memory: working memory returned by the `act` that chose the commands.
            bodies: those that travelled.

        Returns:
            Mean error of the law of motion, m/s.

        """
        motion = self.motion
        if motion is None:
            return 0.0
        was, now = (x[bodies][:, motion.velocity] for x in (step.before, step.after))
        given = inputs(was, step.command[bodies])
        error = now - given @ self._law
        size = np.linalg.norm(error, axis=1)
        fast = was @ self._law[1:3]
        sense = memory["velocity_noise"][bodies] * (fast * fast).sum(axis=1)
        odds = [self._velocity.odd(s, self.deviation, self._strength) for s in sense.tolist()]
        bumped = size > np.array(odds)
        odd = 8.0 * self.deviation
        part = {name: memory[name][bodies] for name in _LEARNT}
        moved = motion.step * now
        for body in np.flatnonzero(bumped):
            normal = error[body] / size[body]
            # What is in the way takes from a movement, and does not hurry it.
            if normal @ (now[body] - error[body]) < 0.0:
                self.bumps += 1
                if self.hippocampus.bump(part["place"][body] + moved[body], normal):
                    memory["aim_left"][bodies[body]] = 0
        self.hippocampus.learn(part, moved)
        for name in ("cell", "familiar", "last_cell"):
            memory[name][bodies] = part[name]
        self.prefrontal.learn(part["place"] + moved, step.reward[bodies])
        # Glancing touches are not learnt from either, unless all steps are as odd as they.
        if (size <= odd).any():
            self._fit(given[size <= odd], error[size <= odd])
        variance, free = self.deviation**2, ~bumped
        if free.any():
            change = np.minimum(size[free] ** 2, 9.0 * variance).mean() - variance
            self.deviation = float(np.sqrt(max(variance + 0.01 * change, 1e-12)))
        return float(size.mean())

    def _fit(self, given: Array, error: Array) -> None:
        covariance = self._covariance
        spread = given @ covariance
        gain = spread.T @ np.linalg.inv(self._FORGET * np.eye(len(given)) + spread @ given.T)
        self._take(self._law + gain @ error)
        covariance = (covariance - gain @ spread) / self._FORGET
        self._covariance = np.minimum(0.5 * (covariance + covariance.T), 1e2)

    def summary(self) -> dict[str, float]:
        """Scalars worth logging."""
        if self.motion is None:
            return {}
        world = self.hippocampus.map
        return {
            "places": float(len(world)),
            "novel_ways": float(world.novel.sum()),
            "walls": float(len(self.hippocampus.boundaries)),
            "remembered_goals": float(len(self.prefrontal.place)),
        }

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        motion = self.motion
        return {
            "velocity": np.empty(0, np.int64) if motion is None else motion.velocity,
            "step": np.array(0.0 if motion is None else motion.step),
            "law": self._law,
            "covariance": self._covariance,
            "deviation": np.array(self.deviation),
            "bumps": np.array(self.bumps),
        }

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        velocity, channels = state["velocity"], self._senses.n_channels
        if len(velocity) not in (0, 2) or ((velocity < 0) | (velocity >= channels)).any():
            raise StateError(f"weights 'velocity' are {velocity}: expected two channels, or none")

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self._take(state["law"].copy())
        self._covariance = state["covariance"].copy()
        self.deviation, self.bumps = float(state["deviation"]), int(state["bumps"])
        self.motion = None
        if len(state["velocity"]):
            self.motion = Motion(state["velocity"].copy(), float(state["step"]), self._law)
        self._take(self._law)


def _ways(to: Array, start: Array) -> list[tuple[float, float, float]]:
    """Ways from places (n, 2) to others (n, 2), each with its length, m.

    In plain floats: for the few bodies that there are, arrays take several times longer.
    """
    ways = (to - start).tolist()
    return [(x, y, math.hypot(x, y)) for x, y in ways]


_CHOSEN = ("aim", "aim_last", "aim_from", "careful", "stalls", "quest", "quest_left", "searched")
_LEARNT = ("grid", "place", "cell", "familiar", "last_cell")
