"""What becomes of a practice that stands in the way of an import: it stays, or is set aside whole."""

from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from practice.errors import Refusal
from practice.people.models.practices import Practice
from practice.people.rules.practices import slug_of
from practice.security.accounts import end_all_memberships
from practice.security.work import Work
from practice.store.records import apply


class PracticeExists(Refusal):
    code = "PRACTICE_EXISTS"


class NotReplaceable(Refusal):
    code = "NOT_REPLACEABLE"


# Reading, signing in and taking the data out leave the record as it was imported; what the service does by itself, by
# the clock, is nobody's work.
HISTORY = text("""
    select
        min(action) filter (where seq = 1) = 'practice.imported' as imported,
        count(*) filter (
            where seq > 1 and action not in ('membership.accepted', 'deadlines.kept')
                and action !~ '^(session|sign_in|mfa|password)[.]'
                and action !~ '[._](read|listed|searched|found|printed|taken_out|verified|exported|previewed)$'
        ) as changes
    from audit_log where tenant_id = :tenant_id
""")


def refuse_or_set_aside(work: Work, name: str, *, replace: bool) -> None:
    """Nothing stands in the way afterwards: nobody has the name, or who had it was set aside."""
    slug = slug_of(name)
    standing = work.db.scalar(select(Practice).where(Practice.slug == slug).with_for_update())
    if standing is None:
        return
    if not replace:
        raise PracticeExists(
            f"The practice exists ({slug}), and nothing was changed. Give the bundle another name in practice.csv, or "
            "import it with --replace if the practice was made by an import and nobody has worked in it."
        )
    with work.inside(standing.id) as inside:
        found = inside.db.execute(HISTORY, {"tenant_id": standing.id}).one()
        if not found.imported or found.changes:
            why = "somebody has worked in it" if found.imported else "it was not made by an import"
            raise NotReplaceable(f"The practice {slug} cannot be replaced, for {why}. Nothing was changed.")
        set_aside(inside, standing)
    work.record("practice.replaced", "practice", standing.id)


def set_aside(work: Work, practice: Practice) -> None:
    """Suspended, under another name, with nobody in it: no record is lost, and nobody works in the wrong one."""
    today = work.now.astimezone(ZoneInfo(practice.time_zone)).date()
    name = free_name(work, f"{practice.name} (replaced {today})")
    apply(practice, {"name": name, "slug": slug_of(name), "status": "SUSPENDED"})
    end_all_memberships(work)
    work.record("practice.replaced", "practice", practice.id)
    work.db.flush()


def free_name(work: Work, name: str) -> str:
    """The name, with a number where it was used already: a practice can be replaced twice in a day."""
    taken = set(work.db.scalars(select(Practice.slug).where(Practice.slug.startswith(slug_of(name)))))
    names = [name, *(f"{name} {number}" for number in range(2, len(taken) + 2))]
    return next(name for name in names if slug_of(name) not in taken)
