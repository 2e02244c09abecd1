"""What is shown to an auditor is one JSON string on one line, in which nothing passes for a fence."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.errors import NonceError
from verifiers.fences import CUT, NONCE_DIGITS_MAX, NONCE_DIGITS_MIN, TAKEN_OUT, Fence, cut, cut_middle

NONCE = "6f1d0c2b9a8e4d57"
FENCE = Fence(NONCE)


def test_records_stand_between_two_lines_with_the_nonce() -> None:
    written = FENCE.around([{"field": "total", "empty": True}, {"span": "S1", "text": 'a "b"\nc'}])
    assert written.split("\n") == [
        f"<<<{NONCE}",
        '{"field":"total","empty":true}',
        '{"span":"S1","text":"a \\"b\\"\\nc"}',
        f"{NONCE}>>>",
    ]


@pytest.mark.parametrize("digits", [NONCE_DIGITS_MIN, NONCE_DIGITS_MAX])
def test_a_nonce_has_64_bits_or_more(digits: int) -> None:
    assert Fence("a" * digits).begin == f"<<<{'a' * digits}"


@pytest.mark.parametrize(
    "nonce", ["", "a" * 15, "a" * 65, "A" * 16, "g" * 16, "٣" * 16, "a" * 16 + "\n", " " + "a" * 16]
)
def test_any_other_nonce_is_refused_with_what_to_take(nonce: str) -> None:
    with pytest.raises(NonceError, match=r"16 to 64 digits of lower-case hex; take secrets.token_hex\(8\)"):
        Fence(nonce)


@pytest.mark.parametrize(
    "line_break", ["\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_every_line_break_is_one_kind(line_break: str) -> None:
    assert FENCE.shown(f"a{line_break}b") == "a\nb"


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("\x00", id="a control character"),
        pytest.param("\x7f", id="delete"),
        pytest.param("\u200b", id="a zero-width space"),
        pytest.param("\u00ad", id="a soft hyphen"),
        pytest.param("\u202e", id="right to left"),
        pytest.param("\ufeff", id="a byte order mark"),
        pytest.param("\U000e0041", id="a tag"),
        pytest.param("\ue000", id="private use"),
        pytest.param("\ud800", id="a lone surrogate"),
        pytest.param("\u034f", id="a grapheme joiner"),
        pytest.param("\u115f", id="Hangul's filler"),
        pytest.param("\u3164", id="another of Hangul's fillers"),
        pytest.param("\uffa0", id="its half width"),
        pytest.param("\u17b4", id="a Khmer vowel that is not drawn"),
        pytest.param("\u180e", id="a Mongolian separator"),
        pytest.param("\ufe0f", id="a variation selector"),
        pytest.param("\U000e0100", id="another variation selector"),
    ],
)
def test_what_is_not_seen_is_taken_out(sign: str) -> None:
    assert FENCE.shown(f"a{sign}b") == "ab"
    assert FENCE.shown(f"<{sign}<") == "‹"
    assert FENCE.shown(f"{NONCE[:7]}{sign}{NONCE[7:]}") == TAKEN_OUT


def test_a_tab_is_a_space() -> None:
    assert FENCE.shown("a\tb") == "a b"


LEFT, RIGHT = "<«˂ᐸᐱᚲ‹≺≪⋖〈❬❮❰⟨⟪⦑⩹⪻《〈︽︿﹤＜", ">»˃ᐳ›≻≫⋗〉❭❯❱⟩⟫⦒⩺⪼》〉︾﹀﹥＞"


@pytest.mark.parametrize(("signs", "one"), [(LEFT, "‹"), (RIGHT, "›")])
@pytest.mark.parametrize("between", ["", " ", "\n", " \n ", "\u0338", "\u200b", "\u3000"])
def test_a_run_of_angles_of_any_kind_is_one_small_angle(signs: str, one: str, between: str) -> None:
    for sign in signs:
        for run in (sign * 2, f"{sign}{between}{signs[0]}", between.join(sign * 5)):
            assert FENCE.shown(f"a{run}b") == f"a{one}b", ascii(run)


@pytest.mark.parametrize(("sign", "shown"), [("⋘", "‹"), ("⋙", "›")])
def test_three_angles_in_one_sign_are_a_run(sign: str, shown: str) -> None:
    assert FENCE.shown(f"a{sign}b") == f"a{shown}b"


@pytest.mark.parametrize(
    "text",
    [
        "a < b > c",
        "<b>bold</b>",
        "<>",
        "><",
        "‹quoted›",
        "« Boutique »",
        "《合同》",
        "été 日付\n😀",
        "x > y",
        "",
    ],
)
def test_an_angle_alone_and_all_other_text_stays(text: str) -> None:
    assert FENCE.shown(text) == text


WIDE = "".join(chr(ord(digit) + 0xFEE0) for digit in NONCE)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(NONCE, id="as it is"),
        pytest.param(NONCE.upper(), id="in capitals"),
        pytest.param(WIDE, id="in full width"),
        pytest.param(" ".join(NONCE), id="with spaces"),
        pytest.param("\n".join(NONCE), id="with line breaks"),
        pytest.param("-_.".join(NONCE), id="with signs"),
        pytest.param("\u0301".join(NONCE), id="with accents"),
        pytest.param(NONCE.translate(str.maketrans("abce", "авсе")), id="in Cyrillic letters"),
        pytest.param(NONCE.replace("0", "O").replace("1", "l"), id="with letters for nought and one"),
        pytest.param(NONCE.replace("0", "О").replace("1", "І"), id="with Cyrillic ones"),
        pytest.param(NONCE.translate({ord("0") + n: 0x1D7CE + n for n in range(10)}), id="with bold digits"),
        pytest.param(NONCE.replace("1", "①").replace("2", "²"), id="with digits in a circle and above"),
    ],
)
def test_the_nonce_is_taken_out_however_it_is_written(written: str) -> None:
    assert FENCE.shown(f"before: {written}, after") == f"before: {TAKEN_OUT}, after"
    twice = FENCE.shown(f"{written} and {written}{written}!")
    assert twice == f"{TAKEN_OUT} and {TAKEN_OUT}{TAKEN_OUT}!"


@pytest.mark.parametrize("text", [NONCE[:-1], NONCE[1:], NONCE[::-1], NONCE.replace("d", "x")])
def test_what_only_resembles_the_nonce_stays(text: str) -> None:
    assert FENCE.shown(text) == text


@pytest.mark.parametrize(
    ("text", "chars_max", "expected"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, f"abcde{CUT}"), ("", 6, ""), ("ab", 1, CUT)],
)
def test_a_text_is_cut_at_its_end_with_a_mark(text: str, chars_max: int, expected: str) -> None:
    assert cut(text, chars_max) == expected


@pytest.mark.parametrize(
    ("text", "chars_max", "expected"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghijk", 10, f"abc\n{CUT}\nhijk"),
        ("abcdefghijkl", 11, f"abc\n{CUT}\nhijkl"),
    ],
)
def test_a_text_is_cut_in_its_middle_with_a_mark_on_a_line_of_its_own(
    text: str, chars_max: int, expected: str
) -> None:
    assert cut_middle(text, chars_max) == expected


@given(text=st.text(max_size=60), chars_max=st.integers(8, 50))
def test_what_is_cut_is_no_longer_than_allowed_and_begins_as_it_did(text: str, chars_max: int) -> None:
    for shorter in (cut(text, chars_max), cut_middle(text, chars_max)):
        assert len(shorter) <= chars_max
        assert shorter == text or (len(text) > chars_max and CUT in shorter and shorter[0] == text[0])


@given(st.text(st.characters() | st.sampled_from(LEFT + RIGHT + NONCE + " \n\u200b\u0338"), max_size=80))
def test_a_shown_text_is_one_line_of_json_that_shows_all_that_it_holds(text: str) -> None:
    (line,) = FENCE.lines([{"text": text}])
    shown = json.loads(line)["text"]
    assert shown == FENCE.shown(text)
    assert len(line.splitlines()) == 1
    assert NONCE not in shown
    assert all(sign == "\n" or unicodedata.category(sign)[0] != "C" for sign in shown)
