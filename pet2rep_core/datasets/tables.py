"""Tables beside the images: reports and facts about patients, keyed by case.

Read are CSV and TSV files whose name holds ``report``, or ``metadata``, ``meta_data``, ``clinical``, ``ehr`` or
``participants``. No release documents the columns of its report tables, so each role accepts several names
(compared without case, blanks, ``-`` and ``_``); they are the tables below. A line is matched to a case by its id
with or without ``sub-``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pet2rep_core.datasets.files import image_stem, walk
from pet2rep_core.datasets.report_files import (
    TABLE_SUFFIXES,
    TEXT_SUFFIXES,
    Row,
    Table,
    build_report,
    language_in_name,
    parse_language,
    read_table,
    read_text,
)
from pet2rep_core.errors import DatasetLayoutError, InputDataError
from pet2rep_core.records import CaseError, Language, Report

ID_COLUMNS = (
    "case", "caseid", "imageid", "imageno", "participantid", "subjectid", "subject", "patientid", "patient",
    "studyid", "id", "filename", "影像号", "检查号", "编号", "病例号", "病例",
)  # fmt: skip
TEXT_COLUMNS = (
    "report", "text", "reporttext", "fullreport", "content", "reportcontent", "answer", "报告", "报告内容", "报告全文",
)  # fmt: skip
FINDINGS_COLUMNS = (
    "findings", "finding", "imagefindings", "imagingfindings", "description", "影像所见", "检查所见", "所见",
    "影像表现", "影像描述",
)  # fmt: skip
IMPRESSION_COLUMNS = (
    "impression", "impressions", "conclusion", "conclusions", "imagingdiagnosis", "diagnosticimpression",
    "影像诊断", "诊断意见", "检查结论", "印象", "结论", "诊断",
)  # fmt: skip
FACT_COLUMNS = {
    "age": ("age", "patientage", "ageyears", "年龄"),
    "sex": ("sex", "gender", "patientsex", "性别"),
    "weight_kg": ("weight", "weightkg", "bodyweight", "bodyweightkg", "patientweight", "体重"),
    "height_m": ("height", "heightm", "bodyheight", "身高"),
    "disease": ("disease", "diseases", "diagnosis", "group", "疾病"),
    "tracer": ("tracer", "radiopharmaceutical", "tracername", "示踪剂"),
    "scanner": ("manufacturermodelname", "scanner", "scannermodel"),
}
LANGUAGE_COLUMNS = ("language", "lang", "语言")
_ReportColumns = tuple[str | None, str | None, str | None]
_IDENTIFYING = re.compile(
    r"name|birth|dob|mrn|phone|address|email|accession|uid|date|patientid|hospital|insurance|passport|ssn"
    r"|姓名|生日|出生|电话|地址|住院号|门诊号|身份证|日期|医生|医师"
)
_REPORT_TABLE = re.compile(r"report|报告", re.IGNORECASE)
_FACT_TABLE = re.compile(r"meta_?data|clinical|(?<![a-z])ehr(?![a-z])|^participants\.", re.IGNORECASE)


def plain(column: str) -> str:
    """Return a column name as it is compared: lower case, without blanks, brackets and joining marks.

    Examples
    --------
    >>> plain("Image ID"), plain("Weight_kg"), plain("weight (kg)")
    ('imageid', 'weightkg', 'weightkg')
    """
    return re.sub(r"[\s_\-.()\[\]/（）]", "", column).casefold()


def plain_id(name: str) -> str:
    """Return a case id as it is compared: without ``sub-`` and an image suffix, in lower case."""
    stem = image_stem(name.strip()) or name.strip()
    return stem.casefold().removeprefix("sub-")


def may_identify(column: str) -> bool:
    """Tell whether a column's name says that it may identify a patient."""
    return bool(_IDENTIFYING.search(plain(column)))


def fact_name(column: str) -> str | None:
    """Return our name of a column that holds a known fact about a patient, or None."""
    key = plain(column)
    return next((fact for fact, names in FACT_COLUMNS.items() if key in names), None)


def _column(table: Table, names: Iterable[str], language: Language | None = None) -> str | None:
    """Return the first column that has one of the names, in their order; with a language, ``name_zh`` or so."""
    keys: dict[str, str] = {}
    for column in table.columns:
        stated = language_in_name(column)
        if language is None:
            keys.setdefault(plain(column), column)
        elif stated is language:
            words = re.split(r"[_\-. ]+", column)
            keys.setdefault(plain("".join(word for word in words if language_in_name(word) is None)), column)
    return next((keys[name] for name in names if name in keys), None)


@dataclass(frozen=True, slots=True)
class _Entry:
    report: Report
    where: str


@dataclass(slots=True)
class CaseTables:
    """All report tables and metadata tables of a dataset, by case id.

    Parameters
    ----------
    errors : list of CaseError
        Tables and lines that could not be taken.
    """

    errors: list[CaseError] = field(default_factory=list)
    _reports: dict[str, list[_Entry]] = field(default_factory=dict)
    _facts: dict[str, dict[str, str | None]] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def read_folder(self, folder: Path, *, depth: int = 0) -> CaseTables:
        """Read every table whose name says that it holds reports or metadata; return itself."""
        for place, names in walk(folder, depth) if folder.is_dir() else ():
            for name in names:
                if _REPORT_TABLE.search(name) or _FACT_TABLE.search(name):
                    self.read_file(place / name)
        return self

    def read_file(self, path: Path) -> None:
        """Read one table; what cannot be used of it goes to ``errors``."""
        if path.suffix.lower() in (".xlsx", ".xls"):
            self.errors.append(CaseError(path.name, f"{path.name} is an Excel workbook. Save it as CSV (UTF-8)."))
        if path.suffix.lower() not in TABLE_SUFFIXES:
            return
        try:
            table = read_table(path)
            self._take(table, path)
        except InputDataError as error:
            self.errors.append(CaseError(path.name, str(error)))

    def _take(self, table: Table, path: Path) -> None:
        key_column = _column(table, ID_COLUMNS)
        shown = ", ".join(repr(column) for column in table.columns)
        if key_column is None:
            raise DatasetLayoutError(
                f"{path.name} has no column of case ids; its columns are {shown}.",
                hint="Name the column case, 'Image ID', participant_id or patient_id.",
            )
        language_column = _column(table, LANGUAGE_COLUMNS)
        stated = language_in_name(path.stem)
        sources = [(language, _report_columns(table, language)) for language in (None, *Language)]
        sources = [(language, columns) for language, columns in sources if any(columns)]
        if _REPORT_TABLE.search(path.name) and not sources:
            raise DatasetLayoutError(
                f"{path.name} has no column of reports; its columns are {shown}.",
                hint="Name it report, or findings and impression (影像所见, 影像诊断).",
            )
        if not _REPORT_TABLE.search(path.name):
            sources = []
        facts = {column: fact for column in table.columns if (fact := fact_name(column))}
        for row in table.rows:
            where = f"{path.name} line {row.line}"
            name = row.cells[key_column]
            fault = row.fault or ("" if name else "It has no case id.")
            if fault:
                self.errors.append(CaseError(where, fault))
                continue
            self._ids.setdefault(plain_id(name), name)
            self._merge_facts(plain_id(name), {fact: row.cells[column] for column, fact in facts.items()})
            for language, columns in sources:
                try:
                    cell = row.cells[language_column] if language_column else ""
                    spoken = language or parse_language(cell) or stated
                    report = _row_report(row, columns, spoken)
                    if report is not None:
                        self._add_report(plain_id(name), report, where)
                    elif language is None:
                        raise DatasetLayoutError("The report is empty.", hint="Fill it in, or take the line out.")
                except InputDataError as error:
                    self.errors.append(CaseError(where, str(error)))

    def _add_report(self, key: str, report: Report, where: str) -> None:
        for entry in self._reports.get(key, []):
            if entry.report.language is report.language:
                if entry.report.text == report.text:
                    return
                raise DatasetLayoutError(
                    f"The case has another report in the same language ({entry.where}); the first is kept.",
                    hint="Leave one report in each language.",
                )
        self._reports.setdefault(key, []).append(_Entry(report, where))

    def _merge_facts(self, key: str, facts: dict[str, str]) -> None:
        """Keep the facts on which all lines of a case agree: metadata often has one line for each series."""
        known = self._facts.setdefault(key, {})
        for fact, value in facts.items():
            if not value:
                continue
            known[fact] = value if known.get(fact, value) == value else None

    def of(
        self, names: Iterable[str], *, shared: str | None = None
    ) -> tuple[tuple[Report, ...], dict[str, str], tuple[str, ...]]:
        """Return the reports, the facts and the problems of a case.

        Parameters
        ----------
        names : iterable of str
            Names under which tables may know the case.
        shared : str, optional
            Name of a patient with several cases: facts under it hold for the case, a report may not.
        """
        keys = list(dict.fromkeys(plain_id(name) for name in names))
        self._taken.update(keys)
        reports = next((self._reports[key] for key in keys if key in self._reports), [])
        facts: dict[str, str] = {}
        problems: tuple[str, ...] = ()
        if shared is not None:
            key = plain_id(shared)
            self._taken.add(key)
            if key in self._reports and key not in keys:
                problems = (
                    "The report table names only the patient, who has several studies: the report was left out.",
                )
            keys.append(key)
        for key in reversed(keys):
            facts |= {fact: value for fact, value in self._facts.get(key, {}).items() if value}
        return tuple(entry.report for entry in reports), facts, problems

    def leftover_ids(self) -> list[str]:
        """Return the ids, as written, of reports that no case has asked for."""
        return [self._ids[key] for key in self._reports if key not in self._taken]

    def close(self) -> list[CaseError]:
        """Return all errors, with one that counts the reports for which no images were found."""
        left = self.leftover_ids()
        if not left:
            return self.errors
        reason = f"One report names a case that was not found: {left[0]!r}."
        if len(left) > 1:
            reason = f"{len(left)} reports name cases that were not found, such as {left[0]!r}."
        return [*self.errors, CaseError("reports", reason)]


def _row_report(row: Row, columns: _ReportColumns, language: Language | None) -> Report | None:
    text, findings, impression = (row.cells[column] if column else "" for column in columns)
    return build_report(text=text, findings=findings, impression=impression, language=language)


def _report_columns(table: Table, language: Language | None) -> _ReportColumns:
    return (
        _column(table, TEXT_COLUMNS, language),
        _column(table, FINDINGS_COLUMNS, language),
        _column(table, IMPRESSION_COLUMNS, language),
    )


def reports_beside(folder: Path, names: Iterable[str]) -> tuple[tuple[Report, ...], tuple[str, ...]]:
    """Return the reports that lie as text files in a case's own folder, and the problems of those unusable.

    Taken are ``report.txt``, ``report_zh.txt``, ``report_en.txt`` and the like; one for each language.
    """
    reports: dict[Language, Report] = {}
    problems: list[str] = []
    for name in names:
        if not (name.lower().startswith("report") and name.lower().endswith(TEXT_SUFFIXES)):
            continue
        try:
            report = build_report(text=read_text(folder / name), language=language_in_name(Path(name).stem))
        except InputDataError as error:
            problems.append(str(error))
            continue
        if report is None:
            problems.append(f"{name} is empty.")
        elif report.language in reports:
            problems.append(f"{name} is a second report in the same language and was left out.")
        else:
            reports[report.language] = report
    return tuple(reports.values()), tuple(problems)
