"""A state file of a test's own, opened as a command opens it."""

from dataclasses import dataclass
from pathlib import Path

from ledger.changes import Actor, ActorKind
from router.errors import UnavailableError
from router.state.keys import KeyStore
from router.state.office import Office, StatePlace
from router.state.pepper import Pepper, Peppers

START_US = 1_793_534_400_000_000
"""2026-11-01 12:00 UTC."""
ANNA = Actor(ActorKind.MACHINE, "anna")


@dataclass
class Now:
    """A clock that a test turns."""

    at_us: int = START_US

    def __call__(self) -> int:
        """The time."""
        return self.at_us


@dataclass
class OwnPeppers:
    """Peppers that a test rotates."""

    current: bytes = b"p" * 64
    previous: Pepper | None = None
    broken: bool = False

    def __call__(self) -> Peppers:
        """What a file or the environment would say."""
        if self.broken:
            raise UnavailableError("the pepper file can be read by others")
        return Peppers(Pepper(self.current), self.previous)

    def rotate(self, until_us: int) -> None:
        """Put another one in force."""
        self.previous = Pepper(self.current, until_us)
        self.current = b"q" * 64


class OwnState:
    """One state file, its clock and its peppers."""

    def __init__(self, folder: Path) -> None:
        self.now = Now()
        self.peppers = OwnPeppers()
        self.place = StatePlace(folder / "state.sqlite", folder / "ledger.sqlite", self.peppers, self.now)

    def open(self, by: Actor = ANNA) -> Office:
        """Open it to change something."""
        return self.place.open(by)

    def store(self) -> KeyStore:
        """Open it to look keys up."""
        return KeyStore(self.place.path, self.peppers, self.now)
