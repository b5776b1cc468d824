"""A real web server (lighttpd) on the loopback before `git http-backend`: with and without a password, with TLS."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from git_peers import Way, run_git

__all__ = ["PASSWORD", "USER", "WebServer", "web_server"]

USER, PASSWORD = "ada", "correct horse"
_CERTIFICATES = ("good", "expired", "self_signed")

_CONFIG = """\
server.systemd-socket-activation = "enable"
server.modules = ("mod_alias", "mod_auth", "mod_authn_file", "mod_redirect", "mod_setenv", "mod_cgi", "mod_openssl")
server.document-root = "{directory}/repositories"
server.errorlog = "{directory}/errors.log"
server.upload-dirs = ("{directory}")
server.bind = "127.0.0.1"
server.port = {ports[plain]}
mimetype.assign = (".html" => "text/html", "" => "text/plain")
alias.url = (
    "/git" => "{backend}", "/locked" => "{backend}", "/small" => "{backend}", "/page" => "{directory}/page.html"
)
url.redirect = (
    "^/moved(/[^?]*)(.*)" => "/git$1$2", "^/elsewhere(/.*)" => "http://elsewhere.invalid/git$1",
    "^/safer(/.*)" => "https://127.0.0.1:{ports[good]}/git$1", "^/login/" => "/page", "^/endless(/.*)" => "/endless$1"
)
setenv.set-environment = (
    "GIT_PROJECT_ROOT" => "{directory}/repositories", "GIT_HTTP_EXPORT_ALL" => "1", "PATH" => "{path}",
    "GIT_CONFIG_NOSYSTEM" => "1", "GIT_CONFIG_GLOBAL" => "/dev/null"
)
auth.backend = "plain"
auth.backend.plain.userfile = "{directory}/passwords"
auth.require = ("/locked/" => ("method" => "basic", "realm" => "capsules", "require" => "valid-user"))
$HTTP["url"] =~ "^/(git|locked|small)(/|$)" {{ cgi.assign = ("git-http-backend" => "") }}
$HTTP["url"] =~ "^/small(/|$)" {{ server.max-request-size = 1 }}
"""
_TLS = """\
$SERVER["socket"] == "127.0.0.1:{port}" {{
    ssl.engine = "enable"
    ssl.pemfile = "{directory}/{name}.pem"
    ssl.privkey = "{directory}/{name}.key"
}}
"""
_UNTIL_THE_TESTS_END = ("setpriv", "--pdeathsig", "TERM")
"""What starts a program that ends with this one, also where this one is killed."""


@dataclass(frozen=True)
class WebServer:
    """Where it listens, by name: `plain`, and for each certificate; repositories lie in `directory/repositories`.

    Below `/git/` everybody is let in, below `/locked/` who knows `USER` and `PASSWORD`; `/small/` takes a kilobyte at a
    time; `/moved/`, `/safer/` (TLS), `/elsewhere/`, `/login/` and `/endless/` redirect; `/page` is a page.
    """

    directory: Path
    ports: dict[str, int]

    def url(self, part: str, listening: str = "plain") -> str:
        """Return the url of what lies at a path."""
        return f"{'http' if listening == 'plain' else 'https'}://127.0.0.1:{self.ports[listening]}/{part}"

    def way(self, name: str, part: str = "git", listening: str = "plain", **how: dict[str, str] | None) -> Way:
        """Reach its repositories below a part."""
        environ = how.pop("environ", None) or {}
        if listening != "plain":
            environ = {**environ, "GIT_SSL_CAINFO": str(self.directory / "authority.pem")}
        directory = self.directory / "repositories"
        return Way(name, directory, lambda path: self.url(f"{part}/{path.name}", listening), environ, **how)

    def with_password(self, listening: str = "plain") -> Way:
        """Reach its repositories where it asks for a password, which netrc(5) has."""
        environs = {}
        for name, password in (("right", PASSWORD), ("wrong", "staple")):
            netrc = self.directory / f"netrc_{name}"
            netrc.write_text(f'machine 127.0.0.1 login {USER} password "{password}"\n')
            netrc.chmod(0o600)
            environs[name] = {"NETRC": str(netrc)}
        right, wrong = environs.values()
        return self.way("password", "locked", listening, environ=right, wrong=wrong, none={"NETRC": os.devnull})


@contextmanager
def web_server(directory: Path) -> Iterator[WebServer]:
    """Start it, until the block ends. Skips where there is none, or git has no part for it."""
    lighttpd = shutil.which("lighttpd", path=f"{os.environ['PATH']}:/usr/sbin")
    backend = Path(run_git(directory, "--exec-path"), "git-http-backend")
    if not lighttpd or not shutil.which("openssl") or not backend.exists():
        pytest.skip("lighttpd, openssl or `git http-backend` is not installed")
    (directory / "repositories").mkdir()
    (directory / "passwords").write_text(f"{USER}:{PASSWORD}\n")
    (directory / "page.html").write_text("<!doctype html><title>a page</title>\n")
    _make_certificates(directory)
    with ExitStack() as stack, (directory / "said.log").open("wb") as said:
        sockets = {
            name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in ("plain", *_CERTIFICATES)
        }
        ports = {name: listening.getsockname()[1] for name, listening in sockets.items()}
        config = _CONFIG.format(directory=directory, ports=ports, backend=backend, path=os.environ["PATH"])
        config += "".join(_TLS.format(directory=directory, port=ports[name], name=name) for name in _CERTIFICATES)
        (directory / "lighttpd.conf").write_text(config)
        numbers = [listening.fileno() for listening in sockets.values()]
        # Sockets that listen already: nobody has to wait for it, or to guess which port is free.
        moved = " ".join(f"{place}<&{number}" for place, number in enumerate(numbers, 3))
        start = f'exec {moved}; LISTEN_PID=$$ LISTEN_FDS={len(numbers)} exec "$@"'
        process = subprocess.Popen(
            [*_UNTIL_THE_TESTS_END, "bash", "-c", start, "bash", lighttpd, "-D", "-f", directory / "lighttpd.conf"],
            pass_fds=numbers,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            yield WebServer(directory, ports)
        finally:
            process.terminate()
            process.wait()


def _make_certificates(directory: Path) -> None:
    """Make an authority, and three certificates for 127.0.0.1, of which it vouches for all but the last."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, check=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
    name = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("req", "-x509", *key, "authority.key", "-out", "authority.pem", "-subj", "/CN=an authority", "-days", "2")
    openssl("req", "-x509", *key, "self_signed.key", "-out", "self_signed.pem", *name, "-days", "2")
    for certificate, days in (("good", "2"), ("expired", "-1")):
        openssl("req", *key, f"{certificate}.key", "-out", "request.pem", *name)
        signed = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-copy_extensions", "copy")
        openssl("x509", "-req", "-in", "request.pem", *signed, "-days", days, "-out", f"{certificate}.pem")
