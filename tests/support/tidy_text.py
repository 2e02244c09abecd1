"""Tidy rules about any text file: it names no machine's folders and no package index's host."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from support.sources import Finding

_FOLDERS = "home|work|opt|root|Users"
_MACHINE_PATH = re.compile(rf"(?<![\w./~-])/(?:{_FOLDERS})/[\w.-]+|\b[A-Z]:\\Users\\")
# Put together here, so that this file names none either.
_HOSTS = re.compile(
    "|".join(
        rf"\b{name}\.{end}\b"
        for name, end in (
            ("pypi", "org"),
            ("python" + "hosted", "org"),
            ("npm" + "js", "(?:org|com)"),
            ("(?:deb|security)" + r"\.debian", "org"),
            ("crates", "io"),
            ("proxy" + r"\.golang", "org"),
            ("download" + r"\.pytorch", "org"),
        )
    )
)


def places_that_are_not_ours(path: PurePosixPath, text: str) -> Iterator[Finding]:
    """A path or host that is true on one machine only does not stand in a file."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _MACHINE_PATH.search(line):
            yield Finding(path, number, f"'{found[0]}' is a path of one machine; write a relative path")
        if found := _HOSTS.search(line):
            yield Finding(path, number, f"'{found[0]}' is a package index's host; say 'the package index'")
