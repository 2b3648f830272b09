"""The anatomy of the brain: its regions, and which of them each is connected to."""

from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from agent.adaptation import VisuomotorMap
from agent.basal_ganglia import BasalGanglia, ProgramGate
from agent.body_schema import BodySchema
from agent.body_search import BodySearch
from agent.cerebellum import Cerebellum
from agent.config import BrainConfig
from agent.dynamics_adaptation import DynamicsAdaptation
from agent.efference import EfferenceCopies
from agent.hippocampus import Hippocampus
from agent.memory import SensorimotorMemory
from agent.motor_cortex import MotorCortex
from agent.motor_programs.babble import Babble
from agent.motor_programs.crawling import Crawling
from agent.motor_programs.dreams import Dreams
from agent.motor_programs.guidance import Guidance
from agent.motor_programs.keyboard import Keyboard
from agent.motor_programs.reach import Reach
from agent.motor_programs.reaching import Reaching
from agent.motor_programs.repertoire import Repertoire
from agent.motor_programs.skill import Skill
from agent.motor_programs.travel import Travel
from agent.prefrontal import Prefrontal
from agent.senses import Senses
from agent.spinal_cord import SpinalCord
from agent.strategy import AimingStrategy
from agent.trace import Trace
from agent.working_memory import (
    Memory,
    new_memory,
)


class Anatomy:
    """All regions of a brain, newborn.

    Attributes are named as in `__init__`. What happens in a tick is in `agent.brain`.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        n_envs: int = 1,
        config: BrainConfig | None = None,
        seed: int | None = 0,
    ):
        self.config = c = config or BrainConfig()
        seeds = np.random.SeedSequence(seed).spawn(7)
        generators = [np.random.default_rng(s) for s in seeds]
        anatomy, self._rng, self._play, search, compass, self._dreaming, fear = generators
        self._generators: tuple[np.random.Generator, ...] = (
            self._rng,
            self._play,
            search,
            self._dreaming,
        )
        self.trace = trace = Trace()
        self.senses = senses = Senses(observation_space, action_space)
        n, lesions = senses.n_motors, c.lesions
        self.memory = SensorimotorMemory(c.schema.memory, senses.n_channels, n)
        self.schema = schema = BodySchema(n, c.schema, lesions)
        self.cerebellum = Cerebellum(n, c.cerebellum, anatomy, lesions)
        self.spinal_cord = SpinalCord(n, c.spinal_cord, lesions)
        self.basal_ganglia = BasalGanglia(len(c.reach.vigours), c.basal_ganglia, lesions)
        self.gate = ProgramGate(3, n_envs, c.basal_ganglia)
        self.hippocampus = Hippocampus(c.hippocampus, compass, lesions)
        self.prefrontal = Prefrontal(c.prefrontal, lesions)
        limb = schema, self.cerebellum, self.spinal_cord, self.basal_ganglia
        self.babble = Babble(c.babble)
        self.adaptation = VisuomotorMap(c.adaptation, lesions)
        self.dynamics = DynamicsAdaptation(n, c.adaptation, anatomy, lesions)
        self.efference = EfferenceCopies(c.adaptation, lesions)
        self.strategy = AimingStrategy(c.adaptation, lesions)
        guidance = Guidance(schema, self.adaptation, self.strategy, c, self._play)
        adapting = guidance, self.dynamics, self.efference
        reach = Reach(n, c.reach)
        self.reaching = Reaching(senses, *limb, reach, *adapting, c, trace)
        self.cortex = MotorCortex(n, c.motor_cortex, lesions)
        dreams = Dreams(reach, schema, self.cerebellum, self.basal_ganglia, self.cortex, c)
        self.skill = Skill(self.reaching, self.cortex, dreams, c)
        self.crawling = Crawling(
            senses, c, n_envs, search, trace, fear, self.hippocampus, self.prefrontal
        )
        self.travel = Travel(senses, self.hippocampus, self.prefrontal, trace)
        programs = self.reaching, self.crawling, self.travel
        self.programs = Repertoire(
            self.babble, *programs, self.skill, trace, crawls=not senses.keys
        )
        self.keyboard = Keyboard(senses, c, trace, schema) if senses.keys else None
        if self.keyboard:
            self.reaching.blending = self.keyboard.blending
        self.search = BodySearch(senses, schema, *programs, c.schema)
        self.n_envs, self.steps, self.episodes, self.episode_length = n_envs, 0, 0, 0

    def new_memory(self, n: int) -> Memory:
        """Working memory of n bodies at the start of an episode."""
        memory = new_memory(
            n,
            self.senses.n_motors,
            self.senses.n_channels,
            self.config.reach.horizon,
            self.hippocampus.grid.n_phases,
        )
        return memory | (self.keyboard.memory(n) if self.keyboard else {})

    @cached_property
    def memory_names(self) -> tuple[str, ...]:
        """Names of the arrays of working memory, in the order in which a policy hands them out."""
        return tuple(sorted(self.new_memory(0)))

    def resize(self, n_envs: int) -> None:
        """Learn from now on with another number of bodies."""
        self.n_envs = n_envs
        self.gate.resize(n_envs)
        self.crawling.resize(n_envs)
