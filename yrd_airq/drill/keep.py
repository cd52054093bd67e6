"""How the world's truth is kept on disk beside its files, where no feed and no reader of files ever looks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.drill.state import State
from yrd_airq.drill.stations import Network, Truth
from yrd_airq.errors import InputError
from yrd_airq.vocab import Pollutant

_STATIONS = "stations.npz"
_STATE = "air_{:%Y%m%d}.npy"


@dataclass(frozen=True)
class Course:
    """How the air of a world went: the truth at the stations and states of the air at some midnights."""

    truth: Truth
    states: dict[pd.Timestamp, State]


def keep_course(folder: Path, course: Course, enterprises: pd.DataFrame) -> None:
    """Write the truth below ``folder``: hourly values of the stations, states of the air, enterprises."""
    folder.mkdir(parents=True, exist_ok=True)
    hours = course.truth.times.to_numpy("datetime64[h]").astype(np.int64)
    values = np.stack([course.truth.values[pollutant] for pollutant in Pollutant]).astype(np.float32)
    np.savez(folder / _STATIONS, hours=hours, values=values)
    for time, state in course.states.items():
        np.save(folder / _STATE.format(time), state.values)
    text = enterprises.to_csv(index=False, lineterminator="\n")
    (folder / "true_enterprises.csv").write_text(text, encoding="utf-8")


def read_course(folder: Path, network: Network) -> Course:
    """What ``keep_course`` wrote; ``InputError`` if the folder holds no truth."""
    try:
        with np.load(folder / _STATIONS) as file:
            times = pd.DatetimeIndex(file["hours"].astype("datetime64[h]").astype("datetime64[ns]"))
            values = dict(zip(Pollutant, file["values"], strict=True))
    except FileNotFoundError as exc:
        raise InputError(f"{folder}: holds no truth of a drill; make the world again") from exc
    states = {}
    for path in sorted(folder.glob("air_*.npy")):
        time = pd.Timestamp(path.stem.removeprefix("air_"))
        states[time] = State(time, np.load(path))
    return Course(Truth(times, values, network), states)
