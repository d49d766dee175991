"""The crew as it is shipped: one line per agent."""

from storecrew.agents.approval import approval
from storecrew.agents.forecasting import inventory_forecasting
from storecrew.agents.fulfilment import fulfilment
from storecrew.agents.mail_interface import mail_interface
from storecrew.agents.oversight import oversight
from storecrew.agents.pricing import pricing_optimizer
from storecrew.agents.replenishment import replenishment
from storecrew.agents.warehouse import warehouse

CREW = (
    mail_interface,
    warehouse,
    approval,
    fulfilment,
    oversight,
    inventory_forecasting,
    replenishment,
    pricing_optimizer,
)
