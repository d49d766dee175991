"""What each route answers when all goes well: one table of shapes, by method and path."""

from storecrew.api.schemas import (
    ANYTHING,
    FLAG,
    MOMENT,
    NUMBER,
    OBJECT,
    TEXT,
    WHOLE,
    Schema,
    Shapes,
    const,
    either,
    fields,
    listing,
    mapping,
    optional,
)
from storecrew.app.bias import BiasReport
from storecrew.app.campaigns import CampaignReport
from storecrew.app.followups import PriceReport
from storecrew.app.mail_desk import MailState, Preview
from storecrew.app.model_answers import ElasticityAnswer, ForecastAnswer, IntentAnswer
from storecrew.app.model_desk import Course
from storecrew.app.planning import Plan
from storecrew.app.suggestions import Offers
from storecrew.app.support import SupportFigures
from storecrew.app.trends import RisingProduct
from storecrew.domain import (
    care,
    commerce,
    events,
    identity,
    learning,
    operations,
    runs,
    selling,
    services,
    traces,
)
from storecrew.domain.identity import Role
from storecrew.models.extraction.page import ProductPage
from storecrew.policy import Explanation

_CHECKS = listing(fields(name=TEXT, ok=FLAG, detail=TEXT))
_READY = fields(ready=FLAG, checks=_CHECKS)
_HEALTH = fields(
    service=TEXT,
    status={"type": "string", "enum": ["healthy", "warning", "degraded"]},
    version=TEXT,
    timestamp=MOMENT,
    uptime_seconds=NUMBER,
    agents=OBJECT,
    services=mapping(OBJECT),
    checks=_CHECKS,
)
_ALIVE = fields(status=const("healthy"))
_MOVED = fields(id=WHOLE, order_id=WHOLE, status=TEXT)
_PAUSED = fields(paused=FLAG)
_STANDING = fields(
    agent_id=TEXT,
    name=TEXT,
    status=TEXT,
    health=TEXT,
    interval=either(NUMBER, TEXT, {"type": "null"}),
    last_run=optional(TEXT),
    next_run=optional(TEXT),
    heartbeat_age=optional(NUMBER),
    error_count=WHOLE,
    tags=listing(TEXT),
)
_CREW = fields(agents=listing(_STANDING), total=WHOLE, healthy=WHOLE, stale=WHOLE, error=WHOLE)
_AGENT = fields(
    agent_id=TEXT,
    name=TEXT,
    purpose=TEXT,
    on=listing(TEXT),
    interval=either(NUMBER, TEXT, {"type": "null"}),
    may=listing(TEXT),
    capabilities=listing(TEXT),
    tags=listing(TEXT),
    priority=WHOLE,
    max_concurrent_tasks=WHOLE,
)
_ROLE: Schema = {"type": "string", "enum": list(Role)}
_EXECUTION = fields(
    execution_id=TEXT,
    agent_id=TEXT,
    status=TEXT,
    started_at=TEXT,
    progress=NUMBER,
    result=ANYTHING,
)


def answers(shapes: Shapes) -> dict[str, Schema]:
    """Return the shape of each route's answer."""
    return {
        **_probes(),
        **_orders(shapes),
        **_shop(shapes),
        **_care(shapes),
        **_offers(shapes),
        **_models(shapes),
        **_mail(shapes),
        **_owner(shapes),
        **_agents(shapes),
        **_services(shapes),
        **_access(shapes),
    }


def _page(shape: Schema) -> Schema:
    return fields(items=listing(shape), page=WHOLE, per_page=WHOLE, total=WHOLE, pages=WHOLE)


def _probes() -> dict[str, Schema]:
    return {
        "GET /": fields(service=const("orchestrator"), status=const("ok"), version=TEXT),
        "GET /healthz": _ALIVE,
        "GET /liveness": _ALIVE,
        "GET /readyz": _READY,
        "GET /readiness": _READY,
        "GET /health": _HEALTH,
    }


def _orders(shapes: Shapes) -> dict[str, Schema]:
    order = shapes.of(commerce.Order)
    steps = ("approve", "payments", "fulfil", "deliver", "cancel", "returns")
    return {
        "GET /agent/{number}": fields(name=TEXT, description=TEXT),
        "GET /agent/5/oversight": fields(metrics=OBJECT, insights=listing(ANYTHING), status=TEXT),
        "GET /agent/5/recommendations": fields(recommendations=listing(ANYTHING), metrics=OBJECT),
        "POST /agent/1/mail": fields(
            response=TEXT, order_id=WHOLE, status=TEXT, stock_check=mapping(TEXT)
        ),
        "POST /agent/2/warehouse": fields(
            message=TEXT, updated_items=mapping(WHOLE), current_stock=mapping(WHOLE)
        ),
        "POST /agent/3/approve": fields(
            response=TEXT, payment_order=TEXT, order_id=WHOLE, status=TEXT
        ),
        "POST /agent/4/fulfilled": fields(confirmation=TEXT, updated_stock=ANYTHING, status=TEXT),
        "POST /agent/4/delivery-complete": fields(success=FLAG, status=TEXT),
        "GET /api/logs": fields(
            orders=listing(order), page=WHOLE, per_page=WHOLE, total=WHOLE, pages=WHOLE
        ),
        "GET /api/orders": _page(order),
        "GET /api/orders/{order_id}": order,
        "POST /api/orders": fields(id=WHOLE, order_id=WHOLE, status=TEXT),
        **{f"POST /api/orders/{{order_id}}/{step}": _MOVED for step in steps},
        "POST /api/orders/{order_id}/return-requests": fields(order_id=WHOLE, event_id=WHOLE),
        "POST /api/orders/{order_id}/authorizations": fields(
            order_id=WHOLE, reference=TEXT, method=TEXT
        ),
        "POST /api/orders/{order_id}/hold": fields(order_id=WHOLE, held=TEXT),
        "POST /api/orders/{order_id}/release": fields(order_id=WHOLE, held=TEXT),
    }


def _care(shapes: Shapes) -> dict[str, Schema]:
    ticket, incident = shapes.of(care.Ticket), shapes.of(operations.Incident)
    told = fields(ticket_id=TEXT, status=TEXT)
    return {
        "GET /api/tickets": fields(items=listing(ticket), figures=shapes.of(SupportFigures)),
        "GET /api/tickets/{ticket_id:path}": ticket,
        "POST /api/tickets": told,
        "POST /api/tickets/{ticket_id:path}/reply": told,
        "POST /api/tickets/{ticket_id:path}/close": told,
        "POST /api/tickets/{ticket_id:path}/rating": fields(ticket_id=TEXT, rating=WHOLE),
        "GET /api/anomalies": fields(items=listing(incident), total=WHOLE),
        "GET /api/anomalies/{incident:path}": incident,
        "POST /api/anomalies/{incident:path}/close": fields(id=TEXT, status=TEXT),
        "POST /api/goal": fields(goal=TEXT, event_id=WHOLE),
        "GET /api/plan": shapes.of(Plan),
    }


def _offers(shapes: Shapes) -> dict[str, Schema]:
    customer, purchase = shapes.of(commerce.Customer), shapes.of(commerce.Purchase)
    settled = fields(purchase_id=WHOLE, status=TEXT)
    shown = fields(place=TEXT, products=listing(TEXT))
    return {
        "GET /api/offers": fields(
            discounts=listing(shapes.of(selling.Discount)),
            bundles=listing(shapes.of(selling.Bundle)),
            suggestions=listing(shapes.of(selling.Suggestion)),
        ),
        "POST /api/discounts": fields(code=TEXT, status=const("offered")),
        "POST /api/discounts/{code:path}/end": fields(code=TEXT, status=const("ended")),
        "POST /api/bundles": fields(name=TEXT, status=const("offered")),
        "POST /api/bundles/{name:path}/withdraw": fields(name=TEXT, status=const("withdrawn")),
        "GET /api/places/{place:path}": shown,
        "PUT /api/places/{place:path}": shown,
        "POST /api/acts": fields(customer=TEXT, kind=TEXT),
        "GET /api/payment-methods": fields(methods=mapping(FLAG)),
        "PUT /api/payment-methods/{method:path}": fields(method=TEXT, enabled=FLAG),
        "GET /api/customers": _page(customer),
        "PUT /api/customers/{customer:path}": fields(customer=TEXT, name=TEXT),
        "PUT /api/customers/{customer:path}/consent": fields(customer=TEXT, marketing=FLAG),
        "POST /api/wishes": fields(customer=TEXT, product=TEXT),
        "GET /api/purchases": _page(purchase),
        **{f"POST /api/purchases/{{purchase_id}}/{step}": settled
           for step in ("receive", "cancel", "delay")},
    }  # fmt: skip


def _shop(shapes: Shapes) -> dict[str, Schema]:
    product = shapes.of(commerce.Product)
    place = fields(warehouse=TEXT, on_hand=WHOLE, reserved=WHOLE, available=WHOLE)
    level = fields(
        sku=TEXT, product=TEXT, warehouse=TEXT, on_hand=WHOLE, reserved=WHOLE, available=WHOLE
    )
    item = fields(product=TEXT, total=WHOLE, locations=listing(place))
    return {
        "GET /api/v2/products": fields(
            items=listing(product), count=WHOLE, generatedAt=TEXT, source=TEXT
        ),
        "GET /api/products": _page(product),
        "GET /api/products/{sku:path}": product,
        "PUT /api/products/{sku:path}": fields(sku=TEXT),
        "GET /api/stock": _page(level),
        "PUT /api/stock/{product:path}": fields(product=TEXT, warehouse=TEXT, on_hand=WHOLE),
        "GET /api/stock-history": fields(history=listing(shapes.of(commerce.StockMove))),
        "GET /api/inventory/status": fields(items=listing(item)),
        "POST /api/store/{question}": fields(answer=ANYTHING),
    }


def _models(shapes: Shapes) -> dict[str, Schema]:
    version, offers = shapes.of(learning.Version), shapes.of(Offers)
    return {
        "GET /api/forecast/{sku:path}": shapes.of(ForecastAnswer),
        "GET /api/elasticity/{sku:path}": shapes.of(ElasticityAnswer),
        "GET /api/recommendations": offers,
        "GET /api/recommendations/{customer:path}": offers,
        "GET /api/trends": fields(rising=listing(shapes.of(RisingProduct))),
        "POST /api/pages": fields(product=optional(shapes.of(ProductPage))),
        "POST /api/intents": shapes.of(IntentAnswer),
        "GET /api/campaigns": fields(campaigns=listing(shapes.of(CampaignReport))),
        "GET /api/campaigns/{name:path}": shapes.of(CampaignReport),
        "GET /api/reports/bias": shapes.of(BiasReport),
        "GET /api/reports/prices": shapes.of(PriceReport),
        "GET /api/models": fields(models=listing(shapes.of(Course))),
        "GET /api/models/{skill}": fields(versions=listing(version)),
        "GET /api/models/{skill}/{number:int}": version,
        "POST /api/models/{skill}/train": fields(skill=TEXT, status=const("training")),
    }


def _mail(shapes: Shapes) -> dict[str, Schema]:
    return {
        "GET /api/messages": _page(shapes.of(care.QueuedMessage)),
        "GET /api/messages/{message_id}/preview": shapes.of(Preview),
        "GET /api/mail/report": shapes.of(MailState),
    }


def _owner(shapes: Shapes) -> dict[str, Schema]:
    approval, story = shapes.of(runs.Approval), shapes.of(runs.Story)
    run, scheduled = shapes.of(runs.Run), fields(proposal_id=TEXT, status=TEXT, run_id=TEXT)
    return {
        "GET /api/approvals": listing(approval),
        "GET /api/explanations/{proposal_id:path}": shapes.of(Explanation),
        "GET /api/approvals/{proposal_id:path}": approval,
        "POST /api/approvals/{proposal_id:path}/approve": scheduled,
        "POST /api/approvals/{proposal_id:path}/reject": fields(proposal_id=TEXT, status=TEXT),
        "POST /api/undo/{proposal_id:path}": scheduled,
        "POST /api/orchestrator/pause": _PAUSED,
        "POST /api/orchestrator/resume": _PAUSED,
        "GET /api/audit": _page(shapes.of(runs.AuditEntry)),
        "GET /api/events": _page(shapes.of(events.Recorded)),
        "POST /api/events": fields(event_id=WHOLE, duplicate=FLAG, wakes=listing(TEXT)),
        "POST /webhooks/{source}": fields(event_id=WHOLE, duplicate=FLAG),
        "GET /api/runs": _page(run),
        "GET /api/runs/{run_id:path}": run,
        "GET /api/proposals": _page(story),
        "GET /api/proposals/{proposal_id:path}": story,
        "GET /api/traces/{anything:path}": shapes.of(traces.Trace),
    }


def _agents(_shapes: Shapes) -> dict[str, Schema]:
    paused = fields(agent_id=TEXT, paused=FLAG)
    return {
        "GET /api/agents": fields(agents=listing(_AGENT), total=WHOLE),
        "POST /api/agents": _AGENT,
        "GET /agents/status": _CREW,
        "GET /api/agents/status": _CREW,
        "GET /api/agents/executions/{execution_id}": _EXECUTION,
        "GET /api/agents/{agent_id}": {"allOf": [_AGENT, _STANDING]},
        "DELETE /api/agents/{agent_id}": fields(agent_id=TEXT, status=TEXT),
        "GET /api/agents/{agent_id}/status": _STANDING,
        "GET /api/agents/{agent_id}/capabilities": fields(
            agent_id=TEXT, capabilities=listing(TEXT), may=listing(TEXT)
        ),
        "GET /api/agents/{agent_id}/health": fields(
            agent_id=TEXT, status=TEXT, heartbeat_age=optional(NUMBER), error_count=WHOLE
        ),
        "POST /api/agents/{agent_id}/pause": paused,
        "POST /api/agents/{agent_id}/resume": paused,
        "POST /api/agents/{agent_id}/heartbeat": fields(agent_id=TEXT, status=TEXT),
        "POST /api/agents/{agent_id}/execute": fields(
            executionId=TEXT,
            agentId=TEXT,
            status=TEXT,
            startedAt=TEXT,
            parameters=OBJECT,
            message=TEXT,
        ),
        "POST /run_agent/{name}": fields(status=const("scheduled"), run_id=TEXT),
        "POST /run_all": fields(status=const("all scheduled"), runs=listing(TEXT)),
        "POST /api/tasks": fields(agent_id=TEXT, execution_id=TEXT, status=TEXT),
        "GET /api/orchestrator/health": OBJECT,
        "GET /api/system/capabilities": fields(
            apiVersion=TEXT, capabilities=listing(TEXT), agents=listing(OBJECT), features=OBJECT
        ),
    }


def _services(shapes: Shapes) -> dict[str, Schema]:
    view = shapes.of(services.ServiceView)
    return {
        "GET /api/services": listing(view),
        "POST /api/services": view,
        "POST /api/services/announce": view,
        "GET /api/services/{service}": view,
        "PUT /api/services/{service}/start": view,
        "PUT /api/services/{service}/stop": view,
        "PUT /api/services/{service}/restart": view,
        "POST /api/services/{service}/health": view,
        "POST /api/services/{service}/goodbye": view,
        "GET /api/services/{service}/logs": fields(service=TEXT, lines=listing(TEXT)),
    }


def _access(shapes: Shapes) -> dict[str, Schema]:
    gone = fields(name=TEXT, status=TEXT)
    return {
        "GET /api/session": fields(name=TEXT, role=_ROLE, csrf_token=optional(TEXT)),
        "POST /api/session": fields(name=TEXT, role=_ROLE, csrf_token=TEXT, ends_at=MOMENT),
        "DELETE /api/session": fields(status=TEXT),
        "GET /api/keys": fields(items=listing(shapes.of(identity.Key)), total=WHOLE),
        "POST /api/keys": fields(name=TEXT, role=_ROLE, key=TEXT),
        "DELETE /api/keys/{name}": gone,
        "GET /api/users": fields(items=listing(shapes.of(identity.User)), total=WHOLE),
        "POST /api/users": fields(name=TEXT, role=_ROLE),
        "DELETE /api/users/{name}": gone,
    }
