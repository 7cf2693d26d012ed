"""Who may ask a clinical system, the contract it serves, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests
import yaml
from clinical_help import control, get, headers, token

from hic_assets.cli.sandbox_process import sandbox_variables
from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.server.clinical import CLINICAL
from hic_assets.sandbox.server.clinical.contract import FOLDER
from hic_assets.sandbox.server.clinical.problems import Problem, envelope, flat, openmrs, problem_json

JULY, AUGUST, END = date(2026, 7, 1), date(2026, 8, 1), date(2026, 8, 31)
ALL = {"efiche": ("visits", "lab-orders", "stock-movements", "stock-balances"), "hpemr": ("encounters", "referrals")}


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A sandbox of this test alone, whose clock and records may be changed."""
    with running_sandbox(scale=0.02) as sandbox:
        yield sandbox


# ---- who may ask


def test_a_key_that_is_missing_or_wrong_is_refused(sandbox: Sandbox) -> None:
    for given in (
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": "efk_x"},
        {"Authorization": sandbox.credentials["efiche"]["token"]},
    ):
        reply = get(sandbox, "efiche", "visits", given, updated_since="01/09/2026 00:00:00")
        assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "ApiKey")
        assert reply.json()["error"]["code"] == "UNAUTHORIZED"
    # nobody learns without a key which addresses there are
    assert get(sandbox, "efiche", "nothing", {}).status_code == 401
    assert get(sandbox, "efiche", "nothing").status_code == 404


def test_a_secret_of_one_system_opens_no_other(sandbox: Sandbox) -> None:
    secrets = [value for account in sandbox.credentials.values() for value in account.values() if len(value) > 15]
    assert len(set(secrets)) == len(secrets) == len(CLINICAL)
    for secret in secrets:
        opened = get(sandbox, "efiche", "code-lists/products", {"X-Api-Key": secret}).status_code == 200
        assert opened == (secret == sandbox.credentials["efiche"]["token"])
        assert get(sandbox, "hpemr", "products", {"Authorization": f"Bearer {secret}"}).status_code == 401


def test_tokens_by_basic_or_by_form_and_every_way_to_ask_wrongly(sandbox: Sandbox) -> None:
    url, account = f"{sandbox.urls['hpemr']}/oauth/token", sandbox.credentials["hpemr"]
    basic = (account["username"], account["password"])
    form = {"client_id": basic[0], "client_secret": basic[1]}
    kind = {"grant_type": "client_credentials"}

    def ask(data: Any = None, auth: Any = None, **more: Any) -> tuple[int, str]:
        reply = requests.post(url, data=data, auth=auth, timeout=20, **more)
        assert reply.headers["Cache-Control"] == "no-store"
        return reply.status_code, reply.json().get("error", reply.json().get("token_type"))

    assert ask(kind, basic) == ask(kind | form) == ask(kind | {"scope": "hpemr.read"}, basic) == (200, "Bearer")
    assert (
        ask(kind) == ask(kind, (basic[0], "wrong")) == ask(kind | form | {"client_id": "x"}) == (401, "invalid_client")
    )
    assert ask({}, basic) == ask(json.dumps(kind), basic) == (400, "invalid_request")
    assert ask("grant_type=client_credentials&grant_type=client_credentials", basic, headers={
        "Content-Type": "application/x-www-form-urlencoded"}) == (400, "invalid_request")  # fmt: skip
    assert ask({"grant_type": "password"}, basic) == (400, "unsupported_grant_type")
    assert ask(kind | {"scope": "write"}, basic) == (400, "invalid_scope")
    assert requests.get(url, timeout=20).status_code == 405
    # a body without end is not read to its end
    assert ask({"grant_type": "x" * 10_000_000}, basic)[0] == 400


def test_a_token_expires_by_itself_and_by_decree(own: Sandbox) -> None:
    def asked(given: str) -> requests.Response:
        return get(own, "hpemr", "products", {"Authorization": f"Bearer {given}"})

    good = token(own)
    assert asked(good).status_code == 200
    control(own, mutate=[{"op": "clinical_expire_tokens", "system": "hpemr"}])
    refused = asked(good)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    own.clinical["hpemr"].gate.lifetime = 0.0  # type: ignore[attr-defined]
    assert asked(token(own)).status_code == 401


def test_secrets_are_not_in_the_log(sandbox: Sandbox) -> None:
    get(sandbox, "efiche", "code-lists/products")
    get(sandbox, "hpemr", "products")
    log = requests.get(sandbox.control_url.replace("control", "log"), timeout=20).text
    assert "/efiche/api/v1/code-lists/products" in log
    assert not [
        s for account in sandbox.credentials.values() for k, s in account.items() if k != "username" and s in log
    ]
    assert [r.headers["has-authorization"] for r in sandbox.requests if r.path.endswith("products")] == ["true"] * 2


def test_the_credentials_are_found_by_the_settings_of_each_system(sandbox: Sandbox) -> None:
    common = {"username": sandbox.username, "password": sandbox.password}
    said = {"urls": sandbox.urls, "credentials": sandbox.credentials, "population": sandbox.world.population, **common}
    found = sandbox_variables(said)
    assert found["HIC_POPULATION"] == str(round(14_000_000 * sandbox.world.scale))
    assert found["HIC_EFICHE_TOKEN"] == sandbox.credentials["efiche"]["token"]
    assert "HIC_EFICHE_PASSWORD" not in found
    assert found["HIC_HPEMR_PASSWORD"] == sandbox.credentials["hpemr"]["password"]
    assert found["HIC_HIV_TRACKER_PASSWORD"] == sandbox.password
    assert found["HIC_EFICHE_URL"] == sandbox.urls["efiche"]


# ---- the contract


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_contract_is_served_to_everybody_as_it_is_published(sandbox: Sandbox, name: str) -> None:
    published = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    for suffix, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        reply = requests.get(f"{sandbox.urls[name]}/openapi.{suffix}", timeout=20)
        served = read(reply.text)
        assert served.pop("servers")[0]["url"] == sandbox.urls[name]
        assert served == {k: v for k, v in published.items() if k != "servers"}
    paths = {p.strip("/") for p in published["paths"]} - {"oauth/token"}
    assert paths == set(CLINICAL[name].routes)


def test_other_methods_are_not_allowed_and_head_is_a_get_without_a_body(sandbox: Sandbox) -> None:
    url, shown = f"{sandbox.urls['efiche']}/api/v1/code-lists/products", headers(sandbox, "efiche")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        reply = requests.request(method, url, headers=shown, timeout=20)
        assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD")
    reply = requests.head(url, headers=shown, timeout=20)
    assert (reply.status_code, reply.content) == (200, b"")


def test_the_date_header_is_the_clock_of_the_world(own: Sandbox) -> None:
    for url in (own.urls["efiche"], own.url):
        assert requests.get(url, timeout=20).headers["Date"] == "Tue, 15 Sep 2026 10:00:00 GMT"
    own.world.advance(days=1)
    assert requests.get(own.urls["efiche"], timeout=20).headers["Date"] == "Wed, 16 Sep 2026 10:00:00 GMT"


@pytest.mark.parametrize("style", [envelope, problem_json, openmrs, flat])
def test_every_error_body_names_status_reason_and_parameter(style: Any) -> None:
    reply = style(Problem(422, "It is wrong.", {"page": "must be a number"}, {"Retry-After": "3"}))
    assert (reply.status_code, reply.headers["Retry-After"]) == (422, "3")
    for text in ("It is wrong", "page", "must be a number"):
        assert text in reply.body.decode()
    assert style(Problem(404, "Nothing.")).status_code == 404
