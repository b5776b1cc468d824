"""Reads the running system: which interpreter, which distributions, one module a layer. It only reads."""
