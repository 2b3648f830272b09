"""Simulated bodies and lives that the tests of the brain share, and that they are sound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

import envs
from agent import Brain
from agent.config import BabbleConfig
from agent.memory import SensorimotorMemory
from agent.motor_programs.babble import Babble
from agent.senses import Senses

REACHER = "Reacher-v5"
ENV_IDS = (REACHER, *envs.REACH_IDS)


@dataclass(frozen=True)
class Arm:
    """Two-joint arm in a vertical plane: M(q) v̇ + c(q, v) + D v + g(q) = strength · u."""

    inertia: tuple[float, float, float] = (0.5, 0.15, 0.12)
    weight: tuple[float, float] = (2.0, 0.8)
    damping: tuple[float, float] = (0.3, 0.2)
    strength: tuple[float, float] = (8.0, 4.0)

    def mass(self, angle):
        """Mass matrix (…, 2, 2)."""
        a, b, c = self.inertia
        cosine = np.cos(angle[..., 1])
        off = c + b * cosine
        rows = [np.stack([a + 2 * b * cosine, off], -1), np.stack([off, np.full_like(off, c)], -1)]
        return np.stack(rows, -2)

    def passive(self, angle, velocity):
        """Torque (…, 2) that holds velocity without acceleration."""
        swing = self.inertia[1] * np.sin(angle[..., 1])
        v1, v2 = velocity[..., 0], velocity[..., 1]
        turning = np.stack([-swing * (2 * v1 * v2 + v2**2), swing * v1**2], -1)
        both = self.weight[1] * np.sin(angle.sum(axis=-1))
        fall = np.stack([self.weight[0] * np.sin(angle[..., 0]) + both, both], -1)
        return turning + np.array(self.damping) * velocity + fall

    def command(self, angle, velocity, acceleration):
        """Command (…, 2) that brings about an acceleration."""
        torque = (self.mass(angle) @ acceleration[..., None])[..., 0]
        return (torque + self.passive(angle, velocity)) / np.array(self.strength)

    def acceleration(self, angle, velocity, command):
        """Acceleration (…, 2) that a command brings about."""
        torque = np.array(self.strength) * command - self.passive(angle, velocity)
        return np.linalg.solve(self.mass(angle), torque[..., None])[..., 0]

    def energy(self, angle, velocity):
        """Kinetic and potential energy (…,)."""
        kinetic = 0.5 * np.einsum("...i,...ij,...j->...", velocity, self.mass(angle), velocity)
        height = -self.weight[0] * np.cos(angle[..., 0])
        return kinetic + height - self.weight[1] * np.cos(angle.sum(axis=-1))

    def experience(self, n, seed):
        """Angle, velocity, acceleration, command of n random moments, (n, 2) each."""
        rng = np.random.default_rng(seed)
        angle = rng.uniform(-1.5, 1.5, (n, 2))
        velocity = 0.3 * rng.normal(size=(n, 2))
        command = np.clip(0.4 * rng.normal(size=(n, 2)), -1, 1)
        return angle, velocity, self.acceleration(angle, velocity, command), command


def test_the_simulated_arm_obeys_the_balance_of_power():
    arm, dt = Arm(), 1e-6
    angle, velocity, acceleration, command = arm.experience(50, 1)
    steps = [arm.energy(angle + s * velocity, velocity + s * acceleration) for s in (dt, -dt)]
    power = (velocity * (np.array(arm.strength) * command)).sum(axis=1)
    lost = (np.array(arm.damping) * velocity**2).sum(axis=1)
    np.testing.assert_allclose((steps[0] - steps[1]) / (2 * dt), power - lost, atol=1e-6)


@dataclass
class Babbled:
    """Named columns before and after each step of a simulated arm that babbled."""

    before: dict[str, NDArray] = field(default_factory=dict)
    after: dict[str, NDArray] = field(default_factory=dict)
    command: NDArray = field(default_factory=lambda: np.empty((0, 0)))
    episode: NDArray = field(default_factory=lambda: np.empty(0, np.int64))

    def distance(self):
        """Distance (N,) of tip and target after each step."""
        return np.linalg.norm([self.after[f"error{i}"] for i in range(2)], axis=0)

    def effort(self):
        """Squared command (N,)."""
        return (self.command**2).sum(axis=1)

    def memory(self, names: Sequence[str], reward=None, motors: Sequence[int] | None = None):
        """Memory whose channels are the columns named; reward is distance + effort by default."""
        motors = range(self.command.shape[1]) if motors is None else motors
        memory = SensorimotorMemory(len(self.episode), len(names), len(motors))
        before, after = (
            np.stack([side[name] for name in names], axis=1) for side in (self.before, self.after)
        )
        reward = -self.distance() - self.effort() if reward is None else reward
        memory.store(before, self.command[:, list(motors)], reward, after, self.episode)
        return memory


def flat_names(n_joints: int, trigonometric: bool) -> list[str]:
    """Columns of a flat observation of a simulated arm."""
    kinds = ("cos", "sin", "vel") if trigonometric else ("angle", "vel")
    own = [f"{kind}{j}" for kind in kinds for j in range(n_joints)]
    return [*own, "target0", "target1", "error0", "error1", "constant"]


def flat_senses(n_channels: int, n_motors: int) -> Senses:
    """Senses of a flat observation."""
    box = gym.spaces.Box(-np.inf, np.inf, (n_channels,))
    return Senses(box, gym.spaces.Box(-1, 1, (n_motors,)))


def goal_senses(n_channels: int, n_motors: int, size: int = 2) -> Senses:
    """Senses of a goal dict of `n_channels` own numbers and a goal of `size`."""
    sizes = {"observation": n_channels, "achieved_goal": size, "desired_goal": size}
    boxes = {key: gym.spaces.Box(-np.inf, np.inf, (k,)) for key, k in sizes.items()}
    return Senses(gym.spaces.Dict(boxes), gym.spaces.Box(-1, 1, (n_motors,)))


def simulate_babbling(
    n_joints: int, seed: int, steps: int = 150, step: float = 0.02, episode_steps: int = 50
) -> Babbled:
    """Let a planar arm of n damped, coupled joints babble."""
    rng = np.random.default_rng(seed)
    babble, drive = Babble(BabbleConfig(strongest=0.5)), 0.8 / step
    push = drive * (np.eye(n_joints) + 0.15 * rng.uniform(-1, 1, (n_joints, n_joints)))
    rows: dict[str, list] = {"before": [], "after": []}
    commands = []
    command, strength = np.zeros((1, n_joints)), np.ones(1)
    for t in range(steps):
        if t % episode_steps == 0:
            angle, velocity = rng.uniform(-1, 1, n_joints), np.zeros(n_joints)
            target = rng.uniform(-1, 1, 2)
        if t % 25 == 0:
            strength = babble.strength(1, rng)
        command = babble.command(command, strength, rng)
        rows["before"].append(_look(angle, velocity, target))
        force = push @ command[0] - 0.02 / step * velocity - 2.0 * np.sin(angle)
        was, velocity = velocity, velocity + step * force
        angle = angle + 0.5 * step * (was + velocity)
        rows["after"].append(_look(angle, velocity, target))
        commands.append(command[0])
    before, after = (
        {name: np.array([row[name] for row in side]) for name in side[0]} for side in rows.values()
    )
    return Babbled(before, after, np.array(commands), np.arange(steps) // episode_steps)


def _look(angle: NDArray, velocity: NDArray, target: NDArray) -> dict[str, float]:
    summed = np.cumsum(angle)
    tip = np.array([np.cos(summed).sum(), np.sin(summed).sum()])
    columns = {"angle": angle, "cos": np.cos(angle), "sin": np.sin(angle), "vel": velocity}
    columns |= {"tip": tip, "target": target, "error": tip - target}
    named = {f"{kind}{i}": x for kind, values in columns.items() for i, x in enumerate(values)}
    return {**named, "constant": 0.7}


def batch(observations: Sequence[Any]) -> Any:
    """Observations of single environments as one batch."""
    if isinstance(observations[0], dict):
        return {key: np.stack([o[key] for o in observations]) for key in observations[0]}
    return np.stack(observations)


def babble_in(env_id: str, seed: int, steps: int = 150) -> tuple[SensorimotorMemory, Senses]:
    """Transitions of an environment under motor babbling, across its episodes."""
    env, rng, babble = gym.make(env_id), np.random.default_rng(seed), Babble(BabbleConfig())
    senses = Senses(env.observation_space, env.action_space)
    memory = SensorimotorMemory(steps, senses.n_channels, senses.n_motors)
    observation, _ = env.reset(seed=seed)
    command, episode = np.zeros((1, senses.n_motors)), 0
    for t in range(steps):
        if t % 25 == 0:
            strength = babble.strength(1, rng)
        command = babble.command(command, strength, rng)
        before = senses.channels(batch([observation]))
        observation, reward, terminated, truncated, _ = env.step(senses.action(command)[0])
        after = senses.channels(batch([observation]))
        memory.store(before, command, np.array([reward]), after, np.array([episode]))
        if terminated or truncated:
            observation, _ = env.reset()
            episode += 1
    env.close()
    return memory, senses


@dataclass
class Life:
    """What became of a brain that lived through some steps."""

    returns: list[float] = field(default_factory=list)
    successes: list[bool] = field(default_factory=list)
    actions: list[NDArray] = field(default_factory=list)


class Bodies:
    """Environments of one kind, stepped and reset together, with the same life for a seed."""

    def __init__(self, make: str | Callable[[], gym.Env], n_envs: int = 1, seed: int = 0):
        one = (lambda: gym.make(make)) if isinstance(make, str) else make
        self.envs = [one() for _ in range(n_envs)]
        self.spaces = self.envs[0].observation_space, self.envs[0].action_space
        self.observation = [e.reset(seed=100 * seed + i)[0] for i, e in enumerate(self.envs)]
        self.starts, self.returns = np.ones(n_envs, bool), np.zeros(n_envs)

    def live(
        self,
        brain: Brain,
        steps: int,
        learning: bool = True,
        deterministic: bool = True,
        spoil: Callable[[int, NDArray], NDArray] = lambda t, reward: reward,
    ) -> Life:
        """Act, and learn if wanted, for `steps` ticks; `spoil` changes the rewards felt."""
        life, memory = Life(), brain.new_memory(len(self.envs))
        self.starts[:] = True
        for t in range(steps):
            seen = batch(self.observation)
            action, memory = brain.act(seen, memory, self.starts, learning, deterministic)
            assert np.isfinite(action).all()
            life.actions.append(action)
            felt = [env.step(a) for env, a in zip(self.envs, action, strict=True)]
            now, reward, terminated, truncated, info = zip(*felt, strict=True)
            ends = np.array(terminated), np.array(truncated)
            if learning:
                told = spoil(t, np.array(reward, float))
                brain.learn(seen, action, told, batch(now), *ends, memory)
            self.returns += reward
            self.observation, self.starts = list(now), ends[0] | ends[1]
            for i in np.flatnonzero(self.starts):
                life.returns.append(float(self.returns[i]))
                life.successes.append(bool(info[i].get("is_success", False)))
                self.returns[i], self.observation[i] = 0.0, self.envs[i].reset()[0]
        return life


def same_state(one: dict[str, NDArray], other: dict[str, NDArray]) -> bool:
    """Whether two states of a brain are the same bit by bit."""
    return one.keys() == other.keys() and all(
        one[k].dtype == other[k].dtype and one[k].tobytes() == other[k].tobytes() for k in one
    )


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_same_seed_gives_the_same_life(env_id):
    lives = []
    for _ in range(2):
        bodies = Bodies(env_id, n_envs=2, seed=3)
        lives.append(bodies.live(Brain(*bodies.spaces, n_envs=2, seed=4), 60).actions)
    np.testing.assert_array_equal(*lives)
