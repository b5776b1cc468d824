"""The `.capsules` directory: a bare git repository in the SHA-256 object format, written durably."""

from capsulestore.store.opening import Place, opened
from capsulestore.store.repository import Store

__all__ = ["Place", "Store", "opened"]
