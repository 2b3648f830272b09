"""Algorithms against each other, over one task or several: profiles, and who ends better."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.baselines import ALGORITHMS
from scripts.statistics import (
    Estimate,
    Profile,
    estimate,
    improvement,
    normalised,
    performance_profile,
    taus_for,
)
from scripts.summary import Record, by_algorithm, finals, scale_of


def profiles(tasks: Sequence[Sequence[Record]], scaled: bool) -> dict[str, Profile]:
    """Draw up performance profiles of the algorithms that were run on every one of some tasks.

    Args:
        tasks: the records of each task.
        scaled: of normalised scores; tasks without a scale are left out.

    """
    scales = [scale_of(records) if scaled else (0.0, 1.0) for records in tasks]
    groups: dict[str, list[NDArray[np.float64]]] = {}
    kept = [(by_algorithm(t), s) for t, s in zip(tasks, scales, strict=True) if s is not None]
    for name in ALGORITHMS:
        if kept and all(name in task for task, _ in kept):
            groups[name] = [normalised(finals(task[name]), *scale) for task, scale in kept]
    if not groups:
        return {}
    taus = taus_for({n: g for n, g in groups.items() if n != "random"} or groups)
    return {name: performance_profile(strata, taus) for name, strata in groups.items()}


def improvements(tasks: Sequence[Sequence[Record]], ours: str = "brain") -> dict[str, Estimate]:
    """Tell how probable it is that a run of ours ends better than one of each other algorithm.

    Args:
        tasks: the records of each task.
        ours: the algorithm that is compared with the others, on all tasks that both were run on.

    """
    groups = [by_algorithm(records) for records in tasks]
    found = {}
    for name in ALGORITHMS:
        both = [g for g in groups if name in g and ours in g]
        if name != ours and both:
            strata = [finals(g[who]) for who in (ours, name) for g in both]
            found[name] = estimate(improvement, *strata)
    return found
