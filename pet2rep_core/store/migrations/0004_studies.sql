-- Reader studies: what was done (events), who reads what under which code, submitted ratings, drafts, openings.

CREATE TABLE study_event (
  event_id       VARCHAR PRIMARY KEY,
  study_id       VARCHAR NOT NULL,
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  actor          VARCHAR NOT NULL,
  role           VARCHAR NOT NULL,               -- of the actor at that time
  action         VARCHAR NOT NULL,               -- create, assign, state, adjudicate, ask-unlock, guess, …
  subject        VARCHAR NOT NULL,               -- a reader or the code of an item, or empty
  content        JSON NOT NULL,
  created_at     TIMESTAMPTZ NOT NULL,
  prev_hash      VARCHAR NOT NULL CHECK (length(prev_hash) = 64),
  row_hash       VARCHAR NOT NULL CHECK (length(row_hash) = 64),
  UNIQUE (study_id, revision));

CREATE TABLE study_item (                        -- the items of the event "assign", for queries
  study_id       VARCHAR NOT NULL,
  code           VARCHAR PRIMARY KEY,            -- random: the name of the item in the reader's browser
  reader         VARCHAR NOT NULL,
  position       INTEGER NOT NULL CHECK (position >= 1),
  kind           VARCHAR NOT NULL,               -- training, main, repeat
  repeat_of      VARCHAR NOT NULL,               -- code of the first reading, or empty
  case_id        VARCHAR NOT NULL,
  run_id         VARCHAR NOT NULL,
  generation_id  VARCHAR NOT NULL,
  alias          VARCHAR NOT NULL,               -- random: the name of the case in the reader's browser
  dataset        VARCHAR NOT NULL,
  model          VARCHAR NOT NULL,
  input_setting  VARCHAR NOT NULL,
  language       VARCHAR NOT NULL,
  UNIQUE (study_id, reader, position));

CREATE TABLE study_rating (
  event_id         VARCHAR PRIMARY KEY,
  study_id         VARCHAR NOT NULL,
  code             VARCHAR NOT NULL,
  stage            VARCHAR NOT NULL,             -- provisional, final
  revision         INTEGER NOT NULL CHECK (revision >= 1),
  reader           VARCHAR NOT NULL,
  answers          JSON NOT NULL,
  reasons          JSON NOT NULL,
  comments         JSON NOT NULL,
  comment          VARCHAR NOT NULL,
  marks            JSON NOT NULL,
  missed           JSON NOT NULL,
  leaks            JSON NOT NULL,
  rubric_version   VARCHAR NOT NULL,
  shown_sha256     VARCHAR NOT NULL CHECK (length(shown_sha256) = 64),
  reference_sha256 VARCHAR NOT NULL,
  active_ms        BIGINT NOT NULL CHECK (active_ms >= 0),
  opening          VARCHAR NOT NULL,
  reason           VARCHAR NOT NULL,
  created_at       TIMESTAMPTZ NOT NULL,
  prev_hash        VARCHAR NOT NULL CHECK (length(prev_hash) = 64),
  row_hash         VARCHAR NOT NULL CHECK (length(row_hash) = 64),
  UNIQUE (study_id, code, stage, revision));

CREATE TABLE study_answer (                      -- the answers of study_rating, for queries
  event_id       VARCHAR NOT NULL,
  dimension      VARCHAR NOT NULL,
  value          INTEGER CHECK (value BETWEEN 1 AND 5),
  reason         VARCHAR NOT NULL,
  comment        VARCHAR NOT NULL,
  PRIMARY KEY (event_id, dimension));

CREATE TABLE study_draft (
  study_id        VARCHAR NOT NULL,
  code            VARCHAR NOT NULL,
  stage           VARCHAR NOT NULL,
  number          INTEGER NOT NULL CHECK (number >= 1),
  rating_revision INTEGER NOT NULL,              -- the submitted revision that it follows, 0 for none
  opening         VARCHAR NOT NULL,
  content         JSON NOT NULL,
  created_at      TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (code, stage, number));

CREATE TABLE study_opening (
  opening        VARCHAR PRIMARY KEY,
  study_id       VARCHAR NOT NULL,
  code           VARCHAR NOT NULL,
  number         INTEGER NOT NULL CHECK (number >= 1),
  stage          VARCHAR NOT NULL,
  reader         VARCHAR NOT NULL,
  shown_sha256   VARCHAR NOT NULL,               -- the generated report that was sent to the screen
  reference_sha256 VARCHAR NOT NULL,             -- the reference report beside it, or empty
  created_at     TIMESTAMPTZ NOT NULL,
  UNIQUE (code, number));

CREATE VIEW study_rating_latest AS
  SELECT * FROM (SELECT r.*, row_number() OVER (PARTITION BY study_id, code, stage ORDER BY revision DESC) AS place
                 FROM study_rating r) t WHERE place = 1;

{{duck:
CREATE TRIGGER study_event_no_update BEFORE UPDATE ON study_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_event is append-only');
CREATE TRIGGER study_event_no_delete BEFORE DELETE ON study_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_event is append-only');
CREATE TRIGGER study_item_no_update BEFORE UPDATE ON study_item FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_item is append-only');
CREATE TRIGGER study_item_no_delete BEFORE DELETE ON study_item FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_item is append-only');
CREATE TRIGGER study_rating_no_update BEFORE UPDATE ON study_rating FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_rating is append-only');
CREATE TRIGGER study_rating_no_delete BEFORE DELETE ON study_rating FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_rating is append-only');
CREATE TRIGGER study_answer_no_update BEFORE UPDATE ON study_answer FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_answer is append-only');
CREATE TRIGGER study_answer_no_delete BEFORE DELETE ON study_answer FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_answer is append-only');
CREATE TRIGGER study_draft_no_update BEFORE UPDATE ON study_draft FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_draft is append-only');
CREATE TRIGGER study_draft_no_delete BEFORE DELETE ON study_draft FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_draft is append-only');
CREATE TRIGGER study_opening_no_update BEFORE UPDATE ON study_opening FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_opening is append-only');
CREATE TRIGGER study_opening_no_delete BEFORE DELETE ON study_opening FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('study_opening is append-only');
}}
{{pg:
CREATE TRIGGER study_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON study_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER study_item_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON study_item
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER study_rating_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON study_rating
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER study_answer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON study_answer
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER study_draft_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON study_draft
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER study_opening_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON study_opening
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
}}
