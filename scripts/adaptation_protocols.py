"""Protocols of the motor-adaptation laboratory: experiments, each a schedule of trials."""

from collections.abc import Mapping

from envs.schedules import Phase, Schedule

HELD = (45.0,)  # (Degrees) the target of channel trials
ONE = (0.0,)  # (Degrees) the one target trained on
PROBED = (0.0, 15.0, 30.0, 45.0, 60.0, 90.0, 135.0, 180.0)  # (Degrees from the trained target)

LEARNING = Schedule(
    (
        Phase("baseline", 16),
        Phase("adaptation", 40, 1.0),
        Phase("washout", 32),
        Phase("re-exposure", 16, 1.0),
    )
)
"""Eight targets by chance: learning, after-effect, washout, and learning again."""

LONG = Schedule((Phase("baseline", 16), Phase("adaptation", 80, 1.0)))
"""Eight targets by chance: learning for as long as people did."""

_LEARNT = (
    Phase("baseline", 8, directions=ONE),
    Phase("adaptation", 80, 1.0, directions=ONE),
)

REBOUND = Schedule(
    (
        *_LEARNT,
        Phase("reversal", 12, -1.0, directions=ONE),
        Phase("clamp", 16, clamp=True, directions=ONE),
    )
)
"""One target: learning, a short reversal, then errors are clamped to zero and memory shows."""

_PROBES = tuple(Phase(f"probe {probe:g}", 1, seen=False, directions=(probe,)) for probe in PROBED)

GENERALISATION = Schedule((*_LEARNT, *(_PROBES * 6)))
"""One target, then six times the other directions, where the end of movements is not seen."""


def _learn_again(washout: int) -> Schedule:
    return Schedule(
        (
            *_LEARNT,
            Phase("washout", washout, directions=ONE),
            Phase("re-exposure", 24, 1.0, directions=ONE),
        )
    )


SAVINGS = _learn_again(64)
"""One target: learning, a washout after which nothing of it is seen, and learning again."""

RELEARNING = _learn_again(128)
"""The same with a washout so long that no slow state is left that a fast one could hide."""

GRADUAL = Schedule((Phase("baseline", 16), Phase("adaptation", 80, 0.0, 1.0), Phase("washout", 32)))
"""Eight targets, and a perturbation that grows so slowly that no error is large."""

FORCE = Schedule(
    (
        Phase("familiar", 4, directions=HELD),
        Phase("baseline", 24, clamp_every=6, clamp_directions=HELD),
        Phase("adaptation", 80, 1.0, clamp_every=10, clamp_directions=HELD),
        Phase("washout", 32, clamp_every=8, clamp_directions=HELD),
    )
)
"""Eight targets in a force field, some trials in a channel that shows what is expected."""

STRATEGY = Schedule(
    (
        Phase("baseline", 16, directions=ONE),
        Phase("adaptation", 80, 1.0, directions=ONE),
        Phase("washout", 32, directions=ONE),
    )
)
"""One target and a perturbation so large that aiming elsewhere is worth while."""

STEADY = Schedule((Phase("baseline", 16), Phase("adaptation", 1000, 1.0)))
"""Eight targets, and a perturbation that stays."""

RIVALS = Schedule((Phase("baseline", 8), Phase("adaptation", 120, 1.0)))
"""Eight targets, and as many trials as gradient descent may need."""

PROTOCOLS: Mapping[str, Mapping[str, Schedule]] = {
    "standard": {
        "long": LONG,
        "savings": SAVINGS,
        "rebound": REBOUND,
        "generalisation": GENERALISATION,
    },
    "learning": {"learning": LEARNING},
    "savings": {"savings": SAVINGS},
    "relearning": {"relearning": RELEARNING},
    "rebound": {"rebound": REBOUND},
    "generalisation": {"generalisation": GENERALISATION},
    "gradual": {"gradual": GRADUAL},
    "force": {"force": FORCE},
    "strategy": {"strategy": STRATEGY},
    "steady": {"steady": STEADY},
    "rivals": {"rivals": RIVALS},
}
"""Experiments of each protocol by name.

All of one protocol begin from the same practice, and those that begin with the same phases from
what was learnt in these."""
