"""The Autobahn test cases (package kosoku) for a WebSocket client, in a process of its own.

    python tests/peers/autobahn_server.py CASE ...      prints its URL; when the client asks for the report,
                                                        a line of JSON for each case

CASE is the number of a case, with * for any, like 9.1.*
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from kosoku import FailureError, run_fuzzingserver
from kosoku.cases import CASES


def _take_bytes(case: Any) -> None:
    """The compression cases hash what they receive, but kosoku 0.1.0 gives them a str of its bytes."""
    on_message = case.onMessage

    def take(self: Any, message: str | bytes, binary: bool) -> None:
        if isinstance(message, str):
            message = message.encode("latin-1" if binary else "utf-8")
        on_message(self, message, binary)

    case.onMessage = take


async def serve(cases: list[str]) -> None:
    results: list[Any] = []
    async with run_fuzzingserver(cases, port=0) as server:
        print(f"ws://{server.address}:{server.port}", flush=True)
        try:
            results = await server.get_result()
        except FailureError as error:
            results = error.results
    for one in results:
        result = {"case": one.case_id, "behavior": one.behavior.value, "close": one.behavior_close.value}
        result["why"] = f"{one.result} {one.result_close}"
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    for number, case in CASES.items():
        if number.startswith(("12.", "13.")):
            _take_bytes(case)
    asyncio.run(serve(sys.argv[1:]))
