"""Keyboard: lets the sequence choose which of the places offered the body is to go to."""

import numpy as np
from numpy.typing import NDArray

from agent.body_schema import BodySchema
from agent.config import BrainConfig
from agent.motor_programs.blending import NOT, UNDER_WAY, Blending
from agent.motor_programs.sequence import NONE, Sequencing
from agent.parts import part_of
from agent.percept import Array, Body, Transition
from agent.senses import Senses
from agent.trace import Trace
from agent.working_memory import CRAWL, REACH, Memory

Index = NDArray[np.int64]
PREFIX = "key_"


class Keyboard(Sequencing):
    """Sequences of reaches to places that the senses offer, each of which is an act.

    It reads the events of the observation (a cue that appears, a press and its answer), and sets
    the goal of the reach program: the place of the act that is due.

    Between acts that are gated one by one the hand comes to rest. Within a chunk the next act is
    known, and the two movements blend (`agent.motor_programs.blending.Blending`); so they do at the
    last act of a chunk, if another one has proved itself there and is prepared. It is gated, with
    its start signal, when the one before has come to its end.

    A body that crawls goes to the places instead, with the same machinery: it passes through them.

    Args:
        senses: with the channels of `Senses.keys`.
        config: settings and lesions.
        trace: record of what is worth seeing.
        schema: of the body that is to reach.

    """

    _LONG = 4.0  # (Times the usual wait for an act, after which it is given up)
    _SLOW = 0.1  # (Rate at which the usual wait is learnt)
    _AT_REST = 0.005  # (Way of the outcome in a step that counts as rest, over a place's distance)

    def __init__(self, senses: Senses, config: BrainConfig, trace: Trace, schema: BodySchema):
        keys = senses.keys
        super().__init__(len(keys["pressed"]), len(keys["cue"]), config, trace)
        self._schema = schema
        self._senses, self._patience = senses, config.reach.horizon
        self._d = len(senses.desired)
        self.usual_wait = 0.0
        self.blending = Blending(
            lesioned="blending" in config.lesions, untaught="local_dopamine" in config.lesions
        )

    def memory(self, n: int) -> Memory:
        """Part of the working memory of n bodies that belongs to it, its names prefixed.

        Besides that of the sequence: the `place` that is reached for, where the `hand` was a step
        before, the `last` act done, for how many steps one has been `waited` for, and whether the
        episode is `fresh`; and of `agent.motor_programs.blending.Blending` whether what `follows`
        is known, by what way (`follow_by`), and how the act is blended (`blend`) and how
        `nearest` the hand was to where it is to be, and slow.
        """
        own = {
            "place": np.zeros((n, self._d)),
            "hand": np.zeros((n, self._d)),
            "last": np.full(n, NONE, np.int64),
            "waited": np.zeros(n, np.int64),
            "fresh": np.ones(n, np.int64),
            "follows": np.zeros(n, np.bool_),
            "follow_by": np.zeros((n, self._d)),
            "blend": np.zeros(n, np.int64),
            "nearest": np.zeros((n, 2)),
        }
        return {PREFIX + name: value for name, value in (self.new_memory(n) | own).items()}

    def _read(self, channels: Array, part: str) -> Index:
        """Which of the numbers of a part is on, (n,); −1 for none."""
        numbers = channels[:, self._senses.keys[part]]
        return np.where(numbers.any(axis=1), numbers.argmax(axis=1), NONE)

    def intend(
        self,
        memory: Memory,
        channels: Array,
        rng: np.random.Generator | None,
        able: bool,
        settles: bool = True,
    ) -> None:
        """Take in what has happened, choose the next act, and write its place where goals stand.

        Args:
            memory: working memory of n bodies; its own part is replaced.
            channels: (n, n_channels); those of the desired goal are written to.
            rng: to explore with; None to perform.
            able: whether the body can go anywhere yet.
            settles: whether it can come to rest: a hand can, who crawls goes on.

        """
        names = [name for name in memory if name.startswith(PREFIX)]
        own = {name.removeprefix(PREFIX): memory[name].copy() for name in names}
        hand = channels[:, self._senses.achieved]
        fresh = own["fresh"] > 0
        own["place"][fresh], own["hand"][fresh], own["fresh"][:] = hand[fresh], hand[fresh], 0
        self.see(own, self._read(channels, "cue"), rng)
        if able:
            self._act(own, channels, rng, settles)
        own["hand"] = hand.copy()
        channels[:, self._senses.desired] = own["place"]
        memory.update({PREFIX + name: value for name, value in own.items()})

    def _act(
        self, own: Memory, channels: Array, rng: np.random.Generator | None, settles: bool
    ) -> None:
        pressed = self._read(channels, "pressed")
        answer = channels[:, self._senses.keys["answer"][0]]
        flows = own["follows"] & (pressed != NONE) & (pressed == self.upcoming(own, 0))
        flows &= answer >= 0
        self.finish(own, pressed, answer)
        own["blend"][pressed != NONE] = NOT
        own["last"] = np.where(pressed == NONE, own["last"], pressed)
        own["waited"] = np.where(pressed == NONE, own["waited"] + 1, 0)
        # How long it takes to get somewhere is known of a hand; who crawls has to find out.
        longest = self._LONG * self.usual_wait if self.usual_wait else np.inf
        late = own["waited"] > (self._patience if settles else max(self._patience, longest))
        own["program"][late], own["waited"][late] = NONE, 0
        places = channels[:, self._senses.keys["places"]].reshape(len(channels), -1, self._d)
        spread = places.std(axis=1).max(axis=1)
        hand = channels[:, self._senses.achieved]
        rest = np.linalg.norm(hand - own["hand"], axis=1) < self._AT_REST * spread
        rest |= not settles
        go = channels[:, self._senses.keys["go"][0]] > 0
        act = self.choose(own, rng, go & (rest | flows), own["last"])
        due = np.flatnonzero(act != NONE)
        own["place"][due] = places[due, act[due]]
        self._look_ahead(own, places, act)

    def _look_ahead(self, own: Memory, places: Array, act: Index) -> None:
        """Say which place is next, where that is known before the act (n,) that is due is done."""
        following = self.upcoming(own, 1)
        following = np.where(following == NONE, self.prepared(own), following)
        own["follows"] = (following != NONE) & (act != NONE)
        rows = np.flatnonzero(own["follows"])
        own["follow_by"][rows] = places[rows, following[rows]] - places[rows, act[rows]]

    def felt(self, step: Transition, memory: Memory, body: Body | None) -> Transition:
        """Give the reach program the step as it is to judge it: with its goal, and its own reward.

        The reward is local: how near the place, at what effort. What the press brought is told to
        the basal ganglia's actor alone. Of a body that crawls, efforts are what the reward says
        while nothing is pressed.
        """
        place = memory[PREFIX + "place"]
        step.before[:, self._senses.desired] = step.after[:, self._senses.desired] = place
        distance = np.linalg.norm(step.after[:, self._senses.achieved] - place, axis=1)
        if body is None:
            crawls = memory["program"] == CRAWL
            quiet = np.where(self._read(step.after, "pressed") == NONE, step.reward, 0.0)
            return step._replace(reward=np.where(crawls, quiet - distance, step.reward))
        form = body.reward
        effort = (step.command**2).sum(axis=1)
        local = form.offset - form.distance * distance - form.effort * effort
        return step._replace(reward=local)

    def judge(self, step: Transition, memory: Memory) -> None:
        """Learn from the presses of a step, and from its reward."""
        own = {
            name.removeprefix(PREFIX): value
            for name, value in memory.items()
            if name.startswith(PREFIX)
        }
        acting = (memory["program"] == REACH) | (memory["program"] == CRAWL)
        pressed = np.where(acting, self._read(step.after, "pressed"), NONE)
        answer = step.after[:, self._senses.keys["answer"][0]]
        reward = np.where(acting, step.reward, 0.0)
        for i in np.flatnonzero((pressed != NONE) & (pressed == self.upcoming(own, 0))):
            rate = self._SLOW if self.usual_wait else 1.0
            self.usual_wait += rate * (own["waited"][i] - self.usual_wait)
        skill = self._learn_arrivals(step, own, pressed)
        dopamine = self.learn(own, pressed, answer, reward, step.ended & acting)
        self._trace.record(key_dopamine=dopamine, pressed=pressed, skill_dopamine=skill)

    def _learn_arrivals(self, step: Transition, own: Memory, pressed: Index) -> Array:
        """Learn what it feels like to be where one was to be; returns local dopamine (n,)."""
        skill = np.zeros(len(pressed))
        done = (pressed != NONE) & (pressed == self.upcoming(own, 0))
        blended = own["blend"] == UNDER_WAY
        rows = np.flatnonzero(done | blended)
        body = self._schema.body
        if not len(rows) or body is None:
            return skill
        far = np.linalg.norm(step.after[:, self._senses.achieved] - own["place"], axis=1)
        angle = self._senses.angles(step.after, body)
        jacobian = self._schema.chain.with_jacobian(angle)[1]
        moving = (jacobian @ step.after[:, body.velocity, None])[..., 0]
        speed = np.linalg.norm(moving, axis=1)
        for i in rows:
            now = np.array([far[i], speed[i]])
            if not blended[i]:
                self.blending.arrived(now)
                continue
            share = now / self.blending.limits
            if done[i]:
                skill[i] = self.blending.judge(True, share)
            elif share.max() < own["nearest"][i].max():
                own["nearest"][i] = share
        return skill

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        blending = {f"blending.{k}": v for k, v in self.blending.state().items()}
        return super().state() | blending | {"usual_wait": np.array(self.usual_wait)}

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        super().load_state(state)
        self.usual_wait = float(state["usual_wait"])
        self.blending.load_state(part_of(state, "blending."))
