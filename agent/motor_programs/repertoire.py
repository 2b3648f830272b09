"""The repertoire: all motor programs, and which of the bodies runs which of them."""

import numpy as np
from numpy.typing import NDArray

from agent.memory import SensorimotorMemory
from agent.motor_programs.babble import Babble
from agent.motor_programs.crawling import Crawling
from agent.motor_programs.reaching import Reaching
from agent.motor_programs.skill import Skill
from agent.motor_programs.travel import Travel
from agent.percept import Array, Transition
from agent.trace import Trace
from agent.working_memory import BABBLE, CRAWL, REACH, TRAVEL, Memory, make_own, rows_of

_SIGNALS = "dopamine", "climbing_fibre", "pain"


class Repertoire:
    """Runs on every body the program that the gate let through, and lets programs learn.

    Programs do not know of each other. Each is handed the bodies that run it as a batch; where
    all of them run the same one, as is usual, nothing is copied.

    Args:
        babble: program.
        reaching: program.
        crawling: program.
        travel: program.
        skill: reaches by habit, or by the plan of `reaching`.
        trace: record of what is worth seeing.
        crawls: whether a body that can reach is to try crawling, too: not to touch places.

    """

    def __init__(
        self,
        babble: Babble,
        reaching: Reaching,
        crawling: Crawling,
        travel: Travel,
        skill: Skill,
        trace: Trace,
        crawls: bool = True,
    ):
        self._crawls = crawls
        self._babble, self._reaching, self._crawling = babble, reaching, crawling
        self._travel, self._skill, self._trace = travel, skill, trace
        self._felt: dict[str, NDArray] = {}

    @property
    def felt(self) -> dict[str, float]:
        """Mean dopamine, size of the climbing-fibre error and share of pain of the latest step."""
        felt = {name: self._felt.get(name, np.zeros(1)) for name in _SIGNALS}
        size = float(np.sqrt((felt["climbing_fibre"] ** 2).mean()))
        return {name: float(value.mean()) for name, value in felt.items()} | {
            "climbing_fibre": size
        }

    @property
    def able(self) -> tuple[bool, bool, bool]:
        """Whether reaching, crawling and travelling can run."""
        crawls = self._crawling.available and (self._crawls or not self._reaching.available)
        return self._reaching.available, crawls, self._travel.available

    def act(
        self,
        memory: Memory,
        channels: Array,
        rng: np.random.Generator | None,
        learning: bool,
        episode_length: int,
    ) -> Array:
        """Command (n, n_motors) of n bodies.

        Args:
            memory: working memory; updated. Unless learning, arrays are copied before they are
                written to.
            channels: (n, n_channels).
            rng: to explore with; None to perform.
            learning: whether what is done now will be learnt from.
            episode_length: steps of the longest episode so far, 0 before the first has ended.

        """
        program = memory["program"]
        running = sorted(set(program.tolist()))
        if not learning and len(running) > 1:
            make_own(memory)
        n = len(program)
        if len(running) == 1:
            bodies = np.arange(n)
            return self._run(running[0], memory, channels, rng, learning, episode_length, bodies)
        command = np.zeros_like(memory["babble"])
        for one in running:
            rows = np.flatnonzero(program == one)
            self._trace.of(rows, n)
            part, seen = rows_of(memory, rows), channels[rows]
            command[rows] = self._run(one, part, seen, rng, learning, episode_length, rows)
            for name, value in part.items():
                memory[name][rows] = value
        self._trace.of(np.arange(n), n)
        return command

    def _run(
        self,
        program: int,
        memory: Memory,
        channels: Array,
        rng: np.random.Generator | None,
        learning: bool,
        episode_length: int,
        bodies: NDArray[np.int64],
    ) -> Array:
        """Command (n, n_motors) of bodies that run the same program."""
        if program == REACH:
            return self._skill.act(memory, channels, rng, learning, episode_length)
        if program == CRAWL:
            return self._crawling.act(memory, channels, bodies if learning else None)
        if program == TRAVEL:
            return self._travel.act(memory, channels, rng, learning)
        if program == BABBLE and rng is not None:
            return self._babble.act(memory, rng)
        return np.zeros_like(memory["babble"])

    def asks(self, memory: Memory) -> NDArray[np.bool_]:
        """Tell which of n bodies ask to be put back to a start after this step, (n,)."""
        return self._crawling.asks & (memory["program"] == CRAWL)

    def learn(
        self,
        step: Transition,
        worth: Array,
        memory: Memory,
        experience: SensorimotorMemory,
    ) -> None:
        """Learn from one step, each program from the bodies that it concerns.

        Args:
            step: of all n bodies.
            worth: (n,) reward as dopamine neurons can signal it.
            memory: working memory returned by the `act` that chose the commands.
            experience: the latest transitions.

        """
        before, command, reward, after, terminated, ended = step
        if self._reaching.available:
            self._felt = self._reaching.learn(
                before, command, reward, after, memory, experience, ended
            )
            self._skill.learn(reward, memory, ended)
        else:
            self._crawling.look(before, after, worth, memory)
        travellers = np.flatnonzero(memory["program"] == TRAVEL)
        if len(travellers):
            self._travel.learn(step, memory, travellers)
        if not self._crawling.available:
            return
        crawlers = np.flatnonzero(memory["program"] == CRAWL)
        if len(crawlers):
            dopamine = self._crawling.learn(before, worth, after, terminated, ended, crawlers)
            self._felt["dopamine"] = dopamine
            self._trace.record(dopamine=dopamine)
