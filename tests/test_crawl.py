"""The contract of the crawling tasks: each test runs over each task, or each of its options."""

import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from numpy.typing import NDArray
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.env_checker import check_env as check_sb3

import envs
from envs.crawler import LIMBS, CrawlerEnv
from envs.ground_goal import GroundGoal

FORWARD = ("neonate/Crawl-v0", "neonate/CrawlTorque-v0")
GOALS = ("neonate/CrawlTo-v0", "neonate/CrawlToTorque-v0", "neonate/AntTo-v0")
CRAWLERS = tuple(env_id for env_id in envs.CRAWL_IDS if env_id != "neonate/AntTo-v0")
HIDDEN: dict[str, Any] = {"limb_strength": {"left_arm": 0.5}, "limb_length": {"right_leg": 0.7}}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((env_id, {}) for env_id in envs.CRAWL_IDS),
    *((env_id, {"reward_type": "sparse"}) for env_id in GOALS),
    *((env_id, {**HIDDEN, "start": "back"}) for env_id in CRAWLERS),
    ("neonate/CrawlTo-v0", {"reward_type": "sparse", "start": "belly"}),
]

each_env = pytest.mark.parametrize("env_id", envs.CRAWL_IDS)
each_crawler = pytest.mark.parametrize("env_id", CRAWLERS)
each_goal_env = pytest.mark.parametrize("env_id", GOALS)
each_variant = pytest.mark.parametrize(
    ("env_id", "options"),
    VARIANTS,
    ids=[" ".join([i, *(f"{k}={v}" for k, v in o.items())]) for i, o in VARIANTS],
)


def make(env_id: str, **options: Any) -> Any:
    return gymnasium.make(env_id, **options).unwrapped


def actions(n: int, seed: int = 0, size: float = 1.0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-size, size, (n, 8)).astype(np.float32)


def run(env: Any, n: int, seed: int = 0) -> Iterator[tuple[Any, ...]]:
    env.reset(seed=seed)
    for action in actions(n):
        yield env.step(action)


def terms(info: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value in info.items() if key.startswith("reward_")}


def trot(t: float, turn: float = 0.0) -> NDArray[np.float32]:
    """Swing and lift diagonal limbs together, 1.1 times a second; a positive turn is leftward."""
    phase = 2 * np.pi * 1.1 * t + np.array([0.0, np.pi, np.pi, 0.0])
    stride = np.clip(1.0 - 1.2 * turn * np.array([1, -1, 1, -1]), -1.0, 1.0)
    command = np.empty(8)
    command[::2] = 0.9 * stride * np.sin(phase)
    command[1::2] = -0.45 + 0.4 * np.cos(phase)
    return command.astype(np.float32)


# The contract of Gymnasium and SB3 -------------------------------------------------------------


@each_variant
def test_checkers_are_silent(env_id: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        # Nothing bounds a velocity or how far a body gets: any finite box would lie.
        warnings.filterwarnings("ignore", message=".*Box observation space .* is -?infinity")
        check_gymnasium(make(env_id, **options), skip_render_check=True)
        check_sb3(make(env_id, **options))
    assert [str(c.message) for c in complaints] == []


def test_found_without_importing_envs() -> None:
    code = (
        "import gymnasium\n"
        f"for env_id in {envs.CRAWL_IDS}: gymnasium.make(f'envs:{{env_id}}').reset(seed=0)\n"
        "print('ok')"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert out.stdout.strip() == "ok", out.stderr


@each_variant
def test_same_seed_same_life(env_id: str, options: dict[str, Any]) -> None:
    def life(seed: int) -> list[Any]:
        env = make(env_id, **options)
        first, _ = env.reset(seed=seed)
        steps = [env.step(action)[:2] for action in actions(10)]
        return [first, *steps, env.reset()[0]]

    same, again, other = life(3), life(3), life(4)
    for one, two in zip(same, again, strict=True):
        np.testing.assert_equal(one, two)
    assert str(same[0]) != str(other[0])
    assert str(same[0]) != str(same[-1])


@each_env
def test_length_of_an_episode(env_id: str) -> None:
    env = gymnasium.make(env_id)
    env.reset(seed=0)
    ends = [env.step(np.zeros(8, np.float32))[2:4] for _ in range(1000)]
    assert not any(terminated for terminated, _ in ends)
    assert [truncated for _, truncated in ends] == [False] * 999 + [True]


@each_variant
def test_observations_own_their_memory(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **options)
    first, _ = env.reset(seed=0)
    parts = [first] if isinstance(first, np.ndarray) else list(first.values())
    kept = [part.copy() for part in parts]
    for action in actions(3):
        env.step(action)
    for part, before in zip(parts, kept, strict=True):
        np.testing.assert_array_equal(part, before)


# The body ----------------------------------------------------------------------------------------


@each_crawler
def test_tables_of_the_docstring(env_id: str) -> None:
    env = make(env_id)
    rows = [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        for line in (CrawlerEnv.__doc__ or "").splitlines()
        if re.match(r"\s*\| \d+ \|", line)
    ]
    sensed, driven = [r for r in rows if len(r) == 5], [r for r in rows if len(r) == 4]
    assert [int(r[0]) for r in sensed] == list(range(env.body_space.shape[0]))
    assert [r[1] for r in driven] == list(env.joint_names)
    np.testing.assert_array_equal(
        [float(r[2]) for r in driven], env.model.actuator_forcerange[:, 1]
    )
    for part in ("joint_angles", "joint_velocities"):
        assert [r[2] for r in sensed[env.observation_parts[part]]] == list(env.joint_names)
    ranges = np.array([[float(x) for x in r[3].split(" to ")] for r in sensed])
    joints = env.model.jnt_range[env.model.actuator_trnid[:, 0]]
    np.testing.assert_allclose(ranges[env.observation_parts["joint_angles"]], joints, atol=0.005)


@each_crawler
def test_what_the_body_feels(env_id: str) -> None:
    env = make(env_id)
    for observation, *_ in run(env, 15):
        felt = observation["observation"] if isinstance(observation, dict) else observation
        part = {name: felt[index] for name, index in env.observation_parts.items()}
        trunk = env.data.body("trunk").xmat.reshape(3, 3)
        assert part["height"] == env.data.qpos[2]
        np.testing.assert_allclose(part["up"], trunk.T @ [0, 0, 1])
        np.testing.assert_allclose(part["facing"], (trunk @ [1, 0, 0])[:2])
        np.testing.assert_array_equal(part["joint_angles"], env.data.qpos[7:])
        np.testing.assert_array_equal(part["joint_velocities"], env.data.qvel[6:])
        np.testing.assert_allclose(trunk @ part["velocity"], env.data.qvel[:3])
        np.testing.assert_array_equal(part["angular_velocity"], env.data.qvel[3:6])


@each_crawler
def test_where_it_is_is_not_felt(env_id: str) -> None:
    env = make(env_id)
    env.reset(seed=0)
    before = env.feel()
    env.data.qpos[:2] += 5.0
    np.testing.assert_array_equal(env.feel(), before)


@each_crawler
@pytest.mark.parametrize(("start", "height"), [("hands_and_knees", 0.13), ("belly", 0.09)])
def test_lies_and_stands(env_id: str, start: str, height: float) -> None:
    env = make(env_id, start=start)
    env.reset(seed=0)
    if env.actuation == "position":  # the servos hold the posture; torque motors need a controller
        command = -env._ctrl_centre / env._ctrl_half
        if start == "belly":
            command[1::2] = 1.0
        for _ in range(40):
            info = env.step(command)[-1]
        assert env.data.qpos[2] == pytest.approx(height, abs=0.03)
        assert info["speed"] < 0.02
    else:
        for _ in range(40):
            env.step(np.zeros(8))
        assert env.data.qpos[2] < 0.09  # without torque it lies on its belly
    assert env.up > 0.85


def test_it_can_crawl_without_a_scurry_or_a_flip() -> None:
    env = make("neonate/Crawl-v0")
    env.reset(seed=0)
    infos = [env.step(trot(k * env.dt))[-1] for k in range(200)]
    assert np.mean([i["speed"] for i in infos]) > 0.2
    assert np.mean([i["foot_slip"] for i in infos]) < 0.15
    assert 0.5 < infos[-1]["cost_of_transport"] < 6.0
    assert not any(i["flipped"] for i in infos)


def test_it_can_steer() -> None:
    for turn in (-0.5, 0.5):
        env = make("neonate/Crawl-v0")
        env.reset(seed=0)
        turned = 0.0
        for k in range(60):
            felt = env.step(trot(k * env.dt, turn))[0]
            turned += felt[env.observation_parts["angular_velocity"]][2] * env.dt
        assert np.sign(turn) * turned > 0.5


def test_random_rhythms_do_not_turn_it_over() -> None:
    env = make("neonate/Crawl-v0")
    rng = np.random.default_rng(0)
    for seed in range(5):
        env.reset(seed=seed)
        frequency, phase = rng.uniform(0.5, 3.0), rng.uniform(0, 2 * np.pi, 8)
        for k in range(60):
            info = env.step(np.sin(2 * np.pi * frequency * k * env.dt + phase))[-1]
            assert not info["flipped"]


@each_crawler
def test_help_comes_to_who_lies_on_its_back(env_id: str) -> None:
    env = make(env_id, start="back")
    env.reset(seed=0)
    infos = []
    for _ in range(60):
        before = env.position, env.feel()[env.observation_parts["facing"]]
        infos.append(env.step(np.zeros(8))[-1])
        if infos[-1]["helped"]:
            assert np.linalg.norm(env.position - before[0]) < 0.05
            facing = env.feel()[env.observation_parts["facing"]]
            assert facing @ before[1] > 0.9
    assert [i["flipped"] for i in infos] == [True] * 40 + [False] * 20
    assert [i["helped"] for i in infos].index(True) == 39
    assert sum(i["helped"] for i in infos) == 1
    assert env.up > 0.95


@each_crawler
def test_info_is_what_it_says(env_id: str) -> None:
    env = make(env_id)
    env.reset(seed=0)
    way = work = 0.0
    for action in actions(20):
        before = env.position
        info = env.step(action)[-1]
        moved = env.position - before
        way += float(np.linalg.norm(moved))
        work += info["effort"] * env.weight * env.dt
        assert info["speed"] == pytest.approx(np.linalg.norm(moved) / env.dt)
        assert info["x_velocity"] == pytest.approx(moved[0] / env.dt)
        assert info["cost_of_transport"] == pytest.approx(work / (env.weight * way))
        assert info["foot_slip"] >= 0.0
        assert (info["x_position"], info["y_position"]) == tuple(env.position)
    assert work > 0.0


@each_crawler
def test_haste_is_how_much_the_action_changes(env_id: str) -> None:
    env = make(env_id)
    for _ in range(2):  # a new episode forgets the last action of the old one
        env.reset(seed=0)
        first, second = actions(2)
        assert env.step(first)[-1]["haste"] == 0.0
        change = np.mean((second.astype(float) - first) ** 2)
        assert env.step(second)[-1]["haste"] == pytest.approx(change)
        assert env.step(second)[-1]["haste"] == 0.0


def test_slip_is_that_of_what_touches() -> None:
    env = make("neonate/Crawl-v0")
    env.reset(seed=0)
    stand = -env._ctrl_centre / env._ctrl_half
    for _ in range(40):
        env.step(stand)
    resting = env.step(stand)[-1]["foot_slip"]
    env.data.qvel[0] = 1.0  # pushed: palms and knees scrape
    pushed = env.step(stand)[-1]["foot_slip"]
    assert resting < 0.01 < 0.05 < pushed
    env.data.qpos[2] += 1.0  # in the air nothing touches
    env.data.qvel[0] = 1.0
    assert env.step(stand)[-1]["foot_slip"] == 0.0


# Options -----------------------------------------------------------------------------------------


@each_crawler
def test_a_weak_limb_is_weak(env_id: str) -> None:
    usual, weak = make(env_id), make(env_id, limb_strength={"left_arm": 0.5})
    ratio = weak.model.actuator_forcerange[:, 1] / usual.model.actuator_forcerange[:, 1]
    np.testing.assert_allclose(ratio, [0.5, 0.5, 1, 1, 1, 1, 1, 1])
    heights = []
    for env in (usual, weak):
        env.reset(seed=0)
        command = -np.ones(8) if env.actuation == "position" else -0.3 * np.ones(8)
        for _ in range(20):
            env.step(command)
        heights.append(env.data.site("left_hand").xpos[2] - env.data.body("trunk").xpos[2])
    assert heights[1] != pytest.approx(heights[0], abs=1e-3)
    np.testing.assert_array_equal(usual.action_space.low, weak.action_space.low)


@each_crawler
def test_a_longer_limb_is_longer(env_id: str) -> None:
    usual, longer = make(env_id), make(env_id, limb_length={"right_leg": 1.2})
    for limb in LIMBS:
        reach = []
        for env in (usual, longer):
            env.reset(seed=0)
            site = env.data.site(f"{limb.split('_')[0]}_{'knee' if 'leg' in limb else 'hand'}")
            reach.append(np.linalg.norm(site.xpos - env.data.body(limb).xpos))
        assert reach[1] / reach[0] == pytest.approx(1.2 if limb == "right_leg" else 1.0)
    np.testing.assert_allclose(usual.model.body_mass, longer.model.body_mass)


@each_crawler
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"actuation": "muscle"}, ("'muscle'", "position", "torque")),
        ({"start": "head"}, ("'head'", "belly", "back")),
        ({"limb_strength": {"tail": 0.5}}, ("limb_strength", "tail", "left_arm")),
        ({"limb_strength": 0.5}, ("limb_strength", "0.5", "left_arm")),
        ({"limb_length": {"left_leg": 0.0}}, ("limb_length", "left_leg", "0.1 to 2")),
        ({"limb_length": {"left_leg": float("nan")}}, ("limb_length", "nan")),
    ],
)
def test_bad_options(env_id: str, options: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError) as error:
        make(env_id, **options)
    assert all(word in str(error.value) for word in words)


@each_goal_env
def test_bad_reward(env_id: str) -> None:
    with pytest.raises(ValueError, match=r"'shaped'.*dense.*sparse"):
        make(env_id, reward_type="shaped")


@each_crawler
@pytest.mark.parametrize("bad", ["short", "nan", "inf"])
def test_bad_actions(env_id: str, bad: str) -> None:
    env = make(env_id)
    env.reset(seed=0)
    action = np.zeros(8)
    action[0] = {"short": 0.0, "nan": np.nan, "inf": np.inf}[bad]
    before = env.data.qpos.copy()
    with pytest.raises(ValueError, match="8 finite numbers"):
        env.step(action[1:] if bad == "short" else action)
    np.testing.assert_array_equal(env.data.qpos, before)


# Reward and goals --------------------------------------------------------------------------------


@each_variant
def test_terms_sum_to_the_reward(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **options)
    for _, reward, _, _, info in run(env, 30):
        assert reward == pytest.approx(sum(terms(info).values()), abs=1e-12)
        assert "speed" in info and "flipped" in info


@pytest.mark.parametrize("env_id", FORWARD)
def test_forward_is_what_pays(env_id: str) -> None:
    for _, _, _, _, info in run(make(env_id), 10):
        assert info["reward_forward"] == info["x_velocity"]
        assert info["reward_effort"] == pytest.approx(-0.1 * info["effort"])
        assert info["reward_haste"] == pytest.approx(-0.2 * info["haste"])
        assert info["reward_slip"] == pytest.approx(-0.2 * info["foot_slip"])


@each_goal_env
@pytest.mark.parametrize("reward_type", ["dense", "sparse"])
def test_rewards_of_a_batch_are_those_of_the_steps(env_id: str, reward_type: str) -> None:
    env = make(env_id, reward_type=reward_type)
    observations, rewards, _, _, infos = zip(*run(env, 30), strict=True)
    been = np.array([o["achieved_goal"] for o in observations])
    wanted = np.array([o["desired_goal"] for o in observations])
    for info in (list(infos), np.array(infos, dtype=object)):
        batch = env.compute_reward(been, wanted, info)
        assert batch.shape == (30,)
        np.testing.assert_array_equal(batch, rewards)
    single = [env.compute_reward(*step) for step in zip(been, wanted, infos, strict=True)]
    np.testing.assert_array_equal(single, rewards)
    distances = np.linalg.norm(been - wanted, axis=1)
    np.testing.assert_allclose([i["distance"] for i in infos], distances)
    plain = -distances if reward_type == "dense" else -np.ones(30)
    np.testing.assert_allclose(env.compute_reward(been, wanted, [{}] * 30), plain)
    assert env.compute_reward(been[0], been[0], {}) == 0.0


@each_goal_env
@pytest.mark.parametrize("reward_type", ["dense", "sparse"])
def test_arriving_ends_the_episode(env_id: str, reward_type: str) -> None:
    env = make(env_id, reward_type=reward_type)
    for seed, offset in enumerate((0.3, 0.8)):
        env.reset(seed=seed)
        env.data.qpos[:2] = env.data.mocap_pos[0, :2] + [offset, 0.0]
        _, reward, terminated, _, info = env.step(np.zeros(8, np.float32))
        assert info["is_success"] is terminated is (offset < 0.5)
        if reward_type == "sparse":
            assert reward == (0.0 if terminated else -1.0)


@each_goal_env
def test_goals_fill_the_ring(env_id: str) -> None:
    env = make(env_id)
    goals = np.array([env.reset(seed=s)[0]["desired_goal"] for s in range(300)])
    radius = np.linalg.norm(goals, axis=1)
    assert radius.min() >= GroundGoal.nearest and radius.max() <= GroundGoal.farthest
    # Uniform in area: half of the ring's area lies beyond this radius.
    assert np.mean(radius > np.sqrt((1.0 + 64.0) / 2)) == pytest.approx(0.5, abs=0.1)
    assert np.abs(np.mean(goals / radius[:, None], axis=0)).max() < 0.15


def test_falling_never_pays() -> None:
    for reward_type in ("dense", "sparse"):
        env = make("neonate/AntTo-v0", reward_type=reward_type)
        env.reset(seed=0)
        for _ in range(9):
            env.step(np.zeros(8, np.float32))
        env.data.qpos[2:7] = 0.6, 0.0, 1.0, 0.0, 0.0
        _, reward, terminated, _, info = env.step(np.zeros(8, np.float32))
        assert terminated and info["flipped"] and not info["is_success"]
        assert info["reward_fall"] == pytest.approx(990 * info["reward_distance"])
        assert reward == pytest.approx(sum(terms(info).values()))


def test_the_ant_is_gymnasiums() -> None:
    ours, theirs = make("neonate/AntTo-v0"), make("Ant-v5", include_cfrc_ext_in_observation=False)
    felt = ours.reset(seed=1)[0]["observation"]
    ours.set_state(ours.init_qpos, ours.init_qvel)
    theirs.reset(seed=1)
    theirs.set_state(theirs.init_qpos, theirs.init_qvel)
    for action in actions(20):
        one, two = ours.step(action)[0]["observation"], theirs.step(action)[0]
        np.testing.assert_allclose(one, two, atol=1e-9)
    assert felt.shape == (27,)


@pytest.mark.parametrize("env_id", ["neonate/CrawlTo-v0", "neonate/AntTo-v0"])
def test_hindsight_replay(env_id: str) -> None:
    model = SAC(
        "MultiInputPolicy",
        gymnasium.make(env_id),
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"copy_info_dict": True},
        learning_starts=10_000,
        buffer_size=2_000,
        policy_kwargs={"net_arch": [8]},
        seed=0,
    ).learn(1_100)
    buffer = model.replay_buffer
    assert isinstance(buffer, HerReplayBuffer)
    recomputed = model.get_env().env_method(
        "compute_reward",
        buffer.next_observations["achieved_goal"][:1_000, 0],
        buffer.next_observations["desired_goal"][:1_000, 0],
        buffer.infos[:1_000, 0],
    )[0]
    np.testing.assert_allclose(recomputed, buffer.rewards[:1_000, 0], rtol=1e-5, atol=1e-5)
    assert buffer.sample(64).rewards.shape == (64, 1)


# Pictures ----------------------------------------------------------------------------------------


@each_env
def test_the_camera_follows(env_id: str) -> None:
    env = make(env_id, render_mode="rgb_array", width=160, height=90)
    env.reset(seed=0)
    seen = []
    for place in (0.0, 20.0):
        env.data.qpos[:2] = place
        env.set_state(env.data.qpos, env.data.qvel)
        seen.append(env.render().astype(int))
    env.close()
    assert seen[0].shape == (90, 160, 3)
    body = seen[0][30:65, 55:105]
    assert body.std() > 15
    assert np.abs(seen[1][30:65, 55:105] - body).mean() < 0.5 * np.abs(body - body.mean()).mean()
    assert env.metadata["render_fps"] == round(1 / env.dt)
