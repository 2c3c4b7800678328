"""`nasm-ext check` on real modules: each rule finds what is wrong in each format, and nothing in a good module."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from check_samples import ELF, HARDENING, LINUX, MACHO, MACOS, PE, WINDOWS, Checked, Samples

ROOT = Path(__file__).resolve().parents[2]
CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"
ONE_ERROR = "checked 1 module: 1 error, 0 warnings, 0 notes\n"
ONE_WARNING = "checked 1 module: 0 errors, 1 warning, 0 notes\n"
ONE_NOTE = "checked 1 module: 0 errors, 0 warnings, 1 note\n"
STACK_FIX = (
    "  fix: link with -z noexecstack, or put `section .note.GNU-stack noalloc noexec nowrite progbits` at the end of "
    "each source\n"
)


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def says(checked: Checked, status: int, text: str) -> None:
    """The whole output, nothing else anywhere, and the exit status."""
    assert (checked.output, checked.errors, checked.returncode) == (text, "", status)


# -- good modules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Samples.elf, Samples.macho, Samples.pe], ids=["elf", "macho", "pe"])
def test_a_good_module(samples: Samples, make: Callable[[Samples], str]) -> None:
    says(samples.check(make(samples)), 0, CLEAN)


def test_passed_not_applicable_and_not_checked_are_told_apart(samples: Samples) -> None:
    samples.elf(name="pymult.so")
    report = json.loads(samples.check("--format", "json", "pymult.so").output)["files"][0]
    assert report["not_checked"] == [
        {
            "rule": "python-symbol-missing",
            "reason": "nobody said which CPython the module is for (give --python, or --abi3)",
        }
    ]
    assert {"rule": "missing-slice", "reason": "the file is ELF"} in report["not_applicable"]
    rules = samples.nasm_ext_says("explain").output
    for_binaries = [
        *report["passed"], *(one["rule"] for key in ("not_checked", "not_applicable") for one in report[key])
    ]  # fmt: skip
    assert len(for_binaries) == len(set(for_binaries))
    assert all(re.search(rf"^  {rule} +(error|warning|note) ", rules, re.MULTILINE) for rule in for_binaries)
    text = samples.nasm_ext_says("check", "pymult.so").output
    assert text.endswith(
        f"\nrules: {len(report['passed'])} passed, {len(report['not_applicable'])} not applicable, 1 not checked\n"
    )
    library = samples.shared_library("libquux.so.1")
    report = json.loads(samples.check("--format", "json", library).output)["files"][0]
    reason = "the file is a library, not an extension module"
    assert {"rule": "entry-missing", "reason": reason} in report["not_applicable"]


# -- explain ---------------------------------------------------------------------------------------------------------


def test_explain_prints_the_page_of_a_rule(samples: Samples) -> None:
    page = (ROOT / "docs/rules/executable-stack.md").read_text(encoding="utf-8")
    says(samples.nasm_ext_says("explain", "executable-stack"), 0, page)


def test_explain_of_a_rule_that_there_is_not(samples: Samples) -> None:
    said = samples.nasm_ext_says("explain", "executable-stac")
    assert said == Checked(
        2, "", "error: there is no rule named executable-stac\nfix: did you mean executable-stack?\n"
    )


def test_a_good_abi3_module(samples: Samples) -> None:
    says(samples.check("--abi3", "3.10", samples.elf(name="pymult.abi3.so")), 0, CLEAN)
    says(samples.check("--abi3", "3.10", samples.pe(name="pymult.pyd", dll="python3.dll")), 0, CLEAN)


# -- the entry point -------------------------------------------------------------------------------------------------


def test_a_misspelt_entry_point(samples: Samples) -> None:
    said = (
        "{}: error: exports PyInit_pymul, not PyInit_pymult: CPython finds no entry point for a module named pymult "
        "[entry-missing]\n  fix: spell it PyInit_pymult in the source, or name the module pymul\n" + ONE_ERROR
    )
    says(samples.check(samples.elf(ELF.replace("PyInit_pymult", "PyInit_pymul"))), 1, said.format(LINUX))
    says(samples.check(samples.macho(MACHO.replace("PyInit_pymult", "PyInit_pymul"))), 1, said.format(MACOS))
    pe = samples.pe(PE.replace("PyInit_pymult", "PyInit_pymul"), link=["/export:PyInit_pymul"])
    says(samples.check(pe), 1, said.format(WINDOWS))


def test_an_entry_point_that_was_never_declared_global(samples: Samples) -> None:
    source = ELF.replace("        global PyInit_pymult:function\n", "")
    item = samples.object(source, "elf64")
    samples.run("ld", "-shared", *HARDENING, "-z", "noexecstack", "-o", LINUX, item)
    says(
        samples.check(LINUX), 1,
        f"{LINUX}: error: PyInit_pymult is in the file, but not exported: it was never declared global "
        "[entry-hidden]\n  fix: write `global PyInit_pymult:function` before its label\n" + ONE_ERROR,
    )  # fmt: skip


def test_an_entry_point_with_hidden_visibility(samples: Samples) -> None:
    item = samples.object(ELF.replace(":function", ":function hidden"), "elf64")
    samples.run("ld", "-shared", *HARDENING, "-z", "noexecstack", "-o", LINUX, item)
    says(
        samples.check(LINUX), 1,
        f"{LINUX}: error: PyInit_pymult is in the file, but not exported: its visibility is hidden, or the linker was "
        "told to keep it local [entry-hidden]\n"
        "  fix: write `global PyInit_pymult:function` without `hidden`, and name it in the version script if there is "
        "one: `global: PyInit_pymult;`\n" + ONE_ERROR,
    )  # fmt: skip


def test_a_private_extern_on_macos(samples: Samples) -> None:
    source = MACHO.replace("global PyInit_pymult", "global PyInit_pymult:private_extern")
    says(
        samples.check(samples.macho(source)), 1,
        f"{MACOS}: error: PyInit_pymult is in the file, but not exported: its visibility is hidden, or the linker was "
        "told to keep it local [entry-hidden]\n"
        "  fix: write `global PyInit_pymult` without `private_extern`, and add `_PyInit_pymult` to the list of "
        "exported symbols if there is one\n" + ONE_ERROR,
    )  # fmt: skip


def test_a_module_for_macos_without_underscores(samples: Samples) -> None:
    says(
        samples.check(samples.macho(prefix=[])), 1,
        f"{MACOS}: error: PyInit_pymult has no underscore before it: on macOS CPython finds the function as "
        "_PyInit_pymult [entry-hidden]\n  fix: assemble with `--prefix _`\n"
        f"{MACOS}: error: PyModuleDef_Init has no underscore before it: macOS has the function as _PyModuleDef_Init "
        "[undefined-symbol]\n  fix: assemble with `--prefix _`\n"
        "checked 1 module: 2 errors, 0 warnings, 0 notes\n",
    )  # fmt: skip


def test_an_export_by_number_on_windows(samples: Samples) -> None:
    says(
        samples.check(samples.pe(link=["/export:PyInit_pymult,@1,NONAME"])), 1,
        f"{WINDOWS}: error: exports #1 by number alone, and CPython looks for PyInit_pymult by name [entry-hidden]\n"
        "  fix: link with /export:PyInit_pymult\n" + ONE_ERROR,
    )  # fmt: skip


def test_a_library_for_ctypes_under_a_modules_name(samples: Samples) -> None:
    source = ELF.replace("PyInit_pymult", "multiply").replace("jmp     PyModuleDef_Init wrt ..plt", "ret")
    checked = samples.check(samples.elf(source))
    assert checked.output.startswith(
        f"{LINUX}: warning: has no entry point and uses nothing of Python: ctypes and cffi can load it, `import "
        "pymult` fails [entry-missing]\n"
    )
    assert checked.returncode == 0


def test_no_entry_point(samples: Samples) -> None:
    source = ELF.replace("PyInit_pymult", "multiply")
    says(
        samples.check(samples.elf(source)), 1,
        f"{LINUX}: error: has no entry point: CPython looks for PyInit_pymult, and nothing of that name is exported "
        "[entry-missing]\n  fix: write `global PyInit_pymult:function` before its label\n"
        f"{LINUX}: note: exports one name beyond its entry point: multiply [extra-exports]\n"
        "  fix: give each `global` line `:function hidden`, or link with a version script\n"
        "checked 1 module: 1 error, 0 warnings, 1 note\n",
    )  # fmt: skip


def test_an_entry_point_in_data(samples: Samples) -> None:
    said = (
        "{}: error: PyInit_pymult is exported, but lies in {}, which is not executable [entry-not-code]\n"
        "  fix: put `section .text` before the label PyInit_pymult\n" + ONE_ERROR
    )
    says(samples.check(samples.elf(ELF.replace("section .text", "section .data"))), 1, said.format(LINUX, ".data"))
    macho = samples.macho(MACHO.replace("section .text", "section .data"))
    says(samples.check(macho), 1, said.format(MACOS, "__DATA,__data"))
    says(samples.check(samples.pe(PE.replace("section .text", "section .data"))), 1, said.format(WINDOWS, ".data"))


def test_only_the_new_entry_point_in_an_older_module(samples: Samples) -> None:
    module = samples.elf(ELF.replace("PyInit_", "PyModExport_"))
    says(
        samples.check(module), 1,
        f"{LINUX}: error: exports only PyModExport_pymult, which CPython 3.15 and later look for; this module is for "
        "CPython 3.13 [entry-too-new]\n"
        "  fix: export PyInit_pymult as well, or build for CPython 3.15 and later\n" + ONE_ERROR,
    )  # fmt: skip
    newer = samples.elf(ELF.replace("PyInit_", "PyModExport_"), name="pymult.cpython-315-x86_64-linux-gnu.so")
    says(samples.check(newer), 0, CLEAN)


def test_a_name_beyond_ascii(samples: Samples) -> None:
    module = samples.elf(ELF.replace("PyInit_pymult", "PyInitU_f_1gaa"), name="föö.abi3.so")
    says(samples.check("--abi3", "3.10", module), 0, CLEAN)


def test_a_package(samples: Samples) -> None:
    (samples.folder / "pymult").mkdir()
    module = samples.elf(name="pymult/__init__.cpython-313-x86_64-linux-gnu.so")
    says(samples.check(module), 0, CLEAN)


# -- symbols of Python -----------------------------------------------------------------------------------------------


def test_a_misspelt_python_symbol_names_the_line(samples: Samples) -> None:
    module = samples.elf(ELF.replace("PyModuleDef_Init", "PyModuleDef_Initt"))
    said = (
        "{}: error: no CPython has PyModuleDef_Initt; did you mean PyModuleDef_Init? [python-symbol-unknown]\n"
        "  fix: spell it PyModuleDef_Init\n" + ONE_ERROR
    )
    says(samples.check(module), 1, said.format(LINUX))
    says(samples.check("--object", "pymult.o", module), 1, said.format("pymult.asm:9"))
    says(samples.check(samples.macho(MACHO.replace("Def_Init", "Def_Initt"))), 1, said.format(MACOS))
    pe = samples.pe(PE.replace("Def_Init", "Def_Initt"), symbols="PyModuleDef_Initt")
    says(samples.check(pe), 1, said.format(WINDOWS))


def test_every_line_is_told(samples: Samples) -> None:
    call = "        call    PyLong_FromLongg wrt ..plt\n"
    source = ELF.replace("Def_Init\n\n", "Def_Init, PyLong_FromLongg\n\n").replace(
        "        lea", call + call + "        lea"
    )
    module = samples.elf(source)
    says(
        samples.check("--object", "pymult.o", module), 1,
        "pymult.asm:8: error: no CPython has PyLong_FromLongg; did you mean PyLong_FromLong? [python-symbol-unknown]\n"
        "  also: pymult.asm:9\n  fix: spell it PyLong_FromLong\n" + ONE_ERROR,
    )  # fmt: skip


def test_a_python_symbol_of_another_version(samples: Samples) -> None:
    module = samples.elf(ELF.replace("PyModuleDef_Init", "PyLong_AsInt"), name="pymult.cpython-311-x86_64-linux-gnu.so")
    says(
        samples.check(module), 1,
        f"{module}: error: PyLong_AsInt came with CPython 3.13; this module is for CPython 3.11 "
        "[python-symbol-missing]\n  fix: use what CPython 3.11 has, or build for CPython 3.13 and later\n" + ONE_ERROR,
    )  # fmt: skip
    says(
        samples.check(samples.elf(ELF.replace("PyModuleDef_Init", "_PyLong_AsInt"))), 1,
        f"{LINUX}: error: _PyLong_AsInt was removed in CPython 3.13; this module is for CPython 3.13 "
        "[python-symbol-missing]\n  fix: use PyLong_AsInt, which CPython 3.13 has\n" + ONE_ERROR,
    )  # fmt: skip


def test_a_python_that_there_is_no_list_for(samples: Samples) -> None:
    module = samples.elf(name="pymult.cpython-399-x86_64-linux-gnu.so")
    says(
        samples.check(module), 0,
        f"{module}: not checked: python-symbol-missing, because there is no list of the names that CPython 3.99 "
        "exports\n" + CLEAN,
    )  # fmt: skip


def test_a_symbol_outside_the_stable_abi(samples: Samples) -> None:
    module = samples.elf(ELF.replace("PyModuleDef_Init", "PyLong_AsInt"), name="pymult.abi3.so")
    says(
        samples.check("--abi3", "3.10", module), 1,
        "pymult.abi3.so: error: PyLong_AsInt came into the stable ABI with CPython 3.13; this module promises 3.10, and "
        "CPython 3.10 to 3.12 do not have it [not-stable-abi]\n"
        '  fix: promise CPython 3.13 and later instead (py-limited-api = "3.13"), or use what 3.10 has\n' + ONE_ERROR,
    )  # fmt: skip
    says(samples.check("--abi3", "3.13", module), 0, CLEAN)


def test_libpython_is_linked(samples: Samples) -> None:
    library = samples.shared_library("libpython3.13.so.1.0")
    fix = (
        "  fix: link without it: leave out -lpython (python3-config --ldflags --embed adds it); the interpreter brings "
        "the symbols\n"
    )
    module = samples.elf(link=["-z", "noexecstack", library])
    says(
        samples.check(module), 0,
        f"{LINUX}: warning: is linked with libpython3.13.so.1.0, which not every CPython has [libpython-linked]\n"
        + fix + ONE_WARNING,
    )  # fmt: skip
    wheel = samples.wheel("pymult-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", {module: module})
    says(
        samples.check(wheel), 1,
        f"{wheel}: {LINUX}: error: is linked with libpython3.13.so.1.0, which a CPython that is linked statically does "
        "not have [libpython-linked]\n" + fix + ONE_ERROR,
    )  # fmt: skip


def test_the_wrong_python_dll(samples: Samples) -> None:
    says(
        samples.check(samples.pe(dll="python312.dll")), 1,
        f"{WINDOWS}: error: imports PyModuleDef_Init from python312.dll, not from python313.dll as a module for CPython "
        "3.13 must [wrong-python-dll]\n  fix: link with the import library of python313.dll\n" + ONE_ERROR,
    )  # fmt: skip


# -- other symbols ---------------------------------------------------------------------------------------------------


def test_a_symbol_that_nobody_has(samples: Samples) -> None:
    module = samples.elf(ELF.replace("        lea", "        call    multiply_fast wrt ..plt\n        lea").replace(
        "extern ", "extern multiply_fast, "
    ))  # fmt: skip
    says(
        samples.check("--object", "pymult.o", module), 1,
        "pymult.asm:8: error: multiply_fast is not defined: CPython does not have it, and the module needs no library "
        "[undefined-symbol]\n"
        '  fix: define multiply_fast, or link the library that has it: libraries = ["…"]\n' + ONE_ERROR,
    )  # fmt: skip


def test_a_function_of_libm(samples: Samples) -> None:
    source = ELF.replace("        lea", "        call    sin wrt ..plt\n        lea").replace("extern ", "extern sin, ")
    says(
        samples.check("--object", "pymult.o", samples.elf(source)), 0,
        "pymult.asm:8: warning: sin is in no library that the module needs: it is found only because CPython itself "
        'needs libm [undefined-symbol]\n  fix: link the library that has it: libraries = ["m"]\n' + ONE_WARNING,
    )  # fmt: skip
    says(samples.check(samples.elf(source, link=["-z", "noexecstack", "-lm"])), 0, CLEAN)


# -- platform --------------------------------------------------------------------------------------------------------


def test_another_platform(samples: Samples) -> None:
    fix = (
        "  fix: build it for that platform: --target, or the plat_name of the wheel, must name the machine that the "
        "code is for\n"
    )
    module = samples.elf(name="pymult.so")
    said = "{}: error: is {} for x86-64, but is for {} [wrong-platform]\n" + fix + ONE_ERROR
    words = ["--python", "3.13", "--target"]
    says(samples.check(*words, "win-amd64", module), 1, said.format("pymult.so", "ELF", "win-amd64"))
    says(samples.check(*words, "linux-aarch64", module), 1, said.format("pymult.so", "ELF", "linux-aarch64"))
    wheel = samples.wheel("p-1-cp313-cp313-macosx_11_0_arm64.whl", {"pymult.so": samples.macho()})
    says(samples.check(wheel), 1, said.format(f"{wheel}: pymult.so", "Mach-O", "macosx-11.0-arm64"))
    pe = samples.pe(name="pymult.pyd")
    says(samples.check(*words, "win-arm64", pe), 1, said.format("pymult.pyd", "PE", "win-arm64"))


def test_a_missing_slice(samples: Samples) -> None:
    wheel = samples.wheel("p-1-cp313-cp313-macosx_11_0_universal2.whl", {MACOS: samples.macho()})
    says(
        samples.check(wheel), 1,
        f"{wheel}: {MACOS}: error: has no code for arm64, which macosx-11.0-universal2 promises [missing-slice]\n"
        "  fix: join the files of both machines (lipo -create), or promise the machine that it is for: x86-64\n"
        + ONE_ERROR,
    )  # fmt: skip


def test_a_file_name_against_the_tag(samples: Samples) -> None:
    fix = "  fix: take the file's suffix and the tag from one place (nasm-ext toolchain prints both)\n"
    module = samples.elf()
    says(
        samples.check("--python", "3.12", module), 1,
        f"{LINUX}: error: its file name says CPython 3.13, but the command line says CPython 3.12, which does not "
        "import a file of that name [file-name]\n" + fix + ONE_ERROR,
    )  # fmt: skip
    wheel = samples.wheel("pymult-1.0-cp312-abi3-linux_x86_64.whl", {module: module})
    says(
        samples.check(wheel), 1,
        f"{wheel}: {LINUX}: error: its file name says CPython 3.13, but the wheel's tag says CPython 3.12 and later "
        "(abi3), which does not import a file of that name [file-name]\n" + fix + ONE_ERROR,
    )  # fmt: skip


def test_a_program_is_no_module(samples: Samples) -> None:
    item = samples.object(ELF.replace("jmp     PyModuleDef_Init wrt ..plt", "ret"), "elf64")
    samples.run("ld", "-z", "noexecstack", "-e", "PyInit_pymult", "--export-dynamic", "-o", LINUX, item)
    checked = samples.check(LINUX)
    assert checked.returncode == 1
    assert (
        f"{LINUX}: error: is a program that is linked to a fixed address (ET_EXEC), which cannot be loaded as a module "
        "[not-loadable]\n  fix: link it with -shared\n" in checked.output
    )


# -- loading ---------------------------------------------------------------------------------------------------------


def test_an_executable_stack(samples: Samples) -> None:
    without_note = ELF[: ELF.index("        section .note")]
    said = LINUX + ": error: {}, and glibc from 2.41 on refuses to load it [executable-stack]\n" + STACK_FIX + ONE_ERROR
    asks = said.format("asks for an executable stack")
    says(samples.check(samples.elf(without_note, link=["-z", "execstack"])), 1, asks)
    item = samples.object(without_note, "elf64")
    samples.run("ld.lld", "-shared", "-s", *HARDENING, "-z", "nognustack", "-o", LINUX, item)
    silent = said.format("does not say that its stack need not be executable")
    says(samples.check(LINUX), 1, silent)
    says(samples.check(samples.elf(without_note, link=["-z", "noexecstack"])), 0, CLEAN)


def test_text_relocations(samples: Samples) -> None:
    table = "table:  dq definition, PyModuleDef_Init\nPyInit_pymult:"
    module = samples.elf(ELF.replace("PyInit_pymult:\n", table + "\n", 1).replace("jmp     PyModuleDef_Init wrt ..plt", "ret"),
                         link=["-z", "noexecstack", "-z", "notext"])  # fmt: skip
    checked = samples.check(module)
    assert checked.returncode == 0, checked
    assert checked.output.startswith(f"{LINUX}: warning: has relocations in its code")
    assert (
        "so the loader must make the code writable, which SELinux and hardened kernels deny [text-relocations]\n"
        "  fix: use `default rel`, and put tables of addresses into `section .data.rel.ro`; -z text makes the linker "
        "refuse\n"
    ) in checked.output
    assert checked.output.endswith(ONE_WARNING)


def test_writable_code(samples: Samples) -> None:
    source = ELF.replace("section .text", "section .wtext progbits alloc exec write")
    fix = (
        "  fix: keep code in `section .text` and data in `section .data`; write no `write` after `exec` in a section "
        "line\n"
    )
    checked = samples.check(samples.elf(source))
    assert checked.returncode == 0, checked
    assert checked.output.startswith(f"{LINUX}: warning: has memory that is writable and executable at once (")
    assert checked.output.endswith(") [writable-code]\n" + fix + ONE_WARNING)
    says(
        samples.check(samples.pe(link=["/export:PyInit_pymult", "/section:.text,ERW"])), 0,
        f"{WINDOWS}: warning: has memory that is writable and executable at once (.text) [writable-code]\n"
        + fix + ONE_WARNING,
    )  # fmt: skip


# -- hygiene ---------------------------------------------------------------------------------------------------------


def test_more_exports_than_needed(samples: Samples) -> None:
    said = "{}: note: exports one name beyond its entry point: helper [extra-exports]\n  fix: {}\n" + ONE_NOTE
    helper = "        global helper\nhelper: ret\nPyInit_pymult:\n"
    elf = samples.elf(ELF.replace("PyInit_pymult:\n", helper, 1))
    script = "give each `global` line `:function hidden`, or link with a version script"
    says(samples.check(elf), 0, said.format(LINUX, script))
    macho = samples.macho(MACHO.replace("PyInit_pymult:\n", helper, 1))
    says(samples.check(macho), 0, said.format(MACOS, "export the entry point alone"))
    pe = samples.pe(PE.replace("PyInit_pymult:\n", helper, 1), link=["/export:PyInit_pymult", "/export:helper"])
    says(samples.check(pe), 0, said.format(WINDOWS, "export the entry point alone"))


def test_other_libraries(samples: Samples) -> None:
    library = samples.shared_library("libquux.so.1")
    says(
        samples.check(samples.elf(link=["-z", "noexecstack", library])), 0,
        f"{LINUX}: note: needs libquux.so.1, which must be on every machine that it runs on, or come with it "
        "[other-libraries]\n" + ONE_NOTE,
    )  # fmt: skip


def test_run_paths_into_a_build_folder(samples: Samples) -> None:
    said = (
        "{}: warning: looks for libraries in /tmp/build/lib, a folder of the machine that it was built on "
        "[build-path]\n  fix: link without -rpath, or use {}\n" + ONE_WARNING
    )
    elf = samples.elf(link=["-z", "noexecstack", "-rpath", "$ORIGIN/lib:/tmp/build/lib:/usr/lib"])
    says(samples.check(elf), 0, said.format(LINUX, "$ORIGIN"))
    macho = samples.macho(link=["-rpath", "@loader_path/lib", "-rpath", "/tmp/build/lib"])
    says(samples.check(macho), 0, said.format(MACOS, "@loader_path"))
