"""What a feed hands over, piece by piece, so that one failed hour or day does not cost the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from yrd_airq.errors import AirqError
from yrd_airq.sources.batch import Batch

Skip = Callable[[str], bool]
"""Whether a piece of that name is at hand already and need not be asked for."""


@dataclass(frozen=True)
class Piece:
    """One piece of what was asked for.

    ``what`` names it (``cnemc 2026-11-23 10:00``), ``batches`` hold what came, ``notes`` what a person
    should know of it, ``problem`` why something asked for is missing. A piece may have both batches and a
    problem: the answer to a stale hour holds the values of an earlier one.
    """

    what: str
    batches: tuple[Batch, ...] = ()
    notes: tuple[str, ...] = ()
    problem: AirqError | None = None


def attempt(what: str, make: Callable[[], Piece]) -> Piece:
    """The piece, or in its place a piece with the error for people that making it raised."""
    try:
        return make()
    except AirqError as error:
        return Piece(what, problem=error)
