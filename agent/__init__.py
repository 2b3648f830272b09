"""The brain: one file per region, numpy only."""

from agent.brain import Brain
from agent.config import BrainConfig, config_from_dict, config_to_dict
from agent.errors import SensoryError, StateError, UnsupportedSpaceError

__all__ = [
    "Brain",
    "BrainConfig",
    "SensoryError",
    "StateError",
    "UnsupportedSpaceError",
    "config_from_dict",
    "config_to_dict",
]
