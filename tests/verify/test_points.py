from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from yrd_airq.verify.points import score_points


def score(p: list[float], o: list[float]) -> dict[str, float]:
    found = score_points(xr.DataArray(p, dims="case"), xr.DataArray(o, dims="case"), ["case"])
    return {str(name): float(value) for name, value in found.items()}


def test_every_score_by_hand() -> None:
    """P = 2, 4, 9; O = 4, 4, 6: errors -2, 0, 3; mean O 14/3, variation of O 8/3, of P 26, covariance 7."""
    s = score([2.0, 4.0, 9.0, np.nan], [4.0, 4.0, 6.0, 5.0])
    assert s["n"] == 3
    assert s["mb"] == pytest.approx(1 / 3)
    assert s["mae"] == pytest.approx(5 / 3)
    assert s["rmse"] == pytest.approx(np.sqrt(13 / 3))
    assert s["nmb"] == pytest.approx(1 / 14)
    assert s["nme"] == pytest.approx(5 / 14)
    assert s["mfb"] == pytest.approx(2 / 3 * (-2 / 6 + 0 + 3 / 15))
    assert s["mfe"] == pytest.approx(2 / 3 * (2 / 6 + 3 / 15))
    # covariance sum: (2-5)(4-14/3) + (4-5)(4-14/3) + (9-5)(6-14/3) = 2 + 2/3 + 16/3 = 8
    r = 8 / np.sqrt(26 * 8 / 3)
    assert s["r"] == pytest.approx(r)
    assert s["r2_det"] == pytest.approx(1 - 13 / (8 / 3))
    # |P - mean| + |O - mean| in thirds of a unit: 8 + 2, 2 + 2, 13 + 4
    assert s["ioa"] == pytest.approx(1 - 13 / ((10**2 + 4**2 + 17**2) / 9))
    assert s["fac2"] == 1.0
    slope = 8 / (8 / 3)
    fitted = 5 + slope * (np.array([4, 4, 6]) - 14 / 3)
    assert s["rmse_u"] == pytest.approx(np.sqrt(np.mean((np.array([2, 4, 9]) - fitted) ** 2)))


def test_factor_of_two_counts_its_bounds_and_needs_both_values() -> None:
    assert score([2.0, 8.0, 1.9, 8.1, np.nan], [4.0] * 4 + [1.0])["fac2"] == 0.5


def test_undefined_scores_are_missing_not_zero() -> None:
    flat = score([1.0, 2.0], [3.0, 3.0])
    assert np.isnan([flat["r"], flat["r2_det"]]).all()
    clean = score([1.0, 2.0], [0.0, 0.0])
    assert np.isnan([clean["nmb"], clean["nme"]]).all()
    nothing = score([np.nan], [1.0])
    assert nothing["n"] == 0
    assert all(np.isnan(value) for name, value in nothing.items() if name != "n")


def test_dimensions_left_over_are_kept() -> None:
    p = xr.DataArray([[1.0, 2.0], [3.0, 5.0]], dims=("model", "case"))
    found = score_points(p, xr.DataArray([1.0, 1.0], dims="case"), ["case"])
    np.testing.assert_allclose(found["mb"], [0.5, 3.0])
