"""What can go wrong between a customer's act and the trail, each with a way out.

Errors carry data; pages and the API put them into words through ``message`` and ``help``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configurator.model.text import Text

if TYPE_CHECKING:
    from configurator.session.session import Session


class SessionError(Exception):
    """An act that cannot be done now; ``message`` says why, ``help`` what to do."""

    code = "session-error"
    message = Text.of({"en": "This cannot be done now.", "es": "Ahora no se puede hacer."})
    help = Text.of(
        {
            "en": "Load the page again and try once more.",
            "es": "Recarga la página y prueba otra vez.",
        }
    )

    def __init__(self) -> None:
        super().__init__(self.message.in_language("en"))


class SequenceConflictError(SessionError):
    """Somebody (another tab, another device) acted first; ``session`` is the present state."""

    code = "sequence-conflict"
    message = Text.of(
        {
            "en": "This configuration has moved on in another window.",
            "es": "Esta configuración ha avanzado en otra ventana.",
        }
    )
    help = Text.of(
        {
            "en": "Here is how it stands now; choose again if you still want to.",
            "es": "Así está ahora; vuelve a elegir si aún quieres.",
        }
    )

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session


class SessionClosedError(SessionError):
    """The configuration was committed and no longer changes."""

    code = "session-closed"
    message = Text.of(
        {
            "en": "This configuration is already confirmed, so it stays as it is.",
            "es": "Esta configuración ya está confirmada y se queda como está.",
        }
    )
    help = Text.of(
        {
            "en": "Start a new one to try something else.",
            "es": "Empieza otra si quieres probar algo distinto.",
        }
    )


class NothingToUndoError(SessionError):
    """There is no earlier (or later) step to go to."""

    code = "nothing-to-undo"
    message = Text.of(
        {"en": "There is no step to go back to.", "es": "No hay ningún paso al que volver."}
    )
    help = Text.of({"en": "Make a choice first.", "es": "Elige algo primero."})


class NothingToWithdrawError(SessionError):
    """Nothing was chosen there."""

    code = "nothing-to-withdraw"
    message = Text.of({"en": "You have chosen nothing there.", "es": "Ahí no has elegido nada."})
    help = Text.of({"en": "It stays open.", "es": "Se queda sin decidir."})


class UnknownRepairError(SessionError):
    """The event is no refusal, or offered no repair of that number."""

    code = "unknown-repair"
    message = Text.of(
        {"en": "There is no such repair on offer.", "es": "No se ofrece ningún arreglo así."}
    )
    help = Text.of(
        {
            "en": "Choose the option again to see what it takes now.",
            "es": "Elige la opción otra vez y verás qué pide ahora.",
        }
    )


class RepairOutdatedError(SessionError):
    """The repair was offered for choices that have changed since."""

    code = "repair-outdated"
    message = Text.of(
        {
            "en": "Your choices have changed since this was offered.",
            "es": "Tus elecciones han cambiado desde que te lo ofrecimos.",
        }
    )
    help = Text.of(
        {
            "en": "Choose the option again to see what it takes now.",
            "es": "Elige la opción otra vez y verás qué pide ahora.",
        }
    )


class UnknownGuardError(SessionError):
    """The guard to confirm is not being said."""

    code = "unknown-guard"
    message = Text.of(
        {
            "en": "There is no such notice to confirm now.",
            "es": "Ahora no hay ese aviso que confirmar.",
        }
    )


class GuardsOpenError(SessionError):
    """Guards that ask for a confirmation have none; ``guards`` are their ids."""

    code = "guards-open"
    message = Text.of(
        {
            "en": "Before confirming, please look at the marked notices.",
            "es": "Antes de confirmar, mira los avisos marcados.",
        }
    )
    help = Text.of(
        {
            "en": "Tick that you know, or change the choice.",
            "es": "Marca que lo sabes, o cambia la elección.",
        }
    )

    def __init__(self, guards: tuple[str, ...]) -> None:
        super().__init__()
        self.guards = guards


class NothingToPreviewError(SessionError):
    """The option needs changes elsewhere: its reasons and repairs say more."""

    code = "nothing-to-preview"
    message = Text.of(
        {
            "en": "This option asks for changes elsewhere.",
            "es": "Esta opción pide cambios en otro sitio.",
        }
    )
    help = Text.of(
        {
            "en": "Choose it, or ask why, to see which.",
            "es": "Elígela, o pregunta por qué, y verás cuáles.",
        }
    )


class IrreversibleOpenError(SessionError):
    """Answers that cannot be taken back later are not confirmed; ``slots`` names them."""

    code = "irreversible-open"
    message = Text.of(
        {
            "en": "Some of it cannot be changed later, and you have not confirmed that.",
            "es": "Parte de esto no se puede cambiar después, y no lo has confirmado.",
        }
    )
    help = Text.of(
        {
            "en": "Tick that you know, or change the choice.",
            "es": "Marca que lo sabes, o cambia la elección.",
        }
    )

    def __init__(self, slots: tuple[str, ...]) -> None:
        super().__init__()
        self.slots = slots


class UndecidedError(SessionError):
    """Some of what is shown is still being worked out; ``settle`` decides it."""

    code = "undecided"
    message = Text.of(
        {
            "en": "We were still checking some of it.",
            "es": "Aún estábamos comprobando una parte.",
        }
    )
    help = Text.of(
        {
            "en": "Now it is done: look it over once more, then confirm.",
            "es": "Ya está: míralo una vez más y confirma.",
        }
    )


class NotIrreversibleError(SessionError):
    """The slot to confirm holds nothing that cannot be taken back."""

    code = "not-irreversible"
    message = Text.of(
        {
            "en": "Nothing there is irreversible as it stands.",
            "es": "Ahí no hay nada irreversible tal como está.",
        }
    )


class IncompleteError(SessionError):
    """Questions are still open; ``slots`` names them in step order."""

    code = "incomplete"
    message = Text.of(
        {"en": "Some questions are still open.", "es": "Quedan preguntas sin responder."}
    )
    help = Text.of(
        {
            "en": "Answer them, or let us finish with what we propose.",
            "es": "Respóndelas, o deja que terminemos con lo que proponemos.",
        }
    )

    def __init__(self, slots: tuple[str, ...]) -> None:
        super().__init__()
        self.slots = slots


class NothingToFinishError(IncompleteError):
    """Nothing can be answered for the customer; ``slots`` are those left to answer."""

    code = "nothing-to-finish"
    message = Text.of(
        {
            "en": "Only you can answer what is still open.",
            "es": "Lo que queda solo lo puedes responder tú.",
        }
    )
    help = Text.of(
        {
            "en": "Where nothing is open, it is ready to confirm.",
            "es": "Si no queda nada, ya está lista para confirmar.",
        }
    )
