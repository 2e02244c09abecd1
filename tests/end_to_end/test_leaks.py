"""Nothing leaks: what the rules keep in reaches no server that they close, by no way and in no writing; the proof that
the recorders would see it is in mutants of our own code.

`--leak-requests`, `--leak-mutants` and `--leak-seed` make another run; `make leaks` makes the long one.
"""

from pathlib import Path

import pytest

from support.leak_counts import counts
from support.leak_load import Told
from support.leak_mutants import MUTANTS
from support.leak_run import World, running_world
from support.leak_world import HOSTED, NOBODY, ROUTES, routes_open_to
from support.markers import markers_in
from support.trees import Mutant, copied_packages, plant

WAYS = {"answer", "retry", "fallback", "audit", "audit_again", "escalation", "escalation_again", "grade"}
"""By which a request may come to a route."""
MUTANTS_BATCH, MUTANTS_BATCHES, SEALED_AFTER = 60, 6, 3
"""A mutant gets so many requests at a time, and no more once it is caught; after some of them a rule is added."""


@pytest.fixture
def leak_requests(request: pytest.FixtureRequest) -> int:
    """How many; `--leak-requests 20000` for a long run."""
    return int(request.config.getoption("--leak-requests"))


@pytest.fixture
def leak_seed(request: pytest.FixtureRequest) -> int:
    """Which."""
    return int(request.config.getoption("--leak-seed"))


def test_no_byte_of_a_request_reaches_a_server_that_its_rules_close(
    tmp_path: Path, leak_requests: int, leak_seed: int
) -> None:
    tree = copied_packages(tmp_path / "packages")
    with running_world(tmp_path, tree, leak_seed) as world:
        half, late = leak_requests // 2, leak_requests * 3 // 4
        world.load.send(range(half))
        world.kill_engines()
        world.load.send(range(half, late))
        world.seal()
        world.load.send(range(late, leak_requests), sealed=True)
        assert world.left_on_disk() == {}, "while the write-ahead logs are full"
        log = world.gateway.stop()  # it waits for the audits and grades that follow
        told = world.load.told
        assert len(told) == leak_requests

        assert world.leaks() == []
        assert world.servers[NOBODY].heard == (), "not so much as a connection"
        assert world.left_on_disk() == {}
        assert markers_in(log.encode(), leak_seed) == set()
        assert [each.asked.number for each in told if _others(each, leak_seed)] == []
        assert_the_ledger_names_no_closed_route(world, told)
        assert_all_ways_were_tried(world)
        assert_what_may_go_out_was_heard(world, told)
        print(counts(world))  # noqa: T201  the log of a long run


def _others(told: Told, run: int) -> set[int]:
    """Whose secret came back to somebody else."""
    return markers_in(told.body, run) - {told.asked.number}


def assert_the_ledger_names_no_closed_route(world: World, told: list[Told]) -> None:
    """By the labels of its rows, and by request."""
    labelled = world.gateway.rows(
        "SELECT DISTINCT request.label, entry.route FROM entry JOIN request USING (request_id)"
    )
    kept = {str(route) for label, route in labelled if label == "restricted"}
    assert {ROUTES[route].runs for route in kept} == {"local"}
    kept = {str(route) for label, route in labelled if label == "confidential"}
    assert {ROUTES[route].runs for route in kept} == {"local", "on_premises"}
    asked = {each.request_id: each.asked for each in told if each.request_id is not None}
    for request_id, route in world.gateway.rows("SELECT DISTINCT request_id, route FROM entry"):
        if request_id in asked:  # who did not wait was told no id
            assert route in routes_open_to(asked[str(request_id)].facts)


def assert_all_ways_were_tried(world: World) -> None:
    """For requests that must stay here, and for those that need not."""
    for restricted in (True, False):
        roles = world.gateway.rows(
            "SELECT DISTINCT role FROM entry JOIN request USING (request_id) WHERE (label IS 'restricted') = ?",
            restricted,
        )
        assert {role for (role,) in roles} == WAYS


def assert_what_may_go_out_was_heard(world: World, told: list[Told]) -> None:
    """The recorders work: whoever answered has heard the secret, and judges who are hosted have."""
    heard = world.heard()
    answered = [each for each in told if each.status == 200 and each.route is not None]
    for each in answered:
        assert each.asked.number in heard[ROUTES[str(each.route)].server]
    assert {ROUTES[str(each.route)].server for each in answered} == heard.keys() - {NOBODY}
    for question in (b"You audit values", b"You audit an answer"):
        judged = [
            received
            for server in HOSTED
            for received in world.servers[server].requests
            if question in received.body and markers_in(received.body, world.run)
        ]
        assert judged


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Plant as many as are asked for."""
    if "mutant" in metafunc.fixturenames:
        chosen = MUTANTS[: metafunc.config.getoption("--leak-mutants")]
        metafunc.parametrize("mutant", chosen, ids=[each.name.replace(" ", "_") for each in chosen])


def test_a_planted_leak_is_caught(mutant: Mutant, tmp_path: Path, leak_seed: int) -> None:
    tree = copied_packages(tmp_path / "packages")
    plant(mutant, tree)
    with running_world(tmp_path, tree, leak_seed, hangs=False) as world:
        for batch in range(MUTANTS_BATCHES):
            if batch == SEALED_AFTER:
                world.seal()
            first = batch * MUTANTS_BATCH
            world.load.send(range(first, first + MUTANTS_BATCH), sealed=batch >= SEALED_AFTER)
            caught = world.caught()
            if caught:
                break
        print(  # noqa: T201  the log of a long run
            f"{len(caught)} leaks of {len(world.load.told)} requests: {mutant.name}"
        )
        assert caught


def test_each_leak_can_be_planted(tmp_path: Path) -> None:
    for number, mutant in enumerate(MUTANTS):
        tree = copied_packages(tmp_path / str(number))
        plant(mutant, tree)
        assert mutant.after in (tree / mutant.file).read_text()


def test_a_mutant_whose_text_is_gone_fails_and_says_so(tmp_path: Path) -> None:
    tree = copied_packages(tmp_path)
    with pytest.raises(AssertionError, match=r"router/planning\.py holds the text to replace 0 times"):
        plant(Mutant("gone", "router/planning.py", "there is no such text", ""), tree)
