"""Instruction sets: what `nasm-ext check` and `nasm-ext isa` say of modules with AVX2, held against objdump."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from check_samples import ELF, LINUX, MACHO, MACOS, PE, WINDOWS, Checked, Samples, tool
from devtools import isa_agreement

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"elf": ELF, "macho": MACHO, "pe": PE}
NAMES = {"elf": LINUX, "macho": MACOS, "pe": WINDOWS}
CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"

# The function is known by the address in `kernels` alone where symbols are stripped. The table behind it would be AVX-512.
AVX2 = """\
sum_avx2:
        vmovdqu ymm0, [rdi]
        vpaddd  ymm0, ymm0, [rsi]
        vmovdqu [rdi], ymm0
        vzeroupper
        ret
        db 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1

        section .data
kernels:
        dq sum_avx2
"""
ASKS = """\
PyInit_pymult:
        push    rbx
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        pop     rbx
"""
NEEDS = (
    "{0}: warning: needs x86-64-v3 (vmovdqu in {1}), and nothing in it asks the processor: one without stops there with "
    "an illegal instruction [isa-above-baseline]\n"
    "  fix: ask cpuid (in C: __builtin_cpu_supports) before it is called, and keep a plain version; or compile without "
    "-march, -mavx2, /arch\n"
    "checked 1 module: 0 errors, 1 warning, 0 notes\n"
)
HAS = (
    "{0}: note: has code for x86-64-v3 in 1 function ({1}), and asks the processor (cpuid) [isa-above-baseline]\n"
    "checked 1 module: 0 errors, 0 warnings, 1 note\n"
)
# The linkers leave names of local functions in Mach-O bundles alone.
FUNCTIONS = {"elf": "the function at 0x…", "macho": "sum_avx2", "pe": "the function at 0x…"}


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def source(kind: str, *, asks: bool, avx2: bool = True) -> str:
    text = SOURCES[kind]
    if avx2:
        text = text.replace("        section .data\n", AVX2, 1)
    return text.replace("PyInit_pymult:\n", ASKS, 1) if asks else text


def make(samples: Samples, kind: str, *, asks: bool, avx2: bool = True) -> str:
    made: str = getattr(samples, kind)(source(kind, asks=asks, avx2=avx2))
    return made


def without_addresses(checked: Checked) -> str:
    assert checked.errors == ""
    return re.sub(r"0x[0-9a-f]+", "0x…", checked.output)


@pytest.mark.parametrize("kind", SOURCES)
def test_avx2_that_nothing_asks_for(samples: Samples, kind: str) -> None:
    module = make(samples, kind, asks=False)
    checked = samples.check(module)
    assert (without_addresses(checked), checked.returncode) == (NEEDS.format(module, FUNCTIONS[kind]), 0)
    assert samples.check("--strict", module).returncode == 1


@pytest.mark.parametrize("kind", SOURCES)
def test_avx2_behind_cpuid(samples: Samples, kind: str) -> None:
    module = make(samples, kind, asks=True)
    checked = samples.check(module)
    assert (without_addresses(checked), checked.returncode) == (HAS.format(module, FUNCTIONS[kind]), 0)


@pytest.mark.parametrize("kind", SOURCES)
def test_plain_code(samples: Samples, kind: str) -> None:
    assert samples.check(make(samples, kind, asks=False, avx2=False)).output == CLEAN
    assert samples.check(make(samples, kind, asks=True, avx2=False)).output == CLEAN


def test_code_for_another_machine_is_not_read(samples: Samples) -> None:
    samples.run(
        tool("ld64.lld", "ld64.lld-14"), "-arch", "arm64", "-platform_version", "macos", "11.0", "11.0", "-dylib",
        "-undefined", "dynamic_lookup", "-o", "lib.dylib",
    )  # fmt: skip
    report = json.loads(samples.check("--format", "json", "lib.dylib").output)["files"][0]
    assert {
        "rule": "isa-above-baseline", "reason": "it is code for arm64, and that for x86-64 alone is read"
    } in report["not_applicable"]  # fmt: skip
    assert samples.nasm_ext_says("isa", "lib.dylib").output == "lib.dylib: not read: it is code for arm64\n"


def test_a_library_that_leaves_the_question_to_the_c_library(samples: Samples) -> None:
    """`getauxval`, an indirect function, and a module of C with the compiler's own question."""
    code = '#include <immintrin.h>\n__attribute__((target("avx2"))) __m256i twice(__m256i a) { return a + a; }\n'
    for extra, way in (
        ("", ""),
        ("#include <sys/auxv.h>\nunsigned long f(void) { return getauxval(16); }\n", "getauxval"),
        ('static void *r(void) { return 0; }\nvoid g(void) __attribute__((ifunc("r")));\n', "indirect functions"),
        ('int f(void) { return __builtin_cpu_supports("avx2"); }\n', "cpuid"),
    ):
        (samples.folder / "part.c").write_text(extra + code, encoding="utf-8")
        samples.run(tool("gcc"), "-O2", "-shared", "-fPIC", "-Wno-psabi", "-o", "libpart.so.1", "part.c")
        report = json.loads(samples.nasm_ext_says("isa", "--format", "json", "libpart.so.1").output)["files"][0]
        assert (report["level"], report["asks"]) == ("x86-64-v3", [way] if way else [])
        findings = json.loads(samples.check("--format", "json", "libpart.so.1").output)["files"][0]["findings"]
        said = [one["severity"] for one in findings if one["rule"] == "isa-above-baseline"]
        assert said == ["note" if way else "warning"]


RUNTIME = """\
PyInit_pymult:
        push    rbx
        xor     ecx, ecx
        mov     eax, 1
        cpuid
        and     eax, 0x0FFF3FF0
        mov     [rel isa_available], eax
        pop     rbx
"""
SUM = """\
sum:
        {}
        jz      .plain
        vmovdqu ymm0, [rcx]
        call    of_the_runtime
.plain:
        ret
of_the_runtime:
        vpxor   ymm0, ymm0
        ret

        section .data
        dd 0, 0, 0
isa_available:
        dd 0
        dd 0, 0, 0
        dq sum
"""


def test_what_microsoft_s_runtime_asks_is_not_the_module_s_question(samples: Samples) -> None:
    """Functions that follow its answer, and those that they alone call, are passed over; others are not."""
    text = PE.replace("PyInit_pymult:\n", RUNTIME, 1)
    follows = SUM.format("cmp     dword [rel isa_available], 3")
    data = "        section .data\n"
    assert samples.check(samples.pe(text.replace(data, follows, 1))).output == CLEAN
    alone = SUM.format("test    ecx, ecx")
    checked = samples.check(samples.pe(text.replace(data, alone, 1)))
    assert "warning: needs x86-64-v3 (vmovdqu in the function at 0x…, and 1 function more), and nothing" in (
        without_addresses(checked)
    )


# -- frame pointers ----------------------------------------------------------------------------------------------------

CALLS = """\
PyInit_pymult:
{}
        times 20 nop
        call    PyModuleDef_Init wrt ..plt
{}
        ret
"""
FRAMES = (
    "{0}: note: keeps no frame pointer in 1 function that makes calls (PyInit_pymult), so profilers lose the stack there "
    "[frame-pointers]\n"
    "  fix: begin such functions with `push rbp` and `mov rbp, rsp` (Python.inc's functions do), compile C with "
    "-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer\n"
)


@pytest.mark.parametrize("kind", ["elf", "macho"])
def test_frame_pointers(samples: Samples, kind: str) -> None:
    text = SOURCES[kind]
    start, end = text.index("PyInit_pymult:\n"), text.index("        section .data")

    def module(prologue: str, epilogue: str, version: str) -> str:
        body = CALLS.format(prologue, epilogue)
        if kind == "macho":
            body = body.replace(" wrt ..plt", "")
        name = NAMES[kind].replace("313", version)
        made: str = getattr(samples, kind)(text[:start] + body + text[end:], name=name)
        return made

    plain = ("        sub     rsp, 8", "        add     rsp, 8")
    frame = ("        push    rbp\n        mov     rbp, rsp", "        pop     rbp")
    newest = module(*plain, "315")
    assert FRAMES.format(newest) in samples.check(newest).output
    assert "frame-pointers" not in samples.check(module(*frame, "315")).output
    assert "frame-pointers" not in samples.check(module(*plain, "314")).output


# -- a release -------------------------------------------------------------------------------------------------------


def test_a_platform_without_the_kernels(samples: Samples) -> None:
    linux = samples.wheel(
        "fast-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", {f"fast/{LINUX}": make(samples, "elf", asks=True)}
    )
    slow = samples.wheel(
        "fast-1.0-cp313-cp313-win_amd64.whl", {f"fast/{WINDOWS}": make(samples, "pe", asks=False, avx2=False)}
    )
    said = (
        f"{slow}: fast/{WINDOWS}: warning: has no code for x86-64-v3, which {linux} has in the function at 0x…: the same "
        "call is slower on win-amd64 [simd-missing]\n"
        "  fix: build the same kernels for win-amd64 (its tables of sources, its compiler's flags), or say with --ignore "
        "that they are not meant for it\n"
    )
    both = samples.check(linux, slow)
    assert said in without_addresses(both) and "1 warning" in both.output, both
    assert "simd-missing" not in samples.check(slow).output
    silenced = samples.check("--ignore", "simd-missing=x86 Windows has no users", linux, slow)
    assert "silenced warning: has no code for x86-64-v3" in silenced.output and "0 warnings" in silenced.output
    fast = samples.wheel("fast-1.0-cp313-cp313-win_amd64.whl", {f"fast/{WINDOWS}": make(samples, "pe", asks=True)})
    assert "simd-missing" not in samples.check(linux, fast).output
    verdict = json.loads(samples.check("--format", "json", linux, fast).output)["files"]
    assert all("simd-missing" in file["passed"] for file in verdict if file["member"])


# -- nasm-ext isa ----------------------------------------------------------------------------------------------------


def test_isa_lists_the_functions(samples: Samples) -> None:
    module = make(samples, "macho", asks=True)
    said = samples.nasm_ext_says("isa", module)
    assert (without_addresses(said), said.returncode) == (
        f"{module}: x86-64-v3; asks the processor (cpuid); 2 functions\n"
        "  x86-64-v1  PyInit_pymult    (asks)\n"
        "  x86-64-v3  sum_avx2       avx avx2  vmovdqu at 0x…\n",
        0,
    )
    (samples.folder / "cut.so").write_bytes(b"\x7fELF")
    said = samples.nasm_ext_says("isa", "cut.so", "nowhere.so")
    assert said.returncode == 2 and said.output.count(": error: ") == 2


def test_isa_as_json(samples: Samples) -> None:
    wheel = samples.wheel("a-1-cp313-cp313-win_amd64.whl", {f"a/{WINDOWS}": make(samples, "pe", asks=False)})
    said = json.loads(samples.nasm_ext_says("isa", "--format", "json", "--all", wheel).output)
    assert said["schema_version"] == 1
    (file,) = said["files"]
    functions: list[dict[str, Any]] = file.pop("functions")
    assert file.pop("code_bytes") > 0
    assert file == {
        "path": wheel, "member": f"a/{WINDOWS}", "slice": None, "machine": "x86-64", "reason": None,
        "level": "x86-64-v3", "features": ["avx", "avx2"], "asks": [], "functions_read": 2, "functions_not_decoded": 0,
    }  # fmt: skip
    assert [(one["name"], one["level"], one["instructions"]) for one in functions] == [
        ("PyInit_pymult", "x86-64-v1", 2), (None, "x86-64-v3", 5),
    ]  # fmt: skip
    assert [(one["feature"], one["instruction"]) for one in functions[1]["first"]] == [
        ("avx", "vmovdqu"), ("avx2", "vpaddd"),
    ]  # fmt: skip


# -- against objdump -------------------------------------------------------------------------------------------------


def test_hamming_is_read_as_objdump_reads_it(samples: Samples, nasm_ext: Path) -> None:
    sources = sorted((ROOT / "examples/hamming").glob("*.asm"))
    include = ROOT / "python/nasm_build/include"
    said = samples.nasm_ext_says("flags", "--target", "linux-x86_64", "--python", "3.13").output
    words = shlex.split(said)
    for path in sources:
        samples.run(
            tool("nasm"), *words, "-i", f"{include}/", "-i", f"{path.parent}/", "-o", f"{path.stem}.o", str(path)
        )
    objects = [f"{path.stem}.o" for path in sources]
    samples.run(tool("ld"), "-shared", "-z", "noexecstack", "-o", "hamming.so", *objects)
    agreement = isa_agreement.compare(nasm_ext, samples.folder / "hamming.so")
    levels = {name: level for name, level in agreement.ours.items() if level > 1}
    assert levels == {"hamming_avx2": 3, "hamming_avx512": 4}
    assert agreement.differences == []
    assert agreement.wrong_instructions == []
