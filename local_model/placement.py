"""Where a V4 model's weights would lie on a machine, what that bounds decoding to, and what runs it so today.

A bound is no promise: a decode step cannot be faster than reading once what it must read from where that lies. It
assumes that experts are asked for evenly, that nothing is read twice, and the bandwidths that the machine is given.
"""

from dataclasses import dataclass, replace

from local_model.config import V4Config
from local_model.footprint import Footprint, past_elements_read, state_bytes

GB = 1_000_000_000
GPU_RESERVE = 2 * GB
"""Of each GPU: the driver, activations, buffers."""
RAM_RESERVE = 8 * GB
"""The system, the gateway, buffers."""
CONTEXT = 65_536


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory in GB (10^9 bytes), bandwidths in GB/s."""

    gpu_gb: float
    """Of one GPU."""
    gpus: int
    ram_gb: float
    gpu_gbps: float
    ram_gbps: float
    disk_gbps: float

    @property
    def gpu_bytes(self) -> int:
        """What weights and contexts can have of all GPUs."""
        return max(0, round(self.gpus * (self.gpu_gb * GB - GPU_RESERVE))) if self.gpus else 0

    @property
    def ram_bytes(self) -> int:
        """What they can have of main memory."""
        return max(0, round(self.ram_gb * GB) - RAM_RESERVE)


@dataclass(frozen=True, slots=True)
class Quantization:
    """A file of the model as somebody offers it."""

    name: str
    nbytes: int
    is_lossless: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to run it. Bytes of weights by place; contexts of `CONTEXT` tokens in bfloat16."""

    quantization: Quantization
    on_gpu: int
    in_ram: int
    on_disk: int
    contexts: int
    bound: float
    """Tokens a second, one sequence behind `CONTEXT` tokens."""
    engine: str
    how: str


def place(
    config: V4Config, footprint: Footprint, machine: Machine, offered: tuple[Quantization, ...]
) -> Placement:
    """The largest offered file that fits GPU and main memory; the first one partly on disk where none does.

    `offered` begins with the weights as they are released.
    """
    ways = [_placed(config, footprint, machine, file) for file in offered]
    fitting = [way for way in ways if way.on_disk == 0]
    return fitting[0] if fitting else ways[0]


def native(footprint: Footprint) -> Quantization:
    """The weights as they are released."""
    return Quantization("as released", footprint.total_bytes, is_lossless=True)


def _placed(config: V4Config, footprint: Footprint, machine: Machine, file: Quantization) -> Placement:
    """One file on one machine; one context is set aside before experts get what is left of a GPU."""
    context = state_bytes(config, CONTEXT)
    dense = min(footprint.dense_bytes, file.nbytes)
    experts = file.nbytes - dense
    left = machine.gpu_bytes - dense - context
    if left >= 0:
        experts_on_gpu = min(experts, left)
        on_gpu, in_ram = dense + experts_on_gpu, min(experts - experts_on_gpu, machine.ram_bytes)
        room = machine.gpu_bytes - (file.nbytes if experts_on_gpu == experts else dense)
    else:  # a GPU that cannot hold what every token reads is of no use
        on_gpu, in_ram = 0, min(file.nbytes, max(0, machine.ram_bytes - context))
        room = machine.ram_bytes - in_ram
    on_disk = file.nbytes - on_gpu - in_ram
    placement = Placement(file, on_gpu, in_ram, on_disk, max(0, room // context), 0.0, "", "")
    return replace(
        placement,
        bound=_bound(config, footprint, machine, placement),
        engine=_engine(placement),
        how=_how(placement, experts),
    )


def _bound(config: V4Config, footprint: Footprint, machine: Machine, placement: Placement) -> float:
    dense = min(footprint.dense_bytes, placement.quantization.nbytes)
    experts = placement.quantization.nbytes - dense
    active = footprint.active_expert_bytes * (experts / footprint.expert_bytes) if experts else 0.0
    always = footprint.active_dense_bytes + 2 * past_elements_read(config, CONTEXT)
    is_gpu = placement.on_gpu > 0
    of_gpu = (placement.on_gpu - dense) / experts if is_gpu and experts else 0.0
    of_disk = min(1.0, placement.on_disk / experts) if experts else 0.0
    of_ram = 1 - of_gpu - of_disk
    gpu, ram, disk = (rate * GB for rate in (machine.gpu_gbps, machine.ram_gbps, machine.disk_gbps))
    seconds = always / (gpu if is_gpu else ram)
    seconds += active * (of_ram / ram + of_disk / disk + (of_gpu / gpu if is_gpu else 0.0))
    return 1 / seconds


def _engine(placement: Placement) -> str:
    if not placement.quantization.is_lossless:
        return "llama.cpp"
    if placement.on_disk:
        return "llama.cpp (memory-mapped)"
    if not placement.on_gpu:
        return "ours, llama.cpp"
    if placement.in_ram:
        return "llama.cpp (experts on the CPU)"
    return "vLLM, SGLang, llama.cpp"


def _how(placement: Placement, experts: int) -> str:
    if placement.on_disk:
        return (
            f"{placement.on_disk / GB:.0f} GB of experts are read from disk: for trying it out, not for work"
        )
    if not placement.on_gpu:
        return "all in main memory, decoded by the CPU"
    if placement.in_ram == experts:
        return "on the GPU what every token reads, all routed experts in main memory"
    if placement.in_ram:
        return f"on the GPU what every token reads and {1 - placement.in_ram / experts:.0%} of the routed experts"
    return "all on the GPU"
