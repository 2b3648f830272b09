"""Settings of the regions that find the body, reach and adapt."""

from dataclasses import dataclass


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
