"""Run by gdb: steps through functions one instruction at a time, and looks at the backtrace before each.

STEP_FUNCTIONS names the functions and, behind a colon, who must be seen to have called them: "f:main,g:f". Prints a
line for each function with the number of instructions, and a line for each backtrace that is wrong.
"""

from __future__ import annotations

import os
import re

import gdb  # type: ignore[import-not-found]

LIMIT = 20_000


def address_range(name: str) -> tuple[int, int]:
    """The first address of a function, and the one behind its last."""
    said = [gdb.execute(f"info address {symbol}", to_string=True) for symbol in (name, f"{name}.end_function")]
    start, end = (int(re.findall(r"0x[0-9a-f]+", text)[-1], 16) for text in said)
    return start, end


def walk(name: str, caller: str) -> None:
    gdb.execute("tbreak main", to_string=True)
    gdb.execute("run", to_string=True)
    start, end = address_range(name)  # known once the program was loaded
    gdb.execute(f"tbreak *{start}", to_string=True)
    gdb.execute("continue", to_string=True)
    seen = 0
    for _ in range(LIMIT):
        frame = gdb.newest_frame()
        if start <= frame.pc() < end:
            seen += 1
            older = frame.older()
            found = older.name() if older is not None else None
            if found != caller:
                print(f"wrong: {name}+{frame.pc() - start}: called by {found}, not by {caller}")
        elif frame.name() == caller:
            break
        gdb.execute("stepi", to_string=True)
    gdb.execute("kill", to_string=True)
    print(f"stepped: {name}: {seen} instructions")


gdb.execute("set confirm off")
gdb.execute("set pagination off")
for pair in os.environ["STEP_FUNCTIONS"].split(","):
    walk(*pair.split(":"))
