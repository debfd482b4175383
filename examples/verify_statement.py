"""Check the chain of an account's statement: verify_statement.py ACCOUNT_ID [FILE] [--head HASH]

FILE is the answer to GET /v1/accounts/ACCOUNT_ID/entries with "Accept: application/x-ndjson", the whole of it;
without FILE it is read from standard input. What is computed here is described in docs/entries.md.

Prints "ok: N entries, head HASH", or what is wrong with which entry. HASH is a head that you kept from an
earlier statement: with it, the statement must lead through it. Exit codes: 0 the statement fits, 1 it does not,
2 it could not be read.
"""
import argparse
import hashlib
import json
import re
import sys

BEFORE_THE_FIRST = bytes(32)
ALWAYS = ["seq", "kind", "credits", "held_credits", "available_after", "held_after", "lots", "at", "hash"]
TEXTS = ["reference", "metadata", "reason"]
DIGESTS = [text + "_digest" for text in TEXTS]
IDS = ["grant_id", "charge_id", "hold_id", "key_id", "refund_id", "adjustment_id"]
FIELDS = set(ALWAYS + TEXTS + DIGESTS + IDS + ["salt", "operation", "quantity"])
KINDS = ["grant", "charge", "hold", "capture", "release", "refund", "expire", "void", "adjust"]


class Wrong(Exception):
    """Something in a statement does not fit."""


def parsed(line):
    """An entry from its line. What the hash would not cover is not let in."""

    def once(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise Wrong("a field is there twice")
        return dict(pairs)

    try:
        entry = json.loads(line.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"not JSON, perhaps cut off: {error}") from None
    if not isinstance(entry, dict):
        raise Wrong("not a JSON object")
    if missing := [name for name in ALWAYS if name not in entry]:
        raise Wrong(f"{missing[0]} is missing")
    if unknown := sorted(set(entry) - FIELDS):
        raise Wrong(f"{unknown[0]} is no field of an entry")
    for name, value in entry.items():
        kind = {"seq": int, "lots": list, "metadata": dict}.get(name, str)
        if type(value) is not kind:
            raise Wrong(f"{name} has another form")
        if kind is str and name not in TEXTS and "\n" in value:
            raise Wrong(f"{name} has a line break")
    return entry


def millionths(name, text):
    """Credits as a whole number of millionths."""
    form = re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]{1,6}))?", text, re.ASCII) if isinstance(text, str) else None
    if not form:
        raise Wrong(f"{name} is no amount: {text!r}")
    sign, whole, fraction = form.groups(default="")
    amount = int(whole) * 1_000_000 + int(fraction.ljust(6, "0"))
    return -amount if sign else amount


def sha256(*parts):
    return hashlib.sha256(b"".join(parts))


def check_text(entry, name):
    """A text that is there must be the one whose digest is in the hash. One that was erased left its digest."""
    if name not in entry:
        return
    if "salt" not in entry:
        raise Wrong(f"{name} cannot be checked: its salt is missing")
    text = entry[name]
    if name == "metadata":
        pairs = sorted((key.encode("utf-8"), value) for key, value in text.items())
        if not all(isinstance(value, str) for _, value in pairs):
            raise Wrong("metadata has another form")
        parts = [part for key, value in pairs for part in (key, value.encode("utf-8"))]
        text = b"".join(str(len(part)).encode("ascii") + b":" + part for part in parts)
    else:
        text = text.encode("utf-8")
    try:
        salt = bytes.fromhex(entry["salt"])
    except ValueError:
        raise Wrong("salt is not hexadecimal") from None
    if sha256(salt, text).hexdigest() != entry.get(name + "_digest"):
        raise Wrong(f"{name} is not the text whose digest is in the hash")


def canonical_bytes(account_id, entry):
    lots = [f"{lot['grant_id'] or 'overdraft'}:{lot['credits']}" for lot in entry["lots"]]
    always = [
        ("account_id", account_id),
        ("seq", str(entry["seq"])),
        ("kind", entry["kind"]),
        ("at", entry["at"]),
        ("credits", entry["credits"]),
        ("held_credits", entry["held_credits"]),
        ("available_after", entry["available_after"]),
        ("held_after", entry["held_after"]),
        ("lots", ",".join(lots)),
    ]
    maybe_empty = ["grant_id", "charge_id", "hold_id", "key_id", "reference_digest", "metadata_digest"]
    maybe_absent = ["refund_id", "adjustment_id", "operation", "quantity", "reason_digest"]
    lines = always + [(name, entry.get(name, "")) for name in maybe_empty]
    lines += [(name, entry[name]) for name in maybe_absent if name in entry]
    return "".join(f"{name}={value}\n" for name, value in lines).encode("utf-8")


def check_lots(entry, credits, held_credits):
    for lot in entry["lots"]:
        if not isinstance(lot, dict) or set(lot) != {"grant_id", "credits"}:
            raise Wrong("lots have another form")
        if lot["grant_id"] is not None and not re.fullmatch("grt_[0-9a-z]{26}", str(lot["grant_id"])):
            raise Wrong(f"{lot['grant_id']!r} is no grant")
    total = sum(millionths("a lot", lot["credits"]) for lot in entry["lots"])
    expected = credits + held_credits if entry["kind"] == "capture" else credits
    if total != expected:
        raise Wrong("the lots do not add up to the change")


class Chain:
    """What stands after the entries so far."""

    def __init__(self, account_id):
        self.account_id = account_id
        self.seq, self.available, self.held, self.at = 0, 0, 0, ""
        self.hash = BEFORE_THE_FIRST

    def take(self, entry):
        due = self.seq + 1
        if entry["seq"] != due:
            raise Wrong(f"entry {entry['seq']} stands in its place")
        if entry["kind"] not in KINDS:
            raise Wrong(f"{entry['kind']!r} is no kind of entry")
        credits, held_credits, available_after, held_after = (
            millionths(name, entry[name]) for name in ("credits", "held_credits", "available_after", "held_after")
        )
        check_lots(entry, credits, held_credits)
        for name in TEXTS:
            check_text(entry, name)
        digest = sha256(self.hash, canonical_bytes(self.account_id, entry))
        if digest.hexdigest() != entry["hash"]:
            raise Wrong("its hash does not fit what it says and the entry before it")
        # What follows can only be a fault of whoever wrote the ledger: the hash says that it was written so.
        if available_after != self.available + credits or held_after != self.held + held_credits:
            raise Wrong("the balances after it are not those before it and its change")
        if entry["at"] < self.at:
            raise Wrong("it happened before the entry before it")
        self.seq, self.available, self.held, self.at = due, available_after, held_after, entry["at"]
        self.hash = digest.digest()


def verify(account_id, lines, kept_head):
    """Returns the end of the chain, and whether it leads through the head that was kept."""
    chain = Chain(account_id)
    seen = kept_head is None or kept_head == chain.hash.hex()
    # Lines end with a line feed and nothing else: texts may hold other characters that end lines elsewhere.
    for number, line in enumerate(lines, start=1):
        try:
            chain.take(parsed(line))
        except Wrong as wrong:
            raise Wrong(f"line {number}, entry {chain.seq + 1}: {wrong}") from None
        seen = seen or kept_head == chain.hash.hex()
    return chain, seen


def main():
    parser = argparse.ArgumentParser(description="Check the chain of an account's statement.")
    parser.add_argument("account_id", metavar="ACCOUNT_ID")
    parser.add_argument("file", metavar="FILE", nargs="?", help="NDJSON; standard input if not given")
    parser.add_argument("--head", metavar="HASH", help="the head of an earlier statement")
    arguments = parser.parse_args()
    if arguments.head is not None and not re.fullmatch("[0-9a-f]{64}", arguments.head):
        parser.error("--head is 64 hexadecimal digits, as an entry's hash is written")
    try:
        lines = open(arguments.file, "rb") if arguments.file else sys.stdin.buffer
        with lines:
            chain, seen = verify(arguments.account_id, lines, arguments.head)
    except OSError as error:
        parser.error(str(error))
    except Wrong as wrong:
        sys.exit(f"wrong: {wrong}")
    if not seen:
        sys.exit(f"wrong: none of the {chain.seq} entries has the hash {arguments.head} that you kept")
    print(f"ok: {chain.seq} entries, head {chain.hash.hex()}")


if __name__ == "__main__":
    main()
