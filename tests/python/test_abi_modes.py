"""`nasm-ext check --abi` on what is no register and no stack pointer: modes, unwind data, jumps, and how CPython is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from abi_samples import FORMATS, Case, make, source_of, told
from check_samples import HARDENING, LINUX, Samples


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


EVERYWHERE = {
    "vzeroupper": Case(
        """\
        vxorps  ymm0, ymm0, ymm0
        ret
""",
        (
            "warning: kernel returns with the upper halves of ymm registers in use, which makes SSE code slow from there on [vzeroupper]",
            "    kernel+0x4: here",
            "  fix: put `vzeroupper` before the return",
        ),
    ),
    "fp-state: MXCSR": Case(
        """\
        mov     eax, 0x9fc0
        push    rax
        ldmxcsr [rsp]
        pop     rax
        ret
""",
        (
            "warning: kernel returns with MXCSR changed [fp-state]",
            "    kernel+0xb: here",
            "  fix: save it first with `stmxcsr`, and restore it with `ldmxcsr` from the same place",
        ),
    ),
    "fp-state: the x87 control word": Case(
        """\
        fninit
        ret
""",
        (
            "warning: kernel returns with the x87 control word changed [fp-state]",
            "    kernel+0x2: here",
            "  fix: save it first with `fnstcw`, and restore it with `fldcw` from the same place",
        ),
    ),
    "fp-state: MMX": Case(
        """\
        pxor    mm0, mm0
        ret
""",
        (
            "warning: kernel returns with MMX registers in use: x87 code gives NaN [fp-state]",
            "    kernel+0x3: here",
            "  fix: put `emms` behind the last MMX instruction",
        ),
    ),
    "jump-into-instruction": Case(
        """\
        test    eax, eax
        jz      .inner + 2
.inner: mov     eax, 0xc3c3c3c3
        ret
""",
        (
            "warning: kernel jumps into the middle of an instruction [jump-into-instruction]",
            "    kernel+0x2: jump taken",
            "    kernel+0x6: here",
            "  fix: jump to a label that stands before an instruction",
        ),
    ),
    "stack-balance: the return address": Case(
        """\
        mov     [rsp], rax
        ret
""",
        (
            "error: kernel writes over its return address, so that `ret` takes something else for it [stack-balance]",
            "    kernel+0x0: here",
            "  fix: take as much of the stack as is written to, and not less: a larger `sub rsp, N`, and the same `add rsp, N`",
        ),
    ),
    "call-align: an access": Case(
        """\
        movaps  xmm0, [rsp]
        ret
""",
        (
            "error: kernel accesses 16 bytes at once at a place of the stack that is 8 bytes off a multiple of 16: it faults "
            "[call-align]",
            "    kernel+0x0: here",
            "  fix: take 8 bytes more of the stack, or use `movups` and `movdqu`",
        ),
    ),
    "volatile-after-call: flags": Case(
        """\
        sub     rsp, 40
        @PyErr_Occurred
        jz      .end
.end:   add     rsp, 40
        ret
""",
        (
            "error: kernel asks flags behind a call, which leaves anything in them [volatile-after-call]",
            "  fix: compare behind the call, not before it",
        ),
    ),
    "null-unchecked": Case(
        """\
        sub     rsp, 40
        mov     @first, 1
        @PyTuple_New
        mov     rax, [rax + 8]
        add     rsp, 40
        ret
""",
        (
            "warning: kernel looks into what PyTuple_New returned without having asked whether it is NULL [null-unchecked]",
            "  fix: put `test rax, rax` and `jz` behind the call, and return NULL there",
        ),
    ),
    "gil": Case(
        """\
        sub     rsp, 40
        @PyEval_SaveThread
        @PyErr_Occurred
        add     rsp, 40
        ret
""",
        (
            "warning: kernel calls PyErr_Occurred behind PyEval_SaveThread, without CPython's lock [gil]",
            "  fix: call `PyEval_RestoreThread` first",
        ),
    ),
}
KEPT = {
    "vzeroupper": """\
        vxorps  ymm0, ymm0, ymm0
        vzeroupper
        ret
""",
    "fp-state: MXCSR": """\
        sub     rsp, 24
        stmxcsr [rsp]
        mov     dword [rsp + 8], 0x9fc0
        ldmxcsr [rsp + 8]
        ldmxcsr [rsp]
        add     rsp, 24
        ret
""",
    "fp-state: the x87 control word": """\
        sub     rsp, 24
        fnstcw  [rsp]
        fninit
        fldcw   [rsp]
        add     rsp, 24
        ret
""",
    "fp-state: MMX": """\
        pxor    mm0, mm0
        emms
        ret
""",
    "jump-into-instruction: behind a lock prefix": """\
        test    eax, eax
        jz      .inner + 1
.inner: lock    inc     dword [rdi]
        ret
""",
    "stack-balance: a place of its own": """\
        sub     rsp, 24
        mov     [rsp], rax
        add     rsp, 24
        ret
""",
    "volatile-after-call: flags": """\
        sub     rsp, 40
        @PyErr_Occurred
        test    rax, rax
        jz      .end
.end:   add     rsp, 40
        ret
""",
    "null-unchecked": """\
        sub     rsp, 40
        mov     @first, 1
        @PyTuple_New
        test    rax, rax
        jz      .end
        mov     rax, [rax + 8]
.end:   add     rsp, 40
        ret
""",
    "gil": """\
        sub     rsp, 40
        @PyEval_SaveThread
        mov     @first, rax
        @PyEval_RestoreThread
        @PyErr_Occurred
        add     rsp, 40
        ret
""",
}


def without_places(lines: list[str]) -> list[str]:
    """What is said, where a call's length differs between the formats."""
    return [line for line in lines if not line.startswith("    kernel")]


@pytest.mark.parametrize("binary", FORMATS)
@pytest.mark.parametrize("what", EVERYWHERE)
def test_it_is_found(samples: Samples, binary: str, what: str) -> None:
    case = EVERYWHERE[what]
    lines = told(samples, make(samples, binary, case.code))
    has_places = any(line.startswith("    kernel") for line in case.said)
    assert (lines if has_places else without_places(lines)) == list(case.said)


@pytest.mark.parametrize("binary", FORMATS)
@pytest.mark.parametrize("what", KEPT)
def test_nothing_is_found_where_it_is_kept(samples: Samples, binary: str, what: str) -> None:
    assert told(samples, make(samples, binary, KEPT[what])) == []


# -- one format alone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("binary", ["elf", "macho"])
def test_a_variadic_function_and_al(samples: Samples, binary: str) -> None:
    code = """\
        sub     rsp, 8
        @PyErr_Occurred
        lea     rsi, [rsp]
        mov     rdi, rsi
        {}@PyErr_Format
        add     rsp, 8
        ret
"""
    assert without_places(told(samples, make(samples, binary, code.format("")))) == [
        "warning: kernel calls PyErr_Format, which is variadic, without the number of vector arguments in al [vararg-al]",
        "  fix: put `xor eax, eax` before the call, or `mov eax, N` where N vector registers hold arguments",
    ]
    assert told(samples, make(samples, binary, code.format("xor     eax, eax\n        "))) == []


@pytest.mark.parametrize("binary", ["elf", "macho"])
@pytest.mark.parametrize("comparison", ["test    rax, rax", "cmp     rax, 0", "test    eax, eax"])
def test_a_result_that_is_zero_says_in_al_that_there_are_no_vectors(
    samples: Samples, binary: str, comparison: str
) -> None:
    code = """\
        sub     rsp, 8
        @PyErr_Occurred
        {comparison}
        {branch}     .end
        lea     rsi, [rsp]
        mov     rdi, rsi
        @PyErr_Format
.end:   add     rsp, 8
        ret
"""
    assert told(samples, make(samples, binary, code.format(comparison=comparison, branch="jnz"))) == []
    warning = "warning: kernel calls PyErr_Format, which is variadic, without the number of vector arguments in al [vararg-al]"
    assert told(samples, make(samples, binary, code.format(comparison=comparison, branch="jz")))[0] == warning


@pytest.mark.parametrize("binary", ["elf", "macho"])
def test_a_result_that_may_be_zero_says_nothing_in_al(samples: Samples, binary: str) -> None:
    code = """\
        sub     rsp, 8
        @PyErr_Occurred
        test    rax, rax
        jz      .go
        nop
.go:    lea     rsi, [rsp]
        mov     rdi, rsi
        @PyErr_Format
        add     rsp, 8
        ret
"""
    assert "[vararg-al]" in told(samples, make(samples, binary, code))[0]


def test_a_page_of_the_stack_on_windows(samples: Samples) -> None:
    code = "        sub     rsp, 4104\n{}        add     rsp, 4104\n        ret\n"
    assert told(samples, make(samples, "pe", code.format(""))) == [
        "warning: kernel takes 4104 bytes of the stack at once, which may step over Windows' guard page [stack-probe]",
        "    kernel+0x0: here",
        "  fix: touch each page on the way: `sub rsp, 4096` and `or qword [rsp], 0`, or call `__chkstk`",
    ]
    assert told(samples, make(samples, "elf", code.format(""))) == []


def test_a_function_of_windows_without_unwind_data(samples: Samples) -> None:
    name = make(
        samples, "pe", "        sub     rsp, 40\n        @PyErr_Occurred\n        add     rsp, 40\n        ret\n"
    )
    assert [line for line in samples.check("--abi", name).output.splitlines() if "unwind-missing" in line] == [
        f"{name}: error: kernel moves rsp, and .pdata has no entry for it: who walks the stack through it gets lost "
        "[unwind-missing]"
    ]
    leaf = make(samples, "pe", "        lea     rax, [rcx + rdx]\n        ret\n")
    assert "unwind-missing" not in samples.check("--abi", leaf).output


def eh_frame(rows: str) -> str:
    """An `.eh_frame` for `kernel`, whose rows the caller gives as bytes."""
    return f"""\
        section .eh_frame alloc noexec nowrite progbits align=8
cie:    dd      .end - $ - 4, 0
        db      1, "zR", 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1
        align   8, db 0
.end:
        dd      .last - $ - 4
        dd      $ - cie
        dd      kernel - $, kernel.end - kernel
        db      0{rows}
        align   8, db 0
.last:
        dd      0
"""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (", 0x41, 0x0e, 16, 0x83, 2, 0x41, 0x0e, 8", []),
        (
            ", 0x41, 0x0e, 24, 0x83, 2, 0x41, 0x0e, 8",
            [
                "warning: the unwind data of kernel are 8 bytes off: they take the return address to lie 8 bytes above the return "
                "address [unwind-false]",
                "    kernel+0x1: here",
                "  fix: give each push, pop and change of rsp its own row, or let `py_function` and `py_return` write them",
            ],
        ),
        (
            ", 0x41, 0x0e, 16, 0x86, 2, 0x41, 0x0e, 8",
            [
                "warning: the unwind data of kernel take a register that belongs to its caller to be saved where it is not "
                "[unwind-false]",
                "    kernel+0x1: here",
                "  fix: say of each push which register it saves, in the order of the pushes, or let `py_function` write it",
            ],
        ),
    ],
)
def test_rows_of_unwind_data(samples: Samples, rows: str, said: list[str]) -> None:
    source = source_of("elf", "        push    rbx\n        pop     rbx\n        ret\n.end:\n")
    assert told(samples, samples.elf(source + eh_frame(rows))) == said


MARK = """\
        section .note.gnu.property alloc noexec nowrite note align=8
        dd      4, 16, 5
        db      "GNU", 0
        dd      0xc0000002, 4, {}, 0
"""


def test_a_module_that_is_marked_for_branch_tracking(samples: Samples) -> None:
    def said(code: str) -> list[str]:
        source = source_of("elf", code).replace("PyInit_pymult:\n", "PyInit_pymult:\n        endbr64\n")
        return told(samples, samples.elf(source + MARK.format(1), link=("-z", "relro", "-z", "now")))

    assert said("        ret\n") == [
        "warning: the module promises branch tracking (IBT), and kernel does not begin with endbr64 [endbr]",
        "    kernel+0x0: here",
        "  fix: begin it with `endbr64`, or leave the mark away",
    ]
    assert said("        endbr64\n        ret\n") == []


@pytest.mark.parametrize("is_marked", [True, False])
def test_a_module_that_is_marked_for_shadow_stacks(samples: Samples, is_marked: bool) -> None:
    source = source_of("elf", "        call    .here\n.here:  pop     rax\n        ret\n")
    words = HARDENING if is_marked else ("-z", "relro", "-z", "now")
    assert told(samples, samples.elf(source, hardening=words)) == (
        [
            "error: the module promises shadow stacks, and kernel calls the next instruction, to which nothing returns "
            "[shadow-stack]",
            "    kernel+0x0: here",
            "  fix: take the address with `lea rax, [rel here]`, or leave the mark away",
        ]
        if is_marked
        else []
    )


RAW_COUNT = """\
        sub     rsp, 8
        xor     edi, edi
        call    PyTuple_New wrt ..plt
        test    rax, rax
        jz      .end
        inc     qword [rax]
.end:   add     rsp, 8
        ret
"""


@pytest.mark.parametrize(
    ("name", "words", "is_wrong"),
    [
        (LINUX, (), False),
        ("pymult.cpython-313t-x86_64-linux-gnu.so", (), True),
        ("pymult.abi3.so", ("--abi3", "3.10"), False),
        ("pymult.abi3.so", ("--abi3", "3.12"), True),
    ],
)
def test_a_count_that_is_changed_in_place(samples: Samples, name: str, words: tuple[str, ...], is_wrong: bool) -> None:
    samples.elf(source_of("elf", RAW_COUNT), name=name)
    lines = [line for line in told(samples, name, *words) if "[refcount-raw]" in line]
    wrong = "error: kernel changes the reference count at [rax] in place, where not every promised CPython keeps it [refcount-raw]"
    assert lines == ([wrong] if is_wrong else [])


def test_static_data_of_a_module_that_may_be_shared(samples: Samples) -> None:
    source = source_of("elf", "        mov     [rel place], rdi\n        ret\n")
    note = "        section .note.GNU-stack"
    source = source.replace(note, f"        align   8\nplace:  dq      0\n{note}")
    assert told(samples, samples.elf(source)) == [], "it says nothing of threads and interpreters"
    source = source.replace("dq name, 0, 0, 0, 0, 0, 0, 0", "dq name, 0, 0, 0, slots, 0, 0, 0", 1)
    slots = "slots:  dd      4, 0\n        dq      1\n        dd      0, 0\n        dq      0\n"
    assert told(samples, samples.elf(source.replace(note, slots + note))) == [
        "note: kernel writes data of the module's own, which threads and interpreters share [shared-static]",
        "    kernel+0x0: here",
        "  fix: keep state in the module object, with `PyModule_GetState`",
    ]
