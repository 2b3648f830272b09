"""Sequence: one act after another, gated one by one or as chunks, from a cue and what came of it.

The loop of prefrontal cortex, basal ganglia and supplementary motor area. It does not care what an
act is: a key to reach for, a place to go to.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.config import BrainConfig
from agent.cue_memory import HOLD, TAKE_IN, CueMemory
from agent.motor_programs.chunk import Acts, Chunks
from agent.percept import Array
from agent.sleep import compress
from agent.striatum import Striatum
from agent.trace import Trace

Index = NDArray[np.int64]
Memory = dict[str, NDArray]

NONE = -1


class Sequencing:
    r"""Chooses acts, tracks how far a sequence has come, and learns from what acts bring.

    A context is what is held of the cue and the stage: how many acts have counted. An act that is
    answered by a bad sign does not count: the stage stays, and a chunk under way is aborted. While
    a chunk runs, its position is the only state; nothing is decided.

    After every act two kinds of dopamine are released. The global one is the reward prediction
    error of the critic, and teaches whatever is eligible: the critic, the acts, each in the
    context in which it was done (so a chunk teaches its parts, too). An act that is answered is
    judged by that alone; one that is not, by all that follows. The local one is that of the
    chunk that ended (was it executed as it should have been?), and teaches the chunk. Each can be
    taken away: the lesions `global_dopamine` and `local_dopamine`.

    The gate of the cue's memory is taught by the reward of the whole trial against what such
    trials have brought so far.

    Args:
        n_acts: acts there are to choose from.
        n_cues: cues that can be told apart.
        config: settings and lesions.
        trace: record of what is worth seeing.

    """

    _SIMILAR = 0.1  # (Share by which a rewarded sequence may fall short of the best, and count)
    _SURE = 4.0  # (Preference, over a new chunk's, of one that always runs well where it is begun)
    _PRACTICE = 0.3  # (Share of the way there that each good run brings)
    _PATIENT = 0.2  # (Rates of the gate of the cue's memory, over those of acts)
    _SLOW = 0.05  # (Rate at which the usual size of a trial's reward is learnt)

    def __init__(self, n_acts: int, n_cues: int, config: BrainConfig, trace: Trace):
        self._config, self._trace = config, trace
        self._asleep = "sleep" in config.lesions
        self._globally, self._locally = (
            f"{kind}_dopamine" not in config.lesions for kind in ("global", "local")
        )
        lesioned = "basal_ganglia" in config.lesions
        self.n_acts, self.n_cues = n_acts, n_cues
        self._stages = config.sequence.stages
        self.chunks = Chunks(n_acts, config.chunk)
        self.striatum = Striatum(
            (n_cues + 1) * self._stages,
            n_acts,
            self.chunks.n_programs,
            config.striatum,
            lesioned,
        )
        self.cue = CueMemory("cue_memory" in config.lesions)
        # Rewards say nothing about the gate before the acts are known: it learns at its leisure.
        s = config.striatum
        slow = replace(
            s, actor_rate=self._PATIENT * s.actor_rate, critic_rate=self._PATIENT * s.critic_rate
        )
        self.cue_gate = Striatum(CueMemory.n_contexts, 2, 2, slow, lesioned)
        # The latest rewarded sequence of each cue, the reward of its trial, and the best so far.
        self.day = np.full((n_cues + 1, self._stages), NONE, np.int64)
        self.day_reward = np.full(n_cues + 1, -np.inf)
        self.scale, self.nights = 0.0, 0

    def new_memory(self, n: int) -> Memory:
        """Say what n bodies are in the middle of at the start of a trial; arrays (n, …).

        Keys: the cue that is `shown` and the one `held`; `stage`; the `program` under way, its
        `position` and where it `began`; the latest acts (`past_context`, `past_act`,
        `past_weight`, newest first); what the gate did at the latest onsets (`gate_context`,
        `gate_act`, `gate_weight`); reward `earned` by the trial's acts, its acts by stage (`done`),
        and how often the basal ganglia were asked (`decisions`).
        """
        m = self._config.striatum.memory
        whole, fraction = (lambda *s: np.zeros((n, *s), np.int64)), (lambda *s: np.zeros((n, *s)))
        none = np.full(n, NONE, np.int64)
        return {
            "shown": none.copy(),
            "held": none.copy(),
            "stage": whole(),
            "program": none.copy(),
            "position": whole(),
            "began": whole(),
            "past_context": whole(m),
            "past_act": whole(m),
            "past_weight": fraction(m),
            "gate_context": whole(m),
            "gate_act": whole(m),
            "gate_weight": fraction(m),
            "earned": fraction(),
            "done": np.full((n, self._stages), NONE, np.int64),
            "decisions": whole(),
        }

    def begin(self, memory: Memory, starts: NDArray[np.bool_]) -> None:
        """Put the bodies at `starts` (n,) at the start of a trial."""
        for name, value in self.new_memory(1).items():
            memory[name][starts] = value

    def context(self, memory: Memory) -> Index:
        """Context (n,): cue held and stage."""
        stage = np.minimum(memory["stage"], self._stages - 1)
        return np.asarray((memory["held"] + 1) * self._stages + stage)

    def see(self, memory: Memory, shown: Index, rng: np.random.Generator | None) -> None:
        """Take in, or keep out, the cues (n,) that are shown, −1 for none."""
        held, onset = memory["held"], self.cue.onset(shown, memory["shown"])
        memory["shown"] = shown.copy()
        # A memory that holds nothing is open; only what would be lost has to be decided about.
        gate = np.where(self.cue.context(held) == 0, TAKE_IN, HOLD)
        rows = np.flatnonzero(onset & (gate == HOLD))
        if len(rows):
            context = self.cue.context(held[rows])
            gate[rows] = self.cue_gate.gate(context, np.ones(2, bool), rng)
            for name, new in (("context", context), ("act", gate[rows]), ("weight", 1.0)):
                past = memory[f"gate_{name}"]
                past[rows, 1:] = past[rows, :-1]
                past[rows, 0] = new
        memory["held"] = self.cue.keep(held, shown, gate)
        self._trace.record(cue_held=memory["held"], cue_gate=(gate == TAKE_IN) & onset)

    def choose(
        self,
        memory: Memory,
        rng: np.random.Generator | None,
        ready: NDArray[np.bool_],
        blocked: Index | None = None,
    ) -> Index:
        """Give bodies without a program one: that is a decision. Within a chunk there is none.

        Args:
            memory: of n bodies; updated.
            rng: to explore with; None to perform.
            ready: (n,) bodies that can begin a program.
            blocked: (n,) act that cannot be done now, −1 for none.

        Returns:
            Act (n,) that is due, −1 where no program runs.

        """
        idle = np.flatnonzero(ready & (memory["program"] == NONE))
        start = np.zeros(len(ready))
        if len(idle):
            context = self.context(memory)[idle]
            able = np.broadcast_to(self.chunks.able, (len(idle), self.chunks.n_programs))
            if blocked is not None:
                able = able & (self.striatum.first != blocked[idle, None])
            program = self.striatum.gate(context, able, rng)
            memory["program"][idle], memory["position"][idle] = program, 0
            memory["began"][idle] = context
            memory["decisions"][idle] += 1
            start[idle] = 1.0
        self._trace.record(gate_start=start, sequence_program=memory["program"])
        return self.upcoming(memory, 0)

    def upcoming(self, memory: Memory, ahead: int) -> Index:
        """Act (n,) that is due, or so many later in the same program; −1 where there is none."""
        program, position = memory["program"], memory["position"] + ahead
        some = program != NONE
        known = np.maximum(program, 0)
        some &= position < self.chunks.lengths(known)
        return np.asarray(np.where(some, self.chunks.act(known, position), NONE))

    def prepared(self, memory: Memory) -> Index:
        """First act (n,) of the chunk that is to follow the program under way; −1 where none is.

        It is the one that the striatum would let through if the act that is due is the last of a
        chunk, and counts, and that has run well there before. Nothing is gated by that.
        """
        program = memory["program"]
        first = np.full(len(program), NONE, np.int64)
        last = memory["position"] + 1 == self.chunks.lengths(np.maximum(program, 0))
        rows = np.flatnonzero((program >= self.n_acts) & last)
        if not len(rows):
            return first
        stage = np.minimum(memory["stage"][rows] + 1, self._stages - 1)
        context = (memory["held"][rows] + 1) * self._stages + stage
        due = self.upcoming(memory, 0)[rows]
        able = self.chunks.able & (self.striatum.first != due[:, None])
        next_one = self.striatum.gate(context, able, None)
        proved = self.striatum.own[context, next_one] > self._config.chunk.preference
        known = (next_one >= self.n_acts) & proved
        first[rows] = np.where(known, self.striatum.first[next_one], NONE)
        return first

    def learn(
        self,
        memory: Memory,
        act: Index,
        answer: Array,
        reward: Array,
        over: NDArray[np.bool_],
    ) -> Array:
        """Learn from acts that have just been done, before `finish` is told of them.

        Args:
            memory: of n bodies; what is eligible is updated.
            act: (n,) that was done, −1 where none was.
            answer: (n,) sign that followed it, negative for a bad one.
            reward: (n,) received since the act before.
            over: (n,) whether the trial ends with it.

        Returns:
            Global dopamine (n,), 0 where there was no act.

        """
        # What the way costs is the matter of the program that goes it.
        memory["earned"] += np.where(act != NONE, reward, 0.0)
        dopamine = np.zeros(len(act))
        rows = np.flatnonzero((act != NONE) | over)
        acted = rows[act[rows] != NONE]
        if len(acted):
            dopamine[acted] = self._learn_acts(memory, acted, act, answer, reward, over)
        ended = np.flatnonzero(over)
        if len(ended):
            self._learn_trials(memory, ended)
        return dopamine

    def _learn_acts(
        self,
        memory: Memory,
        rows: Index,
        act: Index,
        answer: Array,
        reward: Array,
        over: NDArray[np.bool_],
    ) -> Array:
        context = self.context(memory)[rows]
        counted = answer[rows] >= 0
        stage = np.minimum(memory["stage"][rows], self._stages - 1)
        after = np.minimum(stage + counted, self._stages - 1) - stage
        for name, new in (("context", context), ("act", act[rows]), ("weight", 1.0)):
            past = memory[f"past_{name}"]
            past[rows, 1:] = past[rows, :-1]
            past[rows, 0] = new
        memory["past_weight"][rows, 1:] *= self._config.striatum.eligibility
        memory["done"][rows, stage] = np.where(counted, act[rows], memory["done"][rows, stage])
        # An answer is the outcome: what it says is all there is to credit, before and after.
        closes = over[rows] | (answer[rows] != 0)
        dopamine = self.striatum.dopamine(reward[rows], context, context + after, closes)
        dopamine *= self._globally
        eligible = (memory[f"past_{name}"][rows] for name in ("context", "act", "weight"))
        self.striatum.learn(dopamine, *eligible)
        memory["past_weight"][rows] *= (answer[rows] == 0)[:, None]
        local = np.zeros(len(act))
        if self._locally:
            local[rows] = self._learn_programs(memory, rows, act[rows], counted)
        self._trace.record(program_dopamine=local)
        return dopamine

    def _learn_programs(
        self,
        memory: Memory,
        rows: Index,
        act: Index,
        counted: NDArray[np.bool_],
    ) -> Array:
        """Local dopamine (rows,): a chunk that missed a step does not fit where it was begun."""
        program, position = memory["program"][rows], memory["position"][rows]
        chunk = program >= self.n_acts
        missed = chunk & (~counted | (act != self.upcoming(memory, 0)[rows]))
        complete = position + 1 >= self.chunks.lengths(np.maximum(program, 0))
        ends = chunk & (missed | complete)
        c, local = self._config.chunk, np.zeros(len(rows))
        if missed.any():
            # One that missed at once was only not called for; one that missed later misled.
            loss = np.where(position[missed] > 0, c.setback, c.preference)
            began, misled = memory["began"][rows][missed], program[missed]
            # What it had earned by running well is gone, too.
            loss += np.maximum(self.striatum.own[began, misled] - c.preference, 0.0)
            self.striatum.learn_program(-loss, began, misled)
            local[missed] = -loss
        well = ends & ~missed
        if well.any():
            began, ran = memory["began"][rows][well], program[well]
            gain = self._PRACTICE * (self._SURE * c.preference - self.striatum.own[began, ran])
            local[well] = np.maximum(gain, 0.0)
            self.striatum.learn_program(local[well], began, ran)
        told = ends & ~(missed & (position == 0))
        self.chunks.ran(program[told], ~missed[told])
        return local

    def _learn_trials(self, memory: Memory, rows: Index) -> None:
        """At the end of trials: what the gate was good for, and what is worth sleeping on."""
        earned = memory["earned"][rows]
        self.scale += (self._SLOW if self.scale else 1.0) * (np.abs(earned).mean() - self.scale)
        worth = np.clip(earned / max(self.scale, 1e-9), -2.0, 2.0)
        weight = memory["gate_weight"][rows]
        first = self.cue_gate.value[memory["gate_context"][rows]]
        used = weight.sum(axis=1)
        expected = np.divide(
            (first * weight).sum(axis=1), used, out=np.zeros_like(used), where=used > 0
        )
        self.cue_gate.learn(
            worth - expected, memory["gate_context"][rows], memory["gate_act"][rows], weight
        )
        for body, reward in zip(rows, earned, strict=True):
            cue = int(memory["held"][body]) + 1
            best = self.day_reward[cue]
            if reward > 0 and reward >= best - self._SIMILAR * abs(best):
                self.day[cue] = memory["done"][body]
                self.day_reward[cue] = max(reward, best) if np.isfinite(best) else reward

    def finish(self, memory: Memory, act: Index, answer: Array) -> None:
        """Take note of acts (n,) that were done (−1: none), and of how they were answered.

        The stage moves on where the answer is no bad one. A chunk goes on to its next act, unless
        it missed this one or has come to its end.
        """
        done = act != NONE
        counted = done & (answer >= 0)
        program = memory["program"]
        missed = done & (~counted | (act != self.upcoming(memory, 0)))
        memory["stage"] = memory["stage"] + counted
        memory["position"] = memory["position"] + done
        complete = memory["position"] >= self.chunks.lengths(np.maximum(program, 0))
        stops = done & (program != NONE) & (missed | complete)
        memory["program"] = np.where(stops, NONE, program)
        self._trace.record(gate_stop=stops, aborted=missed & (program >= self.n_acts))

    def sleep(self) -> list[Acts]:
        """Compile chunks from what was rewarded, drop those that do not pay; returns new ones."""
        if self._asleep:
            return []
        self.nights += 1
        for program in self.chunks.dissolve():
            self.striatum.grow(program, program % self.n_acts, np.zeros(len(self.striatum.value)))
        days = [tuple(int(a) for a in day[day != NONE]) for day in self.day]
        new = []
        for part in compress([day for day in days if day], longest=self._config.chunk.longest):
            taken_up = self.chunks.add(part)
            if taken_up is not None:
                unknown = np.full(len(self.striatum.value), self._config.chunk.preference)
                self.striatum.grow(taken_up, part[0], unknown)
                new.append(part)
        for i in np.flatnonzero(self.chunks.length):
            program = self.n_acts + int(i)
            self.striatum.revise(program, *self._replay(self.chunks.spell(program), days))
        return new

    def _replay(self, part: Acts, days: list[Acts]) -> tuple[Array, Array]:
        """Least and most preference (n_contexts,) for a chunk, by what was done there.

        Where the sequences remembered go on otherwise, a chunk does not fit, however well its first
        act does: that is known without being misled by it once.
        """
        preference = self._config.chunk.preference
        least = np.full((self.n_cues + 1, self._stages), -np.inf)
        most = -least
        for cue, day in enumerate(days):
            for stage in range(len(day)):
                if day[stage : stage + len(part)] == part:
                    least[cue, stage] = preference
                else:
                    most[cue, stage] = -self._SURE * preference
        return least.ravel(), most.ravel()

    def _parts(self) -> dict[str, Striatum | Chunks]:
        return {"striatum": self.striatum, "chunks": self.chunks, "cue_gate": self.cue_gate}

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        parts = self._parts()
        state = {f"{n}.{k}": v for n, part in parts.items() for k, v in part.state().items()}
        state |= {"day": self.day, "day_known": np.isfinite(self.day_reward)}
        state["day_reward"] = np.nan_to_num(self.day_reward, neginf=0.0)
        return state | {"counts": np.array([self.scale, self.nights])}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        for name, part in self._parts().items():
            prefix = f"{name}."
            own = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
            part.load_state(own)
        self.day = state["day"].copy()
        self.day_reward = np.where(state["day_known"], state["day_reward"], -np.inf)
        self.scale, self.nights = float(state["counts"][0]), int(state["counts"][1])
