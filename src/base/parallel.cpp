#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nasm_build {

namespace {

/// What the threads share: the next index, and the exception of the lowest one.
class Work {
public:
    Work(std::size_t count, const std::function<void(std::size_t)>& work) : count_(count), work_(work) {}

    void run() noexcept {
        for (std::size_t index = next_++; index < count_; index = next_++) {
            try {
                work_(index);
            } catch (...) {
                keep(index, std::current_exception());
            }
        }
    }

    void finish() const {
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }

private:
    void keep(std::size_t index, std::exception_ptr failure) noexcept {
        const std::lock_guard lock(mutex_);
        if (!failure_ || index < failed_) {
            failed_ = index;
            failure_ = std::move(failure);
        }
        next_ = count_;
    }

    std::size_t count_;
    const std::function<void(std::size_t)>& work_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;
    std::size_t failed_ = 0;
    std::exception_ptr failure_;
};

}  // namespace

void for_each_index(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work) {
    const std::size_t processors = std::max(1U, threads != 0 ? threads : std::thread::hardware_concurrency());
    Work shared(count, work);
    std::vector<std::thread> others;
    for (std::size_t number = 1; number < std::min(processors, count); ++number) {
        try {
            others.emplace_back([&shared] { shared.run(); });
        } catch (const std::system_error&) {
            break;  // the system gives no more threads: those that there are do the work
        }
    }
    shared.run();
    for (std::thread& other : others) {
        other.join();
    }
    shared.finish();
}

}  // namespace nasm_build
