"""The limits that keep the house easy to see, held over every file; what linters cannot say.

The rules stand in `support.tidy_*`, each a function from a file to findings; `test_tidy_rules`
shows that each bites.
"""

import statistics
from collections.abc import Callable, Iterable, Iterator

import pytest

from support import tidy_failures, tidy_imports, tidy_shape, tidy_tests, tidy_text
from support.sources import PACKAGES, ROOT, Finding, Source, folders_with_python, python_sources, text_files

MEDIAN_LINES_MAX = 150

RULES: tuple[Callable[[Source], Iterator[Finding]], ...] = (
    tidy_shape.file_length,
    tidy_shape.function_length,
    tidy_shape.file_name,
    tidy_shape.module_docstring,
    tidy_imports.hidden_imports,
    tidy_imports.dynamic_imports,
    tidy_imports.type_checking_imports,
    tidy_imports.mocks,
    tidy_imports.environment_reads,
    tidy_failures.swallowed,
    tidy_failures.broad,
    tidy_failures.undone,
    tidy_failures.silenced_without_reason,
    tidy_failures.error_tree,
    tidy_tests.tests_without_claim,
    tidy_tests.sleeping_tests,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Callable[[Source], Iterator[Finding]]) -> None:
    assert_tidy(finding for source in python_sources() for finding in rule(source))


def test_every_error_of_a_package_stands_in_its_tree() -> None:
    assert_tidy(tidy_failures.errors_outside_the_tree(python_sources()))


def test_no_text_file_names_a_machine_or_a_package_index() -> None:
    assert_tidy(
        finding for path, text in text_files() for finding in tidy_text.places_that_are_not_ours(path, text)
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_a_package_is_a_package(package: str) -> None:
    """Import-linter is blind to a folder without an `__init__.py`."""
    bare = [
        folder.relative_to(ROOT).as_posix()
        for folder in folders_with_python(package)
        if not (folder / "__init__.py").is_file()
    ]

    assert not bare, f"add an __init__.py with a docstring to: {', '.join(bare)}"


def test_tests_are_no_package() -> None:
    """Pytest's importlib mode needs none, and one would shadow the package that is tested."""
    found = [str(source.path) for source in python_sources() if source.package == "tests"]

    assert found
    assert not [path for path in found if path.endswith("__init__.py")], "remove the __init__.py under tests"


def test_every_package_has_an_errors_file_and_says_that_it_is_typed() -> None:
    missing = [
        f"{package}/{name}"
        for package in PACKAGES
        for name in ("errors.py", "py.typed")
        if not (ROOT / package / name).is_file()
    ]

    assert not missing


def test_most_files_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {source.path: source.lines for source in python_sources() if source.package in PACKAGES}
    median = statistics.median(sizes.values())
    longest = max(sizes, key=lambda path: sizes[path])
    with capsys.disabled():
        print(  # noqa: T201  (the figure is there to be seen, not only to be held)
            f"\ntidy: {len(sizes)} files, {sum(sizes.values())} lines, median {median:.0f}, "
            f"longest {sizes[longest]} ({longest})"
        )

    assert median <= MEDIAN_LINES_MAX


def assert_tidy(findings: Iterable[Finding]) -> None:
    """Fail with every finding on a line of its own, as FILE:LINE: what to do."""
    listed = sorted({str(finding) for finding in findings})
    if listed:
        pytest.fail("\n".join(listed), pytrace=False)
