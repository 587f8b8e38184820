"""Practices (a system table), and their time zone changes, staff, trainings and rule settings."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, Sealed, TenantKeyed, Versioned, Voidable, enum_check, same_practice
from practice.store.ids import new_id


class Practice(Versioned, Base):
    __tablename__ = "practices"
    __table_args__ = (enum_check("status", "ACTIVE", "SUSPENDED"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    time_zone: Mapped[str]
    npi: Mapped[str | None]
    tax_id: Mapped[bytes | None] = mapped_column(Sealed)
    status: Mapped[str] = mapped_column(default="ACTIVE", server_default="ACTIVE")
    created_at: Mapped[datetime]


class TimeZoneChange(TenantKeyed, Base):
    """A change of the practice's time zone. Rows are only added: what happened before keeps its local date."""

    __tablename__ = "time_zone_changes"
    __table_args__ = (UniqueConstraint("tenant_id", "changed_at"),)

    changed_at: Mapped[datetime]
    old_zone: Mapped[str]
    new_zone: Mapped[str]
    changed_by: Mapped[UUID | None]


class Staff(TenantKeyed, Versioned, Base):
    """A staff member of a practice. Roles are stored only here."""

    __tablename__ = "staff"
    __table_args__ = (
        same_practice("supervisor_id", "staff"),
        UniqueConstraint("tenant_id", "external_id"),
        UniqueConstraint("tenant_id", "account_id"),
        Index(None, "tenant_id", "last_name", "id"),
        Index(None, "tenant_id", "supervisor_id"),
        Index(None, "account_id"),
        enum_check("discipline", "PSYCHOLOGY", "COUNSELING", "SOCIAL_WORK", "PSYCHIATRY", "NURSING", "OTHER"),
        enum_check("license_type", "LPC", "APC", "LCSW", "LMSW", "LMFT", "PSYCHOLOGIST", "MD", "APRN", "OTHER"),
        CheckConstraint(
            "roles <@ array['admin', 'supervisor', 'clinician', 'scheduler', 'biller', 'analyst']", name="roles"
        ),
        CheckConstraint("left_on >= hired_on", name="left_after_hired"),
        CheckConstraint("supervisor_id <> id", name="not_own_supervisor"),
    )

    external_id: Mapped[str | None]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    email: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    roles: Mapped[list[str]]
    discipline: Mapped[str | None]
    license_type: Mapped[str | None]
    license_number: Mapped[str | None]
    npi: Mapped[str | None]
    supervisor_id: Mapped[UUID | None]
    hired_on: Mapped[date]
    left_on: Mapped[date | None]
    deactivated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Training(TenantKeyed, Voidable, Base):
    __tablename__ = "trainings"
    __table_args__ = (
        same_practice("staff_id", "staff"),
        UniqueConstraint("tenant_id", "external_id"),
        Index(None, "tenant_id", "staff_id", "kind", text("completed_on desc")),
        enum_check("kind", "HIPAA", "OTHER"),
    )

    external_id: Mapped[str | None]
    staff_id: Mapped[UUID]
    kind: Mapped[str]
    completed_on: Mapped[date]
    recorded_at: Mapped[datetime]


class RuleSetting(TenantKeyed, Base):
    """A rule parameter's value from a date on. Rows are only added, so that earlier decisions stay explainable."""

    __tablename__ = "rule_settings"
    __table_args__ = (Index(None, "tenant_id", "key", text("effective_on desc"), text("set_at desc")),)

    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    effective_on: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
