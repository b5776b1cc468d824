"""Tells whether what a capsule recorded still holds: environment, code, files; and keeps that as a statement."""
