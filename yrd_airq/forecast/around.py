"""Air and weather at places around the region, laid out on the calendar of the panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.vocab import Target

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Around:
    """Places outside the region whose air may drift in.

    ``lonlat`` (place, 2) in the order of ``places``; ``values`` (place, date) by target in µg/m³ (CO mg/m³)
    and ``weather`` (place, date) by variable; NaN is missing.
    """

    places: tuple[str, ...]
    lonlat: Array
    values: Mapping[Target, Array]
    weather: Mapping[str, Array]

    def change(
        self, values: Callable[[Array], Array], weather: Callable[[Array], Array] | None = None
    ) -> Around:
        """The same places with every array changed; ``weather`` as ``values`` unless given."""
        sky = weather or values
        return replace(
            self,
            values={target: values(array) for target, array in self.values.items()},
            weather={name: sky(array) for name, array in self.weather.items()},
        )


def lay_out_around(rows: pd.DataFrame, dates: pd.DatetimeIndex, variables: tuple[str, ...]) -> Around:
    """``rows`` (place, lon, lat, date, name, value) as arrays; ``name`` is a target or one of ``variables``.

    Days off the calendar are left out. ``InputError`` for another name, or a value given twice.
    """
    allowed = {*(target.value for target in Target), *variables}
    odd = sorted(set(rows["name"]) - allowed)
    if odd:
        raise InputError(f"places around the region: unknown variables {', '.join(odd[:5])}")
    if rows.duplicated(["place", "date", "name"]).any():
        twice = rows[rows.duplicated(["place", "date", "name"])].iloc[0]
        raise InputError(f"{twice['place']}: {twice['name']} of {twice['date']:%Y-%m-%d} is given twice")
    where = rows.drop_duplicates("place").sort_values("place", kind="stable")
    places = pd.Index(where["place"])
    arrays: dict[str, Array] = {}
    for name, part in rows.groupby("name", sort=True):
        place, day = places.get_indexer(part["place"]), dates.get_indexer(pd.DatetimeIndex(part["date"]))
        inside = day >= 0
        array = np.full((len(places), len(dates)), np.nan)
        array[place[inside], day[inside]] = part["value"].to_numpy(dtype=float)[inside]
        arrays[str(name)] = array
    targets = {target.value: target for target in Target}
    return Around(
        tuple(places),
        where[["lon", "lat"]].to_numpy(dtype=float),
        {targets[name]: array for name, array in arrays.items() if name in targets},
        {name: array for name, array in arrays.items() if name in variables},
    )
