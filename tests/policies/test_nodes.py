"""Values are read as their key wants them, exactly, or refused with what to write instead."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import NANO_PER_USD
from policies.decision import AtLimit
from policies.document import parse_bytes
from policies.errors import RuleError
from policies.nodes import Mapping, suggestion

Reader = Callable[[Mapping], object]


def whole(root: Mapping) -> object:
    return root.integer("key", 0, 1_000_000)


def number(root: Mapping) -> object:
    return root.number("key", 0, 1_000_000)


def money(root: Mapping) -> object:
    return root.usd("key")


def word(root: Mapping) -> object:
    return root.text("key")


def switch(root: Mapping) -> object:
    return root.flag("key", default=True)


def one_of(root: Mapping) -> object:
    return root.choice("key", AtLimit)


def names(root: Mapping) -> object:
    return [item.text for item in root.words("key")]


def written(value: str) -> Mapping:
    return parse_bytes(f"# a comment\nkey: {value}\n".encode(), "f.yaml")


READ = {
    "whole": (whole, "42", 42),
    "whole, grouped": (whole, "1_000_000", 1_000_000),
    "whole in quotes": (whole, '"42"', 42),
    "whole zero": (whole, "0", 0),
    "number": (number, "1.5", 1.5),
    "number without decimals": (number, "300", 300.0),
    "money": (money, "12.50", 12_500_000_000),
    "money in quotes": (money, '"0.0028"', 2_800_000),
    "money without cents": (money, "5", 5_000_000_000),
    "money zero": (money, "0", 0),
    "money that no float holds": (money, "1234567890.123456789", 1_234_567_890_123_456_789),
    "word": (word, "finance", "finance"),
    "word with a space in it": (word, "human resources", "human resources"),
    "word that YAML takes for a number": (word, "007", "007"),
    "quoted null": (word, '"null"', "null"),
    "true": (switch, "true", True),
    "false": (switch, "false", False),
    "choice": (one_of, "cheap_only", AtLimit.CHEAP_ONLY),
    "list": (names, "[a, b]", ["a", "b"]),
    "empty list": (names, "[]", []),
}


@pytest.mark.parametrize(("read", "value", "expected"), READ.values(), ids=READ.keys())
def test_a_value_is_read_as_written(read: Reader, value: str, expected: object) -> None:
    assert read(written(value)) == expected


REFUSED = {
    "whole with an exponent": (whole, "1e3", "is '1e3'; write a whole number from 0 to 1000000"),
    "whole in hexadecimal": (whole, "0x10", "is '0x10'; write a whole number"),
    "whole in octal": (whole, "010", "is '010'; write a whole number"),
    "whole, grouped wrongly": (whole, "1__0", "is '1__0'; write a whole number"),
    "whole with a sign": (whole, "+5", "is '+5'; write a whole number"),
    "whole in other digits": (whole, "٤٢", "write a whole number"),
    "whole with decimals": (whole, "5.0", "is '5.0'; write a whole number"),
    "whole that is none": (whole, ".inf", "is '.inf'; write a whole number"),
    "whole below": (whole, "-1", "is -1; it must be from 0 to 1000000"),
    "whole above": (whole, "1000001", "is 1000001; it must be from 0 to 1000000"),
    "whole of 10,000 digits": (whole, "9" * 10_000, "write a whole number"),
    "whole list": (whole, "[1]", "must be a single value, not a list or a mapping"),
    "number with an exponent": (number, "1e3", "is '1e3'; write a plain number from 0 to 1e+06"),
    "number that is none": (number, "NaN", "is 'NaN'; write a plain number"),
    "number without an end": (number, ".inf", "is '.inf'; write a plain number"),
    "number, grouped": (number, "1_000.5", "is '1_000.5'; write a plain number"),
    "number in hexadecimal": (number, "0x10", "is '0x10'; write a plain number"),
    "number above": (number, "1000000.1", "is 1000000.1; it must be from 0 to 1e+06"),
    "number below": (number, "-0.1", "is -0.1; it must be from 0 to 1e+06"),
    "number of 10,000 digits": (number, "9" * 10_000, "it must be from 0 to 1e+06"),
    "money below zero": (money, "-5", "'-5' is negative"),
    "money with an exponent": (money, "1e3", "'1e3' is not an amount in US dollars"),
    "money in hexadecimal": (money, "0x10", "not an amount in US dollars"),
    "money, grouped": (money, "1_000", "not an amount in US dollars"),
    "money, grouped by commas": (money, '"1,000"', "not an amount in US dollars"),
    "money with a sign of currency": (money, '"$5"', "not an amount in US dollars"),
    "money that is none": (money, "NaN", "not an amount in US dollars"),
    "money without an end": (money, ".inf", "not an amount in US dollars"),
    "money too fine": (money, "0.0000000001", "finer than a billionth"),
    "money too much": (money, "9300000000", "more than the ledger can count"),
    "money of 10,000 digits": (money, "9" * 10_000, "is no amount in US dollars"),
    "word that is missing its value": (word, "", "key is empty; write a value or leave the key out"),
    "word null": (word, "null", "key is empty"),
    "word of a space": (word, '" "', "key is empty"),
    "word with a space before it": (word, '" finance"', "begins or ends with a space"),
    "word list": (word, "[a]", "must be a single value"),
    "word mapping": (word, "{a: b}", "must be a single value"),
    "yes": (switch, "yes", "is 'yes'; write true or false"),
    "True": (switch, "True", "is 'True'; write true or false"),
    "switch of 1": (switch, "1", "write true or false"),
    "switch empty": (switch, "", "key is empty"),
    "choice misspelt": (one_of, "clam", "one of clamp, deny, cheap_only; did you mean 'clamp'?"),
    "choice of something else": (one_of, "zzz", "it is one of clamp, deny, cheap_only"),
    "choice in capitals": (one_of, "DENY", "it is one of clamp, deny, cheap_only"),
    "names as a word": (names, "a", "must be a list; write [a]"),
    "names missing": (names, "", "must be a list"),
    "names with a list among them": (names, "[a, [b]]", "must hold single names"),
    "names with nothing among them": (names, "[a, ~]", "must hold single names"),
    "names with a mapping among them": (names, "[a: b]", "must hold single names"),
}


@pytest.mark.parametrize(("read", "value", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_such_value_is_refused_at_its_line(read: Reader, value: str, said: str) -> None:
    root = written(value)
    with pytest.raises(RuleError) as caught:
        read(root)
    assert (caught.value.file, caught.value.line) == ("f.yaml", 2)
    assert said in str(caught.value)
    assert "key" in str(caught.value)
    assert len(str(caught.value)) < 250


@given(st.decimals(0, 9_000_000_000, places=9))
def test_money_is_read_to_the_nano_dollar(amount: Decimal) -> None:
    assert written(f"{amount:f}").usd("key") == int(amount * NANO_PER_USD)


@given(st.integers(0, 1_000_000))
def test_a_whole_number_is_read_however_it_is_grouped(value: int) -> None:
    assert whole(written(str(value))) == whole(written(f"{value:_}")) == value


@given(
    st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20),
    st.sampled_from([whole, number, money]),
)
def test_any_text_is_a_number_or_refused(text: str, read: Reader) -> None:
    root = written("'" + text.replace("'", "''") + "'")
    found = read_or_error(read, root)
    if isinstance(found, RuleError):
        assert found.line == 2
    else:
        assert isinstance(found, int | float)
        assert found >= 0


def read_or_error(read: Reader, root: Mapping) -> object:
    try:
        return read(root)
    except RuleError as error:
        return error


def test_a_missing_key_is_named_in_full_at_the_place_it_belongs_to() -> None:
    root = parse_bytes(b"routes:\n  fast:\n    model: x\n", "f.yaml")
    with pytest.raises(RuleError, match=r"f.yaml line 2: routes.fast.provider is missing; add it"):
        root.mapping("routes").mapping("fast").text("provider")


def test_a_default_stands_in_for_a_missing_key_alone() -> None:
    root = parse_bytes(b"other: 1\n", "f.yaml")
    assert root.text("key", "finance") == "finance"
    assert root.integer("key", 0, 9, 5) == 5
    assert root.number("key", 0, 9, 2.5) == 2.5
    assert root.choice("key", AtLimit, AtLimit.DENY) is AtLimit.DENY
    assert root.flag("key", default=True) is True
    assert root.optional_text("key") is None
    assert list(root.mapping("key")) == []


@pytest.mark.parametrize("value", ["", "~", "null"])
def test_a_key_without_a_value_never_becomes_the_default(value: str) -> None:
    """A limit that somebody forgot to fill in is not "no limit"."""
    with pytest.raises(RuleError, match="key is empty; write a value or leave the key out"):
        written(value).text("key", "finance")
    with pytest.raises(RuleError, match="key is empty"):
        written(value).integer("key", 0, 9, 5)
    with pytest.raises(RuleError, match="key is empty"):
        written(value).optional_text("key")


def test_a_section_of_which_everything_is_commented_out_is_empty() -> None:
    root = parse_bytes(b"limits:\n#  day_usd: 5\nteam: finance\n", "f.yaml")
    section = root.mapping("limits")
    assert (list(section), section.name, section.line) == ([], "limits", 1)


def test_a_section_that_is_none_is_refused() -> None:
    root = parse_bytes(b"limits: 5\n", "f.yaml")
    with pytest.raises(RuleError, match="limits must be a mapping"):
        root.mapping("limits")


def test_an_unknown_key_is_refused_with_the_nearest_or_all() -> None:
    root = parse_bytes(b"team: x\nmodles: [a]\n", "f.yaml")
    with pytest.raises(RuleError, match=r"f.yaml line 2: unknown key 'modles'; did you mean 'models'\?"):
        root.only(("team", "models"))
    with pytest.raises(RuleError, match="unknown key 'modles'; known are team, zzz"):
        root.only(("zzz", "team"))


def test_a_key_of_another_place_is_told_where_it_belongs() -> None:
    root = parse_bytes(b"team: x\nday_usd: 5\n", "f.yaml")
    with pytest.raises(
        RuleError, match=r"^f.yaml line 2: unknown key 'day_usd'; it belongs in limits: move it"
    ):
        root.only(("team", "days_usd"), {"grading": ("percent",), "limits": ("day_usd",)})


def test_a_suggestion_says_what_there_is() -> None:
    assert suggestion("deepsek", ["openai", "deepseek"]) == "; did you mean 'deepseek'?"
    assert suggestion("x", ["openai", "deepseek"]) == "; known are deepseek, openai"
    assert suggestion("x", []) == "; there are none"
