"""I3, I4, I5: `capsule add` as a whole, killed with SIGKILL at any moment, several at once."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from capsulestore.model.digest import Digest
from capsulestore.model.mapping import decode_mapping
from capsulestore.store import Store

AT_ONCE = 4
KILLS = 20


@pytest.mark.slow
def test_i3_i4_i5_whatever_is_printed_outlives_20_kills_of_whole_commands(
    capsule, started_anew, store, project, capsys
):
    begun = time.monotonic()
    printed = [started_anew("add", "-m", "how long it takes alone").line]
    takes = time.monotonic() - begun
    chance = random.Random()
    killed = 0
    rounds = itertools.count()
    while killed < KILLS:
        turn = next(rounds)
        commands = [
            subprocess.Popen(
                [sys.executable, "-m", "capsulestore_cli", "add", "-m", f"{turn} {number}"],
                cwd=project,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(AT_ONCE)
        ]
        for process in commands:
            # One after the other: the later ones have come further, and some to their end.
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=chance.uniform(0, takes))
            process.kill()
            out, err = process.communicate()
            killed += process.returncode == -signal.SIGKILL
            assert process.returncode in {0, -signal.SIGKILL}
            assert err == ""
            printed += out.split()
        done = capsule("add", "-m", f"after {turn}")
        assert (done.status, done.err) == (0, "")
        printed.append(done.line)
        assert capsule("show", "--json").json["capsule_id"] == done.line
        assert capsule("verify").status == 0
    shelf = subprocess.run(["git", "-C", store, "log", "--format=%T"], capture_output=True, text=True, check=True)
    assert set(printed) <= set(shelf.stdout.split())
    subprocess.run(["git", "-C", store, "fsck", "--strict", "--no-dangling"], check=True, capture_output=True)
    with Store(str(store)) as opened:
        capsules = [opened.capsule(Digest.parse(digest)) for digest in printed]
        whole = sum("python" in decode_mapping(one.environment, opened.read) for one in capsules)
    assert whole == len(printed)
    assert all(capsule("verify", digest).status == 0 for digest in printed[:: len(printed) // 5])
    with capsys.disabled():
        print(f"\n{killed} commands killed: {len(printed)} capsules acknowledged, {whole} found whole")
