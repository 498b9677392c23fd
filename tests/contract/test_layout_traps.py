"""What real datasets get wrong, layout by layout, and what the importer says to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import load_case
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import DatasetScan, Language, PetUnit, SeriesRole
from tests.layout_files import (
    BIDS_SIDECAR,
    FINDINGS_ZH,
    IMPRESSION_ZH,
    REPORT_EN,
    REPORT_ZH,
    build_autopet,
    build_benchmark,
    build_bids,
    build_petwb_tables,
    by_id,
    save_ct,
    save_mask,
    save_pet,
    save_picture,
    save_table,
    save_text,
)


class TestAutopet:
    def test_pet_alone_is_activity_without_suv(self, tmp_path: Path) -> None:
        study = tmp_path / "PETCT_x" / "study"
        save_pet(study / "PET.nii.gz", scale=1000.0)
        save_mask(study / "CTres.nii.gz")
        (case,) = scan_dataset(tmp_path).cases
        loaded = load_case(case)
        assert (loaded.pet_unit, loaded.suv.bw) == (PetUnit.ACTIVITY_BQML, None)
        assert "no dose" in str(loaded.suv.reason)

    def test_study_without_pet_is_an_error_and_others_go_on(self, tmp_path: Path) -> None:
        build_autopet(tmp_path)
        (tmp_path / "PETCT_0a1b" / "01-02-2003-PET CT" / "SUV.nii.gz").unlink()
        (tmp_path / "PETCT_0a1b" / "01-02-2003-PET CT" / "PET.nii.gz").unlink()
        scan = scan_dataset(tmp_path)
        assert len(scan.cases) == 2
        assert any("neither SUV.nii.gz nor PET.nii.gz" in error.reason for error in scan.errors)

    def test_damaged_suv_is_an_error_and_others_go_on(self, tmp_path: Path) -> None:
        build_autopet(tmp_path)
        (tmp_path / "PETCT_0a1b" / "01-02-2003-PET CT" / "SUV.nii.gz").write_bytes(b"\x1f\x8b broken")
        scan = scan_dataset(tmp_path)
        assert len(scan.cases) == 2
        (error,) = (error for error in scan.errors if error.where.startswith("PETCT_0a1b"))
        assert "SUV.nii.gz" in error.reason
        assert str(tmp_path) not in error.reason

    def test_report_of_a_patient_with_two_studies_is_not_guessed(self, tmp_path: Path) -> None:
        build_autopet(tmp_path)
        save_table(tmp_path / "reports.csv", ["case", "report"], [["PETCT_0c2d", REPORT_EN]])
        case = by_id(scan_dataset(tmp_path))["PETCT_0c2d_01-02-2003-PET"]
        assert not case.reports
        assert "several studies" in case.problems[0]


class TestNnunet:
    def test_unit_of_other_datasets_is_not_claimed(self, tmp_path: Path) -> None:
        save_pet(tmp_path / "imagesTr" / "patient1_0000.nii.gz")
        save_ct(tmp_path / "imagesTr" / "patient1_0001.nii.gz")
        save_text(tmp_path / "dataset.json", json.dumps({"modality": {"0": "PET", "1": "CT"}}))
        (case,) = scan_dataset(tmp_path).cases
        assert case.used(SeriesRole.PET).files[0].name == "patient1_0000.nii.gz"  # type: ignore[union-attr]
        assert case.used(SeriesRole.PET).units is None  # type: ignore[union-attr]
        assert load_case(case).pet_unit is PetUnit.COUNTS

    def test_no_pet_channel(self, tmp_path: Path) -> None:
        save_pet(tmp_path / "imagesTr" / "patient1_0000.nii.gz")
        save_text(tmp_path / "dataset.json", json.dumps({"channel_names": {"0": "T1", "1": "T2"}}))
        with pytest.raises(DatasetLayoutError, match=r"names no PET channel.*0: 'T1'"):
            scan_dataset(tmp_path)


class TestPetwbTables:
    def test_unknown_columns_are_named(self, tmp_path: Path) -> None:
        build_petwb_tables(tmp_path)
        save_table(tmp_path / "Non-Imaging_data" / "report_en.csv", ["ID", "Spalte"], [["001", REPORT_EN]])
        scan = scan_dataset(tmp_path)
        (error,) = scan.errors
        assert error.where == "report_en.csv"
        assert "'ID', 'Spalte'" in error.reason
        assert len(scan.cases) == 2

    def test_raw_pet_alone_has_no_proven_unit(self, tmp_path: Path) -> None:
        save_pet(tmp_path / "Imaging_data" / "PET_RAW" / "sub-009.nii.gz", scale=1000.0)
        (case,) = scan_dataset(tmp_path).cases
        assert "unit" in case.problems[0]
        assert load_case(case).pet_unit is PetUnit.COUNTS

    def test_only_normalised_ct(self, tmp_path: Path) -> None:
        save_ct(tmp_path / "Imaging_data" / "CT_NORM" / "sub-009.nii.gz")
        scan = scan_dataset(tmp_path)
        assert not scan.cases
        assert "no longer in HU" in scan.errors[0].reason

    def test_conflicting_and_empty_reports(self, tmp_path: Path) -> None:
        rows = [["1", REPORT_EN], ["1", "Findings: another text."], ["2", ""], ["", REPORT_EN]]
        save_table(tmp_path / "report_en.csv", ["ID", "report"], rows)
        scan = scan_dataset(tmp_path)
        assert scan.layout == "petwb-rep-tables"
        assert [case.case_id for case in scan.cases] == ["1"]
        assert scan.cases[0].reports[0].text == REPORT_EN
        # The first report fills lines 2 and 3 of the file.
        reasons = {error.where: error.reason for error in scan.errors}
        assert "report_en.csv line 2" in reasons["report_en.csv line 4"]
        assert "empty" in reasons["report_en.csv line 5"]
        assert "no case id" in reasons["report_en.csv line 6"]


class TestBids:
    def test_suv_decays_to_the_time_of_the_image(self, tmp_path: Path) -> None:
        build_bids(tmp_path)
        cases = by_id(scan_dataset(tmp_path))
        # By hand: 70 kg, 300 MBq, image corrected to 3600 s after injection, F-18 6586.2 s:
        # 70000 / (3e8 * 2 ** (-3600 / 6586.2)) = 2.33333e-4 * 1.460637 = 3.408152e-4
        loaded = load_case(cases["sub-01_ses-01"])
        assert loaded.suv.bw == pytest.approx(3.408152e-4, rel=1e-6)
        assert loaded.pet_unit is PetUnit.SUVBW
        assert loaded.pet is not None
        assert loaded.pet.values.max() == pytest.approx(7000 * 3.408152e-4, rel=1e-5)
        # Corrected to the injection: no decay; 90000 / 3e8 = 3e-4.
        assert load_case(cases["sub-03"]).suv.bw == pytest.approx(3e-4, rel=1e-9)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"InjectedRadioactivity": None}, "InjectedRadioactivity"),
            ({"InjectedRadioactivity": 0}, "radioactivity"),
            ({"InjectedRadioactivityUnits": "furlongs"}, "radioactivity"),
            ({"ImageDecayCorrected": False}, "decay-corrected"),
            ({"ImageDecayCorrectionTime": None}, "ImageDecayCorrectionTime"),
            ({"TracerRadionuclide": "Xx99"}, "radionuclide"),
            ({"Units": "counts"}, "'counts'"),
            ({"Units": None}, "no Units"),
        ],
    )
    def test_no_suv_says_why(self, tmp_path: Path, change: dict[str, object], words: str) -> None:
        build_bids(tmp_path)
        fields = {key: value for key, value in (BIDS_SIDECAR | change).items() if value is not None}
        save_text(tmp_path / "sub-03" / "pet" / "sub-03_pet.json", json.dumps(fields))
        case = by_id(scan_dataset(tmp_path))["sub-03"]
        assert words in " ".join(case.problems)
        loaded = load_case(case)
        assert loaded.suv.bw is None
        assert words in str(loaded.suv.reason)

    @pytest.mark.parametrize("weight", ["", "n/a", "0", "-3", "heavy"])
    def test_no_weight_no_suv(self, tmp_path: Path, weight: str) -> None:
        build_bids(tmp_path)
        columns = ["participant_id", "body_weight"]
        save_table(tmp_path / "participants.tsv", columns, [["sub-03", weight]], separator="\t")
        suv = load_case(by_id(scan_dataset(tmp_path))["sub-03"]).suv
        assert suv.bw is None
        assert "body weight" in str(suv.reason)

    def test_sidecar_is_inherited(self, tmp_path: Path) -> None:
        build_bids(tmp_path)
        (tmp_path / "sub-03" / "pet" / "sub-03_pet.json").unlink()
        save_text(tmp_path / "pet.json", json.dumps(BIDS_SIDECAR | {"ImageDecayCorrectionTime": 0}))
        assert load_case(by_id(scan_dataset(tmp_path))["sub-03"]).suv.bw == pytest.approx(3e-4, rel=1e-9)

    def test_broken_sidecar_is_the_cases_error(self, tmp_path: Path) -> None:
        build_bids(tmp_path)
        save_text(tmp_path / "sub-03" / "pet" / "sub-03_pet.json", "{")
        scan = scan_dataset(tmp_path)
        assert len(scan.cases) == 2
        assert any(e.where == "sub-03" and "not valid JSON" in e.reason for e in scan.errors)


class TestBenchmark:
    def build(self, root: Path, *lines: object) -> DatasetScan:
        text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
        save_text(root / "p.jsonl", text, encoding="gb18030")
        return scan_dataset(root)

    def test_traps(self, tmp_path: Path) -> None:
        save_picture(tmp_path / "a.jpg")
        outside = tmp_path.parent / "outside.jpg"
        save_picture(outside)
        scan = self.build(
            tmp_path,
            {"patient_id": 7, "prompt_image_fuse": ["x/a.jpg", "gone.jpg"], "answer": [REPORT_ZH]},
            "",
            "{broken",
            "[1]",
            {"answer": REPORT_ZH},
            {"patient_id": 7, "answer": "another"},
            {"patient_id": "8", "prompt_image_fuse": ["../outside.jpg"], "answer": REPORT_ZH},
            {"patient_id": "9", "answer": ""},
            '{"patient_id": "10", "answer": "\\ud83d"}',
            '{"patient_id": "11", "answer": ' + "[" * 100_000,
        )
        cases = by_id(scan)
        assert set(cases) == {"7", "8"}
        assert [path.name for path in cases["7"].pictures] == ["a.jpg"]
        assert cases["7"].reports[0].findings == FINDINGS_ZH
        assert any("'gone.jpg' is missing" in text for text in cases["7"].problems)
        assert any("beside p.jsonl; it says that they are in 'x'" in text for text in cases["7"].problems)
        assert not cases["8"].pictures
        assert "leads out" in cases["8"].problems[0]
        reasons = {error.where: error.reason for error in scan.errors}
        assert set(reasons) == {f"p.jsonl line {n}" for n in (3, 4, 5, 6, 8, 9, 10)}
        assert "not valid JSON" in reasons["p.jsonl line 3"]
        assert "half of a character" in reasons["p.jsonl line 9"]
        assert "already named '7'" in reasons["p.jsonl line 6"]

    def test_the_same_cases_for_another_model_are_counted_once(self, tmp_path: Path) -> None:
        build_benchmark(tmp_path)
        shutil.copy(tmp_path / "text_prompt" / "prompt_model.jsonl", tmp_path / "text_prompt" / "prompt_other.jsonl")
        scan = scan_dataset(tmp_path)
        assert len(scan.cases) == 2
        assert [(error.where, error.reason[:7]) for error in scan.errors] == [("prompt_other.jsonl", "2 cases")]


class TestManifest:
    def scan(self, root: Path, text: str, *, name: str = "manifest.csv", encoding: str = "utf-8") -> DatasetScan:
        save_text(root / name, text, encoding=encoding)
        return scan_dataset(root)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_encodings_and_separators(self, tmp_path: Path, encoding: str, separator: str) -> None:
        text = (
            f"case{separator}findings{separator}impression\r\n甲{separator}{FINDINGS_ZH}{separator}{IMPRESSION_ZH}\r\n"
        )
        scan = self.scan(tmp_path, text, encoding=encoding)
        assert not scan.errors
        assert scan.cases[0].case_id == "甲"
        assert scan.cases[0].reports[0].findings == FINDINGS_ZH
        assert scan.cases[0].reports[0].impression == IMPRESSION_ZH

    def test_bad_lines_are_named_by_number_and_the_good_go_on(self, tmp_path: Path) -> None:
        save_pet(tmp_path / "pet.nii.gz")
        save_pet(tmp_path.parent / "outside.nii.gz")
        save_text(tmp_path / "empty.txt", " \n")
        save_text(tmp_path / "notes.nii.gz", "no image")
        (tmp_path / "folder").mkdir()
        (tmp_path / "link.nii.gz").symlink_to(tmp_path.parent / "outside.nii.gz")
        good = "first line\nsecond line, quoted"
        lines = [
            "case,pet,report,language,pet_unit",
            f'good,,"{good}",en,',
            "good,pet.nii.gz,,,",
            "up,../outside.nii.gz,,,",
            f"absolute,{tmp_path.parent / 'outside.nii.gz'},,,",
            "link,link.nii.gz,,,",
            r"windows,C:\data\pet.nii.gz,,,",
            "missing,gone.nii.gz,,,",
            "folder,folder,,,",
            "empty,,empty.txt,,",
            "word,,report.docx,,",
            "language,,text,fr,",
            "unit,pet.nii.gz,,,furlongs",
            "broken,notes.nii.gz,,,",
            "../evil,pet.nii.gz,,,",
            ",pet.nii.gz,,,",
            "nothing,,,,",
            "many,pet.nii.gz,,,,,extra",
            "last,pet.nii.gz,,,suvbw",
        ]
        scan = self.scan(tmp_path, "\n".join(lines) + "\n")
        assert [case.case_id for case in scan.cases] == ["good", "last"]
        assert scan.cases[0].reports[0].text == good
        # The quoted line break makes the first record two lines long: the next one is line 4.
        expected = {
            4: "already in line 2",
            5: "'../outside.nii.gz' leads out",
            6: "'outside.nii.gz' leads out",
            7: "'link.nii.gz' leads out",
            8: "'pet.nii.gz' leads out",
            9: "no file 'gone.nii.gz'",
            10: "'folder' is a folder",
            11: "'empty.txt' is empty",
            12: "no plain text",
            13: "'fr' is not a language",
            14: "pet_unit 'furlongs'",
            15: "notes.nii.gz",
            16: "'../evil' cannot be used",
            17: "no case name",
            18: "Nothing of the case",
            19: "7 cells for 5 columns",
        }
        reasons = {error.where: error.reason for error in scan.errors}
        assert set(reasons) == {f"manifest.csv line {n}" for n in expected}
        for number, words in expected.items():
            assert words in reasons[f"manifest.csv line {number}"]
            assert str(tmp_path.parent) not in reasons[f"manifest.csv line {number}"]

    def test_broken_quoting(self, tmp_path: Path) -> None:
        save_text(tmp_path / "manifest.csv", 'case,report\na,"never closed\nb,text\n')
        with pytest.raises(DatasetLayoutError, match="broken quoting in the record that begins in line 2"):
            scan_dataset(tmp_path)

    def test_two_columns_of_one_name(self, tmp_path: Path) -> None:
        save_text(tmp_path / "manifest.csv", "case,pet,PET\na,,\n")
        with pytest.raises(DatasetLayoutError, match="two columns named 'pet'"):
            scan_dataset(tmp_path)

    def test_json_lines_in_two_languages_with_pictures(self, tmp_path: Path) -> None:
        for name in ("1.png", "2.png"):
            save_picture(tmp_path / name)
        record = {
            "case": "x",
            "report_zh": REPORT_ZH,
            "report_en": REPORT_EN,
            "pictures": ["2.png", "1.png"],
            "age": 50,
        }
        lines = [json.dumps(record, ensure_ascii=False), '{"case": "y", "report": {"a": 1}}', "[]"]
        scan = self.scan(tmp_path, "\n".join(lines), name="manifest.jsonl")
        (case,) = scan.cases
        assert {report.language for report in case.reports} == set(Language)
        assert [path.name for path in case.pictures] == ["2.png", "1.png"]
        assert case.metadata == {"age": "50"}
        assert [error.where for error in scan.errors] == ["manifest.jsonl line 2", "manifest.jsonl line 3"]

    def test_any_name_when_the_file_is_given(self, tmp_path: Path) -> None:
        save_pet(tmp_path / "pet.nii.gz")
        path = save_text(tmp_path / "my study.csv", "Case,PET,pet_unit\na,pet.nii.gz,BQML\n")
        scan = scan_dataset(path)
        assert (scan.layout, len(scan.cases)) == ("manifest", 1)
        assert load_case(scan.cases[0]).pet_unit is PetUnit.ACTIVITY_BQML

    def test_windows_separators(self, tmp_path: Path) -> None:
        save_pet(tmp_path / "images" / "pet.nii.gz")
        scan = self.scan(tmp_path, "case,pet\na,images\\pet.nii.gz\n")
        assert not scan.errors
        assert len(scan.cases) == 1


class TestPair:
    def test_flat_folder_of_several_patients(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            save_pet(tmp_path / f"{name}_suv.nii.gz")
            save_pet(tmp_path / f"{name}_pet.nii.gz")
            save_ct(tmp_path / f"{name}_ct.nii.gz")
        scan = scan_dataset(tmp_path)
        assert [case.case_id for case in scan.cases] == ["a", "b"]
        for case in scan.cases:
            assert case.used(SeriesRole.PET).units == "SUVBW"  # type: ignore[union-attr]
            assert "is used" in str(next(s.skipped for s in case.series if s.skipped))

    def test_ibsi_names_in_folders(self, tmp_path: Path) -> None:
        save_pet(tmp_path / "STS_001" / "PET_image.nii.gz")
        save_mask(tmp_path / "STS_001" / "PET_mask.nii.gz")
        save_ct(tmp_path / "STS_001" / "CT_image.nii.gz")
        (case,) = scan_dataset(tmp_path).cases
        assert case.case_id == "STS_001"
        assert {role for role in SeriesRole if case.used(role)} == {SeriesRole.PET, SeriesRole.CT, SeriesRole.MASK}
