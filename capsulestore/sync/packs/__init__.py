"""Packs of git's: read within limits, kept, and made."""
