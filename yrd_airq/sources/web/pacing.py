"""When the next call may be made: our own limits, what a server's headers ask for, and the time left."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yrd_airq.clock import BEIJING
from yrd_airq.sources.web.answers import UnreachableError
from yrd_airq.sources.web.settings import Limits

_EPOCH_FROM = 1e9
"""Header values from here on are moments (seconds since 1970), below it seconds to wait."""


def _beijing_now() -> datetime:
    return datetime.now(BEIJING).replace(tzinfo=None)


@dataclass(frozen=True)
class Timing:
    """Sleep, steady clock (seconds) and present Beijing time; replaced in trials that must not wait."""

    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _beijing_now


class Budget:
    """Seconds left for one piece of work."""

    def __init__(self, seconds: float, timing: Timing) -> None:
        self._timing = timing
        self._end = timing.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left; negative when over."""
        return self._end - self._timing.monotonic()

    def extend(self, seconds: float) -> None:
        """Put the end off by waits that are not the server's doing."""
        self._end += seconds


class Pacer:
    """Lets calls through no faster than the limits; one is shared by all threads that call a service.

    It knows only its own calls: what other programs of the same address or key use up shows in the
    server's headers (``hold``).
    """

    def __init__(self, limits: Limits, timing: Timing, subject: str, longest_s: float) -> None:
        pairs = ((60.0, limits.per_minute), (3600.0, limits.per_hour), (86400.0, limits.per_day))
        self._windows = [(span, limit.value) for span, limit in pairs if limit is not None]
        self._longest = longest_s
        self._timing = timing
        self._subject = subject
        self._made: deque[tuple[float, float]] = deque()
        self._held_until = timing.monotonic()
        self._lock = threading.Lock()

    def wait(self, cost: float) -> float:
        """Wait until a call that counts ``cost`` calls may be made, and note it; seconds waited.

        Raises ``UnreachableError`` if that would take too long.
        """
        waited = 0.0
        while True:
            with self._lock:
                pause = self._pause(cost)
                if pause <= 1e-6:
                    self._made.append((self._timing.monotonic(), cost))
                    return waited
            if waited + pause > self._longest:
                raise UnreachableError(
                    f"{self._subject}: its limit of calls lets the next one through only in "
                    f"{waited + pause:.0f} s; run the same command again later, it goes on where it stopped"
                )
            self._timing.sleep(pause)
            waited += pause

    def hold(self, seconds: float) -> None:
        """Let no call through for so long."""
        with self._lock:
            self._held_until = max(self._held_until, self._timing.monotonic() + seconds)

    def _pause(self, cost: float) -> float:
        now = self._timing.monotonic()
        longest = max((span for span, _ in self._windows), default=0.0)
        while self._made and self._made[0][0] + longest <= now:
            self._made.popleft()
        return max(
            [self._held_until - now, *(self._until_free(span, n, cost, now) for span, n in self._windows)]
        )

    def _until_free(self, span: float, limit: float, cost: float, now: float) -> float:
        """Seconds until enough earlier calls have left the window; a call beyond the limit waits for all."""
        recent = [(made, c) for made, c in self._made if made + span > now]
        used, pause = sum(c for _, c in recent), 0.0
        for made, c in recent:
            if used + cost <= limit:
                break
            used -= c
            pause = made + span - now
        return pause


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a server asks to wait, from ``Retry-After`` or, without it, the reset of its limit.

    ``now`` is Beijing time; header names are in lower case. Unusable headers count as absent.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    if text:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return _reset(headers, now)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - now.replace(tzinfo=BEIJING)).total_seconds())
    return _reset(headers, now)


def used_up(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a used-up limit is renewed, or None where calls are left or the headers do not say."""
    try:
        left = float(headers.get("x-ratelimit-remaining", ""))
    except ValueError:
        return None
    return _reset(headers, now) if left <= 0 else None


def _reset(headers: Mapping[str, str], now: datetime) -> float | None:
    try:
        value = float(headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    if not math.isfinite(value) or value < 0:
        return None
    if value >= _EPOCH_FROM:
        return max(0.0, value - now.replace(tzinfo=BEIJING).timestamp())
    return value
