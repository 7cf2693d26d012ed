"""Authentication, and what comes back without it: contract 1.8 and 1.9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import psutil
import pytest
import requests
from sandbox_help import MONTH, district

from hic_assets.sandbox import Sandbox
from hic_assets.sandbox.world import catalogue

XHR = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}


def test_basic_and_token_are_accepted(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/api/system/info"
    basic = requests.get(url, auth=(sandbox.username, sandbox.password), timeout=10)
    token = requests.get(url, headers={"Authorization": f"apitoken {sandbox.token}"}, timeout=10)
    assert basic.json()["version"] == token.json()["version"] == "2.40.12"


def test_the_token_is_one_dhis2_would_make(sandbox: Sandbox) -> None:
    prefix, body = sandbox.token.split("_")
    assert (prefix, len(body)) == ("d2pat", 42)
    assert int(body[32:]) == zlib.crc32(body[:32].encode())


@pytest.mark.parametrize("header", ["Basic bm86bm8=", "Basic %%%", "ApiToken d2pat_wrong", "Bearer x.y.z"])
def test_wrong_credentials_are_401(sandbox: Sandbox, header: str) -> None:
    url = f"{sandbox.url}/api/system/info"
    reply = requests.get(url, headers={"Authorization": header, "Accept": "application/json"}, timeout=10)
    assert (reply.status_code, reply.json()["httpStatusCode"]) == (401, 401)
    xml = requests.get(url, headers={"Authorization": header, "Accept": "*/*, application/xml"}, timeout=10)
    assert xml.status_code == 401
    assert xml.headers["content-type"].startswith("application/xml")
    assert xml.text.startswith("<webMessage")


@pytest.mark.parametrize(("version", "path"), [("2.40.12", "/dhis-web-commons/"), ("2.43.1", "/dhis-web-login/")])
def test_without_credentials_the_login_page_comes_with_200(sandbox: Sandbox, version: str, path: str) -> None:
    sandbox.world.version = version
    url = f"{sandbox.url}/api/system/info"
    first = requests.get(url, allow_redirects=False, timeout=10)
    assert first.status_code == 302
    assert path in first.headers["location"]
    followed = requests.get(url, timeout=10)
    assert followed.status_code == 200
    assert followed.headers["content-type"].startswith("text/html")
    assert requests.get(url, headers=XHR, timeout=10).status_code == 401


def test_requests_are_logged_without_secrets(sandbox: Sandbox) -> None:
    requests.get(f"{sandbox.url}/api/me?x=1", auth=(sandbox.username, sandbox.password), headers=XHR, timeout=10)
    entry = sandbox.requests[-1]
    assert (entry.method, entry.path, entry.query, entry.status) == ("GET", "/hmis/api/me", "x=1", 200)
    assert entry.headers["has-authorization"] == "true"
    assert "authorization" not in entry.headers


def test_control_endpoint_drives_faults_clock_and_changes(sandbox: Sandbox) -> None:
    facility = next(f for f in sandbox.world.facilities if f.type == "HC")
    old_name, old_now = facility.name, sandbox.world.now
    body = {
        "faults": {"unavailable": {"times": 1, "retry_after": 0}},
        "advance_days": 1,
        "version": "2.42.5.2",
        "mutate": [
            {"op": "rename_facility", "org_unit": facility.uid, "name": "Elsewhere HC"},
            {"op": "edit_values", "month": "2026-05-01", "fraction": 0.0001},
        ],
    }
    reply = requests.post(sandbox.control_url, json=body, timeout=20).json()
    assert reply["version"] == "2.42.5.2"
    assert reply["now"].startswith("2026-09-16T12:00:00")
    assert reply["results"][1] >= 1
    assert reply["faults"]["unavailable"]["times"] == 1
    assert facility.name == "Elsewhere HC"
    cleared = requests.post(sandbox.control_url, json={"faults": {"unavailable": None}}, timeout=20).json()
    assert cleared["faults"] == {}
    wrong = requests.post(sandbox.control_url, json={"mutate": [{"op": "nothing"}]}, timeout=20)
    assert wrong.status_code == 400
    assert "no mutation" in wrong.json()["error"]
    assert requests.post(sandbox.control_url, json={"typo": 1}, timeout=20).status_code == 400
    sandbox.world.rename_facility(facility.uid, old_name)
    sandbox.world.set_now(old_now)


def test_as_a_process_with_cache_and_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hic_assets.sandbox", "--scale", "0.01", "--cache-dir", str(tmp_path)]
    command += ["--fault", "rate_limited:times=1,retry_after=0", "--version", "2.41.9.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        auth = (ready["username"], ready["password"])
        params = {"dataSet": catalogue.data_set_uid("HC_MONTHLY"), "period": MONTH, "format": "csv"}
        params |= {"orgUnit": district("102"), "children": "true"}
        url = f"{ready['url']}/api/dataValueSets"
        limited = requests.get(url, params=params, auth=auth, headers=XHR, timeout=20)
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "0")
        first = requests.get(url, params=params, auth=auth, headers=XHR, timeout=20)
        again = requests.get(url, params=params, auth=auth, headers=XHR, timeout=20)
        assert first.content == again.content
        assert first.content.count(b"\n") > 100
        assert [p.read_bytes() for p in tmp_path.glob("*.csv")] == [first.content]
        assert requests.get(ready["control"].replace("control", "log"), timeout=20).json()["requests"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_process_ends_with_the_one_that_started_it() -> None:
    code = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-m', 'hic_assets.sandbox', '--scale', '0.01',"
    code += " '--with-parent'], stdout=subprocess.PIPE, text=True); p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    psutil.wait_procs([child], timeout=20)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
