"""The faults that a module of this kind was shipped with for years, written anew: each is found, with line and way."""

from __future__ import annotations

from pathlib import Path

import pytest

from abi_samples import link, source_of
from check_samples import Samples

SAVE = "or use a volatile register: rax rcx rdx rsi rdi r8-r11"


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def found(samples: Samples, binary: str, code: str, rule: str) -> list[str]:
    """The finding of a rule with its way, and the lines counted from the function's first instruction."""
    source = source_of(binary, code)
    first = source.splitlines().index("kernel:") + 2
    name = link(samples, binary, source)
    lines = samples.check("--abi", "--object", "pymult.o", name).output.splitlines()
    start = next(index for index, line in enumerate(lines) if line.endswith(f"[{rule}]"))
    taken = [lines[start]]
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        taken.append(line)
    for number in range(60, -1, -1):
        taken = [line.replace(f"pymult.asm:{first + number}:", f"+{number}:") for line in taken]
        taken = [line.replace(f"line {first + number} ", f"line +{number} ") for line in taken]
    return taken


def test_rbx_is_lost_on_the_way_that_succeeds(samples: Samples) -> None:
    """The error's way restores it, and only that one was looked at."""
    code = """\
        push    rbx
        mov     rbx, rdi
        @PyErr_Occurred
        test    rax, rax
        jnz     .failed
        mov     rdi, rbx
        @PyLong_FromLong
        add     rsp, 8
        ret
.failed:
        pop     rbx
        xor     eax, eax
        ret
"""
    assert found(samples, "elf", code, "callee-saved") == [
        "+8: error: kernel returns with rbx changed [callee-saved]",
        "    +1: rbx written here",
        "    +8: here",
        f"  fix: save rbx before line +1 and restore it before the return, {SAVE}",
    ]


def test_the_stack_is_off_by_8_on_the_way_of_the_error(samples: Samples) -> None:
    code = """\
        sub     rsp, 24
        mov     [rsp], rdi
        @PyErr_Occurred
        test    rax, rax
        jnz     .failed
        mov     rdi, [rsp]
        @PyLong_FromLong
        add     rsp, 24
        ret
.failed:
        xor     eax, eax
        add     rsp, 16
        ret
"""
    assert found(samples, "elf", code, "stack-balance") == [
        "+12: error: kernel returns with rsp 8 bytes below where it was at entry, so that `ret` takes something else for its "
        "address [stack-balance]",
        "    +4: jump taken",
        "    +12: here",
        "  fix: give back 8 bytes before the return: a pop or `add rsp, 8` is missing",
    ]


def test_the_registers_of_system_v_in_a_module_for_windows(samples: Samples) -> None:
    code = """\
        sub     rsp, 40
        @PyErr_Occurred
        mov     rdi, rsi
        @PyLong_FromLong
        add     rsp, 40
        ret
"""
    assert found(samples, "pe", code, "arg-undefined") == [
        "+3: error: kernel calls PyLong_FromLong with rcx, which nobody set, for an argument [arg-undefined]",
        "    +3: here",
        "  fix: set rcx between the last call and this one",
    ]
    assert found(samples, "pe", code, "callee-saved") == [
        "+5: error: kernel returns with rdi changed [callee-saved]",
        "    +2: rdi written here",
        "    +5: here",
        "  fix: save rdi before line +2 and restore it before the return, or use a volatile register: rax rcx rdx r8-r11",
    ]
