"""The README's first module, taken out of the README and built as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import Projects
from projects import Toolbox
from running import SILENT_ABOUT_THE_GIL

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def block(language: str, opening: str) -> str:
    """The code block of the README that begins with these words."""
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if text.startswith(opening)]
    assert len(found) == 1, f"{len(found)} blocks of {language} begin with {opening}"
    return str(found[0])


@pytest.mark.every_python
def test_the_first_module_works_as_printed(project: Projects, toolbox: Toolbox) -> None:
    folder = project(
        {
            "pyproject.toml": block("toml", "[build-system]"),
            "hello.asm": block("nasm", '%include "Python.inc"'),
        }
    )
    built = toolbox.build(folder, isolated=True)
    assert built.wheel.name.startswith("hello-1.0.0-cp3"), str(built)
    code = "import hello; print(hello.answer(), hello.answer.__doc__)"
    assert toolbox.call(built.wheel, code, env=SILENT_ABOUT_THE_GIL).output == "42 The answer, from assembly.\n"
