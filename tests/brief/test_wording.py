"""Phrases and numbers, by hand."""

from __future__ import annotations

from datetime import date

import pytest

from yrd_airq.brief.typography import grouped, interval, number, percent, split_subscripts, text_on
from yrd_airq.brief.wording import (
    days_zh,
    fit,
    levels_zh,
    list_zh,
    primary_zh,
    sector_of,
    shorten,
    wind_from_zh,
)


@pytest.mark.parametrize(
    ("days", "month", "text"),
    [
        ([(9, 4)], False, "4日"),
        ([(9, 4)], True, "9月4日"),
        ([(9, 4), (9, 5), (9, 6)], False, "4—6日"),
        ([(9, 6), (9, 4)], False, "4日、6日"),
        ([(8, 31), (9, 1)], False, "8月31日—9月1日"),
        ([(8, 30), (9, 1)], False, "30日、9月1日"),
        ([], False, ""),
    ],
)
def test_days_are_written_like_in_bulletins(days: list[tuple[int, int]], month: bool, text: str) -> None:
    assert days_zh([date(2016, m, d) for m, d in days], month=month) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(1, 1, "优"), (1, 2, "优至良"), (2, 3, "良至轻度污染"), (3, 4, "轻度至中度污染"), (6, 6, "严重污染")],
)
def test_level_spans(low: int, high: int, text: str) -> None:
    assert levels_zh(low, high) == text


def test_primary_pollutants() -> None:
    assert primary_zh([]) == ""
    assert primary_zh(["O₃"]) == "首要污染物为O₃"
    assert primary_zh(["O₃", "PM₂.₅"]) == "首要污染物为O₃或PM₂.₅"


@pytest.mark.parametrize(
    ("u", "v", "text"),
    [
        (0, -2, "北风"),
        (-2, -2, "东北风"),
        (-2, 0, "东风"),
        (2, 2, "西南风"),
        (0, 2, "南风"),
        (0.1, 0.1, "风向不定"),
        (float("nan"), 1, "—"),
    ],
)
def test_wind_is_named_by_where_it_comes_from(u: float, v: float, text: str) -> None:
    assert wind_from_zh(u, v) == text


def test_sectors_turn_at_22_and_a_half_degrees() -> None:
    assert [sector_of(x) for x in (0, 22.4, 22.5, 359, 337.4)] == ["北", "北", "东北", "北", "西北"]


def test_lists() -> None:
    assert list_zh([]) == ""
    assert list_zh(["杭州"]) == "杭州"
    assert list_zh(["杭州", "湖州", "嘉兴"]) == "杭州、湖州和嘉兴"
    assert list_zh(list("甲乙丙"), shown=2) == "甲、乙等3个城市"


def test_conclusion_keeps_whole_sentences_within_the_limit() -> None:
    assert shorten(["一二三。", "四五六七八。", "九。"], limit=6) == "一二三。九。"
    assert len(shorten(["长" * 200 + "。"])) == 150


def test_the_fullest_version_that_fits_is_taken() -> None:
    assert fit(("一二三。", "四五。"), ("一二三。",), limit=7) == "一二三。四五。"
    assert fit(("一二三。", "四五。"), ("一二三。",), limit=6) == "一二三。"
    assert fit(("一二三四五。",), ("一二三四。",), limit=3) == "一二…"


def test_numbers() -> None:
    assert number(-0.04, 1) == "0.0"
    assert number(-1.25, 1) == "−1.2"
    assert number(None) == number(float("nan")) == "—"
    assert grouped(12345.6) == "12,346"
    assert interval(28.6, 51.2) == "29–51"
    assert [percent(x) for x in (0, 0.004, 0.5, 0.996, 1, None)] == ["0%", "<1%", "50%", ">99%", "100%", "—"]


def test_subscripts_become_pieces() -> None:
    assert list(split_subscripts("PM₂.₅和O₃-8h")) == [
        ("PM", False),
        ("2.5", True),
        ("和O", False),
        ("3", True),
        ("-8h", False),
    ]
    assert list(split_subscripts("NOx与x")) == [("NO", False), ("x", True), ("与x", False)]


def test_text_on_level_colours_is_readable() -> None:
    assert text_on("#FFFF00") == text_on("#00E400") == text_on("#FF7E00") == "#000000"
    assert text_on("#99004C") == text_on("#7E0023") == "#FFFFFF"
