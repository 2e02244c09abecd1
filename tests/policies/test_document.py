"""The YAML that is read, and all that is not: each refusal names its line and what to write."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.document import DEPTH_MAX, parse_bytes, read_document
from policies.errors import DocumentError, PolicyError
from policies.files import FILE_BYTES_MAX
from policies.nodes import Mapping, Node, Scalar, Sequence

REFUSED = {
    "empty": ("", 1, "the file is empty"),
    "only a comment": ("# nothing\n", 1, "the file is empty"),
    "a list": ("# list\n- a\n- b\n", 2, "must be a mapping"),
    "a word": ("finance", 1, "must be a mapping"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' is here twice; the first is in line 1"),
    "duplicate key in quotes": ('a: 1\n"a": 2\n', 2, "twice"),
    "duplicate key further in": ("a:\n  b: 1\n  b: 2\n", 3, "twice"),
    "anchor": ("a: &x 1\n", 1, "anchors and aliases are not read"),
    "anchor on a key": ("&x a: 1\n", 1, "anchors and aliases are not read"),
    "anchor on a list": ("a: &x [1]\n", 1, "anchors and aliases are not read"),
    "alias": ("a: 1\nb: *x\n", 2, "anchors and aliases are not read"),
    "alias as a key": ("a: 1\n*x : 2\n", 2, "anchors and aliases are not read"),
    "asterisk without quotes": ("a: 1\nmodels: [*]\n", 2, 'an asterisk stands in quotes: "*"'),
    "tag": ("a: !!python/object:os.system x\n", 1, "tags are not read"),
    "tag on a key": ("!!str a: 1\n", 1, "tags are not read"),
    "tag on a mapping": ("a: !x {b: 1}\n", 1, "tags are not read"),
    "merge key": ("a: 1\n<<: {b: 2}\n", 2, "merge keys are not read"),
    "list as a key": ("? [a, b]\n: 1\n", 1, "a key must be a single word"),
    "mapping as a key": ("{{a: 1}: 2}", 1, "a key must be a single word"),
    "second document": ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
    "tab": ("a:\n\tb: 1\n", 2, "indent with spaces, not tabs"),
    "colon in a value": ("a: b: c\n", 1, "a value that holds a colon stands in quotes"),
    "bracket left open": ("a: [1, 2\nb: 3\n", 1, "the [ of this line is not closed"),
    "quote left open": ("a: 1\nb: 'x\n", 2, "the quote that this line opens is not closed; close it"),
    "value of several lines": ("a: 1\nb: |\n  x\n  y\n", 2, "plain text on one line"),
    "control character": ("a: 1\nb: \x07\n", 2, "control character"),
    "escaped control character": ('a: 1\nb: "\\0"\n', 2, "plain text on one line"),
    "half a surrogate pair": ('a: 1\nb: "\\uD800"\n', 2, "plain text on one line"),
    "text that turns the line around": ('a: "\\u202Eeverything"\n', 1, "plain text on one line"),
    "character beyond Unicode": ('a: "\\UFFFFFFFF"\n', 1, "out of range"),
    "character a little beyond Unicode": ('a: "\\U00110000"\n', 1, "out of range"),
    "version of 5,000 digits": ("%YAML " + "9" * 5_000 + ".1\n---\na: 1\n", 1, "out of range"),
    "version of the future": ("%YAML 9.9\n---\na: 1\n", 1, "this is not YAML"),
}


@pytest.mark.parametrize(("text", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_we_do_not_read_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_bytes(text.encode(), "finance.yaml")
    assert (caught.value.file, caught.value.line) == ("finance.yaml", line)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"finance.yaml line {line}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a: 1\nb: ü\n".encode("latin-1"), 2),
        ("a: 1\n".encode("utf-16"), 1),
        (b"a: 1\nb: 2\nc: \xff", 3),
        (b"a: \xed\xa0\x80", 1),
    ],
    ids=["latin-1", "utf-16", "a byte", "a surrogate in bytes"],
)
def test_what_is_not_utf_8_is_refused_with_its_line(content: bytes, line: int) -> None:
    with pytest.raises(DocumentError, match="save it as UTF-8") as caught:
        parse_bytes(content, "finance.yaml")
    assert caught.value.line == line


PLAIN = "team: finance\nlimits:\n  day_usd: 5\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.rstrip().encode(),
        b"---\n" + PLAIN.encode() + b"...\n",
        b"%YAML 1.2\n---\n" + PLAIN.encode(),
        b'{"team": "finance", "limits": {"day_usd": 5}}',
    ],
    ids=["plain", "byte order mark", "CRLF", "CR", "no last line break", "marked", "version", "JSON"],
)
def test_the_same_is_read_however_it_was_saved(content: bytes) -> None:
    root = parse_bytes(content, "finance.yaml")
    assert values(root) == {"team": "finance", "limits": {"day_usd": "5"}}


def test_every_value_knows_its_line() -> None:
    root = parse_bytes(b"# rules\nteam: finance\n\nmodels:\n  - a\n  - b\nlimits:\n  day_usd: 5\n", "f.yaml")
    assert root.key_lines == {"team": 2, "models": 4, "limits": 7}
    assert [word.line for word in root.words("models")] == [5, 6]
    assert root.mapping("limits").line == 7
    assert root.mapping("limits").scalar("day_usd").line == 8


def test_characters_are_kept_as_written() -> None:
    root = parse_bytes('a: 1_000\nb: 010\nc: 0x1F\nd: yes\ne: 1e3\nf: "中文 é"\n'.encode(), "f.yaml")
    assert values(root) == {"a": "1_000", "b": "010", "c": "0x1F", "d": "yes", "e": "1e3", "f": "中文 é"}


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "finance.yaml"
    path.write_bytes(b"a: 1\n" + b"#" * (FILE_BYTES_MAX - 5))
    assert values(read_document(path)) == {"a": "1"}
    path.write_bytes(b"a: 1\n" + b"#" * (FILE_BYTES_MAX - 4))
    with pytest.raises(
        DocumentError, match=f"has more than {FILE_BYTES_MAX} bytes, and no more are read; shorten it"
    ):
        read_document(path)


def test_nesting_is_read_up_to_its_limit() -> None:
    deepest = "a: " + "[" * (DEPTH_MAX - 2) + "x" + "]" * (DEPTH_MAX - 2)
    assert isinstance(parse_bytes(deepest.encode(), "f.yaml").entries["a"], Sequence)
    with pytest.raises(DocumentError, match="nested deeper than"):
        parse_bytes(f"a: [{deepest[3:]}]".encode(), "f.yaml")


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "[a, ", "? ", "&x ", '"', "- [ "])
def test_a_file_of_nothing_but_openings_is_refused(opening: str) -> None:
    """Reading it to the end first took minutes: it is refused where it is too deep."""
    with pytest.raises(DocumentError):
        parse_bytes((opening * FILE_BYTES_MAX)[: FILE_BYTES_MAX - 10].encode(), "f.yaml")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_mapping_or_an_error_of_ours(content: bytes) -> None:
    assert_read_or_refused(content)


@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_an_error_of_ours(text: str) -> None:
    assert_read_or_refused(text.encode("utf-8", "surrogatepass"))


@given(
    st.lists(
        st.sampled_from(
            ["a", ":", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&x", "*x", "!", "!!t", "|", ">", "'", '"', "\\U", "\\x", "F" * 8,
             "%YAML ", "%TAG ", "1.1", "---", "...", "?", "<<", "#", "\t", "\r", "\ufeff", "\u2028", "\x85", "%ff", "~", "1" * 9]
        ),
        max_size=25,
    )
)  # fmt: skip
def test_any_run_of_yamls_own_signs_is_a_mapping_or_an_error_of_ours(signs: list[str]) -> None:
    assert_read_or_refused("".join(signs).encode())


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda word: word != "<<"
)
documents = st.dictionaries(
    words,
    st.recursive(
        words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


@given(documents, st.booleans())
def test_what_another_program_wrote_is_read_as_it_meant_it(document: dict[str, object], flow: bool) -> None:
    written = yaml.safe_dump(document, allow_unicode=True, default_flow_style=flow, width=10_000)
    assert values(parse_bytes(written.encode(), "f.yaml")) == document


def assert_read_or_refused(content: bytes) -> None:
    found = read(content)
    if isinstance(found, PolicyError):
        assert found.line is not None
        assert 1 <= found.line <= content.count(b"\n") + len(content) + 1
        assert str(found).isprintable()
    else:
        assert isinstance(found, Mapping)


def read(content: bytes) -> Mapping | PolicyError:
    try:
        return parse_bytes(content, "f.yaml")
    except PolicyError as error:
        return error


def values(node: Node) -> object:
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [values(item) for item in node.items]
        case Mapping():
            return {key: values(value) for key, value in node.entries.items()}
