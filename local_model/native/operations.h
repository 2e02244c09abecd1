// What a token's rows go through between products. Always in the same order, whatever else is in the batch.
#pragma once
#include <algorithm>
#include <functional>
#include <vector>
#include "vectors.h"

constexpr int MOST_STREAMS = 16;

static inline void rms(const float* x, const float* weight, int n, float eps, float* out) {
    const float r = 1 / std::sqrt(dot(x, x, n) / n + eps);
    if (weight) for (int i = 0; i < n; i++) out[i] = weight[i] * (x[i] * r);
    else for (int i = 0; i < n; i++) out[i] = x[i] * r;
}

// The last `rope` elements, in neighbouring pairs, by `turn` [rope / 2][cos, sin]; back: -1 for the other way.
static inline void rotate(float* x, int width, int rope, const float* turn, float back) {
    float* tail = x + width - rope;
    for (int i = 0; i < rope / 2; i++) {
        const float c = turn[2 * i], s = turn[2 * i + 1] * back, e = tail[2 * i], o = tail[2 * i + 1];
        tail[2 * i] = e * c - o * s;
        tail[2 * i + 1] = o * c + e * s;
    }
}

static inline void turns(const float* frequencies, int rope, int64_t position, float* out) {
    for (int i = 0; i < rope / 2; i++) {
        const float a = float(position) * frequencies[i];
        out[2 * i] = std::cos(a); out[2 * i + 1] = std::sin(a);
    }
}

static inline float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// Whole numbers in the order of floats, of which -0 is 0.
static inline u16 ordered(v16 x) {
    u16 u = raw(x);
    u = u == 0x80000000u ? u16{} : u;
    return (i16)u < 0 ? ~u : u | 0x80000000u;
}

// Room for what follows, kept between calls.
struct Sorting { std::vector<uint32_t> keys, near; };

// Indices of the `count` largest of scores[n], ascending; of equals the lowest. Their keys' upper bits are found one by
// one, by counting; what shares those bits is sorted.
static inline void largest(const float* scores, int n, int count, Sorting& room, int* out) {
    if (count >= n) { for (int i = 0; i < n; i++) out[i] = i; return; }
    constexpr int UPPER = 12;
    const int wide = (n + 15) / 16 * 16;
    auto& [keys, near] = room;
    keys.resize(wide);
    for (int i = 0; i < n; i += 16) {  // a score is no NaN, and so no key is 0: that is what fills the last sixteen
        u16 key = ordered(load_some(scores + i, n - i));
        for (int j = n - i; j < 16; j++) key[j] = 0;
        memcpy(&keys[i], &key, 64);
    }
    auto counted = [&](auto is_meant) {
        i16 found{};
        for (int i = 0; i < wide; i += 16) { u16 key; memcpy(&key, &keys[i], 64); found -= is_meant(key); }
        int all = 0;
        for (int i = 0; i < 16; i++) all += found[i];
        return all;
    };
    uint32_t least = 0;  // the largest number of so many bits that `count` keys reach
    for (int bit = 31; bit >= 32 - UPPER; bit--) {
        const uint32_t more = least | 1u << bit;
        if (counted([&](u16 key) { return (i16)(key >= more); }) >= count) least = more;
    }
    const uint32_t beyond = least + (1u << (32 - UPPER));  // 0 where there is nothing beyond
    const int above = beyond ? counted([&](u16 key) { return (i16)(key >= beyond); }) : 0;
    auto each = [&](uint32_t from, auto take) {
        for (int i = 0; i < wide; i += 16) {
            u16 key; memcpy(&key, &keys[i], 64);
            for (uint32_t mask = lanes((i16)(key >= from)); mask; mask &= mask - 1) {
                const int at = i + __builtin_ctz(mask);
                if (!take(at, keys[at])) return;
            }
        }
    };
    near.clear();
    each(least, [&](int, uint32_t key) { if (!beyond || key < beyond) near.push_back(key); return true; });
    const int wanted = count - above;
    std::nth_element(near.begin(), near.begin() + wanted - 1, near.end(), std::greater<uint32_t>());
    const uint32_t bound = near[wanted - 1];
    int equal = wanted, taken = 0;
    for (int i = 0; i < wanted; i++) equal -= near[i] > bound;
    each(bound, [&](int at, uint32_t key) {
        if (key > bound || equal-- > 0) out[taken++] = at;
        return taken < count;
    });
}

// logits m [n][n] * scale + base to a matrix that is nearly doubly stochastic.
static inline void sinkhorn_any(const float* m, const float* base, float scale, float eps, int rounds, int n, float* mix) {
    for (int i = 0; i < n; i++) {
        float most = -INFINITY, all = 0;
        for (int j = 0; j < n; j++) most = std::max(most, mix[i * n + j] = m[i * n + j] * scale + base[i * n + j]);
        for (int j = 0; j < n; j++) all += mix[i * n + j] = std::exp(mix[i * n + j] - most);
        for (int j = 0; j < n; j++) mix[i * n + j] = mix[i * n + j] / all + eps;
    }
    for (int round = 0; round < rounds; round++) {
        if (round) for (int i = 0; i < n; i++) {
            float all = eps;
            for (int j = 0; j < n; j++) all += mix[i * n + j];
            for (int j = 0; j < n; j++) mix[i * n + j] /= all;
        }
        float all[MOST_STREAMS];
        for (int j = 0; j < n; j++) all[j] = eps;
        for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) all[j] += mix[i * n + j];
        for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) mix[i * n + j] /= all[j];
    }
}

// The same for four streams: the whole matrix is sixteen floats.
static inline void sinkhorn_of_four(const float* m, const float* base, float scale, float eps, int rounds, float* mix) {
#define ALONG_ROWS(x, op) \
    x = op(x, LANES(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)); \
    x = op(x, LANES(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
#define ALONG_COLUMNS(x, op) \
    x = op(x, LANES(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)); \
    x = op(x, LANES(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    auto more = [](v16 a, v16 b) { return a > b ? a : b; };
    auto plus = [](v16 a, v16 b) { return a + b; };
    v16 x = load(m) * scale + load(base), most = x;
    ALONG_ROWS(most, more)
    x = exp16(x - most);
    v16 all = x;
    ALONG_ROWS(all, plus)
    x = x / all + eps;
    for (int round = 0; round < rounds; round++) {
        if (round) {
            all = x;
            ALONG_ROWS(all, plus)
            x = x / (all + eps);
        }
        all = x;
        ALONG_COLUMNS(all, plus)
        x = x / (all + eps);
    }
    store(mix, x);
#undef ALONG_ROWS
#undef ALONG_COLUMNS
}

// A row of an Engram table: `width` elements in FP8, then an exponent for every 32; see engram_table.py.
struct Fp8Values {
    float of[256];
    Fp8Values() {
        for (int i = 0; i < 256; i++) {
            const int exponent = i >> 3 & 15, fraction = i & 7;
            const float size = exponent ? std::ldexp(1 + fraction / 8.f, exponent - 7) : std::ldexp(fraction / 8.f, -6);
            of[i] = i & 128 ? -size : size;
        }
    }
};
static inline void unpack_row(const uint8_t* row, int width, float* out) {
    static const Fp8Values values;
    for (int i = 0; i < width; i += 32) {
        const uint32_t exponent = uint32_t(row[width + i / 32]) << 23, least = 0x00400000u;  // 2^-127 is no normal number
        float scale;
        memcpy(&scale, exponent ? &exponent : &least, 4);
        for (int j = i; j < i + 32; j++) out[j] = values.of[row[j]] * scale;
    }
}

// How much an Engram memory's value goes into a stream h: norm(h) * weight * norm(key), summed, through its root.
static inline float engram_gate(const float* h, const float* key, const float* weight, int n, float eps) {
    v16 both{}, of_h{}, of_key{};
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        const v16 a = load(h + i), b = load(key + i);
        both += a * b * load(weight + i); of_h += a * a; of_key += b * b;
    }
    float agreement = sum(both), h_size = sum(of_h), key_size = sum(of_key);
    for (; i < n; i++) { agreement += h[i] * key[i] * weight[i]; h_size += h[i] * h[i]; key_size += key[i] * key[i]; }
    agreement /= std::sqrt(h_size / n + eps) * std::sqrt(key_size / n + eps) * std::sqrt(float(n));
    return sigmoid(std::copysign(std::sqrt(std::max(std::fabs(agreement), 1e-6f)), agreement));
}
