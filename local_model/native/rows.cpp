// Rows of an Engram table on disk: the ones wanted last are kept, the others read past the system's cache, hundreds at a time.
// As RowsOnDisk of local_model/engram_rows.py, which is the reference. Source: io_setup(2), io_submit(2), io_getevents(2).
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

constexpr int AT_ONCE = 512;   // reads that are under way at a time
constexpr int AWAITED = 128;   // of them, how many are waited for
constexpr int WAYS = 8;        // rows that a set has room for
constexpr int SCALE_BLOCK = 32, SCALE_MOST = 246;
constexpr uint64_t NAN_OF_EIGHT = 0x7F7F7F7F7F7F7F7F, ONE_OF_EIGHT = 0x0101010101010101;

static inline int64_t up(int64_t bytes, int64_t block) { return (bytes + block - 1) / block * block; }

// At most `capacity` rows, in sets. A row's set follows from its number; the row of it that was wanted least lately makes
// room, unless it is wanted now.
class Hot {
public:
    Hot(int64_t capacity, int size)
        : size_(size), ways_(int(std::min<int64_t>(WAYS, capacity))), sets_(capacity >= WAYS ? capacity / WAYS : std::min<int64_t>(1, capacity)),
          numbers_(sets_ * ways_, -1), wanted_(sets_ * ways_, 0), rows_(sets_ * ways_ * size) {}
    int64_t bytes() const { return int64_t(rows_.size()) + int64_t(numbers_.size()) * 16; }
    int64_t capacity() const { return int64_t(numbers_.size()); }
    void begin() { now_++; }
    const uint8_t* find(int64_t number) {
        if (!sets_) return nullptr;
        const int64_t first = int64_t(uint64_t(number) % uint64_t(sets_)) * ways_;
        for (int64_t slot = first; slot < first + ways_; slot++) {
            if (numbers_[slot] == number) { wanted_[slot] = now_; return &rows_[slot * size_]; }
        }
        return nullptr;
    }
    void keep(int64_t number, const uint8_t* row) {
        if (!sets_) return;
        const int64_t first = int64_t(uint64_t(number) % uint64_t(sets_)) * ways_;
        const int64_t slot = std::min_element(&wanted_[first], &wanted_[first] + ways_) - wanted_.data();
        if (wanted_[slot] == now_) return;
        numbers_[slot] = number; wanted_[slot] = now_;
        std::memcpy(&rows_[slot * size_], row, size_);
    }
private:
    const int size_, ways_;
    const int64_t sets_;
    std::vector<int64_t> numbers_, wanted_;
    std::vector<uint8_t> rows_;
    int64_t now_ = 0;
};

// A file opened for direct reads of `size` bytes, and a slot of memory for each of them that is under way.
class Reads {
public:
    explicit Reads(int size) : size_(size) {}
    ~Reads() {
        if (context_) syscall(SYS_io_destroy, context_);
        if (file_ >= 0) close(file_);
        std::free(memory_);
    }
    // 0, or why the system, or where the file lies, has no such reads.
    int open_at(const char* path) {
        file_ = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
        if (file_ < 0) return errno;
        if (int code = find_block()) return code;
        slot_ = up(size_ + block_ - 1, block_);
        memory_ = static_cast<uint8_t*>(std::aligned_alloc(4096, up(slot_ * AT_ONCE, 4096)));
        if (!memory_) return ENOMEM;
        for (int i = 0; i < AT_ONCE; i++) idle_[i] = i;
        return syscall(SYS_io_setup, AT_ONCE, &context_) < 0 ? errno : 0;
    }
    int64_t bytes() const { return slot_ * AT_ONCE; }
    int under_way() const { return AT_ONCE - idle_count_; }
    bool is_full() const { return !idle_count_; }
    // To be read from byte `at` on, by the next `send`; the slot that it comes into.
    int add(int64_t at) {
        const int slot = idle_[--idle_count_];
        iocb& request = requests_[slot];
        inside_[slot] = at % block_;
        request = {};
        request.aio_data = slot;
        request.aio_lio_opcode = IOCB_CMD_PREAD;
        request.aio_fildes = file_;
        request.aio_buf = reinterpret_cast<uint64_t>(memory_ + slot * slot_);
        request.aio_nbytes = up(inside_[slot] + size_, block_);
        request.aio_offset = at - inside_[slot];
        pending_[pending_count_++] = &request;
        return slot;
    }
    // Hand over what was added, as much of it as the system takes; false where it takes none although nothing is under way.
    bool send() {
        int sent = 0;
        while (sent < pending_count_) {
            const long taken = syscall(SYS_io_submit, context_, long(pending_count_ - sent), pending_ + sent);
            if (taken > 0) sent += int(taken);
            else if (errno != EINTR) break;
        }
        std::copy(pending_ + sent, pending_ + pending_count_, pending_);
        pending_count_ -= sent;
        return under_way() > pending_count_;
    }
    // Forget what could not be handed over.
    void give_up() {
        while (pending_count_) idle_[idle_count_++] = int(pending_[--pending_count_]->aio_data);
    }
    // Waits for some of what was handed over; calls take(slot, the row's bytes, or null where they are not all there).
    template <class F> void receive(const F& take) {
        const long handed = under_way() - pending_count_;
        long came = 0;
        do came = syscall(SYS_io_getevents, context_, std::min<long>(handed, AWAITED), handed, events_, nullptr);
        while (came < 0 && errno == EINTR);
        for (long i = 0; i < came; i++) {
            const int slot = int(events_[i].data);
            const bool is_whole = events_[i].res >= inside_[slot] + size_;
            take(slot, is_whole ? memory_ + slot * slot_ + inside_[slot] : nullptr);
            idle_[idle_count_++] = slot;
        }
    }
private:
    // What direct reads of the file begin and end at a multiple of.
    int find_block() {
        alignas(4096) static thread_local uint8_t page[4096];
        for (int64_t block : {512, 4096}) {
            if (pread(file_, page, block, 0) >= 0) { block_ = block; return 0; }
            if (errno != EINVAL) return errno;
        }
        return EINVAL;
    }
    const int size_;
    int file_ = -1, idle_count_ = AT_ONCE, pending_count_ = 0;
    int64_t block_ = 0, slot_ = 0;
    uint8_t* memory_ = nullptr;
    aio_context_t context_ = 0;
    int idle_[AT_ONCE];
    int64_t inside_[AT_ONCE];
    iocb requests_[AT_ONCE];
    iocb* pending_[AT_ONCE];
    io_event events_[AT_ONCE];
};

// One thread asks.
class RowFile {
public:
    RowFile(int64_t header, int width, int64_t cache_rows)
        : hits(0), misses(0), hot(cache_rows, width + width / SCALE_BLOCK), reads(width + width / SCALE_BLOCK),
          header_(header), width_(width), size_(width + width / SCALE_BLOCK) {}
    int64_t hits, misses;
    Hot hot;
    Reads reads;
    // Rows `numbers` [count], one behind the other into `out`; false where one cannot be read, or holds no numbers.
    bool fetch(const int64_t* numbers, int64_t count, uint8_t* out) {
        order_.resize(count);
        missing_.resize(count);
        for (int64_t i = 0; i < count; i++) order_[i] = {numbers[i], i};
        std::sort(order_.begin(), order_.end());
        hot.begin();
        size_t left = 0;
        for (int64_t first = 0, last; first < count; first = last) {
            for (last = first + 1; last < count && order_[last].first == order_[first].first;) last++;
            if (const uint8_t* row = hot.find(order_[first].first)) { spread(row, {first, last}, out); hits++; }
            else { missing_[left++] = {first, last}; misses++; }
        }
        return read(left, out);
    }
private:
    using Range = std::pair<int64_t, int64_t>;  // of order_: the places of one row
    bool read(size_t count, uint8_t* out) {
        bool is_well = true;
        for (size_t next = 0; (is_well && next < count) || reads.under_way();) {
            for (; is_well && next < count && !reads.is_full(); next++) {
                const Range range = missing_[next];
                coming_[reads.add(header_ + order_[range.first].first * size_)] = range;
            }
            if (!reads.send()) is_well = false;
            if (!is_well) reads.give_up();
            if (!reads.under_way()) break;
            reads.receive([&](int slot, const uint8_t* row) {
                if (!row || !is_number(row)) { is_well = false; return; }
                spread(row, coming_[slot], out);
                hot.keep(order_[coming_[slot].first].first, row);
            });
        }
        return is_well;
    }
    void spread(const uint8_t* row, Range range, uint8_t* out) const {
        for (int64_t i = range.first; i < range.second; i++) std::memcpy(out + order_[i].second * size_, row, size_);
    }
    // Whether float32 can say all of a row: no element is NaN, no scale beyond it.
    bool is_number(const uint8_t* row) const {
        uint64_t wrong = 0;
        for (int i = 0; i < width_; i += 8) {
            uint64_t eight;
            std::memcpy(&eight, row + i, 8);
            wrong |= ((eight & NAN_OF_EIGHT) + ONE_OF_EIGHT) & ~NAN_OF_EIGHT;
        }
        for (int i = width_; i < size_; i++) wrong |= row[i] > SCALE_MOST;
        return !wrong;
    }
    const int64_t header_;
    const int width_, size_;
    std::vector<std::pair<int64_t, int64_t>> order_;  // row, place
    std::vector<Range> missing_;
    Range coming_[AT_ONCE];
};

extern "C" {
void* rows_open(const char* path, int64_t header, int32_t width, int64_t cache_rows, int32_t* error) {
    try {
        auto rows = std::make_unique<RowFile>(header, width, cache_rows);
        *error = rows->reads.open_at(path);
        return *error ? nullptr : rows.release();
    } catch (const std::bad_alloc&) { *error = ENOMEM; return nullptr; }
}
void rows_close(void* rows) { delete static_cast<RowFile*>(rows); }
// 0; 1 where the reference must say what is wrong with a row; ENOMEM.
int rows_fetch(void* rows, const int64_t* numbers, int64_t count, uint8_t* out) {
    try { return static_cast<RowFile*>(rows)->fetch(numbers, count, out) ? 0 : 1; }
    catch (const std::bad_alloc&) { return ENOMEM; }
}
// Rows found kept, rows read, rows that there is room for, bytes that they take, bytes to read into.
void rows_told(const void* rows, int64_t* told) {
    auto& file = *static_cast<const RowFile*>(rows);
    told[0] = file.hits; told[1] = file.misses; told[2] = file.hot.capacity(); told[3] = file.hot.bytes(); told[4] = file.reads.bytes();
}
}
#else
extern "C" {
void* rows_open(const char*, int64_t, int32_t, int64_t, int32_t* error) { *error = ENOSYS; return nullptr; }
void rows_close(void*) {}
int rows_fetch(void*, const int64_t*, int64_t, uint8_t*) { return 1; }
void rows_told(const void*, int64_t*) {}
}
#endif
