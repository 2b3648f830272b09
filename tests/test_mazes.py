"""Senses in mazes, and the experiments of `neonate mazes`."""

import gymnasium as gym
import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

pytest.importorskip("gymnasium_robotics")

from envs.maze_senses import HiddenGoal, PlaceSense
from scripts.cli import main
from scripts.maze_trials import DOORS
from scripts.maze_walks import register_mazes
from scripts.mazes import FIELDS, FILES, read
from scripts.tables import maze_trial_table

U = "PointMaze_UMaze-v3"


@pytest.fixture(scope="module", autouse=True)
def mazes():
    register_mazes()


def test_a_goal_is_seen_from_near_by_alone():
    env = HiddenGoal(gym.make(U), 1.0)
    goal = env.goal = np.array([0.9, 1.0])
    start = {"reset_cell": np.array([3, 3]), "goal_cell": np.array([1, 3])}
    seen, _ = env.reset(seed=0, options=start)
    np.testing.assert_array_equal(seen["desired_goal"], seen["achieved_goal"])
    found = False
    for _ in range(300):
        seen, *_ = env.step(np.array([0.1, 1.0]))
        near = np.linalg.norm(seen["achieved_goal"] - goal) < 1.0
        shown = np.array_equal(seen["desired_goal"], goal)
        assert near == shown
        found |= near
    assert found
    never = HiddenGoal(gym.make(U), 0.0)
    seen, _ = never.reset(seed=0)
    assert never.step(np.zeros(2))[1] == 0.0
    np.testing.assert_array_equal(seen["desired_goal"], seen["achieved_goal"])


@pytest.mark.parametrize("sense", ["given", "landmarks", "start"])
def test_the_place_is_seen_where_it_is_to_be(sense):
    bare = gym.make(U)
    first, _ = bare.reset(seed=1)
    env = PlaceSense(gym.make(U), sense, landmarks=first["achieved_goal"][None], near=0.1)
    seen, _ = env.reset(seed=1)
    np.testing.assert_array_equal(seen["achieved_goal"], first["achieved_goal"])
    for _ in range(60):
        action = np.array([1.0, 0.2])
        truth, seen = bare.step(action)[0], env.step(action)[0]
        np.testing.assert_array_equal(seen["observation"][:2], seen["achieved_goal"])
    moved = np.linalg.norm(truth["achieved_goal"] - first["achieved_goal"])
    left = np.linalg.norm(seen["achieved_goal"] - truth["achieved_goal"])
    assert moved > 0.2
    if sense == "given":
        assert left == 0.0
    elif sense == "start":
        assert left == pytest.approx(moved)
    else:
        assert moved - 0.15 < left < moved


def test_noise_is_as_large_as_it_says():
    env, rng = PlaceSense(gym.make(U, max_episode_steps=5000), noise=0.1), np.random.default_rng(0)
    env.reset(seed=0)
    errors = []
    for _ in range(1500):
        seen = env.step(rng.uniform(-1, 1, 2))[0]
        true = env.unwrapped.data.qvel[:2]
        errors.append((seen["observation"][2:4] - true) / np.linalg.norm(true))
    assert np.std(errors) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda env: HiddenGoal(env, -1.0), "sight"),
        (lambda env: PlaceSense(env, "dark"), "given"),
        (lambda env: PlaceSense(env, noise=-0.1), "noise"),
    ],
)
def test_senses_that_there_are_not_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make(gym.make(U))


@pytest.mark.parametrize("name", DOORS)
def test_a_shut_door_makes_some_way_longer_and_none_impossible(name):
    lengths = []
    for door in ("0", "1"):
        free = np.array([list(row.replace("D", door)) for row in DOORS[name]]) == "0"
        beside = np.abs(np.argwhere(free)[:, None] - np.argwhere(free)).sum(axis=2) == 1
        lengths.append(shortest_path(beside, unweighted=True))
    assert len({len(row) for row in DOORS[name]}) == 1
    assert np.isfinite(lengths[1]).all()
    door = np.argwhere(np.array([list(row) for row in DOORS[name]]) == "D")[0]
    kept = (np.argwhere(free) != door).any(axis=1)
    was = np.argwhere(np.array([list(row.replace("D", "0")) for row in DOORS[name]]) == "0")
    same = (was != door).any(axis=1)
    assert (lengths[1][kept][:, kept] > lengths[0][same][:, same]).any()


@pytest.mark.parametrize("experiment", ["goals", "door"])
def test_experiments_write_what_they_found(experiment, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("scripts.maze_trials.GOALS", 1)
    monkeypatch.setattr("scripts.maze_trials.PAIRS", 1)
    monkeypatch.setattr("scripts.maze_trials.PATIENCE", 1)
    out = tmp_path / "mazes"
    words = ["mazes", "--out", str(out), "--experiment", experiment, "--steps", "200"]
    maze = "two_rooms" if experiment == "door" else U
    assert main([*words, "--env", maze, "--seeds", "1", "--first-seed", "0"]) == 0
    rows = read(out / FILES[experiment])
    assert [row["trial"] for row in rows] == ["1", "2", "3"]
    assert tuple(rows[0]) == FIELDS[experiment]
    assert maze in maze_trial_table(tmp_path)
    if experiment == "door":
        assert main([*words, "--env", "nowhere", "--seeds", "1"]) == 2
        assert "two_rooms" in capsys.readouterr().err


def test_darkness_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.maze_dark.SECONDS", 1.0)
    monkeypatch.setattr("scripts.maze_dark.PLACES", 2)
    monkeypatch.setattr("scripts.maze_dark.LEAVE", 1.0)
    out = tmp_path / "mazes"
    words = ["mazes", "--out", str(out), "--experiment", "dark", "--steps", "400"]
    assert main([*words, "--seeds", "1", "--first-seed", "0"]) == 0
    rows = read(out / FILES["dark"])
    assert len(rows) == 2 and all(0.0 <= float(row["drift"]) < 3.0 for row in rows)
    assert "60 s in the dark" in maze_trial_table(tmp_path)
