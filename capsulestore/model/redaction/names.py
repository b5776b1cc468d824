"""Which names say that what they name is a secret: of an option, a variable, a header, a key of a mapping."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_harmless", "is_switch", "names_secret"]

_WORD: Final = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
"""The parts of `dbPassword`, `DB_PASSWORD` and `db.password`."""

_SECRETS: Final = frozenset(
    """
    accesskey apikey apikeys authorization authtoken bearer cred credential credentials creds jwt kennwort mnemonic otp
    passcode passin passout passphrase passphrases passwd password passwords passwort privatekey psk pw pwd secret
    secretkey secrets sessionkey totp
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""Words that make a secret of the whole name, wherever they stand in it: `password_of_admin`."""

_ENDINGS: Final = ("password", "passwd", "passphrase", "secret", "apikey", "accesskey", "secretkey", "privatekey")
_ENDINGS_OF_TOKENS: Final = ("accesstoken", "apitoken", "authtoken", "refreshtoken", "sessiontoken")
_ENDINGS_OF_PASSES: Final = ("dbpass", "keypass", "storepass", "userpass")
"""How words end that were written as one: `PGPASSWORD`, `clientsecret`."""

_ABOUT: Final = frozenset(
    """
    age algorithm arn backend change changed check class cmd column command count dir directory disabled enabled
    endpoint env expiration expires expiry fd field file filename files folder format generator helper hint host id ids
    jar label len length limit manager max method min mode name names path paths plugin policy port prompt provider
    required reset rotation rules scheme scope scopes service sharing size stdin store strength timeout ttl type types
    uri url user username var variable version
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""Last words of names that tell something about a secret, not the secret: `password_file`."""

_WHICH: Final = frozenset(
    """
    b64 backup base64 ci default dev development hash header live local main new old plain primary prod production raw
    readonly ro rw secondary stage staging string test testing text value
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""Last words of names that tell secrets of one kind apart: `API_KEY_PROD`. Numbers do so too."""

_KEYS: Final = frozenset(
    """
    access account admin aes anthropic api app application auth aws azure client comet consumer crypto db deploy
    encryption google gpg hmac ingest jwt kaggle license master openai pem pgp priv private read rsa secret server
    service session shared sign signing ssh storage stripe subscription wandb webhook write
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""What makes a secret of a `key`, which else is a column, a button or part of a mapping."""

_NO_TOKENS: Final = frozenset(
    """
    additional audio begin blank bos class cls decoder dummy encoder end eos eot first forced image last mask masked max
    min n new next num pad padding per prompt query sep separator special start stop think unk unknown video
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""What makes a piece of text of a `token`: the vocabulary of language models."""

_NO_PASSES: Final = frozenset(
    """
    all backward band by first forward full high last low max multi n num one per
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""What makes a filter or a round of a `pass`."""

_SWITCHES: Final = frozenset(
    """
    allow ask check disable enable force has hide is no prompt require save show skip use verify with without
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""First words of options that switch something, and take no value."""

_ALONE: Final = frozenset(["auth", "cookie", "cookies", "csrftoken", "oauth", "sig", "signature"])
_WITH: Final = {
    "key": _KEYS,
    "keys": _KEYS,
    "pat": frozenset(["", "azure", "devops", "gh", "github", "gitlab"]),
    "tokens": frozenset(["access", "api", "auth", "refresh"]),
}
_WITHOUT: Final = {"token": _NO_TOKENS, "pass": _NO_PASSES}
"""Last words that name a secret: whatever stands before, with one of these words before, without."""

_LITERAL: Final = r"(?i:null|none|true|false)"
_SHORT_NUMBER: Final = r"[0-9.]{1,6}(?:e-?[0-9]{1,3})?"
_ORDINAL: Final = r"[0-9]{1,2}"


def names_secret(name: str) -> bool:
    """Return whether a name says that its value is a secret: `db.password`, `X-Api-Key`, `clientSecret`.

    Names count by their words. So `tokenizer`, `max_tokens`, `author`, `auth_type`, `monkey` and `password_file` name
    no secret.
    """
    words = _words(name)
    while len(words) > 1 and (words[-1] in _WHICH or words[-1].isdigit()):
        words.pop()
    if not words:
        return False
    *_, before, last = ("", *words)
    if any(word in _SECRETS or word.endswith(_ENDINGS + _ENDINGS_OF_TOKENS) for word in words):
        return last not in _ABOUT
    if last in _WITHOUT:
        return before not in _WITHOUT[last]
    return last in _ALONE or before in _WITH.get(last, ()) or last.endswith(_ENDINGS_OF_PASSES)


def is_switch(name: str) -> bool:
    """Return whether an option of this name takes no value, though it speaks of a secret: `--no-password`."""
    words = _words(name)
    return bool(words) and words[0] in _SWITCHES


def is_harmless(name: str, value: str) -> bool:
    """Return whether no secret of this name has such a value: a literal of JSON or Python, for `sig` a number."""
    words = _words(name)
    last = words[-1] if words else ""
    if last in {"sig", "signature"} and re.compile(_SHORT_NUMBER).fullmatch(value):
        # In analyses, how significant something is.
        return True
    if last == "pass" and re.compile(_ORDINAL).fullmatch(value):
        # Of several passes, which.
        return True
    if last == "pwd" and value.startswith("/"):
        # In a shell, the working directory.
        return True
    return not value or re.compile(_LITERAL).fullmatch(value) is not None


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.compile(_WORD).findall(name)]
