"""What was linked from what: a stamp a module, written only after it was read back and found right.

setuptools links again when a source is newer than the module. It does not see a changed flag, another NASM, or a
module that a killed build left half-written; a stamp does.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from ..files import replace_file


class Stamps:
    """The stamps below one `build_temp`."""

    def __init__(self, build_temp: Path) -> None:
        self.folder = build_temp / "nasm-build-stamps"

    def holds(self, module: Path, parts: Sequence[str]) -> bool:
        """Whether `module` is the file that was made from `parts` and found right."""
        return self._read(module).get("made") == _made(module, parts)

    def write(self, module: Path, parts: Sequence[str]) -> None:
        row = {"module": str(module), "made": _made(module, parts)}
        replace_file(self._path(module), json.dumps(row).encode())

    def remove(self, module: Path) -> None:
        """Forgets a module, and removes it: what is not known to be right must not be packed."""
        self._path(module).unlink(missing_ok=True)
        module.unlink(missing_ok=True)

    def drop_all_but(self, wanted: set[Path]) -> None:
        """Removes modules of earlier builds that this distribution no longer has."""
        names = {str(path) for path in wanted}
        for module in self._modules():
            if str(module) not in names:
                self.remove(module)

    def keep_only_modules(self, build_lib: Path) -> None:
        """Empties a folder that only our builds use, but for modules with a stamp: everything else is copied again."""
        kept = {str(module) for module in self._modules()}
        for folder, _, files in os.walk(build_lib, topdown=False):
            for name in files:
                path = Path(folder, name)
                if str(path) not in kept and path.suffix in (".so", ".pyd"):
                    path.unlink()

    def _modules(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        rows = (self._read_file(path) for path in self.folder.glob("*.json"))
        return [Path(row["module"]) for row in rows if "module" in row]

    def _path(self, module: Path) -> Path:
        return self.folder / (hashlib.sha256(str(module).encode()).hexdigest()[:20] + ".json")

    def _read(self, module: Path) -> dict[str, str]:
        return self._read_file(self._path(module))

    @staticmethod
    def _read_file(path: Path) -> dict[str, str]:
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return row if isinstance(row, dict) else {}


def _made(module: Path, parts: Sequence[str]) -> str:
    try:
        status = module.stat()
    except OSError:
        return ""
    whole = "\0".join([*parts, str(status.st_size), str(status.st_mtime_ns)])
    return hashlib.sha256(whole.encode()).hexdigest()
