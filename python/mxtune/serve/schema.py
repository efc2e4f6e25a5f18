"""What the OpenAPI document says of `/predict`: bodies are read by `incoming`, so FastAPI can't tell."""

from __future__ import annotations

from typing import Any

_TABLE = {"type": "array", "items": {"type": "object"}}
_TABLES = ("predictions", "nearest", "trained_on", "explanations", "bad")
_REFUSED: dict[str, Any] = {
    "type": "object",
    "required": ["error", "details"],
    "properties": {"error": {"type": "string"}, "details": {"type": "array", "items": {"type": "string"}}},
}
# one grey pixel
_GREY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _refused(text: str, *headers: str) -> dict[str, Any]:
    told: dict[str, Any] = {"description": text, "content": {"application/json": {"schema": _REFUSED}}}
    if headers:
        told["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
    return told


RESPONSES: dict[Any, dict[str, Any]] = {
    200: {
        "description": "Tables, a row an image, and what was asked for besides.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["predictions", "bad"],
                    "properties": dict.fromkeys(_TABLES, _TABLE),
                }
            },
            "text/csv": {"schema": {"type": "string"}},
        },
    },
    400: _refused("The body is not what its type says."),
    401: _refused("There is no key, or a wrong one.", "WWW-Authenticate"),
    408: _refused("The body, or an image that it names, came too slowly."),
    413: _refused("The body is too large."),
    415: _refused("The body is compressed, or of no type that holds images."),
    422: _refused("Images can't be read, or the model can't answer this."),
    503: _refused("Too many images wait.", "Retry-After"),
    504: _refused("There was no answer in time."),
}
FAILED = {503: {"description": "The model does not run any more.", "content": {"application/json": {}}}}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"images": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                    "additionalProperties": False,
                }
            },
            "image/*": _BINARY,
            "application/octet-stream": _BINARY,
            "application/json": {
                "example": {"images": [{"name": "grey.png", "data": _GREY}]},
                "schema": {
                    "type": "object",
                    "required": ["images"],
                    "additionalProperties": False,
                    "properties": {
                        "images": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "data": {"type": "string", "format": "byte", "description": "Base64."},
                                    "url": {"type": "string", "description": "Of a host that was allowed by name."},
                                },
                            },
                        }
                    },
                },
            },
        },
    }
}
_BY_KEY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def with_keys(described: dict[str, Any]) -> dict[str, Any]:
    """The document of a service that has keys: what needs one, and the two ways to give it."""
    described.setdefault("components", {})["securitySchemes"] = _BY_KEY
    for operations in described["paths"].values():
        for operation in operations.values():
            if "401" in operation["responses"]:
                operation["security"] = [{name: []} for name in _BY_KEY]
    return described
