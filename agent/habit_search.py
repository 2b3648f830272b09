"""Search for a habit: bouts of perturbed parameters on n bodies, dopamine, and what is kept."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agent.bouts import BOUT, FIRST, RECOVERY, RETRIAL, TRIAL, Bouts
from agent.challenge import Challenge
from agent.config import SearchConfig
from agent.doubt import Doubt
from agent.earnings import Earnings
from agent.generations import Generations
from agent.habits import Habits
from agent.lying import Lying
from agent.parts import part_of
from agent.percept import Array
from agent.randomness import generator_state, set_generator_state
from agent.tournament import Tournament


class HabitSearch:
    """Tries parameter vectors in bouts, and keeps the best as habit.

    A body may be put back to a start after each bout, or live on from one to the next. A bout
    earns its mean reward and the rise of what the body's condition is worth, R of `Earnings`, with
    reward 0 (or the mean so far where that is negative) from a fall on, for as long as bodies lie
    after one, as they have so far: what counts is what a step earns, those lost among them. Of a
    body that is put back it counts what is kept up: a dash from a start is worth nothing.
    *Eligibility* is the perturbation that the bout was run with, *prediction error* is R against
    what its generation earned: see `agent.explorers`, where both meet. The course:

    1. random parameters; the best few are tried again, and where bodies are put back, which
       leaves little to chance, for longer: who swims in a circle gets away from a start at first;
    2. generations of an explorer from the best of these;
    3. every few generations its centre is tried for longer, from the start of an episode where
       there is one, and joins the `Habits` if several trials leave it no worse than the habit in
       use. A centre that falls surely behind is dropped at once. Every other time, what is known
       from elsewhere to be better than the centre is tried in its place;
    4. after a lost challenge, or where such advice has become the habit, the search begins anew,
       close to the habit, and closer when that has been in vain, then from afar again;
    5. after a bout so bad that something must have happened (lying on its back), the habit and
       random struggling take turns until the habit pays again: no candidate is to be blamed for
       what another has done;
    6. where `Doubt` has it that body or world have changed, what was expected is forgotten, and
       all begins anew, with the habits among the parameters that are tried first. The one in use
       stays so until trials have shown what it is worth now.

    Attributes:
        bouts: what each body runs now.
        habits: the repertoire.
        doubt: signs that all this no longer holds.
        lying: for how long bodies lie after falls.
        generations: of candidates; without an explorer until the random parameters were tried.
        dopamine: (n,) prediction error of the bout that has just ended, 0 elsewhere; in units of
            the spread of the latest bouts.

    """

    def __init__(
        self,
        first: Array,
        period: Callable[[Array], float],
        n: int,
        config: SearchConfig,
        rng: np.random.Generator,
        advice: Callable[[Array], Array | None] | None = None,
        put_back: bool = False,
    ):
        """Begin with nothing known.

        Args:
            first: (k, n_parameters) random parameters to try first.
            period: steps of one cycle of the rhythm that parameters (n_parameters,) make.
            n: bodies.
            config: settings.
            rng: of everything random in it.
            advice: what is known otherwise to be better than parameters (n_parameters,), of the
                same size; it returns None where there is no advice.
            put_back: bodies are put back to a start after each bout: it earns no more than what is
                kept up, the best random parameters are tried for longer, and the search is
                persistent.

        """
        self._config, self._period, self._advice = config, period, advice
        self._put_back = put_back
        self._rng, explore = (np.random.default_rng(int(s)) for s in rng.integers(0, 2**63, 2))
        repeats = 1 if put_back else config.repeats
        self._tournament = Tournament(first, config.finalists, repeats, put_back)
        persistence = config.persistence if put_back else 1
        self._challenge = Challenge(first.shape[1], config.trials, persistence)
        self.habits = Habits(first.shape[1], config.repertoire, config.caution, config.remembered)
        self.generations = Generations(first.shape[1], config, explore)
        self._waiting = self._tournament.begin()
        self._earnings = Earnings()
        self._former = first[:0]  # (The habit that was in use until all began anew)
        self._overdue = 0
        self.lying = Lying(n, config.trial_steps)
        self.doubt = Doubt(n, config.trial_every)
        self._lay_out(n)

    def resize(self, n: int) -> None:
        """Go on with n bodies; bouts under way are begun anew."""
        self.doubt.resize(n)
        self.lying.resize(n)
        self._waiting = self.bouts.ticket[self.bouts.practised].tolist() + self._waiting
        self._lay_out(n)

    def _lay_out(self, n: int) -> None:
        self.bouts = Bouts(n, self._tournament.parameters.shape[1])
        self.dopamine = np.zeros(n)
        for body in range(n):
            self._begin(body)

    @property
    def parameters(self) -> Array:
        """(n, n_parameters) what each body runs now."""
        return self.bouts.parameters

    @property
    def practising(self) -> NDArray[np.bool_]:
        """(n,) whether a body runs what is to be judged by itself, not a habit or a challenger."""
        return self.bouts.practised

    @property
    def recovering(self) -> NDArray[np.bool_]:
        """(n,) whether a body tries to get over something that has happened to it."""
        return np.asarray(self.bouts.kind == RECOVERY)

    @property
    def finishing(self) -> NDArray[np.bool_]:
        """(n,) whether bouts are over with one more step."""
        return self.bouts.last

    def begin_anew(self, even_late: bool = False) -> None:
        """Try the random parameters again, where the search proper has not begun.

        A heading found meanwhile has made other gaits of those that answer to it.

        Args:
            even_late: also where it has begun, as long as it has brought no habit.

        """
        if self.generations.explorer is None:
            self._waiting = self._tournament.begin()
        elif even_late and not len(self.habits):
            self._begin_again()

    @property
    def habit(self) -> Array:
        """Parameters (n_parameters,) to use when nothing is to be learnt."""
        if len(self.habits):
            return np.asarray(self.habits.parameters[self.habits.best])
        return self._former[0] if len(self._former) else self.attempt

    @property
    def habit_worth(self) -> float:
        """Reward per step that the habit in use is held to earn; 0 while there is none."""
        return float(self.habits.mean[self.habits.best]) if len(self.habits) else 0.0

    @property
    def attempt(self) -> Array:
        """Parameters (n_parameters,) that the search under way holds to be the best."""
        explorer = self.generations.explorer
        return self._tournament.best if explorer is None else explorer.centre

    def learn(
        self,
        reward: Array,
        terminated: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        active: NDArray[np.bool_] | None = None,
        credit: Callable[[NDArray[np.int64]], Array] | None = None,
        lying: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """Learn from one step of every body.

        Args:
            reward: (n,) received.
            terminated: (n,) whether the body fell.
            ended: (n,) whether an episode ended, by a fall or by the clock.
            active: (n,) bodies that ran their parameters; the others' bouts wait. All, if None.
            credit: asked for bodies (k,) whose bout is over, how much the worth of their
                condition has risen during it, (k,).
            lying: (n,) whether the body is turned over now, and so cannot be well.

        Returns:
            Bodies that begin a new bout, whose `parameters` have changed.

        """
        if active is not None and not active.all():
            terminated, ended, reward = terminated & active, ended & active, reward * active
        bouts = self.bouts
        over = bouts.count(reward, active)
        if lying is not None:
            self.lying.watch(lying & ~ended)
        if ended.any():
            bouts.fresh |= ended
            searches = self.generations.explorer is not None
            cut = (bouts.kind >= TRIAL) | (self._challenge.due and searches)
            over |= ended & cut
        over |= terminated
        self.dopamine[:] = 0.0
        if not over.any():
            return np.zeros(0, np.int64)
        bodies = np.flatnonzero(over)
        rise = np.zeros(len(bodies)) if credit is None else credit(bodies)
        for body, risen in zip(bodies.tolist(), rise.tolist(), strict=True):
            down = lying is not None and bool(lying[body] and not ended[body])
            self._end(body, bool(terminated[body]), risen, down)
        for body in bodies.tolist():
            self._begin(body)
        return bodies

    def stumble(self, bodies: NDArray[np.int64]) -> None:
        """Let bodies (k,) recover that fell before they ran what they were to: that waits."""
        for body in bodies.tolist():
            if self.bouts.practised[body]:
                self._waiting.insert(0, int(self.bouts.ticket[body]))
            self.bouts.stranded[body] = 1
            self._begin(body)

    def _begin(self, body: int) -> None:
        """Choose what the body runs next."""
        kind, ticket, parameters, steps = self._choose(body)
        if kind in (FIRST, BOUT):
            steps = max(steps, round(self._config.periods * self._period(parameters)))
        self.bouts.begin(body, kind, ticket, parameters, steps)

    def _choose(self, body: int) -> tuple[int, int, Array, int]:
        c, bouts = self._config, self.bouts
        if bouts.stranded[body] and not bouts.fresh[body]:
            # Struggle at random every other time: the habit alone may lie there for ever.
            struggle = self._tournament.entry(int(self._rng.integers(c.first)))
            way = self.habit if bouts.stranded[body] % 2 else struggle
            return RECOVERY, -1, way, c.recovery_steps
        bouts.stranded[body] = 0
        challenge = self._challenge
        waits = challenge.due or self.doubt.check
        self._overdue = self._overdue + 1 if waits else 0
        if waits and (bouts.fresh[body] or self._overdue > c.patience):
            if challenge.retry or self.doubt.check:
                challenge.retry = self.doubt.check = False
                return RETRIAL, -1, self.habit, c.trial_steps
            return TRIAL, -1, challenge.challenger, c.trial_steps
        self._waiting = self.generations.begin() or self._waiting
        if not self._waiting:
            # Other bodies have yet to finish this generation: know the habit better meanwhile.
            return RETRIAL, -1, self.habit, c.bout_steps
        ticket = self._waiting.pop(0)
        if self.generations.explorer is None:
            steps = c.longest if self._tournament.longer(ticket) else c.first_steps
            return FIRST, ticket, self._tournament.entry(ticket), steps
        return BOUT, ticket, self.generations.candidate(ticket), self.generations.bout_steps

    def _end(self, body: int, fell: bool, rise: float, lying: bool) -> None:
        """Account for what the body has just run."""
        bouts, stranded = self.bouts, self.bouts.stranded
        kind, ticket, length = bouts.kind[body], int(bouts.ticket[body]), bouts.length[body]
        if not fell and bouts.practised[body] and bouts.steps[body] < 0.5 * length:
            self._waiting.insert(0, ticket)
            return
        mean = self._earned(body, fell, lying)
        if kind == TRIAL:
            self._challenge.judge(self.parameters[body], mean, self.habits)
            if len(self.habits):
                self._former = self._former[:0]
        elif kind == RETRIAL:
            if length == self._config.trial_steps and self._disappoints(body, mean):
                self._begin_again()
        elif kind == RECOVERY:
            judged = stranded[body] % 2 == 1 and not lying
            well = judged and self._earnings.usual(mean)
            stranded[body] = 0 if well else stranded[body] + 1
            if not lying and self.doubt.recovered(body, well):
                self._begin_again()
        elif self.generations.explorer is None:
            self._waiting = self._tournament.end(ticket, mean) or self._waiting
            if self._tournament.decided:
                self.generations.explore(self._tournament.best, self._config.spread)
        else:
            worth = self._credit(body, mean, rise / length)
            candidates = self.generations.earn(ticket, worth)
            if candidates:
                self._end_generation(candidates)
        if lying and not stranded[body]:
            stranded[body] = 1

    def _earned(self, body: int, fell: bool, lying: bool) -> float:
        """Reward per step of what the body has just run."""
        bouts = self.bouts
        if fell:
            lies = self.lying.expected * lying
            return bouts.mean(body, lost=max(bouts.length[body], bouts.steps[body] + lies))
        if self._put_back and bouts.practised[body]:
            return bouts.kept_up(body)
        return bouts.mean(body)

    def _disappoints(self, body: int, earned: float) -> bool:
        """Take note of a trial of a habit; returns whether body or world must have changed."""
        worth = self.habit_worth
        surprising = self.habits.felt(self.parameters[body], earned)
        if surprising:
            learnt = worth - self._tournament.usual
            surprising = worth - earned > self._config.serious * learnt
        return self.doubt.tried(surprising)

    def _credit(self, body: int, mean: float, rise: float) -> float:
        """R of a bout, from its mean reward and the rise of V, both per step."""
        assert self.generations.explorer is not None
        earnings, population = self._earnings, self.generations.explorer.population
        worth = earnings.worth(mean, rise)
        if len(earnings.latest) >= population:
            self.dopamine[body] = surprise = earnings.surprise(worth)
            self.bouts.stranded[body] = stranded = surprise < -self._config.disaster
            if not stranded:
                self.doubt.recovered(body, well=True)
        earnings.keep(worth, mean, rise, 3 * population)
        return worth

    @property
    def _renewed_spread(self) -> float:
        """The better a habit is, the closer to it is what is better still, if anything is."""
        c, vain = self._config, max(0, self._challenge.lost - 1)
        return c.renewed_spread * c.shrink ** (vain % c.rounds)

    def _end_generation(self, candidates: int) -> None:
        """See what to do next, after a generation of so many candidates."""
        challenge, generations = self._challenge, self.generations
        if len(self.habits):
            earned = self._earnings.latest[-candidates:, 1].mean()
            self.doubt.compare(self.habit_worth - float(earned))
        if challenge.given_up:
            # (Between generations: no body runs a candidate of the one that is left.)
            challenge.renew()
            generations.explore(self.habit, self._renewed_spread)
        if challenge.due:
            return
        if len(self._former):
            challenge.begin(self._former[0], retry=False)
        elif generations.number % self._config.trial_every == 0:
            retry = len(self.habits) > 0 and not self.habits.well_known
            centre, advised = self.attempt, None
            if self._advice is not None and not challenge.advised:  # (Every other time)
                advised = self._advice(centre)
            challenger = centre if advised is None else advised
            challenge.begin(challenger, retry, advised is not None)

    def _begin_again(self) -> None:
        """Expect nothing any more, and search as a young body does, with what was known in mind."""
        self._earnings.clear()
        if len(self.habits):
            self._former = self.habit[None]
        self._tournament.recall(self.habits.parameters)
        self.habits.clear()
        self.generations.end()
        self._waiting = self._tournament.begin()
        self._challenge.forget()
        self.doubt.begin_again()
        # (Candidates of the generation that is given up are judged no more.)
        self.bouts.kind[self.bouts.kind == BOUT] = RETRIAL
        self.bouts.stranded[:] = 0

    def _parts(self) -> dict[str, Tournament | Challenge | Doubt | Habits | Generations]:
        return {
            "generations": self.generations,
            "tournament": self._tournament,
            "challenge": self._challenge,
            "doubt": self.doubt,
            "habits": self.habits,
        }

    def state(self) -> dict[str, NDArray]:
        """Everything, bouts under way included, for saving."""
        state = self.bouts.state() | {"former": self._former}
        state["latest"] = self._earnings.latest
        state["overdue"] = np.array(self._overdue)
        state["down"], state["lies"] = self.lying.down, np.array(self.lying.mean)
        state["generator"] = generator_state(self._rng)
        state["waiting"] = np.array(self._waiting, np.int64)
        for name, part in self._parts().items():
            state |= {f"{name}.{key}": value for key, value in part.state().items()}
        return state

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned: the search goes on as if it had not stopped."""
        self.bouts.load_state(state)
        self._former = state["former"].copy()
        self._earnings.latest = state["latest"].copy()
        self._overdue = int(state["overdue"])
        self._waiting = [int(x) for x in state["waiting"]]
        self.lying.down, self.lying.mean = state["down"].copy(), float(state["lies"])
        set_generator_state(self._rng, state["generator"])
        self.dopamine = np.zeros(len(self.bouts.kind))
        for name, part in self._parts().items():
            part.load_state(part_of(state, f"{name}."))
