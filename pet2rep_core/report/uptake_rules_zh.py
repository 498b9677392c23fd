"""How Chinese reports state uptake: the wording, as patterns over normalised text.

Patterns stand in order of precedence; the leftmost match wins, and no gap crosses a negation, so that
``摄取未见异常增高`` is read as normal before ``增高`` is seen.
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
    r"(?:(?:18F-?|F-?18-?)?FDG|PET|放射性核素|放射性|核素|显像剂"
    r"|示踪剂|氟代脱氧葡萄糖|脱氧葡萄糖|(?:葡萄)?糖(?=代谢|摄取))"
)
_ACT = r"(?:摄取|代谢|浓聚|浓集|聚集|分布|显影|显像|活性|滞留)"
_UPTAKE = (
    rf"(?:(?:{_TRACER}){{1,4}}的?{_ACT}{{0,4}}|摄取|代谢|(?<!异常)浓聚(?!灶|影))"
    r"(?:活跃程度|程度|水平|活性|功能|量|值|情况|率|活度)?"
)
_NO = (
    r"(?:未见到|未见|未发现|未显示|未探及|未及|未示|未检出|未查见|没有|不伴|未伴|无"
    r"|未有|不见|未(?=[^,]{0,6}(?:摄取|浓聚)))"
)
_ANY = (
    r"(?:明显|明确|确切|显著|任何|确定|的|异常|病理性|局灶性?|局限性?|弥漫性?|结节[状样]|片[状样]|团块[状样]|条[状样]|灶性|"
    r"有|存在|可疑|恶性|肿瘤性|高|低|增高|升高|减低|其他|其它|特殊|多余|相应|过度){0,8}"
)
_UP = (
    r"(?:增高|升高|增加|增多|增强|增浓|增大|活跃|旺盛|亢进|偏高|较高|略高|稍高|很高|极高|仍高|高于|浓聚|浓集|聚集|浓染|阳性|↑|"
    r"明显(?=[,。(]|$)|显著(?=[,。(]|$))"
)
_DOWN = r"(?:减低|降低|减少|下降|稀疏|减弱|减退|减淡|偏低|较低|略低|稍低|低下|低于|弱于|↓)"
_GONE = r"(?:缺失|缺如|缺损|缺乏|空缺|空白|冷区)"
_EVENLY = r"(?:均|皆|都|亦|也|尚|仍|并|现|已|基本|大致|整体|程度|较?左右|双侧|两侧|局部|各|呈|为|在|处于){0,8}"
_NOT_LOWER = rf"(?!(?:(?!{_UP})[^,□]){{0,6}}?(?:{_DOWN}|{_GONE}))"
_NOT_DENIED = rf"(?!(?:(?!{_UP})[^,□]){{0,8}}?(?:未|无|不(?!同|均|等|规则)|正常|对称(?!性)|相仿|相似|{_DOWN}|{_GONE}))"


def _gap(length: int) -> str:
    return rf"(?:(?!未|无|不(?!同|均|等|规则|一|甚)|没|非|生理性)[^,□:]){{0,{length}}}?"


_ROWS: tuple[tuple[str, UptakeState | None, str], ...] = (
    (
        "resolved",
        _NORMAL,
        rf"(?:{_UPTAKE}[^,]{{0,6}}?(?:{_UP}|异常)?|(?:高代谢|高摄取|异常浓聚))"
        rf"(?:的?(?:病灶|灶|影|区|结节|淋巴结|肿块))?[^,未无不]{{0,4}}?"
        r"(?:本次|现|已|较前)?(?:基本|完全|大部分?|均|已)*(?:未见显示|未见明确显示|未再显示|恢复正常|恢复至?正常|降至(?:本底|正常)|恢复至?本底|转阴)",
    ),
    ("resolved", _NORMAL, rf"{_UPTAKE}(?:较前|原|均|已|现|基本|完全)+消失"),
    ("physiological", _NORMAL, rf"{_UPTAKE}[^,未无不□]{{0,6}}?生理性(?:性|{_TRACER}|{_ACT}|{_UP}|轻度|对称|排泄)*"),
    ("physiological", _NORMAL, rf"生理性(?:{_TRACER}|{_ACT}|{_UP}|排泄|分泌|轻度|对称性?|的)+"),
    ("physiological", _NORMAL, r"(?:属|为|系|呈)于?(?:正常)?生理(?:性|现象)(?:改变|表现|现象)?"),
    ("physiological", _NORMAL, r"(?:属|为|系|在)于?正常(?:生理)?(?:分布|范围|变异)"),
    ("physiological", _NORMAL, rf"{_UPTAKE}[^,未无不□]{{0,8}}?(?:为|系|属)[^,]{{0,4}}?尿液[^,]{{0,6}}"),
    ("Deauville 1-3", _NORMAL, r"Deauville[^,\d]{0,6}[123](?!\d)"),
    ("Deauville 4-5", _INCREASED, r"Deauville[^,\d]{0,6}[45](?!\d)"),
    ("at or below blood pool", _NORMAL, rf"{_UPTAKE}{_gap(8)}(?:低于|等于|接近)[^,]{{0,6}}?血池"),
    (
        "not above",
        _NORMAL,
        rf"(?:{_UPTAKE}[^,□]{{0,8}}?|^)(?:不高于|未高于|未超过|不超过|未超出|不强于)[^,]{{0,10}}",
    ),
    (
        "like background",
        _NORMAL,
        rf"{_UPTAKE}[^,未无□]{{0,8}}?(?:(?:与|同|和)[^,]{{1,14}}?(?:相仿|相似|相近|相当|一致|相等|无差异|无明显差异|无异)"
        r"|(?:接近|等于|等同|近似|相当于|相同|类似|近)于?(?:正常|周围|邻近|纵隔|肝|本底|背景|血池|对侧)[^,]{0,8})",
    ),
    ("below liver", None, rf"{_UPTAKE}{_gap(6)}(?:低于|弱于)(?:正常)?肝"),
    (
        "uptake not abnormal",
        _NORMAL,
        rf"{_UPTAKE}{_EVENLY}(?:较[^,]{{1,8}}?)?(?:{_NO}|未|不|非)(?:(?:明显|明确|确切|显著|再|太|很|甚|有|存在|相应|相关|同步)的?)*"
        rf"(?:异常(?!低)|{_UP}|{_DOWN}|{_GONE}|改变|变化|明显|特殊|差异|高"
        rf"|低|著变)(?:{_TRACER}|{_UP}|{_DOWN}|{_GONE}|{_ACT}|改变|灶|区|影"
        rf"|病灶)*",
    ),
    (
        "uptake not abnormal",
        _NORMAL,
        rf"{_UPTAKE}{_EVENLY}(?:异常)?(?:{_UP}|{_DOWN}|异常|改变)(?:均|亦|并|也)?(?:不(?:明显|显著)|不著|未达)",
    ),
    (
        "no abnormal uptake",
        _NORMAL,
        rf"{_NO}(?:[^,。□但而]{{0,20}}?(?:及|和|或|与|、|伴有|伴|并|以及|/)"
        rf"|[^,□但而]{{0,10}}?(?:淋巴结|病灶|结节|肿块|占位|骨质破坏)影?的?"
        rf"|"
        rf"(?:与|和)?[^,□及和]{{0,6}}?相关的?)?"
        rf"{_ANY}(?:{_UPTAKE}|浓聚|聚集|SUV)(?:{_ANY}(?:{_UP}|{_DOWN}|{_GONE}"
        rf"|{_ACT}|异常|改变)){{0,6}}(?:的?(?:灶|区|影|病灶|病变))?",
    ),
    (
        "no abnormal uptake",
        _NORMAL,
        rf"{_NO}(?:(?!见|但|而|呈|高于|低于)[^,□]){{1,24}}?(?:异常|病理性)的?(?:{_UPTAKE}|浓聚|聚集|显影)(?:灶|影|区|增高)*",
    ),
    ("no abnormal uptake", _NORMAL, rf"{_NO}(?:明显|明确|确切|异常|显著)*的?(?:显影|显像)(?!剂|清|良|异常|正常|示)"),
    (
        "does not take up",
        _NORMAL,
        rf"(?:不|未|无)(?:明显)?(?:摄取|浓聚|聚集){_TRACER}|{_TRACER}(?:不|未)(?:明显)?(?:摄取|浓聚|聚集|显影)",
    ),
    (
        "normal uptake",
        _NORMAL,
        rf"{_UPTAKE}{_EVENLY}(?:正常|均匀|对称|无殊|如常|规则|阴性|良好|大致正常)(?:、?(?:均匀|对称|正常|一致))*"
        rf"(?!(?:性|的|地|一致)*[^,]{{0,5}}(?:{_UP}|{_DOWN}|{_GONE}|高|低))(?:范围内?)?",
    ),
    (
        "seen normally",
        _NORMAL,
        r"显影(?:均|大致|基本)?(?:未见|无)(?:明显|确切)?异常|显影(?:均|大致|基本)?(?:正常|良好|清晰)",
    ),
    ("normal uptake", _NORMAL, rf"正常的?(?:{_TRACER})*(?:摄取|代谢|放射性分布)(?!值|范围)"),
    ("negative sign", _NORMAL, rf"(?:{_UPTAKE})\((?:-|—|–|阴性)\)"),
    ("positive sign", _INCREASED, rf"(?:{_UPTAKE})\((?:\++|阳性)\)"),
    ("unclear", None, rf"{_UPTAKE}\((?:±|\+/-)\)"),
    ("uptake absent", _ABSENT, rf"{_UPTAKE}{_gap(6)}{_GONE}|{_UPTAKE}(?:呈|为)?(?:明显|完全|局部|部分)*(?:消失)"),
    (
        "uptake absent",
        _ABSENT,
        rf"(?:放射性|光子|代谢|摄取|核素)(?:稀疏[、及或-]?)?{_GONE}(?:区|灶)?|冷区|冷结节|{_GONE}(?:的)?(?:放射性|代谢|摄取)",
    ),
    ("uptake lower", _DECREASED, rf"{_UPTAKE}{_gap(14)}{_DOWN}"),
    (
        "low uptake",
        _DECREASED,
        rf"(?<!高)低(?:放射性|FDG)*(?:代谢|摄取)|(?:减低|降低|减弱|稀疏)的?{_TRACER}*(?:代谢|摄取)",
    ),
    ("uptake higher", _INCREASED, rf"{_UPTAKE}{_gap(16)}{_UP}"),
    ("SUV higher", _INCREASED, rf"SUV(?:max|mean|值)?{_gap(6)}(?:增高|升高|高于|偏高|较高)"),
    (
        "high uptake",
        _INCREASED,
        rf"(?:高|异常|病理性|增高|升高|活跃|旺盛|增强|超高)的?{_TRACER}*(?:摄取|代谢|浓聚|浓集|聚集){_NOT_LOWER}(?:增高|灶|影|区|结节)?",
    ),
    (
        "focal uptake",
        _INCREASED,
        rf"(?:结节|团块|片|条|点|环|斑片|斑点|条索|小片|带|灶|线|簇|弥漫|局灶|局限|多发|不规则|类圆|类圆形|大片|放射)(?:状|样|形|性)"
        rf"的?{_TRACER}*(?:摄取|代谢|浓聚|浓集|聚集){_NOT_DENIED}(?:增高|灶|影|区)?",
    ),
    (
        "graded uptake",
        _INCREASED,
        rf"(?:炎性|炎症性|反应性|退变性|退行性|轻度|中度|重度|轻-中度|轻至中度|轻中度|中-重度|中等|中等度|明显|显著|强烈|较强|高度|轻微|略|稍|少许)"
        rf"的?(?:{_TRACER}(?:摄取|代谢|浓聚|浓集|聚集|滞留)|摄取|浓聚|浓集){_NOT_DENIED}",
    ),
    (
        "graded uptake",
        _INCREASED,
        rf"{_TRACER}(?:呈|的|见)?(?:轻度|中度|重度|轻-中度|轻中度|中等|明显|显著|高度|较强|稍|轻|局灶性|结节状|不均匀性?|环形|弥漫性|条状|团块状|"
        rf"片状|异常)+的?(?:摄取|浓聚|浓集|聚集|代谢){_NOT_DENIED}",
    ),
    (
        "tracer focus",
        _INCREASED,
        rf"(?:{_TRACER})(?:异常)?(?:浓聚|聚集|浓集|浓染)(?:灶|影|区)?|(?:浓聚|浓集)(?:灶|影|区)?",
    ),
    (
        "uptake seen",
        _INCREASED,
        rf"(?:见|伴有?|呈|有|并)(?:少量|局部|部分|少许|可疑|小)*{_TRACER}(?:摄取|代谢)(?=[,。(]|灶|影|$)",
    ),
)

STATEMENT = re.compile("|".join(f"(?P<r{i}>{pattern})" for i, (_, _, pattern) in enumerate(_ROWS)), re.IGNORECASE)

_ALSO_GONE = re.compile(rf"[、及和或-]?{_GONE}")
_TRIGGER = re.compile(
    r"FDG|PET|SUV|Deauville|正常|生理|代谢|摄取|放射|显像|显影|示踪|核素|光子|浓聚|浓集|聚集|浓染|冷区|冷结节|高于|超过|强于|超出",
    re.IGNORECASE,
)

_CT_NOUN = (
    r"(?:密度|信号|透亮度|透光度|透过度|CT值|骨质|体积|回声|强化|衰减|高度|间隙"
    r"|纹理|含气量|厚度|管腔|大小|数目|数量|范围|血流)"
)
_READABLE = r"(?:(?!FDG|代谢|摄取|放射性|浓聚|显像剂|SUV)[^,;。])"
CT_WORDING = re.compile(
    rf"{_CT_NOUN}{_READABLE}{{0,8}}?(?:增高|减低|降低|升高|增加|减少|减弱"
    rf"|增强|增浓|增多|缺损|缺失|稀疏|略低|略高|稍低|稍高|偏低|偏高|异常"
    rf"|不均|欠均匀|均匀|正常)"
    rf"|(?:充盈|骨质|局部骨皮质)(?:缺损|缺失)|(?:略|稍|等|混杂|极?)(?:高"
    rf"|低)密度|(?:增高|减低|降低)(?:密度|信号)|骨(?:量)?(?:稀疏|疏松)"
)
CT_LEFT = re.compile(_CT_NOUN + r"|增粗|增厚|增宽|扩张|肿大|钙化")

_EARLIER = (
    r"(?:(?:与|较|比|同|和)?(?:对比|比较)?(?:治疗|放疗|化疗|手术|术|移植)前"
    r"(?!列腺)|前片|前次|上次|旧片|既往|前检查|前PET|前(?=[,(]|[轻明有略稍显较相缩增减降升好无未变大部范病呈代摄F]))"
)
COMPARISON = re.compile(
    rf"(?:较|比|与|同|和)(?:{_EARLIER}|原|外院|\d{{4}})"
    rf"(?:(?!FDG|代谢|摄取|放射性|浓聚|□)[^,;。]){{0,24}}?(?:比较|相比"
    rf"|对比|相仿|大致相仿|变化不[大著]|无(?:明显|显著)?(?:变化|改变)|"
    r"未见(?:明显|显著)?(?:变化|改变)|"
    r"(?:明显|稍|略|有所|轻度|显著|部分|略有|均|大部|进一步|不同程度)*"
    r"(?:减低|降低|下降|减轻|减少|减退|减弱|增高|升高|增加|增大|缩小|好转"
    r"|进展|增多|新增|新发|新出现|减小))"
    r"|(?:新出现|新增|新发)"
)
EARLIER_STUDY = re.compile(
    r"(?<!较)(?<!与)(?<!比)(?<!同)(?<!和)(?:前次|上次|外院|前片|旧片|原片"
    r"|既往|(?:治疗|化疗|放疗|手术|术)前(?!列腺)|\d{4}年[^,]{0,10}|\d{4}[-./]\d{1,2}"
    r"(?:[-./]\d{1,2})?"
    r"|(?<![中经高复])原(?!发|位|因|始|则|来|有|肌))[^,]{0,24}"
)
GONE_NOW = re.compile(
    r"(?:降至|低于|接近)[^,]{0,6}(?:血池|本底|正常)(?:水平)?(?:以下)?|恢复至?正常|转阴|消失|未见(?:明确|明显|确切)?(?:显示|显影|显像)|未再(?:见|显示)|不复见"
)
NOT_EXCLUDED = re.compile(r"(?:未能|不能|难以|无法|不)(?:完全)?(?:排除|除外)[^,;。]*?(?:肿瘤|恶性|病变|转移|可能)")
CURRENT_STUDY = re.compile(r"降至|本次|此次|今次|目前|当前|现(?!象)|复查|这次|本检查|今")
REPORTS = re.compile(r"示|见|为|提示|显示|呈|增高|浓聚")
LEAD = re.compile(
    r"静脉注射|静注|肘静脉|禁食|空腹|血糖|静息|断层显像|断层成像|体层显像|显像剂注射|注射18F|采集|扫描范围|扫描自"
)
SHOWS = re.compile(r"(?:显示|示|如下|见|所见)[:,]?")
ADVICE = re.compile(r"建议|请结合|随访|随诊|除外|待排|鉴别")
HEDGE = re.compile(r"考虑|可能|或|倾向|不除外|待|炎|疑|似|多为|建议|复查|需|结合|\?")
TOGETHER = re.compile(r"均|皆|都|各|分别|以上|上述|全部|普遍|弥漫")
GENERAL = re.compile(
    r"^(?:余|其余|其它|其他|全身|扫描(?:范围|野)|所见|视野|检查|显像范围|躯干|体部|身体|剩余|另|此外|全身其[它他余])+"
    r"[^,]{0,10}?(?:部位|范围内?|组织|各处|层面|区域|处|视野|所见|FDG|未见|显像|检查|骨外|软组织及骨骼)"
)
FORWARD = re.compile(r"^(?:分别|主要|均)?(?:位于|分布于|见于|包括|累及|涉及|位置|即|如|在|以)")
LESION = re.compile(
    r"结节|肿块|灶|占位|增厚|肿大|团块|囊|肿胀|隆起|密度影|软组织影|增大|破坏|膨大|饱满|梗塞|萎缩|淋巴结|片影|实变|病变|积液|见"
)
CLEAR = re.compile(r"未见|正常|无(?!明显强化)|光整|清晰|如常|对称|居中|通畅|良好|尚可")
NODE_STATION = re.compile(r"(?:肝门|脾门|肾门|胃周|胃小弯|胃大弯|胰周|骶前|主动脉|气管)[区部侧旁]?")
CONTINUED = re.compile(
    r"(?:稍|略|轻度|明显|显著|仍|亦|也|均|呈|为|局灶性|局部|相对|较|对侧|周围|部分|区域|个别|中央|中心|边缘|周边|实性|囊性|病灶|另一|且|但|并|更|则|左侧|右侧|较左侧|较右侧)*"
    r"(?:(?P<up>增高|升高|浓聚|更高|高于[^,]{0,8})|(?P<down>减低|降低"
    r"|稀疏|低于(?![^,]{0,4}(?:肝|血池))[^,]{0,8}|更低|稍低|略低)|(?P<gone>缺失"
    r"|缺损))(?:灶|区)?(?:\([^)]*\))?$"
)
WITH_BONE = re.compile(r"(?:伴有?|并有?|及|局部|邻近|相邻|周围|相应)(?:局部|邻近|相邻|周围|部分)*$")
RETURNED = re.compile(
    r"(?:已|现|基本|大致|均|目前|程度)*(?:接近|相当于|等于|低于|不高于|未高于|降至|恢复至|近似于|类似于?|与)[^,]{0,6}?(?:血池|本底|背景|肝脏?(?:实质)?)"
    r"(?:水平|相仿|相似|相近|相当)?"
)
RELATIVE_TO_EARLIER = re.compile(
    r"(?:与|较|同|和|对比|比较)(?:前次|前片|上次|既往|治疗前|外院|\d{4}|原|旧片|老片)[^,。;:]{0,30}?(?:比较|相比|对比|比)(?=[,:]|$)"
)
HIGHER_THAN_BEFORE = re.compile(
    r"(?:FDG|代谢|摄取|放射性(?:分布|浓聚)?|浓聚|SUV(?:max)?)(?:程度|水平|值|活性|均|亦|也|范围)*$", re.IGNORECASE
)
HIGHER = re.compile(r"增高|升高|增强|增浓|上升|增加")
NOTHING_MORE = re.compile(
    r"(?:均|亦|但|也|且|并)?(?:未见|无|未)(?:明显|明确|确切|显著|有|的|异常|局灶性?|局限性?|弥漫性?|结节[状样]?|相应)*"
    r"(?:增高|升高|减低|降低|浓聚|缺损|缺失|稀疏|异常)(?:或|及|、|增高|升高|减低|降低|缺损)*(?:病?灶|区|影)?"
    r"|(?:分布|摄取|均|亦|大致|尚|基本|两侧|双侧|左右)*(?:分布|摄取|大致|尚|基本)(?:均匀|对称|正常)(?:、?(?:均匀|对称|正常))*"
)
LISTED_NODES = re.compile(r"(?:分别|主要)?(?:位于|分布于|见于|包括|部位|如)")
LANDMARK_BEFORE = re.compile(
    r"(?:邻近|毗邻|紧邻|靠近|侵犯|侵及|侵入|突入|突向|突破|牵拉|推压|压迫|推移|包绕|包埋|高于|低于|超过|相当于|接近|等于|近似|类似|贴近|紧贴|相邻|"
    r"浸润|累及|受压|弱于|强于|延伸至|凸向|毗连|来源于|与|较|比|同|和|近|于|至)"
    r"(?:周围|正常|对侧|同侧|左侧|右侧|双侧|两侧|左|右|双|的|纵隔|邻近|局部|部分|脏层|壁层)*$"
)
STRONG_LANDMARK = re.compile(
    r"(?:邻近|毗邻|紧邻|靠近|侵犯|侵及|侵入|突入|突向|突破|牵拉|推压|压迫"
    r"|推移|包绕|包埋|高于|低于|超过|相当于|接近|等于|近似|类似|贴近|紧贴"
    r"|相邻|浸润|累及|弱于|强于|延伸至|凸向|毗连|来源于|较|比)"
    r"(?:周围|正常|对侧|同侧|左侧|右侧|双侧|两侧|左|右|双|的|纵隔|邻近|局部|部分|脏层|壁层)*$"
)
REFERENCE_BEFORE = re.compile(r"\((?:参考|同期|正常|周围|邻近|而|其中|本底)*$")
REFERENCE_AFTER = re.compile(r"(?:脏|实质|本底|血池|正常|的){0,3}(?:SUV|最大SUV|为|约|\d)", re.IGNORECASE)
COMPARED_AFTER = re.compile(
    r"[^,]{0,4}?(?:分界|界限|关系|相仿|相似|相近|相当|一致|粘连|相通|相连|比较|相比|对比|毗邻|密切|相延续|不可分|界)"
)
PLACE_AFTER = re.compile(
    r"(?:下(?!叶|段|部|极|肺|缘|腹|颌)|旁(?!路)|(?<!关节)周(?!期)|本底"
    r"|血池|水平|层面|平面|背景|(?<!肌)间隙(?!变|狭|增)|附近|方向|后方|前方|外侧缘旁"
    r"|表面)"
)
LANDMARK_AFTER = re.compile(
    r"(?:可见|局部|轻度|明显|呈|略|稍)*(?:牵拉|凹陷|皱缩|受牵|受侵|受累|受压|受推|推移|移位|粘连|侵犯|包绕)"
)
HISTORY_AFTER = re.compile(
    r"(?![^,]{0,8}?(?:针|钉|固定|置换|支架|活检|穿刺|消融|TACE|介入|栓塞|射频|微波|冷冻|粒子|引流|造影|修补|成形"
    r"|植骨|搭桥|取石|碎石|放疗|化疗|治疗)(?:植入|置入)?术?后)[^,]{0,3}?(?:癌|瘤|恶性肿瘤|MT|CA|肿瘤|病变|占位|部分|大部|次全|全|根治|切除|改良|移植|叶|上|中|下|左|右|段|腺){0,4}"
    r"(?:根治|改良根治|部分|次全|全)?(?:术后|切除|缺如|病史|史(?!密)|未见显示|未显示|未见确切显示)"
)
STUMP = re.compile(r"假体|残余|残存|剩余|余叶|[左右]叶|对侧|残端|吻合口|术区|手术区|残腔|术床|切缘")


@lru_cache(maxsize=4096)
def statements(clause: str) -> tuple[Statement, ...]:
    """Return what one clause states about uptake, from left to right; places count from its start."""
    if not _TRIGGER.search(clause):
        return ()
    found: list[Statement] = []
    for match in STATEMENT.finditer(clause):
        rule, state, _ = _ROWS[int((match.lastgroup or "r0")[1:])]
        found.append(Statement(state, match.start(), match.end(), rule))
        if rule == "uptake absent" and "稀疏" in match.group():
            found.append(Statement(_DECREASED, match.start(), match.end(), "uptake lower"))
        elif rule == "uptake lower" and (more := _ALSO_GONE.match(clause, match.end())):
            found.append(Statement(_ABSENT, match.start(), more.end(), "uptake absent"))
    return tuple(found)
