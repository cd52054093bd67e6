"""How a service is reached: sessions that check its certificate as told and give its key to nobody else."""

from __future__ import annotations

import os
import threading
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from yrd_airq.errors import InputError
from yrd_airq.sources.web.settings import Service

_MOST_REDIRECTS = 5


class Connection:
    """Sessions to one service, one a thread; certificates, headers and the key as its settings say.

    Raises ``InputError`` if the key's environment variable is not set or the file of authorities is missing.
    """

    def __init__(self, service: Service, user_agent: str) -> None:
        self.service = service
        self.host = urlsplit(service.base_url).netloc
        self._key = _key(service)
        self._verify: bool | str = str(service.bundle) if service.bundle else True
        self._user_agent = user_agent
        self._local = threading.local()
        self._opened: list[requests.Session] = []

    def send(
        self,
        path: str,
        params: dict[str, str],
        form: dict[str, str] | None,
        timeout: tuple[float, float],
    ) -> requests.Response:
        """The answer with its body still to be read; a POST if there is a form (an empty one too)."""
        headers = {}
        if self._key is not None and self.service.key_header is not None:
            headers[self.service.key_header] = self._key.get_secret_value()
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        return self._session().request(
            "GET" if form is None else "POST",
            self.service.base_url + path,
            params=params,
            data=form,
            headers=headers,
            timeout=timeout,
            # Given with every call, because the environment's bundle would replace a session's own.
            verify=self._verify,
            stream=True,
        )

    def hide_key(self, text: str) -> str:
        """The text with the key, should it stand there, blotted out."""
        return text if self._key is None else text.replace(self._key.get_secret_value(), "***")

    def close(self) -> None:
        """Close the sessions of all threads."""
        for session in self._opened:
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = _Session(self.service.key_header)
            session.headers["User-Agent"] = self._user_agent
            session.headers.update(self.service.headers)
            session.max_redirects = _MOST_REDIRECTS
            if self.service.pin_sha256 is not None:
                session.mount(f"https://{self.host}/", _PinnedAdapter(self.service.pin_sha256))
            self._local.session = session
            self._opened.append(session)
        return session


class _Session(requests.Session):
    """Takes the key off a request that is redirected to another host, and stays with encryption."""

    def __init__(self, key_header: str | None) -> None:
        super().__init__()
        self._key_header = key_header

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)
        header = self._key_header
        moved = self.should_strip_auth(str(response.request.url), str(prepared_request.url))
        if header is not None and header in prepared_request.headers and moved:
            del prepared_request.headers[header]

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        to = urlsplit(urljoin(str(resp.url), target)).scheme
        leaves_encryption = str(resp.url).lower().startswith("https:") and to.lower() != "https"
        # Without a target the redirecting answer itself is handed over, and reported by its status.
        return None if leaves_encryption else target


class _PinnedAdapter(HTTPAdapter):
    """Accepts exactly the certificate of one SHA-256 fingerprint, so its chain need not be complete."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"cert_reqs": "CERT_NONE", "assert_fingerprint": self._fingerprint}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # The pool compares the fingerprint at every handshake; checking the chain too would refuse
        # the very servers that a pin is for.
        conn.cert_reqs = "CERT_NONE"


def _key(service: Service) -> SecretStr | None:
    """The key from the environment; its text never enters a message."""
    if service.key_env is None:
        return None
    key = os.environ.get(service.key_env, "").strip()
    if not key:
        raise InputError(
            f"{service.base_url} needs a key: set the environment variable {service.key_env} to yours"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(
            f"the environment variable {service.key_env} holds characters that no key has; set it again"
        )
    return SecretStr(key)
