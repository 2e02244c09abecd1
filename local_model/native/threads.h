// A few threads that wait for work: they spin a little, then sleep, since a gateway lives beside them.
#pragma once
#include <atomic>
#include <new>
#include <thread>
#include <type_traits>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
static inline void relax() { _mm_pause(); }
#else
static inline void relax() {}
#endif

class Threads {
public:
    explicit Threads(int count) {
        for (int i = 1; i < count; i++) workers_.emplace_back([this, i] { work(i); });
    }
    ~Threads() {
        stop_ = true;
        round_.fetch_add(1);
        round_.notify_all();
        for (auto& worker : workers_) worker.join();
    }
    int count() const { return int(workers_.size()) + 1; }
    // Calls job(i), or job(i, thread) with thread < count(), for i < count, on any thread; returns when all are done. Throws
    // bad_alloc if any of them did.
    template <class F> void run(int count, const F& job) {
        call_ = [](const void* f, int i, int thread) {
            if constexpr (std::is_invocable_v<F, int, int>) (*static_cast<const F*>(f))(i, thread);
            else (*static_cast<const F*>(f))(i);
        };
        if (count <= 1 || workers_.empty()) { for (int i = 0; i < count; i++) call_(&job, i, 0); return; }
        job_ = &job;
        count_ = count;
        busy_.store(int(workers_.size()), std::memory_order_relaxed);
        next_.store(0, std::memory_order_relaxed);
        round_.fetch_add(1, std::memory_order_release);
        if (asleep_.load() > 0) round_.notify_all();
        take(0);
        for (int spins = 0; busy_.load(std::memory_order_acquire); spins++) {
            if (spins < SPINS) relax(); else std::this_thread::yield();
        }
        if (failed_.exchange(false)) throw std::bad_alloc();
    }
private:
    static constexpr int SPINS = 4000;  // some tens of microseconds
    void take(int thread) {
        try {
            for (int i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) call_(job_, i, thread);
        } catch (const std::bad_alloc&) { failed_ = true; }
    }
    void work(int thread) {
        unsigned seen = 0;
        for (;;) {
            int spins = 0;
            while (round_.load(std::memory_order_acquire) == seen) {
                if (++spins < SPINS) { relax(); continue; }
                asleep_.fetch_add(1);
                round_.wait(seen);
                asleep_.fetch_sub(1);
            }
            seen = round_.load(std::memory_order_acquire);
            if (stop_) return;
            take(thread);
            busy_.fetch_sub(1, std::memory_order_release);
        }
    }
    std::vector<std::thread> workers_;
    std::atomic<unsigned> round_{0};
    std::atomic<int> next_{0}, busy_{0}, asleep_{0};
    std::atomic<bool> stop_{false}, failed_{false};
    void (*call_)(const void*, int, int) = nullptr;
    const void* job_ = nullptr;
    int count_ = 0;
};
