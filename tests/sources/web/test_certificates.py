"""Certificates are checked by the usual authorities, a named file or a fingerprint, and never not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.sources.web.site import Reply, Site
from yrd_airq.errors import InputError, SourceUnavailableError
from yrd_airq.sources.web.answers import read_json
from yrd_airq.sources.web.client import Client, Request
from yrd_airq.sources.web.settings import Service


def sign(name: str, issuer: str, key, signer, authority: bool) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not authority:
        addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    else:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Chain:
    """Root, intermediate and server certificate; the server sends only its own, as the real one does."""

    def __init__(self, folder: Path) -> None:
        root, middle, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        roots = sign("root", "root", root, root, True)
        between = sign("between", "root", middle, root, True)
        server = sign("127.0.0.1", "between", leaf, middle, False)
        self.key, self.sent, self.bundle = folder / "key.pem", folder / "sent.pem", folder / "bundle.pem"
        self.root_only = folder / "root.pem"
        self.key.write_bytes(
            leaf.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.sent.write_bytes(pem(server))
        self.root_only.write_bytes(pem(roots))
        self.bundle.write_bytes(pem(roots) + pem(between))
        self.pin = hashlib.sha256(server.public_bytes(serialization.Encoding.DER)).hexdigest()


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> Chain:
    return Chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture
def secure(chain):
    service = Site((chain.sent, chain.key))
    service.on("/x", Reply({"good": 1}))
    yield service
    service.close()


def ask(site: Site, calls, clock, **more) -> object:
    service = Service(base_url=site.url, source="test", **more)
    with Client(service, calls, clock.timing(), seed=1) as client:
        return client.call(Request("/x"), read_json)


def test_an_incomplete_chain_is_refused_at_once_and_the_message_says_what_to_do(secure, calls, clock):
    with pytest.raises(SourceUnavailableError, match="certificate was not accepted") as caught:
        ask(secure, calls, clock)
    assert "pin_sha256" in str(caught.value)
    assert "ca_bundle" in str(caught.value)
    assert clock.slept == []
    assert secure.asked == []


def test_the_pinned_certificate_is_accepted_without_its_chain(secure, calls, clock, chain):
    assert ask(secure, calls, clock, pin_sha256=chain.pin) == {"good": 1}
    colons = ":".join(chain.pin[k : k + 2] for k in range(0, 64, 2)).upper()
    assert ask(secure, calls, clock, pin_sha256=colons) == {"good": 1}


def test_another_certificate_than_the_pinned_one_is_refused(secure, calls, clock):
    with pytest.raises(SourceUnavailableError, match="certificate was not accepted") as caught:
        ask(secure, calls, clock, pin_sha256="ab" * 32)
    assert "ingerprint" in str(caught.value)
    assert secure.asked == []
    assert clock.slept == []


def test_a_file_with_the_missing_authority_completes_the_chain(secure, calls, clock, chain):
    assert ask(secure, calls, clock, ca_bundle=chain.bundle) == {"good": 1}
    with pytest.raises(SourceUnavailableError, match="certificate was not accepted"):
        ask(secure, calls, clock, ca_bundle=chain.root_only)


def test_the_environment_cannot_replace_the_named_file(secure, calls, clock, chain, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain.root_only))
    assert ask(secure, calls, clock, ca_bundle=chain.bundle) == {"good": 1}


def test_a_pin_holds_after_the_connection_was_reused_and_for_each_new_one(secure, calls, clock, chain):
    service = Service(base_url=secure.url, source="test", pin_sha256=chain.pin)
    with Client(service, calls, clock.timing()) as client:
        for _ in range(3):
            assert client.call(Request("/x"), read_json) == {"good": 1}


def test_a_redirect_to_another_host_is_not_covered_by_the_pin(secure, calls, clock, chain):
    other = Site((chain.sent, chain.key))
    try:
        other.on("/there", Reply({"from": "other"}))
        secure.on("/x", Reply("", 302, {"Location": f"{other.url}/there"}))
        with pytest.raises(SourceUnavailableError, match="certificate was not accepted"):
            ask(secure, calls, clock, pin_sha256=chain.pin)
        assert other.asked == []
    finally:
        other.close()


def test_a_redirect_out_of_encryption_is_not_followed(secure, site, calls, clock, chain):
    site.on("/there", Reply({"from": "plain"}))
    secure.on("/x", Reply("", 302, {"Location": f"{site.url}/there"}))
    with pytest.raises(SourceUnavailableError, match="answered 302"):
        ask(secure, calls, clock, pin_sha256=chain.pin)
    assert site.asked == []


def test_a_bundle_that_is_not_there_is_reported_before_any_call(secure, calls, clock, tmp_path):
    with pytest.raises(InputError, match=r"missing\.pem: no such file"):
        ask(secure, calls, clock, ca_bundle=tmp_path / "missing.pem")


def test_a_relative_bundle_lies_in_the_folder_of_the_settings(secure, calls, clock, chain, monkeypatch):
    monkeypatch.setenv("YRD_AIRQ_CONFIGS", str(chain.bundle.parent))
    assert ask(secure, calls, clock, ca_bundle=Path("bundle.pem")) == {"good": 1}
