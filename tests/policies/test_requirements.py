"""What a route must be: each thing by itself, and nothing that is not said counts."""

from dataclasses import replace

import pytest

from policies.jurisdictions import CODES, COUNTRIES, MEMBERS, lies_in
from policies.requirements import FLAGS, LISTS, Requirements
from policies.route_facts import RouteFacts, Runs

ROUTE = RouteFacts(
    name="flash-here",
    model="flash",
    provider="ours",
    runs=Runs.ON_PREMISES,
    place="frankfurt-2",
    jurisdiction="DE",
    weights_licence="MIT",
    weights_origin="CN",
    zero_retention=True,
    no_training=True,
)


def listed(key: str, *wanted: str) -> Requirements:
    return Requirements({key: frozenset(wanted)})


def flagged(*flags: str) -> Requirements:
    return Requirements({}, frozenset(flags))


MET = {
    "model": listed("model", "flash", "opus"),
    "provider": listed("provider", "ours"),
    "place": listed("place", "frankfurt-2"),
    "the country": listed("jurisdiction", "DE"),
    "the Union, of a member": listed("jurisdiction", "EU"),
    "licence": listed("weights_licence", "MIT"),
    "origin": listed("weights_origin", "CN", "US"),
    "on premises": flagged("on_premises_only"),
    "promises": flagged("zero_retention", "no_training"),
}
MISSED = {
    "model": (listed("model", "opus"), "its model is flash, and opus is required"),
    "provider": (listed("provider", "local"), "its provider is ours, and local is required"),
    "place": (listed("place", "paris-1"), "its place is frankfurt-2, and paris-1 is required"),
    "another country": (listed("jurisdiction", "US", "FR"), "its jurisdiction is DE, and FR or US is required"),
    "licence": (listed("weights_licence", "Apache-2.0"), "its weights licence is MIT, and Apache-2.0 is required"),
    "origin": (listed("weights_origin", "EU"), "its weights origin is CN, and EU is required"),
    "local": (flagged("local_only"), "it does not run on this machine"),
}  # fmt: skip


@pytest.mark.parametrize("wanted", MET.values(), ids=MET.keys())
def test_a_route_that_is_what_is_required_stays(wanted: Requirements) -> None:
    assert wanted.missed_by(ROUTE) is None


@pytest.mark.parametrize(("wanted", "said"), MISSED.values(), ids=MISSED.keys())
def test_a_route_that_is_not_falls_and_says_why(wanted: Requirements, said: str) -> None:
    assert wanted.missed_by(ROUTE) == said


BARE = RouteFacts("flash", "flash", "deepseek")


@pytest.mark.parametrize("key", ["place", "jurisdiction", "weights_licence", "weights_origin"])
def test_what_is_not_stated_of_a_route_is_not_met(key: str) -> None:
    assert (
        listed(key, "DE").missed_by(BARE) == f"its {key.replace('_', ' ')} is not stated, and DE is required"
    )


@pytest.mark.parametrize("flag", FLAGS)
def test_what_is_not_promised_is_not_met(flag: str) -> None:
    assert flagged(flag).missed_by(BARE) is not None


def test_a_union_is_not_a_country() -> None:
    assert listed("jurisdiction", "DE").missed_by(replace(ROUTE, jurisdiction="EU")) is not None
    assert listed("jurisdiction", "EU").missed_by(replace(ROUTE, jurisdiction="EU")) is None


def test_where_it_runs_is_not_who_made_it() -> None:
    """Open weights on one's own server are not their maker's API in another country."""
    hosted = replace(ROUTE, runs=Runs.HOSTED, jurisdiction="CN")
    wanted = listed("jurisdiction", "EU")
    assert wanted.missed_by(ROUTE) is None
    assert wanted.missed_by(hosted) == "its jurisdiction is CN, and EU is required"
    assert ROUTE.weights_origin == hosted.weights_origin


def test_what_runs_on_this_machine_runs_on_the_operators_own() -> None:
    assert flagged("on_premises_only").missed_by(replace(ROUTE, runs=Runs.LOCAL)) is None
    assert flagged("local_only").missed_by(replace(ROUTE, runs=Runs.LOCAL)) is None


def test_every_list_is_a_fact_of_routes() -> None:
    assert all(hasattr(ROUTE, key) for key in LISTS)


def test_requirements_read_as_a_sentence() -> None:
    wanted = Requirements({"jurisdiction": frozenset({"EU", "CH"})}, frozenset({"zero_retention"}))
    assert str(wanted) == "zero retention, jurisdiction CH or EU"


def test_the_codes_are_those_of_iso_3166_and_the_members_27() -> None:
    assert (len(COUNTRIES), len(MEMBERS)) == (249, 27)
    assert MEMBERS < COUNTRIES
    assert {"EU"} == CODES - COUNTRIES
    assert all(lies_in(code, code) for code in CODES)
    assert not any(lies_in("EU", code) for code in COUNTRIES)
    assert {code for code in CODES if lies_in(code, "EU")} == MEMBERS | {"EU"}
