"""Made-up results of the rooms, in their real shapes, for the tests of the brief."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.brief.compose import Issue, Results, compose
from yrd_airq.brief.content import Brief, InputUsed, Lineage, ModelUsed
from yrd_airq.brief.review import Hindsight
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.control.listing import LIST_COLUMNS
from yrd_airq.control.plan import Plan
from yrd_airq.region import load_region, zone_index
from yrd_airq.settings import Event, load_event
from yrd_airq.transport.trajectory import Member, Trajectories
from yrd_airq.vocab import CityDaySource, Precursor, Target, WeatherKind

ISSUE = datetime(2016, 9, 2, 16)
NASTY = '杭州#1*化工_厂[二期]@东区 $5 <b>A&B</b> "=SUM(A1)" `x` \\n'
MEASURES = {"limit_30": "限产30%", "stop": "停产（安全停车）", "": ""}
REASONS = {
    "selected": "位于杭州东北方向42公里上风向，VOCs排放居前，绩效等级C，预计降低O₃-8h 0.5μg/m³。",
    "exempt": "保障类：城市供热，杭政函〔2016〕12号",
    "voluntary": "绩效等级A，自主减排",
    "not_selected": "单位负担改善低于入选企业，列为备选。",
}
TARGETS = {"o3_mda8": 120.0, "pm25": 42.0, "pm10": 70.0, "no2": 35.0}


def make_event() -> Event:
    """The G20 event of the project's configuration."""
    return load_event(Path(__file__).parents[2] / "configs" / "events" / "g20-hangzhou-2016.yaml")


def make_forecasts(leads: int = 5, converted: bool = False, scale: float = 1.0) -> pd.DataFrame:
    """All cities, smooth in space, a little worse day by day; with persistence rows beside the model."""
    rng = np.random.default_rng(7)
    region = load_region()
    frames = []
    for lead in range(1, leads + 1):
        for target, level in TARGETS.items():
            mean = level * scale * (1 + 0.25 * np.sin(region.lonlat[:, 1] + lead) + 0.05 * lead)
            mean = mean * (1 + 0.08 * rng.standard_normal(len(mean)))
            limit = {"o3_mda8": 160, "pm25": 75}.get(target, 150)
            model = "lightgbm+ratio" if converted and target == "o3_mda8" else "lightgbm"
            for name, bump in ((model, 0.0), ("persistence", 5.0)):
                frames.append(
                    pd.DataFrame(
                        {
                            "adcode": region.adcodes,
                            "issue_time": pd.Timestamp(ISSUE),
                            "valid_date": pd.Timestamp(ISSUE.date() + timedelta(days=lead)),
                            "lead_day": lead,
                            "target": target,
                            "model": name,
                            "mean": mean + bump,
                            "q10": mean * 0.72,
                            "q50": mean + bump,
                            "q90": mean * 1.32,
                            "p_exceed": np.clip((mean * 1.32 - limit) / (mean * 0.6), 0, 1),
                            "call_from": 0.3,
                            "weather_kind": WeatherKind.FORECAST.value,
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True)


def make_observed(days: int = 10, targets: dict[str, float] | None = None) -> pd.DataFrame:
    """City-days up to the day before the issue."""
    rng = np.random.default_rng(3)
    region = load_region()
    frames = []
    for back in range(1, days + 1):
        for target, level in (targets or TARGETS | {"so2": 12.0, "co": 0.8}).items():
            value = level * (1 + 0.3 * np.sin(region.lonlat[:, 0] + back)) + rng.normal(0, 0.04 * level, 41)
            frames.append(
                pd.DataFrame(
                    {
                        "adcode": region.adcodes,
                        "date": pd.Timestamp(ISSUE.date() - timedelta(days=back)),
                        "target": target,
                        "value": value,
                        "valid_stations": 8,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def make_weather(leads: int = 5) -> pd.DataFrame:
    """Daily weather of all cities, analysis before the issue and forecast after it."""
    region = load_region()
    frames = []
    for lead in range(-2, leads + 1):
        turn = np.radians(45 + 30 * lead)
        frames.append(
            pd.DataFrame(
                {
                    "adcode": region.adcodes,
                    "date": pd.Timestamp(ISSUE.date() + timedelta(days=lead)),
                    "kind": "forecast" if lead > 0 else "analysis",
                    "u10_ms": -2.2 * np.sin(turn) + 0.02 * region.lonlat[:, 0] - 2.4,
                    "v10_ms": -2.2 * np.cos(turn),
                    "wind_ms": 2.6 - 0.2 * lead,
                    "t2m_c": 27.0 + 0.4 * lead,
                    "rh_pct": 74.0 - lead,
                    "sp_hpa": 1008.0,
                    "wind_from_daily_vector": False,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def make_trajectories(receptors: tuple[str, ...] = ("330100",)) -> Trajectories:
    """Parcels that came from the north-east, fanned out by member; some leave the wind grid."""
    region = load_region()
    members = tuple(Member(r, s) for r in (-15.0, 0.0, 15.0) for s in (0.8, 1.0, 1.2))
    arrivals = pd.date_range("2016-09-03 06:00", "2016-09-06 00:00", freq="6h")
    age = np.arange(0, 49, dtype=float)
    shape = (len(receptors), len(arrivals), len(members), len(age))
    place = np.array([(region.city(code).lon, region.city(code).lat) for code in receptors])
    turn = np.radians([30 + 6 * k for k in range(len(arrivals))])[:, None] + np.radians(
        [m.rotation_deg for m in members]
    )
    speed = np.array([m.speed_ratio for m in members])[None, :, None] * 0.075
    bend = turn[..., None] + 0.01 * age
    lon = np.cumsum(np.sin(bend) * speed * np.r_[0, np.ones(48)], axis=-1)
    lat = np.cumsum(np.cos(bend) * speed * np.r_[0, np.ones(48)], axis=-1)
    lon = np.broadcast_to(lon, shape) + place[:, None, None, :1]
    lat = np.broadcast_to(lat, shape) + place[:, None, None, 1:]
    outside = lon > 123.4
    return Trajectories(
        lon=np.where(outside, np.nan, lon),
        lat=np.where(outside, np.nan, lat),
        arrivals=arrivals,
        receptors=receptors,
        members=members,
        step_minutes=60,
        lon_edges=(112.0, 126.0),
        lat_edges=(26.0, 36.0),
        kind=WeatherKind.FORECAST,
    )


def make_enterprises(count: int = 140, event: Event | None = None) -> pd.DataFrame:
    """An enterprise list around the venue; the first one has a name full of markup."""
    rng = np.random.default_rng(11)
    region = load_region()
    event = event or make_event()
    lon, lat = event.venue.lon + rng.normal(0, 0.9, count), event.venue.lat + rng.normal(0, 0.7, count)
    adcode = region.locate(lon, lat)
    adcode = np.where(adcode == None, "330100", adcode)  # noqa: E711  (elementwise)
    sectors = ["石化", "钢铁", "水泥", "工业涂装", "包装印刷", "制药", "火电"]
    names = [
        f"{region.city(a).short_zh}{s}有限公司{k:03d}"
        for k, (a, s) in enumerate(zip(adcode, rng.choice(sectors, count), strict=True))
    ]
    names[0] = NASTY
    return pd.DataFrame(
        {
            "enterprise_id": [f"91330100MA{k:08d}" for k in range(count)],
            "name_zh": names,
            "adcode": adcode,
            "lon": lon,
            "lat": lat,
            "sector": rng.choice(sectors, count),
            "grade": rng.choice(["A", "B", "C", "D", ""], count, p=[0.1, 0.3, 0.35, 0.2, 0.05]),
        }
    )


def make_plan(enterprises: pd.DataFrame, event: Event, status: str = "optimal") -> Plan:
    """A plan in the control room's shape: most enterprises selected, some exempt or voluntary."""
    rng = np.random.default_rng(5)
    table = enterprises.copy()
    region = load_region()
    zone = zone_index(event, table["adcode"].tolist(), table["lon"], table["lat"])
    names = np.array([*(z.name_zh for z in event.zones), ""], dtype=object)
    table["zone"], table["city_zh"] = names[zone], [region.city(a).name_zh for a in table["adcode"]]
    states = np.array(["selected", "selected", "selected", "exempt", "voluntary", "not_selected"])
    table["status"] = states[np.arange(len(table)) % 6]
    order = {"selected": 0, "not_selected": 1, "exempt": 2, "voluntary": 3}
    table = table.sort_values("status", key=lambda s: s.map(order), kind="stable").reset_index(drop=True)
    chosen = (table["status"] == "selected").to_numpy()
    table["rank"] = pd.Series(np.arange(1, len(table) + 1), dtype="Int64").where(chosen)
    table["measure_code"] = np.where(chosen, rng.choice(["limit_30", "stop"], len(table)), "")
    table["measure_zh"] = table["measure_code"].map(MEASURES)
    table["start"] = np.where(chosen, event.control_start.isoformat(), "")
    table["end"] = np.where(chosen, event.end.isoformat(), "")
    for precursor, scale in zip(Precursor, (900, 1500, 200, 400), strict=True):
        value = np.round(rng.gamma(1.2, scale, len(table)), 1)
        table[f"reduction_{precursor}_kgd"] = np.where(chosen, value, np.nan)
    table.loc[3, "reduction_so2_kgd"] = np.nan
    falling = np.exp(-np.arange(len(table)) / 25)
    table["benefit_o3_ugm3"] = np.where(chosen, np.round(0.6 * falling - 0.01, 3), np.nan)
    table["benefit_pm25_ugm3"] = np.where(chosen, np.round(0.2 * falling, 3), np.nan)
    table["cost_cny"] = np.where(chosen, np.round(rng.gamma(2, 150000, len(table))), np.nan)
    table["stability"] = np.round(rng.uniform(0.4, 1, len(table)), 2)
    table["evidence"] = "后向轨迹溯源；排污许可"
    table["reason_zh"] = table["status"].map(REASONS)
    return Plan(
        status=status,  # type: ignore[arg-type]
        list=table[list(LIST_COLUMNS)],
        receptors=make_receptors(event, short=4.2 if status == "infeasible_relaxed" else 0.0),
        objective=812.0,
        gap=0.001,
        bound=811.2,
        seconds=1.4,
        curve=pd.DataFrame(
            {
                "scenario_zh": [
                    "不管控",
                    "推荐方案前一半企业",
                    "推荐方案（优化）",
                    "最强措施（上限）",
                ],
                "enterprises": [0, 35, 70, 120],
                "cost_index": [0.0, 410.0, 812.0, 2310.0],
                "benefit_o3_mda8_ugm3": [0.0, 6.9, 9.4, 12.1],
                "benefit_pm25_ugm3": [0.0, 2.0, 2.9, 4.0],
                "goals_missed": [4, 2, 0, 0],
                "worst_shortfall_ugm3": [10.0, 4.0, 0.0, 0.0],
            }
        ),
        notes=("有3家企业排放量未知，不能评估、未列入。", "预计效益为线性估算。"),
        outcomes=table[["enterprise_id", "status"]].assign(why_zh=""),
    )


def make_receptors(event: Event, short: float) -> pd.DataFrame:
    """Requirement rows for two days and two targets."""
    rows = [
        (event.receptors[0], day, target, forecast, goal, forecast - goal, forecast - goal - short, short)
        for day in (event.start, event.end)
        for target, forecast, goal in (("o3_mda8", 168.4, 160.0), ("pm25", 38.1, 35.0))
    ]
    columns = ["adcode", "date", "target", "forecast_q", "goal"]
    columns += ["required_ugm3", "achieved_ugm3", "shortfall_ugm3"]
    return pd.DataFrame(rows, columns=columns)


def make_attribution(receptor: str = "330100") -> Attribution:
    """Budgets that close, and an ozone regime; the arrays are empty, as the brief does not read them."""
    parts = [
        ("背景", "background", 0.38),
        ("区外传输", "outside", 0.14),
        ("石化", "enterprise_sector", 0.09),
        ("工业涂装", "enterprise_sector", 0.08),
        ("水泥", "enterprise_sector", 0.04),
        ("钢铁", "enterprise_sector", 0.04),
        ("包装印刷", "enterprise_sector", 0.03),
        ("本市（杭州）清单外源", "city", 0.12),
        ("浙江省其他城市清单外源", "city", 0.05),
        ("江苏省清单外源", "city", 0.03),
    ]
    days = (date(2016, 9, 3), date(2016, 9, 4), date(2016, 9, 5))
    rows = [
        (receptor, pd.Timestamp(day), target, part, kind, total * share, share)
        for day in days
        for target, total in (("pm25", 38.0), ("o3_mda8", 155.0))
        for part, kind, share in parts
    ]
    columns = ["receptor", "date", "target", "part_zh", "kind", "contribution_ugm3", "share"]
    regime = pd.DataFrame({"receptor": receptor, "date": pd.DatetimeIndex(days), "regime": "voc_limited"})
    empty = np.zeros((1, 3, 0, 4))
    return Attribution(
        receptors=(receptor,),
        days=days,
        enterprise_id=(),
        precursors=tuple(Precursor),
        share=empty,
        unlisted_share=np.zeros((1, 3, 41, 4)),
        outside_share=np.ones((1, 3, 4)),
        sensitivity={Target.O3_MDA8: empty},
        stability=np.zeros(0),
        budget=pd.DataFrame(rows, columns=columns),
        regime=regime,
        unknown=pd.DataFrame({"enterprise_id": [], "reason": []}),
        notes=(),
        kind=WeatherKind.FORECAST,
    )


def make_scores() -> pd.DataFrame:
    """Scores of the model and of persistence for two targets and three leads."""
    rows = []
    for target, base in (("o3_mda8", 24.0), ("pm25", 12.0)):
        for lead in (1, 2, 3):
            worse = base * (1 + 0.15 * lead)
            rows.append(("lightgbm", target, lead, 1230, worse, 0.8, 1.2, 0.24, 0.79))
            rows.append(("persistence", target, lead, 1230, worse / 0.76, 0.7, 0.1, 0.0, np.nan))
    columns = ["model", "target", "lead_day", "n", "rmse", "r", "bias", "skill_vs_persistence", "coverage80"]
    return pd.DataFrame(rows, columns=columns)


def make_hindsight() -> Hindsight:
    """What was observed after the issue in the venue's city, persistence beside it."""
    rows = [
        ("330100", pd.Timestamp(ISSUE.date() + timedelta(days=lead)), target, value, 120.0)
        for lead in (1, 2, 3)
        for target, value in (("o3_mda8", 118.0 + 30 * lead), ("pm25", 31.0 + lead))
    ]
    columns = ["adcode", "valid_date", "target", "observed", "persistence"]
    return Hindsight(pd.DataFrame(rows, columns=columns), make_scores())


def make_survey(enterprises: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two hotspots, one of them traced."""
    hotspots = pd.DataFrame(
        {
            "hotspot_id": ["R1-H01", "R1-H02"],
            "indicator": "toluene",
            "unit": "ppb",
            "lon": [120.35, 120.5],
            "lat": [30.31, 30.12],
            "peak": [212.0, 88.0],
        }
    )
    traced = pd.DataFrame(
        {
            "hotspot_id": ["R1-H01"],
            "enterprise_id": [enterprises["enterprise_id"].iloc[0]],
            "distance_m": [830.0],
            "weight": [0.71],
            "evidence": ["较可能"],
        }
    )
    return hotspots, traced


def make_lineage() -> Lineage:
    """Two inputs and two models."""
    return Lineage(
        inputs=(
            InputUsed(kind_zh="站点小时监测", name="sites.csv", content_hash="ab" * 32, rows=23100),
            InputUsed(kind_zh="企业清单", name="enterprises.csv", content_hash="cd" * 32, rows=140),
        ),
        models=(
            ModelUsed(target=Target.O3_MDA8, version="o3_mda8-3f2a", trained_until=date(2016, 8, 20)),
            ModelUsed(target=Target.PM25, version="pm25-77b1", note_zh="D+1—D+5"),
        ),
        settings_hash="5e1f0c",
        code_version="0.1.0",
        methods_zh=("预报采用LightGBM分位数回归，逐城市逐时效；基准为持续性预报。",),
    )


def make_event_brief(**changes: object) -> Brief:
    """A full event brief; ``changes`` replace fields of the results."""
    event = make_event()
    enterprises = make_enterprises(event=event)
    hotspots, traced = make_survey(enterprises)
    given: dict[str, object] = {
        "forecasts": make_forecasts(),
        "observed": make_observed(),
        "observed_source": CityDaySource.STATIONS,
        "lineage": make_lineage(),
        "weather": make_weather(),
        "trajectories": make_trajectories(),
        "attribution": make_attribution(),
        "plan": make_plan(enterprises, event),
        "enterprises": enterprises,
        "hotspots": hotspots,
        "traced": traced,
        "scores": make_scores(),
        "hindsight": make_hindsight(),
        "notes_zh": ("企业清单为演练数据。",),
    }
    results = Results(**(given | changes))  # type: ignore[arg-type]
    issue = Issue(
        run_id="run-20160902T1600-4c1d",
        issue_time=ISSUE,
        data_cutoff=datetime(2016, 9, 2, 15),
        event=event,
        drill=True,
        hindcast=True,
    )
    return compose(issue, results, load_region(), load_brief_settings())


def make_daily_brief(**changes: object) -> Brief:
    """A daily bulletin with nothing but forecasts, observations and weather."""
    given: dict[str, object] = {
        "forecasts": make_forecasts(leads=7),
        "observed": make_observed(),
        "observed_source": CityDaySource.STATIONS,
        "lineage": make_lineage(),
        "weather": make_weather(),
        "scores": make_scores(),
    }
    issue = Issue(run_id="run-d", issue_time=ISSUE, data_cutoff=datetime(2016, 9, 2, 15))
    results = Results(**(given | changes))  # type: ignore[arg-type]
    return compose(issue, results, load_region(), load_brief_settings())
