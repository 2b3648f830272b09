"""Perturbations of how the hand moves: forces that act on it, and loads that it carries."""

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from envs.perturbations import Observation, Perturbation, Step
from envs.schedules import Schedule

Vector = NDArray[np.float64]


class HandForce(Perturbation):
    """A robot's handle acts on the hand; in clamped trials it holds the hand in a channel.

    The channel's walls are a stiff spring and damper across the way from start to target
    (Scheidt et al. 2000, doi:10.1152/jn.2000.84.2.853). The channel follows the mean path that
    the hand took to that target before it was ever perturbed; where there is none it is straight.
    Walls that cut a natural curve would be pushed all the time, and be learnt as a force.

    Forces act at every step of the simulator. Info: `push` (N), the force that the hand puts on
    the channel's walls, towards the left of the way to the target, and `needed` (N), what it would
    take to hold against the full field at this velocity. Both are 0 without a channel.
    """

    channel_stiffness = 6000.0  # (N/m)
    channel_damping = 50.0  # (N s/m)
    _ALONG = np.linspace(0.0, 1.2, 49)  # (Where a natural path is kept, over the way's length)

    def __init__(self, env: gym.Env, schedule: Schedule, seed: int = 0, **recorded: float) -> None:
        super().__init__(env, schedule, seed, **recorded)
        self._along, self._across, self._length = np.zeros(3), np.zeros(3), 1.0
        self.push, self.needed = 0.0, 0.0
        self._natural, self._course = True, np.zeros(len(self._ALONG))
        self._path: list[Vector] = []
        self._paths: dict[tuple[int, ...], list[Vector]] = {}

    def force(self, position: Vector, velocity: Vector, strength: float) -> Vector:
        """Force on the hand (3,) in N at a position (3,) in m and velocity (3,) in m/s."""
        raise NotImplementedError

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next trial."""
        observation, info = super().reset(seed=seed, options=options)
        along = self.task.target - self.start
        across = np.array([-along[1], along[0], 0.0])
        self._length = max(float(np.linalg.norm(along)), 1e-9)
        self._along = along / self._length
        self._across = across / max(float(np.linalg.norm(across)), 1e-9)
        self._natural &= self.trial.strength == 0.0
        self._path = [np.zeros(3)]
        known = self._paths.get(self._target)
        self._course = np.mean(known, axis=0) if known else np.zeros(len(self._ALONG))
        self.push, self.needed = 0.0, 0.0
        self.task.hand_force = self._act
        return observation, info

    @property
    def _target(self) -> tuple[int, ...]:
        """Name the way to the target, by its millimetres."""
        return tuple(np.rint(1000.0 * self._length * self._along).astype(int).tolist())

    def step(self, action: Any) -> Step:
        """Move the hand under the force."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        info = info | self.told(self.trial) | {"push": self.push, "needed": self.needed}
        if self._natural and not self.trial.clamp:
            self._path.append(self.task.fingertip - self.start)
            if terminated or truncated:
                self._keep(np.array(self._path))
        return observation, float(reward), bool(terminated), bool(truncated), info

    def _keep(self, path: Vector) -> None:
        """Keep how far a path (steps, 3) to the target lay to the left of the way, all along it."""
        if np.linalg.norm(path[-1] - self._length * self._along) > 0.25 * self._length:
            return
        along = np.maximum.accumulate(path @ self._along) / self._length
        left = np.interp(self._ALONG, along, path @ self._across)
        self._paths.setdefault(self._target, []).append(left)

    def _act(self, position: Vector, velocity: Vector) -> Vector:
        if not self.trial.clamp:
            return self.force(position, velocity, self.trial.strength)
        along = float((position - self.start) @ self._along) / self._length
        middle, beside = np.interp((along, along + 0.01), self._ALONG, self._course)
        slope = float(beside - middle) / (0.01 * self._length)
        off = float((position - self.start) @ self._across - middle)
        speed = float(velocity @ self._across - slope * (velocity @ self._along))
        self.push = self.channel_stiffness * off + self.channel_damping * speed
        self.needed = -float(self.force(position, velocity, 1.0) @ self._across)
        return -self.push * self._across


class CurlField(HandForce):
    r"""Force across the hand's velocity, F = B [[0, 1], [−1, 0]] v in the plane of x and y.

    After Shadmehr & Mussa-Ivaldi 1994 (doi:10.1523/JNEUROSCI.14-05-03208.1994) and Gandolfo et
    al. 1996; B is 13 N s/m there.

    Args:
        env: reaching task.
        viscosity: B at full strength, N s/m; positive pushes to the right of the way.
        schedule: how strong it is in which trial.
        seed: of what the schedule draws by chance.

    """

    def __init__(
        self, env: gym.Env, schedule: Schedule, viscosity: float = 13.0, seed: int = 0
    ) -> None:
        super().__init__(env, schedule, seed, viscosity=viscosity)
        if not np.isfinite(viscosity):
            raise ValueError(f"viscosity is {viscosity!r}: write a finite number, e.g. 13.0")
        self.viscosity = float(viscosity)

    def force(self, position: Vector, velocity: Vector, strength: float) -> Vector:
        """Push across the way."""
        b = self.viscosity * strength
        return np.array([b * velocity[1], -b * velocity[0], 0.0])


class Load(Perturbation):
    """A weight in the hand, of the full mass at strength 1.

    Args:
        env: reaching task.
        mass: of the full weight, kg, from 0 up.
        schedule: how strong it is in which trial.
        seed: of what the schedule draws by chance.

    """

    def __init__(self, env: gym.Env, schedule: Schedule, mass: float = 1.0, seed: int = 0) -> None:
        super().__init__(env, schedule, seed, mass=mass)
        if not (np.isfinite(mass) and mass >= 0):
            raise ValueError(f"mass is {mass!r}: write a finite number from 0 up, e.g. 1.0")
        self.mass = float(mass)
        model = self.task.model
        site = model.site("fingertip")
        self._body, self._own = int(site.bodyid[0]), model.body_mass.copy()
        self._inertia, self._at = model.body_inertia.copy(), model.body_ipos.copy()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next trial with the weight of its strength in the hand."""
        coming = self.schedule.trial(self.trials, np.random.default_rng(0))
        self._carry(self.mass * coming.strength)
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Step:
        """Move the hand with the weight in it."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        info = info | self.told(self.trial)
        return observation, float(reward), bool(terminated), bool(truncated), info

    def _carry(self, load: float) -> None:
        """Join a point mass at the fingertip to the hand (parallel axes, Steiner)."""
        model, body = self.task.model, self._body
        own, at = self._own[body], self._at[body]
        tip = model.site("fingertip").pos
        centre = (own * at + load * tip) / (own + load)
        model.body_mass[body] = own + load
        model.body_ipos[body] = centre
        inertia = self._inertia[body].copy()
        for mass, place in ((own, at), (load, tip)):
            inertia += mass * (((place - centre) ** 2).sum() - (place - centre) ** 2)
        model.body_inertia[body] = inertia
