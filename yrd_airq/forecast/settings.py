"""Shape of ``configs/forecast.yaml``: when, how far and with which model settings forecasts are made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from yrd_airq.settings import Marked, Settings


class BoostSettings(Settings):
    """LightGBM settings of the mean models; names as in LightGBM."""

    rounds: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    num_leaves: int = Field(gt=1)
    min_data_in_leaf: int = Field(gt=0)
    feature_fraction: float = Field(gt=0, le=1)
    bagging_fraction: float = Field(gt=0, le=1)
    lambda_l2: float = Field(ge=0)
    extra_trees: bool
    max_bin: int = Field(ge=15, le=255)

    def parameters(self, seed: int, threads: int) -> dict[str, Any]:
        """LightGBM parameters that give the same bytes on every run: fixed seed, threads and row-wise."""
        return {
            "objective": "l2",
            "verbose": -1,
            "seed": seed,
            "num_threads": threads,
            "deterministic": True,
            "force_row_wise": True,
            "bagging_freq": 1,
            **self.model_dump(exclude={"rounds"}),
        }


class NetworkSettings(Settings):
    """The small networks: ``members`` a fold, ``hidden`` units a layer, ``penalty`` of squared weights.

    ``epochs_beside``: epochs where the rows of the neighbouring leads are learnt as well.
    """

    members: int = Field(gt=0)
    hidden: tuple[int, ...]
    penalty: float = Field(ge=0)
    epochs: int = Field(gt=0)
    epochs_beside: int = Field(gt=0)
    batch: int = Field(gt=0)
    learning_rate: float = Field(gt=0)


class FoldSettings(Settings):
    """Time blocks that are left out in turn; a member is trained without each of the folds.

    ``block_days`` per block, dealt to ``count`` folds in turn; training rows within ``purge_days`` of a
    left-out block are dropped.
    """

    count: int = Field(ge=2)
    block_days: int = Field(gt=0)
    purge_days: int = Field(ge=0)

    def fold_of(self, days: NDArray[np.int64]) -> NDArray[np.int64]:
        """Fold of each day, given as positions on a calendar."""
        return days // self.block_days % self.count

    def near(self, days: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which days lie in or beside a block of each fold, (fold, day).

        Days beside a left-out block share its weather situation, so they are dropped from training too.
        """
        around = self.fold_of(days[:, None] + np.arange(-self.purge_days, self.purge_days + 1))
        return np.stack([(around == k).any(axis=1) for k in range(self.count)])


class FeatureSettings(Settings):
    """Groups of features: ``groups`` gives the patterns of names of each, ``without`` groups left out.

    ``components`` and ``known_components``: how many principal components of the weather ahead, and of the
    last complete day, there are.
    """

    groups: dict[str, tuple[str, ...]]
    without: tuple[str, ...]
    components: int = Field(gt=0)
    known_components: int = Field(gt=0)

    @model_validator(mode="after")
    def _known_groups(self) -> FeatureSettings:
        unknown = sorted(set(self.without) - set(self.groups))
        if unknown:
            raise ValueError(
                f"without: no feature group {', '.join(unknown)}; there are {', '.join(self.groups)}"
            )
        return self


class WeatherErrorSettings(Settings):
    """Error of a daily weather forecast of one variable: standard deviation ``first`` on the issue date,
    growing by ``per_day``; in the variable's unit, or as a share of its value if ``relative``.
    """

    first: Marked
    per_day: Marked
    relative: bool = False


class ErrorModel(Settings):
    """How forecast weather errs; ``regional`` is the share of the error variance that all cities have in
    common, ``lasting`` the correlation of the errors of consecutive days of one forecast.
    """

    regional: Marked
    lasting: Marked
    variables: dict[str, WeatherErrorSettings]


class RatioSettings(Settings):
    """MDA8 = ``intercept`` + ``slope`` · daily mean of ozone, with the spread that remains; µg/m³."""

    intercept: Marked
    slope: Marked
    residual_sd: Marked


class ForecastSettings(Settings):
    """Shape of ``configs/forecast.yaml``.

    ``o3_mda8_from_mean`` is keyed by calendar month 1 … 12. ``damping_per_day`` is the share of a
    departure from the recent mean that is left after one day, for the fallback without a model. Members of
    the blend with less than ``least_weight`` are left out; ``ridge_penalty`` is by row. A blend trained on
    ``n`` days, less than a year, counts n / (n + ``normal_days`` · lead day), the running mean the rest.
    """

    issue_hour: int = Field(ge=1, le=23)
    leads: tuple[int, ...]
    hold_back_days: int = Field(ge=0)
    min_train_days: int = Field(gt=0)
    seed: int
    threads: int = Field(gt=0)
    today_dropout: float = Field(ge=0, lt=1)
    features: FeatureSettings
    damping_per_day: Marked
    with_weather: BoostSettings
    without_weather: BoostSettings
    network: NetworkSettings
    ridge_penalty: float = Field(gt=0)
    least_weight: float = Field(ge=0, lt=0.3)
    normal_days: Marked
    folds: FoldSettings
    weather_error: ErrorModel
    o3_mda8_from_mean: dict[int, RatioSettings]

    @model_validator(mode="after")
    def _complete(self) -> ForecastSettings:
        if sorted(self.o3_mda8_from_mean) != list(range(1, 13)):
            raise ValueError("o3_mda8_from_mean needs the months 1 … 12")
        if not self.leads or min(self.leads) < 1:
            raise ValueError("leads are days ahead, 1 or more")
        return self

    def boost(self, weather: bool) -> BoostSettings:
        """Mean-model settings with or without the weather ahead."""
        return self.with_weather if weather else self.without_weather

    def lightgbm(self, weather: bool) -> dict[str, Any]:
        """LightGBM parameters of a training; one thread, as leads are trained side by side."""
        return self.boost(weather).parameters(self.seed, 1)

    def training_part(self) -> dict[str, Any]:
        """The settings a trained model depends on; they enter its version."""
        return self.model_dump(
            mode="json",
            include={
                "issue_hour",
                "seed",
                "today_dropout",
                "features",
                "with_weather",
                "without_weather",
                "network",
                "ridge_penalty",
                "least_weight",
                "normal_days",
                "folds",
                "weather_error",
            },
        )
