"""Rules on stock: transfers and counts."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.inventory import AdjustStock, SetStock, TransferStock
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    ask,
)
from storecrew.policy.settings import PolicySettings


def transfer(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Allow moves between warehouses: only available units move, and they can move back."""
    if isinstance(proposal.action, TransferStock):
        return allow("transfer", "the store moves available units only")
    return None


def stock_counts(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask before stock is set to a count: a typing error would sell units that do not exist."""
    if isinstance(proposal.action, SetStock | AdjustStock):
        return ask("stock_counts", "it changes what the books say is on the shelf")
    return None
