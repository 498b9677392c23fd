"""Every key of the session state, in one place.

Widget keys die with their page, so what must last is copied to a plain key.
"""

LANGUAGE = "language"
READER = "reader"
VIEW = "view"
CASE = "case_id"
GENERATION = "generation_id"
TOKENS = "picture_tokens"
SESSION = "session_id"
CLICK = "rating_event_id"
FORM = "rating_form"
NOTE = "note_for_next_run"
STUDY = "study_id"
SCAN = "import_scan"
SCAN_PATH = "import_path"
SCORED = "scored_generation_id"
FAILURES = "failure_view_address"
LINKED = "linked_report"
REPORT_LANGUAGE = "report_language_opened"
STUDY = "reading_study"
ITEM = "reading_item"
