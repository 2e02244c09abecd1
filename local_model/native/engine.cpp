// A pass of DeepSeek V4 over new tokens of a list of sequences, from token ids to logits, without returning to Python.
// The tokens of all sequences lie one behind the other; each is worked on by itself but for what they read together, the
// weights, and so gets the same bits whatever comes with it: other sequences, or more tokens of its own.
// The formulas are those of the torch reference beside this folder, in float32; weights, and the state's rows, lie as
// they are given. Nothing here allocates a sequence's memory: Python owns it and has made room before each call.
#include "engine.h"
#include <cstdio>
#include <memory>
#include <new>
#include "buffers.h"
#include "operations.h"

namespace {

struct Work { const Matrix* m; int first, last; const Input* x; float* const* y; int count; };

struct NoRows : std::exception {};

class Engine {
public:
    Engine(const ModelD& model, int threads) : w_(model), d_(model.dims), threads_(threads) {}

    void pass(const SequenceD* seqs, const int64_t* ids, int count, float* logits, RowsOf rows_of) {
        rows_of_ = rows_of;
        if (d_.is_half) run<uint16_t>(seqs, ids, count, logits);
        else run<float>(seqs, ids, count, logits);
    }

    // The sum of n floats, by the same threads and in pieces of the same size as a product's, four places at once.
    double read(const float* p, int64_t n) {
        const int64_t piece = JOB_BYTES / 4, part = piece / 4;
        std::vector<double> sums((n + piece - 1) / piece);
        threads_.run(int(sums.size()), [&](int job) {
            v16 s[8] = {};
            const float* at = p + job * piece;
            const int64_t here = std::min(n - job * piece, piece);
            float rest = 0;
            if (here == piece)
                for (int64_t i = 0; i < part; i += 32)
                    for (int j = 0; j < 4; j++)
                        for (int half = 0; half < 2; half++) s[2 * j + half] += load(at + j * part + i + 16 * half);
            else
                for (int64_t i = 0; i < here; i++) rest += at[i];
            for (int j = 1; j < 8; j++) s[0] += s[j];
            sums[job] = sum(s[0]) + rest;
        });
        double all = 0;
        for (double each : sums) all += each;
        return all;
    }

private:
    struct Scoring { int from, until; int64_t page; };
    struct Paging { std::vector<uint8_t> page; std::vector<Input> inputs; Rows said; };

    template <class T> void run(const SequenceD* seqs, const int64_t* ids, int count, float* logits) {
        seqs_ = seqs; ids_ = ids;
        tokens_.clear(); wanted_.clear(); work_.clear();
        for (int i = 0; i < count; i++)
            for (int j = 0; j < seqs[i].tokens; j++) {
                if (j >= seqs[i].tokens - seqs[i].wanted) wanted_.push_back(int(tokens_.size()));
                tokens_.push_back({i, seqs[i].length + j});
            }
        n_ = int(tokens_.size());
        const int wide = d_.streams * d_.hidden;
        streams_.shape(n_, wide); next_.shape(n_, wide); x_.shape(n_, d_.hidden); normed_.shape(n_, d_.hidden);
        post_.resize(n_ * d_.streams); mix_.resize(n_ * d_.streams * d_.streams);
        for (int b = 0; b < n_; b++)
            for (int s = 0; s < d_.streams; s++)
                for (int i = 0; i < d_.hidden; i++)
                    streams_[b][s * d_.hidden + i] = get((const T*)w_.embed + ids[b] * d_.hidden + i);
        for (int l = 0; l < d_.layers; l++) {
            const LayerD& layer = w_.layers[l];
            if (layer.engram.wkv.data) remember(layer.engram, l);
            narrow(layer.attn_hc, layer.attn_norm);
            attention<T>(layer, l);
            widen();
            narrow(layer.ffn_hc, layer.ffn_norm);
            experts(layer);
            widen();
        }
        if (!wanted_.empty()) head(logits);
    }

    // ---- Engram
    void remember(const EngramD& engram, int l) {
        const uint8_t* packed = rows_of_(l);
        if (!packed) throw NoRows();
        const int n = d_.streams, width = d_.hidden, columns = engram.columns, bytes = engram.width + engram.width / 32;
        recalled_.shape(n_, columns * engram.width);
        threads_.run(n_, [&](int b) {
            for (int i = 0; i < columns; i++)
                unpack_row(packed + (size_t(b) * columns + i) * bytes, engram.width, recalled_[b] + i * engram.width);
        });
        forms_.begin(recalled_.ptrs(), columns * engram.width, n_);
        product(engram.wkv, said_);
        finish();
        threads_.run(n_, [&](int b) {
            const float* value = said_[b] + n * width;
            for (int s = 0; s < n; s++) {
                float* h = streams_[b] + s * width;
                const float gate = engram_gate(h, said_[b] + s * width, engram.weight + s * width, width, d_.norm_eps);
                for (int i = 0; i < width; i++) h[i] += gate * value[i];
            }
        });
    }

    // ---- hyper-connections
    void mixed(const HyperD& hc, int rows) {
        const int wide = d_.streams * d_.hidden;
        mixed_.shape(n_, rows);
        const int across = (n_ + 3) / 4;
        threads_.run((rows + 3) / 4 * across, [&](int job) {
            const int first = job / across * 4, token = job % across * 4;
            const float *a[4], *x[4];
            for (int i = 0; i < 4; i++) {
                a[i] = hc.fn + size_t(std::min(first + i, rows - 1)) * wide;
                x[i] = streams_[std::min(token + i, n_ - 1)];
            }
            const v16 made = dots<4, 4>(a, x, wide);
            for (int i = 0; i < std::min(4, rows - first); i++)
                for (int b = 0; b < std::min(4, n_ - token); b++) mixed_[token + b][first + i] = made[i * 4 + b];
        });
    }

    float size_of(int b) {
        const int wide = d_.streams * d_.hidden;
        return 1 / std::sqrt(dot(streams_[b], streams_[b], wide) / wide + d_.norm_eps);
    }

    void collapse(int b, const float* pre, float* out) {
        const int n = d_.streams, width = d_.hidden;
        const float* from = streams_[b];
        if (n == 4) {
            for (int i = 0; i < width; i++)
                out[i] = pre[0] * from[i] + pre[1] * from[width + i] + pre[2] * from[2 * width + i] + pre[3] * from[3 * width + i];
            return;
        }
        for (int i = 0; i < width; i++) out[i] = pre[0] * from[i];
        for (int s = 1; s < n; s++)
            for (int i = 0; i < width; i++) out[i] += pre[s] * from[s * width + i];
    }

    void narrow(const HyperD& hc, const float* norm) {
        const int n = d_.streams;
        mixed(hc, (2 + n) * n);
        threads_.run(n_, [&](int b) {
            const float r = size_of(b);
            float* m = mixed_[b];
            for (int i = 0; i < (2 + n) * n; i++) m[i] *= r;
            float pre[MOST_STREAMS];
            for (int i = 0; i < n; i++) pre[i] = sigmoid(m[i] * hc.scale[0] + hc.base[i]) + d_.hc_eps;
            for (int i = 0; i < n; i++) post_[b * n + i] = 2 * sigmoid(m[n + i] * hc.scale[1] + hc.base[n + i]);
            (n == 4 ? sinkhorn_of_four(m + 2 * n, hc.base + 2 * n, hc.scale[2], d_.hc_eps, d_.sinkhorn, &mix_[b * n * n])
                    : sinkhorn_any(m + 2 * n, hc.base + 2 * n, hc.scale[2], d_.hc_eps, d_.sinkhorn, n, &mix_[b * n * n]));
            collapse(b, pre, x_[b]);
            rms(x_[b], norm, d_.hidden, d_.norm_eps, normed_[b]);
        });
        forms_.begin(normed_.ptrs(), d_.hidden, n_);
    }

    void widen() {  // the sub-layer's output is in x_
        const int n = d_.streams, width = d_.hidden;
        threads_.run(n_, [&](int b) {
            const float *post = &post_[b * n], *mix = &mix_[b * n * n], *x = x_[b], *from = streams_[b];
            for (int k = 0; k < n; k++) {
                float* out = next_[b] + k * width;
                if (n == 4) {
                    const float p = post[k], c[4] = {mix[k], mix[4 + k], mix[8 + k], mix[12 + k]};
                    for (int i = 0; i < width; i++)
                        out[i] = p * x[i] + c[0] * from[i] + c[1] * from[width + i] + c[2] * from[2 * width + i] + c[3] * from[3 * width + i];
                    continue;
                }
                for (int i = 0; i < width; i++) out[i] = post[k] * x[i];
                for (int j = 0; j < n; j++)
                    for (int i = 0; i < width; i++) out[i] += mix[j * n + k] * from[j * width + i];
            }
        });
        std::swap(streams_, next_);
    }

    // ---- matrix products
    void add(const Matrix& m, const Input* x, float* const* y, int count) {
        const int step = int(std::max<int64_t>(TOGETHER, JOB_BYTES / panel_bytes(m) / TOGETHER * TOGETHER));
        for (int p = 0; p < m.panels(); p += step)
            work_.push_back({&m, p, std::min(p + step, m.panels()), x, y, count});
    }
    void product(const Matrix& m, Rows& out) {
        out.shape(n_, m.out);
        add(m, forms_.of(m, threads_), out.ptrs(), n_);
    }
    void finish() {
        threads_.run(int(work_.size()), [&](int i) {
            const Work& w = work_[i];
            multiply(*w.m, w.first, w.last, w.x, w.y, w.count);
        });
        work_.clear();
    }

    // ---- attention
    template <class T> void attention(const LayerD& layer, int l) {
        const bool compressed = layer.kind != WINDOW, sparse = layer.kind == CSA;
        const int d = d_.head_dim;
        // Of few tokens, the heads are shared out as well, two by two.
        const int shares = n_ >= 2 * threads_.count() ? 1 : std::min((d_.heads + 1) / 2, 3 * threads_.count());
        product(layer.wq_a, latent_); product(layer.wkv, row_);
        if (compressed) { product(layer.compressor.wkv, values_); product(layer.compressor.wgate, gates_); }
        if (sparse) {
            product(layer.index_compressor.wkv, ivalues_); product(layer.index_compressor.wgate, igates_);
            product(layer.index_weights, iweights_);
        }
        finish();
        turn_.shape(n_, d_.rope);
        closings_.clear();
        for (int b = 0; b < n_; b++) {
            if (compressed && (tokens_[b].at + 1) % layer.compressor.ratio == 0) closings_.push_back({b, false});
            if (sparse && (tokens_[b].at + 1) % layer.index_compressor.ratio == 0) closings_.push_back({b, true});
        }
        threads_.run(n_, [&](int b) {
            const LayerStateD& s = state(b, l);
            const int64_t at = tokens_[b].at;
            turns(layer.frequencies, d_.rope, at, turn_[b]);
            rms(latent_[b], layer.q_norm, d_.q_rank, d_.norm_eps, latent_[b]);
            rms(row_[b], layer.kv_norm, d, d_.norm_eps, row_[b]);
            rotate(row_[b], d, d_.rope, turn_[b], 1);
            T* into = (T*)s.window + (at - s.window_base) * d;
            for (int i = 0; i < d; i++) put(into + i, row_[b][i]);
            if (compressed) keep(layer.compressor, values_[b], gates_[b], (T*)s.tail, at - s.tail_base);
            if (sparse) keep(layer.index_compressor, ivalues_[b], igates_[b], (T*)s.index_tail, at - s.index_tail_base);
        });
        threads_.run(int(closings_.size()), [&](int job) {
            const auto [b, is_index] = closings_[job];
            const LayerStateD& s = state(b, l);
            if (is_index) fold(layer.index_compressor, layer.frequencies, (const T*)s.index_tail, s.index_tail_base, (T* const*)s.index_pages, tokens_[b].at);
            else fold(layer.compressor, layer.frequencies, (const T*)s.tail, s.tail_base, (T* const*)s.pages, tokens_[b].at);
        });
        forms_.begin(latent_.ptrs(), d_.q_rank, n_);
        product(layer.wq_b, queries_);
        if (sparse) product(layer.index_wq_b, iqueries_);
        finish();
        rounded_.shape(n_, d_.heads * d);
        threads_.run(n_ * shares, [&](int job) {
            const int b = job / shares;
            const int from = first_head(job % shares, shares), until = first_head(job % shares + 1, shares);
            for (int h = from; h < until; h++) {
                float* q = queries_[b] + h * d;
                rms(q, nullptr, d, d_.norm_eps, q);
                rotate(q, d, d_.rope, turn_[b], 1);
            }
            rounded_.take<T>(queries_[b] + from * d, (until - from) * d, b, from * d);
        });
        if (sparse) choose<T>(layer, l);
        out_.shape(n_, d_.heads * d);
        scores_.resize(threads_.count());
        for (int first = 0, last; first < n_; first = last) {
            last = first + group(first, [&](int b) { return rows_seen(layer, b); });
            rows_.resize(std::max(rows_.size(), size_t(last - first)));
            threads_.run(last - first, [&](int i) { collect<T>(layer, l, first + i, rows_[i]); });
            threads_.run((last - first) * shares, [&](int job, int worker) {
                const int share = job % shares, b = first + job / shares;
                attend<T>(layer.sinks, b, first_head(share, shares), first_head(share + 1, shares), rows_[b - first], scores_[worker]);
            });
        }
        const int part = d_.heads * d / d_.groups;
        low_.shape(n_, d_.groups * d_.o_rank);
        parts_.resize(d_.groups); ptrs_.resize(d_.groups); lows_.resize(d_.groups);
        for (int g = 0; g < d_.groups; g++) {
            ptrs_[g].resize(n_);
            for (int b = 0; b < n_; b++) ptrs_[g][b] = out_[b] + g * part;
            parts_[g].begin(ptrs_[g].data(), part, n_);
            lows_[g].shape(n_, d_.o_rank);
            add(layer.wo_a[g], parts_[g].of(layer.wo_a[g], threads_), lows_[g].ptrs(), n_);
        }
        finish();
        for (int b = 0; b < n_; b++)
            for (int g = 0; g < d_.groups; g++) memcpy(low_[b] + g * d_.o_rank, lows_[g][b], d_.o_rank * 4);
        forms_.begin(low_.ptrs(), d_.groups * d_.o_rank, n_);
        product(layer.wo_b, x_);
        finish();
    }

    static int even(int width) { return width + width % 2; }
    int first_head(int share, int shares) const { return std::min(d_.heads, (d_.heads + 1) / 2 * share / shares * 2); }
    const LayerStateD& state(int b, int l) { return seqs_[tokens_[b].sequence].layers[l]; }

    // How many tokens from `first` on fit into what is kept at once, `size` a token; at least one.
    template <class F> int group(int first, const F& size) {
        int64_t all = size(first);
        int last = first + 1;
        while (last < n_ && (all += size(last)) <= ROWS_AT_ONCE) last++;
        return last - first;
    }

    // Keeps what a token gives to its window's row.
    template <class T> void keep(const CompressorD& c, const float* values, const float* gates, T* tail, int64_t at) {
        const int wide = c.overlaps ? 2 * c.head : c.head;
        T* into = tail + at * 2 * wide;
        for (int i = 0; i < wide; i++) { put(into + i, values[i]); put(into + wide + i, gates[i]); }
    }

    // The row of the window that ends at position `at`.
    template <class T> void fold(const CompressorD& c, const float* frequencies, const T* tail, int64_t base, T* const* pages, int64_t at) {
        const int wide = c.overlaps ? 2 * c.head : c.head, halves = c.overlaps ? 2 : 1, width = (c.head + 15) / 16 * 16;
        const int64_t w = at / c.ratio, until = w * c.ratio + c.ratio;
        Vec row(width), turn(d_.rope);
        for (int i = 0; i < c.head; i += 16) {
            const int here = std::min(16, c.head - i);
            auto at_token = [&](int64_t token, bool is_gate) {
                const int half = c.overlaps && token >= w * c.ratio ? c.head : 0;
                const T* p = tail + (token - base) * 2 * wide + (is_gate ? wide : 0) + half + i;
                v16 v = load_some(p, here);
                if (is_gate) v += load_some(c.ape + token % c.ratio * wide + half + i, here);
                return v;
            };
            const int64_t from = std::max<int64_t>(0, w - halves + 1) * c.ratio;
            v16 most = spread(-INFINITY), all{}, out{};
            for (int64_t t = from; t < until; t++) { const v16 gate = at_token(t, true); most = gate > most ? gate : most; }
            for (int64_t t = from; t < until; t++) {
                const v16 e = exp16(at_token(t, true) - most);
                all += e; out += e * at_token(t, false);
            }
            store(&row[i], out / all);
        }
        rms(row.data(), c.norm, c.head, d_.norm_eps, row.data());
        turns(frequencies, d_.rope, w * c.ratio, turn.data());
        rotate(row.data(), c.head, d_.rope, turn.data(), 1);
        T* page = pages[w / PAGE_ROWS] + w % PAGE_ROWS * c.head;
        for (int i = 0; i < c.head; i++) put(page + i, row[i]);
    }

    template <class T> void choose(const LayerD& layer, int l) {
        const int width = d_.index_dim;
        picks_.resize(n_); sorting_.resize(threads_.count()); paging_.resize(threads_.count());
        auto rows_of = [&](int b) { return (tokens_[b].at + 1) / layer.index_compressor.ratio; };
        const float by_head = 1 / std::sqrt(float(d_.index_heads)), by_width = 1 / std::sqrt(float(width));
        irounded_.shape(n_, d_.index_heads * even(width));
        threads_.run(n_, [&](int b) {
            for (int h = 0; h < d_.index_heads; h++) {
                float* q = iqueries_[b] + h * width;
                rotate(q, width, d_.rope, turn_[b], 1);
                irounded_.take<T>(q, width, b, h * even(width));  // an odd width's last half meets a 0
                iweights_[b][h] *= by_head * by_width;
            }
        });
        for (int first = 0, last; first < n_; first = last) {
            last = first + group(first, rows_of);
            iscores_.resize(std::max(iscores_.size(), size_t(last - first)));
            for (int b = first; b < last; b++)
                if (rows_of(b) > d_.index_topk) iscores_[b - first].resize(rows_of(b));
            scorings_.clear();  // a page by some tokens of its sequence
            for (int b = first, until; b < last; b = until) {
                for (until = b + 1; until < std::min(last, b + PAGE_TOKENS) && tokens_[until].sequence == tokens_[b].sequence;) until++;
                if (rows_of(until - 1) > d_.index_topk)
                    for (int64_t p = 0; p * PAGE_ROWS < rows_of(until - 1); p++) scorings_.push_back({b, until, p});
            }
            threads_.run(int(scorings_.size()), [&](int job, int worker) {
                const auto [from, until, p] = scorings_[job];
                const int rows = int(std::min<int64_t>(PAGE_ROWS, rows_of(until - 1) - p * PAGE_ROWS));
                auto& room = paging_[worker];
                room.page.resize(size_t(PAGE_ROWS) * even(width) * sizeof(T));
                const T* const* pages = (const T* const*)state(from, l).index_pages;
                const T* ahead = (p + 1) * PAGE_ROWS < rows_of(until - 1) ? pages[p + 1] : nullptr;
                const Matrix keys = packed(pages[p], rows, width, room.page.data(), ahead);
                for (int b = from; b < until; b++) {
                    const int64_t seen = rows_of(b) - p * PAGE_ROWS;
                    if (rows_of(b) > d_.index_topk && seen > 0)
                        score<T>(keys, int(std::min<int64_t>(rows, seen)), b, room, &iscores_[b - first][p * PAGE_ROWS]);
                }
            });
            threads_.run(last - first, [&](int i, int worker) {
                const int rows = int(rows_of(first + i)), count = std::min(rows, d_.index_topk);
                picks_[first + i].resize(count);
                largest(iscores_[i].data(), rows, count, sorting_[worker], picks_[first + i].data());
            });
        }
    }

    // What the index says of a page's first `rows` to a token.
    template <class T> void score(const Matrix& keys, int rows, int b, Paging& room, float* out) {
        const int heads = d_.index_heads;
        room.inputs.resize(heads); room.said.shape(heads, PAGE_ROWS);
        for (int h = 0; h < heads; h++) {
            const T* query = irounded_.of<T>(iqueries_, b) + h * keys.in;
            room.inputs[h] = {(const float*)query, (const uint32_t*)query, nullptr, nullptr, nullptr};  // as the matrix has it
        }
        multiply(keys, 0, (rows + PANEL - 1) / PANEL, room.inputs.data(), room.said.ptrs(), heads);
        for (int r = 0; r < rows; r += PANEL) {
            v16 total{};
            for (int h = 0; h < heads; h++) {
                const v16 said = load(room.said[h] + r);
                total += (said > 0.f ? said : v16{}) * iweights_[b][h];
            }
            if (rows - r >= PANEL) store(out + r, total);
            else for (int i = 0; i < rows - r; i++) out[r + i] = total[i];
        }
    }

    // How many rows a token sees.
    int64_t rows_seen(const LayerD& layer, int b) {
        const int64_t at = tokens_[b].at, near = std::min<int64_t>(at + 1, d_.window);
        if (layer.kind == WINDOW) return near;
        const int64_t finished = (at + 1) / layer.compressor.ratio;
        return near + (layer.kind == CSA ? std::min<int64_t>(finished, d_.index_topk) : finished);
    }

    // Where they lie: its window's, then the compressed ones.
    template <class T> void collect(const LayerD& layer, int l, int b, std::vector<const void*>& rows) {
        const LayerStateD& s = state(b, l);
        const int64_t at = tokens_[b].at;
        rows.clear();
        for (int64_t i = std::max<int64_t>(0, at - d_.window + 1); i <= at; i++)
            rows.push_back((const T*)s.window + (i - s.window_base) * d_.head_dim);
        auto page = [&](int64_t i) { return ((T* const*)s.pages)[i / PAGE_ROWS] + i % PAGE_ROWS * d_.head_dim; };
        if (layer.kind == CSA) for (int i : picks_[b]) rows.push_back(page(i));
        if (layer.kind == HCA) for (int64_t i = 0; i < (at + 1) / layer.compressor.ratio; i++) rows.push_back(page(i));
    }

    // The heads [first, last) of a token over all rows that it sees; some rows at a time, that stay in the nearest cache.
    template <class T> void attend(const float* sinks, int b, int first, int last, const std::vector<const void*>& seen, Vec& scores) {
        const int d = d_.head_dim, n = int(seen.size()), room = (n + 15) / 16 * 16;
        const int some = std::max(8, int(CACHE_BYTES / (d * sizeof(T))) / 8 * 8);
        const T* const* rows = (const T* const*)seen.data();
        scores.assign(size_t(last - first) * (room + 1), -INFINITY);
        float* sums = scores.data() + size_t(last - first) * room;
        auto of_head = [&](int h) { return scores.data() + size_t(h - first) * room; };
        for (int from = 0; from < n; from += some) {
            const int until = std::min(n, from + some);
            int h = first;
            for (; h + 4 <= last; h += 4) agree<4>(rows, from, until, b, h, of_head(h), room);
            for (; h + 2 <= last; h += 2) agree<2>(rows, from, until, b, h, of_head(h), room);
            if (h < last) agree<1>(rows, from, until, b, h, of_head(h), room);
        }
        for (int h = first; h < last; h++) {
            float* p = of_head(h);
            v16 most = spread(sinks[h]), all{};
            for (int i = 0; i < room; i += 16) { const v16 x = load(p + i); most = x > most ? x : most; }
            float highest = most[0];
            for (int i = 1; i < 16; i++) highest = std::max(highest, most[i]);
            for (int i = 0; i < room; i += 16) {  // what is behind the last row is e^-87
                const v16 e = exp16(load(p + i) - highest);
                store(p + i, e);
                all += e;
            }
            sums[h - first] = std::exp(sinks[h] - highest) + sum(all);
            memset(out_[b] + h * d, 0, d * 4);
        }
        for (int from = 0; from < n; from += some) {
            const int count = std::min(some, n - from);
            int h = first;
            for (; h + 4 <= last; h += 4) add_up<4>(rows + from, of_head(h) + from, room, count, out_[b] + h * d);
            for (; h < last; h++) add_up<1>(rows + from, of_head(h) + from, room, count, out_[b] + h * d);
        }
        for (int h = first; h < last; h++) {
            float* out = out_[b] + h * d;
            for (int i = 0; i < d; i++) out[i] /= sums[h - first];
            rotate(out, d, d_.rope, turn_[b], -1);
        }
    }

    // Scores of rows [from, until) for H heads from `h` on, into `scores` [H][room].
    template <int H, class T> void agree(const T* const* rows, int from, int until, int b, int h, float* scores, int room) {
        constexpr int R = 16 / H;
        const int d = d_.head_dim;
        const float scale = 1 / std::sqrt(float(d));
        const T* q[H];
        for (int i = 0; i < H; i++) q[i] = rounded_.of<T>(queries_, b) + (h + i) * d;
        for (int r = from; r < until; r += R) {
            const T* some[R];
            for (int i = 0; i < R; i++) some[i] = rows[std::min(r + i, until - 1)];
            alignas(64) float made[16];
            store(made, dots<H, R>(q, some, d) * scale);
            const int count = std::min(R, until - r);
            for (int i = 0; i < H; i++) memcpy(scores + i * room + r, made + i * R, count * 4);
        }
    }

    // Adds to the outputs [H][d] of H heads the rows by their weights [H][room].
    template <int H, class T> void add_up(const T* const* rows, const float* weights, int room, int count, float* out) {
        const int d = d_.head_dim;
        int c = 0;
        for (; c + 256 / H <= d; c += 256 / H) weigh<H, 16 / H>(rows, weights, room, count, c, out);
        for (; c + 16 <= d; c += 16) weigh<H, 1>(rows, weights, room, count, c, out);
        for (; c < d; c++)
            for (int h = 0; h < H; h++)
                for (int r = 0; r < count; r++) out[h * d + c] += get(rows[r] + c) * weights[h * room + r];
    }
    template <int H, int PARTS, class T> void weigh(const T* const* rows, const float* weights, int room, int count, int c, float* out) {
        const int d = d_.head_dim;
        v16 s[H][PARTS];
        for (int h = 0; h < H; h++) for (int i = 0; i < PARTS; i++) s[h][i] = load(out + h * d + c + 16 * i);
        for (int r = 0; r < count; r++)
            for (int i = 0; i < PARTS; i++) {
                const v16 row = load(rows[r] + c + 16 * i);
                for (int h = 0; h < H; h++) s[h][i] += row * weights[h * room + r];
            }
        for (int h = 0; h < H; h++) for (int i = 0; i < PARTS; i++) store(out + h * d + c + 16 * i, s[h][i]);
    }

    // ---- experts
    void experts(const LayerD& layer) {
        const int k = d_.per_token, slots = k + 1, size = d_.expert_size;
        product(layer.gate, gate_);
        finish();
        chosen_.resize(n_ * k); weight_.resize(n_ * k);
        for (int b = 0; b < n_; b++) route(layer, b);
        of_expert_.resize(d_.experts + 1);
        for (auto& list : of_expert_) list.clear();
        for (int b = 0; b < n_; b++) {
            for (int j = 0; j < k; j++) of_expert_[chosen_[b * k + j]].push_back(b * slots + j);
            of_expert_[d_.experts].push_back(b * slots + k);
        }
        up_.shape(n_ * slots, size); through_.shape(n_ * slots, size); down_.shape(n_ * slots, d_.hidden);
        gathered_.resize(3 * slots * n_); outs_.resize(3 * slots * n_);
        size_t used = 0;
        auto gather = [&](const Matrix& m, const std::vector<int>& list, const Input* from, int per, Rows& to) {
            Input* x = &gathered_[used]; float** y = &outs_[used];
            for (size_t i = 0; i < list.size(); i++) { x[i] = from[list[i] / per]; y[i] = to[list[i]]; }
            used += list.size();
            add(m, x, y, int(list.size()));
        };
        for (int e = 0; e <= d_.experts; e++) {
            if (of_expert_[e].empty()) continue;
            const Matrix *w1 = layer.experts + e * 3, *w3 = w1 + 1;
            gather(*w1, of_expert_[e], forms_.of(*w1, threads_), slots, through_);
            gather(*w3, of_expert_[e], forms_.of(*w3, threads_), slots, up_);
        }
        finish();
        const v16 limit = spread(d_.limit);
        threads_.run(n_ * slots, [&](int i) {
            float *g = through_[i], *u = up_[i];
            for (int j = 0; j < through_.width; j += 16) {
                v16 a = load(g + j), c = load(u + j);
                a = a > limit ? limit : a;
                c = c > limit ? limit : c; c = c < -limit ? -limit : c;
                store(g + j, a / (exp16(-a) + 1.f) * c);
            }
        });
        inner_.begin(through_.ptrs(), size, n_ * slots);
        for (int e = 0; e <= d_.experts; e++) {
            if (of_expert_[e].empty()) continue;
            const Matrix& w2 = layer.experts[e * 3 + 2];
            gather(w2, of_expert_[e], inner_.of(w2, threads_), 1, down_);
        }
        finish();
        threads_.run(n_, [&](int b) {
            float* out = x_[b];
            memset(out, 0, d_.hidden * 4);
            for (int j = 0; j < k; j++)
                for (int i = 0; i < d_.hidden; i++) out[i] += weight_[b * k + j] * down_[b * slots + j][i];
            for (int i = 0; i < d_.hidden; i++) out[i] += down_[b * slots + k][i];
        });
    }

    void route(const LayerD& layer, int b) {
        const int k = d_.per_token, e = d_.experts;
        float* s = gate_[b];
        int* chosen = &chosen_[b * k];
        for (int i = 0; i < e; i++) s[i] = std::sqrt(s[i] > 20 ? s[i] : std::log1p(std::exp(s[i])));
        if (layer.table) {
            for (int j = 0; j < k; j++) chosen[j] = int(layer.table[ids_[b] * k + j]);
        } else {
            biased_.resize(e);
            for (int i = 0; i < e; i++) biased_[i] = s[i] + layer.bias[i];
            largest(biased_.data(), e, k, ranking_, chosen);
        }
        float all = 1e-20f;
        for (int j = 0; j < k; j++) all += s[chosen[j]];
        for (int j = 0; j < k; j++) weight_[b * k + j] = s[chosen[j]] / all * d_.scaling;
    }

    void head(float* logits) {
        for (size_t i = 0; i < wanted_.size(); i++)
            if (wanted_[i] != int(i)) memcpy(streams_[i], streams_[wanted_[i]], size_t(d_.streams) * d_.hidden * 4);
        n_ = int(wanted_.size());
        mixed(w_.head_hc, d_.streams);
        threads_.run(n_, [&](int b) {
            const float r = size_of(b);
            float pre[MOST_STREAMS];
            for (int i = 0; i < d_.streams; i++)
                pre[i] = sigmoid(mixed_[b][i] * r * w_.head_hc.scale[0] + w_.head_hc.base[i]) + d_.hc_eps;
            collapse(b, pre, x_[b]);
            rms(x_[b], w_.norm, d_.hidden, d_.norm_eps, normed_[b]);
        });
        forms_.begin(normed_.ptrs(), d_.hidden, n_);
        if (d_.vocab % PANEL == 0) {
            logits_.shape_in(logits, n_, d_.vocab);
            add(w_.head, forms_.of(w_.head, threads_), logits_.ptrs(), n_);
            finish();
            return;
        }
        product(w_.head, logits_);
        finish();
        for (int b = 0; b < n_; b++) memcpy(logits + size_t(b) * d_.vocab, logits_[b], size_t(d_.vocab) * 4);
    }

    struct Token { int sequence; int64_t at; };
    struct Closing { int b; bool is_index; };
    static constexpr int64_t JOB_BYTES = 1 << 16, ROWS_AT_ONCE = 1 << 21;
    static constexpr int PAGE_ROWS = 128, TOGETHER = 4, PAGE_TOKENS = 16;
    static constexpr size_t CACHE_BYTES = 1 << 14;
    const ModelD w_;
    const DimsD d_;
    Threads threads_;
    const SequenceD* seqs_ = nullptr;
    const int64_t* ids_ = nullptr;
    RowsOf rows_of_ = nullptr;
    int n_ = 0;  // tokens
    std::vector<Token> tokens_;
    std::vector<int> wanted_;  // those whose logits are asked for
    std::vector<Closing> closings_;
    std::vector<Scoring> scorings_;
    std::vector<Paging> paging_;  // a thread's
    Rows streams_, next_, x_, normed_, mixed_, latent_, row_, values_, gates_, ivalues_, igates_, iweights_, turn_, queries_,
        iqueries_, out_, low_, gate_, up_, through_, down_, logits_, recalled_, said_;
    Rounded rounded_, irounded_;
    std::vector<Rows> lows_;
    Vec post_, mix_, weight_, biased_;
    Forms forms_, inner_;
    std::vector<Forms> parts_;
    std::vector<std::vector<const float*>> ptrs_;
    std::vector<Work> work_;
    std::vector<Vec> iscores_, scores_;
    std::vector<std::vector<int>> picks_, of_expert_;
    std::vector<Sorting> sorting_;
    Sorting ranking_;
    std::vector<std::vector<const void*>> rows_;
    std::vector<int> chosen_;
    std::vector<Input> gathered_;
    std::vector<float*> outs_;
};

}  // namespace

extern "C" {
// Null where memory ran out, or threads.
void* v4_make(const ModelD* model, int threads) {
    try {
        return new Engine(*model, threads);
    } catch (const std::exception&) {
        return nullptr;
    }
}
void v4_free(void* engine) { delete static_cast<Engine*>(engine); }
// x [count][width] times the matrix, without threads, into y [count][panels][16]. 0, or 1 where memory ran out.
int v4_multiply(const Matrix* matrix, const float* x, int width, int count, float* y) {
    try {
        std::vector<const float*> rows(count);
        std::vector<float*> outs(count);
        for (int i = 0; i < count; i++) {
            rows[i] = x + size_t(i) * width;
            outs[i] = y + size_t(i) * matrix->panels() * PANEL;
        }
        Threads none(1);
        Forms forms;
        forms.begin(rows.data(), width, count);
        multiply(*matrix, 0, matrix->panels(), forms.of(*matrix, none), outs.data(), count);
        return 0;
    } catch (const std::bad_alloc&) { return 1; }
}
// What a benchmark times beside a step: how fast the same threads read memory.
double v4_read(void* engine, const float* data, int64_t count) { return static_cast<Engine*>(engine)->read(data, count); }
// `ids` of all sequences, one behind the other; logits of the last `wanted` of each. 0, 1 where memory ran out, or 2 where
// there were no Engram rows: what the sequences hold is then as it was.
int v4_pass(void* engine, const SequenceD* seqs, const int64_t* ids, int count, float* logits, RowsOf rows_of) {
    try { static_cast<Engine*>(engine)->pass(seqs, ids, count, logits, rows_of); return 0; }
    catch (const std::bad_alloc&) { return 1; }
    catch (const NoRows&) { return 2; }
}
}
