"""Takes secrets out of what is recorded: content-addressed and pushed means kept for ever."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

__all__ = ["REDACTED", "redact_url"]

REDACTED = "redacted"


def redact_url(url: str) -> tuple[str, bool]:
    """Return a url without user, password, query and fragment, and whether anything was taken out.

    The user `git` without a password, as in `ssh://git@host/`, is no secret (PEP 610 keeps it too). What cannot be
    parsed as a url is replaced whole.
    """
    try:
        parts = urlsplit(url)
        user, at, host = parts.netloc.rpartition("@")
    except ValueError:
        return REDACTED, True
    if not parts.netloc and parts.scheme != "file":
        # Without `//` there is no telling what is a user: all before an `@` goes.
        before, _, rest = url.partition("?")[0].partition("#")[0].rpartition("@")
        clean = f"git@{rest}" if before == "git" else rest
        return clean, clean != url
    if parts.scheme != "file" and not _is_host(host):
        # A password with a character that ends the place of passwords: there is no telling where it ends.
        return REDACTED, True
    netloc = f"git@{host}" if user == "git" else host
    clean = urlunsplit((parts.scheme, netloc, parts.path, "", ""))
    # An empty authority (`file:///x`) may be spelled otherwise without anything having been taken out.
    taken = (at and user != "git") or parts.query or parts.fragment
    return (clean, True) if taken else (url, False)


def _is_host(host: str) -> bool:
    return re.fullmatch(r"(\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(:\d*)?", host) is not None
