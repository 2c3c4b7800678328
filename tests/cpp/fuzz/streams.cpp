// Encodings after Intel's manual, volume 2. An operand is random bits: most of them are registers and small distances.
#include "streams.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nasm_build::fuzz {

namespace {

using namespace std::string_view_literals;

// Each letter of a form is a byte: an upper-case hexadecimal pair is itself.
//   r+XX  XX with a register in its low 3 bits       m   a ModRM byte of two registers
//   M     a ModRM byte with a base and an 8-bit distance, a SIB byte where rsp asks for one
//   b     a small signed byte                        d   a small signed word of 4 bytes
//   x     an optional REX prefix with random bits    w   the same, always with W
constexpr std::array forms = {
    "x r+50"sv,  // push
    "x r+50"sv,
    "x r+58"sv,  // pop
    "x r+58"sv,
    "w 89 m"sv,  // mov
    "w 8B m"sv,
    "w 89 M b"sv,  // mov [base + b], register
    "w 8B M b"sv,
    "x 8D M b"sv,  // lea
    "w 8D M b"sv,
    "48 83 EC b"sv,  // sub rsp, b
    "48 83 C4 b"sv,  // add rsp, b
    "48 81 EC d"sv,
    "48 81 C4 d"sv,
    "48 83 E4 F0"sv,  // and rsp, -16
    "48 83 E4 E0"sv,
    "48 8D 64 24 b"sv,  // lea rsp, [rsp + b]
    "48 8D 65 b"sv,  // lea rsp, [rbp + b]
    "48 89 E5"sv,  // mov rbp, rsp
    "48 89 EC"sv,  // mov rsp, rbp
    "48 29 C4"sv,  // sub rsp, rax
    "C9"sv,  // leave
    "C3"sv,  // ret
    "C3"sv,
    "C2 10 00"sv,  // ret 16
    "E8 d"sv,  // call
    "E8 d"sv,
    "E9 d"sv,  // jmp
    "EB b"sv,
    "r+70 b"sv,  // jo and the seven that follow
    "r+78 b"sv,
    "r+70 b"sv,
    "r+78 b"sv,
    "0F r+80 d"sv,
    "0F r+88 d"sv,
    "E3 b"sv,  // jrcxz
    "E2 b"sv,  // loop
    "FF r+D0"sv,  // call register
    "FF r+E0"sv,  // jmp register
    "FF 15 d"sv,  // call [rel]
    "FF 25 d"sv,  // jmp [rel]
    "FF 24 r+C0"sv,  // jmp [base + index * 8]
    "w 63 M b"sv,  // movsxd
    "w 01 m"sv,  // add
    "x 31 m"sv,  // xor
    "x 85 m"sv,  // test
    "x 39 m"sv,  // cmp
    "x 83 r+F8 b"sv,  // cmp register, b
    "x r+B8 d"sv,  // mov register, d
    "x 0F r+90 r+C0"sv,  // setcc
    "x 0F 44 m"sv,  // cmov
    "x 87 m"sv,  // xchg
    "0F 10 m"sv,  // movups
    "x 0F 29 M b"sv,  // movaps [base + b], xmm
    "x 0F 28 M b"sv,
    "x 0F 57 m"sv,  // xorps
    "C5 F8 77"sv,  // vzeroupper
    "F3 A4"sv,  // rep movsb
    "F3 48 AB"sv,  // rep stosq
    "FC"sv,  // cld
    "FD"sv,  // std
    "9C"sv,  // pushfq
    "9D"sv,  // popfq
    "0F 0B"sv,  // ud2
    "CC"sv,  // int3
    "90"sv,
    "0F 1F 44 00 00"sv,
    "C8 10 00 00"sv,  // enter
    "0F A2"sv,  // cpuid
    "F3 0F 1E FA"sv,  // endbr64
};

unsigned digit(char letter) {
    return letter <= '9' ? static_cast<unsigned>(letter - '0') : static_cast<unsigned>(letter - 'A') + 10U;
}

class Writer {
public:
    explicit Writer(Random& random) : random_(random) {}

    std::vector<std::byte> write(std::string_view form) {
        while (!form.empty()) {
            const std::size_t end = std::min(form.find(' '), form.size());
            write_part(form.substr(0, end));
            form.remove_prefix(std::min(end + 1, form.size()));
        }
        return std::move(bytes_);
    }

private:
    void put(std::uint64_t value) { bytes_.push_back(static_cast<std::byte>(value & 0xFFU)); }

    void write_part(std::string_view part) {
        const std::uint64_t chance = random_.next();
        if (part == "x") {
            if ((chance & 1U) != 0) {
                put(0x40U | (chance >> 8U & 0xFU));
            }
        } else if (part == "w") {
            put(0x48U | (chance >> 8U & 0x5U));
        } else if (part == "m") {
            put(0xC0U | (chance & 0x3FU));
        } else if (part == "M") {
            const std::uint64_t modrm = 0x40U | (chance & 0x3FU);
            put(modrm);
            if ((modrm & 7U) == 4) {
                put((chance >> 8U & 7U) != 0 ? 0x24U : chance >> 16U);
            }
        } else if (part == "b") {
            put(small(chance));
        } else if (part == "d") {
            const auto value = static_cast<std::uint32_t>(small(chance));
            for (unsigned i = 0; i < 4; ++i) {
                put(value >> (8U * i));
            }
        } else if (part.starts_with("r+")) {
            put(hexadecimal(part.substr(2)) | (chance & 7U));
        } else {
            put(hexadecimal(part));
        }
    }

    // Mostly a multiple of 8 and near: what offsets on the stack are, and distances of jumps within a function.
    static std::uint64_t small(std::uint64_t chance) {
        const auto wide = static_cast<std::int64_t>(chance >> 8U & 0xFFU) - 128;
        switch (chance & 3U) {
            case 0:
                return static_cast<std::uint64_t>(wide);
            case 1:
                return static_cast<std::uint64_t>(wide / 8);
            default:
                return static_cast<std::uint64_t>(wide / 8 * 8);
        }
    }

    static unsigned hexadecimal(std::string_view pair) { return digit(pair[0]) << 4U | digit(pair[1]); }

    Random& random_;
    std::vector<std::byte> bytes_;
};

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {  // GCC 12 takes an insertion of the range for an overflow
        to.push_back(byte);
    }
}

// `cmp edi, n; ja; lea rax, [table]; movsxd rcx, [rax + rdi * 4]; add rax, rcx; jmp rax; table`, as compilers write a switch. What the
// table holds, and whether the comparison is there, is left to chance.
std::vector<std::byte> jump_through_table(Random& random) {
    constexpr std::array<unsigned char, 3> compare = {0x83, 0xFF, 0};
    constexpr std::array<unsigned char, 16> jump = {0x48, 0x8D, 0x05, 0x09, 0,    0,    0,    0x48,
                                                    0x63, 0x0C, 0xB8, 0x48, 0x01, 0xC8, 0xFF, 0xE0};
    const auto rows = static_cast<unsigned>(1 + random.below(12));
    std::vector<std::byte> bytes;
    if (random.below(4) != 0) {
        append(bytes, std::as_bytes(std::span(compare)));
        bytes.back() = static_cast<std::byte>(random.below(8) == 0 ? random.below(256) : rows - 1);
        bytes.push_back(std::byte{0x77});
        bytes.push_back(static_cast<std::byte>(jump.size() + rows * 4));
    }
    append(bytes, std::as_bytes(std::span(jump)));
    for (unsigned row = 0; row < rows; ++row) {
        const auto distance =
            static_cast<std::int32_t>(random.below(rows * 8U + 64U)) - (random.below(3) == 0 ? 64 : 0);
        std::array<std::byte, 4> entry{};
        std::memcpy(entry.data(), &distance, entry.size());
        append(bytes, entry);
    }
    return bytes;
}

}  // namespace

std::vector<std::byte> plausible_instruction(Random& random) {
    return Writer(random).write(forms.at(random.below(forms.size())));
}

void fill_with_stream(std::span<std::byte> code, Random& random) {
    const std::uint64_t kind = random.below(4);  // 0: random bytes; 1: both; the others: instructions
    std::size_t at = 0;
    while (at < code.size()) {
        std::vector<std::byte> next;
        if (kind == 0 || (kind == 1 && random.below(8) == 0)) {
            next.resize(1 + random.below(16));
            std::generate(next.begin(), next.end(), [&] { return static_cast<std::byte>(random.below(256)); });
        } else {
            next = random.below(40) == 0 ? jump_through_table(random) : plausible_instruction(random);
        }
        const std::size_t size = std::min(next.size(), code.size() - at);
        std::copy_n(next.begin(), size, code.begin() + static_cast<std::ptrdiff_t>(at));
        at += size;
    }
}

}  // namespace nasm_build::fuzz
