"""One call to a web service until it succeeds or is given up: tries, waits, time-outs, what went wrong."""

from __future__ import annotations

import logging
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

import requests
import urllib3.exceptions

from yrd_airq.errors import InputError, SourceUnavailableError
from yrd_airq.sources.web.answers import Answer, PassingError, UnreachableError, said
from yrd_airq.sources.web.connection import Connection
from yrd_airq.sources.web.pacing import Budget, Pacer, Timing, asked_wait, used_up
from yrd_airq.sources.web.settings import Calls, Service

_log = logging.getLogger(__name__)
_BLOCK = 1 << 16
_MEGABYTE = 1e6
_TIMED_OUT, _LIMITED = 408, 429

Read = TypeVar("Read")


class StatusError(SourceUnavailableError):
    """The service answered, but with a status (4xx) that another try would not change."""

    def __init__(self, message: str, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """What is asked: path below the base address, query, form (an empty one makes a POST too).

    ``cost`` is how many calls the service counts it as.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    cost: float = 1.0


class Client:
    """Calls one service; safe to be shared by threads.

    A failure that may pass (no connection, time-out, 408, 429, 5xx, an answer that ``read`` finds broken)
    is tried again after a wait that the server names or that is drawn with ``seed``. Keys are sent only in
    the header of the settings and stand in no message, log or repr.
    """

    def __init__(
        self, service: Service, calls: Calls, timing: Timing | None = None, seed: int | None = None
    ) -> None:
        self._stopped = threading.Event()
        self._timing = timing or Timing(sleep=self._stopped.wait)
        self._calls = calls
        self._connection = Connection(service, calls.user_agent)
        self._pacer = Pacer(service.limits, self._timing, self.host, calls.longest_pause_s)
        self._random = random.Random(seed)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._connection.close()

    def stop(self) -> None:
        """Wake every thread that waits for its next try and let none begin a further one."""
        self._stopped.set()

    @property
    def host(self) -> str:
        """Host and port of the service."""
        return self._connection.host

    def open_budget(self) -> Budget:
        """The time for one piece of work, starting now."""
        return Budget(self._calls.deadline_s, self._timing)

    def call(self, request: Request, read: Callable[[Answer], Read], budget: Budget | None = None) -> Read:
        """What ``read`` makes of a good answer (2xx).

        Raises ``UnreachableError`` after the last try or when the time is over, ``StatusError`` for
        a status that stays, ``InputError`` for a refused key.
        """
        budget = budget or self.open_budget()
        for attempt in range(1, self._calls.tries + 1):
            budget.extend(self._pacer.wait(request.cost))
            try:
                return read(self._send(request, budget))
            except PassingError as failure:
                self._wait_after(failure, request, attempt, budget)
        raise AssertionError("the last try either returns or raises")

    def _wait_after(self, failure: PassingError, request: Request, attempt: int, budget: Budget) -> None:
        """Sleep until the next try; ``UnreachableError`` if there is to be none."""
        pause = self._back_off(attempt) if failure.wait_s is None else failure.wait_s
        tries = self._calls.tries
        if attempt == tries:
            raise self._unavailable(request, f"{failure}, {tries} tries in all") from failure
        if pause >= budget.remaining():
            over = f"{failure} at try {attempt}; the next one in {pause:.0f} s would pass the time allowed"
            raise self._unavailable(request, over) from failure
        _log.info("%s%s: %s; try %d in %.1f s", self.host, request.path, failure, attempt + 1, pause)
        self._timing.sleep(pause)

    def _back_off(self, attempt: int) -> float:
        longest = min(self._calls.longest_wait_s, self._calls.first_wait_s * 2 ** (attempt - 1))
        return self._random.uniform(0, longest)

    def _send(self, request: Request, budget: Budget) -> Answer:
        left = budget.remaining()
        if self._stopped.is_set():
            raise self._unavailable(request, "stopped before it was asked", "run the same again")
        if left <= 0:
            raise self._unavailable(request, "the time allowed is over")
        timeout = (min(self._calls.connect_timeout_s, left), min(self._calls.read_timeout_s, left))
        form = None if request.form is None else dict(request.form)
        try:
            with self._connection.send(request.path, dict(request.params), form, timeout) as response:
                answer = self._receive(response, budget, request)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            raise self._explain(exc, request) from exc
        return self._judge(answer, request)

    def _receive(self, response: requests.Response, budget: Budget, request: Request) -> Answer:
        """The whole body, block by block, so that a server that trickles cannot outstay the time allowed."""
        blocks: list[bytes] = []
        size = 0
        while block := response.raw.read1(_BLOCK, decode_content=True):
            blocks.append(block)
            size += len(block)
            if size > self._calls.longest_answer_mb * _MEGABYTE:
                raise self._unavailable(request, f"answered more than {self._calls.longest_answer_mb:g} MB")
            if budget.remaining() <= 0:
                raise self._unavailable(request, f"sent only {size} bytes in the time allowed")
        headers = {name.lower(): value for name, value in response.headers.items()}
        url = self._connection.hide_key(str(response.url))
        return Answer(response.status_code, b"".join(blocks), headers, url, self._timing.now())

    def _judge(self, answer: Answer, request: Request) -> Answer:
        """A good answer; else ``PassingError``, ``InputError`` for a refused key or ``StatusError``."""
        now = self._timing.now()
        status, key = answer.status, self._connection.service.key_env
        renewed = used_up(answer.headers, now)
        if renewed is not None:
            self._pacer.hold(renewed)
        if 200 <= status < 300:
            return answer
        reason = self._connection.hide_key(said(answer.body))
        what = f"answered {status}" + (f" ({reason})" if reason else "")
        if status in {_TIMED_OUT, _LIMITED} or status >= 500:
            wait = asked_wait(answer.headers, now) if status in {_LIMITED, 503} else None
            if status == _LIMITED and wait is None:
                wait = self._calls.limited_wait_s
            if wait is not None:
                self._pacer.hold(wait)
            raise PassingError(what, wait)
        if status in {401, 403} and key is not None:
            raise InputError(
                f"{self.host}: the key in the environment variable {key} was refused: {what}; correct it"
            )
        raise StatusError(f"{self.host}{request.path}: {what}", status, reason)

    def _explain(self, exc: Exception, request: Request) -> Exception:
        """What an exception of the transport means: it may pass, or trying again is no use."""
        certificate = _certificate_fault(exc)
        if certificate is not None:
            return self._unavailable(
                request,
                f"its certificate was not accepted ({certificate})",
                "give the authority's file as 'ca_bundle' or, after comparing it by another way, the "
                "certificate's SHA-256 fingerprint as 'pin_sha256' in configs/feeds.yaml",
            )
        for kinds, what in _PASSING:
            if isinstance(exc, kinds):
                return PassingError(what)
        return self._unavailable(request, self._connection.hide_key(f"{type(exc).__name__}: {exc}"))

    def _unavailable(
        self,
        request: Request,
        what: str,
        advice: str = "check the network and the address in configs/feeds.yaml, or try again later",
    ) -> UnreachableError:
        return UnreachableError(f"{self.host}{request.path}: {what}; {advice}")


_PASSING: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((requests.exceptions.ConnectTimeout,), "no connection came about in time"),
    ((requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError), "did not answer in time"),
    (
        (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError),
        "sent a body that cannot be unpacked",
    ),
    (
        (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError),
        "broke off before the answer was whole",
    ),
    ((requests.exceptions.ConnectionError,), "could not be reached, or closed the connection"),
)
"""Exceptions of the transport that another try may not meet, the narrower ones first."""


def _certificate_fault(exc: BaseException | None) -> str | None:
    """Why the server's certificate was refused, if that is at the bottom of the error."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        if isinstance(exc, ssl.SSLCertVerificationError):
            return exc.verify_message or "not verified"
        if isinstance(exc, urllib3.exceptions.SSLError) and "ingerprint" in str(exc):
            return str(exc)
        exc = getattr(exc, "reason", None) or exc.__cause__ or exc.__context__ or _first_argument(exc)
    return None


def _first_argument(exc: BaseException) -> BaseException | None:
    found = exc.args[0] if exc.args else None
    return found if isinstance(found, BaseException) else None
