// What a step keeps between products: rows of floats, and the inputs of a list of tokens in the forms that matrices want.
#pragma once
#include <vector>
#include "matrix.h"
#include "threads.h"

using Vec = std::vector<float>;

// Rows [count][width] with room for whole panels behind each.
struct Rows {
    Vec data; std::vector<float*> at; int width = 0;
    void shape(int count, int w) {
        width = (w + PANEL - 1) / PANEL * PANEL;
        if (data.size() < size_t(count) * width) data.resize(size_t(count) * width);
        lay(data.data(), count);
    }
    // In memory that somebody else owns, where the width leaves no rest.
    void shape_in(float* memory, int count, int w) { width = w; lay(memory, count); }
    float* operator[](int i) { return at[i]; }
    float* const* ptrs() { return at.data(); }
private:
    void lay(float* memory, int count) {
        at.resize(count);
        for (int i = 0; i < count; i++) at[i] = memory + size_t(i) * width;
    }
};

// Rows of floats once more, rounded as the state's rows are.
struct Rounded {
    std::vector<uint16_t> data; int width = 0;
    void shape(int count, int w) {
        width = w;
        if (data.size() < size_t(count) * w) data.resize(size_t(count) * w);
    }
    // Takes over `count` elements of row `i` from `at` on, where rows of type T are rounded.
    template <class T> void take(const float* from, int count, int i, int at) {
        if constexpr (sizeof(T) == 2) for (int j = 0; j < count; j++) put(&data[size_t(i) * width + at + j], from[j]);
    }
    template <class T> const T* of(Rows& rows, int i) const {
        if constexpr (sizeof(T) == 2) return &data[size_t(i) * width];
        else return rows[i];
    }
};

// The inputs of a list of tokens, made once for each kind of matrix that wants them.
class Forms {
public:
    void begin(const float* const* rows, int width, int count) {
        rows_ = rows; width_ = width; count_ = count;
        for (bool& has : has_) has = false;
    }
    const Input* of(const Matrix& m, Threads& threads) {
        auto& made = made_[m.kind];
        if (has_[m.kind]) return made.data();
        has_[m.kind] = true;
        made.resize(count_);
        const size_t groups = m.group ? m.in / m.group : 0;
        words_[m.kind].resize(size_t(count_) * m.in); scale_[m.kind].resize(count_ * groups); sum_[m.kind].resize(count_ * groups);
        if (width_ < m.in) padded_[m.kind].resize(size_t(count_) * m.in);
        auto one = [&](int i) {
            made[i] = prepare(m, rows_[i], width_, {words_[m.kind].data() + size_t(i) * m.in,
                scale_[m.kind].data() + i * groups, sum_[m.kind].data() + i * groups, width_ < m.in ? padded_[m.kind].data() + size_t(i) * m.in : nullptr});
        };
        if (m.kind == F32 || count_ < 4) for (int i = 0; i < count_; i++) one(i);
        else threads.run(count_, one);
        return made.data();
    }
private:
    const float* const* rows_ = nullptr;
    int width_ = 0, count_ = 0;
    bool has_[5] = {};
    std::vector<Input> made_[5];
    std::vector<uint32_t> words_[5];
    std::vector<int32_t> sum_[5];
    Vec scale_[5], padded_[5];
};
