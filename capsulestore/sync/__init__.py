"""Stores move between machines: git's smart protocol, its bundles, and what is checked before anything is believed."""
