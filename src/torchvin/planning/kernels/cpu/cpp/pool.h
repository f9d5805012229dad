// Memory for what is kept for going back, used again by the next call. It is megabytes, and the system's first touch of a
// fresh page costs as much as planning on its cells.
#pragma once

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace torchvin {

class Pool {
  public:
    static Pool& shared() {
        static Pool* pool = new Pool;  // outlives every tensor
        return *pool;
    }

    void* take(size_t bytes) {
        bytes = (bytes + page - 1) / page * page;
        std::lock_guard lock(mutex_);
        for (size_t index = free_.size(); index-- > 0;) {
            if (free_[index].bytes < bytes || free_[index].bytes > 2 * bytes) continue;
            const Block block = free_[index];
            free_.erase(free_.begin() + static_cast<ptrdiff_t>(index));
            free_bytes_ -= block.bytes;
            lent_.push_back(block);
            return block.from;
        }
        void* from = std::aligned_alloc(page, bytes);
        if (!from) throw std::bad_alloc();
#if defined(__linux__)
        if (bytes > 1 << 21) madvise(from, bytes, MADV_HUGEPAGE);
#endif
        lent_.push_back({from, bytes});
        return from;
    }

    void give_back(void* from) {
        std::lock_guard lock(mutex_);
        for (size_t index = 0; index < lent_.size(); ++index)
            if (lent_[index].from == from) {
                free_.push_back(lent_[index]);
                free_bytes_ += lent_[index].bytes;
                lent_.erase(lent_.begin() + static_cast<ptrdiff_t>(index));
                break;
            }
        while (free_bytes_ > most_free) {  // the oldest first
            std::free(free_.front().from);
            free_bytes_ -= free_.front().bytes;
            free_.erase(free_.begin());
        }
    }

  private:
    static constexpr size_t page = 4096, most_free = size_t{128} << 20;
    struct Block {
        void* from;
        size_t bytes;
    };
    std::mutex mutex_;
    std::vector<Block> free_, lent_;
    size_t free_bytes_ = 0;
};

}  // namespace torchvin
