"""`steelyard local inspect` and `verify`: what a V4 checkpoint is, whether it fits this machine, whether it is whole."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from local_model.footprint import bytes_per_token, state_bytes
from local_model.inspection import Inspection, inspect_checkpoint
from local_model.placement import GB, Machine, native, place
from router.commands.exit_codes import NOTHING, errors_as_sentences
from router.commands.local_plan import DISK_GBPS, RAM_GBPS
from router.commands.local_progress import progress
from router.commands.local_torch import gpu_memories, verify_checkpoint, write_hashes

INSPECT_EPILOG = "Example: steelyard local inspect ./DeepSeek-V4-Flash"
VERIFY_EPILOG = "Example: steelyard local verify ./DeepSeek-V4-Flash --write-hashes"
CONTEXTS = (4_096, 65_536, 1_048_576)
BATCHES = (1, 4, 16)
_GPU_GBPS = 900.0


def inspect(
    path: Annotated[Path, typer.Argument(help="The checkpoint's folder: config.json and *.safetensors.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a V4 checkpoint is: sizes, kinds, memory by context and batch, and how it fits this machine.

    Only headers are read. What keeps it from being loaded is listed, by file and tensor.

    Exit codes: 0 it can be loaded, 1 something is wrong with it, 3 it is no checkpoint.
    """
    with errors_as_sentences():
        found = inspect_checkpoint(path)
        typer.echo(json.dumps(_json(found), indent=1) if as_json else "\n".join(_told(path, found)))
    if found.problems:
        raise typer.Exit(NOTHING)


def verify(
    path: Annotated[Path, typer.Argument(help="The checkpoint's folder.")],
    hashes: Annotated[
        bool, typer.Option("--write-hashes", help="Write SHA256SUMS beside the weights if all is well.")
    ] = False,
) -> None:
    """Read a V4 checkpoint whole: every tensor there, of its shape and dtype, and a number throughout.

    SHA256SUMS, as sha256sum writes it, is checked where it lies beside the weights: without it a bit that flipped in a weight
    is not seen, for what it made is a number still.

    Exit codes: 0 all is well, 1 something is wrong, 3 it is no checkpoint or cannot be read.
    """
    with errors_as_sentences():
        with progress() as show:
            problems, looked_at = verify_checkpoint(path, show)
            written = write_hashes(path, show) if hashes and not problems else 0
        for problem in problems:
            typer.echo(problem)
        typer.echo(f"{len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}: {looked_at}")
        if written:
            typer.echo(f"SHA256SUMS names {written} files")
    if problems:
        raise typer.Exit(NOTHING)


def _told(path: Path, found: Inspection) -> list[str]:
    config, weight = found.config, found.footprint
    counts = ", ".join(f"{config.layers.count(kind)} {kind}" for kind in dict.fromkeys(config.layers))
    lines = [
        f"{path}: DeepSeek V4, {weight.parameters / 1e6:,.1f}M parameters, {weight.active_parameters / 1e6:,.1f}M of them for a token",
        f"layers    {len(config.layers)}: {counts}",
        f"experts   {config.experts} a layer, {config.experts_per_token} for a token, {config.hash_layers} layers by a table of token ids",
        f"files     {found.files}, {found.nbytes / GB:,.3f} GB, {found.naming} names",
        *(
            f"          {kind.dtype:8} {kind.tensors:6,} tensors {kind.nbytes / GB:10,.3f} GB"
            for kind in found.kinds
        ),
        f"drafts    {found.about_drafts}",
        f"context   {bytes_per_token(config, 2):,.0f} bytes a token in bfloat16",
        f"          {'tokens':>9} " + " ".join(f"{f'batch {batch}':>12}" for batch in BATCHES),
    ]
    for tokens in CONTEXTS:
        sizes = " ".join(f"{batch * state_bytes(config, tokens) / 1e6:>9,.1f} MB" for batch in BATCHES)
        lines.append(f"          {tokens:>9,} {sizes}")
    machine = _this_machine()
    way = place(config, weight, machine, (native(weight),))
    gpus = f"{machine.gpus} x {machine.gpu_gb:.0f} GB of GPU" if machine.gpus else "no GPU"
    lines += [
        f"here      {gpus}, {machine.ram_gb:.0f} GB of main memory",
        f"          {way.how}; room for {way.contexts:,} contexts of 64k; by {way.engine}",
    ]
    return lines + [f"problem   {problem}" for problem in found.problems]


def _json(found: Inspection) -> dict[str, object]:
    config, weight, machine = found.config, found.footprint, _this_machine()
    return {
        "layers": [kind.value for kind in config.layers],
        "parameters": weight.parameters,
        "active_parameters": weight.active_parameters,
        "naming": found.naming.value,
        "files": found.files,
        "kinds": [asdict(kind) for kind in found.kinds],
        "drafts": found.about_drafts,
        "bytes_per_token_bf16": bytes_per_token(config, 2),
        "state_bytes_bf16": {tokens: state_bytes(config, tokens) for tokens in CONTEXTS},
        "machine": asdict(machine),
        "here": asdict(place(config, weight, machine, (native(weight),))),
        "problems": list(found.problems),
    }


def _this_machine() -> Machine:
    """Bandwidths are those of a usual machine: nothing is measured."""
    gpus = gpu_memories()
    ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB
    return Machine(min(gpus, default=0.0), len(gpus), ram, _GPU_GBPS, RAM_GBPS, DISK_GBPS)
