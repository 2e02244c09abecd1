"""Text out of files: UTF-8, PDFs with a text layer, and a sentence for all else."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from router.commands import documents
from router.commands.documents import NotTextError, read_document_text
from support.command_line import ROOT, environment

EXAMPLE_PDF = ROOT / "examples" / "documents" / "09_invoice.pdf"


def pdf(*, pages: int = 0, copied: bool = False, password: str | None = None) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(EXAMPLE_PDF)) if copied else PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    if password is not None:
        writer.encrypt(password, "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Größe 3\n".encode(), "Größe 3\n"),
        (b"\xef\xbb\xbfTotal 4", "Total 4"),
        ("合计".encode(), "合计"),
        (b"%PD not a PDF", "%PD not a PDF"),
    ],
    ids=["umlaut", "byte order mark", "Chinese", "almost a PDF"],
)
def test_text_is_read_as_it_stands(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    assert read_document_text(tmp_path / "a.txt") == text


def test_a_pdf_gives_its_text_layer() -> None:
    text = read_document_text(EXAMPLE_PDF)
    assert "Quayside Rope Works" in text
    assert "EUR 1,890.00" in text


def test_a_pdf_that_anybody_may_open_is_read_although_it_is_encrypted(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(copied=True, password=""))
    assert "Quayside Rope Works" in read_document_text(tmp_path / "a.pdf")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a.doc is empty"),
        (b" \n\t\n", "a.doc is empty"),
        (b"abc\xff\xfe", "neither UTF-8 text nor a PDF (byte 3)"),
        (b"\xff\xfeT\0o\0t\0", "neither UTF-8 text nor a PDF (byte 0)"),
        (b"abc\0def", "holds NUL bytes"),
        (b"%PDF-1.7\nand nothing else", "a.doc is a broken PDF"),
        (EXAMPLE_PDF.read_bytes()[:500], "a.doc is a broken PDF"),
        (pdf(pages=2), "has no text layer"),
        (pdf(copied=True, password="secret"), "is encrypted"),
        (pdf(pages=documents.PDF_PAGES_MAX + 1), "more than 2000 pages"),
    ],
    ids=["empty", "blank", "latin", "UTF-16", "NUL", "no PDF", "half a PDF", "scan", "password", "pages"],
)  # fmt: skip
def test_what_is_no_text_is_called_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.doc").write_bytes(content)
    with pytest.raises(NotTextError) as raised:
        read_document_text(tmp_path / "a.doc")
    assert said in str(raised.value)


@pytest.mark.parametrize("end", [20, 500, 700])
def test_a_broken_pdf_writes_nothing_to_stderr_but_what_we_say(tmp_path: Path, end: int) -> None:
    """In a process of its own: this one's loggers are the test runner's."""
    (tmp_path / "a.pdf").write_bytes(EXAMPLE_PDF.read_bytes()[:end])
    reads = "import sys; from pathlib import Path; from router.commands.documents import *\n"
    reads += "try: read_document_text(Path(sys.argv[1]))\nexcept NotTextError as error: print(error)"

    ran = subprocess.run(
        [sys.executable, "-c", reads, tmp_path / "a.pdf"], capture_output=True, env=environment(), check=True
    )

    assert ran.stdout.startswith(b"a.pdf is a broken PDF")
    assert ran.stderr == b""


def test_every_cut_of_a_pdf_is_text_or_a_sentence(tmp_path: Path) -> None:
    whole = EXAMPLE_PDF.read_bytes()
    for end in range(5, len(whole), 7):
        for content in (whole[:end], whole[:end] + b"\0" + whole[end + 1 :]):
            (tmp_path / "a.pdf").write_bytes(content)
            assert text_or_sentence(tmp_path / "a.pdf").strip()


def text_or_sentence(path: Path) -> str:
    """What a document holds, or why nothing; any other error is the test's."""
    try:
        return read_document_text(path)
    except NotTextError as error:
        return str(error)


def test_a_file_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotTextError, match="more than 100 MB"):
        read_document_text(Path("/dev/zero"))
