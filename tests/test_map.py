"""Rate maps and what is read from them, shortest ways, and the command that draws a map."""

import matplotlib
import numpy as np
import pytest

from agent.grid_cells import GridCells
from scripts.cli import main
from scripts.mazes import Mazes, read
from scripts.rate_maps import autocorrelogram, grid_score, rate_map, spatial_information
from scripts.shortest import ShortestWays

SIDE = 3.0  # (Metres) of a box


def mesh(n=61):
    at = (np.arange(n) + 0.5) * SIDE / n
    return np.stack(np.meshgrid(at, at, indexing="ij"), axis=-1), SIDE / n


def test_a_hexagonal_lattice_scores_above_a_square_one():
    place, size = mesh()
    cells = GridCells(1, 0.8, np.random.default_rng(0))
    hexagonal = cells.rates(cells.encode(place.reshape(-1, 2))).reshape(place.shape[:2])
    square = (np.cos(2 * np.pi * place / 0.8) + 1).sum(axis=-1)
    inner, outer = 0.4 / size, 1.2 / size
    assert grid_score(autocorrelogram(hexagonal), inner, outer) > 1.0
    assert grid_score(autocorrelogram(square), inner, outer) < 0.0


def test_the_lattice_is_the_one_of_an_independent_model():
    ratinabox = pytest.importorskip("ratinabox")
    from ratinabox.Neurons import GridCells as Oracle

    state = np.random.get_state()
    try:
        np.random.seed(0)
        arena = ratinabox.Environment(params={"scale": SIDE, "dx": SIDE / 61})
        rat = ratinabox.Agent(arena)
        # Its lattice is 2/√3 times as wide as its `gridscale`.
        scale = float(0.8 * np.sqrt(3) / 2)
        oracle = Oracle(rat, params={"n": 1, "gridscale": scale, "gridscale_distribution": "delta"})
        theirs = oracle.get_state(evaluate_at="all")[0].reshape(61, 61)
    finally:
        np.random.set_state(state)
        matplotlib.use("Agg")
    size = SIDE / 61
    correlogram = autocorrelogram(theirs)
    assert grid_score(correlogram, 0.4 / size, 1.2 / size) > 1.0
    x, y = np.indices(correlogram.shape) - 60
    away = np.hypot(x, y) * size
    peaks = np.where((away > 0.5) & (away < 1.1), correlogram, -1.0)
    assert away.flat[peaks.argmax()] == pytest.approx(0.8, abs=0.06)


def test_spatial_information_is_the_surprise_of_one_field():
    rates, visits = np.zeros((4, 4)), np.ones((4, 4))
    assert spatial_information(rates, visits) == 0.0
    assert spatial_information(rates + 2.0, visits) == pytest.approx(0.0)
    rates[0, 0] = 3.0
    assert spatial_information(rates, visits) == pytest.approx(4.0)
    visits[3] = 0.0
    assert spatial_information(rates, visits) == pytest.approx(np.log2(12))


def test_rates_are_means_where_the_body_was():
    rng = np.random.default_rng(0)
    place = rng.uniform(0.0, 1.0, (5000, 2))
    rates, visits, x, y = rate_map(place, (place[:, 0] > 0.5) * 2.0, 0.1, smooth=0.0)
    assert visits.sum() == 5000 and len(x) == rates.shape[0] + 1 and len(y) == rates.shape[1] + 1
    assert np.nanmax(rates[:4]) == 0.0 and np.nanmin(rates[6:10, :10]) == 2.0


def test_shortest_ways_go_round_corners():
    walls = np.pad(np.array([[0, 0, 0], [1, 1, 0], [0, 0, 0]], bool), 1, constant_values=True)
    rows, columns = np.indices(walls.shape)
    centre = np.stack([columns - 2.0, 2.0 - rows], axis=-1)
    ways = ShortestWays(walls, centre, 1.0, 0.1)
    start, goal = np.array([-1.0, 1.0]), np.array([-1.0, -1.0])
    straight = ways(start, start + np.array([0.8, 0.0]), 0.3)
    assert straight == pytest.approx(0.5, abs=1e-3)
    # To the corner, along the end of the wall, and back, the body rolling round the corners.
    half = np.hypot(1.5, 0.5)
    assert 2 * half + 1.0 < ways(start, goal, 1e-6) < 2 * half + 1.4


def test_maps_are_drawn_and_ways_measured(tmp_path, capsys):
    pytest.importorskip("gymnasium_robotics")
    run, picture = tmp_path / "run", tmp_path / "map.png"
    maze = ["--env", "PointMaze_UMaze-v3", "--env-package", "gymnasium_robotics"]
    assert main(["train", *maze, "--algo", "brain", "--steps", "600", "--out", str(run)]) == 0
    assert main(["map", str(run), "--out", str(picture), "--episodes", "2"]) == 0
    assert picture.stat().st_size > 50_000
    assert main(["map", str(run), "--out", str(tmp_path / "map.txt")]) == 2
    assert ".png" in capsys.readouterr().err
    Mazes(out=tmp_path / "mazes", steps=(300,), seeds=1, first_seed=0, episodes=2).run()
    (row,) = read(tmp_path / "mazes" / "mazes.csv")
    assert row["env"] == "PointMaze_UMaze-v3" and 0.0 <= float(row["success"]) <= 1.0


@pytest.mark.usefixtures("quick")
def test_a_run_without_a_map_is_refused(tmp_path, capsys):
    words = ["train", "--env", "neonate/Reach-v0", "--steps", "60"]
    for algo, says in (("random", "only a brain"), ("brain", "no map")):
        run = tmp_path / algo
        assert main([*words, "--algo", algo, "--out", str(run)]) == 0
        assert main(["map", str(run), "--out", str(tmp_path / "map.png")]) == 2
        assert says in capsys.readouterr().err
