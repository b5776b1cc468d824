"""The index of a pack: the bytes that another writer makes, also beyond two gigabytes, and each id is found in it."""

from __future__ import annotations

from io import BytesIO

from dulwich.pack import write_pack_index_v2
from hypothesis import given, settings
from hypothesis import strategies as st

from capsulestore.store.pack_index import Columns, IdOrder, index_of

CHECKSUM = bytes(range(32))
OFFSETS = st.integers(0, 2**33) | st.integers(2**31 - 2, 2**31 + 2)
# Many that begin with the same bytes, so that what is looked up by them is not alone.
IDS = st.binary(min_size=32, max_size=32) | st.binary(min_size=1, max_size=1).map(
    lambda last: b"\x01\x02".ljust(31) + last
)
ENTRIES = st.lists(st.tuples(IDS, OFFSETS, st.integers(0, 2**32 - 1)), unique_by=lambda entry: entry[0])


def columns_of(entries: list[tuple[bytes, int, int]]) -> Columns:
    columns = Columns.empty()
    for raw, offset, checksum in entries:
        columns.ids.extend(raw)
        columns.offsets.append(offset)
        columns.checksums.append(checksum)
    return columns


@settings(max_examples=50)
@given(ENTRIES)
def test_it_is_what_dulwich_writes(entries):
    columns = columns_of(entries)
    expected = BytesIO()
    write_pack_index_v2(expected, sorted(entries), CHECKSUM)
    assert b"".join(index_of(columns, IdOrder(columns, range(len(entries))), CHECKSUM)) == expected.getvalue()


@settings(max_examples=50)
@given(ENTRIES, st.lists(IDS), st.randoms())
def test_each_object_is_found_by_its_id_and_no_other(entries, others, random):
    columns = columns_of(entries)
    chosen = random.sample(range(len(entries)), random.randint(0, len(entries)))
    order = IdOrder(columns, chosen)
    for number, (raw, _, _) in enumerate(entries):
        assert order.find(raw) == (number if number in chosen else None)
    known = {raw for raw, _, _ in entries}
    assert all(order.find(raw) is None for raw in others if raw not in known)


@settings(max_examples=50)
@given(ENTRIES, st.data())
def test_an_id_that_is_set_later_is_found_by_an_order_made_after_that(entries, data):
    columns = columns_of([(b"\xff" * 32, 0, 0), *entries])
    raw = data.draw(IDS.filter(lambda raw: raw not in {entry[0] for entry in entries}))
    columns.put_id(0, raw)
    assert IdOrder(columns, range(len(entries) + 1)).find(raw) == 0
