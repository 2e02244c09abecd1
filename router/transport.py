"""How requests reach the gateway: in the clear on this machine alone, else by TLS or from behind a proxy.

A key travels with every request. Off loopback it must not travel in the clear, so a start without
certificate files is refused, unless somebody says that a proxy in front of the gateway has them.
"""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from router.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class Transport:
    """What the configuration or the command line says of it."""

    tls_cert: Path | None = None
    """PEM: the certificate, then those between it and its authority."""
    tls_key: Path | None = None
    """PEM: the private key, without a passphrase."""
    behind_proxy: bool = False

    @property
    def scheme(self) -> str:
        """What the gateway's URL begins with."""
        return "https" if self.tls_cert is not None else "http"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def refuse_unsafe(host: str, transport: Transport) -> None:
    """Refuse to serve keys in the clear, or with files that make no TLS. Raises InvalidRequestError."""
    cert, key = transport.tls_cert, transport.tls_key
    if (cert is None) is not (key is None):
        there, missing = ("tls_cert", "tls_key") if key is None else ("tls_key", "tls_cert")
        raise InvalidRequestError(f"server.{there} is set and server.{missing} is not; name both or none")
    if cert is None or key is None:
        if not is_loopback(host) and not transport.behind_proxy:
            raise InvalidRequestError(
                f"{host} is reached from other machines, and keys would travel in the clear; name --tls-cert FILE and "
                "--tls-key FILE, or say --behind-proxy if a proxy in front has TLS"
            )
        return
    for name, path in (("tls_cert", cert), ("tls_key", key)):
        if not path.is_file():
            raise InvalidRequestError(f"server.{name} names {path}, where no file is")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=_no_passphrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise InvalidRequestError(
            f"{cert} and {key} make no TLS ({error}); both are PEM, the key is the certificate's, without a passphrase"
        ) from error


def _no_passphrase() -> str:
    """Asked for a passphrase, have none: OpenSSL would ask the terminal."""
    return ""
