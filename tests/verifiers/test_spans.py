"""Excerpts are whole lines where those are short, never long, and disjoint or one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.document import Document
from verifiers.found import Placed
from verifiers.spans import SPAN_CHARS_MAX, WINDOW_CHARS_MAX, cut_out, window

SHORT = "one\ntwo\nthree\nfour\nfive"
LONG = " ".join(f"word{number}" for number in range(200))


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        pytest.param(SHORT, "three", "two\nthree\nfour", id="a line with its neighbours"),
        pytest.param(SHORT, "one", "one\ntwo", id="the first line"),
        pytest.param(SHORT, "five", "four\nfive", id="the last line"),
        pytest.param(f"{'x' * 90}\n{'y' * 60}", "y", "y" * 60, id="a neighbour that is too long"),
        pytest.param(f"a\n{'b ' * 80}\nc", "b", "b " * 80, id="a line that is long alone"),
    ],
)
def test_a_place_is_shown_with_its_lines(text: str, wanted: str, expected: str) -> None:
    start = text.index(wanted)
    around = window(Document(text), Placed(start, start + len(wanted)))
    assert text[around.start : around.end] == expected


def test_a_window_on_a_long_line_is_cut_between_words() -> None:
    start = LONG.index("word100")
    around = window(Document(LONG), Placed(start, start + 7))
    shown = LONG[around.start : around.end]
    assert len(shown) <= WINDOW_CHARS_MAX
    assert set(shown.split()) <= set(LONG.split())
    assert "word100" in shown


@given(
    text=st.text(st.sampled_from("ab \n"), max_size=900) | st.just(LONG),
    places=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 30)), min_size=1, max_size=6),
)
def test_spans_are_bounded_and_hold_what_they_are_cut_out_for(
    text: str, places: list[tuple[int, int]]
) -> None:
    document = Document(text)
    wanted: dict[str, list[Placed]] = {}
    for number, (start, length) in enumerate(places):
        placed = Placed(min(start, len(text)), min(start + length, len(text)))
        held = text[placed.start : placed.end]
        if not held.strip("\n") or held != held.strip("\n"):
            continue
        around = window(document, placed)
        assert 0 <= around.start <= placed.start <= placed.end <= around.end <= len(text)
        assert around.end - around.start <= WINDOW_CHARS_MAX
        wanted[f"f{number}"] = [around]
    spans = cut_out(document, wanted)
    assert [span.id for span in spans] == [f"S{number}" for number in range(1, len(spans) + 1)]
    for span in spans:
        assert span.text == text[span.start : span.end]
        assert len(span.text) <= SPAN_CHARS_MAX
    for field, ((start, end),) in wanted.items():
        assert any(field in each.fields and each.start <= start and end <= each.end for each in spans)


def test_windows_that_overlap_become_one_span_of_both_fields() -> None:
    (span,) = cut_out(Document(SHORT), {"a": [Placed(0, 7)], "b": [Placed(4, 13)]})
    assert (span.text, span.fields) == ("one\ntwo\nthree", frozenset("ab"))


@pytest.mark.parametrize(
    ("line", "more", "shows_more"),
    [
        pytest.param(59, 60, True, id="120 characters with the break"),
        pytest.param(59, 61, False, id="one more"),
    ],
)
def test_a_neighbouring_line_is_shown_while_both_are_short(line: int, more: int, shows_more: bool) -> None:
    for text, start in ((f"{'x' * line}\n{'y' * more}", 0), (f"{'y' * more}\n{'x' * line}", more + 1)):
        around = window(Document(text), Placed(start, start + 1))
        assert (around == Placed(0, len(text))) is shows_more
        assert around.end - around.start in (line, line + more + 1)


@pytest.mark.parametrize(("length", "is_whole"), [(200, True), (201, False)])
def test_a_line_of_200_characters_is_shown_whole(length: int, is_whole: bool) -> None:
    text = "x" * length
    around = window(Document(text), Placed(100, 101))
    assert (around == Placed(0, length)) is is_whole


def test_of_a_long_line_80_characters_before_the_place_are_shown_and_200_in_all() -> None:
    text = "x" * 1_000
    assert window(Document(text), Placed(500, 510)) == Placed(420, 620)
    assert window(Document(text), Placed(10, 20)) == Placed(0, 200)
    assert window(Document(text), Placed(990, 1_000)) == Placed(910, 1_000)


def test_what_is_longer_than_a_window_is_shown_from_its_beginning() -> None:
    around = window(Document("word " * 200), Placed(400, 800))
    assert around.start <= 400
    assert around.end - around.start <= WINDOW_CHARS_MAX


def test_windows_that_only_touch_stay_apart_and_so_do_those_that_would_be_too_long() -> None:
    document = Document("x" * 900)
    touching = cut_out(document, {"a": [Placed(0, 100)], "b": [Placed(100, 200)]})
    assert [(span.start, span.end) for span in touching] == [(0, 100), (100, 200)]
    for end, spans in ((400, 1), (401, 2)):
        found = cut_out(document, {"a": [Placed(0, 210)], "b": [Placed(205, end)]})
        assert len(found) == spans
    inner = cut_out(document, {"a": [Placed(0, 300)], "b": [Placed(10, 20)]})
    assert [(span.start, span.end, span.fields) for span in inner] == [(0, 300, frozenset("ab"))]


@pytest.mark.parametrize("text", ["", "\n", "\n\n", "a", "a\n"])
def test_a_place_at_either_end_of_a_document_has_a_window(text: str) -> None:
    for at in range(len(text) + 1):
        around = window(Document(text), Placed(at, at))
        assert 0 <= around.start <= at <= around.end <= len(text)
