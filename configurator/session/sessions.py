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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import uuid_utils

from configurator import __version__
from configurator.catalogue import Catalogue
from configurator.engine import Engine
from configurator.memory import Memory
from configurator.model.choice import Choice, Choices
from configurator.session import acts
from configurator.session.acts import Act
from configurator.session.errors import (
    IncompleteError,
    NothingToFinishError,
    SequenceConflictError,
    SessionClosedError,
)
from configurator.session.refusal import Refusal, choices_json, refusal_from_json, refusal_of
from configurator.session.session import Json, Outcome, Session, Started
from configurator.session.state import State, apply
from configurator.session.view import Pieces, has_undecided, view_of
from configurator.trail import (
    CodeTakenError,
    DamagedSessionError,
    Decision,
    EventDraft,
    Head,
    KeyReusedError,
    ReplayStep,
    Trail,
    TrailUnavailableError,
    UnknownSessionError,
    Written,
    digest,
    new_code,
    view_change,
)
from configurator.trail import SequenceConflictError as TrailSequenceConflictError

ENGINE_VERSION = __version__

_SHOWN_ONLY = ("ChoiceRefused", "ConsequencesShown")
"""Events that show something and change neither choices nor view."""

CODES_TRIED = 20
"""Codes drawn for a new session before giving up; a second one is rarely needed."""

STATES = 1_000
"""States that are kept, by the hash of the event they stand after: it stands for them."""


@dataclass(frozen=True, slots=True)
class _Acted:
    """What an act makes: the event to write, what it changes, and the session after it, but
    for the hash, which the event has when it is written."""

    kind: str
    payload: Json
    change: Json
    after: Session
    engine_version: str


class Asked(TypedDict, total=False):
    """How an act is asked for, besides what it is.

    ``expected_seq``: the event it is based on; else the session has moved on
    (``SequenceConflictError``). ``key``: the same key gets the same answer. ``actor``: who
    acts, the customer where not said. ``token``: where given, it has to open the session
    (else ``UnknownSessionError``).
    """

    expected_seq: int | None
    key: str | None
    actor: str
    token: str | None


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

    def resume(self, token: str) -> Session:
        """The session a token belongs to; raises ``UnknownSessionError`` and
        ``DamagedSessionError``."""
        session_id, _, secret = token.partition(".")
        try:
            head = self._trail.head(session_id)
        except DamagedSessionError:
            self.owned_by(token)  # it is nobody else's concern
            raise
        if not hmac.compare_digest(_token_hash(secret), head.token_hash):
            raise UnknownSessionError(session_id)
        return self._session(head)

    def owned_by(self, token: str) -> str:
        """The id of the session a token belongs to, whatever became of it; raises
        ``UnknownSessionError``."""
        session_id, _, secret = token.partition(".")
        if not hmac.compare_digest(_token_hash(secret), self._trail.token_hash(session_id)):
            raise UnknownSessionError(session_id)
        return session_id

    def at(self, session_id: str, seq: int) -> Session:
        """The session as it stood after event ``seq``, folded from the trail; raises as
        ``as_told``."""
        steps = self._trail.replay(session_id)
        return self.as_told([step for step in steps if step.event.seq <= seq])

    def as_told(self, steps: Sequence[ReplayStep], state: State | None = None) -> Session:
        """The session as the last of some steps left it, folded from these alone, the
        first of all before them; ``state`` is what they lead to, where that is known
        (``states``). Raises ``DamagedSessionError`` where they cannot be followed, and the
        catalogue's errors for a release that cannot be read."""
        if not steps:
            raise DamagedSessionError("no step can be read")
        first, last = steps[0].event, steps[-1].event
        with _following(first.session_id):
            state = state or _state_after(steps)
            code = (first.opening or {})["code"]
            day = datetime.date.fromisoformat(last.day)
        product, view = self._catalogue.product(last.release), steps[-1].view
        return Session(
            first.session_id,
            code,
            product,
            last.release,
            day,
            last.seq,
            last.hash,
            state,
            view,
        )

    def states(self, steps: Sequence[ReplayStep]) -> tuple[State, ...]:
        """The state that each of some steps leads to; raises as ``as_told``."""
        with _following(steps[0].event.session_id if steps else ""):
            return tuple(_states(steps))

    def recompute(self, session: Session, steps: Sequence[ReplayStep] | None = None) -> Json:
        """The view computed afresh from the pinned release, for comparison with the
        recorded one, by the same sort of engine. ``steps`` are the session's, where they
        have been read already."""
        if steps is None:
            steps = self._trail.replay(session.session_id)
        answered = (
            step.event.engine_version
            for step in reversed(steps)
            if step.event.seq <= session.seq and step.event.kind not in _SHOWN_ONLY
        )
        backend = next(answered, "").partition("+")[2]
        engine = self._catalogue.engine(session.release, session.day, backend=backend or "auto")
        return view_of(engine, session.state)

    def mend(self, session_id: str, last_hash: str | None = None) -> tuple[str, ...]:
        """Make a damaged head anew from the session's steps, where these are whole; see
        ``Trail.mend``, whose errors it raises."""
        steps = self._trail.replay(session_id)
        with _following(session_id):
            state = _state_after(steps)
        return self._trail.mend(session_id, state.to_json(), last_hash)

    # --- acts --------------------------------------------------------------------

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
        product does not know, ``EngineError`` where it leaves nothing to order, and
        ``KeyReusedError`` for another request.
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
        day = product.day_at(self._clock())
        engine = self._catalogue.engine(release.digest, day)
        told = {choice.slot: choice.answer for choice in context}
        for choice in context:
            engine.check_context(choice)
        pinned = tuple(
            Choice(each.id, told.get(each.id, each.if_missing)) for each in product.context
        )
        engine.check_orderable(pinned)
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

    def choose(self, session_id: str, slot: str, answer: str, **asked: Unpack[Asked]) -> Outcome:
        """Choose one answer. What is not possible is refused, with reasons and repairs;
        the refusal is an event too. Raises ``UnknownChoiceError`` for what the product
        does not know, ``SessionClosedError``, ``SequenceConflictError``."""
        return self.choose_many(session_id, (Choice(slot, answer),), **asked)

    def choose_many(self, session_id: str, wanted: Choices, **asked: Unpack[Asked]) -> Outcome:
        """Choose several answers as one act; all or none. The first that does not fit
        with the present choices and those before it is the one refused."""
        request = {"choose": choices_json(wanted)}
        return self._act(session_id, acts.choosing(wanted), request, asked)

    def withdraw(self, session_id: str, slot: str, **asked: Unpack[Asked]) -> Outcome:
        """Take a choice back, so that the question is open again."""
        return self._act(session_id, acts.withdrawing(slot), {"withdraw": slot}, asked)

    def undo(self, session_id: str, **asked: Unpack[Asked]) -> Outcome:
        """Take the last step back; raises ``NothingToUndoError``."""
        return self._act(session_id, acts.undoing, {"undo": True}, asked)

    def redo(self, session_id: str, **asked: Unpack[Asked]) -> Outcome:
        """Take the step again that was taken back; raises ``NothingToUndoError``."""
        return self._act(session_id, acts.redoing, {"redo": True}, asked)

    def reset(self, session_id: str, **asked: Unpack[Asked]) -> Outcome:
        """Take every choice back at once; it can be undone."""
        return self._act(session_id, acts.resetting, {"reset": True}, asked)

    def accept_repair(
        self, session_id: str, refusal_seq: int, index: int, **asked: Unpack[Asked]
    ) -> Outcome:
        """Accept repair number ``index`` (from 0) of the refusal at ``refusal_seq``.

        Raises ``RepairOutdatedError`` when the choices have changed since, and
        ``UnknownRepairError`` where there is no such repair.
        """
        if (token := asked.get("token")) is not None:
            self.owned_by(token)  # before anything of the trail is read
        refused = self._trail.event(session_id, refusal_seq)
        request = {"repair": [refusal_seq, index]}
        with _following(session_id):
            act = acts.accepting_repair(refused, index)
        return self._act(session_id, act, request, asked)

    def acknowledge(
        self, session_id: str, guard: str, reason: str = "", **asked: Unpack[Asked]
    ) -> Outcome:
        """Confirm a guard, with an optional reason; raises ``UnknownGuardError``."""
        request = {"acknowledge": guard, "reason": reason}
        return self._act(session_id, acts.acknowledging(guard, reason), request, asked)

    def acknowledge_irreversible(
        self, session_id: str, slots: tuple[str, ...], **asked: Unpack[Asked]
    ) -> Outcome:
        """Confirm that the present answers of ``slots`` cannot be taken back later; raises
        ``NotIrreversibleError`` where one can."""
        request = {"irreversible": sorted(slots)}
        return self._act(session_id, acts.acknowledging_irreversible(slots), request, asked)

    def accept_proposals(self, session_id: str, **asked: Unpack[Asked]) -> Outcome:
        """Finish for the customer: accept what is proposed, then the cheapest of the rest.

        Questions nobody may answer for the customer (``ask: always``) stay open, and so
        do texts that are not optional, and what would close an answer of those questions.
        """
        return self._act(session_id, acts.accepting_proposals, {"finish": True}, asked)

    def can_finish(self, session: Session) -> bool:
        """Whether ``accept_proposals`` would answer anything."""
        engine = self._catalogue.engine(session.release, session.day)
        try:
            acts.accepting_proposals(session, engine)
        except (IncompleteError, NothingToFinishError):
            return False
        return True

    def commit(self, session_id: str, **asked: Unpack[Asked]) -> Outcome:
        """Confirm the configuration. Raises ``IncompleteError`` while questions are open,
        ``GuardsOpenError`` while a guard waits to be acknowledged, and
        ``IrreversibleOpenError`` while an answer that cannot be taken back does."""
        return self._act(session_id, acts.committing, {"commit": True}, asked)

    def settle(self, session_id: str, **asked: Unpack[Asked]) -> Outcome:
        """Decide what the last answer left undecided, and show it: an event, because what
        the customer sees changes. Nothing is written where nothing is undecided."""
        token = asked.get("token")
        session = self.get(session_id) if token is None else self.resume(token)
        expected, key = asked.get("expected_seq"), asked.get("key")
        seq = session.seq if expected is None else expected
        undecided = session.status == "open" and has_undecided(session.view)
        if not undecided and (key is None or not self._has_key(session_id, key)):
            if seq != session.seq:
                raise SequenceConflictError(session)
            return Outcome("accepted", session, {})
        own = f"settle\n{seq}"  # no key that comes with a request has two lines
        asked |= {"expected_seq": seq, "key": key or own}
        return self._act(session_id, acts.settling, {"settle": True}, asked)

    def _has_key(self, session_id: str, key: str) -> bool:
        return any(each.key == key for each in self._trail.events(session_id))

    def change_locale(self, session_id: str, locale: str, **asked: Unpack[Asked]) -> Outcome:
        """Read on in another language. What is shown changes, so it is an event."""
        act = acts.changing_locale(locale)
        return self._act(session_id, act, {"locale": locale}, asked, when_closed=True)

    def preview(self, session_id: str, slot: str, answer: str, **asked: Unpack[Asked]) -> Outcome:
        """Show what choosing an answer would close, force, ask and cost. No choice changes;
        what was shown is kept, because the customer decides on it.

        Raises ``UnknownChoiceError``, and ``NothingToPreviewError`` where it needs changes.
        """
        act = acts.previewing(Choice(slot, answer))
        return self._act(session_id, act, {"preview": [slot, answer]}, asked)

    def previewed(self, session: Session, seq: int) -> Json | None:
        """What the preview at event ``seq`` showed; ``None`` where it was none, or the
        choices have changed since."""
        shown = self._trail.event(session.session_id, seq)
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
        stands = session.choices
        if engine.is_possible(stands, wanted, session.context):
            return None
        return refusal_of(engine, stands, wanted, session.context, stands)

    # --- the one way -------------------------------------------------------------

    def _act(
        self,
        session_id: str,
        act: Act,
        request: Json,
        asked: Asked,
        *,
        when_closed: bool = False,
    ) -> Outcome:
        expected_seq, token = asked.get("expected_seq"), asked.get("token")
        key, actor = asked.get("key") or _new_key(), asked.get("actor", "customer")
        acted: _Acted | None = None

        def decide(head: Head) -> Decision:
            nonlocal acted
            acted = self._acted(head, act, when_closed)
            return Decision(
                kind=acted.kind,
                payload=acted.payload,
                change=acted.change,
                view=acted.after.view,
                state=acted.after.state.to_json(),
                status=acted.after.status,
                locale=acted.after.locale,
                actor=actor,
                on_behalf_of=None if actor == "customer" else "customer",
                engine_version=acted.engine_version,
                answer={"kind": "refused" if acted.kind == "ChoiceRefused" else "accepted"},
            )

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
        except DamagedSessionError:
            if token is not None:
                self.owned_by(token)
            raise
        event = written.event
        if written.replayed or acted is None:
            session = self.at(session_id, event.seq)
        else:
            session = replace(acted.after, hash=event.hash)
            self._states.keep(event.hash, session.state)
        with _following(session_id):
            return _outcome(written, session)

    def _only_settled_since(self, head: Head, seq: int | None) -> bool:
        """Whether all that has happened since is that the same options were settled: the
        customer then decides on what was seen, only less of it was known."""
        if seq is None or head.seq != seq + 1:
            return False
        last = self._trail.events(head.session_id)[-1]
        return last.kind == "OptionsSettled" and last.seq == head.seq

    def _acted(self, head: Head, act: Act, when_closed: bool) -> _Acted:
        session = self._session(head)
        if session.status != "open" and not when_closed:
            raise SessionClosedError
        engine = self._catalogue.engine(session.release, session.day)
        kind, payload = act(session, engine)
        state = apply(session.state, kind, payload)
        view = session.view
        if kind not in _SHOWN_ONLY:
            view = view_of(engine, state, self._pieces, view)
        after = replace(session, seq=session.seq + 1, state=state, view=view)
        return _Acted(kind, payload, view_change(session.view, view), after, _version_of(engine))

    def _session(self, head: Head) -> Session:
        return Session(
            head.session_id,
            head.code,
            self._catalogue.product(head.release),
            head.release,
            datetime.date.fromisoformat(head.day),
            head.seq,
            head.hash,
            self._states.get(head.hash)
            or self._states.keep(head.hash, State.from_json(head.state)),
            head.view,
        )


def _outcome(written: Written, session: Session) -> Outcome:
    event = written.event
    refusal = None
    if event.kind == "ChoiceRefused":
        refusal = refusal_from_json(event.payload, event.seq)
    shown = None
    if event.kind == "ConsequencesShown":
        shown = {name: part for name, part in event.payload.items() if name != "choices"}
    return Outcome(
        written.answer["kind"],
        session,
        event.change or {},
        refusal,
        written.replayed,
        shown,
        written.view,
    )


def _state_after(steps: Sequence[ReplayStep]) -> State:
    return (State(), *_states(steps))[-1]


def _states(steps: Sequence[ReplayStep]) -> Iterator[State]:
    state = State()
    for step in steps:
        state = apply(state, step.event.kind, step.event.payload)
        yield state


@contextmanager
def _following(session_id: str) -> Iterator[None]:
    """Where steps cannot be followed, somebody altered them: ``DamagedSessionError``."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as problem:
        detail = f"its steps cannot be followed: {type(problem).__name__}"
        raise DamagedSessionError(detail, session_id) from problem


def _version_of(engine: Engine) -> str:
    """With the backend where it is not the compiled form: totals and counts may say "at
    least" then, so they are recomputed the same way."""
    return ENGINE_VERSION + ("" if engine.backend_name == "diagram" else f"+{engine.backend_name}")


def _token_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_key() -> str:
    return secrets.token_urlsafe(12)
