"""Where weights would lie: nothing is lost, what does not fit goes to the next place, more memory is never slower."""

import pytest

from local_model.config import config_of
from local_model.footprint import Footprint, footprint_of, past_elements_read
from local_model.placement import CONTEXT, GB, Machine, Quantization, native, place
from local_model.published_figures import FLASH_FILES
from local_model.published_models import V4_FLASH

CONFIG = config_of(V4_FLASH)
FLASH: Footprint = footprint_of(CONFIG, mtp=True)
FILES = (native(FLASH), *FLASH_FILES)


def machine(gpu_gb: float, ram_gb: float, gpus: int = 1) -> Machine:
    return Machine(gpu_gb, gpus if gpu_gb else 0, ram_gb, 1_000, 80, 5)


@pytest.mark.parametrize("gpu_gb", [0, 8, 24, 32, 48, 80, 96, 192])
@pytest.mark.parametrize("ram_gb", [16, 64, 128, 192, 256])
def test_every_byte_has_a_place_that_has_room_for_it(gpu_gb: float, ram_gb: float) -> None:
    here = machine(gpu_gb, ram_gb)
    way = place(CONFIG, FLASH, here, FILES)
    assert way.on_gpu + way.in_ram + way.on_disk == way.quantization.nbytes
    assert way.on_gpu <= here.gpu_bytes
    assert way.in_ram <= here.ram_bytes
    assert way.on_disk == 0 or way.quantization.is_lossless


def test_a_bound_is_the_time_to_read_what_a_token_reads() -> None:
    way = place(CONFIG, FLASH, machine(0, 256), FILES)
    read = FLASH.active_dense_bytes + FLASH.active_expert_bytes + 2 * past_elements_read(CONFIG, CONTEXT)
    assert way.bound == pytest.approx(80 * GB / read)
    assert way.how == "all in main memory, decoded by the CPU"


@pytest.mark.parametrize("files", [FILES, FILES[:1]])
def test_more_memory_is_never_slower_for_the_same_file(files: tuple[Quantization, ...]) -> None:
    for file in files:
        bounds = [place(CONFIG, FLASH, machine(gpu, 256), (file,)).bound for gpu in (0, 24, 48, 96, 192)]
        assert bounds == sorted(bounds)
        bounds = [place(CONFIG, FLASH, machine(24, ram), (file,)).bound for ram in (32, 64, 128, 256)]
        assert bounds == sorted(bounds)


def test_the_largest_file_that_fits_is_taken_and_none_means_disk() -> None:
    assert place(CONFIG, FLASH, machine(24, 192), FILES).quantization.name == "as released"
    assert place(CONFIG, FLASH, machine(24, 128), FILES).quantization.name == "3-bit GGUF"
    assert place(CONFIG, FLASH, machine(24, 64), FILES).quantization.name == "IQ1_M GGUF"
    tiny = place(CONFIG, FLASH, machine(0, 32), FILES)
    assert tiny.quantization.name == "as released"
    assert "GB of experts are read from disk" in tiny.how


def test_a_gpu_too_small_for_what_every_token_reads_is_not_used() -> None:
    way = place(CONFIG, FLASH, machine(8, 256), FILES)
    assert (way.on_gpu, way.engine) == (0, "ours, llama.cpp")


def test_four_gpus_are_one_place() -> None:
    assert place(CONFIG, FLASH, machine(48, 64, gpus=4), FILES).engine == "vLLM, SGLang, llama.cpp"
