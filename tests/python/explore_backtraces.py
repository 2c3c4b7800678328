"""Run by gdb: looks at the backtrace before every instruction of functions, whichever way leads there.

The program is stopped at the label call_site of its main; EXPLORE_FUNCTIONS names the functions. Each is entered as if
main had called it. What moves the stack, the frame pointer or a register that calls keep is executed; everything else,
calls too, is stepped over, since no backtrace depends on it; at a conditional jump both ways are gone. Before every
instruction gdb must find main's frame one further out, at the instruction behind the call, with main's stack pointer
and all registers that calls keep as main left them.

Prints a line for each function with the number of its instructions and of those looked at, and one for each mistake.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import gdb  # type: ignore[import-not-found]

KEPT = ("rbx", "rbp", "r12", "r13", "r14", "r15")
# What writes a register of the frame: its name, or a narrower part of it, comes first among the operands.
FRAME = re.compile(r"^(?:push|pop|enter|leave|\w+ +(?:\w+ ptr )?(?:rsp|rbp|rbx|r1[2-5]|e[sb]p|ebx|r1[2-5][dwb])\b)")
RED_ZONE = 128
MAIN = "main"


@dataclass(frozen=True)
class State:
    """Where a way has led: the next instruction, the registers that a backtrace depends on, and the stack."""

    address: int
    registers: tuple[int, ...]
    stack_pointer: int
    stack: bytes


def value(expression: str) -> int:
    return int(gdb.parse_and_eval(f"(unsigned long)({expression})"))


def address_of(symbol: str) -> int:
    said = gdb.execute(f"info address {symbol}", to_string=True)
    return int(re.findall(r"0x[0-9a-f]+", said)[-1], 16)


class Explorer:
    """Goes all ways through one function."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.start, self.end = address_of(name), address_of(f"{name}.end_function")
        self.back = address_of("after_call")
        self.outer = tuple(value(f"${register}") for register in KEPT)
        self.outer_stack_pointer = value("$rsp")
        architecture = gdb.selected_frame().architecture()
        self.instructions = {
            one["addr"]: (one["asm"].split("#")[0].split("<")[0].strip(), one["addr"] + one["length"])
            for one in architecture.disassemble(self.start, self.end - 1)
        }
        self.seen: dict[int, int] = {}
        self.mistakes: list[str] = []

    def explore(self) -> None:
        entry = self.outer_stack_pointer - 8
        gdb.selected_inferior().write_memory(entry, self.back.to_bytes(8, "little"))
        waiting = [State(self.start, self.outer, entry, self.back.to_bytes(8, "little"))]
        while waiting:
            state = waiting.pop()
            if state.address in self.seen:
                if self.seen[state.address] != state.stack_pointer:
                    self.complain(state.address, "ways with different stacks meet")
                continue
            self.seen[state.address] = state.stack_pointer
            self.restore(state)
            self.look(state.address)
            waiting += self.step(state)
        self.restore(State(self.back, self.outer, self.outer_stack_pointer, b""))

    def look(self, address: int) -> None:
        """Compares what gdb finds with what main left."""
        gdb.invalidate_cached_frames()
        inner = gdb.newest_frame()
        outer = inner.older()
        if inner.name() != self.name:
            self.complain(address, f"gdb takes it for {inner.name()}")
        elif outer is None or outer.name() != MAIN:
            self.complain(address, f"called by {outer.name() if outer else None}, not by {MAIN}")
        else:
            found = {register: int(outer.read_register(register)) & (2**64 - 1) for register in (*KEPT, "rsp", "rip")}
            expected = dict(zip(KEPT, self.outer, strict=True), rsp=self.outer_stack_pointer, rip=self.back)
            wrong = [register for register in found if found[register] != expected[register]]
            if wrong:
                self.complain(address, f"not as {MAIN} left them: {', '.join(wrong)}")

    def step(self, state: State) -> list[State]:
        """Where an instruction leads."""
        text, behind = self.instructions[state.address]
        operation = text.split()[0]
        if operation in ("ret", "repz"):
            gdb.execute("stepi", to_string=True)
            if (value("$pc"), value("$rsp")) != (self.back, self.outer_stack_pointer):
                self.complain(state.address, f"returns elsewhere than to {MAIN}")
            if tuple(value(f"${register}") for register in KEPT) != self.outer:
                self.complain(state.address, "returns with registers that were to be kept changed")
            return []
        if operation.startswith("j"):
            target = int(re.findall(r"0x[0-9a-f]+", text)[-1], 16)
            ways = [target] if operation == "jmp" else [target, behind]
            if not all(self.start <= way < self.end for way in ways):
                self.complain(state.address, "jumps out of the function")
                ways = [way for way in ways if self.start <= way < self.end]
            return [State(way, state.registers, state.stack_pointer, state.stack) for way in ways]
        if not FRAME.match(text):
            return [State(behind, state.registers, state.stack_pointer, state.stack)]
        if "[" in text and not re.search(r"\[(?:rsp|rbp)\b", text):  # a load from where nothing lies: the value is free
            return [State(behind, state.registers, state.stack_pointer, state.stack)]
        gdb.execute("stepi", to_string=True)
        if value("$pc") != behind:
            self.complain(state.address, "could not be executed")
            return []
        return [self.now(behind)]

    def now(self, address: int) -> State:
        stack_pointer = value("$rsp")
        lowest = stack_pointer - RED_ZONE
        stack = bytes(gdb.selected_inferior().read_memory(lowest, self.outer_stack_pointer - lowest))
        return State(address, tuple(value(f"${register}") for register in KEPT), stack_pointer, stack)

    def restore(self, state: State) -> None:
        if state.stack:
            gdb.selected_inferior().write_memory(self.outer_stack_pointer - len(state.stack), state.stack)
        gdb.execute(f"set $rsp = {state.stack_pointer}", to_string=True)
        for register, content in zip(KEPT, state.registers, strict=True):
            gdb.execute(f"set ${register} = {content}", to_string=True)
        gdb.execute(f"set $pc = {state.address}", to_string=True)

    def complain(self, address: int, what: str) -> None:
        self.mistakes.append(f"wrong: {self.name}+{address - self.start}: {what}")


gdb.execute("set confirm off")
gdb.execute("set pagination off")
gdb.execute("set disassembly-flavor intel")
gdb.execute("break *&call_site", to_string=True)
gdb.execute("run", to_string=True)
for function in os.environ["EXPLORE_FUNCTIONS"].split(","):
    explorer = Explorer(function)
    explorer.explore()
    for mistake in explorer.mistakes:
        print(mistake)
    print(f"explored: {function}: {len(explorer.seen)} of {len(explorer.instructions)} instructions")
gdb.execute("kill", to_string=True)
