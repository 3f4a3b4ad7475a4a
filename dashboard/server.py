"""The server of the dashboard: Streamlit's, whose pages are told where its root is.

A page that is opened by its link looks for the server below its own address first, ``/survival/_stcore/health``, and
the browser reports what is not found there as an error. Streamlit's page takes the root from ``window.__streamlit``
instead, where it is set before its scripts run.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import streamlit as st
from starlette.middleware import Middleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Compressed, the page could not be read here; unchanged since the last time, it would not be sent.
_WITHOUT = (b"accept-encoding", b"if-none-match", b"if-modified-since")
_STALE = (b"content-length", b"etag", b"last-modified")


class RootInPage:
    """Middleware that writes the address of the server's root into every HTML page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        base = str(st.get_option("server.baseUrlPath") or "").strip("/")
        script = f'window.__streamlit={{BACKEND_BASE_URL:new URL("/{base}",location.origin).href}}'
        self._head = f"<head><script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers = scope.get("headers", [])
        accepts = next((value for name, value in headers if name == b"accept"), b"")
        if scope["type"] != "http" or scope["method"] != "GET" or b"text/html" not in accepts:
            await self._app(scope, receive, send)
            return
        plain = {**scope, "headers": [header for header in headers if header[0] not in _WITHOUT]}
        await self._app(plain, receive, _Rewriting(send, self._head))


class _Rewriting:
    """Sends what it is given; of an HTML response, the whole with the root in its head."""

    def __init__(self, send: Send, head: bytes) -> None:
        self._send = send
        self._head = head
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
            if not any(kind.startswith(b"text/html") for kind in kinds):
                await self._send(message)
                return
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(b"<head>", self._head, 1)
        kept = [header for header in start["headers"] if header[0].lower() not in _STALE]
        length = (b"content-length", str(len(body)).encode())
        await self._send({**start, "headers": [*kept, length]})
        await self._send({"type": "http.response.body", "body": body})


# A line for every request is no news to who started the dashboard.
for _name in ("uvicorn.access", "uvicorn.error"):
    logging.getLogger(_name).setLevel(logging.WARNING)

app = st.App("app.py", middleware=[Middleware(RootInPage)])
