// bytecount.cpp: the module bytecount. C++ takes the arguments apart; the counting is the kernel's.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdint>

#include "kernel.hpp"

namespace {

// Below this size, giving up the GIL costs more than others could gain from it (some microseconds of counting).
constexpr Py_ssize_t worth_giving_up_the_gil = 65536;

PyObject* count(PyObject*, PyObject* const* arguments, Py_ssize_t given) {
    if (given != 2) {
        return PyErr_Format(PyExc_TypeError, "count() takes 2 positional arguments but %zd were given", given);
    }
    const long byte = PyLong_AsLong(arguments[1]);
    if (byte == -1 && PyErr_Occurred() != nullptr) {
        return nullptr;
    }
    if (byte < 0 || byte > 255) {
        PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
        return nullptr;
    }
    Py_buffer view;
    // PyBUF_SIMPLE refuses what is not one run of bytes, with a BufferError.
    if (PyObject_GetBuffer(arguments[0], &view, PyBUF_SIMPLE) < 0) {
        return nullptr;
    }
    const auto* const data = static_cast<const std::uint8_t*>(view.buf);
    const auto size = static_cast<std::size_t>(view.len);
    std::uint64_t found = 0;
    if (view.len < worth_giving_up_the_gil) {
        found = bytecount_kernel(data, size, static_cast<std::uint8_t>(byte));
    } else {
        Py_BEGIN_ALLOW_THREADS
        found = bytecount_kernel(data, size, static_cast<std::uint8_t>(byte));
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLongLong(found);
}

// nasm-build defines NASM_BUILD_ASM: 1 with the assembly, 0 with the fallbacks. A module that tells which it is cannot lose its
// fast code unnoticed.
int execute(PyObject* module) {
    return PyModule_AddStringConstant(module, "KERNEL", NASM_BUILD_ASM ? "assembly" : "C++");
}

PyMethodDef methods[] = {
    {"count", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(count)), METH_FASTCALL,
     PyDoc_STR("count(data, byte, /)\n--\n\nReturn how often a byte is in a buffer.")},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(execute)},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "bytecount", nullptr, 0, methods, slots, nullptr, nullptr, nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit_bytecount() {
    return PyModuleDef_Init(&definition);
}
