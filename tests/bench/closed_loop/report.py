"""The results of all events as one Markdown table and one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.bench.closed_loop.score import OZONE, PARTICLES, Result, agree, compare, count_harm, falls
from tests.bench.closed_loop.swaps import median_shares

ALL = "all"
NOTES = (
    "Falls are means over the event's days in a receptor city, µg/m³. The benefit of a list is the mean fall",
    "of the leading pollutant over the city-days truly above the goal (over all if none is); burden is the",
    "product's own index. The best benefit is the largest that any tried list of that burden truly reached,",
    "among them two knapsacks over the values of all permitted orders by the true adjoint, before and along",
    "the list's way: a lower bound of the best possible, so the share is an upper bound of the true share.",
    "Burden for the same benefit: greedy by carrying out two heads of its ranking and a line between, the",
    "circle in proportion; a list that cannot reach the benefit counts as wholly saved. Harm is ozone of a",
    "receptor city up by over 0.5 µg/m³, foreseen if the product's figures for that list show a rise there.",
    "By the gradient: all orders valued by the product's attribution, one part of it replaced by the truth;",
    "the burden of its list filled with them, and read off the true gradient without controls; medians.",
)


def summarise(results: Sequence[Result], checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures by regime and over all; ``checks``: the forecaster's scores by regime, target and lead."""
    regimes = list(dict.fromkeys(result["regime"] for result in results))
    return {
        "events": len(results),
        "regimes": {
            name: _figures([r for r in results if name in (ALL, r["regime"])]) for name in [*regimes, ALL]
        },
        "forecaster": list(checks),
    }


def _figures(results: Sequence[Result]) -> dict[str, Any]:
    own = falls(results, "product")
    status = [result["status"] for result in results]
    return {
        "events": len(results),
        "hard": sum(bool(result["hard"]) for result in results),
        "status": {name: status.count(name) for name in sorted(set(status))},
        "agreement": {t: agree(own[own["target"] == t]) for t in (OZONE, PARTICLES)},
        "agreement_all_lists": {t: agree(_of(falls(results), t)) for t in (OZONE, PARTICLES)},
        "comparison": compare(results),
        "harm": count_harm(results),
        "swaps": median_shares(results),
    }


def _of(points: Any, target: str) -> Any:
    return points[points["target"] == target]


def markdown(summary: Mapping[str, Any]) -> str:
    """The table that the README carries."""
    regimes = summary["regimes"]
    head = ["", *regimes]
    rows = [
        ["events (hard goals)", *(f"{f['events']} ({f['hard']})" for f in regimes.values())],
        ["plans: " + ", ".join(_statuses(regimes)), *(_status(f, regimes) for f in regimes.values())],
    ]
    for target, name in ((OZONE, "ozone"), (PARTICLES, "PM2.5")):
        found = [f["agreement"][target] for f in regimes.values()]
        rows += [
            [f"{name}, predicted against true fall: slope", *(_number(a["slope"]) for a in found)],
            [f"{name}: correlation (event-cities)", *(f"{_number(a['r'])} ({a['n']})" for a in found)],
            [f"{name}: bias, µg/m³ (ratio of means)", *(_bias(a) for a in found)],
        ]
    comparison = [f["comparison"] for f in regimes.values()]
    for key, name in (
        ("of_best", "share of the best benefit found at the same burden"),
        ("of_random", "random list of the same burden: share of the product's benefit"),
        ("saved_greedy", "burden saved against greedy, same true benefit"),
        ("saved_circle", "burden saved against everything within 50 km"),
    ):
        rows.append([f"{name} (median)", *(_percent(c.get(key, np.nan)) for c in comparison)])
    rows.append(
        ["events in which greedy cannot reach it", *(str(c.get("greedy_unreached", 0)) for c in comparison)]
    )
    harm = [f["harm"] for f in regimes.values()]
    rows += [
        [
            "product's lists that raise ozone somewhere: foreseen",
            *(f"{h['own_foreseen']} of {h['own']}" for h in harm),
        ],
        [
            "all lists that raise ozone somewhere: foreseen",
            *(f"{h['any_foreseen']} of {h['any']}" for h in harm),
        ],
    ]
    for name in dict.fromkeys(name for f in regimes.values() for name in f["swaps"]):
        found = [f["swaps"].get(name, {}) for f in regimes.values()]
        shown = [f"{_percent(s.get('of_best', np.nan))} ({_number(s.get('ratio', np.nan))})" for s in found]
        rows.append([f"by the gradient, {name}: share of the best (predicted over true)", *shown])
    table = [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join([*table, "", *NOTES, "", *_forecaster(summary["forecaster"])]) + "\n"


def _forecaster(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    if not checks:
        return []
    head = ["| regime | target | lead | n | RMSE | persistence | skill | 80 % covers |", "|" + "---|" * 8]
    return head + [
        f"| {row['regime']} | {row['target']} | D+{row['lead_day']} | {row['n']} | {row['rmse']:.1f} "
        f"| {row['persistence']:.1f} | {row['skill']:.2f} | {row['coverage80']:.0%} |"
        for row in checks
    ]


def _statuses(regimes: Mapping[str, Any]) -> list[str]:
    return sorted({name for figures in regimes.values() for name in figures["status"]})


def _status(figures: Mapping[str, Any], regimes: Mapping[str, Any]) -> str:
    return ", ".join(str(figures["status"].get(name, 0)) for name in _statuses(regimes))


def _bias(found: Mapping[str, float]) -> str:
    return f"{_number(found['bias'], signed=True)} ({_number(found['ratio'])})"


def _number(value: float, signed: bool = False) -> str:
    return "-" if not np.isfinite(value) else f"{value:+.2f}" if signed else f"{value:.2f}"


def _percent(value: float) -> str:
    return "-" if not np.isfinite(value) else f"{value:.0%}"
