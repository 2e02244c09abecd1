"""Tidy rules about the shape of code: sizes, names, docstrings."""

import ast
from collections.abc import Iterator

from support.sources import Finding, Source

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
VAGUE = frozenset(
    {"util", "utils", "helper", "helpers", "common", "manager", "managers", "handler", "handlers", "misc", "data", "info"}
)  # fmt: skip

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method in `tree`, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def file_length(source: Source) -> Iterator[Finding]:
    """A file is at most 500 lines: it holds one concept."""
    if source.lines > FILE_LINES_MAX:
        yield Finding(
            source.path,
            FILE_LINES_MAX + 1,
            f"the file has {source.lines} lines, {FILE_LINES_MAX} are allowed; move one of its concepts to a file of its own",
        )


def function_length(source: Source) -> Iterator[Finding]:
    """A function is at most 70 lines, without its decorators."""
    for function in functions(source.tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield Finding(
                source.path,
                function.lineno,
                f"{function.name} has {lines} lines, {FUNCTION_LINES_MAX} are allowed; give its steps names",
            )


def file_name(source: Source) -> Iterator[Finding]:
    """A file or folder is named after what it holds, never `utils` or the like."""
    for name in (*source.path.parts[:-1], source.path.stem):
        for part in name.lower().split("_"):
            if part in VAGUE:
                yield Finding(
                    source.path,
                    1,
                    f"the name '{name}' says nothing ('{part}'); name it after the concept in it",
                )


def module_docstring(source: Source) -> Iterator[Finding]:
    """A module opens with what lives here."""
    if not ast.get_docstring(source.tree):
        yield Finding(source.path, 1, "there is no module docstring; say what lives here and the one idea")
