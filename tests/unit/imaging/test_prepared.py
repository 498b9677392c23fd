"""Prepared cases: named by content, mapped, read-only, and never half there."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pet2rep_core.errors import ImageGeometryError, ImageReadError, StoreError
from pet2rep_core.imaging import prepared
from pet2rep_core.imaging.organ_masks import OrganPlace
from pet2rep_core.imaging.prepared import (
    PreparedCase,
    open_prepared,
    picture_type,
    prepare_case,
    remove_leftovers,
    verify_prepared,
)
from pet2rep_core.imaging.resample import ct_on_pet_grid
from pet2rep_core.imaging.volume import Array, Volume
from pet2rep_core.records import PetUnit, SuvFactors

PROJECT = Path(__file__).parents[3]
SUV = SuvFactors(bw=0.0004, lbm=0.0003, time_rule="series-time", warnings=("A warning.",))
DAMAGED = "The prepared images of this case are missing or damaged."


def volume_of(values: Array, spacing: tuple[float, ...], origin: tuple[float, ...]) -> Volume:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Volume(values, affine)


def pet_of(seed: int = 1) -> Volume:
    values = np.random.default_rng(seed).gamma(2, 1, (20, 18, 16)).astype(np.float32)
    return volume_of(values, (4, 4, 3), (-38, -34, -22.5))


def ct_of(seed: int = 1) -> Volume:
    values = np.random.default_rng(seed).integers(-3024, 1400, (50, 48, 30)).astype(np.int16)
    return volume_of(values, (1.6, 1.6, 1.6), (-39.2, -37.6, -23.2))


def prepare(root: Path, pet: Volume | None = None, ct: Volume | None = None, **more: object) -> str:
    unit = None if pet is None else PetUnit.SUVBW
    settings: dict[str, object] = {"pet_unit": unit, "suv": SUV, **more}
    return prepare_case(root, pet=pet, ct=ct, **settings)  # type: ignore[arg-type]


def folder_of(root: Path, key: str) -> Path:
    return root / key[:2] / key


def stored(root: Path) -> list[str]:
    """Names of everything below the root that is a file or half-built."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() or "build" in path.name)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, ...]:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n, name in enumerate(("a_90.png", "b_100.jpg", "c_110.JPEG")):
        Image.new("RGB", (8, 6), (50 * n, 10, 10)).save(folder / name, format=None if n else "PNG")
    return tuple(sorted(folder.iterdir()))


# --- what is in it ---


def test_pet_and_ct(tmp_path: Path) -> None:
    pet, ct = pet_of(), ct_of()
    key = prepare(tmp_path, pet, ct, warnings=("Look here.",))
    case = open_prepared(tmp_path, key)
    assert case.pet is not None
    assert case.ct is not None
    assert case.ct_fine is not None
    assert case.grid is case.pet
    assert np.array_equal(case.pet.values, pet.values)
    assert np.array_equal(case.ct.values, ct_on_pet_grid(ct, pet).values)
    assert np.array_equal(case.ct_fine.values, np.maximum(ct.values, -1024))
    assert case.ct.same_grid(case.pet, tolerance_mm=0)
    assert np.array_equal(case.ct_fine.affine_lps, ct.affine_lps)
    assert (case.pet_unit, case.suv, case.warnings, case.pictures) == (PetUnit.SUVBW, SUV, ("Look here.",), ())
    assert case.key_slices is not None
    assert len(case.key_slices.indices) == 3
    assert verify_prepared(tmp_path, key) == []


def test_arrays_are_mapped_and_read_only(tmp_path: Path) -> None:
    case = open_prepared(tmp_path, prepare(tmp_path, pet_of(), ct_of()))
    for volume, dtype in ((case.pet, np.float32), (case.ct, np.int16), (case.ct_fine, np.int16)):
        assert volume is not None
        assert isinstance(volume.values, np.memmap)
        assert volume.values.dtype == dtype
        assert volume.values[:, 3, :].flags.f_contiguous  # a coronal plane in one piece of the file
        with pytest.raises(ValueError, match="read-only"):
            volume.values[0, 0, 0] = 1


def test_volumes_are_turned_to_lps(tmp_path: Path) -> None:
    pet = pet_of()
    affine = pet.affine_lps.copy()
    affine[0] *= -1  # the first axis now grows to the right
    case = open_prepared(tmp_path, prepare(tmp_path, Volume(pet.values, affine)))
    assert case.pet is not None
    assert case.pet.orientation == "LPS"
    assert np.array_equal(case.pet.values, pet.values[::-1])


def test_pet_only(tmp_path: Path) -> None:
    case = open_prepared(tmp_path, prepare(tmp_path, pet_of(), pet_unit=PetUnit.COUNTS, suv=SuvFactors(reason="No.")))
    assert (case.ct, case.ct_fine, case.pet_unit, case.suv.reason) == (None, None, PetUnit.COUNTS, "No.")
    assert case.key_slices is not None


def test_ct_only(tmp_path: Path) -> None:
    case = open_prepared(tmp_path, prepare(tmp_path, ct=ct_of()))
    assert (case.pet, case.ct_fine, case.pet_unit) == (None, None, None)
    assert case.ct is not None
    assert case.grid is case.ct
    assert case.ct.values.shape == (50, 48, 30)
    assert case.key_slices is not None


def test_ct_that_is_on_the_pet_grid_is_kept_once(tmp_path: Path) -> None:
    pet = pet_of()
    ct = Volume(np.full(pet.values.shape, 40, np.int16), pet.affine_lps)
    key = prepare(tmp_path, pet, ct)
    case = open_prepared(tmp_path, key)
    assert case.ct is not None
    assert case.ct_fine is None
    assert sorted(p.name for p in folder_of(tmp_path, key).iterdir()) == [
        "case.json", "ct.npy", "pet.npy", "sizes.json",
    ]  # fmt: skip


def test_pictures_only(tmp_path: Path, pictures: tuple[Path, ...]) -> None:
    key = prepare(tmp_path, pictures=pictures, suv=SuvFactors(reason="No PET."))
    case = open_prepared(tmp_path, key)
    assert (case.pet, case.ct, case.grid, case.key_slices) == (None, None, None, None)
    assert [p.read_bytes() for p in case.pictures] == [p.read_bytes() for p in pictures]
    assert [picture_type(p) for p in case.pictures] == ["image/png", "image/jpeg", "image/jpeg"]
    assert not any(stem in p.name for p in case.pictures for stem in ("a_90", "b_100"))  # names may name a patient
    assert verify_prepared(tmp_path, key) == []
    assert prepare(tmp_path, pictures=pictures[::-1], suv=SuvFactors(reason="No PET.")) != key  # the order counts


ORGANS = {
    "liver": OrganPlace((3, 4, 5), ((2, 5), (3, 6), (4, 7)), 1500.25, (3, 4, 6), 2.5),
    "kidney_left": OrganPlace((9, 9, 9), ((9, 10), (9, 10), (9, 10)), 0.1),
}


def test_places_of_organs_are_kept(tmp_path: Path) -> None:
    key = prepare(tmp_path, pet_of(), organs=ORGANS)
    assert open_prepared(tmp_path, key).organs == ORGANS
    assert verify_prepared(tmp_path, key) == []
    assert key != prepare(tmp_path, pet_of())
    assert open_prepared(tmp_path, prepare(tmp_path, pet_of())).organs == {}


def test_a_case_of_version_2_opens_without_organs(tmp_path: Path) -> None:
    """The index as version 2 wrote it: it knew no organs."""
    folder = folder_of(tmp_path, prepare(tmp_path, pet_of(), ct_of()))
    index = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    del index["organs"]
    index["version"] = 2
    text = json.dumps(index, sort_keys=True, ensure_ascii=False, indent=1)
    key = hashlib.sha256(text.encode("utf-8")).hexdigest()
    old = folder_of(tmp_path, key)
    shutil.copytree(folder, old)
    (old / "case.json").write_text(text, encoding="utf-8")
    sizes = {path.name: path.stat().st_size for path in old.iterdir() if path.name != "sizes.json"}
    (old / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")
    case = open_prepared(tmp_path, key)
    assert case.organs == {}
    assert case.pet is not None
    assert verify_prepared(tmp_path, key) == []


# --- named by content ---


def test_the_same_content_is_written_once(tmp_path: Path) -> None:
    key = prepare(tmp_path, pet_of(), ct_of())
    before = {p: p.stat().st_mtime_ns for p in folder_of(tmp_path, key).iterdir()}
    pet = pet_of()
    affine = pet.affine_lps.copy()
    affine[:3, 2] *= -1
    affine[2, 3] += 15 * 3  # the same voxels, stored feet last
    assert prepare(tmp_path, pet_of(), ct_of()) == key
    assert prepare(tmp_path, Volume(pet.values[:, :, ::-1], affine), ct_of()) == key
    assert {p: p.stat().st_mtime_ns for p in folder_of(tmp_path, key).iterdir()} == before
    assert len(list(tmp_path.glob("??/*"))) == 1
    assert re.fullmatch(r"[0-9a-f]{64}", key)


def test_any_other_content_has_another_key(tmp_path: Path) -> None:
    pet = pet_of()
    nudged, moved = pet.values.copy(), pet.affine_lps.copy()
    nudged[3, 4, 5] = np.nextafter(nudged[3, 4, 5], 99, dtype=np.float32)
    moved[0, 3] += 1e-3
    keys = {
        prepare(tmp_path, pet),
        prepare(tmp_path, Volume(nudged, pet.affine_lps)),
        prepare(tmp_path, Volume(pet.values, moved)),
        prepare(tmp_path, pet, warnings=("x",)),
        prepare(tmp_path, pet, suv=SuvFactors(bw=1.0)),
        prepare(tmp_path, pet, pet_unit=PetUnit.COUNTS),
        prepare(tmp_path, pet, ct_of()),
    }
    assert len(keys) == 7


# --- damage ---


def whole_case(root: Path, pictures: tuple[Path, ...]) -> str:
    return prepare(root, pet_of(), ct_of(), pictures=pictures)


@pytest.mark.parametrize("harm", ["missing", "shorter", "longer", "empty"])
@pytest.mark.parametrize("name", ["pet.npy", "ct.npy", "ct_fine.npy", "case.json", "sizes.json", "*.png"])
def test_a_file_of_another_length_is_noticed_on_opening(
    tmp_path: Path, pictures: tuple[Path, ...], name: str, harm: str
) -> None:
    key = whole_case(tmp_path, pictures)
    (file,) = folder_of(tmp_path, key).glob(name)
    data = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes({"shorter": data[:-1], "longer": data + b"{", "empty": b""}[harm])
    with pytest.raises(ImageReadError) as caught:
        open_prepared(tmp_path, key)
    assert caught.value.message == DAMAGED
    assert caught.value.hint == "Import the case again; ratings stay."
    assert whole_case(tmp_path, pictures) == key
    assert verify_prepared(tmp_path, key) == []


@pytest.mark.parametrize("text", ["[]", "{}", "null", "1", '{"pet.npy": "x"}'])
def test_a_sizes_file_that_says_something_else(tmp_path: Path, text: str) -> None:
    key = prepare(tmp_path, pet_of())
    (folder_of(tmp_path, key) / "sizes.json").write_text(text)
    (folder_of(tmp_path, key) / "case.json").unlink()
    with pytest.raises(ImageReadError, match="missing or damaged"):
        open_prepared(tmp_path, key)


def what_is_wrong(root: Path, key: str) -> str:
    """The first thing that verifying finds, or the refusal to open the case at all."""
    try:
        return next(iter(verify_prepared(root, key)), "")
    except ImageReadError as error:
        return error.message


def test_verify_notices_a_flipped_byte_anywhere(tmp_path: Path, pictures: tuple[Path, ...]) -> None:
    key = whole_case(tmp_path, pictures)
    chance = np.random.default_rng(4)
    in_words = set()
    for file in sorted(folder_of(tmp_path, key).iterdir()):
        if file.name == "sizes.json":  # says nothing of the content
            continue
        data = file.read_bytes()
        # Of an array the header ends with blanks that have no meaning.
        places = [8, 30, *chance.integers(128, len(data), 4)] if file.suffix == ".npy" else [*range(0, len(data), 7)]
        for place in places[:60]:
            wrong = bytearray(data)
            wrong[place] ^= 0x02  # '<' becomes '>', 2 becomes 0, a becomes c
            file.write_bytes(wrong)
            found = what_is_wrong(tmp_path, key)
            assert found == DAMAGED or found.startswith(f"{file.name} does not have the"), (file.name, place)
            in_words |= {file.suffix} - ({file.suffix} if found == DAMAGED else set())
        file.write_bytes(data)
    assert in_words == {".npy", ".json", ".png", ".jpg", ".jpeg"}
    assert verify_prepared(tmp_path, key) == []


def test_a_turned_byte_order_is_noticed_on_opening(tmp_path: Path) -> None:
    key = prepare(tmp_path, pet_of())
    file = folder_of(tmp_path, key) / "pet.npy"
    file.write_bytes(file.read_bytes().replace(b"'<f4'", b"'>f4'", 1))
    assert np.load(file).dtype.byteorder == ">"
    with pytest.raises(ImageReadError, match="missing or damaged"):
        open_prepared(tmp_path, key)


def test_a_damaged_case_is_built_again(tmp_path: Path) -> None:
    key = prepare(tmp_path, pet_of())
    (folder_of(tmp_path, key) / "pet.npy").write_bytes(b"")
    assert prepare(tmp_path, pet_of()) == key
    assert verify_prepared(tmp_path, key) == []
    assert remove_leftovers(tmp_path) == 0


# --- crashes and full disks ---


def test_a_half_built_folder_does_not_disturb_and_is_removed(tmp_path: Path) -> None:
    key = prepare(tmp_path, pet_of())
    half = tmp_path / f".build-{key[:12]}-0123abcd"
    shutil.copytree(folder_of(tmp_path, key), half)
    (half / "sizes.json").unlink()
    (half / "pet.npy").write_bytes(b"half")
    assert isinstance(open_prepared(tmp_path, key), PreparedCase)
    assert prepare(tmp_path, pet_of()) == key
    other = prepare(tmp_path, pet_of(2))
    assert remove_leftovers(tmp_path) == 1
    assert not half.exists()
    assert verify_prepared(tmp_path, key) == verify_prepared(tmp_path, other) == []
    assert remove_leftovers(tmp_path) == 0
    assert remove_leftovers(tmp_path / "absent") == 0


def test_a_case_that_another_import_finished_first_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = prepare(tmp_path, pet_of())
    answers = iter([False])  # as if it had not been there when this import began
    really = prepared._is_whole
    monkeypatch.setattr(prepared, "_is_whole", lambda folder: next(answers, None) is not False and really(folder))
    assert prepare(tmp_path, pet_of()) == key
    assert [p.name for p in tmp_path.glob(".build-*")] == []
    assert verify_prepared(tmp_path, key) == []


FULL_DISK = """
    import json, resource, sys
    from pathlib import Path
    from pet2rep_core.errors import StoreError
    from pet2rep_core.imaging.prepared import verify_prepared
    from tests.unit.imaging.test_prepared import ct_of, pet_of, prepare, stored

    root, limit = Path(sys.argv[1]), int(sys.argv[2])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        prepare(root, pet_of(), ct_of())
        message = hint = "none"
    except StoreError as error:
        message, hint = error.message, error.hint
    left = stored(root)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    key = prepare(root, pet_of(), ct_of())
    print(json.dumps([message, hint, left, verify_prepared(root, key)]))
"""


@pytest.mark.parametrize("limit", [0, 50, 5_000, 30_000, 130_000])
def test_files_that_cannot_grow_leave_nothing_behind(tmp_path: Path, limit: int) -> None:
    """The system's own limit on the size of files: the PET takes 23 kB, the fine CT 144 kB."""
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path), str(limit)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    message, hint, left, problems = json.loads(done.stdout)
    assert message.startswith("The prepared case could not be written: ")
    assert message.endswith((": File too large.", ": the disk took only a part of it."))
    assert hint == "Free some space and import again."
    assert left == problems == []


@pytest.fixture
def small_disk(tmp_path: Path):  # type: ignore[no-untyped-def]
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small tmpfs is not permitted here; the tests above limit the size of files instead")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_nothing_behind(small_disk: Path) -> None:
    key = prepare(small_disk, pet_of())
    kept = stored(small_disk)
    with pytest.raises(StoreError) as caught:
        prepare(small_disk, pet_of(), ct_of())
    assert caught.value.message.startswith("The prepared case could not be written: ")
    assert caught.value.hint == "Free some space and import again."
    assert stored(small_disk) == kept
    assert verify_prepared(small_disk, key) == []


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("x")
    with pytest.raises(StoreError, match="Not a directory"):
        prepare(tmp_path / "root", pet_of())


# --- refusals ---


@pytest.mark.parametrize(
    "key",
    ["", "../../../etc/passwd", "a" * 63, "a" * 65, "A" * 64, "../" + "a" * 61, "a" * 63 + "/", "a" * 63 + "\n"],
)
def test_a_key_that_could_leave_the_folder_is_refused(tmp_path: Path, key: str) -> None:
    for action in (open_prepared, verify_prepared):
        with pytest.raises(ImageReadError, match="is not the key of a prepared case"):
            action(tmp_path, key)


def test_an_unknown_key(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError) as caught:
        open_prepared(tmp_path, "a" * 64)
    assert caught.value.message == DAMAGED


def test_nothing_to_show_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError) as caught:
        prepare(tmp_path)
    assert caught.value.message == "The case has no images."
    assert stored(tmp_path) == []


def test_volumes_of_two_patients_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    ct = ct_of()
    affine = ct.affine_lps.copy()
    affine[2, 3] += 400
    with pytest.raises(ImageGeometryError, match="covers only 0% of the PET head to foot"):
        prepare(tmp_path, pet_of(), Volume(ct.values, affine))
    assert stored(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.gif", b"GIF89a", "a.gif is not a PNG or JPEG picture."),
        ("a.png", b"not a picture", "a.png does not contain a PNG or JPEG picture."),
        ("a.png", b"", "a.png does not contain a PNG or JPEG picture."),
        ("a.png", None, "a.png cannot be read: No such file or directory."),
    ],
)
def test_pictures_that_are_none(tmp_path: Path, name: str, data: bytes | None, sentence: str) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ImageReadError) as caught:
        prepare(tmp_path / "root", pictures=(path,))
    assert caught.value.message == sentence
    assert list((tmp_path / "root").rglob("*")) == []
