"""`steelyard local convert`: a V4 checkpoint as a GGUF file, or under other names."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from router.commands.exit_codes import USAGE, errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.local_progress import progress
from router.commands.local_torch import convert_to_gguf, rename_checkpoint

EPILOG = "Example: steelyard local convert ./DeepSeek-V4-Flash flash.gguf --type mxfp4"


class Type(StrEnum):
    """How matrices lie in a GGUF file."""

    F32 = "f32"
    F16 = "f16"
    Q8_0 = "q8_0"
    MXFP4 = "mxfp4"


class Names(StrEnum):
    """Whose names tensors have."""

    OFFICIAL = "official"
    TRANSFORMERS = "transformers"


def convert(
    path: Annotated[Path, typer.Argument(help="The checkpoint's folder: config.json and *.safetensors.")],
    out: Annotated[Path, typer.Argument(help="A file that ends in .gguf, or with --names a new folder.")],
    type_: Annotated[
        Type | None,
        typer.Option(
            "--type",
            help="Matrices in a GGUF file: f16 if not said; mxfp4 is routed experts in FP4, which V4's are"
            " already, bit for bit, and q8_0 for the rest.",
        ),
    ] = None,
    names: Annotated[
        Names | None, typer.Option(help="Write safetensors under DeepSeek's own names, or transformers'.")
    ] = None,
    pre: Annotated[
        str | None,
        typer.Option(help="llama.cpp's name for how tokenizer.json splits texts, where it cannot be told."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Convert a DeepSeek V4 checkpoint for llama.cpp, or to other names. Needs torch: pip install 'steelyard[v4]'.

    Memory: about that of the largest tensor in float32. What llama.cpp cannot run is refused first.

    Exit codes: 0 written, 2 wrong usage, 3 it cannot be read, converted or written.
    """
    if (names is None) == (out.suffix != ".gguf"):
        raise refusal(
            f"{out} should end in .gguf, or be a folder with --names official or --names transformers", USAGE
        )
    if names is not None and (type_ is not None or pre is not None):
        raise refusal("--type and --pre are for GGUF files; with --names tensors stay as they are", USAGE)
    if names is None and out.exists() and not force:
        raise refusal(f"{out} is there already; name another file, or say --force", USAGE)
    with errors_as_sentences():
        with progress() as show:
            if names is None:
                said = convert_to_gguf(path, out, type_ or Type.F16, pre, show)
            else:
                said = rename_checkpoint(path, out, names, show)
        typer.echo(said)
