"""Shares, responses and budgets against cases worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from yrd_airq.attribution.chemistry import OzoneChemistry
from yrd_airq.attribution.diagrams import part_ranges, sector_rose, stacked_bars
from yrd_airq.attribution.emissions import city_shares, take_inventory
from yrd_airq.attribution.matrix import Attribution, attribute, member_shares
from yrd_airq.attribution.settings import AttributionSettings, MarkedTable
from yrd_airq.errors import InputError
from yrd_airq.region import load_region
from yrd_airq.settings import Marked, load
from yrd_airq.transport.footprint import Footprint
from yrd_airq.transport.nearfield import NearField
from yrd_airq.transport.trajectory import Member
from yrd_airq.vocab import Precursor, Target, WeatherKind

LAT, LON = np.arange(24.5, 38.0, 1.0), np.arange(110.5, 124.0, 1.0)
DAYS = (date(2016, 9, 4), date(2016, 9, 5))
MEMBERS = (Member(0.0, 1.0), Member(15.0, 1.0))
NOX, VOC, PM, SO2 = range(4)


def ground(
    weight: np.ndarray | None = None, *, outside: float = 0.1, receptors: tuple[str, ...] = ("330100",)
) -> Footprint:
    """A footprint with the given weights (broadcast to all axes), by default even over the grid."""
    shape = (4, len(receptors), 2, 2, len(LAT), len(LON))
    cells = np.broadcast_to(np.ones((len(LAT), len(LON))) if weight is None else weight, shape).astype(float)
    cells = cells / cells.sum(axis=(-1, -2), keepdims=True) * (1 - outside)
    beyond = np.zeros((*shape[:4], 2))
    beyond[..., 1] = outside
    return Footprint(cells, beyond, LAT, LON, receptors, DAYS, MEMBERS, WeatherKind.ANALYSIS)


def plants(**columns: list[object]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    base: dict[str, object] = {
        "enterprise_id": [f"E{k}" for k in range(count)],
        "name_zh": [f"厂{k}" for k in range(count)],
        "adcode": ["330100"] * count,
        "lon": [120.5] * count,
        "lat": [30.5] * count,
        "sector": ["steel"] * count,
        "nox_tpa": [1000.0] * count,
        "voc_tpa": [1000.0] * count,
        "pm_tpa": [1000.0] * count,
        "so2_tpa": [1000.0] * count,
    }
    return pd.DataFrame(base | columns)


def observed(receptors: tuple[str, ...] = ("330100",), **values: float) -> pd.DataFrame:
    rows = [
        (code, pd.Timestamp(day), target, value)
        for code in receptors
        for day in DAYS
        for target, value in (values or {"pm25": 40.0, "o3_mda8": 160.0}).items()
    ]
    return pd.DataFrame(rows, columns=["adcode", "date", "target", "value"])


def rules() -> AttributionSettings:
    return load(AttributionSettings, "attribution")


def run(
    enterprises: pd.DataFrame,
    values: pd.DataFrame | None = None,
    chemistry: OzoneChemistry | None = None,
    **kwargs: object,
) -> Attribution:
    made = ground(**kwargs)  # type: ignore[arg-type]  # test sugar
    values = observed(made.receptors) if values is None else values
    return attribute(made, enterprises, values, load_region(), rules(), chemistry)


def with_lags(made: Footprint) -> Footprint:
    """The same footprint, a quarter of all of it emitted on the day before."""
    mean = made.by_precursor.mean(axis=3)
    return replace(made, by_lag=np.stack([0.75 * mean, 0.25 * mean]))


def closes(result: Attribution) -> None:
    total = result.share.sum(axis=2) + result.unlisted_share.sum(axis=2) + result.outside_share
    assert np.allclose(total, 1.0, atol=1e-12)
    assert min(result.share.min(), result.unlisted_share.min(), result.outside_share.min()) >= 0
    spread = result.spread
    assert spread is not None
    assert (spread.share_low <= result.share).all()
    assert (spread.share_high >= result.share).all()
    assert len(spread.budget) == len(result.budget)
    keys = ["receptor", "date", "target", "part_zh", "kind"]
    assert spread.budget[keys].equals(result.budget[keys])
    assert (spread.budget["low_share"] <= result.budget["share"]).all()
    assert (spread.budget["high_share"] >= result.budget["share"]).all()
    assert (spread.budget["low_ugm3"] >= 0).all()
    if len(result.budget):
        sums = result.budget.groupby(["receptor", "date", "target"])["share"].sum()
        assert np.allclose(sums, 1.0, atol=1e-9)
        assert (result.budget["share"] >= 0).all()


def test_share_by_hand() -> None:
    """Even footprint: a source's share is its emission per cell area; all sources add up in t/km²."""
    result = run(plants(nox_tpa=[3000.0, 1000.0]))
    closes(result)
    made, region, settings = ground(), load_region(), rules()
    inventory = take_inventory(plants(nox_tpa=[3000.0, 1000.0]), region, made, settings.emissions)
    assert inventory.unlisted[:, NOX].sum() == pytest.approx(3_235_000 - 4000)
    weight = 0.9 / made.by_precursor[0, 0, 0, 0].size
    area = made.cell_area_km2
    plant = weight / area[6] * 3000.0
    cities = city_shares(region, LAT, LON) / (city_shares(region, LAT, LON) * area[:, None]).sum(
        (1, 2), keepdims=True
    )
    rest = (weight * cities.sum(axis=(1, 2)) * inventory.unlisted[:, NOX]).sum()
    beyond = (
        weight * inventory.background[NOX].sum() + 0.1 * settings.emissions.land_tpa_km2[Precursor.NOX].value
    )
    total = plant * 4 / 3 + rest + beyond
    assert result.share[0, 0, 0, NOX] == pytest.approx(plant / total, rel=1e-9)
    assert result.share[0, 0, 1, NOX] == pytest.approx(plant / 3 / total, rel=1e-9)
    assert result.outside_share[0, 0, NOX] == pytest.approx(beyond / total, rel=1e-9)


def test_sensitivity_by_hand() -> None:
    result = run(plants(lon=[120.5, 116.5]))
    share, settings = result.share, rules()
    pm25 = settings.mass[Target.PM25]
    excess = 40 - pm25.background_ugm3.value
    answer = np.array([pm25.answer(p, cold=False) for p in Precursor])
    assert np.allclose(result.sensitivity[Target.PM25], share * excess * answer)
    transition = settings.ozone.regimes["transition"]
    ozone = result.sensitivity[Target.O3_MDA8]
    excess = 160 - settings.ozone.background_ugm3[Target.O3_MDA8].value
    assert np.allclose(ozone[..., VOC], share[..., VOC] * excess * transition.voc.value)
    assert np.allclose(ozone[..., NOX], share[..., NOX] * excess * transition.nox.value)
    assert (ozone[..., [PM, SO2]] == 0).all()


def test_nitrogen_cuts_raise_ozone_in_a_voc_limited_city() -> None:
    result = run(plants(lon=[121.5], lat=[31.5], adcode=["310000"]), receptors=("310000",))
    assert result.regime["regime"].unique().tolist() == ["voc_limited"]
    assert (result.sensitivity[Target.O3_MDA8][..., NOX] < 0).all()
    assert (result.sensitivity[Target.O3_MDA8][..., VOC] > 0).all()
    closes(result)


def test_regime_has_evidence_and_the_cold_season_its_own() -> None:
    result = run(plants(lon=[120.5]), receptors=("330100", "320700"))
    assert "G20" in result.regime.loc[result.regime["receptor"] == "330100", "evidence"].iloc[0]
    assert "默认" in result.regime.loc[result.regime["receptor"] == "320700", "evidence"].iloc[0]
    made = ground()
    winter = Footprint(
        made.by_precursor,
        made.outside,
        LAT,
        LON,
        ("330100",),
        (date(2016, 1, 4), date(2016, 1, 5)),
        MEMBERS,
        made.kind,
    )
    values = observed().assign(date=lambda frame: frame["date"] - pd.Timedelta(days=244))
    cold = attribute(winter, plants(lon=[120.5]), values, load_region(), rules())
    assert set(cold.regime["regime"]) == {"voc_limited"}


def test_all_enterprises_together_never_claim_more_than_was_found() -> None:
    weight = np.zeros((len(LAT), len(LON)))
    weight[6, 10] = 1
    result = run(plants(voc_tpa=[5e6, 4e6], nox_tpa=[5e6, 4e6]), weight=weight, outside=0.0)
    gain = np.maximum(result.sensitivity[Target.O3_MDA8], 0).sum(axis=(2, 3))
    assert np.allclose(gain, 0.105 * 160)
    assert (result.regime["cap_factor"] < 1).all()
    assert any("上限" in note for note in result.notes)
    small = run(plants(voc_tpa=[5.0, 4.0]))
    assert (small.regime["cap_factor"] == 1).all()


def test_unknown_emission_is_no_contribution_and_no_vanishing() -> None:
    result = run(plants(nox_tpa=[np.nan, 1000.0, 1000.0], lon=[120.5, 120.5, np.nan]))
    assert result.enterprise_id == ("E0", "E1", "E2")
    assert (result.share[:, :, 0, NOX] == 0).all()
    assert (result.share[:, :, 0, VOC] > 0).all()
    assert (result.share[:, :, 2] == 0).all()
    found = result.unknown.set_index(["enterprise_id", "precursor"])["reason"]
    assert found["E0", "nox"] == "emission unknown"
    assert found["E2", "voc"] == "position unknown"
    assert len(found) == 5
    assert any("2家企业" in note for note in result.notes)


def test_more_emission_is_more_share_and_less_for_the_rest() -> None:
    one, two = (run(plants(nox_tpa=[x, 2e4])) for x in (1e4, 2e4))
    assert (two.share[:, :, 0, NOX] > one.share[:, :, 0, NOX]).all()
    assert (two.share[:, :, 1, NOX] < one.share[:, :, 1, NOX]).all()
    assert np.array_equal(one.share[..., SO2], two.share[..., SO2])


def test_order_of_the_list_is_kept_and_does_not_matter() -> None:
    frame = plants(lon=[120.5, 118.5, 119.5], nox_tpa=[1.0, 500.0, 3000.0])
    one, two = run(frame), run(frame.iloc[::-1])
    assert two.enterprise_id == ("E2", "E1", "E0")
    assert np.allclose(one.share, two.share[:, :, ::-1])


def test_plant_that_no_air_passed_gives_nothing() -> None:
    weight = np.zeros((len(LAT), len(LON)))
    weight[6:8, 9:12] = 1
    result = run(plants(lon=[120.5, 116.5, 115.5], lat=[30.5, 33.5, 32.5]), weight=weight)
    assert (result.share[:, :, 1:] == 0).all()
    assert result.stability.tolist() == [1.0, 0.0, 0.0]


def test_stability_counts_members() -> None:
    weight = np.zeros((4, 1, 2, 2, len(LAT), len(LON)))
    weight[:, :, :, 0, 6, 10] = 1
    weight[:, :, :, 1, 8, 7] = 1
    result = run(plants(lon=[120.5, 117.5], lat=[30.5, 32.5]), weight=weight)
    assert result.stability.tolist() == [0.5, 0.5]


def test_list_beyond_the_regional_total_leaves_no_negative_rest() -> None:
    inventory = take_inventory(plants(so2_tpa=[9e6]), load_region(), ground(), rules().emissions)
    region = load_region()
    zhejiang = np.array([city.province_code == "330000" for city in region.cities])
    assert (inventory.unlisted[zhejiang, SO2] == 0).all()
    assert (inventory.unlisted[~zhejiang] > 0).all()
    assert any("已达到" in note for note in run(plants(so2_tpa=[9e6])).notes)


def test_unlisted_emission_goes_by_population_within_a_province() -> None:
    region = load_region()
    inventory = take_inventory(plants(nox_tpa=[0.0]), region, ground(), rules().emissions)
    a, b = (region.adcodes.index(code) for code in ("320100", "320500"))
    people = [region.cities[k].population_10k for k in (a, b)]
    assert inventory.unlisted[a, NOX] / inventory.unlisted[b, NOX] == pytest.approx(people[0] / people[1])
    area = ground().cell_area_km2[:, None]
    assert np.allclose((inventory.city_density * area).sum(axis=(1, 2)), 1.0)


def test_open_sea_is_cleaner_than_land_around() -> None:
    inventory = take_inventory(plants(nox_tpa=[0.0]), load_region(), ground(), rules().emissions)
    east, west, north = inventory.background[NOX][[7, 7, 13], [13, 1, 8]]
    assert east == rules().emissions.sea_tpa_km2[Precursor.NOX].value
    assert west == north == rules().emissions.land_tpa_km2[Precursor.NOX].value
    assert inventory.background[NOX][8, 9] == pytest.approx(0.0, abs=1e-9)


def test_budget_names_and_numbers() -> None:
    result = run(plants(sector=["steel", "cement", "strange"], lon=[120.5, 120.5, 119.5]))
    budget = result.budget
    assert set(budget["kind"]) == {"enterprise_sector", "city", "outside", "background"}
    one = budget[(budget["target"] == "pm25") & (budget["date"] == "2016-09-04")].set_index("part_zh")
    assert {"钢铁", "水泥", "strange", "本市（杭州）清单外源", "浙江省其他城市清单外源", "区外传输"} <= set(
        one.index
    )
    assert one.loc["背景", "contribution_ugm3"] == pytest.approx(
        rules().mass[Target.PM25].background_ugm3.value
    )
    assert one["contribution_ugm3"].sum() == pytest.approx(40.0, abs=1e-9)
    pm25 = rules().mass[Target.PM25]
    # What came from the steel works; what a cut of it would bring is less.
    steel = result.share[0, 0, 0] @ [pm25.fraction(p) * (40 - pm25.background_ugm3.value) for p in Precursor]
    assert one.loc["钢铁", "contribution_ugm3"] == pytest.approx(steel)
    assert result.sensitivity[Target.PM25][0, 0, 0].sum() < steel


def test_nitrogen_cuts_bring_less_particles_in_the_cold_season() -> None:
    made = ground()
    winter = replace(made, days=(date(2016, 12, 4), date(2016, 12, 5)))
    values = observed().assign(date=lambda rows: rows["date"] + pd.Timedelta(days=91))
    cold = attribute(winter, plants(lon=[120.5]), values, load_region(), rules())
    warm = attribute(made, plants(lon=[120.5]), observed(), load_region(), rules())
    ratio = cold.response[Target.PM25] / warm.response[Target.PM25]
    efficacy = rules().mass[Target.PM25].efficacy
    assert efficacy is not None
    assert np.allclose(ratio[..., NOX], efficacy.cold.values["nox"] / efficacy.warm.values["nox"])
    assert np.allclose(ratio[..., PM], 1.0)


def test_air_cleaner_than_background_is_all_background() -> None:
    result = run(plants(lon=[120.5]), observed(pm25=3.0))
    assert (result.sensitivity[Target.PM25] == 0).all()
    assert result.budget["part_zh"].unique().tolist() == ["背景"]
    closes(result)


def test_targets_without_a_rule_are_left_out() -> None:
    result = run(plants(lon=[120.5]), observed(pm25=30.0, co=0.8))
    assert set(result.sensitivity) == {Target.PM25}


@pytest.mark.parametrize(
    ("frame", "values", "words"),
    [
        (plants(enterprise_id=["A", "A"]), None, "enterprise A is listed twice"),
        (plants(nox_tpa=[-1.0]), None, "enterprise E0 has a negative emission"),
        (plants(lon=[120.5]).iloc[:0], None, "list is empty"),
        (plants(lon=[120.5]), observed().iloc[:3], "o3_mda8: no concentration for 330100 on 2016-09-05"),
        (plants(lon=[120.5]), observed().iloc[:0], "no concentration given"),
        (plants(lon=[120.5]), pd.concat([observed(), observed()]), "more than one concentration"),
    ],
)
def test_unusable_input_is_named(frame: pd.DataFrame, values: pd.DataFrame | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(frame, values)


def test_settings_refuse_shares_that_do_not_add_up() -> None:
    raw = rules().emissions.model_dump()
    raw["province_share"]["nox"]["values"]["310000"] = 0.5
    with pytest.raises(ValueError, match="province_share of nox must add up to 1"):
        type(rules().emissions).model_validate(raw)
    with pytest.raises(ValueError, match="confidence"):
        MarkedTable(values={"a": 1.0}, mark="recalled", source="x")
    with pytest.raises(ValueError, match="confidence"):
        Marked(value=1.0, mark="recalled", source="x")


def two_ways() -> np.ndarray:
    """One member's air comes over E0 (120.5 E, 30.5 N), the other's over E1 (117.5 E, 32.5 N)."""
    weight = np.zeros((4, 1, 2, 2, len(LAT), len(LON)))
    weight[:, :, :, 0, 6, 10] = 1
    weight[:, :, :, 1, 8, 7] = 1
    return weight


def test_spread_is_what_the_members_say_apart() -> None:
    frame = plants(lon=[120.5, 117.5], lat=[30.5, 32.5], sector=["steel", "cement"])
    result = run(frame, weight=two_ways())
    closes(result)
    spread = result.spread
    assert spread is not None
    alone = member_shares(ground(two_ways()), frame, load_region(), rules(), "330100")
    assert alone.listed.shape == (2, 2, 2, 4)
    total = alone.listed.sum(axis=2) + alone.unlisted.sum(axis=2) + alone.outside
    assert np.allclose(total, 1, atol=1e-12)
    assert np.array_equal(spread.share_high[0], alone.listed.max(axis=1))
    assert (spread.share_low == 0).all()
    assert np.allclose(result.share[0] / spread.share_high[0], result.share[0] / alone.listed.max(axis=1))
    ranges = part_ranges(result, Target.PM25).set_index(["date", "part_zh"])
    steel = ranges.loc[(pd.Timestamp(DAYS[0]), "钢铁")]
    assert steel["low_ugm3"] == 0 < steel["contribution_ugm3"] < steel["high_ugm3"]
    rule = rules().mass[Target.PM25]
    fraction = np.array([rule.fraction(p) for p in Precursor])
    expected = (40 - rule.background_ugm3.value) * (alone.listed[0, 0, 0] @ fraction)
    assert steel["high_ugm3"] == pytest.approx(expected)
    with pytest.raises(InputError, match="no receptor 310000"):
        member_shares(ground(), frame, load_region(), rules(), "310000")


def test_members_that_agree_leave_no_spread() -> None:
    result = run(plants(lon=[120.5, 117.5]))
    assert result.spread is not None
    assert np.allclose(result.spread.budget["low_share"], result.budget["share"])
    assert np.allclose(result.spread.budget["high_share"], result.budget["share"])


def test_chemistry_counts_voc_by_reactivity_and_keeps_mass_for_particles() -> None:
    frame = plants(lon=[120.5, 120.5], sector=["chemical", "coating"])
    chemistry = load(OzoneChemistry, "ozone")
    plain, weighed = run(frame), run(frame, chemistry=chemistry)
    closes(weighed)
    assert np.array_equal(plain.share, weighed.share)
    assert np.array_equal(plain.sensitivity[Target.PM25], weighed.sensitivity[Target.PM25])
    assert plain.ozone_voc_share is not None
    assert np.array_equal(plain.ozone_voc_share, plain.share[..., VOC])
    ofp = weighed.ozone_voc_share
    assert ofp is not None
    assert np.allclose(ofp[..., 0] / ofp[..., 1], 1.12 / 0.79)
    mass, rest = plain.share[..., VOC], 1 - plain.share[..., VOC].sum(axis=-1)
    total = mass[..., 0] * 1.12 + mass[..., 1] * 0.79 + rest
    assert np.allclose(ofp[..., 0], mass[..., 0] * 1.12 / total)
    surface = weighed.surfaces[Target.O3_MDA8]
    slope = -surface.gradient
    ozone = weighed.sensitivity[Target.O3_MDA8]
    assert np.allclose(ozone[..., VOC], ofp * slope[..., None, 0])
    assert np.allclose(ozone[..., NOX], plain.share[..., NOX] * slope[..., None, 1])
    assert plain.surfaces == {}


def test_chemistry_warns_of_the_rise_in_the_notes() -> None:
    chemistry = load(OzoneChemistry, "ozone")
    core = run(plants(lon=[121.5], lat=[31.5]), chemistry=chemistry, receptors=("310000", "330100"))
    assert (core.sensitivity[Target.O3_MDA8][0, ..., NOX] < 0).all()
    assert (core.sensitivity[Target.O3_MDA8][1, ..., NOX] > 0).all()
    said = [note for note in core.notes if "单独削减NOx将使臭氧上升" in note]
    assert len(said) == 1
    assert said[0].startswith("上海处于")
    town = run(plants(lon=[120.5]), chemistry=chemistry)
    assert not any("上升" in note for note in town.notes)


def test_rose_and_bars_add_up() -> None:
    frame = plants(
        lon=[120.2, 121.5, 120.2, np.nan],
        lat=[31.5, 30.3, 29.0, 30.0],
        sector=["steel", "cement", "steel", "steel"],
    )
    result = run(frame)
    rose = sector_rose(result, frame, load_region(), rules(), Target.PM25)
    assert rose[["direction_zh", "sector_zh"]].to_numpy().tolist() == [
        ["北", "钢铁"],
        ["东", "水泥"],
        ["南", "钢铁"],
    ]
    fraction = np.array([rules().mass[Target.PM25].fraction(p) for p in Precursor])
    assert rose["share"].sum() == pytest.approx((result.share @ fraction).mean(axis=1).sum())
    ozone = sector_rose(result, frame, load_region(), rules(), Target.O3_MDA8)
    weight = rules().ozone.budget_voc_weight.value
    expected = (weight * result.share[..., VOC] + (1 - weight) * result.share[..., NOX]).mean(axis=1).sum()
    assert ozone["share"].sum() == pytest.approx(expected)
    bars = stacked_bars(result, Target.PM25)
    assert np.allclose(bars.sum(axis=1), 40.0)
    assert bars.sum().is_monotonic_decreasing
    with pytest.raises(InputError, match="that was attributed"):
        sector_rose(result, frame.iloc[:2], load_region(), rules(), Target.PM25)
    with pytest.raises(InputError, match="not attributed"):
        sector_rose(result, frame, load_region(), rules(), Target.CO)


def test_plume_takes_the_place_of_the_footprint_near_by() -> None:
    frame = plants(lon=[120.5, 117.5], lat=[30.5, 32.5])
    made = replace(ground(), strength_sm=np.full((4, 1, 2, 2), 2e3))
    near = NearField(
        sources=(np.array([0]),),
        value=(np.full((4, 2, 2, 1), 1e-6),),
        part=(np.array([1.0]),),
        receptors=made.receptors,
        days=made.days,
        members=made.members,
        count=2,
    )
    far = attribute(made, frame, observed(), load_region(), rules())
    both = attribute(made, frame, observed(), load_region(), rules(), near=near)
    closes(both)
    at = made.per_km2_at(0, frame["lon"], frame["lat"])[PM, 0, 0]
    assert far.share[0, 0, 0, PM] / far.share[0, 0, 1, PM] == pytest.approx(at[0] / at[1])
    assert both.share[0, 0, 0, PM] / both.share[0, 0, 1, PM] == pytest.approx(1e-6 * 1e6 / 2e3 / at[1])
    gases = [index for index in range(4) if index != PM]
    assert np.array_equal(both.share[..., gases], far.share[..., gases]), "what gases form takes hours"
    off = rules().model_copy(update={"near_field": False})
    unused = attribute(made, frame, observed(), load_region(), off, near=near)
    assert np.array_equal(unused.share, far.share)


@hypothesis_settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), outside=st.floats(0, 0.99), count=st.integers(1, 30))
def test_it_always_closes(seed: int, outside: float, count: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.exponential(size=(4, 1, 2, 2, len(LAT), len(LON))) ** 6
    amounts = rng.lognormal(6, 3, size=(4, count))
    amounts[rng.random(amounts.shape) < 0.2] = np.nan
    columns: dict[str, list[object]] = dict(
        zip(("nox_tpa", "voc_tpa", "pm_tpa", "so2_tpa"), amounts.tolist(), strict=True)
    )
    columns["sector"] = rng.choice(["steel", "coating", "chemical", "odd"], count).tolist()
    frame = plants(lon=list(rng.uniform(108, 126, count)), lat=list(rng.uniform(22, 40, count)), **columns)
    values = observed(
        pm25=float(rng.uniform(0, 300)), o3_mda8=float(rng.uniform(0, 300)), no2=50.0, so2=9.0, pm10=80.0
    )
    chemistry = load(OzoneChemistry, "ozone") if seed % 2 else None
    result = attribute(ground(weight, outside=outside), frame, values, load_region(), rules(), chemistry)
    closes(result)
    for target in (Target.PM25, Target.PM10, Target.NO2, Target.SO2):
        assert (result.sensitivity[target] >= 0).all()
    assert ((result.stability >= 0) & (result.stability <= 1)).all()


def test_particles_go_by_what_the_gases_have_turned_into() -> None:
    near, far = np.zeros((len(LAT), len(LON))), np.zeros((len(LAT), len(LON)))
    near[6, 10], far[6, 4] = 1.0, 1.0
    frame = plants(lon=[LON[10], LON[4]], lat=[LAT[6], LAT[6]])
    gases, particles = with_lags(ground(near)), with_lags(ground(far))
    result = attribute(gases, frame, observed(), load_region(), rules(), particles=particles, detail=True)
    assert (result.sensitivity[Target.PM25][:, :, 0] == 0).all()
    assert (result.sensitivity[Target.PM25][:, :, 1].sum(axis=-1) > 0).all()
    assert (result.sensitivity[Target.O3_MDA8][:, :, 1] == 0).all()
    assert (result.member_share[Target.PM25][:, :, :, 0] == 0).all()
    for target, share in result.member_share.items():
        by_members = share.mean(axis=0) * result.response[target][:, :, None, :]
        assert np.allclose(by_members, result.sensitivity[target], rtol=1e-5)
    assert np.allclose(result.lag_share[Target.PM25][0, :, :, 1, NOX], [0.75, 0.25])
    totals = result.budget.groupby(["receptor", "date", "target"])["share"].sum()
    assert np.allclose(totals, 1.0)
