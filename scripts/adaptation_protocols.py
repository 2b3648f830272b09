"""Protocols of the motor-adaptation laboratory: experiments, each a schedule of trials."""

from collections.abc import Mapping

from envs.schedules import Phase, Schedule

FORWARD = (90.0,)  # (Degrees) the target of channel trials
ONE = (0.0,)  # (Degrees) the one target trained on
PROBED = (0.0, 15.0, 30.0, 45.0, 60.0, 90.0, 135.0, 180.0)  # (Degrees from the trained target)

LEARNING = Schedule(
    (
        Phase("baseline", 16),
        Phase("adaptation", 80, 1.0),
        Phase("washout", 64),
        Phase("re-exposure", 40, 1.0),
    )
)
"""Eight targets by chance: learning, after-effect, washout, and learning again."""

REBOUND = Schedule(
    (
        Phase("baseline", 8, directions=ONE),
        Phase("adaptation", 80, 1.0, directions=ONE),
        Phase("reversal", 10, -1.0, directions=ONE),
        Phase("clamp", 24, clamp=True, directions=ONE),
    )
)
"""One target: learning, a short reversal, then errors are clamped to zero and memory shows."""

GENERALISATION = Schedule(
    (
        Phase("baseline", 8, directions=ONE),
        Phase("adaptation", 80, 1.0, directions=ONE),
        *(Phase(f"probe {probe:g}", 1, clamp=True, directions=(probe,)) for probe in PROBED),
    )
)
"""One target, then other directions without error."""

GRADUAL = Schedule((Phase("baseline", 16), Phase("adaptation", 80, 0.0, 1.0), Phase("washout", 32)))
"""Eight targets, and a perturbation that grows so slowly that no error is large."""

FORCE = Schedule(
    (
        Phase("baseline", 24, clamp_every=6, clamp_directions=FORWARD),
        Phase("adaptation", 80, 1.0, clamp_every=10, clamp_directions=FORWARD),
        Phase("washout", 32, clamp_every=8, clamp_directions=FORWARD),
    )
)
"""Eight targets in a force field, some trials in a channel that shows what is expected."""

STRATEGY = Schedule(
    (
        Phase("baseline", 16, directions=ONE),
        Phase("adaptation", 80, 1.0, directions=ONE),
        Phase("washout", 24, directions=ONE),
    )
)
"""One target and a perturbation so large that aiming elsewhere is worth while."""

PROTOCOLS: Mapping[str, Mapping[str, Schedule]] = {
    "standard": {"learning": LEARNING, "rebound": REBOUND, "generalisation": GENERALISATION},
    "learning": {"learning": LEARNING},
    "rebound": {"rebound": REBOUND},
    "generalisation": {"generalisation": GENERALISATION},
    "gradual": {"gradual": GRADUAL},
    "force": {"force": FORCE},
    "strategy": {"strategy": STRATEGY},
}
"""Experiments of each protocol by name; all of one protocol begin from the same practice."""
