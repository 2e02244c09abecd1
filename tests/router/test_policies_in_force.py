"""The watched folder of policies: whatever is put there, the watch goes on and the rules from before hold."""

import asyncio
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.clock import system_clock
from policies.loading import Policies, load_policies
from router.policies_in_force import PoliciesInForce
from router.telemetry import Telemetry
from support.rules import routes_of

ROUTES = routes_of(["flash"])
TEAM = "team: finance\nmodels: [flash]\n"


def held_in(folder: Path, came: list[Policies]) -> PoliciesInForce:
    telemetry = Telemetry(system_clock, io.BytesIO())
    (folder / "finance.yaml").write_text(TEAM)
    return PoliciesInForce(
        load_policies(folder, ROUTES), folder, ROUTES, lambda _policies: None, came.append, telemetry
    )


def looked(held: PoliciesInForce) -> str | None:
    """Look as often as it takes for files that rest to be read, and tell what is wrong."""

    async def look() -> None:
        for _ in range(2):
            await held.look()

    asyncio.run(look())
    return held.problem


def a_link_to_itself(folder: Path) -> None:
    (folder / "loop.yaml").symlink_to("loop.yaml")


def a_link_to_nothing(folder: Path) -> None:
    (folder / "loop.yaml").symlink_to("gone")


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "loop.yaml")


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


PUT = {
    "a link to itself": (a_link_to_itself, "loop.yaml: this is a link that leads to no file"),
    "a link to nothing": (a_link_to_nothing, "loop.yaml: this is a link that leads to no file"),
    "a pipe": (a_pipe, "loop.yaml: this is a pipe, a socket or a device"),
    "no folder": (no_folder, "there is no such folder; make it and put one file a team into it"),
}


@pytest.mark.parametrize(("put", "said"), PUT.values(), ids=PUT.keys())
def test_whatever_is_put_into_the_folder_is_told_and_the_watch_goes_on(
    tmp_path: Path, put: Callable[[Path], None], said: str
) -> None:
    folder, came = tmp_path / "policies", list[Policies]()
    folder.mkdir()
    held = held_in(folder, came)
    before = held.current
    assert looked(held) is None
    put(folder)
    assert said in str(looked(held))
    assert (held.current, came) == (before, [])
    folder.mkdir(exist_ok=True)
    (folder / "loop.yaml").unlink(missing_ok=True)
    (folder / "finance.yaml").write_text(TEAM + "retries: 1\n")
    assert looked(held) is None
    assert [policies.teams["finance"].retries for policies in came] == [1]
