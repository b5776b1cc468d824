"""Who is asking, for a web server that wants to know: a token, netrc(5), git's credential helpers (gitcredentials(7)).

Nothing of it is kept beyond the process, printed, or given to a program in its arguments.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

from capsulestore.errors import RemoteProblem, RemoteRefused
from capsulestore.sync.http.place import Place, is_loopback
from capsulestore.sync.remote import Surroundings

__all__ = ["Credential", "Login"]

_HEADER_TEXT: Final = re.compile(r"[\x21-\x7e]+")
_WHERE: Final = "set CAPSULE_TOKEN, or give `~/.netrc` or a helper of `git credential` what it asks for"


class Credential(NamedTuple):
    """One way to say who asks: the value of the header `Authorization`, and where it is from.

    `known_by` is what `git credential` said, for it to be told whether that was right.
    """

    header: str
    source: Literal["token", "netrc", "git"]
    known_by: bytes = b""

    def __repr__(self) -> str:
        return f"Credential(source={self.source!r})"


class Login:
    """What a server at a place is offered: nothing until it asks, then each credential there is until it takes one.

    What it took is offered at once from then on. `user` is a name that the address has.
    """

    def __init__(self, place: Place, user: str | None, surroundings: Surroundings, remote: str) -> None:
        self._place = place
        self._user = user
        self._surroundings = surroundings
        self._remote = remote
        self._current: Credential | None = None
        self._told = False
        self._schemes: Collection[str] = ()
        self._offers = self._all()

    def headers(self) -> dict[str, str]:
        """Return what a request has to say of who asks."""
        return {"Authorization": self._current.header} if self._current else {}

    def taken(self) -> None:
        """Note that the server takes what it was offered."""
        if self._current and self._current.source == "git" and not self._told:
            self._told = True
            self._tell("approve", self._current)

    def refused(self, schemes: Collection[str]) -> None:
        """Go on to the next credential that one of the server's schemes has a place for (`basic`, `bearer`).

        Raise `RemoteRefused` where there is none.
        """
        last, self._schemes = self._current, schemes
        if last and last.source == "git":
            self._tell("reject", last)
        self._current = next(self._offers, None)
        if self._current is None:
            raise self._problem(last)

    def _all(self) -> Iterator[Credential]:
        if self._surroundings.token and self._may_have_token():
            yield Credential(f"Bearer {self._checked_token(self._surroundings.token)}", "token")
        if self._schemes and "basic" not in self._schemes:
            return
        if found := self._of_netrc():
            yield found
        if found := self._of_git():
            yield found

    def _may_have_token(self) -> bool:
        return self._place.scheme == "https" or is_loopback(self._place.host)

    def _checked_token(self, token: str) -> str:
        if not _HEADER_TEXT.fullmatch(token):
            raise RemoteRefused(
                self._remote,
                "it asks who you are, and CAPSULE_TOKEN holds what no token can",
                hint="a token is of ASCII letters, digits and signs, with no space and no line break",
            )
        return token

    def _of_netrc(self) -> Credential | None:
        from netrc import NetrcParseError, netrc  # noqa: PLC0415

        environ = self._surroundings.environ
        path = environ.get("NETRC") or os.path.join(environ.get("HOME", ""), ".netrc")
        if not os.path.isabs(path):
            return None
        try:
            found = netrc(path).authenticators(self._place.host)
        except FileNotFoundError:
            return None
        except NetrcParseError as error:
            # What it could not read may be a password.
            raise RemoteRefused(
                self._remote, f"it asks for a password, and `{path}` cannot be read (line {error.lineno})"
            ) from None
        except (OSError, UnicodeError):
            raise RemoteRefused(self._remote, f"it asks for a password, and `{path}` cannot be read") from None
        if not found or not found[2] or self._user not in {None, found[0]}:
            return None
        return Credential(_basic(found[0], found[2]), "netrc")

    def _of_git(self) -> Credential | None:
        from capsulestore.sync.http.git_credential import ask  # noqa: PLC0415

        said = ask("fill", self._described(), self._surroundings)
        values = dict(line.partition("=")[::2] for line in said.decode("utf-8", "surrogateescape").splitlines())
        if not values.get("password"):
            return None
        return Credential(_basic(values.get("username", ""), values["password"]), "git", said)

    def _tell(self, verdict: Literal["approve", "reject"], credential: Credential) -> None:
        from capsulestore.sync.http.git_credential import ask  # noqa: PLC0415

        ask(verdict, credential.known_by, self._surroundings)

    def _described(self) -> bytes:
        place = self._place
        described = {"protocol": place.scheme, "host": place.authority, "path": place.path.lstrip("/")}
        described |= {"username": self._user} if self._user else {}
        return "".join(f"{name}={value}\n" for name, value in described.items()).encode("utf-8", "surrogateescape")

    def _problem(self, last: Credential | None) -> RemoteProblem:
        if last is None:
            return self._nothing_to_offer()
        what = {
            "token": "the token in CAPSULE_TOKEN",
            "netrc": "the password that netrc has for it",
            "git": "the password that `git credential` has for it",
        }[last.source]
        return RemoteRefused(self._remote, f"it does not take {what} (401)", hint="is it right, and still valid?")

    def _nothing_to_offer(self) -> RemoteProblem:
        unspoken = sorted(self._schemes)
        if unspoken and not {"basic", "bearer"} & {*unspoken}:
            return RemoteRefused(self._remote, f"it asks who you are in a way that is not spoken here: `{unspoken[0]}`")
        reason, hint = "it asks for a password (401)", _WHERE
        if self._surroundings.token and not self._may_have_token():
            reason += "; CAPSULE_TOKEN is not sent where others can read it on its way"
            hint = "use an `https://` address"
        return RemoteRefused(self._remote, reason, hint=hint)


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode('utf-8', 'surrogateescape')).decode()}"
