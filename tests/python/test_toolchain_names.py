"""The module names that the table gives, against those that the CPythons of this machine look for."""

from __future__ import annotations

import importlib.machinery
import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging import tags

from devtools import interpreters

_QUESTION = """
import importlib.machinery, json, platform, struct, sysconfig
print(json.dumps([sysconfig.get_config_var("EXT_SUFFIX"), importlib.machinery.EXTENSION_SUFFIXES,
    sysconfig.get_platform(), struct.calcsize("P") * 8, platform.libc_ver()[0]]))
"""


def _module(nasm_ext: Path, target: str, bits: int, library: str, *words: str) -> dict[str, str]:
    command: list[str | Path] = [
        nasm_ext,
        "toolchain",
        "--format",
        "json",
        "--target",
        target,
        "--pointer-bits",
        str(bits),
        *words,
    ]
    if target.startswith("linux"):
        command += ["--c-library", "musl" if library == "musl" else "gnu"]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    module: dict[str, str] = json.loads(answer)["module"]
    return module


def test_every_cpython_of_the_machine(nasm_ext: Path) -> None:
    found = interpreters.find_all()
    assert found, "no CPython was found"
    for interpreter in found:
        answer = subprocess.run([interpreter.path, "-c", _QUESTION], stdout=subprocess.PIPE, text=True, check=True)
        suffix, suffixes, target, bits, library = json.loads(answer.stdout)
        version = "{}.{}".format(*interpreter.version)
        python = version + ("t" if interpreter.free_threaded else "")
        module = _module(nasm_ext, target, bits, library, "--python", python)
        assert module["suffix"] == suffix, interpreter
        if not interpreter.free_threaded:
            assert _module(nasm_ext, target, bits, library, "--abi3", version)["suffix"] in suffixes, interpreter


@pytest.mark.every_python
def test_the_running_cpython_and_packaging_agree(nasm_ext: Path) -> None:
    version = "{}.{}".format(*sys.version_info[:2]) + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
    bits = 64 if sys.maxsize > 2**32 else 32
    own = list(tags.sys_tags())
    library = "musl" if any(tag.platform.startswith("musllinux") for tag in own) else "gnu"
    module = _module(nasm_ext, sysconfig.get_platform(), bits, library, "--python", version)
    assert module["suffix"] == importlib.machinery.EXTENSION_SUFFIXES[0]
    assert tags.Tag(module["python_tag"], module["abi_tag"], module["platform_tag"]) in own
