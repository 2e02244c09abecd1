// A few threads that wait for work: they spin a little, then sleep, since a gateway lives beside them.
#pragma once
#include <atomic>
#include <memory>
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
    explicit Threads(int count) : count_of_threads_(count), ranges_(new Range[count]) {
        for (int i = 1; i < count; i++) workers_.emplace_back([this, i] { work(i); });
    }
    ~Threads() {
        stop_ = true;
        round_.fetch_add(1);
        round_.notify_all();
        for (auto& worker : workers_) worker.join();
    }
    int count() const { return count_of_threads_; }
    // Calls job(i), or job(i, thread) with thread < count(), for i < count, on any thread; returns when all are done. Throws
    // bad_alloc if any of them did. Each thread begins with its own share, the same in every call, so that what it wrote lies
    // in its cache; then it helps the others.
    template <class F> void run(int count, const F& job) {
        call_ = [](const void* f, int i, int thread) {
            if constexpr (std::is_invocable_v<F, int, int>) (*static_cast<const F*>(f))(i, thread);
            else (*static_cast<const F*>(f))(i);
        };
        if (count <= 1 || workers_.empty()) { for (int i = 0; i < count; i++) call_(&job, i, 0); return; }
        job_ = &job;
        busy_.store(int(workers_.size()), std::memory_order_relaxed);
        for (int t = 0; t < count_of_threads_; t++) {
            ranges_[t].end = int(int64_t(count) * (t + 1) / count_of_threads_);
            ranges_[t].next.store(int(int64_t(count) * t / count_of_threads_), std::memory_order_relaxed);
        }
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
            for (int t = 0; t < count_of_threads_; t++) {
                Range& range = ranges_[(thread + t) % count_of_threads_];
                for (int i; (i = range.next.fetch_add(1, std::memory_order_relaxed)) < range.end;) call_(job_, i, thread);
            }
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
    struct alignas(64) Range { std::atomic<int> next{0}; int end = 0; };
    const int count_of_threads_;
    const std::unique_ptr<Range[]> ranges_;
    std::vector<std::thread> workers_;
    std::atomic<unsigned> round_{0};
    std::atomic<int> busy_{0}, asleep_{0};
    std::atomic<bool> stop_{false}, failed_{false};
    void (*call_)(const void*, int, int) = nullptr;
    const void* job_ = nullptr;
};
