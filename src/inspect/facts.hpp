// What was read of whole files, rules aside: every module of every path, one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "inspect/report/facts.hpp"

namespace nasm_build::inspect {

/// Calls `visit` once for each file, member of a wheel and slice of a fat file, in the order given; what cannot be read is an
/// entry too. One module is in memory at a time. Throws Error as `find_files` does, before the first call.
void for_each_facts(std::span<const std::string> paths, const std::function<void(const FileFacts&)>& visit);

}  // namespace nasm_build::inspect
