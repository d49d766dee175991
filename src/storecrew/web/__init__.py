"""Reads web pages and feeds: politely, and behind an SSRF guard."""
