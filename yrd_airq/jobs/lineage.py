"""From a number in a brief back to its inputs: content hashes, models, settings, code."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yrd_airq.brief.content import InputUsed, Lineage, ModelUsed, read_pack
from yrd_airq.errors import InputError
from yrd_airq.forecast.model import Card
from yrd_airq.jobs.workspace import Workspace, code_version, hash_texts, settings_hash
from yrd_airq.sources.batch import Kind
from yrd_airq.store.store import Store, open_store

KIND_ZH = {
    Kind.STATIONS: "站点小时监测",
    Kind.STATION_LIST: "站点清单",
    Kind.CITIES: "城市日均资料",
    Kind.WEATHER: "气象格点场",
    Kind.ENTERPRISES: "企业清单",
    Kind.SURVEY: "走航监测",
}


def inputs_hash(store: Store) -> str:
    """One hash over the contents of every file the store has taken in, whatever their order."""
    return hash_texts(*sorted(store.batches()["content_hash"]))


def describe_lineage(
    store: Store, kinds: Collection[Kind], cards: Sequence[Card], methods_zh: tuple[str, ...]
) -> Lineage:
    """Inputs of the ``kinds`` that a run used, its models, settings and code, for the brief."""
    batches = store.batches()
    batches = batches[batches["kind"].isin([kind.value for kind in kinds])]
    return Lineage(
        inputs=tuple(
            InputUsed(
                kind_zh=KIND_ZH[Kind(row["kind"])],
                name=row["name"],
                content_hash=row["content_hash"],
                rows=row["rows"],
            )
            for row in batches.sort_values(["kind", "name", "content_hash"]).to_dict("records")
        ),
        models=tuple(
            ModelUsed(
                target=card.target,
                version=card.version,
                trained_until=card.train_last,
                note_zh="使用目标日气象" if card.weather_ahead else "不使用目标日气象",
            )
            for card in cards
        ),
        settings_hash=settings_hash(),
        code_version=code_version(),
        methods_zh=methods_zh,
    )


@dataclass(frozen=True)
class Trace:
    """Lineage of one run or pack."""

    run_id: str
    facts: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {"run_id": self.run_id, **self.facts}

    def lines(self) -> list[str]:
        """Readable form."""
        found = [f"run {self.run_id}"]
        for name, value in self.facts.items():
            items = value if isinstance(value, list) else [value]
            found.extend(f"  {name}: {item}" for item in items)
        return found


def trace_run(workspace: Workspace, run_or_pack: str) -> Trace:
    """Lineage of a pack folder, or of a run id that the store knows; ``InputError`` for neither."""
    path = Path(run_or_pack)
    if path.exists():
        brief = read_pack(path)
        lineage = brief.lineage
        return Trace(
            brief.header.run_id,
            {
                "issue_time": f"{brief.header.issue_time:%Y-%m-%d %H:%M}",
                "code_version": lineage.code_version,
                "settings_hash": lineage.settings_hash,
                "models": [
                    f"{m.target.value}/{m.version}, trained until {m.trained_until}" for m in lineage.models
                ],
                "inputs": [f"{i.content_hash}  {i.name} ({i.rows} rows)" for i in lineage.inputs],
            },
        )
    with open_store(workspace.store, read_only=True) as store:
        runs = store.runs()
    match = runs[runs["run_id"] == run_or_pack]
    if match.empty:
        known = ", ".join(runs["run_id"].tail(5)) or "none"
        raise InputError(
            f"{run_or_pack!r} is neither a pack folder nor a run of the store; newest runs: {known}"
        )
    facts = match.iloc[0].drop("run_id")
    return Trace(run_or_pack, {str(name): str(value) for name, value in facts.items()})
