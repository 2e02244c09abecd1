// Matrix products of a few tokens. Weights lie in panels of 16 outputs, input by input, so that each is read once
// and in a row. A sum runs over the inputs in their order, whatever else is in the batch: the same bits alone.
#pragma once
#include <algorithm>
#include <cstdlib>
#include "vectors.h"

enum Kind : int32_t { F32 = 0, BF16 = 1, INT8 = 2, FP8 = 3, FP4 = 4 };
constexpr int PANEL = 16;
constexpr int AT_ONCE = 8;  // tokens

struct Matrix {
    int32_t kind, out, in, group;  // `in` is padded to the kind's step; group: inputs that share a scale
    const uint8_t* data;           // [panels][in][16], or as the kind packs
    const void* scale;             // [panels][in / group][16]: float32; FP4: exponents, ue8m0
    int panels() const { return (out + PANEL - 1) / PANEL; }
};

// A token's input in the form that a kind multiplies by.
struct Input {
    const float* f;      // [in]
    const uint32_t* h;   // bfloat16 in pairs [in / 2]
    const uint32_t* q;   // signed bytes in fours [in / 4]
    const float* scale;  // [in / group]
    const int32_t* sum;  // [in / group]: of the bytes, times what makes the weights unsigned
};

static inline int64_t panel_bytes(const Matrix& m) {
    switch (m.kind) {
        case F32: return int64_t(m.in) * 64;
        case BF16: return int64_t(m.in) * 32;
        case FP4: return int64_t(m.in) * 8;
        default: return int64_t(m.in) * 16;
    }
}

// Products of NP panels from `p` on with NB tokens. While it multiplies, it fetches LINES cache lines of `ahead` for each
// line that it reads: what comes next, where many tokens leave the memory idle.
template <int LINES> static inline void fetch(const uint8_t* ahead, int line) {
    for (int i = 0; i < LINES; i++) __builtin_prefetch(ahead + int64_t(line) * LINES * 64 + i * 64, 0, 2);
}

template <int NP, int NB, int LINES> static void mul_f32(const Matrix& m, int p, const Input* x, float* const* y, const uint8_t* ahead) {
    const float* w[NP];
    for (int i = 0; i < NP; i++) w[i] = (const float*)(m.data + panel_bytes(m) * (p + i));
    v16 s[NP][NB] = {};
    for (int k = 0; k < m.in; k++) {
        fetch<LINES>(ahead, k);
        for (int i = 0; i < NP; i++) {
            v16 row = load(w[i] + k * 16);
            for (int b = 0; b < NB; b++) s[i][b] += row * x[b].f[k];
        }
    }
    for (int i = 0; i < NP; i++) for (int b = 0; b < NB; b++) store(y[b] + (p + i) * 16, s[i][b]);
}

template <int NP, int NB, int LINES> static void mul_bf16(const Matrix& m, int p, const Input* x, float* const* y, const uint8_t* ahead) {
    const uint16_t* w[NP];
    for (int i = 0; i < NP; i++) w[i] = (const uint16_t*)(m.data + panel_bytes(m) * (p + i));
#if defined(__AVX512BF16__)
    __m512 s[NP][NB];
    for (int i = 0; i < NP; i++) for (int b = 0; b < NB; b++) s[i][b] = _mm512_setzero_ps();
    for (int k = 0; k < m.in / 2; k++) {
        fetch<LINES>(ahead, k);
        for (int i = 0; i < NP; i++) {
            __m512bh row = (__m512bh)_mm512_loadu_si512(w[i] + k * 32);
            for (int b = 0; b < NB; b++)
                s[i][b] = _mm512_dpbf16_ps(s[i][b], row, (__m512bh)_mm512_set1_epi32(int(x[b].h[k])));
        }
    }
    for (int i = 0; i < NP; i++) for (int b = 0; b < NB; b++) _mm512_storeu_ps(y[b] + (p + i) * 16, s[i][b]);
#else
    v16 s[NP][NB] = {};
    for (int k = 0; k < m.in / 2; k++) {
        fetch<LINES>(ahead, k);
        for (int i = 0; i < NP; i++) {
            u16 pair; memcpy(&pair, w[i] + k * 32, 64);
            v16 low = bits(pair << 16), high = bits(pair & 0xffff0000u);
            for (int b = 0; b < NB; b++) {
                uint32_t h = x[b].h[k];
                s[i][b] += low * of_bf16(uint16_t(h)) + high * of_bf16(uint16_t(h >> 16));
            }
        }
    }
    for (int i = 0; i < NP; i++) for (int b = 0; b < NB; b++) store(y[b] + (p + i) * 16, s[i][b]);
#endif
}

// 16 outputs x 4 inputs of unsigned bytes, times 4 signed ones.
static inline i16 dot4(i16 sum, i16 weights, uint32_t x) {
#if defined(__AVX512VNNI__)
    return (i16)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)weights, _mm512_set1_epi32(int(x)));
#else
    for (int j = 0; j < 4; j++) sum += ((weights >> (8 * j)) & 255) * int32_t(int8_t(x >> (8 * j)));
    return sum;
#endif
}

constexpr int INT8_BIAS = 128, FP4_BIAS = 12;  // make a weight unsigned

// Two e2m1 in a byte are two small whole numbers: twice their values, plus the bias.
static inline void unpack4(const uint8_t* p, i16& low, i16& high) {
#define VALUES 12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0
    alignas(64) static const uint8_t TABLE[64] = {VALUES, VALUES, VALUES, VALUES};
#undef VALUES
#if defined(__AVX512BW__)
    __m512i table = _mm512_load_si512(TABLE), both = _mm512_loadu_si512(p), mask = _mm512_set1_epi8(15);
    low = (i16)_mm512_shuffle_epi8(table, _mm512_and_si512(both, mask));
    high = (i16)_mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(both, 4), mask));
#else
    uint8_t l[64], h[64];
    for (int i = 0; i < 64; i++) { l[i] = TABLE[p[i] & 15]; h[i] = TABLE[p[i] >> 4]; }
    memcpy(&low, l, 64); memcpy(&high, h, 64);
#endif
}

static inline v16 exponents(const uint8_t* p) {
    u16 e;
#if defined(__AVX512F__)
    e = (u16)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p));
#else
    for (int j = 0; j < 16; j++) e[j] = p[j];
#endif
    return bits(e << 23);
}

template <int NP, int NB, int LINES, bool IS_FP4> static void mul_int(const Matrix& m, int p, const Input* x, float* const* y, const uint8_t* ahead) {
    const int groups = m.in / m.group, fours = m.group / 4;
    const uint8_t* w[NP];
    for (int i = 0; i < NP; i++) w[i] = m.data + panel_bytes(m) * (p + i);
    v16 s[NP][NB];
    for (int i = 0; i < NP; i++) for (int b = 0; b < NB; b++) s[i][b] = none();
    for (int g = 0; g < groups; g++) {
        i16 t[NP][NB] = {};
        if (IS_FP4) {
            for (int k = 0; k < fours; k += 2) {  // low nibbles: four inputs; high ones: the next four
                fetch<LINES>(ahead, (g * fours + k) / 2);
                for (int i = 0; i < NP; i++) {
                    i16 low, high; unpack4(w[i] + (g * fours + k) * 32, low, high);
                    for (int b = 0; b < NB; b++) {
                        t[i][b] = dot4(t[i][b], low, x[b].q[g * fours + k]);
                        t[i][b] = dot4(t[i][b], high, x[b].q[g * fours + k + 1]);
                    }
                }
            }
        } else {
            for (int k = 0; k < fours; k++) {
                fetch<LINES>(ahead, g * fours + k);
                for (int i = 0; i < NP; i++) {
                    i16 row; memcpy(&row, w[i] + (g * fours + k) * 64, 64);
                    for (int b = 0; b < NB; b++) t[i][b] = dot4(t[i][b], row, x[b].q[g * fours + k]);
                }
            }
        }
        for (int i = 0; i < NP; i++) {
            const int64_t at = (int64_t(p + i) * groups + g) * 16;
            const v16 scale = IS_FP4 ? exponents((const uint8_t*)m.scale + at) * 0.5f : load((const float*)m.scale + at);
            for (int b = 0; b < NB; b++)
                s[i][b] += __builtin_convertvector(t[i][b] - x[b].sum[g], v16) * (scale * x[b].scale[g]);
        }
    }
    for (int i = 0; i < NP; i++) for (int b = 0; b < NB; b++) store(y[b] + (p + i) * 16, s[i][b]);
}

template <int NP, int NB> static void mul_fp8(const Matrix& m, int p, const Input* x, float* const* y) {
    const int groups = m.in / m.group;
    v16 s[NP][NB] = {};
    for (int g = 0; g < groups; g++)
        for (int i = 0; i < NP; i++) {
            const uint8_t* w = m.data + panel_bytes(m) * (p + i) + int64_t(g) * m.group * 16;
            v16 t[NB] = {};
            for (int k = 0; k < m.group; k++) {
                u16 byte;
#if defined(__AVX512F__)
                byte = (u16)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)(w + k * 16)));
#else
                for (int j = 0; j < 16; j++) byte[j] = w[k * 16 + j];
#endif
                v16 row = bits(((byte & 0x80) << 24) | ((byte & 0x7f) << 20));  // the value times 2^-120
                for (int b = 0; b < NB; b++) t[b] += row * x[b].f[g * m.group + k];
            }
            v16 scale = load((const float*)m.scale + (int64_t(p + i) * groups + g) * 16) * 0x1p120f;
            for (int b = 0; b < NB; b++) s[i][b] += t[b] * scale;
        }
    for (int i = 0; i < NP; i++) for (int b = 0; b < NB; b++) store(y[b] + (p + i) * 16, s[i][b]);
}

template <int NP, int NB, int LINES> static void mul_panels(const Matrix& m, int p, const Input* x, float* const* y, const uint8_t* ahead) {
    switch (m.kind) {
        case F32: return mul_f32<NP, NB, LINES>(m, p, x, y, ahead);
        case BF16: return mul_bf16<NP, NB, LINES>(m, p, x, y, ahead);
        case INT8: return mul_int<NP, NB, LINES, false>(m, p, x, y, ahead);
        case FP4: return mul_int<NP, NB, LINES, true>(m, p, x, y, ahead);
        case FP8: return mul_fp8<NP, NB>(m, p, x, y);
    }
}

template <int NP, int LINES> static void mul_some(const Matrix& m, int p, const Input* x, float* const* y, int count, const uint8_t* ahead) {
    switch (count) {
        case 1: return mul_panels<NP, 1, LINES>(m, p, x, y, ahead);
        case 2: return mul_panels<NP, 2, LINES>(m, p, x, y, ahead);
        case 3: return mul_panels<NP, 3, LINES>(m, p, x, y, ahead);
        case 4: return mul_panels<NP, 4, LINES>(m, p, x, y, ahead);
        case 5: return mul_panels<NP, 5, LINES>(m, p, x, y, ahead);
        case 6: return mul_panels<NP, 6, LINES>(m, p, x, y, ahead);
        case 7: return mul_panels<NP, 7, LINES>(m, p, x, y, ahead);
        default: return mul_panels<NP, 8, LINES>(m, p, x, y, ahead);
    }
}

// Outputs [16 first, 16 last) of `count` tokens; y[b] has room for whole panels.
static void multiply(const Matrix& m, int first, int last, const Input* x, float* const* y, int count) {
    const int together = count <= 4 ? 4 : 2;
    for (; first + together <= last; first += together) {
        if (count <= 4) { mul_some<4, 0>(m, first, x, y, count, nullptr); continue; }
        const uint8_t* ahead = m.data + panel_bytes(m) * (first + 2);
        const bool is_last = first + 4 > last;
        for (int b = 0; b < count; b += AT_ONCE) {
            const int some = std::min(count - b, AT_ONCE);
            if (is_last || b >= 2 * AT_ONCE) mul_some<2, 0>(m, first, x + b, y + b, some, nullptr);
            else if (count <= AT_ONCE) mul_some<2, 2>(m, first, x, y, some, ahead);
            else mul_some<2, 1>(m, first, x + b, y + b, some, b ? ahead + panel_bytes(m) : ahead);
        }
    }
    for (; first < last; first++)
        for (int b = 0; b < count; b += AT_ONCE) mul_some<1, 0>(m, first, x + b, y + b, std::min(count - b, AT_ONCE), nullptr);
}

// Rows [count][width] of floats or bfloat16 as a matrix: packed into `room`, which holds whole panels of an even width.
// Meanwhile it fetches as many rows of `ahead`, if that is not null.
template <class T> static Matrix packed(const T* rows, int count, int width, uint8_t* room, const T* ahead) {
    constexpr int PER_WORD = 4 / sizeof(T);
    const int words = (width + PER_WORD - 1) / PER_WORD, whole = width / PER_WORD;
    for (int p = 0; p < count; p += PANEL) {
        uint8_t* panel = room + size_t(p / PANEL) * words * 64;
        if (ahead)
            for (int i = 0; i < PANEL * width * int(sizeof(T)); i += 64) __builtin_prefetch((const char*)(ahead + size_t(p) * width) + i, 0, 2);
        const T* from[PANEL];
        for (int r = 0; r < PANEL; r++) from[r] = rows + size_t(std::min(p + r, count - 1)) * width;
        int k = 0;
        for (; k + 16 <= whole; k += 16) {
            v16 s[16];
            for (int r = 0; r < PANEL; r++) memcpy(&s[r], from[r] + k * PER_WORD, 64);
            transpose(s);
            memcpy(panel + k * 64, s, sizeof s);
        }
        for (; k < words; k++)
            for (int r = 0; r < PANEL; r++) {
                T word[PER_WORD] = {};
                for (int i = 0; i < std::min(PER_WORD, width - k * PER_WORD); i++) word[i] = from[r][k * PER_WORD + i];
                memcpy(panel + k * 64 + r * 4, word, 4);
            }
    }
    return {sizeof(T) == 2 ? BF16 : F32, count, words * PER_WORD, 0, room, nullptr};
}

// Room for one token's input in every form.
struct Room { uint32_t* words; float* scale; int32_t* sum; float* padded; };

static Input prepare(const Matrix& m, const float* x, int width, const Room& room) {
    Input made{x, nullptr, nullptr, nullptr, nullptr};
    if (width < m.in) {
        memcpy(room.padded, x, width * 4);
        memset(room.padded + width, 0, (m.in - width) * 4);
        made.f = x = room.padded;
    }
    if (m.kind == BF16) {
        uint16_t* halves = (uint16_t*)room.words;
        int i = 0;
        for (; i + 16 <= m.in; i += 16) store(halves + i, load(x + i));
        for (; i < m.in; i++) halves[i] = to_bf16(x[i]);
        made.h = room.words;
    } else if (m.kind == INT8 || m.kind == FP4) {
        int8_t* bytes = (int8_t*)room.words;
        for (int g = 0; g < m.in / m.group; g++) {  // a group is some sixteens
            const float* part = x + g * m.group;
            v16 high{};
            for (int i = 0; i < m.group; i += 16) {
                const v16 v = load(part + i), size = v < 0 ? -v : v;
                high = size > high ? size : high;
            }
            float most = high[0];
            for (int i = 1; i < 16; i++) most = std::max(most, high[i]);
            const float inverse = most > 0 ? 127 / most : 0;
            i16 all{};
            for (int i = 0; i < m.group; i += 16) {
                const v16 v = load(part + i);
                const i16 q = __builtin_convertvector(v * inverse + (v < 0 ? spread(-0.5f) : spread(0.5f)), i16);
                const b16 narrow = __builtin_convertvector(q, b16);
                memcpy(bytes + g * m.group + i, &narrow, 16);
                all += q;
            }
            int32_t sum = 0;
            for (int i = 0; i < 16; i++) sum += all[i];
            room.scale[g] = most / 127;
            room.sum[g] = sum * (m.kind == INT8 ? INT8_BIAS : FP4_BIAS);
        }
        made.q = room.words;
        made.scale = room.scale;
        made.sum = room.sum;
    }
    return made;
}
