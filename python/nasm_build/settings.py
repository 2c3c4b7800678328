"""The settings of a project: `[tool.nasm-build]` of pyproject.toml, config-settings (`-C key=value`) and environment.

One validated object, the same for every engine. The tables below are the reference: what is not in them is an error
with the line and the nearest name. `docs/settings.md` is checked against them by a test.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import BuildError, Problem, failed
from .source import Macro, Source, is_assembly
from .toml_lines import line_of

RULE = "settings"
ENGINES = ("setuptools", "scikit-build-core")


@dataclass(frozen=True)
class ExtensionSettings:
    """One `[[tool.nasm-build.ext-modules]]`, or an `Extension(…)` of a setup.py, in our words."""

    name: str
    sources: tuple[str | Source, ...]
    include_dirs: tuple[str, ...] = ()
    define_macros: tuple[Macro, ...] = ()
    undef_macros: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    library_dirs: tuple[str, ...] = ()
    extra_compile_args: tuple[str, ...] = ()
    extra_link_args: tuple[str, ...] = ()
    py_limited_api: str = ""
    optional: bool = False
    nasm_args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything a build is told. Paths are relative to `root`, the folder of pyproject.toml."""

    root: Path
    has_pyproject: bool = False
    engine: str = ""
    nasm: str = ""
    linker: str = ""
    target: str = ""  #: sysconfig's word for the platform that is built for; empty: this one
    target_python: str = ""  #: `3.13`, `3.13t`; empty: the running one
    build_dir: str = ""
    debug: bool = False
    platform_tag: str = "auto"
    ext_modules: tuple[ExtensionSettings, ...] = ()
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    tools: frozenset[str] = frozenset()
    setuptools_names: frozenset[str] = frozenset()


Reader = Callable[["_Place", Any], Any]


@dataclass(frozen=True)
class _Place:
    """Where a value stands, for the message about it."""

    text: str
    table: str
    key: str = ""
    occurrence: int = 0

    def error(self, message: str, fix: str) -> BuildError:
        line = line_of(self.text, self.table, self.key, self.occurrence)
        return failed(message, RULE, fix, file="pyproject.toml", line=line)

    def at(self, key: str) -> _Place:
        return replace(self, key=key)


def _text(place: _Place, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise place.error(f"'{place.key}' takes a string, not {_kind(value)}", f'{place.key} = "…"')
    return value


def _flag(place: _Place, value: Any) -> bool:
    if not isinstance(value, bool):
        raise place.error(f"'{place.key}' takes true or false, not {_kind(value)}", f"{place.key} = true")
    return value


def _texts(place: _Place, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise place.error(f"'{place.key}' takes a list of strings, not {_kind(value)}", f'{place.key} = ["…"]')
    return tuple(value)


def _engine(place: _Place, value: Any) -> str:
    if value not in ENGINES:
        raise place.error(f"there is no engine {value!r}", f'engine = "{_nearest(str(value), ENGINES) or ENGINES[0]}"')
    return str(value)


def _module_name(place: _Place, value: Any) -> str:
    name = _text(place, value)
    if not all(part.isidentifier() for part in name.split(".")):
        raise place.error(f"{name!r} is no name that Python can import", 'name = "package.module"')
    return name


def _paths(place: _Place, value: Any) -> tuple[str, ...]:
    return tuple(_inside(place, item) for item in _texts(place, value))


def _inside(place: _Place, value: str) -> str:
    """A path of the project, in the one spelling that every platform reads; nothing outside may enter an sdist."""
    path = PurePosixPath(value.replace("\\", "/"))
    if path.is_absolute() or re.match(r"[A-Za-z]:", value) or ".." in path.parts:
        raise place.error(
            f"'{value}' lies outside the project, so no sdist could hold it",
            "move it into the project and give its path relative to pyproject.toml",
        )
    return str(path)


def _macros(place: _Place, value: Any) -> tuple[Macro, ...]:
    """`["NAME", "NAME=VALUE"]`, setuptools' pairs `[["NAME", "VALUE"], ["NAME"]]`, or a table `{NAME = "VALUE"}`."""
    if isinstance(value, dict):
        value = [[name, text] for name, text in value.items()]
    if not isinstance(value, list):
        raise place.error(f"'{place.key}' takes a list, not {_kind(value)}", f'{place.key} = ["NAME=VALUE"]')
    return tuple(_macro(place, item) for item in value)


def _macro(place: _Place, item: Any) -> Macro:
    if isinstance(item, str):
        name, equals, text = item.partition("=")
        macro: Macro = (name, text if equals else None)
    elif isinstance(item, list) and 1 <= len(item) <= 2 and all(isinstance(part, (str, int)) for part in item):
        macro = (str(item[0]), str(item[1]) if len(item) == 2 else None)
    else:
        raise place.error(f"{item!r} is no macro", f'{place.key} = ["NAME=VALUE", "NAME"]')
    if not re.fullmatch(r"[A-Za-z_.?@][\w.?@$#~]*", macro[0]):
        raise place.error(f"{macro[0]!r} is no name of a macro", f'{place.key} = ["NAME=VALUE", "NAME"]')
    return macro


def _fallback(place: _Place, value: Any) -> str | tuple[str, ...]:
    return _inside(place, value) if isinstance(value, str) else _paths(place, value)


def _sources(place: _Place, value: Any) -> tuple[str | Source, ...]:
    if not isinstance(value, list) or not value:
        raise place.error(f"'sources' takes a list of files, not {_kind(value)}", 'sources = ["module.asm"]')
    return tuple(_source(place, item) for item in value)


def _source(place: _Place, item: Any) -> str | Source:
    if isinstance(item, str):
        return _inside(place, item)
    if not isinstance(item, dict):
        raise place.error(f"{item!r} is no source", 'sources = ["module.asm", { file = "k.asm", fallback = "k.c" }]')
    values = _read_table(place, item, SOURCE_KEYS, "a table of 'sources'")
    if "file" not in values:
        raise place.error("a table of 'sources' names no file", '{ file = "kernel.asm", fallback = "kernel.c" }')
    if not is_assembly(values["file"]):
        raise place.error(
            f"'{values['file']}' is no assembly source, so it takes no table",
            f'give it as "{values["file"]}"; tables are for {" and ".join((".asm", ".nasm"))} files',
        )
    return Source(**values)


def _limited_api(place: _Place, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"3\.\d+t?", value):
        raise place.error(
            f"'py-limited-api' takes the oldest CPython promised, not {value!r}",
            'py-limited-api = "3.10", or "3.15t" for abi3t; it sets the module\'s suffix, the wheel\'s tag and the '
            "macro together",
        )
    return value


_LINUX_TAG = r"(manylinux(1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+|linux)_[a-z0-9_]+"
_PLATFORM_TAG = rf"({_LINUX_TAG}|macosx_\d+_\d+_[a-z0-9_]+|win32|win_amd64|win_arm64)"


def platform_tag_problem(value: Any) -> tuple[str, str] | None:
    """What is wrong with a `platform-tag`, and the fix; None for a right one."""
    if isinstance(value, str) and (
        value in ("auto", "linux") or re.fullmatch(rf"{_PLATFORM_TAG}(\.{_PLATFORM_TAG})*", value)
    ):
        return None
    return (
        f'\'platform-tag\' takes a platform\'s tag, "auto" or "linux", not {value!r}',
        'platform-tag = "auto" takes the lowest that the modules allow; "manylinux_2_28_x86_64" asks for one',
    )


def _platform_tag(place: _Place, value: Any) -> str:
    problem = platform_tag_problem(value)
    if problem is not None:
        raise place.error(*problem)
    return str(value)


def _check(place: _Place, value: Any) -> None:
    """`[tool.nasm-build.check]` is read by nasm-ext; only its keys are known here, so that a typing error is told."""
    if not isinstance(value, dict):
        raise place.error(f"'check' is a table, not {_kind(value)}", "[tool.nasm-build.check]")
    inner = replace(place, table="tool.nasm-build.check", key="")
    _read_table(
        inner, value, {"ignore": lambda _, rows: rows, "baseline": lambda _, file: file}, "[tool.nasm-build.check]"
    )


def _ext_modules(place: _Place, value: Any) -> tuple[ExtensionSettings, ...]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise place.error("'ext-modules' is an array of tables", "[[tool.nasm-build.ext-modules]]")
    found: list[ExtensionSettings] = []
    for number, row in enumerate(value):
        inner = _Place(place.text, "tool.nasm-build.ext-modules", occurrence=number)
        values = _read_table(inner, row, EXTENSION_KEYS, "[[tool.nasm-build.ext-modules]]")
        for key in ("name", "sources"):
            if key not in values:
                raise inner.error(f"this extension module has no '{key}'", f"{key} = {_EXAMPLES[key]}")
        if any(other.name == values["name"] for other in found):
            raise inner.at("name").error(f"two extension modules are named '{values['name']}'", "rename one of them")
        found.append(ExtensionSettings(**values))
    return tuple(found)


_EXAMPLES = {"name": '"module"', "sources": '["module.asm"]'}

SOURCE_KEYS: dict[str, Reader] = {
    "file": lambda place, value: _inside(place, _text(place.at("file"), value)),
    "define-macros": _macros,
    "nasm-args": _texts,
    "fallback": _fallback,
}

EXTENSION_KEYS: dict[str, Reader] = {
    "name": _module_name,
    "sources": _sources,
    "include-dirs": _texts,
    "define-macros": _macros,
    "undef-macros": _texts,
    "depends": _paths,
    "libraries": _texts,
    "library-dirs": _texts,
    "extra-compile-args": _texts,
    "extra-link-args": _texts,
    "py-limited-api": _limited_api,
    "optional": _flag,
    "nasm-args": _texts,
}

PROJECT_KEYS: dict[str, Reader] = {
    "engine": _engine,
    "nasm": _text,
    "linker": _text,
    "build-dir": _text,
    "debug": _flag,
    "platform-tag": _platform_tag,
    "ext-modules": _ext_modules,
    "check": _check,
}

CONFIG_KEYS = ("engine", "nasm", "linker", "build-dir", "debug", "platform-tag", "target", "target-python")
"""What `-C key=value` may set for one build: some of the above, and the Python that is built for, which is never the
project's own."""

VARIABLES = {"build_dir": "NASM_BUILD_DIR", "target": "NASM_BUILD_TARGET", "target_python": "NASM_BUILD_TARGET_PYTHON"}
"""The environment's words for them, over which `-C` goes. NASM and NASM_BUILD_LINKER are read by nasm-ext."""

SETUPTOOLS_CONFIG_KEYS = ("--build-option", "--global-option", "editable_mode", "editable-mode")
"""Config-settings that setuptools itself documents; they are handed on."""


def _read_table(place: _Place, table: Mapping[str, Any], readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    """Reads each key by its reader; unknown keys are an error with the nearest one."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        reader = readers.get(key)
        if reader is None:
            meant = _nearest(key, readers)
            fix = f"did you mean '{meant}'?" if meant else f"it takes: {', '.join(sorted(readers))}"
            raise place.at(key).error(f"unknown key '{key}' in {where}", fix)
        values[key.replace("-", "_")] = reader(place.at(key), value)
    return values


def _nearest(word: str, words: Iterable[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.replace("_", "-"), list(words), n=1, cutoff=0.6)), "")


def _kind(value: Any) -> str:
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return "an empty string" if value == "" else "an empty list" if value == [] else names.get(type(value), "that")


def read_settings(root: Path, config_settings: Mapping[str, Any] | None = None) -> Settings:
    """The settings of the project in `root`.

    Raises BuildError for a file that is no TOML, an unknown key, a value of the wrong kind, half a setting.
    """
    text, document = _read_document(root)
    tool = document.get("tool", {})
    tool = tool if isinstance(tool, dict) else {}
    place = _Place(text, "tool.nasm-build")
    table = tool.get("nasm-build", {})
    if not isinstance(table, dict):
        raise place.error("'tool.nasm-build' is a table", "[tool.nasm-build]")
    values = _read_table(place, table, PROJECT_KEYS, "[tool.nasm-build]")
    values.pop("check", None)
    setuptools_table = tool.get("setuptools", {})
    settings = Settings(
        root=root,
        has_pyproject=bool(text),
        tools=frozenset(tool),
        setuptools_names=frozenset(setuptools_table) if isinstance(setuptools_table, dict) else frozenset(),
        **values,
    )
    return _with_config_settings(settings, config_settings or {})


def _read_document(root: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
    except FileNotFoundError:
        return "", {}
    except UnicodeDecodeError:
        raise failed("is not UTF-8", RULE, "save it as UTF-8", file="pyproject.toml") from None
    # tomllib came with 3.11; tomli is the same library for 3.10.
    tomllib: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise failed(
            f"no valid TOML: {error}", RULE, "mend the line", file="pyproject.toml", line=int(found[1]) if found else 0
        ) from None


def _with_config_settings(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """Applies `-C` settings, then the environment's; keeps what is the engine's own for the engine."""
    changed: dict[str, Any] = {}
    handed_on: dict[str, Any] = {}
    for key, value in given.items():
        ours = key.replace("_", "-")
        if ours in CONFIG_KEYS:
            changed[ours.replace("-", "_")] = _config_value(ours, value)
        elif (
            key in SETUPTOOLS_CONFIG_KEYS or settings.engine == "scikit-build-core" or "scikit-build" in settings.tools
        ):
            handed_on[key] = value
        else:
            meant = _nearest(ours, CONFIG_KEYS)
            fix = f"did you mean '-C {meant}=…'?" if meant else f"there are: {', '.join(CONFIG_KEYS)}"
            raise BuildError(Problem(f"unknown config-setting '{key}'", RULE, fix))
    for name, variable in VARIABLES.items():
        if name not in changed and os.environ.get(variable):
            changed[name] = os.environ[variable]
    return replace(settings, engine_options=handed_on, **changed)


def _config_value(key: str, value: Any) -> str | bool:
    if isinstance(value, list):  # pip hands a key that was given twice on as a list: the last one wins
        value = value[-1]
    if key == "debug":
        words = {"true": True, "1": True, "on": True, "yes": True, "": True, "false": False, "0": False, "off": False}
        words["no"] = False
        if isinstance(value, bool):
            return value
        if str(value).lower() not in words:
            raise failed(f"'-C debug={value}' is neither true nor false", RULE, "-C debug=true")
        return words[str(value).lower()]
    problem = platform_tag_problem(value) if key == "platform-tag" else None
    if problem is not None:
        raise failed(problem[0], RULE, "-C platform-tag=auto, linux, or a tag like manylinux_2_28_x86_64")
    if key == "engine" and value not in ENGINES:
        raise failed(f"there is no engine {value!r}", RULE, f"-C engine={_nearest(str(value), ENGINES) or ENGINES[0]}")
    return str(value)
