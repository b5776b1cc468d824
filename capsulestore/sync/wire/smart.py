"""Git's smart protocol, version 0, as a client of SHA-256 repositories speaks it over any channel.

Source: git's documentation, `gitprotocol-pack` and `gitprotocol-capabilities`. A fetch is one round: what is wanted,
some commits that are here, `done`. Packs are never thin, histories cut only where that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from capsulestore.errors import NoCapsuleStore, RemoteMisbehaved, RemoteProblem, RemoteRefused, RemoteUnreachable
from capsulestore.model.digest import Digest
from capsulestore.sync.limits import Limits
from capsulestore.sync.remote import SILENT, Fetched, Progress, Push, Pushed, Update, describe
from capsulestore.sync.wire.advertisement import Advertised, read_advertisement
from capsulestore.sync.wire.channel import Channel, Open, Service
from capsulestore.sync.wire.packet import FLUSH, PacketReader, encode
from capsulestore.sync.wire.report import read_report
from capsulestore.sync.wire.said import Said

__all__ = ["SmartRemote"]

_NO_OBJECT: Final = "0" * 64
_KNOWN: Final = b"ACK "
_CUT: Final = b"shallow "


class SmartRemote:
    """A `Remote` that a git answers for, here or on another machine; `open_channel` begins a conversation with it."""

    def __init__(self, name: str, shown: str, open_channel: Open, progress: Progress, limits: Limits) -> None:
        self.name = name
        self.shown = shown
        self._open = open_channel
        self._progress = progress
        self._limits = limits
        self._remote = describe(name, shown)

    @contextmanager
    def fetch(
        self,
        choose: Callable[[Advertised], Sequence[Digest]],
        haves: Sequence[Digest],
        *,
        depth: int | None = None,
    ) -> Iterator[Fetched]:
        """Ask for the objects that `choose` names, as `Remote.fetch` promises; at most `limits.haves` are named."""
        with self._conversation("git-upload-pack") as channel:
            advertised = self._advertised(channel)
            wants = choose(advertised)
            if not wants:
                channel.leave()
                yield Fetched(advertised, None)
                return
            request = self._wanted(advertised, wants, haves[: self._limits.haves], depth)
            reader = self._reader(channel.ask(self._counted([request])))
            if depth:
                self._read_cuts(reader)
            self._read_acknowledgements(reader, len(haves))
            yield Fetched(advertised, reader.data(Said(self._progress), self._limits.pack_bytes))

    def push(self, compose: Callable[[Advertised], Push | None]) -> Pushed:
        """Send what `compose` makes of the advertisement, as `Remote.push` promises; atomic where the remote can.

        Raise `RemoteRefused` where it cannot take the pack, with its reason and what it said of it.
        """
        with self._conversation("git-receive-pack") as channel:
            advertised = self._advertised(channel)
            push = compose(advertised)
            if push is None or not push.updates:
                channel.leave()
                return Pushed(advertised, {})
            commands = self._commands(advertised, push.updates)
            reader = self._reader(channel.ask(self._counted(_request(commands, push.pack))))
            said = Said(self._progress)
            answer = reader.data(said, self._limits.report_bytes)
            report = read_report(answer, [update.ref for update in push.updates], reader)
            with suppress(RemoteProblem):
                # What it still says, and tidies away; whether the refs moved is known.
                for _ in answer:
                    pass
            if report.unpacking is not None:
                words = f" ({said.last_line})" if said.last_line else ""
                raise RemoteRefused(self._remote, f"it could not take what it was sent: {report.unpacking}{words}")
            return Pushed(advertised, report.refusals)

    @contextmanager
    def _conversation(self, service: Service) -> Iterator[Channel]:
        with self._open(service) as channel:
            try:
                yield channel
            except RemoteUnreachable as problem:
                raise channel.explained(problem) from None

    def _reader(self, read: Callable[[int], bytes]) -> PacketReader:
        def counted(size: int) -> bytes:
            received = read(size)
            self._progress.bytes(len(received))
            return received

        return PacketReader(counted, self._limits, self._remote)

    def _counted(self, request: Iterable[bytes]) -> Iterator[bytes]:
        for piece in request:
            yield piece
            self._progress.bytes(len(piece))

    def _advertised(self, channel: Channel) -> Advertised:
        advertised = read_advertisement(self._reader(channel.opening()))
        if advertised.shallow:
            raise NoCapsuleStore(
                self._remote,
                "it has a part of its history only (it is shallow)",
                hint="fetch the rest there with `git fetch --unshallow`, or name the store that it was made from",
            )
        return advertised

    def _wanted(
        self, advertised: Advertised, wants: Sequence[Digest], haves: Sequence[Digest], depth: int | None
    ) -> bytes:
        needed = ("side-band-64k", "shallow") if depth else ("side-band-64k",)
        capabilities = self._capabilities(advertised, needed=needed, taken=("ofs-delta",), silent="no-progress")
        first, *others = dict.fromkeys(wants)
        lines = [f"want {first} {capabilities}", *(f"want {want}" for want in others)]
        lines += [f"deepen {depth}"] if depth else []
        known = [f"have {have}" for have in dict.fromkeys(haves)]
        return _lines(lines) + FLUSH + _lines([*known, "done"])

    def _commands(self, advertised: Advertised, updates: Sequence[Update]) -> bytes:
        capabilities = self._capabilities(
            advertised, needed=("report-status", "side-band-64k"), taken=("atomic",), silent="quiet"
        )
        first, *others = [f"{old or _NO_OBJECT} {new} {ref}" for ref, old, new in updates]
        return _lines([f"{first}\0 {capabilities}", *others]) + FLUSH

    def _capabilities(
        self, advertised: Advertised, *, needed: tuple[str, ...], taken: tuple[str, ...], silent: str
    ) -> str:
        from capsulestore import __version__  # noqa: PLC0415

        offered = advertised.capabilities
        if missing := [name for name in needed if name not in offered]:
            raise RemoteMisbehaved(self._remote, f"it does not speak `{missing[0]}`, as git has for many years")
        wished = (*taken, silent) if self._progress is SILENT else taken
        words = [*needed, *(name for name in wished if name in offered), "object-format=sha256"]
        return " ".join([*words, f"agent=capsulestore/{__version__}"] if "agent" in offered else words)

    def _read_cuts(self, reader: PacketReader) -> None:
        """Read which commits it sends without those before them."""
        for line in reader.lines(self._limits.advertisement_bytes):
            if not line.startswith(_CUT):
                raise RemoteMisbehaved(self._remote, "it does not say where it cuts its history, as git does")

    def _read_acknowledgements(self, reader: PacketReader, most: int) -> None:
        """Read what stands before the pack: which of the haves are known there, or that none is.

        By the documentation that is one line; git says two where a have is the parent of the one before.
        """
        line = reader.line()
        if line is None or not (line == b"NAK" or line.startswith(_KNOWN)):
            raise RemoteMisbehaved(self._remote, "it does not say which of the commits here it knows, as git does")
        for _ in range(most):
            packet = reader.packet()
            if packet is None or not packet.startswith(_KNOWN):
                reader.put_back(packet)
                return


def _request(commands: bytes, pack: Iterable[bytes]) -> Iterator[bytes]:
    yield commands
    yield from pack


def _lines(lines: Iterable[str]) -> bytes:
    return b"".join(encode(f"{line}\n".encode("utf-8", "surrogateescape")) for line in lines)
