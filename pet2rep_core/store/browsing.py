"""Wide looks at generations and their scores, as Arrow tables: for browsing tens of thousands at once."""

from __future__ import annotations

import pyarrow as pa

from pet2rep_core.store.driver import Database

# the newest of each only; the case may have gone from a dataset that another store knows
_GENERATIONS = """
    SELECT g.generation_id, g.case_id, coalesce(c.dataset, '') AS dataset, g.run_id, r.model, r.input_setting,
           CAST(r.parameters AS VARCHAR) AS parameters, r.language, g.status, g.error, length(g.body) AS characters,
           left(g.body, 200) AS beginning
    FROM generation_latest g
    JOIN run r ON r.run_id = g.run_id
    LEFT JOIN case_latest c ON c.case_id = g.case_id
    ORDER BY g.case_id, r.created_at, g.run_id"""
# Details carry every word of evidence; of tens of thousands only the organs and what became of them are taken out.
_SCORES = """
    SELECT s.generation_id, s.metric, s.signature, s.value,
           CASE WHEN s.detail IS NULL THEN NULL
                WHEN s.metric = 'ce_f1' THEN json_extract_string(s.detail, '$.organs[*].organ')
                ELSE json_extract_string(s.detail, '$[*].organ') END AS organs,
           CASE WHEN s.detail IS NULL THEN NULL
                WHEN s.metric = 'ce_f1' THEN json_extract_string(s.detail, '$.organs[*].agreement')
                ELSE json_extract_string(s.detail, '$[*].status') END AS kinds
    FROM score_latest s
    JOIN generation_latest g ON g.generation_id = s.generation_id AND g.sha256 = s.text_sha256"""
_VERSION = """
    SELECT (SELECT count(*) FROM score), (SELECT max(created_at) FROM score),
           (SELECT count(*) FROM generation), (SELECT max(created_at) FROM generation),
           (SELECT count(*) FROM study_case), (SELECT max(created_at) FROM study_case)"""


def scores_version(database: Database) -> str:
    """Return a mark that changes whenever a score, a generation or a case is added; tables only grow."""
    [row] = database.rows(_VERSION)
    return "|".join(map(str, row))


def generations_table(database: Database) -> pa.Table:
    """Return the newest attempt of every generation with its run and dataset, and the beginning of its text."""
    return database.table(_GENERATIONS)


def score_organs_table(database: Database) -> pa.Table:
    """Return the newest score of every present text and signature, with the organs that its detail names.

    ``kinds`` says of each organ what became of it: agreement for clinical efficacy, status for stated values.
    """
    return database.table(_SCORES)
