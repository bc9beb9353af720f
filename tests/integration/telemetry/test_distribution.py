"""Microsoft's distribution, in a process of its own, sends what Baton measures with the app's identity."""

import os
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ingestion import Ingestion

ROOT = Path(__file__).resolve().parents[3]
CLIENT_ID = "33333333-3333-3333-3333-333333333333"
APP = """
import logging
from shared.adapters.otel import send_to_azure
from shared.telemetry import configure_logging

configure_logging()
with send_to_azure()("discover"):
    counts = {"vms": 7, "changed": 1, "unmatched": 0, "unreadable": 0, "failedSubscriptions": []}
    extra = {"action": "discovered", **counts}
    logging.getLogger("baton.discover").info("seen", extra=extra)
"""


@pytest.fixture
def azure(tmp_path):
    """(the ingestion's URL over TLS, the identity's over plain http, the CA's file, the handler)."""
    certificate, key = _certificate(tmp_path)
    handler = Ingestion.fresh()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    servers[0].socket = context.wrap_socket(servers[0].socket, server_side=True)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = [server.server_address[1] for server in servers]
    yield (
        f"https://localhost:{ports[0]}/",
        f"http://127.0.0.1:{ports[1]}/token",
        certificate,
        handler,
    )
    for server in servers:
        server.shutdown()
        server.server_close()


def test_metrics_and_spans_arrive_with_a_token_of_the_identity(azure, tmp_path):
    ingestion, identity, certificate, handler = azure
    key = "00000000-0000-0000-0000-000000000001"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={key};IngestionEndpoint={ingestion}",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"Authorization=AAD;ClientId={CLIENT_ID}",
        "IDENTITY_ENDPOINT": identity,
        "IDENTITY_HEADER": "secret",
        "REQUESTS_CA_BUNDLE": str(certificate),
    }

    done = subprocess.run(
        [sys.executable, "-c", APP],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    metrics = {
        (metric["name"], metric["value"])
        for _, item in handler.taken
        for metric in item["data"]["baseData"].get("metrics", ())
    }
    names = {item["data"]["baseData"].get("name") for _, item in handler.taken}
    assert done.returncode == 0, done.stderr
    assert {authorization for authorization, _ in handler.taken} == {"Bearer of-the-identity"}
    assert {("baton.discoveries", 1), ("baton.vms", 7)} <= metrics
    assert "discover" in names
    assert all(CLIENT_ID in path for path in handler.asked)
    assert '"action": "discovered"' in done.stderr


def _certificate(folder):
    """A certificate for localhost that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)  # noqa: TID251 - certificates are judged by the real clock
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "ca.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
