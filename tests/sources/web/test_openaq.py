"""OpenAQ: all pages, the region's locations, units to the reference state, labels at the hour's end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.sources.web.site import Asked, Reply
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import SCHEMAS, Kind
from yrd_airq.sources.stations_wide import STATION_CODE
from yrd_airq.sources.web import feeds

FIRST, LAST = datetime(2026, 11, 22, 1), datetime(2026, 11, 23, 0)
KEY = "openaq-key-4711"


def location(number: int, lon: object = 121.47, lat: object = 31.22, sensors: object = None) -> dict:
    return {
        "id": number,
        "name": f"Place {number}",
        "locality": None,
        "isMonitor": True,
        "sensors": [sensor(10 * number + 1)] if sensors is None else sensors,
        "coordinates": {"latitude": lat, "longitude": lon},
    }


def sensor(number: int, name: str = "pm25", units: str = "µg/m³") -> dict:
    return {"id": number, "name": f"{name} {units}", "parameter": {"id": 2, "name": name, "units": units}}


def hour(
    end: str = "2026-11-22T02:00:00Z",
    value: object = 40,
    name: str = "pm25",
    units: str = "µg/m³",
    **more: object,
) -> dict:
    found = {
        "value": value,
        "flagInfo": {"hasFlags": False},
        "parameter": {"id": 2, "name": name, "units": units, "displayName": None},
        "period": {
            "label": "1hour",
            "datetimeFrom": {"utc": "2026-11-22T01:00:00Z", "local": ""},
            "datetimeTo": {"utc": end, "local": ""},
        },
        "coverage": {"expectedCount": 1, "observedCount": 1, "percentComplete": 100.0},
    }
    return {**found, **more}


def page(results: list, found: object = None, limit: int = 1000) -> dict:
    return {"meta": {"page": 1, "limit": limit, "found": found or len(results)}, "results": results}


@pytest.fixture
def fetch(site, point, clock, monkeypatch):
    monkeypatch.setenv("OPENAQ_API_KEY", KEY)

    def run(**more):
        span = (more.pop("first", FIRST), more.pop("last", LAST))
        return list(feeds.fetch("openaq", *span, settings=point(), timing=clock.timing(), seed=1, **more))

    return run


@pytest.fixture
def one(site, fetch):
    """One location whose only sensor gives these hours."""

    def run(*hours: dict):
        site.on("/locations", Reply(page([location(7)])))
        site.on("/sensors/71/hours", Reply(page(list(hours))))
        return fetch()[1]

    return run


def values(batch) -> dict:
    return {(r["time"], r["item"]): r["value"] for r in batch.rows.to_pylist()}


def reasons(batch) -> list[tuple[str, int]]:
    return [(r["field"], r["rows"]) for r in batch.refused.to_pylist()]


def test_locations_then_the_hours_of_each(site, fetch):
    inside, outside = location(12345), location(2, lon=116.4, lat=39.9)
    site.on("/locations", Reply(page([outside, inside, location(9, lon=None, lat=None)])))
    site.on("/sensors/123451/hours", Reply(page([hour()])))
    pieces = fetch()
    assert [piece.problem for piece in pieces] == [None, None]
    stations = pieces[0].batches[0]
    assert stations.rows.schema == SCHEMAS[Kind.STATION_LIST]
    assert [(r["station_code"], r["adcode"], r["counted"], r["lon"]) for r in stations.rows.to_pylist()] == [
        ("OPENAQ2", None, False, 116.4),
        ("OPENAQ9", None, False, None),
        ("OPENAQ12345", "310000", False, 121.47),
    ]
    batch = pieces[1].batches[0]
    assert (batch.kind, batch.name) == (Kind.STATIONS, "openaq OPENAQ12345 2026-11-22T01..2026-11-23T00")
    assert batch.rows["station_code"].to_pylist() == ["OPENAQ12345"]
    assert not STATION_CODE.match("OPENAQ12345")
    first = site.asked[0]
    assert first.headers["X-API-Key"] == KEY
    west, south, east, north = map(float, first.query["bbox"].split(","))
    assert (west, east) == pytest.approx((114.9, 122.5), abs=0.6)
    assert (south, north) == pytest.approx((27.0, 35.2), abs=0.6)
    assert (first.query["monitor"], first.query["mobile"]) == ("true", "false")


def test_the_hours_asked_for_in_utc_with_an_hour_to_spare(site, one):
    one(hour())
    query = site.asked[-1].query
    assert query["datetime_from"] == "2026-11-21T16:00:00Z"
    assert query["datetime_to"] == "2026-11-22T16:00:00Z"


@pytest.mark.parametrize(
    ("name", "units", "value", "stored"),
    [
        ("pm25", "µg/m³", 40, 40.0),
        ("pm25", "\u03bcg/m³", 40, 40.0),
        ("pm10", "mg/m³", 0.04, 40.0),
        ("o3", "ppm", 0.05, 0.05 * 1000 * 48.00 / 24.45),
        ("o3", "ppb", 50, 50 * 48.00 / 24.45),
        ("no2", "ppm", 0.02, 20 * 46.01 / 24.45),
        ("so2", "ppm", 0.004, 4 * 64.06 / 24.45),
        ("co", "ppm", 0.8, 0.8 * 28.01 / 24.45),
        ("co", "ppb", 800, 0.8 * 28.01 / 24.45),
        ("co", "µg/m³", 900, 0.9),
        ("co", "mg/m³", 0.9, 0.9),
    ],
)
def test_units_become_those_of_the_store_at_298_k(one, name, units, value, stored):
    found = values(one(hour(name=name, units=units, value=value)).batches[0])
    assert found[datetime(2026, 11, 22, 10), name] == pytest.approx(stored, rel=1e-12)


@pytest.mark.parametrize(
    ("units", "name"), [("ppm", "pm25"), ("AQI", "pm25"), ("", "o3"), (None, "o3"), ("particles/cm³", "pm10")]
)
def test_a_unit_that_cannot_be_converted_is_refused(one, units, name):
    batch = one(hour(name=name, units=units)).batches[0]
    assert batch.rows.num_rows == 0
    assert reasons(batch) == [("units", 1)]


@pytest.mark.parametrize(
    "end",
    [
        "2026-11-22T02:00:00Z",
        "2026-11-22T02:00:00+00:00",
        "2026-11-22T02:00:00",
        "2026-11-22T10:00:00+08:00",
        "2026-11-22T02:00:00.000Z",
    ],
)
def test_the_label_is_the_end_of_the_hour_in_beijing_time(one, end):
    assert set(values(one(hour(end)).batches[0])) == {(datetime(2026, 11, 22, 10), "pm25")}


def test_flags_sparse_hours_repeats_and_odd_values_are_refused(one):
    good = hour()
    batch = one(
        good,
        hour("2026-11-22T03:00:00Z", flagInfo={"hasFlags": True}),
        hour("2026-11-22T04:00:00Z", coverage={"percentComplete": 50.0}),
        hour("2026-11-22T05:00:00Z", coverage=None),
        hour("2026-11-22T06:30:00Z"),
        hour("2026-11-22T07:00:00Z", value=-999),
        hour("2026-11-22T08:00:00Z", value=None),
        hour(value=41),
        hour("2026-11-22T09:00:00Z", name="bc"),
        hour("2026-11-22T10:00:00Z", period=None),
    ).batches[0]
    assert {t.hour for t, _ in values(batch)} == {10, 13}
    assert values(batch)[datetime(2026, 11, 22, 10), "pm25"] == 40
    assert batch.rows_in == 9
    assert reasons(batch) == [
        ("flagInfo", 1),
        ("coverage", 1),
        ("period", 1),
        ("value", 1),
        ("period", 1),
        ("parameter", 1),
        ("period", 1),
    ]


def test_found_may_say_more_than_1000(site, fetch):
    ends = [datetime(2026, 9, 1) + timedelta(hours=k) for k in range(2500)]
    hours = [hour(f"{end:%Y-%m-%dT%H:00:00Z}") for end in ends]
    site.on("/locations", Reply(page([location(7)])))

    def paged(asked: Asked) -> Reply:
        start = (int(asked.query["page"]) - 1) * int(asked.query["limit"])
        return Reply(page(hours[start : start + 1000], ">1000"))

    site.on("/sensors/71/hours", paged)
    batch = fetch()[1].batches[0]
    assert batch.rows_in == batch.rows.num_rows == 2500
    assert [a.query["page"] for a in site.asked if a.path.endswith("hours")] == ["1", "2", "3"]


def test_a_full_last_page_with_a_true_count_needs_no_further_call(site, fetch):
    site.on("/locations", Reply(page([location(7)])))
    hours = [hour(f"2026-11-{d:02d}T{h:02d}:00:00Z") for d in (20, 21) for h in range(24)]
    site.on("/sensors/71/hours", Reply(page(hours, found=48, limit=48)))
    assert fetch()[1].batches[0].rows.num_rows == 48
    assert len(site.asked) == 2


def test_a_server_that_never_ends_its_pages_is_left(site, fetch):
    site.on("/locations", Reply(page([location(7)], found=">1000", limit=1)))
    piece = fetch()[0]
    assert "more than 100 pages" in str(piece.problem)


def test_sensors_that_the_list_lacks_are_asked_for(site, fetch):
    site.on("/locations", Reply(page([location(7, sensors=[])])))
    wanted = [sensor(3, "no2", "ppm"), sensor(4, "temperature", "c"), sensor(5, "o3", "ppm")]
    site.on("/locations/7/sensors", Reply(page(wanted)))
    site.on("/sensors/3/hours", Reply(page([hour(name="no2", units="ppm", value=0.01)])))
    site.on("/sensors/5/hours", Reply(page([hour(name="o3", units="ppm", value=0.03)])))
    batch = fetch()[1].batches[0]
    assert {item for _, item in values(batch)} == {"no2", "o3"}
    assert batch.rows_in == 2


def test_one_failed_location_does_not_cost_the_others(site, fetch):
    site.on("/locations", Reply(page([location(7), location(8), location(9)])))
    site.on("/sensors/71/hours", Reply(page([hour()])))
    site.on("/sensors/81/hours", Reply("", 500))
    site.on("/sensors/91/hours", Reply(page([])))
    pieces = fetch()
    assert [piece.problem is None for piece in pieces] == [True, True, False, False]
    assert "answered 500" in str(pieces[2].problem)
    assert "no values in this span" in str(pieces[3].problem)


def test_many_locations_without_values_do_not_stop_the_rest(site, fetch):
    site.on("/locations", Reply(page([location(n) for n in range(1, 9)])))
    for n in range(1, 9):
        site.on(f"/sensors/{n}1/hours", Reply(page([hour()] if n == 8 else [])))
    pieces = fetch()
    assert len(pieces) == 9
    assert pieces[-1].problem is None


def test_named_stations_and_cities(site, fetch):
    nanjing = location(8, lon=118.78, lat=32.05)
    site.on("/locations", Reply(page([location(7), nanjing])))
    for number in (71, 81):
        site.on(f"/sensors/{number}/hours", Reply(page([hour()])))
    assert [p.what.split()[1] for p in fetch(adcodes=["320100"])] == ["stations", "OPENAQ8"]
    pieces = fetch(stations=["OPENAQ7", "OPENAQ99"])
    assert [p.what.split()[1] for p in pieces] == ["stations", "OPENAQ7", "OPENAQ99"]
    assert "not among the 2 locations" in str(pieces[-1].problem)


def test_the_pace_follows_the_headers_of_the_service(site, fetch, clock):
    site.on("/locations", Reply(page([location(7)])))
    spent = {"x-ratelimit-used": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "38"}
    site.on("/locations", Reply(page([location(7)]), headers=spent))
    site.on("/sensors/71/hours", Reply(page([hour()])))
    assert fetch()[1].problem is None
    assert clock.slept == [38.0]


def test_without_a_key_nothing_is_asked(site, point, monkeypatch):
    monkeypatch.delenv("OPENAQ_API_KEY", raising=False)
    with pytest.raises(InputError, match="set the environment variable OPENAQ_API_KEY"):
        feeds.fetch("openaq", FIRST, LAST, settings=point())
    assert site.asked == []


def test_a_refused_key_is_the_problem_of_the_first_piece(site, fetch):
    site.on("/locations", Reply({"detail": "Invalid credentials"}, 401))
    piece = fetch()[0]
    assert isinstance(piece.problem, InputError)
    assert KEY not in str(piece.problem)
    assert len(site.asked) == 1


@pytest.mark.parametrize("body", [[], {"results": "none"}, {"results": [1]}, "text", None, {"meta": {}}])
def test_json_of_another_shape_is_tried_again_and_reported(site, fetch, body, calls):
    site.on("/locations", Reply(body if not isinstance(body, str) else f'"{body}"'))
    assert "without a list of results" in str(fetch()[0].problem)
    assert len(site.asked) == calls.tries


def test_locations_without_a_number_or_listed_twice_are_refused(site, fetch):
    odd = {**location(7), "id": "seven"}
    site.on("/locations", Reply(page([location(7), odd, location(7)])))
    site.on("/sensors/71/hours", Reply(page([hour()])))
    stations = fetch()[0].batches[0]
    assert stations.rows["station_code"].to_pylist() == ["OPENAQ7"]
    assert stations.rows_in == 3
    assert reasons(stations) == [("id", 1), ("id", 1)]
