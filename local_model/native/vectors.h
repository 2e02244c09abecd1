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

static inline v16 load(const float* p) { v16 v; memcpy(&v, p, 64); return v; }
static inline void store(float* p, v16 v) { memcpy(p, &v, 64); }
static inline v16 spread(float x) { return v16{} + x; }
static inline v16 bits(u16 v) { v16 r; memcpy(&r, &v, 64); return r; }
static inline u16 raw(v16 v) { u16 r; memcpy(&r, &v, 64); return r; }

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
