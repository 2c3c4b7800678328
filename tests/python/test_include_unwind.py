"""Unwind data of frame.inc: right before every instruction (gdb), and good enough for a C++ exception."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "python" / "nasm_build" / "include"
EXAMPLES = HERE.parents[1] / "examples"

# Each example, and what `nasm-ext flags` is asked for the forms in which its tests run.
FORMS = [
    ("pymult", ("--python", "3.13")),
    ("pymult", ("--abi3", "3.10")),
    ("hamming", ("--python", "3.13")),
    ("counter", ("--python", "3.13")),
    ("counter", ("--python", "3.13t")),
    ("counter", ("--abi3", "3.10")),
    ("counter", ("--abi3", "3.15t")),
]

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


# What the functions of the examples are linked into: nothing that they call is called.
CALL_SITE = """int main(void) {
    __asm__ volatile("call_site: nop\\n\\tnop\\nafter_call: nop" ::: "memory");
    return 0;
}
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


def explore(folder: Path, program: str, functions: list[str]) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """What explore_backtraces.py looked at, by function, and what was wrong."""
    said = run(
        folder, "gdb", "--batch", "--nx", "-x", HERE / "explore_backtraces.py", program,
        EXPLORE_FUNCTIONS=",".join(functions),
    )  # fmt: skip
    looked = re.findall(r"^explored: (\w+): (\d+) of (\d+) instructions$", said, re.MULTILINE)
    return {name: (seen, there) for name, seen, there in looked}, re.findall(r"^wrong: .*", said, re.MULTILINE)


def link_functions(folder: Path, sources: list[Path], words: list[str]) -> list[str]:
    """Assembles sources and links them, each call of what they lack left open; returns the names of their functions."""
    objects = [folder / f"{source.stem}.o" for source in sources]
    for source, result in zip(sources, objects, strict=True):
        run(folder, "nasm", *words, source, "-o", result)
    (folder / "main.c").write_text(CALL_SITE)
    link = ["-no-pie", "-z", "noexecstack", "-Wl,--unresolved-symbols=ignore-all"]
    run(folder, "cc", "-O1", "-g", "-fno-pie", "main.c", *objects, *link, "-o", "program")
    listed = run(folder, "readelf", "-W", "--symbols", *objects)
    return sorted(re.findall(r" FUNC +\w+ +\w+ +\d+ (\w+)$", listed, re.MULTILINE))


@pytest.mark.parametrize(("example", "form"), FORMS, ids=lambda value: value if isinstance(value, str) else value[1])
def test_the_backtrace_is_right_before_every_instruction_of_the_examples(
    tmp_path: Path, nasm_ext: Path, example: str, form: tuple[str, ...]
) -> None:
    words = shlex.split(run(tmp_path, nasm_ext, "flags", "--target", "linux-x86_64", *form, "--include-dir", INCLUDE))
    sources = sorted((EXAMPLES / example).glob("*.asm"))
    functions = link_functions(tmp_path, sources, words)
    declared = re.findall(r"^\w*function (\w+)", "".join(source.read_text() for source in sources), re.MULTILINE)
    assert {*declared} <= {*functions} <= {*declared, f"PyInit_{example}", f"PyModExport_{example}"}
    looked, wrong = explore(tmp_path, "./program", functions)
    assert wrong == []
    assert sorted(looked) == functions
    assert all(seen == there for seen, there in looked.values()), looked


def test_a_backtrace_that_is_wrong_is_seen(tmp_path: Path) -> None:
    """The same script, on a function that moves the stack behind the back of its unwind data, and one that forgets."""
    (tmp_path / "wrong.asm").write_text(
        '%include "nasm_build/function.inc"\n'
        "exported_leaf_function moves_the_stack, a\n    sub rsp, 8\n    add rsp, 8\n    return\n"
        "exported_leaf_function forgets_a_register, a\n    xor ebx, ebx\n    return\n"
        "end_function\n"
    )
    functions = link_functions(tmp_path, [tmp_path / "wrong.asm"], ["-f", "elf64", f"-I{INCLUDE}/"])
    assert functions == ["forgets_a_register", "moves_the_stack"]
    looked, wrong = explore(tmp_path, "./program", functions)
    assert looked == {"forgets_a_register": ("3", "3"), "moves_the_stack": ("4", "4")}
    # What gdb takes for the caller is what happened to lie on the stack: no function, or any.
    assert [re.sub(r"called by \w+,", "called by …,", line) for line in wrong] == [
        "wrong: forgets_a_register+6: not as main left them: rbx",
        "wrong: forgets_a_register+6: returns with registers that were to be kept changed",
        "wrong: moves_the_stack+8: called by …, not by main",
    ]


def test_a_cpp_exception_passes_through_and_finds_the_saved_registers(tmp_path: Path) -> None:
    build(tmp_path, "main.cpp", CPP)
    assert run(tmp_path, "./program") == "4\nno zero 11 12 15\n-1\n"
