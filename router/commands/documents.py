"""Read a document's text: plain text in UTF-8, or a PDF that has a text layer."""

import io
import logging
from pathlib import Path

from pypdf import PdfReader

BYTES_MAX = 100_000_000
"""More than any gateway reads in one request, and less than hurts this machine."""
PDF_PAGES_MAX = 2_000
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)
"""Its complaints name no file and would stand bare on stderr; what is wrong with a file, our errors say."""


class NotTextError(Exception):
    """The file holds no text that we can read; the message says what it is."""


def read_document_text(path: Path) -> str:
    """Read the text of `path`. Raises NotTextError, or OSError if it cannot be read."""
    with path.open("rb") as file:
        content = file.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise NotTextError(f"{path.name} has more than {BYTES_MAX // 1_000_000} MB")
    if content.startswith(b"%PDF-"):
        return _pdf_text(path.name, content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTextError(f"{path.name} is neither UTF-8 text nor a PDF (byte {error.start})") from error
    if "\0" in text:
        raise NotTextError(f"{path.name} holds NUL bytes and so is no text")
    if not text.strip():
        raise NotTextError(f"{path.name} is empty")
    return text


def _pdf_text(name: str, content: bytes) -> str:
    try:
        reader = PdfReader(io.BytesIO(content))
        encrypted = reader.is_encrypted and not reader.decrypt("")
        pages = 0 if encrypted else len(reader.pages)
        text = (
            ""
            if pages > PDF_PAGES_MAX
            else "\n".join(reader.pages[page].extract_text() for page in range(pages))
        )
    except Exception as error:  # a foreign file's parser: whatever it trips over, the file is broken
        raise NotTextError(f"{name} is a broken PDF ({type(error).__name__})") from error
    if encrypted:
        raise NotTextError(f"{name} is encrypted; save it without a password first")
    if pages > PDF_PAGES_MAX:
        raise NotTextError(f"{name} has more than {PDF_PAGES_MAX} pages")
    if not text.strip():
        raise NotTextError(f"{name} has no text layer (a scan?); run text recognition on it first")
    return text.encode("utf-8", "replace").decode()  # a font's table may yield half characters
