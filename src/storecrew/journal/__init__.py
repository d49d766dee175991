"""The control plane's database: events, runs, proposals, approvals and the audit."""
