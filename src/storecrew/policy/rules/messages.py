"""Rules on messages to customers: consent, frequency and quiet hours."""

from datetime import time

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.domain.zones import zone_of
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    deny,
)
from storecrew.policy.settings import PolicySettings


def consent(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Forbid marketing to who did not agree to it, or got enough of it this week."""
    if not isinstance(proposal.action, SendMessage):
        return None
    if facts.customer is None:
        return deny("consent", f"there is no customer {proposal.action.customer!r}")
    if proposal.action.purpose == "service":
        return allow("consent", "a message about the customer's own order")
    if proposal.action.purpose != "marketing":
        return deny("consent", f"{proposal.action.purpose!r} is not service or marketing")
    if not facts.customer.marketing_consent:
        return deny("consent", "the customer did not agree to marketing")
    if facts.messages_this_week >= settings.messages_per_week:
        return deny("consent", f"{facts.messages_this_week} messages this week are enough")
    return allow("consent", "the customer agreed to marketing")


def quiet_hours(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Forbid messages in the night of the shop's time zone."""
    if not isinstance(proposal.action, SendMessage | StartCampaign):
        return None
    local = facts.now.astimezone(zone_of(settings.zone)).time()
    if is_quiet(local, settings.quiet_from, settings.quiet_until):
        return deny("quiet_hours", f"no messages until {settings.quiet_until:%H:%M}")
    return allow("quiet_hours", "outside quiet hours")


def is_quiet(local: time, start: time, end: time) -> bool:
    """Tell whether the time lies in the quiet hours, which may span midnight."""
    if start <= end:
        return start <= local < end
    return local >= start or local < end
