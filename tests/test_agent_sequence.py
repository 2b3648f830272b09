"""Striatum, chunks, sleep and the cue's memory: each part alone, and all of them on a keyboard."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from agent.config import BrainConfig, ChunkConfig, StriatumConfig
from agent.cue_memory import HOLD, TAKE_IN, CueMemory
from agent.motor_programs.chunk import Chunks
from agent.motor_programs.sequence import NONE, Sequencing
from agent.sleep import compress, saving
from agent.striatum import Striatum
from agent.trace import Trace
from envs.key_choice import KeyChoiceEnv

ONE = np.zeros(1, np.int64)


class Player:
    """Plays a keyboard without an arm."""

    def __init__(self, env: KeyChoiceEnv, seed: int = 0, **config: Any):
        self.env, self.rng = env, np.random.default_rng(seed)
        self.trace = Trace()
        self.brain = Sequencing(env.rules.keys, env.rules.n_cues, BrainConfig(**config), self.trace)
        self.trials = 1000 * seed

    def trial(self, learning: bool = True) -> tuple[float, dict[str, Any], int]:
        """Play one sequence; returns its reward, what is known of it, and the decisions."""
        obs, _ = self.env.reset(seed=self.trials)
        self.trials += 1
        memory, rng = self.brain.new_memory(1), self.rng if learning else None
        total, done = 0.0, False
        while not done:
            self.brain.see(memory, _index(obs["cue"]), rng)
            act = self.brain.choose(memory, rng, obs["go"] > 0)
            obs, reward, terminated, truncated, info = self.env.step(int(max(act[0], 0)))
            done, total = terminated or truncated, total + reward
            pressed, answer = _index(obs["pressed"]), obs["answer"]
            if learning:
                self.brain.learn(memory, pressed, answer, np.array([reward]), np.array([done]))
            self.brain.finish(memory, pressed, answer)
            self.trace.next_tick()
        return total, info, int(memory["decisions"][0])


def _index(one_hot: np.ndarray) -> np.ndarray:
    return np.array([one_hot.argmax() if one_hot.any() else -1])


def striatum(**config: Any) -> Striatum:
    return Striatum(3, 4, 6, StriatumConfig(**config))


@pytest.mark.parametrize("opponent", [True, False])
def test_dopamine_moves_the_act_of_that_context_alone(opponent: bool) -> None:
    part = striatum(opponent=opponent)
    past = np.array([[1, 0]]), np.array([[2, 0]]), np.array([[1.0, 0.0]])
    part.learn(np.array([0.5]), *past)
    now = part.preference(np.arange(3))
    assert now[1].argmax() == 2 and now[1, 2] > 0
    assert not now[[0, 2]].any()
    assert part.value[1] > 0 and not part.value[[0, 2]].any()
    part.learn(np.array([-1.0]), *past)
    assert part.preference(np.array([1]))[0, 2] < now[1, 2]


def test_temporal_difference_is_reward_plus_what_follows_minus_what_was_expected() -> None:
    part = striatum()
    part.value[:] = 1.0, 2.0, 4.0
    delta = part.dopamine(
        np.array([0.5, 0.5]), np.array([0, 0]), np.array([2, 2]), np.array([False, True])
    )
    assert delta.tolist() == [3.5, -0.5]


def test_the_gate_follows_the_softmax_and_never_lets_through_what_cannot_run() -> None:
    part, rng = striatum(gain=1.0), np.random.default_rng(0)
    part.go[0] = 1.0, 2.0, 1.0, 1.0
    part.first[4:] = 1, 0
    part.own[0, 4] = 0.5
    able = np.array([True, True, True, False, True, False])
    drawn = part.gate(np.zeros(20000, np.int64), able, rng)
    weights = np.exp([0, 1, 0, 1.5])
    share = np.bincount(drawn, minlength=6) / len(drawn)
    assert share[[0, 1, 2, 4]] == pytest.approx(weights / weights.sum(), abs=0.02)
    assert share[3] == share[5] == 0
    assert part.gate(ONE, able, None)[0] == 4


def test_a_lesion_keeps_what_was_learnt_and_learns_nothing() -> None:
    part = Striatum(3, 4, 6, StriatumConfig(), lesioned=True)
    before = {name: value.copy() for name, value in part.state().items()}
    part.learn(np.ones(1), np.array([[1]]), np.array([[2]]), np.ones((1, 1)))
    part.learn_program(np.ones(1), ONE, ONE + 4)
    assert all(np.array_equal(before[k], v) for k, v in part.state().items())


def test_compression_finds_the_parts_that_texts_are_made_of() -> None:
    rng, right, parts = np.random.default_rng(0), 0, []
    for _ in range(30):
        keys = rng.permutation(9)
        parts = [tuple(int(k) for k in keys[i : i + 3]) for i in (0, 3, 6)]
        texts = [sum((parts[j] for j in rng.integers(3, size=3)), ()) for _ in range(6)]
        right += set(parts) <= {p for p in compress(texts)} | {
            p[i : i + 3] for p in compress(texts) for i in range(0, len(p), 3)
        }
    assert right >= 27
    assert compress([(1, 2, 3, 4), (4, 2, 1, 3)]) == []
    assert saving(2, 3) == 1 and saving(2, 2) == 0


def test_chunks_are_kept_spelt_out_and_dissolve_when_they_fail() -> None:
    chunks = Chunks(5, ChunkConfig(most=2))
    first = chunks.add((1, 2, 3))
    assert first == 5 and chunks.add((1, 2, 3)) is None and chunks.add((1,)) is None
    assert chunks.add((4, 0)) == 6 and chunks.add((0, 1)) is None
    program, position = np.array([5, 5, 6, 3]), np.array([0, 2, 1, 0])
    assert chunks.act(program, position).tolist() == [1, 3, 0, 3]
    assert chunks.lengths(program).tolist() == [3, 3, 2, 1]
    for _ in range(4):
        chunks.ran(np.array([5, 6]), np.array([False, True]))
    assert chunks.dissolve() == [5]
    assert chunks.all == [(4, 0)] and chunks.able.tolist() == [True] * 5 + [False, True]


def test_the_cue_is_kept_while_the_gate_is_shut() -> None:
    cue = CueMemory()
    held = cue.keep(np.array([-1, 2, 2]), np.array([1, 1, -1]), np.array([TAKE_IN, HOLD, TAKE_IN]))
    assert held.tolist() == [1, 2, 2]
    assert CueMemory(lesioned=True).keep(held, held * 0 - 1, held * 0).tolist() == [-1] * 3


@pytest.mark.parametrize("seed", range(3))
def test_an_order_is_found_by_trial_and_error_with_reward_at_the_end_alone(seed: int) -> None:
    rules = {"keys": 5, "length": 3, "cues": 1, "part_length": 0, "feedback": "sparse"}
    player = Player(KeyChoiceEnv(**rules, book=seed), seed)
    for _ in range(400):
        player.trial()
    assert np.mean([player.trial(learning=False)[1]["is_success"] for _ in range(10)]) == 1


@pytest.fixture(scope="module")
def practised() -> Player:
    player = Player(KeyChoiceEnv(cues=4, book=1), seed=1)
    for _night in range(3):
        for _ in range(40):
            player.trial()
        player.brain.sleep()
    return player


def test_practised_sequences_run_as_chunks(practised: Player) -> None:
    trials = [practised.trial(learning=False) for _ in range(12)]
    assert np.mean([total for total, _, _ in trials]) == 6
    assert np.mean([decisions for *_, decisions in trials]) <= 0.45 * 6


def test_gates_speak_at_the_boundaries_of_chunks_alone(practised: Player) -> None:
    trace = practised.trace
    trace.clear()
    trace.enabled = True
    practised.trial(learning=False)
    trace.enabled = False
    start, stop = (trace.column(f"gate_{name}")[:, 0] for name in ("start", "stop"))
    assert start[0] == 1 and stop[-1] == 1
    assert start.sum() == stop.sum() < 6
    # What stops is followed by what starts.
    assert np.array_equal(start[1:], stop[:-1])


def test_without_sleep_there_are_no_chunks_and_without_basal_ganglia_nothing_new() -> None:
    for lesion, decisions in (("sleep", 6), ("basal_ganglia", None)):
        player = Player(KeyChoiceEnv(cues=2), lesions=(lesion,))
        for _ in range(60):
            player.trial()
        assert player.brain.sleep() == []
        total, _, asked = player.trial(learning=False)
        if decisions:
            assert (total, asked) == (6, decisions)
        else:
            assert total < 0


def test_practised_sequences_run_without_basal_ganglia(practised: Player) -> None:
    lesioned = Player(practised.env, seed=2, lesions=("basal_ganglia",))
    lesioned.brain.load_state(practised.brain.state())
    assert np.mean([lesioned.trial()[0] for _ in range(8)]) > 5


def test_a_saved_loop_goes_on_where_it_was(practised: Player) -> None:
    other = Player(practised.env, seed=1)
    other.brain.load_state({k: np.array(v) for k, v in practised.brain.state().items()})
    for name, value in practised.brain.state().items():
        assert np.array_equal(value, other.brain.state()[name]), name


def test_a_chunk_is_aborted_by_a_bad_answer_and_loses_its_preference_there() -> None:
    brain = Sequencing(5, 1, dataclasses.replace(BrainConfig()), Trace())
    program = brain.chunks.add((1, 2, 3))
    assert program is not None
    brain.striatum.grow(program, 1, np.full(len(brain.striatum.value), 2.0))
    memory = brain.new_memory(1)
    brain.see(memory, ONE, None)
    memory["held"][:] = 0
    go = np.ones(1, bool)
    for act, answer in ((1, 1.0), (2, -1.0)):
        assert brain.choose(memory, None, go)[0] == act
        done = np.array([act]), np.array([answer])
        brain.learn(memory, *done, done[1], np.zeros(1, bool))
        brain.finish(memory, *done)
    assert memory["program"][0] == -1 and memory["stage"][0] == 1
    own = brain.striatum.own[:, program]
    assert own.min() < 0 and (own < 2).sum() == 1
    assert brain.chunks.trust[0] < 1


@pytest.mark.parametrize("seed", [7, 104])
def test_the_cue_is_kept_through_a_delay_with_others_unless_lesioned(seed: int) -> None:
    rules: dict[str, Any] = {"keys": 4, "length": 2, "cues": 3, "part_length": 0, "book": seed}
    for lesions in ((), ("cue_memory",)):
        env = KeyChoiceEnv(cue_steps=1, delay=4, distractors=0.3, **rules)
        player = Player(env, seed, lesions=lesions)
        for _ in range(250):
            player.trial()
        wins = np.mean([player.trial(learning=False)[1]["is_success"] for _ in range(30)])
        assert (wins < 0.7) if lesions else (wins == 1.0)


def test_a_chunk_grows_sure_by_running_well_and_loses_it_all_by_misleading() -> None:
    brain = Sequencing(3, 1, BrainConfig(), Trace())
    program = brain.chunks.add((0, 1))
    assert program is not None
    new = BrainConfig().chunk.preference
    brain.striatum.grow(program, 0, np.full(len(brain.striatum.value), new))

    def run(*acts: tuple[int, float]) -> float:
        memory = brain.new_memory(1)
        began = brain.context(memory)
        memory["program"][:], memory["began"] = program, began
        for act, answer in acts:
            done, told = np.array([act]), np.array([answer])
            brain.learn(memory, done, told, told, np.zeros(1, bool))
            brain.finish(memory, done, told)
        assert memory["program"][0] == -1
        return float(brain.striatum.own[began[0], program])

    worth = [run((0, 1.0), (1, 1.0)) for _ in range(4)]
    assert worth == sorted(worth) and worth[0] > new
    assert run((0, 1.0), (1, -1.0)) < 0.0


def test_the_gate_of_the_cue_learns_more_slowly_than_acts() -> None:
    brain = Sequencing(3, 2, BrainConfig(), Trace())
    past = np.zeros((1, 1), np.int64), np.zeros((1, 1), np.int64), np.ones((1, 1))
    for part in (brain.striatum, brain.cue_gate):
        part.learn(np.ones(1), *past)
    assert 0 < brain.cue_gate.go[0, 0] - 1 < 0.5 * (brain.striatum.go[0, 0] - 1)


def test_what_is_prepared_is_the_chunk_that_has_proved_itself_after_this_one() -> None:
    brain = Sequencing(6, 1, BrainConfig(), Trace())
    first, second = brain.chunks.add((0, 1, 2)), brain.chunks.add((3, 4))
    assert first is not None and second is not None
    everywhere = np.full(len(brain.striatum.value), brain._config.chunk.preference)
    brain.striatum.grow(first, 0, everywhere)
    brain.striatum.grow(second, 3, everywhere)
    memory = brain.new_memory(1)
    memory["held"][:], memory["program"][:] = 0, first
    for position, proved, expected in ((2, 0.0, NONE), (1, 1.0, NONE), (2, 1.0, 3)):
        memory["position"][:] = memory["stage"][:] = position
        after = brain.context(memory) + 1
        brain.striatum.own[after, second] = everywhere[0] + proved
        assert brain.prepared(memory)[0] == expected
    memory["program"][:], memory["position"][:] = 2, 0  # (A single act)
    assert brain.prepared(memory)[0] == NONE


def test_each_kind_of_dopamine_teaches_what_the_other_does_not() -> None:
    told = {}
    for lesions in ((), ("global_dopamine",), ("local_dopamine",)):
        brain = Sequencing(4, 1, BrainConfig(lesions=lesions), trace := Trace())
        trace.enabled = True
        program = brain.chunks.add((0, 1, 2))
        assert program is not None
        brain.striatum.grow(program, 0, np.ones(len(brain.striatum.value)))
        memory = brain.new_memory(1)
        memory["program"][:] = program
        for act, answer in ((0, 1.0), (1, -1.0)):  # (It misleads in its second act.)
            done = np.array([act]), np.array([answer])
            brain.learn(memory, *done, done[1], np.zeros(1, bool))
            brain.finish(memory, *done)
        trace.next_tick()
        own = float(brain.striatum.own[0, program])
        right = float(np.diff(brain.striatum.preference(ONE)[0, [1, 0]])[0])
        told[lesions] = own, right, trace.column("program_dopamine")[0, 0]
    assert told[()][0] < 0 < told[()][1] and told[()][2] < 0
    assert told["global_dopamine",][0] < 0 == told["global_dopamine",][1]
    assert told["local_dopamine",][0] == 1.0 and told["local_dopamine",][1] > 0
    assert told["local_dopamine",][2] == 0.0
