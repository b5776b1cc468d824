"""Tells what is in a store: what a name stands for, what derives from what, what differs between two."""
