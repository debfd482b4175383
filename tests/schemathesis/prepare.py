"""Makes what the generated requests may name on a fresh server, and writes down what Schemathesis has to know of it.

Called by `run` with the server's URL, a file for the objects and one for the settings; the operator's key is in
COFFER_OPERATOR_KEY.
"""

import itertools
import json
import os
import pathlib
import sys
import urllib.request

ACCOUNTS = 6
HOLDS_OF_EACH = 40
OF_EACH = 12


def call(url, operator_key, method, path, body=None, name=None):
    request = urllib.request.Request(url + path, method=method)
    request.add_header("Authorization", f"Bearer {operator_key}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if name is not None:
        request.add_header("Idempotency-Key", name)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def make_objects(post):
    """Ids and secrets by what they are of."""
    made = {name: [] for name in ("account", "grant", "charge", "hold", "key", "secret", "operator_key")}
    operation = "/v1/prices/remove-watermark"
    post(operation, {"credits_per_unit": "0.25", "unit": "image"}, method="PUT")
    for number in range(ACCOUNTS):
        account = post("/v1/accounts", {"name": f"Account {number}", "external_id": f"customer-{number}"})["id"]
        made["account"].append(account)
        for _ in range(OF_EACH):
            grant = {"credits": "1000000", "reference": "invoice"}
            made["grant"].append(post(f"/v1/accounts/{account}/grants", grant, named=True)["id"])
        for _ in range(OF_EACH):
            charge = {"account_id": account, "operation": "remove-watermark", "quantity": "3", "reference": "job"}
            made["charge"].append(post("/v1/charges", charge, named=True)["id"])
            key = post(f"/v1/accounts/{account}/keys", {"name": "production"})
            made["key"].append(key["id"])
            made["secret"].append(key["secret"])
        for _ in range(HOLDS_OF_EACH):
            hold = {"account_id": account, "operation": "remove-watermark", "quantity": "8"}
            made["hold"].append(post("/v1/holds", hold, named=True)["id"])
    for _ in range(OF_EACH):
        made["operator_key"].append(post("/v1/operator-keys", {"name": "service", "scopes": ["read"]})["id"])
    return made


def customer(post):
    """The key that customers' calls are made with, of an account that no generated request is told of."""
    account = post("/v1/accounts", {"name": "Customer"})["id"]
    post(f"/v1/accounts/{account}/grants", {"credits": "1234"}, named=True)
    return post(f"/v1/accounts/{account}/keys", {"name": "mine"})["secret"]


def dictionaries(made):
    for name, values in made.items():
        yield f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n"
    yield '[dictionaries.operation]\nvalues = ["remove-watermark", "get-credits-balance"]\n'


def main():
    url, objects, settings = sys.argv[1:]
    operator_key = os.environ["COFFER_OPERATOR_KEY"]
    names = itertools.count()

    def post(path, body, named=False, method="POST"):
        name = f"prepared-{next(names)}" if named else None
        return call(url, operator_key, method, path, body, name)

    made = make_objects(post)
    pathlib.Path(objects).write_text(json.dumps(made))
    here = pathlib.Path(__file__).resolve().parent
    text = (here / "settings.toml").read_text()
    text = text.replace("@OPERATOR_KEY@", operator_key).replace("@CUSTOMER_KEY@", customer(post))
    text = text.replace("@HOOKS@", str(here / "hooks.py"))
    pathlib.Path(settings).write_text(text + "\n" + "\n".join(dictionaries(made)))


if __name__ == "__main__":
    main()
