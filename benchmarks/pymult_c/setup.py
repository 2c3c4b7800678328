from setuptools import Extension, setup

setup(
    name="pymult_c",
    version="1.0.0",
    ext_modules=[Extension("pymult_c", ["pymult_c.c"], extra_compile_args=["-O2"])],
    py_modules=[],
)
