"""Who may do what: staff sign in here, and every staff page asks here.

Roles are declared at the view with ``requires``; a staff blueprint refuses a view that
declares none, so a forgotten decorator closes a page instead of opening it. Knows
nothing of configurations or products.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit

import structlog
from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError
from limits import parse
from werkzeug.exceptions import HTTPException, ServiceUnavailable, TooManyRequests
from werkzeug.wrappers import Response

from configurator.catalogue import CatalogueError, UnreadableReleaseError
from configurator.service.staff import LONGEST_PASSWORD, StaffMember
from configurator.trail import DamagedSessionError, TrailUnavailableError
from configurator.web.counters import Limiter
from configurator.web.locale import LOCALES
from configurator.web.speech import gettext

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)

ROLES: Final = ("merchandiser", "support", "admin")
HOMES: Final = {"merchandiser": "workshop.products", "support": "desk.find", "admin": "desk.find"}
ROOMS: Final = ("/desk", "/workshop")
"""The only paths a sign-in may lead to."""

SHIFT: Final = 10 * 60 * 60
"""Seconds after which staff sign in again, however busy they were."""

PER_ADDRESS: Final = "20 per minute"
PER_NAME: Final = "6 per minute"
LONGEST_NAME: Final = 100

blueprint = Blueprint("staff", __name__, url_prefix="/staff")


class StaffUser(UserMixin):  # type: ignore[misc]
    """The member of staff behind a request."""

    def __init__(self, name: str, role: str) -> None:
        self.name = name
        self.role = role

    def get_id(self) -> str:
        """What the session cookie holds: the name."""
        return self.name


class HttpsAwareSessions(SecureCookieSessionInterface):
    """Marks the session cookie ``Secure`` whenever the request came over https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Over https always; over plain http only where the settings insist."""
        return request.is_secure or bool(app.config["SESSION_COOKIE_SECURE"])


def init_app(app: Flask) -> None:
    """Put sign-in and rate limits into ``app``, after CSRF protection.

    Reads ``RATELIMIT_STORAGE_URI`` (default: this process's memory) and, at each use,
    ``RATELIMIT_ENABLED`` (default: yes).
    """
    app.session_interface = HttpsAwareSessions()
    app.config.setdefault("RATELIMIT_ENABLED", True)
    storage = app.config.setdefault("RATELIMIT_STORAGE_URI", "memory://")
    app.extensions["configurator.limits"] = Limiter(storage)
    logins = LoginManager(app)
    logins.session_protection = "strong"
    logins.user_loader(_load)
    logins.unauthorized_handler(_sign_in_first)
    app.register_blueprint(blueprint)


def _load(name: str) -> StaffUser | None:
    """The member of staff of a session cookie, asked anew at each request, so that a
    changed role or password, or a shut account, bites at once."""
    if time.time() - float(session.get("staff_since", 0)) > SHIFT:
        return None
    member: StaffMember | None = services().staff.get(name)
    if member is None or member.epoch != session.get("staff_epoch"):
        return None
    return StaffUser(member.name, member.role)


def _sign_in_first() -> Response:
    wanted = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
    return redirect(url_for("staff.sign_in", next=wanted), 303)


def requires(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let only staff with one of ``roles`` into a view; others are sent to sign in, or
    told that the page belongs to another role (403). Raises ``ValueError`` for a role
    that does not exist."""
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"roles are {', '.join(ROLES)}; got {sorted(unknown) or 'none'}")

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            if not current_user.is_authenticated:
                return _sign_in_first()
            if current_user.role not in roles:
                log.warning("staff page refused", by=staff_name(), endpoint=request.endpoint)
                abort(403)
            return view(*args, **kwargs)

        checked.required_roles = roles  # type: ignore[attr-defined]
        return checked

    return decorate


def required_roles(endpoint: str) -> tuple[str, ...] | None:
    """The roles a view declares; ``None`` where it declares none."""
    roles: tuple[str, ...] | None = getattr(
        current_app.view_functions[endpoint], "required_roles", None
    )
    return roles


def staff_only(room: Blueprint) -> None:
    """Close every view of ``room`` that declares no roles, keep its pages out of caches,
    and answer its refusals in the staff's own words."""

    def refuse_undeclared() -> None:
        if request.endpoint is not None and required_roles(request.endpoint) is None:
            log.error("staff view declares no roles", endpoint=request.endpoint)
            abort(403)

    room.before_request(refuse_undeclared)
    speak(room)


def speak(room: Blueprint) -> None:
    """Answer HTTP refusals within ``room`` by the staff's plain page, never cached."""

    def remember_language() -> None:
        if request.args.get("lang") in LOCALES:
            session["locale"] = request.args["lang"]

    def keep_out_of_caches(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response

    room.before_request(remember_language)
    room.after_request(keep_out_of_caches)
    room.context_processor(frame)
    room.register_error_handler(HTTPException, refusal_page)
    room.register_error_handler(TrailUnavailableError, _unavailable)
    room.register_error_handler(UnreadableReleaseError, _damaged)


def frame() -> dict[str, Any]:
    """What the frame of every staff page needs: its language, and its address in others."""
    here = {key: value for key, value in request.args.items() if key != "lang"}
    return {
        "page_language": str(get_locale()),
        "languages": [(code, f"?{urlencode({**here, 'lang': code})}") for code in LOCALES],
    }


def refusal_page(refusal: HTTPException) -> ResponseReturnValue:
    """A refusal as a page: what happened and the way out, with the right status."""
    response = refusal.get_response()
    if refusal.code is None or refusal.code < 400:
        return response
    if isinstance(refusal, CSRFError):
        title = gettext("This form was open for too long")
        way_out = gettext("Nothing was changed. Go back, load the page again and repeat it.")
    elif refusal.code == 403:
        title = gettext("This page belongs to another role")
        way_out = gettext("Ask an administrator if you need it for your work.")
    elif refusal.code == 404:
        title = gettext("There is nothing at this address")
        way_out = gettext("It may have been mistyped. Start from the top of the page.")
    elif refusal.code == 413:
        title = gettext("That is more than can be sent at once")
        way_out = gettext("Send a smaller file.")
    elif refusal.code == 429:
        title = gettext("Too many tries in a short time")
        way_out = gettext("Wait a minute and try again.")
    elif refusal.code == 503:
        title = gettext("The service cannot be reached just now")
        way_out = gettext("Nothing was changed. Try again in a few seconds.")
    else:
        title = gettext("That did not work")
        way_out = gettext("Nothing was changed. Go back and try again.")
    page = render_template("desk/refusal.html", title=title, way_out=way_out)
    headers = {name: value for name, value in response.headers if name in ("Retry-After", "Allow")}
    return page, refusal.code, headers


def tell_unavailable(problem: TrailUnavailableError) -> None:
    """Log that the store did not answer. Its own words say why; every request would repeat
    the same traceback."""
    log.error("storage unavailable", problem=str(problem), endpoint=request.endpoint)


def tell_damage(problem: DamagedSessionError | CatalogueError) -> None:
    """Log that what is stored of a session or a release is not what was written."""
    session = (request.view_args or {}).get("session_id")
    log.error("damaged", problem=str(problem), session=session, endpoint=request.endpoint)


def _unavailable(problem: TrailUnavailableError) -> ResponseReturnValue:
    tell_unavailable(problem)
    return refusal_page(ServiceUnavailable(retry_after=5))


def _damaged(problem: UnreadableReleaseError) -> ResponseReturnValue:
    tell_damage(problem)
    spoken = str(get_locale())
    title, way_out = problem.message.in_language(spoken), problem.help.in_language(spoken)
    return render_template("desk/refusal.html", title=title, way_out=way_out), 503


def throttle(limit: str, *keys: str) -> None:
    """Count one use of ``keys`` against ``limit`` (such as ``"6 per minute"``); aborts
    with 429 and ``Retry-After`` once it is used up."""
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    limits: Limiter = current_app.extensions["configurator.limits"]
    until = limits.used_up_until(_parsed(limit), *keys)
    if until is not None:
        log.warning("too many requests", what=keys[0], address=remote_address())
        raise TooManyRequests(retry_after=max(1, int(until - time.time()) + 1))


_parsed = lru_cache(maxsize=32)(parse)


def remote_address() -> str:
    """Where the request comes from."""
    return request.remote_addr or "127.0.0.1"


def own_path(target: str | None) -> str | None:
    """``target`` where it is a page of the staff's rooms on this site, else ``None``.

    Everything a browser could read as another site is turned down: a scheme, a host,
    two slashes, a backslash, control characters.
    """
    if not target or "\\" in target or any(ord(letter) <= 32 for letter in target):
        return None
    if not target.startswith("/") or target.startswith("//"):
        return None
    path = urlsplit(target).path
    segments = path.split("/")
    if ".." in segments or "." in segments or "" in segments[1:-1]:
        return None
    return target if any(f"{path}/".startswith(f"{room}/") for room in ROOMS) else None


@blueprint.get("/login")
def sign_in() -> ResponseReturnValue:
    """The sign-in form; staff who are in already go to their room."""
    if current_user.is_authenticated:
        return redirect(own_path(request.args.get("next")) or url_for(HOMES[current_user.role]))
    return render_template("desk/sign_in.html", name="", refused=False)


@blueprint.post("/login")
def enter() -> ResponseReturnValue:
    """Check name and password; on success a new session begins."""
    name = request.form.get("name", "").strip()
    password = request.form.get("password", "")
    throttle(PER_ADDRESS, "sign-in", "address", remote_address())
    throttle(PER_NAME, "sign-in", "name", name.lower()[:LONGEST_NAME])
    member: StaffMember | None = None
    if _plausible(name, LONGEST_NAME) and _plausible(password, LONGEST_PASSWORD):
        member = services().staff.check(name, password)
    if member is None:
        # What is no name may be a password in the wrong field.
        known = services().staff.get(name) if _plausible(name, LONGEST_NAME) else None
        log.warning("staff sign-in refused", name=known and known.name, address=remote_address())
        page = render_template("desk/sign_in.html", name=name[:LONGEST_NAME], refused=True)
        return page, 401
    spoken = session.get("locale")
    session.clear()
    if spoken is not None:
        session["locale"] = spoken
    session["staff_since"] = int(time.time())
    session["staff_epoch"] = member.epoch
    login_user(StaffUser(member.name, member.role))
    log.info("staff signed in", name=member.name, role=member.role)
    return redirect(own_path(request.args.get("next")) or url_for(HOMES[member.role]), 303)


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End the session, and with it every copy of its cookie, wherever that is."""
    name = staff_name() if current_user.is_authenticated else None
    logout_user()
    session.clear()
    if name is not None:
        services().staff.sign_out(name)
        log.info("staff signed out", name=name)
    return redirect(url_for("staff.sign_in"), 303)


def _plausible(entry: str, longest: int) -> bool:
    return 0 < len(entry) <= longest and "\x00" not in entry and _encodes(entry)


def _encodes(entry: str) -> bool:
    try:
        entry.encode()
    except UnicodeEncodeError:
        return False
    return True


speak(blueprint)


def staff_name() -> str:
    """The name of the member of staff who asks."""
    name: str = current_user.name
    return name


def services() -> Any:
    """What the application wired together: catalogue, trail, sessions, staff, settings."""
    return current_app.extensions["configurator"]
