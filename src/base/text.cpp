#include "base/text.hpp"

#include <algorithm>

namespace nasm_build {

namespace {

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// What one edit costs, and what it costs to take a letter for the same one in the other case.
struct EditCost {
    std::size_t edit;
    std::size_t case_difference;
};

std::size_t cost_to_replace(char left, char right, EditCost cost) {
    if (left == right) {
        return 0;
    }
    return lower(left) == lower(right) ? cost.case_difference : cost.edit;
}

// Optimal string alignment over three rows of the table; `limit` is in the units of `cost`.
std::size_t distance(std::string_view left, std::string_view right, EditCost cost, std::size_t limit) {
    const std::size_t lengths_differ =
        left.size() > right.size() ? left.size() - right.size() : right.size() - left.size();
    if (lengths_differ * cost.edit > limit) {
        return limit + 1;
    }
    std::vector<std::size_t> before(right.size() + 1);
    std::vector<std::size_t> above(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t column = 0; column <= right.size(); ++column) {
        above[column] = column * cost.edit;
    }
    for (std::size_t line = 1; line <= left.size(); ++line) {
        row[0] = line * cost.edit;
        std::size_t least = row[0];
        for (std::size_t column = 1; column <= right.size(); ++column) {
            std::size_t best = above[column - 1] + cost_to_replace(left[line - 1], right[column - 1], cost);
            best = std::min({best, above[column] + cost.edit, row[column - 1] + cost.edit});
            const bool swapped =
                line > 1 && column > 1 && left[line - 1] == right[column - 2] && left[line - 2] == right[column - 1];
            if (swapped) {
                best = std::min(best, before[column - 2] + cost.edit);
            }
            row[column] = best;
            least = std::min(least, best);
        }
        // A swap reaches over one row, so the row above counts as well.
        if (least > limit && *std::min_element(above.begin(), above.end()) > limit) {
            return limit + 1;
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return std::min(above[right.size()], limit + 1);
}

bool equal_but_for_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char one, char other) { return lower(one) == lower(other); });
}

}  // namespace

std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit) {
    return distance(left, right, {.edit = 1, .case_difference = 1}, limit);
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
    // In half edits, so that a difference of case costs one.
    constexpr EditCost half_edits{.edit = 2, .case_difference = 1};
    const std::size_t limit = half_edits.edit * std::min<std::size_t>(3, name.size() / 3);
    std::string_view best;
    std::size_t best_cost = limit + 1;
    for (const std::string_view candidate : candidates) {
        if (equal_but_for_case(name, candidate)) {
            return candidate;
        }
        const std::size_t cost = distance(name, candidate, half_edits, best_cost - 1);
        if (cost < best_cost) {
            best_cost = cost;
            best = candidate;
        }
    }
    return best;
}

}  // namespace nasm_build
