"""What a Gymnasium or Stable-Baselines3 user imports."""

from policies.baselines import ALGORITHMS, load_algorithm, make_algorithm
from policies.brain_agent import BrainAgent, BrainPolicy

__all__ = ["ALGORITHMS", "BrainAgent", "BrainPolicy", "load_algorithm", "make_algorithm"]
