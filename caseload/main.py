"""The commands of `caseload`; each is a thin layer over a service function."""

import json
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table
from typer.core import TyperGroup, TyperOption

from caseload import backups, bundles, ledger, marts, orchestration, pay, warehouse
from caseload.analysts import analyst_app
from caseload.api_process import ApiProcess
from caseload.console import (
    AsJson,
    Email,
    PracticeName,
    connect_installation,
    find_practice_actor,
    now,
    options,
    out,
    print_result,
    read_settings,
    run_command,
    show_progress,
)
from caseload.dashboards import DashboardsProcess
from caseload.era import era_app
from caseload.keys import keys_app
from caseload.orchestration import DagsterProcess, prepare_dagster_database
from caseload.service_process import ServiceProcess
from practice.errors import Refusal


class RootOption(TyperOption):
    """An option of the root command. If it is absent nothing is converted, since importing the converters is slow."""

    def process_value(self, ctx: Any, value: Any) -> Any:
        return None if value is None else super().process_value(ctx, value)


class RootGroup(TyperGroup):
    """The root command, whose options may also follow the name of a subcommand, but not its `--`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for option in self.params:
            option.__class__ = RootOption

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        self.add_help_option = args[:1] in ([], ["--help"])  # after a subcommand it asks for the subcommand's help
        try:
            super().parse_args(ctx, args[:end])
        finally:
            self.add_help_option = True  # usage errors name it
        ctx.args = [*ctx.args, *args[end:]]
        return ctx.args


app = typer.Typer(
    cls=RootGroup,
    context_settings={"allow_interspersed_args": True, "ignore_unknown_options": True},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich help doubles the time of --help
    pretty_exceptions_enable=False,
)
practice_app = typer.Typer(no_args_is_help=True, help="Practices of this installation.")
platform_admin_app = typer.Typer(no_args_is_help=True, help="Accounts that create and suspend practices.")
settings_app = typer.Typer(no_args_is_help=True, help="Rule settings of a practice, each from a date.")
app.add_typer(practice_app, name="practice")
app.add_typer(platform_admin_app, name="platform-admin")
app.add_typer(settings_app, name="settings")
app.add_typer(keys_app, name="keys")
app.add_typer(analyst_app, name="analyst")
app.add_typer(era_app, name="era")

app.command("import")(bundles.import_practice)
app.command("export")(bundles.export_practice)
app.command("pay")(pay.show_pay)
app.command("ledger")(ledger.show_ledger)
app.command("refresh")(warehouse.refresh)
app.command("metrics")(warehouse.show_metrics)
app.command("lake")(marts.write_lake)
app.command("sql")(marts.open_prompt)
app.command("dagster")(orchestration.print_dagster_link)
app.command("doctor")(backups.run_doctor)
app.command("backup")(backups.create_backup)
app.command("restore")(backups.restore_backup)


@app.callback()
def set_options(
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the embedded database.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Run a therapy practice: schedule, notes and money in one database."""
    options.data_dir = data_dir or options.data_dir
    options.debug = options.debug or debug


def run() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what a command has begun is removed, as after Ctrl-C
    sys.exit(run_command(app, sys.argv[1:]))


@app.command("demo")
def start_demo(
    small: Annotated[bool, typer.Option("--small", help="Four months and three clinicians.")] = False,
) -> None:
    """Start everything with a demo practice.

    Its URLs and logins are printed.

    Example: caseload demo --small
    """
    from caseload import demo as demo_practice

    with connect_installation() as installation, show_progress("Creating the demo practice") as report:
        size = demo_practice.SMALL if small else demo_practice.FULL
        logins = demo_practice.create_demo(installation, now(), report, size)
        report("Computing the metrics")
        dagster_url = prepare_dagster_database(installation)
        demo_practice.refresh(installation, dagster_url, now(), report)
    api, dagster = start_services(dagster_url)
    if dagster_url is not None:
        with show_progress("Starting Dagster"):
            dagster.wait_until_ready()
    dashboards = DashboardsProcess(read_settings())
    with show_progress("Starting the pages"):
        dashboards.wait_until_ready()
    out.print(
        f"[bold]{demo_practice.NAME}[/] is ready. The password of all users is [bold]{logins[0]['password']}[/]\n"
    )
    width = max(len(login["email"]) for login in logins)
    row = f"{{:<11}} {{:<{width}}}  {{:<33}} {{}}".format
    out.print(row("Role", "Email", "Authenticator secret", "Current code"), style="bold")
    for login in logins:
        code = demo_practice.generate_code(login, now())
        out.print(row(login["role"], login["email"], login["authenticator"], code))
    out.print(f"\nThe API       {api.url}/api/v1\nAPI docs      {api.url}/docs")
    out.print("Dagster       `caseload dagster` prints a link, which works once")
    out.print("Stop          `caseload down` or `make down`")
    out.print(f"Sign in at    [bold]{dashboards.settings.public_url}[/]")


def start_services(dagster_url: str | None) -> tuple[ApiProcess, DagsterProcess]:
    """Start those that are not running, and wait for the API alone: nobody has to wait for the others."""
    api, dagster = ApiProcess(read_settings()), DagsterProcess(read_settings())
    dashboards = DashboardsProcess(read_settings())
    if api.find_running() is None:
        with show_progress("Starting the API"):
            api.start()
    if dashboards.find_running() is None:
        dashboards.start()
    if dagster_url is not None and dagster.find_running() is None:
        dagster.start(dagster_url)
    return api, dagster


@app.command("up")
def start() -> None:
    """Start the database, the API, the pages and Dagster.

    Example: caseload up
    """
    settings = read_settings()
    dagster = DagsterProcess(settings)
    services = [ApiProcess(settings), DashboardsProcess(settings), *([dagster] if dagster.is_configured else [])]
    if all(service.find_running() is not None for service in services):
        out.print(f"Caseload is already running: {settings.public_url}")
        return
    with connect_installation() as installation:
        installation.check_master_key()
        dagster_url = prepare_dagster_database(installation)
    start_services(dagster_url)
    out.print(f"Caseload is running: {settings.public_url}")
    if dagster_url is None:
        out.print("Without DATABASE_DAGSTER_URL nothing refreshes the metrics but `caseload refresh`.")


@app.command("down")
def stop() -> None:
    """Stop Dagster, the pages, the API and the database.

    Example: caseload down
    """
    settings = read_settings()
    services = (DagsterProcess(settings), DashboardsProcess(settings), ApiProcess(settings))
    stopped = [service.title for service in services if service.stop()]
    stopped += ["the database"] if stop_database() else []
    *others, last = stopped or ["nothing"]
    out.print(f"Stopped {', '.join(others)}{' and ' if others else ''}{last}." if stopped else "Nothing was running.")


def stop_database() -> bool:
    from practice.security.installation import open_installation

    store = open_installation(read_settings(), pool_size=1).store
    return store.embedded is not None and store.embedded.stop()


@app.command("status")
def show_status(as_json: AsJson = False) -> None:
    """Show what is running, and where.

    Example: caseload status --json
    """
    from practice.security.installation import open_installation

    settings = read_settings()
    api = ApiProcess(settings)
    running, dashboards = api.find_running(), DashboardsProcess(settings)
    embedded = open_installation(settings, pool_size=1).store.embedded
    document: dict[str, Any] = {
        "data_dir": str(settings.data_dir),
        "database": "server" if embedded is None else "running" if embedded.is_running() else "stopped",
        "api": describe_state(api),
        "url": running.url if running else None,
        "dashboards": describe_state(dashboards),
        "pages": settings.public_url if dashboards.find_running() else None,
        "dagster": describe_state(DagsterProcess(settings)),
    }

    def print_table() -> None:
        table = Table(show_header=False)
        for name, value in document.items():
            table.add_row(name.replace("_", " "), value or "-")
        out.print(table)

    print_result(document, as_json, print_table)


def describe_state(service: ServiceProcess) -> str:
    return "stopped" if service.find_running() is None else "ready" if service.is_ready() else "starting"


@app.command()
def migrate() -> None:
    """Upgrade the schema to the newest version. On a server, also create the roles and the login of DATABASE_URL.

    Example: DATABASE_OWNER_URL=... DATABASE_URL=... caseload migrate
    """
    with connect_installation(prepared=False) as installation, show_progress("Checking the database") as report:
        installation.store.prepare(report)
        installation.store.check()
        prepare_dagster_database(installation)
    out.print("The database is up to date.")


@practice_app.command("create")
def create_practice(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the practice.")],
    time_zone: Annotated[str, typer.Option(help="Such as America/New_York.")],
    admin_email: Annotated[str, typer.Option(help="Email of the first admin.")],
    admin_name: Annotated[str, typer.Option(help="First and last name.")] = "Practice Admin",
    as_json: AsJson = False,
) -> None:
    """Create a practice and its first admin.

    A one-time sign-in link for the admin is printed.

    Example: caseload practice create "Oak Street" --time-zone America/Chicago --admin-email ada@oak.example
    """
    from practice.people.practices import create_practice as create
    from practice.security.work import Actor

    first, _, last = admin_name.strip().partition(" ")
    admin = {"email": parse_email(admin_email), "first_name": first or "Practice", "last_name": last or "Admin"}
    with connect_installation() as installation:
        with installation.work(Actor(), now()) as work:
            practice, invited = create(work, name=name, time_zone=time_zone, admin=admin, by_email=False)
        link = f"{installation.settings.public_url}/invitation#{invited.secret}"
        installation.anchor_audit(now())
    document = {"practice": practice.slug, "id": practice.id, "admin": invited.staff.email, "link": link}
    message = f"Created {practice.name}. One-time sign-in link for its admin (expires in 7 days):\n{link}"
    print_result(document, as_json, lambda: out.print(message, markup=False))


@platform_admin_app.command("create")
def create_platform_admin(email: Email) -> None:
    """Create an account that administers practices.

    It can create and suspend them but not see their data. A one-time sign-in link is printed.

    Example: caseload platform-admin create ops@caseload.example
    """
    from practice.security import accounts
    from practice.security.work import Actor

    with connect_installation() as installation:
        with installation.work(Actor(), now()) as work:
            secret, again = accounts.invite_platform_admin(work, parse_email(email))
        link = f"{installation.settings.public_url}/invitation#{secret}"
    done = "Invited again, and voided the earlier link:" if again else "Created"
    out.print(f"{done} platform admin {email}. One-time sign-in link (expires in 7 days):\n{link}", markup=False)


@app.command("reset-second-factor")
def reset_second_factor(email: Email) -> None:
    """Remove the authenticator of an account. Verify who asks first; the user enrolls a new one at the next sign-in.

    Example: caseload reset-second-factor cleo@oak.example
    """
    from practice.security import accounts
    from practice.security.work import Actor

    with connect_installation() as installation:
        with installation.work(Actor(), now()) as work:
            accounts.reset_second_factor(work, parse_email(email))
        installation.anchor_audit(now())
    out.print("Removed the authenticator. The next sign-in asks for a new one.")


@settings_app.command("show")
def show_settings(practice: PracticeName, as_json: AsJson = False) -> None:
    """Show every setting with the value in effect today.

    Example: caseload settings show oak-street
    """
    from practice.people import settings as rule_settings

    with (
        connect_installation() as installation,
        installation.work(find_practice_actor(installation, practice), now()) as work,
    ):
        settings = rule_settings.list_effective_settings(work)

    def print_table() -> None:
        table = Table(*(Column(name, no_wrap=True) for name in ("Setting", "Value", "Since")), "Meaning")
        for setting in settings:
            table.add_row(setting.key, str(setting.value), str(setting.effective_on or "default"), setting.meaning)
        out.print(table)

    print_result([vars(setting) for setting in settings], as_json, print_table)


@settings_app.command("set")
def set_setting(
    practice: PracticeName,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the setting, as `settings show` lists it.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="New value. Put -- before a negative number.")],
    effective_on: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day on which it is effective.")
    ],
) -> None:
    """Change a setting from a date, today or later.

    Example: caseload settings set oak-street password_max_age_days 180 --from 2026-07-01
    """
    from practice.people import settings as rule_settings

    with (
        connect_installation() as installation,
        installation.work(find_practice_actor(installation, practice), now()) as work,
    ):
        rule_settings.change_setting(work, key, parse_value(value), effective_on.date())
    out.print(f"Set {key} to {value} from {effective_on.date()}.", markup=False)


@app.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document as JSON.

    Example: caseload openapi > openapi.json
    """
    from api.app import create_app
    from practice.security.installation import open_installation

    installation = open_installation(read_settings(), pool_size=1)
    sys.stdout.write(json.dumps(create_app(installation).openapi(), indent=2) + "\n")


class InvalidEmail(Refusal):
    """The email address is not valid.

    Fix: write it like ada@oak.example.
    """

    code = "NO_EMAIL"


def parse_email(text: str) -> str:
    """Return the normalized email, or raise InvalidEmail."""
    from practice.people.rules.practices import normalize_email

    email = normalize_email(text)
    if email is None:
        raise InvalidEmail(f"Invalid email {text!r}. Use the form ada@oak.example.")
    return email


def parse_value(text: str) -> Any:
    return int(text) if text.removeprefix("-").isdigit() else text
