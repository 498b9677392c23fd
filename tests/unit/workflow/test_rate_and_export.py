"""Rating from draft to revision, and the tables that come out of it."""

import uuid

import duckdb
import pandas as pd
import pyarrow.csv
import pyarrow.parquet
import pytest

from pet2rep_core.errors import StaleRatingError, StoreError, UnknownNameError
from pet2rep_core.records import Language, text_sha256
from pet2rep_core.store import open_store
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.workflow.export import encode_table, export_tables, table
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.rate import Form, check_reader, next_unrated, open_form, save_rating, to_rate, unanswered
from pet2rep_core.workflow.score import score_generation
from tests.crash.samples import keep

RATINGS_HEADER = (
    '"case_id","dataset","model","input_setting","language","run_id","generation_id","reader","dimension","value",'
    '"not_assessable","comment","revision","rubric_version","shown_sha256","duration_ms","created_at","event_id"'
)
SCORES_HEADER = (
    '"case_id","dataset","model","input_setting","language","run_id","generation_id","status","metric","value",'
    '"reason","signature","text_sha256","created_at"'
)
MEASUREMENTS_HEADER = (
    '"case_id","dataset","model","input_setting","language","run_id","generation_id","rating_event_id","reader",'
    '"measurement_id","label","role","kind","quantity","value","unit","reason","signature","shape","prepared_key",'
    '"revision","created_at","event_id"'
)
COMMENT = 'Liver, "左叶"\nsecond line'


@pytest.fixture
def generation(study, store):
    return generate_report(store, "a", "template", Language.ENGLISH)


@pytest.fixture
def rubric():
    return read_rubric()


def answers(rubric, value=4):
    """Every dimension answered; the last one is not assessable."""
    return dict.fromkeys(rubric.keys[:-1], value) | {rubric.keys[-1]: None}


def save(store, rubric, generation, form, reader="R01"):
    return save_rating(
        store, rubric, generation, reader, form, event_id=str(uuid.uuid4()), session_id="tab", duration_ms=900
    )


def test_from_draft_to_revision(store, settings, rubric, generation):
    form = open_form(store, "R01", generation.generation_id)
    assert form == Form({}, "", 0, is_draft=False)
    assert unanswered(rubric, form.answers) == list(rubric.keys)
    part = {rubric.keys[0]: 3}
    store.record_draft("R01", generation.generation_id, part, "half")
    store.close()

    again = open_store(settings)  # the next day
    draft = open_form(again, "R01", generation.generation_id)
    assert draft == Form(part, "half", 0, is_draft=True)
    with pytest.raises(StoreError, match=f"{len(rubric.keys) - 1} of {len(rubric.keys)} dimensions have no answer"):
        save(again, rubric, generation, draft)
    first = save(again, rubric, generation, Form(answers(rubric), "", draft.revision, is_draft=True))
    assert (first.revision, first.repeated) == (1, False)
    shown = open_form(again, "R01", generation.generation_id)
    assert shown == Form(answers(rubric), "", 1, is_draft=False)
    second = save(again, rubric, generation, Form(answers(rubric, 2), "less", shown.revision, is_draft=False))
    assert second.revision == 2
    # the other tab still shows the first revision
    with pytest.raises(StaleRatingError):
        save(again, rubric, generation, Form(answers(rubric, 5), "", shown.revision, is_draft=False))
    kept = again.rating(generation.generation_id, "R01")
    assert (kept.rating.answers, kept.rating.shown_sha256) == (answers(rubric, 2), text_sha256(generation.text))
    assert again.verify() == []
    again.close()


def test_the_same_click_is_saved_once(store, rubric, generation):
    click = str(uuid.uuid4())
    form = Form(answers(rubric), "", 0, is_draft=False)
    for repeated in (False, True):
        saved = save_rating(store, rubric, generation, "R01", form, event_id=click, session_id="tab")
        assert (saved.revision, saved.repeated) == (1, repeated)


def test_an_answer_must_be_a_score_and_a_reader_a_pseudonym(store, rubric, generation):
    with pytest.raises(StoreError, match="6 is not a score"):
        save(store, rubric, generation, Form(answers(rubric, 6), "", 0, is_draft=False))
    for name in ("", "王医生", "a b", "-x", "r" * 33):
        with pytest.raises(StoreError, match="cannot be a reader's name"):
            save(store, rubric, generation, Form(answers(rubric), "", 0, is_draft=False), reader=name)
    assert check_reader("R01") == "R01"
    assert store.rating(generation.generation_id, "R01") is None


def test_what_comes_next(store, rubric, generation):
    other = generate_report(store, "b", "template", Language.ENGLISH)
    generate_report(store, "b", "template", Language.CHINESE)
    assert to_rate(store, Language.ENGLISH) == [generation, other]
    assert next_unrated(store, "R01", Language.ENGLISH) == generation
    assert next_unrated(store, "R01", Language.ENGLISH, after="a") == other
    assert next_unrated(store, "R01", Language.ENGLISH, after="b") == generation
    save(store, rubric, generation, Form(answers(rubric), "", 0, is_draft=False))
    assert next_unrated(store, "R01", Language.ENGLISH) == other
    assert next_unrated(store, "R02", Language.ENGLISH) == generation
    save(store, rubric, other, Form(answers(rubric), "", 0, is_draft=False))
    assert next_unrated(store, "R01", Language.ENGLISH, after="a") is None


@pytest.fixture
def rated(store, rubric, generation):
    save(store, rubric, generation, Form(answers(rubric), COMMENT, 0, is_draft=False))
    score_generation(store, generation.generation_id)
    keep(store, case_id="a", generation_id=generation.generation_id, label='=1+1, "links"')
    return store


def test_the_headers_are_what_others_read(rated):
    assert encode_table(table(rated, "ratings"), "csv").decode().splitlines()[0] == RATINGS_HEADER
    assert encode_table(table(rated, "scores"), "csv").decode().splitlines()[0] == SCORES_HEADER
    assert encode_table(table(rated, "measurements"), "csv").decode().splitlines()[0] == MEASUREMENTS_HEADER
    empty = encode_table(table(rated, "ratings").slice(0, 0), "csv").decode()
    assert empty == RATINGS_HEADER + "\n"


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_both_formats_give_the_table_back(rated, rubric, tmp_path, file_format):
    files = {path.stem: path for path in export_tables(rated, tmp_path / "out", file_format)}
    assert sorted(files) == ["measurements", "ratings", "scores"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in files.values())
    for name, path in files.items():
        wanted = table(rated, name)
        if file_format == "parquet":
            assert pyarrow.parquet.read_table(path) == wanted
        else:
            options = pyarrow.csv.ConvertOptions(
                column_types=wanted.schema, strings_can_be_null=True, quoted_strings_can_be_null=False
            )
            newlines = pyarrow.csv.ParseOptions(newlines_in_values=True)
            assert pyarrow.csv.read_csv(path, convert_options=options, parse_options=newlines) == wanted
        quoted = str(path).replace("'", "''")
        assert duckdb.sql(f"SELECT count(*) FROM '{quoted}'").fetchall() == [(wanted.num_rows,)]
    frame = pd.read_csv(files["ratings"]) if file_format == "csv" else pd.read_parquet(files["ratings"])
    assert len(frame) == len(rubric.keys)
    assert set(frame["comment"]) == {COMMENT}
    by_dimension = frame.set_index("dimension")
    assert by_dimension["value"].drop(rubric.keys[-1]).tolist() == [4] * (len(rubric.keys) - 1)
    assert pd.isna(by_dimension.loc[rubric.keys[-1], "value"])
    assert by_dimension["not_assessable"].sum() == 1


def test_the_newest_revision_is_exported(rated, rubric, generation):
    save(rated, rubric, generation, Form(answers(rubric, 1), "", 1, is_draft=False))
    rows = table(rated, "ratings").to_pylist()
    assert {(row["revision"], row["value"]) for row in rows} == {(2, 1), (2, None)}


def test_exporting_again_replaces_the_files(rated, tmp_path):
    first = {path.name: path.read_bytes() for path in export_tables(rated, tmp_path, "csv")}
    assert {path.name: path.read_bytes() for path in export_tables(rated, tmp_path, "csv")} == first


def test_what_cannot_be_exported(rated, tmp_path):
    with pytest.raises(UnknownNameError, match="no format named 'xlsx'"):
        export_tables(rated, tmp_path, "xlsx")
    with pytest.raises(UnknownNameError, match="Did you mean 'ratings'"):
        table(rated, "rating")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"ratings\.csv cannot be written"):
        export_tables(rated, tmp_path / "file", "csv")
