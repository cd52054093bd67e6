"""The photochemical box against a reference integration, closed forms and the known shape of isopleths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.conftest import ROOT
from yrd_airq.attribution import grs
from yrd_airq.attribution.box import UGM3_PER_PPB, BoxRun, drive_day, photolysis_of, run_boxes, start_boxes
from yrd_airq.attribution.chemistry import BoxDay, OzoneChemistry
from yrd_airq.attribution.isopleth import (
    base_point,
    calibrate_transition,
    draw_isopleth,
    find_ridge,
    relative_change,
)
from yrd_airq.errors import InputError
from yrd_airq.settings import Marked, load_file

CHEMISTRY = load_file(OzoneChemistry, ROOT / "configs" / "ozone.yaml")
MECHANISM, DAY = CHEMISTRY.mechanism, CHEMISTRY.day


def marked(value: float) -> Marked:
    return Marked(value=value, mark="recalled", confidence="low", source="test")


def changed(day: BoxDay, **values: float) -> BoxDay:
    """The day with other numbers; marked ones keep nothing of their source."""
    fields = {
        name: marked(value) if isinstance(getattr(day, name), Marked) else value
        for name, value in values.items()
    }
    return day.model_copy(update=fields)


CLOSED = changed(
    DAY,
    top_m=DAY.morning_m.value,
    emission_per_hour=0,
    ozone_deposition_cms=0,
    voc_aloft_ppbc=0,
    nox_aloft_ppb=0,
)
"""Nothing enters the box or leaves it."""
EKMA = changed(
    DAY,
    latitude=34,
    day_of_year=172,
    temperature_k=303,
    transmission=1,
    morning_m=510,
    top_m=630,
    grow_from=8,
    grow_until=15,
    start_hour=8,
    emission_per_hour=0,
    ozone_morning_ppb=0,
    ozone_aloft_ppb=0,
    nox_aloft_ppb=0,
    voc_aloft_ppbc=0,
    ozone_deposition_cms=0,
)
"""The standard case of EKMA (Dodge 1977): Los Angeles, 21 June, little dilution, no later emission."""


def by_scipy(day: BoxDay, voc: float, nox: float) -> np.ndarray:
    """Ozone at the box's output times by a stiff solver of scipy at a tight tolerance."""
    drive = drive_day(MECHANISM, day)
    starts, columns = start_boxes(day, drive, np.array([voc]), np.array([nox]))
    work = np.zeros(4)

    def rates(t: float, y: np.ndarray) -> np.ndarray:
        out = np.zeros(len(y))
        grs.derive(drive, t, y, columns[0], work, out)
        return out

    first, last = drive.minutes[0], drive.minutes[-1]
    times = np.arange(first, last + 1, 20.0)
    found = solve_ivp(rates, (first, last), starts[0], "BDF", times, rtol=1e-7, atol=1e-9, max_step=20.0)
    return np.asarray(found.y)


@pytest.mark.parametrize(("voc", "nox"), [(300, 14), (50, 50), (600, 5)])
def test_integration_agrees_with_a_stiff_solver(voc: float, nox: float) -> None:
    run, reference = run_boxes(MECHANISM, DAY, voc, nox), by_scipy(DAY, voc, nox)
    for species in (grs.O3, grs.NO2, grs.NOZ, grs.ROC):
        error = np.abs(run.state[:, species] - reference[species]).max() / reference[species].max()
        assert error < 0.002, grs.SPECIES[species]


def test_smaller_tolerance_is_more_exact() -> None:
    reference = by_scipy(DAY, 100, 30)[grs.O3]
    errors = [
        np.abs(run_boxes(MECHANISM, DAY, 100, 30, tol).ozone_ppb - reference).max() for tol in (1e-2, 1e-5)
    ]
    assert errors[1] < errors[0] / 5


@pytest.mark.parametrize("day", [DAY, CLOSED, EKMA], ids=["open", "closed", "ekma"])
def test_nitrogen_is_conserved(day: BoxDay) -> None:
    run = run_boxes(MECHANISM, day, [[0], [40], [900]], [[1, 10, 80]])
    assert run.nitrogen_error < 1e-9
    assert run.state.min() > -1e-6


def test_emission_and_dilution_by_hand() -> None:
    """An inert gas: M(t) = emission so far, over the height; the air aloft holds none."""
    day = changed(DAY, nox_aloft_ppb=0)
    run = run_boxes(MECHANISM, day, 0, 20)
    drive = drive_day(MECHANISM, day)
    released = 1 + day.emission_per_hour.value * (run.hours - day.start_hour)
    height = np.interp(60 * run.hours, drive.minutes, drive.height)
    assert np.allclose(run.state[:, grs.NITROGEN], 20 * 250 * released / height, rtol=3e-3)


def test_without_voc_the_photostationary_state_holds() -> None:
    run = run_boxes(MECHANISM, changed(CLOSED, ozone_morning_ppb=40), 0, 20)
    at = np.searchsorted(run.hours, [10, 12, 14])
    no, no2, o3 = (run.state[at, k] for k in (grs.NO, grs.NO2, grs.O3))
    sun = photolysis_of(MECHANISM, CLOSED, run.hours[at])
    k4 = MECHANISM.no_by_ozone.at(DAY.temperature_k.value)
    assert np.allclose(o3, sun * no2 / (k4 * no), rtol=0.02)
    oxidant = run.state[:, grs.O3] + run.state[:, grs.NO2]
    assert np.allclose(oxidant, oxidant[0], rtol=1e-9)
    assert run.state[:, grs.NOZ].max() == 0


def test_eight_hour_mean_by_hand() -> None:
    hours = 6 + np.arange(43) / 3
    state = np.zeros((43, len(grs.SPECIES)))
    state[:, grs.O3] = np.clip(hours - 8, 0, 10)
    assert BoxRun(hours, state).mda8_ugm3 == pytest.approx((6 * 7 + 2 * 10) / 8 * UGM3_PER_PPB)
    assert pytest.approx(1.962, abs=1e-3) == UGM3_PER_PPB


def test_photolysis_is_that_of_the_source() -> None:
    """Noon of a midsummer day at the tropic: (4.23e-4 + 1.09e-4) · 1104 · transmission."""
    day = changed(DAY, latitude=23.45, day_of_year=172, transmission=1)
    noon, night = photolysis_of(MECHANISM, day, np.array([12.0, 2.0]))
    assert noon == pytest.approx(5.32e-4 * 1104, rel=1e-3)
    assert night == 0
    curve = photolysis_of(MECHANISM, DAY, np.linspace(5, 19, 1000))
    assert np.abs(np.diff(curve)).max() < 0.01


def test_ozone_falls_or_rises_with_nox_cuts_by_the_ratio() -> None:
    """Low VOC/NOx: less NOx, more ozone; high VOC/NOx: less NOx, less ozone, and VOC hardly matters."""
    low, low_cut = run_boxes(MECHANISM, DAY, 100, [40, 32]).mda8_ugm3
    high, high_cut = run_boxes(MECHANISM, DAY, 600, [8, 6.4]).mda8_ugm3
    assert low_cut > low + 1
    assert high_cut < high - 5
    assert (np.diff(run_boxes(MECHANISM, DAY, np.linspace(0, 300, 7), 20).mda8_ugm3) > 0).all()


def test_ridge_is_where_the_literature_puts_it() -> None:
    """8:1 ppbC/ppb in EKMA diagrams (Dodge 1977; NRC 1991): standard case, 0.3 to 2 ppmC, hourly peak."""
    ratio = np.geomspace(2, 40, 60)
    found = []
    for voc in (300.0, 500.0, 750.0, 1000.0, 1500.0, 2000.0):
        peak = run_boxes(MECHANISM, EKMA, voc, voc / ratio).ozone_ppb.max(axis=-1)
        found.append(ratio[peak.argmax()])
    wanted = CHEMISTRY.surface.ridge_ratio.value
    assert np.median(found) == pytest.approx(wanted, rel=0.2)
    assert min(found) > wanted / 2
    assert max(found) < wanted * 2


def test_ridge_is_the_top_along_nox() -> None:
    nox = find_ridge(CHEMISTRY, 300)
    around = run_boxes(MECHANISM, DAY, 300, [0.9 * nox, nox, 1.1 * nox]).mda8_ugm3
    assert around.argmax() == 1
    voc, base = base_point(CHEMISTRY, 0.5)
    assert (voc, base) == (300, pytest.approx(2 * nox))


def test_isopleth_has_its_parts() -> None:
    drawn = draw_isopleth(CHEMISTRY, [0, 150, 300], [0, 10, 20, 40])
    assert drawn.mda8_ugm3.shape == (4, 3)
    assert np.isnan(drawn.ridge_nox_ppb[0])
    assert drawn.ridge_nox_ppb[2] > drawn.ridge_nox_ppb[1] > 0
    assert drawn.base["voc_limited"][1] > drawn.base["transition"][1] > drawn.base["nox_limited"][1]
    clean = drawn.mda8_ugm3[0, 0]
    assert clean == pytest.approx(80, abs=12)


def test_transition_is_calibrated_on_the_published_removals() -> None:
    position, part = calibrate_transition(CHEMISTRY, 80.0)
    assert position == pytest.approx(CHEMISTRY.surface.position["transition"].value, abs=0.02)
    assert part == pytest.approx(CHEMISTRY.surface.responding_part.value, rel=0.02)


def test_regimes_differ_in_sign() -> None:
    place = {name: mark.value for name, mark in CHEMISTRY.surface.position.items()}
    cut = [relative_change(CHEMISTRY, place[name], [0.1, 0.0], [0.0, 0.1]) for name in place]
    by_voc, by_nox = np.array(cut).T
    names = list(place)
    assert by_nox[names.index("voc_limited")] > 0 > by_nox[names.index("transition")]
    assert by_nox[names.index("nox_limited")] < by_voc[names.index("nox_limited")] < 0
    assert by_voc[names.index("voc_limited")] < by_voc[names.index("nox_limited")]


def test_boxes_refuse_what_cannot_be() -> None:
    with pytest.raises(InputError, match="nought or more"):
        run_boxes(MECHANISM, DAY, -1, 5)
    with pytest.raises(InputError, match="nought or more"):
        run_boxes(MECHANISM, DAY, 10, np.nan)
    with pytest.raises(InputError, match="positive"):
        base_point(CHEMISTRY, 0)
    with pytest.raises(ValueError, match="at least 9 hours"):
        BoxDay.model_validate(DAY.model_dump() | {"end_hour": 12})
