"""Wires the service together: one function, nothing built at import."""

from __future__ import annotations

import datetime
import gc
import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from flask import Flask, Response, request
from flask_babel import Babel
from flask_wtf import CSRFProtect
from secure import ContentSecurityPolicy, ReferrerPolicy, Secure, StrictTransportSecurity
from werkzeug.middleware.proxy_fix import ProxyFix

from configurator import logs
from configurator.catalogue import Catalogue, Findings, Load, Telling
from configurator.language import load_safely
from configurator.model.product import Product
from configurator.resources import resource_dir
from configurator.service.staff import Staff
from configurator.session import Sessions
from configurator.session.checks import check_product
from configurator.settings import Settings, SettingsError
from configurator.trail import Clock, Trail, connect, migrate
from configurator.web import access, api, desk, shop, workshop
from configurator.web.locale import choose_locale

READING_LIMIT = 60
"""Seconds a rule folder may take to read when it is published; the workshop has read an
upload before, within less."""

GARBAGE = (5_000, 20, 50)
"""Objects that are new, rounds of the young and of the middle-aged, before the garbage
collector looks at the next older ones."""

log = structlog.get_logger(__name__)

BODY_LIMIT = 64 * 1024
"""Bytes a request may have; uploads in the workshop set their own limit."""


@dataclass(frozen=True, slots=True)
class Services:
    """The rooms a request works with."""

    settings: Settings
    catalogue: Catalogue
    trail: Trail
    sessions: Sessions
    staff: Staff
    clock: Clock


def utc_now() -> datetime.datetime:
    """The clock of a real service."""
    return datetime.datetime.now(datetime.UTC)


def create_services(
    settings: Settings, load: Load | None = None, clock: Clock = utc_now
) -> Services:
    """Open the database (bringing it up to date) and the rooms over it, after the log. Rule
    folders are published by ``load``; where it is not given, they are read in a limited
    process first. ``clock`` gives the present moment with its time zone.

    Raises ``SettingsError`` for a database that is none, ``TrailUnavailableError`` for one
    that cannot be reached.
    """
    logs.set_up()
    try:
        database = connect(settings.database_url)
    except (ValueError, ImportError) as problem:
        raise SettingsError(f"CONFIGURATOR_DATABASE: {problem}") from problem
    migrate(database)
    trail = Trail(database, clock=clock)
    compiled, limits = settings.compiled, settings.limits

    def checks(product: Product, day: datetime.date, tell: Telling | None) -> Findings:
        checked = check_product(product, day, compiled, limits=limits, tell=tell)
        return Findings(checked.diagnostics, checked.confirmation)

    catalogue = Catalogue(
        database,
        compiled,
        clock=clock,
        checks=checks,
        load=load or partial(load_safely, seconds=READING_LIMIT),
        limits=limits,
        prove=settings.prove,
    )
    return Services(
        settings,
        catalogue,
        trail,
        Sessions(catalogue, trail, clock, settings.secret_key),
        Staff(database),
        clock,
    )


class _Application(Flask):
    """Flask, but that it logs an address that failed by its rule: a link by which somebody
    resumes is a secret."""

    def log_exception(self, exc_info: Any) -> None:
        """Log what nobody has foreseen."""
        rule = None if request.url_rule is None else request.url_rule.rule
        session = (request.view_args or {}).get("session_id")
        log.error(
            "unforeseen", method=request.method, rule=rule, session=session, exc_info=exc_info
        )


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The web application; settings come from the environment where not given, and
    services from the settings."""
    settings = settings or Settings.from_environment()
    app = _Application(
        "configurator",
        template_folder=str(resource_dir("templates")),
        static_folder=str(resource_dir("static")),
        static_url_path="/static",
    )
    translations = resource_dir("translations")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        API_LIMIT=f"{settings.acts_per_minute} per minute",
        API_START_LIMIT=f"{settings.starts_per_minute} per minute",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=datetime.timedelta(days=180),
        BABEL_TRANSLATION_DIRECTORIES=f"{translations / 'shop'};{translations / 'staff'}",
        BABEL_DEFAULT_LOCALE="en",
        RATELIMIT_STORAGE_URI=settings.limits_storage,
        SEND_FILE_MAX_AGE_DEFAULT=datetime.timedelta(hours=1),
    )
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )
    app.extensions["configurator"] = services or create_services(settings)
    Babel(app, locale_selector=choose_locale)
    csrf = CSRFProtect(app)
    access.init_app(app)
    app.register_blueprint(shop.blueprint)
    app.register_blueprint(desk.blueprint)
    app.register_blueprint(workshop.blueprint)
    api.register(app, csrf)
    _send_security_headers(app)
    return app


def worker() -> Flask:
    """The web application of one worker process, set up by the environment; it opens its
    products while it starts, so that its first customer does not wait for them."""
    settings = Settings.from_environment()
    services = create_services(settings)
    open_products(services)
    return create_app(settings, services)


def open_products(services: Services) -> None:
    """Open the current products in a thread of its own, then call ``settle``."""

    def work() -> None:
        services.catalogue.open_current()
        settle()

    threading.Thread(target=work, daemon=True).start()


def settle() -> None:
    """Keep what lives as long as the process (modules, products, compiled engines) out of
    the garbage collector's rounds, which would go through all of it again and again; and
    have fewer of them, for requests leave little behind that only they can free."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def _send_security_headers(app: Flask) -> None:
    policy = (
        ContentSecurityPolicy()
        .default_src("'self'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
        .object_src("'none'")
        .img_src("'self'", "data:")
    )
    secure = Secure(
        csp=policy,
        hsts=StrictTransportSecurity().max_age(31536000).include_subdomains(),
        referrer=ReferrerPolicy().same_origin(),
    )

    everywhere = {
        **dict(secure.headers),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    in_clear = {k: v for k, v in everywhere.items() if k != "Strict-Transport-Security"}

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in (everywhere if request.is_secure else in_clear).items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response
