// Independent pieces of work on all processors.
#pragma once

#include <cstddef>
#include <functional>

namespace nasm_build {

/// Calls `work` once with each index below `count`, on up to `threads` threads at a time (0: as many as there are
/// processors), in the order of the indices as far as they start. Returns when all are done; the first exception of the
/// lowest index is thrown then, and work that had not started is left out.
void for_each_index(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work);

}  // namespace nasm_build
