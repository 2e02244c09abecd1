"""The policies that hold now. When a file of their folder changes they are read again and put in force at once,
all together; what cannot be read changes nothing and is told.

Files are looked at once a second, and read when they have rested for that long: half a file may be valid.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.errors import LedgerError
from policies.errors import PolicyError
from policies.files import rule_files
from policies.loading import Policies, load_policies
from policies.route_facts import RouteFacts
from router.telemetry import Telemetry

LOOK_S = 1.0

_Seen = tuple[tuple[str, int, int, int], ...]


class PoliciesInForce:
    """Holds them, and watches their folder."""

    def __init__(
        self,
        policies: Policies,
        folder: Path,
        routes: Sequence[RouteFacts],
        record: Callable[[Policies], None],
        on_change: Callable[[Policies], None],
        telemetry: Telemetry,
    ) -> None:
        """`record` writes down in a thread what is about to be in force; `on_change` is called once it is."""
        self.current = policies
        self.problem: str | None = None
        """Why the files as they are now are not in force."""
        self._folder = folder
        self._routes = routes
        self._record = record
        self._on_change = on_change
        self._telemetry = telemetry
        self._seen: _Seen | None = None
        self._read: _Seen | None = None

    async def watch(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Read the files if they changed and have rested since the last look."""
        seen = await asyncio.to_thread(_signature, self._folder)
        rested, self._seen = seen == self._seen, seen
        if not rested or seen == self._read:
            return
        try:
            await self._reload()
        except LedgerError as error:  # not recorded, so not in force; tried again at the next look
            self._tell(str(error))
        except (PolicyError, OSError) as error:
            self._read = seen
            self._tell(str(error))
        else:
            self._read = seen
            self.problem = None

    async def _reload(self) -> None:
        policies = await asyncio.to_thread(load_policies, self._folder, self._routes)
        if _hashes(policies) == _hashes(self.current):
            return
        await asyncio.to_thread(self._record, policies)
        self.current = policies
        self._on_change(policies)
        self._telemetry.event("policies_loaded", teams=sorted(policies.teams))

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self._telemetry.event("policies_refused", detail=problem[:500])
        self.problem = problem


def _signature(folder: Path) -> _Seen:
    """What tells that a file was written: its name, time, size and inode."""
    found = []
    try:
        paths = rule_files(folder)
    except OSError:  # the folder is gone: whoever reads it says so
        return ()
    for path in paths:
        try:
            status = path.stat()
        except (
            OSError
        ):  # taken away since it was listed, or a link that leads nowhere: whoever reads it says so
            found.append((path.name, 0, 0, 0))
            continue
        found.append((path.name, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


def _hashes(policies: Policies) -> dict[str, str]:
    return {team: policy.policy_hash for team, policy in policies.teams.items()}
