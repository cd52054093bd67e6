"""Response surfaces, regimes and reactivities against hand-worked cases and the published case."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from yrd_airq.attribution.chemistry import OzoneChemistry, SurfaceSettings
from yrd_airq.attribution.reactivity import sector_reactivity
from yrd_airq.attribution.regime import judge_regime, slope_indicator
from yrd_airq.attribution.response import Concentrations
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.attribution.surface import OzoneSurface, response_surface
from yrd_airq.errors import InputError
from yrd_airq.region import load_region
from yrd_airq.settings import load_file
from yrd_airq.vocab import Target

CHEMISTRY = load_file(OzoneChemistry, ROOT / "configs" / "ozone.yaml")
OZONE = load_file(AttributionSettings, ROOT / "configs" / "attribution.yaml").ozone
DAYS = (date(2016, 9, 4), date(2016, 9, 5))
SHANGHAI, HANGZHOU, HUANGSHAN = "310000", "330100", "341000"


def surface_of(
    *receptors: str,
    value: float = 160.2,
    target: Target = Target.O3_MDA8,
    indicators: pd.DataFrame | None = None,
) -> OzoneSurface:
    regime = judge_regime(receptors, DAYS, load_region(), OZONE, CHEMISTRY, indicators)
    observed = Concentrations({target: np.full((len(receptors), len(DAYS)), value)})
    return response_surface(observed, receptors, DAYS, regime, OZONE, CHEMISTRY)[target]


def flat(change: list[list[float]], cuts: tuple[float, ...] = (0, 0.5, 1)) -> OzoneSurface:
    """A surface of one receptor-day made by hand, rows by VOC cut."""
    one = np.ones((1, 1))
    return OzoneSurface(
        (HANGZHOU,),
        DAYS[:1],
        Target.O3_MDA8,
        np.array(cuts),
        np.array(change, dtype=float)[None, None],
        160 * one,
        np.array([["transition"]], dtype=object),
        one,
    )


def indicator(name: str, value: float, adcode: str = HANGZHOU, day: str | None = None) -> pd.DataFrame:
    when = pd.NaT if day is None else pd.Timestamp(day)
    return pd.DataFrame(
        [(adcode, when, name, value, "走航")], columns=["adcode", "date", "indicator", "value", "source_zh"]
    )


def test_published_removals_come_out() -> None:
    """G20: all industry −17.6, all transport −12.3 of 160.2 µg/m³ in Hangzhou; the grid may cost 3 %."""
    surface = surface_of(HANGZHOU)
    for removal in CHEMISTRY.anchor.removals:
        change = surface.delta(removal.voc_cut.value, removal.nox_cut.value)
        assert np.allclose(change, removal.change_ugm3.value, rtol=0.03), removal.name_zh


def test_interpolation_by_hand() -> None:
    surface = flat([[0, 4, -8], [-4, -2, -12], [-10, -12, -20]])
    assert surface.delta(0, 0)[0, 0] == 0
    assert surface.delta(0.5, 0.5)[0, 0] == -2
    assert surface.delta(0.25, 0.25)[0, 0] == pytest.approx((0 + 4 - 4 - 2) / 4)
    assert surface.delta(1, 0.75)[0, 0] == pytest.approx(-16)
    assert surface.gradient[0, 0].tolist() == [-8, 8]
    assert surface.nox_alone_raises.all()
    assert surface.least_voc_per_nox[0, 0] == pytest.approx(1.0)
    assert surface.turning_nox_cut[0, 0] == pytest.approx(0.66)
    assert surface.delta(0.9, 0.0).shape == (1, 1)


@pytest.mark.parametrize("cut", [-0.1, 1.1, np.nan])
def test_cuts_beyond_all_are_refused(cut: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        flat([[0, 0, 0]] * 3).delta(cut, 0)


def test_statement_names_the_rise_and_what_to_do() -> None:
    text = flat([[0, 4, -8], [-4, -2, -12], [-10, -12, -20]]).describe(load_region())["statement_zh"][0]
    assert text == (
        "杭州9月4日削减NOx将使臭氧上升：仅削减NOx 20%时O₃-8h约升高1.6微克/立方米，削减超过66%后才转为下降；"
        "VOCs与NOx的削减比例应不低于1.0:1。"
    )
    useless = flat([[0, 4, 8], [1, 5, 9], [2, 6, 10]])
    assert np.isnan(useless.least_voc_per_nox).all()
    text = useless.describe(load_region())["statement_zh"][0]
    assert "才转为" not in text
    assert "比例" not in text
    text = flat([[0, -1, -2], [-5, -6, -7], [-8, -9, -10]]).describe(load_region())["statement_zh"][0]
    assert text == (
        "杭州9月4日单独削减NOx不会使臭氧上升："
        "削减VOCs 20%约降低2.0微克/立方米、削减NOx 20%约降低0.4微克/立方米（O₃-8h）。"
    )


def test_shanghai_is_warned_and_the_mountains_are_not() -> None:
    surface = surface_of(SHANGHAI, HANGZHOU, HUANGSHAN)
    assert surface.nox_alone_raises[:, 0].tolist() == [True, False, False]
    said = surface.describe(load_region()).set_index("receptor")["statement_zh"]
    assert said[SHANGHAI].iloc[0].startswith("上海9月4日削减NOx将使臭氧上升")
    assert (surface.turning_nox_cut[0] > 0.3).all()
    assert (surface.least_voc_per_nox[0] > 0).all()
    assert (surface.least_voc_per_nox[1:] == 0).all()
    saved = surface.delta(0.3, 0.3) - surface.delta(0.0, 0.3)
    assert (saved[:2] < -4).all()
    assert (np.abs(saved[2]) < 1).all()


def test_air_at_background_does_not_respond() -> None:
    surface = surface_of(SHANGHAI, value=80.0)
    assert (surface.change_ugm3 == 0).all()
    assert "基本不改变" in surface.describe(load_region())["statement_zh"][0]


def test_air_below_the_background_gets_back_what_no_has_taken() -> None:
    surface = surface_of(HANGZHOU, value=60.0)
    # A part of 0.6 of the 20 µg/m³ that are missing; VOC has no say in it.
    assert np.allclose(surface.delta(0.0, 0.5), 6.0)
    assert np.allclose(surface.delta(0.5, 0.5), 6.0)
    assert surface.nox_alone_raises.all()
    text = surface.describe(load_region())["statement_zh"][0]
    assert "削减NOx将使臭氧上升" in text
    assert "比例" not in text


def test_surface_goes_with_the_forecast_above_background() -> None:
    low, high = surface_of(HANGZHOU, value=120.0), surface_of(HANGZHOU, value=200.0)
    assert np.allclose(high.change_ugm3, 3 * low.change_ugm3)
    daily = surface_of(HANGZHOU, value=90.0, target=Target.O3_MEAN)
    assert np.allclose(daily.change_ugm3, low.change_ugm3)


@hypothesis_settings(max_examples=20, deadline=None)
@given(voc=st.floats(0, 1), nox=st.floats(0, 0.5), more=st.floats(0, 1))
def test_more_voc_cut_never_raises_ozone_in_a_core(voc: float, nox: float, more: float) -> None:
    surface = surface_of(SHANGHAI)
    deeper = voc + more * (1 - voc)
    change = surface.delta(voc, nox)
    assert (surface.delta(deeper, nox) <= change + 1e-9).all()
    assert change.min() >= -CHEMISTRY.surface.responding_part.value * 80.2 * 1.25


def test_measured_ratio_sets_regime_and_place() -> None:
    surface = surface_of(HANGZHOU, SHANGHAI, indicators=indicator("voc_nox_ratio", 4.0))
    assert surface.regime[:, 0].tolist() == ["voc_limited", "voc_limited"]
    assert surface.position[0, 0] == pytest.approx(4.0 / 8)
    assert surface.position[1, 0] == CHEMISTRY.surface.position["voc_limited"].value
    assert surface.nox_alone_raises.all()


def test_better_indicators_go_first_and_dated_ones_before_lasting_ones() -> None:
    rows = pd.concat(
        [
            indicator("o3_no2_slope", 0.9),
            indicator("hcho_no2_ratio", 3.0),
            indicator("hcho_no2_ratio", 1.0, day="2016-09-05"),
        ],
        ignore_index=True,
    )
    found = judge_regime((HANGZHOU, SHANGHAI), DAYS, load_region(), OZONE, CHEMISTRY, rows)
    assert found["regime"].tolist() == ["transition", "voc_limited", "voc_limited", "voc_limited"]
    assert found["evidence"][0] == "HCHO/NO₂柱浓度比值为3.00（走航）"
    assert found["regime_zh"][1] == "VOCs控制区"
    assert "经验判断" in found["evidence"][2]
    assert found["position"].isna().all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (indicator("tea_leaves", 1.0), "unknown indicator of the ozone regime: tea_leaves"),
        (indicator("voc_nox_ratio", -1.0), "voc_nox_ratio of 330100: the value -1.0"),
        (indicator("voc_nox_ratio", 1.0, adcode="110000"), "voc_nox_ratio of 110000"),
    ],
)
def test_unusable_indicators_are_named(rows: pd.DataFrame, words: str) -> None:
    with pytest.raises(InputError, match=words):
        judge_regime((HANGZHOU,), DAYS, load_region(), OZONE, CHEMISTRY, rows)


def test_slope_of_days_by_hand() -> None:
    when = pd.date_range("2017-06-01", periods=40)
    no2 = np.linspace(20, 60, 40)
    noise = np.where(np.arange(40) % 2 == 0, 1.0, -1.0)
    days = pd.concat(
        [
            pd.DataFrame(
                {"adcode": SHANGHAI, "date": when, "o3_ugm3": 180 - 1.5 * no2 + noise, "no2_ugm3": no2}
            ),
            pd.DataFrame({"adcode": HANGZHOU, "date": when, "o3_ugm3": 150 + 50 * noise, "no2_ugm3": no2}),
            pd.DataFrame(
                {"adcode": HUANGSHAN, "date": when - pd.Timedelta(days=200), "o3_ugm3": no2, "no2_ugm3": no2}
            ),
        ],
        ignore_index=True,
    )
    found = slope_indicator(days, OZONE, CHEMISTRY, "2017年夏季日均值")
    assert found["adcode"].tolist() == [SHANGHAI]
    assert found["value"].iloc[0] == pytest.approx(-1.5, abs=0.02)
    table = judge_regime((SHANGHAI,), DAYS, load_region(), OZONE, CHEMISTRY, found)
    assert table["regime"].unique().tolist() == ["voc_limited"]


def test_reactivity_by_sector() -> None:
    got = sector_reactivity(pd.Series(["chemical", "coating", "thermal_power_coal"]), CHEMISTRY)
    assert got.tolist() == [1.12, 0.79, 1.0]


def test_settings_refuse_a_grid_that_does_not_reach() -> None:
    raw = CHEMISTRY.surface.model_dump()
    for cuts in ((0.1, 1.0), (0.0, 0.5), (0.0, 0.5, 0.5, 1.0)):
        with pytest.raises(ValueError, match="rise from 0 to 1"):
            SurfaceSettings.model_validate(raw | {"cuts": cuts})
    with pytest.raises(ValueError, match="reactivities must be positive"):
        OzoneChemistry.model_validate(
            CHEMISTRY.model_dump() | {"other_sectors": {"value": 0, "mark": "derived", "source": "x"}}
        )


def test_what_was_measured_is_named_in_the_settings() -> None:
    """A ratio measured at Hangzhou on one day: that day by it, the other by the table."""
    row = {
        "adcode": HANGZHOU,
        "indicator": "voc_nox_ratio",
        "value": 4.0,
        "source_zh": "在线监测",
        "day": DAYS[0],
    }
    told = OzoneChemistry.model_validate({**CHEMISTRY.model_dump(), "observed": [row]})
    found = judge_regime((HANGZHOU,), DAYS, load_region(), OZONE, told, told.observed_table)
    assert found["regime"].tolist()[:2] == ["voc_limited", "transition"]
    assert "VOCs/NOx比值为4.00（在线监测" in found["evidence"].iloc[0]
    assert CHEMISTRY.observed_table.empty
