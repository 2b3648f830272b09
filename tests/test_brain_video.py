"""Videos of what a brain does: the pictures, and that being filmed changes nothing."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from stable_baselines3.common.vec_env import DummyVecEnv

import envs  # noqa: F401  registers the tasks
from policies import BrainAgent
from policies.baselines import make_algorithm
from scripts import brain_video
from scripts.cli import main
from scripts.panels import History, WayPanel, largest, program_of
from scripts.pen import Pen, fitted
from scripts.render import filmed
from scripts.tasks import Task
from scripts.watching import Watched


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for name, env, algo, steps in (
        ("reach", "neonate/Reach-v0", "brain", 300),
        ("random", "neonate/Reach-v0", "random", 10),
        ("crawl", "neonate/CrawlTo-v0", "brain", 1500),
    ):
        words = ["--env", env, "--algo", algo, "--steps", str(steps), "--out", str(folder / name)]
        assert main(["train", *words]) == 0
    return {path.name: path for path in folder.iterdir()}


def pictures_of(path: Path) -> list[np.ndarray]:
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return [np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader]


@pytest.mark.parametrize("name", ["reach", "crawl"])
def test_a_brain_video_shows_robot_and_panels(
    runs: dict[str, Path], name: str, tmp_path: Path
) -> None:
    out = tmp_path / "film.mp4"
    words = ["--brain", "--episodes", "1", "--steps", "12", "--out", str(out)]
    assert main(["render", str(runs[name]), *words]) == 0
    first, *_, last = pictures_of(out)
    assert last.shape == (720, 1280, 3)
    changed = np.abs(first.astype(int) - last).max(axis=2) > 60
    assert changed[:, :752].any() and changed[:, 760:].sum() > 1000


def test_two_runs_side_by_side_as_gif(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "both.gif"
    words = ["--compare", str(runs["random"]), "--brain", "--episodes", "1", "--steps", "8"]
    size = ["--width", "640", "--height", "360"]
    assert main(["render", str(runs["reach"]), *words, *size, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "brain, episode" in told and "random, episode" in told
    with Image.open(out) as film:
        assert film.format == "GIF" and film.size == (640, 360)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("reach", ["--compare", "crawl"], "same environment"),
        ("random", ["--learning"], "--learning"),
        ("reach", ["--speed", "0"], "--speed"),
        ("reach", ["--steps", "-1"], "--steps"),
    ],
)
def test_what_cannot_be_filmed_is_said(
    runs: dict[str, Path],
    name: str,
    words: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [str(runs[word]) if word in runs else word for word in words]
    assert main(["render", str(runs[name]), "--out", str(tmp_path / "f.mp4"), *words]) == 2
    assert told in capsys.readouterr().err


def watched(env_id: str, steps: int, **how: bool) -> Watched:
    env = gym.make(env_id, render_mode="rgb_array", width=16, height=16)
    agent = make_algorithm("brain", DummyVecEnv([lambda: gym.make(env_id)]), 3)
    agent.learn(steps)
    one = Watched(agent, env, stride=10**6, **how)
    one.most_steps = 30
    return one


@pytest.mark.parametrize(("env_id", "steps"), [("neonate/Reach-v0", 300), ("Swimmer-v5", 1200)])
def test_being_looked_into_changes_nothing(env_id: str, steps: int) -> None:
    one = watched(env_id, steps, look=True)
    assert isinstance(one.agent, BrainAgent)
    before = {name: part.copy() for name, part in one.brain.state().items()}
    looked = [moment.total for moment in one.episode(5)]
    for name, part in one.brain.state().items():
        np.testing.assert_array_equal(part, before[name], err_msg=name)
    one.look = False
    assert looked == [moment.total for moment in one.episode(5)]


def test_the_brain_learns_on_while_it_is_filmed_learning() -> None:
    one = watched("neonate/Reach-v0", 300, look=True, learning=True)
    steps = one.brain.steps
    moments = list(one.episode(5))
    assert one.brain.steps == steps + 30
    assert {"dopamine", "felt_acceleration", "program"} <= moments[-1].signals.keys()


def test_dopamine_is_reward_minus_what_the_habit_is_worth() -> None:
    one = watched("Swimmer-v5", 1200, look=True)
    for moment in list(one.episode(5))[1:]:
        signals = moment.signals
        assert signals["dopamine"].tolist() == pytest.approx(
            (signals["worth"] - signals["expected_worth"]).tolist(), nan_ok=True
        )


def test_steps_are_worth_what_they_are_on_the_way_to_the_goal() -> None:
    one = watched("neonate/CrawlTo-v0", 1500, look=True)
    told = []
    for practised in (1.0, np.nan):  # (A direction that training was in the middle of trying)
        one.brain.crawling.steering._practised[:] = practised
        told.append([moment.signals["worth"] for moment in list(one.episode(5))[1:]])
    np.testing.assert_array_equal(*told)
    assert np.ptp(told[0]) > 0.0


def test_the_camera_follows_a_trunk_that_travels() -> None:
    env = filmed(Task("Ant-v5"), 64, 48)
    env.reset(seed=0)
    inner: Any = env.unwrapped
    still = env.render()
    inner.set_state(inner.data.qpos + np.r_[50.0, np.zeros(14)], inner.data.qvel)
    moved = env.render()
    assert still is not None and moved is not None and moved.shape == (48, 64, 3)
    body = (moved[..., 0].astype(int) - moved[..., 2]) > 40  # the ant is the only reddish thing
    assert body.sum() > 20
    env.close()


def test_a_map_is_drawn_with_place_cells_where_there_are_some() -> None:
    history, box = History(), (0.0, 0.0, 200.0, 100.0)
    place = {"place": np.zeros(2), "aim": np.array([3.0, 0.0])}
    history.begin(place)
    history.add(place)
    bare, cells = Pen(200, 100), Pen(200, 100)
    WayPanel().draw(bare, box, history)
    history.rows[-1] |= {
        "place_centres": np.array([[1.5, 0.3]]),
        "place_activity": np.array([1.0]),
    }
    WayPanel().draw(cells, box, history)
    assert not np.array_equal(bare.picture(), cells.picture())


def test_signals_that_are_missing_leave_a_gap() -> None:
    history = History()
    history.begin({})
    history.add({"a": np.array(1.0)})
    history.add({})
    assert history.window("a")[-2] == 1.0 and np.isnan(history.window("a")[-1])
    assert history.new_episodes() == [len(history.window("a")) - 2]
    pen = Pen(300, 100)
    for panel, _ in brain_video.panels_of(brief=False):
        panel.draw(pen, (0.0, 0.0, 300.0, 100.0), history)


def test_small_things() -> None:
    assert largest(np.array([np.nan])) == 0.0
    assert program_of(2)[0] == "crawl" and program_of(17)[0] == "program 17"
    assert fitted(np.zeros((10, 20, 3), np.uint8), 40, 40).shape == (40, 40, 3)
