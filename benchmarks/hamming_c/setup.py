from setuptools import Extension, setup

setup(
    name="hamming_c",
    version="1.0.0",
    ext_modules=[Extension("hamming_c", ["hamming_c.c"], extra_compile_args=["-O3", "-march=native"])],
    py_modules=[],
)
