"""The crew as it is shipped: one line per agent."""

from storecrew.agents.communications import customer_communications
from storecrew.agents.coordinator import coordinator
from storecrew.agents.forecasting import inventory_forecasting
from storecrew.agents.inventory import inventory
from storecrew.agents.mail_interface import mail_interface
from storecrew.agents.marketing import marketing_automation
from storecrew.agents.order_management import order_management
from storecrew.agents.oversight import oversight
from storecrew.agents.personalization import personalization
from storecrew.agents.pricing import pricing_optimizer
from storecrew.agents.research import product_research
from storecrew.agents.resolver import anomaly_resolver
from storecrew.agents.support import customer_support
from storecrew.agents.warehouse import warehouse

CREW = (
    mail_interface,
    warehouse,
    order_management,
    customer_communications,
    customer_support,
    oversight,
    inventory_forecasting,
    inventory,
    pricing_optimizer,
    product_research,
    marketing_automation,
    personalization,
    anomaly_resolver,
    coordinator,
)
