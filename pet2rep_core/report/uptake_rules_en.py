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
_UPTAKE = (
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
    r"|intensely|marked|markedly|moderate|moderately|mild|mildly|high"
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
    r"|lacking|absence of (?:any |abnormal|increased|significant|focal))"
)
_OPEN = (
    r"(?:(?!\b(?:but|however|although|whereas|while|shows?|demonstrates?"
    r"|there (?:is|are))\b|, ?(?:with|which|showing|demonstrating|its"
    r"|the|fdg|uptake|mild|moderate|intense|markedly)\b)[^.;:])"
)
_LISTED = (
    r"(?:(?!\b(?:is|are|was|were|be|shows?|demonstrates?|exhibits?|has|have|appears?|remains?|but|with|without|no|not"
    rf"|which|there|than|normal|increased|decreased|reduced|absent|{_UPTAKE})\b)[^,;.])"
)
# The places of an uptake, ahead of its state: one phrase, or a list "A, B and C" without a verb or a state in it.
_NUMBER_POINT = r"\.(?=\d)"
_PLACES = (
    rf"(?:(?:[^,;.]|{_NUMBER_POINT}){{1,60}}?"
    rf"|{_LISTED}{{1,60}}(?:, ?{_LISTED}{{1,40}}){{0,8}},? ?\b(?:and|or) {_LISTED}{{1,40}}?)"
)

_ROWS: tuple[tuple[str, UptakeState | None, str], ...] = (
    (
        "resolved",
        _NORMAL,
        rf"\bno longer (?:\w+ ){{0,2}}?(?:{_TRACER}[- ])?(?:avid|hypermetabolic"
        rf"|increased|elevated|active|present|seen|visible|abnormal|demonstrat\w+"
        rf"|show\w*)(?: \w+){{0,2}}?(?: {_UPTAKE})?"
        rf"|\b(?:resolution|normali[sz]ation|disappearance) of (?:\w+ ){{0,4}}?(?:{_UPTAKE}"
        rf"|hypermetabolism|fdg[- ]avid\w*)"
        r"|\bcomplete metabolic (?:response|resolution|remission)"
        rf"|\bresolved (?:\w+ ){{0,2}}?(?:{_UPTAKE}|hypermetaboli\w+|(?:fdg[- ])?avid\w*)"
        rf"|(?:{_UPTAKE} ?(?:{_BE}|{_ADV})*)?\b(?:has|have|had) (?:\w+ ){{0,2}}?"
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
        rf"|\babsent (?!abnormal|increased|any|significant|focal)(?:\w+ ){{0,2}}?{_UPTAKE}"
        rf"|{_UPTAKE} (?:{_BE}|{_ADV})*absent\b"
        rf"|{_UPTAKE} (?:in|of|within|along|throughout|by|at)\b{_PLACES} ?{_BE}(?:{_BE}|{_ADV})*absent\b"
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
        rf"\b(?:(?:abnormal|increased|focal|pathologic\w*|suspicious|significant|residual) {_UPTAKE}|hypermetabolism)"
        rf"(?: (?:in|of|within|along|at|throughout)\b{_PLACES})? (?:is|are|was|were) (?:absent|not (?:{_ADV})*(?:seen|identified"
        r"|present|appreciated|evident|demonstrated|noted|visuali[sz]ed|detected))"
        rf"|\b(?:does|do|did) not (?:\w+ )?(?:take up|accumulate|concentrate)(?: {_TRACER})?"
        rf"|\b(?:neither|none of)\b[^.;]{{0,90}}?\btakes? up {_TRACER}",
    ),
    ("uptake seen", _INCREASED, rf"\b(?:takes?|taking) up (?:the )?{_TRACER}(?: avidly| intensely)?|\b{_TRACER} accumulates(?: \w+ly)?"),
    (
        "no abnormal uptake",
        _NORMAL,
        r"\b(?:neither|none of)\b[^.;]{0,90}?\b(?:shows?|demonstrates?|exhibits?"
        r"|has|have|is|are)\b[^.;,]{0,40}?"
        rf"(?:{_UPTAKE}|hypermetabolic|(?:fdg[- ]?)?avid\w*)",
    ),
    (
        "excreted",
        _NORMAL,
        r"\b(?:fdg|tracer|urinary|radiotracer|physiolog\w+) excretion\b|\bexcreted "
        r"(?:fdg|tracer|radiotracer|urine|activity)"
        rf"|\b(?:expected|physiologic(?:al)?|excreted|normal) urinary {_UPTAKE}"
        r"|\bexcret(?:e|es|ing|ion of) (?:the )?(?:fdg|tracer|radiotracer|radiopharmaceutical|activity)(?: normally)?",
    ),
    (
        "no higher",
        _NORMAL,
        rf"{_UPTAKE} ?(?:{_BE}|{_ADV}|does |do |did )*(?:not|no) (?:\w+ )?(?:higher|greater|above|more|exceed\w*)"
        r"[^,;]{0,30}",
    ),
    (
        "not seen",
        _NORMAL,
        rf"{_UPTAKE}(?: (?:in|of|within|along|throughout|by|at|from)\b{_PLACES})? (?:is|are|was|were) not "
        rf"(?:{_ADV}|definitely )*(?:seen|identified|present|appreciated|evident|demonstrated|noted"
        rf"|visuali[sz]ed|detected)"
        rf"|\b(?:fails?|failed) to (?:show|demonstrate|exhibit) (?:\w+ ){{0,2}}?{_UPTAKE}"
        rf"|\b(?:negligible|unremarkable|insignificant) (?:\w+ )?{_UPTAKE}",
    ),
    (
        "no abnormal uptake",
        _NORMAL,
        rf"{_NO}\b(?!(?: \w+){{0,3}}? (?:changes?|difference) (?:in|of|from)\b){_OPEN}{{0,70}}?(?:{_UPTAKE}(?: abnormalit\w+| lesions?| foc\w+)?"
        rf"|hypermetaboli\w+|(?:fdg|tracer)[- ]?avid\w*|\bavid\b)"
        r"(?: (?:lymph ?aden\w+|adenopathy|disease|lesions?|foci|focus|mass\w*|nodules?))?",
    ),
    (
        "uptake normal",
        _NORMAL,
        rf"{_UPTAKE}(?: (?:in|of|within|along|throughout|by|at|from)\b{_PLACES})? ?"
        rf"(?:{_BE}|{_ADV}|within |at )*"
        rf"(?:not (?:{_ADV})?(?:increased|elevated|abnormal|raised|decreased"
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
        rf"\bsymmetric(?:al)? {_UPTAKE}(?=[^.;]{{0,60}}?\b(?:degenerative|reactive|inflammatory"
        rf"|granulomatous|infectious)\b)",
    ),
    (
        "at or below blood pool",
        _NORMAL,
        r"\bSUV\s?-?max[^,;]{0,30}, ?(?:which is |now |is )*(?:similar to|equal to|comparable to|below|less than|not above|at)"
        r" (?:the |that of |level of |mediastinal )*(?:blood[- ]?pool|background)",
    ),
    ("uptake higher", _INCREASED, r"\bSUV\s?-?max[^,;]{0,30}, ?(?:which is |still |is )*above (?=(?:the |mediastinal )*"
    r"(?:blood[- ]?pool|background|liver))"),
    ("like reference", _NORMAL, rf"{_UPTAKE} ?(?:{_BE}|{_ADV})*(?:similar|equal|comparable|equivalent|identical) to\b"),
    (
        "like reference",
        _NORMAL,
        r"\b(?:now|currently) (?:similar|equal|comparable|equivalent|back) to "
        r"(?:the |that of |mediastinal |surrounding |normal )*(?:blood[- ]?pool|background|liver|normal|baseline)",
    ),
    (
        "at or below blood pool",
        _NORMAL,
        rf"(?:\b{_DEGREE} (?:\w+ )?)?{_UPTAKE},? (?:that |which )?(?:{_BE}|{_ADV}|at or )*(?:below|less than|lower than"
        r"|not above|not exceeding|equal to|similar to|comparable to) (?:the |that of |level of |mediastinal |adjacent "
        r"|surrounding |normal )*(?:blood[- ]?pool|background)",
    ),
    (
        "below liver",
        _NORMAL,
        rf"(?:\b{_DEGREE} (?:\w+ )?)?{_UPTAKE},? ?(?:{_BE}|{_ADV})*(?:below|less than|lower than) (?:the |that of )*(?:liver|hepatic)"
        r"[^.;]*?(?=benign|adenoma|cyst\b|lipoma|hemangioma|haemangioma|negative|reactive|not suspicious|unlikely)",
    ),
    (
        "below liver",
        None,
        rf"{_UPTAKE} ?(?:{_BE}|{_ADV})*(?:below|less than|lower than) (?:the "
        rf"|that of |normal |surrounding |adjacent |background )*(?:liver|hepatic)",
    ),
    (
        "physiological",
        _NORMAL,
        rf"\bphysiolog\w+ (?:\w+ ){{0,3}}?(?:{_UPTAKE}|distribution|excretion"
        rf"|accumulation|activity)|\bnormal (?:physiolog\w+ |\w+ )?(?:{_UPTAKE})"
        rf"|\bnormal (?:bio)?distribution(?: of (?:{_TRACER}|radioactivity))?"
        rf"|\b(?:symmetric(?:al)?|homogeneous|uniform) in (?:size and )?{_UPTAKE}"
        rf"|\bnormal in (?:(?:size|shape|appearance|contour|morphology|configuration|attenuation|density|caliber),? ){{1,3}}(?:and )?{_UPTAKE}"
        rf"|\b(?:(?:symmetric(?:al)?|low-level|low-grade|mild|diffuse|background),? ){{1,3}}{_UPTAKE},? (?:which is |is |likely )?"
        r"(?:normal\b|physiolog\w+|within normal)"
        rf"|\b(?:no (?:significant |obvious |definite )?abnormalit\w+|normal"
        rf"|unremarkable) (?:in|of|on) (?:the )?(?:{_UPTAKE}|pet)"
        rf"|\b(?:uniform|homogeneous|expected) (?:(?!increas|mild|moderat|intens|elevat|low|diffus|high|hyper|reduc|decreas)\w+ )"
        rf"{{1,2}}?{_UPTAKE}"
        rf"|\b(?:symmetric(?:al)?|uniform|homogeneous|background|background-level"
        rf"|expected|excreted) (?:{_UPTAKE}|radioactivity)|\b(?:metabolically"
        rf"|physiologically) unremarkable"
        r"|\bphysiologic(?:al)?(?:ly)?\b",
    ),
    (
        "uptake lower",
        _DECREASED,
        rf"\bhypometaboli\w+|\b(?:decreased|reduced|diminished|lower|low|decrease in"
        rf"|reduction in|reduction of|less|subnormal|asymmetrically decreased"
        rf"|impaired|paucity of|loss of"
        rf"|lack of normal)(?! than\b)(?! ?-?(?:grade|level))(?! lobes?\b) (?:\w+ ){{0,2}}?{_UPTAKE}|\bhypoactiv\w+"
        rf"|{_UPTAKE}(?: (?:in|of|within|along|throughout|by|at)\b{_PLACES})? ?"
        rf"(?:{_BE}|{_ADV})*(?:decreased|reduced|diminished|lower(?! (?:lobe|pole|segment|extrem|leg|esoph"
        rf"|oesoph|thor|third|uter|neck|abd|pelv|rib|quadr|spin|lumb|cerv|half|inner|outer|left|right|lip|back|jugul))"
        rf"|low(?!-| cerv| jug| rectal)|less|subnormal|depressed)\b",
    ),
    (
        "uptake higher",
        _INCREASED,
        rf"\bhypermetaboli\w+|\b(?:fdg|tracer|metabolically|intensely|markedly"
        rf"|mildly|moderately|highly|avidly)[- ]?(?:avid\w*|active)\b|\bavid\b"
        rf"(?! enhanc)(?: (?:\w+ ){{0,2}}?{_UPTAKE})?|\bfdg[- ]positive"
        rf"|\b{_DEGREE}(?:,? (?:and |or |but |to )?(?!physiolog|normal|background|decreas|reduc|dimin"
        rf"|absent|low(?:er)?\b(?!-)|less\b|hypo|impair|in\b|of\b|with|without|no\b"
        rf"|is\b|are\b|shows?\b)[a-z-]+){{0,5}}? {_UPTAKE}"
        rf"|{_UPTAKE}(?: (?:in|of|within|along|throughout|by|at)\b{_PLACES})? ?"
        rf"(?:{_BE}|{_ADV})*(?:increased|elevated|higher|high(?! cerv| jug)|above|greater(?! (?:curv|troch"
        rf"|oment|saph|wing))"
        rf"|intense|avid|raised|exceed\w*|marked|more intense|prominent"
        r"|(?:mild|moderate|faint|low-grade|low-level|minimal)(?![^.;]{0,30}(?:physiolog|normal|below|less than)))\b"
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
        r"(?! (?:lower|less|below|similar|equal|comparable|within|that|is|are|at|not|no)\b)",
    ),
    (
        "uptake seen",
        _INCREASED,
        rf"\b(?:shows?|showing|demonstrates?|demonstrating|with|has|exhibits?|exhibiting|displays?|displaying|there is)"
        r"(?: (?:some|associated|corresponding|visible|synovial|mural|wall|internal|surrounding|adjacent|overlying|underlying"
        rf"|septal|rim|parenchymal|nodal|mucosal|cortical|perihilar|periarticular))? {_UPTAKE}"
        r"(?! (?:lower|less|below|similar|equal|comparable|within|that|is|are|at|not|no|pattern|distribution)\b)"
        rf"|{_UPTAKE}(?: (?:in|of|within|along|throughout|by|at|from|about|around)\b{_PLACES})? (?:is|are|was|were) "
        rf"(?!not\b|no\b)(?:{_ADV}|also |again |likely |probably |most |presumably |thought |felt )*"
        r"(?:seen|noted|identified|present|observed|visuali[sz]ed|detected|found|demonstrated|suspicious|concerning"
        r"|worrisome|nonspecific|non-specific|indeterminate|favou?red|consistent with|compatible with|related to|due to"
        r"|secondary to|attributed|attributable|reactive|inflammatory|infectious|degenerative|malignant|metastatic"
        r"|neoplastic|stable|unchanged|post-?\w+|from|reflux\w*|esophagitis|thyroiditis|asymmetric\w*|heterogeneous)"
        r"(?![^.;]{0,30}physiolog)",
    ),
)

STATEMENT = re.compile("|".join(f"(?P<r{i}>{pattern})" for i, (_, _, pattern) in enumerate(_ROWS)), re.IGNORECASE)

_CT_NOUN = (
    r"(?:density|attenuation|radiolucency|lucenc\w+|luminosity|size|volume"
    r"|signal|echogenicity|thickness|number|calcification|caliber|calibre"
    r"|height|enhancement|opacit\w+|stranding|transparency)"
)
CT_WORDING = re.compile(
    rf"\b(?!normal in \w+(?:, \w+)?,? and {_UPTAKE})(?:increased|decreased|reduced|elevated|low|high|lower|higher"
    rf"|abnormal|diffusely|unevenly|normal|mildly|slightly|homogeneous"
    rf"|uniform)(?:-| (?:[a-z]+ )?){_CT_NOUN}\b"
    rf"|\b{_CT_NOUN}(?: (?:of|in) [^,.;]{{1,30}}?)? (?:is|are|shows|appears"
    rf"|has been|have been)(?: [a-z]+)?? (?:increased|decreased|reduced"
    rf"|normal|uniform|homogeneous)",
    re.IGNORECASE,
)
COMPARISON = re.compile(
    r"\b(?:(?:is|are|has|have|been|was|were|significantly|markedly|mildly"
    r"|slightly|moderately|further) )*"
    r"(?:increased|decreased|reduced|lower|higher|improved|less \w+|more \w+"
    r"|diminished|smaller|larger)(?: in [a-z ]{3,30}?)?,? "
    r"(?:since|from|than|compared (?:to|with)|when compared (?:to|with)"
    r"|relative to|versus|as compared (?:to|with)) (?:the |on |that of "
    r"|a )*(?:prior|previous|earlier|last|baseline|outside|pretreatment"
    r"|before|\d)(?:(?!\b(?:but|and|now|remains?|still)\b)[^,;])*"
    r"|\b(?:in comparison (?:to|with)|compared (?:to|with)|when compared "
    r"(?:to|with)) (?:the |a )*(?:prior|previous|earlier|last|baseline"
    r"|outside)(?:(?!\b(?:but|and|now|remains?|still)\b)[^,;])*"
    r"|\b(?:has|have) (?:\w+ )?(?:decreased|increased|improved|progressed"
    r"|diminished)(?: in (?:size|number|uptake|avidity|metabolic activity"
    r"|fdg uptake|intensity|metabolism)(?: and (?:size|number|uptake|avidity"
    r"|intensity|metabolic activity))?)?"
    r"|\binterval (?:increase|decrease|reduction|improvement|decline|progression)"
    r"(?: in [^,;]{0,40})?",
    re.IGNORECASE,
)
EARLIER_STUDY = re.compile(
    r"\b(?:(?:on|in|at) (?:the |a )?)?(?:prior|previous|outside|earlier"
    r"|last|baseline|pretreatment) (?:pet|ct|scan|study|exam\w*|imaging)\b"
    r"(?:(?!\b(?:now|currently|today|on (?:the )?(?:current|present|today))\b)(?:[^;.]|\.(?=\d)))*?"
    r"(?:showed|demonstrated|had|revealed|reported|described|was|were)"
    r"(?:(?!\b(?:now|currently|today|current|present)\b)(?:[^;.]|\.(?=\d)))*"
    r"|\b(?:previously|formerly)\b(?![^,;.]{0,80}?\b(?:is|are|remains?|appears?)(?: \w+)? (?:unchanged|stable)\b)(?:(?!\b(?:now|currently|is|are|has"
    r"|have|shows?|demonstrates?|no longer)\b)(?:[^,;.]|\.(?=\d)))*"
    r"|\bhad\b[^,;.]{0,60}?\b(?:on|in) (?:\w+ )?\d[\d/.-]*(?:(?!\b(?:now|currently|today)\b)(?:[^,;.]|\.(?=\d)))*"
    r"|\b(?:prior|previous)(?= \d)(?:[^,;.]|\.(?=\d))*"
    r"|\b(?:history|hx) of\b[^,;.]*",
    re.IGNORECASE,
)
HIGHER_THAN_BEFORE = re.compile(
    r"\b(?:increas\w*|higher|greater|more (?:avid|intense\w*|hypermetabolic|active)|progress\w+)\b", re.IGNORECASE
)
LOWER_THAN_BEFORE = re.compile(r"\b(?:decreas\w*|lower|less|reduc\w+|diminish\w*|improv\w+|declin\w+)\b", re.IGNORECASE)
RELATIVE_TO_EARLIER = re.compile(
    r"^(?!.*\b(?:unchanged|stable|similar)\b).*?(?:\binterval\b|\b(?:since|compared (?:to|with)|from|than) (?:the )?"
    r"(?:prior|previous|baseline|earlier|last)|suv\s?-?(?:max)? ?(?:of |= ?|now )?[\d.]+,? ?\(?"
    r"(?:from|previously|prior|versus|vs\.?|compared (?:to|with)) [\d.]|\b(?:previously|prior|was) (?:suv\s?-?max )?(?:of )?[\d.])",
    re.IGNORECASE | re.DOTALL,
)
BARE_UPTAKE = re.compile(
    r"^\s*(?:(?:(?!\b(?:no|not|without|lack|absen\w+)\b)[a-z-]+ ){1,3}(?:uptake|avidity) (?:in|within|along|at) (?=[^.;]*SUV\s?-?max)"
    r"|(?:the )?(?:fdg |tracer |radiotracer )?(?:uptake|avidity|hypermetabolism)(?= (?:in|within|along|at|throughout|around"
    r"|about|of)\b)|(?:(?!\b(?:no|not|without|lack|absen\w+)\b)[a-z /-]){3,40}? (?:uptake|avidity)(?=,? \(?(?:SUV|nonspecific"
    r"|non-specific|indeterminate|likely (?:inflam|degen|reactive|infect|post)|inflammatory|degenerative|reactive)))(?!.*\b(?:(?:is|are|was|were)(?! (?:new|stable|unchanged|likely|probably|nonspecific)\b)|may|can|cannot|could|limit\w*|physiolog\w+|normal|no|not|without)\b)",
    re.IGNORECASE,
)
RESOLUTION = re.compile(r"\b(?:resolution|disappearance|normali[sz]ation) of\b", re.IGNORECASE)
PERSISTS = re.compile(
    r"\b(?:persists?|persisting|remains? (?:present|visible|avid|active|elevated|increased|hypermetabolic))\b",
    re.IGNORECASE,
)
SUBJECT_VERB = re.compile(
    r" (?:shows?|demonstrates?|exhibits?|displays?|has|have|contains?|reveals?)(?: (?!no\b|not\b"
    r"|without\b)[\w-]+){0,3} ?$",
    re.IGNORECASE,
)
REMOVED_AFTER = re.compile(
    r"[^,;]{0,12}?\b(?:(?:is|are|has been|have been|was|were) )?(?:surgically "
    r"(?:absent|removed)|resected|removed|not visuali[sz]ed|post-?surgical)"
    r"|"
    r"\s(?:resection|transplant\w*|lobectomy|cancer|carcinoma|surgery)\b(?= (?:status|history))",
    re.IGNORECASE,
)
LANDMARK_BEFORE = re.compile(
    r"\b(?:adjacent to|abutting|abuts?|beneath|near|invading|invades?"
    r"|relative to|compared (?:to|with)|than(?: that (?:of|in))?|similar to"
    r"(?: that of)?|comparable to(?: that of)?|equal to(?: that of)?|"
    r"equivalent to|above(?: that of)?|below(?: that of)?|exceeding|exceeds?"
    r"(?: that of)?|encasing|compressing|displacing|retracting|contiguous with"
    r"|close to|anterior to|posterior to|lateral to|medial to|"
    r"inferior to|superior to|at the level of|level of|along the course of"
    r"|next to|given|due to|secondary to|because of|compensatory for|infiltrating|tethering|surrounding|overlying|underlying"
    r"|status post|s/p|history of|post)"
    r"(?: (?:the|normal|adjacent|right|left|bilateral|mediastinal|contralateral|descending|ascending|thoracic|abdominal"
    r"|posterior|anterior|lateral|medial|inferior|superior|proximal|distal|chest"
    r"|surrounding|overlying|that of|physiologic|upper|lower|prior))*\s*$",
    re.IGNORECASE,
)
CONTRAST = re.compile(
    r"\b(?:but|whereas|while|however|although|though|except(?: for| in)?"
    r"|apart from|aside from|other than)\b|(?<!max)(?<!SUV):",
    re.IGNORECASE,
)
VERB = re.compile(
    r"\b(?:is|are|was|were|shows?|demonstrates?|exhibits?|has|have|appears?"
    r"|remains?|which|there|with|without|contains?|showing|demonstrating"
    r"|measur\w+|displays?)\b",
    re.IGNORECASE,
)
COPULA_BEFORE = re.compile(
    r"\b(?:is|are|was|were|be|been|appears?|remains?|becomes?|seems?|and"
    r"|to be)(?: (?:not|also|both|all|\w+ly|now|still|again|more))*\s*$",
    re.IGNORECASE,
)
ADJECTIVE = re.compile(
    r"(?:hypermetabolic|avid|photopenic|hypometabolic|active|positive" r"|negative|deficient|inactive)$", re.IGNORECASE
)
FORWARD = re.compile(
    r"(?:\s*\([^)]*\))?,?(?: (?!and\b)[\w./-]+){0,10}? (?:in|within|of|filling|occupying|replacing|obliterating"
    r"|at|throughout|along|involving|from|around|on|by|about|to|are|is"
    r"|includ\w+|for|over|near)(?: [\w/-]+){0,6}? ?\(?$"
    r"|^\s*$",
    re.IGNORECASE,
)
BETWEEN_ADJECTIVE = re.compile(r"(?: [\w./-]+){0,6}? $")
HEDGE = re.compile(
    r"\b(?:likely|probabl[ye]|possibl[ye]|may|might|could|suspect\w*|or"
    r"|versus|vs|favou?r\w*|presum\w+|suggest\w*|perhaps|question\w*|consider\w*"
    r"|rather)\b|\?",
    re.IGNORECASE,
)
GENERAL = re.compile(
    r"\b(?:elsewhere|rest of the (?:body|scan|study|examination)|remainder of"
    r"|remaining (?:body|regions|areas|structures)|whole body|scan range"
    r"|imaged portions?|otherwise)\b",
    re.IGNORECASE,
)
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
ELLIPSIS = re.compile(r"\b(?:is|are|does|do|was|were) not\s*$", re.IGNORECASE)
UPTAKE_WORD = re.compile(
    r"\b(?:fdg|uptake|avid\w*|metabol\w+|hypermetabol\w+|tracer|radioactivity|activity)\b", re.IGNORECASE
)
MASS = re.compile(r"\bmass(?:es)?\b|\btumou?rs?\b|\bsoft tissue\b", re.IGNORECASE)
ADVICE = re.compile(r"^\s*(?:recommend|suggest|advise|please|follow-?up|correlat)", re.IGNORECASE)
LEAD = re.compile(
    r"\b(?:(?<!-)injected|injection of|(?:after|following|post) (?:\w+ )?injection(?![- ]site)|administered"
    r"|intravenously|intravenous (?:injection|administration)|minutes (?:after|post|later)|fasting|fasted"
    r"|blood glucose|(?<!-)acquired|acquisition|images were obtained|scanned from"
    r"|skull base to (?:the )?(?:mid|proximal|upper|thigh|feet|toes))\b",
    re.IGNORECASE,
)


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
