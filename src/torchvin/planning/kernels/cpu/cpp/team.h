// Threads that share the indices of a loop. Whoever is free takes the next index, so a thread that the machine does not
// run holds nobody up, and nobody spins. Threads live as long as the team, one call: nothing to break when a process
// forks. Results must not depend on who does what.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace torchvin {

class Team {
  public:
    explicit Team(int size) {
        for (int member = 1; member < size; ++member) members_.emplace_back([this, member] { serve(member); });
    }
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    ~Team() {
        {
            std::lock_guard lock(mutex_);
            closing_ = true;
        }
        wake_.notify_all();
        for (auto& member : members_) member.join();
    }

    int size() const { return static_cast<int>(members_.size()) + 1; }

    // Calls task(index, member) for each index below `count`, on any of the members.
    template <class Task> void for_each(int64_t count, const Task& task) {
        if (members_.empty() || count == 1)  // called for each iteration of small maps: no detour
            for (int64_t index = 0; index < count; ++index) task(index, 0);
        else share(count, task);
    }

  private:
    void share(int64_t count, const std::function<void(int64_t, int)>& task) {
        {
            std::lock_guard lock(mutex_);
            task_ = &task;
            count_ = count;
            next_ = 0;
            ++round_;
        }
        wake_.notify_all();
        work(task, count, 0);
        std::unique_lock lock(mutex_);
        task_ = nullptr;  // who has not begun need not
        idle_.wait(lock, [this] { return busy_ == 0; });
    }

    void work(const std::function<void(int64_t, int)>& task, int64_t count, int member) {
        for (int64_t index; (index = next_.fetch_add(1)) < count;) task(index, member);
    }

    void serve(int member) {
        uint64_t seen = 0;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return closing_ || (round_ != seen && task_); });
            if (closing_) return;
            seen = round_;
            const auto* task = task_;
            const int64_t count = count_;
            ++busy_;
            lock.unlock();
            work(*task, count, member);
            lock.lock();
            if (--busy_ == 0) idle_.notify_one();
        }
    }

    std::vector<std::thread> members_;
    std::mutex mutex_;
    std::condition_variable wake_, idle_;
    const std::function<void(int64_t, int)>* task_ = nullptr;
    int64_t count_ = 0;
    std::atomic<int64_t> next_{0};
    uint64_t round_ = 0;
    int busy_ = 0;
    bool closing_ = false;
};

}  // namespace torchvin
