"""What a run of the leak tests came to, in a few lines for its log."""

from collections import Counter
from collections.abc import Iterable

from support.leak_load import Told
from support.leak_run import World
from support.leak_world import HOSTED, ROUTES, RULES, routes_open_to

HERE, OURS = frozenset({"local"}), frozenset({"local", "on_premises"})


def counts(world: World) -> str:
    """Requests, what was heard of those that must stay, and by which ways they went."""
    told, heard = world.load.told, world.heard()
    on_hosted = frozenset[int]().union(*(heard[server] for server in HOSTED))
    here, ours = _kept_on(world, HERE), _kept_on(world, OURS)
    roles = world.gateway.rows(
        "SELECT role || ' ' || origin FROM entry WHERE state = 'DISPATCHED' ORDER BY role, origin"
    )
    received = sum(len(each) for server in world.servers.values() for each in server.heard)
    return "\n".join(
        (
            f"{len(told)} requests, seed {world.run}, {len(RULES)} rules, {len(ROUTES)} routes, {received} bytes heard",
            f"must stay on this machine: {len(here)}; heard by a hosted provider: {len(here & on_hosted)}",
            f"heard by another machine of ours of these: {len(here & heard['ours'])}",
            f"must stay on machines of ours: {len(ours)}; heard by a hosted provider: {len(ours & on_hosted)}",
            f"answers: {_answers(told)}",
            f"answers of what must stay on this machine: {_answers(each for each in told if each.asked.number in here)}",
            f"requests heard: {', '.join(f'{name} {len(numbers)}' for name, numbers in heard.items())}",
            f"attempts: {_counted(str(role) for (role,) in roles)}",
        )
    )


def _kept_on(world: World, machines: frozenset[str]) -> frozenset[int]:
    """The requests whose every route runs on these."""
    return frozenset(
        each.asked.number
        for each in world.load.told
        if {ROUTES[route].runs for route in routes_open_to(each.asked.facts)} <= machines
    )


def _answers(told: Iterable[Told]) -> str:
    return _counted(str(each.status or "none") for each in told)


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in sorted(Counter(words).items()))
