"""Small files in the layouts of the feeds, written for a test."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

PLANT_COLUMNS = (
    "enterprise_id,name_zh,province,city,adcode,lon,lat,sector,capacity,capacity_unit,"
    "nox_tpa,so2_tpa,pm_tpa,voc_tpa,emission_basis,source"
)
STATION_LIST_COLUMNS = "监测点编码,监测点名称,城市,经度,纬度"
CITY_COLUMNS = "province,city,date,PM2.5,PM10,SO2,NO2,CO,O3,U,V,TEMP,RH,PSFC,AQI,AQI_rank"


def write_lines(path: Path, *lines: str, bom: bool = False) -> Path:
    """Lines as UTF-8, gzipped where the name ends in .gz."""
    data = ("\ufeff" if bom else "").encode() + ("\n".join(lines) + "\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def write_stations(
    path: Path, rows: Iterable[str], codes: Sequence[str] = ("1141A", "1142A"), bom: bool = False
) -> Path:
    """Hourly station values; a row is ``date,hour,type,value,…`` as text."""
    return write_lines(path, ",".join(["date,hour,type", *codes]), *rows, bom=bom)


def write_station_list(path: Path, *rows: str, background: bool = False) -> Path:
    return write_lines(path, STATION_LIST_COLUMNS + (",对照点" if background else ""), *rows)


def write_city(path: Path, *rows: str) -> Path:
    return write_lines(path, CITY_COLUMNS, *rows)


def city_row(province: str, city: str, day: str, pm25: object = 35, u: object = -1.5) -> str:
    return f"{province},{city},{day},{pm25},60,10,30,0.8,90,{u},2.0,290.5,70,101000,60,二级"


def plant(
    enterprise_id: str = "E1",
    name: str = "某水泥厂",
    adcode: str = "330100",
    lon: object = 120.1,
    lat: object = 30.2,
    nox: object = 100,
    extra: str = "",
) -> str:
    row = (
        f"{enterprise_id},{name},浙江省,杭州市,{adcode},{lon},{lat},cement,1,Mt,{nox},20,30,5,estimated,test"
    )
    return row + (f",{extra}" if extra else "")


def write_plants(path: Path, *rows: str, extra: str = "") -> Path:
    """Enterprise list; ``extra`` names further columns."""
    return write_lines(path, PLANT_COLUMNS + (f",{extra}" if extra else ""), *rows)
