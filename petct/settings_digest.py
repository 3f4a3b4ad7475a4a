"""The digest of settings, so that an id names exactly what was asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def canonical_json(settings: Mapping[str, object]) -> str:
    """JSON with sorted keys and no white space: equal settings give equal text."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_id(name: str, settings: Mapping[str, object]) -> str:
    """A readable id: ``name`` and the first 8 hexadecimal digits of the SHA-256 of the settings."""
    return f"{name}-{hashlib.sha256(canonical_json(settings).encode()).hexdigest()[:8]}"
