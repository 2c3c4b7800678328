"""./dev prove conventions: the verifier of calling conventions over compilers' code, which it must find right."""
