#include "inspect/data/python_symbols.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nasm_build::inspect {
namespace {

bool has(const char* name, unsigned minor, PythonPlatform platform = PythonPlatform::linux_like) {
    const auto symbol = find_python_symbol(name);
    return symbol && symbol->exported_by({minor, platform, false, false});
}

TEST(PythonSymbols, AreSortedSoThatTheSearchFindsEach) {
    const std::vector<PythonSymbol> all = all_python_symbols();
    EXPECT_GT(all.size(), 2900U);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const PythonSymbol& one, const PythonSymbol& other) {
        return one.name() < other.name();
    }));
    for (const PythonSymbol& symbol : all) {
        const auto found = find_python_symbol(symbol.name());
        ASSERT_TRUE(found) << symbol.name();
        EXPECT_EQ(found->name(), symbol.name());
    }
}

TEST(PythonSymbols, KnowWhenANameCameAndWent) {
    EXPECT_TRUE(has("PyLong_FromLong", 6));
    EXPECT_TRUE(has("PyLong_FromLong", 15));
    EXPECT_FALSE(has("PyLong_AsInt", 12));
    EXPECT_TRUE(has("PyLong_AsInt", 13));
    EXPECT_TRUE(has("_PyLong_AsInt", 12));
    EXPECT_FALSE(has("_PyLong_AsInt", 13));
    EXPECT_FALSE(has("PyModule_FromSlotsAndSpec", 14));
    EXPECT_TRUE(has("PyModule_FromSlotsAndSpec", 15));
}

TEST(PythonSymbols, KnowNothingOutsideTheirVersions) {
    EXPECT_FALSE(has("PyLong_FromLong", 5));
    EXPECT_FALSE(has("PyLong_FromLong", 16));
    EXPECT_EQ(find_python_symbol("PyLong_FromLongg"), std::nullopt);
    EXPECT_EQ(find_python_symbol(""), std::nullopt);
    EXPECT_EQ(find_python_symbol("PyInit__json"), std::nullopt);
}

TEST(PythonSymbols, TellPlatformsApart) {
    EXPECT_TRUE(has("PyErr_SetFromWindowsErr", 13, PythonPlatform::windows));
    EXPECT_FALSE(has("PyErr_SetFromWindowsErr", 13));
    EXPECT_FALSE(has("PyErr_SetFromWindowsErr", 13, PythonPlatform::macos));
    EXPECT_TRUE(has("PyOS_AfterFork_Child", 13, PythonPlatform::macos));
    EXPECT_FALSE(has("PyOS_AfterFork_Child", 13, PythonPlatform::windows));
}

TEST(PythonSymbols, TellBuildsApart) {
    const auto shared = find_python_symbol("_Py_DecRefShared");
    ASSERT_TRUE(shared);
    EXPECT_FALSE(shared->exported_by({13, PythonPlatform::linux_like, false, false}));
    EXPECT_TRUE(shared->exported_by({13, PythonPlatform::linux_like, true, false}));
    const auto total = find_python_symbol("_Py_RefTotal");
    ASSERT_TRUE(total);
    EXPECT_FALSE(total->exported_by({13, PythonPlatform::linux_like, false, false}));
    EXPECT_TRUE(total->exported_by({13, PythonPlatform::linux_like, false, true}));
}

TEST(PythonSymbols, KnowTheStableAbi) {
    EXPECT_EQ(find_python_symbol("_Py_Dealloc")->stable_since(), 2U);
    EXPECT_TRUE(find_python_symbol("_Py_Dealloc")->is_abi_only());
    EXPECT_EQ(find_python_symbol("PyUnicode_AsUTF8")->stable_since(), std::nullopt);
    EXPECT_EQ(find_python_symbol("PyUnicode_AsUTF8AndSize")->stable_since(), 10U);
    EXPECT_EQ(find_python_symbol("PyModule_FromSlotsAndSpec")->stable_since(), 15U);
    EXPECT_TRUE(find_python_symbol("PyExc_TypeError")->is_stable_data());
    EXPECT_FALSE(find_python_symbol("PyLong_FromLong")->is_stable_data());
    EXPECT_EQ(find_python_symbol("PyErr_SetFromWindowsErr")->stable_condition(), StableCondition::windows);
    const std::vector<PythonSymbol> all = all_python_symbols();
    EXPECT_GT(std::count_if(all.begin(), all.end(), [](const PythonSymbol& one) { return one.stable_since(); }), 950);
}

}  // namespace
}  // namespace nasm_build::inspect
