"""Unwind data of frame.inc: right before every instruction (gdb), and good enough for a C++ exception."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "python" / "nasm_build" / "include"

ASSEMBLY = """%include "nasm_build/function.inc"

exported_function framed, saved(a), saved(b), register(c), local(here, 40)
    mov     [here], a
    mov     c, b
    push    c
    c_call  callee, [here], c
    pop     c
    test    rax, rax
    jz      .nothing
    add     rax, c
    return  rax
.nothing:
    return  0

exported_leaf_function frameless, a, b
    lea     rax, [a + b]
    test    rax, rax
    jz      .nothing
    return
.nothing:
    return  1

exported_leaf_function leaf_with_frame, a, register(b)
    mov     b, a
    return  b

exported_function through, saved(a), saved(b), register(c), register(d), register(e)
    mov     c, 3
    mov     d, 4
    mov     e, 5
    c_call  callee, a, b
    return  rax
end_function
"""

C = """#include <stdio.h>
long framed(long, long); long frameless(long, long); long leaf_with_frame(long); long through(long, long);
long callee(long a, long b) { return a - b; }
int main(void) {
    printf("%ld %ld %ld %ld %ld\\n", framed(9, 4), framed(4, 4), frameless(1, 2), leaf_with_frame(6), through(8, 3));
    return 0;
}
"""

CPP = """#include <cstdio>
#include <stdexcept>
extern "C" long through(long, long);
extern "C" long callee(long a, long b) {
    if (b == 0) throw std::runtime_error("no zero");
    return a / b;
}
__attribute__((noinline)) long guarded(long a, long b) {
    // Kept in registers that the assembly function saves: after the exception they must be what they were.
    register long one asm("rbx") = 11; register long two asm("r12") = 12; register long three asm("r15") = 15;
    asm volatile("" : "+r"(one), "+r"(two), "+r"(three));
    try { return through(a, b); }
    catch (const std::exception& error) {
        asm volatile("" : "+r"(one), "+r"(two), "+r"(three));
        std::printf("%s %ld %ld %ld\\n", error.what(), one, two, three);
        return -1;
    }
}
int main() { std::printf("%ld\\n", guarded(8, 2)); std::printf("%ld\\n", guarded(8, 0)); }
"""


def run(folder: Path, *words: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(folder: Path, name: str, text: str) -> None:
    (folder / "functions.asm").write_text(ASSEMBLY)
    (folder / name).write_text(text)
    run(folder, "nasm", "-f", "elf64", f"-I{INCLUDE}/", "functions.asm", "-o", "functions.o")
    compiler = ("c++", "-O1") if name.endswith(".cpp") else ("cc", "-O0", "-fno-omit-frame-pointer")
    run(folder, *compiler, "-g", name, "functions.o", "-z", "noexecstack", "-o", "program")


def test_the_backtrace_is_right_before_every_instruction(tmp_path: Path) -> None:
    build(tmp_path, "main.c", C)
    assert run(tmp_path, "./program") == "9 0 3 6 5\n"
    functions = "framed:main,frameless:main,leaf_with_frame:main,through:main"
    said = run(
        tmp_path, "gdb", "--batch", "--nx", "-x", HERE / "step_backtraces.py", "./program", STEP_FUNCTIONS=functions
    )
    assert re.findall(r"^wrong: .*", said, re.MULTILINE) == []
    stepped = dict(re.findall(r"^stepped: (\w+): (\d+) instructions$", said, re.MULTILINE))
    assert sorted(stepped) == ["framed", "frameless", "leaf_with_frame", "through"], said
    assert int(stepped["framed"]) > 15 and int(stepped["frameless"]) >= 4, said


def test_a_cpp_exception_passes_through_and_finds_the_saved_registers(tmp_path: Path) -> None:
    build(tmp_path, "main.cpp", CPP)
    assert run(tmp_path, "./program") == "4\nno zero 11 12 15\n-1\n"
