"""Addresses of the API that describe themselves: one declaration serves reading,
answering and OpenAPI. The only module that meets flask-smorest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint
from marshmallow import Schema

from configurator.web.api.reading import StrictJsonParser

V = TypeVar("V", bound=Callable[..., Any])

if TYPE_CHECKING:

    class Api:
        """As far as it is used here."""

        spec: Any

        def __init__(self, app: Any = None, *, spec_kwargs: Any = None) -> None: ...

        def register_blueprint(self, blueprint: Blueprint, *, url_prefix: str) -> None:
            """Register and describe."""

    class _Smorest(Blueprint):
        def __init__(self, name: str, import_name: str, *, description: str) -> None: ...

        arguments: Any
        response: Any
        doc: Any

else:
    from flask_smorest import Api
    from flask_smorest import Blueprint as _Smorest

__all__ = ["Api", "DocumentedBlueprint", "V", "address"]


class DocumentedBlueprint(_Smorest):
    """A documented blueprint that reads bodies strictly."""

    ARGUMENTS_PARSER = StrictJsonParser()


def address(
    blueprint: DocumentedBlueprint,
    rule: str,
    answer: type[Schema],
    *,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    headers: type[Schema] | None = None,
    status: int = 200,
    secured: bool = False,
) -> Callable[[V], V]:
    """Declare a view: read by POST where it has a ``body``, else by GET.

    The view gets the loaded headers, body and query as its first arguments, in this
    order; ``secured`` says that it asks for the session's token.
    """

    def decorate(view: V) -> V:
        declared: Any = blueprint.response(status, answer)(view)
        for schema, location in ((query, "query"), (body, "json"), (headers, "headers")):
            if schema is not None:
                read = schema()
                required = any(each.required for each in read.fields.values())
                declared = blueprint.arguments(read, location=location, required=required)(declared)
        if secured:
            declared = blueprint.doc(security=[{"token": []}])(declared)
        methods = ["POST"] if body is not None else ["GET"]
        registered: V = blueprint.route(rule, methods=methods)(declared)
        return registered

    return decorate
