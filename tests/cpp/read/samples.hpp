// The samples that tests/samples/make_read_samples.py makes, what other tools say of them, and damage to them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "inspect/image.hpp"
#include "inspect/read/read.hpp"

namespace nasm_build::inspect::test {

using Bytes = std::vector<std::byte>;

inline std::string sample_path(std::string_view name) {
    return std::string(NASM_BUILD_SAMPLES) + "/" + std::string(name);
}

inline Bytes load(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    EXPECT_TRUE(stream) << path;
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    Bytes bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

inline Bytes sample(std::string_view name) {
    return load(sample_path(name));
}

inline Bytes bytes_of(std::string_view text) {
    Bytes bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

inline Image read_sample(std::string_view name) {
    std::vector<Image> images = read_images(sample(name));
    EXPECT_EQ(images.size(), 1U) << name;
    return images.at(0);
}

template <typename T>
T number_at(const Bytes& bytes, std::size_t offset) {
    T value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

template <typename T>
void set_number(Bytes& bytes, std::size_t offset, T value) {
    ASSERT_LE(offset + sizeof(T), bytes.size());
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

/// The message of the Error that `call` throws; a text that no message has when it throws none.
template <typename Call>
std::string message_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error at all";
}

inline std::string refusal(const Bytes& bytes) {
    return message_of([&] { static_cast<void>(read_images(bytes)); });
}

/// What a program prints. The samples' names need no quoting.
inline std::string output_of(const std::string& command) {
    std::FILE* pipe = popen(command.c_str(), "r");
    EXPECT_NE(pipe, nullptr) << command;
    std::string text;
    std::array<char, 4096> chunk{};
    for (std::size_t got = 0; (got = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) {
        text.append(chunk.data(), got);
    }
    EXPECT_EQ(pclose(pipe), 0) << command;
    return text;
}

/// The lines of a text, each split at blanks.
inline std::vector<std::vector<std::string>> words_of(const std::string& text) {
    std::vector<std::vector<std::string>> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words(line);
        lines.emplace_back(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>());
    }
    return lines;
}

template <typename Part>
std::set<std::string> names_of(const std::vector<Part>& parts) {
    std::set<std::string> names;
    for (const Part& part : parts) {
        names.insert(part.name);
    }
    return names;
}

template <typename Part>
const Part* find_named(const std::vector<Part>& parts, std::string_view name) {
    for (const Part& part : parts) {
        if (part.name == name) {
            return &part;
        }
    }
    return nullptr;
}

/// Where the header of the first section of a type lies in an ELF file of 64 bits.
inline std::size_t elf_section(const Bytes& bytes, std::uint32_t type) {
    const auto table = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, 40));
    const std::size_t count = number_at<std::uint16_t>(bytes, 60);
    for (std::size_t i = 0; i < count; ++i) {
        if (number_at<std::uint32_t>(bytes, table + i * 64 + 4) == type) {
            return table + i * 64;
        }
    }
    ADD_FAILURE() << "no section of type " << type;
    return 0;
}

/// Where the entry of its dynamic table with a tag lies.
inline std::size_t elf_dynamic_entry(const Bytes& bytes, std::uint64_t tag) {
    const std::size_t section = elf_section(bytes, 6);
    const auto start = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, section + 24));
    for (std::size_t at = start; number_at<std::uint64_t>(bytes, at) != 0; at += 16) {
        if (number_at<std::uint64_t>(bytes, at) == tag) {
            return at;
        }
    }
    ADD_FAILURE() << "no dynamic entry " << tag;
    return 0;
}

using Names = std::set<std::string>;

}  // namespace nasm_build::inspect::test
