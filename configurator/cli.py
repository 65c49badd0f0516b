"""The commands: serve, check, publish, ask, explain, import, trail, staff."""

from __future__ import annotations

import datetime
import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from configurator import __version__
from configurator.resources import resource_dir
from configurator.settings import Settings, SettingsError

if TYPE_CHECKING:
    from configurator.app import Services
    from configurator.service.staff import Staff
    from configurator.trail import ReplayStep

SESSION_ID = 36
"""Letters of a session's id; a code has far fewer."""

console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """The entry point of the ``configurator`` command."""
    from configurator.trail.errors import TrailUnavailableError

    try:
        cli(prog_name="configurator")
    except SettingsError as problem:
        click.echo(str(problem), err=True)
        sys.exit(2)
    except TrailUnavailableError as problem:
        click.echo(f"CONFIGURATOR_DATABASE: {problem}", err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """A product configurator: exact guidance, reasons, repairs, and a trail to replay."""


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _load(folder: Path, language: str) -> Any:
    """The product of a rule folder; prints its diagnostics and exits 1 where it has none."""
    from configurator.language import load_within, read_folder, render

    loaded = load_within(read_folder(folder))
    if loaded.product is None:
        click.echo(render(loaded.diagnostics, language), err=True)
        sys.exit(1)
    return loaded.product


language_option = click.option(
    "--lang", "language", type=click.Choice(["es", "en"]), default="en", help="Language of texts."
)
folder_argument = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


def _check_free(host: str, port: int) -> None:
    """Raise ``SettingsError`` where nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.getaddrinfo(host, port, family)
    except socket.gaierror as problem:
        raise SettingsError(
            f"CONFIGURATOR_HOST: {host!r} is no address of this machine"
        ) from problem
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as problem:
        why = os.strerror(problem.errno or 0)
        raise SettingsError(
            f"PORT: {host}:{port} cannot be had ({why}); choose another, "
            f"as in PORT={port % 65535 + 1} make run"
        ) from problem


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Port; 0 picks one.")
def serve(port: int | None) -> None:
    """Start the service, with the shipped products published and demo accounts made."""
    import waitress

    from configurator.app import create_app, create_services, open_products
    from configurator.printing import shown_progress
    from configurator.service.demo import prepare_demo

    settings = Settings.from_environment()
    chosen = settings.port if port is None else port
    _check_free(settings.host, chosen)  # now, not when all has been published
    services = create_services(settings)
    with shown_progress("en") as tell:
        prepared = prepare_demo(
            services.catalogue,
            services.staff,
            settings.rules or resource_dir("rules"),
            settings.folder,
            tell,
        )
    for diagnostics in prepared.refused:
        click.echo(diagnostics, err=True)
    server = waitress.create_server(
        create_app(settings, services),
        host=settings.host,
        port=chosen,
        threads=settings.threads,
        ident=None,
        clear_untrusted_proxy_headers=not settings.proxies,
        max_request_body_size=16 * 1024 * 1024,  # above what any page takes, so that it can say so
        connection_limit=1000,
        asyncore_use_poll=True,  # select counts to 1024, files and all
        channel_timeout=30,
    )
    click.echo(f"Shop      http://{settings.host}:{server.effective_port}/")
    click.echo(f"Desk      http://{settings.host}:{server.effective_port}/desk")
    click.echo(f"Workshop  http://{settings.host}:{server.effective_port}/workshop")
    for account in prepared.accounts:
        click.echo(f"Demo account: {account.name} / {account.password} ({account.role})")
    click.echo("Stop with Ctrl+C.")
    sys.stdout.flush()

    open_products(services)
    server.run()


@cli.command()
@folder_argument
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text")
@language_option
def check(folder: Path, output: str, language: str) -> None:
    """Check a rule folder: every mistake at once, then its scenarios."""
    from configurator.language import load_within, read_folder, render
    from configurator.printing import WORDS, confirmation_line, shown_progress
    from configurator.session.checks import check_product

    settings = Settings.from_environment()
    loaded = load_within(read_folder(folder))
    diagnostics = loaded.diagnostics
    results: tuple[Any, ...] = ()
    confirmation = None
    if loaded.product is not None:
        with shown_progress(language) as tell:
            checked = check_product(
                loaded.product,
                loaded.product.day_at(_now()),
                settings.compiled,
                limits=settings.limits,
                tell=tell,
            )
        results, confirmation = checked.results, checked.confirmation
        diagnostics = (*diagnostics, *checked.diagnostics)
    stops = [each for each in diagnostics if each.severity == "stop"]
    if output == "json":
        click.echo(
            json.dumps(
                {
                    "ok": not stops,
                    "diagnostics": [
                        {
                            "code": each.code,
                            "severity": each.severity,
                            "file": each.span.file,
                            "line": each.span.line,
                            "column": each.span.column,
                            "message": each.message.in_language(language),
                            "help": each.help.in_language(language) if each.help else "",
                        }
                        for each in diagnostics
                    ],
                    "scenarios": [
                        {
                            "name": each.scenario.name,
                            "passed": not each.failures,
                            "failures": [text.in_language(language) for text in each.failures],
                        }
                        for each in results
                    ],
                    "confirmation": None if confirmation is None else asdict(confirmation),
                },
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        if diagnostics:
            click.echo(render(diagnostics, language))
        words = WORDS[language]
        passed = sum(not each.failures for each in results)
        if results:
            click.echo(words["scenarios hold"].format(passed=passed, all=len(results)))
        if confirmation is not None:
            click.echo(confirmation_line(confirmation, language))
        click.echo(words["not ready" if stops else "ready"])
    sys.exit(1 if stops else 0)


@contextmanager
def _understanding(language: str) -> Iterator[None]:
    """Exit 2 with a sentence and its help where what is asked makes no question."""
    from configurator.engine import EngineError, UnknownChoiceError
    from configurator.language import help_line

    try:
        yield
    except (EngineError, UnknownChoiceError) as problem:
        click.echo(problem.message.in_language(language), err=True)
        click.echo(help_line(problem.help, language), err=True)
        sys.exit(2)


def _parse_day(written: str) -> datetime.date:
    """The day; raises ``UnknownChoiceError``."""
    from configurator.engine.errors import UnknownChoiceError, said

    try:
        return datetime.date.fromisoformat(written)
    except ValueError as problem:
        raise UnknownChoiceError(
            "malformed-day",
            said(f"«{written}» no es una fecha.", f"“{written}” is not a date."),
            said("Escríbela así: 2026-11-22.", "Write it like this: 2026-11-22."),
        ) from problem


def _parse_choices(pairs: tuple[str, ...]) -> tuple[Any, ...]:
    """Pairs as choices, of each slot one; raises ``UnknownChoiceError``."""
    from configurator.engine.errors import UnknownChoiceError, said
    from configurator.model.choice import Choice

    answers: dict[str, str] = {}
    for pair in pairs:
        slot, equals, answer = (part.strip() for part in pair.partition("="))
        if not equals:
            raise UnknownChoiceError(
                "malformed-choice",
                said(f"«{pair}» no tiene «=».", f"“{pair}” has no “=”."),
                said("Escribe pregunta=respuesta: size=M.", "Write question=answer: size=M."),
            )
        if slot in answers:
            both = f"{slot}={answers[slot]}", f"{slot}={answer}"
            raise UnknownChoiceError(
                "chosen-twice",
                said(
                    f"«{slot}» está dos veces: {' y '.join(both)}.",
                    f"“{slot}” is there twice: {' and '.join(both)}.",
                ),
                said("Deja una de las dos.", "Leave one of them out."),
            )
        answers[slot] = answer
    return tuple(Choice(slot, answer) for slot, answer in answers.items())


def _engine_and_choices(
    folder: Path, day: str | None, chosen: tuple[str, ...], told: tuple[str, ...], language: str
) -> Any:
    """The engine of a folder and the choices, each checked in order."""
    from configurator.engine import compile_product
    from configurator.model.choice import Choice

    settings = Settings.from_environment()
    product = _load(folder, language)
    pinned = _parse_day(day) if day else product.day_at(_now())
    engine = compile_product(product, pinned, cache=settings.compiled, limits=settings.limits)
    given = dict(engine.check_context(fact) for fact in _parse_choices(told))
    context = tuple(
        Choice(each.id, given.get(each.id, each.if_missing)) for each in product.context
    )
    engine.check_orderable(context)
    return engine, tuple(engine.check(choice) for choice in _parse_choices(chosen)), context


asking_options = [
    click.option("--choose", "chosen", multiple=True, metavar="SLOT=ANSWER"),
    click.option("--context", "told", multiple=True, metavar="NAME=VALUE"),
    click.option(
        "--on", "day", default=None, metavar="DAY", help="The pinned day; today if absent."
    ),
    click.option("--json", "as_json", is_flag=True),
    language_option,
]


def _with_asking_options(command: Any) -> Any:
    for option in reversed(asking_options):
        command = option(command)
    return command


@cli.command()
@folder_argument
@_with_asking_options
def ask(
    folder: Path,
    chosen: tuple[str, ...],
    told: tuple[str, ...],
    day: str | None,
    as_json: bool,
    language: str,
) -> None:
    """Print the view for some choices: what is possible, what follows, what it costs."""
    from configurator.printing import print_view
    from configurator.session.state import State
    from configurator.session.view import view_of

    with _understanding(language):
        engine, choices, context = _engine_and_choices(folder, day, chosen, told, language)
    _refuse_conflicting(engine, choices, context, language, as_json)
    view = view_of(engine, State(choices=choices, context=context, settled=True))
    if as_json:
        click.echo(json.dumps(view, ensure_ascii=False, sort_keys=True, indent=2))
    else:
        print_view(console, engine.product, view, language)


@cli.command()
@folder_argument
@_with_asking_options
@click.option("--want", required=True, metavar="SLOT=ANSWER", help="The option to explain.")
def explain(
    folder: Path,
    chosen: tuple[str, ...],
    told: tuple[str, ...],
    day: str | None,
    as_json: bool,
    language: str,
    want: str,
) -> None:
    """Say why an option cannot be had with some choices, and what would repair it."""
    from configurator.model.choice import without
    from configurator.printing import WORDS

    with _understanding(language):
        engine, choices, context = _engine_and_choices(folder, day, chosen, told, language)
        (wanted,) = _parse_choices((want,))
        wanted = engine.check(wanted)
    _refuse_conflicting(engine, choices, context, language, as_json)
    choices = without(choices, {wanted.slot})
    if engine.is_possible(choices, wanted, context):
        possible = WORDS[language]["possible"].format(slot=wanted.slot, answer=wanted.answer)
        click.echo("{}" if as_json else possible)
        return
    _print_refusal(engine, choices, wanted, context, language, as_json)


def _refuse_conflicting(
    engine: Any, choices: Any, context: Any, language: str, as_json: bool
) -> None:
    """Exit 2 with the reasons where a choice does not fit with those before it."""
    for position, choice in enumerate(choices):
        if not engine.is_possible(choices[:position], choice, context):
            _print_refusal(engine, choices[:position], choice, context, language, as_json)
            sys.exit(2)


def _print_refusal(
    engine: Any, choices: Any, wanted: Any, context: Any, language: str, as_json: bool
) -> None:
    from configurator.printing import print_refusal
    from configurator.session.refusal import refusal_json, refusal_of

    refusal = refusal_of(engine, choices, wanted, context, choices)
    if as_json:
        click.echo(json.dumps(refusal_json(refusal, choices), ensure_ascii=False, indent=2))
    else:
        print_refusal(console, engine.product, refusal, language)


@cli.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "folder", type=click.Path(path_type=Path), default=None)
@language_option
def import_(file: Path, folder: Path | None, language: str) -> None:
    """Turn a UVL, SXFM or XCSP 2.1 model into a rule folder."""
    from configurator.language import render
    from configurator.language.importers import ImportModelError, import_to_folder
    from configurator.printing import WORDS

    target = folder or Path("rules") / file.name.partition(".")[0]
    try:
        written = import_to_folder(file, target)
    except ImportModelError as problem:
        click.echo(render(problem.diagnostics, language), err=True)
        sys.exit(1)
    click.echo(WORDS[language]["imported"].format(number=len(written), folder=target))


@cli.command()
@folder_argument
@click.option("--note", default="", help="What changed, for the list of releases.")
@click.option("--by", "author", default="command line")
@language_option
def publish(folder: Path, note: str, author: str, language: str) -> None:
    """Check a rule folder and make it the current release of its product."""
    from configurator.app import create_services
    from configurator.language import load_within, read_folder, render
    from configurator.printing import WORDS, confirmation_line, shown_progress

    services = create_services(Settings.from_environment(), load=load_within)
    with shown_progress(language) as tell:
        published = services.catalogue.publish(read_folder(folder), by=author, note=note, tell=tell)
    if published.diagnostics:
        click.echo(render(published.diagnostics, language), err=published.release is None)
    if published.release is None:
        sys.exit(1)
    if published.release.confirmation is not None:
        click.echo(confirmation_line(published.release.confirmation, language))
    product, digest = published.release.product_id, published.release.digest[:12]
    click.echo(WORDS[language]["live"].format(product=product, release=digest))


@cli.command()
@language_option
def releases(language: str) -> None:
    """Say whether this version of the service reads all that was published.

    Run it on a copy of the database before a new version takes over.
    """
    from configurator.app import create_services
    from configurator.catalogue import UnreadableReleaseError
    from configurator.language import render
    from configurator.printing import WORDS

    catalogue = create_services(Settings.from_environment()).catalogue
    fit = True
    for current in catalogue.products():
        for release in catalogue.releases(current.product_id):
            try:
                said = render(catalogue.complaints(release.digest), language)
            except UnreadableReleaseError as altered:
                said = altered.message.in_language(language)
            words = WORDS[language]["not read" if said else "read"]
            click.echo(words.format(product=release.product_id, number=release.number))
            if said:
                click.echo(said)
                fit = False
    if not fit:
        sys.exit(1)


@cli.group()
def trail() -> None:
    """Read a decision trail: verify it, replay it; mend what follows from it.

    A configuration is named by its code or, as the log names it, by its session's id.
    """


def _session_named(services: Services, name: str) -> str:
    """The id of the session of a code or an id; ends the command where there is none."""
    from configurator.trail import BadCodeError, UnknownSessionError, normalise

    try:
        if len(name) == SESSION_ID:
            services.trail.stored(name)
            return name
        return services.trail.id_of(normalise(name))
    except (BadCodeError, UnknownSessionError) as problem:
        raise click.ClickException(str(problem)) from problem


@trail.command()
@click.argument("code")
@click.option(
    "--recompute",
    is_flag=True,
    help="Also compute every view again from the release it was of, and compare.",
)
@language_option
def verify(code: str, recompute: bool, language: str) -> None:
    """Check that a configuration's trail is whole and unchanged."""
    from configurator.app import create_services

    services = create_services(Settings.from_environment())
    result, steps = services.trail.told(_session_named(services, code))
    if not result.ok:
        reason = result.reason.in_language(language) if result.reason else ""
        click.echo(f"NOT WHOLE at event {result.first_bad_seq}: {reason}")
        sys.exit(1)
    click.echo(f"{code}: {result.events} events, whole and unchanged.")
    click.echo(f"The last one has the hash {result.hash}.")
    if recompute:
        _recompute(services, steps)


def _recompute(services: Services, steps: Sequence[ReplayStep]) -> None:
    """Say whether every view is computed again as it was recorded; exit 1 where not."""
    from configurator.catalogue import CatalogueError
    from configurator.engine import EngineError
    from configurator.web.desk.difference import agreement_of

    apart = []
    states = services.sessions.states(steps)
    for place, step in enumerate(steps, start=1):
        until = steps[:place]
        try:
            session = services.sessions.as_told(until, states[place - 1])
            again = services.sessions.recompute(session, until)
        except (CatalogueError, EngineError) as problem:
            raise click.ClickException(f"event {place}: {problem}") from problem
        if agreement_of(step, again) == "other":
            apart.append(str(place))
    if apart:
        click.echo(f"COMPUTED OTHERWISE TODAY: the views after {', '.join(apart)}")
        sys.exit(1)
    click.echo("Every view is computed again as it was recorded.")


@trail.command()
@click.argument("code")
@click.option(
    "--last-hash",
    metavar="HASH",
    help="The hash of the last event, from a receipt or a backup, where the stored one is wrong.",
)
def mend(code: str, last_hash: str | None) -> None:
    """Make the head of a damaged configuration anew from its events.

    No event is changed; where these are not whole, nothing is.
    """
    from configurator.app import create_services
    from configurator.trail import CodeTakenError, DamagedSessionError

    services = create_services(Settings.from_environment())
    session_id = _session_named(services, code)
    try:
        others = services.sessions.mend(session_id, last_hash)
    except (DamagedSessionError, CodeTakenError) as problem:
        raise click.ClickException(f"{problem} Nothing was changed.") from problem
    result = services.trail.verify(session_id)
    click.echo(f"Made anew: {', '.join(others)}." if others else "There was nothing to mend.")
    if not result.ok:
        raise click.ClickException("It is still not whole; see configurator trail verify.")
    click.echo(f"{code}: {result.events} events, whole and unchanged.")


@trail.command()
@click.argument("code")
@click.option("--json", "as_json", is_flag=True)
def replay(code: str, as_json: bool) -> None:
    """Tell step by step what the customer did and was shown."""
    from configurator.app import create_services
    from configurator.printing import print_replay

    services = create_services(Settings.from_environment())
    steps = services.trail.replay(_session_named(services, code))
    if as_json:
        told = [
            {
                "seq": step.event.seq,
                "kind": step.event.kind,
                "time": step.event.server_time,
                "actor": step.event.actor,
                "payload": step.event.payload,
                "change": step.event.change,
            }
            for step in steps
        ]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        print_replay(console, steps)


@cli.group()
def staff() -> None:
    """Staff accounts."""


@contextmanager
def _changing_staff() -> Iterator[Staff]:
    """The accounts; what cannot be so ends the command with a sentence."""
    from configurator.app import create_services
    from configurator.service.staff import StaffError

    try:
        yield create_services(Settings.from_environment()).staff
    except StaffError as problem:
        raise click.ClickException(str(problem)) from problem


@staff.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["merchandiser", "support", "admin"]), required=True)
@click.password_option(help="At least 12 characters.")
def add(name: str, role: Any, password: str) -> None:
    """Add a staff account; asks for its password."""
    with _changing_staff() as accounts:
        accounts.add(name, password, role)
    click.echo(f"{name} can sign in as {role}.")


@staff.command("password")
@click.argument("name")
@click.password_option(help="At least 12 characters.")
def set_password(name: str, password: str) -> None:
    """Give a staff account another password; who is signed in with it has to sign in again."""
    with _changing_staff() as accounts:
        accounts.set_password(name, password)
    click.echo(f"{name} has another password.")


@staff.command()
@click.argument("name")
def disable(name: str) -> None:
    """Shut a staff account; who is signed in with it is out at once."""
    with _changing_staff() as accounts:
        accounts.set_disabled(name, True)
    click.echo(f"{name} can no longer sign in.")


@staff.command()
@click.argument("name")
def enable(name: str) -> None:
    """Open a shut staff account again."""
    with _changing_staff() as accounts:
        accounts.set_disabled(name, False)
    click.echo(f"{name} can sign in again.")


if __name__ == "__main__":
    main()
