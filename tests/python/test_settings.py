"""Reading `[tool.nasm-build]`: what is taken, and the whole message for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasm_build.errors import BuildError
from nasm_build.settings import EXTENSION_KEYS, PROJECT_KEYS, SOURCE_KEYS, Settings, read_settings
from nasm_build.source import Source

HEAD = '[project]\nname = "m"\nversion = "1"\n\n'
MODULE = '[[tool.nasm-build.ext-modules]]\nname = "m"\nsources = ["m.asm"]\n'


def read(folder: Path, text: str, config: dict[str, object] | None = None) -> Settings:
    (folder / "pyproject.toml").write_text(HEAD + text, encoding="utf-8")
    return read_settings(folder, config)


def test_everything_that_is_documented_is_read(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        """
[tool.nasm-build]
engine = "setuptools"
nasm = "/opt/nasm"
build-dir = "out"
debug = true

[[tool.nasm-build.ext-modules]]
name = "pkg.m"
sources = ["m.asm", "glue.c", { file = "k.nasm", define-macros = ["WIDE", "N=4"], nasm-args = ["-O0"], fallback = "k.c" }]
include-dirs = ["inc"]
define-macros = [["A", "1"], ["B"]]
undef-macros = ["C"]
depends = ["t.h"]
libraries = ["m"]
library-dirs = ["lib"]
extra-compile-args = ["-O2"]
extra-link-args = ["-Wl,-O1"]
py-limited-api = "3.10"
optional = true
nasm-args = ["-w+all"]

[tool.nasm-build.check]
ignore = [{ rule = "extra-export", reason = "used by ctypes" }]
""",
    )
    assert (settings.engine, settings.nasm, settings.build_dir, settings.debug) == (
        "setuptools",
        "/opt/nasm",
        "out",
        True,
    )
    module = settings.ext_modules[0]
    assert module.name == "pkg.m"
    assert module.sources == (
        "m.asm",
        "glue.c",
        Source("k.nasm", (("WIDE", None), ("N", "4")), ("-O0",), "k.c"),
    )
    assert module.define_macros == (("A", "1"), ("B", None))
    assert (module.undef_macros, module.depends, module.libraries) == (("C",), ("t.h",), ("m",))
    assert (module.py_limited_api, module.optional, module.nasm_args) == ("3.10", True, ("-w+all",))


MISTAKES = {
    "unknown key of the project": (
        '[tool.nasm-build]\nnams = "x"\n',
        "pyproject.toml:6: error: unknown key 'nams' in [tool.nasm-build] [settings]\n  fix: did you mean 'nasm'?",
    ),
    "unknown key of a module": (
        MODULE + 'include-dir = ["inc"]\n',
        "pyproject.toml:8: error: unknown key 'include-dir' in [[tool.nasm-build.ext-modules]] [settings]\n"
        "  fix: did you mean 'include-dirs'?",
    ),
    "unknown key of the second module": (
        MODULE + MODULE.replace('"m"', '"n"') + "zzz = 1\n",
        "pyproject.toml:11: error: unknown key 'zzz' in [[tool.nasm-build.ext-modules]] [settings]\n"
        "  fix: it takes: define-macros, depends, extra-compile-args, extra-link-args, include-dirs, libraries, "
        "library-dirs, name, nasm-args, optional, py-limited-api, sources, undef-macros",
    ),
    "unknown key of a source": (
        MODULE.replace('"m.asm"', '{ file = "m.asm", fallbck = "m.c" }'),
        "pyproject.toml:7: error: unknown key 'fallbck' in a table of 'sources' [settings]\n"
        "  fix: did you mean 'fallback'?",
    ),
    "unknown key of check": (
        "[tool.nasm-build.check]\nignored = []\n",
        "pyproject.toml:6: error: unknown key 'ignored' in [tool.nasm-build.check] [settings]\n"
        "  fix: did you mean 'ignore'?",
    ),
    "no sources": (
        '[[tool.nasm-build.ext-modules]]\nname = "m"\n',
        "pyproject.toml:5: error: this extension module has no 'sources' [settings]\n  fix: sources = [\"module.asm\"]",
    ),
    "a string where a list is due": (
        MODULE + 'include-dirs = "inc"\n',
        "pyproject.toml:8: error: 'include-dirs' takes a list of strings, not a string [settings]\n"
        '  fix: include-dirs = ["…"]',
    ),
    "a source outside": (
        MODULE.replace("m.asm", "../m.asm"),
        "pyproject.toml:7: error: '../m.asm' lies outside the project, so no sdist could hold it [settings]\n"
        "  fix: move it into the project and give its path relative to pyproject.toml",
    ),
    "a C source with a table": (
        MODULE.replace('"m.asm"', '{ file = "m.c" }'),
        "pyproject.toml:7: error: 'm.c' is no assembly source, so it takes no table [settings]\n"
        '  fix: give it as "m.c"; tables are for .asm and .nasm files',
    ),
    "half an abi": (
        MODULE + "py-limited-api = true\n",
        "pyproject.toml:8: error: 'py-limited-api' takes the oldest CPython promised, not True [settings]\n"
        '  fix: py-limited-api = "3.10", or "3.15t" for abi3t; it sets the module\'s suffix, the wheel\'s tag and the macro together',
    ),
    "a name that Python cannot import": (
        MODULE.replace('"m"', '"my-module"'),
        "pyproject.toml:6: error: 'my-module' is no name that Python can import [settings]\n"
        '  fix: name = "package.module"',
    ),
    "two of one name": (
        MODULE + MODULE,
        "pyproject.toml:9: error: two extension modules are named 'm' [settings]\n  fix: rename one of them",
    ),
    "an unknown engine": (
        '[tool.nasm-build]\nengine = "setuptool"\n',
        "pyproject.toml:6: error: there is no engine 'setuptool' [settings]\n  fix: engine = \"setuptools\"",
    ),
    "a macro that is none": (
        MODULE + 'define-macros = ["1X=2"]\n',
        "pyproject.toml:8: error: '1X' is no name of a macro [settings]\n"
        '  fix: define-macros = ["NAME=VALUE", "NAME"]',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_name_the_line_and_the_fix(tmp_path: Path, name: str) -> None:
    text, expected = MISTAKES[name]
    with pytest.raises(BuildError) as caught:
        read(tmp_path, text)
    assert caught.value.render() == expected


def test_text_that_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        read(tmp_path, "[tool.nasm-build\n")
    assert caught.value.render().startswith("pyproject.toml:5: error: no valid TOML: ")


def test_config_settings(tmp_path: Path) -> None:
    settings = read(tmp_path, MODULE, {"debug": "true", "build-dir": ["a", "b"], "--build-option": "-q"})
    assert (settings.debug, settings.build_dir) == (True, "b")
    assert settings.engine_options == {"--build-option": "-q"}


def test_a_misspelt_config_setting(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        read(tmp_path, MODULE, {"debg": "true"})
    assert caught.value.render() == (
        "error: unknown config-setting 'debg' [settings]\n  fix: did you mean '-C debug=…'?"
    )


def test_every_setting_is_documented() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/settings.md").read_text(encoding="utf-8")
    missing = [key for key in (*PROJECT_KEYS, *EXTENSION_KEYS, *SOURCE_KEYS) if f"`{key}`" not in text]
    assert missing == []
