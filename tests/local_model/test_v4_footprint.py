"""What V4 weighs, against what its publishers say, and against checkpoints and states that are really made."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from local_model.config import LayerKind, config_of, read_config
from local_model.footprint import bytes_per_token, footprint_of, past_elements_read, state_bytes
from local_model.published_models import V4_FLASH, V4_PRO
from support.v4_weights import SMALL, write_checkpoint


def test_flash_is_what_its_publisher_says() -> None:
    config = config_of(V4_FLASH)
    with_drafts, without = footprint_of(config, mtp=True), footprint_of(config)
    assert with_drafts.total_bytes / 1e9 == pytest.approx(159.6, abs=0.05)  # 46 shards of the preview
    assert without.parameters / 1e9 == pytest.approx(284, abs=0.5)
    assert without.active_parameters / 1e9 == pytest.approx(13, abs=0.5)
    assert bytes_per_token(config, 2) == 6_880
    assert state_bytes(config, 2**20) / 2**30 == pytest.approx(6.72, abs=0.02)
    assert [config.layers.count(kind) for kind in LayerKind] == [2, 21, 20]


def test_pro_is_what_its_publisher_says() -> None:
    config = config_of(V4_PRO)
    footprint = footprint_of(config, mtp=True)
    assert 860 <= footprint.total_bytes / 1e9 <= 900
    assert footprint.parameters / 1e12 == pytest.approx(1.6, abs=0.02)
    assert footprint.active_parameters / 1e9 == pytest.approx(49, abs=0.5)
    assert bytes_per_token(config, 2) == 9_848


@pytest.mark.parametrize("quantized", ["fp8", "fp4"])
def test_bytes_are_those_of_a_checkpoint(tmp_path: Path, quantized: str) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1, quantized=quantized, mtp=True)
    stored = load_file(tmp_path / "model.safetensors")
    footprint = footprint_of(read_config(tmp_path), mtp=True)
    experts = sum(tensor.nbytes for name, tensor in stored.items() if ".experts." in name)
    assert footprint.expert_bytes == experts
    # Our fixtures hold in float32 what a release has in bfloat16, and the MTP block's projections, too.
    wide = sum(tensor.nbytes // 2 for name, tensor in stored.items() if _is_bf16(name))
    projections = sum(stored[f"mtp.0.{name}.weight"].numel() * 3 - 1 for name in ("e_proj", "h_proj"))
    assert footprint.total_bytes == sum(tensor.nbytes for tensor in stored.values()) - wide - projections


def test_a_long_past_is_read_in_part() -> None:
    config = config_of(V4_FLASH)
    short, long = past_elements_read(config, 1_024), past_elements_read(config, 65_536)
    csa = 512 * 512 + 65_536 // 4 * 128 - 256 * 512
    assert long - short == 20 * (512 - 8) * 512 + 21 * csa


def _is_bf16(name: str) -> bool:
    ends = ("ffn.gate.weight", "weights_proj.weight", "compressor.wkv.weight", "compressor.wgate.weight")
    return name in ("embed.weight", "head.weight") or name.endswith(ends)
