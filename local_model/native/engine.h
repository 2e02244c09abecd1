// What Python hands over, field by field as in local_model/native_layout.py. Pointers are to memory that Python owns.
#pragma once
#include <cstdint>
#include "matrix.h"

enum LayerKind : int32_t { WINDOW = 0, CSA = 1, HCA = 2 };

struct DimsD {
    int32_t vocab, hidden, layers, heads, head_dim, rope, q_rank, groups, o_rank, window, index_heads, index_dim, index_topk,
        experts, per_token, expert_size, streams, sinkhorn, is_half;
    float scaling, limit, hc_eps, norm_eps;
};
struct HyperD { const float *fn, *base, *scale; };
struct CompressorD { Matrix wkv, wgate; const float *ape, *norm; int32_t ratio, overlaps, head, unused; };
struct EngramD { Matrix wkv; const float* weight; int32_t columns, width; };  // weight [streams][hidden]; without wkv none
struct LayerD {
    int32_t kind, unused;
    const float *attn_norm, *q_norm, *kv_norm, *sinks, *ffn_norm, *frequencies, *bias;
    const int64_t* table;
    HyperD attn_hc, ffn_hc;
    Matrix wq_a, wq_b, wkv, wo_b, gate, index_wq_b, index_weights;
    CompressorD compressor, index_compressor;
    EngramD engram;
    const Matrix* wo_a;     // one a group
    const Matrix* experts;  // w1, w3, w2 of each; the shared one last
};
struct ModelD { DimsD dims; const LayerD* layers; const void* embed; HyperD head_hc; const float* norm; Matrix head; };
struct LayerStateD {
    void* window; int64_t window_base;
    void* tail; int64_t tail_base; void* const* pages;
    void* index_tail; int64_t index_tail_base; void* const* index_pages;
};
struct SequenceD { int64_t length; const LayerStateD* layers; int32_t tokens, wanted; };  // new tokens; the last of them with logits
using RowsOf = const uint8_t* (*)(int32_t layer);  // waits for a layer's Engram rows [tokens][columns][bytes]; null where there are none
