"""Which names are in the stable ABI, since when, and under which condition."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class StableName:
    """One function or data symbol of the stable ABI."""

    added: int  #: the minor version, 2 for 3.2
    is_data: bool
    abi_only: bool  #: not in the limited API: macros of it need the name, or it was once in it
    condition: str  #: the feature macro under which it exists, or empty


def from_table(table: dict[str, Any]) -> dict[str, StableName]:
    """From CPython's own table; structs, constants, macros and types are not symbols and are left out."""
    names = {}
    for kind in ("function", "data"):
        for name, facts in table[kind].items():
            names[name] = StableName(
                added=int(facts["added"].split(".")[1]),
                is_data=kind == "data",
                abi_only=bool(facts.get("abi_only", False)),
                condition=str(facts.get("ifdef", "")),
            )
    return names


def names_in_test(path: Path) -> dict[str, str]:
    """Name to condition, from CPython's generated test: a tuple of names, then one more under each condition."""
    names: dict[str, str] = {}
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        condition = ""
        assigned: ast.stmt = statement
        if isinstance(statement, ast.If):
            macro = re.search(r"feature_macros\['(\w+)'\]", ast.unparse(statement.test))
            condition, assigned = (macro.group(1) if macro else ""), statement.body[0]
        if isinstance(assigned, (ast.Assign, ast.AugAssign)) and isinstance(assigned.value, ast.Tuple):
            target = assigned.targets[0] if isinstance(assigned, ast.Assign) else assigned.target
            if isinstance(target, ast.Name) and target.id == "SYMBOL_NAMES":
                names.update({str(ast.literal_eval(item)): condition for item in assigned.value.elts})
    return names


def with_later(
    known: dict[str, StableName], later: dict[int, dict[str, str]], data: frozenset[str]
) -> dict[str, StableName]:
    """Adds what each later version's test has and no earlier one had; `data` tells objects from functions."""
    names = dict(known)
    for minor in sorted(later):
        for name, condition in later[minor].items():
            if name not in names:
                names[name] = StableName(minor, name in data, name.startswith("_"), condition)
    return names
