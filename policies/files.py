"""Files of rules: which of a folder's names are some, and their bytes, or one sentence that says why there are none.

Never waits for a pipe, never reads a device, and never more than FILE_BYTES_MAX: a folder may hold anything.
"""

from pathlib import Path

from policies.errors import DocumentError

FILE_BYTES_MAX = 256 * 1024
_ENDINGS = (".yaml", ".yml")


def rule_files(folder: Path) -> list[Path]:
    """The files of a folder that end in .yaml or .yml, in order; those that begin with a dot are editors' own."""
    return sorted(
        path for path in folder.glob("*") if path.suffix.lower() in _ENDINGS and not path.name.startswith(".")
    )


def read_file(path: Path) -> bytes:
    """A file's bytes, at most one more than FILE_BYTES_MAX. Raises DocumentError for whatever cannot be read."""
    name = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in path.name)
    if name != path.name:
        raise DocumentError(
            "the file's name holds a character that cannot be shown; rename the file", name, None
        )
    try:
        if not path.is_file():
            raise DocumentError(_what_it_is(path), name, None)
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        told = error.strerror or type(error).__name__
        raise DocumentError(
            f"the file cannot be read ({told}); let the gateway's user read it, or take it away", name, None
        ) from error


def _what_it_is(path: Path) -> str:
    if path.is_dir():
        return "this is a folder, and rules stand in files; rename it, or move its files up"
    if path.exists():
        return "this is a pipe, a socket or a device, and rules stand in files; take it away"
    if path.is_symlink():
        return "this is a link that leads to no file; let it lead to one, or take it away"
    return "there is no such file; write it, or name another"
