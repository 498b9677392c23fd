import pytest

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.study.rubric import read_rubric

DIMENSION = """
[[dimensions]]
key = "acc"
name = {zh = "准确性", en = "Accuracy"}
question = {zh = "?", en = "?"}
[dimensions.anchors]
1 = {zh = "一", en = "one"}
2 = {zh = "二", en = "two"}
3 = {zh = "三", en = "three"}
4 = {zh = "四", en = "four"}
5 = {zh = "五", en = "five"}
"""
WHOLE = f'version = "t"\n{DIMENSION}'


def test_the_shipped_rubric_has_the_five_dimensions_of_the_paper_in_its_order():
    rubric = read_rubric()
    assert rubric.keys == ("acc", "com", "cla", "usa", "ove")  # PET2Rep, figure 3
    assert [d.name[Language.ENGLISH] for d in rubric.dimensions] == [
        "Accuracy", "Completeness", "Clarity", "Usability", "Overall",
    ]  # fmt: skip
    for dimension in rubric.dimensions:
        anchors = [dimension.anchors[value][language] for value in range(1, 6) for language in Language]
        assert len(set(anchors)) == 10


def test_usability_says_sign_as_it_is_at_five_and_unusable_at_one():
    # the direction of the scale: Tie et al. 2024, table 3
    anchors = read_rubric().dimension("usa").anchors
    assert anchors[5][Language.ENGLISH] == "Sign as it is."
    assert anchors[1][Language.ENGLISH].startswith("Unusable")


def test_an_unknown_dimension_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'usa'"):
        read_rubric().dimension("usb")


def test_a_whole_file_of_ones_own_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE, encoding="utf-8")
    assert read_rubric(path).dimensions[0].anchors[3] == {Language.CHINESE: "三", Language.ENGLISH: "three"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WHOLE.replace('4 = {zh = "四", en = "four"}\n', ""), r"anchors for \[1, 2, 3, 5\]"),
        (WHOLE.replace('5 = {zh = "五", en = "five"}', '5 = {zh = "五"}'), "no anchor 5 in the language 'en'"),
        (WHOLE.replace('en = "two"', 'en = " "'), "no anchor 2 in the language 'en'"),
        (WHOLE.replace('zh = "准确性"', 'zh = ""'), "no name in the language 'zh'"),
        (WHOLE.replace('"acc"', '"Acc 1"'), "key 'Acc 1'"),
        (WHOLE + DIMENSION, r"\['acc', 'acc'\]"),
        (DIMENSION, "'version'"),
        ('version = "t"\ndimensions = []\n', r"dimensions \[\]"),
        (WHOLE.replace('"t"', '""'), "no version"),
        (WHOLE.replace("en =", "fr ="), "'fr'"),
        (WHOLE.replace("1 =", "one ="), "not understood"),
        ("version = ", "cannot be read"),
    ],
)
def test_a_rubric_with_a_part_missing_is_refused(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=words) as caught:
        read_rubric(path)
    assert "Correct the rubric file" in caught.value.hint


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    with pytest.raises(SettingsError, match=r"The rubric none\.toml cannot be read") as caught:
        read_rubric(tmp_path / "none.toml")
    assert str(tmp_path) not in str(caught.value)
