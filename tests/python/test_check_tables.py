"""`nasm-ext check` on modules whose tables are wrong: each rule in each format, and what CPython says of the same module."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from check_samples import ELF, LINUX, MACHO, MACOS, PE, WINDOWS, Samples

# What follows the entry point: a function, and the tables that hang from the definition.
TABLES = """\
function:
        xor     eax, eax
        ret

        section .data
definition:
        dq 1, 0, 0, 0, 0
        dq name, 0, 0, methods, slots, 0, 0, 0
methods:
        dq method, function
        dd 4, 0
        dq text
        times 32 db 0
slots:
        dd 2, 0
        dq function
        times 16 db 0
spec:
        dq type
        dd 24, 0, 0, 0
        dq type_slots
type_slots:
        dd 72, 0
        dq members
        times 16 db 0
members:
        dq method
        dd 6, 0
        dq 16
        dd 0, 0
        dq 0
        times 40 db 0
info:
        db 1, 0
        dw 2
        dd 0x030F0000, 0x030F0000
name:   db "pymult", 0
type:   db "pymult.T", 0
method: db "multiply", 0
text:   db "multiplies", 0
"""

FORMATS = {"elf": (ELF, LINUX), "macho": (MACHO, MACOS), "pe": (PE, WINDOWS)}
Source = Callable[[str], str]


def source_of(binary: str) -> str:
    """The smallest module of the format, with all tables."""
    head, _, tail = FORMATS[binary][0].partition("        section .data\n")
    note = tail[tail.index("        section .note") :] if "section .note" in tail else ""
    return head + TABLES + note


def make(samples: Samples, binary: str, source: str, name: str | None = None, symbols: str = "PyModuleDef_Init") -> str:
    name = name or FORMATS[binary][1]
    if binary == "elf":
        return samples.elf(source, name)
    if binary == "macho":
        return samples.macho(source, name)
    entry = "PyModExport_pymult" if "PyModExport_pymult" in source else "PyInit_pymult"
    return samples.pe(source, name, link=[f"/export:{entry}"], symbols=symbols)


def with_type(binary: str) -> str:
    """The module's exec function makes a type from the spec."""
    body = {
        "elf": "lea rdi, [spec]\n        jmp PyType_FromSpec wrt ..plt\n",
        "macho": "lea rdi, [spec]\n        jmp PyType_FromSpec\n",
        "pe": "lea rcx, [spec]\n        jmp [__imp_PyType_FromSpec]\n",
    }[binary]
    extern = "__imp_PyType_FromSpec" if binary == "pe" else "PyType_FromSpec"
    source = source_of(binary).replace("        extern ", f"        extern {extern}, ", 1)
    return source.replace("xor     eax, eax\n        ret\n", body, 1)


def with_export(binary: str) -> str:
    """An array of PySlot takes the place of the definition."""
    source = source_of(binary).replace("PyInit_", "PyModExport_")
    start, end = source.index("        lea "), source.index("function:")
    source = source[:start] + "        lea     rax, [array]\n        ret\n" + source[end:]
    array = "array:\n        dw 109, 2\n        dd 0\n        dq info\n        dq 0, 0\n"
    return source.replace("definition:\n", array + "definition:\n")


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def findings(samples: Samples, name: str, *words: str) -> list[str]:
    """The lines about tables, without the file's name."""
    rules = ("module-definition", "module-slots", "method-table", "attribute-table", "type-spec", "abi-info")
    lines = samples.check(*words, name).output.splitlines()
    return [line.removeprefix(f"{name}: ") for line in lines if any(rule in line for rule in rules)]


BOTH = "PyModuleDef_Init PyType_FromSpec"


@pytest.mark.parametrize("binary", FORMATS)
def test_good_tables(samples: Samples, binary: str) -> None:
    assert findings(samples, make(samples, binary, source_of(binary))) == []
    assert findings(samples, make(samples, binary, with_type(binary), symbols=BOTH)) == []
    name = FORMATS[binary][1].replace("313", "315")
    made = make(samples, binary, with_export(binary), name)
    assert findings(samples, made, "--python", "3.15") == []


CASES = {
    "module-definition": (
        source_of,
        "dq name, 0, 0, methods, slots",
        "dq name, 0, -1, methods, slots",
        "error: m_size of the module's definition is -1, and CPython refuses a negative one from PyModuleDef_Init with "
        "SystemError [module-definition]",
    ),
    "module-slots": (
        source_of,
        "dd 2, 0",
        "dd 5, 0",
        "error: row 1 of the module's slots has the number 5, which is no slot of a module: CPython refuses it with SystemError "
        "[module-slots]",
    ),
    "method-table": (
        source_of,
        "dd 4, 0\n        dq text",
        "dd 4\n        dq text",
        "error: row 1 of the module's methods has an address at offset 20, where PyMethodDef has no field for one (ml_name 0, "
        "ml_meth 8, ml_flags 16, ml_doc 24) [method-table]",
    ),
    "type-spec": (
        with_type,
        "dd 24, 0, 0, 0",
        "dd 8, 0, 0, 0",
        "error: type pymult.T has the basicsize 8, less than the 16 bytes of a PyObject: CPython refuses it with TypeError "
        "[type-spec]",
    ),
    "attribute-table": (
        with_type,
        "dd 6, 0",
        "dd 15, 0",
        "error: row 1 of the members of type pymult.T, multiply has the type 15, which is no Py_T_ number: reading it raises "
        "SystemError [attribute-table]",
    ),
    "abi-info": (
        with_export,
        "dw 2\n",
        "dw 4\n",
        "error: the module's PyABIInfo says that it is for free-threaded builds alone; the module is for CPython 3.15 [abi-info]",
    ),
}


@pytest.mark.parametrize("binary", FORMATS)
@pytest.mark.parametrize("rule", CASES)
def test_a_wrong_table(samples: Samples, rule: str, binary: str) -> None:
    source_for, right, wrong, message = CASES[rule]
    source = source_for(binary)
    assert source.count(right) == 1
    name = FORMATS[binary][1].replace("313", "315") if rule == "abi-info" else None
    made = make(
        samples, binary, source.replace(right, wrong), name, BOTH if "PyType_FromSpec" in source else "PyModuleDef_Init"
    )
    assert findings(samples, made) == [message]


@pytest.mark.parametrize(("binary", "section"), [("elf", ".data.rel.ro progbits alloc noexec write"), ("pe", ".rdata")])
def test_a_definition_that_cpython_cannot_write_to(samples: Samples, binary: str, section: str) -> None:
    made = make(samples, binary, source_of(binary).replace("section .data", f"section {section}"))
    assert findings(samples, made) == [
        f"error: the module's definition lies in {section.split()[0]}, which is read-only when CPython writes its m_base: the "
        "import crashes [module-definition]"
    ]


def test_a_definition_for_the_other_kind_of_build(samples: Samples) -> None:
    made = samples.elf(source_of("elf"), "pymult.cpython-313t-x86_64-linux-gnu.so")
    assert findings(samples, made) == [
        "error: the module's definition is laid out for a GIL build, with m_name at 40; CPython 3.13t has it at 56 "
        "[module-definition]"
    ]


def test_a_slot_that_is_too_new(samples: Samples) -> None:
    source = source_of("elf").replace("dd 2, 0\n        dq function", "dd 4, 0\n        dq 1")
    assert findings(samples, samples.elf(source)) == []
    assert findings(samples, samples.elf(source, "pymult.abi3.so"), "--abi3", "3.10") == [
        "error: row 1 of the module's slots, Py_mod_gil with the number 4, came with CPython 3.13; CPython 3.10 and later (abi3) "
        "refuses it with SystemError [module-slots]"
    ]


def test_a_definition_that_is_filled_at_run_time(samples: Samples) -> None:
    source = ELF.replace("dq 1, 0, 0, 0, 0\n        dq name", "dq 0, 0, 0, 0, 0\n        dq 0")
    assert findings(samples, samples.elf(source))[0] == (
        "not checked: module-definition, because the definition is filled at run time"
    )


def test_a_compiled_module(samples: Samples) -> None:
    """Tables of C in memory that a compiler chose, with a flag that CPython refuses."""
    (samples.folder / "m.c").write_text(
        """
        struct method { const char *name; void *(*call)(void *, void *); int flags; const char *doc; };
        struct { long head[5]; const char *name, *doc; long size; struct method *methods; void *rest[4]; } definition;
        extern void *PyModule_Create2(void *, int);
        static void *multiply(void *self, void *argument) { return argument; }
        static struct method methods[] = {{"multiply", multiply, 5, 0}, {0, 0, 0, 0}};
        typeof(definition) module = {{1}, "pymult", 0, -1, methods, {0}};
        __attribute__((visibility("default"))) void *PyInit_pymult(void) { return PyModule_Create2(&module, 1013); }
        """,
        encoding="utf-8",
    )
    samples.run("gcc", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-o", "pymult.so", "m.c")
    assert findings(samples, "pymult.so") == [
        "error: row 1 of the module's methods, multiply has the flags METH_VARARGS | METH_NOARGS, which name no way to be called: "
        "the import ends with SystemError [method-table]"
    ]
    assert imports(samples) == "SystemError: multiply() method: bad call flags"


def imports(samples: Samples) -> str:
    """The last line of what CPython says when it imports pymult.so; empty when it does."""
    done = subprocess.run(
        # The smallest module says nothing of the GIL, of which a free-threaded CPython warns.
        [sys.executable, "-W", "ignore::RuntimeWarning", "-c", "import pymult"],
        cwd=samples.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stderr.strip().rpartition("\n")[2] if done.returncode >= 0 else f"killed by signal {-done.returncode}"


@pytest.mark.every_python
def test_cpython_agrees(samples: Samples) -> None:
    free_threaded = "free-threading" in sys.version
    if free_threaded:
        samples.elf(source_of("elf").replace("dq 1, 0, 0, 0, 0\n", "dq 0, 0, 1, 0, 0, 0, 0\n", 1), "pymult.so")
    else:
        samples.elf(source_of("elf"), "pymult.so")
    assert imports(samples) == ""
    if free_threaded:
        return
    samples.elf(source_of("elf").replace("dq name, 0, 0, methods", "dq name, 0, -1, methods"), "pymult.so")
    assert "m_size may not be negative" in imports(samples)
    samples.elf(source_of("elf").replace("dd 2, 0", "dd 5, 0"), "pymult.so")
    assert imports(samples).startswith("SystemError: ")
    section = ".data.rel.ro progbits alloc noexec write"
    samples.elf(source_of("elf").replace("section .data", f"section {section}"), "pymult.so")
    assert imports(samples) == "killed by signal 11"


@pytest.mark.parametrize("binary", FORMATS)
def test_functions_that_are_added_later(samples: Samples, binary: str) -> None:
    """The exec function hands PyModule_AddFunctions a table of its own."""
    body = {
        "elf": "lea rsi, [late]\n        jmp PyModule_AddFunctions wrt ..plt\n",
        "macho": "lea rsi, [late]\n        jmp PyModule_AddFunctions\n",
        "pe": "lea rdx, [late]\n        jmp [__imp_PyModule_AddFunctions]\n",
    }[binary]
    extern = "__imp_PyModule_AddFunctions" if binary == "pe" else "PyModule_AddFunctions"
    source = source_of(binary).replace("        extern ", f"        extern {extern}, ", 1)
    source = source.replace("xor     eax, eax\n        ret\n", body, 1)
    late = "late:\n        dq method, function\n        dd {flags}, 0\n        dq text\n        times 32 db 0\n"
    both = "PyModuleDef_Init PyModule_AddFunctions"
    good = source.replace("spec:\n", late.format(flags=8) + "spec:\n")
    assert findings(samples, make(samples, binary, good, symbols=both)) == []
    wrong = source.replace("spec:\n", late.format(flags=12) + "spec:\n")
    assert findings(samples, make(samples, binary, wrong, symbols=both)) == [
        "error: row 1 of the functions for PyModule_AddFunctions, multiply has the flags METH_NOARGS | METH_O, which name no way "
        "to be called: the import ends with SystemError [method-table]"
    ]


def test_a_type_that_a_nested_exec_slot_makes(samples: Samples) -> None:
    source = with_type("elf").replace("dd 2, 0\n        dq function", "dd 92, 0\n        dq array")
    array = "array:\n        dw 85, 0\n        dd 0\n        dq function\n        dq 0, 0\n"
    source = source.replace("spec:\n", array + "spec:\n").replace("dd 6, 0\n        dq 16", "dd 15, 0\n        dq 16")
    made = samples.elf(source, "pymult.cpython-315-x86_64-linux-gnu.so")
    assert findings(samples, made) == [
        "error: row 1 of the members of type pymult.T, multiply has the type 15, which is no Py_T_ number: reading it raises "
        "SystemError [attribute-table]"
    ]


def nested(flags: int, levels: int) -> str:
    """A definition whose slots include an array of PySlot (PEP 820), which includes others, down to one with the exec slot."""
    arrays = "".join(
        f"array{n}:\n        dw 92, {flags}\n        dd 0\n        dq array{n + 1}\n        dq 0, 0\n"
        for n in range(1, levels)
    )
    innermost = f"array{levels}:\n        dw 85, 0\n        dd 0\n        dq function\n        dq 0, 0\n"
    source = source_of("elf").replace("dd 2, 0\n        dq function", "dd 92, 0\n        dq array1")
    return source.replace("spec:\n", arrays + innermost + "spec:\n")


@pytest.mark.every_python
def test_cpython_agrees_on_nested_slots(samples: Samples) -> None:
    """The first CPython that reads nested arrays is 3.15; its own words are compared where it is what runs."""
    name = "pymult.cpython-315-x86_64-linux-gnu.so"
    runs = sys.version_info >= (3, 15) and "free-threading" not in sys.version
    for flags, levels, ours, cpythons in (
        (2, 4, None, ""),
        (0, 2, "lacks the flag PySlot_STATIC", "SystemError: slots included from PyModuleDef must be static"),
        (2, 5, "nests arrays of slots deeper than 5", "too many levels of nested slots"),
    ):
        source = nested(flags, levels)
        samples.elf(source, name)
        said = findings(samples, name)
        assert (said == []) if ours is None else (len(said) == 1 and ours in said[0]), (flags, levels, said)
        if runs:
            samples.elf(source, "pymult.so")
            assert imports(samples).endswith(cpythons) and bool(imports(samples)) == bool(cpythons)


# -- what else a module's names tell ------------------------------------------------------------------------------------


def test_an_entry_point_without_a_type(samples: Samples) -> None:
    made = samples.elf(ELF.replace(":function", ""))
    assert samples.check(made).output == (
        f"{LINUX}: note: PyInit_pymult has no type: auditwheel takes the module for a library without Python in it "
        "[entry-untyped]\n  fix: write `global PyInit_pymult:function` before its label\n"
        "checked 1 module: 0 errors, 0 warnings, 1 note\n"
    )


def make_exporting(samples: Samples, binary: str, label: str) -> str:
    """A good module that exports one more function."""
    source = source_of(binary).replace("function:", f"{label}:\nfunction:")
    source = source.replace("        global ", f"        global {label}\n        global ", 1)
    if binary == "pe":
        return samples.pe(source, link=["/export:PyInit_pymult", f"/export:{label}"])
    return make(samples, binary, source)


@pytest.mark.parametrize("binary", FORMATS)
def test_entry_points_of_two_modules(samples: Samples, binary: str) -> None:
    made = make_exporting(samples, binary, "PyInit_second")
    assert samples.check(made).findings == (
        f"{made}: note: exports PyInit_second besides its own entry point: `import` looks for a file of each module's name and "
        "does not find that one here [several-entry-points]\n"
        "  fix: build a file for each module, or keep an importer that asks this file for each by name (PEP 489)\n"
        "checked 1 module: 0 errors, 0 warnings, 1 note\n"
    )


@pytest.mark.parametrize("binary", FORMATS)
def test_an_interpreter_within(samples: Samples, binary: str) -> None:
    made = make_exporting(samples, binary, "Py_Initialize")
    assert samples.check(made).output.startswith(
        f"{made}: error: defines Py_Initialize itself: an interpreter is linked into it, beside the one that imports it "
        "[embedded-python]\n"
    )


def test_an_interpreter_within_that_is_not_exported(samples: Samples) -> None:
    source = source_of("elf").replace("function:", "_PyRuntime:\nfunction:")
    item = samples.object(
        source.replace("        global ", "        global _PyRuntime:hidden\n        global ", 1), "elf64"
    )
    samples.run("ld", "-shared", "-z", "noexecstack", "-o", LINUX, item)
    assert "defines _PyRuntime itself" in samples.check(LINUX).output


@pytest.mark.parametrize("binary", FORMATS)
def test_private_names(samples: Samples, binary: str) -> None:
    extern = "__imp__PyObject_GetDictPtr" if binary == "pe" else "_PyObject_GetDictPtr"
    source = source_of(binary).replace("        extern ", f"        extern {extern}, ", 1)
    call = {"elf": f"call {extern} wrt ..plt", "macho": f"call {extern}", "pe": f"call [{extern}]"}[binary]
    source = source.replace("xor     eax, eax", call, 1)
    made = make(samples, binary, source, symbols="PyModuleDef_Init _PyObject_GetDictPtr")
    assert samples.check(made).output == (
        f"{made}: note: needs a private name of CPython, which any release may change: _PyObject_GetDictPtr [private-names]\n"
        "  fix: use the public functions that do the same\nchecked 1 module: 0 errors, 0 warnings, 1 note\n"
    )
