"""The contract of every task in `envs`: each test runs over each body and its options."""

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import ks_2samp
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.env_checker import check_env as check_sb3

import envs
from envs.arm import ArmReachEnv
from envs.rendering import choose_backend

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "neonate/Reach-v0": [
        {},
        {"targets": "centre_out"},
        {"reward_type": "sparse"},
        {"vision_delay_ms": 100},
        {"motor_noise": 0.2},
        {"targets": "centre_out", "vision_delay_ms": 50, "motor_noise": 0.1},
        {"reward_type": "sparse", "vision_delay_ms": 100},
    ],
    "neonate/Reach3D-v0": [
        {},
        {"reward_type": "sparse"},
        {"vision_delay_ms": 100},
        {"motor_noise": 0.2},
        {"reward_type": "sparse", "vision_delay_ms": 40, "motor_noise": 0.1},
    ],
}
VARIANTS = [(env_id, options) for env_id in envs.REACH_IDS for options in OPTIONS[env_id]]
EPISODE_STEPS = {"neonate/Reach-v0": 100, "neonate/Reach3D-v0": 75}

each_env = pytest.mark.parametrize("env_id", envs.REACH_IDS)
each_variant = pytest.mark.parametrize(
    ("env_id", "options"),
    VARIANTS,
    ids=[" ".join([i, *(f"{k}={v}" for k, v in o.items())]) for i, o in VARIANTS],
)


def make(env_id: str, **options: Any) -> ArmReachEnv:
    env = gymnasium.make(env_id, **options).unwrapped
    assert isinstance(env, ArmReachEnv)
    return env


def actions(env: ArmReachEnv, n: int, seed: int = 0, size: float = 0.3) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-size, size, (n, env.model.nu))


def run(env: ArmReachEnv, n: int, seed: int = 0) -> Iterator[tuple[Any, ...]]:
    env.reset(seed=seed)
    for action in actions(env, n):
        yield env.step(action)


def posture_at(env: ArmReachEnv, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Joint angles within the joints' ranges that bring the fingertip to a point (3,)."""
    data = mujoco.MjData(env.model)

    def miss(posture: NDArray[np.float64]) -> NDArray[np.float64]:
        data.qpos[:] = posture
        mujoco.mj_kinematics(env.model, data)
        return data.site("fingertip").xpos - point

    low, high = env.model.jnt_range.T
    starts = np.random.default_rng(0).uniform(low, high, (20, env.model.nq))
    for start in starts:
        found = least_squares(miss, start, bounds=(low, high), xtol=1e-12)
        if np.linalg.norm(found.fun) < 1e-4:
            return found.x
    raise AssertionError(f"no posture reaches {point}")


def holding_action(env: ArmReachEnv) -> NDArray[np.float64]:
    """Balance gravity in the present state."""
    return env.data.qfrc_bias / env.model.actuator_gear[:, 0]


# The contract of Gymnasium and SB3 -------------------------------------------------------------


@each_variant
def test_gymnasium_checker_is_silent(env_id: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        # Angles pass their soft limits and nothing bounds a velocity: any finite box would lie.
        warnings.filterwarnings("ignore", message=".*Box observation space .* is -?infinity")
        check_gymnasium(make(env_id, **options), skip_render_check=True)
    assert [str(c.message) for c in complaints] == []


@each_variant
def test_sb3_checker_is_silent(env_id: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        check_sb3(make(env_id, **options))
    assert [str(c.message) for c in complaints] == []


@each_env
def test_found_without_importing_envs(env_id: str) -> None:
    code = f"import gymnasium; gymnasium.make('envs:{env_id}').reset(seed=0); print('ok')"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert out.stdout.strip() == "ok", out.stderr


def test_registering_twice_changes_nothing() -> None:
    before = dict(gymnasium.registry)
    envs.register_envs()
    assert gymnasium.registry == before


def test_importing_envs_leaves_mujoco_alone() -> None:
    code = "import sys, envs; print('mujoco' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.strip() == "False", out.stderr


@pytest.mark.parametrize(
    ("variables", "chosen"),
    [
        ({}, "egl"),
        ({"DISPLAY": ":0"}, None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, None),
        ({"MUJOCO_GL": "osmesa"}, "osmesa"),
        ({"MUJOCO_GL": "glfw", "DISPLAY": ":0"}, "glfw"),
    ],
)
def test_backend(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], chosen: str | None
) -> None:
    environment = dict(variables)
    monkeypatch.setattr(os, "environ", environment)
    choose_backend()
    assert environment.get("MUJOCO_GL") == chosen


@each_variant
def test_same_seed_same_life(env_id: str, options: dict[str, Any]) -> None:
    def life(seed: int) -> list[Any]:
        env = make(env_id, **options)
        first, _ = env.reset(seed=seed)
        steps = [env.step(action) for action in actions(env, 20)]
        second, _ = env.reset()
        return [first, second, *(s[0] for s in steps), *(s[1] for s in steps)]

    same, again, other = life(3), life(3), life(4)
    for one, two in zip(same, again, strict=True):
        np.testing.assert_equal(one, two)
    assert not all(
        np.array_equal(a["desired_goal"], b["desired_goal"])
        for a, b in zip(same[:2], other[:2], strict=True)
    )


@each_env
def test_start_and_target_change(env_id: str) -> None:
    env = make(env_id)
    first = [env.reset(seed=0)[0]] + [env.reset()[0] for _ in range(9)]
    for key in ("observation", "achieved_goal", "desired_goal"):
        assert len({tuple(o[key]) for o in first}) == 10
    velocities = env.observation_parts["joint_velocities"]
    assert not any(o["observation"][velocities].any() for o in first)


@each_variant
def test_observations_own_their_memory(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **options)
    first, _ = env.reset(seed=0)
    kept = {key: value.copy() for key, value in first.items()}
    second = env.step(actions(env, 1)[0])[0]
    arrays = [*first.values(), *second.values(), env.fingertip, env.target]
    inside = [env.data.qpos, env.data.qvel, env.data.site_xpos, env.data.mocap_pos, *env._views]
    for i, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[i + 1 :] + inside)
    np.testing.assert_equal(first, kept)


@each_env
def test_length_of_an_episode(env_id: str) -> None:
    env = gymnasium.make(env_id)
    env.reset(seed=0)
    action = np.zeros(env.action_space.shape)
    ends = [env.step(action)[2:4] for _ in range(EPISODE_STEPS[env_id])]
    assert not any(terminated for terminated, _ in ends)
    assert [truncated for _, truncated in ends] == [False] * (len(ends) - 1) + [True]


# The observation and the body --------------------------------------------------------------------


@each_variant
def test_observation_is_the_state_of_the_arm(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **options)
    for observation, *_ in run(env, 20):
        angles, velocities = env.observation_parts.values()
        np.testing.assert_array_equal(observation["observation"][angles], env.data.qpos)
        np.testing.assert_array_equal(observation["observation"][velocities], env.data.qvel)
        np.testing.assert_array_equal(observation["desired_goal"], env.target[: env.goal_size])
        if not env.vision_delay_steps:
            seen = env.fingertip[: env.goal_size]
            np.testing.assert_array_equal(observation["achieved_goal"], seen)
        # The fingertip is that of the present posture, not of MuJoCo's last substep.
        data = mujoco.MjData(env.model)
        data.qpos[:] = env.data.qpos
        mujoco.mj_kinematics(env.model, data)
        np.testing.assert_allclose(env.fingertip, data.site("fingertip").xpos, atol=1e-12)


@each_env
def test_tables_of_the_docstring(env_id: str) -> None:
    env = make(env_id)
    rows = [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        for line in (type(env).__doc__ or "").splitlines()
        if re.match(r"\s*\| \d+ \|", line)
    ]
    sensed, driven = [r for r in rows if len(r) == 5], [r for r in rows if len(r) == 4]
    n = len(env.joint_names)
    assert [int(r[0]) for r in sensed] == list(range(env.observation_space["observation"].shape[0]))
    assert [int(r[0]) for r in driven] == list(range(env.action_space.shape[0]))
    assert [r[2] for r in sensed] == 2 * list(env.joint_names)
    assert [r[1] for r in driven] == list(env.joint_names)
    what = [("angle", "rad")] * n + [("angular velocity", "rad/s")] * n
    assert [(r[1], r[4]) for r in sensed] == what
    ranges = np.array([[float(x) for x in r[3].split(" to ")] for r in sensed])
    np.testing.assert_allclose(ranges[:n], env.model.jnt_range, atol=0.005)
    assert np.isinf(ranges[n:]).all()
    np.testing.assert_array_equal([float(r[2]) for r in driven], env.model.actuator_gear[:, 0])


@each_env
def test_parts_of_the_body_are_named(env_id: str) -> None:
    model = make(env_id).model
    joints = [model.joint(i).name for i in range(model.njnt)]
    assert [model.actuator(i).name for i in range(model.nu)] == joints
    assert list(model.actuator_trnid[:, 0]) == list(range(model.nu))
    assert all(joints)
    assert not model.geom_contype.any() and not model.geom_conaffinity.any()
    assert model.camera("view").id == 0


@each_env
def test_target_is_drawn_as_large_as_success(env_id: str) -> None:
    env = make(env_id)
    assert env.model.geom("target").size[0] == env.success_distance


@each_env
def test_goals_stay_within_their_space(env_id: str) -> None:
    env = make(env_id)
    low, high = env.model.jnt_range.T
    generator = np.random.default_rng(0)
    for posture in [np.zeros(env.model.nq), *generator.uniform(low, high, (200, env.model.nq))]:
        env.set_state(posture, np.zeros(env.model.nv))
        assert np.linalg.norm(env.fingertip) < env.goal_bound


@each_env
def test_joint_limits_hold_under_full_torque(env_id: str) -> None:
    env = make(env_id)
    env.reset(seed=0)
    for sign in (1.0, -1.0):
        for _ in range(100):
            env.step(np.full(env.model.nu, sign))
        low, high = env.model.jnt_range.T
        assert (env.data.qpos > low - 0.15).all() and (env.data.qpos < high + 0.15).all()


@each_env
def test_physics_does_not_depend_on_the_time_step(env_id: str) -> None:
    coarse, fine = make(env_id), make(env_id)
    fine.model.opt.timestep /= 4
    fine.frame_skip *= 4
    for env in (coarse, fine):
        env.reset(seed=0)
    start = coarse.fingertip
    for _ in range(25):
        for env in (coarse, fine):
            env.step(holding_action(env) + 0.03)
    travelled = np.linalg.norm(coarse.fingertip - start)
    assert travelled > 0.02
    assert np.linalg.norm(coarse.fingertip - fine.fingertip) < 0.05 * travelled


def test_gravity() -> None:
    planar, spatial = make("neonate/Reach-v0"), make("neonate/Reach3D-v0")
    for env in (planar, spatial):
        env.reset(seed=0)
    before = planar.fingertip, spatial.fingertip
    for env in (planar, spatial):
        for _ in range(10):
            env.step(np.zeros(env.model.nu))
    np.testing.assert_array_equal(planar.fingertip, before[0])
    assert spatial.fingertip[2] < before[1][2] - 0.05


# Reward, success, information --------------------------------------------------------------------


@each_variant
def test_rewards_of_a_batch_are_those_of_the_steps(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **options)
    observations, rewards, _, _, infos = zip(*run(env, 30), strict=True)
    seen = np.array([o["achieved_goal"] for o in observations])
    wanted = np.array([o["desired_goal"] for o in observations])
    for info in (list(infos), np.array(infos, dtype=object)):
        batch = env.compute_reward(seen, wanted, info)
        assert batch.shape == (30,)
        np.testing.assert_array_equal(batch, rewards)
    single = [env.compute_reward(*step) for step in zip(seen, wanted, infos, strict=True)]
    np.testing.assert_array_equal(single, rewards)


@each_variant
def test_terms_sum_to_the_reward(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **options)
    for action, (_, reward, _, _, info) in zip(actions(env, 30), run(env, 30), strict=True):
        assert reward == info["reward_distance"] + info["reward_effort"]
        if env.reward_type == "dense":
            assert info["reward_distance"] == pytest.approx(-info["distance"])
            assert info["reward_effort"] == pytest.approx(-env.effort_weight * (action @ action))
        else:
            assert info["reward_distance"] == (0 if info["distance"] < 0.02 else -1)
            assert info["reward_effort"] == 0


@each_variant
def test_reward_of_another_goal(env_id: str, options: dict[str, Any]) -> None:
    """Hindsight: had the fingertip's place been the goal, the distance would have been zero."""
    env = make(env_id, **options)
    *_, (observation, _, _, _, info) = run(env, 5)
    seen = observation["achieved_goal"]
    true = seen + info.get("moved_since_seen", 0.0)
    assert env.compute_reward(seen, true, info) == pytest.approx(info["reward_effort"])
    assert env.compute_reward(seen, seen, {}) == 0.0
    assert env.compute_reward(seen, seen + 0.1, {}) == pytest.approx(
        -1.0 if env.reward_type == "sparse" else -0.1 * np.sqrt(env.goal_size)
    )


@each_variant
def test_success_is_near_and_slow(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **{**options, "motor_noise": 0.0})
    env.reset(seed=1)
    posture = posture_at(env, env.target)

    env.set_state(posture, np.zeros(env.model.nv))
    info = env.step(holding_action(env))[4]
    assert info["is_success"] is True
    assert info["distance"] < 0.002 and info["speed"] < 0.05

    jacobian = np.zeros((3, env.model.nv))
    mujoco.mj_jacSite(env.model, env.data, jacobian, None, env.model.site("fingertip").id)
    passing = np.linalg.pinv(jacobian) @ np.array([0.0, 0.3, 0.0])
    env.set_state(posture, passing)
    info = env.step(holding_action(env))[4]
    assert info["is_success"] is False
    assert info["distance"] < 0.02 and info["speed"] > 0.1

    middle = env.model.jnt_range.mean(axis=1)
    env.set_state(middle, np.zeros(env.model.nv))
    info = env.step(holding_action(env))[4]
    assert info["is_success"] is False
    assert info["distance"] > 0.02 and info["speed"] < 0.05


@each_env
def test_speed_and_distance(env_id: str) -> None:
    env = make(env_id)
    env.reset(seed=0)
    for action in actions(env, 5):
        env.step(action)
    assert env.distance == pytest.approx(np.linalg.norm(env.fingertip - env.target))
    speed, before = env.speed, env.fingertip
    env.data.qpos += 1e-6 * env.data.qvel
    mujoco.mj_kinematics(env.model, env.data)
    assert speed == pytest.approx(np.linalg.norm(env.fingertip - before) / 1e-6, rel=1e-3)


# Options -----------------------------------------------------------------------------------------


@each_env
@pytest.mark.parametrize("delay_ms", [20, 100, 400])
def test_vision_is_late_by_exactly_that(env_id: str, delay_ms: int) -> None:
    now, late = make(env_id), make(env_id, vision_delay_ms=delay_ms)
    steps = round(delay_ms / 1000 / now.dt)
    assert late.vision_delay_steps == steps
    for seed in (5, 6):  # The second episode must see nothing of the first.
        true = [now.reset(seed=seed)[0]["achieved_goal"]]
        np.testing.assert_array_equal(late.reset(seed=seed)[0]["achieved_goal"], true[0])
        for t, (one, two) in enumerate(zip(run(now, 40, seed), run(late, 40, seed), strict=True)):
            true.append(one[0]["achieved_goal"])
            np.testing.assert_array_equal(two[0]["achieved_goal"], true[max(0, t + 1 - steps)])
            np.testing.assert_array_equal(two[0]["observation"], one[0]["observation"])
            assert two[1] == pytest.approx(one[1], abs=1e-12)
            assert two[4]["distance"] == one[4]["distance"]


@each_env
def test_motor_noise_grows_with_the_command(env_id: str) -> None:
    env = make(env_id, motor_noise=0.2)
    n = env.model.nu
    env.reset(seed=0)
    command = np.where(np.arange(n) % 2, 0.3, -0.1)
    torques = []
    for _ in range(2000):
        env.step(command)
        torques.append(env.data.ctrl.copy())
    deviation = np.std(torques, axis=0) / np.abs(command)
    np.testing.assert_allclose(deviation, 0.2, atol=0.02)
    np.testing.assert_allclose(np.mean(torques, axis=0), command, atol=0.01)
    env.step(np.zeros(n))
    assert not env.data.ctrl.any()


@each_env
def test_motor_noise_changes_the_motion_by_seed(env_id: str) -> None:
    def path(noise: float) -> NDArray[np.float64]:
        env = make(env_id, motor_noise=noise)
        env.reset(seed=0)
        return np.array([env.step(a)[0]["achieved_goal"] for a in actions(env, 30)])

    np.testing.assert_array_equal(path(0.2), path(0.2))
    assert np.abs(path(0.2) - path(0.0))[-1].max() > 1e-3


@each_env
def test_actions_beyond_the_limits_are_clipped(env_id: str) -> None:
    one, two = make(env_id), make(env_id)
    for env, size in ((one, 1.0), (two, 5.0)):
        env.reset(seed=0)
        result = env.step(np.full(env.model.nu, size))
        assert result[4]["reward_effort"] == pytest.approx(-env.effort_weight * env.model.nu)
    np.testing.assert_array_equal(one.data.qpos, two.data.qpos)


@each_variant
def test_every_target_can_be_reached(env_id: str, options: dict[str, Any]) -> None:
    env = make(env_id, **options)
    for seed in range(6):
        env.reset(seed=seed)
        low, high = env.model.jnt_range.T
        assert (env.data.qpos >= low).all() and (env.data.qpos <= high).all()
        posture_at(env, env.target)


def test_random_targets_are_uniform_in_area() -> None:
    env = make("neonate/Reach-v0")
    first = [env.reset(seed=s)[0] for s in range(1000)]
    # The same region another way: points of a square that the two links can make a triangle with.
    points = np.random.default_rng(0).uniform(-0.7, 0.7, (100_000, 2))
    upper, lower = 0.30, 0.33
    radius = np.linalg.norm(points, axis=1)
    with np.errstate(invalid="ignore"):
        elbow = np.arccos((radius**2 - upper**2 - lower**2) / (2 * upper * lower))
        inner = np.arctan2(lower * np.sin(elbow), upper + lower * np.cos(elbow))
        shoulder = np.degrees(np.arctan2(points[:, 1], points[:, 0]) - inner)
        elbow = np.degrees(elbow)
        inside = (elbow > 20) & (elbow < 140) & (shoulder > -30) & (shoulder < 120)
    region = points[inside & (points[:, 1] > 0.15)]
    for key in ("achieved_goal", "desired_goal"):
        drawn = np.array([o[key] for o in first])
        for line in np.array([[1, 0], [0, 1], [1, 1], [1, -1]]):
            assert ks_2samp(drawn @ line, region @ line).pvalue > 0.001


@each_env
def test_targets_are_in_front_and_above_the_floor(env_id: str) -> None:
    env = make(env_id)
    floor = env.model.geom("floor").pos[2]
    for seed in range(100):
        env.reset(seed=seed)
        for point in (env.target, env.fingertip):
            assert point[1] >= env.front_distance
            assert point[2] > floor + env.success_distance


def test_centre_out() -> None:
    env = make("neonate/Reach-v0", targets="centre_out")
    first = [env.reset(seed=s)[0] for s in range(100)]
    assert len({tuple(o["achieved_goal"]) for o in first}) == 1
    offsets = np.array([o["desired_goal"] - o["achieved_goal"] for o in first])
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), 0.10)
    angles = np.degrees(np.arctan2(offsets[:, 1], offsets[:, 0])).round(6) % 360
    assert set(angles) == {45.0 * k for k in range(8)}


@each_env
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reward_type": "shaped"}, ("'shaped'", "dense", "sparse")),
        ({"vision_delay_ms": 5}, ("vision_delay_ms", "5", "control step")),
        ({"vision_delay_ms": -100}, ("vision_delay_ms", "-100", "from 0 up")),
        ({"vision_delay_ms": float("nan")}, ("vision_delay_ms", "nan")),
        ({"motor_noise": -0.1}, ("motor_noise", "-0.1", "from 0 up")),
        ({"motor_noise": float("inf")}, ("motor_noise", "inf", "finite")),
    ],
)
def test_bad_options(env_id: str, options: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError) as error:
        make(env_id, **options)
    assert all(word in str(error.value) for word in words)


def test_bad_targets() -> None:
    with pytest.raises(ValueError, match=r"'circle'.*random.*centre_out"):
        make("neonate/Reach-v0", targets="circle")


@each_env
@pytest.mark.parametrize("bad", ["short", "nan", "inf"])
def test_bad_actions(env_id: str, bad: str) -> None:
    env = make(env_id)
    env.reset(seed=0)
    action = np.zeros(env.model.nu)
    action[0] = {"short": 0.0, "nan": np.nan, "inf": np.inf}[bad]
    before = env.data.qpos.copy()
    with pytest.raises(ValueError, match=f"{env.model.nu} finite numbers"):
        env.step(action[1:] if bad == "short" else action)
    np.testing.assert_array_equal(env.data.qpos, before)


# Together with others ----------------------------------------------------------------------------


@each_env
@pytest.mark.parametrize("options", [{}, {"reward_type": "sparse"}, {"vision_delay_ms": 100}])
def test_hindsight_replay(env_id: str, options: dict[str, Any]) -> None:
    model = SAC(
        "MultiInputPolicy",
        gymnasium.make(env_id, **options),
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"copy_info_dict": True},
        learning_starts=10_000,
        buffer_size=500,
        policy_kwargs={"net_arch": [8]},
        seed=0,
    ).learn(200)
    buffer = model.replay_buffer
    assert isinstance(buffer, HerReplayBuffer)
    recomputed = model.get_env().env_method(
        "compute_reward",
        buffer.next_observations["achieved_goal"][:200, 0],
        buffer.next_observations["desired_goal"][:200, 0],
        buffer.infos[:200, 0],
    )[0]
    np.testing.assert_array_equal(recomputed.astype(np.float32), buffer.rewards[:200, 0])
    sample = buffer.sample(64)
    assert sample.rewards.shape == (64, 1) and (sample.rewards <= 0).all()


@each_env
def test_target_is_seen_from_the_default_camera(env_id: str) -> None:
    env = make(env_id, render_mode="rgb_array", width=320, height=180)
    for seed in range(12):
        env.reset(seed=seed)
        with_target = env.render().astype(int)
        env.data.mocap_pos[0] = [0.0, 0.0, -50.0]
        mujoco.mj_forward(env.model, env.data)
        changed = np.abs(with_target - env.render()).max(axis=2) > 30
        assert changed.sum() > 60
    env.close()


@each_env
def test_size_of_the_picture(env_id: str) -> None:
    for size in ({}, {"width": 160, "height": 120}):
        env = make(env_id, render_mode="rgb_array", **size)
        env.reset(seed=0)
        frame = env.render()
        assert frame.shape == (size.get("height", 720), size.get("width", 1280), 3)
        assert frame.dtype == np.uint8
        env.close()
    assert env.metadata["render_fps"] == round(1 / env.dt)
