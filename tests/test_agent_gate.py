"""The gate between motor programs: which one a body runs, and how long others are tried."""

import numpy as np
import pytest

from agent.basal_ganglia import ProgramGate
from agent.config import BasalGangliaConfig
from agent.working_memory import CRAWL, REACH

ABLE = np.array([True, True, False])
ENDED = np.array([True])


def live(gate, program, reward):
    """Let one body run a bout of one step."""
    gate.learn(np.array([program]), np.array([reward]), ENDED)


def practised(better, worse, spread, bouts=60, seed=0):
    """Gate that has compared many bouts of reaching with one of crawling."""
    gate, rng = ProgramGate(3, 1, BasalGangliaConfig()), np.random.default_rng(seed)
    live(gate, CRAWL, worse)
    for _ in range(bouts):
        live(gate, REACH, better + spread * rng.normal())
    return gate


def tries(gate, choices=2000, seed=1):
    """How often the gate explores crawling."""
    rng = np.random.default_rng(seed)
    return sum(gate.choose(ABLE, rng) == CRAWL - REACH for _ in range(choices))


def test_what_was_far_worse_than_chance_explains_is_not_tried_again():
    assert tries(practised(-0.02, -0.2, 0.01)) == 0


def test_what_may_have_been_worse_by_chance_is_tried_again():
    assert tries(practised(-0.02, -0.021, 0.01)) > 0


def test_noise_is_what_bouts_of_one_program_differ_by():
    gate = practised(-0.02, -5.0, 0.01, bouts=400)
    assert np.sqrt(gate.noise) == pytest.approx(0.01, rel=0.5)


def test_one_bout_of_each_is_compared_by_what_they_differ_by():
    gate = practised(-0.02, -0.2, 0.0, bouts=1)
    assert gate.noise == 0.0
    assert 0 < tries(gate) < 40


def test_programs_without_any_difference_share_the_bouts():
    gate = practised(-0.1, -0.1, 0.0)
    assert 800 < tries(gate) < 1200


def test_a_gate_goes_on_from_what_is_saved():
    gate, other = practised(-0.02, -0.021, 0.01), ProgramGate(3, 1, BasalGangliaConfig())
    other.load_state(gate.state())
    assert tries(gate) == tries(other)
