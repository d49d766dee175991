"""Turns customers' mails into orders."""

from storecrew.agents.mail_interface.agent import mail_interface

__all__ = ["mail_interface"]
