"""Writing small files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Writes beside the place and renames; what could not be written whole leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def replace_if_changed(path: Path, content: bytes) -> None:
    """Leaves a file alone, its time included, that has this content already."""
    if not path.is_file() or path.read_bytes() != content:
        replace_file(path, content)
