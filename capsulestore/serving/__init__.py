"""Serves a store over HTTP: what `capsulestore.api` and `capsule serve` are made of."""
