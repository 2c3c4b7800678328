"""Debian's packages of other releases, through an apt configuration of its own: nothing is installed.

The machine's own package lists stay as they are; everything is written into one folder that the caller names.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

from .shell import DevelopmentError, run

ARCHIVE = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def usable() -> bool:
    """Whether packages for x86-64 can be taken and run here."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb")) and os.uname().machine == "x86_64"


class PrivateApt:
    """An apt that sees one suite alone and writes into `folder` alone. Its lists are fetched when it is made."""

    def __init__(self, suite: str, folder: Path, *, sources: bool = False) -> None:
        self.suite = suite
        self.folder = folder
        for name in ("lists/partial", "cache/archives/partial", "sources.list.d", "preferences.d"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        kind = "deb-src" if sources else "deb"
        (folder / "sources.list").write_text(f"{kind} [signed-by={KEYRING}] {_archive()} {suite} main\n")
        run([*self._words(), "update"], quiet=True)

    def download(self, packages: Sequence[str], target: Path) -> list[Path]:
        """The packages' files, without what they depend on."""
        target.mkdir(exist_ok=True)
        run([*self._words(), "download", *packages], cwd=target, quiet=True)
        return sorted(target.glob("*.deb"))

    def download_with_dependencies(self, packages: Sequence[str]) -> list[Path]:
        """The files of packages and of everything that they depend on, from the C library up."""
        options = ["--yes", "--download-only", "--no-install-recommends"]
        run([*self._words(), *options, "install", *packages], quiet=True)
        return sorted((self.folder / "cache/archives").glob("*.deb"))

    def source_tree(self, package: str, target: Path) -> Path:
        """A source package's upstream tree, unpacked into a folder."""
        archive = self.source(package, target)
        with tarfile.open(archive) as packed:
            packed.extractall(target, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(target)
        trees = [path for path in target.iterdir() if path.is_dir()]
        if len(trees) != 1:
            raise DevelopmentError(f"{archive.name} unpacks into {len(trees)} folders")
        return trees[0]

    def source(self, package: str, target: Path) -> Path:
        """The upstream archive of a source package, as its authors released it: none of Debian's patches is needed."""
        target.mkdir(parents=True, exist_ok=True)
        run([*self._words(), "source", "--download-only", "--tar-only", package], cwd=target, quiet=True)
        archives = [path for path in target.glob("*.orig.tar.*") if path.suffix != ".asc"]
        if len(archives) != 1:
            raise DevelopmentError(f"Debian {self.suite}: the source package {package} has {len(archives)} archives")
        return archives[0]

    def _words(self) -> list[str | Path]:
        settings = {
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": self.folder / "sources.list.d",
            "Dir::Etc::preferencesparts": self.folder / "preferences.d",
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
        }
        words: list[str | Path] = ["apt-get", "--quiet"]
        for name, value in settings.items():
            words += ["-o", f"{name}={value}"]
        return words


def unpack(package: Path, target: Path) -> None:
    """Unpacks a package's files; none of its scripts run."""
    run(["dpkg-deb", "--extract", package, target], quiet=True)


def _archive() -> str:
    """Where this machine's own packages come from, when it is a Debian: its mirror may be the only one it can reach."""
    question = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    uris = [line.rstrip("/") for line in run(question, quiet=True).splitlines()]
    return next((uri for uri in uris if uri.endswith("/debian")), ARCHIVE)
