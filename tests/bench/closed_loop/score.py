"""From the results of single events to the table's figures: agreement, share of the best, savings, harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

OZONE, PARTICLES = "o3_mda8", "pm25"
HARM_UGM3 = 0.5
"""Ozone of a city that rises by more than this, as the mean of the event's days, counts as harm."""

Result = Mapping[str, Any]


def falls(results: Sequence[Result], kind: str | None = None) -> pd.DataFrame:
    """Predicted and true fall, a row per event, list, city and target; of one kind of list or of all."""
    rows = [
        {"event": result["event"], "regime": result["regime"], "list": name, **city}
        for result in results
        for name, plan in result["lists"].items()
        if (kind is None or name == kind) and plan["orders"]
        for city in plan["cities"]
    ]
    columns = ["event", "regime", "list", "adcode", "target", "predicted", "true"]
    return pd.DataFrame(rows, columns=columns)


def agree(points: pd.DataFrame) -> dict[str, float]:
    """How predicted falls follow the true ones: n, slope of predicted on true, r, bias, ratio of the means.

    Slope by least squares with an intercept; NaN where the points do not define it.
    """
    predicted, true = points["predicted"].to_numpy(float), points["true"].to_numpy(float)
    spread = len(points) > 1 and true.std() > 0 and predicted.std() > 0
    slope = float(np.polyfit(true, predicted, 1)[0]) if spread else np.nan
    mean = float(true.mean()) if len(true) else 0.0
    return {
        "n": len(points),
        "slope": slope,
        "r": float(np.corrcoef(true, predicted)[0, 1]) if spread else np.nan,
        "bias": float((predicted - true).mean()) if len(true) else np.nan,
        "ratio": float(predicted.mean() / mean) if mean else np.nan,
    }


def compare(results: Sequence[Result]) -> dict[str, float]:
    """Medians over events of what the product's lists reach and save.

    ``of_best``: share of the best benefit that was found at the same burden. ``saved_greedy`` and
    ``saved_circle``: part of the burden of that list, scaled to the same true benefit, that is not needed.
    ``of_random``: benefit of a random list of the same burden over that of the product. Events in which the
    product ordered nothing are left out, from savings also those without any true benefit.
    ``greedy_unreached``: events in which no head of the greedy ranking brings the product's benefit.
    """
    ordered = [result for result in results if result["lists"]["product"]["orders"]]
    table = pd.DataFrame([_compare_one(result) for result in ordered])
    if table.empty:
        return {"events": 0}
    unreached = sum(result["greedy_burden"] is None for result in ordered)
    medians = {name: float(table[name].median()) for name in table}
    return {"events": len(table), **medians, "greedy_unreached": unreached}


def _compare_one(result: Result) -> dict[str, float]:
    lists = result["lists"]
    own, best = lists["product"], result["best"]
    return {
        "of_best": own["benefit"] / best["benefit"] if best["benefit"] > 0 else np.nan,
        "saved_greedy": _saved(own, result["greedy_burden"]),
        "saved_circle": _saved(own, circle_burden(own["benefit"], lists["circle"])),
        "of_random": lists["random"]["benefit"] / own["benefit"] if own["benefit"] > 0 else np.nan,
        "benefit": own["benefit"],
        "burden": own["burden"],
    }


def _saved(own: Mapping[str, Any], other: float | None) -> float:
    """Part of another list's burden that is saved; 1 where the other cannot reach the benefit at all."""
    if own["benefit"] <= 0:
        return np.nan
    return 1.0 if other is None else 1 - own["burden"] / other


def circle_burden(benefit: float, circle: Mapping[str, Any]) -> float | None:
    """Burden of the circle for a benefit, in proportion to what it brings; None if it brings none."""
    return circle["burden"] * benefit / circle["benefit"] if circle["benefit"] > 0 and benefit > 0 else None


def count_harm(results: Sequence[Result]) -> dict[str, int]:
    """Events in which a list raises ozone in a receptor city, and whether the product's figures say so.

    ``own`` and ``own_foreseen``: the product's lists. ``any`` and ``any_foreseen``: all lists that were
    carried out (cases of event and list). ``false_alarms``: cases whose predicted rise of more than half
    the threshold did not come true.
    """
    ozone = falls(results)
    ozone = ozone[ozone["target"] == OZONE]
    worst = ozone[ozone["true"] < -HARM_UGM3]
    said = ozone.assign(said=ozone["predicted"] < 0, harm=ozone["true"] < -HARM_UGM3)
    by_list = said.groupby(["event", "list"])
    harmed = by_list["harm"].any()
    # A rise is foreseen if the figures show one in at least one of the cities that it harms.
    foreseen = (said["said"] & said["harm"]).groupby([said["event"], said["list"]]).any()
    alarm = (ozone["predicted"] < -HARM_UGM3 / 2).groupby([ozone["event"], ozone["list"]]).any()
    own = harmed.index.get_level_values("list") == "product"
    return {
        "own": int(harmed[own].sum()),
        "own_foreseen": int(foreseen[own].sum()),
        "any": int(harmed.sum()),
        "any_foreseen": int(foreseen.sum()),
        "false_alarms": int((alarm & ~harmed).sum()),
        "cities_harmed": len(worst),
    }
