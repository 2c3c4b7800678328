#include "inspect/rules/pages.hpp"

#include <algorithm>
#include <array>

namespace nasm_build::inspect {

namespace {

struct Page {
    std::string_view id;
    std::string_view text;
};

constexpr auto pages = std::to_array<Page>({
#include "rule_pages.inc"
});

}  // namespace

std::string_view rule_page(std::string_view id) noexcept {
    const auto found = std::find_if(pages.begin(), pages.end(), [&](const Page& page) { return page.id == id; });
    return found == pages.end() ? std::string_view{} : found->text;
}

}  // namespace nasm_build::inspect
