// How many operations a second this processor does on registers alone, by kind of weights: what a batch is held against.
#include <chrono>
#include <cstdint>
#include <immintrin.h>
#include <thread>
#include <vector>

namespace {
constexpr int SUMS = 12;  // more than the latency of a multiplication times how many are begun in a cycle

template <class Run> double seconds(int threads, Run run) {
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::thread> all;
    for (int t = 0; t < threads; t++) all.emplace_back(run);
    for (auto& one : all) one.join();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

#ifdef __AVX512F__
using Floats = __m512;
inline Floats times(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats spread(float x) { return _mm512_set1_ps(x); }
#elif defined(__AVX2__)
using Floats = __m256;
inline Floats times(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats spread(float x) { return _mm256_set1_ps(x); }
#else
using Floats = __m128;
inline Floats times(Floats a, Floats b, Floats c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
inline Floats spread(float x) { return _mm_set1_ps(x); }
#endif

void floats(int64_t rounds) {
    Floats sums[SUMS], a = spread(1.0000001f), b = spread(1e-9f);
    for (auto& sum : sums) sum = spread(1);
    for (int64_t i = 0; i < rounds; i++) {
        for (auto& sum : sums) sum = times(a, b, sum);
        asm volatile("" : "+x"(sums[0]), "+x"(sums[1]), "+x"(sums[2]), "+x"(sums[3]), "+x"(sums[4]), "+x"(sums[5]));
        asm volatile("" : "+x"(sums[6]), "+x"(sums[7]), "+x"(sums[8]), "+x"(sums[9]), "+x"(sums[10]), "+x"(sums[11]));
    }
}

#if defined(__AVX512BF16__) && defined(__AVX512VNNI__)
void halves(int64_t rounds) {
    __m512 sums[SUMS];
    __m512i a = _mm512_set1_epi32(0x3f803f80);
    for (auto& sum : sums) sum = _mm512_set1_ps(1);
    for (int64_t i = 0; i < rounds; i++) {
        asm volatile("" : "+x"(a));
        for (auto& sum : sums) sum = _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)a);
        asm volatile("" : "+x"(sums[0]), "+x"(sums[1]), "+x"(sums[2]), "+x"(sums[3]), "+x"(sums[4]), "+x"(sums[5]));
        asm volatile("" : "+x"(sums[6]), "+x"(sums[7]), "+x"(sums[8]), "+x"(sums[9]), "+x"(sums[10]), "+x"(sums[11]));
    }
}

void bytes(int64_t rounds) {
    __m512i sums[SUMS], a = _mm512_set1_epi32(0x01010101);
    for (auto& sum : sums) sum = _mm512_set1_epi32(1);
    for (int64_t i = 0; i < rounds; i++) {
        asm volatile("" : "+x"(a));
        for (auto& sum : sums) sum = _mm512_dpbusd_epi32(sum, a, a);
        asm volatile("" : "+x"(sums[0]), "+x"(sums[1]), "+x"(sums[2]), "+x"(sums[3]), "+x"(sums[4]), "+x"(sums[5]));
        asm volatile("" : "+x"(sums[6]), "+x"(sums[7]), "+x"(sums[8]), "+x"(sums[9]), "+x"(sums[10]), "+x"(sums[11]));
    }
}
constexpr int HALVES = 64, BYTES = 128;
#else  // products of such weights are products of floats
inline void halves(int64_t rounds) { floats(rounds); }
inline void bytes(int64_t rounds) { floats(rounds); }
constexpr int HALVES = 2 * sizeof(Floats) / 4, BYTES = HALVES;
#endif
}  // namespace

// A multiplication and an addition are two operations. kind: 0 float32, 1 bfloat16, 2 int8.
extern "C" double operations_a_second(int kind, int threads) {
    const int64_t rounds = 20'000'000;
    const double width = kind == 0 ? 2 * sizeof(Floats) / 4 : kind == 1 ? HALVES : BYTES;
    const double took = seconds(threads, [=] { kind == 0 ? floats(rounds) : kind == 1 ? halves(rounds) : bytes(rounds); });
    return threads * double(rounds) * SUMS * width / took;
}
