"""The base of every part of the content model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of every part: frozen, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
