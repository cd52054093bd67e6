from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from yrd_airq.standards.episodes import (
    Action,
    decide,
    find_episodes,
    late_by_h,
    recommend,
    tier_chances,
    warn_region,
)
from yrd_airq.standards.tiers import Start, Tier, hours_of_days, load_tiers, run_lengths, tiers_of_hours

SETTINGS = load_tiers()
V2017, V2018, V2024 = SETTINGS.versions
BRIDGED = int(SETTINGS.bridged_hours.value)
NAN = np.nan

# Runs of (index, hours), and the highest tier under the versions of 2017, 2018 and 2024.
BOUNDARIES = [
    ([(100, 240)], "none", "none", "none"),
    ([(101, 47)], "none", "none", "none"),
    ([(101, 48)], "none", "none", "temporary"),
    ([(150, 240)], "none", "none", "temporary"),
    ([(151, 1)], "none", "none", "temporary"),
    ([(151, 47)], "none", "none", "temporary"),
    ([(151, 48)], "none", "none", "yellow"),
    ([(151, 71)], "none", "none", "yellow"),
    ([(151, 72)], "none", "none", "orange"),
    ([(200, 71)], "none", "none", "yellow"),
    ([(200, 240)], "none", "none", "orange"),
    ([(201, 1)], "blue", "none", "yellow"),
    ([(201, 24)], "blue", "none", "yellow"),
    ([(201, 47)], "blue", "none", "yellow"),
    ([(201, 48)], "yellow", "yellow", "orange"),
    ([(201, 71)], "yellow", "yellow", "orange"),
    ([(201, 72)], "yellow", "orange", "orange"),
    ([(201, 96)], "yellow", "orange", "orange"),
    # > 300 for 24 h within > 200 for 72 h: orange of 2017, red of 2024.
    ([(201, 24), (301, 23), (201, 25)], "yellow", "orange", "orange"),
    ([(201, 24), (300, 24), (201, 24)], "yellow", "orange", "orange"),
    ([(201, 24), (301, 24), (201, 23)], "yellow", "yellow", "orange"),
    ([(201, 24), (301, 24), (201, 24)], "orange", "orange", "red"),
    ([(201, 24), (301, 12), (300, 1), (301, 12), (201, 24)], "yellow", "orange", "orange"),
    # The 24 h above 300 lie in a run of their own, apart from the 72 h above 200: no red of 2024.
    ([(301, 24), (200, 1), (201, 72)], "yellow", "orange", "orange"),
    # > 200 for 96 h and > 300 for 48 h: red of 2017 and 2018.
    ([(301, 47), (201, 49)], "orange", "orange", "red"),
    ([(301, 48), (201, 47)], "orange", "orange", "red"),
    ([(301, 48), (201, 48)], "red", "red", "red"),
    # AQI 500, even for an hour, was red until 2023.
    ([(499, 1)], "blue", "none", "yellow"),
    ([(500, 1)], "red", "red", "yellow"),
    ([(500, 48)], "red", "red", "orange"),
    # A single hour at or below the limit ends the run.
    ([(151, 36), (150, 1), (151, 36)], "none", "none", "temporary"),
    # Missing hours: four between two hours above count as above, five end the run, none at the end count.
    ([(151, 24), (NAN, 4), (151, 20)], "none", "none", "yellow"),
    ([(151, 24), (NAN, 5), (151, 24)], "none", "none", "temporary"),
    ([(151, 47), (NAN, 4)], "none", "none", "temporary"),
    ([(NAN, 4), (151, 47)], "none", "none", "temporary"),
    ([(151, 24), (NAN, 2), (150, 1), (151, 24)], "none", "none", "temporary"),
    ([(NAN, 96)], "none", "none", "none"),
]


def series(*parts: tuple[float, int], pad: int = 5) -> np.ndarray:
    """An hourly index: the parts one after the other, with good air around unless ``pad`` is 0."""
    good = np.full(pad, 60.0)
    return np.concatenate([good, *(np.full(hours, index, dtype=float) for index, hours in parts), good])


@pytest.mark.parametrize(("parts", "old", "middle", "new"), BOUNDARIES)
def test_boundaries_under_every_version(
    parts: list[tuple[float, int]], old: str, middle: str, new: str
) -> None:
    for pad in (0, 5):
        index = series(*parts, pad=pad)
        got = [tiers_of_hours(index, rules, BRIDGED).max() for rules in SETTINGS.versions]
        assert got == [Tier(name).rank for name in (old, middle, new)]


def test_the_date_of_the_data_chooses_the_version() -> None:
    days = (date(2013, 12, 1), date(2018, 8, 31), date(2018, 9, 1), date(2024, 1, 14), date(2024, 1, 15))
    assert [SETTINGS.rules_of(day).code for day in days] == [
        *("mep_2017", "mep_2017", "mee_2018_875", "mee_2018_875", "mee_2024_6")
    ]


def test_a_natural_day_is_found_at_either_resolution() -> None:
    """One natural day above 200 between milder ones, as days and as running means of its hours."""
    days = np.array([150.0, 201.0, 150.0])
    assert tiers_of_hours(hours_of_days(days), V2024, BRIDGED).max() == Tier.YELLOW.rank
    hourly = np.repeat(days, 24)
    running = np.convolve(hourly, np.full(24, 1 / 24), mode="valid").round(9)
    assert (running > 200).sum() == 1
    assert tiers_of_hours(running, V2024, BRIDGED).max() == Tier.YELLOW.rank
    assert tiers_of_hours(hours_of_days(np.full(2, 201.0)), V2024, BRIDGED).max() == Tier.ORANGE.rank


def test_only_the_hours_of_the_run_belong_to_the_tier() -> None:
    index = series((120, 10), (151, 48), (120, 10), pad=0)
    ranks = tiers_of_hours(index, V2024, BRIDGED)
    assert (ranks[10:58] == Tier.YELLOW.rank).all()
    # 68 h above 100 make the hours around it temporary controls.
    assert (ranks[:10] == Tier.TEMPORARY.rank).all()
    assert (ranks[58:] == Tier.TEMPORARY.rank).all()


def test_runs_against_a_plain_count() -> None:
    rng = np.random.default_rng(5)
    member = rng.random((30, 3, 80)) < 0.7
    lengths = run_lengths(member)
    for row, length in zip(member.reshape(-1, 80), lengths.reshape(-1, 80), strict=True):
        text = "".join("1" if one else "0" for one in row)
        expected = [len(part) for part in text.split("0") for _ in part]
        assert length[row].tolist() == expected
        assert not length[~row].any()


def test_more_pollution_never_means_a_lower_tier() -> None:
    rng = np.random.default_rng(11)
    walk = 160 + np.cumsum(rng.normal(0, 9, (300, 160)), axis=1)
    for rules in SETTINGS.versions:
        low = tiers_of_hours(walk, rules, BRIDGED)
        assert (tiers_of_hours(walk + rng.uniform(0, 60, walk.shape), rules, BRIDGED) >= low).all()


def episodes_of(*parts: tuple[float, int]) -> list[tuple[str, int, int, bool]]:
    index = series(*parts, pad=0)
    times = pd.date_range("2026-01-10 01:00", periods=len(index), freq="h")
    found = find_episodes(index, times, SETTINGS, V2024)
    return [
        (e.tier.value, int(times.get_loc(e.start)), int(times.get_loc(e.end)), e.cancelled) for e in found
    ]


def test_a_gap_of_36_hours_joins_and_one_of_37_parts() -> None:
    yellow, orange = (201, 10), (201, 48)
    assert episodes_of(yellow, (90, 36), orange, (90, 40)) == [("orange", 0, 93, True)]
    assert episodes_of(yellow, (90, 37), orange, (90, 40)) == [
        ("yellow", 0, 9, True),
        ("orange", 47, 94, True),
    ]
    # Temporary controls in between are below yellow too.
    assert episodes_of(yellow, (151, 37), (90, 1), yellow, (90, 37)) == [
        ("yellow", 0, 9, True),
        ("yellow", 48, 57, True),
    ]


def test_a_warning_ends_only_when_more_than_36_clear_hours_follow() -> None:
    assert episodes_of((201, 10), (90, 36)) == [("yellow", 0, 9, False)]
    assert episodes_of((201, 10), (90, 37)) == [("yellow", 0, 9, True)]
    # Missing hours prove nothing: 36 known ones are not enough.
    assert episodes_of((201, 10), (90, 18), (NAN, 30), (90, 18)) == [("yellow", 0, 9, False)]
    assert episodes_of((201, 10), (90, 18), (NAN, 30), (90, 18), (201, 5)) == [("yellow", 0, 80, False)]


def test_three_parts_take_the_strictest_from_the_start() -> None:
    red = ((201, 30), (301, 24), (201, 18))
    assert episodes_of((201, 2), (90, 30), *red, (90, 30), (201, 2), (90, 37)) == [("red", 0, 135, True)]


@pytest.mark.parametrize(
    ("standing", "foreseen", "clear_h", "action", "then"),
    [
        ("none", "none", 72, "nothing", "none"),
        ("none", "yellow", 0, "start", "yellow"),
        ("none", "temporary", 72, "start", "temporary"),
        ("temporary", "yellow", 20, "upgrade_from_temporary", "yellow"),
        ("temporary", "none", 0, "cancel", "none"),
        ("yellow", "red", 0, "upgrade", "red"),
        ("orange", "yellow", 0, "keep", "orange"),
        ("orange", "yellow", 60, "keep", "orange"),
        ("orange", "none", 36, "keep", "orange"),
        ("orange", "none", 37, "cancel", "none"),
        ("yellow", "temporary", 37, "cancel", "temporary"),
    ],
)
def test_upgrade_at_once_and_end_late(
    standing: str, foreseen: str, clear_h: float, action: str, then: str
) -> None:
    expected = Action.START if action == "upgrade_from_temporary" else Action(action)
    assert decide(Tier(standing), Tier(foreseen), clear_h, SETTINGS) == (expected, Tier(then))


def test_notice_falls_short() -> None:
    issue = pd.Timestamp("2026-01-10 16:00").to_pydatetime()
    assert late_by_h(issue, pd.Timestamp("2026-01-11 16:00"), SETTINGS) == 0
    assert late_by_h(issue, pd.Timestamp("2026-01-11 01:00"), SETTINGS) == 15


def test_chances_count_courses() -> None:
    index = np.full((5, 2, 60), 60.0)
    index[:3, 0, 5:53] = 201  # orange in three of five courses
    index[3, 0, 5:15] = 201  # yellow in one more
    ranks = tiers_of_hours(index, V2024, BRIDGED)
    chances = tier_chances(ranks)
    np.testing.assert_allclose(chances[Tier.ORANGE], [0.6, 0])
    np.testing.assert_allclose(chances[Tier.YELLOW], [0.8, 0])
    known = tuple({start.tier for start in V2024.starts})
    assert recommend(chances, 0.5, known) == (Tier.ORANGE, Tier.NONE)
    assert recommend(chances, 0.7, known) == (Tier.YELLOW, Tier.NONE)
    assert Tier.BLUE not in known


def test_the_region_is_warned_for_neighbours_at_the_same_hour() -> None:
    ranks = np.zeros((5, 10), dtype=np.int64)
    chain = np.eye(5, k=1, dtype=bool) | np.eye(5, k=-1, dtype=bool)
    ranks[[0, 1, 3], 4] = Tier.YELLOW.rank  # three, of which only two border on each other
    assert warn_region(ranks, chain, SETTINGS) is None
    ranks[2, 5:7] = Tier.YELLOW.rank
    assert warn_region(ranks, chain, SETTINGS) is None  # one after the other is not at once
    ranks[1:4, 7] = Tier.ORANGE.rank
    warning = warn_region(ranks, chain, SETTINGS)
    assert warning is not None
    assert (warning.tier, warning.cities, warning.first) == (Tier.ORANGE, (1, 2, 3), 7)


def test_a_rule_names_its_limits_in_order_and_its_origin() -> None:
    limits = [{"above": 300, "hours": 24}, {"above": 200, "hours": 72}]
    with pytest.raises(ValueError, match="lowest limit"):
        Start.model_validate({"tier": "red", "all_of": limits, "mark": "found", "source": "x"})
    with pytest.raises(ValueError, match="confidence"):
        Start.model_validate({"tier": "red", "all_of": limits[:1], "mark": "recalled", "source": "x"})
