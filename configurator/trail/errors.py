"""What can go wrong between the trail and its caller, each with a reason and a way out.

Errors carry data; ``message`` and ``help`` put them into words, in every language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configurator.model.text import Text

if TYPE_CHECKING:
    from configurator.trail.records import Head


class TrailError(Exception):
    """Something the trail cannot do; ``code`` is its stable name."""

    code = "trail"
    message = Text.of(
        {
            "es": "El historial no puede hacer esto ahora.",
            "en": "The trail cannot do this now.",
        }
    )
    help: Text | None = None

    def __init__(self, detail: str = "") -> None:
        sentence = self.message.in_language("en")
        super().__init__(f"{sentence} ({detail})" if detail else sentence)


class TrailUnavailableError(TrailError):
    """The database did not confirm: it is away, full, locked or damaged.

    Nothing was stored by halves. Whether the last act was stored may be unknown; the
    same request with the same key finds out and never counts twice.
    """

    code = "trail-unavailable"
    message = Text.of(
        {
            "es": "Ahora mismo no podemos guardar nada.",
            "en": "We cannot save anything right now.",
        }
    )
    help = Text.of(
        {
            "es": "Tu configuración sigue como estaba; inténtalo otra vez en unos segundos.",
            "en": "Your configuration is as it was; try again in a few seconds.",
        }
    )


class UnknownSessionError(TrailError, LookupError):
    """There is no session of that id or code."""

    code = "unknown-session"
    message = Text.of(
        {
            "es": "No hay ninguna configuración con ese código.",
            "en": "There is no configuration with that code.",
        }
    )
    help = Text.of(
        {
            "es": "Compruébalo letra por letra.",
            "en": "Check it letter by letter.",
        }
    )


class KeyReusedError(TrailError):
    """The idempotency key was used before, for another request."""

    code = "key-reused"
    message = Text.of(
        {
            "es": "Esta clave de petición ya se usó para otra cosa.",
            "en": "This request key was already used for something else.",
        }
    )
    help = Text.of(
        {
            "es": "Usa una clave nueva para cada petición distinta.",
            "en": "Use a new key for each different request.",
        }
    )


class SequenceConflictError(TrailError):
    """Somebody wrote first; ``head`` is how the session stands now."""

    code = "sequence-conflict"
    message = Text.of(
        {
            "es": "Esta configuración ha avanzado en otra ventana.",
            "en": "This configuration has moved on in another window.",
        }
    )
    help = Text.of(
        {
            "es": "Mira cómo está ahora y vuelve a elegir si aún quieres.",
            "en": "See how it stands now; choose again if you still want to.",
        }
    )

    def __init__(self, head: Head) -> None:
        super().__init__(f"the session is at event {head.seq}")
        self.head = head


class CodeTakenError(TrailError):
    """Another session has this code already; start again with a new one."""

    code = "code-taken"
    message = Text.of(
        {
            "es": "Ese código ya es de otra configuración.",
            "en": "That code belongs to another configuration.",
        }
    )


class BadCodeError(TrailError, ValueError):
    """What was typed or said cannot be a code of ours."""

    code = "bad-code"
    message = Text.of(
        {
            "es": "Ese código no es de los nuestros.",
            "en": "That code is not one of ours.",
        }
    )
    help = Text.of(
        {
            "es": "Son ocho letras y cifras, como K7PM-3QXA; seguramente una se oyó o se "
            "escribió distinta.",
            "en": "It is eight letters and digits, like K7PM-3QXA; probably one of them was "
            "heard or typed differently.",
        }
    )


class NotCanonicalError(TrailError, ValueError):
    """A value that has no canonical JSON: a float, a huge number, a key that is not text."""

    code = "not-canonical"
    message = Text.of(
        {
            "es": "Este dato no se puede guardar de forma exacta.",
            "en": "This value cannot be stored exactly.",
        }
    )


class DamagedSessionError(TrailError):
    """What is stored of a session is not what was written: somebody altered it, or it was
    damaged. ``session_id`` and ``spoken_code`` say of which, where that is known;
    ``Trail.verify`` says where."""

    code = "damaged-session"
    message = Text.of(
        {
            "es": "Lo que hay guardado de esta configuración se alteró o está dañado.",
            "en": "What is stored of this configuration was altered or is damaged.",
        }
    )
    help = Text.of(
        {
            "es": "Empieza otra, o da el código a la tienda: allí se ve hasta qué paso está "
            "entera.",
            "en": "Start another one, or give the code to the shop: there they see up to which "
            "step it is whole.",
        }
    )

    def __init__(self, detail: str = "", session_id: str = "", spoken_code: str = "") -> None:
        super().__init__(detail)
        self.session_id = session_id
        self.spoken_code = spoken_code


class UnreadableEventError(DamagedSessionError):
    """A stored event is not what this program writes: it was altered or damaged."""

    code = "unreadable-event"
    message = Text.of(
        {
            "es": "Este paso del historial no se puede leer.",
            "en": "This step of the trail cannot be read.",
        }
    )
