"""Each tidy rule bites: a rule that finds nothing in a clean house may as well be blind."""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import pytest

from support import tidy_failures, tidy_imports, tidy_shape, tidy_tests, tidy_text
from support.sources import Finding, Source, source_of

Rule = Callable[[Source], Iterator[Finding]]


@pytest.mark.parametrize(
    ("rule", "path", "text", "line"),
    [
        pytest.param(tidy_shape.file_length, "router/a.py", "x = 1\n" * 501, 501, id="a file of 501 lines"),
        pytest.param(
            tidy_shape.function_length,
            "router/a.py",
            "\ndef f():\n" + "    x = 1\n" * 70,
            2,
            id="a function of 71 lines",
        ),
        pytest.param(tidy_shape.file_name, "router/key_utils.py", "", 1, id="a vague file"),
        pytest.param(tidy_shape.file_name, "router/common/a.py", "", 1, id="a vague folder"),
        pytest.param(tidy_shape.module_docstring, "router/a.py", "x = 1", 1, id="no docstring"),
        pytest.param(
            tidy_imports.hidden_imports,
            "router/a.py",
            "def f():\n    import os",
            2,
            id="an import in a function",
        ),
        pytest.param(
            tidy_imports.hidden_imports,
            "router/a.py",
            "class A:\n    from os import path",
            2,
            id="an import in a class",
        ),
        pytest.param(
            tidy_imports.hidden_imports,
            "router/app.py",
            "def f():\n    import torch",
            2,
            id="not even at the root",
        ),
        pytest.param(
            tidy_imports.dynamic_imports,
            "router/a.py",
            "import importlib\nimportlib.import_module('x')",
            2,
            id="by name",
        ),
        pytest.param(
            tidy_imports.type_checking_imports,
            "a.py",
            "from typing import TYPE_CHECKING",
            1,
            id="for typing only",
        ),
        pytest.param(
            tidy_imports.type_checking_imports, "a.py", "if t.TYPE_CHECKING:\n  pass", 1, id="under typing's"
        ),
        pytest.param(tidy_imports.mocks, "tests/a.py", "from unittest import mock", 1, id="a mock"),
        pytest.param(tidy_imports.mocks, "tests/a.py", "def test_a(mocker): ...", 1, id="a mock by fixture"),
        pytest.param(
            tidy_imports.environment_reads,
            "ledger/a.py",
            "import os\nos.environ.get('A')",
            2,
            id="a second reader",
        ),
        pytest.param(tidy_failures.swallowed, "a.py", "try: f()\nexcept OSError: pass", 2, id="swallowed"),
        pytest.param(
            tidy_failures.swallowed, "a.py", "try: f()\nexcept OSError:\n  ...", 2, id="swallowed by dots"
        ),
        pytest.param(tidy_failures.broad, "a.py", "try: f()\nexcept: g()", 2, id="a bare except"),
        pytest.param(
            tidy_failures.broad,
            "a.py",
            "try: f()\nexcept (OSError, Exception): g()",
            2,
            id="a broad one in a tuple",
        ),
        pytest.param(tidy_failures.broad, "a.py", "with suppress(Exception): f()", 1, id="a broad suppress"),
        pytest.param(tidy_failures.undone, "a.py", "x = 1  # TO" + "DO: later", 1, id="left for later"),
        pytest.param(
            tidy_failures.undone, "a.py", "def f():\n  raise NotImplementedError", 2, id="not implemented"
        ),
        pytest.param(
            tidy_failures.silenced_without_reason, "a.py", "x = 1  # noqa: S603", 1, id="no reason to noqa"
        ),
        pytest.param(
            tidy_failures.silenced_without_reason,
            "a.py",
            "x = 1  # type: ignore[arg-type]",
            1,
            id="no reason to ignore",
        ),
        pytest.param(
            tidy_failures.error_tree,
            "ledger/errors.py",
            '"""AError\n`-- BError  b\n"""\nclass AError(Exception): ...\nclass CError(AError): ...',
            5,
            id="an error that is not drawn",
        ),
        pytest.param(
            tidy_failures.error_tree,
            "ledger/errors.py",
            '"""AError\n|-- BError\n|   `-- CError\n"""\n'
            "class AError(Exception): ...\nclass BError(AError): ...\nclass CError(AError): ...",
            7,
            id="an error that is drawn elsewhere",
        ),
        pytest.param(
            tidy_tests.tests_without_claim, "tests/test_a.py", "def test_a(): f()", 1, id="claims nothing"
        ),
        pytest.param(
            tidy_tests.sleeping_tests,
            "tests/test_a.py",
            "import time\ntime.sleep(1)",
            2,
            id="a sleeping test",
        ),
        pytest.param(
            tidy_tests.sleeping_tests,
            "tests/test_a.py",
            "from time import sleep\nsleep(1)",
            2,
            id="sleep by its name",
        ),
        pytest.param(
            tidy_tests.sleeping_tests,
            "tests/test_a.py",
            "await asyncio.sleep(0.1)",
            1,
            id="an asynchronous sleep",
        ),
    ],
)
def test_what_is_untidy_is_found_at_its_line(rule: Rule, path: str, text: str, line: int) -> None:
    assert line in {finding.line for finding in rule(source_of(path, text))}


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        pytest.param(tidy_shape.file_length, "router/a.py", "x = 1\n" * 500, id="500 lines"),
        pytest.param(tidy_shape.function_length, "router/a.py", "def f():\n" + "    x = 1\n" * 69, id="70 lines"),
        pytest.param(
            tidy_imports.hidden_imports,
            "router/processes/litellm_child.py",
            "def f():\n    from router.processes.litellm_door import Door",
            id="litellm behind its fence",
        ),
        pytest.param(
            tidy_imports.environment_reads, "ledger/a.py", "import os\nos.environ['A'] = 'b'", id="set for a child"
        ),
        pytest.param(
            tidy_failures.broad, "a.py", "try: f()\nexcept BaseException:\n  g()\n  raise", id="broad, raised again"
        ),
        pytest.param(
            tidy_failures.broad, "a.py", "try: f()\nexcept Exception as e: failures.append(e)", id="broad, recorded"
        ),
        pytest.param(
            tidy_failures.silenced_without_reason, "a.py", "x = 1  # noqa: S603, S607  (our own program)", id="a reason"
        ),
        pytest.param(
            tidy_failures.error_tree,
            "ledger/errors.py",
            '"""AError\n|-- BError  b\n|   `-- CError  c\n`-- DError\n"""\nclass AError(Exception): ...\n'
            "class BError(AError): ...\nclass CError(BError): ...\nclass DError(AError): ...",
            id="a tree that is drawn whole",
        ),
        pytest.param(
            tidy_tests.tests_without_claim,
            "tests/test_a.py",
            "def test_a(): check()\ndef check():\n  assert f()",
            id="a claim in a function of the file",
        ),
        pytest.param(
            tidy_tests.sleeping_tests, "tests/test_a.py", "await asyncio.sleep(0)", id="others may run once"
        ),
    ],
)  # fmt: skip
def test_what_is_allowed_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(source_of(path, text))) == []


def test_an_error_that_grew_elsewhere_is_called_home() -> None:
    tree = source_of("ledger/errors.py", '"""AError\n`-- BError\n"""')
    stray = source_of("ledger/writer.py", "class CError(BError): ...")
    stranger = source_of("router/a.py", "class DError(BError): ...")

    found = [str(finding) for finding in tidy_failures.errors_outside_the_tree([tree, stray, stranger])]

    assert found == ["ledger/writer.py:1: CError belongs to the errors' tree; move it to ledger/errors.py"]


# Joined here, so that this file does not name them.
@pytest.mark.parametrize(
    "place",
    ["/".join(("", "home", "ada", "key")), "/".join(("", "opt", "models")), ".".join(("pypi", "org"))],  # noqa: FLY002  (the joined form is what must not stand here)
    ids=["a home", "a folder of one machine", "a package index"],
)
def test_a_place_that_is_not_ours_is_found(place: str) -> None:
    found = list(tidy_text.places_that_are_not_ours(PurePosixPath("docs/a.md"), f"first\nsee {place} there"))

    assert [finding.line for finding in found] == [2]


@pytest.mark.parametrize(
    "text", ["../shared/work/x", "https://example.com/home/x", "GET /v1/models", "homework/root"]
)
def test_a_path_that_means_the_same_everywhere_is_left_alone(text: str) -> None:
    assert list(tidy_text.places_that_are_not_ours(PurePosixPath("a.md"), text)) == []
