"""The commands, as a merchandiser or an operator types them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

import configurator.engine.compile
import configurator.language.sandbox
from configurator.app import create_services
from configurator.cli import cli
from configurator.engine import Engine
from configurator.engine.building import build
from configurator.language import digest_of, load_folder
from configurator.session import Sessions
from configurator.settings import Settings
from tests.conftest import NEARLY_OCTOBER, Server, october_lamp
from tests.web.conftest import csrf_of

MODEL = """features
    Bell
        mandatory
            Sound
                alternative
                    Loud
                    Soft
        optional
            Light
constraints
    Loud => Light
"""


@pytest.fixture
def lamp_folder(lamp_rules: Path) -> str:
    return str(lamp_rules / "lamp")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CONFIGURATOR_FOLDER": str(tmp_path / "var")}


@pytest.fixture(autouse=True)
def _own_settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str, env: dict[str, str] | None = None, code: int = 0) -> str:
    result = CliRunner().invoke(cli, list(arguments), env=env)
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


def test_check_says_that_a_folder_is_ready(lamp_folder: str) -> None:
    said = run("check", lamp_folder)
    assert "4 of 4 scenarios hold." in said
    assert "Confirmed by a second engine: whole" in said
    assert "Ready to publish." in said


def test_texts_show_the_answers_they_name(lamp_folder: str) -> None:
    path = next(
        each for each in Path(lamp_folder).iterdir() if "a desk this wide" in each.read_text()
    )
    text = path.read_text().replace("a desk this wide", "{width} cm")
    path.write_text(
        text.replace("en: A long arm tips a clamp over.", 'en: "A {arm} arm tips a clamp."')
    )
    wide = ("--choose", "width=200", "--choose", "arm=short")
    assert "the middle of 200 cm." in run("ask", lamp_folder, *wide)
    explained = run("explain", lamp_folder, "--choose", "mount=clamp", "--want", "arm=long")
    assert "A long arm" in explained
    assert "{" not in explained


def test_releases_tells_what_this_version_does_not_read(
    lamp_folder: str, environment: dict[str, str]
) -> None:
    run("publish", lamp_folder, env=environment)
    assert run("releases", env=environment) == (
        "lamp, release 1: this version of the service reads it.\n"
    )
    settings = Settings.from_environment(environment)
    catalogue = create_services(settings).catalogue
    files = {
        "product.yaml": b"product: lamp\nvariables: {arm: {values: {a: {}, b: {}}}}\nrule: []\n"
    }
    accepted_once = replace(catalogue.current("lamp"), digest=digest_of(files))
    catalogue._store.publish(accepted_once, files)
    said = run("releases", "--lang", "es", env=environment, code=1)
    assert "lamp, versión 1: esta versión del servicio la lee.\n" in said
    assert "lamp, versión 2: esta versión del servicio no la lee.\nproduct.yaml:" in said
    assert "unknown-key" in said
    with create_engine(settings.database_url).begin() as connection:
        connection.execute(text("DROP TRIGGER blob_no_update"))
        connection.execute(text("UPDATE blob SET content = 'other'"))
    altered = run("releases", env=environment, code=1)
    assert altered.count("The stored files of this release cannot be read.") == 2


def test_everything_is_said_in_the_language_asked_for(lamp_folder: str, tmp_path: Path) -> None:
    def said(*arguments: str, code: int = 0) -> str:
        return run(*arguments, "--lang", "es", code=code)

    checked = said("check", lamp_folder)
    assert checked.startswith("Se cumplen 4 de 4 escenarios.\nConfirmado por un segundo motor")
    assert checked.endswith("\nSe puede publicar.\n")
    assert "lamp está publicado: versión " in said("publish", lamp_folder)
    explain = ("explain", lamp_folder, "--want")
    assert said(*explain, "arm=long") == "arm = long se puede.\n"
    assert "\n   ayuda: Hay: clamp, foot.\n" in said(*explain, "mount=7", code=2)
    wide = ("--choose", "width=200", "--choose", "arm=short")
    assert "aviso (pide confirmación): Un brazo corto" in said("ask", lamp_folder, *wide)
    model = tmp_path / "bell.uvl"
    model.write_text(MODEL)
    assert "archivos escritos" in said("import", str(model), "--to", str(tmp_path / "bell"))
    scenarios = Path(lamp_folder) / "scenarios.yaml"
    scenarios.write_text(scenarios.read_text().replace("price: 94.50", "price: 94.49"))
    assert said("check", lamp_folder, code=1).endswith("\nNo se puede publicar todavía.\n")


def test_a_folder_is_read_once_and_compiled_once(
    lamp_folder: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of it, one command after the other."""
    read, compiled = [], []

    def counted(files: Any) -> Any:
        read.append(1)
        return load_folder(files)

    def built(*arguments: Any, **options: Any) -> Any:
        compiled.append(1)
        return build(*arguments, **options)

    monkeypatch.setattr(configurator.language.sandbox, "load_folder", counted)
    monkeypatch.setattr(configurator.language.sandbox, "load_safely", None)
    monkeypatch.setattr(configurator.engine.compile, "build", built)
    run("check", lamp_folder)
    assert (len(read), len(compiled)) == (1, 1)
    run("publish", lamp_folder)
    run("ask", lamp_folder)
    run("explain", lamp_folder, "--want", "arm=long")
    assert (len(read), len(compiled)) == (4, 1)
    assert list(Path(environment["CONFIGURATOR_FOLDER"], "compiled").glob("*"))


@pytest.mark.parametrize(("price", "holds"), [("29.70", True), ("33.00", False)])
def test_today_is_the_day_where_the_product_is_sold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, price: str, holds: bool
) -> None:
    for name, content in october_lamp(price).items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr("configurator.cli._now", lambda: NEARLY_OCTOBER)
    said = run("check", str(tmp_path), code=0 if holds else 1)
    assert ("1 of 1 scenarios hold." in said) == holds
    asked = json.loads(run("ask", str(tmp_path), "--json"))
    assert asked == json.loads(run("ask", str(tmp_path), "--json", "--on", "2026-10-01"))
    assert asked["price"]["lowest"] == 2970


def test_check_shows_every_mistake_and_fails(lamp_folder: str) -> None:
    path = Path(lamp_folder) / "product.yaml"
    text = path.read_text().replace("mount = foot", "mount = feet").replace("arm = long", "arn = x")
    path.write_text(text)
    told: Any = json.loads(run("check", lamp_folder, "--format", "json", "--lang", "es", code=1))
    assert not told["ok"]
    codes = {each["code"]: each for each in told["diagnostics"]}
    assert codes["unknown-value"]["line"] > 1
    assert "feet" in codes["unknown-value"]["message"]
    assert "unknown-name" in codes


def test_what_nobody_can_order_is_said_at_the_first_rule_to_blame(tmp_path: Path) -> None:
    model = tmp_path / "bell.uvl"
    model.write_text(MODEL + "    Bell => Light\n    !Light\n")
    run("import", str(model), "--to", str(tmp_path / "bell"))
    said = run("check", str(tmp_path / "bell"), code=1)
    rules = (tmp_path / "bell" / "rules.yaml").read_text().splitlines()
    line = next(k for k, text in enumerate(rules, 1) if "Bell-always" in text)
    assert f"rules.yaml:{line}:" in said
    assert "void  Nothing can be ordered: Bell-always, Bell-needs-Light, no-Light" in said


def test_check_runs_the_scenarios(lamp_folder: str) -> None:
    path = Path(lamp_folder) / "scenarios.yaml"
    path.write_text(path.read_text().replace("price: 94.50", "price: 94.49"))
    said = run("check", lamp_folder, code=1)
    assert "expected 94.49, found 94.50" in said
    assert "3 of 4 scenarios hold." in said


def test_ask_prints_the_view(lamp_folder: str) -> None:
    view: Any = json.loads(run("ask", lamp_folder, "--choose", "mount=clamp", "--json"))
    assert view["slots"]["arm"]["answer"] == "short"
    assert "elegido" in run("ask", lamp_folder, "--choose", "mount=clamp", "--lang", "es")


def test_ask_prints_what_is_proposed_and_its_total(lamp_folder: str) -> None:
    """Of a question that is answered nothing is proposed; what is not whole has no total."""
    chosen = ("--choose", "mount=foot", "--choose", "bulb=small")
    extras = ("--choose", "extras.hook=0", "--choose", "extras.cable=0")
    said = run("ask", lamp_folder, *chosen, *extras)
    assert "from 45.00 EUR\ntotal with the proposals: 45.00 EUR\n" in said
    assert "short (proposed)" in said
    long = ("--choose", "arm=long", "--lang", "es")
    spanish = run("ask", lamp_folder, *chosen, *extras, *long)
    assert "total con las propuestas: 65.00 EUR\n" in spanish
    assert "short (propuesto)" not in spanish
    assert "black (propuesto)" in spanish
    assert "proposals" not in run("ask", lamp_folder)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("mount", "“mount” has no “=”.\n   help: Write question=answer: size=M.\n"),
        ("mount=feet", "“feet” is no option here.\n   help: There is: clamp, foot.\n"),
        ("mont=foot", "“mont” is no question here.\n   help: Did you mean “mount”?\n"),
        ("width=5", "“Width of the desk” goes from 60 to 240 cm.\n   help: Choose between"),
        ("width=61.5", "“Width of the desk” goes in steps of 1 cm.\n   help: The nearest: 61"),
    ],
)
def test_what_is_mistyped_is_said_with_its_help(lamp_folder: str, pair: str, said: str) -> None:
    for command in (("ask",), ("explain", "--want", "arm=long")):
        assert said in run(*command, lamp_folder, "--choose", pair, code=2)
    assert said in run("explain", lamp_folder, "--want", pair, code=2)
    spanish = run("explain", lamp_folder, "--want", pair, "--lang", "es", code=2)
    assert spanish.startswith("«")


def test_a_text_and_a_day_that_do_not_fit_are_said(lamp_folder: str) -> None:
    path = Path(lamp_folder) / "product.yaml"
    text = path.read_text()
    text = text.replace("name: {en: Black, es: Negro}", "name: Black, until: 2026-12-31")
    path.write_text(
        text.replace("arm, colour]", "arm, colour, name]").replace(
            "variables:\n", "variables:\n  name: {name: Name, type: text, length: 1..12}\n"
        )
    )
    long, black = ("--want", "name=" + "a" * 13), ("--want", "colour=black")
    assert "has 13 letters; it may have 1 to 12." in run("explain", lamp_folder, *long, code=2)
    gone = run("explain", lamp_folder, *black, "--on", "2027-01-01", code=2)
    assert "“black” is not on offer that day for “Colour”." in gone
    for command in (("ask",), ("explain", *black)):
        assert "“soon” is not a date." in run(*command, lamp_folder, "--on", "soon", code=2)
        spanish = run(*command, lamp_folder, "--on", "soon", "--lang", "es", code=2)
        assert "«soon» no es una fecha." in spanish


@pytest.mark.parametrize("command", [("ask",), ("explain", "--want", "colour=red")])
def test_a_fact_the_product_is_not_told_is_no_fact(
    lamp_folder: str, command: tuple[str, ...]
) -> None:
    def told(*pairs: str, code: int = 2) -> str:
        facts = [word for pair in pairs for word in ("--context", pair)]
        return run(*command, lamp_folder, *facts, code=code)

    assert told("zone=islands").startswith("“zone” is no fact here.\n")
    path = Path(lamp_folder) / "product.yaml"
    zone = "context:\n  zone: {values: {mainland: {}, islands: {}}, if missing: mainland}\n"
    path.write_text(path.read_text() + zone)
    assert told("zon=islands") == "“zon” is no fact here.\n   help: Did you mean “zone”?\n"
    assert told("zone=island").startswith("“island” is no value here.\n")
    assert told("zone=islands", "zone=mainland").startswith("“zone” is there twice:")
    told("zone=islands", code=0)


@pytest.mark.parametrize("command", [("ask",), ("explain", "--want", "colour=red")])
def test_choices_that_contradict_one_another_are_told_with_what_stands_against(
    lamp_folder: str, command: tuple[str, ...]
) -> None:
    def told(*pairs: str, language: str = "en") -> str:
        chosen = [word for pair in pairs for word in ("--choose", pair)]
        return run(*command, lamp_folder, *chosen, "--lang", language, code=2)

    assert told("arm=short", "arm=long").startswith("“arm” is there twice: arm=short and arm=long.")
    twice = told("arm=short", "arm=long", language="es")
    assert twice.startswith("«arm» está dos veces: arm=short y arm=long.")
    against = told("mount=clamp", "arm=long")
    assert "arm = long does not go with:\n  you chose mount = clamp\n" in against
    assert "the rule long-needs-foot: A long arm tips a clamp over." in against
    assert "Un brazo largo vence una pinza." in told("mount=clamp", "arm=long", language="es")


def test_explain_says_why_and_what_repairs_it(lamp_folder: str) -> None:
    arguments = ("explain", lamp_folder, "--choose", "mount=clamp", "--want", "arm=long")
    said = run(*arguments)
    assert "A long arm tips a clamp over." in said
    assert "mount: clamp → foot" in said
    told: Any = json.loads(run(*arguments, "--json"))
    assert told["conflict"]["choices"] == [["mount", "clamp"]]
    assert "is possible" in run("explain", lamp_folder, "--want", "arm=long")


def test_import_writes_a_folder_that_can_be_published(tmp_path: Path) -> None:
    model = tmp_path / "bell.uvl"
    model.write_text(MODEL)
    target = tmp_path / "bell"
    assert "configurator check" in run("import", str(model), "--to", str(target))
    assert "Ready to publish." in run("check", str(target))
    assert "not empty" in run("import", str(model), "--to", str(target), code=1)
    model.write_text("features\n    Bell {Price 'x'\n")
    assert "bell.uvl:" in run("import", str(model), "--to", str(tmp_path / "other"), code=1)


def test_a_trail_is_replayed_and_verified(
    lamp_folder: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "lamp is live" in run("publish", lamp_folder, "--note", "first", env=environment)
    services = create_services(Settings.from_environment(environment))
    session = services.sessions.start("lamp", locale="en").session
    services.sessions.choose(session.session_id, "mount", "clamp")
    services.sessions.choose(session.session_id, "arm", "long")
    spoken = session.code.lower().replace("-", " ")
    said = run("trail", "verify", spoken, env=environment)
    assert "3 events, whole and unchanged" in said
    assert services.trail.events(session.session_id)[-1].hash in said
    assert "computed again as" in run("trail", "verify", spoken, "--recompute", env=environment)
    with monkeypatch.context() as patched:
        patched.setattr(Sessions, "recompute", lambda _s, then, _steps: {"complete": then.seq > 2})
        apart = run("trail", "verify", spoken, "--recompute", env=environment, code=1)
        assert "the views after 1, 2, 3" in apart
    told = run("trail", "replay", spoken, env=environment)
    assert "ChoiceRefused" in told
    assert "arm=long" in told
    assert run("trail", "verify", "nonsense", env=environment, code=1)
    assert "3 events" in run("trail", "verify", session.session_id, env=environment)
    assert run("trail", "verify", str(uuid.uuid4()), env=environment, code=1)


def test_a_damaged_head_is_mended(lamp_folder: str, environment: dict[str, str]) -> None:
    run("publish", lamp_folder, env=environment)
    settings = Settings.from_environment(environment)
    session = create_services(settings).sessions.start("lamp", locale="en").session
    assert "nothing to mend" in run("trail", "mend", session.code, env=environment)
    with create_engine(settings.database_url).begin() as connection:
        connection.execute(text("UPDATE session_head SET status = 'lost', hash = 'lost'"))
    refused = run("trail", "mend", session.code, env=environment, code=1)
    assert "some may be missing" in refused
    assert "Nothing was changed." in refused
    last = create_services(settings).trail.events(session.session_id)[-1].hash
    mended = run("trail", "mend", session.code, "--last-hash", last, env=environment)
    assert "Made anew: status, hash." in mended
    assert "1 events, whole and unchanged" in mended


def test_staff_are_shut_out_and_let_in_again(environment: dict[str, str]) -> None:
    first, second = "four plain random words", "another four random words"
    run("staff", "add", "ana", "--role", "support", "--password", first)
    accounts = create_services(Settings.from_environment(environment)).staff
    assert "another password" in run("staff", "password", "ana", "--password", second)
    assert accounts.check("ana", first) is None
    assert "no longer" in run("staff", "disable", "ana")
    assert accounts.check("ana", second) is None
    assert "again" in run("staff", "enable", "ana")
    assert accounts.check("ana", second) is not None
    assert "no account of that name" in run("staff", "disable", "eva", code=1)


def test_staff_are_added_once(environment: dict[str, str]) -> None:
    password = "correct horse battery"
    command = ("staff", "add", "ana", "--role", "support", "--password", password)
    assert "ana can sign in as support." in run(*command, env=environment)
    run(*command, env=environment, code=1)


def test_ask_waits_for_what_a_first_answer_leaves_open(
    lamp_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = []
    view = Engine.view

    def asked(engine: Engine, *arguments: Any, settle: bool = True) -> Any:
        settled.append(settle)
        return view(engine, *arguments, settle=settle)

    monkeypatch.setattr(Engine, "view", asked)
    run("ask", lamp_folder)
    assert settled == [True]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CONFIGURATOR_LIMITS", "abacus://u:secret@x", "use redis://host:6379"),
        ("CONFIGURATOR_DATABASE", "mysql://x/y", "use sqlite or postgresql"),
        ("CONFIGURATOR_DATABASE", "nonsense", "as sqlite:///file is"),
        ("CONFIGURATOR_DATABASE", "postgresql://u@127.0.0.1:1/x", "Connection refused"),
        ("PORT", "no", "is not a whole number"),
        ("CONFIGURATOR_SECURE_COOKIES", "true", "'true' is neither yes nor no"),
        ("CONFIGURATOR_PROVE", "1", "'1' is neither yes nor no"),
        ("CONFIGURATOR_SECRET", "hush", "it has fewer than 16 characters"),
    ],
)
def test_a_setting_that_cannot_be_used_is_said_in_a_sentence(
    name: str, value: str, said: str, tmp_path: Path
) -> None:
    ended = started({"CONFIGURATOR_FOLDER": str(tmp_path), name: value})
    assert ended.returncode in (1, 2)
    assert ended.stderr.startswith(f"{name}: ")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "secret" not in ended.stderr


def test_slow_senders_do_not_keep_others_out(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(150):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            slow.sendall(b"POST /language HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nl")
        with urllib.request.urlopen(f"{server.url}/api/v1/products", timeout=20) as answer:
            assert answer.status == 200


def test_an_address_that_is_taken_is_said_before_anything_is_published(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = started({"CONFIGURATOR_FOLDER": str(tmp_path), "PORT": str(port)})
    assert ended.returncode == 2
    said = f"PORT: 127.0.0.1:{port} cannot be had (Address already in use); choose another, "
    assert ended.stderr.startswith(said)
    assert not (tmp_path / "configurator.db").exists()


def test_processes_that_start_at_once_have_one_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"CONFIGURATOR_FOLDER": str(tmp_path)}
    other = []

    def meanwhile(_length: int) -> str:
        monkeypatch.undo()
        other.append(Settings.from_environment(environment).secret_key)
        return "mine"

    monkeypatch.setattr("secrets.token_hex", meanwhile)
    secret = Settings.from_environment(environment).secret_key
    assert other == [secret]
    assert len(secret) == 64
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize(("proxies", "told"), [("0", "127.0.0.1"), ("1", "203.0.113.9")])
def test_what_a_proxy_tells_counts_where_one_is_trusted(
    tmp_path: Path,
    lamp_rules: Path,
    monkeypatch: pytest.MonkeyPatch,
    proxies: str,
    told: str,
) -> None:
    monkeypatch.setenv("CONFIGURATOR_PROXIES", proxies)
    server = Server(tmp_path, lamp_rules)
    try:
        server.start()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opener.addheaders = [("X-Forwarded-For", "198.51.100.1, 203.0.113.9")]
        with opener.open(f"{server.url}/staff/login") as page:
            token = csrf_of(page.read().decode())
        form = {"csrf_token": token, "name": "nobody", "password": "nothing"}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            opener.open(f"{server.url}/staff/login", urllib.parse.urlencode(form).encode())
    finally:
        server.kill()
    (refused,) = (line for line in server.log().splitlines() if "sign-in refused" in line)
    assert json.loads(refused)["address"] == told


def started(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What starting the service comes to where it cannot start."""
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | settings
    program = "from configurator.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "serve"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
