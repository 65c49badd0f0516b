"""What the catalogue cannot find or do, with a reason and a way out."""

from __future__ import annotations

from configurator.model.text import Text


class CatalogueError(Exception):
    """Something the catalogue cannot do; ``code`` is its stable name."""

    code = "catalogue"
    message = Text.of(
        {
            "es": "El catálogo no puede hacer esto ahora.",
            "en": "The catalogue cannot do this now.",
        }
    )
    help: Text | None = None

    def __init__(self, subject: str = "") -> None:
        sentence = self.message.in_language("en")
        super().__init__(f"{sentence} ({subject})" if subject else sentence)
        self.subject = subject


class UnknownProductError(CatalogueError, LookupError):
    """No release of such a product was ever published."""

    code = "unknown-product"
    message = Text.of(
        {"es": "No tenemos ese producto.", "en": "We do not have that product."},
    )
    help = Text.of(
        {"es": "Mira los que hay en el catálogo.", "en": "See the catalogue for those we have."}
    )


class UnknownReleaseError(CatalogueError, LookupError):
    """There is no release with that digest, or not of that product."""

    code = "unknown-release"
    message = Text.of(
        {
            "es": "No hay ninguna versión con esa huella.",
            "en": "There is no release by that digest.",
        }
    )
    help = Text.of(
        {
            "es": "Copia la huella de la lista de versiones del producto.",
            "en": "Copy the digest from the product's list of releases.",
        }
    )


class ReasonMissingError(CatalogueError, ValueError):
    """Going back to an earlier release needs a reason."""

    code = "reason-missing"
    message = Text.of(
        {
            "es": "Falta el motivo para volver a una versión anterior.",
            "en": "There is no reason for going back to an earlier release.",
        }
    )
    help = Text.of(
        {
            "es": "Escríbelo en pocas palabras; queda registrado.",
            "en": "Say it in a few words; it stays on record.",
        }
    )


class UnreadableReleaseError(CatalogueError):
    """The stored files of a release no longer give it: they were altered, or this
    program no longer reads what it published."""

    code = "unreadable-release"
    message = Text.of(
        {
            "es": "Los archivos guardados de esta versión no se pueden leer.",
            "en": "The stored files of this release cannot be read.",
        }
    )
    help = Text.of(
        {
            "es": "O se alteraron en la base de datos, o esta versión del servicio ya no los "
            "acepta: lo dice «configurator releases».",
            "en": "Either they were altered in the database, or this version of the service no "
            "longer accepts them: `configurator releases` tells.",
        }
    )
