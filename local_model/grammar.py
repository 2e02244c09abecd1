"""Grammars that an answer is held to, token by token: a JSON schema, a regular expression, spans of a document.

A string whose schema says `"x-steelyard-verbatim": true` can only become a span of the document: whole words, as they stand
there but for white space, of which any run is one space. So it cannot be invented.

White space between JSON's signs is not allowed at all: a weak model fills pages with it.
Source: llguidance's documents on its Lark dialect and on what it does of JSON schema.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from numpy.typing import NDArray

from local_model.errors import GrammarError

VERBATIM = "x-steelyard-verbatim"
_COMPACT = {"whitespace_flexible": False}
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LENGTHS = ("minLength", "maxLength")
_SAID_OF_VERBATIM = frozenset((VERBATIM, "type", "title", "description", "examples", "default", *_LENGTHS))
_SAID_OF_OBJECT = frozenset(
    ("type", "title", "description", "properties", "required", "additionalProperties", "$schema", "$id")
)
_SAID_OF_ARRAY = frozenset(("type", "title", "description", "items", "minItems", "maxItems"))


class Grammars:
    """Compiles grammars for one vocabulary."""

    def __init__(self, tokenizer: str, vocab_size: int, end: int) -> None:
        """`tokenizer` is a tokenizer.json's text, `end` the token that ends an answer."""
        self._tokenizer = LLTokenizer(tokenizer, n_vocab=vocab_size, eos_token=end)
        self._vocab_size = vocab_size

    def of_schema(self, schema: Mapping[str, Any], document: str | None = None) -> "Grammar":
        """What a JSON schema allows; `document` is where verbatim strings come from.

        Raises GrammarError with what it is that cannot be done.
        """
        if has_verbatim(schema):
            if document is None:
                raise GrammarError(f"the schema has {VERBATIM}, and there is no document to copy from")
            return self._made(LLMatcher.grammar_from_lark(verbatim_lark(schema, document)))
        return self._made(
            LLMatcher.grammar_from_json_schema(dict(schema), overrides={"whitespace_flexible": False})
        )

    def of_regex(self, pattern: str) -> "Grammar":
        """What a regular expression matches whole. Raises GrammarError."""
        return self._made(LLMatcher.grammar_from_regex(pattern))

    def _made(self, grammar: str) -> "Grammar":
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise GrammarError(_first_line(matcher.get_error()))
        return Grammar(matcher, self._vocab_size)


class Grammar:
    """One answer's, and where in it the answer is."""

    def __init__(self, matcher: LLMatcher, vocab_size: int) -> None:
        self._matcher = matcher
        self._bits = np.zeros((vocab_size + 31) // 32, dtype=np.int32)
        self._vocab_size = vocab_size

    def allowed(self) -> NDArray[np.bool_]:
        """Which tokens may come next, bool [vocabulary]. Raises GrammarError where the grammar has become too complex."""
        self._matcher.unsafe_compute_mask_ptr(self._bits.ctypes.data, self._bits.nbytes)
        self._check()
        return np.unpackbits(self._bits.view(np.uint8), bitorder="little", count=self._vocab_size).view(
            np.bool_
        )

    def take(self, token: int) -> None:
        """The answer goes on with `token`. Raises GrammarError where it may not."""
        self._matcher.consume_token(token)
        self._check()

    @property
    def is_complete(self) -> bool:
        """Whether the answer may end here."""
        return bool(self._matcher.is_accepting())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise GrammarError(_first_line(self._matcher.get_error()))


def has_verbatim(schema: object) -> bool:
    """Whether a schema marks a string as verbatim, at any depth."""
    if isinstance(schema, Mapping):
        return bool(schema.get(VERBATIM)) or any(has_verbatim(inner) for inner in schema.values())
    return isinstance(schema, list) and any(has_verbatim(inner) for inner in schema)


def verbatim_lark(schema: Mapping[str, Any], document: str) -> str:
    """A grammar in llguidance's Lark for a schema that has verbatim strings. Raises GrammarError."""
    return _Lark(document).written(schema)


class _Lark:
    def __init__(self, document: str) -> None:
        self._spans = {"SPAN": _span(document)}
        self._rules: list[str] = []

    def written(self, schema: Mapping[str, Any]) -> str:
        start = self._value(schema, "the answer")
        spans = [f"{name}: {said}" for name, said in self._spans.items()]
        return "\n".join([f"start: {start}", *self._rules, *spans]) + "\n"

    def _value(self, schema: Mapping[str, Any], at: str) -> str:
        """The name of a rule for what `schema` describes, which is called `at` in errors."""
        if not has_verbatim(schema):
            return self._rule("%json " + json.dumps({**schema, "x-guidance": _COMPACT}))
        kinds = schema.get("type")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not isinstance(kinds, Sequence) or len(set(kinds) - {"null"}) != 1:
            raise GrammarError(
                f"{at} has {VERBATIM} in it and must have one type, besides null; it says {kinds}"
            )
        (kind,) = set(kinds) - {"null"}
        written = {"string": self._string, "object": self._object, "array": self._array}.get(str(kind))
        if written is None:
            raise GrammarError(f"{at} is of type {kind}; {VERBATIM} is for strings")
        rule = written(schema, at)
        return self._rule(f'{rule} | "null"') if "null" in kinds else rule

    def _string(self, schema: Mapping[str, Any], at: str) -> str:
        _refuse_others(schema, _SAID_OF_VERBATIM, at)
        least, most = (schema.get(name) for name in _LENGTHS)
        name = "SPAN"
        if least is not None or most is not None:
            name = f"SPAN_{least or 0}_{'' if most is None else most}".rstrip("_")
            # A letter that JSON escapes is counted as its escape, which is at least as long.
            self._spans[name] = f"SPAN & /(?s:.{{{least or 0},{'' if most is None else most}}})/"
        return self._rule(f'"\\"" {name} "\\""')

    def _object(self, schema: Mapping[str, Any], at: str) -> str:
        _refuse_others(schema, _SAID_OF_OBJECT, at)
        properties = schema.get("properties", {})
        optional = [name for name in properties if name not in schema.get("required", ())]
        if optional:
            raise GrammarError(
                f"{at} has {VERBATIM} in it, and {optional[0]} is not required; require it, or let it be null"
            )
        parts = [
            f"{_text(json.dumps(name, ensure_ascii=False) + ':')} {self._value(inner, name)}"
            for name, inner in properties.items()
        ]
        return self._rule('"{" ' + ' "," '.join(parts) + ' "}"')

    def _array(self, schema: Mapping[str, Any], at: str) -> str:
        _refuse_others(schema, _SAID_OF_ARRAY, at)
        item = self._value(schema.get("items", {}), f"an item of {at}")
        least, most = int(schema.get("minItems", 0)), schema.get("maxItems")
        more = f'("," {item}){{{max(least - 1, 0)},{"" if most is None else max(int(most) - 1, 0)}}}'
        whole = f'"[" {item} {more} "]"'
        if most == 0:
            return self._rule('"[]"')
        return self._rule(whole if least else f'{whole} | "[]"')

    def _rule(self, said: str) -> str:
        name = f"r{len(self._rules)}"
        self._rules.append(f"{name}: {said}")
        return name


def _span(document: str) -> str:
    """A terminal: words of the document that follow each other, as JSON writes them, no space at either end."""
    words = [
        " " if word.isspace() else json.dumps(word, ensure_ascii=False)[1:-1]
        for word in _WORDS.findall(document)
    ]
    return "SUBSTRING & /(?s:([^ ](.*[^ ])?)?)/\nSUBSTRING: %regex " + json.dumps({"substring_chunks": words})


def _text(text: str) -> str:
    """A Lark string."""
    return json.dumps(text, ensure_ascii=False)


def _refuse_others(schema: Mapping[str, Any], known: frozenset[str], at: str) -> None:
    unknown = [key for key in schema if key not in known]
    if unknown:
        raise GrammarError(
            f"{at} has {VERBATIM} in it, beside which {unknown[0]} cannot be held to; leave it out"
        )


def _first_line(error: str) -> str:
    return f"{error.strip().splitlines()[0]}" if error.strip() else "the grammar cannot be compiled"
