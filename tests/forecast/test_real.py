from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.forecast import real
from yrd_airq.forecast.backtest import backtest
from yrd_airq.forecast.panel import build_panel
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.vocab import CityDaySource, Target, WeatherKind


@pytest.mark.slow
def test_a_winter_of_the_reanalysis_is_forecast_better_than_persistence(real_data: Path) -> None:
    region = load_region()
    daily, weather = real.reanalysis(real_data, region, last="2016-02-29")
    daily = daily[daily["date"] >= "2014-10-01"]
    weather = weather[weather["date"] >= "2014-10-01"]
    panel = build_panel(daily, None, weather, region, source=CityDaySource.REANALYSIS)
    content = load(ForecastSettings, "forecast").model_dump()
    content["with_weather"] |= {"rounds": 80, "learning_rate": 0.15}
    content["network"] |= {"members": 1}
    content["threads"] = 1
    result = backtest(
        panel,
        Target.PM25,
        date(2016, 1, 1),
        date(2016, 2, 29),
        (1, 3),
        date(2015, 12, 31),
        WeatherKind.ANALYSIS,
        ForecastSettings.model_validate(content),
    )
    for lead in ("1", "3"):
        scores = result.scores["models"]["lightgbm"][lead]
        assert scores["skill_vs_persistence"] > 0.25
        assert 0.6 < scores["coverage80"] < 0.95
