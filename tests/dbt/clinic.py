"""A tracker made up for tests of the staging models: two programmes with a field of every kind, in a dbt project of its own.

Belongs here: its declaration, its registries, and the copy of the project it is generated into.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import psycopg
import yaml
from raw_tables import insert_rows
from tracker_forms import Row, attribute_row, data_element_row, program_rows

from hic_assets.landing.ddl import create_raw_tables
from hic_assets.parity.ddl import register
from hic_assets.staging import files
from hic_assets.staging.form import Registries
from hic_assets.staging.generate import declared_files, programme_files
from hic_assets.staging.registries import registry_tables
from hic_assets.systems.declare import Cadence, Programme, System
from hic_assets.systems.dhis2_tracker import dhis2_tracker

VISITS = Programme("visits", "VisPrgRw001", "Visits", Cadence.WEEKLY, tables="clinic_visits", staging="clinic")
AUDITS = Programme(
    "audits", "AudPrgRw001", "Audits", Cadence.MONTHLY, tables="clinic_audits", staging="clinic", legacy=False
)
CLINIC = System(
    name="clinic",
    title="Clinic",
    description="A tracker for tests.",
    owners=("team:data-engineering",),
    feeds=dhis2_tracker("clinic", (VISITS, AUDITS)),
    programmes=(VISITS, AUDITS),
)

_REF = re.compile(r"ref\('(\w+)'\)")
_FACT = re.compile(r"'fact': '(\w+)'")

STAGE, NEW_STAGE = "StgVisit001", "StgNewOne01"
NAME, BORN, SEX = "AttrName001", "AttrBorn001", "AttrSex0001"
SEXES, SITES = "OptSexSet01", "OptSiteSet1"
# Data element, code, value type, option set.
ELEMENTS = [
    ("DeNumber001", "NUMBER_OF_X", "NUMBER", None),
    ("DeInteger01", "INTEGER_OF_X", "INTEGER_POSITIVE", None),
    ("DeBoolean01", "BOOLEAN_OF_X", "BOOLEAN", None),
    ("DeTrueOnly1", "TRUE_OF_X", "TRUE_ONLY", None),
    ("DeDate00001", "DATE_OF_X", "DATE", None),
    ("DeDateTime1", "MOMENT_OF_X", "DATETIME", None),
    ("DeTime00001", "TIME_OF_X", "TIME", None),
    ("DeText00001", "TEXT_OF_X", "TEXT", None),
    ("DeLongText1", "NOTE_OF_X", "LONG_TEXT", None),
    ("DeCoded0001", "SITE", "INTEGER", SITES),
    ("DeMulti0001", "SITES_ALL", "MULTI_TEXT", SITES),
]


def registries(*more: Row) -> dict[str, list[Row]]:
    """Both programmes; further data elements after those of ELEMENTS."""
    visits = program_rows(VISITS.uid, [(STAGE, "Visit")])
    audits = program_rows(AUDITS.uid, [("StgAudit001", "Audit")])
    options = [(SEXES, "F"), (SEXES, "M"), (SITES, "000"), (SITES, "101")]
    return {
        "programs": [*visits["programs"], *audits["programs"]],
        "program_stages": [*visits["program_stages"], *audits["program_stages"]],
        "program_stage_data_elements": [
            *(
                data_element_row(
                    uid, STAGE, VISITS.uid, code=code, value_type=kind, option_set=options_of, sort_order=str(n)
                )
                for n, (uid, code, kind, options_of) in enumerate(ELEMENTS)
            ),
            *more,
        ],
        "program_attributes": [
            attribute_row(NAME, VISITS.uid, code="NAME"),
            attribute_row(BORN, VISITS.uid, code="BORN", value_type="DATE", sort_order="2"),
            attribute_row(SEX, VISITS.uid, code="SEX", option_set=SEXES, sort_order="3"),
        ],
        "options": [
            {"option_set": s, "option_set_name": s, "code": c, "name": c, "sort_order": str(n)}
            for n, (s, c) in enumerate(options)
        ],
    }


def new_element(uid: str, code: str) -> Row:
    """A data element that the programme gained, first on the form."""
    return data_element_row(uid, STAGE, VISITS.uid, code=code, sort_order="-1")


def create(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Its raw tables, its registries, and its programmes in the list of the switch."""
    create_raw_tables(connection, (feed.table for feed in CLINIC.feeds))
    register(connection, [CLINIC])
    rows = registries()
    for table in registry_tables(CLINIC):
        insert_rows(connection, table, rows[table.name])


def copy_project(source: Path, folder: Path) -> Path:
    """The dbt project with this tracker in place of the declared ones."""
    project = Path(shutil.copytree(source, folder, ignore=shutil.ignore_patterns("target", "logs")))
    generate(project, registries())
    _remove_what_reads_declared_programmes(project / "models", project)
    return project


def _remove_what_reads_declared_programmes(models: Path, project: Path) -> None:
    """Facts of a topic name the staging models of its programme, which are not in the copy; nor is what reads those facts."""
    names = {p.stem for p in [*project.rglob("*.sql"), *(project / "seeds").glob("*.csv")]} | {"snp_facility"}
    facts = {p.stem: set(_FACT.findall(p.read_text())) for p in (project / "macros").glob("*.sql")}
    gone: set[str] = set()
    while missing := {p for p in models.rglob("*.sql") if _read(p.read_text(), facts) - (names - gone)}:
        gone |= {path.stem for path in missing}
        for path in missing:
            path.unlink()
    for path in models.rglob("*.yml"):
        said = yaml.safe_load(path.read_text()) or {}
        kept = {
            kind: [one for one in listed if not {one.get("name"), one.get("model")} & gone]
            for kind, listed in said.items()
            if isinstance(listed, list)
        }
        if any(len(kept[kind]) < len(said[kind]) for kind in kept):
            path.write_text(yaml.safe_dump({**said, **kept}, sort_keys=False, allow_unicode=True))


def _read(model: str, facts: Mapping[str, set[str]]) -> set[str]:
    """What a model reads: what it names itself, and the facts in the lines of a macro that it calls."""
    return set(_REF.findall(model)).union(*(named for macro, named in facts.items() if f"{macro}(" in model))


def generate(project: Path, rows: Registries) -> None:
    """What `hic staging` does, in the copy."""
    models = project / "models"
    wanted, kept = declared_files([CLINIC]), files.kept_columns(models)
    for programme in CLINIC.programmes:
        wanted |= programme_files(CLINIC, programme, rows, kept)
    files.write(wanted, files.changes(wanted, models=models), models)
