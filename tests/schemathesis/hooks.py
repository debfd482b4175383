"""What a schema cannot say: which objects there are, and rules that a request may break although it keeps to its schema."""

import itertools
import json
import os

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

OBJECTS = json.load(open(os.environ["SCHEMATHESIS_OBJECTS"], encoding="utf-8"))
TURNS = itertools.count(1)
SPENDING = ("/v1/charges", "/v1/holds")
API_KEY_HEADER = "ZF-API-KEY"

# The field of a 400's problem, and how its detail goes on. The document tells these rules in words.
RULES = (
    # Which origins a server sends customers back to is a matter of its configuration.
    ("return_url", "must be an address on one of the configured return_origins"),
    ("expires_at", "must lie in the future"),
    ("expires_at", "must lie after effective_at"),
    ("at", "must not lie in the future"),
    ("cursor", "must be a next_cursor of this list"),
    ("account_id", "must not be given beside the customer's key"),
    ("account_id", "give account_id, or the customer's api_key"),
    ("api_key", "must not be given beside the header"),
    ("quantity", "the hold was made for credits"),
    ("credits", "must be more than zero, unless the capture is final"),
)
# To JSON Schema 2.0 is an integer. Credits are never read from a JSON float, and nothing else is either.
FLOAT = "invalid type: floating point"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Lets most of the requests that keep to the schema name what is there, so that more is tested than refusals."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    turn = next(TURNS)
    if case.headers and "Idempotency-Key" in case.headers and turn % 4:
        case.headers["Idempotency-Key"] = f"fresh-{turn}"
    body = case.body
    if not isinstance(body, dict):
        return
    if isinstance(body.get("operations"), list):
        for place, operation in enumerate(body["operations"]):
            if isinstance(operation, dict):
                point_to_objects(operation, turn + place)
                if turn % 4:
                    operation["idempotency_key"] = f"fresh-{turn}-{place}"
    elif turn % 4:
        point_to_objects(body, turn)
        if case.operation.path in SPENDING and case.method == "POST":
            choose_payer(case, body, turn)


def point_to_objects(body, turn):
    for field, kind in (("account_id", "account"), ("hold_id", "hold"), ("charge_id", "charge"), ("api_key", "secret")):
        if isinstance(body.get(field), str):
            body[field] = OBJECTS[kind][turn % len(OBJECTS[kind])]
    if isinstance(body.get("operation"), str):
        body["operation"] = "remove-watermark"
    if isinstance(body.get("expires_at"), str):
        body["expires_at"] = "2099-01-01T00:00:00Z"
        if isinstance(body.get("effective_at"), str):
            body["effective_at"] = "2026-01-01T00:00:00+01:00"


def choose_payer(case, body, turn):
    """A header that may stand in for a field cannot be told by the body's schema."""
    if case.headers and API_KEY_HEADER in case.headers:
        case.headers[API_KEY_HEADER] = OBJECTS["secret"][turn % len(OBJECTS["secret"])]
        body.pop("account_id", None)
        body.pop("api_key", None)
    elif body.get("account_id") is None and body.get("api_key") is None:
        body["account_id"] = OBJECTS["account"][turn % len(OBJECTS["account"])]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure is one: not where a rule is broken that no schema can tell."""
    if not isinstance(failure, RejectedPositiveData) or response is None or response.status_code != 400:
        return True
    problem = response.json()
    detail = problem.get("detail", "")
    if FLOAT in detail:
        return False
    return not any(detail.startswith(f"{field}: {rule}") for field, rule in RULES)
