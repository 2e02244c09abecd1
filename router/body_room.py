"""The bytes of request bodies that the gateway keeps at a time: in all, and of each key.

A body counts from its first byte, with the length that it declares, until its request is answered. One that
comes in one small piece is not counted: then the hot path pays a comparison, and the number of connections
bounds those. No key may have more than a share of the room, so that others can go on while it has none left.
"""

from router.errors import BusyError

SHARES = 4
"""One key has at most this part of the room."""
SMALL_BYTES = 65_536
"""What a body may have without being counted: no more lies in the server before it is read."""


class BodyRoom:
    """What is left for bodies. One event loop uses it."""

    def __init__(self, bytes_max: int) -> None:
        self._left = bytes_max
        self._share = bytes_max // SHARES
        self._by_key: dict[str, int] = {}

    def take(self, key_id: str, count: int) -> None:
        """Take room for `count` bytes more. Raises BusyError, with nothing taken."""
        held = self._by_key.get(key_id, 0) + count
        if held > self._share:
            raise BusyError(
                f"the bodies of this key's requests in flight would have more than {self._share // 1_000_000} MB together; "
                "send fewer large requests at a time, or raise server.max_bodies_mb"
            )
        if count > self._left:
            raise BusyError("the gateway reads as many large bodies as it holds; try again in a moment")
        self._left -= count
        self._by_key[key_id] = held

    def give_back(self, key_id: str, count: int) -> None:
        """Give back room that was taken."""
        self._left += count
        held = self._by_key[key_id] - count
        if held:
            self._by_key[key_id] = held
        else:
            del self._by_key[key_id]


class Claim:
    """The room of one request's body; whoever made it releases it when the request has ended."""

    __slots__ = ("_key_id", "_room", "_taken")

    def __init__(self, room: BodyRoom, key_id: str) -> None:
        self._room = room
        self._key_id = key_id
        self._taken = 0

    def cover(self, size: int) -> None:
        """Have room for `size` bytes in all. Raises BusyError."""
        if size > self._taken:
            self._room.take(self._key_id, size - self._taken)
            self._taken = size

    def release(self) -> None:
        """Give it back. A second call does nothing."""
        if self._taken:
            self._room.give_back(self._key_id, self._taken)
            self._taken = 0
