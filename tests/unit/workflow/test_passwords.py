"""Hashing of passwords, beside RFC 7914's own numbers."""

import base64
import hashlib
import unicodedata

import pytest

from pet2rep_core.errors import InputDataError
from pet2rep_core.workflow import passwords
from pet2rep_core.workflow.passwords import (
    Cost,
    check_new_password,
    hash_password,
    is_nobodys_password,
    is_password,
    one_time_password,
)

QUICK = Cost(log2_n=4)


def test_scrypt_is_that_of_rfc_7914():
    """Section 12, third vector: N = 16384, r = 8, p = 1 (the key's first 32 bytes)."""
    expected = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    salt, key = (base64.b64encode(part).decode() for part in (b"SodiumChloride", bytes.fromhex(expected)))
    kept = f"scrypt$14$8$1${salt}${key}"
    assert is_password("pleaseletmein", kept)
    assert not is_password("pleaseletmeiN", kept)


def test_the_standard_cost_needs_32_mb_and_a_salt_of_16_bytes():
    kind, log2_n, r, p, salt, key = hash_password("purple lantern").split("$")
    assert (kind, int(log2_n) >= 15, int(r), int(p) >= 1) == ("scrypt", True, 8, True)
    assert len(base64.b64decode(salt)) == 16
    assert len(base64.b64decode(key)) == 32
    assert 128 * 2 ** int(log2_n) * int(r) >= 32 * 2**20


def test_the_same_password_is_kept_differently_each_time():
    first, second = (hash_password("purple lantern", QUICK) for _ in range(2))
    assert first != second
    assert is_password("purple lantern", first)
    assert is_password("purple lantern", second)
    assert "purple" not in first


def test_a_hash_of_another_cost_is_still_checked():
    assert is_password("purple lantern", hash_password("purple lantern", Cost(log2_n=5, r=4, p=2)))


@pytest.mark.parametrize("kept", ["", "scrypt", "plain$1$2$3$x$y", "scrypt$4$8$1$!!$??", "scrypt$x$8$1$YQ==$YQ=="])
def test_what_is_no_hash_matches_nothing(kept):
    assert not is_password("", kept)
    assert not is_password("anything", kept)


def test_composed_and_decomposed_letters_are_the_same_password():
    kept = hash_password(unicodedata.normalize("NFC", "große Tür über"), QUICK)
    assert is_password(unicodedata.normalize("NFD", "große Tür über"), kept)


def test_a_password_longer_than_the_longest_does_not_pass_for_its_beginning():
    kept = hash_password("ab" * 128, QUICK)
    assert not is_password("ab" * 128 + "c", kept)


def test_a_name_that_nobody_has_costs_one_scrypt_too(monkeypatch):
    costs = []
    real = hashlib.scrypt
    monkeypatch.setattr(
        passwords.hashlib, "scrypt", lambda *a, **k: costs.append((k["n"], k["r"], k["p"])) or real(*a, **k)
    )
    kept = hash_password("purple lantern")
    is_nobodys_password("warm up")
    costs.clear()
    assert not is_password("wrong", kept)
    assert not is_nobodys_password("wrong")
    assert costs == [(2**15, 8, 1)] * 2


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("nine char", "The password has fewer than 10 characters."),
        ("x" * 257, "The password has more than 256 characters."),
        ("aaaaaaaaaaaaaa", "The password is too easily guessed."),
        ("Reader-Number-1", "The password is too easily guessed."),
    ],
)
def test_easily_guessed_passwords_are_refused(password, words):
    with pytest.raises(InputDataError) as refused:
        check_new_password(password, "reader-number-1")
    assert refused.value.message == words


def test_chinese_words_are_a_password():
    check_new_password("紫色的灯笼七只船在河上", "R01")


def test_one_time_passwords_differ_and_have_no_letters_that_look_alike():
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert not set("".join(made)) & set("01loi")
    for one in made:
        check_new_password(one, "R01")
