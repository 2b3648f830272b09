"""Looking for the body: when to look at what was felt, until every part of the body is known."""

import numpy as np

from agent.body_schema import BodySchema
from agent.config import SchemaConfig
from agent.joints import Joints, NotYet, find_joints
from agent.memory import SensorimotorMemory
from agent.motor_programs.crawling import Crawling
from agent.motor_programs.reaching import Reaching
from agent.motor_programs.travel import Travel
from agent.self_motion import find_motion
from agent.senses import Senses


class BodySearch:
    """Looks at the latest transitions now and then, and lets programs begin that have become able.

    A body whose place commands move directly travels, and nothing else is looked for in it.
    Otherwise, the geometry that ties joints to an outcome is looked for from the first attempt
    on; what is found lets the body reach. The joints alone are enough to crawl, and are looked for
    once patience has ended. From then on the geometry is looked for at intervals that double,
    since a body that has none would look for it in vain for ever.

    Attributes:
        attempted: steps, summed over bodies, that had been felt at the latest attempt.

    """

    def __init__(
        self,
        senses: Senses,
        schema: BodySchema,
        reaching: Reaching,
        crawling: Crawling,
        travel: Travel,
        config: SchemaConfig,
    ):
        self._senses, self._schema, self._config = senses, schema, config
        self._reaching, self._crawling, self._travel = reaching, crawling, travel
        self.attempted = 0

    def due(self, steps: int, n_envs: int) -> bool:
        """Whether it is time for an attempt while nothing is known, before `look` makes it."""
        config = self._config
        late = steps >= config.first_attempt
        return late and steps - self.attempted + n_envs > config.attempt_every

    def look(self, memory: SensorimotorMemory, steps: int, rng: np.random.Generator) -> None:
        """Look for what is not known yet, if it is time to.

        Args:
            memory: what was felt.
            steps: felt so far, summed over bodies.
            rng: for the starts of the geometry's fit.

        """
        reaching, crawling, config = self._reaching, self._crawling, self._config
        if self._travel.available or (reaching.available and crawling.available):
            return
        wait = self.attempted if crawling.available else config.attempt_every
        if steps < config.first_attempt or steps - self.attempted < wait:
            return
        self.attempted = steps
        if self._finds_motion(memory):
            return
        if not reaching.available and self._schema.attempt(memory, self._senses, rng):
            reaching.begin(memory)
        if steps >= config.patience and not crawling.available:
            try:
                crawling.begin(self._find_joints(memory))
            except NotYet as reason:
                if not reaching.available:
                    self._schema.status = str(reason)

    def _finds_motion(self, memory: SensorimotorMemory) -> bool:
        try:
            self._travel.begin(find_motion(memory, self._senses))
        except NotYet:
            return False
        self._schema.status = "a place that commands move"
        return True

    def _find_joints(self, memory: SensorimotorMemory) -> Joints:
        rows, own = memory.rows, self._senses.proprioception
        before, after = memory.before[rows][:, own], memory.after[rows][:, own]
        starts = np.unique(memory.episode[rows], return_index=True)[1]
        return find_joints(before, after, memory.command[rows], self._config, starts)
