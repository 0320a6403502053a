"""The sample company's own salesops.toml: the packaged one with two more stages."""

from salesops.model.settings import default_text
from salesops.sample.options import SampleOptions

NAME = "云拓智联"
_PROPOSAL = """[[stages]]
id = "proposal"
name = { zh = "方案报价", en = "Proposal" }
kind = "open"
key_actions = { zh = "方案设计、产品演示、报价", en = "Design, demo, quote" }
tool = { zh = "CRM、报价单", en = "CRM, quotes" }
owner_role = "presales"
metric = "stage_conversion"
exit_criteria = { zh = "客户书面确认方案", en = "The customer confirmed the proposal in writing" }
stay_days = 12
touch_days = 5

"""
_LEGAL = """[[stages]]
id = "legal_review"
name = { zh = "法务审核", en = "Legal review" }
kind = "open"
key_actions = { zh = "合同条款审核", en = "Review of contract terms" }
tool = { zh = "合同系统、电子签", en = "Contract system, e-signature" }
owner_role = "legal"
metric = "stage_conversion"
exit_criteria = { zh = "合同文本定稿", en = "Contract text is final" }
stay_days = 5
touch_days = 5

"""


_NO_STEPS = "steps = []    "
# On the whole quarter: half of the rate, from 80 % on four fifths of it, at the target the whole.
_STEPS = "steps = [[0.0, 0.5], [0.8, 0.8], [1.0, 1.0]]"
_THRESHOLD, _NO_THRESHOLD = "threshold = 0.5 ", "threshold = 0.0 "
# Of one seller and quarter.
_NOT_TOLD, _ON_TARGET = "on_target = 0    ", "on_target = 30000"


def settings_text(options: SampleOptions) -> str:
    """Give the sample company's salesops.toml; its pay has cliffs where that is planted."""
    text = default_text()
    swaps = {
        'name = "My company"': f'name = "{NAME}"',
        '[[stages]]\nid = "negotiation"': _PROPOSAL + '[[stages]]\nid = "negotiation"',
        _NOT_TOLD: _ON_TARGET,
        '[[stages]]\nid = "contract"': _LEGAL + '[[stages]]\nid = "contract"',
    }
    if options.size("P13"):
        swaps |= {_NO_STEPS: _STEPS, _THRESHOLD: _NO_THRESHOLD}
    for old, new in swaps.items():
        if text.count(old) != 1:
            raise LookupError(f"the packaged salesops.toml no longer has exactly one {old!r}")
        text = text.replace(old, new)
    return text
