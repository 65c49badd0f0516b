"""The one shape in which the API says that something was not done.

RFC 9457 (``application/problem+json``) with two more members: ``code``, a stable name
for programs, and ``cure``, what to do about it, for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, current_app, request
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

from configurator.catalogue import (
    CatalogueError,
    UnknownProductError,
    UnknownReleaseError,
    UnreadableReleaseError,
)
from configurator.engine import EngineError, UnknownChoiceError
from configurator.model.text import Text
from configurator.session import (
    GuardsOpenError,
    IncompleteError,
    IrreversibleOpenError,
    SequenceConflictError,
    SessionError,
    UnknownGuardError,
)
from configurator.trail import (
    DamagedSessionError,
    KeyReusedError,
    TrailUnavailableError,
    UnknownSessionError,
)
from configurator.web.access import tell_damage, tell_unavailable
from configurator.web.api.shapes import As, FieldError
from configurator.web.locale import LOCALES

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What one code of problem means."""

    status: int
    title: Text
    cure: Text


def _kind(status: int, en: str, es: str, cure_en: str, cure_es: str) -> Kind:
    return Kind(status, Text.of({"en": en, "es": es}), Text.of({"en": cure_en, "es": cure_es}))


KINDS: Final[Mapping[str, Kind]] = {
    "malformed-json": _kind(
        400,
        "The body is not JSON.",
        "El cuerpo no es JSON.",
        "Send one JSON object, encoded as UTF-8, without NaN or Infinity, each member once.",
        "Envía un objeto JSON, en UTF-8, sin NaN ni Infinity y con cada miembro una vez.",
    ),
    "bad-request": _kind(
        400,
        "The request cannot be read.",
        "La petición no se puede leer.",
        "Check it against the description at /api/v1/openapi.json.",
        "Compárala con la descripción en /api/v1/openapi.json.",
    ),
    "token-missing": _kind(
        401,
        "A session answers only to its token.",
        "Una sesión solo responde a su token.",
        "Send the header Authorization: Bearer with the token that starting the session gave.",
        "Envía la cabecera Authorization: Bearer con el token que recibiste al empezar la sesión.",
    ),
    "unknown-address": _kind(
        404,
        "There is nothing at this address.",
        "No hay nada en esta dirección.",
        "The addresses are listed at /api/v1/openapi.json.",
        "Las direcciones están en /api/v1/openapi.json.",
    ),
    "unknown-product": _kind(
        404,
        "There is no such product.",
        "No hay ningún producto así.",
        "The products are listed at /api/v1/products.",
        "Los productos están en /api/v1/products.",
    ),
    "unknown-session": _kind(
        404,
        "This token opens no such session.",
        "Ese token no abre ninguna sesión así.",
        "Check the session and its token; each token opens one session.",
        "Comprueba la sesión y su token; cada token abre una sola.",
    ),
    "unknown-slot": _kind(
        404,
        "The product has no such slot.",
        "El producto no tiene esa casilla.",
        "The slots are the keys of view.slots in the session's state.",
        "Las casillas son las claves de view.slots en el estado de la sesión.",
    ),
    "unknown-guard": _kind(
        404,
        "This guard is not being said now.",
        "Ese aviso no se está dando ahora.",
        "The guards said now are the keys of view.guards in the session's state.",
        "Los avisos de ahora son las claves de view.guards en el estado de la sesión.",
    ),
    "unknown-repair": _kind(
        404,
        "There is no such repair.",
        "No hay ningún arreglo así.",
        "refusal_seq is the seq of a refusal, index that of one of its repairs.",
        "refusal_seq es el seq de un rechazo, e index el de uno de sus repairs.",
    ),
    "unknown-event": _kind(
        404,
        "The trail has no such event.",
        "El historial no tiene ese paso.",
        "Events are numbered from 1 to the session's seq.",
        "Los pasos van del 1 al seq de la sesión.",
    ),
    "method-not-allowed": _kind(
        405,
        "This address does not take that method.",
        "Esta dirección no admite ese método.",
        "Use one of the methods in the header Allow.",
        "Usa uno de los métodos de la cabecera Allow.",
    ),
    "sequence-conflict": _kind(
        409,
        "The session has moved on.",
        "La sesión ha avanzado.",
        "The present state is in session; decide again and send its seq as expected_seq.",
        "El estado actual está en session; decide de nuevo y envía su seq como expected_seq.",
    ),
    "session-closed": _kind(
        409,
        "This configuration is confirmed and stays as it is.",
        "Esta configuración está confirmada y se queda como está.",
        "Start a new session to try something else.",
        "Empieza otra sesión si quieres probar algo distinto.",
    ),
    "nothing-to-order": _kind(
        409,
        "Nothing of this product can be ordered with these facts on this day.",
        "Con estos datos y en este día no se puede pedir nada de este producto.",
        "Tell other facts in context, or have whoever wrote the rules look at those named.",
        "Cuenta otros datos en context, o pide a quien escribió las reglas que mire las citadas.",
    ),
    "nothing-to-undo": _kind(
        409,
        "There is no step to go to.",
        "No hay ningún paso al que ir.",
        "can_undo and can_redo in the session's state say when there is one.",
        "can_undo y can_redo, en el estado de la sesión, dicen cuándo lo hay.",
    ),
    "nothing-to-withdraw": _kind(
        409,
        "Nothing is chosen there.",
        "Ahí no hay nada elegido.",
        "What is chosen is in choices, in the session's state.",
        "Lo elegido está en choices, en el estado de la sesión.",
    ),
    "nothing-to-preview": _kind(
        409,
        "The option needs changes elsewhere, so there is nothing to preview.",
        "La opción pide cambios en otro sitio y no hay nada que adelantar.",
        "Ask explain for its reasons and repairs.",
        "Pide explain para ver sus motivos y arreglos.",
    ),
    "repair-outdated": _kind(
        409,
        "This repair is not on offer now.",
        "Ese arreglo ya no se ofrece.",
        "Choose the option again, or ask explain, to see what it takes now.",
        "Elige la opción otra vez, o pide explain, y verás qué pide ahora.",
    ),
    "guards-open": _kind(
        409,
        "Some guards wait to be acknowledged.",
        "Hay avisos que esperan tu confirmación.",
        "Acknowledge each guard in guards, or change the choice, and commit again.",
        "Confirma cada aviso de guards, o cambia la elección, y vuelve a confirmar.",
    ),
    "irreversible-open": _kind(
        409,
        "Answers that cannot be taken back wait to be confirmed.",
        "Hay respuestas sin vuelta atrás que esperan tu confirmación.",
        "Show the customer the text, send acknowledge-irreversible with slots, and commit again.",
        "Enseña el texto al cliente, envía acknowledge-irreversible con slots y confirma otra vez.",
    ),
    "not-irreversible": _kind(
        409,
        "A slot to confirm holds nothing irreversible.",
        "Una casilla que confirmas no tiene nada irreversible.",
        "Send only slots whose present answer the product calls irreversible.",
        "Envía solo casillas cuya respuesta actual el producto llama irreversible.",
    ),
    "incomplete": _kind(
        409,
        "Some questions are still open.",
        "Quedan preguntas sin responder.",
        "Answer each slot in slots and commit again. finish answers what may be answered for "
        "the customer: neither texts nor variables with ask: always.",
        "Responde cada casilla de slots y vuelve a confirmar. finish responde lo que se puede "
        "responder por el cliente: ni textos ni variables con ask: always.",
    ),
    "nothing-to-finish": _kind(
        409,
        "Nothing is open that may be answered for the customer.",
        "No queda nada que se pueda responder por el cliente.",
        "Ask the customer for each slot in slots; where there is none, commit.",
        "Pregunta al cliente cada casilla de slots; si no hay ninguna, confirma.",
    ),
    "undecided": _kind(
        409,
        "Some of what is shown is still undecided.",
        "Parte de lo que se muestra está aún sin resolver.",
        "Send settle, show the customer what came of it, and commit again.",
        "Envía settle, enseña al cliente lo que sale y confirma otra vez.",
    ),
    "body-too-large": _kind(
        413,
        "The body is larger than 64 KB.",
        "El cuerpo pasa de 64 KB.",
        "Send fewer choices at once.",
        "Envía menos elecciones a la vez.",
    ),
    "not-json": _kind(
        415,
        "The body is not declared as JSON.",
        "El cuerpo no se declara como JSON.",
        "Send the header Content-Type: application/json.",
        "Envía la cabecera Content-Type: application/json.",
    ),
    "unexpected-fields": _kind(
        422,
        "Some fields are not as expected.",
        "Algunos campos no son como se esperaba.",
        "Mend the fields in errors and send it again.",
        "Corrige los campos de errors y vuelve a enviarlo.",
    ),
    "unknown-value": _kind(
        422,
        "The slot does not take this answer.",
        "Esa casilla no admite esa respuesta.",
        "The answers a slot takes are its options or intervals in view.slots.",
        "Las respuestas que admite son sus options o intervals en view.slots.",
    ),
    "key-reused": _kind(
        422,
        "This Idempotency-Key was used for something else.",
        "Ese Idempotency-Key ya se usó para otra cosa.",
        "Use a new key for each act; repeat a key only to repeat the same act.",
        "Usa una clave nueva en cada acto; repite una solo para repetir el mismo acto.",
    ),
    "too-many-requests": _kind(
        429,
        "Too many requests in a short time.",
        "Demasiadas peticiones en poco tiempo.",
        "Wait as many seconds as Retry-After says.",
        "Espera los segundos que dice Retry-After.",
    ),
    "unexpected": _kind(
        500,
        "Something broke on our side.",
        "Algo se ha roto por nuestra parte.",
        "Repeat the act with the same Idempotency-Key; it will not be done twice.",
        "Repite el acto con el mismo Idempotency-Key; no se hará dos veces.",
    ),
    "damaged-session": _kind(
        503,
        "What is stored of this session was altered or is damaged.",
        "Lo que hay guardado de esta sesión se alteró o está dañado.",
        "Start a new session. Whoever runs the service can see by the code what is whole.",
        "Empieza otra sesión. Quien lleva el servicio puede ver con el código qué está entero.",
    ),
    "unreadable-release": _kind(
        503,
        "The stored files of this release cannot be read.",
        "Los archivos guardados de esta versión no se pueden leer.",
        "Nothing was changed. Tell whoever runs the service, and try again later.",
        "No ha cambiado nada. Avisa a quien lleva el servicio y prueba más tarde.",
    ),
    "try-again": _kind(
        503,
        "The service cannot read or write its data just now.",
        "El servicio no puede leer ni guardar sus datos ahora mismo.",
        "Repeat the request after as many seconds as Retry-After says; an act with the same "
        "Idempotency-Key.",
        "Repite la petición cuando pase el tiempo de Retry-After; un acto, con el mismo "
        "Idempotency-Key.",
    ),
}

_BY_STATUS: Final = {
    404: "unknown-address",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "not-json",
    422: "unexpected-fields",
    429: "too-many-requests",
    500: "unexpected",
    503: "try-again",
}

_FIELD_ERRORS: Final[Mapping[str, Text]] = {
    "required": Text.of({"en": "It is missing.", "es": "Falta."}),
    "unknown": Text.of(
        {"en": "There is no such field here.", "es": "Aquí no hay ningún campo así."}
    ),
    "object": Text.of({"en": "It has to be an object.", "es": "Tiene que ser un objeto."}),
    "list": Text.of({"en": "It has to be a list.", "es": "Tiene que ser una lista."}),
    "text": Text.of({"en": "It has to be a text.", "es": "Tiene que ser un texto."}),
    "letters": Text.of(
        {
            "en": "It holds letters that cannot be stored.",
            "es": "Contiene letras que no se pueden guardar.",
        }
    ),
    "empty": Text.of({"en": "It is empty.", "es": "Está vacío."}),
    "short": Text.of(
        {"en": "It is too short: {number} at least.", "es": "Es demasiado corto: {number} o más."}
    ),
    "long": Text.of(
        {"en": "It is too long: {number} at most.", "es": "Es demasiado largo: {number} o menos."}
    ),
    "whole": Text.of({"en": "It has to be a whole number.", "es": "Tiene que ser un entero."}),
    "range": Text.of({"en": "It is out of range.", "es": "Está fuera de los límites."}),
    "twice": Text.of({"en": "{number} is in it twice.", "es": "{number} está dos veces."}),
    "language": Text.of({"en": "It has to be es or en.", "es": "Tiene que ser es o en."}),
}


_WITH_NUMBERS = ("malformed-number", "out-of-range", "off-step")
_POINT = "Aquí los decimales se envían con punto: 4.6."


class ProblemSchema(Schema):
    """A problem, as OpenAPI describes it."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    cure = fields.String(required=True)
    code = fields.String(required=True)
    instance = fields.String(required=True)
    errors = fields.List(As(FieldError))
    reason = fields.String()
    session = fields.Nested("SessionState")
    slots = fields.List(fields.String())
    guards = fields.List(fields.String())


class ProblemError(Exception):
    """Something of the request keeps it from being done; becomes a problem of ``code``."""

    def __init__(
        self, code: str, detail: Text | None = None, cure: Text | None = None, **members: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.cure = cure
        self.members = members


def language() -> str:
    """The language of the answer: ``?lang=``, else ``Accept-Language``, else Spanish."""
    asked = request.args.get("lang", "")
    if asked in LOCALES:
        return asked
    for wanted, quality in request.accept_languages:
        primary = wanted.partition("-")[0].lower()
        if quality > 0 and primary in LOCALES:
            return primary
    return LOCALES[0]


def problem(
    code: str,
    *,
    detail: Text | None = None,
    cure: Text | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """The response for a problem of one of ``KINDS``; ``members`` are added to it."""
    kind = KINDS[code]
    spoken = language()
    title = kind.title.in_language(spoken)
    body: Json = {
        "type": f"/api/v1/problems/{code}",
        "title": title,
        "status": kind.status,
        "detail": title if detail is None else detail.in_language(spoken),
        "cure": (cure or kind.cure).in_language(spoken),
        "code": code,
        "instance": request.path,
        **members,
    }
    response = Response(
        json.dumps(body, ensure_ascii=True),
        status=kind.status,
        mimetype="application/problem+json",
        headers=headers,
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = spoken
    return response


def field_errors(messages: object, path: str = "") -> list[Json]:
    """Marshmallow's nested messages as a flat list of field, code and sentence. A message is
    the code of one of ``_FIELD_ERRORS``, with the number or name it speaks of behind it."""
    if isinstance(messages, Mapping):
        return [
            error
            for key, inner in messages.items()
            for error in field_errors(inner, _joined(path, str(key)))
        ]
    codes = messages if isinstance(messages, list) else [messages]
    said = (str(each).partition(" ") for each in codes)
    return [
        {
            "field": path,
            "code": code,
            "message": _FIELD_ERRORS[code].in_language(language()).format(number=number),
        }
        for code, _, number in said
    ]


def _joined(path: str, key: str) -> str:
    if key in ("_schema", "json", "headers", "query"):
        return path
    return f"{path}.{key}" if path else key


def answer_with_problems(blueprint: Blueprint) -> None:
    """Answer whatever goes wrong within ``blueprint`` in the one shape."""
    handler = blueprint.register_error_handler
    handler(ProblemError, _asked_wrongly)
    handler(HTTPException, _http)
    handler(SessionError, _session)
    handler(UnknownSessionError, lambda _: problem("unknown-session"))
    handler(UnknownProductError, lambda _: problem("unknown-product"))
    handler(UnknownChoiceError, _choice)
    handler(EngineError, lambda void: problem("nothing-to-order", detail=void.message))
    handler(KeyReusedError, lambda _: problem("key-reused"))
    handler(TrailUnavailableError, _unavailable)
    handler(DamagedSessionError, partial(_damaged, "damaged-session"))
    for unread in (UnknownReleaseError, UnreadableReleaseError):
        handler(unread, partial(_damaged, "unreadable-release"))


def _asked_wrongly(asked: ProblemError) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if KINDS[asked.code].status == 401 else None
    return problem(
        asked.code, detail=asked.detail, cure=asked.cure, headers=headers, **asked.members
    )


def _http(refusal: HTTPException) -> Response:
    if refusal.code is None or refusal.code < 400:
        return current_app.make_response(refusal.get_response())
    code = _BY_STATUS.get(refusal.code, "bad-request" if refusal.code < 500 else "unexpected")
    headers = {
        name: value
        for name, value in refusal.get_headers()
        if name in ("Allow", "Retry-After", "WWW-Authenticate")
    }
    members: Json = {}
    if code == "unexpected-fields":
        members["errors"] = field_errors(getattr(refusal, "data", {}).get("messages", {}))
    return problem(code, headers=headers, **members)


def _session(error: SessionError) -> Response:
    from configurator.web.api.render import session_json

    members: Json = {}
    if isinstance(error, SequenceConflictError):
        members["session"] = session_json(error.session)
    elif isinstance(error, IncompleteError | IrreversibleOpenError):
        members["slots"] = list(error.slots)
    elif isinstance(error, GuardsOpenError):
        members["guards"] = list(error.guards)
    elif isinstance(error, UnknownGuardError):
        return problem("unknown-guard", detail=error.message)
    code = error.code if error.code in KINDS else "unexpected"
    return problem(code, detail=error.message, **members)


def _choice(error: UnknownChoiceError) -> Response:
    code = "unknown-slot" if error.code == "unknown-slot" else "unknown-value"
    cure = error.help
    if error.code in _WITH_NUMBERS:
        cure = Text.of({"en": cure.in_language("en"), "es": f"{cure.in_language('es')} {_POINT}"})
    return problem(code, detail=error.message, cure=cure, reason=error.code)


def _damaged(code: str, error: DamagedSessionError | CatalogueError) -> Response:
    tell_damage(error)
    return problem(code)


def _unavailable(error: TrailUnavailableError) -> Response:
    tell_unavailable(error)
    return problem("try-again", headers={"Retry-After": "1"})
