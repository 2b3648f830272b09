"""Every setting of the brain. One configuration serves every body.

The text under a field is its help on the command line.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    "spinal_cord",
    "adaptation",
    "error_memory",
    "hippocampus",
    "grid",
    "prefrontal",
    "sleep",
    "cue_memory",
    "motor_cortex",
)


@dataclass(frozen=True)
class BabbleConfig:
    """Motor babbling: bouts of smooth random commands, each of its own strength."""

    weakest: float = 0.03
    """Standard deviation of the weakest bout, as a share of the motors' full command."""
    strongest: float = 0.3
    """Standard deviation of the strongest bout, as a share of the motors' full command."""
    bout_steps: int = 25
    """Steps after which another strength is drawn."""
    smoothness: float = 0.85
    """Autocorrelation of the command from one step to the next."""


@dataclass(frozen=True)
class SchemaConfig:
    """Body schema: what the numbers of the observation are."""

    first_attempt: int = 75
    """Steps of babbling before the body schema is looked for."""
    attempt_every: int = 25
    """Steps between attempts while it has not been found."""
    patience: int = 300
    """Steps after which a body whose geometry has not been found begins to crawl."""
    memory: int = 512
    """Transitions that the sensorimotor memory keeps (the latest ones)."""
    glance_every: int = 5
    """Steps between looks at whether the geometry still holds."""
    pairing_r2: float = 0.7
    """Least share of an angle's change that its velocity must explain."""
    reward_r2: float = 0.95
    """Least share of the reward that distance and effort must explain on a flat observation."""
    tolerance: float = 0.02
    """Error on unseen postures, over the spread of the outcome, at which babbling ends."""
    bold: float = 25.0
    """Painless steps outside the known range that halve the fear of going there."""
    chain_starts: int = 12
    """Random starts of the fit of the kinematic chain."""


@dataclass(frozen=True)
class CerebellumConfig:
    """Inverse dynamics: granule expansion and Purkinje read-out."""

    gravity_granules: int = 150
    """Granule cells that see the posture alone (gravity, springs)."""
    gain_granules: int = 5
    """Granule cells that multiply the wanted acceleration (inertia, a gain field)."""
    prior_scale: float = 1e3
    """Prior variance of the weights over the variance of the command explained by one of them."""
    drift: float = 1e-6
    """Share of the prior variance that returns to the weights at each step, so that learning
    never stops."""
    fast_rate: float = 0.3
    """Rate of the fast state that takes up the error within a movement, per step."""
    silence: float = 0.5
    """Errors whose mean square is less than this share of the usual one are not learnt from."""
    outlier: float = 6.0
    """Errors beyond so many standard deviations are knocks (at a joint limit): not learnt."""


@dataclass(frozen=True)
class SpinalCordConfig:
    """Joint reflex that keeps the limb on the wanted path."""

    stiffness: float = 0.28
    """Natural frequency of the reflex times the control step."""
    damping: float = 0.7
    """Damping ratio of the reflex."""


@dataclass(frozen=True)
class ReachConfig:
    """Reach program: postures that bring the outcome to the goal, each at several vigours."""

    postures: int = 4
    """Distinct final postures proposed."""
    starts: int = 16
    """Postures from which the inverse kinematics is solved."""
    vigours: tuple[float, ...] = (0.3, 0.8, 2.0, 5.0)
    """Weights of the distance against the effort, each of which gives a movement of its own."""
    patience: int = 5
    """Steps that a joint stands still at the edge of its known range before another movement is
    tried."""
    refinements: int = 3
    """Most steps by which the gated movement is improved before it begins."""
    caution: float = 0.3
    """Imagined cost of a posture outside the range felt so far, over the reach, per rad."""
    curiosity: float = 1.0
    """Imagined worth of the same while learning: limits are found by going there."""
    horizon: int = 100
    """Most steps imagined ahead."""
    noise: float = 0.03
    """Standard deviation of the exploratory command while learning, of the full command."""


@dataclass(frozen=True)
class GaitConfig:
    """Gait: the units of its parameters, and how the first ones are drawn."""

    slowest: float = 0.5
    """Lowest frequency of the first rhythms, Hz."""
    fastest: float = 4.0
    """Highest frequency of the first rhythms, Hz."""
    offset: float = 0.5
    """Offset made by one unit of its parameter, over half of the joint's range."""
    phase: float = 1.5
    """Phase made by one unit of its parameter, rad."""
    first_offset: float = 0.2
    """Standard deviation of the first offsets, over half of the joint's range."""
    first_amplitude: float = 1.0
    """Largest of the first amplitudes, over half of the joint's range."""
    first_reflex: float = 0.5
    """Standard deviation of the first parameters of the reflexes."""
    first_steering: float = 0.2
    """Standard deviation of the first effects of the heading error, over half of the range."""


@dataclass(frozen=True)
class SearchConfig:
    """Search for a habit by perturbed bouts."""

    method: str = "cma"
    """How the centre moves: cma or three_factor."""
    first: int = 40
    """Random parameters tried before the search proper."""
    first_steps: int = 60
    """Least steps of each of these."""
    finalists: int = 6
    """How many of them are tried again."""
    repeats: int = 2
    """How often these are tried again."""
    spread: float = 0.3
    """Standard deviation of the perturbations at first, in units of the parameters."""
    renewed_spread: float = 0.15
    """The same when the search begins anew from the habit."""
    setbacks: int = 1
    """Challenges lost in a row after which it does."""
    rate: float = 0.3
    """Learning rate of the three-factor rule."""
    population: int = 0
    """Candidates per generation; 0 for the method's own choice."""
    bout_steps: int = 60
    """Least steps of a bout in the first generation."""
    growth: float = 0.01
    """Growth of that number per generation."""
    longest: int = 300
    """Where that growth ends, steps."""
    periods: float = 3.0
    """Least cycles of the rhythm that a bout lasts."""
    disaster: float = 1.5
    """Standard deviations below the latest bouts from which something must have happened."""
    recovery_steps: int = 60
    """Steps of the habit after that before it is judged whether all is well again."""
    trial_every: int = 6
    """Generations between challenges of the habit by the centre."""
    trial_steps: int = 500
    """Steps of one trial of a habit or challenger."""
    trials: int = 3
    """Trials that a challenger must win on average to become a habit."""
    repertoire: int = 4
    """Habits remembered."""
    caution: float = 1.0
    """Standard errors by which the worth of a habit is discounted."""
    remembered: int = 12
    """Trials of a habit over which its worth is averaged."""
    patience: int = 30
    """Bouts to wait for an episode to begin before a challenge begins without."""

    def __post_init__(self) -> None:
        if self.method not in ("cma", "three_factor"):
            raise ValueError(f"unknown search method {self.method!r}: write cma or three_factor")


@dataclass(frozen=True)
class CriticConfig:
    """Critic of the condition that a crawling body is in."""

    stretch: int = 10
    """Steps over which the change of the condition is looked at."""
    horizon: int = 300
    """Steps ahead that count."""
    memory: int = 1000
    """Stretches remembered."""
    fit_every: int = 500
    """Steps between two fits."""


@dataclass(frozen=True)
class BasalGangliaConfig:
    """Gate and critic."""

    learning_rate: float = 0.1
    """Share of the dopamine signal taken up by the critic at each step."""
    temperature: float = 0.01
    """Randomness of the gate while learning, over the size of the best value."""
    doubt: float = 0.2
    """Randomness of the choice between programs after one bout each, over what they differ by."""


@dataclass(frozen=True)
class AdaptationConfig:
    """Visuomotor adaptation, once a movement. The default is the quickest setting."""

    fast_retention: float = 0.8
    """Share of the fast state that is kept from one movement to the next."""
    fast_rate: float = 0.3
    """Share of the error that the fast state takes up."""
    slow_retention: float = 0.998
    """Share of the slow state that is kept from one movement to the next."""
    slow_rate: float = 0.25
    """Share of the error that the slow state takes up."""
    width: float = 180.0
    """Width of the slow state's tuning curves, degrees; from 180 on all directions are one."""
    error_memory: float = 0.15
    """Change of the sensitivity to an error of a size when the next one has the same sign."""
    planning_noise: float = 0.0
    """Standard deviation of the direction of a planned movement, degrees."""
    strategy_threshold: float = 0.0
    """Error of direction from which on another aim is tried, degrees; 0 for never."""
    forward_model: float = 1.0
    """Share of what is predicted of a late body that is believed; less is a graded lesion."""
    granules: int = 100
    """Granule cells that see posture and velocity for the adaptation of dynamics."""
    torque_fast_rate: float = 0.1
    """Share of the torque error that the fast state takes up at a step at the usual velocity."""
    torque_slow_rate: float = 0.03
    """The same for the slow state."""
    torque_fast_retention: float = 0.7
    """Share of the fast state of dynamics that is kept from one movement to the next."""
    torque_slow_retention: float = 0.999
    """The same for the slow state."""


HUMAN_ADAPTATION = AdaptationConfig(
    fast_retention=0.63,
    fast_rate=0.33,
    slow_retention=0.997,
    slow_rate=0.06,
    width=22.0,
    error_memory=0.06,
    planning_noise=6.0,
)
"""As people adapt: two rates as fitted to them, a slow state that generalises locally."""


@dataclass(frozen=True)
class HippocampusConfig:
    """Grid cells, place cells and the map."""

    modules: int = 12
    """Grid modules; their spacings grow by √2."""
    finest: float = 1.0
    """Spacing of the finest grid module, m."""
    spacing: float = 0.4
    """Distance from the nearest place cell at which a new one is recruited, m."""
    bump_width: float = 0.25
    """How far a bump is taken to have felt the wall to either side, m."""
    pull: float = 0.3
    """Share of the path integrator's error that the sight of the place corrects in a step."""
    hysteresis: float = 0.03
    """Activity by which another place cell must be ahead to take over."""
    momentum: float = 3.0
    """How many place fields of way it is worth to explore straight ahead."""
    wall_stretch: float = 4.0
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

    dreams: int = 150_000
    """Movements dreamt in a night; 0 for none."""
    units: int = 192
    """Units of each of the network's two layers."""
    learning_rate: float = 0.015
    """Rate at which a night begins to learn; it sinks to 0."""
    remembered: int = 256
    """Beginnings of movements that are remembered to be dreamt of."""
    least: int = 3
    """Of these, how many a night needs."""
    tolerance: float = 0.05
    """Share by which a habit may be worse than the planner and yet be gated."""
    rate: float = 0.1
    """Rate at which the trust in habits follows how their movements go while awake."""
    doubt: float = 0.6
    """Deviation from the practised course at which the planner takes over, rad."""


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
