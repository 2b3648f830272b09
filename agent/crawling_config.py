"""Settings of crawling: the gait, the search for habits, the critic, and what refines a habit."""

from dataclasses import dataclass


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
    """How often these are tried again; where bodies are put back, once for `longest` steps."""
    spread: float = 0.3
    """Standard deviation of the perturbations at first, in units of the parameters."""
    renewed_spread: float = 0.15
    """The same when the search begins anew from the habit."""
    shrink: float = 0.6
    """By how much it is smaller each time that the search has been in vain before."""
    rounds: int = 4
    """Times after which it is as wide as at first again."""
    rate: float = 0.3
    """Learning rate of the three-factor rule."""
    population: int = 0
    """Candidates per generation; 0 for the method's own choice."""
    bout_steps: int = 60
    """Least steps of a bout in the first generation."""
    growth: float = 0.01
    """Growth of that number per generation."""
    longest: int = 300
    """Where that growth ends, steps; also of the second trial of first parameters, see above."""
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
    serious: float = 0.25
    """Share of what a habit earns over random gaits whose loss makes it doubtful."""
    patience: int = 30
    """Bouts to wait for an episode to begin before a challenge begins without."""
    persistence: int = 4
    """Challengers, from the best of a search on, after which it is given up where bodies are put
    back; where they live on the first that is beaten ends it."""
    put_back: bool = True
    """Whether bodies that have no place to go to ask to be put back to a start after each bout."""

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
class AmygdalaConfig:
    """Fear of falling, and freezing."""

    horizon: int = 40
    """Steps before a fall that are remembered."""
    discount: float = 0.93
    """How fast threat grows as a fall comes nearer, per step."""
    threshold: float = 0.15
    """Fear above its mean over life at which the body is afraid."""
    price: float = 13.0
    """Steps that freezing costs, over the share of falls that it averts."""
    freeze: int = 5
    """Steps for which the body freezes after the last moment of fear."""
    pause: int = 20
    """Steps for which a body that tries a gait out pauses once it has become afraid."""
    least: int = 5
    """Falls before anything is feared."""
    refit: float = 1.3
    """Falls, over those at the last fit, at which is fitted anew."""
    every: int = 8
    """Steps between safe moments that are remembered, in the mean."""
    remembered: int = 2000
    """Moments before falls that are remembered; of safe ones twice as many."""
    mixtures: int = 200
    """Random mixtures of what is felt."""
    ridge: float = 2.0
    """Ridge of the regression, per thousand moments."""


@dataclass(frozen=True)
class ResidualConfig:
    """Value learning beside a habit: an option, off unless `after` is set."""

    after: int = 0
    """Least steps of crawling before a habit is refined instead of sought; 0 for never."""
    most: float = 1.0
    """Largest change of the habit's commands, of full force."""
    boldness: float = 1.0
    """How much a spread of worth counts at first beside keeping to the habit."""
    units: int = 128
    """Units of each hidden layer."""
    batch: int = 128
    """Stretches learnt from at a time."""
    updates: float = 1.0
    """Times that is done for each step of each body."""
    stretch: int = 3
    """Steps of a stretch."""
    discount: float = 0.99
    """Discount of reward, per step."""
    rate: float = 1e-3
    """Learning rate of the networks."""
    noise: float = 0.1
    """Spread of the exploration, of full force."""
    first: int = 1000
    """Steps lived through before anything is learnt."""
    remembered: int = 200_000
    """Steps that are remembered, over all bodies."""
    tries: int = 3
    """Stretches of practice that are to earn what the habit does before it is left for good."""
    plain: bool = False
    """Without the habit, from the first step on: the control of this experiment."""
