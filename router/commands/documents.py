"""Read a document's text: plain text in UTF-8, or a PDF that has a text layer."""

from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PyPdfError

PDF_PAGES_MAX = 2_000


class NotTextError(Exception):
    """The file holds no text that we can read; the message says what it is."""


def read_document_text(path: Path) -> str:
    """Read the text of `path`. Raises NotTextError, or OSError if there is no such file."""
    data = path.read_bytes()
    if data.startswith(b"%PDF-"):
        return _pdf_text(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTextError(f"{path.name} is neither UTF-8 text nor a PDF (byte {error.start})") from error
    if "\0" in text:
        raise NotTextError(f"{path.name} holds NUL bytes and so is no text")
    if not text.strip():
        raise NotTextError(f"{path.name} is empty")
    return text


def _pdf_text(path: Path) -> str:
    try:
        reader = PdfReader(path)
        if len(reader.pages) > PDF_PAGES_MAX:
            raise NotTextError(f"{path.name} has more than {PDF_PAGES_MAX} pages")
        text = "\n".join(page.extract_text() for page in reader.pages)
    except PyPdfError as error:
        raise NotTextError(f"{path.name} is a broken PDF ({type(error).__name__})") from error
    if not text.strip():
        raise NotTextError(f"{path.name} has no text layer (a scan?); run text recognition on it first")
    return text
