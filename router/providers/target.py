"""Where a request goes: an address of the configuration, taken apart once and not per request."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Origin:
    """One server: connections to it are alike."""

    host: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A method, an address and headers that stay the same. `name` is what errors call the server."""

    name: str
    origin: Origin
    head: bytes
    """The request line and the headers, but for the content's length and the empty line."""

    @staticmethod
    def of(name: str, method: str, url: str, headers: dict[str, str]) -> "Target":
        """Take `url` apart. Raises ValueError if it is no http address or a header breaks its line."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{name}: its address cannot be read ({error})") from error
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"{name}: an address begins with http:// or https:// and names a host")
        tls = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.rpartition("@")[2]
        if " " in path or " " in host or not (path + host).isascii():
            raise ValueError(f"{name}: an address is written in ASCII and without spaces; encode what is not")
        lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{key}: {headers[key]}" for key in headers)]
        if any(not line.isascii() or not line.isprintable() for line in lines):
            raise ValueError(
                f"{name}: a header (a key?) holds a line break or another character that it may not"
            )
        head = "".join(f"{line}\r\n" for line in lines).encode("ascii")
        return Target(name, Origin(parts.hostname, port or (443 if tls else 80), tls), head)
