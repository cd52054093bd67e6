"""Shape of ``configs/hourly.yaml``: how the hourly models and the station models are trained."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from yrd_airq.forecast.settings import BoostSettings, FoldSettings
from yrd_airq.settings import Settings


class StationSettings(Settings):
    """``min_days``: days of history that a station model needs."""

    min_days: int = Field(gt=0)


class HourlySettings(Settings):
    """Shape of ``configs/hourly.yaml``.

    ``max_rows``: so many rows (city, issue date, hour) are drawn at most to train on, which bounds the time
    for archives of any length, taken from ``max_issues`` evenly spread issue dates at most. ``paths``:
    left-out error courses kept to draw sample courses from. ``folds`` are blocks of issue dates.
    """

    seed: int
    threads: int = Field(gt=0)
    min_train_days: int = Field(ge=60)
    max_rows: int = Field(gt=0)
    max_issues: int = Field(gt=0)
    paths: int = Field(gt=0)
    boost: BoostSettings
    folds: FoldSettings
    stations: StationSettings

    def lightgbm(self) -> dict[str, Any]:
        """LightGBM parameters of a training."""
        return self.boost.parameters(self.seed, self.threads)

    def training_part(self) -> dict[str, Any]:
        """The settings a trained hourly model depends on; they enter its version."""
        return self.model_dump(mode="json", exclude={"stations"})
