"""A score counts the tokens inside a value and no others, whatever a server did to the text."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.answer import read_answer
from verifiers.scores import field_score, token_spans
from verifiers.tokens import TokenLogprob

SURE, UNSURE = math.log(0.9), math.log(0.1)


def tokens(*parts: str, unsure: str = "") -> list[TokenLogprob]:
    return [TokenLogprob(part, UNSURE if part == unsure else SURE) for part in parts]


def scores(text: str, given_tokens: list[TokenLogprob]) -> dict[str, float | None]:
    spans = token_spans(text, given_tokens)
    found = {leaf.path: field_score(leaf, spans) for leaf in read_answer(text).leaves}
    return {path: None if score is None else round(score, 6) for path, score in found.items()}


def test_the_least_sure_token_of_a_value_is_its_score() -> None:
    found = scores(
        '{"a":"one two","b":"x"}',
        tokens('{"', "a", '":"', "one", " two", '","', "b", '":"', "x", '"}', unsure=" two"),
    )

    assert found == {"a": 0.1, "b": 0.9}


@pytest.mark.parametrize("outside", ['{"', "a", '":"', '","', "b", '"}'])
def test_a_token_outside_of_the_values_counts_for_none(outside: str) -> None:
    found = scores(
        '{"a":"one","b":"two"}',
        tokens('{"', "a", '":"', "one", '","', "b", '":"', "two", '"}', unsure=outside),
    )

    assert found == {"a": 0.9, "b": 0.9}


def test_a_token_over_the_border_of_a_value_counts_for_it() -> None:
    assert scores('{"a":"one"}', tokens('{"a":"o', "ne", '"}', unsure='{"a":"o')) == {"a": 0.1}


@pytest.mark.parametrize("value", ["12.50", "true", "null"])
def test_a_value_without_quotation_marks_is_scored_whole(value: str) -> None:
    assert scores(f'{{"a": {value}}}', tokens('{"a": ', value, "}", unsure=value)) == {"a": 0.1}


@pytest.mark.parametrize(
    "given_tokens",
    [
        pytest.param(
            tokens("```", "json", "\n", '{"a":', '"one"', "}", "\n```", unsure='"one"'), id="fences stripped"
        ),
        pytest.param(tokens("{\n", '  "a":', ' "one"', "\n}", unsure=' "one"'), id="lines stripped within"),
        pytest.param(tokens("\n\n", "```\n{", '"a":', '\n"one"', "}", "```", unsure='\n"one"'), id="both"),
        pytest.param(tokens('think {"a":"two"} ', '{"a":', '"one"', "}", unsure='"one"'), id="thought aloud"),
    ],
)
def test_tokens_are_aligned_by_text_where_a_server_stripped_some(given_tokens: list[TokenLogprob]) -> None:
    assert scores('{"a":"one"}', given_tokens) == {"a": 0.1}


@pytest.mark.parametrize(
    "halves",
    [
        pytest.param(("\ufffd", "\ufffd"), id="replacement characters"),
        pytest.param(("\\xe6\\x97", "\\xa5"), id="bytes written out"),
        pytest.param(("", ""), id="empty until complete"),
    ],
)
def test_a_character_torn_into_two_tokens_gets_the_score_of_the_worse(halves: tuple[str, str]) -> None:
    given_tokens = [
        TokenLogprob('{"a":"', SURE),
        TokenLogprob(halves[0], SURE),
        TokenLogprob(halves[1], UNSURE),
        TokenLogprob('","b":"x"}', SURE),
    ]

    assert scores('{"a":"日","b":"x"}', given_tokens) == {"a": 0.1, "b": 0.9}


@pytest.mark.parametrize(
    "given_tokens",
    [
        pytest.param([], id="none"),
        pytest.param(tokens("quite", " another", " answer"), id="of another answer"),
        pytest.param(tokens('{"a":', '"one'), id="cut short"),
    ],
)
def test_without_tokens_of_this_answer_there_is_no_score(given_tokens: list[TokenLogprob]) -> None:
    assert scores('{"a":"one"}', given_tokens) == {"a": None}


@pytest.mark.parametrize("logprob", [-1e9, -700.0, 0.0, -math.inf])
def test_a_score_is_a_probability(logprob: float) -> None:
    text = '{"a":"one"}'
    spans = token_spans(text, [TokenLogprob(text, logprob)])
    score = field_score(read_answer(text).leaves[0], spans)

    assert score is not None
    assert 0.0 <= score <= 1.0


@given(text=st.text("ab \n`é日", min_size=1, max_size=40), data=st.data())
def test_any_cutting_of_a_text_into_tokens_is_placed_in_order(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)})
    parts = [text[low:high] for low, high in pairwise(cuts)]

    spans = token_spans(text, tokens(*parts))

    assert spans is not None
    assert [text[low:high] for low, high, _ in spans] == parts


@given(words=st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=10), data=st.data())
def test_dropped_white_space_moves_no_token(words: list[str], data: st.DataObject) -> None:
    gaps = data.draw(
        st.lists(st.sampled_from(["", " ", "\n", "\n  "]), min_size=len(words), max_size=len(words))
    )
    parts = [word + gap for word, gap in zip(words, gaps, strict=True)]

    spans = token_spans("".join(words), tokens(*parts))

    assert spans is not None
    assert ["".join(words)[low:high] for low, high, _ in spans] == words
