# POST /tasks with Starlette or FastAPI on Uvicorn. Arguments: which of them, URL of Redis, stream, port. See ../python.ts.
import json
import sys
import uuid
from datetime import datetime, timezone

import redis.asyncio
import uvicorn

framework, redis_url, stream, port = sys.argv[1:]
redis_client = redis.asyncio.from_url(redis_url)


async def append(payload):
    """Appends a task to the stream; returns its id once Redis has confirmed it."""
    task_id = str(uuid.uuid4())
    timestamp = datetime.now(timezone.utc).isoformat()
    await redis_client.xadd(stream, {"task_id": task_id, "timestamp": timestamp, "payload": payload})
    return {"task_id": task_id, "ack": "appended"}


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def tasks(request):
        body = await request.body()
        try:
            json.loads(body)["data"]
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"error": "the body is no JSON object with data"}, status_code=400)
        return JSONResponse(await append(body), status_code=202)

    return Starlette(routes=[Route("/tasks", tasks, methods=["POST"])])


def fastapi():
    from typing import Any, Dict, Optional

    from fastapi import FastAPI
    from pydantic import BaseModel

    class Envelope(BaseModel):
        data: Any
        metadata: Optional[Dict[str, Any]] = None

    app = FastAPI()

    @app.post("/tasks", status_code=202)
    async def tasks(envelope: Envelope):
        return await append(envelope.json())

    return app


apps = {"starlette": starlette, "fastapi": fastapi}
uvicorn.run(apps[framework](), host="127.0.0.1", port=int(port), access_log=False, log_level="warning")
