"""Tidy rules about failing: nothing is swallowed, nothing is left undone, the errors' tree is drawn."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping

from support.sources import PACKAGES, Finding, Source
from support.tidy_imports import dotted

_BROAD = frozenset({"Exception", "BaseException"})
_UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_SILENCED = re.compile(
    r"#\s*(?:"
    r"noqa(?::\s*[A-Z]+\d+(?:,?\s*[A-Z]+\d+)*)?"
    r"|type:\s*ignore(?:\[[\w\-, ]+\])?"
    r"|pragma:\s*no (?:cover|branch)"
    r")(?P<reason>.*)"
)
_BRANCH = re.compile(r"^(?P<depth>(?:[| ] {3})*)[|`]-- (?P<name>\w+)")


def swallowed(source: Source) -> Iterator[Finding]:
    """An exception that is caught is dealt with: an empty handler deals with nothing."""
    for handler in _handlers(source.tree):
        if all(isinstance(step, ast.Pass) or _is_constant(step) for step in handler.body):
            yield Finding(
                source.path, handler.lineno, "the exception is swallowed; act on it, or use contextlib.suppress and say why"
            )  # fmt: skip


def broad(source: Source) -> Iterator[Finding]:
    """A broad except stands at a boundary: it raises again, or records what it caught."""
    for handler in _handlers(source.tree):
        if _is_broad(handler.type) and not _raises_or_records(handler):
            yield Finding(
                source.path, handler.lineno, "a broad except neither raises nor records; name the errors that are expected"
            )  # fmt: skip
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and (dotted(node.func) or "").split(".")[-1] == "suppress"
            and any(_is_broad(argument) for argument in node.args)
        ):
            yield Finding(
                source.path, node.lineno, "everything is suppressed; name the errors that are expected"
            )


def undone(source: Source) -> Iterator[Finding]:
    """What is to be done later stands in an issue; what is not written is not offered."""
    for line, comment in comments(source):
        if marker := _UNDONE.search(comment):
            yield Finding(source.path, line, f"{marker[0]} in a comment; do it, or write an issue")
    for node in ast.walk(source.tree):
        if dotted(node) == "NotImplementedError":
            yield Finding(
                source.path, getattr(node, "lineno", 1), "NotImplementedError; write it, or leave the name out (a Protocol?)"
            )  # fmt: skip


def silenced_without_reason(source: Source) -> Iterator[Finding]:
    """Whoever silences a tool names the code and says why on the same line."""
    for line, comment in comments(source):
        found = _SILENCED.search(comment)
        if found is not None and not re.search(r"[A-Za-z]{2,}", found["reason"]):
            yield Finding(
                source.path, line, "a tool is silenced without a reason; add one: # noqa: CODE  (why)"
            )


def error_tree(source: Source) -> Iterator[Finding]:
    """The docstring of `errors.py` draws each of its classes under its base."""
    if source.path.name != "errors.py" or source.package not in PACKAGES:
        return
    drawn = drawn_tree(ast.get_docstring(source.tree) or "")
    for node in source.tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        base = dotted(node.bases[0]) if node.bases else None
        if node.name not in drawn:
            yield Finding(
                source.path,
                node.lineno,
                f"{node.name} is not drawn in the module's docstring; draw it under {base}",
            )
        elif drawn[node.name] is not None and drawn[node.name] != base:
            yield Finding(
                source.path,
                node.lineno,
                f"{node.name} is drawn under {drawn[node.name]}, but its base is {base}",
            )
    defined = {node.name for node in source.tree.body if isinstance(node, ast.ClassDef)}
    for name in drawn.keys() - defined:
        yield Finding(source.path, 1, f"{name} is drawn in the docstring but not defined; take it out")


def errors_outside_the_tree(sources: Iterable[Source]) -> Iterator[Finding]:
    """A subclass of a drawn error is drawn too, hence stands in the same `errors.py`."""
    listed = tuple(sources)
    trees = {
        source.package: drawn_tree(ast.get_docstring(source.tree) or "").keys()
        for source in listed
        if source.path.name == "errors.py"
    }
    for source in listed:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and source.path.name != "errors.py":
                bases = {(dotted(base) or "").split(".")[-1] for base in node.bases}
                if bases & set(trees.get(source.package, ())):
                    yield Finding(
                        source.path, node.lineno, f"{node.name} belongs to the errors' tree; move it to {source.package}/errors.py"
                    )  # fmt: skip


def drawn_tree(docstring: str) -> Mapping[str, str | None]:
    """Read a drawn tree as name -> parent; the root has None. Without branches, the first name alone."""
    above: list[str] = []
    tree: dict[str, str | None] = {}
    for line in docstring.splitlines():
        if branch := _BRANCH.match(line):
            depth = len(branch["depth"]) // 4 + 1
            del above[depth:]
            tree[branch["name"]] = above[-1] if above else None
            above.append(branch["name"])
        elif (root := re.match(r"\w+Error\b", line)) and not tree:
            above = [root[0]]
            tree[root[0]] = None
    return tree


def comments(source: Source) -> Iterator[tuple[int, str]]:
    """Every comment with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _handlers(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))


def _is_constant(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(one) for one in caught.elts)
    return caught is None or (dotted(caught) or "").split(".")[-1] in _BROAD


def _raises_or_records(handler: ast.ExceptHandler) -> bool:
    for step in handler.body:
        for node in ast.walk(step):
            if isinstance(node, ast.Raise):
                return True
            if handler.name is not None and isinstance(node, ast.Name) and node.id == handler.name:
                return True
            if isinstance(node, ast.Call) and (dotted(node.func) or "").endswith(".exception"):
                return True
    return False
