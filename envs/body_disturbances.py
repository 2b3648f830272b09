"""Disturbances of the simulated body: pushes, a weak actuator, another mass."""

from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from numpy.typing import NDArray

from envs.disturbance import Disturbance, Observation, at_least_0, check_probability, mujoco_of


class BodyDisturbance(Disturbance):
    """A disturbance of the simulated body itself, whose model is put right again at the end."""

    def __init__(self, env: gym.Env, **told: Any) -> None:
        super().__init__(env, **told)
        self.body_env = mujoco_of(env)
        self._undo: list[tuple[NDArray[np.float64], int, NDArray[np.float64]]] = []

    @property
    def model(self) -> mujoco.MjModel:
        """The model of the body."""
        return self.body_env.model

    @property
    def active(self) -> bool:
        """Whether the disturbance is on now."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self.restore()
        self._active = bool(active)
        if self._active:
            self.apply()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode with the body as it was made, then disturb it."""
        self.restore()
        return super().reset(seed=seed, options=options)

    def begin(self) -> None:
        """Disturb the body for an episode."""
        if self.active:
            self.apply()

    def apply(self) -> None:
        """Disturb the body."""

    def restore(self) -> None:
        """Put right what was disturbed."""
        while self._undo:
            field, row, value = self._undo.pop()
            field[row] = value

    def close(self) -> None:
        """Put the model right and close the environment."""
        self.restore()
        super().close()

    def scale(self, field: NDArray[np.float64], row: int, factor: float) -> None:
        """Scale one row of a field of the model until `restore`."""
        self._undo.append((field, row, np.array(field[row])))
        field[row] *= factor


class Push(BodyDisturbance):
    """Now and then a sideways push of the trunk, or of the hand of a body whose base is fixed.

    Its direction is horizontal and drawn anew for each push. A planar body feels the part of it
    that lies in its plane.

    Args:
        env: the environment.
        strength: force over the weight of the whole body.
        probability: that a push begins, at each step in which none is under way.
        steps: control steps that it lasts.
        body: name of the part that is pushed; None as said above.

    Raises:
        ValueError: an argument outside its domain, or there is no such part.

    """

    def __init__(
        self,
        env: gym.Env,
        strength: float = 0.5,
        probability: float = 0.05,
        steps: int = 2,
        body: str | None = None,
    ) -> None:
        super().__init__(env, strength=strength, probability=probability, steps=steps, body=body)
        self.strength = at_least_0("strength", strength)
        self.probability = check_probability(probability)
        if not isinstance(steps, int | np.integer) or steps < 1:
            raise ValueError(f"steps is {steps!r}: write a whole number from 1 up")
        self.steps, self.body = int(steps), body_index(self.model, body)
        gravity = float(np.linalg.norm(self.model.opt.gravity)) or 9.81
        self._weight = float(self.model.body_mass.sum()) * gravity  # (Newtons)
        self._left, self._force = 0, np.zeros(3)

    def begin(self) -> None:
        """No push is under way."""
        self._left = 0

    def before_step(self) -> None:
        """Begin, go on with or end a push."""
        begins, bearing = self.rng.random() < self.probability, self.rng.uniform(-np.pi, np.pi)
        if self._left == 0 and begins:
            direction = np.array([np.cos(bearing), np.sin(bearing), 0.0])
            self._left, self._force = self.steps, self.strength * self._weight * direction
        pushed = self._left > 0 and self.active
        self.body_env.data.xfrc_applied[self.body, :3] = self._force if pushed else 0.0
        self._left = max(0, self._left - 1)

    def restore(self) -> None:
        """End a push under way."""
        self.body_env.data.xfrc_applied[self.body] = 0.0


class WeakActuator(BodyDisturbance):
    """One actuator that has lost some of its force: of motors the torque, of servos the stiffness.

    Args:
        env: the environment.
        factor: force that is left, over the usual one; 0 leaves the joint limp.
        actuator: its index; None draws another one for each episode.

    Raises:
        ValueError: there is no such actuator, the factor is negative or not finite, or the
            actuator is a muscle, whose force is not linear.

    """

    def __init__(self, env: gym.Env, factor: float, actuator: int | None = None) -> None:
        super().__init__(env, factor=factor, actuator=actuator)
        self.factor = at_least_0("factor", factor)
        n = self.model.nu
        if actuator is not None and not 0 <= actuator < n:
            raise ValueError(f"actuator is {actuator!r}: write 0 to {n - 1}, or None")
        linear = (mujoco.mjtBias.mjBIAS_NONE, mujoco.mjtBias.mjBIAS_AFFINE)
        if not np.isin(self.model.actuator_biastype, [int(kind) for kind in linear]).all():
            raise ValueError(f"{env} has actuators whose force is not linear: it cannot be scaled")
        self._choice, self.weak = actuator, actuator or 0

    def begin(self) -> None:
        """Choose the actuator and weaken it."""
        drawn = int(self.rng.integers(self.model.nu))
        self.weak = drawn if self._choice is None else self._choice
        super().begin()

    def apply(self) -> None:
        """Weaken it."""
        self.scale(self.model.actuator_gainprm, self.weak, self.factor)
        self.scale(self.model.actuator_biasprm, self.weak, self.factor)


class AddedMass(BodyDisturbance):
    """One part of the body has another mass, and an inertia that has changed in proportion.

    Args:
        env: the environment.
        kg: mass added, negative to take some away; or
        factor: mass over the usual one.
        body: name of the part; None: the trunk, or the hand of a body whose base is fixed.

    Raises:
        ValueError: neither or both are given, there is no such part, or no mass would be left.

    """

    def __init__(
        self,
        env: gym.Env,
        kg: float | None = None,
        factor: float | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(env, kg=kg, factor=factor, body=body)
        if (kg is None) == (factor is None):
            raise ValueError("give the change of mass either in kg or as a factor, e.g. factor=1.5")
        self.body = body_index(self.model, body)
        usual = float(self.model.body_mass[self.body])
        self.factor = float(factor if factor is not None else 1.0 + (kg or 0.0) / max(usual, 1e-9))
        if not (np.isfinite(self.factor) and self.factor > 0.0 and usual > 0.0):
            raise ValueError(
                f"a mass of {usual:g} kg cannot become {self.factor * usual:g} kg: leave some"
            )

    def apply(self) -> None:
        """Change the mass."""
        self.scale(self.model.body_mass, self.body, self.factor)
        self.scale(self.model.body_inertia, self.body, self.factor)
        self._derive()

    def restore(self) -> None:
        """Give it its usual mass."""
        changed = bool(self._undo)
        super().restore()
        if changed:
            self._derive()

    def _derive(self) -> None:
        """Have MuJoCo compute what follows from masses (weights of subtrees, inverse inertias)."""
        mujoco.mj_setConst(self.model, mujoco.MjData(self.model))


def body_index(model: mujoco.MjModel, name: str | None) -> int:
    """Find a part by name; None: the trunk, or the hand of a body whose base is fixed.

    The trunk is the root of the heaviest tree where that root can move from its place. Otherwise
    the hand is the last moving part of the tree.

    Raises:
        ValueError: there is no such part.

    """
    names = [model.body(b).name for b in range(model.nbody)]
    if name is not None:
        if name not in names:
            raise ValueError(f"the body has no part {name!r}: it has {', '.join(names[1:])}")
        return names.index(name)
    moves = np.flatnonzero(model.body_dofnum > 0)
    if not len(moves):
        raise ValueError("nothing in this model moves")
    roots = model.body_rootid[moves]
    root = max(set(roots.tolist()), key=lambda r: float(model.body_subtreemass[r]))
    trunk = int(moves[roots == root][0])
    joints = model.jnt_type[model.jnt_bodyid == trunk]
    travels = (mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_SLIDE)
    if np.isin(joints, [int(kind) for kind in travels]).any():
        return trunk
    return int(moves[roots == root][-1])
