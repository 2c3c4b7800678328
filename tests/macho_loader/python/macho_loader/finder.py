"""Finds extension modules for macOS in one folder and in the packages below it, and loads them with the compiled part.

A module is looked for as importlib's FileFinder of macOS does it: a package first, then the suffixes in their order.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from . import _native

PLATFORM_SUFFIX = re.compile(r"\.(cpython-\d+[a-z]*|abi\d+t?)-.*\.so")
PLAIN_SUFFIX = re.compile(r"(\.abi\d+t?)?\.so")

_loaded: dict[str, str] = {}


def loaded() -> dict[str, str]:
    """The modules that this interpreter has made, in their order, each with its file."""
    return _loaded


def suffixes() -> list[str]:
    """What this CPython's extension modules end with on macOS, in the order in which they are looked for."""
    found = []
    for suffix in EXTENSION_SUFFIXES:
        versioned = PLATFORM_SUFFIX.fullmatch(suffix)
        if versioned:
            found.append(f".{versioned[1]}-darwin.so")
        elif PLAIN_SUFFIX.fullmatch(suffix):
            found.append(suffix)
    return found


class MachOLoader(ExtensionFileLoader):
    """The loader of one Mach-O module; all but the making of the module is as for any other extension module."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Loads the file and has its entry point make the module, which is empty still if it is multi-phase."""
        path = os.fspath(self.path)
        module = _native.create(spec, path, spec.name, hook_suffix(spec.name))
        _loaded[spec.name] = path
        return module


class MachOFinder(DistributionFinder):
    """Finds modules, and the packages around them, in one folder before anything else of their names."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for what the folder has; pure Python comes from there by the import system's own finder."""
        places = self._places(path)
        last = fullname.rpartition(".")[2]
        for place in places:
            if not Path(place, last, "__init__.py").is_file():
                for suffix in suffixes():
                    file = Path(place, last + suffix)
                    if file.is_file():
                        loader = MachOLoader(fullname, str(file))
                        return spec_from_file_location(fullname, file, loader=loader)
        return PathFinder.find_spec(fullname, places, target) if places else None

    def find_distributions(
        self,
        context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008, as the base has it
    ) -> Iterable[Distribution]:
        """The distributions that are installed in the folder, for importlib.metadata."""
        return MetadataPathFinder.find_distributions(DistributionFinder.Context(name=context.name, path=[self.folder]))

    def _places(self, path: Sequence[str] | None) -> list[str]:
        """The folder itself for a top-level module; below a package its folders that lie in ours."""
        if path is None:
            return [self.folder]
        return [place for place in path if Path(place).is_relative_to(self.folder)]


def install(folder: str) -> None:
    """Has this interpreter import from a folder first. Once for each folder, however often it is asked for."""
    whole = str(Path(folder).absolute())
    if not any(isinstance(finder, MachOFinder) and finder.folder == whole for finder in sys.meta_path):
        sys.meta_path.insert(0, MachOFinder(whole))


def hook_suffix(name: str) -> str:
    """What follows PyInit in the name of a module's entry point (PEP 489)."""
    last = name.rpartition(".")[2]
    if last.isascii():
        return f"_{last}"
    return "U_" + last.encode("punycode").decode("ascii").replace("-", "_")
