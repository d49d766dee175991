"""Which role each route needs: one table. A route that does not stand in it is the admin's."""

from storecrew.domain.identity import Caller, Role

ANYONE = None
"""Open to strangers: probes, and routes that ask for a proof of their own."""
_READS, _WORKS, _RULES_THE_HOUSE = Role.VIEWER, Role.OPERATOR, Role.ADMIN

ROUTES: dict[str, Role | None] = {
    # probes, and what a browser asks for by itself
    "GET /": ANYONE,
    "HEAD /": ANYONE,
    "GET /favicon.ico": ANYONE,
    "HEAD /favicon.ico": ANYONE,
    "GET /healthz": ANYONE,
    "GET /liveness": ANYONE,
    "GET /readyz": ANYONE,
    "GET /readiness": ANYONE,
    "GET /health": ANYONE,
    # proof of their own: a password, a signature
    "POST /api/session": ANYONE,
    "POST /webhooks/{source}": ANYONE,
    "GET /unsubscribe/{token}": ANYONE,
    "POST /unsubscribe/{token}": ANYONE,
    # one's own session
    "GET /api/session": _READS,
    "DELETE /api/session": _READS,
    # who may come in
    "GET /api/keys": _RULES_THE_HOUSE,
    "POST /api/keys": _RULES_THE_HOUSE,
    "DELETE /api/keys/{name}": _RULES_THE_HOUSE,
    "GET /api/users": _RULES_THE_HOUSE,
    "POST /api/users": _RULES_THE_HOUSE,
    "DELETE /api/users/{name}": _RULES_THE_HOUSE,
    # seen from outside
    "GET /metrics": _READS,
    # the order system
    "GET /agent/{number}": _READS,
    "GET /agent/5/oversight": _READS,
    "GET /agent/5/recommendations": _READS,
    "GET /api/logs": _READS,
    "POST /agent/1/mail": _WORKS,
    "POST /agent/2/warehouse": _WORKS,
    "POST /agent/3/approve": _WORKS,
    "POST /agent/4/fulfilled": _WORKS,
    "POST /agent/4/delivery-complete": _WORKS,
    # the shop
    "GET /api/orders": _READS,
    "GET /api/orders/{order_id}": _READS,
    "POST /api/orders": _WORKS,
    "POST /api/orders/{order_id}/approve": _WORKS,
    "POST /api/orders/{order_id}/payments": _WORKS,
    "POST /api/orders/{order_id}/fulfil": _WORKS,
    "POST /api/orders/{order_id}/deliver": _WORKS,
    "POST /api/orders/{order_id}/cancel": _WORKS,
    "POST /api/orders/{order_id}/returns": _WORKS,
    "POST /api/orders/{order_id}/return-requests": _WORKS,
    "POST /api/orders/{order_id}/authorizations": _WORKS,
    "POST /api/orders/{order_id}/hold": _WORKS,
    "POST /api/orders/{order_id}/release": _WORKS,
    # customers' questions
    "GET /api/tickets": _READS,
    "GET /api/tickets/{ticket_id:path}": _READS,
    "POST /api/tickets": _WORKS,
    "POST /api/tickets/{ticket_id:path}/reply": _WORKS,
    "POST /api/tickets/{ticket_id:path}/close": _WORKS,
    "POST /api/tickets/{ticket_id:path}/rating": _WORKS,
    # what went wrong, and what matters now
    "GET /api/anomalies": _READS,
    "GET /api/anomalies/{incident:path}": _READS,
    "POST /api/anomalies/{incident:path}/close": _WORKS,
    "POST /api/goal": _WORKS,
    "GET /api/plan": _READS,
    # what is offered, and who buys and delivers
    "GET /api/offers": _READS,
    "POST /api/discounts": _WORKS,
    "POST /api/discounts/{code:path}/end": _WORKS,
    "POST /api/bundles": _WORKS,
    "POST /api/bundles/{name:path}/withdraw": _WORKS,
    "GET /api/places/{place:path}": _READS,
    "PUT /api/places/{place:path}": _WORKS,
    "POST /api/acts": _WORKS,
    "GET /api/payment-methods": _READS,
    "PUT /api/payment-methods/{method:path}": _WORKS,
    "GET /api/customers": _READS,
    "PUT /api/customers/{customer:path}": _WORKS,
    "PUT /api/customers/{customer:path}/consent": _WORKS,
    "POST /api/wishes": _WORKS,
    "GET /api/purchases": _READS,
    "POST /api/purchases/{purchase_id}/receive": _WORKS,
    "POST /api/purchases/{purchase_id}/cancel": _WORKS,
    "POST /api/purchases/{purchase_id}/delay": _WORKS,
    "GET /api/products": _READS,
    "GET /api/v2/products": _READS,
    "GET /api/products/{sku:path}": _READS,
    "PUT /api/products/{sku:path}": _WORKS,
    "GET /api/stock": _READS,
    "GET /api/stock-history": _READS,
    "GET /api/inventory/status": _READS,
    "POST /api/store/{question}": _READS,  # a question with a body
    "PUT /api/stock/{product:path}": _WORKS,
    # messages to customers
    "GET /api/messages": _READS,
    "GET /api/messages/{message_id}/preview": _READS,
    "GET /api/mail/report": _READS,
    # what was learnt
    "GET /api/forecast/{sku:path}": _READS,
    "GET /api/elasticity/{sku:path}": _READS,
    "GET /api/recommendations": _READS,
    "GET /api/recommendations/{customer:path}": _READS,
    "GET /api/trends": _READS,
    "POST /api/pages": _WORKS,  # asks another site in the shop's name
    "POST /api/intents": _READS,  # a question with a body
    "GET /api/models": _READS,
    "GET /api/models/{skill}": _READS,
    "GET /api/models/{skill}/{number:int}": _READS,
    "POST /api/models/{skill}/train": _WORKS,
    "GET /api/campaigns": _READS,
    "GET /api/campaigns/{name:path}": _READS,
    "GET /api/reports/bias": _READS,
    "GET /api/reports/prices": _READS,
    # what happened, and what the owner says to it
    "GET /api/events": _READS,
    "POST /api/events": _WORKS,
    "GET /api/traces/{anything:path}": _READS,
    "GET /api/audit": _READS,
    "GET /api/approvals": _READS,
    "GET /api/approvals/{proposal_id:path}": _READS,
    "POST /api/approvals/{proposal_id:path}/approve": _WORKS,
    "POST /api/approvals/{proposal_id:path}/reject": _WORKS,
    "GET /api/explanations/{proposal_id:path}": _READS,
    "POST /api/undo/{proposal_id:path}": _WORKS,
    "POST /api/orchestrator/pause": _WORKS,
    "POST /api/orchestrator/resume": _WORKS,
    # services beside it
    "GET /api/services": _READS,
    "GET /api/services/{service}": _READS,
    "GET /api/services/{service}/logs": _READS,
    "GET /api/services/{service}/logs/follow": _READS,
    "GET /api/services/logs/follow": _READS,
    "POST /api/services": _RULES_THE_HOUSE,  # an executable
    "POST /api/services/announce": _WORKS,
    "PUT /api/services/{service}/start": _WORKS,
    "PUT /api/services/{service}/stop": _WORKS,
    "PUT /api/services/{service}/restart": _WORKS,
    "POST /api/services/{service}/health": _WORKS,
    "POST /api/services/{service}/goodbye": _WORKS,
    # the crew
    "GET /api/agents": _READS,
    "POST /api/agents": _RULES_THE_HOUSE,
    "GET /api/agents/status": _READS,
    "GET /api/agents/executions/{execution_id}": _READS,
    "GET /api/agents/{agent_id}": _READS,
    "GET /api/agents/{agent_id}/status": _READS,
    "GET /api/agents/{agent_id}/capabilities": _READS,
    "GET /api/agents/{agent_id}/health": _READS,
    "DELETE /api/agents/{agent_id}": _RULES_THE_HOUSE,
    "POST /api/agents/{agent_id}/pause": _WORKS,
    "POST /api/agents/{agent_id}/resume": _WORKS,
    "POST /api/agents/{agent_id}/execute": _WORKS,
    "POST /api/agents/{agent_id}/heartbeat": ANYONE,  # its token proves who sends it
    "POST /api/tasks": _WORKS,
    "GET /api/orchestrator/health": _READS,
    "GET /api/system/capabilities": _READS,
    "GET /agents/status": _READS,
    "GET /api/runs": _READS,
    "GET /api/runs/{run_id:path}": _READS,
    "GET /api/proposals": _READS,
    "GET /api/proposals/{proposal_id:path}": _READS,
    "POST /run_agent/{name}": _WORKS,
    "POST /run_all": _WORKS,
}
"""Method and path, as the route was declared, to the least role."""


def rule_of(method: str, path: str) -> Role | None:
    """Return the least role for the route, None for one that is open to strangers."""
    return ROUTES.get(f"{method} {path}", Role.ADMIN)


def may(caller: Caller | None, needed: Role | None) -> bool:
    """Tell whether the caller may use a route that needs this role."""
    return needed is None or (caller is not None and caller.role.covers(needed))
