"""The master key, wrapped data keys and sealed fields."""

import base64
import pickle
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.errors import ConfigurationProblem
from practice.security import encryption
from practice.security.encryption import DecryptionRefused, FieldCipher, MasterKey

MASTER = MasterKey(bytes.fromhex("7d1c5b0a93e84f26b1d07c39e65fa2481ec3d9760bb4528f3a6795e0cd2f8114"))
TENANT, OTHER_TENANT = UUID(int=7), UUID(int=8)
ROW, OTHER_ROW = UUID(int=1000), UUID(int=1001)
KEYS = {1: encryption.generate_data_key(), 2: encryption.generate_data_key()}
CIPHER = FieldCipher(TENANT, KEYS, current=2)
NAMES = st.text("abc_", max_size=6)
UUIDS = st.uuids()


def flip_bits(data: bytes, index: int, mask: int) -> bytes:
    return data[:index] + bytes([data[index] ^ mask]) + data[index + 1 :]


@given(st.text(), NAMES, NAMES, UUIDS, UUIDS)
def test_what_is_sealed_opens_again(text: str, table: str, column: str, row: UUID, tenant: UUID) -> None:
    cipher = FieldCipher(tenant, KEYS, current=2)
    sealed = cipher.seal(table, column, row, text)
    assert cipher.open(table, column, row, sealed) == text
    assert sealed[0] == 1
    assert encryption.read_key_number(sealed) == 2
    assert len(sealed) == 1 + 4 + 12 + len(text.encode()) + 16


@given(st.tuples(UUIDS, NAMES, NAMES, UUIDS), st.tuples(UUIDS, NAMES, NAMES, UUIDS), st.data())
def test_a_value_opens_only_where_it_belongs(home: tuple, elsewhere: tuple, data: st.DataObject) -> None:
    # A mixture of two locations, so that often only one part differs.
    location = tuple(data.draw(st.sampled_from(pair)) for pair in zip(home, elsewhere, strict=True))
    sealed = FieldCipher(home[0], KEYS, 1).seal(*home[1:], "canary")
    cipher = FieldCipher(location[0], KEYS, 1)
    if location == home:
        assert cipher.open(*location[1:], sealed) == "canary"
    else:
        with pytest.raises(DecryptionRefused):
            cipher.open(*location[1:], sealed)


@pytest.mark.parametrize(
    ("cipher", "table", "column", "row"),
    [
        (FieldCipher(OTHER_TENANT, KEYS, 2), "clients", "phone", ROW),
        (FieldCipher(TENANT, {1: KEYS[1], 2: encryption.generate_data_key()}, 2), "clients", "phone", ROW),
        (FieldCipher(TENANT, {1: KEYS[2]}, 1), "clients", "phone", ROW),
        (CIPHER, "client", "sphone", ROW),
        (CIPHER, "staff", "phone", ROW),
        (CIPHER, "clients", "email", ROW),
        (CIPHER, "clients", "phone", OTHER_ROW),
    ],
)
def test_any_changed_part_is_refused(cipher: FieldCipher, table: str, column: str, row: UUID) -> None:
    sealed = CIPHER.seal("clients", "phone", ROW, "canary")
    with pytest.raises(DecryptionRefused, match=r"\. Restore "):
        cipher.open(table, column, row, sealed)


@given(st.text(max_size=20), st.data(), st.integers(1, 255))
def test_any_changed_byte_is_refused(text: str, data: st.DataObject, mask: int) -> None:
    sealed = CIPHER.seal("clients", "phone", ROW, text)
    with pytest.raises(DecryptionRefused):
        CIPHER.open("clients", "phone", ROW, flip_bits(sealed, data.draw(st.integers(0, len(sealed) - 1)), mask))


def test_changed_missing_or_additional_bytes_are_refused() -> None:
    sealed = CIPHER.seal("clients", "phone", ROW, "canary")
    damaged = [flip_bits(sealed, location, 1) for location in range(len(sealed))]
    damaged += [sealed[:length] for length in range(len(sealed))] + [sealed + b"\0", b""]
    for value in damaged:
        with pytest.raises(DecryptionRefused):
            CIPHER.open("clients", "phone", ROW, value)


@given(st.binary(max_size=80))
def test_what_was_never_sealed_is_refused(junk: bytes) -> None:
    with pytest.raises(DecryptionRefused):
        CIPHER.open("clients", "phone", ROW, junk)


def test_a_header_under_the_right_key_is_authenticated_too() -> None:
    # The same key under two numbers: only the authenticated header distinguishes them.
    cipher = FieldCipher(TENANT, {1: KEYS[1], 3: KEYS[1]}, 1)
    sealed = cipher.seal("clients", "phone", ROW, "canary")
    with pytest.raises(DecryptionRefused):
        cipher.open("clients", "phone", ROW, flip_bits(sealed, 4, 1 ^ 3))


def test_rotation_leaves_old_values_readable_and_recognizable() -> None:
    old = FieldCipher(TENANT, {1: KEYS[1]}, 1).seal("clients", "phone", ROW, "canary")
    assert encryption.read_key_number(old) == 1
    assert CIPHER.open("clients", "phone", ROW, old) == "canary"
    assert encryption.read_key_number(CIPHER.seal("clients", "phone", ROW, "canary")) == 2


def test_equal_texts_look_different() -> None:
    assert len({CIPHER.seal("clients", "phone", ROW, "canary") for _ in range(100)}) == 100


@pytest.mark.parametrize("junk", [b"", b"\x01\x00\x00\x00\x01", b"\x02" + bytes(40)])
def test_what_is_not_sealed_has_no_key_number(junk: bytes) -> None:
    with pytest.raises(DecryptionRefused):
        encryption.read_key_number(junk)


def test_a_refusal_reveals_no_secret() -> None:
    sealed = CIPHER.seal("clients", "phone", ROW, "canary")
    with pytest.raises(DecryptionRefused) as refused:
        CIPHER.open("clients", "phone", OTHER_ROW, sealed)
    output = f"{refused.value!r} {refused.value.message} {refused.value.details} {refused.value.__context__!r}"
    secrets = [b"canary", KEYS[2], sealed, sealed[17:]]
    assert not any(shape in output for secret in secrets for shape in (repr(secret)[2:-1], secret.hex()))


def test_a_lone_surrogate_is_refused_without_repeating_the_text() -> None:
    with pytest.raises(encryption.TextRefused) as refused:
        CIPHER.seal("clients", "phone", ROW, "canary \ud800")
    assert refused.value.__context__ is None
    assert "canary" not in repr(refused.value)


@given(st.binary(min_size=32, max_size=32), UUIDS, st.integers(0, 2**32 - 1))
def test_a_wrapped_key_unwraps(key: bytes, tenant: UUID, number: int) -> None:
    wrapped = encryption.wrap_data_key(MASTER, tenant, number, key)
    assert encryption.unwrap_data_key(MASTER, tenant, number, wrapped) == key
    assert key not in wrapped


@pytest.mark.parametrize(
    ("master", "tenant", "number"),
    [(MasterKey.generate(), TENANT, 1), (MASTER, OTHER_TENANT, 1), (MASTER, TENANT, 2)],
)
def test_a_wrapped_key_belongs_to_its_master_practice_and_number(master: MasterKey, tenant: UUID, number: int) -> None:
    wrapped = encryption.wrap_data_key(MASTER, TENANT, 1, KEYS[1])
    with pytest.raises(DecryptionRefused, match="does not open with the configured master key"):
        encryption.unwrap_data_key(master, tenant, number, wrapped)
    if master is MASTER and tenant == TENANT:  # renumbering it does not help
        with pytest.raises(DecryptionRefused):
            encryption.unwrap_data_key(master, tenant, number, flip_bits(wrapped, 4, 1 ^ 2))


def test_every_byte_of_a_wrapped_key_counts() -> None:
    wrapped = encryption.wrap_data_key(MASTER, TENANT, 1, KEYS[1])
    for damaged in [flip_bits(wrapped, location, 128) for location in range(len(wrapped))] + [
        wrapped[:-1],
        wrapped + b"\0",
        b"",
    ]:
        with pytest.raises(DecryptionRefused):
            encryption.unwrap_data_key(MASTER, TENANT, 1, damaged)


def test_a_wrapped_key_does_not_open_as_a_sealed_field() -> None:
    cipher = FieldCipher(TENANT, {1: MASTER.derive_wrapping_key()}, 1)  # even if the keys were confused
    with pytest.raises(DecryptionRefused):
        cipher.open("", "", UUID(int=0), encryption.wrap_data_key(MASTER, TENANT, 1, KEYS[1]))


def test_a_data_key_of_another_length_is_not_wrapped() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encryption.wrap_data_key(MASTER, TENANT, 1, b"x" * 16)


def test_the_current_key_must_be_among_the_keys() -> None:
    with pytest.raises(ValueError, match="3"):
        FieldCipher(TENANT, KEYS, current=3)


def test_a_master_key_can_be_written_and_parsed() -> None:
    master = MasterKey.generate()
    again = MasterKey.parse(f"  {master.to_text()}\n")
    assert again.to_text() == master.to_text()
    assert again.key_id == master.key_id
    assert again.derive("backup") == master.derive("backup")


def test_every_generated_key_is_accepted() -> None:
    assert len({MasterKey.parse(MasterKey.generate().to_text()).key_id for _ in range(2000)}) == 2000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "changeme",
        "not base64 at all, by any means!",
        "ключ",
        MASTER.to_text()[:-1],
        MASTER.to_text() + "AAAA",
        base64.b64encode(bytes(16)).decode(),
        MASTER.derive("x").hex(),
        *(base64.b64encode(key).decode() for key in [
            bytes(32),
            b"\xff" * 32,
            b"\x9c\x02" * 16,
            bytes(range(1, 9)) * 4,
            bytes(range(32)),
            bytes(range(255, 223, -1)),
            b"changemechangemechangemechangeme",
            b"a fine key of ours, 32 bytes yes",
        ]),
        "changemechangemechangemechangemechangemecha=",
        "ThisIsOnlyAPlaceholderForTheKey000123456789=",
        "PleaseChangeMeBeforeYouGoLive9aXk3Lq7Zt1Bw0=",
        "thekeyofourpracticeisveryverysecretindeed00=",
    ],
)  # fmt: skip
def test_a_weak_master_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationProblem, match="openssl rand -base64 32") as refused:
        MasterKey.parse(text)
    assert not text or text not in str(refused.value)


def test_a_refusal_distinguishes_another_format_from_a_placeholder() -> None:
    for text, wrong in [(MASTER.derive("x").hex(), "not 32 bytes in base64"), ("A" * 43 + "=", "placeholder")]:
        with pytest.raises(ConfigurationProblem, match=wrong):
            MasterKey.parse(text)


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ConfigurationProblem):
        MasterKey(b"x" * 31)


def test_derived_keys_are_stable_and_have_nothing_in_common() -> None:
    keys = [MASTER.derive(purpose) for purpose in ("access tokens", "backup", "anchors", "key id", "data keys", "")]
    keys += [MASTER.derive_wrapping_key(), MasterKey.generate().derive("backup")]
    assert len(set(keys)) == len(keys)
    assert not any(key.hex().startswith(MASTER.key_id) for key in keys)
    assert all(len(key) == 32 for key in keys)
    # Stored data must stay readable: these must never change.
    assert MASTER.key_id == "d360e73a24d19a6b"
    assert MASTER.derive("backup").hex()[:16] == "b86f997ada55060b"


def test_a_value_sealed_by_an_earlier_release_still_opens() -> None:
    key = encryption.unwrap_data_key(
        MASTER,
        TENANT,
        1,
        bytes.fromhex(
            "0100000001b3712680361b4cec66ed95c5f0c7b8a1d1ce2725831c00ea185523bc8bb32d908c79a515a39c829ee5125d6a97d089d76a98da9a973665be42c8b5fb"
        ),
    )
    sealed = bytes.fromhex(
        "01000000017b2795a67579c2dff52bee2fcdf8b0314c415de8bc60898279bef015011318796ba0439b367e0386075036"
    )
    assert FieldCipher(TENANT, {1: key}, 1).open("clients", "phone", ROW, sealed) == "+1 555 0100 ✓"


def test_nothing_shows_a_key() -> None:
    master = MasterKey.generate()
    key = base64.b64decode(master.to_text())
    cipher = FieldCipher(TENANT, {1: key}, 1)
    output = f"{master!r} {master} {[master]} {cipher!r} {cipher} {vars(cipher)}"
    assert not any(shape in output for shape in (master.to_text(), key.hex(), repr(key)[2:-1]))
    assert master.key_id in repr(master)
    assert str(TENANT) in repr(cipher)
    with pytest.raises(TypeError):
        pickle.dumps(cipher)
