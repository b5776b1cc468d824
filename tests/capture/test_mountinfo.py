"""Lines of /proc/self/mountinfo, as the kernel writes them and as nobody does."""

import pytest

from capsulestore.capture.mountinfo import Mount, parse_mounts, unescaped

ROOT = Mount("/", "/", "ext4", "/dev/sda1", "rw,errors=continue")


@pytest.mark.parametrize(
    "optional", ["", "master:1 ", "shared:2 master:1 "], ids=["no field more", "one", "two of those that are optional"]
)
def test_a_mount_is_read_whatever_optional_fields_it_has(optional):
    assert [*parse_mounts(f"36 35 98:0 / / rw,noatime {optional}- ext4 /dev/sda1 rw,errors=continue\n")] == [ROOT]


@pytest.mark.parametrize(
    "line", ["", "garbage", "36 35 98:0 / / rw", "36 35 98:0 / / - ext4 a b", "1 2 3 / / rw - ext4 a"]
)
def test_a_line_that_is_no_mount_is_passed_over(line):
    assert [*parse_mounts(f"{line}\n36 35 98:0 / / rw - ext4 /dev/sda1 rw,errors=continue")] == [ROOT]


@pytest.mark.parametrize(
    ("field", "path"),
    [
        (r"/a\040b\011c\012d\134e", "/a b\tc\nd\\e"),
        (r"/a\134040", r"/a\040"),
        (r"/a\000b\777\04", r"/a\000b\777\04"),
    ],
)
def test_what_stands_for_a_character_is_that_character(field, path):
    assert unescaped(field) == path
