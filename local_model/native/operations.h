// What a token's rows go through between products. Always in the same order, whatever else is in the batch.
#pragma once
#include <algorithm>
#include <functional>
#include <vector>
#include "vectors.h"

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

// Indices of the `count` largest of scores[n], ascending; of equals the lowest.
static inline void largest(const float* scores, int n, int count, std::vector<uint32_t>& room, int* out) {
    if (count >= n) { for (int i = 0; i < n; i++) out[i] = i; return; }
    auto key = [&](int i) {
        uint32_t u; memcpy(&u, scores + i, 4);
        if (u == 0x80000000u) u = 0;  // -0 is 0
        return u & 0x80000000u ? ~u : u | 0x80000000u;
    };
    uint32_t seen[4096] = {};
    for (int i = 0; i < n; i++) seen[key(i) >> 20]++;
    int bucket = 4095, above = 0;
    while (above + int(seen[bucket]) < count) above += seen[bucket--];
    room.clear();
    for (int i = 0; i < n; i++) { const uint32_t k = key(i); if (int(k >> 20) == bucket) room.push_back(k); }
    const int wanted = count - above;
    std::nth_element(room.begin(), room.begin() + wanted - 1, room.end(), std::greater<uint32_t>());
    const uint32_t bound = room[wanted - 1];
    int more = 0;
    for (int i = 0; i < wanted; i++) more += room[i] > bound;
    int equal = wanted - more, taken = 0;
    for (int i = 0; i < n && taken < count; i++) {
        const uint32_t k = key(i);
        if (k > bound || (k == bound && equal-- > 0)) out[taken++] = i;
    }
}

// logits m [n][n] * scale + base to a matrix that is nearly doubly stochastic.
static inline void sinkhorn_any(const float* m, const float* base, float scale, float eps, int rounds, int n, float* mix) {
    constexpr int MOST = 16;
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
        float all[MOST];
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
