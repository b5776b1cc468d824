"""One byte among 70,000 files: found and named, with and without the index, in little memory."""

import hashlib
import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode

import pytest

pytestmark = pytest.mark.slow

FILES, DIRECTORIES = 70_000, 700
MOST_MEGABYTES = 100
CHECKING = """
import json, os, resource, sys
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import Cache
from capsulestore.capture.integrity import Index, check_installed
found = check_installed(ask(sys.argv[1]), cache=Cache(sys.argv[2]), index=Index(sys.argv[2], granularity_ns=10**7))
(own,) = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")]
used = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(json.dumps({"megabytes": used * 1024 / 1e6, **found.as_dict()}))
"""


@pytest.fixture
def large(venv):
    """The small environment with 70,000 files more, and the number and hash of each in a RECORD."""
    info = venv.site / "large-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: large\nVersion: 1.0\n")
    rows = [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
    for directory in range(DIRECTORIES):
        place = f"large/{directory % 10}/package{directory}"
        os.makedirs(venv.site / place)
        for number in range(directory, FILES, DIRECTORIES):
            data = b"%d\n" % number * 100
            (venv.site / place / f"module{number}.py").write_bytes(data)
            digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{place}/module{number}.py,sha256={digest},{len(data)}")
    (info / "RECORD").write_text("\n".join(rows) + "\n")
    return venv


def test_one_flipped_byte_is_found_and_named(large, tmp_path):
    def check():
        command = [sys.executable, "-c", CHECKING, str(large.python), str(tmp_path / "cache")]
        answer = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        assert answer["megabytes"] < MOST_MEGABYTES
        assert answer["files"] > FILES
        return answer

    assert check()["altered"] == []
    again = check()
    assert (again["altered"], again["hashed"]) == ([], 0)
    path = large.site / "large/7/package457/module12357.py"
    status, data = path.stat(), bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    altered = [{"kind": "changed", "layer": "python", "owner": "large", "path": str(path.resolve())}]
    with_index = check()
    assert (with_index["altered"], with_index["hashed"]) == (altered, FILES // DIRECTORIES)
    for kept in (tmp_path / "cache").iterdir():
        kept.unlink()
    without = check()
    assert (without["altered"], without["hashed"]) == (altered, without["files"])
