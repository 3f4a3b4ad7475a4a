"""The server says in every page where its root is, and leaves everything else alone."""

from __future__ import annotations

import asyncio
from typing import Any

from dashboard.server import RootInPage

PAGE = b"<!DOCTYPE html><html><head><title>t</title></head></html>"


def answer(accept: bytes, content_type: bytes, body: bytes, *, method: str = "GET") -> tuple[dict, dict, bytes]:
    """Return the request that the server saw, and the response that the browser gets."""
    seen: dict = {}
    sent: list = []

    async def server(scope: Any, _receive: Any, send: Any) -> None:
        seen.update(scope)
        headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), (b"etag", b"x")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": body[9:]})

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"accept", accept), (b"accept-encoding", b"gzip"), (b"if-none-match", b"x")]
    scope = {"type": "http", "method": method, "path": "/survival", "headers": headers}
    asyncio.run(RootInPage(server)(scope, None, send))
    return seen, dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def test_a_page_knows_the_root_before_its_scripts_run() -> None:
    seen, headers, body = answer(b"text/html,*/*", b"text/html; charset=utf-8", PAGE)
    script = b'<script>window.__streamlit={BACKEND_BASE_URL:new URL("/",location.origin).href}</script>'
    assert body == PAGE.replace(b"<head>", b"<head>" + script)
    assert headers[b"content-length"] == str(len(body)).encode()
    assert b"etag" not in headers
    assert not {name for name, _ in seen["headers"]} & {b"accept-encoding", b"if-none-match"}


def test_everything_else_is_left_alone() -> None:
    for accept, kind, method in (
        (b"*/*", b"text/html", "GET"),
        (b"text/html", b"application/json", "GET"),
        (b"text/html", b"text/html", "POST"),
    ):
        _, headers, body = answer(accept, kind, PAGE, method=method)
        assert body == PAGE
        assert headers[b"etag"] == b"x"
