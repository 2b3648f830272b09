"""Settings of the map and of goals."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HippocampusConfig:
    """Grid cells, place cells and the map."""

    modules: int = 12
    """Grid modules; their spacings grow by √2."""
    finest: float = 1.0
    """Spacing of the finest grid module, m."""
    spacing: float = 0.4
    """Distance from the nearest place cell at which a new one is recruited, m."""
    bump_width: float = 0.18
    """How far a bump is taken to have felt the wall to either side, m."""
    pull: float = 0.3
    """Share of the path integrator's error that the sight of the place corrects in a step."""
    hysteresis: float = 0.03
    """Activity by which another place cell must be ahead to take over."""
    momentum: float = 3.0
    """How many place fields of way it is worth to explore straight ahead."""
    wall_stretch: float = 2.0
    """By how much walls are taken for longer than was felt, when choosing where to explore."""
    wall_worth: float = 4.0
    """How many place fields of way it is worth not to explore where a wall may go on."""
    crowd_worth: float = 0.5
    """How many place fields of way it is worth that one place cell less is near the unknown."""
    unknown: float = 2.0
    """Expected length of an unknown way over its straight line."""
    replan_every: int = 8
    """Steps after which the way is looked for anew."""


@dataclass(frozen=True)
class PrefrontalConfig:
    """Goals in mind, and remembered ones."""

    rate: float = 0.5
    """Rate at which a remembered place's worth follows the reward felt there."""
    field: float = 0.4
    """Distance up to which rewards are felt at the same place, m."""
    surprise: float = 0.5
    """Reward over the usual one at which a place is remembered."""
    usual_rate: float = 0.01
    """Rate at which the usual reward is learnt."""
