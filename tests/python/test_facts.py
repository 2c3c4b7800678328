"""`nasm-ext facts`: what it prints of modules of every format, of wheels, and of what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from check_samples import ELF, LINUX, MACOS, WINDOWS, Samples

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs/facts.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def facts(samples: Samples, *paths: str, status: int = 0) -> list[dict[str, Any]]:
    """The entries, each held against the schema."""
    said = samples.nasm_ext_says("facts", *paths)
    assert (said.returncode, said.errors) == (status, ""), said
    document = json.loads(said.output)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    # One line an entry, one before and one behind them.
    assert said.output.count("\n") == len(document["files"]) + 2
    entries: list[dict[str, Any]] = document["files"]
    return entries


def test_a_linux_module(samples: Samples) -> None:
    library = samples.shared_library("libquux.so.1")
    link = ["-z", "noexecstack", "--no-as-needed", f"./{library}", "-rpath", "$ORIGIN/libs:/opt/lib"]
    (entry,) = facts(samples, samples.elf(link=link))
    where = {key: entry.pop(key) for key in ("size", "memory", "sections")}
    (export,) = entry["exports"]
    assert [part["executable"] for part in where["memory"]].count(True) == 1
    (text,) = (section for section in where["sections"] if section["name"] == ".text")
    assert text["address"] <= export.pop("address") < text["address"] + text["size"]
    assert where["size"] == (samples.folder / LINUX).stat().st_size
    assert entry == {
        "path": LINUX,
        "member": None,
        "slice": None,
        "reason": None,
        "format": "ELF",
        "machine": "x86-64",
        "pointer_bits": 64,
        "kind": "shared-library",
        "own_name": None,
        "platform": None,
        "minimum_system": None,
        "stack": "not-executable",
        "libraries": [{"name": "libquux.so.1", "weak": False, "delayed": False}],
        "run_paths": ["$ORIGIN/libs", "/opt/lib"],
        "exports": [{"name": "PyInit_pymult", "size": 0, "kind": "function", "weak": False, "forwarded_to": None}],
        "hidden": [],
        "imports": [
            {
                "name": "PyModuleDef_Init",
                "library": None,
                "version": None,
                "weak": False,
                "flat": False,
                "missing_underscore": False,
            }
        ],
        "claims_text_relocations": False,
        "text_relocations": [],
        "pe": None,
        "macho": None,
    }


def test_what_a_stack_header_and_visibility_say(samples: Samples) -> None:
    source = ELF.replace("PyInit_pymult:function", "PyInit_pymult:function hidden")
    (entry,) = facts(samples, samples.elf(source, link=["-z", "execstack"]))
    assert (entry["stack"], entry["exports"]) == ("executable", [])
    (entry,) = facts(samples, samples.elf(name="libpymult.so.1", link=["-soname", "libpymult.so.1"]))
    assert entry["own_name"] == "libpymult.so.1"


def test_a_macos_module(samples: Samples) -> None:
    (entry,) = facts(samples, samples.macho())
    kept = ("format", "kind", "machine", "platform", "minimum_system", "stack")
    assert [entry[key] for key in kept] == ["Mach-O", "bundle", "x86-64", "macos", "11.0", None]
    assert entry["macho"] == {"chained_fixups": False, "signature": "absent", "signed_pages": 0, "stale_pages": 0}
    assert [export["name"] for export in entry["exports"]] == ["PyInit_pymult"]
    flat = {one["name"]: one["flat"] for one in entry["imports"]}
    assert flat["PyModuleDef_Init"] and set(flat) <= {"PyModuleDef_Init", "dyld_stub_binder"}


def test_a_windows_module(samples: Samples) -> None:
    (entry,) = facts(samples, samples.pe())
    kept = ("format", "kind", "machine", "own_name", "platform", "stack")
    assert [entry[key] for key in kept] == ["PE", "shared-library", "x86-64", WINDOWS, None, None]
    assert [export["name"] for export in entry["exports"]] == ["PyInit_pymult"]
    assert entry["pe"] == {
        "hybrid": "none",
        "relocations_stripped": False,
        "has_relocations": True,
        "dynamic_base": True,
        "high_entropy": True,
        "no_execute": True,
        "control_flow_guard": False,
    }
    assert [(one["name"], one["library"]) for one in entry["imports"]] == [("PyModuleDef_Init", "python313.dll")]
    assert entry["libraries"] == [{"name": "python313.dll", "weak": False, "delayed": False}]


def test_a_wheel_and_what_cannot_be_read(samples: Samples) -> None:
    wheel = samples.wheel(
        "p-1-cp313-cp313-linux_x86_64.whl",
        {f"pkg/{LINUX}": samples.elf(), "pkg/cut.abi3.so": b"\x7fELF", f"pkg/{MACOS}": samples.macho()},
    )
    pure = samples.wheel("pure-1.0-py3-none-any.whl", {"a.py": b""})
    entries = facts(samples, wheel, "missing.so", pure, status=2)
    assert [(entry["path"], entry["member"], entry.get("format")) for entry in entries] == [
        (wheel, f"pkg/{LINUX}", "ELF"),
        (wheel, "pkg/cut.abi3.so", None),
        (wheel, f"pkg/{MACOS}", "Mach-O"),
        ("missing.so", None, None),
    ]
    assert entries[3]["reason"] == "there is no such file"
    assert entries[1]["reason"] == (
        "the file is cut or damaged: the ELF header ends at byte 20, but the file has 4 bytes"
    )


def test_nothing_to_read(samples: Samples) -> None:
    pure = samples.wheel("pure-1.0-py3-none-any.whl", {"a.py": b""})
    said = samples.nasm_ext_says("facts", pure)
    assert json.loads(said.output)["files"] == []
    assert (said.returncode, said.errors) == (0, "")
    (samples.folder / "empty").mkdir()
    said = samples.nasm_ext_says("facts", "empty")
    assert (said.returncode, said.output) == (2, "")
    assert said.errors.startswith("error: ")
