"""The built-in demo study: synthetic whole-body FDG PET/CT cases with reports that are true of them.

The cases, the tissues and the wording are plain files in ``data/demo``; this package paints, scans and
measures them. Nothing here comes from a patient.
"""

from pet2rep_core.datasets.phantom.case import PHANTOM_VERSION, DemoCase, TruthItem, make_demo_case
from pet2rep_core.datasets.phantom.spec import demo_case_ids

__all__ = ["PHANTOM_VERSION", "DemoCase", "TruthItem", "demo_case_ids", "make_demo_case"]
