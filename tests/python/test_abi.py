"""`nasm-ext check` on functions that break a calling convention: each rule in each format, with the way there."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from abi_samples import FORMATS, IMPORTS, RULES, Case, link, make, source_of, told
from check_samples import LINUX, MACOS, Samples, tool

INCLUDE = Path(__file__).resolve().parents[2] / "python/nasm_build/include"


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


SAVE = "or use a volatile register: rax rcx rdx rsi rdi r8-r11"
SAVE_WINDOWS = "or use a volatile register: rax rcx rdx r8-r11"
BEHIND = "keep the value in a register that calls leave alone, or on the stack, over the call"

SYSTEM_V = {
    "a register that is not put back on the way for errors": Case(
        """\
        push    rbx
        mov     rbx, rdi
        @PyErr_Occurred
        test    rax, rax
        jnz     .failed
        mov     rdi, rbx
        @PyLong_FromLong
        pop     rbx
        ret
.failed:
        add     rsp, 8
        ret
""",
        (
            "error: kernel returns with rbx changed [callee-saved]",
            "    kernel+0x1: rbx written here",
            "    kernel+0xc: jump taken",
            "    kernel+0x1c: here",
            f"  fix: save rbx before kernel+0x1 and restore it before the return, {SAVE}",
        ),
    ),
    "a frame pointer that is lost on one way and not on the other": Case(
        """\
        push    rbp
        mov     rbp, rsp
        test    rdi, rdi
        jnz     .end
        add     rsp, 8
        ret
.end:   leave
        ret
""",
        (
            "error: kernel returns with rbp changed [callee-saved]",
            "    kernel+0x1: rbp written here",
            "    kernel+0xd: here",
            f"  fix: save rbp before kernel+0x1 and restore it before the return, {SAVE}",
        ),
    ),
    "a register that is lost behind a loop whose end another function moves": Case(
        """\
        sub     rsp, 8
        mov     ebx, 1
        call    helper
        add     rsp, 8
        ret
helper: sub     rsp, 88
        lea     rax, [rsp + 16]
        mov     [rsp + 8], rax
.next:  lea     rdi, [rsp + 8]
        @PyLong_FromLong
        mov     rax, [rsp + 8]
        lea     rcx, [rsp + 80]
        cmp     rax, rcx
        jne     .next
        add     rsp, 88
        ret
""",
        (
            "error: kernel returns with rbx changed [callee-saved]",
            "    kernel+0x4: rbx written here",
            "    kernel+0x12: here",
            f"  fix: save rbx before kernel+0x4 and restore it before the return, {SAVE}",
        ),
    ),
    "a jump table into the middle of what was followed before": Case(
        """\
        cmp     edi, 1
        je      .setup
        mov     ebx, 1
        jmp     .case0
.case0: nop
.case1: xor     eax, eax
        ret
.case2: mov     eax, 1
        ret
.setup: cmp     rsi, 1
        ja      .case2
        lea     rdx, [.table]
        movsxd  rax, [rdx + rsi * 4]
        add     rax, rdx
        jmp     rax
.table: dd .case1 - .table, .case2 - .table
""",
        (
            "error: kernel returns with rbx changed [callee-saved]",
            "    kernel+0x5: rbx written here",
            "    kernel+0xa: jump taken",
            "    kernel+0xf: here",
            f"  fix: save rbx before kernel+0x5 and restore it before the return, {SAVE}",
        ),
    ),
    "a jump table that another function leads into, of two that call each other": Case(
        """\
        test    edi, edi
        call    helper
        mov     ebx, 1
        jmp     helper.case0
helper: test    edi, edi
        jne     .deep
        xor     eax, eax
        xor     edx, edx
        ret
.deep:  sub     rsp, 8
        call    kernel
        add     rsp, 8
        cmp     rax, 1
        ja      .case2
        lea     rdx, [.table]
        movsxd  rax, [rdx + rax * 4]
        add     rax, rdx
        jmp     rax
.case0: nop
.case1: xor     eax, eax
        ret
.case2: mov     eax, 1
        ret
.table: dd .case1 - .table, .case2 - .table
""",
        (
            "error: kernel returns with rbx changed [callee-saved]",
            "    kernel+0x7: rbx written here",
            "    kernel+0xc: jump taken",
            "    kernel+0x3d: here",
            f"  fix: save rbx before kernel+0x7 and restore it before the return, {SAVE}",
        ),
    ),
    "a stack pointer from a register, before what else there is of the function was followed": Case(
        """\
        test    rdi, rdi
        jz      .end
        test    rsi, rsi
        jz      .end
        test    rdx, rdx
        jz      .end
        mov     rsp, rbx
        ret
.end:   test    rcx, rcx
        jz      .over
        ret
.over:  ret
""",
        (
            "error: kernel sets rsp to what rbx was at its entry [stack-balance]",
            "    kernel+0xf: here",
            "  fix: `push rbp` and `mov rbp, rsp` come before `leave`, and rbp must not be written in between",
        ),
    ),
    "a register of which a byte is written": Case(
        """\
        mov     r12b, 1
        ret
""",
        (
            "error: kernel returns with r12 changed [callee-saved]",
            "    kernel+0x0: r12 written here",
            "    kernel+0x3: here",
            f"  fix: save r12 before kernel+0x0 and restore it before the return, {SAVE}",
        ),
    ),
    "a register that a function of the module changes": Case(
        """\
        call    helper
        ret
helper: mov     r15, rdi
        ret
""",
        (
            "error: kernel returns with r15 changed [callee-saved]",
            "    kernel+0x0: r15 written here",
            "    kernel+0x5: here",
            f"  fix: save r15 before kernel+0x0 and restore it before the return, {SAVE}",
        ),
    ),
    "a push without its pop": Case(
        """\
        push    rdi
        test    rdi, rdi
        jz      .end
        pop     rdi
.end:   ret
""",
        (
            "error: kernel returns with a stack pointer that depends on the way there [stack-balance]",
            "    kernel+0x4: jump taken",
            "    kernel+0x7: here",
            "  fix: give back on each way what that way took: every push has its pop, every `sub rsp` its `add rsp`",
        ),
    ),
    "too much given back": Case(
        """\
        sub     rsp, 8
        @PyErr_Occurred
        add     rsp, 16
        ret
""",
        (
            "error: kernel returns with rsp 8 bytes above where it was at entry, so that `ret` takes something else for its address [stack-balance]",
            "    kernel+0xd: here",
            "  fix: take 8 bytes less from the stack: a pop or `add rsp, 8` too many",
        ),
    ),
    "the direction flag": Case(
        """\
        std
        mov     ecx, 8
        rep movsb
        ret
""",
        (
            "error: kernel returns with the direction flag set [direction-flag]",
            "    kernel+0x8: here",
            "  fix: put `cld` behind the last string instruction that runs backwards",
        ),
    ),
    "a call 8 bytes off": Case(
        """\
        @PyErr_Occurred
        ret
""",
        (
            "error: kernel calls PyErr_Occurred with rsp 8 bytes off a multiple of 16 [call-align]",
            "    kernel+0x0: here",
            "  fix: take 8 bytes more of the stack before the call, and give them back behind it",
        ),
    ),
    "a call of a function that needs alignment": Case(
        """\
        call    helper
        ret
helper: sub     rsp, 8
        @PyErr_Occurred
        add     rsp, 8
        ret
""",
        (
            "error: kernel calls helper with rsp 8 bytes off a multiple of 16 [call-align]",
            "    kernel+0x0: here",
            "  fix: take 8 bytes more of the stack before the call, and give them back behind it",
        ),
    ),
    "an argument that a call destroyed": Case(
        """\
        sub     rsp, 8
        @PyErr_Occurred
        lea     rdi, [rsi + 1]
        @PyLong_FromLong
        add     rsp, 8
        ret
""",
        (
            "error: kernel reads rsi behind a call, which leaves anything in it [volatile-after-call]",
            "    kernel+0x9: here",
            f"  fix: {BEHIND}",
        ),
    ),
    "memory below what a signal leaves alone": Case(
        """\
        mov     [rsp - 136], rdi
        mov     rax, [rsp - 128]
        ret
""",
        (
            "error: kernel uses memory 136 bytes below rsp; beyond 128 a signal may overwrite it [red-zone]",
            "    kernel+0x0: here",
            "  fix: move rsp below it first",
        ),
    ),
}


@pytest.mark.parametrize("binary", ["elf", "macho"])
@pytest.mark.parametrize("what", SYSTEM_V)
def test_system_v(samples: Samples, binary: str, what: str) -> None:
    case = SYSTEM_V[what]
    assert told(samples, make(samples, binary, case.code)) == list(case.said)


WIN64 = {
    "registers that are volatile elsewhere": Case(
        """\
        mov     rdi, rcx
        mov     rsi, rdx
        mov     rcx, r8
        rep movsb
        ret
""",
        (
            "error: kernel returns with rsi changed [callee-saved]",
            "    kernel+0x3: rsi written here",
            "    kernel+0xb: here",
            f"  fix: save rsi before kernel+0x3 and restore it before the return, {SAVE_WINDOWS}",
            "error: kernel returns with rdi changed [callee-saved]",
            "    kernel+0x0: rdi written here",
            "    kernel+0xb: here",
            f"  fix: save rdi before kernel+0x0 and restore it before the return, {SAVE_WINDOWS}",
        ),
    ),
    "a vector register": Case(
        """\
        movups  xmm6, [rcx]
        addps   xmm6, xmm6
        movups  [rcx], xmm6
        ret
""",
        (
            "error: kernel returns with xmm6 changed, which on Windows belongs to its caller [callee-saved]",
            "    kernel+0x9: here",
            "  fix: save all 16 bytes of xmm6 first and restore them before the return, or use xmm0-xmm5",
        ),
    ),
    "half of a vector register is put back": Case(
        """\
        sub     rsp, 24
        movsd   [rsp], xmm7
        xorps   xmm7, xmm7
        movsd   xmm7, [rsp]
        add     rsp, 24
        ret
""",
        (
            "error: kernel returns with xmm7 changed, which on Windows belongs to its caller [callee-saved]",
            "    kernel+0x15: here",
            "  fix: save all 16 bytes of xmm7 first and restore them before the return, or use xmm0-xmm5",
        ),
    ),
    "a call without shadow space": Case(
        """\
        sub     rsp, 8
        @PyErr_Occurred
        add     rsp, 8
        ret
""",
        (
            "error: kernel calls PyErr_Occurred with 24 of the 32 bytes that belong to the callee missing: it may write over the return address [shadow-space]",
            "    kernel+0x4: here",
            "  fix: `sub rsp, 40` at the beginning (32 bytes, and 8 that keep rsp aligned), `add rsp, 40` before the return",
        ),
    ),
    "something kept where the callee may write": Case(
        """\
        push    rbx
        sub     rsp, 16
        mov     rbx, rcx
        @PyErr_Occurred
        mov     rax, rbx
        add     rsp, 16
        pop     rbx
        ret
""",
        (
            "error: kernel calls PyErr_Occurred with 8 of the 32 bytes that belong to the callee missing: it may write over the return address [shadow-space]",
            "    kernel+0x8: here",
            "  fix: `sub rsp, 40` at the beginning (32 bytes, and 8 that keep rsp aligned), `add rsp, 40` before the return",
            "error: kernel returns with rbx changed [callee-saved]",
            "    kernel+0x5: rbx written here",
            "    kernel+0x16: here",
            f"  fix: save rbx before kernel+0x5 and restore it before the return, {SAVE_WINDOWS}",
        ),
    ),
    "a local function that writes into its shadow space": Case(
        """\
        push    rbx
        mov     ebx, ecx
        call    helper
        pop     rbx
        ret
helper: mov     [rsp + 8], rdx
        ret
""",
        (
            "error: kernel returns with rbx changed [callee-saved]",
            "    kernel+0x1: rbx written here",
            "    kernel+0x9: here",
            f"  fix: save rbx before kernel+0x1 and restore it before the return, {SAVE_WINDOWS}",
        ),
    ),
    "memory below rsp": Case(
        """\
        mov     [rsp - 8], rcx
        mov     rax, [rsp - 8]
        ret
""",
        (
            "error: kernel uses memory 8 bytes below rsp, which Windows may overwrite at any time [red-zone]",
            "    kernel+0x0: here",
            "  fix: move rsp below it first",
        ),
    ),
    "a register that only System V calls leave alone to nobody": Case(
        """\
        sub     rsp, 40
        @PyErr_Occurred
        mov     rcx, rdx
        @PyLong_FromLong
        add     rsp, 40
        ret
""",
        (
            "error: kernel calls PyLong_FromLong with rcx, which nobody set, for an argument [arg-undefined]",
            "    kernel+0xd: here",
            "  fix: set rcx between the last call and this one",
        ),
    ),
}


@pytest.mark.parametrize("what", WIN64)
def test_win64(samples: Samples, what: str) -> None:
    case = WIN64[what]
    assert told(samples, make(samples, "pe", case.code)) == list(case.said)


MASKED_INDEX = """\
        push    rbx
        {names}
        and     edi, 7
        lea     rcx, [.table]
        movsxd  rax, [rcx + rdi * 4]
        add     rax, rcx
        jmp     rax
.one:   mov     eax, 1
.two:   pop     rbx
        ret
.bad:   pop     rbx
        pop     rbx
        ret
.table: dd .one - .table, .two - .table
.other: dd .bad - .table
"""
"""Read beyond its two entries, the table leads to code that takes too much from the stack."""

GOOD = {
    "system v": """\
        push    rbx
        push    r12
        sub     rsp, 24
        mov     rbx, rdi
        mov     r12, rsi
        mov     [rsp - 128], rsi
        @PyErr_Occurred
        test    rax, rax
        jnz     .failed
        lea     rdi, [rbx + r12]
        @PyLong_FromLong
.end:   add     rsp, 24
        pop     r12
        pop     rbx
        ret
.failed:
        xor     eax, eax
        jmp     .end
""",
    "a frame that is aligned by hand": """\
        push    rbp
        mov     rbp, rsp
        push    rbx
        and     rsp, -32
        sub     rsp, 64
        mov     rbx, rdi
        @PyErr_Occurred
        mov     rax, rbx
        mov     rbx, [rbp - 8]
        leave
        ret
""",
    "a jump table": """\
        push    rbx
        lea     rax, [.table]
        cmp     edi, 2
        ja      .end
        mov     edi, edi
        movsxd  rbx, [rax + rdi * 4]
        add     rax, rbx
        jmp     rax
.table: dd .one - .table, .two - .table, .end - .table
.one:   mov     eax, 1
        jmp     .end
.two:   mov     eax, 2
.end:   pop     rbx
        ret
""",
    "a jump table with fewer entries than its index has values": MASKED_INDEX.format(names="lea     rdx, [.other]"),
    "a loop that takes the stack in steps": """\
        push    rbp
        mov     rbp, rsp
        lea     r11, [rsp - 16384]
.next:  sub     rsp, 4096
        or      qword [rsp], 0
        cmp     rsp, r11
        jne     .next
        @PyErr_Occurred
        add     rsp, 16384
        pop     rbp
        ret
""",
    "a question about a register that is to be kept": """\
        test    rbx, rbx
        jbe     .none
        cmp     rbp, 5
        ja      .none
        xor     eax, eax
        ret
.none:  mov     eax, 1
        ret
""",
    "a jump table whose index was compared before other flags were written": """\
        push    rbx
        lea     rax, [.table]
        cmp     rdi, 2
        inc     rcx
        jae     .end
        movsxd  rbx, [rax + rdi * 4]
        add     rax, rbx
        jmp     rax
.one:   pop     rbx
.end:   pop     rbx
        ret
.table: dd .end - .table, .end - .table, .one - .table
""",
    "a loop over the stack that ends at the frame pointer": """\
        push    rbp
        mov     rbp, rsp
        sub     rsp, 16
        mov     [rbp - 4], esi
        lea     rdx, [rbp - 4]
.next:  movzx   ecx, byte [rdx]
        mov     [rdi], cl
        inc     rdi
        add     rdx, 1
        cmp     rbp, rdx
        jne     .next
        leave
        ret
""",
    "a local function with a convention of its own": """\
        push    rbx
        mov     rbx, rdi
        call    helper
        lea     rax, [rsi + r11]
        pop     rbx
        ret
helper: mov     r11, rbx
        ret
""",
}
GOOD_WINDOWS = {
    "win64": """\
        push    rbx
        sub     rsp, 48
        movups  [rsp + 32], xmm6
        mov     rbx, rcx
        movups  xmm6, [rdx]
        @PyErr_Occurred
        mov     rcx, rbx
        @PyLong_FromLong
        movups  xmm6, [rsp + 32]
        add     rsp, 48
        pop     rbx
        ret
""",
    "a local function that leaves its shadow space alone": """\
        push    rbx
        push    rsi
        mov     ebx, ecx
        mov     esi, edx
        call    helper
        pop     rsi
        pop     rbx
        ret
helper: lea     eax, [rbx + rsi]
        ret
""",
    "arguments in the caller's shadow space": """\
        mov     [rsp + 8], rcx
        mov     [rsp + 16], rbx
        sub     rsp, 40
        mov     rbx, rdx
        @PyErr_Occurred
        mov     rax, rbx
        add     rsp, 40
        mov     rcx, [rsp + 8]
        mov     rbx, [rsp + 16]
        ret
""",
}


@pytest.mark.parametrize("binary", ["elf", "macho"])
@pytest.mark.parametrize("what", GOOD)
def test_what_keeps_to_system_v(samples: Samples, binary: str, what: str) -> None:
    made = make(samples, binary, GOOD[what])
    assert told(samples, made) == []
    assert "not checked: callee-saved" not in samples.check("--abi", made).output
    assert "passed: callee-saved\n" in samples.check("--abi", "--verbose", made).output


@pytest.mark.parametrize("what", GOOD_WINDOWS)
def test_what_keeps_to_win64(samples: Samples, what: str) -> None:
    made = make(samples, "pe", GOOD_WINDOWS[what])
    assert told(samples, made) == []
    assert "passed: shadow-space\n" in samples.check("--abi", "--verbose", made).output


@pytest.mark.parametrize("binary", FORMATS)
def test_a_function_that_runs_on(samples: Samples, binary: str) -> None:
    source = (
        source_of(binary, "        xor     eax, eax\n")
        .replace("kernel:\n", "KERNEL:\n")
        .replace("PyInit_pymult:\n", "kernel:\n        xor     eax, eax\nPyInit_pymult:\n", 1)
    )
    source = source.replace("KERNEL:\n        xor     eax, eax\n", "")
    if binary == "elf":
        made = samples.elf(source)
    elif binary == "macho":
        made = samples.macho(source)
    else:
        symbols = " ".join(("PyModuleDef_Init", *IMPORTS))
        made = samples.pe(source, link=["/export:PyInit_pymult", "/export:kernel"], symbols=symbols)
    assert told(samples, made) == [
        "warning: kernel runs on into PyInit_pymult [fallthrough]",
        "    kernel+0x0: here",
        "  fix: end it with `ret`, or with `jmp` where that is what it means",
    ]


def test_the_lines_of_the_source(samples: Samples) -> None:
    """With the build's object: a function that no symbol of the module names is known by it too, and called by C."""
    case = SYSTEM_V["a register that is not put back on the way for errors"]
    source = source_of("elf", case.code).replace("global kernel:function\n", "global kernel:function hidden\n")
    samples.elf(source)
    lines = samples.check("--abi", "--object", "pymult.o", LINUX).output.splitlines()
    first = source.splitlines().index("kernel:") + 2
    assert lines[:5] == [
        f"pymult.asm:{first + 11}: error: kernel returns with rbx changed [callee-saved]",
        f"    pymult.asm:{first + 1}: rbx written here",
        f"    pymult.asm:{first + 4}: jump taken",
        f"    pymult.asm:{first + 11}: here",
        f"  fix: save rbx before line {first + 1} and restore it before the return, {SAVE}",
    ]
    assert told(samples, LINUX) == [], "without the object nothing says that C calls it"


@pytest.mark.parametrize("binary", FORMATS)
def test_the_lines_of_the_source_in_each_format(samples: Samples, binary: str) -> None:
    """ELF and Mach-O have DWARF in the object, COFF has CodeView with whole paths; people read the same."""
    code = """\
        push    rbx
        mov     rbx, rax
        test    eax, eax
        jnz     .failed
        pop     rbx
        ret
.failed:
        add     rsp, 8
        ret
"""
    source = source_of(binary, code)
    first = source.splitlines().index("kernel:") + 2
    name = link(samples, binary, source)
    save = SAVE_WINDOWS if binary == "pe" else SAVE
    lines = samples.check("--abi", "--object", "pymult.o", name).output.splitlines()
    at = next(index for index, line in enumerate(lines) if line.endswith("[callee-saved]"))
    assert lines[at : at + 5] == [
        f"pymult.asm:{first + 8}: error: kernel returns with rbx changed [callee-saved]",
        f"    pymult.asm:{first + 1}: rbx written here",
        f"    pymult.asm:{first + 3}: jump taken",
        f"    pymult.asm:{first + 8}: here",
        f"  fix: save rbx before line {first + 1} and restore it before the return, {save}",
    ]
    without = told(samples, name)
    assert without[1:4] == [
        "    kernel+0x1: rbx written here",
        "    kernel+0x6: jump taken",
        "    kernel+0xe: here",
    ]


WITH_MACROS = """\
%include "Python.inc"
exported_function kernel, a
        sub     rsp, 8
        py_call PyErr_Occurred
        add     rsp, 8
        return  0
py_methods
py_module pymult, "A module."
"""


@pytest.mark.parametrize("binary", FORMATS)
def test_a_fault_in_what_a_macro_emits_names_the_line_that_uses_it(samples: Samples, binary: str) -> None:
    target = {"elf": "linux-x86_64", "macho": "macosx-11.0-x86_64", "pe": "win-amd64"}[binary]
    said = samples.nasm_ext_says("flags", "--target", target, "--python", "3.13", "--include-dir", str(INCLUDE)).output
    words = shlex.split(said)
    words = words[words.index("--reproducible") :]
    if binary == "macho":
        words = [word for word in words if word not in ("--prefix", "_")]  # `Samples` gives it
    name = link(samples, binary, WITH_MACROS, *words)
    lines = samples.check("--abi", "--object", "pymult.o", name).output.splitlines()
    assert lines[:2] == [
        "pymult.asm:4: error: kernel calls PyErr_Occurred with rsp 8 bytes off a multiple of 16 [call-align]",
        "    pymult.asm:4: here",
    ]


def test_a_section_that_the_linker_parted(samples: Samples) -> None:
    """Where a Mach-O object allows it, ld64 leaves out the pieces between symbols that nothing refers to."""
    source = source_of("macho", SYSTEM_V["a register that is not put back on the way for errors"].code)
    unused = "unused: mov     eax, 1\n        add     eax, 77\n        ret\n"
    source = source.replace("kernel:\n", f"{unused}kernel:\n", 1)
    words = ("-g", "-F", "dwarf", "--prefix", "_", "--before", "subsections_via_symbols")
    item = samples.object(source, "macho64", *words)
    assert samples.nasm_ext_says("trim-object", item).returncode == 0, "labels inside of functions would part those too"
    linker = tool("ld64.lld", "ld64.lld-14")
    platform = ("-arch", "x86_64", "-platform_version", "macos", "11.0", "11.0", "-S", "-dead_strip")
    samples.run(linker, *platform, "-bundle", "-undefined", "dynamic_lookup", "-o", MACOS, item)
    first = source.splitlines().index("kernel:") + 2
    lines = samples.check("--abi", "--object", item, MACOS).output.splitlines()
    assert lines[0] == f"pymult.asm:{first + 11}: error: kernel returns with rbx changed [callee-saved]"
    assert b"\x83\xc0\x4d" not in (samples.folder / MACOS).read_bytes(), "it was left out"


def test_what_is_no_object_is_passed_by_and_a_damaged_one_is_told(samples: Samples) -> None:
    """A caller may give every object it has: bitcode, or what a compiler wrote for another processor."""
    name = make(samples, "pe", SYSTEM_V["a call 8 bytes off"].code)
    (samples.folder / "other.o").write_bytes(b"BC\xc0\xde of a compiler")
    assert samples.check("--object", "other.o", "--object", "pymult.o", name).returncode == 0
    whole = (samples.folder / "pymult.o").read_bytes()
    (samples.folder / "cut.o").write_bytes(whole[: len(whole) // 2])
    said = samples.check("--object", "cut.o", name)
    assert (said.returncode, said.errors) == (
        2,
        "error: cut.o: is no whole COFF object for x86-64\nfix: give --object the objects that NASM wrote\n",
    )


def test_what_cannot_be_followed_is_not_checked(samples: Samples) -> None:
    made = make(samples, "elf", "        push    rbx\n        jmp     [rdi]\n")
    lines = [line for line in samples.check("--abi", made).output.splitlines() if "callee-saved" in line]
    assert len(lines) == 1
    rules, _, reason = lines[0].removeprefix(f"{LINUX}: not checked: ").partition(", because ")
    assert set(rules.split(", ")) == {*RULES} - {"shadow-space", "win64-epilog", "stack-probe"}
    assert reason == "1 of its 2 functions could not be followed (kernel: a computed jump was not resolved)"


def test_a_jump_table_that_may_have_been_read_beyond_its_end_gives_no_error(samples: Samples) -> None:
    made = make(samples, "elf", MASKED_INDEX.format(names="mov     edx, 1"))
    assert told(samples, made) == []
    reason = "1 of its 2 functions could not be followed (kernel: a jump table has no bound that is known)"
    assert reason in samples.check("--abi", made).output


def test_the_code_is_followed_when_that_is_asked_for(samples: Samples) -> None:
    made = make(samples, "elf", SYSTEM_V["a call 8 bytes off"].code)
    said = samples.check("--verbose", made)
    assert said.returncode == 0
    assert f"{made}: not applicable: call-align: --abi asks for it\n" in said.output
    said = samples.check("--abi", made)
    assert said.returncode == 1
    granted = "that no store through a pointer hits a saved register"
    assert said.output.endswith(f"conventions: 2 functions followed on every path; taken for granted: {granted}\n")
    assert json.loads(samples.check("--abi", "--format", "json", made).output)["files"][0]["followed"] == {
        "functions": 2,
        "not_followed": 0,
        "taken_for_granted": granted,
    }


def test_a_module_for_another_machine(samples: Samples) -> None:
    """The rules are for x86-64 alone, and say so."""
    source = 'void *PyModuleDef_Init(void *); int d[26]; __attribute__((visibility("default"))) void *PyInit_pymult(void) { return PyModuleDef_Init(d); }'
    (samples.folder / "m.c").write_text(source, encoding="utf-8")
    name = "pymult.cpython-313-aarch64-linux-gnu.so"
    words = ["--target=aarch64-linux-gnu", "-ffreestanding", "-fPIC", "-fvisibility=hidden", "-c", "-o", "m.o", "m.c"]
    samples.run("clang-14", *words)
    samples.run("ld.lld-14", "-shared", "-z", "now", "-o", name, "m.o")
    assert (
        f"{name}: not applicable: callee-saved: it is code for arm64, and that for x86-64 alone is read\n"
        in samples.check("--abi", "--verbose", name).output
    )
