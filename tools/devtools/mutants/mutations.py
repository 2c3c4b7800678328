"""What is done to a correct function: one small function a kind of mistake, each giving every place for it.

A mutation is of the text. Whether it breaks the convention is not known here: running tells (oracle.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .code import Change, Code, is_stack
from .corpus import Function
from .lines import Line, named, registers_in, replaced, whole
from .unwind_rows import falsify_unwind


def drop_save(code: Code) -> Iterator[Change]:
    """A register is not saved: without its place on the stack, with the place alone, in part, or not for long."""
    for at, line in enumerate(code.lines):
        if code.is_save(line):
            yield code.replace(at)
            if line.name == "push":
                yield code.replace(at, "lea rsp, [rsp - 8]")
                yield code.replace(at, line.text, "mov dword [rsp + 4], 0", what=f"half of {line.text} overwritten")
            else:
                place = re.sub(r"^\w+ ", "", line.operands[0])
                yield code.replace(at, line.text, f"mov byte {place}, 0", what=f"a byte of {line.text} overwritten")
                if whole(line.operands[1]):
                    yield code.replace(at, f"mov {place}, {named(line.operands[1], 32)}")
        elif line.name == "xchg":
            yield code.replace(at)


def drop_restore(code: Code) -> Iterator[Change]:
    """A register is not put back."""
    for at, line in enumerate(code.lines):
        if code.is_restore(line):
            yield code.replace(at)
            if line.name == "pop":
                yield code.replace(at, "lea rsp, [rsp + 8]")
            elif whole(line.operands[0]):
                yield code.replace(at, f"mov {named(line.operands[0], 32)}, {line.operands[1]}")
            else:
                yield code.replace(at, f"movsd {', '.join(line.operands)}")
                yield code.replace(at, f"movlps {', '.join(line.operands)}")
        elif line.name == "leave":
            yield code.replace(at, "mov rsp, rbp", "lea rsp, [rsp + 8]")
            yield code.replace(at, "pop rbp")
        elif line.text in ("mov rsp, rbp", "mov rsp, r12") or line.name == "ldmxcsr":
            yield code.replace(at)


def swap(code: Code) -> Iterator[Change]:
    """Two saves or restores that stand one behind the other change registers; one restore goes to another register."""
    for at, (line, following) in enumerate(zip(code.lines, code.lines[1:], strict=False)):
        both_save = code.is_save(line) and code.is_save(following)
        both_restore = code.is_restore(line) and code.is_restore(following)
        if (both_save or both_restore) and line.name == following.name and line.name != "xchg":
            which = 1 if both_save and line.name != "push" else 0
            one, other = list(line.operands), list(following.operands)
            one[which], other[which] = other[which], one[which]
            yield code.replace(at, f"{line.name} {', '.join(one)}", f"{line.name} {', '.join(other)}", count=2,
                               what=f"{line.text} and {following.text} with each other's register")  # fmt: skip
    for at, line in enumerate(code.lines):
        if code.is_restore(line) and not line.operands[0].startswith("xmm"):
            kept = code.convention.kept
            other_one = kept[(kept.index(line.operands[0]) + 1) % len(kept)]
            yield code.replace(at, f"{line.name} {', '.join((other_one, *line.operands[1:]))}")


def move_rsp(code: Code) -> Iterator[Change]:
    """rsp is 8 bytes elsewhere, from one place on."""
    for at, (name, size) in code.stack_steps().items():
        yield code.replace(at, f"{name} rsp, {size + 8}")
        if size > 8:
            yield code.replace(at, f"{name} rsp, {size - 8}")
    for at, line in enumerate(code.lines):
        if line.is_call or line.is_end:
            yield code.insert(at, "sub rsp, 8")
            yield code.insert(at, "add rsp, 8")
        if line.is_call:
            yield code.replace(
                at, "push rax", code.text[at].strip(), "pop rcx", what=f"{line.text} between push and pop"
            )
        if (
            line.name == "lea"
            and line.operands[0] == "rsp"
            and (found := re.fullmatch(r"\[rbp - (\d+)\]", line.operands[1]))
        ):
            yield code.replace(at, f"lea rsp, [rbp - {int(found[1]) + 8}]")
            yield code.replace(at, f"lea rsp, [rbp - {int(found[1]) - 8}]")
        if line.name == "push" and not whole(line.operands[0]):
            yield code.replace(at)


STACK_PLACE = re.compile(r"\[(?:rsp|rbp)\b[^\]]*\]")


def other_place(code: Code) -> Iterator[Change]:
    """A place of the stack is 8 or 16 bytes elsewhere."""
    for at, line in enumerate(code.lines):
        for which, operand in enumerate(line.operands):
            if STACK_PLACE.search(operand) and not (line.name == "lea" and line.operands[0] == "rsp"):
                for by in ("+ 8", "- 8", "+ 16", "- 16"):
                    operands = list(line.operands)
                    operands[which] = operand.replace("]", f" {by}]")
                    yield code.replace(at, f"{line.name} {', '.join(operands)}")


def remove_alignment(code: Code) -> Iterator[Change]:
    """A frame of 8 bytes more or less, or without its rounding down."""
    for lines, size in code.pairs():
        for by in (8, -8):
            change = code.resized(lines, size, by)
            if change is not None:
                yield change
    for at, line in enumerate(code.lines):
        if line.name == "and" and line.operands[1].startswith("-"):
            if line.operands[0] == "rsp":
                yield code.replace(at)
            yield code.replace(at, f"and {line.operands[0]}, -8")


def remove_shadow_space(code: Code) -> Iterator[Change]:
    """Microsoft's convention: fewer than the callee's 32 bytes at a call, and rsp still a multiple of 16."""
    if code.convention.name != "win64":
        return
    for lines, size in code.pairs():
        for by in (-32, -16):
            change = code.resized(lines, size, by)
            if change is not None:
                yield change
    for at, line in enumerate(code.lines):
        if line.is_call:
            call = code.text[at].strip()
            yield code.replace(at, "add rsp, 16", call, "sub rsp, 16", what=f"{line.text} with 16 bytes less")


GENERAL_CLOBBERS = (
    "xor {32}, {32}",
    "mov {64}, 1",
    "mov {8}, 7",
    "inc {64}",
    "lea {64}, [rsp + 8]",
    "bts {64}, 3",
    "not {16}",
    "imul {64}, {64}, 3",
    "shr {64}, 1",
    "movq {64}, xmm0",
    "popcnt {64}, rsp",
    "setc {8}",
    "xadd {32}, eax",
    "xchg {64}, r11",
    "andn {64}, {64}, rsp",
    "pextrw {32}, xmm0, 1",
    "neg {8}",
    "bsf {64}, rsp",
    "cvttsd2si {64}, xmm0",
    "mov {16}, 1",
)
"""The braces take the register's part of so many bits."""
VECTOR_CLOBBERS = (
    "pxor xmm{0}, xmm{0}",
    "cvtsi2sd xmm{0}, rsp",
    "addps xmm{0}, xmm{0}",
    "pinsrw xmm{0}, esp, 5",
    "vpcmpeqd ymm{0}, ymm{0}, ymm{0}; vzeroupper",
    "movhps xmm{0}, [rsp]",
    "vzeroall",
    "movaps xmm{0}, xmm0",
    "vpbroadcastd ymm{0}, xmm0; vzeroupper",
    "pmovmskb r11d, xmm0; movd xmm{0}, esp",
    "shufps xmm{0}, xmm{0}, 0x1b",
    "vinsertf128 ymm{0}, ymm{0}, xmm0, 0; vzeroupper",
    "aesenc xmm{0}, xmm0",
)


def clobber(code: Code) -> Iterator[Change]:
    """A kept register that is not saved changes on one way alone; one that is saved, behind its restore."""
    free = [one for one in code.convention.kept if one not in code.used]
    text = " ".join(code.text)
    vectors = [one for one in code.convention.kept_vectors if not re.search(rf"[xy]mm{one}\b", text)]
    turn = 0
    for at in range(1, len(code.lines)):
        line, before = code.lines[at], code.lines[at - 1]
        is_way = before.is_branch or bool(before.label) or before.is_call
        if line == Line() or before == Line() or not (is_way or line.is_end):
            continue
        choices = [one for one in code.convention.kept if one in code.used][turn % 3 :: 3] if line.is_end else []
        choices += [free[turn % len(free)]] if free else []
        for one in choices:
            form = GENERAL_CLOBBERS[turn % len(GENERAL_CLOBBERS)]
            yield code.insert(at, _put_sizes(form, one))
            turn += 1
        if vectors:
            forms = VECTOR_CLOBBERS[turn % len(VECTOR_CLOBBERS)].format(vectors[turn % len(vectors)])
            yield code.insert(at, *forms.split("; "))


def _put_sizes(form: str, register: str) -> str:
    return re.sub(r"\{(\d+)\}", lambda size: named(register, int(size[1])), form)


KEEPS_FIRST = ("cmp", "test", "push", "bt ", "comis", "ucomis", "ptest")
"""The beginnings of instructions that only read their first operand."""


def read_flags(code: Code) -> Iterator[Change]:
    """Flags are read behind a call, which leaves anything in them: a comparison is gone, or before the call."""
    for at, (line, before) in enumerate(zip(code.lines[1:], code.lines, strict=False), 1):
        if before.name == "import" and line.name in ("test", "cmp"):
            yield code.replace(at)
            call = code.text[at - 1].strip()
            yield code.replace(at - 1, line.text, call, count=2, what=f"{line.text} before {before.text}")


def read_volatile(code: Code) -> Iterator[Change]:
    """Behind a call, a register that calls change is read, in place of one that they leave alone or of the stack."""
    rest: list[str] = []
    turn = 0
    for at, line in enumerate(code.lines):
        calls_pointer = line.name == "call" and bool(registers_in(line.operands[0]))
        if line.label or line.is_end or line.name == "jmp" or (line.is_call and not calls_pointer):
            rest = []
        is_left = line.is_branch or line.name in ("push", "pop", "xchg") or code.is_restore(line)
        if rest and line.operands and not is_left:
            for which, operand in enumerate(line.operands):
                if (which == 0 and _only_writes(line)) or line.operands[0] == "rsp":
                    continue
                for other in _volatile_for(code, line, operand, rest[turn % len(rest) :] + rest[: turn % len(rest)]):
                    yield _with_operand(code, at, which, other)
                    turn += 1
        if line.name == "import" or calls_pointer:
            rest = list(code.convention.volatile)
        elif line.operands and not line.name.startswith(KEEPS_FIRST):
            rest = [one for one in rest if one != whole(line.operands[0])]


def _only_writes(line: Line) -> bool:
    return line.name.startswith(("mov", "lea", "vmov", "cvt", "set")) and not line.operands[0].startswith("[")


def _volatile_for(code: Code, line: Line, operand: str, volatile: Sequence[str]) -> Iterator[str]:
    """What stands in place of an operand: two registers for one, one for a place of the stack."""
    if line.name == "lea" and is_stack(operand):
        return
    if is_stack(operand) and whole(line.operands[0]):
        yield volatile[0]
    elif is_stack(operand) and line.operands[0].startswith("xmm"):
        yield from ("xmm1", "xmm4")
    else:
        for one in sorted(registers_in(operand) & set(code.convention.kept)):
            yield from (replaced(operand, one, other) for other in volatile[:2])


def _with_operand(code: Code, at: int, which: int, operand: str) -> Change:
    operands = list(code.lines[at].operands)
    operands[which] = operand
    return code.replace(at, f"{code.lines[at].name} {', '.join(operands)}")


def keep_in_volatile(code: Code) -> Iterator[Change]:
    """A value that lives over calls is kept, everywhere in the function, in a register that they change."""
    for one in code.convention.kept:
        if one in code.used and one != "rbp":
            for other in ("r10", "r11"):
                if other not in code.used:
                    yield _renamed(code, one, other, [replaced(text, one, other) for text in code.text])
    for number in code.convention.kept_vectors:
        if re.search(rf"[xy]mm{number}\b", " ".join(code.text)):
            renamed = [re.sub(rf"([xy]mm){number}\b", r"\g<1>5", text) for text in code.text]
            yield _renamed(code, f"xmm{number}", "xmm5", renamed)


def _renamed(code: Code, one: str, other: str, renamed: Sequence[str]) -> Change:
    instead: dict[int, str | None] = {
        index: text.strip()
        for index, text in enumerate(renamed)
        if code.lines[index].operands and text != code.text[index]
    }
    return code.replace_all(instead, f"{other} for {one} everywhere")


def leave_direction(code: Code) -> Iterator[Change]:
    """DF stays set."""
    for at, line in enumerate(code.lines):
        if line.name == "cld":
            yield code.replace(at)
        if line.is_end or line.name == "import":
            yield code.insert(at, "std")
        if line.is_end:
            yield code.insert(at, "pushfq", "or qword [rsp], 0x400", "popfq")


def drop_vzeroupper(code: Code) -> Iterator[Change]:
    """The upper halves of ymm registers stay in use."""
    for at, line in enumerate(code.lines):
        if line.name == "vzeroupper":
            yield code.replace(at)


KINDS: dict[str, Callable[[Code], Iterator[Change]]] = {
    "drop a save": drop_save,
    "drop a restore": drop_restore,
    "swap saves or restores": swap,
    "move rsp by 8": move_rsp,
    "use another place": other_place,
    "remove alignment": remove_alignment,
    "remove shadow space": remove_shadow_space,
    "clobber on one way": clobber,
    "read a volatile register": read_volatile,
    "read flags behind a call": read_flags,
    "keep in a volatile register": keep_in_volatile,
    "leave DF set": leave_direction,
    "drop vzeroupper": drop_vzeroupper,
    "falsify unwind data": falsify_unwind,
}
UNWIND_KIND = "falsify unwind data"
DESTROYED_KINDS = (
    "read a volatile register",
    "read flags behind a call",
    "keep in a volatile register",
    "remove shadow space",
)
"""Those whose breaks may show as another result alone: a callee may leave anything in such a register or place."""


@dataclass(frozen=True)
class Mutant:
    """A function with one mistake."""

    function: Function
    kind: str
    line: int
    """In the function's file."""
    what: str
    lines: tuple[str, ...]

    @property
    def title(self) -> str:
        function = self.function
        place = f":{self.line}" if function.origin == "written" else f": {function.name}"
        return f"{function.convention.name}/{function.file}{place}: {self.kind}: {self.what}"


def mutants(function: Function) -> Iterator[Mutant]:
    """Every mutant of a function."""
    code = Code(function.code, function.convention)
    seen = {function.code}
    for kind, mutate in KINDS.items():
        for change in mutate(code):
            if change.lines not in seen:
                seen.add(change.lines)
                yield Mutant(function, kind, function.line + change.at, change.what, change.lines)
