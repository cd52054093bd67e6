"""The target's air around every city: what lies upwind along the winds of the days up to the target day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yrd_airq.forecast.filling import carry, delayed, running_mean
from yrd_airq.forecast.outlook import Outlook
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.upwind import sample, trace_back
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

WINDS = ("u10_ms", "v10_ms")
USUAL_DAYS = 30
PATH_DAYS = 3
"""Days that air is followed back at most; what is older is spread over the whole region."""
_CARRIED_DAYS = 2
_LEAST_UGM3 = 1.0


@dataclass(frozen=True)
class Air:
    """Fields of the last complete day at the cities and around the region, by issue date.

    ``fields`` (field, place, issue date) float32: the logarithm of the target, and of its ratio to the
    place's mean of 30 days. ``lonlat`` (place, 2); the cities come first.
    """

    fields: NDArray[np.float32]
    lonlat: Array
    cities: int

    def drift(self, weather: Sequence[str], panel: Panel) -> dict[str, Array]:
        """What lay upwind of each city by the wind of the last complete day, for every issue date."""
        if not set(WINDS) <= set(weather):
            return {}
        u, v = (self._known_wind(panel, name) for name in WINDS)
        return {f"drift_{name}": a for name, a in self._sampled(np.stack([u]), np.stack([v]))[0].items()}

    def upwind(self, outlook: Outlook, issue: NDArray[np.int64], lead: int) -> dict[str, Array]:
        """What lies upwind along the winds of the target day and the days before it, (city, issue).

        ``upwind1_level`` is the target (log, relative to the city's own last value) where the air of the
        target day was a day before, ``upwind2_…`` two days before, ``upwind_origin_…`` where the path ends
        (after three days, or on the issue date); ``upwind_east/north`` the way to there in degrees.
        """
        if not set(WINDS) <= set(outlook.weather):
            return {}
        newest = np.arange(lead, max(lead - PATH_DAYS, -1), -1)
        u, v = (self._wind(outlook.weather[name])[newest] for name in WINDS)
        steps = self._sampled(u, v, issue, ways=True)
        columns: dict[str, Array] = {}
        for label, step in (("1", steps[0]), ("2", steps[1]), ("_origin", steps[-1])):
            columns |= {f"upwind{label}_{name}": step[name] for name in ("level", "unusual")}
        return columns | {f"upwind_{name}": steps[-1][name] for name in ("east", "north")}

    def weather_upwind(self, outlook: Outlook, names: Sequence[str], lead: int) -> dict[str, Array]:
        """Weather of the day before the target day where its air was then, relative to the city's."""
        if not set(WINDS) <= set(outlook.weather) or lead < 1:
            return {}
        u, v = (self._wind(outlook.weather[name])[lead : lead + 1] for name in WINDS)
        lon, lat = trace_back(self._cities, outlook.lonlat.astype(np.float32), u, v)[0]
        field = np.stack([outlook.weather[name][lead - 1].T for name in names], axis=-1)
        found = sample(lon, lat, outlook.lonlat.astype(np.float32), field)
        own = field[:, : self.cities]
        return {f"{name}_upwind": (found - own)[:, :, k].T for k, name in enumerate(names)}

    @property
    def _cities(self) -> NDArray[np.float32]:
        return self.lonlat[: self.cities].astype(np.float32)

    def _wind(self, wind: NDArray[np.float32]) -> NDArray[np.float32]:
        """Winds at the places of the air; unknown where the weather covers the cities alone."""
        lacking = len(self.lonlat) - wind.shape[1]
        return np.pad(wind, ((0, 0), (0, lacking), (0, 0)), constant_values=np.nan)

    def _known_wind(self, panel: Panel, name: str) -> NDArray[np.float32]:
        wind = panel.weather[name]
        if panel.around is not None and name in panel.around.weather:
            wind = np.concatenate([wind, panel.around.weather[name]])
        known = delayed(carry(wind, _CARRIED_DAYS), 1).astype(np.float32)
        return self._wind(known[None])[0]

    def _sampled(
        self,
        u: NDArray[np.float32],
        v: NDArray[np.float32],
        issue: NDArray[np.int64] | None = None,
        ways: bool = False,
    ) -> list[dict[str, Array]]:
        at = slice(None) if issue is None else issue
        places, field = self.lonlat.astype(np.float32), self.fields[:, :, at].transpose(2, 1, 0)
        own = field[:, : self.cities, 0]
        blank = np.all(np.isnan(u[0, : self.cities]), axis=0)
        found = []
        for lon, lat in trace_back(self._cities, places, u, v):
            values = sample(lon, lat, places, field)
            step = {"level": values[..., 0] - own, "unusual": values[..., 1]}
            if ways:
                step |= {"east": lon - self._cities[:, 0], "north": lat - self._cities[:, 1]}
            found.append({name: np.where(blank[:, None], np.nan, a).T for name, a in step.items()})
        return found


def gather_air(panel: Panel, target: Target, filled: Array) -> Air:
    """The air of ``target`` for every issue date; ``filled`` (city, date): its series without short gaps."""
    values, lonlat = filled, panel.lonlat
    if panel.around is not None and target in panel.around.values:
        values = np.concatenate([values, panel.around.values[target]])
        lonlat = np.concatenate([lonlat, panel.around.lonlat])
    level = np.log(np.maximum(values, _LEAST_UGM3))
    unusual = level - np.log(np.maximum(running_mean(values, USUAL_DAYS), _LEAST_UGM3))
    fields = np.stack([delayed(level, 1), delayed(unusual, 1)]).astype(np.float32)
    return Air(fields, lonlat, len(panel.adcodes))
