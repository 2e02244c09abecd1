"""The state file for commands: whoever may run them on this machine may change anything in it."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ledger.changes import Actor, ActorKind
from ledger.clock import system_clock, to_datetime
from router.settings import Settings
from router.state.office import Office, place_of

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]


def machine_user() -> Actor:
    """Whoever runs the command, as the ledger's changes name them."""
    return Actor(ActorKind.MACHINE, getpass.getuser())


@contextmanager
def office(settings: Settings) -> Iterator[Office]:
    """Open the state file of a configuration for the user of this machine."""
    with place_of(settings, system_clock).opened(machine_user()) as opened:
        yield opened


def minute(at_us: int | None) -> str:
    """A time as a table shows it; empty where there is none."""
    return to_datetime(at_us).strftime("%Y-%m-%d %H:%M") if at_us is not None else ""
