-- Cells of the organ table that a person overruled, and what each score was made from beside the generated text.

CREATE TABLE cell_overrule (
  event_id       VARCHAR PRIMARY KEY,
  case_id        VARCHAR NOT NULL,
  language       VARCHAR NOT NULL,
  side           VARCHAR NOT NULL,               -- reference, hypothesis
  text_sha256    VARCHAR NOT NULL CHECK (length(text_sha256) = 64),
  organ          VARCHAR NOT NULL,
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  action         VARCHAR NOT NULL,               -- overrule, withdraw
  states         JSON NOT NULL,
  automatic      JSON NOT NULL,                  -- what the rules had read
  extractor      VARCHAR NOT NULL,               -- which rules
  author         VARCHAR NOT NULL,
  reason         VARCHAR NOT NULL,
  generation_id  VARCHAR,                        -- the report that was on the screen, if any
  created_at     TIMESTAMPTZ NOT NULL,
  prev_hash      VARCHAR NOT NULL CHECK (length(prev_hash) = 64),
  row_hash       VARCHAR NOT NULL CHECK (length(row_hash) = 64),
  UNIQUE (case_id, language, side, text_sha256, organ, revision));

CREATE VIEW cell_overrule_latest AS              -- withdrawn ones included: "action" tells
  SELECT * FROM (SELECT o.*, row_number() OVER (PARTITION BY case_id, language, side, text_sha256, organ
                                                ORDER BY revision DESC) AS place
                 FROM cell_overrule o) t WHERE place = 1;

DROP VIEW score_latest;
ALTER TABLE score ADD COLUMN inputs_sha256 VARCHAR;
CREATE VIEW score_latest AS
  SELECT * FROM (SELECT s.*, row_number() OVER (PARTITION BY generation_id, text_sha256, metric, signature
                                                ORDER BY revision DESC) AS place
                 FROM score s) t WHERE place = 1;

{{duck:
CREATE TRIGGER cell_overrule_no_update BEFORE UPDATE ON cell_overrule FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('cell_overrule is append-only');
CREATE TRIGGER cell_overrule_no_delete BEFORE DELETE ON cell_overrule FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('cell_overrule is append-only');
}}
{{pg:
CREATE TRIGGER cell_overrule_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cell_overrule
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
}}
