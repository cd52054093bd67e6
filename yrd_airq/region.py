"""The region: 41 cities by adcode, their provinces, boundaries and the zones around a venue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from yrd_airq.errors import InputError
from yrd_airq.settings import Event, Settings, config_dir, load

EARTH_RADIUS_KM = 6371.0088


class City(Settings):
    """One of the 41 prefecture cities; position of its urban stations (WGS84), census population."""

    adcode: str
    name_zh: str
    name_en: str
    province_code: str
    lon: float
    lat: float
    population_10k: float

    @property
    def short_zh(self) -> str:
        """Name without 市, as used in running text and tables."""
        return self.name_zh.removesuffix("市")


class BoundarySettings(Settings):
    """Which outlines the maps draw; replace ``file`` by an approved map and name its 审图号."""

    file: str
    adcode_property: str = "adcode"
    attribution_zh: str
    approval_no: str | None = None


class RegionSettings(Settings):
    """Shape of ``configs/region.yaml``; ``around``: province → place outside the region → lon, lat."""

    provinces: dict[str, str]
    cities: tuple[City, ...]
    adcode_aliases: dict[str, str]
    county_cities: dict[str, str]
    population_source: str
    boundaries: BoundarySettings
    around: dict[str, dict[str, tuple[float, float]]]


@dataclass(frozen=True)
class Region:
    """The cities in a fixed order, with lookup by code, by name and by position."""

    settings: RegionSettings

    @cached_property
    def cities(self) -> tuple[City, ...]:
        """All cities, ordered by adcode; every array with a city axis uses this order."""
        return tuple(sorted(self.settings.cities, key=lambda city: city.adcode))

    @cached_property
    def adcodes(self) -> tuple[str, ...]:
        """Adcodes in the order of ``cities``."""
        return tuple(city.adcode for city in self.cities)

    @cached_property
    def _by_adcode(self) -> dict[str, City]:
        return {city.adcode: city for city in self.cities}

    @cached_property
    def lonlat(self) -> NDArray[np.float64]:
        """Positions of the cities, shape (city, 2), degrees east and north."""
        return np.array([(city.lon, city.lat) for city in self.cities])

    @cached_property
    def around(self) -> dict[str, tuple[float, float]]:
        """Longitude and latitude of the places outside the region, keyed ``province/place``."""
        return {
            f"{province}/{place}": position
            for province, places in self.settings.around.items()
            for place, position in places.items()
        }

    def canonical_adcode(self, adcode: str) -> str | None:
        """The adcode used here for ``adcode`` (310100 → 310000), or None outside the region."""
        code = self.settings.adcode_aliases.get(adcode, adcode)
        return code if code in self._by_adcode else None

    def city(self, adcode: str) -> City:
        """The city of an adcode; ``InputError`` if it is not one of the region."""
        code = self.canonical_adcode(adcode)
        if code is None:
            raise InputError(f"adcode {adcode!r} is not one of the {len(self.cities)} cities of the region")
        return self._by_adcode[code]

    def province_zh(self, adcode: str) -> str:
        """Province name of a city."""
        return self.settings.provinces[self.city(adcode).province_code]

    def adcode_of_name(self, name: str) -> str | None:
        """Adcode of a city's Chinese name, with or without 市; None outside the region.

        County-level cities (昆山, 义乌 …) are not their prefecture: see ``county_cities``.
        """
        return self._by_name.get(name.removesuffix("市"))

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return {city.short_zh: city.adcode for city in self.cities}

    @cached_property
    def boundaries(self) -> dict[str, Any]:
        """City polygons as GeoJSON; each feature carries ``adcode`` in the canonical form."""
        path = config_dir() / self.settings.boundaries.file
        try:
            collection: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise InputError(f"{path}: the boundary file cannot be read: {exc}") from exc
        for feature in collection["features"]:
            code = str(feature["properties"][self.settings.boundaries.adcode_property])
            feature["properties"]["adcode"] = self.canonical_adcode(code) or code
        return collection

    @cached_property
    def polygons(self) -> tuple[shapely.Geometry, ...]:
        """City polygons in the order of ``cities``."""
        found = {
            feature["properties"]["adcode"]: shapely.geometry.shape(feature["geometry"])
            for feature in self.boundaries["features"]
        }
        missing = [code for code in self.adcodes if code not in found]
        if missing:
            raise InputError(f"boundary file lacks the cities {', '.join(missing)}")
        return tuple(found[code] for code in self.adcodes)

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.object_]:
        """Adcode of the city whose polygon holds each point, or None outside the region."""
        points = shapely.points(np.atleast_1d(lon), np.atleast_1d(lat))
        tree = shapely.STRtree(self.polygons)
        point, polygon = tree.query(points, predicate="intersects")
        adcode = np.full(len(points), None, dtype=object)
        adcode[point] = np.array(self.adcodes, dtype=object)[polygon]
        return adcode


@lru_cache(maxsize=4)
def _load_region(folder: str) -> Region:
    return Region(load(RegionSettings, "region"))


def load_region() -> Region:
    """The region of ``configs/region.yaml``."""
    return _load_region(str(config_dir().resolve()))


def distance_km(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> NDArray[np.float64]:
    """Great-circle distance in km between points in degrees, broadcast (haversine)."""
    lam1, phi1, lam2, phi2 = (np.radians(np.asarray(x, dtype=float)) for x in (lon1, lat1, lon2, lat2))
    h = np.sin((phi2 - phi1) / 2) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin((lam2 - lam1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1))))


def zone_index(event: Event, adcode: Sequence[str], lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int64]:
    """Index of the strictest zone of ``event`` that holds each point, −1 outside all zones.

    A zone holds a point by its radius around the venue or by its list of cities (domain rule: the
    strictest zone wins).
    """
    distance = distance_km(lon, lat, event.venue.lon, event.venue.lat)
    code = np.asarray(adcode, dtype=object)
    index = np.full(distance.shape, -1, dtype=np.int64)
    for k in range(len(event.zones) - 1, -1, -1):
        zone = event.zones[k]
        index[(distance <= zone.radius_km) | np.isin(code, zone.adcodes)] = k
    return index
