// The rules on tables, over memory made by hand: each test lays out one table and spoils one field.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr std::uint64_t definition = data_address, methods = data_address + 0x100, slots = data_address + 0x200,
                        texts = data_address + 0x300, spec = data_address + 0x380, data_size = 0x400;

/// A module with memory of its own, into which a test writes numbers, texts and addresses.
class Memory {
public:
    explicit Memory(Format format = Format::elf) : bytes_(data_size), image_(module_of(format)) {
        image_.memory[1].size = data_size;
        image_.sections[1].size = data_size;
    }

    void number(std::uint64_t at, std::uint64_t value, unsigned width = 8) {
        for (unsigned i = 0; i < width; ++i) {
            bytes_.at(at - data_address + i) = static_cast<std::byte>(value >> (8U * i));
        }
    }
    void address(std::uint64_t at, std::uint64_t target) { pointers_.push_back({at, target, {}}); }
    std::uint64_t text(const std::string& value) {
        const std::uint64_t at = texts + used_;
        std::memcpy(bytes_.data() + (at - data_address), value.c_str(), value.size() + 1);
        used_ += value.size() + 1;
        return at;
    }
    void method(unsigned row, const std::string& name, unsigned flags, std::uint64_t function = code_address) {
        const std::uint64_t at = methods + row * 32;
        address(at, text(name));
        address(at + 8, function);
        number(at + 16, flags, 4);
    }
    void slot(unsigned row, unsigned id, std::uint64_t value, bool is_address) {
        number(slots + row * 16, id, 4);
        is_address ? address(slots + row * 16 + 8, value) : number(slots + row * 16 + 8, value);
    }
    /// A good definition with the given tables; `base` is PyModuleDef_Base's size.
    void define(bool with_methods, bool with_slots, std::uint64_t base = 40) {
        number(definition, 1);
        address(definition + base, text("pymult"));
        if (with_methods) {
            address(definition + base + 24, methods);
        }
        if (with_slots) {
            address(definition + base + 32, slots);
        }
        use(TableKind::definition, definition);
    }
    void use(TableKind kind, std::uint64_t at) { image_.entry_code.uses.push_back({kind, "PyInit_pymult", at}); }

    Image& image() { return image_; }

    Lines check(const Expectations& expected = for_python("3.13")) {
        image_.contents.pieces = {{data_address, bytes_}};
        image_.contents.pointers = pointers_;
        std::sort(image_.contents.pointers.begin(), image_.contents.pointers.end(),
                  [](const Pointer& one, const Pointer& other) { return one.place < other.place; });
        return lines(check_tables(image_, expected));
    }
    /// The findings alone, without their fixes.
    Lines findings(const Expectations& expected = for_python("3.13")) {
        Lines found;
        for (const std::string& line : check(expected)) {
            if (!line.starts_with("fix: ")) {
                found.push_back(line);
            }
        }
        return found;
    }

private:
    std::vector<std::byte> bytes_;
    std::vector<Pointer> pointers_;
    std::uint64_t used_ = 0;
    Image image_;
};

TEST(Tables, OfAGoodModuleAreLetPass) {
    Memory memory;
    memory.define(true, true);
    memory.method(0, "multiply", 0x80);
    memory.slot(0, 2, code_address, true);
    memory.slot(1, 3, 2, false);
    memory.slot(2, 4, 1, false);
    EXPECT_EQ(memory.check(), Lines{});
}

TEST(Tables, ThatAreNotReachedAreNotChecked) {
    Memory memory;
    EXPECT_EQ(memory.check(), Lines{});  // it calls nothing that takes a definition
    memory.image().imports = {imported("PyModule_Create2")};
    const Lines said = memory.check();
    ASSERT_EQ(said.size(), 6U);
    EXPECT_EQ(said.front(),
              "not checked: module-definition, because the code of the entry point hands CPython no table whose "
              "address is known before it runs");
    memory.image().entry_code.missing = "the code is for riscv64, which is not followed";
    EXPECT_EQ(memory.check().back(), "not checked: abi-info, because the code is for riscv64, which is not followed");
}

TEST(Tables, ADefinitionThatIsFilledAtRunTimeIsNotChecked) {
    Memory memory;
    memory.use(TableKind::definition, definition);
    EXPECT_EQ(memory.check(), (Lines{"not checked: module-definition, because the definition is filled at run time",
                                     "not checked: module-slots, because the tables of the module were not found",
                                     "not checked: method-table, because the tables of the module were not found"}));
    Memory written;
    written.define(false, false);
    written.image().entry_code.written = {{definition + 64, 8}};
    EXPECT_EQ(written.check().front(), "not checked: module-definition, because the definition is filled at run time");
}

TEST(ModuleDefinition, LiesInMemoryThatCanBeWritten) {
    Memory memory;
    memory.define(false, false);
    memory.image().contents.sealed = {{data_address, 0x100}};
    EXPECT_EQ(
        memory.check(),
        (Lines{"error: the module's definition lies in .data, which is read-only when CPython writes its m_base: the "
               "import crashes [module-definition]",
               "fix: put `section .data` before it"}));
}

TEST(ModuleDefinition, HasTheLayoutOfItsBuild) {
    Memory memory;
    memory.define(false, false);
    EXPECT_EQ(
        memory.findings(for_python("3.13t")),
        (Lines{
            "error: the module's definition is laid out for a GIL build, with m_name at 40; CPython 3.13t has it at 56 "
            "[module-definition]"}));
    Memory free_threaded;
    free_threaded.define(true, false, 56);
    EXPECT_EQ(
        free_threaded.findings(for_stable_abi("3.10")),
        (Lines{
            "error: the module's definition is laid out for a free-threaded build, with m_name at 56; CPython 3.10 and "
            "later (abi3) has it at 40 [module-definition]"}));
    EXPECT_EQ(free_threaded.findings(for_python("3.13t")), Lines{});
    EXPECT_EQ(free_threaded.findings({}), Lines{});
    Memory shifted;
    shifted.define(false, false);
    shifted.address(definition + 60, methods);
    EXPECT_EQ(
        shifted.findings(),
        (Lines{
            "error: the module's definition has an address at offset 60, where PyModuleDef has no field for one (m_name "
            "40, m_doc 48, m_size 56, m_methods 64, m_slots 72) [module-definition]"}));
}

TEST(ModuleDefinition, IsNewToCPython) {
    Memory memory;
    memory.define(false, false);
    memory.number(definition + 24, 5);
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: m_base.m_index of the module's definition is 5, not 0: PyModuleDef_Init takes it for one that is "
            "ready, and leaves it without a type [module-definition]"}));
}

TEST(ModuleDefinition, HasASizeThatItsFunctionTakes) {
    Memory memory;
    memory.define(false, false);
    memory.number(definition + 56, static_cast<std::uint64_t>(-1));
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: m_size of the module's definition is -1, and CPython refuses a negative one from PyModuleDef_Init "
            "with SystemError [module-definition]"}));
    memory.image().entry_code.uses.front().kind = TableKind::definition_at_once;
    EXPECT_EQ(memory.findings(), Lines{});
}

TEST(ModuleDefinition, OfASinglePhaseHasANameAndNoSlots) {
    Memory memory;
    memory.number(definition, 1);
    memory.address(definition + 72, slots);
    memory.use(TableKind::definition_at_once, definition);
    EXPECT_EQ(
        memory.findings(),
        (Lines{"error: the module's definition has no m_name: PyModule_Create2 crashes [module-definition]",
               "error: the module's definition has m_slots and is given to PyModule_Create2, which refuses that with "
               "SystemError [module-definition]"}));
}

TEST(ModuleDefinition, HasAddressesWhereItsFieldsAre) {
    Memory memory;
    memory.number(definition, 1);
    memory.number(definition + 40, 0x1234);
    memory.address(definition + 64, 0x9000);
    memory.address(definition + 80, data_address);
    memory.use(TableKind::definition, definition);
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: the module's definition: m_name is the number 0x1234, not the address of a text [module-definition]",
            "error: the module's definition: m_traverse is an address in .data, which is not code [module-definition]",
            "error: the module's definition: m_methods is the address 0x9000, which lies outside of the module "
            "[module-definition]"}));
}

TEST(ModuleSlots, AreThoseOfThePromisedCPython) {
    Memory memory;
    memory.define(false, true);
    memory.slot(0, 2, code_address, true);
    memory.slot(1, 3, 2, false);
    memory.slot(2, 4, 1, false);
    EXPECT_EQ(
        memory.findings(for_python("3.12")),
        (Lines{"error: row 3 of the module's slots, Py_mod_gil with the number 4, came with CPython 3.13; CPython 3.12 "
               "refuses it with SystemError [module-slots]"}));
    EXPECT_EQ(memory.findings(for_stable_abi("3.10")).size(), 2U);
    Memory newer;
    newer.define(false, true);
    newer.slot(0, 85, code_address, true);
    EXPECT_EQ(
        newer.check(),
        (Lines{
            "error: row 1 of the module's slots, Py_mod_exec with the number 85, came with CPython 3.15; CPython 3.13 "
            "refuses it with SystemError [module-slots]",
            "fix: write the older number, 2, which every CPython that has the slot takes"}));
    EXPECT_EQ(newer.findings(for_python("3.15")), Lines{});
}

TEST(ModuleSlots, AreKnownOnceAndFunctions) {
    Memory memory;
    memory.define(false, true);
    memory.slot(0, 3, 2, false);
    memory.slot(1, 3, 2, false);
    memory.slot(2, 2, 0, false);
    memory.slot(3, 1, data_address, true);
    memory.slot(4, 5, 0, false);
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: row 2 of the module's slots is a second Py_mod_multiple_interpreters: CPython refuses it with "
            "SystemError [module-slots]",
            "error: row 3 of the module's slots (Py_mod_exec) is null: the import fails [module-slots]",
            "error: row 4 of the module's slots (Py_mod_create) is an address in .data, which is not code "
            "[module-slots]",
            "error: row 5 of the module's slots has the number 5, which is no slot of a module: CPython refuses it with "
            "SystemError [module-slots]"}));
}

TEST(ModuleSlots, ThatTheCodeChangesAreNotChecked) {
    Memory memory;
    memory.define(false, true);
    memory.slot(0, 3, 2, false);
    memory.image().entry_code.written = {{slots, 4}};
    EXPECT_EQ(memory.findings(for_stable_abi("3.10")),
              (Lines{"not checked: module-slots, because the module's code writes to row 1 of the module's slots"}));
}

Memory exporting(std::uint16_t abi_flags) {
    Memory memory;
    memory.image().exports = {exported("PyModExport_pymult")};
    memory.image().entry_code.uses = {{TableKind::slots, "PyModExport_pymult", slots}};
    memory.number(slots, 109, 2);
    memory.number(slots + 2, 2, 2);
    memory.address(slots + 8, definition);
    memory.number(definition, 1, 1);
    memory.number(definition + 2, abi_flags, 2);
    memory.number(definition + 8, 0x030F0000, 4);
    return memory;
}

TEST(ModuleSlots, OfAnExportAreWhatPep793Asks) {
    EXPECT_EQ(exporting(2).check(for_python("3.15")), Lines{});
    Memory memory = exporting(2);
    memory.number(slots, 85, 2);
    memory.number(slots + 16, 103, 2);
    memory.address(slots + 24, methods);
    memory.number(slots + 32, 300, 2);
    memory.number(slots + 34, 1, 2);
    memory.number(slots + 48, 85, 2);
    memory.number(slots + 64, 102, 2);
    memory.number(slots + 72, static_cast<std::uint64_t>(-8));
    EXPECT_EQ(
        memory.findings(for_python("3.15")),
        (Lines{
            "error: row 1 of the slots that PyModExport_pymult returns (Py_mod_exec) is an address in .data, which is "
            "not code [module-slots]",
            "error: row 2 of the slots that PyModExport_pymult returns (Py_mod_methods) lacks the flag PySlot_STATIC: "
            "CPython refuses it with SystemError [module-slots]",
            "error: row 4 of the slots that PyModExport_pymult returns is a second Py_mod_exec: CPython refuses it with "
            "SystemError [module-slots]",
            "error: row 4 of the slots that PyModExport_pymult returns (Py_mod_exec) is null: the import fails "
            "[module-slots]",
            "error: row 5 of the slots that PyModExport_pymult returns (Py_mod_state_size) is -8: CPython refuses it "
            "with SystemError [module-slots]",
            "error: the slots that PyModExport_pymult returns lack Py_mod_abi, which is mandatory: CPython refuses them "
            "with SystemError [module-slots]"}));
}

TEST(ModuleSlots, InNestedArraysAreReadToo) {
    Memory nested = exporting(2);
    nested.number(slots + 16, 92, 2);
    nested.address(slots + 24, methods);
    nested.number(methods, 85, 2);
    nested.address(methods + 8, code_address);
    nested.number(methods + 16, 94, 2);
    nested.address(methods + 24, methods + 0x40);
    nested.number(methods + 0x40, 3, 4);
    nested.number(methods + 0x48, 2);
    EXPECT_EQ(nested.check(for_python("3.15")), Lines{});
    nested.number(methods + 0x50, 2, 4);
    nested.address(methods + 0x58, data_address);
    nested.number(methods + 0x60, 7, 4);
    EXPECT_EQ(nested.findings(for_python("3.15")),
              (Lines{"error: row 2 of the slots in row 2 of the slots in row 2 of the slots that PyModExport_pymult "
                     "returns is a second Py_mod_exec: CPython refuses it with SystemError [module-slots]",
                     "error: row 2 of the slots in row 2 of the slots in row 2 of the slots that PyModExport_pymult "
                     "returns (Py_mod_exec) is an address in .data, which is not code [module-slots]",
                     "error: row 3 of the slots in row 2 of the slots in row 2 of the slots that PyModExport_pymult "
                     "returns has the number 7, which is no slot of a module: CPython refuses it with SystemError "
                     "[module-slots]"}));
}

TEST(ModuleSlots, MayHaveTheirAbiInfoInANestedArray) {
    Memory memory = exporting(2);
    memory.number(slots, 92, 2);
    memory.address(slots + 8, methods);
    memory.number(methods, 109, 2);
    memory.number(methods + 2, 2, 2);
    memory.address(methods + 8, definition);
    EXPECT_EQ(memory.check(for_python("3.15")), Lines{});
    memory.number(methods, 101, 2);
    memory.address(methods + 8, memory.text("what it does"));
    EXPECT_EQ(memory.findings(for_python("3.15")),
              (Lines{"error: the slots that PyModExport_pymult returns lack Py_mod_abi, which is mandatory: CPython "
                     "refuses them with SystemError [module-slots]"}));
}

TEST(ModuleSlots, NestFiveArraysAtTheMost) {
    Memory endless = exporting(2);
    endless.number(slots + 16, 92, 2);
    endless.address(slots + 24, slots + 16);
    const std::string within = "row 1 of the slots in ";
    EXPECT_EQ(
        endless.findings(for_python("3.15")),
        (Lines{"error: " + within + within + within + within +
               "row 2 of the slots that PyModExport_pymult returns (Py_slot_subslots) nests arrays of slots deeper "
               "than 5: CPython refuses it with SystemError [module-slots]"}));
}

TEST(ModuleSlots, OfADefinitionIncludeStaticArraysAlone) {
    Memory memory;
    memory.define(false, true);
    memory.slot(0, 92, methods, true);
    memory.number(methods, 92, 2);
    memory.address(methods + 8, methods + 0x40);
    memory.number(methods + 0x40, 85, 2);
    memory.address(methods + 0x48, code_address);
    EXPECT_EQ(memory.check(for_python("3.15")),
              (Lines{"error: row 1 of the slots in row 1 of the module's slots (Py_slot_subslots) lacks the flag "
                     "PySlot_STATIC: CPython refuses it with SystemError [module-slots]",
                     "fix: write `dw Py_slot_subslots, PySlot_STATIC`"}));
    EXPECT_EQ(
        memory.findings(for_python("3.14")).front(),
        "error: row 1 of the module's slots, Py_slot_subslots with the number 92, came with CPython 3.15; CPython "
        "3.14 refuses it with SystemError [module-slots]");
}

TEST(AbiInfo, FitsWhatTheModuleIsFor) {
    EXPECT_EQ(
        exporting(4).check(for_python("3.15")),
        (Lines{
            "error: the module's PyABIInfo says that it is for free-threaded builds alone; the module is for CPython 3.15 "
            "[abi-info]",
            "fix: give PyABIInfo_GIL as its flags"}));
    EXPECT_EQ(
        exporting(3).findings(for_stable_abi("3.15t")),
        (Lines{
            "error: the module's PyABIInfo says that it is for GIL builds alone; the module is for CPython 3.15 and later "
            "(abi3t) [abi-info]"}));
    EXPECT_EQ(exporting(7).findings(for_stable_abi("3.15t")), Lines{});
    EXPECT_EQ(
        exporting(2).findings(for_stable_abi("3.15")),
        (Lines{
            "error: the module's PyABIInfo lacks PyABIInfo_STABLE, so that CPython 3.15 alone takes it; the module is for "
            "CPython 3.15 and later (abi3) [abi-info]"}));
    Memory newer = exporting(2);
    newer.number(definition + 8, 0x03100000, 4);
    EXPECT_EQ(
        newer.findings(for_python("3.15")),
        (Lines{
            "error: the module's PyABIInfo says that it is built for the ABI of CPython 3.16; the module is for CPython "
            "3.15 [abi-info]"}));
    Memory unknown = exporting(2);
    unknown.number(definition, 2, 1);
    EXPECT_EQ(
        unknown.findings(for_python("3.15")),
        (Lines{"error: the module's PyABIInfo has the major version 2: CPython knows 1 alone and ends the import with "
               "ImportError [abi-info]"}));
}

TEST(MethodTable, HasItsDocumentationAt24) {
    Memory memory;
    memory.define(true, false);
    memory.method(0, "multiply", 1);
    memory.address(methods + 20, texts);
    EXPECT_EQ(
        memory.check(),
        (Lines{
            "error: row 1 of the module's methods has an address at offset 20, where PyMethodDef has no field for one "
            "(ml_name 0, ml_meth 8, ml_flags 16, ml_doc 24) [method-table]",
            "fix: write 4 bytes between ml_flags and ml_doc, `dd METH_O, 0`, or use `py_method` of Python.inc"}));
}

TEST(MethodTable, HasAnEnd) {
    Memory memory;
    memory.define(true, false);
    memory.method(0, "multiply", 1);
    memory.number(methods + 32, 7);
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: row 2 of the module's methods begins with the number 0x7, which is neither the address of a name nor "
            "the end [method-table]"}));
    Memory endless;
    endless.define(false, false);
    endless.address(definition + 64, data_address + data_size - 32);
    endless.address(data_address + data_size - 32, texts);
    endless.address(data_address + data_size - 24, code_address);
    endless.number(data_address + data_size - 16, 1, 4);
    EXPECT_EQ(
        endless.findings(),
        (Lines{
            "error: the module's methods have no end: CPython reads 1 rows of PyMethodDef up to the end of the section "
            "[method-table]"}));
}

TEST(MethodTable, HasFlagsThatNameAWayToBeCalled) {
    for (const unsigned good : {1U, 3U, 4U, 8U, 0x80U, 0x82U, 0x41U, 0x101U}) {
        Memory memory;
        memory.define(true, false);
        memory.method(0, "multiply", good);
        EXPECT_EQ(memory.findings(), Lines{}) << good;
    }
    Memory memory;
    memory.define(true, false);
    memory.method(0, "one", 0xC);
    memory.method(1, "two", 0);
    memory.method(2, "three", 0x11);
    memory.method(3, "four", 0x282);
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: row 1 of the module's methods, one has the flags METH_NOARGS | METH_O, which name no way to be called: "
            "the import ends with SystemError [method-table]",
            "error: row 2 of the module's methods, two has the flags 0x0, which name no way to be called: the import ends "
            "with SystemError [method-table]",
            "error: row 3 of the module's methods, three has the flags METH_VARARGS | METH_CLASS: a module's function can "
            "have neither METH_CLASS nor METH_STATIC, and the import ends with ValueError [method-table]",
            "error: row 4 of the module's methods, four has METH_METHOD, which a function without a class cannot have: the "
            "import ends with SystemError [method-table]"}));
}

TEST(MethodTable, HasFunctionsAndNames) {
    Memory memory;
    memory.define(true, false);
    memory.method(0, "data", 1, data_address);
    memory.method(1, "twice", 1);
    memory.method(2, "twice", 1);
    memory.method(3, "\xFF", 1);
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: row 1 of the module's methods, data: ml_meth is an address in .data, which is not code [method-table]",
            "warning: row 3 of the module's methods, twice has a name that another row has, and CPython keeps the last one "
            "[method-table]",
            "error: row 4 of the module's methods: its name is a text that is not UTF-8: the import ends with "
            "UnicodeDecodeError [method-table]"}));
    Memory null;
    null.define(true, false);
    null.address(methods, null.text("none"));
    null.number(methods + 16, 1, 4);
    EXPECT_EQ(
        null.findings(),
        (Lines{
            "warning: row 1 of the module's methods, none has a null function, unless something fills it in before it is "
            "called [method-table]"}));
    null.image().contents.sealed = {{methods, 0x40}};
    EXPECT_EQ(null.findings(),
              (Lines{"error: row 1 of the module's methods, none has a null function: a call of it fails or crashes "
                     "[method-table]"}));
}

/// A spec with the given size and one slot, in a good module.
Memory with_type(std::int32_t basic_size, unsigned slot, std::uint64_t value) {
    Memory memory;
    memory.define(false, false);
    memory.use(TableKind::type_spec, spec);
    memory.address(spec, memory.text("pymult.T"));
    memory.number(spec + 8, static_cast<std::uint32_t>(basic_size), 4);
    memory.address(spec + 24, slots);
    memory.slot(0, slot, value, true);
    return memory;
}

TEST(TypeSpec, HasASizeAndSlotsThatCPythonTakes) {
    EXPECT_EQ(with_type(24, 65, code_address).check(), Lines{});
    EXPECT_EQ(
        with_type(8, 65, code_address).findings(),
        (Lines{
            "error: type pymult.T has the basicsize 8, less than the 16 bytes of a PyObject: CPython refuses it with "
            "TypeError [type-spec]"}));
    EXPECT_EQ(
        with_type(-8, 65, code_address).findings(for_python("3.11")),
        (Lines{
            "error: type pymult.T has the basicsize -8: a negative one came with CPython 3.12 (PEP 697); the module is for "
            "CPython 3.11 [type-spec]"}));
    EXPECT_EQ(
        with_type(24, 83, data_address).findings(),
        (Lines{
            "error: row 1 of the slots of type pymult.T has the number 83, which came with CPython 3.14; making the type "
            "fails on CPython 3.13 [type-spec]"}));
    EXPECT_EQ(
        with_type(24, 84, code_address).findings(),
        (Lines{
            "error: row 1 of the slots of type pymult.T has the number 84, which no CPython takes in a PyType_Spec: making "
            "the type fails [type-spec]"}));
    EXPECT_EQ(with_type(24, 65, data_address).findings(),
              (Lines{"error: row 1 of the slots of type pymult.T (number 65) is an address in .data, which is not code "
                     "[type-spec]"}));
}

TEST(AttributeTable, HasMembersWithinTheObject) {
    Memory memory = with_type(24, 72, methods);
    memory.address(methods, memory.text("value"));
    memory.number(methods + 8, 15, 4);
    memory.number(methods + 16, static_cast<std::uint64_t>(-8));
    memory.address(methods + 40, memory.text("far"));
    memory.number(methods + 56, 24);
    memory.address(methods + 80, memory.text("rel"));
    memory.number(methods + 96, 16);
    memory.number(methods + 104, 8, 4);
    EXPECT_EQ(
        memory.findings(),
        (Lines{
            "error: row 1 of the members of type pymult.T, value has the type 15, which is no Py_T_ number: reading it "
            "raises SystemError [attribute-table]",
            "error: row 1 of the members of type pymult.T, value has the offset -8, which lies before the object "
            "[attribute-table]",
            "warning: row 2 of the members of type pymult.T, far has the offset 24, beyond the 24 bytes of the object "
            "[attribute-table]",
            "error: row 3 of the members of type pymult.T, rel has Py_RELATIVE_OFFSET, and the type's basicsize is not "
            "negative: CPython refuses it with SystemError [attribute-table]"}));
}

TEST(AttributeTable, HasGettersThatAreCode) {
    Memory memory = with_type(24, 73, methods);
    memory.address(methods, memory.text("value"));
    memory.address(methods + 8, data_address);
    EXPECT_EQ(
        memory.findings(),
        (Lines{"error: row 1 of the attributes of type pymult.T, value: get is an address in .data, which is not code "
               "[attribute-table]"}));
}

}  // namespace
}  // namespace nasm_build::inspect::testing
