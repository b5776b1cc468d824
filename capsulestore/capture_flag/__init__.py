"""The flag `--capture-capsule` of other people's scripts: given, the script is recorded as it runs."""
