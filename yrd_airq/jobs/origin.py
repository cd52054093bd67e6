"""Whether a store holds the drill world or real data; the two are never mixed."""

from __future__ import annotations

from yrd_airq.errors import InputError
from yrd_airq.store.store import Store

DRILL_STATION = "示例站"
"""How the names of the drill's stations begin."""


def is_drill(store: Store) -> bool:
    """True if the stations are those of the drill; ``InputError`` if only some of them are."""
    drilled = store.station_list()["name_zh"].str.startswith(DRILL_STATION)
    if drilled.any() and not drilled.all():
        raise InputError(
            "the store mixes stations of the drill with real ones; give the drill its own store (--store)"
        )
    return bool(len(drilled)) and bool(drilled.all())
