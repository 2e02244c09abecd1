"""Keys do not travel in the clear: on this machine alone, by TLS, or from behind a proxy that has it."""

import json
import ssl
import urllib.request
from pathlib import Path

import pytest
import trustme

from router.errors import InvalidRequestError
from router.transport import Transport, is_loopback, refuse_unsafe
from support.command_line import assert_refused, invoke, start
from support.gateway import config_text, write_config


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A certificate for 127.0.0.1, its key, and the authority's certificate."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    cert, key, root = (tmp_path / name for name in ("cert.pem", "key.pem", "root.pem"))
    cert.write_bytes(b"".join(each.bytes() for each in made.cert_chain_pems))
    made.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(root)
    return cert, key, root


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost", "LOCALHOST"])
def test_this_machine_alone_needs_no_tls(host: str) -> None:
    assert is_loopback(host)
    refuse_unsafe(host, Transport())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "gateway.example", "localhost.example"])  # noqa: S104  (refused)
def test_other_machines_are_served_by_tls_or_from_behind_a_proxy(
    host: str, files: tuple[Path, Path, Path]
) -> None:
    cert, key, _ = files
    with pytest.raises(
        InvalidRequestError, match="--tls-cert FILE and --tls-key FILE, or say --behind-proxy"
    ):
        refuse_unsafe(host, Transport())
    refuse_unsafe(host, Transport(behind_proxy=True))
    refuse_unsafe(host, Transport(cert, key))


def test_files_that_make_no_tls_are_refused_with_what_is_wrong(
    files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    cert, key, root = files
    for transport, said in (
        (Transport(cert, None), "tls_cert is set and server.tls_key is not"),
        (Transport(None, key, behind_proxy=True), "tls_key is set and server.tls_cert is not"),
        (Transport(tmp_path / "none.pem", key), "where no file is"),
        (Transport(key, key), "make no TLS"),
        (Transport(root, key), "make no TLS"),
    ):
        with pytest.raises(InvalidRequestError, match=said):
            refuse_unsafe("127.0.0.1", transport)


def test_serve_and_config_check_refuse_a_host_in_the_clear(tmp_path: Path) -> None:
    text = config_text("http://127.0.0.1:1/v1", rest="server: {host: 0.0.0.0}\n")
    config = write_config(tmp_path, text)
    assert_refused(invoke("serve", "--config", config), 2, "0.0.0.0 is reached from other machines")
    assert_refused(invoke("config", "check", "--config", config), 2, "0.0.0.0 is reached from other machines")
    config.write_text(text.replace("{host: 0.0.0.0}", "{host: 0.0.0.0, behind_proxy: true}"))
    assert invoke("config", "check", "--config", config).exit_code == 0


def test_a_gateway_with_files_speaks_tls_and_nothing_else(
    files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    cert, key, root = files
    config = write_config(tmp_path, config_text("http://127.0.0.1:1/v1"))
    gateway = start("serve", "--config", config, "--port", "0", "--tls-cert", cert, "--tls-key", key)
    try:
        assert gateway.stdout is not None
        url = gateway.stdout.readline().decode().rsplit(" ", 1)[-1].strip()
        assert url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=root)
        with urllib.request.urlopen(f"{url}/healthz", context=context) as answer:  # noqa: S310  (loopback)
            assert json.load(answer) == {"status": "ok"}
        with pytest.raises(OSError, match=r"."):
            urllib.request.urlopen(f"{url}/healthz".replace("https", "http"))  # noqa: S310  (loopback)
    finally:
        gateway.terminate()
        gateway.communicate()
    assert gateway.returncode == 0
