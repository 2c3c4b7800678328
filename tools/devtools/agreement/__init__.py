"""./dev prove agreement: what nasm-ext reads of public wheels, held against what other programs read and judge."""
