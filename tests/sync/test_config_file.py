"""Git's configuration syntax: what git reads in a file, we read; a section comes and goes, all else stays."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsulestore.sync.remotes.config_file import parse, with_section, without_section

Settings = list[tuple[str, str | None]]


@pytest.fixture
def read_by_git(tmp_path) -> Callable[[bytes], Settings | None]:
    """The settings that the real git reads in a file, by their full names; None where it stops."""

    def read_by_git(data: bytes) -> Settings | None:
        (tmp_path / "config").write_bytes(data)
        command = ["git", "config", "--no-includes", "-f", str(tmp_path / "config"), "-z", "--list"]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            return None
        pairs = [item.partition("\n") for item in done.stdout.decode().split("\0")[:-1]]
        return [(key, value if newline else None) for key, newline, value in pairs]

    return read_by_git


def read(data: bytes) -> Settings:
    return [
        (".".join(filter(None, (section.name, section.subsection, key))), value)
        for section in parse(data)
        for key, value in section.settings
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# nothing\n",
        b"[a]x=1",
        b"[a]\n\tx = 1 2\n\ty\n\tz=\n",
        b"\xef\xbb\xbf[a]\nx=1\n",
        b"[a]\r\nx = 1\r\ny\r\n",
        b"[A]X=Y",
        b"[a.B]x=1",
        b'[a "B"]x=1',
        b'[a.B "C.D"]x=1',
        b'[a "b\\"c\\\\d\\e"]x=1',
        b'[a "b]"] # ]\nx=1',
        b"[a][b]x=1",
        b'[a "b"][c]x=1\n',
        b'[a]x = "b # c" d ; e\n',
        b'[a]x = b"  c  "  ',
        b'[a]x = \\"b\\\\ \\n\\t\\b.',
        b"[a]x = b\\\n  c \\\r\n d",
        b'[a]x = "b\\\nc"',
        b"[a]x = b # c \\\ny=1",
        b"[a]x = 1\\",
        b"[a]x-1 = 1\n; y\n  # z\n[b]\n",
        b"[a]x==1=2",
        '[a "é"]x=é'.encode(),
    ],
)
def test_a_file_is_read_as_git_reads_it(data, read_by_git):
    assert read(data) == read_by_git(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[a",
        b"[]x=1",
        b"[a]x y",
        b"[a]x # y",
        b"[a]x\n=1",
        b'[a]x="1\n',
        b'[a]x="1\n"',
        b"[a]x=\\q",
        b"[a]1x=1",
        b"[a]_=1",
        b'[a "b\n"]x=1',
        b'[a "b" ]x=1',
        b'[a "b"c]x=1',
        b"[a b]x=1",
        b"[a]x\r=1",
    ],
)
def test_where_git_stops_the_line_is_named(data, read_by_git):
    assert read_by_git(b"[z]\n\n" + data) is None
    with pytest.raises(ValueError, match=r"bad line [345]"):
        parse(b"[z]\n\n" + data)


def test_a_setting_before_any_section_is_in_none():
    with pytest.raises(ValueError, match="bad line 2"):
        parse(b"\nx = 1\n")


NAMES = st.sampled_from(["origin", "a.b", 'a"b', "a\\b", "a]b", "é", " ", "a#b"])
VALUES = st.text(st.sampled_from(list('ab#;"\\ \t\né=[]')), max_size=8)
KEPT = st.sampled_from([b"", b"[user]\n\tname = A\n", b"# mine", b'[remote "x"] ; y', b"[a]\r\nx = 1\r\n", b"[a]x=1\\"])


@given(KEPT, NAMES, VALUES)
def test_a_section_that_was_written_reads_back_and_goes_again_without_a_trace(data, name, value):
    changed = with_section(data, "remote", name, {"url": value, "fetch": "+a:b"})
    *others, section = parse(changed)
    assert (section.name, section.subsection) == ("remote", name)
    assert section.settings == (("url", value), ("fetch", "+a:b"))
    assert [other.settings for other in others] == [other.settings for other in parse(data)]
    assert without_section(changed, "remote", name).rstrip(b"\n") == data.rstrip(b"\n")


@pytest.mark.parametrize("value", ["a", " a", "a ", "a#b;c", 'a"b\\c', "a\tb\nc", ""])
def test_git_reads_what_was_written(value, read_by_git):
    data = with_section(b"[a]x=1", "remote", 'we"ird\\', {"url": value})
    assert read_by_git(data) == [("a.x", "1"), ('remote.we"ird\\.url', value)]


@given(st.binary(max_size=60) | st.text(st.sampled_from(list('[]"\\=#;ab.- \n\r\t')), max_size=40).map(str.encode))
def test_whatever_bytes_a_file_has_its_sections_stand_in_order_or_it_is_refused(data):
    try:
        sections = parse(data)
    except ValueError:
        return
    ends = [at for section in sections for at in (section.start, section.end)]
    assert ends == sorted(ends)
    assert all(data[section.start : section.end].lstrip(b" \t\r").startswith(b"[") for section in sections)
