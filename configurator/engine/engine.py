"""The engine's face: what the rest of the service asks.

Every answer is a function of product, day, choices and context alone; the small memories
kept here only save time. Views are put together in ``engine.overview``, reasons and
corrections in ``engine.reasons``. Knows nothing of sessions, pages or storage.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

from configurator.engine.answers import checked, checked_context
from configurator.engine.backend import Backend, Reasoner
from configurator.engine.desk import Desk
from configurator.engine.errors import EngineError, TooWide, said
from configurator.engine.judge import Judge, MarkedDomains
from configurator.engine.lowering import Lowered
from configurator.engine.network import Network
from configurator.engine.overview import Overview
from configurator.engine.reading import Reading
from configurator.engine.reasons import Reasons
from configurator.engine.truth import Meaning
from configurator.model.choice import Choice, Choices
from configurator.model.product import Guard, Product, Variable
from configurator.model.verdict import Bill, Completion, Conflict, EngineView, Repair


class Engine:
    """One product on one day, compiled. Safe to call from several threads.

    Made by ``compile_product``. ``meaning``, ``reading`` and ``judge`` evaluate the
    product's expressions on answers and on valid domains. ``digest`` is that of the
    network the compiled form is kept under; ``too_wide`` says why there is none, and
    ``pending`` that there is none yet. ``guards`` are those that may speak on the day,
    ``doubted`` the variables with questions that are worth answering only in some cases.
    """

    def __init__(
        self,
        lowered: Lowered,
        backend: Backend,
        reasoner: Callable[[], Reasoner],
        *,
        digest: str = "",
        too_wide: TooWide | None = None,
        pending: bool = False,
    ) -> None:
        self.product: Product = lowered.meaning.product
        self.day: datetime.date = lowered.meaning.day
        self.network: Network = lowered.network
        self.backend: Backend = backend
        self.backend_name: str = backend.name
        self.digest = digest
        self.too_wide = too_wide
        self.pending = pending
        self.meaning: Meaning = lowered.meaning
        self.reading: Reading = lowered.reading
        self.judge = Judge(lowered.meaning, lowered.reading)
        self.lowered = lowered
        self.guards: tuple[Guard, ...] = tuple(
            each for each in self.product.guards if each.may_speak(self.day)
        )
        self.doubted: tuple[Variable, ...] = tuple(
            each
            for each in self.product.variables
            if each.period.covers(self.day) and any(doubt.when for doubt in each.doubts)
        )
        self.searched: tuple[int, ...] = tuple(
            sorted(held.index for held in lowered.held.values() if not held.computed)
        )
        self._desk = Desk(lowered, backend, reasoner)
        self._overview = Overview(self._desk, self.judge)
        self._reasons = Reasons(self._desk, self._overview)

    def slots(self) -> tuple[str, ...]:
        """Every slot in step order, computed ones last."""
        return tuple(slot.id for slot in self.meaning.layout.slots)

    def check(self, choice: Choice) -> Choice:
        """The choice, its answer spelled the engine's way; raises ``UnknownChoiceError``."""
        return checked(self.meaning.layout, choice)

    def check_context(self, choice: Choice) -> Choice:
        """The same for a fact told by the shop."""
        return checked_context(self.meaning.layout, choice)

    def view(self, choices: Choices, context: Choices = (), *, settle: bool = True) -> EngineView:
        """Everything there is to see for an assignment.

        Without ``settle`` it is the first answer, within a counted budget: what is not
        decided then is *undecided*, never wrong.

        Raises ``UnknownChoiceError``, and ``ValueError`` where the choices do not hold
        together.
        """
        return self._overview.view(choices, context, settle)

    def domains(
        self, choices: Choices, context: Choices = (), *, settle: bool = True
    ) -> MarkedDomains:
        """The valid domain of every slot and told fact, for ``judge``."""
        return self._overview.domains(choices, context, settle)

    def holds(self, choices: Choices, context: Choices = ()) -> bool:
        """Whether a configuration has all of the choices."""
        return self._desk.holds(choices, context)

    def lowest_total(
        self, choices: Choices, context: Choices = (), *, settle: bool = True
    ) -> int | None:
        """The lowest total in cents with these choices; ``None`` where nothing is priced
        or they do not hold together."""
        return self._overview.lowest_total(choices, context, settle)

    def is_possible(self, choices: Choices, wanted: Choice, context: Choices = ()) -> bool:
        """Whether a configuration has ``wanted`` and the other choices (an earlier choice
        about the same slot is replaced)."""
        return self._desk.is_possible(choices, wanted, context)

    def conflict(self, choices: Choices, wanted: Choice, context: Choices = ()) -> Conflict:
        """Why ``wanted`` cannot be had: the first minimal conflict (docs/engine.md,
        "Conflicts"). Raises ``ValueError`` where it can."""
        return self._reasons.conflict(choices, wanted, context)

    def origin(self, choices: Choices, slot: str, context: Choices = ()) -> Conflict:
        """Why a slot has its implied answer, or is not asked. Raises ``ValueError`` where
        neither is so."""
        return self._reasons.origin(choices, slot, context)

    def origins(
        self, choices: Choices, slots: Iterable[str], context: Choices = ()
    ) -> dict[str, Conflict]:
        """The same for all of some slots that no choice is about. Nobody changes it."""
        return self._reasons.origins(choices, slots, context)

    def repairs(
        self, choices: Choices, wanted: Choice, context: Choices = (), k: int = 3
    ) -> tuple[Repair, ...]:
        """The best ``k`` minimal corrections that keep ``wanted``; none where it is
        impossible whatever is given up."""
        return self._reasons.repairs(choices, wanted, context, k)

    def complete(
        self, choices: Choices, context: Choices = (), *, prefer_proposals: bool = False
    ) -> Completion | None:
        """The cheapest complete configuration with the choices (and, where preferred, with
        the proposals); ``None`` where there is none.

        A text nobody wrote is missing from the answers; the bill is then ``None``.
        """
        return self._overview.complete(choices, context, prefer_proposals)

    def bill(self, answers: Choices, context: Choices = ()) -> Bill:
        """The exact price of a complete configuration."""
        told = (*answers, *self._desk.facts(context))
        return self._desk.pricing.bill({choice.slot: choice.answer for choice in told})

    def warm(self) -> None:
        """Work out what everybody's first view needs, so that the first customer does not
        wait for it."""
        self.complete(())
        for slot in self.view(()).slots:
            if slot.state == "implied" and slot.slot in self.lowered.held:
                self.origin((), slot.slot)

    def can_be_ordered(self) -> bool:
        """Whether there is any configuration, whatever the shop tells."""
        return self.backend.marginals((), settle=False).consistent

    def check_orderable(self, context: Choices = ()) -> None:
        """Raise ``EngineError`` (``void``) where nothing can be ordered with these facts and,
        of the others, what holds where they are missing."""
        if self.holds((), context):
            return
        told = ", ".join(f"{each.slot} = {each.answer}" for each in self._desk.facts(context))
        blamed = self._reasons.rules_against(self._desk.fixed(context), ())
        names = ", ".join(blamed)
        raise EngineError(
            "void",
            said(
                f"Con {told}, no se puede pedir nada: lo impide {names}.",
                f"With {told} nothing can be ordered: {names} stands against it.",
            ),
            said(
                "Afloja esa regla, o haz que la tienda diga otra cosa.",
                "Loosen that rule, or have something else told.",
            ),
            blamed,
        )

    def void_because(self) -> tuple[str, ...]:
        """A minimal set of rules that leave nothing to order."""
        return self._reasons.rules_against((), ())
