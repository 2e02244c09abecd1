"""Tidy rules about imports: none is hidden, some are never made, the environment has one reader."""

import ast
from collections.abc import Iterator, Mapping

from support.sources import PACKAGES, Finding, Source
from support.tidy_shape import functions

LAZY_IMPORTS: Mapping[str, tuple[str, ...]] = {
    "local_model/__init__.py": ("local_model.loading",),
    "router/processes/litellm_child.py": ("router.processes.litellm_door",),
    "router/commands/main.py": ("router.commands",),
    "router/commands/local_torch.py": ("local_model",),
}
"""litellm's process imports litellm once its fence stands, the command line a command when it is named, the
runtime torch when a model is loaded, a command that looks into a checkpoint when it does."""

ENVIRONMENT_READER = "router/settings.py"


def hidden_imports(source: Source) -> Iterator[Finding]:
    """Imports stand at the top of the module, where the import rules and a reader see them."""
    allowed = LAZY_IMPORTS.get(str(source.path), ())
    for scope in (*functions(source.tree), *_classes(source.tree)):
        for node in ast.walk(scope):
            for name in _imported(node):
                if not any(name == root or name.startswith(f"{root}.") for root in allowed):
                    yield Finding(
                        source.path,
                        _line(node),
                        f"'{name}' is imported inside {scope.name}; import it at the top",
                    )


def dynamic_imports(source: Source) -> Iterator[Finding]:
    """No module is imported by a name that only exists at run time."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in {
            "__import__", "importlib.import_module", "import_module",
        }:  # fmt: skip
            yield Finding(source.path, node.lineno, "a module is imported by name; write an import statement")


def type_checking_imports(source: Source) -> Iterator[Finding]:
    """An import used for typing is still an import."""
    for node in ast.walk(source.tree):
        names = {name.rpartition(".")[2] for name in _imported(node)}
        if "TYPE_CHECKING" in names or (dotted(node) or "").split(".")[-1] == "TYPE_CHECKING":
            yield Finding(
                source.path,
                _line(node),
                "TYPE_CHECKING hides an import from the import rules; import it plainly",
            )


def mocks(source: Source) -> Iterator[Finding]:
    """A fake is a small real class or a server with a known bill."""
    for node in ast.walk(source.tree):
        if any(name.split(".")[0] == "mock" or name.startswith("unittest.mock") for name in _imported(node)):
            yield Finding(
                source.path, _line(node), "unittest.mock is not used here; write a small real class"
            )
        elif isinstance(node, ast.arg) and node.arg == "mocker":
            yield Finding(source.path, node.lineno, "the fixture mocker is a mock; write a small real class")


def environment_reads(source: Source) -> Iterator[Finding]:
    """The environment is read once, in the settings, and handed in."""
    if source.package not in PACKAGES or str(source.path) == ENVIRONMENT_READER:
        return
    written = {
        id(node.value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del)
    }
    for node in ast.walk(source.tree):
        if dotted(node) in {"os.environ", "os.getenv"} and id(node) not in written:
            yield Finding(
                source.path, _line(node), f"only {ENVIRONMENT_READER} reads the environment; take the value as an argument"
            )  # fmt: skip


def dotted(node: ast.AST) -> str | None:
    """Give `a.b.c` for a chain of names, None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else None
    return None


def _imported(node: ast.AST) -> Iterator[str]:
    """Give the dotted names that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        yield from (f"{module}.{alias.name}" for alias in node.names)


def _classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))
