"""Who is who at a site: every line of the table, and every way in which it can be wrong."""

import pytest

from pet2rep_core.errors import PermissionDeniedError, SettingsError
from pet2rep_core.records import Person, Role
from pet2rep_core.workflow.people import read_people

TABLE = """
claim = "email"
groups = "groups"

[[person]]
is = "first.reader@hospital.example"
name = "R01"
role = "rater"

[[group]]
is = "pet-readers"
prefix = "PET"
role = "rater"

[[group]]
is = "pet-research"
prefix = "LAB"
role = "researcher"
"""
SECRET = b"s" * 64
ISSUER = {"iss": "https://login.hospital.example", "sub": "4711"}


@pytest.fixture
def table(tmp_path):
    def write(content=TABLE):
        path = tmp_path / "people.toml"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def test_a_person_is_found_by_the_claim_in_any_case(table):
    people = read_people(table())
    assert people.person({"email": "First.Reader@Hospital.Example"}, SECRET) == Person("R01", Role.RATER)


def test_a_persons_own_line_counts_before_those_of_groups(table):
    claims = {"email": "first.reader@hospital.example", "groups": ["pet-research"]}
    assert read_people(table()).person(claims, SECRET).role is Role.RATER


def test_of_several_groups_that_with_the_most_rights_counts(table):
    claims = {**ISSUER, "email": "x@y.example", "groups": ["pet-readers", "pet-research", 7]}
    person = read_people(table()).person(claims, SECRET)
    assert person.role is Role.RESEARCHER
    assert person.name.startswith("LAB-")


def test_a_pseudonym_of_a_group_is_lasting_and_tells_nobody_the_address(table):
    people = read_people(table())
    claims = {**ISSUER, "email": "x@y.example", "groups": "pet-readers"}
    first = people.person(claims, SECRET).name
    assert people.person({**claims, "email": "new@y.example"}, SECRET).name == first
    assert people.person({**claims, "sub": "4712"}, SECRET).name != first
    assert people.person(claims, b"t" * 64).name != first


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "stranger@hospital.example"}, "nobody has given you access to this installation"),
        ({"email": "a@b.example", "groups": ["others"]}, "nobody has given you access to this installation"),
        ({"sub": "1"}, "The identity provider does not say 'email' of you"),
        ({"email": ["first.reader@hospital.example"]}, "The identity provider does not say 'email' of you"),
        (
            {"email": "first.reader@hospital.example", "email_verified": False},
            "The identity provider has not verified your e-mail address",
        ),
    ],
)
def test_who_is_not_entered_is_refused(table, claims, words):
    with pytest.raises(PermissionDeniedError, match=words):
        read_people(table()).person(claims, SECRET)


def test_another_claim_may_name_people(table):
    people = read_people(table('claim = "sub"\n[[person]]\nis = "4711"\nname = "R07"\nrole = "admin"\n'))
    assert people.person(ISSUER, SECRET) == Person("R07", Role.ADMIN)


def test_a_sign_in_ends_with_the_providers_token_or_after_the_sites_minutes(table):
    claims = {"exp": 1000, "iat": 400}
    assert read_people(table()).ends(claims) == 1000
    assert read_people(table("minutes = 90\n")).ends(claims) == 400 + 90 * 60
    assert read_people(table()).ends({}) == 0
    assert read_people(table()).ends({"exp": True}) == 0
    assert read_people(table()).ends({"exp": "9999999999"}) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("claim = ", "people.toml cannot be read"),
        ("roles = 1", "people.toml has 'roles', which is no setting of it"),
        ("claim = 7", "The setting 'claim' in people.toml is 7"),
        ("minutes = 0", "'minutes' in people.toml is 0. Give a whole number from 1 to 1440"),
        ("minutes = true", "'minutes' in people.toml is True"),
        ("person = 3", "'person' is no list of tables. Begin each with a line [[person]]"),
        ('[[person]]\nis = "a"\nrole = "rater"', "A [[person]] has no 'name'"),
        ('[[person]]\nis = "a"\nname = "R01"\nrole = "boss"', "'boss' is no role. Use rater, researcher, admin"),
        ('[[person]]\nis = "a"\nname = "Dr Li"\nrole = "rater"', "'Dr Li' cannot be a reader's name"),
        ('[[group]]\nis = "a"\nprefix = "' + "x" * 21 + '"\nrole = "rater"', "is too long"),
        (
            '[[person]]\nis = "a"\nname = "R01"\nrole = "rater"\n[[person]]\nis = "b"\nname = "r01"\nrole = "rater"',
            "Two people share the pseudonym 'r01' in people.toml",
        ),
        ('[[person]]\nis = "a"\nname = "R01"\nrole = "rater"\nmail = "b"', "people.toml has 'mail'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, content, words):
    with pytest.raises(SettingsError) as refused:
        read_people(table(content))
    assert words in str(refused.value)


def test_no_table_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"There is no people\.toml in the folder of this installation"):
        read_people(tmp_path / "people.toml")
