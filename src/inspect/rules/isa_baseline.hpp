// Which instruction sets a module may use without asking: those of every processor that its platform runs on.
#pragma once

#include "inspect/code/features.hpp"
#include "inspect/expectations.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

[[nodiscard]] code::FeatureSet baseline_of(const Image& image, const Expectations& expected);

}  // namespace nasm_build::inspect
