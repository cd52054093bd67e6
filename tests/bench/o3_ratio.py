"""How the daily ozone maximum (MDA8) follows from the daily mean: regression by month on station data.

Prints the table behind ``o3_mda8_from_mean`` in ``configs/forecast.yaml``. Run from the project root:
``python -m tests.bench.o3_ratio`` (reads the folder named by YRD_AIRQ_REAL_DATA).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from tests.forecast import real
from yrd_airq.region import load_region


def regress(days: pd.DataFrame) -> pd.DataFrame:
    """Per month: n, intercept, slope, r and residual sd of MDA8 = intercept + slope · mean; µg/m³."""
    wide = days.pivot(index=["adcode", "date"], columns="target", values="value")[
        ["o3_mean", "o3_mda8"]
    ].dropna()
    month = wide.index.get_level_values("date").month
    lines = []
    for number, part in wide.groupby(month):
        x, y = part["o3_mean"].to_numpy(), part["o3_mda8"].to_numpy()
        slope, intercept = np.polyfit(x, y, 1)
        residual = y - intercept - slope * x
        lines.append((number, len(x), intercept, slope, np.corrcoef(x, y)[0, 1], residual.std(ddof=2)))
    return pd.DataFrame(lines, columns=["month", "n", "intercept", "slope", "r", "residual_sd"]).set_index(
        "month"
    )


if __name__ == "__main__":
    folder = Path(os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data"))
    region = load_region()
    hours = real.city_hours(real.station_hours(folder), folder, region)
    print(regress(real.city_days(hours)).round(2).to_string())  # noqa: T201
