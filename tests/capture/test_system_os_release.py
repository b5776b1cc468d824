"""Which operating system this is, is told as a shell would read os-release(5)."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.capture.system.os_release import parse_os_release, read_os_release

FEDORA = """\
NAME="Fedora Linux"
VERSION="39 (Container Image)"
ID=fedora
VERSION_ID=39
PRETTY_NAME="Fedora Linux 39 (Container Image)"
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes, place: str = "etc/os-release") -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_this_machine_is_told_as_a_shell_reads_it(run_command):
    if not Path("/etc/os-release").exists():
        pytest.skip("this machine has no os-release")
    shown = run_command("sh", "-c", '. /etc/os-release; printf "%s\\n" "$ID" "$VERSION_ID" "$NAME"').splitlines()
    told, findings = read_os_release("/")
    assert told == {name: value for name, value in zip(("id", "version_id", "name"), shown, strict=True) if value}
    assert findings == []


def test_id_version_and_name_are_what_is_told(write, tmp_path):
    write(FEDORA)
    assert read_os_release(str(tmp_path)) == ({"id": "fedora", "version_id": "39", "name": "Fedora Linux"}, [])


def test_the_file_in_etc_comes_before_the_one_in_usr_lib(write, tmp_path):
    write(FEDORA, "usr/lib/os-release")
    assert read_os_release(str(tmp_path))[0]["id"] == "fedora"
    write("ID=other\n")
    assert read_os_release(str(tmp_path))[0] == {"id": "other"}


def test_a_system_that_says_nothing_is_told_nothing_of(tmp_path):
    assert read_os_release(str(tmp_path)) == ({}, [])


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "etc" / "os-release").mkdir(parents=True)
    told, (finding,) = read_os_release(str(tmp_path))
    assert told == {}
    assert (finding.code, finding.subject) == ("os-release-unreadable", "/etc/os-release")


VALUES = {
    "": "",
    "plain": "plain",
    '"two words"': "two words",
    "'two words'": "two words",
    "'a \"quoted\" word'": 'a "quoted" word',
    r'"\"quoted\" \$5 \\ \`x\` \n"': r'"quoted" $5 \ `x` \n',
    r"a\ b": "a b",
    "'a'\"b\"c": "abc",
    '"two\nlines"': "two\nlines",
    '"joined \\\nline"': "joined line",
    "plain # comment": "plain",
    '"not closed': "",
    '"größe"': "größe",
}


@pytest.mark.parametrize(("written", "meant"), VALUES.items())
def test_a_value_is_quoted_as_for_a_shell(written, meant):
    assert parse_os_release(f"ID={written}\nNAME=next\n")["ID"] == meant


def test_what_is_no_assignment_is_passed_over_and_the_last_of_a_name_counts():
    text = "# ID=comment\n\nexport X\nid=lower\n ID=indented\nID=last\n=\nNAME\n"
    assert parse_os_release(text) == {"ID": "last"}


def test_bytes_that_are_not_utf_8_are_readable(write, tmp_path):
    write(b'NAME="caf\xe9"\n')
    assert read_os_release(str(tmp_path))[0] == {"name": "caf\\xe9"}


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
def test_a_value_that_was_quoted_comes_back(value):
    assert parse_os_release(f"ID={shlex.quote(value)}\n") == {"ID": value}


QUOTED = st.lists(st.sampled_from(["a", " ", "\\\\", '\\"', "\\$", "\\`", "\\n", "'", "\\\n", "é"])).map("".join)


@given(st.lists(QUOTED, min_size=5, max_size=5))
def test_double_quotes_are_read_as_a_shell_reads_them(quoted):
    if not shutil.which("sh"):
        pytest.skip("there is no shell on this machine")
    text = "".join(f'V{number}="{value}"\n' for number, value in enumerate(quoted))
    script = text + "".join(f'printf "%s\\0" "$V{number}"\n' for number in range(5))
    shown = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")[:-1]
    assert list(parse_os_release(text).values()) == shown


@given(st.text())
def test_any_text_is_read_in_some_way(text):
    assert all(isinstance(value, str) for value in parse_os_release(text).values())
