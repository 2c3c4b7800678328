"""Which structs, fields and constants of CPython's C API the include library offers. Their values come from headers.

A field belongs to some versions and not to others: the headers say to which.
"""

from __future__ import annotations

STRUCTS: dict[str, list[str]] = {
    "PyObject": "ob_refcnt ob_type ob_tid ob_flags ob_mutex ob_gc_bits ob_ref_local ob_ref_shared".split(),
    "PyVarObject": "ob_base ob_size".split(),
    "PyMethodDef": "ml_name ml_meth ml_flags ml_doc".split(),
    "PyMemberDef": "name type offset flags doc".split(),
    "PyGetSetDef": "name get set doc closure".split(),
    "PyModuleDef_Base": "ob_base m_init m_index m_copy".split(),
    "PyModuleDef": "m_base m_name m_doc m_size m_methods m_slots m_traverse m_clear m_free".split(),
    "PyModuleDef_Slot": "slot value".split(),
    "PyType_Slot": "slot pfunc".split(),
    "PyType_Spec": "name basicsize itemsize flags slots".split(),
    "PySlot": "sl_id sl_flags sl_reserved sl_ptr sl_func sl_size sl_int64 sl_uint64".split(),
    "PyABIInfo": "abiinfo_major_version abiinfo_minor_version flags build_version abi_version".split(),
    "PyStructSequence_Field": "name doc".split(),
    "PyStructSequence_Desc": "name doc fields n_in_sequence".split(),
    "Py_buffer": "buf obj len itemsize readonly ndim format shape strides suboffsets internal".split(),
    "Py_complex": "real imag".split(),
    "PyTypeObject": (
        "ob_base tp_name tp_basicsize tp_itemsize tp_dealloc tp_vectorcall_offset tp_getattr tp_setattr tp_as_async "
        "tp_repr tp_as_number tp_as_sequence tp_as_mapping tp_hash tp_call tp_str tp_getattro tp_setattro tp_as_buffer "
        "tp_flags tp_doc tp_traverse tp_clear tp_richcompare tp_weaklistoffset tp_iter tp_iternext tp_methods "
        "tp_members tp_getset tp_base tp_dict tp_descr_get tp_descr_set tp_dictoffset tp_init tp_alloc tp_new tp_free "
        "tp_is_gc tp_bases tp_mro tp_cache tp_subclasses tp_weaklist tp_del tp_version_tag tp_finalize tp_vectorcall "
        "tp_watched tp_versions_used"
    ).split(),
    "PyHeapTypeObject": (
        "ht_type as_async as_number as_mapping as_sequence as_buffer ht_name ht_slots ht_qualname ht_cached_keys "
        "ht_module"
    ).split(),
    "PyAsyncMethods": "am_await am_aiter am_anext am_send".split(),
    "PyBufferProcs": "bf_getbuffer bf_releasebuffer".split(),
    "PyMappingMethods": "mp_length mp_subscript mp_ass_subscript".split(),
    "PySequenceMethods": (
        "sq_length sq_concat sq_repeat sq_item sq_ass_item sq_contains sq_inplace_concat sq_inplace_repeat"
    ).split(),
    "PyNumberMethods": (
        "nb_add nb_subtract nb_multiply nb_remainder nb_divmod nb_power nb_negative nb_positive nb_absolute nb_bool "
        "nb_invert nb_lshift nb_rshift nb_and nb_xor nb_or nb_int nb_float nb_inplace_add nb_inplace_subtract "
        "nb_inplace_multiply nb_inplace_remainder nb_inplace_power nb_inplace_lshift nb_inplace_rshift nb_inplace_and "
        "nb_inplace_xor nb_inplace_or nb_floor_divide nb_true_divide nb_inplace_floor_divide nb_inplace_true_divide "
        "nb_index nb_matrix_multiply nb_inplace_matrix_multiply"
    ).split(),
    "PyLongObject": "ob_base ob_digit long_value long_value.lv_tag long_value.ob_digit".split(),
    "PyFloatObject": "ob_base ob_fval".split(),
    "PyComplexObject": "ob_base cval".split(),
    "PyTupleObject": "ob_base ob_hash ob_item".split(),
    "PyListObject": "ob_base ob_item allocated".split(),
    "PyBytesObject": "ob_base ob_shash ob_sval".split(),
    "PyByteArrayObject": "ob_base ob_alloc ob_bytes ob_start ob_exports ob_bytes_object".split(),
    "PyASCIIObject": "ob_base length hash state wstr".split(),
    "PyCompactUnicodeObject": "_base utf8_length utf8 wstr_length".split(),
    "PyUnicodeObject": "_base data".split(),
    "PySliceObject": "ob_base start stop step".split(),
    "PyCFunctionObject": "ob_base m_ml m_self m_module m_weakreflist vectorcall".split(),
    "PyCMethodObject": "func mm_class".split(),
}
"""Struct to its fields. `PyASCIIObject.state` is a struct of bit fields: the place of its first byte."""

TABLES = frozenset(
    "PyMethodDef PyMemberDef PyGetSetDef PyModuleDef_Base PyModuleDef PyModuleDef_Slot PyType_Slot PyType_Spec PySlot "
    "PyABIInfo PyStructSequence_Field PyStructSequence_Desc".split()
)
"""Those that modules write down as data, so NASM's `istruc` must know them."""

SEPARATE = frozenset(STRUCTS) - frozenset(
    "PyObject PyVarObject PyMethodDef PyMemberDef PyGetSetDef PyModuleDef_Base PyModuleDef PyModuleDef_Slot "
    "PyType_Slot PyType_Spec Py_buffer".split()
)
"""Those that few modules look into: in a file of their own, which NASM reads when it has to."""

CONSTANTS: dict[str, list[str]] = {
    "Versions of the C API (modsupport.h)": "PYTHON_API_VERSION PYTHON_ABI_VERSION".split(),
    "Methods (methodobject.h)": (
        "METH_VARARGS METH_KEYWORDS METH_NOARGS METH_O METH_CLASS METH_STATIC METH_COEXIST METH_FASTCALL METH_METHOD"
    ).split(),
    "Members (descrobject.h; before 3.12 structmember.h, without Py_)": (
        "Py_T_SHORT Py_T_INT Py_T_LONG Py_T_FLOAT Py_T_DOUBLE Py_T_STRING Py_T_CHAR Py_T_BYTE Py_T_UBYTE Py_T_USHORT "
        "Py_T_UINT Py_T_ULONG Py_T_STRING_INPLACE Py_T_BOOL Py_T_OBJECT_EX Py_T_LONGLONG Py_T_ULONGLONG Py_T_PYSSIZET "
        "Py_READONLY Py_AUDIT_READ Py_RELATIVE_OFFSET"
    ).split(),
    "Types (object.h)": (
        "Py_TPFLAGS_DEFAULT Py_TPFLAGS_BASETYPE Py_TPFLAGS_HAVE_GC Py_TPFLAGS_HEAPTYPE Py_TPFLAGS_IMMUTABLETYPE "
        "Py_TPFLAGS_DISALLOW_INSTANTIATION Py_TPFLAGS_HAVE_VECTORCALL Py_TPFLAGS_METHOD_DESCRIPTOR "
        "Py_TPFLAGS_SEQUENCE Py_TPFLAGS_MAPPING Py_TPFLAGS_IS_ABSTRACT Py_TPFLAGS_READY Py_TPFLAGS_READYING "
        "Py_TPFLAGS_MANAGED_DICT Py_TPFLAGS_MANAGED_WEAKREF Py_TPFLAGS_ITEMS_AT_END Py_TPFLAGS_HAVE_FINALIZE "
        "Py_TPFLAGS_HAVE_VERSION_TAG Py_TPFLAGS_LONG_SUBCLASS Py_TPFLAGS_LIST_SUBCLASS Py_TPFLAGS_TUPLE_SUBCLASS "
        "Py_TPFLAGS_BYTES_SUBCLASS Py_TPFLAGS_UNICODE_SUBCLASS Py_TPFLAGS_DICT_SUBCLASS "
        "Py_TPFLAGS_BASE_EXC_SUBCLASS Py_TPFLAGS_TYPE_SUBCLASS"
    ).split(),
    "Comparisons (object.h)": "Py_LT Py_LE Py_EQ Py_NE Py_GT Py_GE".split(),
    "Buffers (pybuffer.h; before 3.11 cpython/object.h)": (
        "PyBUF_MAX_NDIM PyBUF_SIMPLE PyBUF_WRITABLE PyBUF_FORMAT PyBUF_ND PyBUF_STRIDES PyBUF_C_CONTIGUOUS "
        "PyBUF_F_CONTIGUOUS PyBUF_ANY_CONTIGUOUS PyBUF_INDIRECT PyBUF_CONTIG PyBUF_CONTIG_RO PyBUF_STRIDED "
        "PyBUF_STRIDED_RO PyBUF_RECORDS PyBUF_RECORDS_RO PyBUF_FULL PyBUF_FULL_RO PyBUF_READ PyBUF_WRITE"
    ).split(),
    "Calls (abstract.h), iteration (object.h), the GIL (pystate.h)": (
        "PY_VECTORCALL_ARGUMENTS_OFFSET PYGEN_RETURN PYGEN_ERROR PYGEN_NEXT PyGILState_LOCKED PyGILState_UNLOCKED"
    ).split(),
    "Numbers and text (longobject.h, unicodeobject.h)": (
        "PyLong_SHIFT PyLong_MASK PY_SSIZE_T_MAX Py_ASNATIVEBYTES_DEFAULTS Py_ASNATIVEBYTES_BIG_ENDIAN "
        "Py_ASNATIVEBYTES_LITTLE_ENDIAN Py_ASNATIVEBYTES_NATIVE_ENDIAN Py_ASNATIVEBYTES_UNSIGNED_BUFFER "
        "Py_ASNATIVEBYTES_REJECT_NEGATIVE Py_ASNATIVEBYTES_ALLOW_INDEX PyUnicode_1BYTE_KIND PyUnicode_2BYTE_KIND "
        "PyUnicode_4BYTE_KIND"
    ).split(),
    "Constants by number (object.h)": (
        "Py_CONSTANT_NONE Py_CONSTANT_FALSE Py_CONSTANT_TRUE Py_CONSTANT_ELLIPSIS Py_CONSTANT_NOT_IMPLEMENTED "
        "Py_CONSTANT_ZERO Py_CONSTANT_ONE Py_CONSTANT_EMPTY_STR Py_CONSTANT_EMPTY_BYTES Py_CONSTANT_EMPTY_TUPLE"
    ).split(),
    "Compiling (compile.h)": "Py_single_input Py_file_input Py_eval_input".split(),
    "Values of modules' slots (moduleobject.h)": (
        "Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED "
        "Py_MOD_PER_INTERPRETER_GIL_SUPPORTED Py_MOD_GIL_USED Py_MOD_GIL_NOT_USED"
    ).split(),
    "PySlot and PyABIInfo (slots.h, modsupport.h)": (
        "PySlot_OPTIONAL PySlot_STATIC PySlot_INTPTR PyABIInfo_STABLE PyABIInfo_GIL PyABIInfo_FREETHREADED "
        "PyABIInfo_FREETHREADING_AGNOSTIC PyABIInfo_INTERNAL"
    ).split(),
    "Slots of modules (moduleobject.h; from 3.15 slots_generated.h)": (
        "Py_mod_create Py_mod_exec Py_mod_multiple_interpreters Py_mod_gil Py_mod_slots Py_mod_name Py_mod_doc "
        "Py_mod_state_size Py_mod_methods Py_mod_state_traverse Py_mod_state_clear Py_mod_state_free Py_mod_abi "
        "Py_mod_token"
    ).split(),
    "Slots of types (typeslots.h; from 3.15 slots_generated.h)": (
        "Py_slot_end Py_slot_subslots Py_slot_invalid Py_bf_getbuffer Py_bf_releasebuffer Py_mp_ass_subscript "
        "Py_mp_length Py_mp_subscript "
        "Py_tp_alloc Py_tp_base Py_tp_bases Py_tp_call Py_tp_clear Py_tp_dealloc Py_tp_del Py_tp_descr_get "
        "Py_tp_descr_set Py_tp_doc Py_tp_finalize Py_tp_free Py_tp_getattr Py_tp_getattro Py_tp_getset Py_tp_hash "
        "Py_tp_init Py_tp_is_gc Py_tp_iter Py_tp_iternext Py_tp_members Py_tp_methods Py_tp_new Py_tp_repr "
        "Py_tp_richcompare Py_tp_setattr Py_tp_setattro Py_tp_str Py_tp_traverse Py_tp_vectorcall Py_tp_token "
        "Py_tp_slots Py_tp_name Py_tp_basicsize Py_tp_extra_basicsize Py_tp_itemsize Py_tp_flags Py_tp_metaclass "
        "Py_tp_module "
        "Py_nb_absolute Py_nb_add Py_nb_and Py_nb_bool Py_nb_divmod Py_nb_float Py_nb_floor_divide Py_nb_index "
        "Py_nb_inplace_add Py_nb_inplace_and Py_nb_inplace_floor_divide Py_nb_inplace_lshift "
        "Py_nb_inplace_matrix_multiply Py_nb_inplace_multiply Py_nb_inplace_or Py_nb_inplace_power "
        "Py_nb_inplace_remainder Py_nb_inplace_rshift Py_nb_inplace_subtract Py_nb_inplace_true_divide "
        "Py_nb_inplace_xor Py_nb_int Py_nb_invert Py_nb_lshift Py_nb_matrix_multiply Py_nb_multiply Py_nb_negative "
        "Py_nb_or Py_nb_positive Py_nb_power Py_nb_remainder Py_nb_rshift Py_nb_subtract Py_nb_true_divide Py_nb_xor "
        "Py_sq_ass_item Py_sq_concat Py_sq_contains Py_sq_inplace_concat Py_sq_inplace_repeat Py_sq_item "
        "Py_sq_length Py_sq_repeat Py_am_await Py_am_aiter Py_am_anext Py_am_send"
    ).split(),
}
"""Heading to names."""

SLOTS = tuple(heading for heading in CONSTANTS if heading.startswith("Slots of"))
"""Headings of slot numbers: an array with a number that its CPython does not know fails at import."""

BEFORE_3_12 = {
    **{name: name.removeprefix("Py_") for name in CONSTANTS["Members (descrobject.h; before 3.12 structmember.h, "
                                                            "without Py_)"] if name.startswith("Py_T_")},
    "Py_READONLY": "READONLY",
    "Py_AUDIT_READ": "PY_AUDIT_READ",
}  # fmt: skip
"""What C sources for older versions write."""
