"""Whether what came from elsewhere is whole and sound, before a ref names it."""
