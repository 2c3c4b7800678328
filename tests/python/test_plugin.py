"""The setuptools plugin beside everything else that changes how setuptools builds extensions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from projects import Toolbox
from running import SILENT_ABOUT_THE_GIL, SUFFIX
from sources import SETUP_PYPROJECT, answer

Projects = Callable[..., Path]

KERNEL = """
default rel
global triple:function
section .text
triple:                                 ; (edi) -> eax
    lea     eax, [rdi+rdi*2]
    ret
"""
C_MODULE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#if NASM_BUILD_ASM != 1
#error the assembly is not announced
#endif
int triple(int);
static PyObject *answer(PyObject *self, PyObject *unused) { return PyLong_FromLong(triple(14)); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "demo", NULL, 0, methods};
PyMODINIT_FUNC PyInit_demo(void) { return PyModuleDef_Init(&definition); }
"""
PLAIN = """
from setuptools import Extension, setup
setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.c", "kernel.asm"])])
"""
ANSWER = "import demo; print(demo.answer())"


def files(setup: str, **others: str) -> dict[str, str]:
    return {"pyproject.toml": SETUP_PYPROJECT, "setup.py": setup, "kernel.asm": KERNEL, **others}


@pytest.mark.every_python
def test_assembly_beside_c_in_a_plain_extension(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(files(PLAIN, **{"demo.c": C_MODULE})))
    assert build.members() == ["demo" + SUFFIX]
    assert toolbox.call(build.wheel, ANSWER, env=SILENT_ABOUT_THE_GIL).output == "42\n"


def test_without_pyproject_toml(toolbox: Toolbox, project: Projects) -> None:
    """An old project: `pip wheel .` with nothing but a setup.py."""
    folder = project({"setup.py": PLAIN, "kernel.asm": KERNEL, "demo.c": C_MODULE})
    build = toolbox.build(folder)
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_python_setup_py(toolbox: Toolbox, project: Projects) -> None:
    folder = project({"setup.py": PLAIN, "kernel.asm": KERNEL, "demo.c": C_MODULE})
    done = toolbox.run([toolbox.python, "setup.py", "--quiet", "build_ext", "--inplace"], cwd=folder)
    assert done.returncode == 0, str(done)
    assert toolbox.run([toolbox.python, "-c", ANSWER], cwd=folder).output == "42\n"


USERS_SETUP = """
from setuptools import Extension, setup
from commands import Mine
setup(name="demo", version="1.0", cmdclass={"build_ext": Mine}, ext_modules=[Extension("demo", ["demo.c", "kernel.asm"])])
"""
USERS_COMMANDS = """
from setuptools.command.build_ext import build_ext
class Mine(build_ext):
    def build_extensions(self):
        for extension in self.extensions:
            extension.define_macros.append(("FROM_MINE", "1"))
        super().build_extensions()
    def build_extension(self, extension):
        print("mine builds", extension.name, flush=True)
        super().build_extension(extension)
"""
CHECKED_C = C_MODULE + "\n#if FROM_MINE != 1\n#error the user's command class did not run\n#endif\n"


def test_a_users_command_class_in_setup_py(toolbox: Toolbox, project: Projects) -> None:
    text = USERS_SETUP.replace("from commands import Mine", USERS_COMMANDS)
    build = toolbox.hook(project(files(text, **{"demo.c": CHECKED_C})))
    assert "mine builds demo\n" in build.output
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_a_users_command_class_in_pyproject_toml(toolbox: Toolbox, project: Projects) -> None:
    """setuptools puts these into place after every plugin has run, silently."""
    pyproject = SETUP_PYPROJECT + '\n[project]\nname = "demo"\nversion = "1.0"\n'
    pyproject += '[tool.setuptools]\npy-modules = []\n[tool.setuptools.cmdclass]\nbuild_ext = "commands.Mine"\n'
    setup = (
        'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("demo", ["demo.c", "kernel.asm"])])\n'
    )
    texts = files(setup, **{"demo.c": CHECKED_C, "commands.py": USERS_COMMANDS})
    build = toolbox.hook(project({**texts, "pyproject.toml": pyproject}))
    assert "mine builds demo\n" in build.output
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_our_table_under_setuptools_own_backend(toolbox: Toolbox, project: Projects) -> None:
    pyproject = SETUP_PYPROJECT + '\n[project]\nname = "demo"\nversion = "1.0"\n'
    pyproject += '[[tool.nasm-build.ext-modules]]\nname = "demo"\nsources = ["demo.asm"]\n'
    build = toolbox.hook(project({"pyproject.toml": pyproject, "demo.asm": answer(7)}))
    assert build.members() == ["demo" + SUFFIX]
    assert toolbox.call(build.wheel, ANSWER).output == "7\n"


def test_cython(toolbox: Toolbox, project: Projects) -> None:
    setup = (
        "from setuptools import Extension, setup\n"
        'setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.pyx", "kernel.asm"])])\n'
    )
    pyx = "cdef extern int triple(int)\ndef answer():\n    return triple(14)\n"
    build = toolbox.hook(project(files(setup, **{"demo.pyx": pyx})))
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_cythonize_keeps_what_a_source_says(toolbox: Toolbox, project: Projects) -> None:
    """cythonize makes new Extension objects of the ones it is given."""
    setup = (
        "from Cython.Build import cythonize\nfrom setuptools import setup\nfrom nasm_build import Extension, Source\n"
        'extension = Extension("demo", ["demo.pyx", Source("kernel.asm", define_macros=[("FACTOR", "3")])])\n'
        'setup(name="demo", version="1.0", ext_modules=cythonize([extension]))\n'
    )
    kernel = "global triple:function\nsection .text\ntriple:\n    imul eax, edi, FACTOR\n    ret\n"
    pyx = "cdef extern int triple(int)\ndef answer():\n    return triple(14)\n"
    build = toolbox.hook(project(files(setup, **{"demo.pyx": pyx, "kernel.asm": kernel})))
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_cffi(toolbox: Toolbox, project: Projects) -> None:
    builder = (
        "from cffi import FFI\nffibuilder = FFI()\nffibuilder.cdef('int triple(int);')\n"
        "ffibuilder.set_source('_demo', 'int triple(int);', sources=['kernel.asm'])\n"
    )
    setup = (
        'from setuptools import setup\nsetup(name="demo", version="1.0", py_modules=[], '
        'cffi_modules=["builder.py:ffibuilder"])\n'
    )
    build = toolbox.hook(project(files(setup, **{"builder.py": builder})))
    assert build.returncode == 0, str(build)
    assert toolbox.call(build.wheel, "from _demo import lib; print(lib.triple(14))").output == "42\n"


def test_pybind11(toolbox: Toolbox, project: Projects) -> None:
    setup = (
        "from pybind11.setup_helpers import Pybind11Extension, build_ext\nfrom setuptools import setup\n"
        'setup(name="demo", version="1.0", cmdclass={"build_ext": build_ext}, '
        'ext_modules=[Pybind11Extension("demo", ["demo.cpp", "kernel.asm"])])\n'
    )
    cpp = (
        "#include <pybind11/pybind11.h>\n"
        'extern "C" int triple(int);\nPYBIND11_MODULE(demo, m) { m.def("answer", [] { return triple(14); }); }\n'
    )
    build = toolbox.hook(project(files(setup, **{"demo.cpp": cpp})))
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_setuptools_rust(toolbox: Toolbox, project: Projects) -> None:
    setup = (
        "from setuptools import Extension, setup\nfrom setuptools_rust import Binding, RustExtension\n"
        'setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.c", "kernel.asm"])], '
        'rust_extensions=[RustExtension("rusty", "Cargo.toml", binding=Binding.NoBinding)])\n'
    )
    cargo = '[package]\nname = "rusty"\nversion = "0.1.0"\nedition = "2021"\n\n[lib]\ncrate-type = ["cdylib"]\n'
    rust = (
        '#[no_mangle]\npub extern "C" fn PyInit_rusty() -> *mut u8 { unsafe { PyErr_NoMemory(); } std::ptr::null_mut() }\n'
        'extern "C" { fn PyErr_NoMemory() -> *mut u8; }\n'
    )
    texts = files(setup, **{"demo.c": C_MODULE, "Cargo.toml": cargo, "src/lib.rs": rust})
    build = toolbox.hook(project(texts))
    assert build.returncode == 0, str(build)
    assert sorted(name.partition(".")[0] for name in build.members()) == ["demo", "rusty"]
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_a_project_without_assembly_is_left_alone(toolbox: Toolbox, project: Projects) -> None:
    """The same classes, the same folders, the same wheel as without nasm-build in the environment."""
    setup = (
        "from setuptools import Extension, setup\nfrom setuptools.command.build_ext import build_ext\n"
        'distribution = setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.c"])])\n'
        'for name in ("build_ext", "build_py", "bdist_wheel"):\n'
        "    for kind in type(distribution.get_command_obj(name)).__mro__:\n"
        "        assert not kind.__module__.startswith('nasm_build'), kind\n"
        'import sys\nprint("loaded", sorted(n for n in sys.modules if n.startswith("nasm_build")), flush=True)\n'
    )
    c = C_MODULE.replace("#if NASM_BUILD_ASM != 1", "#ifdef NASM_BUILD_ASM").replace("triple(14)", "42")
    folder = project({"pyproject.toml": SETUP_PYPROJECT, "setup.py": setup, "demo.c": c})
    build = toolbox.hook(folder, env={"SOURCE_DATE_EPOCH": "315532800"})
    loaded = "['nasm_build', 'nasm_build._version', 'nasm_build.setuptools_plugin', 'nasm_build.source']"
    assert f"loaded {loaded}\n" in build.output
    assert not (folder / "build/nasm-build").exists()
    assert toolbox.call(build.wheel, ANSWER).output == "42\n"


def test_an_optional_module_may_fail(toolbox: Toolbox, project: Projects) -> None:
    setup = (
        "from setuptools import Extension, setup\n"
        'setup(name="demo", version="1.0", ext_modules=[Extension("demo", ["demo.c", "kernel.asm"]), '
        'Extension("extra", ["broken.asm"], optional=True)])\n'
    )
    build = toolbox.hook(project(files(setup, **{"demo.c": C_MODULE, "broken.asm": "bogus rax\n"})))
    assert build.members() == ["demo" + SUFFIX]
    assert "broken.asm:1: error: parser: instruction expected [nasm]\n" in build.output
