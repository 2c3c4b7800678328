"""Mutants of correct assembly: whether `nasm-ext check --abi` finds each one that breaks its calling convention."""
