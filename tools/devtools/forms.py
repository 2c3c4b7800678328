"""In which forms an example is built, and on which platforms it runs: its tests/forms.toml, where it has one.

    platforms = ["linux"]            # of linux, windows, macos; all three without this line
    reason = "why not the others"    # shown in the table beside what did not run

    [[form]]
    name = "abi3"                    # shown in the table
    minimum = "3.10"                 # the oldest CPython that it is for
    free-threaded = false            # true: free-threaded CPythons alone; false: the others alone; without it: both
    once = true                      # one wheel, built under the first CPython that it is for, serves every one
    replace = [["old", "new"]]       # in the copy's pyproject.toml; "old" must be there once
    config-settings = { key = "value" }
    environment = { NAME = "value" }

Without a form, the project is built as it is, for every CPython.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .shell import DevelopmentError, run

PLATFORMS = ("linux", "windows", "macos")
_AS_JSON = """
import json, sys
try:
    import tomllib
except ImportError:
    import tomli as tomllib
with open(sys.argv[1], "rb") as file:
    print(json.dumps(tomllib.load(file)))
"""
_KEYS = {"name", "minimum", "free-threaded", "once", "replace", "config-settings", "environment"}


@dataclass(frozen=True)
class Form:
    """One way of building an example."""

    name: str = ""
    minimum: tuple[int, int] = (3, 10)
    free_threaded: bool | None = None
    once: bool = False
    replace: tuple[tuple[str, str], ...] = ()
    config_settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def suits(self, version: tuple[int, ...], *, free_threaded: bool) -> bool:
        """Whether the form is meant for a CPython."""
        return version[:2] >= self.minimum and self.free_threaded in (None, free_threaded)

    def apply(self, project: Path) -> None:
        """Changes a copy of the project into this form. Raises DevelopmentError."""
        file = project / "pyproject.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in self.replace:
            if text.count(old) != 1:
                raise DevelopmentError(f"{project.name}: pyproject.toml has {text.count(old)} times {old!r}, not once")
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Plan:
    """What is done with an example."""

    folder: Path
    forms: tuple[Form, ...] = (Form(),)
    platforms: tuple[str, ...] = PLATFORMS
    reason: str = ""

    def label(self, form: Form) -> str:
        """The example and its form, as the table shows them."""
        return f"examples/{self.folder.name}" + (f" {form.name}" if form.name else "")


def read(folder: Path, python: Path) -> Plan:
    """The plan of an example; `python` is a CPython that reads TOML. Raises DevelopmentError."""
    file = folder / "tests/forms.toml"
    if not file.is_file():
        return Plan(folder)
    return parse(folder, json.loads(run([python, "-c", _AS_JSON, file], quiet=True)))


def parse(folder: Path, table: Mapping[str, Any]) -> Plan:
    """The plan that a file's table tells. Raises DevelopmentError for what it does not know."""
    where = f"examples/{folder.name}/tests/forms.toml"
    platforms = tuple(table.get("platforms", PLATFORMS))
    unknown = [*(table.keys() - {"platforms", "reason", "form"}), *(set(platforms) - set(PLATFORMS))]
    forms = []
    for row in table.get("form", [{}]):
        unknown += row.keys() - _KEYS
        major, _, minor = row.get("minimum", "3.10").partition(".")
        forms.append(
            Form(
                name=row.get("name", ""),
                minimum=(int(major), int(minor)),
                free_threaded=row.get("free-threaded"),
                once=row.get("once", False),
                replace=tuple((old, new) for old, new in row.get("replace", [])),
                config_settings=tuple(f"{key}={value}" for key, value in row.get("config-settings", {}).items()),
                environment=row.get("environment", {}),
            )
        )
    if unknown:
        raise DevelopmentError(f"{where}: unknown: {', '.join(sorted(unknown))}")
    if set(platforms) != set(PLATFORMS) and not table.get("reason"):
        raise DevelopmentError(f"{where}: names platforms, but no reason why the example runs on no other")
    return Plan(folder, tuple(forms), platforms, table.get("reason", ""))
