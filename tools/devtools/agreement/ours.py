"""What nasm-ext read, from `nasm-ext facts`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..shell import DevelopmentError, run
from .facts import Facts, Reading, with_entry_points


def read(nasm_ext: Path, wheel: Path) -> Reading:
    """Every module of a wheel. Raises DevelopmentError when one cannot be read: public wheels are whole."""
    document = json.loads(run([nasm_ext, "facts", wheel], quiet=True))
    unread = [f"{one['member']}: {one['reason']}" for one in document["files"] if one["reason"]]
    if unread:
        raise DevelopmentError(f"{wheel.name}: {'; '.join(unread)}")
    return {(one["member"], one["slice"] or ""): _facts(one) for one in document["files"]}


def _facts(one: dict[str, Any]) -> Facts:
    facts = {
        "machine": [one["machine"]],
        "kind": [one["kind"]],
        "exports": [export["name"] for export in one["exports"]],
        "imports": [_import(one["format"], symbol) for symbol in one["imports"]],
        "libraries": [library["name"] for library in one["libraries"]],
    }
    if one["format"] == "ELF":
        facts["stack"] = [one["stack"]]
    if one["format"] != "PE":
        facts["run paths"] = one["run_paths"]
        facts["own name"] = [one["own_name"] or ""]
    else:
        facts["libraries"] = [name.lower() for name in facts["libraries"]]
        facts["load flags"] = [flag for flag in ("dynamic_base", "high_entropy", "no_execute") if one["pe"][flag]]
    if one["format"] == "Mach-O":
        facts["fixups"] = ["chained" if one["macho"]["chained_fixups"] else "opcodes"]
        facts["minimum system"] = [one["minimum_system"]]
    return with_entry_points(facts)


def _import(file_format: str, symbol: dict[str, Any]) -> str:
    name: str = symbol["name"]
    if file_format == "PE":
        return f"{symbol['library'].lower()}!{name}"
    if file_format == "Mach-O":
        return name if symbol["missing_underscore"] else f"_{name}"
    return f"{name}@{symbol['version']}" if symbol["version"] else name
