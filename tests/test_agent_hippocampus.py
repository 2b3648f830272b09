"""Where the body is, what it knows of its world, and which way it goes."""

import numpy as np
import pytest
from gymnasium import spaces

from agent import Brain, BrainConfig, SensoryError, StateError
from agent.boundary import Boundaries
from agent.config import HippocampusConfig, PrefrontalConfig
from agent.grid_cells import GridCells
from agent.hippocampus import Hippocampus
from agent.joints import NotYet
from agent.memory import SensorimotorMemory
from agent.place_map import PlaceMap
from agent.prefrontal import Prefrontal
from agent.self_motion import find_motion, fit_law
from agent.senses import Senses
from agent.velocity_sense import VelocitySense
from agent.working_memory import begin_episodes, new_memory


def grid(modules=12, finest=1.0, seed=0):
    return GridCells(modules, finest, np.random.default_rng(seed))


class Point:
    """A point mass in a box of 4 × 3 m, in which a thick wall leaves a way at one side."""

    observation_space = spaces.Dict(
        {
            "observation": spaces.Box(-np.inf, np.inf, (4,)),
            "achieved_goal": spaces.Box(-np.inf, np.inf, (2,)),
            "desired_goal": spaces.Box(-np.inf, np.inf, (2,)),
        }
    )
    action_space = spaces.Box(-1.0, 1.0, (2,))
    length = 300

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)

    def reset(self, place=None, goal=None):
        """Begin an episode at a place, or anywhere."""
        low, high = np.array([0.2, 0.2]), np.array([3.8, 2.8])
        self.place = self.rng.uniform(low, high) if place is None else np.array(place, float)
        while abs(self.place[1] - 1.5) < 0.5:
            self.place[1] = self.rng.uniform(0.2, 2.8)
        self.goal = self.rng.uniform(low, high) if goal is None else np.array(goal, float)
        self.speed, self.steps = np.zeros(2), 0
        return self.observe()

    def observe(self):
        """Batch of one observation."""
        felt = np.concatenate([self.place, self.speed])
        return {
            "observation": felt[None],
            "achieved_goal": self.place[None].copy(),
            "desired_goal": self.goal[None].copy(),
        }

    def step(self, action):
        """Observation, reward, and whether it has arrived."""
        self.speed = 0.99 * self.speed + 0.24 * action[0]
        to = self.place + 0.01 * self.speed
        if to[0] < 3.0 and abs(to[1] - 1.5) < 0.5:
            if self.place[0] >= 3.0:
                to[0], self.speed[0] = 3.0, 0.0
            else:
                to[1], self.speed[1] = 1.5 + 0.5 * np.sign(self.place[1] - 1.5), 0.0
        for axis, most in ((0, 4.0), (1, 3.0)):
            if not 0.0 <= to[axis] <= most:
                to[axis], self.speed[axis] = np.clip(to[axis], 0.0, most), 0.0
        self.place, self.steps = to, self.steps + 1
        there = np.linalg.norm(self.place - self.goal) < 0.2
        return self.observe(), np.array([float(there)]), there


def live(brain, world, steps):
    memory, start, seen = brain.new_memory(1), np.ones(1, bool), world.reset()
    for _ in range(steps):
        action, memory = brain.act(seen, memory, start, learning=True)
        after, reward, _ = world.step(action)
        start = np.array([world.steps >= world.length])
        brain.learn(seen, action, reward, after, np.zeros(1, bool), start, memory)
        seen = world.reset() if start[0] else after
    return brain


def way_to(brain, world, place, goal, steps=400):
    """Length of the way to a goal; inf if it was not reached."""
    memory, start, seen = brain.new_memory(1), np.ones(1, bool), world.reset(place, goal)
    way = 0.0
    for _ in range(steps):
        action, memory = brain.act(seen, memory, start)
        start, last = np.zeros(1, bool), world.place
        seen, _, there = world.step(action)
        way += float(np.linalg.norm(world.place - last))
        if there:
            return way
    return np.inf


@pytest.fixture(scope="module")
def traveller():
    return live(Brain(Point.observation_space, Point.action_space, seed=1), Point(1), 2500)


@pytest.mark.parametrize("seed", range(3))
def test_phases_stand_for_places(seed):
    cells, rng = grid(seed=seed), np.random.default_rng(seed)
    place = rng.uniform(-10, 10, (50, 2))
    np.testing.assert_allclose(cells.decode(cells.encode(place)), place, atol=1e-6)
    near = place + rng.uniform(-0.2, 0.2, place.shape)
    np.testing.assert_allclose(cells.decode(cells.encode(place), near), place, atol=1e-6)


def test_movement_is_integrated_and_sight_corrects_it():
    cells, rng = grid(), np.random.default_rng(0)
    place, phase = np.zeros((1, 2)), cells.encode(np.zeros((1, 2)))
    for _ in range(500):
        move = rng.normal(0, 0.02, (1, 2))
        place, phase = place + move, cells.integrate(phase, move + 0.001)
    drift = np.linalg.norm(cells.decode(phase, place) - place)
    assert 0.1 < drift < 1.0
    for _ in range(20):
        phase = cells.update(phase, np.zeros((1, 2)), place, np.array([0.3]))
    assert np.linalg.norm(cells.decode(phase, place) - place) < 0.01 * drift


def test_sight_draws_phases_by_its_share_of_the_way():
    rng, pulls = np.random.default_rng(0), np.array([0.0, 0.3, 1.0])
    grid = GridCells(12, 1.0, rng)
    start, moved, off = rng.uniform(-5, 5, (3, 2)), *rng.uniform(-0.1, 0.1, (2, 3, 2))
    phase = grid.update(grid.encode(start), moved, start + moved + off, pulls)
    expected = start + moved + pulls[:, None] * off
    np.testing.assert_allclose(grid.decode(phase, start + moved), expected, atol=1e-9)


def test_similarity_of_codes_falls_with_distance():
    cells = grid()
    similar = [cells.similarity(d) for d in (0.0, 0.2, 0.4, 0.8)]
    assert similar[0] == pytest.approx(1.0) and similar == sorted(similar, reverse=True)


def test_fields_of_a_grid_cell_lie_as_far_apart_as_its_spacing():
    cells = grid(modules=1, finest=2.0)
    angle = cells.orientation[0] + np.pi / 6
    away = 2.0 * np.array([[np.cos(angle), np.sin(angle)]])
    for turn in np.arange(6) * np.pi / 3:
        c, s = np.cos(turn), np.sin(turn)
        peak = cells.rates(cells.encode(away @ np.array([[c, s], [-s, c]])))
        assert peak[0, 0] == pytest.approx(1.0)
    assert cells.rates(cells.encode(0.5 * away))[0, 0] < 0.5


def test_a_bump_blocks_the_way_into_the_wall_and_no_other():
    felt = Boundaries(0.25)
    assert felt.bump(np.zeros(2), np.array([0.0, 1.0]))
    assert not felt.bump(np.array([0.05, 0.0]), np.array([0.0, 1.0]))
    start = np.array([[0.0, 0.5], [0.0, 0.5], [0.0, -0.5], [1.0, 0.5]])
    end = np.array([[0.0, -0.5], [0.0, 0.1], [0.0, 0.5], [1.0, -0.5]])
    np.testing.assert_array_equal(felt.blocks(start, end), [True, False, False, False])
    assert felt.blocks(start[3:], end[3:], stretch=5.0)[0]


@pytest.mark.parametrize("stretch", [1.0, 2.5])
def test_many_ways_are_blocked_as_each_of_them_is(stretch):
    rng = np.random.default_rng(3)
    walls, turn = Boundaries(0.2), rng.uniform(0.0, 2 * np.pi, 60)
    for place, angle in zip(rng.uniform(0.0, 6.0, (60, 2)), turn, strict=True):
        walls.bump(place, np.array([np.cos(angle), np.sin(angle)]))
    walls.widen(0.9)
    start, end = rng.uniform(0.0, 6.0, (2, 300, 2))
    end[:150] = start[:150] + 0.2 * (end[:150] - start[:150])
    each = [walls.blocks(start[i : i + 1], end[i : i + 1], stretch)[0] for i in range(300)]
    assert 0.05 < np.mean(each) < 0.95
    np.testing.assert_array_equal(walls.blocks(start, end, stretch), each)
    from_one = [walls.blocks(start[:1], end[i : i + 1], stretch)[0] for i in range(300)]
    np.testing.assert_array_equal(walls.blocks(start[:1], end, stretch), from_one)
    here = slice(20, 80)  # (All in one corner: most walls lie aside)
    start, end = start[here] / 4, end[here] / 4
    each = [walls.blocks(start[i : i + 1], end[i : i + 1], stretch)[0] for i in range(60)]
    np.testing.assert_array_equal(walls.blocks(start, end, stretch), each)


def test_what_was_walked_through_is_no_wall():
    felt = Boundaries(0.25)
    felt.bump(np.zeros(2), np.array([0.0, 1.0]))
    start, end = np.array([[0.0, 0.2]]), np.array([[0.0, -0.2]])
    for offset in (0.1, -0.1, 0.0, 0.03, -0.03):
        aside = np.array([offset, 0.0])
        felt.pass_through(start + aside, end + aside)
    assert len(felt) == 0


def test_what_is_new_of_walls_is_told_from_what_was_known():
    felt, more = Boundaries(0.3), Boundaries(0.3)
    for x in (0.0, 5.0):
        felt.bump(np.array([x, 0.0]), np.array([0.0, 1.0]))
    more.load_state(felt.state())
    assert len(more.beyond(felt)) == 0
    more.bump(np.array([0.5, 0.0]), np.array([0.0, 1.0]))  # (The first wall reaches there)
    new = more.beyond(felt)
    assert new.place[:, 0].tolist() == [0.0, 0.5]
    start, end = np.array([[0.25, 0.1], [5.0, 0.1]]), np.array([[0.25, -0.2], [5.0, -0.2]])
    assert more.blocks(start, end).all() and new.blocks(start, end).tolist() == [True, False]


def test_ways_lead_round_walls():
    cells, felt = grid(), Boundaries(0.6)
    world = PlaceMap(2 * cells.n_phases, 0.5)
    for x in np.arange(6) * 0.5:
        for y in (0.0, 0.5):
            place = np.array([x, y])
            world.recruit(cells.features(cells.encode(place)), place, felt)
    assert world.distances(1)[0] == pytest.approx(0.5)
    for x in (0.0, 0.5, 1.0, 1.5):
        felt.bump(np.array([x, 0.25]), np.array([0.0, 1.0]))
        felt.bump(np.array([x, 0.25]), np.array([0.0, -1.0]))
    world.wall(felt)
    assert 3.0 < world.distances(1)[0] < 5.5
    assert world.way(0, 1)[-1] == 1
    assert not world.sweep(np.zeros(2), np.array([[0.0, 0.5]]), felt)[0]
    assert world.sweep(np.zeros(2), np.array([[2.5, 0.0]]), felt)[0]


def test_a_place_that_commands_move_is_told_from_one_that_they_do_not():
    rng, senses = np.random.default_rng(0), Senses(Point.observation_space, Point.action_space)
    world, memory = Point(), SensorimotorMemory(200, 8, 2)
    moves_by_posture = SensorimotorMemory(200, 8, 2)
    seen = world.reset()
    for t in range(200):
        action = rng.uniform(-1, 1, (1, 2))
        after, reward, _ = world.step(action)
        pair = senses.channels(seen), senses.channels(after)
        memory.store(pair[0], action, reward, pair[1], np.zeros(1, np.int64))
        bent = [x.copy() for x in pair]
        for x in bent:
            x[:, 4:6] = np.sin(6 * x[:, :2])
        moves_by_posture.store(bent[0], action, reward, bent[1], np.zeros(1, np.int64))
        seen = world.reset() if t % 50 == 49 else after
    motion = find_motion(memory, senses)
    assert motion.velocity.tolist() == [2, 3]
    assert motion.step == pytest.approx(0.01, rel=1e-3)
    np.testing.assert_allclose(motion.law[3:], 0.24 * np.eye(2), atol=0.01)
    with pytest.raises(NotYet, match="velocity"):
        find_motion(moves_by_posture, senses)


@pytest.mark.parametrize("leant", [0.0, 0.2, 0.4])
def test_the_law_of_motion_is_that_of_the_steps_without_bumps(leant):
    rng, law = np.random.default_rng(3), np.array([[0.01, 0.0], [0.99, 0.02], [0.0, 0.98]])
    law = np.vstack([law, [[0.24, 0.01], [0.0, 0.2]]])
    given = np.hstack([np.ones((80, 1)), rng.normal(size=(80, 4))])
    velocity = given @ law
    bumps = rng.permutation(80)[: round(leant * 80)]  # (It leaned on something in one direction)
    velocity[bumps, 1] = 1e-3 * rng.normal(size=len(bumps))
    np.testing.assert_allclose(fit_law(given, velocity), law, atol=1e-9)


def test_a_body_that_leant_on_something_while_it_babbled_babbles_on():
    rng, senses = np.random.default_rng(0), Senses(Point.observation_space, Point.action_space)
    memory, place, speed = SensorimotorMemory(400, 8, 2), np.zeros(2), np.zeros(2)
    for t in range(240):
        command, was = rng.uniform(-1, 1, 2), np.concatenate([place, speed, place, np.zeros(2)])
        speed = 0.99 * speed + 0.24 * command
        if t < 80 and t % 4:  # (Rubbing along something)
            speed[1] *= rng.uniform(0.7, 1.0)
        place = place + 0.01 * speed
        now = np.concatenate([place, speed, place, np.zeros(2)])
        memory.store(was[None], command[None], np.zeros(1), now[None], np.zeros(1, np.int64))
        if t == 79:
            with pytest.raises(NotYet, match="leaned"):
                find_motion(memory, senses)
    np.testing.assert_allclose(find_motion(memory, senses).law[3:], 0.24 * np.eye(2), atol=1e-6)


def test_the_traveller_knows_the_wall_and_goes_round_it(traveller):
    assert traveller.travel.available and not any(traveller.programs.able[:2])
    ways = []
    for x, end in ((0.5, 0.5), (1.5, 1.5), (2.5, 0.5)):
        for y in (0.5, 2.5):
            shortest = 1.0 + np.hypot(3.0 - x, 0.5) + np.hypot(3.0 - end, 0.5)
            ways.append(way_to(traveller, Point(), (x, y), (end, 3.0 - y)) / shortest)
    assert min(ways) > 0.9 and np.median(ways) < 1.2 and max(ways) < 1.5


def test_without_a_hippocampus_it_pushes_against_the_wall():
    config = BrainConfig(lesions=("hippocampus",))
    brain = Brain(Point.observation_space, Point.action_space, config=config, seed=1)
    live(brain, Point(1), 1000)
    assert np.isinf(way_to(brain, Point(), (0.5, 0.5), (0.5, 2.5)))
    assert np.isfinite(way_to(brain, Point(), (0.5, 0.5), (2.5, 0.5)))


def test_performing_leaves_the_map_alone(traveller):
    before = traveller.state()
    way_to(traveller, Point(), (0.5, 0.5), (3.5, 2.5))
    after = traveller.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_map_is_saved_and_loaded(traveller):
    other = Brain(Point.observation_space, Point.action_space, seed=2)
    other.load_state(traveller.state())
    ways = [way_to(brain, Point(), (0.5, 0.5), (0.5, 2.5)) for brain in (traveller, other)]
    assert ways[0] == pytest.approx(ways[1])
    state = traveller.state()
    state["hippocampus.map.novel"] = state["hippocampus.map.novel"][1:]
    with pytest.raises(StateError, match=r"map\.novel"):
        other.load_state(state)


def test_a_diverged_place_is_refused(traveller):
    world = Point()
    seen = world.reset()
    seen["achieved_goal"][0, 0] = np.nan
    with pytest.raises(SensoryError, match=r"achieved_goal\[0\]"):
        traveller.act(seen, traveller.new_memory(1), np.ones(1, bool))


@pytest.mark.parametrize("lesions", [(), ("prefrontal",)])
def test_a_goal_that_is_no_longer_seen_is_held(lesions):
    cortex, memory = Prefrontal(PrefrontalConfig(), lesions), new_memory(1, 2, 8, 1)
    here, goal = np.zeros((1, 2)), np.array([[1.0, 2.0]])
    assert not cortex.hold(memory, here, here)[1][0]
    np.testing.assert_array_equal(cortex.hold(memory, goal, here)[0], goal)
    held, wanted = cortex.hold(memory, here, here)
    assert wanted[0] == (not lesions)
    if not lesions:
        np.testing.assert_array_equal(held, goal)


def test_one_reward_makes_a_goal_and_visits_in_vain_unmake_it():
    cortex, here = Prefrontal(PrefrontalConfig()), np.zeros((1, 2))
    cortex.learn(here + 1.0, np.zeros(1))
    cortex.learn(here + 2.0, np.ones(1))
    goal, wanted = cortex.hold(new_memory(1, 2, 8, 1), here, here)
    assert wanted[0]
    np.testing.assert_allclose(goal, here + 2.0)
    for _ in range(20):
        cortex.learn(here + 2.0, np.zeros(1))
    assert not cortex.hold(new_memory(1, 2, 8, 1), here, here)[1][0]


def test_without_a_grid_the_place_is_lost_in_the_dark():
    place = np.array([[0.0, 0.0]])
    found = {}
    for lesions in ((), ("grid",)):
        region = Hippocampus(HippocampusConfig(), np.random.default_rng(0), lesions)
        memory = new_memory(1, 2, 8, 1, region.grid.n_phases)
        region.sense(memory, np.zeros((1, 2)), place)
        for _ in range(20):  # (The place seen stays the same: it is not seen)
            region.sense(memory, np.array([[0.05, 0.0]]), place)
        found[lesions] = memory["place"][0, 0]
    assert found[()] == pytest.approx(1.0) and found[("grid",)] == 0.0


def test_a_wall_that_is_touched_in_the_dark_corrects_the_place():
    region = Hippocampus(HippocampusConfig(), np.random.default_rng(0))
    region.bump(np.array([1.0, 0.0]), np.array([-1.0, 0.0]))
    memory = new_memory(1, 2, 8, 1, region.grid.n_phases)
    seen, normal = np.array([[0.7, 0.1]]), np.array([[-1.0, 0.0]])
    region.sense(memory, np.zeros((1, 2)), seen)
    region.touch(memory, np.array([0]), normal)  # (It has just been seen)
    np.testing.assert_allclose(memory["place"], seen)
    for _ in range(30):
        region.sense(memory, np.zeros((1, 2)), seen)
        region.touch(memory, np.array([0]), normal)
    np.testing.assert_allclose(memory["place"], [[1.0, 0.1]], atol=1e-3)
    np.testing.assert_allclose(region.grid.decode(memory["grid"]), memory["place"], atol=1e-3)
    region.touch(memory, np.array([0]), -normal)  # (No wall is known that pushes that way)
    np.testing.assert_allclose(memory["place"], [[1.0, 0.1]], atol=1e-3)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_end_of_a_wall_that_is_touched_in_the_dark_corrects_the_place_along_it(side):
    region = Hippocampus(HippocampusConfig(), np.random.default_rng(0))
    normal = np.array([[-0.6, 0.8]])
    along = side * np.array([-0.8, -0.6])
    region.bump(np.array([1.0, 0.0]), normal[0])
    memory, width = new_memory(1, 2, 8, 1, region.grid.n_phases), region.boundaries.width
    seen = (np.array([1.0, 0.0]) + 1.8 * width * along + 0.1 * normal[0])[None]
    for _ in range(40):
        region.sense(memory, np.zeros((1, 2)), seen)
        region.touch(memory, np.array([0]), normal)
    end = np.array([1.0, 0.0]) + width * along
    np.testing.assert_allclose(memory["place"], end[None], atol=1e-3)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_bump_is_told_from_noise(noise):
    sense, memory, rng = VelocitySense(), new_memory(1, 2, 8, 1), np.random.default_rng(0)
    memory["placed"], memory["expected"] = np.ones(1, bool), np.array([[2.0, 0.0]])
    false = 0
    for step in range(400):
        felt = memory["expected"] + noise * 2.0 * rng.normal(size=(1, 2))
        push = sense.push(memory, felt, np.zeros((1, 2)), 1e-3, 0.24)
        false += bool(push.any()) and step > 100
    assert false == 0
    assert np.sqrt(memory["velocity_noise"][0]) == pytest.approx(noise, abs=0.02)
    push = sense.push(memory, np.zeros((1, 2)), np.zeros((1, 2)), 1e-3, 0.24)
    np.testing.assert_allclose(push, [[-2.0, 0.0]])


def test_places_are_searched_once_each_for_a_goal_that_is_not_seen(traveller):
    region, world = traveller.hippocampus, traveller.hippocampus.map
    memory = traveller.new_memory(1)
    memory["cell"][0], memory["place"][0] = 0, world.place[0]
    visited = []
    for _ in range(3 * len(world)):
        aim = region.ways.search(memory, 0)
        cell = int(np.linalg.norm(world.place - aim, axis=1).argmin())
        visited.append(cell)
        memory["cell"][0], memory["place"][0] = cell, world.place[cell]
        if len(set(visited)) == len(world):
            break
    # (On the way to the nearest place that is left, it passes few that it has seen)
    assert len(visited) < 2 * len(world)


def test_what_shuts_a_way_that_was_gone_is_taken_for_wide():
    region, felt = Hippocampus(HippocampusConfig(), np.random.default_rng(0)), []
    for walked in (False, True):
        region = Hippocampus(HippocampusConfig(), np.random.default_rng(0))
        for place in ([0.0, 0.0], [0.5, 0.0]):
            code = region.grid.features(region.grid.encode(np.array(place)))
            region.map.recruit(code, np.array(place), region.boundaries)
        if walked:
            region.map.walk(0, 1)
        assert region.bump(np.array([0.25, 0.0]), np.array([-1.0, 0.0]))
        felt.append(float(region.boundaries.left[0]))
        assert np.isinf(region.map.distances(0)[1])
    assert felt == [region.config.bump_width, region.config.spacing]


def test_who_leans_on_a_wall_does_not_take_it_for_noise():
    sense, memory, still = VelocitySense(), new_memory(1, 2, 8, 1), np.zeros((1, 2))
    memory["placed"], memory["expected"] = np.ones(1, bool), np.array([[0.24, 0.0]])
    for _ in range(300):
        push = sense.push(memory, still, still, 1e-3, 0.24)
    np.testing.assert_allclose(push, [[-0.24, 0.0]])


def explored(*places):
    region = Hippocampus(HippocampusConfig(), np.random.default_rng(0))
    for place in np.array(places, float):
        code = region.grid.features(region.grid.encode(place))
        region.map.recruit(code, place, region.boundaries)
    return region


def test_a_way_to_a_place_known_without_a_link_to_it_is_novel():
    # A probe reaches 0.6 m, and fields touch up to 0.84 m.
    assert explored([0, 0], [0.9, 0]).map.novel[0, 0]
    joined = explored([0, 0], [0.9, 0], [0.45, 0])
    assert not joined.map.novel[0, 0] and np.isfinite(joined.map.distances(0)).all()


def test_a_sketch_goes_on_where_the_map_ends_and_is_forgotten():
    region, memory = explored([0, 0], [0.4, 0]), new_memory(1, 2, 8, 1)
    sketches, goal, before = region.ways.sketches, np.array([2.0, 0.0]), region.state()
    assert sketches.of(memory, 0).map is region.map
    for x in (0.8, 0.9, 1.25):
        memory["place"][0] = [x, 0.0]
        sketches.note_place(memory, 0)
    assert memory["trailed"][0] == 2  # (0.9 is where 0.8 is)
    memory["place"][0] = [1.3, 0.0]
    assert sketches.note_bump(memory, 0, np.array([-1.0, 0.0]))
    assert not sketches.note_bump(memory, 0, np.array([-1.0, 0.0]))
    sketch = sketches.of(memory, 0)
    assert sketch is sketches.of(memory, 0) and len(sketch.map) == 4
    assert sketch.cell(memory["place"][0], 1) == 3 and sketch.cell(np.array([0.4, 0.0]), 1) == 1
    aim = region.ways.subgoal(1, memory["place"][0], goal, sketch=sketch, course="tight")
    assert not sketch.walls.blocks(memory["place"], aim[None])[0]
    assert sketch.cell(np.array([1.04, 0.0]), 1) == 3
    memory["place"][0] = [1.05, 0.0]
    assert sketches.note_bump(memory, 0, np.array([-1.0, 0.0]))
    assert sketches.of(memory, 0).cell(np.array([1.04, 0.0]), 1) == 2  # (3 is behind the wall)
    after = region.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    begun = begin_episodes(memory, np.ones(1, bool))
    assert sketches.of(begun, 0).map is region.map


def test_who_is_found_on_this_side_of_a_wall_has_not_gone_through_it():
    place, normal = np.array([0.25, 0.0]), np.array([-1.0, 0.0])
    for first in (0, 1):  # (The field that it was in before it bumped into the wall)
        region, memory = explored([0, 0], [0.4, 0]), new_memory(1, 2, 8, 1)
        region.map.walk(0, 1)
        memory["cell"][0], memory["last_cell"][0] = 1, first + 1
        memory["placed"], memory["familiar"] = np.ones(1, bool), np.ones(1)
        memory["place"], memory["grid"] = place[None], region.grid.encode(place)[None]
        assert region.bump(place, normal)
        region.learn(memory, np.zeros((1, 2)))
        memory["steps"][0] = region._LOOK
        region.sense(memory, np.zeros((1, 2)), place[None])
        assert memory["cell"][0] == 0
        region.learn(memory, np.zeros((1, 2)))
        assert np.isinf(region.map.links[0, 1])


def test_a_wall_that_was_felt_from_one_side_parts_new_fields_on_both():
    for first, second in (([0, 0], [0.4, 0]), ([0.4, 0], [0, 0])):
        region = explored(first)
        region.bump(np.array([0.2, 0.0]), np.array([-1.0, 0.0]))
        code = region.grid.features(region.grid.encode(np.array(second, float)))
        region.map.recruit(code, np.array(second, float), region.boundaries)
        assert np.isinf(region.map.links[0, 1])


def cut(region, one, other):
    region.map.links[one, other] = region.map.links[other, one] = np.inf
    region.map.novel[:] = False
    region.map._change()


def test_fields_that_both_know_the_place_halfway_are_linked():
    # (Nothing would ever be looked for there: what both know is not novel.)
    apart, near = explored((0.0, 0.0), (0.86, 0.0)), explored((0.0, 0.0), (0.8, 0.0))
    for region, linked in ((apart, False), (near, True)):
        assert np.isfinite(region.map.links[0, 1]) == linked
        assert region.map.sweep(np.zeros(2), region.map.place[1:], region.boundaries)[0] == linked


def test_a_link_that_was_cut_is_doubted_where_no_other_way_leads_on():
    row = [(0.4 * k, 0.0) for k in range(5)]
    region, goal = explored(*row), np.array([1.6, 0.0])
    for one, other in ((1, 2), (0, 2), (1, 3)):
        cut(region, one, other)  # (By a wall that is not known any more)
    assert np.isinf(region.map.distances(4)[0])
    aim = region.ways.subgoal(0, np.zeros(2), goal, careful=True)
    assert aim == pytest.approx(row[1])
    assert region.ways.subgoal(1, np.array(row[1]), goal, careful=True) == pytest.approx(row[2])


def test_of_links_that_were_cut_one_without_a_wall_is_tried_first():
    lower, upper = [(0.4 * k, 0.0) for k in range(5)], [(0.4 * k, 0.4) for k in range(5)]
    region, goal = explored(*lower, *upper), np.array([0.0, 0.4])
    for one in range(5):
        for other in range(5, 10):
            cut(region, one, other)
    for x in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2):
        region.bump(np.array([x, 0.2]), np.array([0.0, -1.0]))
    region.map.novel[:] = False
    region.map._change()
    here, aims = 0, []
    for _ in range(4):
        aims.append(region.ways.subgoal(here, region.map.place[here], goal, careful=True))
        here = int(np.linalg.norm(region.map.place - aims[-1], axis=1).argmin())
    assert max(aim[0] for aim in aims) == pytest.approx(1.6)  # (Round the end of the wall)


def test_where_a_body_was_held_up_it_does_not_try_again_before_it_has_tried_elsewhere():
    lower, upper = [(0.4 * k, 0.0) for k in range(6)], [(0.4 * k, 0.4) for k in range(6)]
    region, goal, memory = explored(*lower, *upper), np.array([0.0, 0.4]), new_memory(1, 2, 8, 1)
    for x in np.arange(0.0, 2.2, 0.2):
        region.bump(np.array([x, 0.2]), np.array([0.0, -1.0]))
    region.map.novel[:] = False
    region.map._change()
    assert np.isinf(region.map.distances(6)[0])
    sketches, aims = region.ways.sketches, []
    for _ in range(3):  # (It gets to where it tries to pass, and is held up there)
        here = 0
        for _ in range(12):
            place = region.map.place[here]
            aim = region.ways.subgoal(
                here, place, goal, sketch=sketches.of(memory, 0), course="tight"
            )
            if aim[1] > 0.3:
                break
            here = int(np.linalg.norm(region.map.place - aim, axis=1).argmin())
        aims.append(float(place[0]))
        memory["place"][0] = place[0], 0.2
        assert not sketches.note_bump(memory, 0, np.array([0.0, -1.0]))
        assert sketches.note_bump(memory, 0, np.array([0.0, -1.0]), known=True)
        assert not sketches.note_bump(memory, 0, np.array([0.0, -1.0]), known=True)
    assert aims == pytest.approx([0.0, 0.4, 0.8])


def test_bumps_that_leave_a_body_no_way_are_forgotten():
    lower, upper = [(0.4 * k, 0.0) for k in range(6)], [(0.4 * k, 0.4) for k in range(6)]
    region, goal, memory = explored(*lower, *upper), np.array([0.0, 0.4]), new_memory(1, 2, 8, 1)
    for one in range(6):
        for other in range(6, 12):
            cut(region, one, other)
    sketches, kept = region.ways.sketches, []
    for x in (0.0, 0.5, 1.0, 1.5, 2.0):  # (It was held up everywhere, or is not where it thinks)
        memory["place"][0] = x, 0.2
        assert sketches.note_bump(memory, 0, np.array([0.0, -1.0]))
        memory["place"][0] = region.map.place[0]
        region.ways.subgoal(
            0, memory["place"][0], goal, sketch=sketches.of(memory, 0), course="tight"
        )
        sketches.reconsider(memory, 0)
        kept.append(int(memory["bumped"][0]))
    assert kept[:2] == [1, 2] and kept[-1] == 0
    assert not sketches.of(memory, 0).tried(np.zeros((1, 2)), np.full((1, 2), 0.4))[0]


@pytest.mark.parametrize(
    ("careful", "came", "turns"), [(3, 0.5, True), (0, 0.5, False), (3, 0.001, False)]
)
def test_a_careful_body_that_gets_on_does_not_turn_back(traveller, careful, came, turns):
    travel, memory = traveller.travel, traveller.new_memory(1)
    before, start = np.array([1.0, 0.0]), np.array([came, 0.0])
    memory["place"][0], memory["careful"][0] = start, careful
    for ahead, says in ((-0.5, turns), (0.5, False)):
        memory["aim"][0] = start + np.array([ahead, 0.2])
        assert travel._turns_back(memory, 0, before, 0.01) is says


def test_who_reaches_subgoals_and_does_not_get_on_is_held_up(traveller, monkeypatch):
    world, memory, starts = Point(), traveller.new_memory(1), np.ones(1, bool)
    seen = world.reset(place=(2.0, 0.5), goal=(3.5, 0.5))

    def just_before(memory, body, *_):
        memory["aim"][body] = memory["place"][body] + np.array([0.09, 0.0])

    monkeypatch.setattr(traveller.travel, "_aim", just_before)
    for _ in range(40):  # (Something holds it: it does not move at all)
        _, memory = traveller.act(seen, memory, starts)
        starts[:] = False
    assert memory["stalls"][0] >= 2


def test_who_has_just_felt_something_new_is_not_held_up(traveller, monkeypatch):
    world, memory, starts = Point(), traveller.new_memory(1), np.ones(1, bool)
    seen = world.reset(place=(2.0, 0.5), goal=(3.5, 0.5))
    monkeypatch.setattr(traveller.travel, "_aim", lambda memory, body, *_: None)
    for step in range(40):
        memory["aim_left"] = np.where(step % 4 == 0, 0, memory["aim_left"])
        _, memory = traveller.act(seen, memory, starts)
        starts[:] = False
    assert memory["stalls"][0] == 0


def test_a_turn_that_is_pulled_to_where_the_body_is_is_none(monkeypatch):
    region = explored(*[(0.4 * k, 0.0) for k in range(3)])
    ways, here, goal = region.ways, np.zeros(2), np.array([0.8, 0.0])
    firsts = iter([0])
    monkeypatch.setattr(
        type(ways),
        "_farthest_clear",
        staticmethod(lambda world, walls, here, way, **_: next(firsts, len(way) - 1)),
    )
    way = np.array([[-0.05, 0.0], goal])  # (It begins behind the body)
    aim = ways._pulled_tight(region.map, region.boundaries, here, way)
    np.testing.assert_allclose(aim, goal)


def test_who_performs_cuts_corners_as_far_as_places_are_known():
    along = [0.0, 0.4, 0.8, 1.2]
    region = explored(*[(x, 0.0) for x in along], *[(1.2, y) for y in along[1:]])
    here, goal = np.zeros(2), np.array([1.2, 1.2])
    sketch = region.ways.sketches.of(new_memory(1, 2, 8, 1), 0)
    learning = region.ways.subgoal(0, here, goal)
    aim = region.ways.subgoal(0, here, goal, sketch=sketch, course="tight")
    assert region.map.off(learning) < 1e-9 and region.map.off(aim) < 0.5

    def length(turn):
        return np.linalg.norm(turn - here) + np.linalg.norm(goal - turn)

    assert length(aim) < length(learning) - 0.1
    region.bump(np.array([0.6, 0.1]), np.array([0.0, -1.0]))  # (A wall beside the first leg)
    region.bump(np.array([0.9, 0.1]), np.array([0.0, -1.0]))
    aim = region.ways.subgoal(0, here, goal, sketch=sketch, course="tight")
    assert not region.boundaries.blocks(here[None], aim[None])[0] and aim[0] > 0.4


def test_fields_grow_and_what_is_known_is_kept():
    region = Hippocampus(BrainConfig().hippocampus, np.random.default_rng(0))
    memory, way = new_memory(1, 2, 4, 10, region.grid.n_phases), np.linspace(0.0, 4.0, 81)
    for x in way:
        seen = np.array([[x, 0.5 * x]])
        region.recode(memory)
        region.sense(memory, seen - memory["sight"], seen)
        region.learn(memory, np.zeros((1, 2)))
    region.bump(np.array([2.0, 1.5]), np.array([0.0, -1.0]))
    cells, walls, spacing = len(region.map), len(region.boundaries), region.map.spacing
    region.coarsen()
    assert region.scale == pytest.approx(2**0.5)
    assert region.map.spacing == region.config.spacing == pytest.approx(spacing * 2**0.5)
    assert 0.5 * cells < len(region.map) < cells
    assert len(region.boundaries) == walls
    assert np.isfinite(region.map.distances(0)).all()
    region.recode(memory)
    region.sense(memory, np.zeros((1, 2)), seen)
    np.testing.assert_allclose(memory["place"], seen, atol=0.02)
    assert not region.lost(memory)
    other = Hippocampus(BrainConfig().hippocampus, np.random.default_rng(1))
    other.check_state(region.state())
    other.load_state(region.state())
    assert other.scale == region.scale
    np.testing.assert_array_equal(other.map.place, region.map.place)
    np.testing.assert_array_equal(other.grid.spacing, region.grid.spacing)
    for scale in (0.5, 1e3, np.nan):
        with pytest.raises(StateError, match="scale"):
            other.check_state(region.state() | {"scale": np.array(scale)})
