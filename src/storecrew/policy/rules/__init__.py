"""The rules of the policy, by subject: pure functions of a proposal and the facts around it."""

from storecrew.policy.content import content
from storecrew.policy.rule_result import Rule
from storecrew.policy.rules.agents import agent_budget, agent_pauses, assumptions, delegation
from storecrew.policy.rules.catalog import margin_floor, price_change
from storecrew.policy.rules.incidents import incident_reports
from storecrew.policy.rules.inventory import stock_counts, transfer
from storecrew.policy.rules.messages import consent, quiet_hours
from storecrew.policy.rules.orders import (
    order_expiry,
    order_flow,
    order_holds,
    order_value,
    reservations,
)
from storecrew.policy.rules.payments import payment_methods, refund_value
from storecrew.policy.rules.promotions import (
    bundle,
    campaign,
    discount,
    personal_offers,
    storefront,
)
from storecrew.policy.rules.proposals import reverts
from storecrew.policy.rules.purchasing import purchase_budget
from storecrew.policy.rules.services import service_restarts
from storecrew.policy.rules.support import tickets

RULES: tuple[Rule, ...] = (
    margin_floor,
    price_change,
    purchase_budget,
    order_value,
    refund_value,
    order_flow,
    reservations,
    order_expiry,
    transfer,
    stock_counts,
    consent,
    quiet_hours,
    assumptions,
    agent_budget,
    discount,
    personal_offers,
    bundle,
    campaign,
    storefront,
    tickets,
    order_holds,
    payment_methods,
    content,
    service_restarts,
    agent_pauses,
    reverts,
    incident_reports,
    delegation,
)
"""Every rule, in the order in which equal results are told."""
