"""Statistics agree with what can be worked out by hand, and their intervals hold what they say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.rivals import improvements, profiles
from scripts.statistics import (
    Estimate,
    band,
    estimate,
    improvement,
    interquartile_mean,
    mean_of_tasks,
    normalised,
    performance_profile,
    taus_for,
)
from scripts.summary import iqm_curve, scale_of

SCORES = st.lists(st.floats(-100, 100), min_size=2, max_size=8)


def record(algo: str, seed: int, *returns: float, success: float | None = None) -> dict:
    """Spell a record with an evaluation every 10 steps."""
    curve = [
        {"steps": 10 * (i + 1), "cpu_seconds": i + 1.0, "return_mean": r, "success_rate": success}
        for i, r in enumerate(returns)
    ]
    return {"algo": algo, "seed": seed, "curve": curve}


def test_the_interquartile_mean_is_that_of_the_middle_half() -> None:
    assert interquartile_mean(np.array([-1000.0, 2, 4, 1000])) == 3
    assert interquartile_mean(np.array([0.0, 3, 9])) == 4  # too few to leave any out
    tasks = np.array([0.0, 1, 1, 1]), np.array([5.0, 5, 5, 100])
    assert interquartile_mean(*tasks) == 3  # over the runs of both tasks


def test_intervals_are_drawn_within_tasks() -> None:
    """Two tasks far apart whose runs do not differ: no doubt, though the runs do differ."""
    sure = estimate(mean_of_tasks, [0.0] * 5, [100.0] * 3)
    assert (sure.value, sure.low, sure.high) == (50, 50, 50)
    pooled = estimate(mean_of_tasks, [0.0] * 5 + [100.0] * 3)
    assert pooled.low < 30 and pooled.high > 45


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    draws = rng.normal(3.0, 1.0, (12, 300))  # 300 experiments of 12 seeds each
    _, low, high = band(mean_of_tasks, draws)
    assert 0.87 < np.mean((low <= 3) & (high >= 3)) < 0.97  # percentile intervals are a bit narrow


def test_one_seed_has_no_interval_and_the_same_records_the_same_interval() -> None:
    alone = estimate(interquartile_mean, [4.0])
    assert alone.value == 4 and math.isnan(alone.low) and not alone.known
    assert alone.text() == "4.00"
    twice = [estimate(interquartile_mean, [1.0, 2, 4, 9, 16]) for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0].text().startswith("5.00 (")


@given(SCORES, SCORES)
def test_the_probability_of_improvement_is_a_share_of_pairs(x: list, y: list) -> None:
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in x for b in y]
    assert improvement(np.array(x), np.array(y)) == pytest.approx(np.mean(wins))
    both = improvement(np.array(x), np.array(y)) + improvement(np.array(y), np.array(x))
    assert both == pytest.approx(1)


def test_improvement_over_tasks_is_the_mean_of_theirs() -> None:
    ours, theirs = (np.array([1.0, 2]), np.array([5.0])), (np.array([0.0]), np.array([9.0, 4]))
    assert improvement(*ours, *theirs) == (1 + 0.5) / 2


def test_normalised_scores() -> None:
    np.testing.assert_array_equal(normalised([-40, -5, 30], -40, -5), [0, 1, 2])
    assert np.isnan(normalised([1.0], 2, 2)).all()
    records = [record("random", 0, -40.0), record("sac", 0, -9.0), record("ppo", 0, -5.0)]
    assert scale_of(records) == (-40, -5)  # the better of the two
    assert scale_of(records[1:]) is None and scale_of(records[:1]) is None


def test_performance_profiles_fall_from_one_to_nothing() -> None:
    groups = {"a": [[1.0, 2, 3]], "b": [[2.0, 5]]}
    taus = taus_for(groups)
    assert taus[0] < 1 and taus[-1] > 5
    profile = performance_profile(groups["a"], np.array([0.0, 1.5, 2.5, 9]))
    np.testing.assert_allclose(profile.share, [1, 2 / 3, 1 / 3, 0])
    assert (profile.low <= profile.share).all() and (profile.share <= profile.high).all()
    assert profile.low[1] < profile.high[1]


def test_profiles_over_tasks_are_of_those_that_all_have() -> None:
    easy = [record(a, s, r) for a, s, r in [("brain", 0, 10), ("random", 0, 0), ("sac", 0, 5)]]
    hard = [record(a, s, r) for a, s, r in [("brain", 0, 2), ("random", 0, 0), ("ppo", 0, 4)]]
    found = profiles([easy, hard], scaled=True)
    assert list(found) == ["brain", "random"]
    at = np.searchsorted(found["brain"].taus, 1.0)
    assert found["brain"].share[at] == 0.5  # twice SAC on one, half of PPO on the other
    assert profiles([[record("brain", 0, 1.0)]], scaled=True) == {}


def test_improvements_against_every_other() -> None:
    easy = [record("brain", 0, 10.0), record("brain", 1, 8.0), record("sac", 0, 9.0)]
    hard = [record("brain", 0, 2.0), record("ppo", 0, 4.0)]
    found = improvements([easy, hard])
    assert found == {"ppo": Estimate(0.0), "sac": Estimate(0.5)} or (
        found["ppo"].value == 0 and found["sac"].value == 0.5
    )


def test_curves_carry_their_interval() -> None:
    runs = [record("brain", s, 0.0, float(s)) for s in range(5)]
    curve = iqm_curve(runs, "return_mean")
    assert curve.steps.tolist() == [10, 20] and curve.cpu_seconds.tolist() == [1, 2]
    assert curve.iqm.tolist() == [0, 2]
    assert curve.low[0] == curve.high[0] == 0
    assert curve.low[1] < 2 < curve.high[1]
