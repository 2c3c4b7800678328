"""What `nasm-ext check` says that a loader refuses, beside what real loaders say: stacks, programs, flags, levels."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from check_samples import HARDENING, LINUX, Samples, tool
from loaders import ALONE, LOADED, MUSL, NEWER, alone, asked, glibc, musl, newer_glibc, says, says_clean
from sources import answer

THREAD_LOCAL = """\
        default rel
        global PyInit_pymult:function
        global per_thread

        section .text
PyInit_pymult:
        mov     rax, [per_thread wrt ..gottpoff]
        ret

        section .tbss nobits alloc noexec write tls align={alignment}
per_thread:
        resb {size}

        section .note.GNU-stack noalloc noexec nowrite progbits
"""

NEEDS_LEVEL = """
        section .note.gnu.property note alloc noexec nowrite align=8
        dd 4, 32, 5, "GNU"
        dd 0xc0000002, 4, 2, 0          ; x86 feature: SHSTK
        dd 0xc0008002, 4, {level}, 0    ; x86 ISA needed
"""


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def test_a_module_that_every_loader_takes(samples: Samples) -> None:
    module = alone(samples)
    says_clean(samples, module)
    for python in (sys.executable, newer_glibc(), musl()):
        assert asked(python, samples.folder / module) == LOADED


# -- the stack -------------------------------------------------------------------------------------------------------

REFUSED_STACK = "cannot enable executable stack as shared object requires: Invalid argument"


def test_an_executable_stack_is_refused_from_glibc_2_41_on(samples: Samples) -> None:
    module = f"pymult.cpython-{NEWER.replace('.', '')}-x86_64-linux-gnu.so"
    samples.elf(answer(name="pymult"), module, link=["-z", "execstack"])
    says(
        samples, module, "error",
        "asks for an executable stack, and glibc from 2.41 on refuses to load it [executable-stack]",
        "link with -z noexecstack, or put `section .note.GNU-stack noalloc noexec nowrite progbits` at the end of each "
        "source",
    )  # fmt: skip
    importing = "import pymult; assert pymult.answer() == 42"
    assert asked(newer_glibc(), samples.folder / module, importing) == REFUSED_STACK
    samples.elf(answer(name="pymult"), module)
    says_clean(samples, module)
    assert asked(newer_glibc(), samples.folder / module, importing) == LOADED


def test_an_executable_stack_under_the_machine_s_own_glibc(samples: Samples) -> None:
    module = samples.folder / samples.elf(ALONE, link=["-z", "execstack"])
    assert asked(sys.executable, module) == (LOADED if glibc() < (2, 41) else REFUSED_STACK)


def test_musl_takes_no_notice_of_the_stack(samples: Samples) -> None:
    module = samples.elf(ALONE, MUSL, link=["-z", "execstack"])
    says(
        samples, module, "warning",
        "asks for an executable stack, and glibc from 2.41 on refuses to load it [executable-stack]",
        "link with -z noexecstack, or put `section .note.GNU-stack noalloc noexec nowrite progbits` at the end of each "
        "source",
    )  # fmt: skip
    assert asked(musl(), samples.folder / module) == LOADED


# -- thread-local data -----------------------------------------------------------------------------------------------

STORAGE_FIX = "compile with -ftls-model=global-dynamic; assembly can keep the data in the module's state instead"


def thread_local(samples: Samples, size: int, alignment: int = 8, name: str = LINUX) -> str:
    (samples.folder / "own.map").write_text("{ global: PyInit_*; local: *; };\n", encoding="utf-8")
    source = THREAD_LOCAL.format(size=size, alignment=alignment)
    return alone(samples, "--version-script=own.map", source=source, name=name)


@pytest.mark.parametrize(
    ("size", "alignment", "severity", "message"),
    [
        (
            1600, 8, "warning",
            "has 1600 bytes of thread-local data at fixed distances, of the 1664 that glibc keeps in its static block for "
            "all libraries that are loaded later: loading fails when others were first [static-tls]",
        ),
        (
            4000, 8, "error",
            "has 4000 bytes of thread-local data at fixed distances, and glibc keeps 1664 in its static block for all "
            "libraries that are loaded later: it cannot allocate memory in it [static-tls]",
        ),
        (
            16, 256, "error",
            "has thread-local data at fixed distances that is aligned to 256 bytes, and glibc aligns its static block to "
            "64: it cannot allocate memory in it [static-tls]",
        ),
    ],
)  # fmt: skip
def test_thread_local_data_at_fixed_distances(
    samples: Samples, size: int, alignment: int, severity: str, message: str
) -> None:
    module = thread_local(samples, size, alignment)
    says(samples, module, severity, message, STORAGE_FIX)
    expected = LOADED if severity == "warning" else "cannot allocate memory in static TLS block"
    for python in (sys.executable, newer_glibc()):
        assert asked(python, samples.folder / module) == expected


def test_the_room_for_thread_local_data_is_shared(samples: Samples) -> None:
    """What the warning is about: the second of two modules that would each fit."""
    names = [
        thread_local(samples, 1600, name=f"{name}.cpython-313-x86_64-linux-gnu.so") for name in ("first", "second")
    ]
    command = "import ctypes; [ctypes.CDLL(one) for one in ('./{}', './{}')]".format(*names)
    assert asked(newer_glibc(), samples.folder / names[1], command) == (
        f"./{names[1]}: cannot allocate memory in static TLS block"
    )


def test_a_little_thread_local_data_is_fine_but_for_musl(samples: Samples) -> None:
    module = thread_local(samples, 100)
    says_clean(samples, module)
    assert asked(newer_glibc(), samples.folder / module) == LOADED
    module = thread_local(samples, 100, name=MUSL)
    says(
        samples, module, "error",
        "has thread-local data at fixed distances (initial-exec), which musl refuses in whatever is loaded after the "
        "process has started [static-tls]",
        STORAGE_FIX,
    )  # fmt: skip
    # Between the two it prints whatever name its last look-up had.
    assert "initial-exec TLS resolves to dynamic definition in" in asked(musl(), samples.folder / module)


# -- programs, flags, systems ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind", "refused"),
    [
        (
            ["-pie", "--export-dynamic", "-e", "PyInit_pymult"],
            "a position-independent program (DF_1_PIE)",
            "cannot dynamically load position-independent executable",
        ),
        (
            ["--export-dynamic", "-e", "PyInit_pymult", "--section-start=.text=0x400000"],
            "a program that is linked to a fixed address (ET_EXEC)",
            "cannot dynamically load executable",
        ),
    ],
    ids=["pie", "fixed"],
)
def test_a_program_is_no_module(samples: Samples, words: list[str], kind: str, refused: str) -> None:
    item = samples.object(ALONE, "elf64")
    # A library to need is what gives a program at a fixed address a dynamic table.
    library = samples.shared_library("libnothing.so")
    samples.run(tool("ld.bfd", "ld"), *HARDENING, "--no-as-needed", *words, "-o", LINUX, item, library)
    checked = samples.check(LINUX)
    line = (
        f"{LINUX}: error: is {kind}, which cannot be loaded as a module [not-loadable]\n  fix: link it with -shared\n"
    )
    assert line in checked.output
    assert checked.returncode == 1
    for python in (sys.executable, newer_glibc()):
        assert asked(python, samples.folder / LINUX) == refused


def test_a_module_that_forbids_dlopen(samples: Samples) -> None:
    message = (
        "is marked as not to be opened while a process runs (DF_1_NOOPEN), which is how CPython loads a module: glibc "
        "refuses [no-dlopen]"
    )
    module = alone(samples, "-z", "nodlopen")
    says(samples, module, "error", message, "link without -z nodlopen")
    for python in (sys.executable, newer_glibc()):
        assert asked(python, samples.folder / module) == "shared object cannot be dlopen()ed"
    module = alone(samples, "-z", "nodlopen", name=MUSL)
    says(samples, module, "warning", message, "link without -z nodlopen")
    assert asked(musl(), samples.folder / module) == LOADED


def test_a_module_for_another_system(samples: Samples) -> None:
    fix = "link with the tools for Linux; where only the mark is wrong: elfedit --output-osabi=none"
    message = "says that it is for FreeBSD (EI_OSABI 9), and glibc on Linux refuses to load it [foreign-osabi]"
    for name, severity in ((LINUX, "error"), (MUSL, "warning")):
        module = samples.folder / alone(samples, name=name)
        samples.run(tool("elfedit"), "--output-osabi=freebsd", name)
        says(samples, name, severity, message, fix)
        for python in (sys.executable, newer_glibc()) if severity == "error" else (musl(),):
            assert asked(python, module) == (LOADED if severity == "warning" else "ELF file OS ABI invalid")
        samples.run(tool("elfedit"), "--output-osabi=gnu", name)
        says_clean(samples, name)


# -- levels of the processor -----------------------------------------------------------------------------------------

LEVEL_FIX = "link without -z x86-64-vN (compile without -mneeded), and choose the faster code at run time, by cpuid"


def test_a_level_that_no_machine_has(samples: Samples) -> None:
    module = alone(samples, source=ALONE + NEEDS_LEVEL.format(level=0x10))
    says(
        samples, module, "error",
        "is marked as needing a level of x86-64 that glibc does not know (0x10), and is refused on every machine "
        "[isa-needed]",
        LEVEL_FIX,
    )  # fmt: skip
    for python in (sys.executable, newer_glibc()):
        assert asked(python, samples.folder / module) == "CPU ISA level is lower than required"


@pytest.mark.parametrize(
    ("level", "name", "features"),
    [
        (0x2, "x86-64-v2", {"cx16", "lahf_lm", "popcnt", "sse4_2", "ssse3"}),
        (0x4, "x86-64-v3", {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}),
        (0x8, "x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ],
)
def test_a_level_that_some_machines_have(samples: Samples, level: int, name: str, features: set[str]) -> None:
    module = alone(samples, source=ALONE + NEEDS_LEVEL.format(level=level))
    said = f"is marked as needing {name}, and glibc from 2.33 on refuses to load it on any other x86-64 machine [isa-needed]"
    says(samples, module, "warning", said, LEVEL_FIX)
    flags = set(
        next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    )
    expected = LOADED if features <= flags else "CPU ISA level is lower than required"
    assert asked(newer_glibc(), samples.folder / module) == expected
    # Under a tag that promises every x86-64 machine.
    wheel = samples.wheel("pymult-1.0-cp313-cp313-manylinux_2_28_x86_64.whl", {LINUX: module})
    severity = "warning" if name == "x86-64-v2" else "error"
    assert f"{wheel}: {LINUX}: {severity}: {said}\n" in samples.check(wheel).output


def test_the_baseline_is_no_level(samples: Samples) -> None:
    says_clean(samples, alone(samples, source=ALONE + NEEDS_LEVEL.format(level=1)))
