"""What `hic staging` writes, from registries made by hand and from the sandbox's: names that stay, text that is safe."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tracker_forms import Row, attribute_row, data_element_row, program_rows, registries_of

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.staging import files
from hic_assets.staging.columns import CONFIDENTIAL, FREE_TEXT, HEALTH, PERSON, field_columns, record_columns
from hic_assets.staging.files import fields_in, stages_in
from hic_assets.staging.form import Field, ProgrammeMissing, form_of
from hic_assets.staging.generate import declared_files, programme_files, programme_paths
from hic_assets.staging.names import LONGEST, RESERVED, column_names, snake_case
from hic_assets.systems import SYSTEMS
from hic_assets.systems.cancer_registry import CANCER_REGISTRY
from hic_assets.systems.hiv_tracker import HIV_TRACKER

TRACKERS = [system for system in SYSTEMS if system.programmes]
HIV = HIV_TRACKER.programmes[0]
EVENTS, PEOPLE = "staging/hiv_tracker/stg_hiv__events.sql", "staging/hiv_tracker/stg_hiv__tracked_entities.sql"


def field(uid: str, code: str | None = None, name: str | None = None, **more: Any) -> Field:
    return Field(uid=uid, code=code, name=name, value_type=more.pop("value_type", "TEXT"), **more)


def registries(*elements: Row, attributes: list[Row] | None = None) -> dict[str, list[Row]]:
    """One programme with the stages First and Second."""
    return {
        **program_rows(HIV.uid, [("StgFirst001", "First visit"), ("StgSecond01", "Second visit")]),
        "program_stage_data_elements": list(elements),
        "program_attributes": attributes or [],
        "options": [
            {"option_set": "OptSexSet01", "option_set_name": "Sex", "code": "2", "name": "Female", "sort_order": "2"},
            {"option_set": "OptSexSet01", "option_set_name": "Sex", "code": "1", "name": "Male", "sort_order": "1"},
        ],
    }


def element(uid: str, code: str | None = "CODE", stage: str = "StgFirst001", **more: str | None) -> Row:
    return data_element_row(uid, stage, HIV.uid, code=code, **more)


def generated(rows: Any, kept: dict[str, dict[str, str]] | None = None) -> dict[str, str]:
    return programme_files(HIV_TRACKER, HIV, rows, kept or {})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Date de décès (jour)", "date_de_deces_jour"),
        ("TB_HIV-status", "tb_hiv_status"),
        ("dateOfBirth", "date_of_birth"),
        ("  a  --  b ", "a_b"),
        ("Umwirondoro w'umurwayi", "umwirondoro_w_umurwayi"),
        ("日本", ""),
    ],
)
def test_snake_case(text: str, name: str) -> None:
    assert snake_case(text) == name


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (field("AbcDefGhi01", "HIV_STATUS", "TB - Status"), "hiv_status"),
        (field("AbcDefGhi01", "DE_0012", "TB - Weight", form_name="Weight in kg"), "weight_in_kg"),
        (field("AbcDefGhi01", None, "Weight (kg)"), "weight_kg"),
        (field("AbcDefGhi01", "T", "T"), "t"),
        (field("AbcDefGhi01", None, "51-Vulva"), "f_51_vulva"),
        (field("AbcDefGhi01", None, "日本"), "field_abcdefghi01"),
        (field("AbcDefGhi01", "ORDER"), "order_hi01"),
        (field("AbcDefGhi01", "x" * 90), "x" * 63),
    ],
)
def test_a_field_alone_is_called_by_its_code_if_that_has_a_word_else_by_its_name(one: Field, name: str) -> None:
    assert column_names([one]) == {one.uid: name}


def test_fields_that_would_be_called_the_same_all_get_the_end_of_their_uid() -> None:
    pair = [field("AbcDefGhi01", "WEIGHT"), field("ZbcDefGhi02", "weight")]
    assert column_names(pair) == {"AbcDefGhi01": "weight_hi01", "ZbcDefGhi02": "weight_hi02"}
    same_end = [field("AbcDefGhi01", "WEIGHT"), field("XbcDefGhi01", "weight")]
    assert len(set(column_names(same_end).values())) == 2


def test_a_column_keeps_its_name_and_place_whatever_is_added_or_renamed() -> None:
    before = column_names([field("AbcDefGhi02", "WEIGHT"), field("AbcDefGhi03", "HEIGHT")])
    after = column_names(
        [
            field("AbcDefGhi00", "WEIGHT"),
            field("AbcDefGhi03", "STATURE"),
            field("AbcDefGhi02", "WEIGHT"),
        ],
        before,
    )
    assert list(after.items()) == [
        ("AbcDefGhi02", "weight"),
        ("AbcDefGhi03", "height"),
        ("AbcDefGhi00", "weight_hi00"),
    ]


fields_of_any_name = st.lists(
    st.builds(
        field,
        st.from_regex(r"[A-Za-z][A-Za-z0-9]{10}", fullmatch=True),
        st.one_of(st.none(), st.text(max_size=80)),
        st.one_of(st.none(), st.sampled_from(["Weight", "weight", "User", "日本", "1", "x" * 80])),
    ),
    unique_by=lambda f: f.uid.lower(),
    max_size=12,
)


@given(fields_of_any_name, fields_of_any_name)
def test_names_are_unique_plain_and_stay(first: list[Field], more: list[Field]) -> None:
    names = column_names(first)
    assert len(set(names.values())) == len(first) and not set(names.values()) & RESERVED
    assert all(len(n) <= LONGEST and n.isascii() and n.isidentifier() and n == n.lower() for n in names.values())
    added = [f for f in more if f.uid.lower() not in {one.uid.lower() for one in first}]
    later = column_names([*added, *first], names)
    assert {uid: later[uid] for uid in names} == names and list(later)[: len(names)] == list(names)
    assert len(set(later.values())) == len(later)


def test_a_field_asked_in_two_stages_is_one_column_and_options_are_told() -> None:
    rows = registries(
        element("DeElement02", "WEIGHT", "StgSecond01", value_type="NUMBER"),
        element("DeElement02", "WEIGHT", "StgFirst001", value_type="NUMBER"),
        element("DeElement01", "SEX", "StgSecond01", value_type="INTEGER", option_set="OptSexSet01"),
    )
    weight, sex = field_columns(form_of(HIV, rows), Kind.EVENTS)
    assert (weight.name, weight.cast, weight.field.stages) == ("weight", "number", ("First visit", "Second visit"))
    assert (sex.name, sex.cast) == ("sex", "key"), "a code is text, although its value type is a number"
    assert sex.description.endswith("Asked in: Second visit. Codes: 1 Male, 2 Female.")


@pytest.mark.parametrize(
    ("value_type", "cast"),
    [
        ("TEXT", "text"),
        ("LONG_TEXT", "key"),
        ("NUMBER", "number"),
        ("PERCENTAGE", "number"),
        ("INTEGER_ZERO_OR_POSITIVE", "integer"),
        ("BOOLEAN", "boolean"),
        ("TRUE_ONLY", "boolean"),
        ("DATE", "date"),
        ("AGE", "date"),
        ("DATETIME", "timestamp"),
        ("TIME", "time"),
        ("ORGANISATION_UNIT", "key"),
        ("SOMETHING_NEW", "key"),
    ],
)
def test_value_types(value_type: str, cast: str) -> None:
    (column,) = field_columns(form_of(HIV, registries(element("DeElement01", value_type=value_type))), Kind.EVENTS)
    assert column.cast == cast


def test_what_identifies_is_marked() -> None:
    attributes = [
        attribute_row("AttrName001", HIV.uid, code="NAME"),
        attribute_row("AttrBirth01", HIV.uid, code="BIRTH", value_type="DATE"),
        attribute_row("AttrNid0001", HIV.uid, code="NID", value_type="INTEGER"),
        attribute_row("AttrSex0001", HIV.uid, code="SEX", option_set="OptSexSet01"),
        attribute_row("AttrVillag1", HIV.uid, code="VILLAGE", option_set="OptVillage1"),
        attribute_row("AttrKeyPop1", HIV.uid, code="KEYPOP", option_set="OptSexSet01", confidential="true"),
    ]
    rows = registries(element("DeNote00001", "NOTE"), element("DeWeight001", "WEIGHT", value_type="NUMBER"))
    villages = [{**rows["options"][0], "option_set": "OptVillage1", "code": str(n)} for n in range(21)]
    form = form_of(HIV, {**rows, "program_attributes": attributes, "options": [*rows["options"], *villages]})
    people = {c.name: c.sensitive for c in field_columns(form, Kind.TRACKED_ENTITIES)}
    identifying = dict.fromkeys(("name", "birth", "nid", "village"), PERSON)
    assert people == {**identifying, "sex": HEALTH, "keypop": CONFIDENTIAL}
    assert {c.name: c.sensitive for c in field_columns(form, Kind.EVENTS)} == {"note": FREE_TEXT, "weight": HEALTH}
    assert {c.name for kind in Kind for c in record_columns(form, kind)}.isdisjoint({"stored_by", "completed_by"})


def test_nothing_of_a_server_gets_into_sql_but_uids_and_plain_words() -> None:
    wicked = "x'); drop table raw.load; --\n{{ env_var('PGPASSWORD') }}{% raw %}"
    rows = registries(
        element("DeElement01", wicked, name=wicked, form_name=wicked, value_type="NUMBER"),
        element("x' or '1'='1", "EVIL"),
        element("DeElement02", "GOOD", value_type=wicked, option_set="x'y"),
    )
    rows["program_stages"][0] = {**rows["program_stages"][0], "name": wicked}
    rows["program_stages"].append({**rows["program_stages"][0], "id": "not-a-uid"})
    rows["programs"] = [{**rows["programs"][0], "name": wicked}]
    texts = generated(rows)
    for path, text in texts.items():
        if path.endswith(".sql"):
            assert "drop table" not in text and "PGPASSWORD" not in text and "evil" not in text
        else:
            assert "{{" not in text and "{%" not in text
    assert fields_in(texts[EVENTS])["DeElement02"] == "good"
    parsed = yaml.safe_load(texts["staging/hiv_tracker/_hiv.yml"])
    events = next(model for model in parsed["models"] if model["name"] == "stg_hiv__events")
    assert "drop table" in next(c for c in events["columns"] if c["name"].startswith("x_drop_table"))["description"]


def test_the_order_in_which_a_server_lists_its_metadata_does_not_matter() -> None:
    rows = registries_of("cancer_registry")
    shuffled = {name: random.Random(7).sample(list(of_table), len(of_table)) for name, of_table in rows.items()}
    programme = CANCER_REGISTRY.programmes[0]
    assert programme_files(CANCER_REGISTRY, programme, shuffled, {}) == programme_files(
        CANCER_REGISTRY, programme, rows, {}
    )


def test_a_field_called_like_a_column_of_the_record_gives_way() -> None:
    texts = generated(registries(element("DeElement01", "STATUS"), element("DeElement02", "EVENT_UID")))
    assert fields_in(texts[EVENTS]) == {"DeElement01": "status_nt01", "DeElement02": "event_uid_nt02"}


def test_a_programme_without_fields_or_stages_still_has_its_records() -> None:
    empty = {**registries(), "program_stages": []}
    texts = generated(empty)
    assert fields_in(texts[EVENTS]) == {} and stages_in(texts[EVENTS]) == set()
    assert "null::text as program_stage," in texts[EVENTS]


def test_a_programme_that_the_registry_does_not_know_is_an_error() -> None:
    with pytest.raises(ProgrammeMissing, match=r"hiv \(HivPrgRw001\) is not in the registry 'programs'"):
        generated({**registries(), "programs": []})


def test_a_legacy_pipeline_that_is_gone_is_left_out() -> None:
    gone = replace(HIV, legacy=False)
    for path in programme_paths(HIV)[:3]:
        text = programme_files(HIV_TRACKER, gone, registries(), {})[path]
        assert "unified=source('raw', 'u_hiv_tracker_" in text
        assert "legacy=" not in text and "renamed=" not in text
        assert "legacy=source('raw', 'hiv_tracker_" in generated(registries())[path]


def test_the_legacy_names_are_those_of_the_old_endpoint() -> None:
    said = generated(registries())[EVENTS].split("renamed=")[1]
    pairs = {"occurred_at": "event_date", "scheduled_at": "due_date", "tracked_entity": "tracked_entity_instance"}
    assert all(f"'{now}': '{then}'" in " ".join(said.split()) for now, then in pairs.items())


def everything() -> dict[str, str]:
    """What the sandbox's registries give, columns named as the committed models name them."""
    wanted, kept = declared_files(TRACKERS), files.kept_columns()
    for system in TRACKERS:
        rows = registries_of(system.name)
        for programme in system.programmes:
            wanted |= programme_files(system, programme, rows, kept)
    return wanted


def test_the_committed_models_are_what_the_sandbox_says() -> None:
    """`HIC_UPDATE_SNAPSHOT=1 pytest tests/unit/test_staging_generator.py` does what `hic staging` does when the sandbox's
    registries are landed: it writes the models anew after a change of its forms, or of the generator, that was meant."""
    wanted = everything()
    if os.environ.get("HIC_UPDATE_SNAPSHOT"):
        files.write(wanted, files.changes(wanted))
    assert files.changes(wanted) == [], "meant? HIC_UPDATE_SNAPSHOT=1 writes them anew"


def test_all_programmes_have_three_views_and_every_raw_table_is_a_source() -> None:
    wanted = everything()
    models = [path for path in wanted if path.startswith("staging/") and "__" in path and path.endswith(".sql")]
    assert len(models) == 3 * 9 + 5 * 4
    assert "staging/crvs/stg_crvs__events.sql" in models
    sources = [yaml.safe_load(t)["sources"][0] for path, t in wanted.items() if path.endswith("_sources.yml")]
    named = sorted(table["name"] for source in sources for table in source["tables"])
    assert named == sorted(feed.table.relation for system in TRACKERS for feed in system.feeds)
    assert all(c["description"] for s in sources for table in s["tables"] for c in table["columns"])


def test_the_properties_name_the_columns_of_the_sql_in_order() -> None:
    for system in TRACKERS:
        rows = registries_of(system.name)
        for programme in system.programmes:
            texts = programme_files(system, programme, rows, {})
            form = form_of(programme, rows)
            models = yaml.safe_load(texts[programme_paths(programme)[3]])["models"]
            for kind, model in zip(Kind, models, strict=True):
                fields = field_columns(form, kind)
                names = [*(c.name for c in record_columns(form, kind)), *(f.name for f in fields)]
                assert [column["name"] for column in model["columns"]] == names and len(set(names)) == len(names)
                metas = [c["config"]["meta"] for c in model["columns"][len(names) - len(fields) :]]
                assert [meta["dhis2"] for meta in metas] == [f.field.uid for f in fields]
                assert all(meta["sensitive"] for meta in metas)


def test_writing_and_comparing(tmp_path: Path) -> None:
    wanted = generated(registries(element("DeElement01", "WEIGHT")))
    assert {change.what for change in files.changes(wanted, models=tmp_path)} == {"new"}
    files.write(wanted, files.changes(wanted, models=tmp_path), tmp_path)
    assert files.changes(wanted, models=tmp_path) == []

    (tmp_path / "staging/hiv_tracker/by_hand.sql").write_text("-- said: 'Written by 'hic staging' is a mark'\nselect 1")
    rows = registries(element("DeElement02", "WEIGHT"), element("DeElement01", "MASS"))
    later = generated(rows, files.kept_columns(tmp_path))
    del later[PEOPLE]
    changes = {change.path: change for change in files.changes(later, models=tmp_path)}
    assert changes[EVENTS].added == ("weight_nt02",) and changes[EVENTS].removed == ()
    assert changes[PEOPLE].what == "gone" and not any("by_hand" in path for path in changes)
    assert PEOPLE not in {change.path for change in files.changes(later, [PEOPLE], models=tmp_path)}
    files.write(later, files.changes(later, models=tmp_path), tmp_path)
    assert not (tmp_path / PEOPLE).exists() and (tmp_path / "staging/hiv_tracker/by_hand.sql").exists()
    assert list(fields_in((tmp_path / EVENTS).read_text())) == ["DeElement01", "DeElement02"]
