"""Tidy rules about tests: each claims something, none waits by sleeping."""

import ast
from collections.abc import Iterator

from support.sources import Finding, Source
from support.tidy_imports import dotted
from support.tidy_shape import Function, functions

_CLAIMS = frozenset({"pytest.raises", "pytest.warns", "pytest.fail", "raises", "warns", "fail"})


def tests_without_claim(source: Source) -> Iterator[Finding]:
    """A test asserts something itself or calls a function of its own file that does, or an `assert_...`."""
    if source.package != "tests" or not source.path.name.startswith("test_"):
        return
    by_name = {function.name: function for function in functions(source.tree)}
    for function in by_name.values():
        if function.name.startswith("test_") and not _claims(function, by_name, frozenset()):
            yield Finding(
                source.path, function.lineno, f"{function.name} asserts nothing; assert what its name says"
            )


def sleeping_tests(source: Source) -> Iterator[Finding]:
    """A test waits for an event with a deadline. A fake in `support` may play somebody slow."""
    if source.package != "tests":
        return
    from_time = {
        alias.asname or alias.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name == "sleep"
    }
    in_support = "support" in source.path.parts
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            lets_others_run = name == "asyncio.sleep" and (in_support or _is_zero(node))
            if name in {"time.sleep", "asyncio.sleep", *from_time} and not lets_others_run:
                yield Finding(
                    source.path, node.lineno, f"{name} in a test; wait for an event with a deadline"
                )


def _claims(function: Function, by_name: dict[str, Function], seen: frozenset[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = dotted(node.func) or ""
            last = name.split(".")[-1]
            if name in _CLAIMS or last.startswith("assert_"):
                return True
            called = by_name.get(name)
            if called is not None and name not in seen and _claims(called, by_name, seen | {name}):
                return True
    return False


def _is_zero(call: ast.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
