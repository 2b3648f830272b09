"""Every setting of the brain. One configuration serves every body.

The text under a field is its help on the command line.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.crawling_config import (
    AmygdalaConfig,
    CriticConfig,
    GaitConfig,
    ResidualConfig,
    SearchConfig,
)
from agent.map_config import (
    HippocampusConfig,
    PrefrontalConfig,
)
from agent.reaching_config import (
    HUMAN_ADAPTATION,
    AdaptationConfig,
    BabbleConfig,
    BasalGangliaConfig,
    CerebellumConfig,
    ReachConfig,
    SchemaConfig,
    SpinalCordConfig,
)
from agent.sequence_config import (
    ChunkConfig,
    MotorCortexConfig,
    SequenceConfig,
    SleepConfig,
    StriatumConfig,
)

__all__ = [
    "HUMAN_ADAPTATION",
    "LESIONS",
    "AdaptationConfig",
    "AmygdalaConfig",
    "BabbleConfig",
    "BasalGangliaConfig",
    "BrainConfig",
    "CerebellumConfig",
    "ChunkConfig",
    "CriticConfig",
    "GaitConfig",
    "HippocampusConfig",
    "MotorCortexConfig",
    "PrefrontalConfig",
    "ReachConfig",
    "ResidualConfig",
    "SchemaConfig",
    "SearchConfig",
    "SequenceConfig",
    "SleepConfig",
    "SpinalCordConfig",
    "StriatumConfig",
    "config_from_dict",
    "config_to_dict",
]

LESIONS = (
    "body_schema",
    "cerebellum",
    "granule_cells",
    "fast_state",
    "visual_correction",
    "basal_ganglia",
    "habit",
    "heading",
    "critic",
    "amygdala",
    "spinal_cord",
    "adaptation",
    "error_memory",
    "hippocampus",
    "grid",
    "prefrontal",
    "sleep",
    "cue_memory",
    "blending",
    "global_dopamine",
    "local_dopamine",
    "motor_cortex",
)


@dataclass(frozen=True)
class BrainConfig:
    """All regions of the brain."""

    babble: BabbleConfig = field(default_factory=BabbleConfig)
    schema: SchemaConfig = field(default_factory=SchemaConfig)
    cerebellum: CerebellumConfig = field(default_factory=CerebellumConfig)
    spinal_cord: SpinalCordConfig = field(default_factory=SpinalCordConfig)
    reach: ReachConfig = field(default_factory=ReachConfig)
    basal_ganglia: BasalGangliaConfig = field(default_factory=BasalGangliaConfig)
    gait: GaitConfig = field(default_factory=GaitConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    critic: CriticConfig = field(default_factory=CriticConfig)
    amygdala: AmygdalaConfig = field(default_factory=AmygdalaConfig)
    residual: ResidualConfig = field(default_factory=ResidualConfig)
    adaptation: AdaptationConfig = field(default_factory=AdaptationConfig)
    hippocampus: HippocampusConfig = field(default_factory=HippocampusConfig)
    prefrontal: PrefrontalConfig = field(default_factory=PrefrontalConfig)
    striatum: StriatumConfig = field(default_factory=StriatumConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sequence: SequenceConfig = field(default_factory=SequenceConfig)
    sleep: SleepConfig = field(default_factory=SleepConfig)
    motor_cortex: MotorCortexConfig = field(default_factory=MotorCortexConfig)
    lesions: tuple[str, ...] = ()
    """Regions or parts taken away, of `agent.config.LESIONS`."""

    def __post_init__(self) -> None:
        for name in self.lesions:
            if name not in LESIONS:
                raise ValueError(f"cannot lesion {name!r}: write one of {', '.join(LESIONS)}")


def config_to_dict(config: BrainConfig) -> dict[str, Any]:
    """Turn a configuration into nested dicts and lists that JSON can hold."""

    def plain(value: Any) -> Any:
        if isinstance(value, tuple):
            return [plain(v) for v in value]
        return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value

    result: dict[str, Any] = plain(dataclasses.asdict(config))
    return result


def config_from_dict(values: Mapping[str, Any]) -> BrainConfig:
    """Build a configuration from nested dicts; what is not named keeps its default.

    Raises:
        ValueError: for a field that does not exist or a value of the wrong type; it is named.

    """
    config: BrainConfig = _build(BrainConfig, values, "")
    return config


def _build(cls: Any, values: Any, path: str) -> Any:
    if not isinstance(values, Mapping):
        raise ValueError(f"config {path or 'root'} is {values!r}: write a table of its fields")
    hints = typing.get_type_hints(cls)
    unknown = set(values) - set(hints)
    if unknown:
        raise ValueError(
            f"config has no field {path}{sorted(unknown)[0]}: it has {', '.join(sorted(hints))}"
        )
    return cls(**{k: _convert(hints[k], v, f"{path}{k}") for k, v in values.items()})


def _convert(hint: Any, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, f"{path}.")
    if isinstance(hint, types.GenericAlias):
        if isinstance(value, list | tuple):
            return tuple(_convert(hint.__args__[0], v, path) for v in value)
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if value == value and abs(value) != float("inf"):
            return float(value)
    elif isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool):
        return value
    raise ValueError(f"config {path} is {value!r}: expected {getattr(hint, '__name__', hint)}")
