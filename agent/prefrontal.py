"""Prefrontal cortex: what is wanted, also when the senses do not show it."""

import numpy as np
from numpy.typing import NDArray

from agent.config import PrefrontalConfig
from agent.errors import StateError
from agent.percept import Array
from agent.working_memory import Memory


class Prefrontal:
    r"""Holds the goal in mind, and remembers what was rewarding where.

    A goal that is shown opens the gate of working memory and is taken in; one that is not, leaves
    what is held there alone (O'Reilly & Frank 2006, doi:10.1162/089976606775093909). Nothing is
    shown when the goal is exactly where the body is: nothing pulls then.

    Where no goal was shown, the most rewarding place that is remembered is wanted. A place's
    worth follows the reward r felt there by

    .. math:: w \leftarrow w + \alpha\, (r - w)

    so that one visit makes a goal, and one visit in vain unmakes it. Of places that are worth the
    same, the one that was rewarding last is wanted: places are kept in that order.

    Args:
        config: settings.
        lesions: `prefrontal` leaves what is shown at the moment.

    Attributes:
        place: (k, 2) places remembered, m.
        worth: (k,) their w.

    """

    def __init__(self, config: PrefrontalConfig, lesions: tuple[str, ...] = ()):
        self._config, self._lesioned = config, "prefrontal" in lesions
        self.place, self.worth = np.zeros((0, 2)), np.zeros(0)
        self.usual = 0.0

    def hold(self, memory: Memory, shown: Array, here: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Goals (n, 2) in m, and whether there is one, (n,).

        Args:
            memory: working memory; updated.
            shown: (n, 2) goals as the senses have them.
            here: (n, 2) where the bodies are, as the senses have it.

        """
        visible = (shown != here).any(axis=1)
        if self._lesioned:
            return shown, visible
        if visible.all():
            memory["goal"], memory["holds_goal"] = shown, visible
            return shown, visible
        memory["goal"] = np.where(visible[:, None], shown, memory["goal"])
        memory["holds_goal"] = held = memory["holds_goal"] | visible
        goal = memory["goal"]
        if held.all() or not len(self.place):
            return goal, held
        best = len(self.worth) - 1 - int(self.worth[::-1].argmax())  # (Of equals, the latest)
        if self.worth[best] <= self.usual:
            return goal, held
        return np.where(held[:, None], goal, self.place[best]), np.ones_like(held)

    def learn(self, place: Array, reward: Array) -> None:
        """Remember what was rewarding where.

        Args:
            place: (n, 2) where the bodies are, m.
            reward: (n,) of the step.

        """
        if self._lesioned:
            return
        config = self._config
        self.usual += config.usual_rate * (float(reward.mean()) - self.usual)
        for here, r in zip(place, reward, strict=True):
            away = np.linalg.norm(self.place - here, axis=1)
            near = int(away.argmin()) if len(away) else -1
            if near >= 0 and away[near] < config.field:
                self.worth[near] += config.rate * (r - self.worth[near])
                if r > self.usual + config.surprise:
                    order = np.append(np.delete(np.arange(len(away)), near), near)
                    self.place, self.worth = self.place[order], self.worth[order]
            elif r > self.usual + config.surprise:
                self.place, self.worth = np.vstack([self.place, here]), np.append(self.worth, r)

    def state(self) -> dict[str, NDArray]:
        """Everything that is learnt, for saving."""
        return {"place": self.place, "worth": self.worth, "usual": np.array(self.usual)}

    def check_state(self, state: dict[str, NDArray]) -> None:
        """Refuse a state whose parts do not fit each other.

        Raises:
            StateError: naming the part.

        """
        n = len(state["worth"])
        if state["place"].shape != (n, 2):
            shape = state["place"].shape
            raise StateError(f"weights 'place' have shape {shape}: 'worth' has {n} of them")

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Take over what `state` returned."""
        self.place, self.worth = state["place"].copy(), state["worth"].copy()
        self.usual = float(state["usual"])
