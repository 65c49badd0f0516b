"""One choice's way: the trail reads the head, the engine answers, the trail appends.

The trail calls back with the head it read (before any lock) and, where somebody was
faster, once more with the head locked; so an act is a function of the head alone.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import secrets
import uuid
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import uuid_utils

from configurator import __version__
from configurator.catalogue import Catalogue
from configurator.engine import Engine
from configurator.engine.memory import Memory
from configurator.guidance import consequences, consequences_json
from configurator.model.choice import Choice, Choices, without
from configurator.model.product import Product
from configurator.session.errors import (
    GuardsOpenError,
    IncompleteError,
    IrreversibleOpenError,
    NothingToPreviewError,
    NothingToUndoError,
    NotIrreversibleError,
    RepairOutdatedError,
    SequenceConflictError,
    SessionClosedError,
    UnknownGuardError,
)
from configurator.session.refusal import (
    Refusal,
    choices_from_json,
    choices_json,
    refusal_from_json,
    refusal_json,
)
from configurator.session.state import State, apply, step_between
from configurator.session.view import (
    Pieces,
    has_undecided,
    irreversible,
    open_slots,
    view_of,
)
from configurator.trail import (
    CodeTakenError,
    Decision,
    EventDraft,
    Head,
    KeyReusedError,
    Trail,
    TrailUnavailableError,
    UnknownSessionError,
    Written,
    digest,
    new_code,
    view_change,
)
from configurator.trail import SequenceConflictError as TrailSequenceConflictError

Json = dict[str, Any]
ENGINE_VERSION = __version__

_SHOWN_ONLY = ("ChoiceRefused", "ConsequencesShown")
"""Events that show something and change neither choices nor view."""

CODES_TRIED = 20
"""Codes drawn for a new session before giving up; a second one is rarely needed."""

STATES = 1_000
"""States that are kept, by the hash of the event they stand after: it stands for them."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it stands after event ``seq``."""

    session_id: str
    code: str
    product: Product
    release: str
    day: datetime.date
    seq: int
    state: State
    view: Json

    @property
    def product_id(self) -> str:
        """The product's id."""
        return self.product.id

    @property
    def choices(self) -> Choices:
        """The customer's decisions, oldest first."""
        return self.state.choices

    @property
    def context(self) -> Choices:
        """What the shop told."""
        return self.state.context

    @property
    def locale(self) -> str:
        """The language the customer reads."""
        return self.state.locale

    @property
    def status(self) -> str:
        """``open`` or ``committed``."""
        return self.state.status

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self.state.undo) and self.status == "open"

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return bool(self.state.redo) and self.status == "open"

    @property
    def acknowledged(self) -> Json:
        """Guards confirmed so far: reason and the values they were confirmed for."""
        return {
            guard: {"reason": reason, "values": dict(values)}
            for guard, reason, values in self.state.acknowledged
        }


@dataclass(frozen=True, slots=True)
class Started:
    """A new session and the secret that lets its owner back in. ``replayed``: it was a
    retry; the session is as it was when it started."""

    session: Session
    token: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act. ``shown`` is what a preview showed; ``replayed``: it was a
    retry, this is the first answer."""

    kind: str
    session: Session
    change: Json
    refusal: Refusal | None = None
    replayed: bool = False
    shown: Json | None = None


@dataclass(frozen=True, slots=True)
class _Act:
    """An evaluated act: the event to write, what it changes, and the session after it."""

    kind: str
    payload: Json
    change: Json
    after: Session
    engine_version: str


Evaluate = Callable[[Session, Engine], tuple[str, Json]]


class Sessions:
    """The use cases of a session, over a catalogue of releases and a trail."""

    def __init__(
        self,
        catalogue: Catalogue,
        trail: Trail,
        clock: Callable[[], datetime.datetime],
        secret: str,
    ) -> None:
        """``clock`` gives the present moment with its time zone; from ``secret`` follow the
        ids and tokens of sessions that are started with a key."""
        self._secret = secret.encode()
        self._catalogue = catalogue
        self._trail = trail
        self._clock = clock
        self._pieces = Pieces()
        self._states: Memory[str, State] = Memory(STATES)

    # --- finding -----------------------------------------------------------------

    def get(self, session_id: str) -> Session:
        """The session as it stands; raises ``UnknownSessionError``."""
        return self._session(self._trail.head(session_id))

    def by_code(self, code: str) -> Session:
        """The session of a spoken code; raises ``BadCodeError``, ``UnknownSessionError``."""
        return self._session(self._trail.head_by_code(code))

    def resume(self, token: str) -> Session:
        """The session a token belongs to; raises ``UnknownSessionError``."""
        session_id, _, secret = token.partition(".")
        head = self._trail.head(session_id)
        if not hmac.compare_digest(_token_hash(secret), head.token_hash):
            raise UnknownSessionError(session_id)
        return self._session(head)

    def at(self, session_id: str, seq: int) -> Session:
        """The session as it stood after event ``seq``, folded from the trail."""
        head = self._trail.head(session_id)
        state = State()
        view: Json = {}
        for step in self._trail.replay(session_id):
            if step.event.seq > seq:
                break
            state = apply(state, step.event.kind, step.event.payload)
            view = step.view
        return Session(
            head.session_id,
            head.code,
            self._catalogue.product(head.release),
            head.release,
            datetime.date.fromisoformat(head.day),
            seq,
            state,
            view,
        )

    def recompute(self, session: Session) -> Json:
        """The view computed afresh from the pinned release, for comparison with the
        recorded one, by the same sort of engine."""
        answered = [
            event.engine_version
            for event in self._trail.events(session.session_id)
            if event.seq <= session.seq and event.kind not in _SHOWN_ONLY
        ]
        backend = answered[-1].partition("+")[2] if answered else ""
        engine = self._catalogue.engine(session.release, session.day, backend=backend or "auto")
        return view_of(engine, session.state)

    # --- acts --------------------------------------------------------------------
    #
    # Each of them takes ``expected_seq`` (the event it is based on; else the session has
    # moved on: ``SequenceConflictError``), ``key`` (the same key gets the same answer),
    # ``actor`` and ``token`` (where given, it has to open the session: else
    # ``UnknownSessionError``).

    def start(
        self,
        product_id: str,
        *,
        locale: str,
        context: Choices = (),
        actor: str = "customer",
        key: str | None = None,
    ) -> Started:
        """Open a session on the current release of a product.

        The same ``key`` and request give the same session and token again: both follow
        from the key and the service's secret, so nothing but the token's hash is stored.
        Who knows the key can therefore do what the token allows. Raises the catalogue's
        ``UnknownProductError``, the engine's ``UnknownChoiceError`` for a context the
        product does not know, and ``KeyReusedError`` for another request.
        """
        session_id, secret = self._names(key)
        request: Json = {"start": product_id, "locale": locale, "context": choices_json(context)}
        fingerprint = digest(request)
        if key is not None:
            earlier = self._started(session_id, secret, fingerprint)
            if earlier is not None:
                return earlier
        release = self._catalogue.current(product_id)
        product = self._catalogue.product(release.digest)
        zone = zoneinfo.ZoneInfo(product.time_zone)
        day = self._clock().astimezone(zone).date()
        engine = self._catalogue.engine(release.digest, day)
        told = {choice.slot: choice.answer for choice in context}
        for choice in context:
            engine.check_context(choice)
        pinned = tuple(
            Choice(each.id, told.get(each.id, each.if_missing)) for each in product.context
        )
        payload: Json = {
            "product": product.id,
            "day": day.isoformat(),
            "context": choices_json(pinned),
            "locale": locale,
        }
        state = apply(State(), "SessionStarted", payload)
        view = view_of(engine, state, self._pieces)
        head = Head(
            session_id=session_id,
            code=new_code(),
            product_id=product.id,
            release=release.digest,
            day=day.isoformat(),
            locale=locale,
            status="open",
            state=state.to_json(),
            view=view,
            token_hash=_token_hash(secret),
        )
        draft = EventDraft(
            kind="SessionStarted",
            version=1,
            key=key or _new_key(),
            fingerprint=fingerprint,
            actor=actor,
            on_behalf_of=None,
            release=release.digest,
            engine_version=_version_of(engine),
            locale=locale,
            payload=payload,
            change=view_change({}, view),
            view=view,
        )
        for _ in range(CODES_TRIED):
            try:
                self._trail.start(draft, head)
            except CodeTakenError:
                head = replace(head, code=new_code())
            else:
                first = self.at(session_id, 1)
                return Started(first, f"{session_id}.{secret}", first.code != head.code)
        raise TrailUnavailableError

    def _names(self, key: str | None) -> tuple[str, str]:
        """Id and secret of a new session: drawn, or derived from a key. Derived ids are of
        version 8 (RFC 9562), so that they are never taken for drawn ones."""
        if key is None:
            return str(uuid_utils.uuid7()), secrets.token_urlsafe(24)

        def derived(use: bytes) -> bytes:
            return hmac.digest(self._secret, use + key.encode(), "sha256")

        raw = bytearray(derived(b"session id:")[:16])
        raw[6] = raw[6] & 0x0F | 0x80
        raw[8] = raw[8] & 0x3F | 0x80
        secret = base64.urlsafe_b64encode(derived(b"session token:")).decode().rstrip("=")
        return str(uuid.UUID(bytes=bytes(raw))), secret

    def _started(self, session_id: str, secret: str, fingerprint: str) -> Started | None:
        """What an earlier start with the same key gave; ``None`` where there was none."""
        try:
            first = self._trail.events(session_id)[0]
        except UnknownSessionError:
            return None
        if first.fingerprint != fingerprint:
            raise KeyReusedError
        return Started(self.at(session_id, 1), f"{session_id}.{secret}", True)

    def choose(
        self,
        session_id: str,
        slot: str,
        answer: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Choose one answer. What is not possible is refused, with reasons and repairs;
        the refusal is an event too. Raises ``UnknownChoiceError`` for what the product
        does not know, ``SessionClosedError``, ``SequenceConflictError``."""
        return self.choose_many(
            session_id,
            (Choice(slot, answer),),
            expected_seq=expected_seq,
            key=key,
            actor=actor,
            token=token,
        )

    def choose_many(
        self,
        session_id: str,
        wanted: Choices,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Choose several answers as one act; all or none. The first that does not fit
        with the present choices and those before it is the one refused."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            normal = tuple(engine.check(choice) for choice in wanted)
            slots = {choice.slot for choice in normal}
            choices = session.choices if len(slots) == 1 else without(session.choices, slots)
            for choice in normal:
                others = without(choices, {choice.slot})
                if not engine.is_possible(choices, choice, session.context):
                    refusal = refusal_of(engine, others, choice, session.context)
                    return "ChoiceRefused", refusal_json(refusal, session.choices)
                choices = (*others, choice)
            return "ValueChosen", {
                "wanted": choices_json(normal),
                "step": step_between(session.choices, choices).to_json(),
            }

        return self._act(
            session_id, evaluate, {"choose": choices_json(wanted)}, expected_seq, key, actor, token
        )

    def withdraw(
        self,
        session_id: str,
        slot: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Take a choice back, so that the question is open again."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            slots = {s for s in engine.slots() if s == slot or s.startswith(f"{slot}.")}
            choices = without(session.choices, slots)
            if choices == session.choices:
                raise NothingToUndoError
            return "ChoiceWithdrawn", {
                "slot": slot,
                "step": step_between(session.choices, choices).to_json(),
            }

        return self._act(session_id, evaluate, {"withdraw": slot}, expected_seq, key, actor, token)

    def undo(
        self,
        session_id: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Take the last step back; raises ``NothingToUndoError``."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            if not session.state.undo:
                raise NothingToUndoError
            return "Undone", {}

        return self._act(session_id, evaluate, {"undo": True}, expected_seq, key, actor, token)

    def redo(
        self,
        session_id: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Take the step again that was taken back; raises ``NothingToUndoError``."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            if not session.state.redo:
                raise NothingToUndoError
            return "Redone", {}

        return self._act(session_id, evaluate, {"redo": True}, expected_seq, key, actor, token)

    def reset(
        self,
        session_id: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Take every choice back at once; it can be undone."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            return "SessionReset", {"step": step_between(session.choices, ()).to_json()}

        return self._act(session_id, evaluate, {"reset": True}, expected_seq, key, actor, token)

    def accept_repair(
        self,
        session_id: str,
        refusal_seq: int,
        index: int,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Accept repair number ``index`` (from 0) of the refusal at ``refusal_seq``.

        Raises ``RepairOutdatedError`` when the choices have changed since, or there is
        no such repair.
        """

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            refused = next(
                (e for e in self._trail.events(session_id) if e.seq == refusal_seq), None
            )
            if refused is None or refused.kind != "ChoiceRefused":
                raise RepairOutdatedError
            payload = refused.payload
            if payload["choices"] != choices_json(session.choices) or not (
                0 <= index < len(payload["repairs"])
            ):
                raise RepairOutdatedError
            repair = payload["repairs"][index]
            after = choices_from_json(repair["choices"])
            return "RepairAccepted", {
                "refusal": refusal_seq,
                "index": index,
                "step": step_between(session.choices, after).to_json(),
            }

        request = {"repair": [refusal_seq, index]}
        return self._act(session_id, evaluate, request, expected_seq, key, actor, token)

    def acknowledge(
        self,
        session_id: str,
        guard: str,
        reason: str = "",
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Confirm a guard, with an optional reason; raises ``UnknownGuardError``."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            spoken = session.view["guards"].get(guard)
            if spoken is None:
                raise UnknownGuardError
            return "GuardAcknowledged", {
                "guard": guard,
                "reason": reason,
                "values": spoken["reads"],
            }

        request = {"acknowledge": guard, "reason": reason}
        return self._act(session_id, evaluate, request, expected_seq, key, actor, token)

    def acknowledge_irreversible(
        self,
        session_id: str,
        slots: tuple[str, ...],
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Confirm that the present answers of ``slots`` cannot be taken back later; raises
        ``NotIrreversibleError`` where one can."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            final = irreversible(session.product, session.view["slots"])
            if not slots or any(slot not in final for slot in slots):
                raise NotIrreversibleError
            answers = [[slot, final[slot]] for slot in final if slot in slots]
            return "IrreversibleAcknowledged", {"answers": answers}

        request = {"irreversible": sorted(slots)}
        return self._act(session_id, evaluate, request, expected_seq, key, actor, token)

    def accept_proposals(
        self,
        session_id: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Finish for the customer: accept what is proposed, then the cheapest of the rest.

        Questions nobody may answer for the customer (``ask: always``) stay open, and so
        do texts that are not optional.
        """

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            still_open = open_slots(session.product, engine.view(session.choices, session.context))
            completion = engine.complete(session.choices, session.context, prefer_proposals=True)
            if completion is None:
                raise IncompleteError(still_open)
            product = session.product
            answers = {choice.slot: choice.answer for choice in completion.answers}
            added = tuple(
                Choice(slot, answers[slot])
                for slot in still_open
                if slot in answers and not product.variable(slot.partition(".")[0]).ask_always
            )
            after = (*session.choices, *added)
            return "ProposalsAccepted", {"step": step_between(session.choices, after).to_json()}

        return self._act(session_id, evaluate, {"finish": True}, expected_seq, key, actor, token)

    def commit(
        self,
        session_id: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Confirm the configuration. Raises ``IncompleteError`` while questions are open,
        ``GuardsOpenError`` while a guard waits to be acknowledged, and
        ``IrreversibleOpenError`` while an answer that cannot be taken back does."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            answer = engine.view(session.choices, session.context)
            if not answer.complete:
                raise IncompleteError(open_slots(session.product, answer))
            waiting = tuple(
                guard
                for guard, spoken in session.view["guards"].items()
                if spoken["level"] == "acknowledge" and not spoken.get("acknowledged")
            )
            if waiting:
                raise GuardsOpenError(waiting)
            final = irreversible(session.product, session.view["slots"])
            known = session.view.get("irreversible", {})
            unknown = tuple(slot for slot in final if slot not in known)
            if unknown:
                raise IrreversibleOpenError(unknown)
            answers = [[s.slot, s.answer] for s in answer.slots if s.answer is not None]
            payload: Json = {"answers": answers}
            if "price" in session.view:
                payload["price"] = session.view["price"]
            return "ConfigurationCommitted", payload

        return self._act(session_id, evaluate, {"commit": True}, expected_seq, key, actor, token)

    def settle(
        self,
        session_id: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Decide what the last answer left undecided, and show it: an event, because what
        the customer sees changes. Nothing is written where nothing is undecided."""
        session = self.get(session_id) if token is None else self.resume(token)
        if session.status != "open" or not has_undecided(session.view):
            return Outcome("accepted", session, {})

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            return "OptionsSettled", {}

        seq = session.seq if expected_seq is None else expected_seq
        key = key or f"settle-{seq}"
        return self._act(session_id, evaluate, {"settle": seq}, seq, key, actor, token)

    def change_locale(
        self,
        session_id: str,
        locale: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Read on in another language. What is shown changes, so it is an event."""

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            return "LocaleChanged", {"locale": locale}

        return self._act(
            session_id,
            evaluate,
            {"locale": locale},
            expected_seq,
            key,
            actor,
            token,
            when_closed=True,
        )

    def preview(
        self,
        session_id: str,
        slot: str,
        answer: str,
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
        token: str | None = None,
    ) -> Outcome:
        """Show what choosing an answer would close, force, ask and cost. No choice changes;
        what was shown is kept, because the customer decides on it.

        Raises ``UnknownChoiceError``, and ``NothingToPreviewError`` where it needs changes.
        """

        def evaluate(session: Session, engine: Engine) -> tuple[str, Json]:
            wanted = Choice(slot, answer)
            found = consequences(engine, session.choices, wanted, session.context)
            if found is None:
                raise NothingToPreviewError
            payload = {**consequences_json(found), "choices": choices_json(session.choices)}
            return "ConsequencesShown", payload

        request = {"preview": [slot, answer]}
        return self._act(session_id, evaluate, request, expected_seq, key, actor, token)

    def previewed(self, session: Session, seq: int) -> Json | None:
        """What the preview at event ``seq`` showed; ``None`` where it was none, or the
        choices have changed since."""
        events = self._trail.events(session.session_id)
        shown = next((each for each in events if each.seq == seq), None)
        if shown is None or shown.kind != "ConsequencesShown":
            return None
        payload: Json = shown.payload
        return payload if payload["choices"] == choices_json(session.choices) else None

    def explain(self, session_id: str, slot: str, answer: str) -> Refusal | None:
        """Why an answer cannot be had and what would repair it; ``None`` if it can.

        Nothing is recorded; raises ``UnknownChoiceError``.
        """
        session = self.get(session_id)
        engine = self._catalogue.engine(session.release, session.day)
        wanted = engine.check(Choice(slot, answer))
        choices = without(session.choices, {wanted.slot})
        if engine.is_possible(choices, wanted, session.context):
            return None
        return refusal_of(engine, choices, wanted, session.context)

    # --- the one way -------------------------------------------------------------

    def _act(
        self,
        session_id: str,
        evaluate: Evaluate,
        request: Json,
        expected_seq: int | None,
        key: str | None,
        actor: str,
        token: str | None,
        *,
        when_closed: bool = False,
    ) -> Outcome:
        act: _Act | None = None

        def decide(head: Head) -> Decision:
            nonlocal act
            act = self._evaluate(head, evaluate, when_closed)
            return Decision(
                kind=act.kind,
                payload=act.payload,
                change=act.change,
                view=act.after.view,
                state=act.after.state.to_json(),
                status=act.after.status,
                locale=act.after.locale,
                actor=actor,
                on_behalf_of=None if actor == "customer" else "customer",
                engine_version=act.engine_version,
                answer={"kind": "refused" if act.kind == "ChoiceRefused" else "accepted"},
            )

        key = key or _new_key()

        def write(expected: int | None) -> Written:
            return self._trail.write(
                session_id,
                key=key,
                fingerprint=digest(request),
                expected_seq=expected,
                decide=decide,
                token_hash=None if token is None else _token_hash(token.partition(".")[2]),
            )

        try:
            try:
                written = write(expected_seq)
            except TrailSequenceConflictError as conflict:
                if not self._only_settled_since(conflict.head, expected_seq):
                    raise
                written = write(conflict.head.seq)
        except TrailSequenceConflictError as conflict:
            raise SequenceConflictError(self._session(conflict.head)) from conflict
        event = written.event
        if written.replayed or act is None:
            session = self.at(session_id, event.seq)
        else:
            session = act.after
            self._states.keep(event.hash, session.state)
        refusal = None
        if event.kind == "ChoiceRefused":
            refusal = refusal_from_json(event.payload, event.seq)
        shown = None
        if event.kind == "ConsequencesShown":
            shown = {name: part for name, part in event.payload.items() if name != "choices"}
        return Outcome(
            written.answer["kind"], session, event.change or {}, refusal, written.replayed, shown
        )

    def _only_settled_since(self, head: Head, seq: int | None) -> bool:
        """Whether all that has happened since is that the same options were settled: the
        customer then decides on what was seen, only less of it was known."""
        if seq is None or head.seq != seq + 1:
            return False
        last = self._trail.events(head.session_id)[-1]
        return last.kind == "OptionsSettled" and last.seq == head.seq

    def _evaluate(self, head: Head, evaluate: Evaluate, when_closed: bool) -> _Act:
        session = self._session(head)
        if session.status != "open" and not when_closed:
            raise SessionClosedError
        engine = self._catalogue.engine(session.release, session.day)
        kind, payload = evaluate(session, engine)
        state = apply(session.state, kind, payload)
        view = session.view if kind in _SHOWN_ONLY else view_of(engine, state, self._pieces)
        after = replace(session, seq=session.seq + 1, state=state, view=view)
        return _Act(kind, payload, view_change(session.view, view), after, _version_of(engine))

    def _session(self, head: Head) -> Session:
        return Session(
            head.session_id,
            head.code,
            self._catalogue.product(head.release),
            head.release,
            datetime.date.fromisoformat(head.day),
            head.seq,
            self._states.get(head.hash)
            or self._states.keep(head.hash, State.from_json(head.state)),
            head.view,
        )


def _version_of(engine: Engine) -> str:
    """With the backend where it is not the compiled form: totals and counts may say "at
    least" then, so they are recomputed the same way."""
    return ENGINE_VERSION + ("" if engine.backend_name == "diagram" else f"+{engine.backend_name}")


def refusal_of(engine: Engine, choices: Choices, wanted: Choice, context: Choices) -> Refusal:
    """Why ``wanted`` cannot be had with ``choices``, and what would make it possible."""
    conflict = engine.conflict(choices, wanted, context)
    repairs = engine.repairs(choices, wanted, context) if conflict.choices else ()
    return Refusal(wanted, conflict, repairs)


def _token_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_key() -> str:
    return secrets.token_urlsafe(12)
