"""The national centre: whatever trap an answer holds, each value keeps its true station and hour."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest

from tests.sources.web.site import Asked, Reply
from yrd_airq.errors import InputError, SourceUnavailableError
from yrd_airq.sources.batch import SCHEMAS, Kind
from yrd_airq.sources.web import feeds

LIVE = "/HourChangesPublish/GetAllAQIPublishLive"
PAST = "/HourChangesPublish/GetAQIHistoryByConditionHis"
STATION = "/HourChangesPublish/GetAqiHistoryByCondition"
DAYS = "/HourChangesPublish/GetCityDayAqiHistoryByCondition"
HOUR = datetime(2026, 11, 23, 10)


def stamp(hour: datetime) -> str:
    """Milliseconds since 1970 of a Beijing time, as ASP.NET writes them."""
    return f"/Date({round((hour - datetime(1970, 1, 1, 8)).total_seconds() * 1000)})/"


def line(code: str = "1141A", hour: datetime = HOUR, **values: object) -> dict[str, object]:
    """A line of the release with the fields that it has been seen to have."""
    found: dict[str, object] = {
        "TimePoint": stamp(hour),
        "TimePointStr": f"{hour:%Y年%m月%d日 %H时}",
        "StationCode": code,
        "PositionName": "普陀",
        "Area": "上海市",
        "CityCode": 310000,
        "ProvinceId": 9,
        "Latitude": "31.2380",
        "Longitude": "121.4000",
        "AQI": "57",
        "Quality": "良",
        "PrimaryPollutant": "细颗粒物(PM2.5)",
        "PM2_5": "40",
        "O3": "52",
        "O3_24h": "96",
        "CO": "0.7",
        "CO_24h": "—",
        "NO": "3",
        "IsPublish": True,
    }
    return {**found, **values}


def values(batch) -> dict:
    return {(r["station_code"], r["time"], r["item"]): r["value"] for r in batch.rows.to_pylist()}


def reasons(batch) -> list[tuple[str, str, int]]:
    return [(r["field"], r["reason"], r["rows"]) for r in batch.refused.to_pylist()]


@pytest.fixture
def fetch(site, point, clock):
    def run(*replies: Reply, first=HOUR, last=HOUR, path=LIVE, name="cnemc", **more):
        if replies:
            site.on(path, *replies)
        return list(feeds.fetch(name, first, last, settings=point(), timing=clock.timing(), seed=1, **more))

    return run


def only(pieces):
    assert len(pieces) == 1
    return pieces[0]


def test_an_hour_becomes_values_and_the_list_of_stations(fetch, site):
    other = line("1142A", Area="昆山市", CityCode=320583, PositionName="第二中学", PM2_5="—", AQI="NA")
    piece = only(fetch(Reply([line(), other, line("1001A", Area="北京市", CityCode=110000)])))
    assert piece.problem is None
    assert piece.notes == ()
    hours, stations = piece.batches
    assert (hours.kind, hours.name, hours.layout) == (Kind.STATIONS, "cnemc 2026-11-23 10:00", "cnemc_hour")
    assert values(hours) == {
        **{("1141A", HOUR, item): v for item, v in [("aqi", 57), ("pm25", 40), ("o3", 52)]},
        ("1141A", HOUR, "o3_24h"): 96,
        ("1141A", HOUR, "co"): 0.7,
        **{("1142A", HOUR, item): v for item, v in [("o3", 52), ("o3_24h", 96), ("co", 0.7)]},
        **{("1001A", HOUR, item): v for item, v in [("aqi", 57), ("pm25", 40), ("o3", 52)]},
        ("1001A", HOUR, "o3_24h"): 96,
        ("1001A", HOUR, "co"): 0.7,
    }
    assert hours.rows_in == 13
    assert stations.rows.schema == SCHEMAS[Kind.STATION_LIST]
    listed = {r["station_code"]: r for r in stations.rows.to_pylist()}
    assert [(c, r["adcode"], r["counted"]) for c, r in listed.items()] == [
        ("1001A", None, False),
        ("1141A", "310000", True),
        ("1142A", "320500", False),
    ]
    assert (listed["1141A"]["lon"], listed["1141A"]["lat"]) == (121.4, 31.238)
    assert listed["1141A"]["background"] is None
    assert listed["1141A"]["valid_from"] is None
    call = site.asked[0]
    assert (call.method, call.form) == ("POST", {})
    assert call.headers["X-Requested-With"] == "XMLHttpRequest"


def test_past_hours_are_asked_for_by_their_date(fetch, site):
    def past(asked: Asked) -> Reply:
        return Reply([line(hour=datetime.fromisoformat(asked.form["date"]))])

    site.on(LIVE, Reply([line()]))
    pieces = fetch(first=HOUR - timedelta(hours=2), path=PAST)
    assert [p.problem is None for p in pieces] == [False, False, True], "no answer yet for past hours"
    site.on(PAST, past)
    site.asked.clear()
    pieces = fetch(first=HOUR - timedelta(hours=2))
    assert [p.what for p in pieces] == [f"cnemc 2026-11-23 {h:02d}:00" for h in (8, 9, 10)]
    assert [asked.form.get("date") for asked in site.asked] == [
        "2026-11-23 08:00:00",
        "2026-11-23 09:00:00",
        None,
    ]
    assert [p.batches[0].name for p in pieces] == [p.what for p in pieces]


@pytest.mark.parametrize("mark", ["—", "-", "-;", "_", "", None, "NA", "/", "  — "])
def test_marks_of_missing_values_are_blanks(fetch, mark):
    batch = only(fetch(Reply([line(PM2_5=mark)]))).batches[0]
    assert ("1141A", HOUR, "pm25") not in values(batch)
    assert batch.rows_in == 4
    assert batch.refused.num_rows == 0


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("abc", "not a number"),
        ("-3", "negative"),
        ([1], "not a number"),
        (True, "not a number"),
        ("1e999", "not a number"),
        ("\ud800", "not a number"),
    ],
)
def test_an_odd_value_costs_itself_only(fetch, odd, reason):
    batch = only(fetch(Reply([line(PM2_5=odd)]))).batches[0]
    assert batch.rows_in == 5
    assert len(values(batch)) == 4
    assert [(f, reason in r, n) for f, r, n in reasons(batch)] == [("pm2_5", True, 1)]


def test_a_number_that_is_no_text_is_a_value(fetch):
    batch = only(fetch(Reply([line(PM2_5=40.5, AQI=57)]))).batches[0]
    assert values(batch)["1141A", HOUR, "pm25"] == 40.5


def test_lines_of_several_hours_keep_their_own(fetch):
    late = HOUR - timedelta(hours=1)
    lines = [line(), line("1142A", late, PM2_5="8"), line("1143A")]
    piece = only(fetch(Reply(lines)))
    assert piece.problem is None
    assert values(piece.batches[0])["1142A", late, "pm25"] == 8
    assert ("1142A", HOUR, "pm25") not in values(piece.batches[0])
    assert "1 of 2026-11-23 09:00, 2 of 2026-11-23 10:00" in piece.notes[0]


def test_a_stale_hour_is_reported_and_kept_under_its_own_name(fetch, site):
    stale = HOUR - timedelta(hours=1)
    piece = only(fetch(Reply([line(hour=stale), line("1142A", stale)])))
    assert isinstance(piece.problem, SourceUnavailableError)
    assert "stale: the newest hour of the answer is 2026-11-23 09:00" in str(piece.problem)
    assert "30 min" in str(piece.problem)
    batch = piece.batches[0]
    assert batch.name == "cnemc 2026-11-23 09:00"
    assert {time for _, time, _ in values(batch)} == {stale}
    had = {b.name for b in piece.batches}
    site.on(LIVE, Reply([line()]))
    again = only(fetch(skip=had.__contains__))
    assert again.problem is None, "the hour that was not there is asked for again"


def test_a_time_in_the_future_is_refused(fetch):
    piece = only(fetch(Reply([line(), line("1142A", datetime(2027, 11, 23, 10))])))
    assert {code for code, _, _ in values(piece.batches[0])} == {"1141A"}
    assert reasons(piece.batches[0])[0][2] == 5
    assert "when it was fetched" in reasons(piece.batches[0])[0][1]


def test_exchanged_columns_are_exchanged_back_and_noted(fetch):
    lines = [line(f"{1141 + k}A", O3="120", O3_24h=str(40 + k)) for k in range(20)]
    lines.append(line("1199A", O3="30", O3_24h="—"))
    piece = only(fetch(Reply(lines)))
    found = values(piece.batches[0])
    assert (found["1141A", HOUR, "o3"], found["1141A", HOUR, "o3_24h"]) == (40, 120)
    assert ("1199A", HOUR, "o3") not in found
    assert found["1199A", HOUR, "o3_24h"] == 30
    assert "O3_24h was below O3 in 20 of 20 lines" in piece.notes[0]


@pytest.mark.parametrize("wrong", [0, 1, 10])
def test_single_lines_below_are_left_alone(fetch, wrong):
    lines = [line(f"{1141 + k}A", O3="120", O3_24h="90" if k < wrong else "130") for k in range(20)]
    piece = only(fetch(Reply(lines)))
    found = values(piece.batches[0])
    assert piece.notes == ()
    assert all(found[f"{1141 + k}A", HOUR, "o3"] == 120 for k in range(20))


def test_too_few_lines_do_not_tell_an_exchange(fetch):
    piece = only(fetch(Reply([line(O3="120", O3_24h="90")])))
    assert values(piece.batches[0])["1141A", HOUR, "o3"] == 120


@pytest.mark.parametrize(
    "times",
    [
        {"TimePoint": stamp(HOUR)},
        {"TimePoint": "2026-11-23T10:00:00"},
        {"TimePoint": "2026-11-23 10:00:00"},
        {"TimePoint": "2026-11-23T02:00:00Z"},
        {"TimePoint": "2026-11-23T10:00:00+08:00"},
        {"TimePoint": 1795399200000},
        {"TimePoint": "", "TimePointStr": "2026年11月23日 10时"},
        {"TimePoint": None, "TimePointStr": "2026年11月23日 10时"},
    ],
)
def test_every_form_of_an_hour(fetch, times):
    piece = only(fetch(Reply([line(**{"TimePointStr": "", **times})])))
    assert {time for _, time, _ in values(piece.batches[0])} == {HOUR}


@pytest.mark.parametrize("time", ["", "yesterday", "2026-11-23T10:30:00", "2026-13-45T10:00:00", {}])
def test_a_line_without_an_hour_is_refused_whole(fetch, time):
    piece = only(fetch(Reply([line(), line("1142A", TimePoint=time, TimePointStr="")])))
    assert reasons(piece.batches[0]) == [("timepoint", "not a full hour; left out", 5)]


def test_the_printed_time_does_not_overrule_the_stamp(fetch):
    piece = only(fetch(Reply([line(TimePointStr="2026年11月23日 09时")])))
    assert {time for _, time, _ in values(piece.batches[0])} == {HOUR}
    assert "printed time of 1 lines" in piece.notes[0]


def test_lower_case_keys_of_the_former_release(fetch):
    old = {
        "aqi": "54",
        "area": "北京市",
        "citycode": "0",
        "co": "0.7",
        "pm10": "-;",
        "pm2_5": "38",
        "pm2_5_24h": "134",
        "positionname": "万寿西宫",
        "stationcode": "1001A",
        "timepoint": "2026-11-23T10:00:00",
    }
    piece = only(fetch(Reply([old])))
    assert values(piece.batches[0]) == {
        ("1001A", HOUR, "aqi"): 54,
        ("1001A", HOUR, "co"): 0.7,
        ("1001A", HOUR, "pm25"): 38,
        ("1001A", HOUR, "pm25_24h"): 134,
    }


@pytest.mark.parametrize("body", [line(), {"data": [line()]}, {"Result": [line()], "total": 1}])
def test_an_object_instead_of_a_list(fetch, body):
    assert values(only(fetch(Reply(body))).batches[0])["1141A", HOUR, "pm25"] == 40


def test_a_station_twice_is_kept_once(fetch):
    piece = only(fetch(Reply([line(), line(PM2_5="99"), line("bad code"), "text", None, 7])))
    hours, stations = piece.batches
    assert values(hours)["1141A", HOUR, "pm25"] == 40
    assert hours.rows_in == 15
    assert [n for _, _, n in reasons(hours)] == [5, 5, 0, 0, 0]
    assert stations.rows.num_rows == 1
    assert stations.rows_in == 6


def test_the_list_keeps_its_hash_from_hour_to_hour(fetch):
    first = only(fetch(Reply([line(), line("1142A")]))).batches
    second = only(fetch(Reply([line("1142A", PM2_5="9"), line()]))).batches
    assert first[0].content_hash != second[0].content_hash
    assert first[1].content_hash == second[1].content_hash
    moved = only(fetch(Reply([line(Longitude="121.5"), line("1142A")]))).batches
    assert moved[1].content_hash != first[1].content_hash


def test_positions_that_are_none_stay_empty(fetch):
    lines = [line(Longitude="—", Latitude="x"), line("1142A", Longitude="0", Latitude="300")]
    stations = only(fetch(Reply(lines))).batches[1]
    assert stations.rows["lon"].to_pylist() == [None, None]
    assert stations.rows["lat"].to_pylist() == [None, None]


@pytest.mark.parametrize(
    "bad",
    [
        Reply("<html><title>Runtime Error</title></html>"),
        Reply(json.dumps([line()])[:-20]),
        Reply(json.dumps([line()]), promised=9000),
        Reply(b""),
        Reply({"Message": "An error has occurred."}),
        Reply("", 500),
    ],
    ids=["page", "cut json", "half a body", "nothing", "message", "500"],
)
def test_a_broken_answer_is_asked_for_again_and_then_reported(fetch, site, calls, bad):
    assert only(fetch(bad, Reply([line()]))).problem is None
    site.asked.clear()
    piece = only(fetch(bad))
    assert isinstance(piece.problem, SourceUnavailableError)
    assert piece.batches == ()
    assert len(site.asked) == calls.tries


def test_an_hour_that_is_not_out_yet(fetch):
    piece = only(fetch(Reply([])))
    assert piece.batches == ()
    assert "published" in str(piece.problem)


def test_hours_beyond_reach_cost_no_call_and_do_not_cost_the_others(fetch, site):
    site.on(PAST, lambda asked: Reply([line(hour=datetime.fromisoformat(asked.form["date"]))]))
    pieces = fetch(Reply([line()]), first=HOUR - timedelta(hours=30), last=HOUR + timedelta(hours=2))
    assert len(site.asked) == 25
    assert pieces[0].what == "cnemc 2026-11-22 04:00..2026-11-22 09:00"
    assert "archive-mirror" in str(pieces[0].problem)
    assert "not ended" in str(pieces[-1].problem)
    assert all(piece.problem is None for piece in pieces[1:-1])


def test_one_failed_hour_does_not_cost_the_others(fetch, site):
    def past(asked: Asked) -> Reply:
        hour = datetime.fromisoformat(asked.form["date"])
        return Reply("", 500) if hour.hour == 8 else Reply([line(hour=hour)])

    site.on(PAST, past)
    pieces = fetch(Reply([line()]), first=HOUR - timedelta(hours=4))
    assert [piece.problem is None for piece in pieces] == [True, True, False, True, True]


def test_what_is_at_hand_is_not_asked_for(fetch, site):
    assert fetch(Reply([line()]), skip=lambda name: name == "cnemc 2026-11-23 10:00") == []
    assert site.asked == []


def test_the_day_of_a_station(fetch, site):
    day = [line(hour=HOUR - timedelta(hours=k), PM2_5=str(k)) for k in range(24)]
    piece = only(fetch(Reply(day), path=STATION, stations=["1141A"]))
    assert site.asked[0].query == {"stationCode": "1141A"}
    batch = piece.batches[0]
    assert batch.name == "cnemc 1141A to 2026-11-23 10:00"
    assert values(batch)["1141A", HOUR - timedelta(hours=23), "pm25"] == 23
    assert len({time for _, time, _ in values(batch)}) == 24
    assert piece.notes == ()
    assert [b.kind for b in piece.batches] == [Kind.STATIONS]


def city_day(day: date, **values: object) -> dict[str, object]:
    midnight = datetime(day.year, day.month, day.day)
    found = {
        "Id": 0,
        "TimePoint": stamp(midnight),
        "TimePointStr": f"{day:%Y年%m月%d日}",
        "Area": "南京市",
        "CityCode": 320100,
        "SO2_24h": "6",
        "NO2_24h": "31",
        "PM10_24h": "70",
        "PM2_5_24h": "42",
        "CO_24h": "0.8",
        "O3_8h_24h": "88",
        "AQI": "60",
        "Quality": "良",
    }
    return {**found, **values}


def test_city_days_stand_at_midnight_after_the_day(fetch, site):
    days = [city_day(date(2026, 11, 22)), city_day(date(2026, 11, 21), AQI="NA", O3_8h_24h="—")]
    span = {"first": datetime(2026, 11, 21), "last": datetime(2026, 11, 23)}
    piece = only(fetch(Reply(days), path=DAYS, name="cnemc-city-days", adcodes=["320100"], **span))
    batch = piece.batches[0]
    assert batch.kind is Kind.CITY_RELEASE
    assert batch.rows.schema == SCHEMAS[Kind.CITY_RELEASE]
    found = {(r["adcode"], r["time"], r["item"]): r["value"] for r in batch.rows.to_pylist()}
    assert found["320100", datetime(2026, 11, 23), "pm25_24h"] == 42
    assert found["320100", datetime(2026, 11, 23), "o3_8h_24h"] == 88
    assert found["320100", datetime(2026, 11, 23), "aqi"] == 60
    assert ("320100", datetime(2026, 11, 22), "aqi") not in found
    assert found["320100", datetime(2026, 11, 22), "co_24h"] == 0.8
    assert batch.rows_in == len(found) == 12
    assert piece.problem is None
    assert site.asked[0].query == {"citycode": "320100"}


def test_days_of_another_city_or_none_at_all(fetch):
    days = [city_day(date(2026, 11, 22), CityCode=320200), city_day(date(2026, 11, 21), CityCode=0)]
    span = {"first": datetime(2026, 11, 21), "last": datetime(2026, 11, 23), "adcodes": ["320100"]}
    piece = only(fetch(Reply(days), path=DAYS, name="cnemc-city-days", **span))
    assert reasons(piece.batches[0]) == [("citycode", "not of the city 320100 that was asked for", 7)]
    assert piece.problem is None
    far = {"first": datetime(2026, 1, 1), "last": datetime(2026, 1, 3), "adcodes": ["320100"]}
    piece = only(fetch(Reply(days), path=DAYS, name="cnemc-city-days", **far))
    assert "14 days" in str(piece.problem)
    assert piece.batches[0].rows.num_rows == 7


def test_all_cities_unless_some_are_named(fetch, site):
    pieces = fetch(Reply([]), path=DAYS, name="cnemc-city-days")
    assert len(pieces) == 41
    assert len({asked.query["citycode"] for asked in site.asked}) == 41
    with pytest.raises(InputError, match="999999"):
        fetch(name="cnemc-city-days", adcodes=["999999"])


def test_an_answer_of_which_nothing_is_usable_still_reaches_the_quarantine(fetch):
    piece = only(fetch(Reply([line("no code"), line("none either")])))
    assert "no station with a usable code and hour" in str(piece.problem)
    hours, stations = piece.batches
    assert (hours.rows.num_rows, hours.rows_in) == (0, 10)
    assert (stations.rows.num_rows, stations.rows_in) == (0, 2)
