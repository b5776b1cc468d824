"""Takes credentials and query strings out of urls, and out of a text the urls' and `user:password@host`."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from capsulestore.model.redaction.tokens import REDACTED, redact_tokens

__all__ = ["redact_addresses", "redact_channel", "redact_url", "redact_urls"]

# Expressions are compiled, and kept by `re`, when a text first needs them: start-up counts.
_SCHEME: Final = r"(?<![A-Za-z0-9+.-])[0-9+.-]*+([A-Za-z0-9+.-]*+:(?://|(?i:(?<=ftp:)|(?<=http:)|(?<=https:))/))"
"""How a url begins; with one slash, what is left of one that was taken for a path."""
_BEHIND_URL: Final = r"[\s\"'<>`\\]"
_PATH: Final = "[/?#]"
_SPACE: Final = r"\s"
_CLOSING: Final = ")]}>.,;:!?&|"
"""What ends a sentence or a list, and with it a url."""
_BEHIND_T: Final = "((?:^|/)t/+)[^/]+"
"""Where the url of a conda channel holds a token."""
_RANDOM_BEHIND_T: Final = "(/t/)(?=[^/]*[0-9])(?:(?=[^/]*[A-Z])[^/]{8,}|[^/]{16,})(?=/)"
"""And what looks like one there in a url of which is not known what it is of: forums have `/t/` for topics."""
_MAX_PASSWORD: Final = 256
"""Characters within which the end of a password is looked for that holds what ends a url."""

_WORD: Final = r"\S+"
_HOST: Final = (
    r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[|[0-9][A-Za-z0-9-]{0,60}(?:\.[A-Za-z0-9-]{1,60}){0,8}\.[A-Za-z]{2}"
    r"|(?!sha[0-9]|md5:|blake|v[0-9])[A-Za-z]"
)
"""How a host begins, and neither a version nor an image's digest does."""
_TIME: Final = r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}T?[0-9]{2}:[0-9:.Z+-]+"
"""A date and time (ISO 8601): `2024-01-01T10:00`."""
_BEFORE_USER: Final = "\"'`=([{,;<>|&/@"
_NO_USERS: Final = frozenset(
    """
    acct author bcc by cc contact e-mail email from mail mailto pkg sip swh to url urn xmpp
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""What stands before a colon, and no password behind it."""


def redact_url(url: str) -> tuple[str, bool]:
    """Return a url without user, password, query, fragment and tokens, and whether anything was taken out.

    The user `git` without a password, as in `ssh://git@host/`, is no secret (PEP 610 keeps it too). A token in the path
    is one of a known form (`redact_tokens`). What cannot be parsed as a url is replaced whole.
    """
    bare, redacted = _without_credentials(url)
    clean = redact_tokens(bare)
    return clean, redacted or clean != bare


def redact_channel(url: str) -> tuple[str, bool]:
    """Return the url of a conda channel, or of a package in one, as `redact_url` does, and without its token.

    That is the part of its path behind `/t/`, as conda itself hides it, of any form: what has `t` for the name of a
    directory loses the name of what is in it. A name of a channel alone stays.
    """
    clean, redacted = redact_url(url)
    bare = re.sub(_BEHIND_T, rf"\g<1>{REDACTED}", clean)
    return bare, redacted or bare != clean


def _without_credentials(url: str) -> tuple[str, bool]:
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


def redact_urls(text: str) -> str:
    """Return a text with each url in it as `redact_url` leaves it; takes time in proportion to the text's length."""
    if ":/" not in text:
        return text
    starts = [match.start(1) for match in re.compile(_SCHEME).finditer(text)]
    clean: list[str] = []
    done = 0
    for start, following in zip(starts, [*starts[1:], len(text)], strict=False):
        if start < done:
            continue
        end = _end_of_url(text, start, following)
        clean += text[done:start], _redact_url(text[start:end])
        done = end
    return "".join([*clean, text[done:]])


def redact_addresses(text: str) -> str:
    """Return a text with `redacted@host` in the place of each `user:password@host`; takes linear time."""
    if "@" not in text or ":" not in text:
        return text
    return re.compile(_WORD).sub(lambda match: _redact_address(match[0]), text)


def _end_of_url(text: str, start: int, following: int) -> int:
    """Return where a url ends that begins at `start`; the next in the text begins at `following`."""
    behind = re.compile(_BEHIND_URL).search(text, start, following)
    stop = behind.start() if behind else following
    end = start + len(text[start:stop].rstrip(_CLOSING))
    authority = text[start:stop].partition(":/")[2].removeprefix("/")
    if ":" not in authority or re.compile(_PATH).search(authority):
        return end
    # What looks like the end of the host may be part of the password.
    at = text.find("@", stop, stop + _MAX_PASSWORD)
    is_one_word = at >= 0 and not re.compile(_SPACE).search(text, stop, at)
    if at >= 0 and (is_one_word or _redact_url(text[start:end]) == REDACTED):
        space = re.compile(_SPACE).search(text, at)
        return space.start() if space else len(text)
    return end


def _redact_url(url: str) -> str:
    scheme, _, rest = url.partition(":/")
    if rest.startswith("/"):
        clean = _without_credentials(url)[0]
    else:
        clean = _without_credentials(f"{scheme}://{rest}")[0].replace("://", ":/", 1)
    return re.sub(_RANDOM_BEHIND_T, rf"\g<1>{REDACTED}", clean) if "/t/" in clean else clean


def _redact_address(word: str) -> str:
    at = word.rfind("@")
    while at > 0 and not re.compile(_HOST).match(word, at + 1):
        at = word.rfind("@", 0, at)
    colon = -1
    for _ in range(4):
        colon = word.find(":", colon + 1, max(at, 0))
        if colon < 0:
            return word
        user = max(word.rfind(sign, 0, colon) for sign in _BEFORE_USER) + 1
        if _is_pair(word[:user], word[user:colon], word[colon + 1 : at]):
            return word[:user] + REDACTED + word[at:]
    return word


def _is_pair(before: str, user: str, password: str) -> bool:
    if not user or not password or user.lower() in _NO_USERS or before.endswith("@"):
        return False
    if before.endswith("/") and before.strip(_BEFORE_USER):
        # A port, or part of a path.
        return False
    if password.startswith("/") and (password.startswith("//") or ":" not in password):
        return False
    return not (user.isdigit() and password.isdigit()) and not re.compile(_TIME).fullmatch(f"{user}:{password}")


def _is_host(host: str) -> bool:
    return re.fullmatch(r"(\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(:\d*)?", host) is not None
