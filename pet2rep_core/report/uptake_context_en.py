"""Words around the uptake statements of an English report: comparisons, CT wording, landmarks, clauses; as patterns."""

from __future__ import annotations

import re

from pet2rep_core.report.uptake_rules_en import UPTAKE

_CT_NOUN = (
    r"(?:density|attenuation|radiolucency|lucenc\w+|luminosity|size|volume"
    r"|signal|echogenicity|thickness|number|calcification|caliber|calibre"
    r"|height|enhancement|opacit\w+|stranding|transparency)"
)
CT_WORDING = re.compile(
    rf"\b(?!normal (?:in )?\w+(?:, \w+){{0,2}},? and {UPTAKE})(?:increased|decreased|reduced|elevated|low|high"
    rf"|lower|higher"
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
    r"\((?:previously|prior|formerly|earlier|was|from)\b[^()]{1,80}\)"
    r"|\b(?:(?:on|in|at) (?:the |a )?)?(?:prior|previous|outside|earlier"
    r"|last|baseline|pretreatment) (?:pet|ct|scan|study|exam\w*|imaging)\b"
    r"(?:(?!\b(?:now|currently|today|on (?:the )?(?:current|present|today))\b)(?:[^;.]|\.(?=\d)))*?"
    r"(?:showed|demonstrated|had|revealed|reported|described|was|were)"
    r"(?:(?!\b(?:now|currently|today|current|present)\b)(?:[^;.]|\.(?=\d)))*"
    r"|\b(?:(?:in|on|from|dated|of) (?:\w+ ){0,2}?(?:\d{1,2}[./-]){0,2}(?:19|20)\d\d\b|\w+ (?:years?|months?"
    r"|weeks?) ago)[^.;]{0,60}?"
    r"\b(?:PET\S*|CT|scans?|study|MRI|exam\w*|imaging)\b[^.;]{0,20}?\b(?:showed|demonstrated|revealed|had)"
    r"(?:(?!\b(?:now|currently|today|current|present)\b)(?:[^;.]|\.(?=\d)))*"
    r"|\b(?:previously|formerly)\b(?![^,;.]{0,80}?\b(?:is|are|remains?|appears?)(?: \w+)? (?:unchanged"
    r"|stable)\b)(?:(?!\b(?:now|currently|is|are|has"
    r"|have|shows?|demonstrates?|no longer)\b)(?:[^,;.)]|\.(?=\d)))*"
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
    r"(?:from|previously|prior|versus|vs\.?|compared (?:to|with)) [\d.]|\b(?:previously|prior"
    r"|was) (?:suv\s?-?max )?(?:of )?[\d.])",
    re.IGNORECASE | re.DOTALL,
)
BARE_UPTAKE = re.compile(
    r"^\s*(?:(?:(?!\b(?:no|not|without|lack|absen\w+)\b)[a-z-]+ ){1,3}(?:uptake|avidity) (?:in|within|along"
    r"|at) (?=[^.;]*(?:SUV\s?-?max|\b(?:related|due|secondary) to\b|(?:consistent|compatible) with|\b(?:reactive"
    r"|inflammatory|degenerative|infectious|post-?surgical|metasta|malignan|suspicious|concerning)))"
    r"|(?:the )?(?:fdg |tracer |radiotracer )?(?:uptake|avidity|hypermetabolism)(?= (?:in|within|along|at"
    r"|throughout|around"
    r"|about|of)\b)|(?:(?!\b(?:no|not|without|lack|absen\w+|is|are|but|has|have|shows?|demonstrates?|normal"
    r"|physiolog\w+)\b)[a-z /-]){3,70}? (?:uptake"
    r"|avidity)(?=,? \(?(?:SUV|nonspecific"
    r"|non-specific|indeterminate|likely (?:inflam|degen|reactive|infect|post)|inflammatory|degenerative"
    r"|reactive)))(?!.*\b(?:(?:is|are|was|were)(?! (?:new|stable|unchanged|likely|probably|nonspecific)\b)|may"
    r"|can|cannot|could|limit\w*|physiolog\w+|normal|no|not|without)\b)",
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
    r"(?:absent|removed)|resected|removed|not visuali[sz]ed|(?<!is )(?<!are )post-?surgical)"
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
    r"inferior to|superior to|at the level of|level of|(?<!uptake )(?<!activity )along the course of"
    r"|next to|given|due to|secondary to|because of|compensatory for|infiltrating|erod(?:es|ing)"
    r"|destroying|tethering|surrounding"
    r"|overlying|underlying|(?<!uptake )(?<!activity )(?:extend(?:s|ing)?|extension|crossing) (?:in)?to|over"
    r"|status post|s/p|history of|post)"
    r"(?: (?:the|normal|adjacent|right|left|bilateral|mediastinal|contralateral|descending|ascending|thoracic|abdominal"
    r"|posterior|anterior|lateral|medial|inferior|superior|proximal|distal|chest"
    r"|surrounding|overlying|that of|physiologic|upper|lower|prior))*\s*$",
    re.IGNORECASE,
)
_REFERENCE = r"(?:(?:the|that of|normal|reference|background|mean|average|mediastinal|corresponding|cf\.?) )*"
COMPARED_WITH = re.compile(
    rf"(?:[<>≤≥≈] ?|\b(?:versus|vs\.?) |\b\w+-than-|\b(?:above|below)-){_REFERENCE}$", re.IGNORECASE
)
REFERENCE_BEFORE = re.compile(rf"[(,] ?{_REFERENCE}$", re.IGNORECASE)
REFERENCE_ORGAN = re.compile(r"(?:liver|hepatic|spleen|splenic)", re.IGNORECASE)
REFERENCE_AFTER = re.compile(
    r"(?: (?:parenchyma|background|uptake|activity|reference))*[ :=]{1,3}(?:SUV|[\d.]|is \d)", re.IGNORECASE
)
"""A value of the liver in brackets, or in a sentence that compares: "(liver SUVmax 2.9)"."""
COMPARES = re.compile(
    r"\b(?:than|above|below|exceed\w*|relative to|compared|Deauville|reference|vs|versus)\b|[<>≥≤]", re.I
)
DEAUVILLE_3 = re.compile(
    r" ?(?:above )?(?:the |mediastinal )*blood[- ]?pool[^.;]{0,20}?\b(?:below|less than|lower than"
    r"|not above)\b[^.;]{0,20}?"
    r"(?:liver|hepatic)[^.;]{0,24}?\bdeauville (?:score |category )?(?:of )?[123]\b",
    re.IGNORECASE,
)
"""After "above": uptake between blood pool and liver, which the score calls negative."""
NODE_HEADING = re.compile(r"\s*(?:[\w-]+ ){0,2}(?:lymph )?nodes?(?: stations?)?:\s*", re.IGNORECASE)
"""Opens a list of nodes, up to the next full stop: "Pelvic nodes: right iliac ...; left iliac ..."."""
CONTRAST = re.compile(
    r"\b(?:but|whereas|while|however|although|though|except(?: for| in| at| that)?"
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
PHYSIOLOGICAL = re.compile(r"physiolog|normal varia", re.IGNORECASE)
ELLIPSIS = re.compile(r"\b(?:is|are|does|do|was|were) not\s*$", re.IGNORECASE)
UPTAKE_WORD = re.compile(
    r"\b(?:fdg|uptake|avid\w*|metabol\w+|hypermetabol\w+|tracer|radioactivity|activity)\b", re.IGNORECASE
)
MASS = re.compile(r"\bmass(?:es)?\b|\btumou?rs?\b|\bsoft tissue\b", re.IGNORECASE)
ADVICE = re.compile(r"^\s*(?:recommend|suggest|advise|please|follow-?up|correlat)", re.IGNORECASE)
LEAD = re.compile(
    r"^\s*(?:reason for (?:the )?(?:exam\w*|study|referral|scan)|(?:clinical )?(?:indications?|history"
    r"|information))\b[: ]|"
    r"\b(?:(?<!-)injected|injection of|(?:after|following|post) (?:\w+ )?injection(?![- ]site)|administered"
    r"|intravenously|intravenous (?:injection|administration)|minutes (?:after|post|later)"
    r"|(?<!prolonged )(?<!of )(?<!by )(?<!without )(?<!to )(?<!despite )fasting(?! state)|fasted"
    r"|blood glucose|(?<!-)acquired|acquisition|images were obtained|scanned from"
    r"|skull base to (?:the )?(?:mid|proximal|upper|thigh|feet|toes))\b",
    re.IGNORECASE,
)
