"""Cities by adcode, location by polygon, zones around a venue."""

from pathlib import Path

import numpy as np
import pytest

from yrd_airq.errors import InputError
from yrd_airq.region import distance_km, load_region, zone_index
from yrd_airq.settings import load_event

EVENT = Path(__file__).parent.parent / "configs" / "events" / "g20-hangzhou-2016.yaml"


def test_forty_one_cities_of_four_provinces() -> None:
    region = load_region()
    assert len(region.cities) == 41
    by_province = {p: sum(c.province_code == p for c in region.cities) for p in region.settings.provinces}
    assert by_province == {"310000": 1, "320000": 13, "330000": 11, "340000": 16}


def test_homonym_cities_are_told_apart() -> None:
    region = load_region()
    names = ["苏州", "宿州市", "泰州", "台州市", "上海市"]
    assert [region.adcode_of_name(name) for name in names] == [
        "320500",
        "341300",
        "321200",
        "331000",
        "310000",
    ]
    assert region.adcode_of_name("昆山") is None
    assert region.canonical_adcode("310100") == "310000"
    with pytest.raises(InputError, match="999999"):
        region.city("999999")


def test_every_city_point_lies_in_its_own_polygon() -> None:
    region = load_region()
    assert list(region.locate(region.lonlat[:, 0], region.lonlat[:, 1])) == list(region.adcodes)
    assert list(region.locate([116.4], [39.9])) == [None]


def test_distance_of_one_degree_along_a_meridian() -> None:
    assert distance_km(120, 30, 120, 31) == pytest.approx(111.195, abs=0.01)


def test_strictest_zone_wins_and_city_lists_reach_beyond_the_radius() -> None:
    event = load_event(EVENT)
    region = load_region()
    hangzhou, quzhou, beijing = region.city("330100"), region.city("330800"), (116.4, 39.9)
    index = zone_index(
        event,
        ["330100", "330800", "110100"],
        [hangzhou.lon, quzhou.lon, beijing[0]],
        [hangzhou.lat, quzhou.lat, beijing[1]],
    )
    assert distance_km(quzhou.lon, quzhou.lat, event.venue.lon, event.venue.lat) > event.zones[1].radius_km
    np.testing.assert_array_equal(index, [0, 1, -1])
