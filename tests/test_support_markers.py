"""The search for marked secrets is checked itself: a proof that nothing leaked stands on it."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest

from support.markers import marker, markers_in

RUN = 20_261_126
SECRET = marker(RUN, 417)
TEXT = f'{{"content": "Der Kontostand beträgt {SECRET} EUR"}}'.encode()


def escaped(text: bytes) -> bytes:
    return "".join(f"\\u{ord(each):04x}" for each in text.decode("latin-1")).encode()


@pytest.mark.parametrize(
    "write",
    [
        bytes,
        bytes.upper,
        escaped,
        gzip.compress,
        zlib.compress,
        lambda text: text.hex().encode(),
        lambda text: b"f" + text.hex().encode(),
        lambda text: quote(text, safe="").encode(),
        lambda text: "".join(f"%{byte:02x}" for byte in text).encode(),
        lambda text: text.decode().encode("utf-16"),
        base64.b64encode,
        base64.urlsafe_b64encode,
        lambda text: base64.encodebytes(text * 9),
        lambda text: base64.b64encode(b"x" + text),
        lambda text: base64.b64encode(b"xy" + text),
        lambda text: b"abc" + base64.b64encode(text),
        lambda text: base64.b64encode(gzip.compress(text)),
        lambda text: gzip.compress(base64.b64encode(text)),
        lambda text: json.dumps({"inner": json.dumps({"text": escaped(text).decode()})}).encode(),
    ],
    ids=[
        "as_it_is", "in_capitals", "json_escapes", "gzip", "zlib", "hexadecimal", "hexadecimal_misaligned", "url",
        "url_in_full", "utf_16", "base64", "base64_for_urls", "base64_in_lines", "base64_by_1", "base64_by_2",
        "base64_after_letters", "base64_of_gzip", "gzip_of_base64", "json_within_json",
    ],
)  # fmt: skip
def test_a_secret_is_found_however_it_is_written(write: Callable[[bytes], bytes]) -> None:
    assert markers_in(b"POST / HTTP/1.1\r\nx: y\r\n\r\n" + write(TEXT) + b"\r\n", RUN) == {417}


def test_what_is_no_secret_of_this_run_is_not_found() -> None:
    assert markers_in(TEXT, RUN + 1) == set()
    assert markers_in(SECRET[:-1].encode() + bytes(1_000) + b"%%\\u00\x1f\x8b\x08x", RUN) == set()
