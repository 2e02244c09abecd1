"""What is handed to the native step, field by field as in `native/engine.h`."""

import ctypes
from ctypes import Structure, c_float, c_int32, c_int64, c_void_p


class MatrixD(Structure):
    """A packed matrix."""

    _fields_ = (
        ("kind", c_int32), ("out", c_int32), ("width", c_int32), ("group", c_int32),
        ("data", c_void_p), ("scale", c_void_p),
    )  # fmt: skip


class DimsD(Structure):
    """The model's dimensions."""

    _fields_ = (
        *((name, c_int32) for name in (
            "vocab", "hidden", "layers", "heads", "head_dim", "rope", "q_rank", "groups", "o_rank", "window",
            "index_heads", "index_dim", "index_topk", "experts", "per_token", "expert_size", "streams", "sinkhorn", "is_half",
        )),
        *((name, c_float) for name in ("scaling", "limit", "hc_eps", "norm_eps")),
    )  # fmt: skip


class HyperD(Structure):
    """A hyper-connection."""

    _fields_ = (("fn", c_void_p), ("base", c_void_p), ("scale", c_void_p))


class CompressorD(Structure):
    """A compressor."""

    _fields_ = (
        ("wkv", MatrixD), ("wgate", MatrixD), ("ape", c_void_p), ("norm", c_void_p),
        ("ratio", c_int32), ("overlaps", c_int32), ("head", c_int32), ("unused", c_int32),
    )  # fmt: skip


class EngramD(Structure):
    """A layer's Engram memory; without `wkv` none."""

    _fields_ = (("wkv", MatrixD), ("weight", c_void_p), ("columns", c_int32), ("width", c_int32))


class LayerD(Structure):
    """A layer."""

    _fields_ = (
        ("kind", c_int32), ("unused", c_int32),
        *((name, c_void_p) for name in (
            "attn_norm", "q_norm", "kv_norm", "sinks", "ffn_norm", "frequencies", "bias", "table",
        )),
        ("attn_hc", HyperD), ("ffn_hc", HyperD),
        *((name, MatrixD) for name in ("wq_a", "wq_b", "wkv", "wo_b", "gate", "index_wq_b", "index_weights")),
        ("compressor", CompressorD), ("index_compressor", CompressorD),
        ("engram", EngramD), ("wo_a", c_void_p), ("experts", c_void_p),
    )  # fmt: skip


class ModelD(Structure):
    """A model."""

    _fields_ = (
        ("dims", DimsD), ("layers", c_void_p), ("embed", c_void_p), ("head_hc", HyperD), ("norm", c_void_p), ("head", MatrixD),
    )  # fmt: skip


class LayerStateD(Structure):
    """One layer of a sequence's state."""

    _fields_ = (
        ("window", c_void_p), ("window_base", c_int64),
        ("tail", c_void_p), ("tail_base", c_int64), ("pages", c_void_p),
        ("index_tail", c_void_p), ("index_tail_base", c_int64), ("index_pages", c_void_p),
    )  # fmt: skip


class SequenceD(Structure):
    """A sequence's state, and how many tokens come behind it; of the last `wanted` logits are asked for."""

    _fields_ = (("length", c_int64), ("layers", c_void_p), ("tokens", c_int32), ("wanted", c_int32))


ROWS_OF = ctypes.CFUNCTYPE(c_void_p, c_int32)
"""Where a layer's Engram rows lie; null where they cannot be had."""


def declare_rows(library: ctypes.CDLL) -> ctypes.CDLL:
    """Say the types of what `native/rows.cpp` has."""
    library.rows_open.restype = c_void_p
    library.rows_open.argtypes = (ctypes.c_char_p, c_int64, c_int32, c_int64, ctypes.POINTER(c_int32))
    library.rows_close.restype = None
    library.rows_close.argtypes = (c_void_p,)
    library.rows_fetch.restype = ctypes.c_int
    library.rows_fetch.argtypes = (c_void_p, c_void_p, c_int64, c_void_p)
    library.rows_told.restype = None
    library.rows_told.argtypes = (c_void_p, ctypes.POINTER(c_int64))
    return library


def declare_step(library: ctypes.CDLL) -> ctypes.CDLL:
    """Say the types of what `native/engine.cpp` has."""
    library.v4_make.restype = c_void_p
    library.v4_make.argtypes = (ctypes.POINTER(ModelD), ctypes.c_int)
    library.v4_free.restype = None
    library.v4_free.argtypes = (c_void_p,)
    library.v4_multiply.restype = ctypes.c_int
    library.v4_multiply.argtypes = (ctypes.POINTER(MatrixD), c_void_p, ctypes.c_int, ctypes.c_int, c_void_p)
    library.v4_read.restype = ctypes.c_double
    library.v4_read.argtypes = (c_void_p, c_void_p, c_int64)
    library.v4_pass.restype = ctypes.c_int
    library.v4_pass.argtypes = (
        c_void_p, ctypes.POINTER(SequenceD), c_void_p, ctypes.c_int, c_void_p, ROWS_OF,
    )  # fmt: skip
    return library
