"""Keyboard tasks: rules, checkers, and who gets which reward."""

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env as check_gymnasium
from numpy.typing import NDArray
from stable_baselines3.common.env_checker import check_env as check_sb3

import envs
from agent.errors import UnsupportedSpaceError
from agent.senses import Senses
from agent.working_memory import CRAWL
from envs.key_choice import KeyChoiceEnv
from envs.key_order import KeyOrder, Recital
from envs.keys import KeysEnv
from envs.places import PlacesEnv
from policies import BrainAgent
from scripts.cli import main

each_env = pytest.mark.parametrize("env_id", envs.KEY_IDS)


@each_env
@pytest.mark.parametrize("options", [{}, {"feedback": "sparse"}, {"keys": 5, "cues": 2}])
def test_checkers_pass(env_id: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message=".*Box observation space .* is -?infinity")
        env = gymnasium.make(env_id, **options)
        check_gymnasium(env.unwrapped, skip_render_check=True)
        check_sb3(env)
    env.close()
    assert not told


@pytest.mark.parametrize("book", range(20))
def test_sequences_are_made_of_the_parts_and_no_key_follows_itself(book: int) -> None:
    rules = KeyOrder(keys=5, length=6, cues=5, parts=3, long_cues=2, long_length=9, book=book)
    assert [len(order) for order in rules.sequences] == [6] * 5 + [9] * 2
    assert len(set(rules.sequences)) == 7
    pieces = {order[i : i + 3] for order in rules.sequences for i in range(0, len(order), 3)}
    assert len(pieces) <= 3
    for order in rules.sequences:
        assert all(a != b for a, b in pairwise(order))
        assert set(order) <= set(range(5))


def test_the_same_book_is_the_same_and_another_is_another() -> None:
    assert KeyOrder(book=3).sequences == KeyOrder(book=3).sequences
    assert KeyOrder(book=3).sequences != KeyOrder(book=4).sequences


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"keys": 2}, "keys"),
        ({"feedback": "loud"}, "feedback"),
        ({"credit": "none"}, "credit"),
        ({"length": 5}, "part_length"),
        ({"asked": (9,)}, "asked"),
        ({"keys": 3, "parts": 90}, "parts"),
        ({"parts": 1}, "sequences"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        KeyOrder(**settings)


def test_rich_feedback_waits_for_the_right_key_and_answers_every_press() -> None:
    recital = Recital(KeyOrder(), np.random.default_rng(0))
    wrong = (recital.order[0] + 1) % 7
    assert recital.press(wrong) == (-1.0, -1.0)
    assert recital.stage == 0
    for key in recital.order:
        assert recital.press(key) == (1.0, 1.0)
    assert recital.over and not recital.perfect


def test_sparse_feedback_pays_a_share_p_with_probability_p_at_the_end_only() -> None:
    rules, rng = KeyOrder(feedback="sparse", length=6, cues=1), np.random.default_rng(0)
    paid = []
    for _ in range(2000):
        recital = Recital(rules, rng)
        presses = [*recital.order[:3], *((key + 1) % 7 for key in recital.order[3:])]
        rewards = [recital.press(key) for key in presses]
        assert rewards[:-1] == [(0.0, 0.0)] * 5
        paid.append(rewards[-1][0])
    assert set(paid) == {0.0, 0.5}
    assert np.mean(paid) == pytest.approx(0.25, abs=0.03)
    whole = Recital(KeyOrder(feedback="sparse", credit="whole"), rng)
    assert [whole.press(key)[0] for key in whole.order][-1] == 1.0


def test_a_brief_cue_goes_and_presses_do_not_count_during_the_delay() -> None:
    env = KeyChoiceEnv(cue_steps=1, delay=3, distractors=1.0)
    obs, _ = env.reset(seed=0)
    shown = obs["cue"].argmax()
    assert obs["cue"].sum() == 1 and obs["go"][0] == 0
    for _ in range(3):
        obs, reward, *_ = env.step(0)
        assert reward == 0 and obs["pressed"].sum() == 0 and obs["cue"].sum() == 1
    obs, *_ = env.step(0)
    assert obs["go"][0] == 1 and obs["cue"].sum() == 0
    obs, _, *_, info = env.step(env.recital.order[0])
    assert obs["answer"][0] == 1 and info["cue"] == shown


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="cue_steps"):
        KeyChoiceEnv(delay=3)
    with pytest.raises(ValueError, match="distractors"):
        KeyChoiceEnv(distractors=2)
    env = KeyChoiceEnv()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="key"):
        env.step(7)


def test_a_key_is_pressed_by_a_slow_hand_and_once_only_until_it_is_left() -> None:
    env = KeysEnv(press_speed=0.4)
    env.reset(seed=0)
    due = env.recital.order[0]
    env.set_state(env._posture(env.places[due], 0.30, 0.33), np.array([2.0, 0.0]))
    assert env.step(np.zeros(2))[-1]["pressed"] == -1  # (Too fast)
    for answer in (1.0, 0.0):
        env.set_state(env._posture(env.places[due], 0.30, 0.33), np.zeros(2))
        obs, reward, *_ = env.step(np.zeros(2))
        assert reward == obs["answer"][0] == answer
        assert obs["pressed"].sum() == answer
    env.reset(seed=0)
    wrong = (env.recital.order[0] + 1) % 7
    env.set_state(env._posture(env.places[wrong], 0.30, 0.33), np.zeros(2))
    assert env.step(np.zeros(2))[1] == -1.0


def test_the_keyboard_lies_within_reach_and_keys_apart() -> None:
    env = KeysEnv(keys=10, length=6)
    away = np.linalg.norm(env.places[:, None] - env.places[None], axis=-1)
    assert away[away > 0].min() > 2 * env.key_radius
    for place in env.places:
        env.set_state(env._posture(place, 0.30, 0.33), np.zeros(2))
        assert env.fingertip[:2] == pytest.approx(place, abs=1e-6)
        low, high = env.model.jnt_range.T
        assert ((low < env.data.qpos) & (env.data.qpos < high)).all()


def test_the_brain_finds_its_arm_and_the_order_and_goes_on_from_a_file(tmp_path: Path) -> None:
    rules = {"keys": 4, "length": 2, "cues": 1, "part_length": 0}
    env = gymnasium.make("neonate/Keys-v0", **rules)
    agent = BrainAgent("BrainPolicy", env, seed=0).learn(1200)
    agent.save(tmp_path / "keys")
    again = BrainAgent.load(tmp_path / "keys", env=gymnasium.make("neonate/Keys-v0", **rules))
    returns = []
    for who in (agent, again):
        obs, _ = env.reset(seed=5)
        state, start, over, total = None, np.ones(1, bool), False, 0.0
        while not over:
            action, state = who.predict(obs, state, start, deterministic=True)
            obs, reward, terminated, truncated, info = env.step(action)
            total, over, start = total + reward, terminated or truncated, np.zeros(1, bool)
        returns.append(total)
        assert info["is_success"]
    assert returns == [2.0, 2.0]


def test_places_that_do_not_fit_the_keys_are_refused() -> None:
    space = gymnasium.make("neonate/Keys-v0").observation_space
    wrong = spaces.Dict({**space.spaces, "places": spaces.Box(-1, 1, (3,))})
    with pytest.raises(UnsupportedSpaceError, match="places"):
        Senses(wrong, spaces.Box(-1, 1, (2,)))


def test_a_run_sleeps_by_command_and_only_where_there_is_something_to_compile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for env, steps in (("neonate/Keys-v0", "30"), ("Reacher-v5", "30")):
        out = str(tmp_path / env.replace("/", "-"))
        assert main(["train", "--env", env, "--steps", steps, "--out", out]) == 0
    assert main(["sleep", str(tmp_path / "neonate-Keys-v0")]) == 0
    assert "slept: 0 new chunks" in capsys.readouterr().out
    assert main(["sleep", str(tmp_path / "Reacher-v5")]) == 2
    assert "neonate/Keys-v0" in capsys.readouterr().err


def test_the_laboratory_measures_and_keeps_what_it_has(tmp_path: Path) -> None:
    command = ["keys", "--out", str(tmp_path / "lab"), "--seeds", "1"]
    assert main([*command, "--parts", "lesion"]) == 0
    first = (tmp_path / "lab" / "lesion.json").read_text()
    assert main([*command, "--parts", "lesion"]) == 0
    assert (tmp_path / "lab" / "lesion.json").read_text() == first
    assert "without basal ganglia" in (tmp_path / "lab" / "summary.txt").read_text()
    assert main(["keys", "--out", str(tmp_path / "x"), "--parts", "nonsense"]) == 2


def _crawler_at(env: PlacesEnv, place: NDArray[np.float64]) -> dict[str, Any]:
    """Put the trunk somewhere, and let a step pass."""
    posture = env.data.qpos.copy()
    posture[:2] = place
    env.set_state(posture, env.data.qvel)
    return env.step(np.zeros(8))[4]


def test_a_crawler_visits_a_place_by_coming_into_it_once() -> None:
    env = PlacesEnv(keys=4, length=4, cues=1, parts=2)
    env.reset(seed=0)
    first, second = env.recital.order[:2]
    wrong = next(k for k in range(4) if k not in (first, second))
    told = [_crawler_at(env, env.places[k]) for k in (wrong, first, first, second)]
    assert [t["pressed"] for t in told] == [wrong, first, -1, second]
    assert [t["reward_press"] for t in told] == [-1.0, 1.0, 0.0, 1.0]
    assert told[-1]["errors"] == 1 and told[-1]["right"] == 2 and not told[-1]["is_success"]
    assert all(t["reward_effort"] <= 0.0 for t in told)
    env.close()


def test_the_cue_of_places_can_be_brief_and_visits_wait_for_the_go() -> None:
    env = PlacesEnv(cue_steps=2, delay_steps=3)
    seen, _ = env.reset(seed=0)
    shown, go = [seen["cue"].any()], [seen["go"][0]]
    for _ in range(6):
        seen = env.step(np.zeros(8))[0]
        shown.append(seen["cue"].any())
        go.append(seen["go"][0])
    assert shown == [True, True] + [False] * 5
    assert go == [0.0] * 5 + [1.0] * 2
    env.close()


@pytest.mark.parametrize(
    ("options", "word"), [({"keys": 11}, "keys"), ({"delay_steps": 3}, "delay_steps")]
)
def test_what_places_cannot_be_is_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        PlacesEnv(**options)


def test_the_brain_crawls_to_places_with_the_machinery_of_keys(tmp_path: Path) -> None:
    env = gymnasium.make("neonate/Places-v0")
    agent = BrainAgent("BrainPolicy", env, seed=0).learn(2500)
    brain = agent.brain
    assert brain.keyboard is not None and brain.crawling.available
    memory = brain.new_memory(1)
    seen, _ = env.reset(seed=1)
    one = {name: value[None] for name, value in seen.items()}
    _, memory = brain.act(one, memory, np.ones(1, bool))
    assert memory["program"][0] == CRAWL and memory["key_decisions"][0] == 1
    act = int(memory["key_program"][0])
    np.testing.assert_allclose(memory["key_place"][0], seen["places"].reshape(-1, 2)[act])
    agent.save(tmp_path / "crawler")
    BrainAgent.load(tmp_path / "crawler", env=env)
