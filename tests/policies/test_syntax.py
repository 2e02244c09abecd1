"""Text that is no YAML: each fault is told at the line that has to be changed, with what to write instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.document import parse_bytes
from policies.errors import DocumentError, PolicyError

T = "team: finance\nmodels: [flash]\n"
BRACKET = "the [ of this line is not closed, or a comma is missing in it; write e.g. [one, two]"
BRACE = "the { of this line is not closed, or a comma is missing in it; write e.g. {one: 1, two: 2}"
NOTHING_OPENED = "a bracket is closed here that nothing opened; write e.g. [one, two] or {one: 1}"
LONE_COMMA = "a comma has nothing before it; leave it out, or write what is missing"
QUOTE = "the quote that this line opens is not closed; close it"
BEHIND = "text follows a closing quote or bracket; leave it out, or put the whole value in quotes of the other kind"
ESCAPE = "in double quotes a backslash begins an escape; write the value in single quotes"
COLON = "a value that holds a colon stands in quotes"
NO_SPACE = "a space is missing behind the colon; write `key: value`"
NO_KEY = "this line has no key; write `key: value`, or `- value` for an item of a list"
EQUALS = "a key is followed by a colon, not by =; write `key: value`"
NO_NAME = "a colon has no key before it; write `key: value`"
DEEPER = "this line is indented deeper than the one above, which has its value already; begin both alike"
OTHERWISE = "this line is indented otherwise than those it belongs to; begin it where they begin"
LESS = "this line is indented less than the first one; begin both at the left margin"
SIDE_BY_SIDE = (
    "a key and an item of a list stand side by side; indent the keys of an item beneath its first one"
)
LIST = "a list begins on a line of its own, or in brackets: [one, two]"
TAB = "a tab stands here; indent with spaces, not tabs"
CONFLICT = "this is the mark of a merge conflict; settle it and take its three marks out"
WHOLE = "what stands above this line is whole already; write lines `key: value` alone"
DIRECTIVE = "a line that begins with % is no rule; leave it out"
BLOCK = "a value that begins with | or > stands in quotes"
NO_YAML = {
    # indentation
    "a tab before a key": (f"{T}\tauto: {{}}\n", 3, TAB),
    "a tab behind spaces": (f"{T}limits:\n  \tday_usd: 5\n", 4, TAB),
    "a tab before a value": (f"{T}limits:\n  day_usd:\t5\n", 4, TAB),
    "a tab before an item": ("team: finance\nmodels:\n\t- flash\n", 3, TAB),
    "a line deeper than the one above": ("team: finance\n  models: [flash]\n", 2, DEEPER),
    "a line deeper, and blank ones between": ("team: finance\n\n# models\n  models: [flash]\n", 4, OTHERWISE),
    "keys of an item deeper than its first": (f"{T}rules:\n  - id: one\n      deny: true\n", 5, DEEPER),
    "a line less deep than the first": ("  team: finance\nmodels: [flash]\n", 2, LESS),
    "a line between two depths": (f"{T}limits:\n    day_usd: 5\n  month_usd: 6\n", 5, OTHERWISE),
    "an item less deep than the first": ("team: finance\nmodels:\n    - flash\n  - opus\n", 4, OTHERWISE),
    "a key where an item should begin": (f"{T}rules:\n  - id: one\n  deny: true\n", 5, SIDE_BY_SIDE),
    "an item where a key should begin": (f"{T}limits:\n  day_usd: 5\n  - month_usd: 6\n", 5, SIDE_BY_SIDE),
    "an item behind a key": ("team: finance\nmodels: - flash\n", 2, LIST),
    "items behind a key and beneath": ("team: finance\nmodels: - flash\n  - opus\n", 2, LIST),
    # brackets and commas
    "a bracket left open": ("team: finance\nmodels: [flash, opus\nplans: {}\n", 2, BRACKET),
    "a bracket left open at the end": ("team: finance\nmodels: [flash\n", 2, BRACKET),
    "a bracket left open over lines": ("team: finance\nmodels: [flash,\n  opus\nplans:\n  cheap: [flash]\n", 2, BRACKET),
    "a bracket left open in Windows' lines": ("team: finance\r\nmodels: [flash\r\nplans: {}\r\n", 2, BRACKET),
    "a bracket closed by a brace": (f"{T}plans: {{cheap: [flash}}\n", 3, BRACKET),
    "a comma missing in a list": ("team: finance\nmodels: ['flash' 'opus']\n", 2, BRACKET),
    "a brace left open": (f"{T}limits: {{day_usd: 5\nauto: {{}}\n", 3, BRACE),
    "a brace closed by a bracket": (f"{T}limits: {{day_usd: 5]\n", 3, BRACE),
    "a comma missing between keys": (f"{T}limits: {{day_usd: 5 month_usd: 6}}\n", 3, BRACE),
    "JSON that was cut off": ('{"team": "finance", "models": ["flash"]\n', 1, BRACE),
    "JSON without a comma": ('{"team": "finance" "models": ["flash"]}\n', 1, BRACE),
    "a comma first": ("team: finance\nmodels: [, flash]\n", 2, LONE_COMMA),
    "a comma twice": ("team: finance\nmodels: [flash,, opus]\n", 2, LONE_COMMA),
    "a closing bracket alone": ("team: finance\nmodels: ]\n", 2, NOTHING_OPENED),
    "a closing brace alone": (f"{T}limits: }}\n", 3, NOTHING_OPENED),
    # quotes
    "a quote left open": ('team: "finance\nmodels: [flash]\n', 1, QUOTE),
    "a single quote left open": ("team: finance\nmodels: ['flash]\nplans: {}\n", 2, QUOTE),
    "a quote left open before many lines": ("team: 'finance\n" + "# more\n" * 50, 1, QUOTE),
    "a quote left open in an old Mac's lines": ("team: 'finance\rmodels: [flash]\r", 1, QUOTE),
    "a quote that closes lines below": (
        'team: "finance\nmodels: ["*"]\n', 1, "the quote that this line opens is closed in line 2 only; close it here, or mend what follows it there",
    ),
    "a quote that the next quote closes": (
        'team: "finance\nlimits:\n  day_usd: "5"\n', 1, "the quote that this line opens is closed in line 3 only; close it here, or mend what follows it there",
    ),
    "an apostrophe in single quotes": (f"{T}rules:\n  - id: one\n    reason: 'it's ours'\n", 5, BEHIND),
    "text behind a quote": ('team: "finance" department\nmodels: [flash]\n', 1, BEHIND),
    "text behind a bracket": ("team: finance\nmodels: [flash] opus\n", 2, BEHIND),
    "a path of Windows'": ('team: "c:\\path"\n', 1, ESCAPE),
    "an escape that is none": ('team: "\\xzz"\n', 1, ESCAPE),
    # colons and keys
    "a colon in a value": ("team: finance: europe\n", 1, COLON),
    "a colon in a reason": (f"{T}rules:\n  - id: one\n    reason: not here: ask legal\n", 5, COLON),
    "no space behind the first colon": ("team:finance\nmodels: [flash]\n", 1, NO_SPACE),
    "no space behind another": ("team: finance\nmodels:[flash]\n", 2, NO_SPACE),
    "no space behind one further in": (f"{T}limits:\n  day_usd:5\n  month_usd: 6\n", 4, NO_SPACE),
    "no space in an item": (f"{T}rules:\n  - id:one\n    deny: true\n", 4, NO_SPACE),
    "a line without a colon": ("team: finance\nmodels\nplans: {}\n", 2, NO_KEY),
    "a last line without a colon": ("team: finance\nmodels\n", 2, NO_KEY),
    "a word behind a list": ("team: finance\nmodels:\n- flash\nopus\n", 4, NO_KEY),
    "an equals sign": ("team: finance\nmodels = [flash]\n", 2, EQUALS),
    "a key that is missing": ("team: finance\n: flash\n", 2, NO_NAME),
    "a key that is missing further in": (f"{T}limits:\n  : 5\n", 4, NO_NAME),
    "a comment of another language": ('// ours\n{"team": "finance"}\n', 1, "a comment begins with #"),
    # signs with a meaning
    "an asterisk": ("team: finance\nmodels: [*]\n", 2, 'an asterisk stands in quotes: "*"'),
    "an ampersand": (f"{T}rules:\n  - id: one\n    reason: & so on\n", 5, "a value that begins with & stands in quotes"),
    "an exclamation mark": (f"{T}baseline: !<flash\n", 3, "a value that begins with ! stands in quotes"),
    "an at sign": ("team: @finance\n", 1, "a value that begins with @ stands in quotes"),
    "a backtick": ("team: `finance`\n", 1, "a value that begins with ` stands in quotes"),
    "a sign of per cent": (f"{T}grading: {{percent: %5}}\n", 3, "a value that begins with % stands in quotes"),
    "a greater-than sign": (f"{T}rules:\n  - id: one\n    reason: >5 pages\n", 5, BLOCK),
    "a bar": (f"{T}rules:\n  - id: one\n    reason: |so\n", 5, BLOCK),
    # what others leave in a file
    "a merge conflict": ("team: finance\n<<<<<<< HEAD\nmodels: [flash]\n=======\nmodels: [opus]\n>>>>>>> b\n", 2, CONFLICT),
    "a merge conflict in the first line": ("<<<<<<< HEAD\nteam: finance\n=======\nteam: legal\n>>>>>>> b\n", 1, CONFLICT),
    "a merge conflict in a section": (f"{T}limits:\n<<<<<<< HEAD\n  day_usd: 5\n=======\n  day_usd: 6\n>>>>>>> b\n", 4, CONFLICT),
    "a mark of a conflict that was left": (f"{T}>>>>>>> b\n", 3, CONFLICT),
    "lines behind the end": ("team: finance\n...\nmodels: [flash]\n", 3, WHOLE),
    "a directive": ("%TAG\nteam: finance\n", 1, DIRECTIVE),
    "a version of the future": ("%YAML 2.0\n---\nteam: finance\n", 1, DIRECTIVE),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), NO_YAML.values(), ids=NO_YAML.keys())
def test_what_is_no_yaml_is_told_at_the_line_to_change_with_what_to_write(
    text: str, line: int, said: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_bytes(text.encode(), "finance.yaml")
    assert str(caught.value) == f"finance.yaml line {line}: this is not YAML: {said}"


NO_MAPPING = {
    "no space behind the only colon": ("team:finance\n", NO_SPACE),
    "another language's file": ('team = "finance"\nmodels = ["flash"]\n', EQUALS),
    "a colon of another alphabet": (
        "team\uff1afinance\n", "this colon is a full-width one; write a plain one and a space behind it",
    ),
    "a list": ("- team: finance\n", "the file must be a mapping of keys to values, with lines such as `team: finance`"),
    "a page of the web": ("<html>\n<body>\n", "the file must be a mapping of keys to values, with lines such as `team: finance`"),
    "nothing": ("---\n~\n", "the file is empty; write keys and values"),
    "a template": ("team: {{ name }}\n", "a key must be a single word; write `key: value`, and what begins with { or [ in quotes"),
    "bytes of UTF-16": ("t\0e\0a\0m\0", "this line holds a NUL byte, as a file that was saved as UTF-16 or cut off does; save it as UTF-8 text"),
    "a bell": ("team: \x07\n", "this line holds the control character U+0007, which YAML does not allow; remove it"),
    "a space of a word processor's": ("team:\u00a0finance\n", "this holds U+00A0 (no-break space), which cannot be seen; write plain text on one line"),
    "a space that has no width": ("team: fin\u200bance\n", "this holds U+200B (zero width space), which cannot be seen; write plain text on one line"),
    "a value of several lines": ("team: |\n  a\n  b\n", "this holds a line break; write plain text on one line"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), NO_MAPPING.values(), ids=NO_MAPPING.keys())
def test_what_is_yaml_and_no_file_of_ours_is_told_so(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_bytes(text.encode(), "finance.yaml")
    assert str(caught.value) == f"finance.yaml line 1: {said}"


def test_there_are_seventy_files_of_them_and_more() -> None:
    assert len(NO_YAML) + len(NO_MAPPING) >= 70


LINES = ["team: finance", "models: [a]", "limits:", "  day_usd: 5", '  reason: "x', "- id: a", "\tx: 1", "x: [a", "x: {a: 1", "<<<<<<< a", "x:y", "x = 1", "'", "%x", "*", "&", "!", "|x", ": x", "]", "", "# x", "x: 'it's'", "...", "---"]  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_line_of_a_fault_is_one_of_the_files(lines: list[str], line_break: str) -> None:
    told = line_of_fault(line_break.join(lines))
    assert told is None or 1 <= told <= max(1, len(lines))


def line_of_fault(text: str) -> int | None:
    """None where there is no fault."""
    try:
        parse_bytes(text.encode(), "f.yaml")
    except PolicyError as error:
        return error.line
    return None
