"""Survey tracks: both known headers, the clock, and what is refused with which reason."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from yrd_airq.errors import InputError
from yrd_airq.sources import survey_track
from yrd_airq.sources.batch import SCHEMAS, Kind

HEAD = "run_id,vehicle_id,t_local,lon,lat,speed_kmh,ws_true,wd_true,tvoc_ppb,toluene_ppb,benzene_ugm3\n"
GOOD = "r1,v,2026-08-18 09:30:00,120.7,31.3,27,3.1,190,12.5,2.5,1.1\n"


def _write(folder: Path, text: str) -> Path:
    path = folder / "drive.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_record_becomes_one_row_a_reading(tmp_path: Path) -> None:
    path = _write(tmp_path, HEAD + GOOD)
    assert survey_track.matches(path)
    batch = survey_track.read(path)
    assert batch.kind is Kind.SURVEY
    assert batch.rows.schema == SCHEMAS[Kind.SURVEY]
    assert batch.refused.num_rows == 0
    first, second, third = batch.rows.to_pylist()
    assert first == {
        "run_id": "r1",
        "time": datetime(2026, 8, 18, 9, 30),
        "lon": 120.7,
        "lat": 31.3,
        "species": "tvoc",
        "value": 12.5,
        "unit": "ppb",
        "wind_speed_ms": 3.1,
        "wind_dir_deg": 190.0,
    }
    assert (second["species"], second["value"], second["unit"]) == ("toluene", 2.5, "ppb")
    assert (third["species"], third["value"], third["unit"]) == ("benzene", 1.1, "ug_m3")


def test_utc_clock_becomes_beijing(tmp_path: Path) -> None:
    text = "run_id,t_utc,lon,lat,tvoc_ppb\nr1,2026-08-18T18:30:00Z,120.7,31.3,5\n"
    row = survey_track.read(_write(tmp_path, text)).rows.to_pylist()[0]
    assert row["time"] == datetime(2026, 8, 19, 2, 30)
    assert row["wind_speed_ms"] is None


def test_indian_clock_is_moved_to_beijing_and_na_is_blank(tmp_path: Path) -> None:
    text = (
        '"","date(LT)","Latitude","Longitude","AE51_BC (ug/m3)","DT8530_PM2.5 (ug/m3)","RH(%)"\n'
        '"1",2019-09-25 09:59:24,13.005,77.62,-3.5,197,0.719\n'
        '"2",2019-09-25 09:59:25,13.005,77.62,NA,157,0.719\n'
    )
    batch = survey_track.read(_write(tmp_path, text))
    rows = batch.rows.to_pylist()
    assert batch.refused.num_rows == 0
    assert [(r["species"], r["value"], r["unit"]) for r in rows] == [
        ("ae51_bc", -3.5, "ug_m3"),
        ("dt8530_pm2.5", 197.0, "ug_m3"),
        ("dt8530_pm2.5", 157.0, "ug_m3"),
    ]
    assert rows[0]["time"] == datetime(2019, 9, 25, 12, 29, 24)
    assert rows[0]["run_id"] == "drive"
    assert (rows[0]["lon"], rows[0]["lat"]) == (77.62, 13.005)


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("120.7", "x", "lon", "no usable longitude"),
        ("31.3", "", "lat", "no usable latitude"),
        ("31.3", "120.7", "lat", "swapped"),
        ("120.7", "220.7", "lon", "swapped"),
        ("120.7,31.3", "0,0", "lon", "no satellite fix"),
        ("2026-08-18 09:30:00", "18/08/2026 9h", "t_local", "not a time"),
        ("2026-08-18 09:30:00", "2026-02-30 09:30:00", "t_local", "not a time"),
        ("r1,", ",", "run_id", "blank"),
    ],
)
def test_bad_lines_are_refused_and_the_rest_is_kept(
    tmp_path: Path, old: str, new: str, field: str, reason: str
) -> None:
    batch = survey_track.read(_write(tmp_path, HEAD + GOOD + GOOD.replace(old, new, 1)))
    assert batch.rows.num_rows == 3
    (refused,) = batch.refused.to_pylist()
    assert (refused["row"], refused["field"]) == (2, field)
    assert reason in refused["reason"]


@pytest.mark.parametrize(
    ("old", "new", "field", "kept"),
    [("12.5", "high", "tvoc_ppb", 2), ("3.1", "-1", "ws_true", 3), ("190", "400", "wd_true", 3)],
)
def test_bad_cells_are_refused_alone(tmp_path: Path, old: str, new: str, field: str, kept: int) -> None:
    batch = survey_track.read(_write(tmp_path, HEAD + GOOD.replace(old, new, 1)))
    assert batch.rows.num_rows == kept
    (refused,) = batch.refused.to_pylist()
    assert (refused["row"], refused["field"], refused["content"]) == (1, field, new)


def test_other_files_do_not_match(tmp_path: Path) -> None:
    path = _write(tmp_path, "run_id,t_local,lon,lat,note\nr,2026-08-18 09:30:00,120,31,x\n")
    assert not survey_track.matches(path)
    with pytest.raises(InputError, match="not a survey track"):
        survey_track.read(path)


def test_real_track(real_data: Path) -> None:
    batch = survey_track.read(real_data / "survey/bengaluru_20190925.csv")
    rows = batch.rows.to_pandas()
    assert batch.refused.num_rows == 0
    counts = rows.groupby("species")["value"].size()
    assert counts["dt8530_pm2.5"] == 3000
    assert counts["ae51_bc_nr"] == 2840
    assert counts["li-cor_co2"] == 2995
    assert rows["time"].min() == datetime(2019, 9, 25, 12, 29, 24)
    assert rows["wind_speed_ms"].isna().all()
