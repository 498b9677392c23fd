-- A reader's own notes beside the rating: volumes of interest that were measured, and how the viewer was set.

CREATE TABLE measurement (
  event_id       VARCHAR PRIMARY KEY,
  measurement_id VARCHAR NOT NULL,               -- made by the screen: the same note kept again is its next revision
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  action         VARCHAR NOT NULL,               -- keep, withdraw
  case_id        VARCHAR NOT NULL,
  reader         VARCHAR NOT NULL,
  generation_id  VARCHAR,                        -- the report that was on the screen, if any
  label          VARCHAR NOT NULL,
  role           VARCHAR NOT NULL,               -- liver, or empty
  kind           VARCHAR NOT NULL,               -- sphere, freehand, line
  shape          JSON NOT NULL,
  result         JSON NOT NULL,
  signature      VARCHAR NOT NULL,
  prepared_key   VARCHAR NOT NULL,               -- the images that were measured
  created_at     TIMESTAMPTZ NOT NULL,
  prev_hash      VARCHAR NOT NULL CHECK (length(prev_hash) = 64),
  row_hash       VARCHAR NOT NULL CHECK (length(row_hash) = 64),
  UNIQUE (measurement_id, revision));

CREATE TABLE reader_setting (
  reader      VARCHAR NOT NULL,
  revision    INTEGER NOT NULL CHECK (revision >= 1),
  settings    JSON NOT NULL,
  created_at  TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (reader, revision));

CREATE VIEW measurement_latest AS                -- withdrawn ones included: "action" tells
  SELECT * FROM (SELECT m.*, row_number() OVER (PARTITION BY measurement_id ORDER BY revision DESC) AS place
                 FROM measurement m) t WHERE place = 1;

{{duck:
CREATE TRIGGER measurement_no_update BEFORE UPDATE ON measurement FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('measurement is append-only');
CREATE TRIGGER measurement_no_delete BEFORE DELETE ON measurement FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('measurement is append-only');
CREATE TRIGGER reader_setting_no_update BEFORE UPDATE ON reader_setting FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('reader_setting is append-only');
CREATE TRIGGER reader_setting_no_delete BEFORE DELETE ON reader_setting FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('reader_setting is append-only');
}}
{{pg:
CREATE TRIGGER measurement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON measurement
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER reader_setting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reader_setting
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
}}
