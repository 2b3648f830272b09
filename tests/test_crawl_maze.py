"""The arena with walls: its maps, goals and doors."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from stable_baselines3.common.env_checker import check_env as check_sb3

import envs  # noqa: F401
from envs.crawl_maze import GOALS, MAPS


def make(**options):
    return gymnasium.make("neonate/CrawlMaze-v0", **options).unwrapped


def moves(n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 8)).astype(np.float32)


def inside(env, place):
    """Whether a place is in a free cell."""
    return (np.abs(env.free_cells() - place).max(axis=1) <= 0.5 * env.cell).any()


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("maze", MAPS)
def test_checkers_are_silent(maze, goal):
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message=".*Box observation space .* is -?infinity")
        check_gymnasium(make(maze=maze, goal=goal), skip_render_check=True)
        if goal != "hidden":  # (Nobody can tell the reward from a goal that is not shown)
            check_sb3(make(maze=maze, goal=goal))
    assert not [str(c.message) for c in complaints if "infinity" not in str(c.message)]


@pytest.mark.parametrize("maze", MAPS)
def test_bodies_and_goals_begin_in_free_cells_and_face_anywhere(maze):
    env, facing = make(maze=maze), []
    for seed in range(30):
        seen = env.reset(seed=seed)[0]
        assert inside(env, seen["achieved_goal"]) and inside(env, seen["desired_goal"])
        facing.append(np.arctan2(*seen["observation"][[5, 4]]))
    assert np.ptp(facing) > 4.0


def test_walls_hold_the_body():
    env = make(maze="u")
    for seed in range(3):
        env.reset(seed=seed)
        for action in moves(300, seed):
            env.step(action)
            assert (np.abs(env.free_cells() - env.position).max(axis=1) <= 1.05).any()


def test_a_body_cannot_be_where_a_shut_door_is():
    touched = {}
    for door in ("open", "shut"):
        env = make(maze="door", door=door)
        env.reset(seed=0)
        posture = env.data.qpos.copy()
        posture[:2] = env.centre_of(1, 2) + np.array([0.0, 1.0])
        env.set_state(posture, np.zeros(env.model.nv))
        leaf = env.model.body("door_1_2").geomadr[0]
        touched[door] = any(leaf in contact.geom for contact in env.data.contact)
    assert touched == {"open": False, "shut": True}


def test_a_door_shuts_after_some_episodes():
    env = make(maze="door", door="shuts")
    for _ in range(env.episodes_open):
        env.reset()
        assert not env.door_shut
    env.reset()
    assert env.door_shut and env.step(moves(1)[0])[4]["door_shut"]


def test_a_hidden_goal_is_shown_near_by_only():
    env = make(maze="room", goal="hidden", reward_type="sparse")
    seen = env.reset(seed=1)[0]
    np.testing.assert_array_equal(seen["desired_goal"], seen["achieved_goal"])
    posture = env.data.qpos.copy()
    posture[:2] = env._goal + np.array([0.8, 0.0])
    env.set_state(posture, np.zeros(env.model.nv))
    seen, *_, info = env.step(np.zeros(8, np.float32))
    np.testing.assert_array_equal(seen["desired_goal"], env._goal)
    assert info["distance"] < env.sight


def test_a_moving_goal_moves_at_its_speed():
    env = make(maze="room", goal="moving")
    places = [env.reset(seed=0)[0]["desired_goal"]]
    places += [env.step(action)[0]["desired_goal"] for action in moves(20)]
    speed = np.linalg.norm(np.diff(places, axis=0), axis=1) / env.dt
    np.testing.assert_allclose(speed, env.goal_speed, rtol=1e-3)


@pytest.mark.parametrize(
    "options",
    [{"maze": "labyrinth"}, {"maze": ("..", ".")}, {"maze": ("..", ".x")}, {"goal": "lost"}],
    ids=str,
)
def test_other_options_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is .*write"):
        make(**options)
