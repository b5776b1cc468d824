"""Integrity: are the files that are installed still those that were?

What an installer wrote down of its files (RECORD, conda-meta) is compared with what lies there. Not seen: bytecode in a
`__pycache__`, which belongs to nobody; files whose list was changed with them (of a distribution, that changes its
`content`, and so the environment); files without a hash; and what was changed by whoever can set the system's clock or
write to this user's cache, as long as the index is there.
"""

from capsulestore.capture.integrity.check import LAYERS, Progress, check_installed
from capsulestore.capture.integrity.index import NOTHING_KNOWN, Index, users_index
from capsulestore.capture.integrity.outcome import FAILING, Altered, Integrity, Unchecked

__all__ = [
    "FAILING",
    "LAYERS",
    "NOTHING_KNOWN",
    "Altered",
    "Index",
    "Integrity",
    "Progress",
    "Unchecked",
    "check_installed",
    "users_index",
]
