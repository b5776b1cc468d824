"""The remotes that a store knows, by name, in its git configuration."""
