"""The exact text of the input setting that goes beyond the paper, and the numbers in it against an own reading."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from pet2rep_core.imaging.hot_regions import find_hot_regions
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared, prepare_case
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.prompts.prompt import MEASURED, read_prompt, render_prompt
from pet2rep_core.records import Language, PetUnit, SuvFactors
from pet2rep_core.workflow.measured_regions import measured_regions, measured_table
from tests.phantom_cases import case_of

FOLDER = Path(__file__).parent / "prompts"
CASE = "demo-01"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> PreparedCase:
    demo = case_of(CASE)
    root = tmp_path_factory.mktemp("prepared")
    key = prepare_case(root, pet=demo.pet, pet_unit=PetUnit.SUVBW, suv=SuvFactors(bw=1.0), ct=demo.ct)
    return open_prepared(root, key)


@pytest.mark.parametrize("language", list(Language))
def test_prompt_with_measurements(images, language):
    prompt = read_prompt("standard", language)
    table = measured_table(measured_regions(images, images.key_slices.indices), prompt)
    rendered = render_prompt(prompt, input_setting=MEASURED, n_images=3, measured=table)
    golden = (FOLDER / f"standard_{language.value}_{MEASURED}_3.txt").read_text(encoding="utf-8")
    assert f"{rendered.system}\n=====\n{rendered.user}\n" == golden


@pytest.mark.parametrize("language", list(Language))
def test_prompt_without_a_hot_region(language):
    table = measured_table((), read_prompt("standard", language))
    assert (
        table.splitlines()[-1]
        == {
            Language.CHINESE: "三维PET中没有SUV不低于4.0的区域。",
            Language.ENGLISH: "The PET has no region of SUV 4.0 or more.",
        }[language]
    )


def test_regions_against_another_way_to_count_them(images):
    """Witness: a label image of the whole volume, with numpy's own maximum and count for each label."""
    pet = images.pet
    values = np.asarray(pet.values)
    labels, count = ndimage.label(values >= 4.0, structure=ndimage.generate_binary_structure(3, 3))
    numbers = np.arange(1, count + 1)
    millilitres = ndimage.sum_labels(np.ones_like(values), labels, numbers) * np.prod(pet.spacing_mm) / 1000
    hottest = ndimage.maximum(values, labels, numbers)
    wanted = sorted(zip(hottest[millilitres >= 0.3], millilitres[millilitres >= 0.3], strict=True), reverse=True)[:12]
    found = [(region.suv_max, region.volume_ml) for region in find_hot_regions(pet)]
    assert np.allclose(found, wanted)
    assert all(values[region.place] == np.float32(region.suv_max) for region in find_hot_regions(pet))


def test_the_lesions_that_the_demo_case_was_built_with_are_in_the_table(images):
    """Witness: the case's own description puts the mass into the right lung and a node at the left adrenal."""
    found = measured_regions(images, images.key_slices.indices)
    named = [(one.organs[0], one.side) for one in found]
    assert named[0][0] == "bladder"  # the hottest of all, with SUV 22 in the description
    assert ("lung", "right") in named
    assert ("adrenal", "left") in named
    assert ("brain", "middle") in named
    assert named.count(("kidney", "left")) + named.count(("kidney", "right")) >= 2


def test_noise_of_a_few_voxels_is_no_region():
    values = np.zeros((9, 9, 9), np.float32)
    values[1, 1, 1] = 40.0
    values[4:8, 4:8, 4:8] = 5.0
    pet = Volume(values, np.diag([2.0, 2.0, 2.0, 1.0]))
    [region] = find_hot_regions(pet)
    assert (region.suv_max, region.volume_ml) == (5.0, pytest.approx(64 * 8 / 1000))
    assert find_hot_regions(Volume(np.full((4, 4, 4), np.nan, np.float32), np.eye(4))) == ()
