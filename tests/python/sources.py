"""Assembly and project texts that several tests build: the smallest module that imports and answers."""

from __future__ import annotations

ANSWER = """
; {name}.answer() -> {value}
default rel
extern PyModuleDef_Init, PyLong_FromLong

global PyInit_{name}:function

section .text
answer:                                 ; (self, unused) -> new reference
    sub     rsp, 8
    mov     edi, {value}
    call    PyLong_FromLong wrt ..plt
    add     rsp, 8
    ret

PyInit_{name}:                          ; () -> the definition, borrowed
    lea     rdi, [definition]
    jmp     PyModuleDef_Init wrt ..plt

section .rodata
name:   db "{name}", 0
method: db "answer", 0

section .data
align 8
methods:
    dq method, answer, 4, 0             ; METH_NOARGS
    times 4 dq 0
definition:
%ifdef Py_GIL_DISABLED                  ; PyModuleDef_HEAD_INIT
    dd 0, 0, 0, -1                      ; thread; flags, local count: immortal
    dq 0, 0, 0, 0, 0                    ; shared count, type; function, index, copy
%else
    dq 1, 0, 0, 0, 0                    ; count, type; function, index, copy
%endif
    dq name, 0, 0, methods, 0, 0, 0, 0
"""

PYPROJECT = """
[build-system]
requires = ["nasm-build"]
build-backend = "nasm_build.backend"

[project]
name = "{name}"
version = "1.0"

[[tool.nasm-build.ext-modules]]
name = "{name}"
sources = ["{name}.asm"]
"""

SETUP_PYPROJECT = """
[build-system]
requires = ["setuptools", "nasm-build"]
build-backend = "setuptools.build_meta"
"""


def answer(value: int = 42, name: str = "demo") -> str:
    """The source of a module whose `answer()` is `value`."""
    return ANSWER.format(name=name, value=value)


def pyproject(extra: str = "", name: str = "demo") -> str:
    """Its pyproject.toml; `extra` goes to the extension module's table."""
    return PYPROJECT.format(name=name) + extra


def demo(value: int = 42, extra: str = "") -> dict[str, str]:
    """The files of the whole project."""
    return {"pyproject.toml": pyproject(extra), "demo.asm": answer(value)}
