"""The commands. Each is a few lines over a verb of the practice."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from caseload import bundles, pay
from caseload import demo as demo_practice
from caseload.api_process import ApiService
from caseload.console import (
    AsJson,
    PracticeName,
    connected_installation,
    inside,
    now,
    options,
    out,
    progress,
    read_settings,
    report,
    run_command,
)
from caseload.era import era_app
from practice.clinical.notes.verification import examine_notes
from practice.errors import Refusal, StoreProblem
from practice.people import settings as rule_settings
from practice.people.practices import create_practice
from practice.security import accounts
from practice.security.doctor import Finding, examine
from practice.security.encryption import MasterKey
from practice.security.installation import Installation, open_installation
from practice.security.rotation import rotate_data_key, rotate_master_key
from practice.security.work import Actor
from practice.store.backup import backup as write_backup
from practice.store.backup import restore as read_backup
from practice.store.private_files import write_private

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
practice_app = typer.Typer(no_args_is_help=True, help="The practices of this installation.")
settings_app = typer.Typer(no_args_is_help=True, help="A practice's rule settings, each from a date on.")
keys_app = typer.Typer(no_args_is_help=True, help="The keys that protected fields are sealed under.")
app.add_typer(practice_app, name="practice")
app.add_typer(settings_app, name="settings")
app.add_typer(keys_app, name="keys")
app.add_typer(era_app, name="era")

app.command("import")(bundles.import_practice)
app.command("export")(bundles.export_practice)
app.command()(pay.pay)


@app.callback()
def caseload(
    data_dir: Annotated[Path | None, typer.Option(help="The embedded database's data folder.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Caseload runs a therapy practice: schedule, notes and money in one database."""
    options.data_dir = data_dir or options.data_dir
    options.debug = options.debug or debug


def run() -> None:
    sys.exit(run_command(app, options_first(sys.argv[1:])))


def options_first(arguments: list[str]) -> list[str]:
    """`--data-dir` and `--debug` count wherever they stand."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--data-dir":
            front += [word, *[value for value in [next(words, None)] if value is not None]]
        elif word.startswith("--data-dir=") or word == "--debug":
            front.append(word)
        else:
            rest.append(word)
    return front + rest


@app.command()
def demo(small: Annotated[bool, typer.Option("--small", help="Four months and three clinicians.")] = False) -> None:
    """Everything up with a demo practice; ends with addresses and logins.

    Example: caseload demo --small
    """
    with connected_installation() as installation, progress("Making the demo practice") as say:
        size = demo_practice.SMALL if small else demo_practice.FULL
        logins = demo_practice.make_demo(installation, now(), say, size)
    api = start_api()
    out.print(f"[bold]{demo_practice.NAME}[/] is open. Everybody's password is [bold]{logins[0]['password']}[/]\n")
    row = "{:<11} {:<26} {:<33} {}".format
    out.print(row("Role", "E-mail", "Authenticator secret", "Code now"), style="bold")
    for login in logins:
        code = demo_practice.code_now(login, now())
        out.print(row(login["role"], login["email"], login["authenticator"], code))
    out.print(f"\nThe API       {api.url}/api/v1\nTry it out    {api.url}/docs")
    out.print("Sign in       POST /api/v1/auth/login, then the code to /api/v1/auth/mfa/verify")
    out.print("Stop it       make down, or `caseload down`")


def start_api() -> ApiService:
    api = ApiService(read_settings())
    if api.running() is None:
        with progress("Starting the API"):
            api.start()
    return api


@app.command()
def up() -> None:
    """Start the database and the API.

    Example: caseload up
    """
    api = ApiService(read_settings())
    running = api.running()
    if running is not None:
        out.print(f"Caseload is up already: {running.url}/docs")
        return
    with connected_installation():
        pass
    start_api()
    out.print(f"Caseload is up: {api.url}/docs")


@app.command()
def down() -> None:
    """Stop the API and the embedded database.

    Example: caseload down
    """
    given = read_settings()
    stopped = [name for name, stop in (("the API", ApiService(given).stop), ("the database", stop_database)) if stop()]
    out.print(f"Stopped {' and '.join(stopped)}." if stopped else "Nothing was running.")


def stop_database() -> bool:
    store = open_installation(read_settings(), pool_size=1).store
    return store.embedded is not None and store.embedded.stop()


@app.command()
def status(as_json: AsJson = False) -> None:
    """What is running, and where.

    Example: caseload status --json
    """
    given = read_settings()
    api = ApiService(given)
    running = api.running()
    embedded = open_installation(given, pool_size=1).store.embedded
    document: dict[str, Any] = {
        "data_dir": str(given.data_dir),
        "database": "server" if embedded is None else "running" if embedded.is_running() else "stopped",
        "api": "stopped" if running is None else "ready" if api.ready() else "starting",
        "url": running.url if running else None,
    }

    def show() -> None:
        table = Table(show_header=False)
        for name, value in document.items():
            table.add_row(name.replace("_", " "), value or "-")
        out.print(table)

    report(document, as_json, show)


@app.command()
def migrate() -> None:
    """The schema to the newest version. On a server it also makes the roles, and the login of DATABASE_URL.

    Example: DATABASE_OWNER_URL=... DATABASE_URL=... caseload migrate
    """
    with connected_installation(prepared=False) as installation, progress("Looking at the database") as say:
        installation.store.prepare(say)
        installation.store.check()
    out.print("The database is up to date.")


@practice_app.command("create")
def practice_create(
    name: str,
    time_zone: Annotated[str, typer.Option(help="Such as America/New_York.")],
    admin_email: Annotated[str, typer.Option(help="Who gets the first invitation.")],
    admin_name: Annotated[str, typer.Option(help="First and last name.")] = "Practice Admin",
    as_json: AsJson = False,
) -> None:
    """A practice and its first admin; prints a one-time link.

    Example: caseload practice create "Oak Street" --time-zone America/Chicago --admin-email ada@oak.example
    """
    first, _, last = admin_name.strip().partition(" ")
    admin = {"email": email_address(admin_email), "first_name": first or "Practice", "last_name": last or "Admin"}
    with connected_installation() as installation:
        with installation.work(Actor(), now()) as work:
            practice, invited = create_practice(work, name=name, time_zone=time_zone, admin=admin)
        link = f"{installation.settings.public_url}/invitation#{invited.secret}"
        installation.anchor_audit(now())
    document = {"practice": practice.slug, "id": practice.id, "admin": invited.staff.email, "link": link}
    report(
        document,
        as_json,
        lambda: out.print(f"{practice.name} is there. Its admin comes in once, within seven days, by\n{link}"),
    )


@app.command("platform-admin")
def platform_admin(email: str) -> None:
    """Somebody who creates and suspends practices, and sees nothing in them; prints a one-time link.

    Example: caseload platform-admin ops@caseload.example
    """
    with connected_installation() as installation:
        with installation.work(Actor(), now()) as work:
            secret = accounts.make_platform_admin(work, email_address(email))
        out.print(f"They come in once, within seven days, by\n{installation.settings.public_url}/invitation#{secret}")


@app.command("reset-second-factor")
def reset_second_factor(email: str) -> None:
    """Take the authenticator off an account, after making sure who asks; they enrol a new one at the next sign-in.

    Example: caseload reset-second-factor cleo@oak.example
    """
    with connected_installation() as installation:
        with installation.work(Actor(), now()) as work:
            accounts.reset_second_factor(work, email_address(email))
        installation.anchor_audit(now())
    out.print("The authenticator is off. The next sign-in asks for a new one.")


@settings_app.command("show")
def settings_show(practice: PracticeName, as_json: AsJson = False) -> None:
    """Every setting as in force today.

    Example: caseload settings show oak-street
    """
    with connected_installation() as installation, installation.work(inside(installation, practice), now()) as work:
        found = rule_settings.settings_in_force(work)

    def show() -> None:
        table = Table("Setting", "Value", "Since", "Meaning")
        for setting in found:
            table.add_row(setting.key, str(setting.value), str(setting.effective_on or "default"), setting.meaning)
        out.print(table)

    report([vars(setting) for setting in found], as_json, show)


@settings_app.command("set")
def settings_set(
    practice: PracticeName,
    key: str,
    value: str,
    effective_on: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day it counts.")],
) -> None:
    """Change a setting from a date on, today or later.

    Example: caseload settings set oak-street password_max_age_days 180 --from 2026-07-01
    """
    with connected_installation() as installation, installation.work(inside(installation, practice), now()) as work:
        rule_settings.set_rule(work, key, as_number(value), effective_on.date())
    out.print(f"{key} is {value} from {effective_on.date()} on.")


@keys_app.command("new-master")
def keys_new_master(file: Path) -> None:
    """Make a master key in a file of its own, readable by you alone. Keep a copy apart from the backups.

    Example: caseload keys new-master /etc/caseload/master.key
    """
    if file.exists():
        raise StoreProblem(f"{file} exists already, and a key is never written over. Choose another name.")
    file.parent.mkdir(parents=True, exist_ok=True)
    key = MasterKey.generate()
    write_private(file, key.to_text() + "\n")
    out.print(f"Master key {key.key_id} is in {file}. Name it in CASELOAD_MASTER_KEY_FILE.")


@keys_app.command("rotate")
def keys_rotate(practice: PracticeName) -> None:
    """A new data key for a practice, with every protected field sealed again under it.

    Example: caseload keys rotate oak-street
    """
    with connected_installation() as installation, progress("Sealing again"):
        fields = rotate_data_key(installation, inside(installation, practice).tenant_id, now())
    out.print(f"A new data key is in use; {fields} fields were sealed again.")


@keys_app.command("rotate-master")
def keys_rotate_master(new_key_file: Path) -> None:
    """Put all data keys under a new master key, made before with `keys new-master`.

    Example: caseload keys rotate-master /etc/caseload/new.key
    """
    if ApiService(read_settings()).running():
        raise StoreProblem("The API runs, and would go on with the old key. Run `caseload down` first.")
    new = MasterKey.from_text(new_key_file.read_text())
    with connected_installation() as installation, progress("Wrapping the keys anew"):
        keys = rotate_master_key(installation, new, now())
    out.print(
        f"{keys} data keys are under {new.key_id} now. Name {new_key_file} in CASELOAD_MASTER_KEY_FILE from here on."
    )


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at everything that should hold, and say what does not.

    Example: caseload doctor --json
    """
    with connected_installation() as installation:
        findings = examined(installation)
    report([vars(finding) for finding in findings], as_json, lambda: show_findings(findings))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def examined(installation: Installation) -> list[Finding]:
    with progress("Examining") as say:
        return examine(installation, now(), say, {"notes": examine_notes})


def show_findings(findings: list[Finding]) -> None:
    table = Table("", "What", "Finding")
    for finding in findings:
        table.add_row("[green]ok[/]" if finding.ok else "[bold red]WRONG[/]", finding.area, finding.sentence)
    out.print(table)


@app.command()
def backup(file: Path, as_json: AsJson = False) -> None:
    """The whole installation in one encrypted, checksummed file. The master key is not in it.

    Example: caseload backup caseload-2026-03-18.backup
    """
    with connected_installation() as installation, progress("Writing the backup") as say:
        with installation.work(Actor(), now()) as work:
            work.record("backup.made")
        installation.anchor_audit(now())
        key = installation.master.derive("backup")
        made = write_backup(
            installation.store, file, key, installation.master.key_id, installation.settings.anchors, now(), say
        )
    report(made, as_json, lambda: out.print(f"{file}: {made['bytes']:,} bytes, under master key {made['key_id']}."))


@app.command()
def restore(file: Path) -> None:
    """Bring a backup back into an empty data folder or database, and examine it.

    Example: caseload restore caseload-2026-03-18.backup --data-dir /var/lib/caseload-again
    """
    with connected_installation(prepared=False) as installation:
        with progress("Restoring") as say:
            key = installation.master.derive("backup")
            header = read_backup(installation.store, file, key, installation.settings.anchors, now(), say)
        findings = examined(installation)
    show_findings(findings)
    if not all(finding.ok for finding in findings):
        raise StoreProblem("The backup is back, but not everything in it is as it should be; see above.")
    out.print(f"The backup of {header['made_at']} is back.")


@app.command()
def openapi() -> None:
    """The API document, as JSON.

    Example: caseload openapi > openapi.json
    """
    from api.app import create_app

    installation = open_installation(read_settings(), pool_size=1)
    sys.stdout.write(json.dumps(create_app(installation).openapi(), indent=2) + "\n")


class NoEmail(Refusal):
    code = "NO_EMAIL"


def email_address(text: str) -> str:
    from practice.people.rules.practices import email_address as kept

    address = kept(text)
    if address is None:
        raise NoEmail(f"{text!r} is no e-mail address. Write it like ada@oak.example.")
    return address


def as_number(text: str) -> Any:
    return int(text) if text.removeprefix("-").isdigit() else text
