"""A gateway in the world of the leak tests, and what was heard of its requests where."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.gateway import RunningGateway, make_key, running_gateway, write_config
from support.leak_load import Load
from support.leak_servers import running_servers
from support.leak_world import (
    HERE,
    ORGANISATION,
    ROUTES,
    SEALED,
    TEAMS,
    config_text,
    policies,
    routes_open_to,
    servers_open_to,
)
from support.markers import markers_in
from support.trees import write_played_weights
from support.upstream import Upstream


@dataclass(frozen=True, slots=True)
class World:
    """Servers, and a gateway before them."""

    run: int
    folder: Path
    servers: Mapping[str, Upstream]
    gateway: RunningGateway
    load: Load

    def kill_engines(self) -> None:
        """Kill the processes of the local engines; they are started again in a moment."""
        for name in _engines():
            os.kill(int((self.folder / f"{name}.pid").read_text()), signal.SIGKILL)

    def seal(self) -> None:
        """Add a rule while the gateway runs, and wait until it says that the files were read."""
        (self.folder / "policies" / "organisation.yaml").write_text(ORGANISATION + SEALED)
        self.gateway.wait_for_log('"event":"policies_loaded"')

    def heard(self) -> dict[str, frozenset[int]]:
        """Whose secrets have stood in any byte that reached each server."""
        return {
            name: frozenset(
                number for connection in server.heard for number in markers_in(connection, self.run)
            )
            for name, server in self.servers.items()
        }

    def leaks(self) -> list[str]:
        """Each request that was heard where it must not be, in words; nobody waits for the gateway here."""
        requests = {told.asked.number: told.asked for told in self.load.told}
        found = []
        for server, numbers in self.heard().items():
            for number in sorted(numbers):
                request = requests[number]
                if request.broken or server not in servers_open_to(request.facts):
                    found.append(f"request {number} reached {server}: {request.facts}")
        named = [each for name, one in self.servers.items() if name != HERE for each in one.requests]
        for received in named:
            found += [
                f"request {number} went by {received.model}: {requests[number].facts}"
                for number in sorted(markers_in(received.body, self.run))
                if received.model not in routes_open_to(requests[number].facts)
            ]
        return found

    def caught(self) -> list[str]:
        """All that has leaked so far, to servers, files or the log."""
        logged = sorted(markers_in(self.gateway.log.encode(), self.run, depth=1))
        return [*self.leaks(), *self.left_on_disk(), *(f"request {number} was logged" for number in logged)]

    def left_on_disk(self) -> dict[str, set[int]]:
        """The files that the gateway wrote and whose bytes hold somebody's secret."""
        files = [path for folder in (self.gateway.data, self.folder / "tmp") for path in folder.rglob("*")]
        found = {
            path.name: markers_in(path.read_bytes(), self.run, depth=1) for path in files if path.is_file()
        }
        return {name: numbers for name, numbers in found.items() if numbers}


@contextmanager
def running_world(folder: Path, tree: Path, run: int, *, hangs: bool = True) -> Iterator[World]:
    """Run all servers, and a gateway of the packages in `tree`, its engines ready; `hangs` says whether servers are
    silent now and then, until they are given up."""
    with running_servers(run, hangs=hangs) as servers:
        addresses = {name: server.base_url for name, server in servers.items()}
        config = write_config(folder, config_text(addresses), policies())
        for name in _engines():
            write_played_weights(folder / f"{name}.gguf", servers[HERE])
        (folder / "tmp").mkdir()
        with running_gateway(config, {"TMPDIR": str(folder / "tmp")}, tree=tree) as gateway:
            keys = {team: make_key(config, team) for team in TEAMS}
            gateway.wait_for_log('"event":"engine_ready"', len(_engines()))
            yield World(run, folder, servers, gateway, Load(gateway, keys, run))


def _engines() -> list[str]:
    return [name for name, place in ROUTES.items() if place.server == HERE]
