"""The door for gridded weather: opens a NetCDF file safely, finds its layout and tells what it holds.

Every layout has its module beside this one; ``LAYOUTS`` lists them. Times in files are UTC and become
naive Beijing times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import xarray as xr
from scipy.io import netcdf_file

from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_cams, netcdf_canonical, netcdf_era5, netcdf_model, netcdf_wrf
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, no_refusals
from yrd_airq.sources.files import file_digest
from yrd_airq.sources.netcdf_layout import Cut, Header, Layout

_MAGIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF")
_GRIB = b"GRIB"

LAYOUTS: tuple[Layout, ...] = (
    netcdf_wrf.layout,
    netcdf_era5.pressure,
    netcdf_cams.composition,
    netcdf_model.single,
    netcdf_canonical.canonical,
    netcdf_era5.single,
)
"""Every layout that can be read; a file belongs to the first that matches."""


def matches(path: Path) -> bool:
    """Whether the file begins like NetCDF (classic or HDF5), or GRIB, which ``read`` refuses with advice."""
    try:
        with path.open("rb") as file:
            return file.read(4) in (*_MAGIC, _GRIB)
    except OSError:
        return False


def read(path: Path) -> Batch:
    """The one WEATHER row of a NetCDF file; ``InputError`` if its layout is not known or it is damaged."""
    _check_classic(path)
    with opened(path) as dataset:
        header = describe(dataset, path.name)
        _read_last_step(dataset, header, path.name)
    row = {
        "path": str(path.resolve()),
        "layout": header.layout,
        "kind": header.kind.value,
        "issue_time": None if header.issue_time is None else header.issue_time.to_pydatetime(),
        "first_time": header.stamps[0].to_pydatetime(),
        "last_time": header.stamps[-1].to_pydatetime(),
        "step_hours": float(header.step_hours),
        "lon_min": float(header.lon.min()),
        "lon_max": float(header.lon.max()),
        "lat_min": float(header.lat.min()),
        "lat_max": float(header.lat.max()),
        "variables": ",".join(header.variables),
    }
    rows = pa.Table.from_pylist([row], schema=SCHEMAS[Kind.WEATHER])
    return Batch(Kind.WEATHER, header.layout, path.name, file_digest(path), rows, no_refusals(), rows_in=1)


@contextmanager
def opened(path: Path) -> Iterator[xr.Dataset]:
    """The file as a lazily read dataset; ``InputError`` if it is missing, truncated, GRIB or not NetCDF.

    The engine is named, because letting xarray try every reader on the machine has crashed the process.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weather file; ingest it again from where it is now")
    _refuse_grib(path)
    try:
        dataset = xr.open_dataset(path, engine="netcdf4", decode_timedelta=True)
    except (OSError, RuntimeError, ValueError, KeyError) as exc:
        raise InputError(
            f"{path.name}: cannot be read as NetCDF, perhaps truncated ({exc}); fetch it again"
        ) from exc
    try:
        yield dataset
    except (OSError, RuntimeError) as exc:
        raise InputError(
            f"{path.name}: data cannot be read, perhaps truncated ({exc}); fetch it again"
        ) from exc
    finally:
        dataset.close()


def layout_of(dataset: xr.Dataset, name: str) -> Layout:
    """The layout of an open dataset; ``InputError`` that lists the known ones if it is none of them."""
    found = next((layout for layout in LAYOUTS if layout.matches(dataset)), None)
    if found is None:
        known = "".join(f"\n  - {layout.name}: {layout.looks}" for layout in LAYOUTS)
        held = ", ".join(sorted(str(variable) for variable in dataset.data_vars)[:12]) or "no variables"
        raise InputError(
            f"{name}: not weather of a known layout (holds {held}); known are{known}\n"
            "rename its fields to one of these"
        )
    return found


def describe(dataset: xr.Dataset, name: str) -> Header:
    """Header of an open dataset; ``InputError`` naming the file ``name`` if it does not fit its layout."""
    return layout_of(dataset, name).describe(dataset, name)


def _read_last_step(dataset: xr.Dataset, header: Header, name: str) -> None:
    """Read the last winds (else the first field): a file cut short shows there, before a run needs them."""
    winds = tuple(key for key in ("u10_ms", "v10_ms") if key in header.variables)
    names = winds or header.variables[:1]
    cut = Cut(names, np.array([len(header.stamps) - 1]), slice(None), slice(None))
    for key, field in layout_of(dataset, name).read(dataset, header, cut).items():
        if not np.isfinite(field).any():
            raise InputError(f"{name}: {key} holds no value at {header.stamps[-1]}; fetch the file again")


def _refuse_grib(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) != _GRIB:
            return
    name, new = path.name, f"{path.stem}.nc"
    raise InputError(
        f"{name}: GRIB is not read directly; turn it into NetCDF first, with the extra yrd-airq[grib] by "
        f"`cfgrib to_netcdf -o {new} {name}`, or by `wgrib2 {name} -netcdf {new}`"
    )


def _check_classic(path: Path) -> None:
    """Refuse a classic file that is damaged or cut short, before the NetCDF library sees it.

    That library crashes the process on some damaged headers and gives noughts for data that are missing.
    """
    if not matches(path):
        return
    with path.open("rb") as file:
        if file.read(4) not in _MAGIC[:2]:
            return
        file.seek(0)
        try:
            netcdf_file(file, mmap=False)
        except Exception as exc:
            # A damaged header leads the parser anywhere: value, key, type, index, memory and text errors.
            raise InputError(
                f"{path.name}: is damaged or ends before its data do (truncated); fetch it again"
            ) from exc
