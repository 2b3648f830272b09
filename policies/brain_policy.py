"""The brain as a Stable-Baselines3 policy: what it does when it only acts."""

from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import PyTorchObs
from stable_baselines3.common.utils import is_vectorized_observation

from agent import Brain
from policies import model_file
from policies.brain_file import Observation, describe_brain, prefixed, restore_brain
from policies.model_file import FileOrPath


class BrainPolicy(BasePolicy):
    """What a brain does when it only acts: weights and the generator of training stay untouched.

    Args:
        observation_space: of one environment.
        action_space: of one environment.
        brain: the brain that acts; shared with the agent that trains it.

    """

    def __init__(
        self, observation_space: spaces.Space, action_space: spaces.Space, brain: Brain
    ) -> None:
        super().__init__(observation_space, action_space)
        self.brain = brain

    def predict(
        self,
        observation: Observation,
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Choose an action for each of n bodies; n need not be that of training.

        Args:
            observation: of one body, or batch-first of n bodies.
            state: working memory that the last call returned; None when every episode begins.
            episode_start: (n,) bool, which bodies begin an episode; none of them where it is left
                out and a state is given.
            deterministic: False adds the noise of exploration, from a generator of its own.

        Returns:
            Action, (n, actions) or (actions,), and the working memory: arrays (n, ...) in the
            order of their names.

        Raises:
            agent.SensoryError: an observation is NaN or infinite.
            ValueError: shapes do not fit the spaces or each other.

        """
        observation, batched = self._as_batch(observation)
        n = len(next(iter(observation.values())) if isinstance(observation, dict) else observation)
        names = self.brain.memory_names
        if state is None:
            memory = self.brain.new_memory(n)
            episode_start = np.ones(n, dtype=bool)
        elif len(state) != len(names) or set(map(len, state)) != {n}:
            raise ValueError(
                f"The state has the working memory of {len(state[0]) if state else 0} bodies, but "
                f"{n} are observed: pass on the state that predict returned for these bodies, or "
                "None."
            )
        else:
            memory = dict(zip(names, state, strict=True))
        if episode_start is None:
            episode_start = np.zeros(n, dtype=bool)
        starts = np.asarray(episode_start, dtype=bool)
        if starts.shape != (n,):
            starts = np.broadcast_to(starts, (n,))
        action, memory = self.brain.act(observation, memory, starts, deterministic=deterministic)
        return (action if batched else action[0]), tuple(map(memory.__getitem__, names))

    def save(self, path: FileOrPath) -> None:
        """Save the brain alone in a model file (see :mod:`policies.model_file`)."""
        description = describe_brain(self.brain, self.observation_space, self.action_space)
        model_file.write(path, {"brain": description}, prefixed("brain", self.brain.state()))

    @classmethod
    def load(cls, path: FileOrPath, device: th.device | str = "cpu") -> "BrainPolicy":
        """Load the brain from what this class or `BrainAgent` saved.

        Raises:
            ModelFileError: the file is not whole or not a brain's.

        """
        brain, observation_space, action_space = restore_brain(*model_file.read(path))
        return cls(observation_space, action_space, brain)

    def _as_batch(self, observation: Observation) -> tuple[Observation, bool]:
        if isinstance(observation, tuple):
            raise ValueError(
                "predict was given a tuple, probably (observation, info) as Gymnasium's reset "
                "returns it: pass its first part only."
            )
        if not isinstance(self.observation_space, spaces.Dict):
            observation = np.asarray(observation)
            batched = is_vectorized_observation(observation, self.observation_space)
            return (observation if batched else observation[None]), batched
        names = self.observation_space.spaces
        if not isinstance(observation, dict) or not names.keys() <= observation.keys():
            raise ValueError(
                f"The observation must be a dict with the keys {', '.join(names)}; got "
                f"{', '.join(observation) if isinstance(observation, dict) else observation!r}."
            )
        parts = {name: np.asarray(observation[name]) for name in names}
        # (SB3's own look at the shapes takes long: it is asked where these are not as they should)
        if all(part.shape == names[name].shape for name, part in parts.items()):
            return {key: part[None] for key, part in parts.items()}, False
        if all(part.shape[1:] == names[name].shape for name, part in parts.items()):
            return parts, True
        batched = is_vectorized_observation(parts, self.observation_space)  # type: ignore[arg-type]
        return (parts if batched else {key: part[None] for key, part in parts.items()}), batched

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> th.Tensor:
        arrays = (
            {key: part.cpu().numpy() for key, part in observation.items()}
            if isinstance(observation, dict)
            else observation.cpu().numpy()
        )
        return th.as_tensor(self.predict(arrays, deterministic=deterministic)[0])

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {
            "observation_space": self.observation_space,
            "action_space": self.action_space,
            "brain": self.brain,
        }
