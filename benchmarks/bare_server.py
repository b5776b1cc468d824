"""A server with one route and nothing else: FastAPI and uvicorn as they come.

    python -I bare_server.py ANSWERS

ANSWERS is a JSON object: for each capsule's digest the text that is answered. Its url is printed once it listens.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

app = FastAPI()
answers = {digest: text.encode() for digest, text in json.loads(Path(sys.argv[1]).read_bytes()).items()}


@app.get("/api/capsules/{capsule_id}")
async def capsule(capsule_id: str) -> Response:
    """Return what was given for a digest."""
    return Response(answers[capsule_id], media_type="application/json")


if __name__ == "__main__":
    # By the protocol asyncio knows that small answers are to be sent at once (TCP_NODELAY).
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning")).run([listening])
