-- Accounts of this installation: what happened to each, never overwritten.

CREATE TABLE account_event (
  event_id       VARCHAR PRIMARY KEY,
  name           VARCHAR NOT NULL,               -- the reader's pseudonym
  revision       INTEGER NOT NULL CHECK (revision >= 1),
  action         VARCHAR NOT NULL,               -- create, password, role, disable, enable, sign_in, fail
  role           VARCHAR NOT NULL,               -- rater, researcher, admin: after the event
  disabled       BOOLEAN NOT NULL,               -- after the event
  must_change    BOOLEAN NOT NULL,               -- after the event: the password is good for one sign-in
  password       VARCHAR NOT NULL,               -- hash with its parameters; empty where the event sets none
  actor          VARCHAR NOT NULL,
  created_at     TIMESTAMPTZ NOT NULL,
  prev_hash      VARCHAR NOT NULL CHECK (length(prev_hash) = 64),
  row_hash       VARCHAR NOT NULL CHECK (length(row_hash) = 64),
  UNIQUE (name, revision));

CREATE VIEW account_latest AS                    -- without the hash of the password
  SELECT name, role, disabled, must_change, revision, created_at
  FROM (SELECT e.*, row_number() OVER (PARTITION BY name ORDER BY revision DESC) AS place
        FROM account_event e) t WHERE place = 1;

{{duck:
CREATE TRIGGER account_event_no_update BEFORE UPDATE ON account_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('account_event is append-only');
CREATE TRIGGER account_event_no_delete BEFORE DELETE ON account_event FOR EACH STATEMENT
  INSERT INTO append_only_guard SELECT error('account_event is append-only');
}}
{{pg:
CREATE TRIGGER account_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_event
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
}}
