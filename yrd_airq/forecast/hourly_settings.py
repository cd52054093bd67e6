"""Shape of ``configs/hourly.yaml``: how the hourly models and the station models are trained."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from yrd_airq.settings import Settings


class HourlyBoostSettings(Settings):
    """LightGBM settings of the hourly models; names as in LightGBM."""

    rounds: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    num_leaves: int = Field(gt=1)
    min_data_in_leaf: int = Field(gt=0)
    feature_fraction: float = Field(gt=0, le=1)
    bagging_fraction: float = Field(gt=0, le=1)
    lambda_l2: float = Field(ge=0)
    extra_trees: bool
    max_bin: int = Field(ge=15, le=255)


class HourlyFoldSettings(Settings):
    """Blocks of issue dates that are left out in turn; issues within ``purge_days`` of them are dropped."""

    count: int = Field(ge=2)
    block_days: int = Field(gt=0)
    purge_days: int = Field(ge=0)


class StationSettings(Settings):
    """``min_days``: days of history that a station model needs."""

    min_days: int = Field(gt=0)


class HourlySettings(Settings):
    """Shape of ``configs/hourly.yaml``.

    ``max_rows``: so many rows (city, issue date, hour) are drawn at most to train on, which bounds the time
    for archives of any length, taken from ``max_issues`` evenly spread issue dates at most. ``paths``:
    left-out error courses kept to draw sample courses from.
    """

    seed: int
    threads: int = Field(gt=0)
    min_train_days: int = Field(ge=60)
    max_rows: int = Field(gt=0)
    max_issues: int = Field(gt=0)
    paths: int = Field(gt=0)
    boost: HourlyBoostSettings
    folds: HourlyFoldSettings
    stations: StationSettings

    def lightgbm(self) -> dict[str, Any]:
        """LightGBM parameters that give the same bytes on every run: fixed seed, threads and row-wise."""
        return {
            "objective": "l2",
            "verbose": -1,
            "seed": self.seed,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "bagging_freq": 1,
            **self.boost.model_dump(exclude={"rounds"}),
        }

    def training_part(self) -> dict[str, Any]:
        """The settings a trained hourly model depends on; they enter its version."""
        return self.model_dump(mode="json", exclude={"stations"})
