"""Addresses, patience, limits and layouts of the web feeds: the shape of ``configs/feeds.yaml``."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from yrd_airq.errors import InputError
from yrd_airq.settings import Marked, Settings, config_dir, load


class Calls(Settings):
    """How patient every call is; seconds.

    ``deadline_s`` bounds one piece of work (an hour, a day's file, a station) with all its tries and the
    waits between them; pauses that keep to a limit of calls come on top, each at most ``longest_pause_s``.
    The wait before try n+1 is drawn evenly from 0 to ``first_wait_s``·2ⁿ⁻¹, at most ``longest_wait_s``.
    """

    connect_timeout_s: float
    read_timeout_s: float
    deadline_s: float
    tries: int
    first_wait_s: float
    longest_wait_s: float
    limited_wait_s: float
    """Wait after a refusal for too many calls (429) that names no time."""
    longest_pause_s: float
    """Longest pause before a call that a limit of calls may ask for; beyond it the call is given up."""
    longest_answer_mb: float
    failures_to_stop: int
    """Pieces in a row that fail because a host does not answer, after which the rest is not tried."""
    user_agent: str

    @model_validator(mode="after")
    def _positive(self) -> Calls:
        bad = [name for name, value in self if isinstance(value, int | float) and value <= 0]
        if bad:
            raise ValueError(f"{', '.join(bad)} must be above 0")
        return self


class Limits(Settings):
    """Calls that a service allows in any minute, hour and day, and calls under way at once."""

    per_minute: Marked | None = None
    per_hour: Marked | None = None
    per_day: Marked | None = None
    parallel: Marked | None = None


class Service(Settings):
    """One web service: where it is, how its certificate is checked, where its key is, what it allows.

    With ``ca_bundle`` (a PEM file; relative paths start at the folder of the settings) the server's
    chain is checked against that file. With ``pin_sha256`` the certificate must be exactly the one of
    that SHA-256 fingerprint, whoever signed it. Without either, the usual authorities decide. The key is
    read from the environment variable ``key_env`` and sent in the header ``key_header``.
    """

    base_url: str
    source: str
    ca_bundle: Path | None = None
    pin_sha256: str | None = None
    key_env: str | None = None
    key_header: str | None = None
    headers: dict[str, str] = {}
    limits: Limits = Limits()

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address such as https://host/path")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold no name, password or query; a key comes from the environment")
        return url.rstrip("/")

    @field_validator("pin_sha256")
    @classmethod
    def _fingerprint(cls, pin: str | None) -> str | None:
        if pin is None:
            return None
        plain = pin.replace(":", "").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", plain):
            raise ValueError("must be a SHA-256 fingerprint: 64 hexadecimal digits, colons allowed")
        return plain

    @model_validator(mode="after")
    def _consistent(self) -> Service:
        if (self.key_env is None) != (self.key_header is None):
            raise ValueError("'key_env' and 'key_header' go together")
        if self.pin_sha256 and self.ca_bundle:
            raise ValueError("give either 'pin_sha256' or 'ca_bundle', not both")
        if (self.pin_sha256 or self.ca_bundle) and not self.base_url.startswith("https:"):
            raise ValueError("'pin_sha256' and 'ca_bundle' need an https address")
        return self

    @property
    def bundle(self) -> Path | None:
        """The file of authorities; ``InputError`` if it is named but not there."""
        if self.ca_bundle is None:
            return None
        path = self.ca_bundle if self.ca_bundle.is_absolute() else config_dir() / self.ca_bundle
        if not path.is_file():
            raise InputError(f"{path}: no such file; 'ca_bundle' of {self.base_url} names it")
        return path


class CnemcSettings(Settings):
    """The national centre's hourly release: paths, how far back it reaches, marks of missing values."""

    service: Service
    live_path: str
    hour_path: str
    station_path: str
    city_days_path: str
    history_hours: Marked
    history_days: Marked
    publish_minutes: Marked
    poll_minutes: tuple[int, ...]
    """Minutes past the hour at which a schedule asks."""
    missing: tuple[str, ...]
    swap_share: Marked
    swap_rows: Marked


class MirrorSettings(Settings):
    """The archive mirror of daily CSV files; ``{day}`` in a file name stands for yyyymmdd."""

    service: Service
    sites_file: str
    cities_file: str
    settle_hours: Marked
    """Hours after a day's end until its file counts as final."""


class OpenAqSettings(Settings):
    """OpenAQ v3: which locations, how many results a page, and which hours count."""

    service: Service
    page_size: int
    longest_pages: int
    monitors_only: bool
    least_coverage_pct: Marked


class ModelFeed(Settings):
    """One endpoint of Open-Meteo: its models and the hourly variables asked for."""

    service: Service
    path: str
    models: tuple[str, ...]
    model_parameter: str
    variables: tuple[str, ...]


class OpenMeteoSettings(Settings):
    """Open-Meteo: how calls are cut, and the four endpoints used."""

    cities_a_call: int
    days_a_call: int
    variables_a_count: Marked
    days_a_count: Marked
    """One location with more variables or days than these counts as several calls, in proportion."""
    previous_days: tuple[int, ...]
    previous_margin_h: Marked
    """Hours from N·24 h before the valid time until that forecast was surely public."""
    air: ModelFeed
    forecast: ModelFeed
    archive: ModelFeed
    previous_runs: ModelFeed


class FeedSettings(Settings):
    """Shape of ``configs/feeds.yaml``."""

    calls: Calls
    cnemc: CnemcSettings
    archive_mirror: MirrorSettings
    openaq: OpenAqSettings
    open_meteo: OpenMeteoSettings


@lru_cache(maxsize=4)
def _load(folder: str) -> FeedSettings:
    return load(FeedSettings, "feeds")


def load_feed_settings() -> FeedSettings:
    """The settings of ``configs/feeds.yaml``; ``InputError`` lists every fault of the file."""
    return _load(str(config_dir().resolve()))
