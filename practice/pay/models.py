"""What a session is worth to the clinician: base rates and multipliers, each from a date on."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, Cents, TenantKeyed, TenantPart, same_practice


class PayRate(TenantPart, Base):
    """Somebody's base rate for an hour from a date on (empty: since ever). Of one date the last set counts."""

    __tablename__ = "pay_rates"
    __table_args__ = (
        same_practice("staff_id", "staff"),
        Index(None, "tenant_id", "staff_id", text("effective_on desc nulls last"), text("set_at desc")),
        CheckConstraint("rate_cents >= 0", name="rate"),
    )

    staff_id: Mapped[UUID]
    rate_cents: Mapped[Cents]
    effective_on: Mapped[date | None]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]


class PayMultiplier(TenantKeyed, Base):
    """What a kind of service is multiplied with from a date on; a clinician's own goes before the practice's."""

    __tablename__ = "pay_multipliers"
    __table_args__ = (
        same_practice("staff_id", "staff"),
        Index(None, "tenant_id", "kind", "staff_id", text("effective_on desc"), text("set_at desc")),
        CheckConstraint("multiplier >= 0", name="multiplier"),
    )

    staff_id: Mapped[UUID | None]
    kind: Mapped[str]
    multiplier: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    effective_on: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]
