"""Takes secrets out of the words of a command line, which tell more than a text: where each begins and ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from capsulestore.model.redaction.members import SEPARATOR
from capsulestore.model.redaction.names import is_harmless, is_switch, names_secret
from capsulestore.model.redaction.tokens import REDACTED

__all__ = ["redact_commands", "redact_words"]

# Expressions are compiled, and kept by `re`, when a word first needs them: start-up counts.
_MEMBER: Final = rf"(?s)([+~-]*+)[\"']?([A-Za-z_][\w.\[\]-]*+)[\"']?({SEPARATOR})"
_OPTION: Final = r"(?s)--?[A-Za-z][\w.-]*+(?:=.*)?|--"
_PAIR: Final = r"(?![0-9]++:[0-9]++$|[^\s:@]++@[^\s:]++:/)[^\s:%]++[:%]"
"""`user:password` and SMB's `user%password`, but neither ids of a user and a group nor a path of another host."""
_PAIRS: Final = frozenset(["-u", "-U", "--user", "--proxy-user"])
_SHELL_WORD: Final = r"(?s)(?:[^\s\"'`\\;|&()]|\\.|\"(?:[^\"\\]|\\.)*+\"|'[^']*+')++"
_QUOTATION: Final = r"(?s)\\(.)|[\"']"
_INTERPRETER: Final = r"(?:python|pypy)[0-9.]{0,8}w?(?:\.exe)?"
_DASHED: Final = r"-(?=[^0-9]*[0-9])[A-Za-z][A-Za-z0-9_-]{7,}"
"""What looks like an option, and is the value of the one before it: in base64 for urls `-` is a digit."""
_NO_NAME: Final = r"[\s=:/]"
_SPACE: Final = r"\s"
_MAX_DEPTH: Final = 4
"""Command lines within each other: `sh -c "ssh host 'mysql ...'"`."""

_NEXT, _ATTACHED = "next", "attached"
_PASSWORDS: Final = {
    program: (option, places)
    for programs, option, places in (
        ("mariadb mariadb-admin mariadb-dump mariadb-import", "-p", (_ATTACHED,)),
        ("mysql mysqladmin mysqlcheck mysqldump mysqlimport mysqlshow", "-p", (_ATTACHED,)),
        ("7z 7za 7zr 7zz", "-p", (_ATTACHED,)),
        ("sshpass mongo mongodump mongoexport mongoimport mongorestore mongosh", "-p", (_NEXT, _ATTACHED)),
        ("rabbitmqadmin snowsql twine", "-p", (_NEXT,)),
        ("openssl", "-k", (_NEXT,)),
        ("bcp sqlcmd unzip zip zipcloak", "-P", (_NEXT, _ATTACHED)),
        ("ldapadd ldapdelete ldapmodify ldappasswd ldapsearch ldapwhoami", "-w", (_NEXT, _ATTACHED)),
        ("http https redis-cli xh xhs", "-a", (_NEXT,)),
    )
    for program in programs.split()
}
"""The options of one letter that hold a password: by program, since others use the same for ports and paths."""

_LOGINS: Final = frozenset(["az", "buildah", "crane", "docker", "helm", "nerdctl", "oras", "podman", "skopeo"])
"""Programs whose `login` takes `-p PASSWORD`."""
_LOGINS_BY_KEY: Final = frozenset(["vault", "wandb"])
"""Programs whose `login` takes a token for its argument."""
_PROGRAMS: Final = {"curl"} | _PASSWORDS.keys() | _LOGINS | _LOGINS_BY_KEY


def redact_words(words: Sequence[str], redact: Callable[[str], str]) -> list[str]:
    """Return the words of a command line with `redacted` for each secret; `redact` does so for any text.

    What follows an option that names a secret goes, unless it looks like an option itself; `-u` of a Python interpreter
    names none. In `key=value` and `Header: value` the value goes to the end of the word.
    """
    clean: list[str] = []
    program = ""
    is_interpreters = False
    expected: str | None = None
    for word in words:
        name = word.rpartition("/")[2]
        if name in _PROGRAMS:
            program = name
        elif word == "login" and program in _LOGINS | _LOGINS_BY_KEY:
            program = f"{program} login"
        is_interpreters = re.compile(_INTERPRETER).fullmatch(name) is not None or (
            is_interpreters and word.startswith("-")
        )
        is_value = expected is not None and _is_value(word, expected)
        if expected in _PAIRS and is_value:
            clean.append(REDACTED if re.compile(_PAIR).match(word) else _redact_word(word, redact))
        elif is_value:
            clean.append(word if is_harmless(expected or "", word) else REDACTED)
        else:
            clean.append(_redact_attached(word, program) or _redact_word(word, redact))
        previous = words[len(clean) - 2] if len(clean) > 1 else ""
        expected = None if is_value or (is_interpreters and word == "-u") else _expected(word, previous, program)
    return clean


def redact_commands(text: str, depth: int = 0) -> str:
    """Return a text, which may be a command line or hold one, without what its options hold."""
    if depth == _MAX_DEPTH or not re.compile(_SPACE).search(text):
        return text
    import shlex  # noqa: PLC0415  (most texts are a word, and start-up counts)

    found = list(re.compile(_SHELL_WORD).finditer(text))
    words = [re.compile(_QUOTATION).sub(r"\1", match[0]) for match in found]
    clean = redact_words(words, lambda word: redact_commands(word, depth + 1))
    pieces: list[str] = []
    done = 0
    for match, before, after in zip(found, words, clean, strict=True):
        if before != after:
            pieces += text[done : match.start()], shlex.quote(after)
            done = match.end()
    return "".join([*pieces, text[done:]])


def _is_value(word: str, option: str) -> bool:
    if re.compile(_OPTION).fullmatch(word):
        return option not in _PAIRS and re.compile(_DASHED).fullmatch(word) is not None
    return True


def _expected(word: str, previous: str, program: str) -> str | None:
    """Return the name of the secret that the next word is, or the option whose `user:password` it may be."""
    option, places = _PASSWORDS.get(program, ("", ()))
    if word == option and _NEXT in places:
        return option
    login = program.removesuffix(" login")
    if login != program and word == ("login" if login in _LOGINS_BY_KEY else "-p"):
        return word
    if word in _PAIRS:
        return word
    name = word.lstrip("-")
    if not word.startswith("-") and (previous != "set" or name.isalpha()):
        # `config set NAME VALUE` has no dashes; "set password rules" is prose.
        return None
    return name if names_secret(name) and not is_switch(name) and not re.compile(_NO_NAME).search(word) else None


def _redact_attached(word: str, program: str) -> str | None:
    """Return `-pPASSWORD` or `-uUSER:PASSWORD` without it; None where the word is nothing like it."""
    option, places = _PASSWORDS.get(program, ("", ()))
    if program.endswith(" login") and program.removesuffix(" login") in _LOGINS:
        option, places = "-p", (_ATTACHED,)
    if _ATTACHED in places and word.startswith(option) and word != option:
        return option + REDACTED
    user, _, pair = word.partition("=")
    if user in _PAIRS and re.compile(_PAIR).match(pair):
        return f"{user}={REDACTED}"
    is_pair = program == "curl" and word[:2] in _PAIRS and re.compile(_PAIR).match(word, 2)
    return word[:2] + REDACTED if is_pair else None


def _redact_word(word: str, redact: Callable[[str], str]) -> str:
    end = 0
    while member := re.compile(_MEMBER).match(word, end):
        dashes, key, _ = member.groups()
        end = member.end()
        # `-DPASSWORD=x` has the option's letter before the key.
        named = names_secret(key) or (dashes == "-" and names_secret(key[1:]))
        if named and not is_harmless(key, word[end:]):
            return word[:end] + REDACTED
    if word.startswith(("{", "["), end):
        return word[:end] + redact(word[end:])
    return redact(word)
