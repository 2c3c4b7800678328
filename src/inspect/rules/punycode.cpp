#include "inspect/rules/punycode.hpp"

#include <algorithm>
#include <cstdint>

namespace nasm_build::inspect {

namespace {

// RFC 3492, section 5.
constexpr std::uint32_t base = 36;
constexpr std::uint32_t least_threshold = 1;
constexpr std::uint32_t greatest_threshold = 26;
constexpr std::uint32_t skew = 38;
constexpr std::uint32_t damp = 700;
constexpr std::uint32_t initial_bias = 72;
constexpr char32_t first_beyond_ascii = 0x80;

// RFC 3629: no overlong form, no surrogate, nothing beyond U+10FFFF.
std::optional<std::u32string> decode_utf8(std::string_view text) {
    std::u32string decoded;
    for (std::size_t place = 0; place < text.size();) {
        const auto lead = static_cast<unsigned char>(text[place]);
        const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || place + length > text.size()) {
            return std::nullopt;
        }
        char32_t letter = length == 1 ? lead : lead & (0x7FU >> length);
        for (std::size_t index = 1; index < length; ++index) {
            const auto next = static_cast<unsigned char>(text[place + index]);
            if ((next & 0xC0U) != 0x80U) {
                return std::nullopt;
            }
            letter = (letter << 6U) | (next & 0x3FU);
        }
        const bool is_overlong = (length == 3 && letter < 0x800) || (length == 4 && letter < 0x10000);
        if (is_overlong || (letter >= 0xD800 && letter <= 0xDFFF) || letter > 0x10FFFF) {
            return std::nullopt;
        }
        decoded.push_back(letter);
        place += length;
    }
    return decoded;
}

char digit(std::uint32_t value) {
    return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26));
}

// Section 6.1. The sums stay far from 2^64 for any name that fits in memory.
std::uint64_t adapt(std::uint64_t delta, std::uint64_t points, bool is_first) {
    delta = is_first ? delta / damp : delta / 2;
    delta += delta / points;
    std::uint64_t steps = 0;
    while (delta > ((base - least_threshold) * greatest_threshold) / 2) {
        delta /= base - least_threshold;
        steps += base;
    }
    return steps + (base - least_threshold + 1) * delta / (delta + skew);
}

// Section 3.3: a number of variable length whose last digit is below its threshold.
void append_number(std::string& text, std::uint64_t number, std::uint64_t bias) {
    for (std::uint64_t position = base;; position += base) {
        const std::uint64_t threshold = position <= bias                        ? least_threshold
                                        : position >= bias + greatest_threshold ? greatest_threshold
                                                                                : position - bias;
        if (number < threshold) {
            text.push_back(digit(static_cast<std::uint32_t>(number)));
            return;
        }
        text.push_back(digit(static_cast<std::uint32_t>(threshold + (number - threshold) % (base - threshold))));
        number = (number - threshold) / (base - threshold);
    }
}

}  // namespace

std::optional<std::string> punycode(std::string_view text) {
    const std::optional<std::u32string> letters = decode_utf8(text);
    if (!letters) {
        return std::nullopt;
    }
    std::string encoded;
    for (const char32_t letter : *letters) {
        if (letter < first_beyond_ascii) {
            encoded.push_back(static_cast<char>(letter));
        }
    }
    const std::size_t basic = encoded.size();
    std::size_t handled = basic;
    if (basic > 0) {
        encoded.push_back('-');
    }
    // Section 6.3: the code points beyond ASCII in rising order, each as the steps since the last one.
    char32_t smallest = first_beyond_ascii;
    std::uint64_t delta = 0;
    std::uint64_t bias = initial_bias;
    while (handled < letters->size()) {
        char32_t next = 0x110000;
        for (const char32_t letter : *letters) {
            if (letter >= smallest) {
                next = std::min(next, letter);
            }
        }
        delta += static_cast<std::uint64_t>(next - smallest) * (handled + 1);
        for (const char32_t letter : *letters) {
            delta += letter < next ? 1 : 0;
            if (letter == next) {
                append_number(encoded, delta, bias);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                ++handled;
            }
        }
        ++delta;
        smallest = next + 1;
    }
    return encoded;
}

}  // namespace nasm_build::inspect
