// The Python side of the loader: `_native`, which makes modules of loaded images as CPython's import.c does of what
// dlopen gives it. Executing a module is left to CPython itself (`_imp.exec_dynamic`), for which it is like any other.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "library.hpp"

namespace {

using macho_loader::Library;

/// Releases a reference when it goes.
class Owned {
public:
    explicit Owned(PyObject* object) : object_(object) {}
    ~Owned() { Py_XDECREF(object_); }
    Owned(const Owned&) = delete;
    Owned(Owned&&) = delete;
    Owned& operator=(const Owned&) = delete;
    Owned& operator=(Owned&&) = delete;

    [[nodiscard]] PyObject* get() const { return object_; }
    PyObject* release() { return std::exchange(object_, nullptr); }

private:
    PyObject* object_;
};

template <typename Function>
Function function_at(std::uint64_t address) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr,cppcoreguidelines-pro-type-reinterpret-cast): a function's address
    return reinterpret_cast<Function>(address);
}

/// An ImportError with `path` set, and `name` where there is one. Always null.
PyObject* import_error(const std::string& text, PyObject* name, const char* path) {
    const Owned message(PyUnicode_DecodeFSDefault(text.c_str()));  // it begins with the path
    const Owned file(PyUnicode_DecodeFSDefault(path));
    return message.get() == nullptr || file.get() == nullptr ? nullptr
                                                             : PyErr_SetImportError(message.get(), name, file.get());
}

/// Does the work; its Error becomes an ImportError that begins with the file's path.
PyObject* guarded(const char* path, PyObject* name, const std::function<PyObject*()>& work) {
    try {
        return work();
    } catch (const std::exception& error) {
        return import_error(std::string(path) + ": " + error.what(), name, path);
    }
}

/// The two rules of CPython about what an entry point returns, for one that returned `result`.
bool kept_the_rules(const void* result, const char* symbol) {
    if (result == nullptr) {
        if (PyErr_Occurred() == nullptr) {
            PyErr_Format(PyExc_SystemError, "%s failed without raising an exception", symbol);
        }
        return false;
    }
    if (PyErr_Occurred() != nullptr) {
        PyErr_Clear();
        PyErr_Format(PyExc_SystemError, "%s returned a result and raised an exception", symbol);
        return false;
    }
    return true;
}

/// False with an ImportError for a module that needs the GIL where there is none. import.c would enable it, by means
/// that extensions do not have.
bool can_do_with_this_gil([[maybe_unused]] PyModuleDef* definition, [[maybe_unused]] PyObject* name) {
#ifdef Py_GIL_DISABLED
    for (PyModuleDef_Slot* slot = definition->m_slots; slot != nullptr && slot->slot != 0; ++slot) {
        if (slot->slot == Py_mod_gil && slot->value == Py_MOD_GIL_NOT_USED) {
            return true;
        }
    }
    PyObject* ask = PySys_GetObject("_is_gil_enabled");
    const Owned enabled(ask == nullptr ? nullptr : PyObject_CallNoArgs(ask));
    if (enabled.get() == nullptr || PyObject_IsTrue(enabled.get()) != 0) {
        return PyErr_Occurred() == nullptr;
    }
    const Owned message(PyUnicode_FromFormat("module %U needs the GIL: start the interpreter with -X gil=1", name));
    if (message.get() != nullptr) {
        PyErr_SetImportError(message.get(), name, nullptr);
    }
    return false;
#else
    return true;
#endif
}

/// A module that its init function has made in full. It is the main interpreter's alone: import.c copies its
/// dictionary for others, by means that extensions do not have.
PyObject* single_phase(PyObject* made, PyObject* name) {
    Owned module(made);
    PyModuleDef* definition = PyModule_Check(made) ? PyModule_GetDef(made) : nullptr;
    if (definition == nullptr) {
        PyErr_SetString(PyExc_SystemError, "an init function returned neither a definition nor a module made from one");
        return nullptr;
    }
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        const Owned message(PyUnicode_FromFormat("module %U is single-phase, and this is a subinterpreter", name));
        return message.get() == nullptr ? nullptr : PyErr_SetImportError(message.get(), name, nullptr);
    }
    if (!can_do_with_this_gil(definition, name)) {
        return nullptr;
    }
    // PyModule_Create knows the last part of the name alone.
    if (PyObject_SetAttrString(made, "__name__", name) < 0 || PyState_AddModule(made, definition) < 0) {
        return nullptr;
    }
    return module.release();
}

PyObject* from_init(std::uint64_t address, PyObject* spec, PyObject* name, const char* symbol) {
    PyObject* made = function_at<PyObject* (*)()>(address)();
    if (!kept_the_rules(made, symbol)) {
        Py_XDECREF(made);
        return nullptr;
    }
    if (Py_TYPE(made) == nullptr) {
        PyErr_Format(PyExc_SystemError, "%s returned a definition that PyModuleDef_Init has not seen", symbol);
        return nullptr;
    }
    if (PyObject_TypeCheck(made, &PyModuleDef_Type) != 0) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a definition is an object, and a static one
        auto* definition = reinterpret_cast<PyModuleDef*>(made);
        return can_do_with_this_gil(definition, name) ? PyModule_FromDefAndSpec(definition, spec) : nullptr;
    }
    return single_phase(made, name);
}

#if PY_VERSION_HEX >= 0x030F0000
PyObject* from_export(std::uint64_t address, PyObject* spec, const char* symbol) {
    const PySlot* slots = function_at<PySlot* (*)()>(address)();
    return kept_the_rules(slots, symbol) ? PyModule_FromSlotsAndSpec(slots, spec) : nullptr;
}
#endif

/// create(spec, path, name, suffix): a new module from `PyModExport_<suffix>` (3.15, PEP 793) or `PyInit_<suffix>`.
PyObject* create(PyObject* /*self*/, PyObject* arguments) {
    PyObject* spec = nullptr;
    PyObject* path_bytes = nullptr;
    PyObject* name = nullptr;
    const char* suffix = nullptr;
    if (PyArg_ParseTuple(arguments, "OO&Us", &spec, PyUnicode_FSConverter, &path_bytes, &name, &suffix) == 0) {
        return nullptr;
    }
    const Owned path_owner(path_bytes);
    const char* path = PyBytes_AsString(path_bytes);
    return guarded(path, name, [&]() -> PyObject* {
        const Library& library = macho_loader::load_library(path);
#if PY_VERSION_HEX >= 0x030F0000
        const std::string export_symbol = std::string("_PyModExport") + suffix;
        if (const auto address = library.function(export_symbol)) {
            return from_export(*address, spec, export_symbol.c_str() + 1);
        }
#endif
        const std::string init_symbol = std::string("_PyInit") + suffix;
        if (const auto address = library.function(init_symbol)) {
            return from_init(*address, spec, name, init_symbol.c_str() + 1);
        }
        throw macho_loader::Error("it exports no " + init_symbol);
    });
}

/// check(path): everything that a load does but for running code; the image is given back at once.
PyObject* check(PyObject* /*self*/, PyObject* arguments) {
    PyObject* path_bytes = nullptr;
    if (PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path_bytes) == 0) {
        return nullptr;
    }
    const Owned path_owner(path_bytes);
    const char* path = PyBytes_AsString(path_bytes);
    return guarded(path, nullptr, [&]() -> PyObject* {
        const Library library = macho_loader::open_library(path);
        (void)library.function("_PyInit_nothing");
        Py_RETURN_NONE;
    });
}

/// address(path, symbol): where an exported function of the loaded file is, for ctypes.
PyObject* address(PyObject* /*self*/, PyObject* arguments) {
    PyObject* path_bytes = nullptr;
    const char* symbol = nullptr;
    if (PyArg_ParseTuple(arguments, "O&s", PyUnicode_FSConverter, &path_bytes, &symbol) == 0) {
        return nullptr;
    }
    const Owned path_owner(path_bytes);
    const char* path = PyBytes_AsString(path_bytes);
    return guarded(path, nullptr, [&]() -> PyObject* {
        const auto found = macho_loader::load_library(path).function(symbol);
        if (!found) {
            throw macho_loader::Error(std::string("it exports no ") + symbol);
        }
        return PyLong_FromUnsignedLongLong(*found);
    });
}

/// segments(path): (name, address in this process, size) of each segment of the loaded file.
PyObject* segments(PyObject* /*self*/, PyObject* arguments) {
    PyObject* path_bytes = nullptr;
    if (PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path_bytes) == 0) {
        return nullptr;
    }
    const Owned path_owner(path_bytes);
    const char* path = PyBytes_AsString(path_bytes);
    return guarded(path, nullptr, [&]() -> PyObject* {
        const Library& library = macho_loader::load_library(path);
        Owned list(PyList_New(0));
        for (const macho_loader::Segment& segment : library.image.segments) {
            const Owned item(
                Py_BuildValue("(sKK)", segment.name.c_str(), segment.address + library.mapping.slide(), segment.size));
            if (list.get() == nullptr || item.get() == nullptr || PyList_Append(list.get(), item.get()) < 0) {
                return nullptr;
            }
        }
        return list.release();
    });
}

// NOLINTBEGIN(modernize-avoid-c-arrays): the tables that CPython reads
PyMethodDef methods[] = {
    {"create", create, METH_VARARGS, "create(spec, path, name, suffix) -> a new module of a Mach-O file"},
    {"check", check, METH_VARARGS, "check(path): all of a load but for running code"},
    {"address", address, METH_VARARGS, "address(path, symbol) -> where an exported function is"},
    {"segments", segments, METH_VARARGS, "segments(path) -> [(name, address, size)]"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};
// NOLINTEND(modernize-avoid-c-arrays)

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "Loads Mach-O extension modules.", 0, methods, slots, nullptr, nullptr, nullptr,
};

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier): CPython's name for it
PyMODINIT_FUNC PyInit__native() {
    return PyModuleDef_Init(&definition);
}
