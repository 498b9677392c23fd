"""Every dataset layout through one table: who is found, what is used, what is left out and why."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pet2rep_core.datasets.layouts import LAYOUTS, scan_dataset
from pet2rep_core.datasets.load import load_case
from pet2rep_core.errors import DatasetLayoutError, UnknownNameError
from pet2rep_core.records import Language, PetUnit, SeriesRole
from tests.layout_files import (
    BRIGHT,
    BRIGHT_VOXEL_LPS,
    BUILDERS,
    CT_SIZE,
    FINDINGS_EN,
    FINDINGS_ZH,
    IMPRESSION_EN,
    IMPRESSION_ZH,
    PET_SIZE,
    build_autopet,
    build_benchmark,
    build_bids,
    build_hecktor_2025,
    build_nnunet,
    build_pair,
    build_petwb,
    by_id,
    save_ct,
    save_pet,
    save_text,
)


@dataclass(frozen=True)
class Expected:
    """What one case must look like: units of the series that are used, languages, words of reasons."""

    pet: str | bool | None = False
    ct: bool = False
    mask: bool = False
    languages: frozenset[str] = frozenset()
    pictures: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    problem: str = ""


ZH, EN = frozenset({"zh"}), frozenset({"en"})
NO_UNIT = "unit"

# Written down from the layouts' own documentation (see the modules), not from what the program says.
EXPECTED: dict[str, dict[str, Expected]] = {
    "autopet": {
        "PETCT_0a1b_01-02-2003-PET-CT": Expected(
            "SUVBW",
            ct=True,
            mask=True,
            languages=ZH,
            metadata={"age": "061Y", "sex": "F", "disease": "LUNG_CANCER"},
            skipped={"PET.nii.gz": "SUV.nii.gz", "CTres.nii.gz": "CT.nii.gz"},
        ),
        # The two studies disagree about the diagnosis, so it is not kept.
        "PETCT_0c2d_01-02-2003-PET": Expected("SUVBW", ct=True, metadata={"age": "050Y", "sex": "M"}),
        "PETCT_0c2d_05-02-2003-PET": Expected("SUVBW", ct=True, metadata={"age": "050Y", "sex": "M"}),
    },
    "nnunet": {
        "fdg_0a1b_2003-01-02": Expected(
            "SUVBW",
            ct=True,
            mask=True,
            metadata={"tracer": "FDG"},
            skipped={"fdg_0a1b_2003-01-02_0002.nii.gz": "FG clicks", "fdg_0a1b_2003-01-02_0003.nii.gz": "BG clicks"},
        ),
        "psma_77ff_2018-04-16": Expected("SUVBW", ct=True, languages=EN, metadata={"tracer": "PSMA"}),
    },
    "hecktor-2022": {
        "CHUM-001": Expected(
            None,
            ct=True,
            mask=True,
            metadata={"sex": "M", "age": "63", "weight_kg": "82"},
            problem=NO_UNIT,
        ),
        "MDA-002": Expected(None, problem=NO_UNIT),
    },
    "hecktor-2025": {
        "CHUM-001": Expected(None, ct=True, mask=True, problem=NO_UNIT),
        "USZ-012": Expected(None, ct=True, mask=True, problem=NO_UNIT),
    },
    "petwb-release": {
        "sub-001": Expected(
            "SUVBW",
            ct=True,
            languages=ZH | EN,
            metadata={"sex": "F", "age": "55", "weight_kg": "61", "disease": "Lung cancer"},
            skipped={"sub-001_ses-01_pet.nii.gz": "in SUV"},
        ),
        "sub-002": Expected(
            "SUVBW",
            ct=True,
            metadata={"sex": "M", "age": "70", "weight_kg": "80", "disease": "Lymphoma"},
            skipped={"sub-002_ses-01_pet.nii.gz": "in SUV"},
        ),
    },
    "petwb-script": {"0007": Expected("SUVBW", ct=True)},
    "petwb-tables": {
        "sub-001": Expected(
            "SUVBW",
            ct=True,
            languages=ZH | EN,
            metadata={"age": "55", "sex": "F"},
            skipped={"sub-001_PET_RAW.nii.gz": "in SUV", "sub-001_CT_NORM.nii.gz": "z-scored"},
        ),
        "002": Expected(languages=ZH),
    },
    "benchmark": {
        "demo_001": Expected(languages=ZH, pictures=3),
        "demo_002": Expected(pictures=3, problem="answer is empty"),
    },
    "bids": {
        "sub-01_ses-01": Expected(
            "BQML",
            ct=True,
            metadata={"sex": "F", "weight_kg": "70"},
            skipped={"sub-01_ses-01_trc-18FFDG_rec-nacstat_pet.nii.gz": "attenuation"},
        ),
        "sub-01_ses-02": Expected("BQML", ct=True, metadata={"sex": "F", "weight_kg": "68"}),
        "sub-03": Expected("BQML", metadata={"sex": "M", "weight_kg": "90"}),
    },
    "manifest": {
        "a": Expected("SUVBW", ct=True, languages=ZH, metadata={"age": "61"}),
        "b": Expected(pictures=2),
        "c": Expected(languages=EN),
    },
    "pair": {"pair": Expected(None, ct=True, languages=EN, problem=NO_UNIT)},
}
ERRORS = {"bids": [("sub-02", "3 frames")], "manifest": [("manifest.csv", "'name'")]}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One dataset of every kind, each in a folder of its kind's name."""
    top = tmp_path_factory.mktemp("datasets")
    roots = {}
    for kind, (_, build) in BUILDERS.items():
        root = top / kind
        root.mkdir()
        roots[kind] = build(root)
    return roots


@pytest.mark.parametrize("kind", BUILDERS)
def test_each_dataset_is_taken_for_what_it_is(datasets: dict[str, Path], kind: str) -> None:
    scan = scan_dataset(datasets[kind])
    assert scan.layout == BUILDERS[kind][0]
    assert {case.layout for case in scan.cases} == {scan.layout}


def test_every_layout_of_the_table_has_a_dataset_here() -> None:
    assert {layout for layout, _ in BUILDERS.values()} == set(LAYOUTS)
    assert all(name == layout.name and layout.description for name, layout in LAYOUTS.items())


@pytest.mark.parametrize("kind", EXPECTED)
def test_cases_and_their_parts(datasets: dict[str, Path], kind: str) -> None:
    cases = by_id(scan_dataset(datasets[kind]))
    assert set(cases) == set(EXPECTED[kind])
    for case_id, expected in EXPECTED[kind].items():
        case = cases[case_id]
        pet, ct, mask = (case.used(role) for role in (SeriesRole.PET, SeriesRole.CT, SeriesRole.MASK))
        assert (pet.units if pet else False) == expected.pet, case_id
        assert (ct is not None, mask is not None) == (expected.ct, expected.mask), case_id
        assert pet is None or pet.size == PET_SIZE
        assert pet is None or pet.orientation == "LPS"
        assert pet is None or pet.spacing_mm == (4.0, 4.0, 3.0)
        assert ct is None or ct.units == "HU"
        assert {report.language.value for report in case.reports} == expected.languages
        assert len(case.pictures) == expected.pictures
        assert {k: v for k, v in case.metadata.items() if not k.startswith(("prompt", "task"))} == expected.metadata
        skipped = {s.files[0].name: s.skipped for s in case.series if s.skipped}
        assert skipped.keys() == expected.skipped.keys()
        assert all(words in str(skipped[name]) for name, words in expected.skipped.items())
        assert bool(case.problems) == bool(expected.problem), case.problems
        assert expected.problem in " ".join(case.problems)


@pytest.mark.parametrize("kind", EXPECTED)
def test_errors_are_only_the_meant_ones(datasets: dict[str, Path], kind: str) -> None:
    errors = scan_dataset(datasets[kind]).errors
    expected = ERRORS.get(kind, [])
    assert [error.where for error in errors] == [where for where, _ in expected]
    assert all(words in error.reason for error, (_, words) in zip(errors, expected, strict=True))


@pytest.mark.parametrize("kind", EXPECTED)
def test_reports_are_split(datasets: dict[str, Path], kind: str) -> None:
    for case in scan_dataset(datasets[kind]).cases:
        for report in case.reports:
            parts = {Language.CHINESE: (FINDINGS_ZH, IMPRESSION_ZH), Language.ENGLISH: (FINDINGS_EN, IMPRESSION_EN)}
            assert (report.findings, report.impression) == parts[report.language]


@pytest.mark.parametrize("kind", EXPECTED)
def test_no_flip_and_no_wrong_scale_on_the_way(datasets: dict[str, Path], kind: str) -> None:
    # The bright voxel of 7.0 (7000 in Bq/mL) lies in the left anterior superior corner.
    for case in scan_dataset(datasets[kind]).cases:
        loaded = load_case(case)
        if loaded.pet is None:
            assert loaded.pet_unit is None
            assert loaded.suv.reason
            continue
        values = loaded.pet.to_lps().values
        place = tuple(int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
        assert place == BRIGHT_VOXEL_LPS
        if case.used(SeriesRole.PET).units == "SUVBW":  # type: ignore[union-attr]
            assert loaded.pet_unit is PetUnit.SUVBW
            assert values.max() == BRIGHT
        assert loaded.ct is None or loaded.ct.values.shape in (CT_SIZE, PET_SIZE)


@pytest.mark.parametrize("kind", EXPECTED)
def test_scanning_twice_gives_the_same(datasets: dict[str, Path], kind: str) -> None:
    assert scan_dataset(datasets[kind]) == scan_dataset(datasets[kind])


def test_a_hidden_shadow_of_macos_is_no_case(tmp_path: Path) -> None:
    build_hecktor_2025(tmp_path)
    save_text(tmp_path / "CHUM-001" / "._CHUM-001__PT.nii.gz", "shadow")
    assert len(scan_dataset(tmp_path).cases) == 2
    assert not scan_dataset(tmp_path).errors


class TestPartsOfDatasets:
    """One case's folder gives the same case as the whole dataset."""

    def test_autopet(self, tmp_path: Path) -> None:
        build_autopet(tmp_path)
        whole = by_id(scan_dataset(tmp_path))
        patient = scan_dataset(tmp_path / "PETCT_0c2d")
        study = scan_dataset(tmp_path / "PETCT_0a1b" / "01-02-2003-PET CT")
        assert set(by_id(patient)) < set(whole)
        assert [case.case_id for case in study.cases] == ["PETCT_0a1b_01-02-2003-PET-CT"]

    def test_nnunet_images(self, tmp_path: Path) -> None:
        build_nnunet(tmp_path)
        assert scan_dataset(tmp_path / "imagesTr").cases == scan_dataset(tmp_path).cases

    def test_petwb(self, tmp_path: Path) -> None:
        build_petwb(tmp_path)
        assert scan_dataset(tmp_path / "rawdata").cases == scan_dataset(tmp_path).cases
        scan = scan_dataset(tmp_path / "rawdata" / "sub-002")
        assert scan.layout == "petwb-rep"
        assert scan.cases == (by_id(scan_dataset(tmp_path))["sub-002"],)
        assert not scan.errors

    def test_bids_subject(self, tmp_path: Path) -> None:
        build_bids(tmp_path)
        scan = scan_dataset(tmp_path / "sub-01")
        whole = by_id(scan_dataset(tmp_path))
        assert [case.case_id for case in scan.cases] == ["sub-01_ses-01", "sub-01_ses-02"]
        assert [case.metadata for case in scan.cases] == [whole[case.case_id].metadata for case in scan.cases]

    def test_hecktor_patient(self, tmp_path: Path) -> None:
        build_hecktor_2025(tmp_path)
        assert [case.case_id for case in scan_dataset(tmp_path / "USZ-012").cases] == ["USZ-012"]

    def test_benchmark_file(self, tmp_path: Path) -> None:
        build_benchmark(tmp_path)
        assert [len(c.pictures) for c in scan_dataset(tmp_path / "text_prompt" / "prompt_model.jsonl").cases] == [3, 3]


class TestDoor:
    """What scan_dataset refuses."""

    def test_unknown_layout(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNameError, match=r"no layout named 'autopett'.*'autopet'"):
            scan_dataset(tmp_path, layout="autopett")

    def test_missing_path(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetLayoutError, match="no file or folder 'nowhere'") as caught:
            scan_dataset(tmp_path / "nowhere")
        assert str(tmp_path) not in str(caught.value)

    def test_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetLayoutError, match="no DICOM file, no known dataset and no image named PET or CT"):
            scan_dataset(tmp_path)

    @pytest.mark.parametrize(
        ("name", "data", "words"),
        [
            ("notes.txt", b"hello", "neither an image nor a list"),
            ("pet.nii.gz", b"this is no image", "pet.nii.gz"),
            ("results.jsonl", b'{"subject_id": "1", "llm_output": ["x"]}\n', "neither an image nor a list"),
            ("table.csv", b"a,b\n1,2\n", "no column 'case'"),
            ("empty.csv", b"", "empty"),
        ],
    )
    def test_file_that_is_no_image(self, tmp_path: Path, name: str, data: bytes, words: str) -> None:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DatasetLayoutError, match=words) as caught:
            scan_dataset(tmp_path / name)
        assert str(tmp_path) not in str(caught.value)

    @pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "dicom"])
    def test_forced_layout_that_does_not_fit(self, tmp_path: Path, layout: str) -> None:
        save_text(tmp_path / "notes.txt", "nothing")
        with pytest.raises(DatasetLayoutError, match=r"no case of the layout|no manifest"):
            scan_dataset(tmp_path, layout=layout)

    def test_single_images(self, tmp_path: Path) -> None:
        units = {}
        for name in ("pet.nii.gz", "SUV.nii", "STS_001_PT.nii.gz"):
            (case,) = scan_dataset(save_pet(tmp_path / name)).cases
            units[case.case_id] = case.used(SeriesRole.PET).units  # type: ignore[union-attr]
        assert units == {"pet": None, "SUV": "SUVBW", "STS_001_PT": None}
        (case,) = scan_dataset(save_ct(tmp_path / "my ct.nii.gz")).cases
        assert case.used(SeriesRole.CT) is not None

    def test_image_of_unknown_kind(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetLayoutError, match=r"says neither PET nor CT.*Rename"):
            scan_dataset(save_pet(tmp_path / "scan.nii.gz"))

    def test_a_word_inside_a_word_is_no_kind(self, tmp_path: Path) -> None:
        # "petra" holds pet and "fact" holds ct, but not as words.
        save_pet(tmp_path / "petra.nii.gz")
        save_pet(tmp_path / "fact.nii.gz")
        with pytest.raises(DatasetLayoutError):
            scan_dataset(tmp_path)

    def test_time_series(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetLayoutError, match=r"4 dimensions|frames"):
            scan_dataset(save_pet(tmp_path / "pet.nii.gz", frames=4))


class TestOrderOfDetection:
    """The promise of the table: manifest, JSON Lines, named layouts, DICOM, plain names."""

    def test_mixed_folder(self, tmp_path: Path) -> None:
        from tests.layout_files import build_dicom, build_manifest

        build_pair(tmp_path)
        assert scan_dataset(tmp_path).layout == "image-pair"
        build_dicom(tmp_path)
        assert scan_dataset(tmp_path).layout == "dicom"
        build_bids(tmp_path)
        assert scan_dataset(tmp_path).layout == "bids-pet"
        build_nnunet(tmp_path)
        assert scan_dataset(tmp_path).layout == "nnunet"
        build_autopet(tmp_path)
        assert scan_dataset(tmp_path).layout == "autopet"
        build_benchmark(tmp_path)
        assert scan_dataset(tmp_path).layout == "pet2rep-jsonl"
        build_manifest(tmp_path)
        assert scan_dataset(tmp_path).layout == "manifest"
        assert scan_dataset(tmp_path, layout="bids-pet").layout == "bids-pet"

    def test_pet_and_ct_in_capitals_are_not_autopet(self, tmp_path: Path) -> None:
        # Only the layout of autoPET says that PET is in Bq/mL, so plain names must not claim it.
        save_pet(tmp_path / "PET.nii.gz")
        save_ct(tmp_path / "CT.nii.gz")
        scan = scan_dataset(tmp_path)
        assert scan.layout == "image-pair"
        assert scan.cases[0].used(SeriesRole.PET).units is None  # type: ignore[union-attr]

    def test_bids_with_rawdata_is_not_petwb(self, tmp_path: Path) -> None:
        build_bids(tmp_path / "rawdata")
        scan = scan_dataset(tmp_path)
        assert scan.layout == "bids-pet"
        assert "sub-03" in by_id(scan)


def test_names_that_are_no_utf8_can_be_printed(tmp_path: Path) -> None:
    # A folder unpacked from a GBK archive: the bytes of 病例 in GBK are no UTF-8.
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "病例".encode("gbk")))
    save_pet(folder / "1_suv.nii.gz")
    save_text(folder / "2_suv.nii.gz", "no image")
    scan = scan_dataset(tmp_path)
    assert len(scan.cases) == len(scan.errors) == 1
    text = scan.cases[0].case_id + scan.errors[0].where + scan.errors[0].reason
    assert text.encode("utf-8")


def test_a_thousand_cases_take_seconds(tmp_path: Path) -> None:
    save_pet(tmp_path / "one.nii.gz")
    for n in range(1000):
        study = tmp_path / "d" / f"PETCT_{n:04d}" / "study"
        study.mkdir(parents=True)
        for name in ("SUV", "CTres"):
            os.link(tmp_path / "one.nii.gz", study / f"{name}.nii.gz")
    start = time.perf_counter()
    scan = scan_dataset(tmp_path / "d")
    assert len(scan.cases) == 1000
    # 2,000 headers at 0.3 ms each, with room for a busy machine.
    assert time.perf_counter() - start < 15


@pytest.mark.real
def test_real_autopet_names(real_data: Path) -> None:
    # Sizes as in the folder's README: PET 128 x 128 x 135 of 4.6875 x 4.6875 x 3.27 mm, CTres on the same grid.
    scan = scan_dataset(real_data / "acrin042_nifti")
    (case,) = scan.cases
    assert (scan.layout, case.case_id) == ("autopet", "acrin042_nifti")
    assert case.used(SeriesRole.PET).size == (128, 128, 135)  # type: ignore[union-attr]
    assert case.used(SeriesRole.PET).orientation == "LPS"  # type: ignore[union-attr]
    loaded = load_case(case)
    assert loaded.pet is not None
    assert loaded.ct is not None
    assert loaded.pet_unit is PetUnit.SUVBW
    assert any("few per cent" in text for text in loaded.warnings)
    # expected.json of the folder: SUVmax 51.0933 at z, y, x = 10, 63, 51.
    assert loaded.pet.values[51, 63, 10] == pytest.approx(51.0933, abs=1e-3)
    assert loaded.pet.values.max() == pytest.approx(51.0933, abs=1e-3)
    assert loaded.ct.values.min() < -1024


@pytest.mark.real
def test_real_benchmark_record(real_data: Path) -> None:
    scan = scan_dataset(real_data / "pet2rep_demo")
    (case,) = scan.cases
    assert (scan.layout, case.case_id) == ("pet2rep-jsonl", "demo_001")
    assert [path.name for path in case.pictures] == [f"demo_{y}_coronal.jpg" for y in (90, 100, 110)]
    assert case.problems == (
        "Pictures were found by name beside prompt_qwen25vl.jsonl; it says that they are in 'slice_prompt'.",
    )
    (report,) = case.reports
    assert report.language is Language.CHINESE
    assert report.findings.startswith("禁食状态下")
    assert report.findings.endswith("全身骨骼未见异常FDG代谢。")
    assert report.impression.startswith("1.a.右肺下叶外基底段占位")
