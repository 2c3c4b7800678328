from setuptools import setup

from nasm_build import Extension, Source

setup(
    name="bitcount",
    version="1.0.0",
    description="Counts the set bits of a buffer: C, with an assembly kernel where there is x86-64",
    license="0BSD",
    python_requires=">=3.10",
    extras_require={"test": ["pytest", "hypothesis"]},
    packages=["bitcount"],
    package_data={"bitcount": ["py.typed", "*.pyi"]},
    ext_modules=[
        Extension(
            "bitcount._bitcount",
            sources=[
                "native/bitcount.c",
                Source("native/kernel.asm", fallback="native/kernel_fallback.c"),
            ],
            depends=["native/kernel.h"],
        )
    ],
)
