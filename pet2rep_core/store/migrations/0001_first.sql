-- The store, version 1. One text for DuckDB and PostgreSQL: {{duck: …}} is kept on DuckDB only, {{pg: …}} on
-- PostgreSQL only. Rules: additive migrations; inline PRIMARY KEY and UNIQUE, no CREATE INDEX; no foreign keys on
-- DuckDB and no ENUM; every table only grows, "the latest" is a view; each table has its two append-only triggers.

CREATE TABLE schema_version (
  version     INTEGER PRIMARY KEY,
  name        VARCHAR NOT NULL,
  sha256      VARCHAR NOT NULL,
  applied_at  TIMESTAMPTZ NOT NULL);

CREATE TABLE study_case (
  case_id       VARCHAR NOT NULL,
  revision      INTEGER NOT NULL CHECK (revision >= 1),
  dataset       VARCHAR NOT NULL,
  layout        VARCHAR NOT NULL,
  prepared_key  VARCHAR,
  source_sha256 VARCHAR NOT NULL,
  metadata      JSON NOT NULL,
  has_pet       BOOLEAN NOT NULL,
  has_ct        BOOLEAN NOT NULL,
  n_pictures    INTEGER NOT NULL CHECK (n_pictures >= 0),
  suv           JSON NOT NULL,
  key_slices    JSON,
  created_at    TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (case_id, revision));

CREATE TABLE key_slices (                        -- what a person chose instead of the rule
  case_id     VARCHAR NOT NULL,
  revision    INTEGER NOT NULL CHECK (revision >= 1),
  key_slices  JSON NOT NULL,
  author      VARCHAR NOT NULL,
  created_at  TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (case_id, revision));

CREATE TABLE report (
  case_id     VARCHAR NOT NULL,
  kind        VARCHAR NOT NULL,
  source      VARCHAR NOT NULL,
  language    VARCHAR NOT NULL,
  revision    INTEGER NOT NULL CHECK (revision >= 1),
  body        VARCHAR NOT NULL,
  findings    VARCHAR NOT NULL,
  impression  VARCHAR NOT NULL,
  sha256      VARCHAR NOT NULL CHECK (length(sha256) = 64),
  created_at  TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (case_id, kind, source, language, revision));

CREATE TABLE run (
  run_id         VARCHAR PRIMARY KEY,
  model          VARCHAR NOT NULL,
  input_setting  VARCHAR NOT NULL,
  prompt_sha256  VARCHAR NOT NULL,
  parameters     JSON NOT NULL,
  seed           BIGINT,
  language       VARCHAR NOT NULL,
  content_sha256 VARCHAR NOT NULL CHECK (length(content_sha256) = 64),
  created_at     TIMESTAMPTZ NOT NULL);

CREATE TABLE generation (                        -- attempts: only one that is not done may be followed by another
  generation_id  VARCHAR NOT NULL,
  run_id         VARCHAR NOT NULL,
  case_id        VARCHAR NOT NULL,
  attempt        INTEGER NOT NULL CHECK (attempt >= 1),
  status         VARCHAR NOT NULL,
  body           VARCHAR NOT NULL,
  sha256         VARCHAR NOT NULL CHECK (length(sha256) = 64),
  error          VARCHAR NOT NULL,
  detail         JSON NOT NULL,
  content_sha256 VARCHAR NOT NULL CHECK (length(content_sha256) = 64),
  started_at     TIMESTAMPTZ,
  duration_s     DOUBLE PRECISION,
  created_at     TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (generation_id, attempt),
  UNIQUE (run_id, case_id, attempt));

CREATE TABLE score (
  generation_id  VARCHAR NOT NULL,
  text_sha256    VARCHAR NOT NULL CHECK (length(text_sha256) = 64),
  metric         VARCHAR NOT NULL,
  signature      VARCHAR NOT NULL,
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  value          DOUBLE PRECISION,               -- NULL: no number, and then "reason" says why
  reason         VARCHAR NOT NULL,
  detail         JSON,
  content_sha256 VARCHAR NOT NULL CHECK (length(content_sha256) = 64),
  created_at     TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (generation_id, text_sha256, metric, signature, revision));

CREATE TABLE rating_event (
  event_id       VARCHAR PRIMARY KEY,            -- made by the screen: the same click twice is one event
  generation_id  VARCHAR NOT NULL,
  reader         VARCHAR NOT NULL,
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  action         VARCHAR NOT NULL,               -- rate, withdraw
  answers        JSON NOT NULL,
  comment        VARCHAR NOT NULL,
  rubric_version VARCHAR NOT NULL,
  shown_sha256   VARCHAR NOT NULL,
  duration_ms    BIGINT CHECK (duration_ms >= 0),
  session_id     VARCHAR NOT NULL,
  created_at     TIMESTAMPTZ NOT NULL,
  prev_hash      VARCHAR NOT NULL CHECK (length(prev_hash) = 64),
  row_hash       VARCHAR NOT NULL CHECK (length(row_hash) = 64),
  UNIQUE (generation_id, reader, revision));     -- two tabs cannot both follow the same revision

CREATE TABLE rating_answer (
  event_id        VARCHAR NOT NULL,
  dimension       VARCHAR NOT NULL,
  value           INTEGER,                       -- NULL: not assessable
  PRIMARY KEY (event_id, dimension));

CREATE TABLE draft (
  reader         VARCHAR NOT NULL,
  generation_id  VARCHAR NOT NULL,
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  rating_revision INTEGER NOT NULL,              -- a draft ends with the rating that follows it
  answers        JSON NOT NULL,
  comment        VARCHAR NOT NULL,
  created_at     TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (reader, generation_id, revision));

CREATE TABLE audit_event (
  event_id     VARCHAR PRIMARY KEY,
  actor        VARCHAR NOT NULL,
  action       VARCHAR NOT NULL,
  object_type  VARCHAR NOT NULL,
  object_id    VARCHAR NOT NULL,
  detail       JSON NOT NULL,
  created_at   TIMESTAMPTZ NOT NULL);

CREATE TABLE ingested_file (                     -- written with the rows of the file: exactly once
  name        VARCHAR PRIMARY KEY,
  kind        VARCHAR NOT NULL,
  rows        INTEGER NOT NULL,
  created_at  TIMESTAMPTZ NOT NULL);

CREATE VIEW case_latest AS
  SELECT * FROM (SELECT c.*, row_number() OVER (PARTITION BY case_id ORDER BY revision DESC) AS place
                 FROM study_case c) t WHERE place = 1;

CREATE VIEW report_latest AS
  SELECT * FROM (SELECT r.*, row_number() OVER (PARTITION BY case_id, kind, source, language
                                                ORDER BY revision DESC) AS place
                 FROM report r) t WHERE place = 1;

CREATE VIEW generation_latest AS
  SELECT * FROM (SELECT g.*, row_number() OVER (PARTITION BY run_id, case_id ORDER BY attempt DESC) AS place
                 FROM generation g) t WHERE place = 1;

CREATE VIEW score_latest AS
  SELECT * FROM (SELECT s.*, row_number() OVER (PARTITION BY generation_id, text_sha256, metric, signature
                                                ORDER BY revision DESC) AS place
                 FROM score s) t WHERE place = 1;

CREATE VIEW rating_latest AS                     -- withdrawn ones included: "action" tells
  SELECT * FROM (SELECT e.*, row_number() OVER (PARTITION BY generation_id, reader ORDER BY revision DESC) AS place
                 FROM rating_event e) t WHERE place = 1;

{{duck:
CREATE TABLE append_only_guard (message VARCHAR);
CREATE TRIGGER schema_version_no_update BEFORE UPDATE ON schema_version FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('schema_version is append-only');
CREATE TRIGGER schema_version_no_delete BEFORE DELETE ON schema_version FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('schema_version is append-only');
CREATE TRIGGER study_case_no_update BEFORE UPDATE ON study_case FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_case is append-only');
CREATE TRIGGER study_case_no_delete BEFORE DELETE ON study_case FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_case is append-only');
CREATE TRIGGER key_slices_no_update BEFORE UPDATE ON key_slices FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('key_slices is append-only');
CREATE TRIGGER key_slices_no_delete BEFORE DELETE ON key_slices FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('key_slices is append-only');
CREATE TRIGGER report_no_update BEFORE UPDATE ON report FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('report is append-only');
CREATE TRIGGER report_no_delete BEFORE DELETE ON report FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('report is append-only');
CREATE TRIGGER run_no_update BEFORE UPDATE ON run FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('run is append-only');
CREATE TRIGGER run_no_delete BEFORE DELETE ON run FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('run is append-only');
CREATE TRIGGER generation_no_update BEFORE UPDATE ON generation FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('generation is append-only');
CREATE TRIGGER generation_no_delete BEFORE DELETE ON generation FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('generation is append-only');
CREATE TRIGGER score_no_update BEFORE UPDATE ON score FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('score is append-only');
CREATE TRIGGER score_no_delete BEFORE DELETE ON score FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('score is append-only');
CREATE TRIGGER rating_event_no_update BEFORE UPDATE ON rating_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('rating_event is append-only');
CREATE TRIGGER rating_event_no_delete BEFORE DELETE ON rating_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('rating_event is append-only');
CREATE TRIGGER rating_answer_no_update BEFORE UPDATE ON rating_answer FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('rating_answer is append-only');
CREATE TRIGGER rating_answer_no_delete BEFORE DELETE ON rating_answer FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('rating_answer is append-only');
CREATE TRIGGER draft_no_update BEFORE UPDATE ON draft FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('draft is append-only');
CREATE TRIGGER draft_no_delete BEFORE DELETE ON draft FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('draft is append-only');
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('audit_event is append-only');
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('audit_event is append-only');
CREATE TRIGGER ingested_file_no_update BEFORE UPDATE ON ingested_file FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('ingested_file is append-only');
CREATE TRIGGER ingested_file_no_delete BEFORE DELETE ON ingested_file FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('ingested_file is append-only');
}}
{{pg:
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $body$;
CREATE TRIGGER schema_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON schema_version
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER study_case_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON study_case
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER key_slices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key_slices
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER report_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON report
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER run_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON run
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER generation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON generation
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER score_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON score
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER rating_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rating_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER rating_answer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rating_answer
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER draft_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON draft
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER ingested_file_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ingested_file
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
}}
