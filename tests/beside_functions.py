"""Runs microburst between functions and the local cloud, with the one failure that it does not know:
PutRecords that takes some records and rejects the others, in an answer that says 200.

microburst has to sign what it passes on ("--resign"), for a signature covers the name that was called.
It signs as the root of the account in AWS_ACCESS_KEY_ID, who may do everything: what functions may do
is not a matter for a test with this in between.
"""

import hashlib
import json
import os
import random
import time

from aiohttp import web
from microburst import cli
from microburst.core.pipeline import Microburst
from microburst.forward import resign_headers
from microburst.observe import emit_fired
from microburst.rules import FiredEvent

# How many of all calls are served in part, and how many records of such a call are rejected.
CALLS = float(os.environ["PARTLY"])
RECORDS = 0.3

REJECTED = {
    "ErrorCode": "ProvisionedThroughputExceededException",
    "ErrorMessage": "Rate exceeded for shard in this stream",
}

whole = Microburst.handle_proxy


async def in_part(microburst, request):
    target = request.headers.get("x-amz-target", "")
    if not target.endswith(".PutRecords") or random.random() >= CALLS:
        return await whole(microburst, request)
    microburst.requests_seen += 1
    asked = json.loads(await request.read())
    taken = [random.random() >= RECORDS for _ in asked["Records"]]
    records = [record for record, taken in zip(asked["Records"], taken) if taken]
    results = iter(await forwarded(microburst.upstream, request, {**asked, "Records": records}))
    results = [next(results) if taken else REJECTED for taken in taken]
    rejected = taken.count(False)
    if rejected:
        event = FiredEvent(time.time(), 0, "kinesis", "PutRecords", None, None, "rejected records", request.path)
        emit_fired(microburst, event)
    answer = {"FailedRecordCount": rejected, "Records": results}
    return web.Response(text=json.dumps(answer), content_type="application/x-amz-json-1.1")


async def forwarded(upstream, request, asked):
    if not asked["Records"]:
        return []
    body = json.dumps(asked).encode()
    headers = upstream._outbound_headers(request)
    headers = resign_headers("POST", "/", "", headers, hashlib.sha256(body).hexdigest())
    async with upstream.session.post(upstream.base_url, data=body, headers=headers) as answer:
        answer.raise_for_status()
        return (await answer.json(content_type=None))["Records"]


Microburst.handle_proxy = in_part
cli.main()
