"""How English reports state uptake: the wording, as patterns over normalised text.

Patterns stand in order of precedence; the leftmost match wins, so a negation is read before what it denies.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pet2rep_core.records import UptakeState
from pet2rep_core.report.uptake_words import Statement

_NORMAL, _INCREASED, _DECREASED, _ABSENT = (
    UptakeState.NORMAL,
    UptakeState.INCREASED,
    UptakeState.DECREASED,
    UptakeState.ABSENT,
)

_TRACER = (
    r"(?:(?:18f-?|f-?18[- ]?)?fdg|tracer|radiotracer|radioactivity|radioactive"
    r"|glucose|metabolic|radiopharmaceutical)"
)
UPTAKE = (
    rf"(?:(?:{_TRACER}[- ])*(?:uptake|metabolism|accumulation|activity"
    rf"|avidity|concentration|hypermetabolism)"
    rf"|{_TRACER} distribution|radioactivity distribution|distribution of "
    rf"(?:{_TRACER}|radioactivity)|radioactivity)"
)
_BE = (
    r"(?:\b(?:is|are|was|were|be|been|being|appears?|remains?|seems?|shows?"
    r"|demonstrates?|has|have|to be|looks?)\b ?)"
)
_ADV = (
    r"(?:(?:mildly|markedly|moderately|slightly|significantly|diffusely"
    r"|focally|intensely|abnormally|somewhat|clearly|definitely|definitively|convincingly|appreciably|visually|heterogeneously|"
    r"homogeneously|relatively|still|also|again|all|both|faintly|only"
    r"|minimally|strongly|visibly|very|more|generally|"
    r"symmetrically|asymmetrically|unevenly|substantially|severely|overall|currently|now) )"
)
_DEGREE = (
    r"(?:increased|increase in|increases in|elevated|elevation of|intense"
    r"|intensely|marked|markedly|slight|slightly|moderate|moderately|mild|mildly|high"
    r"|higher|avid|focal|"
    r"abnormal|abnormally|diffuse|diffusely|strong|prominent|heterogeneous"
    r"|low[- ]grade|low[- ]level|faint|pathologic|pathological|excessive|raised|enhanced"
    r"|"
    r"slightly increased|asymmetric|persistent|residual|multifocal|patchy"
    r"|ring-like|linear|nodular|greater(?! (?:curv|troch|oment|saph|wing))|heightened|stable|unchanged|degenerative"
    r"|inflammatory|reactive|infectious|post-?(?:surgical|operative|traumatic|radiation|treatment)|treatment-related"
    r"|nonspecific|non-specific|segmental|tubular|punctate|subtle|minimal|rim|peripheral|discrete|solitary|curvilinear"
    r"|annular|circumferential|ring|robust|significant|substantial|considerable|extensive|widespread|scattered"
    r"|(?:foc(?:us|i)|areas?|sites?|regions?|spots?) of|vigorous|extreme|bright|hot|malignant|tumou?r(?:al|ous)?"
    r"|suspicious|concerning|variable|disproportionate|unexpected|gradient of)"
)
_NO = (
    r"\b(?:no|none|nothing|without|neither|nor|not|negative for|free of|lack of|lacks?"
    r"|lacking|clear of|absence of (?:any |abnormal|increased|significant|focal))"
)
_OPEN = (
    r"(?:(?!\b(?:but|however|although|whereas|while|shows?|demonstrates?"
    r"|there (?:is|are))\b|, ?(?:with|which|showing|demonstrating|its"
    r"|the|fdg|uptake|mild|moderate|intense|markedly)\b)[^.;:])"
)
_LISTED = (
    r"(?:(?!\b(?:is|are|was|were|be|shows?|demonstrates?|exhibits?|has|have|appears?|remains?|but|with|without|no|not"
    rf"|which|there|than|normal|increased|decreased|reduced|absent|{UPTAKE})\b)[^,;.])"
)
# The places of an uptake, ahead of its state: one phrase, or a list "A, B and C" without a verb or a state in it.
_NUMBER_POINT = r"\.(?=\d)"
_PLACES = (
    rf"(?:(?:[^,;.]|{_NUMBER_POINT}){{1,60}}?"
    rf"|{_LISTED}{{1,60}}(?:, ?{_LISTED}{{1,40}}){{0,8}},? ?\b(?:and|or) {_LISTED}{{1,40}}?)"
)

_VALUE = r"(?: \([^()]{1,40}\))?"
_SAID = r"(?:, ?SUV\s?-?max[^,;]{1,20},)?"
# the value of an uptake, between its place and its state

_CALM_PLACES = (
    r"(?:(?![^,;.]{0,70}?\b(?:is|are|was|were) (?:\w+ly )?(?:intense|increased|elevated|avid|prominent|marked)\b)"
    rf"{_PLACES})"
)
# places of an uptake that is called high in no words before the next comma

_ROWS: tuple[tuple[str, UptakeState | None, str], ...] = (
    (
        "resolved",
        _NORMAL,
        rf"\bno longer (?:\w+ ){{0,2}}?(?:{_TRACER}[- ])?(?:avid|hypermetabolic"
        rf"|increased|elevated|active|present|seen|visible|abnormal|demonstrat\w+"
        rf"|show\w*)(?: \w+){{0,2}}?(?: {UPTAKE})?"
        rf"|\b(?:resolution|normali[sz]ation|disappearance) of (?:\w+ ){{0,4}}?(?:{UPTAKE}"
        rf"|hypermetabolism|fdg[- ]avid\w*)"
        r"|\bcomplete metabolic (?:response|resolution|remission)"
        rf"|\bresolved (?:\w+ ){{0,2}}?(?:{UPTAKE}|hypermetaboli\w+|(?:fdg[- ])?avid\w*)"
        rf"|{UPTAKE} ?(?:{_BE}|{_ADV}|that |which )*return(?:ing|s|ed) to (?:the )?(?:normal|background|baseline)"
        rf"|(?:{UPTAKE} ?(?:{_BE}|{_ADV})*)?\b(?:has|have|had) (?:\w+ ){{0,2}}?"
        rf"(?:resolved|normali[sz]ed|returned to (?:normal|background|baseline)"
        rf"|disappeared)",
    ),
    ("no abnormal uptake", _NORMAL, r"\bhypermetabolism (?:is|was|has been) (?:now )?absent"),
    ("uptake absent", _ABSENT, r"\bphotopeni\w+|\bphoto(?:n[- ]?|-)?(?:deficien|defect)\w*"),
    (
        "uptake absent",
        _ABSENT,
        rf"\b(?:absent|absence of|complete absence of|complete loss of) (?!abnormal"
        rf"|increased|any|significant|focal)(?:{_TRACER}[- ])*(?:uptake|activity"
        rf"|metabolism|accumulation)"
        rf"|\babsent (?!abnormal|increased|any|significant|focal)(?:\w+ ){{0,2}}?{UPTAKE}"
        rf"|{UPTAKE} (?:{_BE}|{_ADV})*absent\b"
        rf"|{UPTAKE} (?:in|of|within|along|throughout|by|at)\b{_PLACES} ?{_BE}(?:{_BE}|{_ADV})*absent\b"
        r"|\b(?:uptake|perfusion|tracer"
        rf"|activity|metabolic|fdg) (?:defects?|void)|\bdefects? (?:of|in) (?:\w+ )?(?:uptake|tracer"
        rf"|activity|metabolism)|\bcold (?:area|defect"
        rf"|spot|lesion|focus|nodule)s?"
        rf"|\b(?:devoid|void) of (?:{_TRACER}[- ])*(?:uptake|activity)?",
    ),
    (
        "not avid",
        _NORMAL,
        rf"\bnon-? ?(?:fdg)?[- ]?(?:avid|hypermetabolic)\b|\bnot (?:{_ADV})?"
        rf"(?:fdg[- ]?)?(?:avid|hypermetabolic|metabolically active)|\b(?:fdg|pet)[- ]negative|\bmetabolically "
        rf"(?:inactive|quiet|silent|normal)"
        rf"|\b(?:no|without|lacks?|lacking)(?: an?)?(?: \w+){{0,2}}? (?:{_TRACER}|pet)[- ]correlates?"
        r"|\bnormometabolic|\bisometabolic|\beumetabolic|\bmetabolically quiescent"
        r"|\bdeauville (?:score |criteria |category )?(?:of )?[123]\b",
    ),
    (
        "no abnormal uptake",
        _NORMAL,
        rf"\b(?:(?:abnormal|increased|focal|pathologic\w*|suspicious|significant|residual) {UPTAKE}|hypermetabolism)"
        rf"(?: (?:in|of|within|along|at|throughout)\b{_PLACES})?{_SAID} (?:is|are|was|were) (?:absent"
        rf"|not (?:{_ADV})*(?:seen|identified"
        r"|present|appreciated|evident|demonstrated|noted|visuali[sz]ed|detected)"
        r"(?! (?:on|in|at) (?:the )?(?:prior|previous|earlier|last|baseline|outside|old)))"
        rf"|\b(?:does|do|did) not (?:\w+ )?(?:take up|accumulate|concentrate)(?: {_TRACER})?"
        rf"|\b(?:neither|none of)\b[^.;]{{0,90}}?\btakes? up {_TRACER}",
    ),
    (
        "uptake seen",
        _INCREASED,
        rf"\b(?:takes?|taking) up (?:the )?{_TRACER}(?: avidly| intensely)?|\b{_TRACER} accumulates(?: \w+ly)?",
    ),
    (
        "no abnormal uptake",
        _NORMAL,
        r"\b(?:neither|none of)\b[^.;]{0,90}?\b(?:shows?|demonstrates?|exhibits?"
        r"|has|have|is|are)\b[^.;,]{0,40}?"
        rf"(?:{UPTAKE}|hypermetabolic|(?:fdg[- ]?)?avid\w*)",
    ),
    (
        "excreted",
        _NORMAL,
        r"\b(?:fdg|tracer|urinary|radiotracer|physiolog\w+) excretion\b|\bexcreted "
        r"(?:fdg|tracer|radiotracer|urine|activity)"
        rf"|\b(?:(?:expected|physiologic(?:al)?|excreted|normal) )?urinary {UPTAKE}"
        r"|\bexcret(?:e|es|ing|ion of) (?:the )?(?:fdg|tracer|radiotracer|radiopharmaceutical|activity)(?: normally)?",
    ),
    (
        "no higher",
        _NORMAL,
        rf"{UPTAKE} ?(?:{_BE}|{_ADV}|does |do |did )*(?:not|no) (?:\w+ )?(?:higher|greater|above|more|exceed\w*)"
        r"[^,;]{0,30}",
    ),
    (
        "not seen",
        _NORMAL,
        rf"{UPTAKE}{_VALUE}(?: (?:in|of|within|along|throughout|by|at|from)\b{_PLACES})?{_SAID} (?:is|are|was"
        rf"|were) not "
        rf"(?:{_ADV}|definitely )*(?:seen|identified|present|appreciated|evident|demonstrated|noted"
        rf"|visuali[sz]ed|detected)(?! (?:on|in|at) (?:the )?(?:prior|previous|earlier|last|baseline|outside|old))"
        rf"|\b(?:fails?|failed) to (?:show|demonstrate|exhibit) (?:\w+ ){{0,2}}?{UPTAKE}"
        rf"|\b(?:negligible|unremarkable|insignificant) (?:\w+ )?{UPTAKE}",
    ),
    (
        "no abnormal uptake",
        _NORMAL,
        rf"{_NO}\b(?!(?: \w+){{0,3}}? (?:changes?|difference) (?:in|of"
        rf"|from)\b){_OPEN}{{0,70}}?(?:{UPTAKE}(?: abnormalit\w+| lesions?| foc\w+)?"
        rf"|hypermetaboli\w+|(?:fdg|tracer)[- ]?avid\w*|\bavid\b)"
        r"(?: (?:lymph ?aden\w+|adenopathy|disease|lesions?|foci|focus|mass\w*|nodules?))?",
    ),
    (
        "uptake normal",
        _NORMAL,
        rf"{UPTAKE}{_VALUE}(?: (?:in|of|within|along|throughout|by|at|from)\b{_CALM_PLACES})?{_SAID} ?"
        rf"(?:{_BE}|{_ADV}|within |at )*"
        rf"\b(?:not (?:{_ADV})?(?:increased|elevated|abnormal|raised|decreased"
        rf"|remarkable)|normal\b|physiolog\w+|unremarkable|preserved|maintained|intact|symmetric(?:al)?\b"
        rf"(?! (?:ally )?increas)|uniform\w*\b|homogeneous\b|within normal "
        rf"(?:limits|range)"
        rf"|(?:no|without) (?:\w+ )?(?:abnormalit\w+|increase|elevation|defects?"
        rf"|change)|free of abnormalit\w+|(?:at |to |near |equal to |similar to "
        rf"|comparable to |equivalent to |in line with |not above |below |less than "
        rf"|lower than )"
        r"(?:the |that of |mediastinal |normal |surrounding |adjacent |level of )*"
        r"(?:blood[- ]?pool|background|physiologic\w*|baseline))(?:(?: and"
        r"|,) (?:symmetric\w*|uniform|homogeneous|normal))?",
    ),
    (
        "uptake higher",
        _INCREASED,
        rf"\bsymmetric(?:al)? {UPTAKE}(?=[^.;]{{0,60}}?\b(?:degenerative|reactive|inflammatory"
        rf"|granulomatous|infectious)\b)",
    ),
    (
        "at or below blood pool",
        _NORMAL,
        r"\bSUV\s?-?max[^,;]{0,30}, ?(?:which is |now |is )*(?:similar to|equal to|comparable to|below"
        r"|less than|not above|at)"
        r" (?:the |that of |level of |mediastinal )*(?:blood[- ]?pool|background)",
    ),
    (
        "uptake higher",
        _INCREASED,
        r"\bSUV\s?-?max[^,;]{0,30}, ?(?:which is |still |is )*above (?=(?:the |mediastinal )*"
        r"(?:blood[- ]?pool|background|liver))",
    ),
    (
        "like reference",
        _NORMAL,
        rf"{UPTAKE} ?(?:{_BE}|{_ADV})*(?:similar|equal|comparable|equivalent|identical) to\b"
        r"(?! (?:the |that |those |on |of |in |seen )*(?:prior|previous|earlier|last|baseline|before)\b)",
    ),
    (
        "like reference",
        _NORMAL,
        r"\b(?:now|currently) (?:at|below) (?:the |level of |mediastinal )*(?:blood[- ]?pool|background|baseline)"
        r"|\b(?:now|currently) (?:similar|equal|comparable|equivalent|back) to "
        r"(?:the |that of |mediastinal |surrounding |normal )*(?:blood[- ]?pool|background|liver|normal|baseline)",
    ),
    (
        "at or below blood pool",
        _NORMAL,
        rf"(?:\b{_DEGREE} (?:\w+ )?)?{UPTAKE},? (?:that |which )?(?:{_BE}|{_ADV}|at or )*(?:below|less than|lower than"
        r"|not above|not exceeding|equal to|similar to|comparable to) (?:the |that of |level of |mediastinal |adjacent "
        r"|surrounding |normal )*(?:blood[- ]?pool|background)",
    ),
    (
        "at or below blood pool",
        _NORMAL,
        rf"(?:\b{_DEGREE} (?:\w+ )?)?{UPTAKE}{_VALUE} (?:in|of|within|along|throughout|by"
        rf"|at)\b{_PLACES}{_SAID} (?:is|are|was|were) "
        rf"(?:{_ADV})*(?:at|below|not above|equal to|similar to) (?:the |that of |level of |mediastinal |normal )*"
        r"(?:blood[- ]?pool|background)",
    ),
    (
        "below liver",
        _NORMAL,
        rf"(?:(?:\b{_DEGREE} (?:\w+ )?)?{UPTAKE},?|SUV\s?-?max[^,;]{{0,20}},) ?(?:{_BE}|{_ADV})*(?:below"
        rf"|less than|lower than) (?:the "
        rf"|that of )*(?:liver|hepatic)"
        r"[^.;]*?(?=benign|adenoma|cyst\b|lipoma|hemangioma|haemangioma|negative|reactive|not suspicious|unlikely"
        r"|normal|physiolog|unremarkable)",
    ),
    (
        "below liver",
        None,
        rf"{UPTAKE} ?(?:{_BE}|{_ADV})*(?:below|less than|lower than) (?:the "
        rf"|that of |normal |surrounding |adjacent |background )*(?:liver|hepatic)",
    ),
    (
        "physiological",
        _NORMAL,
        rf"\bphysiolog\w+ (?:\w+ ){{0,3}}?(?:{UPTAKE}|distribution|excretion"
        rf"|accumulation|activity)|\bnormal (?:physiolog\w+ |\w+ )?(?:{UPTAKE})"
        rf"|\bnormal (?:bio)?distribution(?: of (?:{_TRACER}|radioactivity))?"
        rf"|\b(?:symmetric(?:al)?|homogeneous|uniform) in (?:size and )?{UPTAKE}"
        rf"|\bnormal (?:(?:size|shape|appearance|contour|morphology|configuration|attenuation|density"
        rf"|enhancement),? ){{1,3}}and "
        rf"{UPTAKE}"
        rf"|\bnormal in (?:(?:size|shape|appearance|contour|morphology|configuration|attenuation|density"
        rf"|caliber),? ){{1,3}}(?:and )?{UPTAKE}"
        rf"|\b(?:(?:symmetric(?:al)?|low-level|low-grade|mild|diffuse"
        rf"|background),? ){{1,3}}{UPTAKE},? (?:which is |is |likely )?"
        r"(?:normal\b|physiolog\w+|within normal)"
        rf"|\b(?:no (?:significant |obvious |definite )?abnormalit\w+|normal"
        rf"|unremarkable) (?:in|of|on) (?:the )?(?:{UPTAKE}|pet)"
        rf"|\b(?:uniform|homogeneous|expected) (?:(?!increas|mild|moderat|intens|elevat|low|diffus|high|hyper"
        rf"|reduc|decreas)\w+ )"
        rf"{{1,2}}?{UPTAKE}"
        rf"|\b(?:symmetric(?:al)?|uniform|homogeneous|background|background-level"
        rf"|expected|excreted) (?:{UPTAKE}|radioactivity)|\b(?:metabolically"
        rf"|physiologically) unremarkable"
        rf"|\b(?:symmetric(?:al)?,? (?:low-level|low-grade|minimal|faint)|(?:low-level|low-grade|minimal"
        rf"|faint),? symmetric(?:al)?) "
        rf"(?:\w+ ){{0,2}}?{UPTAKE}(?![^.;]{{0,60}}\b(?:SUV|degenerat|reactive|inflam|granulom|infect"
        rf"|suspicious|arthr))"
        r"|\bphysiologic(?:al)?(?:ly)?\b|\b(?:a )?normal (?:physiologic )?varia(?:nt|tion)\b",
    ),
    (
        "uptake lower",
        _DECREASED,
        rf"\bhypometaboli\w+|\b(?:decreased|reduced|diminished|lower|low|decrease in"
        rf"|reduction in|reduction of|less|subnormal|asymmetrically decreased"
        rf"|impaired|paucity of|loss of"
        rf"|lack of normal)(?! than\b)(?! ?-?(?:grade|level))(?! lobes?\b) (?:\w+ ){{0,2}}?{UPTAKE}|\bhypoactiv\w+"
        rf"|{UPTAKE}{_VALUE}(?: (?:in|of|within|along|throughout|by|at|from|through)\b{_PLACES})?{_SAID} ?"
        rf"(?:{_BE}|{_ADV})*(?:decreased|reduced|diminished|lower(?! (?:lobe|pole|segment|extrem|leg|esoph"
        rf"|oesoph|thor|third|uter|neck|abd|pelv|rib|quadr|spin|lumb|cerv|half|inner|outer|left|right|lip|back|jugul))"
        rf"|low(?!-| cerv| jug| rectal)|less|subnormal|depressed)\b",
    ),
    (
        "uptake higher",
        _INCREASED,
        rf"\bhypermetaboli\w+|\b(?:fdg|tracer|metabolically|intensely|markedly"
        rf"|mildly|moderately|highly|avidly)[- ]?(?:avid\w*|active)\b|\bavid\b"
        rf"(?! enhanc)(?: (?:\w+ ){{0,2}}?{UPTAKE})?|\bfdg[- ]positive"
        rf"|\b{_DEGREE}(?:,? (?:and |or |but |to )?(?!physiolog|normal|background|decreas|reduc|dimin"
        rf"|absent|low(?:er)?\b(?!-)|less\b|hypo|impair|in\b|of\b|on\b|at\b|with|without|no\b"
        rf"|is\b|are\b|shows?\b|the\b|(?:fdg|tracer|radiotracer)\b)[a-z-]+){{0,5}}? {UPTAKE}"
        rf"|{UPTAKE}{_VALUE}(?: (?:in|of|within|along|throughout|by|at|from|through)\b{_PLACES})?{_SAID} ?"
        rf"(?:{_BE}|{_ADV})*(?:>(?= ?[a-z])|(?:increased|elevated|higher|high(?! cerv| jug)|above"
        rf"|greater(?! (?:curv|troch"
        rf"|oment|saph|wing))"
        rf"|intense|avid|raised|exceed\w*|marked|more intense|prominent|focal|multifocal|abnormal"
        r"|(?:mild|moderate|faint|low-grade|low-level|minimal)(?![^.;]{0,30}(?:physiolog|normal|below|less than)))\b)"
        rf"|{UPTAKE}, {_ADV}(?:increased|elevated)\b"
        r"|\bintense(?:ly)? (?:\w+ )?(?:areas?|focus|foci|regions?)\b(?! of)"
        r"|\bhot (?:spots?|nodules?|foc(?:us|i))|\bdeauville (?:score |criteria |category )?(?:of )?[45]\b"
        r"|\b(?:remain(?:s|ing)?|persist(?:s|ing)?|persistently|still|is|are) above(?= (?:the )?(?:\w+ )?(?:blood pool"
        r"|background|liver|mediastin))",
    ),
    (
        "uptake seen",
        _INCREASED,
        r"\b(?:shows?|showing|demonstrates?|demonstrating|with|has|exhibits?"
        r"|exhibiting|displays?|takes? up|there is)(?: (?:some|associated"
        r"|corresponding|minimal|subtle|visible))? (?:fdg|tracer|radiotracer)[- ]"
        r"(?:uptake|avidity|accumulation)\b"
        r"(?! (?:lower|less|below|similar|equal|comparable|within|that|is|are|at|not|no|returning|returned|back)\b)",
    ),
    (
        "uptake seen",
        _INCREASED,
        rf"\b(?:shows?|showing|demonstrates?|demonstrating|with|has|exhibits?|exhibiting|displays?|displaying|there is)"
        r"(?: (?:some|associated|corresponding|visible|synovial|mural|wall|internal|surrounding|adjacent"
        r"|overlying|underlying|(?:peri|intra|endo|sub|para|extra|inter)\w+"
        rf"|septal|rim|parenchymal|nodal|mucosal|cortical|perihilar|periarticular))? {UPTAKE}"
        r"(?! (?:lower|less|below|similar|equal|comparable|within|that|is|are|at|not|no|pattern|distribution"
        r"|returning|returned|back)\b)"
        rf"|{UPTAKE}{_VALUE}(?: (?:in|of|within|along|throughout|by|at|from|about"
        rf"|around)\b{_PLACES})?{_SAID} (?:is|are|was|were) "
        rf"(?!not\b|no\b)(?:{_ADV}|also |again |likely |probably |most |presumably |thought |felt )*"
        r"(?:seen|noted|identified|present|observed|visuali[sz]ed|detected|found|demonstrated|suspicious|concerning"
        r"|worrisome|nonspecific|non-specific|indeterminate|favou?red|consistent with|compatible with|related to|due to"
        r"|secondary to|attributed|attributable|reactive|inflammatory|infectious|degenerative|malignant|metastatic"
        r"|neoplastic|stable|unchanged|post-?\w+|from|reflux\w*|esophagitis|thyroiditis|asymmetric\w*|heterogeneous)"
        r"(?![^.;]{0,30}physiolog)",
    ),
)

STATEMENT = re.compile("|".join(f"(?P<r{i}>{pattern})" for i, (_, _, pattern) in enumerate(_ROWS)), re.IGNORECASE)

BARE = re.compile(
    r"\b(?P<state>absent|decreased|reduced|diminished|increased|elevated"
    r"|normal|physiologic\w*|not increased)(?= (?:in|within|throughout|on|for"
    r"|at|along) )",
    re.IGNORECASE,
)
BARE_STATES = {
    "absent": _ABSENT,
    "decreased": _DECREASED,
    "reduced": _DECREASED,
    "diminished": _DECREASED,
    "increased": _INCREASED,
    "elevated": _INCREASED,
    "normal": _NORMAL,
    "not increased": _NORMAL,
}


_TRIGGER = re.compile(
    r"fdg|pet|uptake|avid|metabol|tracer|radio|activity|photo|cold|physiolog|resolved|normali|no longer|disappear"
    r"|suv|deauville|distribution|accumul|defect|void|concentration|above|background|blood|baseline",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def statements(clause: str) -> tuple[Statement, ...]:
    """Return what one clause states about uptake, from left to right; places count from its start."""
    if not _TRIGGER.search(clause):
        return ()
    found: list[Statement] = []
    for match in STATEMENT.finditer(clause):
        rule, state, _ = _ROWS[int((match.lastgroup or "r0")[1:])]
        found.append(Statement(state, match.start(), match.end(), rule))
    return tuple(found)
