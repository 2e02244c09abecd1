"""Addresses taken apart."""

import pytest

from router.providers.target import Origin, Target

ADDRESSES = [
    ("http://a.example", Origin("a.example", 80, tls=False), b"POST / HTTP/1.1\r\nhost: a.example\r\n"),
    (
        "https://a.example/v1/x",
        Origin("a.example", 443, tls=True),
        b"POST /v1/x HTTP/1.1\r\nhost: a.example\r\n",
    ),
    (
        "https://a.example:8443/v1?version=2",
        Origin("a.example", 8443, tls=True),
        b"POST /v1?version=2 HTTP/1.1\r\nhost: a.example:8443\r\n",
    ),
    ("http://[::1]:80/v1", Origin("::1", 80, tls=False), b"POST /v1 HTTP/1.1\r\nhost: [::1]:80\r\n"),
    (
        "http://user:word@a.example/",
        Origin("a.example", 80, tls=False),
        b"POST / HTTP/1.1\r\nhost: a.example\r\n",
    ),
]


@pytest.mark.parametrize(("url", "origin", "head"), ADDRESSES)
def test_an_address_is_an_origin_and_a_head(url: str, origin: Origin, head: bytes) -> None:
    target = Target.of("it", "POST", url, {"x-key": "k"})
    assert (target.origin, target.head) == (origin, head + b"x-key: k\r\n")


@pytest.mark.parametrize("key", ["a\r\nx: y", "a\nb", "a\0", "\x7f", "ключ"])
def test_a_key_cannot_break_its_line(key: str) -> None:
    with pytest.raises(ValueError, match="line break") as raised:
        Target.of("it", "POST", "http://a.example", {"authorization": f"Bearer {key}"})
    assert key not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "a.example/v1",
        "/v1",
        "http://",
        "http://a b/",
        "http://a/b c",
        "http://ä/",
        "http://a:b/",
        "http://a:65536/",
        "http://[::1/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^it: "):
        Target.of("it", "POST", url, {})
