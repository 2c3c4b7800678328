"""nasm-ext is found wherever an installer puts it, and only when it is our own version."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from projects import Toolbox
from sources import demo

Projects = Callable[..., Path]

FIND = "from nasm_build.executable import find_executable; print(find_executable())"


@pytest.fixture
def empty_environment(tmp_path: Path) -> Path:
    """A new environment with nothing but pip in it; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    return tmp_path / "venv/bin/python"


def install(toolbox: Toolbox, python: Path, wheel: Path, *words: str, env: dict[str, str] | None = None) -> None:
    done = toolbox.run([python, "-m", "pip", "install", "--quiet", "--no-warn-script-location", *words, wheel], env=env)
    assert done.returncode == 0, str(done)


def found(toolbox: Toolbox, python: Path, **env: str | None) -> str:
    done = toolbox.run([python, "-c", FIND], env={"PATH": "/usr/bin:/bin", **env})
    assert done.returncode == 0, str(done)
    return done.output.strip()


def test_in_an_environment(toolbox: Toolbox, empty_environment: Path, nasm_build_wheel: Path) -> None:
    install(toolbox, empty_environment, nasm_build_wheel)
    assert found(toolbox, empty_environment) == "<work>/venv/bin/nasm-ext"


def test_with_target(toolbox: Toolbox, empty_environment: Path, nasm_build_wheel: Path) -> None:
    target = toolbox.work / "target"
    install(toolbox, empty_environment, nasm_build_wheel, "--target", str(target))
    assert found(toolbox, empty_environment, PYTHONPATH=str(target)) == "<work>/target/bin/nasm-ext"


def test_with_user(toolbox: Toolbox, nasm_build_wheel: Path) -> None:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    env = {"PYTHONUSERBASE": str(toolbox.work / "user"), "PIP_BREAK_SYSTEM_PACKAGES": "1"}
    install(toolbox, base, nasm_build_wheel, "--user", env=env)
    assert found(toolbox, base, **env) == "<work>/user/bin/nasm-ext"


def test_with_prefix(toolbox: Toolbox, empty_environment: Path, nasm_build_wheel: Path) -> None:
    install(toolbox, empty_environment, nasm_build_wheel, "--prefix", str(toolbox.work / "prefix"))
    site = next((toolbox.work / "prefix").rglob("site-packages"))
    assert found(toolbox, empty_environment, PYTHONPATH=str(site)) == "<work>/prefix/bin/nasm-ext"


def test_in_pips_isolated_build(toolbox: Toolbox, project: Projects) -> None:
    """sysconfig names the outer scripts folder there; the overlay's own is beside its site-packages."""
    build = toolbox.build(project(demo()), isolated=True)
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "42\n"


def test_under_python_m_build(toolbox: Toolbox, project: Projects, nasm_build_wheel: Path) -> None:
    folder = project(demo())
    done = toolbox.run([toolbox.python, "-m", "build", "--wheel", "--outdir", toolbox.work / "out"], cwd=folder)
    assert done.returncode == 0, str(done)
    assert len(list((toolbox.work / "out").glob("demo-1.0-*.whl"))) == 1


def test_under_uv(toolbox: Toolbox, project: Projects) -> None:
    folder = project(demo())
    links = [word for link in toolbox.find_links for word in ("--find-links", str(link))]
    done = toolbox.run(
        [toolbox.python, "-m", "uv", "build", "--wheel", "--offline", "--no-index", "--no-config", *links,
         "--out-dir", toolbox.work / "out", "--python", toolbox.python],
        cwd=folder, env={"UV_CACHE_DIR": str(toolbox.work / "uv-cache")},
    )  # fmt: skip
    assert done.returncode == 0, str(done)
    assert len(list((toolbox.work / "out").glob("demo-1.0-*.whl"))) == 1


def test_another_version_on_path_is_passed_over(
    toolbox: Toolbox, empty_environment: Path, nasm_build_wheel: Path
) -> None:
    install(toolbox, empty_environment, nasm_build_wheel)
    old = toolbox.work / "old/nasm-ext"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho nasm-ext 0.0.1\n")
    old.chmod(0o755)
    (toolbox.work / "venv/bin/nasm-ext").unlink()
    done = toolbox.run([empty_environment, "-c", FIND], env={"PATH": f"{old.parent}:/usr/bin:/bin"})
    assert "nasm-ext 0.1.0, the native part of nasm-build, was not found [executable]" in done.output
    assert "  rejected: <work>/old/nasm-ext is nasm-ext 0.0.1, not 0.1.0" in done.output
    assert "  fix: reinstall it: pip install --force-reinstall nasm-build; or name it: NASM_EXT=" in done.output


def test_nasm_ext_named_wrongly(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(demo()), env={"NASM_EXT": "/bin/true"})
    assert build.returncode == 1
    assert build.output == (
        "running bdist_wheel\nrunning build\nrunning build_ext\n"
        "error: NASM_EXT names /bin/true, which is not nasm-ext (exit status 0) [executable]\n"
        "  fix: unset NASM_EXT, or give the right path\n"
    )


def test_from_a_zip_archive(toolbox: Toolbox, empty_environment: Path, nasm_build_wheel: Path) -> None:
    archive = toolbox.work / "app.pyz"
    with zipfile.ZipFile(nasm_build_wheel) as wheel, zipfile.ZipFile(archive, "w") as app:
        for name in wheel.namelist():
            if name.startswith("nasm_build/"):
                app.writestr(name, wheel.read(name))
        app.writestr(
            "__main__.py",
            "from nasm_build.errors import user_errors\n"
            "from nasm_build.executable import find_executable\nwith user_errors():\n    find_executable()\n",
        )
    done = toolbox.run([empty_environment, archive])
    assert done.returncode == 1
    assert done.output == (
        "error: nasm-build cannot run from inside an archive (<work>/app.pyz/nasm_build): its native part must be a file "
        "[executable]\n"
        "  fix: install it unpacked: pip install nasm-build (or pip install --target FOLDER nasm-build)\n"
    )


def test_an_installation_without_the_native_part(
    toolbox: Toolbox, project: Projects, environment: Path, nasm_build_wheel: Path
) -> None:
    """Where the distribution is pure Python, C fallbacks are built and the output says that nothing was checked."""
    site = toolbox.work / "pure"
    with zipfile.ZipFile(nasm_build_wheel) as wheel:
        for name in wheel.namelist():
            if ".data/" not in name:
                wheel.extract(name, site)
    record = next(site.glob("*.dist-info")) / "RECORD"
    record.write_text("".join(line for line in record.read_text().splitlines(True) if "nasm-ext" not in line))
    files = demo()
    files["pyproject.toml"] = files["pyproject.toml"].replace(
        '["demo.asm"]', '[{ file = "demo.asm", fallback = "demo.c" }]'
    )
    files["demo.c"] = (
        "#include <Python.h>\n#if NASM_BUILD_ASM != 0\n#error\n#endif\n"
        "static PyObject *answer(PyObject *s, PyObject *u) { return PyLong_FromLong(43); }\n"
        'static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};\n'
        'static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "demo", NULL, 0, methods};\n'
        "PyMODINIT_FUNC PyInit_demo(void) { return PyModuleDef_Init(&definition); }\n"
    )
    # An environment in which this copy is the only one: the shared one's is hidden by a path of its own.
    python = toolbox.work / "plain/bin/python"
    subprocess.run([sys.executable, "-m", "venv", toolbox.work / "plain"], check=True)
    assert toolbox.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "setuptools"]).returncode == 0
    shutil.rmtree(toolbox.work / "plain-wheels", ignore_errors=True)
    other = Toolbox(toolbox.work / "plain", toolbox.find_links, toolbox.work)
    build = other.hook(project(files), env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"})
    assert build.returncode == 0, str(build)
    assert f"note: {build.wheel.name}: not checked: this installation of nasm-build has no nasm-ext" in build.output
    assert toolbox.call(build.wheel, "import demo; print(demo.answer())").output == "43\n"
