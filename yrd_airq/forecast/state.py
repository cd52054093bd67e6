"""A model as named arrays and back, and a file of arrays with the same bytes for the same content.

Everything but the trees: climatology and components of the weather once, and for every lead its anchor,
dense members with their scaling and weights, spread and recent means. No pickles: a file is data and
cannot run anything.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from yrd_airq.forecast.blend import KINDS, NORMAL, TREES, Blend
from yrd_airq.forecast.climatology import Climatology
from yrd_airq.forecast.components import Components, Sky
from yrd_airq.forecast.dense import Dense, Scaling
from yrd_airq.forecast.intervals import Spread
from yrd_airq.forecast.model import Card, LeadModel, Model

Arrays = dict[str, NDArray[Any]]

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an ``.npz`` without the clock time that numpy's own would carry; uncompressed, names in order."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(arrays[name], order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), content.getvalue())


def read_arrays(path: Path) -> Arrays:
    """The arrays of an ``.npz`` file."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def take_apart(model: Model) -> Arrays:
    """The arrays of a model; ``put_together`` is the way back."""
    arrays: Arrays = {}
    if model.climatology.coefficients is not None:
        arrays["climatology"] = model.climatology.coefficients
    for name, components in (("known", model.sky.known), ("ahead", model.sky.ahead)):
        if components is not None:
            arrays |= _all_fields(f"sky/{name}", components)
    for lead, part in model.parts.items():
        blend, at = part.blend, f"d{lead}"
        arrays |= {f"{at}/damping": part.damping, f"{at}/recent": part.recent}
        arrays |= _all_fields(f"{at}/scaling", blend.scaling) | _all_fields(f"{at}/spread", part.spread)
        arrays |= {f"{at}/trees": np.array(len(blend.trees)), f"{at}/relative": np.array(blend.relative)}
        for kind, weight in blend.weights.items():
            arrays[f"{at}/kinds/{kind}"] = np.array([weight, blend.factors[kind]])
        for kind, members in blend.dense.items():
            for k, member in enumerate(members):
                for layer, pair in enumerate(member.layers):
                    names = (f"{at}/{kind}/{k}/{layer}/{part_name}" for part_name in ("weights", "offset"))
                    arrays |= dict(zip(names, pair, strict=True))
    return arrays


def put_together(card: Card, arrays: Arrays, tree: Callable[[int, int], lgb.Booster]) -> Model:
    """The model of a card from its arrays and trees, ``tree(lead, fold)``; ``KeyError`` if one is missing."""
    parts = {}
    for lead in card.leads:
        at = f"d{lead}"
        stored = _below(arrays, f"{at}/kinds/")
        kinds = {kind: stored[kind] for kind in KINDS if kind in stored}
        blend = Blend(
            scaling=_revive(Scaling, arrays, f"{at}/scaling"),
            trees=tuple(tree(lead, fold) for fold in range(int(arrays[f"{at}/trees"]))),
            dense={k: _members(_below(arrays, f"{at}/{k}/")) for k in kinds if k not in (TREES, NORMAL)},
            weights={kind: float(pair[0]) for kind, pair in kinds.items()},
            factors={kind: float(pair[1]) for kind, pair in kinds.items()},
            relative=bool(arrays[f"{at}/relative"]),
        )
        spread = _revive(Spread, arrays, f"{at}/spread")
        parts[lead] = LeadModel(arrays[f"{at}/damping"], blend, spread, arrays[f"{at}/recent"])
    known, ahead = (
        _revive(Components, arrays, f"sky/{name}") if f"sky/{name}/basis" in arrays else None
        for name in ("known", "ahead")
    )
    return Model(card, Climatology(arrays.get("climatology")), Sky(known, ahead), parts)


def _all_fields(prefix: str, holder: Any) -> Arrays:
    return {f"{prefix}/{f.name}": np.asarray(getattr(holder, f.name)) for f in fields(holder)}


def _revive(cls: Any, arrays: Arrays, prefix: str) -> Any:
    values = {f.name: arrays[f"{prefix}/{f.name}"] for f in fields(cls)}
    return cls(**{name: value.item() if value.ndim == 0 else value for name, value in values.items()})


def _below(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _members(arrays: Arrays) -> tuple[Dense, ...]:
    count = 1 + max(int(name.split("/")[0]) for name in arrays)
    return tuple(Dense(_layers(_below(arrays, f"{k}/"))) for k in range(count))


def _layers(arrays: Arrays) -> tuple[tuple[NDArray[Any], NDArray[Any]], ...]:
    count = 1 + max(int(name.split("/")[0]) for name in arrays)
    return tuple((arrays[f"{k}/weights"], arrays[f"{k}/offset"]) for k in range(count))
