// Sixteen floats at a time, in GCC's vector types: one AVX-512 register, or two of AVX2.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef uint32_t u16 __attribute__((vector_size(64)));
typedef uint16_t h16 __attribute__((vector_size(32)));
typedef int8_t b16 __attribute__((vector_size(16)));

static inline v16 load(const float* p) { v16 v; memcpy(&v, p, 64); return v; }
static inline void store(float* p, v16 v) { memcpy(p, &v, 64); }
static inline v16 spread(float x) { return v16{} + x; }
// Zeros that the compiler does not know: it would clear many of them by a call that takes longer than a short product.
static inline v16 none() { int32_t zero = 0; asm("" : "+r"(zero)); return __builtin_convertvector(i16{} + zero, v16); }
static inline v16 bits(u16 v) { v16 r; memcpy(&r, &v, 64); return r; }
static inline u16 raw(v16 v) { u16 r; memcpy(&r, &v, 64); return r; }

// A bit for each lane of a comparison that holds.
static inline uint32_t lanes(i16 holds) {
#if defined(__AVX512DQ__)
    return _mm512_movepi32_mask((__m512i)holds);
#else
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= uint32_t(holds[i] & 1) << i;
    return mask;
#endif
}

// bfloat16: the upper half of a float32, rounded to even.
static inline float of_bf16(uint16_t h) { uint32_t u = uint32_t(h) << 16; float f; memcpy(&f, &u, 4); return f; }
static inline uint16_t to_bf16(float f) {
    uint32_t u; memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) > 0x7f800000) return uint16_t((u >> 16) | 64);
    return uint16_t((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

static inline float get(const float* p) { return *p; }
static inline float get(const uint16_t* p) { return of_bf16(*p); }
static inline void put(float* p, float x) { *p = x; }
static inline void put(uint16_t* p, float x) { *p = to_bf16(x); }
static inline v16 load(const uint16_t* p) {
#if defined(__AVX512F__)
    __m256i h = _mm256_loadu_si256((const __m256i*)p);
    return (v16)_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
#else
    u16 u; for (int i = 0; i < 16; i++) u[i] = uint32_t(p[i]) << 16;
    return bits(u);
#endif
}

// The first `n` of sixteen, the rest 0.
template <class T> static inline v16 load_some(const T* p, int n) {
    if (n >= 16) return load(p);
    v16 v{};
    for (int i = 0; i < n; i++) v[i] = get(p + i);
    return v;
}

// As `to_bf16`, sixteen at once.
static inline void store(uint16_t* p, v16 v) {
    const u16 u = raw(v), even = (u + 0x7fff + ((u >> 16) & 1)) >> 16, nan = (u >> 16) | 64;
    const h16 h = __builtin_convertvector((u & 0x7fffffff) > 0x7f800000 ? nan : even, h16);
    memcpy(p, &h, 32);
}

static inline float sum(v16 v) {
    float s[8]; for (int i = 0; i < 8; i++) s[i] = v[i] + v[i + 8];
    for (int i = 0; i < 4; i++) s[i] += s[i + 4];
    return (s[0] + s[2]) + (s[1] + s[3]);
}

// sum a_i b_i, always in the same order.
template <class T> static inline float dot(const float* a, const T* b, int n) {
    v16 s0{}, s1{}, s2{}, s3{};
    int i = 0;
    for (; i + 64 <= n; i += 64) {
        s0 += load(a + i) * load(b + i); s1 += load(a + i + 16) * load(b + i + 16);
        s2 += load(a + i + 32) * load(b + i + 32); s3 += load(a + i + 48) * load(b + i + 48);
    }
    for (; i + 16 <= n; i += 16) s0 += load(a + i) * load(b + i);
    float rest = 0;
    for (; i < n; i++) rest += a[i] * get(b + i);
    return sum((s0 + s1) + (s2 + s3)) + rest;
}

#if defined(__clang__) || __GNUC__ >= 12
#define LANES(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define LANES(a, b, ...) __builtin_shuffle(a, b, i16{__VA_ARGS__})
#endif

// Lane j is the sum of the lanes of s[j]: halves are added to halves, four times.
static inline v16 across(v16* s) {
    for (int j = 0; j < 8; j++)
        s[j] = LANES(s[j], s[j + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
               LANES(s[j], s[j + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    for (int j = 0; j < 4; j++)
        s[j] = LANES(s[j], s[j + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
               LANES(s[j], s[j + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    for (int j = 0; j < 2; j++)
        s[j] = LANES(s[j], s[j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
               LANES(s[j], s[j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    return LANES(s[0], s[1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
           LANES(s[0], s[1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
}

// Sixteen rows of sixteen become sixteen columns: blocks of 8, 4, 2, 1 change places.
static inline void transpose(v16* s) {
    for (int j = 0; j < 8; j++) {
        const v16 a = s[j], b = s[j + 8];
        s[j] = LANES(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        s[j + 8] = LANES(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    }
    for (int k = 0; k < 16; k += 8) for (int j = k; j < k + 4; j++) {
        const v16 a = s[j], b = s[j + 4];
        s[j] = LANES(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
        s[j + 4] = LANES(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    }
    for (int k = 0; k < 16; k += 4) for (int j = k; j < k + 2; j++) {
        const v16 a = s[j], b = s[j + 2];
        s[j] = LANES(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
        s[j + 2] = LANES(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
    for (int j = 0; j < 16; j += 2) {
        const v16 a = s[j], b = s[j + 1];
        s[j] = LANES(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
        s[j + 1] = LANES(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    }
}

// Sixteen sums of products at once: lane h * R + r is a[h] times b[r]. Each is made in the same order, wherever it stands.
template <int H, int R, class T> static inline v16 dots(const T* const* a, const T* const* b, int n) {
    static_assert(H * R == 16);
    v16 s[16] = {};
    int i = 0;
#if defined(__AVX512BF16__)
    if constexpr (sizeof(T) == 2)
        for (; i + 32 <= n; i += 32) {
            __m512bh row[R];
            for (int r = 0; r < R; r++) row[r] = (__m512bh)_mm512_loadu_si512(b[r] + i);
            for (int h = 0; h < H; h++) {
                const __m512bh x = (__m512bh)_mm512_loadu_si512(a[h] + i);
                for (int r = 0; r < R; r++) s[h * R + r] = (v16)_mm512_dpbf16_ps((__m512)s[h * R + r], x, row[r]);
            }
        }
#endif
    for (; i + 16 <= n; i += 16) {
        v16 row[R];
        for (int r = 0; r < R; r++) row[r] = load(b[r] + i);
        for (int h = 0; h < H; h++) {
            const v16 x = load(a[h] + i);
            for (int r = 0; r < R; r++) s[h * R + r] += x * row[r];
        }
    }
    v16 all = across(s);
    for (; i < n; i++)
        for (int h = 0; h < H; h++) for (int r = 0; r < R; r++) all[h * R + r] += get(a[h] + i) * get(b[r] + i);
    return all;
}

// e^x to about 1e-7: 2^n times a polynomial in the rest.
static inline v16 exp16(v16 x) {
    x = x < spread(-87.f) ? spread(-87.f) : x;
    x = x > spread(88.f) ? spread(88.f) : x;
    v16 t = x * 1.44269504088896341f + 12582912.f;  // rounds: 1.5 * 2^23
    v16 n = t - 12582912.f;
    v16 r = x - n * 0.693359375f + n * 2.12194440e-4f;
    v16 p = spread(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f; p = p * r + 8.3334519073e-3f; p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f; p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.f;
    i16 e = __builtin_convertvector(n, i16) + 127;
    u16 scale = (u16)e << 23;
    return p * bits(scale);
}
