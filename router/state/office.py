"""The state file opened for one errand: its directory and its register, for whoever changes something."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ledger.changes import Actor
from ledger.clock import Clock
from router.settings import Settings
from router.state.directory import Directory
from router.state.file import StateFile
from router.state.pepper import PepperSource, load_peppers
from router.state.register import KeyRegister

STATE_FILE = "state.sqlite"


@dataclass(frozen=True, slots=True)
class Office:
    """An open state file."""

    file: StateFile
    directory: Directory
    register: KeyRegister


@dataclass(frozen=True, slots=True)
class StatePlace:
    """Where a gateway's state lies, and what it takes to open it."""

    path: Path
    ledger_path: Path
    peppers: PepperSource
    clock: Clock

    @contextmanager
    def opened(self, by: Actor) -> Iterator[Office]:
        """Open it for `by`; in whichever thread calls, and for that one."""
        office = self.open(by)
        try:
            yield office
        finally:
            office.file.close()

    def open(self, by: Actor) -> Office:
        """Open it for `by`; the caller closes its file."""
        file = StateFile(self.path, self.ledger_path, self.clock, by)
        return Office(file, Directory(file), KeyRegister(file, self.peppers))


def place_of(settings: Settings, clock: Clock) -> StatePlace:
    """Where the state of a configuration lies."""
    peppers = partial(load_peppers, settings.data_dir / "pepper", settings.pepper, settings.pepper_previous)
    return StatePlace(settings.data_dir / STATE_FILE, settings.ledger_path, peppers, clock)
