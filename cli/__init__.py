"""The `capsule` command: one file a command, each of which parses, calls the library and renders."""
