"""`nasm-ext check` of a large wheel: its largest module bounds the memory, not the wheel."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from check_samples import LINUX, Samples

SIZE = 24_000_000


def peak(nasm_ext: Path, wheel: Path) -> int:
    """The most memory that one check of a wheel took, in bytes."""
    process = subprocess.Popen([nasm_ext, "check", "--no-config", "--quiet", wheel], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss * 1024


def test_memory_is_bounded_by_the_largest_module(tmp_path: Path, nasm_ext: Path) -> None:
    samples = Samples(tmp_path, nasm_ext)
    # A module with much behind it, which is read with it; as it is, not compressed.
    large = (tmp_path / samples.elf()).read_bytes() + os.urandom(SIZE)
    one = samples.wheel("a-1-cp313-cp313-linux_x86_64.whl", {f"a/{LINUX}": large})
    many = samples.wheel("b-1-cp313-cp313-linux_x86_64.whl", {f"b{number}/{LINUX}": large for number in range(8)})
    with_one, with_many = (peak(nasm_ext, tmp_path / wheel) for wheel in (one, many))
    assert (tmp_path / many).stat().st_size > 8 * SIZE
    assert with_many < with_one + 2 * SIZE, f"{with_one} bytes for one module, {with_many} for eight like it"
