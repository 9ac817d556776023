"""Tables of people, households and cover. Names, ID numbers, accounts and incomes are sealed from the first row on."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import ERASING, Guard, erased_for_good, set_once
from households.models.two_times import Dated, Known, checks, guards, overlap

_NOW = text("retired_at IS NULL")
_OPEN = text("retired_at IS NULL AND valid_to IS NULL")


class HouseholdRow(Base):
    """A household. `version` counts its determinations: they go one by one (compare-and-set)."""

    __tablename__ = "household"
    __table_args__ = strict(UniqueConstraint("household_no"), CheckConstraint("version >= 0", name="version"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    household_no: Mapped[str] = mapped_column(String)
    town: Mapped[str] = mapped_column(String)
    village: Mapped[str] = mapped_column(String)
    village_code: Mapped[str] = mapped_column(String, index=True)
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("household.id"))
    """The household that took all its members over; it has none any more."""
    digest: Mapped[str] = mapped_column(String)
    version: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Person(Base):
    """A natural person, found by the keyed digest of the ID number."""

    __tablename__ = "person"
    __table_args__ = strict(UniqueConstraint("id_lookup"), Index(None, "name_lookup"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    id_lookup: Mapped[str] = mapped_column(String)
    name_lookup: Mapped[str | None] = mapped_column(String)
    """Keyed digest of the newest name."""
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {id_number, name}: the newest name, whichever source it comes from."""
    digest: Mapped[str] = mapped_column(String)
    same_as: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    """The record that this one, of a wrong or a second ID number, was found to be: it has their facts now."""
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Cover(Known, Base):
    """A person's cover under a master policy number, as a roster or the register has it: from day to day.

    A roster's row is the person's row of 参保名册; of the register there may be several, one after the other.
    """

    __tablename__ = "cover"
    __table_args__ = strict(
        *checks(dated=False),
        Index(
            "uq_cover_now",
            "policy_number",
            "person_id",
            "source",
            "cover_from",
            unique=True,
            sqlite_where=_NOW,
            postgresql_where=_NOW,
        ),
        Index(None, "person_id"),
        Index(None, "household_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    policy_number: Mapped[str] = mapped_column(String)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    relation: Mapped[str] = mapped_column(String)
    category: Mapped[str] = mapped_column(String)
    village_code: Mapped[str] = mapped_column(String)
    cover_from: Mapped[date] = mapped_column(Date)
    cover_to: Mapped[date] = mapped_column(Date)
    renewal: Mapped[bool] = mapped_column(Boolean)
    sealed: Mapped[str] = mapped_column(SealedText)
    """The name as the roster or the register had it."""
    digest: Mapped[str] = mapped_column(String)


class Membership(Dated, Base):
    """A person's place in a household, from day to day: one household at a time, which the database sees to."""

    __tablename__ = "membership"
    __table_args__ = strict(
        *checks(),
        # The guard against overlaps looks at what is committed; this holds against two who write at once as well.
        Index(
            "uq_membership_open",
            "person_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(None, "person_id"),
        Index(None, "household_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    relation: Mapped[str] = mapped_column(String)
    began_by: Mapped[str] = mapped_column(String)
    """How it began: a key of `households.terms.BEGINNINGS`."""
    ended_by: Mapped[str | None] = mapped_column(String)
    """How it ended, where it has an end: a key of `households.terms.ENDINGS`."""


class Residence(Dated, Base):
    """Where a household lived, from day to day, once the register knows of a move; it comes before the roster's word.

    The household's own row has the place of today, by which it is seen.
    """

    __tablename__ = "residence"
    __table_args__ = strict(*checks(), Index(None, "household_id"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    town: Mapped[str] = mapped_column(String)
    village: Mapped[str] = mapped_column(String)
    village_code: Mapped[str] = mapped_column(String)


class Income(Dated, Base):
    """A household's income of a year, by source where it was surveyed, or the roster's one figure."""

    __tablename__ = "income"
    __table_args__ = strict(*checks(), Index(None, "household_id"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    policy_number: Mapped[str | None] = mapped_column(String)
    """The policy whose roster says so; None for the register's."""
    main_source: Mapped[str | None] = mapped_column(String)
    """A key of `households.terms.INCOME_SOURCES`."""
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON of `households.registered.IncomeFigures`."""
    digest: Mapped[str] = mapped_column(String)


class BankAccount(Dated, Base):
    """The account 一卡通 into which a household is paid. One of the register was agreed on by two persons."""

    __tablename__ = "bank_account"
    __table_args__ = strict(
        *checks(),
        CheckConstraint("source <> 'register' OR asked_by <> decided_by", name="two_persons"),
        CheckConstraint(
            "source <> 'register' OR (asked_by IS NOT NULL AND decided_by IS NOT NULL)", name="register"
        ),
        Index(None, "household_id"),
        Index(None, "account_lookup"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    policy_number: Mapped[str | None] = mapped_column(String)
    account_lookup: Mapped[str | None] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {account_no, account_name, bank_code}; each may be null."""
    digest: Mapped[str] = mapped_column(String)
    asked_by: Mapped[str | None] = mapped_column(String)
    decided_by: Mapped[str | None] = mapped_column(String)


class PersonCategory(Dated, Base):
    """A category 人员类别 that the register gives a person for some days; it comes before the roster's."""

    __tablename__ = "person_category"
    __table_args__ = strict(*checks(), Index(None, "person_id"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    category: Mapped[str] = mapped_column(String)


class PersonName(Dated, Base):
    """A name that the register gives a person for some days; it comes before the roster's."""

    __tablename__ = "person_name"
    __table_args__ = strict(*checks(), Index(None, "person_id"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    sealed: Mapped[str] = mapped_column(SealedText)


class Relative(Dated, Base):
    """A guardian 监护人 of a person, or an heir 继承人, with the paper that proves it."""

    __tablename__ = "relative"
    __table_args__ = strict(
        *checks(),
        CheckConstraint("kind IN ('guardian', 'heir')", name="kind"),
        Index(None, "person_id"),
        Index(None, "id_lookup"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String)
    relation: Mapped[str] = mapped_column(String)
    paper: Mapped[str] = mapped_column(String)
    """What proves it: the kind of paper and its number."""
    id_lookup: Mapped[str | None] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {name, id_number, phone}."""


GUARDS = [
    Guard(
        "household_version", "household", "BEFORE UPDATE", "NEW.version NOT IN (OLD.version, OLD.version + 1)"
    ),
    *(Guard(f"{table}_no_delete", table, "BEFORE DELETE", "TRUE") for table in ("household", "person")),
    Guard(
        "person_same",
        "person",
        "BEFORE UPDATE",
        f"OLD.id_lookup <> NEW.id_lookup AND NOT (NEW.sealed = 'erased' AND {ERASING})",
    ),
    *erased_for_good("person", "sealed"),
    set_once("person", ("same_as",)),
    set_once("household", ("merged_into",)),
    *guards(
        "cover",
        (
            "policy_number",
            "person_id",
            "household_id",
            "relation",
            "category",
            "village_code",
            "cover_from",
            "cover_to",
            "renewal",
            "digest",
        ),
        "sealed",
        dated=False,
    ),
    Guard(
        "cover_overlap",
        "cover",
        "BEFORE INSERT",
        "NEW.retired_at IS NULL AND EXISTS (SELECT 1 FROM cover AS there WHERE "
        "there.policy_number = NEW.policy_number AND there.person_id = NEW.person_id "
        "AND there.source = NEW.source AND there.retired_at IS NULL AND there.id <> NEW.id "
        "AND (NEW.source = 'roster' OR (there.cover_from <= NEW.cover_to AND NEW.cover_from <= there.cover_to)))",
    ),
    *guards("membership", ("person_id", "household_id", "relation", "began_by", "ended_by")),
    overlap("membership", "person_id"),
    *guards("residence", ("household_id", "town", "village", "village_code")),
    overlap("residence", "household_id"),
    *guards("income", ("household_id", "policy_number", "main_source", "digest"), "sealed"),
    *guards("bank_account", ("household_id", "policy_number", "asked_by", "decided_by", "digest"), "sealed"),
    *guards("person_category", ("person_id", "category")),
    overlap("person_category", "person_id"),
    *guards("person_name", ("person_id",), "sealed"),
    overlap("person_name", "person_id"),
    *guards("relative", ("person_id", "kind", "relation", "paper"), "sealed"),
]
