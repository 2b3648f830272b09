"""Journeys of a body that crawls: held up, found out why, and got round it."""

import itertools

import numpy as np
import pytest
from gymnasium import spaces

from agent.config import BrainConfig
from agent.hippocampus import Hippocampus
from agent.motor_programs.journey import Journey
from agent.prefrontal import Prefrontal
from agent.senses import Senses
from agent.working_memory import Memory, begin_episodes, new_memory

STEP = 0.02
"""Metres that the body of these tests makes in a step: it goes straight, or stands at a wall."""


def _journey(*lesions: str) -> tuple[Journey, Hippocampus, Senses]:
    box = spaces.Box(-10.0, 10.0, (2,), np.float64)
    space = spaces.Dict({"observation": box, "achieved_goal": box, "desired_goal": box})
    senses = Senses(space, spaces.Box(-1.0, 1.0, (2,), np.float32))
    config = BrainConfig()
    hippocampus = Hippocampus(config.hippocampus, np.random.default_rng(0), lesions)
    return Journey(senses, hippocampus, Prefrontal(config.prefrontal)), hippocampus, senses


def _memory(hippocampus: Hippocampus, senses: Senses) -> Memory:
    return new_memory(1, 2, senses.n_channels, 10, hippocampus.grid.n_phases)


def _channels(here: np.ndarray, goal: np.ndarray, senses: Senses) -> np.ndarray:
    channels = np.zeros((1, senses.n_channels))
    channels[:, senses.achieved], channels[:, senses.desired] = here, goal
    return channels


def _go(
    journey: Journey,
    hippocampus: Hippocampus,
    senses: Senses,
    ends: tuple[tuple[float, float], tuple[float, float]],
    walled: bool,
    learning: bool = True,
    steps: int = 700,
) -> tuple[bool, float]:
    """Whether a body arrives, and the way it made; a wall is at x = 0, open below y = −1."""
    here, goal = (np.array(end) for end in ends)
    memory, free, way = _memory(hippocampus, senses), np.ones(1, bool), 0.0
    memory = begin_episodes(memory, free, own=True)
    for _ in range(steps):
        aim = journey.head(memory, _channels(here, goal, senses), free, learning)[0]
        journey.turn(memory, np.zeros(1))
        to = aim - here
        move = to * min(1.0, STEP / max(float(np.linalg.norm(to)), 1e-9))
        there = here + move
        if walled and here[0] * there[0] <= 0.0 and here[1] > -1.0:
            there = here
        way += float(np.linalg.norm(there - here))
        here = there
        memory["steps"] = memory["steps"] + 1
        if np.linalg.norm(here - goal) < 0.1:
            return True, way
    return False, way


def test_on_open_ground_the_way_leads_straight_to_the_goal() -> None:
    parts = _journey()
    arrived, way = _go(*parts, ((-1.0, 0.5), (1.0, 0.5)), walled=False)
    assert arrived and way < 2.0
    assert parts[0].pace == pytest.approx(STEP, rel=0.01)
    assert not len(parts[1].boundaries)


def _taught(*lesions: str) -> tuple[Journey, Hippocampus, Senses]:
    """Journeys round the open end of the wall, and into it."""
    parts = _journey(*lesions)
    round_it = (-1.0, 0.0), (-1.0, -1.5), (0.0, -1.6), (1.0, -1.5), (1.0, 0.0)
    for _ in range(2):
        for ends in itertools.pairwise(round_it):
            _go(*parts, ends, walled=True)
    _go(*parts, ((-1.0, 0.5), (1.0, 0.5)), walled=True)
    return parts


def test_what_held_a_body_up_is_a_wall_that_it_goes_round() -> None:
    parts = _taught()
    assert len(parts[1].boundaries) > 0
    arrived, way = _go(*parts, ((-1.0, 0.0), (1.0, 0.0)), walled=True, learning=False)
    assert arrived and way < 5.0
    lesioned = _taught("hippocampus")
    assert not _go(*lesioned, ((-1.0, 0.0), (1.0, 0.0)), walled=True, learning=False)[0]


def test_the_fields_of_a_faster_body_grow() -> None:
    parts = journey, hippocampus, senses = _taught()
    cells, walls, pace = len(hippocampus.map), len(hippocampus.boundaries), journey.pace
    global STEP
    before, STEP = STEP, 3.5 * STEP
    try:
        for _ in range(120):
            _go(*parts, ((-1.0, -1.5), (4.0, -1.5)), walled=True)
    finally:
        STEP = before
    assert journey.pace > 2.5 * pace
    assert hippocampus.config.spacing >= 8 * journey.pace
    assert hippocampus.scale > 1.0 and len(hippocampus.map) < 2 * cells
    assert len(hippocampus.boundaries) == walls
    memory, free = _memory(hippocampus, senses), np.ones(1, bool)
    channels = _channels(np.array([-1.0, 0.0]), np.array([1.0, 0.0]), senses)
    assert journey.head(memory, channels, free, learning=False)[0][1] < -0.5  # (Round the wall)


def test_room_is_where_the_body_has_been_and_nothing_is_in_the_way() -> None:
    journey, hippocampus, senses = _taught()
    here, bearing = np.array([[-1.0, -0.8]]), np.array([[0.0, np.pi]])
    ahead, outside = journey.room(here, bearing)[0]
    assert ahead <= 1.0  # (There is the wall)
    assert outside <= 1.0  # (Nobody has been there)
    memory = _memory(hippocampus, senses)
    memory["place"], memory["placed"] = here, np.ones(1, bool)
    assert journey.walled
    assert journey.blocked(memory, np.array([np.pi])).tolist() == [0]
    assert not len(journey.blocked(memory, np.array([np.nan])))
    memory["aim_left"][:] = 3  # (It does not look about now)
    assert not len(journey.blocked(memory, np.array([np.pi])))
    memory["aim_left"][:] = 0
    assert not len(_journey()[0].blocked(memory, np.array([np.pi])))
    open_ground = journey, hippocampus, senses = _journey()
    assert not journey.mapped
    _go(*open_ground, ((-1.0, 0.0), (2.5, 0.0)), walled=False)
    bearing = np.array([[0.0, np.pi, 0.5 * np.pi]])
    along, back, across = journey.room(np.array([[0.3, 0.0]]), bearing)[0]
    assert journey.mapped and not journey.walled
    assert along >= 1.6 and back <= 1.6 and across <= 0.4  # (A track that was crawled along)


def test_a_body_that_performs_keeps_walls_in_mind_and_learns_nothing() -> None:
    journey, hippocampus, senses = parts = _journey()
    _go(*parts, ((-1.0, -1.5), (1.0, -1.5)), walled=False)
    before = {**hippocampus.state(), "pace": journey.state()}
    memory, free = _memory(hippocampus, senses), np.ones(1, bool)
    channels = _channels(np.array([-0.1, 0.5]), np.array([1.0, 0.5]), senses)
    for _ in range(100):
        held = {name: value.copy() for name, value in memory.items()}
        given = dict(memory)
        journey.head(given, channels, free, learning=False)
        journey.turn(given, np.zeros(1))
        assert all(np.array_equal(memory[name], value) for name, value in held.items())
        memory = given
    assert memory["bumped"][0] > 0
    after = {**hippocampus.state(), "pace": journey.state()}
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_who_cannot_turn_to_where_it_heads_turns_the_other_way(side: float) -> None:
    journey, hippocampus, senses = parts = _journey()
    _go(*parts, ((-1.0, -1.5), (1.0, -1.5)), walled=False)
    channels = _channels(np.zeros(2), np.array([1.0, 0.5]), senses)

    def answers() -> np.ndarray:
        memory, free, given = _memory(hippocampus, senses), np.ones(1, bool), []
        for _ in range(600):
            journey.head(memory, channels, free, learning=True)
            given.append(side * float(journey.turn(memory, np.full(1, 1.5 * side))[0]))
        return np.array(given)

    assert (answers() == 1.5).all()  # (Nothing has ever been in its way: it turns slowly)
    hippocampus.bump(np.array([-0.5, 0.0]), np.array([1.0, 0.0]))
    given = answers()
    assert given[0] == 1.5
    first, second = np.flatnonzero(given < -1.0)[0], np.flatnonzero(np.abs(given) == 1.2)[-1]
    assert given[first] == -1.2 and given[second] == 1.2  # (This way in turn, but sharply)
    assert len(hippocampus.boundaries) == 1


def test_toil_makes_a_way_longer_and_is_kept() -> None:
    _, hippocampus, _ = _taught()
    world = hippocampus.map
    start, end = np.argwhere(world.walked)[0]
    before = world.distances(int(end))[start]
    for _ in range(50):
        world.toil(int(start), int(end), 30.0)
    assert before < world.distances(int(end))[start] <= 30.0
    _, other, _ = _journey()
    other.load_state(hippocampus.state())
    np.testing.assert_array_equal(other.map.links, world.links)
    world.toil(int(start), int(end), 0.0)
    least = np.linalg.norm(world.place[start] - world.place[end])
    assert world.links[start, end] >= least


def test_beside_a_way_that_is_not_tight_it_must_be_clear_too() -> None:
    _, hippocampus, _ = parts = _journey()
    for y in (-0.8, -0.4, 0.0, 0.4, 0.8):
        _go(*parts, ((-2.0, y), (2.0, y)), walled=False)
    world, walls = hippocampus.map, hippocampus.boundaries
    start, end = np.array([-1.8, 0.0]), np.array([[1.8, 0.0]])
    assert world.sweep(start, end, walls, aside=0.6)[0]
    assert not world.sweep(start, end, walls, aside=1.6)[0]
    walls.bump(np.array([0.0, 0.5]), np.array([-1.0, 0.0]))
    assert world.sweep(start, end, walls)[0]
    assert not world.sweep(start, end, walls, aside=0.6)[0]


def test_where_goals_are_hidden_what_was_rewarding_is_remembered() -> None:
    journey, hippocampus, senses = _journey()
    free, here = np.ones(1, bool), np.array([1.0, 2.0])
    hidden = _channels(here, here, senses)
    memory = _memory(hippocampus, senses)
    journey.head(dict(memory), hidden, free, learning=False)
    assert not journey.hides  # (Who performs learns nothing)
    journey.learn(hidden, np.ones(1))
    assert not len(journey._prefrontal.place)
    journey.head(memory, hidden, free, learning=True)
    assert journey.hides
    journey.learn(hidden, np.ones(1))
    away = _channels(np.zeros(2), np.zeros(2), senses)
    aim = journey.head(_memory(hippocampus, senses), away, free, learning=False)
    assert aim[0] == pytest.approx(here)
