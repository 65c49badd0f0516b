"""The workshop's pages: products, releases, drafts, publishing and rolling back."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog
from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from configurator.catalogue import (
    Published,
    Release,
    Telling,
    UnknownProductError,
    UnknownReleaseError,
    UnreadableReleaseError,
)
from configurator.engine import Limits
from configurator.engine.confirmation import Confirmation
from configurator.language import load_safely
from configurator.model.diagnostic import Diagnostic
from configurator.model.product import Product
from configurator.model.text import Text
from configurator.session.checks import check_product
from configurator.session.scenarios import ScenarioResult
from configurator.trail import TrailUnavailableError
from configurator.web.access import requires, services, staff_name, staff_only, throttle
from configurator.web.speech import gettext
from configurator.web.workshop.drafts import DraftShelf, UnknownDraftError
from configurator.web.workshop.jobs import Job, Jobs
from configurator.web.workshop.lines import listing, sentence
from configurator.web.workshop.walk import walk
from configurator.web.workshop.zips import LARGEST_ZIP, UnpackError, unpack

log = structlog.get_logger(__name__)

_NOTHING_SENT: Final = Text.of(
    {
        "en": "No file was sent. Choose the zip of the rule folder.",
        "es": "No se envió ningún archivo. Elige el zip de la carpeta de reglas.",
    }
)
UPLOADS: Final = "20 per minute"
LONGEST_NOTE: Final = 500
SHORTEST_REASON: Final = 3

PATIENCE: Final = 2.0
"""Seconds a request waits for a check before it shows how far it is."""

READING_SECONDS: Final = 30
"""Processor time a draft may take to be read: some 20,000 questions take 10."""

blueprint = Blueprint("workshop", __name__, url_prefix="/workshop")
staff_only(blueprint)
blueprint.add_app_template_filter(sentence)


@blueprint.record_once
def _open_jobs(state: BlueprintSetupState) -> None:
    state.app.extensions["workshop"] = Jobs[Checked | Published]()


@blueprint.url_value_preprocessor
def _let_folders_in(endpoint: str | None, values: object) -> None:
    """An upload may be larger than other bodies. Set before CSRF protection, which runs
    ahead of any ``before_request`` of a blueprint, reads the form."""
    if endpoint == "workshop.upload":
        request.max_content_length = LARGEST_ZIP + 64 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft and everything that was found about it, on the day it was for the product."""

    digest: str
    files: Mapping[str, bytes]
    product: Product | None
    day: datetime.date | None
    diagnostics: tuple[Diagnostic, ...]
    scenarios: tuple[ScenarioResult, ...]
    confirmation: Confirmation | None

    @property
    def stops(self) -> int:
        """How many mistakes keep it from being published."""
        return sum(each.severity == "stop" for each in self.diagnostics)

    @property
    def warnings(self) -> int:
        """How many doubts there are."""
        return len(self.diagnostics) - self.stops

    def about(self, file: str) -> list[Diagnostic]:
        """The diagnostics of one file."""
        return [each for each in self.diagnostics if each.span.file == file]


@blueprint.get("/")
@requires("merchandiser", "admin")
def products() -> ResponseReturnValue:
    """Every product with its current release, and where to send a draft."""
    return _products_page()


def _products_page(problem: Text | None = None) -> ResponseReturnValue:
    rooms = services()
    rows = [
        (release, _zone(release), len(rooms.catalogue.releases(release.product_id)), _open(release))
        for release in rooms.catalogue.products()
    ]
    page = render_template("workshop/products.html", rows=rows, problem=problem)
    return page, (422 if problem else 200)


@blueprint.get("/products/<product_id>")
@requires("merchandiser", "admin")
def product(product_id: str) -> ResponseReturnValue:
    """A product's releases: which is current, who published each, when and why."""
    return _product_page(product_id)


def _product_page(product_id: str, problem: str | None = None) -> ResponseReturnValue:
    current = _current(product_id)
    releases = services().catalogue.releases(product_id)
    open_sessions = services().trail.open_sessions(product_id)
    return render_template(
        "workshop/product.html",
        current=current,
        zone=_zone(current),
        releases=sorted(releases, key=lambda release: -release.number),
        open_sessions=open_sessions,
        history=services().catalogue.history(product_id),
        problem=problem,
    ), (422 if problem else 200)


@blueprint.post("/products/<product_id>/rollback")
@requires("merchandiser", "admin")
def roll_back(product_id: str) -> ResponseReturnValue:
    """Make an earlier release the current one, with a reason."""
    current = _current(product_id)
    digest = request.form.get("release", "")
    reason = _sentence(request.form.get("reason", ""))
    if len(reason) < SHORTEST_REASON:
        return _product_page(product_id, gettext("Say in a few words why; it stays on record."))
    known = {release.digest: release for release in services().catalogue.releases(product_id)}
    if digest not in known:
        abort(404)
    if digest == current.digest:
        return _product_page(product_id, gettext("That release is the current one already."))
    services().catalogue.roll_back(product_id, digest, by=staff_name(), reason=reason)
    log.info("release rolled back", by=staff_name(), product=product_id, release=digest)
    flash(
        gettext(
            "Release %(number)s is current again. New configurations use it from now on.",
            number=known[digest].number,
        )
    )
    return redirect(url_for("workshop.product", product_id=product_id), 303)


@blueprint.post("/drafts")
@requires("merchandiser", "admin")
def upload() -> ResponseReturnValue:
    """Take a zipped rule folder in as a draft."""
    throttle(UPLOADS, "upload", staff_name())
    sent = request.files.get("folder")
    content = sent.read() if sent is not None else b""
    try:
        if not content:
            raise UnpackError(_NOTHING_SENT)
        files = unpack(content)
    except UnpackError as problem:
        return _products_page(problem.reason)
    try:
        digest = _shelf().put(staff_name(), files)
    except OSError as problem:
        raise TrailUnavailableError(problem.strerror or "") from problem
    log.info("draft taken in", by=staff_name(), draft=digest, files=len(files))
    return redirect(url_for("workshop.draft", digest=digest), 303)


@blueprint.get("/drafts/<digest>")
@requires("merchandiser", "admin")
def draft(digest: str) -> ResponseReturnValue:
    """A draft's files with what was found about them, its scenarios, and what publishing
    would mean; while it is being checked or published, how far that is."""
    publishing = _jobs().find(("publish", staff_name(), digest))
    if publishing is not None:
        return _published_page(digest, publishing)
    job = _checking(digest)
    if not job.wait(PATIENCE):
        return _waiting_page(digest, job, gettext("The draft is being checked"))
    checked = job.result()
    assert isinstance(checked, Checked)
    return _draft_page(checked)


def _waiting_page(digest: str, job: Job[Checked | Published], doing: str) -> ResponseReturnValue:
    """How far a job is; the browser loads the page again, with or without scripts."""
    page = render_template(
        "workshop/waiting.html", digest=digest, doing=doing, progress=job.progress
    )
    return page, {"Refresh": f"2; url={url_for('workshop.draft', digest=digest)}"}


def _draft_page(checked: Checked, refused: bool = False) -> ResponseReturnValue:
    checked = replace(checked, diagnostics=tuple(dict.fromkeys(checked.diagnostics)))
    counts = Counter(each.span.file for each in checked.diagnostics)
    file = request.args.get("file", "")
    if file not in checked.files:
        file = _first_to_show(checked, counts)
    live: Release | None = None
    if checked.product is not None:
        live = _current_or_none(checked.product.id)
    elsewhere = [each for each in checked.diagnostics if each.span.file not in checked.files]
    listings = {
        name: listing(content, checked.about(name))
        for name, content in sorted(checked.files.items())
        if counts[name] or name == file
    }
    places = walk(
        {"": elsewhere, **{name: each.diagnostics for name, each in listings.items()}},
        file,
        lambda name, anchor: url_for(
            "workshop.draft", digest=checked.digest, file=name, _anchor=anchor
        ),
    )
    first = {each.severity: places[each].address for each in reversed(places)}
    return render_template(
        "workshop/draft.html",
        checked=checked,
        counts=counts,
        file=file,
        listing=listings[file],
        elsewhere=elsewhere,
        places=places,
        first=first,
        opens_at=next(iter([*elsewhere, *listings[file].diagnostics]), None),
        live=live,
        open_now=_open(live) if live is not None else 0,
        refused=refused,
    ), (422 if refused else 200)


@blueprint.post("/drafts/<digest>/publish")
@requires("merchandiser", "admin")
def publish(digest: str) -> ResponseReturnValue:
    """Make a draft the current release of its product, where nothing stops it."""
    files, by = _files(digest), staff_name()
    note = _sentence(request.form.get("note", ""))
    catalogue = services().catalogue

    def work(tell: Telling) -> Published:
        published: Published = catalogue.publish(files, by=by, note=note, tell=tell)
        if published.release is not None:  # whether or not anybody waits for the page
            log.info("release published", by=by, release=published.release.digest)
        return published

    return _published_page(digest, _jobs().start(("publish", by, digest), work))


def _published_page(digest: str, job: Job[Checked | Published]) -> ResponseReturnValue:
    """What became of publishing a draft, or how far it is."""
    if not job.wait(PATIENCE):
        return _waiting_page(digest, job, gettext("The draft is being checked and published"))
    _jobs().forget(("publish", staff_name(), digest))
    published = job.result()
    assert isinstance(published, Published)
    if published.release is None:
        checked = _checking(digest).result()
        assert isinstance(checked, Checked)
        return _draft_page(replace(checked, diagnostics=published.diagnostics), True)
    release = published.release
    flash(
        gettext(
            "Release %(number)s is live. New configurations use it from now on.",
            number=release.number,
        )
    )
    return redirect(url_for("workshop.product", product_id=release.product_id), 303)


def _jobs() -> Jobs[Checked | Published]:
    found: Jobs[Checked | Published] = current_app.extensions["workshop"]
    return found


def _checking(digest: str) -> Job[Checked | Published]:
    """The check of a draft on this day, under way or done; one of another day is forgotten."""
    files, rooms = _files(digest), services()
    cache, limits = rooms.settings.compiled, rooms.settings.limits
    now = rooms.clock()
    key = ("check", staff_name(), digest)
    earlier = _jobs().find(key)
    if earlier is not None and earlier.wait() and not earlier.failed:
        found = earlier.result()
        assert isinstance(found, Checked)
        if found.product is not None and found.day != found.product.day_at(now):
            _jobs().forget(key)
    return _jobs().start(key, lambda tell: _check(digest, files, now, cache, limits, tell))


def _check(
    digest: str,
    files: Mapping[str, bytes],
    now: datetime.datetime,
    cache: Path,
    limits: Limits,
    tell: Telling,
) -> Checked:
    """Load a draft in a limited child process, then compile it and run its scenarios."""
    loaded = load_safely(files, seconds=READING_SECONDS)
    if loaded.product is None:
        return Checked(digest, files, None, None, loaded.diagnostics, (), None)
    product, day = loaded.product, loaded.product.day_at(now)
    found = check_product(product, day, cache, limits=limits, tell=tell)
    diagnostics = (*loaded.diagnostics, *found.diagnostics)
    return Checked(digest, files, product, day, diagnostics, found.results, found.confirmation)


def _files(digest: str) -> dict[str, bytes]:
    try:
        return _shelf().files(staff_name(), digest)
    except UnknownDraftError:
        abort(404)


def _shelf() -> DraftShelf:
    return DraftShelf(services().settings.folder / "drafts")


def _first_to_show(checked: Checked, counts: Mapping[str, int]) -> str:
    """The file with the first mistake, else with the first warning, else the first."""
    for severity in ("stop", "warn"):
        for each in checked.diagnostics:
            if each.severity == severity and each.span.file in checked.files:
                return each.span.file
    return min(checked.files, key=lambda name: (name != "product.yaml", name))


def _current(product_id: str) -> Release:
    release = _current_or_none(product_id)
    if release is None:
        abort(404)
    return release


def _current_or_none(product_id: str) -> Release | None:
    if not product_id.isprintable():
        return None
    try:
        release: Release = services().catalogue.current(product_id)
    except UnknownProductError:
        return None
    return release


def _zone(release: Release) -> str:
    """The time zone of a product; UTC where its release cannot be read any more."""
    try:
        product: Product = services().catalogue.product(release.digest)
    except (UnknownReleaseError, UnreadableReleaseError):
        return "UTC"
    return product.time_zone


def _open(release: Release) -> int:
    """How many configurations of a product are open, on whichever release."""
    counts: Mapping[str, int] = services().trail.open_sessions(release.product_id)
    return sum(counts.values())


def _sentence(typed: str) -> str:
    """A note as it is stored: one line, without what cannot be stored."""
    kept = "".join(letter if letter.isprintable() else " " for letter in typed)
    return " ".join(kept.split())[:LONGEST_NOTE]
