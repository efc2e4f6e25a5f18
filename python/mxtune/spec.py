"""Specs are data: frozen dataclasses that become plain JSON values and come back equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def json_values(spec: DataclassInstance) -> dict[str, Any]:
    """The fields as JSON values: tuples become lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(spec).items()}


def settings(cls: type[DataclassInstance], values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for ``cls`` from JSON values; raises `ArgumentError` for a name that it does not have."""
    names = [field.name for field in fields(cls)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise ArgumentError(f"`{cls.__name__.lower()}` has no such setting.", unknown, f"It has {', '.join(names)}.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
