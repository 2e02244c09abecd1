"""What others measured of V4 on their hardware, and the files that they offer: single runs, read November 2026, not ours."""

from dataclasses import dataclass

from local_model.placement import GB, Quantization

_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Figure:
    """One published run: decoding, tokens a second of one sequence."""

    hardware: str
    weights: str
    tokens_a_second: str
    source: str
    gpu_gb: float
    """Of all its GPUs; 0 for a CPU or one memory for both."""
    ram_gb: float


FLASH_FILES = (
    Quantization("3-bit GGUF", 103 * GB, is_lossless=False),
    Quantization("Q2_K GGUF", 100 * _GIB, is_lossless=False),
    Quantization("IQ2_XS GGUF", 81 * _GIB, is_lossless=False),
    Quantization("IQ2_XXS GGUF", 73 * _GIB, is_lossless=False),
    Quantization("IQ1_M GGUF", 60 * _GIB, is_lossless=False),
)
"""Largest first; Unsloth's and teamblobfish's."""
PRO_FILES = (Quantization("IQ2_XXS GGUF", 400 * _GIB, is_lossless=False),)

FLASH_FIGURES = (
    Figure("CPU and SSD", "as released", "0.87", "colibri #165", 0, 108),
    Figure("M3 Ultra", "4-bit, 153 GiB", "35.5", "ds4", 0, 256),
    Figure("DGX Spark", "2-bit", "13.8-20.6", "ds4", 0, 128),
    Figure("RTX 5090", "IQ2_XXS, 91 GB", "25-28 with llama.cpp, 56", "PolyStrata", 32, 120),
    Figure("RTX PRO 6000", "2-bit", "46.9", "elsung", 96, 128),
    Figure("2 x RTX PRO 6000", "as released, GGUF", "34-42", "loftllc", 192, 128),
    Figure(
        "4 x RTX PRO 6000",
        "as released",
        "133 with vLLM, 235-283 with DSpark drafts",
        "hermia-ai; deepspark",
        384,
        256,
    ),
)
PRO_FIGURES = (
    Figure("M3 Ultra", "IQ2_XXS, some 400 GB", "9", "ds4 #331", 0, 512),
    Figure("RTX PRO 6000 and DDR5", "as released", "7.3", "ktransformers #2001", 96, 1100),
    Figure(
        "8 x B200 or H200", "as released", "see the recipes of SGLang and vLLM", "docs.sglang.io", 1128, 1000
    ),
)
