"""The digest of a file that is being written is one of a state that it had, or there is none."""

import hashlib
import subprocess
import sys
from contextlib import suppress

import pytest

from capsulestore.capture.steady import steady_digest
from capsulestore.errors import FileProblem

ROUNDS = 6
LARGE, SMALL = 2**20, 2**14

# The first byte is always ahead of the last one, by one at the most: whoever reads another pair has seen no state.
WRITES_BOTH_ENDS = """
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY)
print(flush=True)
number = 0
while True:
    number = (number + 1) % 8
    os.pwrite(file, bytes([number]), 0)
    os.pwrite(file, bytes([number]), os.fstat(file).st_size - 1)
"""
APPENDS = """
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
print(flush=True)
for _ in range(100_000):
    os.write(file, bytes(512))
"""

# Its clock is behind that of the machine whose disk it reads, as of a file server.
READS_BEHIND = """
import sys, time
now = time.time
time.time = lambda: now() - 3600
from capsulestore.capture.steady import steady_digest
print(*(steady_digest(path)[0].hex() for path in sys.argv[1:]))
"""


@pytest.fixture
def written_by(tmp_path):
    """Write to a file in another process, from now to the end of the test."""
    started = []

    def start(program, size=LARGE):
        path = tmp_path / "log"
        path.write_bytes(bytes(size))
        writer = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
        started.append(writer)
        writer.stdout.readline()
        return str(path)

    yield start
    for writer in started:
        writer.kill()
        writer.communicate()


def digests(path):
    for _ in range(ROUNDS):
        with suppress(FileProblem):
            yield steady_digest(path)


def sha256(data):
    return hashlib.sha256(data).digest()


def test_a_file_at_rest_has_the_digest_of_its_bytes(tmp_path):
    (tmp_path / "fit.csv").write_bytes(b"1,2,3")
    (tmp_path / "empty").touch()
    assert steady_digest(str(tmp_path / "fit.csv")) == (sha256(b"1,2,3"), 5)
    assert steady_digest(str(tmp_path / "empty")) == (sha256(b""), 0)


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])
def test_no_digest_is_of_two_states_at_once(written_by, size):
    path = written_by(WRITES_BOTH_ENDS, size)
    between = bytes(size - 2)
    states = {
        (sha256(bytes([first]) + between + bytes([last])), size)
        for last in range(8)
        for first in (last, (last + 1) % 8)
    }
    assert set(digests(path)) <= states


def test_a_file_that_grows_has_the_digest_of_as_much_as_is_told(written_by):
    for digest, size in digests(written_by(APPENDS)):
        assert digest == sha256(bytes(size))


def test_a_clock_that_is_behind_is_not_waited_for(tmp_path):
    data = {tmp_path / "large": bytes(LARGE), tmp_path / "small": bytes(SMALL)}
    for path, content in data.items():
        path.write_bytes(content)
    command = [sys.executable, "-c", READS_BEHIND, *data]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [sha256(content).hex() for content in data.values()]


def test_a_file_that_tells_no_size_is_read_to_its_end():
    digest, size = steady_digest("/proc/self/status")
    assert size > 0
    assert digest != sha256(b"")
