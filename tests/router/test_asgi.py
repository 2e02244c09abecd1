"""Reading a body: bounded, and told apart from a caller that left."""

import pytest

from router.asgi import DisconnectedError, Message, Scope, read_body
from router.errors import BodyTooLargeError


class Incoming:
    """What a server hands on, message by message."""

    def __init__(self, *parts: bytes, cut: bool = False) -> None:
        self._messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": cut or index + 1 < len(parts)}
            for index, part in enumerate(parts)
        ]

    async def __call__(self) -> Message:
        """The next message; after the last, that the caller left."""
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}


def scope(**headers: str) -> Scope:
    return {
        "type": "http",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


@pytest.mark.parametrize("parts", [(b"abcdef",), (b"abc", b"def"), (b"", b"abc", b"", b"def")])
async def test_a_body_is_read_whole(parts: tuple[bytes, ...]) -> None:
    assert await read_body(scope(), Incoming(*parts), 6) == b"abcdef"


@pytest.mark.parametrize("parts", [(b"abcdefg",), (b"abc", b"defg")])
async def test_a_body_beyond_the_limit_is_refused(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(BodyTooLargeError):
        await read_body(scope(), Incoming(*parts), 6)


async def test_a_declared_length_beyond_the_limit_is_refused_unread() -> None:
    incoming = Incoming(b"a")
    with pytest.raises(BodyTooLargeError):
        await read_body(scope(content_length="7"), incoming, 6)
    assert (await incoming())["type"] == "http.request"


@pytest.mark.parametrize("length", ["-1", "x", "", "٣"])
async def test_a_nonsense_length_is_no_length(length: str) -> None:
    assert await read_body(scope(content_length=length), Incoming(b"a"), 6) == b"a"


async def test_a_caller_that_leaves_in_the_middle_is_no_short_body() -> None:
    with pytest.raises(DisconnectedError):
        await read_body(scope(), Incoming(b"abc", cut=True), 6)
