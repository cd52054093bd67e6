"""The outlines of the 41 cities: complete, without gaps, and around their cities."""

from __future__ import annotations

import numpy as np
import shapely

from yrd_airq.region import load_region
from yrd_airq.settings import config_dir


def test_outlines_form_one_coverage() -> None:
    region = load_region()
    polygons = np.array(region.polygons)
    assert len(polygons) == 41
    assert shapely.is_valid(polygons).all()
    assert shapely.coverage_is_valid(polygons)


def test_every_city_lies_in_its_own_outline() -> None:
    region = load_region()
    assert region.locate(*region.lonlat.T).tolist() == list(region.adcodes)
    assert region.locate([120.236, 114.0, 124.0], [30.23, 30.0, 31.0]).tolist() == ["330100", None, None]


def test_area_is_that_of_the_region() -> None:
    region = load_region()
    lat = region.lonlat[:, 1]
    km2 = shapely.area(np.array(region.polygons)) * 111.2**2 * np.cos(np.radians(lat))
    assert 340_000 < km2.sum() < 365_000  # 35.8 million hectares by the yearbooks


def test_file_is_small_and_coarse() -> None:
    file = config_dir() / "boundaries.geojson"
    assert file.stat().st_size < 400_000
    region = load_region()
    xy = shapely.get_coordinates(np.array(region.polygons))
    assert np.allclose(xy, np.round(xy, 4), atol=1e-9)
    assert [f["properties"]["adcode"] for f in region.boundaries["features"]] == list(region.adcodes)
