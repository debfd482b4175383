"""Print the credit balance of an API key: balance.py [URL [KEY]]"""
import os
import re
import sys

import requests

args = sys.argv[1:]
base = args[0] if args else os.environ.get("COFFER_URL") or "http://127.0.0.1:8080"
key = args[1] if len(args) > 1 else os.environ.get("COFFER_API_KEY", "")
if not re.fullmatch("[!-~]+", key):
    print("No usable API key: give it as second argument or in COFFER_API_KEY.", file=sys.stderr)
    sys.exit(2)

url = base.rstrip("/") + "/api/unwatermark/api/v1/get-credits-balance"
headers = {"ZF-API-KEY": key}
try:
    response = requests.post(url, headers=headers)
    print(response.json())
except (requests.RequestException, ValueError) as error:
    sys.exit(f"Request failed: {error}")
