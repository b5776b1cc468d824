"""Values and formats: pure functions between Python values and the bytes of git objects."""
