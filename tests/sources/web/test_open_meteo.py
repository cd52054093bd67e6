"""Open-Meteo: units as answered and not as asked for, winds as vectors, times in Beijing time, known when."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest

from tests.sources.web.site import Asked, Reply
from yrd_airq.errors import InputError, SourceUnavailableError
from yrd_airq.region import load_region
from yrd_airq.sources.batch import SCHEMAS, Kind
from yrd_airq.sources.web import feeds

FIRST, LAST = datetime(2026, 11, 23, 0), datetime(2026, 11, 24, 23)
UNITS = {
    "temperature_2m": "°C",
    "relative_humidity_2m": "%",
    "surface_pressure": "hPa",
    "wind_speed_10m": "m/s",
    "wind_direction_10m": "°",
    "boundary_layer_height": "m",
    "precipitation": "mm",
    "shortwave_radiation": "W/m²",
    "cloud_cover": "%",
    "pm2_5": "μg/m³",
    "pm10": "μg/m³",
    "ozone": "μg/m³",
    "nitrogen_dioxide": "μg/m³",
    "sulphur_dioxide": "μg/m³",
    "carbon_monoxide": "μg/m³",
    "dust": "μg/m³",
    "aerosol_optical_depth": "",
}


def place(lat: float, lon: float, hourly: dict, units: dict | None = None, **more: object) -> dict:
    names = {name: UNITS.get(name.split("_previous_day")[0], "?") for name in hourly if name != "time"}
    return {
        "latitude": lat,
        "longitude": lon,
        "utc_offset_seconds": 28800,
        "timezone": "Asia/Shanghai",
        "hourly_units": {"time": "iso8601", **names, **(units or {})},
        "hourly": hourly,
        **more,
    }


def service(values: dict, times: list[str], units: dict | None = None, **more: object):
    """Answers each city asked for with the same values; an object for one, a list for several."""

    def answer(asked: Asked) -> Reply:
        lats, lons = (asked.query[name].split(",") for name in ("latitude", "longitude"))
        hourly = {"time": times, **values}
        found = [
            place(float(a) + 0.1, float(b) - 0.1, hourly, units, **more)
            for a, b in zip(lats, lons, strict=True)
        ]
        return Reply(found if len(found) > 1 else found[0])

    return answer


@pytest.fixture
def fetch(site, point, clock):
    def run(name, first=FIRST, last=LAST, adcodes=("310000",), settings=None, **more):
        return list(
            feeds.fetch(
                name,
                first,
                last,
                adcodes=adcodes,
                settings=settings or point(),
                timing=clock.timing(),
                seed=1,
                **more,
            )
        )

    return run


def only(pieces):
    assert len(pieces) == 1
    assert pieces[0].problem is None
    return pieces[0].batches[0]


def values(batch, adcode="310000") -> dict:
    return {(r["time"], r["variable"]): r["value"] for r in batch.rows.to_pylist() if r["adcode"] == adcode}


def wind(units: str, speed: object = 10.0, direction: object = 270.0) -> tuple:
    return {"wind_speed_10m": [speed], "wind_direction_10m": [direction]}, {"wind_speed_10m": units}


def test_air_quality_with_blanks_and_carbon_monoxide_in_mg(site, fetch):
    hourly = {
        "pm2_5": [41.2, None],
        "ozone": [33.0, 31.0],
        "carbon_monoxide": [650.0, 700.0],
        "aerosol_optical_depth": [0.4, 0.5],
    }
    site.on("/v1/air-quality", service(hourly, ["2026-11-23T00:00", "2026-11-23T01:00"]))
    piece = fetch("open-meteo-air")[0]
    batch = piece.batches[0]
    assert batch.kind is Kind.CITY_MODEL
    assert batch.rows.schema == SCHEMAS[Kind.CITY_MODEL]
    assert values(batch) == {
        (datetime(2026, 11, 23, 0), "pm25_ugm3"): 41.2,
        (datetime(2026, 11, 23, 0), "o3_ugm3"): 33.0,
        (datetime(2026, 11, 23, 1), "o3_ugm3"): 31.0,
        (datetime(2026, 11, 23, 0), "co_mgm3"): pytest.approx(0.65),
        (datetime(2026, 11, 23, 1), "co_mgm3"): pytest.approx(0.7),
        (datetime(2026, 11, 23, 0), "aod550"): 0.4,
        (datetime(2026, 11, 23, 1), "aod550"): 0.5,
    }
    assert batch.rows_in == 7
    row = batch.rows.to_pylist()[0]
    assert (row["model"], row["kind"]) == ("cams_global", "forecast")
    assert row["issue_time"] == datetime(2026, 11, 23, 10)
    assert "the answer has no dust" in piece.notes
    query = site.asked[0].query
    assert query["domains"] == "cams_global"
    assert (query["start_date"], query["end_date"]) == ("2026-11-23", "2026-11-24")
    assert "wind_speed_unit" not in query


@pytest.mark.parametrize(
    ("units", "ms"),
    [("km/h", 1 / 3.6), ("m/s", 1.0), ("mp/h", 0.44704), ("kn", 0.514444), ("mph", 0.44704)],
)
def test_winds_by_the_unit_of_the_answer_whatever_was_asked_for(site, fetch, units, ms):
    hourly, answered = wind(units)
    site.on("/v1/forecast", service(hourly, ["2026-11-23T00:00"], answered))
    found = values(only(fetch("open-meteo-forecast")))
    assert site.asked[0].query["wind_speed_unit"] == "ms"
    assert found[datetime(2026, 11, 23), "u10_ms"] == pytest.approx(10 * ms, rel=1e-5)
    assert found[datetime(2026, 11, 23), "v10_ms"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("direction", "u", "v"), [(0, 0, -1), (90, -1, 0), (180, 0, 1), (225, math.sqrt(0.5), math.sqrt(0.5))]
)
def test_a_wind_blows_from_its_direction(site, fetch, direction, u, v):
    hourly, answered = wind("m/s", 1.0, direction)
    site.on("/v1/forecast", service(hourly, ["2026-11-23T00:00"], answered))
    found = values(only(fetch("open-meteo-forecast")))
    assert found[datetime(2026, 11, 23), "u10_ms"] == pytest.approx(u, abs=1e-12)
    assert found[datetime(2026, 11, 23), "v10_ms"] == pytest.approx(v, abs=1e-12)


@pytest.mark.parametrize("speed_direction", [(None, 90), (3.0, None), (3.0, "x")])
def test_half_a_wind_is_refused_not_guessed(site, fetch, speed_direction):
    hourly, answered = wind("m/s", *speed_direction)
    site.on("/v1/forecast", service({**hourly, "temperature_2m": [1.0]}, ["2026-11-23T00:00"], answered))
    batch = only(fetch("open-meteo-forecast"))
    assert [v for _, v in values(batch)] == ["t2m_k"]
    assert sum(batch.refused["rows"].to_pylist()) == sum(x is not None for x in speed_direction)


def test_weather_in_the_units_of_the_store(site, fetch):
    hourly = {
        "temperature_2m": [-3.0],
        "relative_humidity_2m": [71],
        "surface_pressure": [1013.2],
        "boundary_layer_height": [640.0],
        "precipitation": [0.3],
        "shortwave_radiation": [120.0],
        "cloud_cover": [40],
    }
    site.on("/v1/forecast", service(hourly, ["2026-11-23T05:00"]))
    found = {name: value for (_, name), value in values(only(fetch("open-meteo-forecast"))).items()}
    assert found == pytest.approx(
        {
            "t2m_k": 270.15,
            "rh_pct": 71,
            "sp_pa": 101320,
            "blh_m": 640,
            "precip_mmh": 0.3,
            "ssrd_wm2": 120,
            "tcc": 0.4,
        }
    )


def test_other_units_and_unknown_ones(site, fetch):
    hourly = {"temperature_2m": [32.0], "precipitation": [1.0], "surface_pressure": [29.9]}
    units = {"temperature_2m": "°F", "precipitation": "inch", "surface_pressure": "inHg"}
    site.on("/v1/forecast", service(hourly, ["2026-11-23T05:00"], units))
    batch = only(fetch("open-meteo-forecast"))
    found = {name: value for (_, name), value in values(batch).items()}
    assert found == pytest.approx({"t2m_k": 273.15, "precip_mmh": 25.4})
    assert batch.refused["field"].to_pylist() == ["surface_pressure"]
    assert "unit" in batch.refused["reason"].to_pylist()[0]


@pytest.mark.parametrize(
    ("time", "offset", "hour"),
    [
        ("2026-11-23T00:00", 28800, datetime(2026, 11, 23, 0)),
        ("2026-11-22T16:00", 0, datetime(2026, 11, 23, 0)),
        ("2026-11-22T11:00", -18000, datetime(2026, 11, 23, 0)),
    ],
)
def test_times_by_the_offset_of_the_answer(site, fetch, time, offset, hour):
    site.on("/v1/forecast", service({"temperature_2m": [1.0]}, [time], utc_offset_seconds=offset))
    assert set(values(only(fetch("open-meteo-forecast")))) == {(hour, "t2m_k")}


def test_times_as_seconds_are_utc(site, fetch):
    seconds = round((datetime(2026, 11, 23, 5) - datetime(1970, 1, 1, 8)).total_seconds())
    site.on("/v1/forecast", service({"temperature_2m": [1.0]}, [seconds], {"time": "unixtime"}))
    assert set(values(only(fetch("open-meteo-forecast")))) == {(datetime(2026, 11, 23, 5), "t2m_k")}


def test_all_cities_in_chunks_each_with_its_own_values(site, fetch):
    def answer(asked: Asked) -> Reply:
        lats, lons = (asked.query[name].split(",") for name in ("latitude", "longitude"))
        return Reply(
            [
                place(float(a), float(b), {"time": ["2026-11-23T00:00"], "temperature_2m": [float(a)]})
                for a, b in zip(lats, lons, strict=True)
            ]
        )

    site.on("/v1/forecast", answer)
    pieces = fetch("open-meteo-forecast", adcodes=None)
    assert [p.what for p in pieces] == [
        f"open-meteo-forecast 2026-11-23..2026-11-24 part {part}" for part in (1, 2)
    ]
    assert [p.batches[0].name for p in pieces] == [p.what for p in pieces]
    found = {r["adcode"]: r["value"] for p in pieces for r in p.batches[0].rows.to_pylist()}
    assert found == pytest.approx({c.adcode: c.lat + 273.15 for c in load_region().cities})


def test_a_long_span_is_cut_into_calls(site, fetch):
    site.on("/v1/archive", service({"temperature_2m": [1.0]}, ["2025-01-01T00:00"]))
    pieces = fetch("open-meteo-archive", datetime(2025, 1, 1), datetime(2025, 2, 1))
    asked = [(a.query["start_date"], a.query["end_date"]) for a in site.asked]
    assert asked == [("2025-01-01", "2025-01-14"), ("2025-01-15", "2025-01-28"), ("2025-01-29", "2025-02-01")]
    assert len(pieces) == 3
    names = {p.what for p in pieces}
    assert (
        fetch("open-meteo-archive", datetime(2025, 1, 1), datetime(2025, 2, 1), skip=names.__contains__) == []
    )


def test_an_archive_is_analysis_and_was_known_to_nobody(site, fetch):
    site.on("/v1/archive", service({"temperature_2m": [1.0, None]}, ["2025-01-01T00:00", "2025-01-01T01:00"]))
    batch = only(fetch("open-meteo-archive", datetime(2025, 1, 1), datetime(2025, 1, 2)))
    row = batch.rows.to_pylist()[0]
    assert (row["kind"], row["issue_time"], row["model"]) == ("analysis", None, "era5")
    assert batch.rows_in == 1


def test_previous_runs_are_known_only_after_their_run_was_public(site, fetch, point):
    times = [f"2026-11-20T{h:02d}:00" for h in range(24)]
    hourly = {
        "temperature_2m_previous_day1": [1.0] * 24,
        "temperature_2m_previous_day2": [2.0] * 24,
        "wind_speed_10m_previous_day1": [3.6] * 24,
        "wind_direction_10m_previous_day1": [270.0] * 24,
    }
    km = {"wind_speed_10m_previous_day1": "km/h"}
    site.on("/v1/forecast", service(hourly, times, km))
    day = datetime(2026, 11, 20)
    batch = only(fetch("open-meteo-previous-runs", day, day))
    rows = batch.rows.to_pylist()
    assert len(rows) == batch.rows_in == 96
    margin = timedelta(hours=point().open_meteo.previous_margin_h.value)
    for row in rows:
        days = 2 if row["value"] == 2.0 else 1
        if row["variable"] == "t2m_k":
            days = 2 if row["value"] == pytest.approx(275.15) else 1
        assert row["issue_time"] == row["time"] - timedelta(days=days) + margin
        assert row["issue_time"] < row["time"]
    assert {r["kind"] for r in rows} == {"forecast"}
    u = [r["value"] for r in rows if r["variable"] == "u10_ms"]
    assert u == pytest.approx([1.0] * 24)
    asked = site.asked[0].query["hourly"].split(",")
    assert "temperature_2m_previous_day4" in asked
    assert all("_previous_day" in name for name in asked)


def test_a_previous_run_that_was_not_yet_public_is_refused(site, fetch):
    """Fetched on the 23rd at 10:40; 24 h before the 24th 00:00 plus 13 h is the 23rd at 13:00."""
    times = ["2026-11-23T21:00", "2026-11-23T22:00"]
    site.on("/v1/forecast", service({"temperature_2m_previous_day1": [1.0, 2.0]}, times))
    batch = only(fetch("open-meteo-previous-runs"))
    assert [r["time"].hour for r in batch.rows.to_pylist()] == [21]
    assert "ask again later" in batch.refused["reason"].to_pylist()[0]
    assert batch.rows_in == 2


def test_a_bad_request_is_an_input_error_with_the_reason(site, fetch):
    site.on("/v1/forecast", Reply({"error": True, "reason": "Parameter 'start_date' is out of range"}, 400))
    piece = fetch("open-meteo-forecast")[0]
    assert isinstance(piece.problem, InputError)
    assert "'start_date' is out of range" in str(piece.problem)
    assert len(site.asked) == 1


def test_an_error_with_a_good_status_is_an_error_too(site, fetch):
    site.on("/v1/forecast", Reply({"error": True, "reason": "No data is available for this location"}))
    piece = fetch("open-meteo-forecast")[0]
    assert isinstance(piece.problem, InputError)
    assert "No data is available" in str(piece.problem)


def test_a_span_without_any_value_is_a_problem(site, fetch):
    site.on("/v1/archive", service({"temperature_2m": [None]}, ["2026-11-23T00:00"]))
    piece = fetch("open-meteo-archive")[0]
    assert isinstance(piece.problem, SourceUnavailableError)
    assert "no usable values (yet)" in str(piece.problem)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: [p, p],
        lambda p: [],
        lambda p: {**p, "hourly": {"time": ["2026-11-23T00:00"], "temperature_2m": [1.0, 2.0]}},
        lambda p: {**p, "hourly": None},
        lambda p: {k: v for k, v in p.items() if k != "utc_offset_seconds"},
        lambda p: {**p, "latitude": 45.0},
        lambda p: {**p, "longitude": "x"},
        lambda p: "text",
    ],
)
def test_json_of_another_shape_or_place_is_tried_again_and_reported(site, fetch, calls, spoil):
    good = place(31.2, 121.4, {"time": ["2026-11-23T00:00"], "temperature_2m": [1.0]})
    bad = spoil(good)
    site.on("/v1/forecast", Reply(f'"{bad}"' if isinstance(bad, str) else bad))
    piece = fetch("open-meteo-forecast")[0]
    assert isinstance(piece.problem, SourceUnavailableError)
    assert len(site.asked) == calls.tries


def test_calls_weigh_as_the_service_counts_them(site, point, fetch, clock):
    """21 cities, 32 variables (4 days before × 8) and 14 days weigh 21 · 3.2 = 67.2 calls."""
    settings = point()
    feed = settings.open_meteo.previous_runs
    limits = feeds.load_feed_settings().open_meteo.previous_runs.service.limits
    service_ = feed.service.model_copy(update={"limits": limits})
    part = settings.open_meteo.model_copy(
        update={"previous_runs": feed.model_copy(update={"service": service_})}
    )
    settings = settings.model_copy(update={"open_meteo": part})
    site.on("/v1/forecast", service({"temperature_2m_previous_day1": [1.0]}, ["2025-01-01T00:00"]))
    fetch("open-meteo-previous-runs", datetime(2025, 1, 1), datetime(2025, 3, 11), None, settings)
    assert len(site.asked) == 10
    weights = 5 * (21 + 20) * 3.2
    assert weights > 600
    assert clock.slept == [60.0]
