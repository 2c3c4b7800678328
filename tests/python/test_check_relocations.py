"""Relocations, pages and protections that `nasm-ext check` tells of, beside what real loaders say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from check_samples import ELF, HARDENING, LINUX, Samples, tool
from loaders import ALONE, LOADED, MUSL, SUMMARIES, asked, glibc, musl, musl_version, newer_glibc, says, says_clean

IFUNC = """
static int one(void) {{ return 1; }}
static void *pick(void) {{ return one; }}
{storage} int chosen(void) __attribute__((ifunc("pick")));
int PyInit_pymult(void) {{ return {use}; }}
"""

TELLS_WHETHER_ADJUSTED = """\
        default rel
        global PyInit_pymult:function
        global adjusted:function

        section .text
adjusted:
        lea     rcx, [table]
        xor     eax, eax
        cmp     rcx, [table]
        sete    al
PyInit_pymult:
        ret

        section .data
table:  dq table
"""

ADDRESSES = """
#include <stdio.h>
static const char *const words[] = {"a", "b"};
const char *PyInit_pymult(int which) { puts(words[which]); return words[which]; }
"""


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


# -- relocations -----------------------------------------------------------------------------------------------------

IFUNC_FIX = (
    "choose the function at import and keep its address, instead of by ifunc (gcc's target_clones uses ifunc too)"
)


def compiled(samples: Samples, source: str, *words: str, name: str = LINUX) -> str:
    (samples.folder / "pymult.c").write_text(source, encoding="utf-8")
    hardening = [f"-Wl,{','.join(HARDENING)}"]
    samples.run(tool("gcc"), "-O1", "-fPIC", "-shared", *hardening, *words, "-o", name, "pymult.c")
    return name


@pytest.mark.parametrize(
    ("source", "severity", "message", "refused"),
    [
        (
            IFUNC.format(storage="static", use="chosen()"), "error",
            "chooses a function by ifunc (IRELATIVE), a relocation that musl does not know and refuses [ifunc-on-musl]",
            "unsupported relocation type 37",
        ),
        (
            IFUNC.format(storage="", use="chosen()"), "error",
            "chooses chosen by ifunc and refers to it by name, and musl finds such a symbol by no name [ifunc-on-musl]",
            "chosen: symbol not found",
        ),
        (
            IFUNC.format(storage="", use="1"), "warning",
            "exports chosen as an ifunc, which musl finds by no name [ifunc-on-musl]",
            "",
        ),
    ],
    ids=["local", "by-name", "exported"],
)  # fmt: skip
def test_ifunc_on_musl(samples: Samples, source: str, severity: str, message: str, refused: str) -> None:
    compiled(samples, source, "-nostdlib", name=LINUX)
    compiled(samples, source, "-nostdlib", name=MUSL)
    assert "ifunc" not in samples.check(LINUX).output
    assert asked(newer_glibc(), samples.folder / LINUX) == LOADED
    assert f"{MUSL}: {severity}: {message}\n  fix: {IFUNC_FIX}\n" in samples.check(MUSL).output
    assert asked(musl(), samples.folder / MUSL) == (refused or LOADED)


def test_packed_relocations_without_the_version_that_glibc_asks_for(samples: Samples) -> None:
    module = compiled(samples, ADDRESSES, "-fuse-ld=lld", "-Wl,--pack-dyn-relocs=relr")
    said = (
        f"{module}: error: has packed relocations (DT_RELR) without needing the version GLIBC_ABI_DT_RELR, and glibc from "
        "2.36 on refuses to load it [packed-relocations]\n"
        "  fix: link with -z pack-relative-relocs, which adds the version, or without packing\n"
    )
    assert said in samples.check(module).output
    for python in (sys.executable, newer_glibc()):
        if python == newer_glibc() or glibc() >= (2, 36):
            assert asked(python, samples.folder / module) == "DT_RELR without GLIBC_ABI_DT_RELR dependency"


def test_packed_relocations_with_the_version(samples: Samples) -> None:
    module = compiled(samples, ADDRESSES, "-Wl,-z,pack-relative-relocs")
    assert "packed-relocations" not in samples.check(module).output
    assert asked(newer_glibc(), samples.folder / module) == LOADED
    wheel = samples.wheel("pymult-1.0-cp313-cp313-manylinux_2_28_x86_64.whl", {LINUX: module})
    assert (
        f"{wheel}: {LINUX}: error: has packed relocations (DT_RELR), for which glibc must be 2.36, and "
        "manylinux_2_28_x86_64 promises 2.28 [packed-relocations]\n"
        "  fix: link without -z pack-relative-relocs (--pack-dyn-relocs=relr)\n"
    ) in samples.check(wheel).output


def test_packed_relocations_on_musl(samples: Samples) -> None:
    """An older musl loads the file and adjusts nothing: the address in the table is not that of the table."""
    item = samples.object(TELLS_WHETHER_ADJUSTED, "elf64")
    samples.run(tool("ld.lld"), "-shared", "-s", *HARDENING, "--pack-dyn-relocs=relr", "-o", MUSL, item)
    asking = "import ctypes; assert ctypes.CDLL(name).adjusted() == {}"
    assert asked(newer_glibc(), samples.folder / MUSL, asking.format(1)) == LOADED
    assert asked(musl(), samples.folder / MUSL, asking.format(int(musl_version() >= (1, 2, 4)))) == LOADED
    wheel = samples.wheel("pymult-1.0-cp313-cp313-musllinux_1_2_x86_64.whl", {MUSL: MUSL})
    assert samples.check(wheel).output == (
        f"{wheel}: {MUSL}: warning: has packed relocations (DT_RELR), which musl before 1.2.4 passes over, and "
        "musllinux_1_2_x86_64 promises 1.2: the first use of an address ends the process [packed-relocations]\n"
        "  fix: link without -z pack-relative-relocs (--pack-dyn-relocs=relr)\n"
        f"{wheel}: {MUSL}: note: exports one name beyond its entry point: adjusted [extra-exports]\n"
        "  fix: give each `global` line `:function hidden`, or link with a version script\n"
        "checked 1 module: 0 errors, 1 warning, 1 note\n"
    )


# -- pages -----------------------------------------------------------------------------------------------------------


def test_segments_that_cannot_be_mapped(samples: Samples) -> None:
    item = samples.object(ALONE, "elf64")
    link = [tool("ld.lld"), "-shared", "-s", *HARDENING, "-z", "noexecstack", "-o", LINUX, item]
    samples.run(*link, "-z", "max-page-size=16")
    checked = samples.check(LINUX)
    assert checked.output.startswith(f"{LINUX}: error: has a segment at address 0x")
    assert checked.output.endswith(
        " of the file: the two are at different places of a page, so that it cannot be mapped [page-alignment]\n"
        "  fix: link with -z max-page-size=4096, and strip or change the file with tools that keep it\n"
        + SUMMARIES["error"]
    )
    assert asked(newer_glibc(), samples.folder / LINUX) == "ELF load command address/offset not page-aligned"
    samples.run(*link, "-z", "max-page-size=4096")
    says_clean(samples, LINUX)
    assert asked(newer_glibc(), samples.folder / LINUX) == LOADED


def test_segments_for_the_small_pages_of_arm64(samples: Samples) -> None:
    """No loader for arm64 is to be had here: what its pages are is the linker's own default."""
    (samples.folder / "pymult.s").write_text(
        ".globl PyInit_pymult\n.type PyInit_pymult, %function\nPyInit_pymult: ret\n.data\n.quad PyInit_pymult\n",
        encoding="utf-8",
    )
    name = "pymult.cpython-313-aarch64-linux-gnu.so"
    samples.run(tool("llvm-mc", "llvm-mc-14"), "-triple=aarch64-linux-gnu", "-filetype=obj", "-o", "p.o", "pymult.s")
    link = [tool("ld.lld"), "-shared", "-s", "-z", "relro", "-z", "now", "-o", name, "p.o"]
    samples.run(*link, "-z", "max-page-size=4096")
    says(
        samples, name, "warning",
        "has segments that are aligned to 4096 bytes: machines with pages of 65536 bytes refuse to load it "
        "[page-alignment]",
        "link with -z max-page-size=65536, and strip or change the file with tools that keep it",
    )  # fmt: skip
    samples.run(*link)
    says_clean(samples, name)


# -- hardening -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "missing", "fix"),
    [
        (
            ["-z", "norelro", "-z", "lazy"],
            "RELRO, BIND_NOW and the mark for shadow stacks (SHSTK)",
            "-z relro -z now -z shstk",
        ),
        (["-z", "relro", "-z", "lazy", "-z", "shstk"], "BIND_NOW", "-z now"),
        (["-z", "relro", "-z", "now"], "the mark for shadow stacks (SHSTK)", "-z shstk"),
    ],
)
def test_protections_that_are_missing(samples: Samples, words: list[str], missing: str, fix: str) -> None:
    module = samples.elf(ELF, hardening=words)
    care = " (-z shstk only where each function returns by `ret`)" if "shstk" in fix else ""
    says(samples, module, "note", f"does without {missing} [missing-mitigations]", f"link with {fix}{care}")


def test_nothing_is_bound_late_where_nothing_is_called(samples: Samples) -> None:
    says_clean(samples, samples.elf(ALONE, hardening=["-z", "relro", "-z", "lazy", "-z", "shstk"]))
