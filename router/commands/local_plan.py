"""`steelyard local plan`: where V4's weights would lie on machines of several sizes, and what that bounds decoding to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from local_model.config import V4Config, config_of, read_config
from local_model.footprint import Footprint, bytes_per_token, footprint_of, state_bytes
from local_model.placement import CONTEXT, GB, Machine, Placement, Quantization, native, place
from local_model.published_figures import FLASH_FIGURES, FLASH_FILES, PRO_FIGURES, PRO_FILES, Figure
from local_model.published_models import V4_FLASH, V4_PRO
from router.commands.exit_codes import USAGE, errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.tables import stdout_console

EPILOG = "Example: steelyard local plan --model flash --gpu-gb 24 --gpus 4 --ram-gb 256"
GPUS = ((0.0, 0, 0.0), (24.0, 1, 936.0), (32.0, 1, 1792.0), (48.0, 1, 864.0), (80.0, 1, 3350.0), (96.0, 1, 1792.0),
        (24.0, 4, 936.0))  # fmt: skip
"""GB of a GPU, how many, GB/s: none; RTX 3090, RTX 5090, L40S, H100, RTX PRO 6000, four RTX 3090, by their makers."""
RAMS = (64.0, 128.0, 192.0, 256.0)
RAM_GBPS, DISK_GBPS = 80.0, 5.0
"""Two channels of DDR5 at 5,600 reach some 80 GB/s; an NVMe disk some 5."""


class Model(StrEnum):
    """A published model."""

    FLASH = "flash"
    PRO = "pro"


def plan(
    path: Annotated[
        Path | None, typer.Argument(help="A checkpoint's folder; of it, config.json is enough.")
    ] = None,
    model: Annotated[Model | None, typer.Option(help="One published model; both if not said.")] = None,
    gpu_gb: Annotated[float | None, typer.Option(help="Memory of a GPU of yours, GB.", min=0.0)] = None,
    gpus: Annotated[int, typer.Option(help="How many such GPUs.", min=1)] = 1,
    ram_gb: Annotated[float | None, typer.Option(help="Main memory, GB.", min=1.0)] = None,
    gpu_gbps: Annotated[float, typer.Option(help="How fast a GPU reads its memory, GB/s.", min=1.0)] = 936.0,
    ram_gbps: Annotated[
        float, typer.Option(help="How fast the CPU reads main memory, GB/s.", min=1.0)
    ] = RAM_GBPS,
    disk_gbps: Annotated[float, typer.Option(help="How fast the disk is read, GB/s.", min=0.1)] = DISK_GBPS,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Plan hardware for DeepSeek V4: what fits where, room for contexts, the bound of decoding, the engine for it.

    Bounds are computed, not measured: no step is faster than reading what it must read. What others measured stands below.

    Exit codes: 0 planned, 2 wrong usage, 3 the configuration cannot be read.
    """
    if path is not None and model is not None:
        raise refusal("name a folder or --model, not both", USAGE)
    machines = _machines(gpu_gb, gpus, ram_gb, gpu_gbps, ram_gbps, disk_gbps)
    with errors_as_sentences():
        subjects = _subjects(path, model)
        if as_json:
            typer.echo(json.dumps([_json(subject, machines) for subject in subjects], indent=1))
            return
        for subject in subjects:
            _show(subject, machines)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A model to be placed."""

    name: str
    config: V4Config
    footprint: Footprint
    files: tuple[Quantization, ...]
    figures: tuple[Figure, ...] = ()

    def on(self, machine: Machine) -> Placement:
        return place(self.config, self.footprint, machine, self.files)


def _machines(
    gpu_gb: float | None, gpus: int, ram_gb: float | None, gpu_gbps: float, ram_gbps: float, disk_gbps: float
) -> list[Machine]:
    sizes = GPUS if gpu_gb is None else ((gpu_gb, gpus if gpu_gb else 0, gpu_gbps),)
    rams = RAMS if ram_gb is None else (ram_gb,)
    return [
        Machine(size, count, ram, rate, ram_gbps, disk_gbps) for size, count, rate in sizes for ram in rams
    ]


def _subjects(path: Path | None, model: Model | None) -> list[_Subject]:
    if path is not None:
        config = read_config(path)
        footprint = footprint_of(config)
        return [_Subject(path.resolve().name, config, footprint, (native(footprint),))]
    found = []
    if model in (None, Model.FLASH):
        found.append(_published("V4-Flash", V4_FLASH, FLASH_FILES, FLASH_FIGURES))
    if model in (None, Model.PRO):
        found.append(_published("V4-Pro", V4_PRO, PRO_FILES, PRO_FIGURES))
    return found


def _published(
    name: str, said: Mapping[str, object], files: tuple[Quantization, ...], figures: tuple[Figure, ...]
) -> _Subject:
    config = config_of(said)
    footprint = footprint_of(config, mtp=True)
    return _Subject(name, config, footprint, (native(footprint), *files), figures)


def _show(subject: _Subject, machines: Sequence[Machine]) -> None:
    console = stdout_console()
    for line in _told(subject):
        console.print(line)
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("GPU", "RAM", "GPU/RAM/disk", "64k contexts", "at most tok/s"):
        table.add_column(heading, justify="right")
    for heading in ("weights", "engine", "how"):
        table.add_column(heading)
    for machine in machines:
        way = subject.on(machine)
        table.add_row(
            f"{machine.gpus} x {machine.gpu_gb:g}" if machine.gpus else "none",
            f"{machine.ram_gb:g}",
            f"{way.on_gpu / GB:,.0f}/{way.in_ram / GB:,.0f}/{way.on_disk / GB:,.0f}",
            f"{way.contexts:,}",
            f"{way.bound:,.1f}",
            f"{way.quantization.name}, {_size(way.quantization.nbytes)}",
            way.engine,
            way.how,
        )
    console.print(table)
    console.print(
        "At most: what a token must read, read once from where it lies, experts asked for evenly; taken are"
        f" {_rates(machines)} of RAM, {machines[0].disk_gbps:g} GB/s of disk."
    )
    if subject.figures:
        console.print("Measured by others, tokens/s of one sequence, single runs:")
    for one in subject.figures:
        console.print(f"  {one.hardware}, {one.weights}: {one.tokens_a_second} ({one.source})")
    console.print()


def _rates(machines: Sequence[Machine]) -> str:
    gpus = {f"{one.gpu_gb:g} GB": one.gpu_gbps for one in machines if one.gpus}
    said = [f"{rate:,.0f} GB/s of a GPU of {size}" for size, rate in gpus.items()]
    return ", ".join([*said, f"{machines[0].ram_gbps:g} GB/s"])


def _told(subject: _Subject) -> list[str]:
    config, weight = subject.config, subject.footprint
    kinds = ", ".join(f"{word} {_size(size)}" for word, size in sorted(weight.by_storage.items()))
    always, asked = weight.active_dense_bytes, weight.active_expert_bytes
    sent = f"{config.experts_per_token} of {config.experts} experts a layer that it is sent to"
    grown = bytes_per_token(config, 2)
    long, longest = state_bytes(config, CONTEXT), state_bytes(config, 2**20)
    return [
        f"{subject.name}: {_count(weight.parameters)} parameters, {_count(weight.active_parameters)} of them for a token",
        f"  weights {_size(weight.total_bytes)} ({kinds}); routed experts {_size(weight.expert_bytes)}",
        f"  a token reads {_size(always + asked)}: {_size(always)} whatever it is, {_size(asked)} of the {sent}",
        f"  a context grows by {grown:,.0f} bytes a token in bfloat16: {_size(long)} at 64k, {_size(longest)} at 1M",
    ]


def _size(nbytes: int) -> str:
    return f"{nbytes / GB:,.1f} GB" if nbytes >= GB else f"{nbytes / 1e6:,.0f} MB"


def _count(elements: int) -> str:
    for unit, word in ((1e12, "T"), (1e9, "B")):
        if elements >= unit:
            return f"{elements / unit:.3g}{word}"
    return f"{elements / 1e6:.3g}M"


def _json(subject: _Subject, machines: Sequence[Machine]) -> dict[str, object]:
    return {
        "model": subject.name,
        "footprint": {**asdict(subject.footprint), "total_bytes": subject.footprint.total_bytes},
        "bytes_per_token_bf16": bytes_per_token(subject.config, 2),
        "context_tokens": CONTEXT,
        "plans": [{"machine": asdict(machine), **asdict(subject.on(machine))} for machine in machines],
        "published": [asdict(one) for one in subject.figures],
    }
