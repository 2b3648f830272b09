"""Settings of sequences, chunks, sleep and habits of the motor cortex."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StriatumConfig:
    """Actor and critic over acts and chunks."""

    opponent: bool = True
    """Direct and indirect pathways, on which dopamine acts in opposite ways; else one."""
    critic_rate: float = 0.2
    """Share of the dopamine signal taken up by the critic."""
    actor_rate: float = 0.5
    """Share of it taken up by the actor."""
    eligibility: float = 0.9
    """Share of an act's eligibility that the next act leaves."""
    gain: float = 2.0
    """Inverse temperature of the choice."""
    memory: int = 32
    """Latest acts that can be credited."""


@dataclass(frozen=True)
class ChunkConfig:
    """Chunks of acts."""

    most: int = 24
    """Chunks that there is room for."""
    longest: int = 6
    """Most symbols of which sleep makes a new one."""
    preference: float = 2.0
    """How much a new chunk is preferred to its first act alone."""
    setback: float = 4.0
    """Preference that a chunk loses, where it was begun, when it misses a step."""
    rate: float = 0.3
    """Rate at which a chunk's trust follows whether it runs to its end."""
    doubt: float = 0.4
    """Trust below which a chunk dissolves."""


@dataclass(frozen=True)
class SequenceConfig:
    """Sequences: where in a task a body is."""

    stages: int = 16
    """Stages of a sequence told apart; later ones count as the last."""


@dataclass(frozen=True)
class SleepConfig:
    """Sleep while learning."""

    every: int = 0
    """Steps between two nights while learning; 0 for none."""


@dataclass(frozen=True)
class MotorCortexConfig:
    """Motor cortex: habits of reaching, compiled in sleep."""

    dreams: int = 200_000
    """Movements dreamt in a night; 0 for none."""
    units: int = 192
    """Units of each of the network's two layers."""
    learning_rate: float = 0.003
    """Rate at which a night begins to learn; it sinks to 0."""
    remembered: int = 256
    """Beginnings of movements that are remembered to be dreamt of."""
    least: int = 3
    """Of these, how many a night needs."""
    tolerance: float = 0.08
    """Share by which a habit's movements may cost more than planned ones, and yet be gated."""
    rate: float = 0.1
    """Rate at which the trust in habits follows how their movements go while awake."""
    doubt: float = 0.6
    """Deviation from the practised course at which the planner takes over, rad."""
