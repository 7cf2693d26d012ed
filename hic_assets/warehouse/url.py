"""PostgreSQL URLs: parse, build, show without secrets, say what a failed connection means. No effects."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from hic_assets.warehouse.errors import WarehouseError

_IN_URL = ("user", "password", "host", "port", "dbname")
_SECRET = ("password", "sslpassword", "oauth_client_secret")


def parse_url(url: str, variable: str = "HIC_WAREHOUSE_URL") -> dict[str, str]:
    """The libpq parameters of a PostgreSQL URL; SQLAlchemy's `postgresql+driver` is understood too.

    Raises WarehouseError naming `variable`, without any part of the URL: libpq's own message may quote the
    password.
    """
    scheme, separator, rest = url.partition("://")
    plain = f"{scheme.partition('+')[0]}{separator}{rest}" if separator else url
    try:
        return {key: str(value) for key, value in conninfo.conninfo_to_dict(plain).items() if value is not None}
    except psycopg.Error:
        raise WarehouseError(
            f"{variable} is not a PostgreSQL URL such as postgresql://user:password@host:5432/database; "
            "special characters of the password are percent-encoded (@ is %40, / is %2F)."
        ) from None


def make_url(scheme: str, params: Mapping[str, str]) -> str:
    """A URL of libpq's parameters; a socket folder and every further parameter go to the query."""
    host, query = params.get("host", ""), {k: v for k, v in params.items() if k not in _IN_URL}
    if host.startswith("/") or "," in host:
        query["host"], host = host, ""
        if "port" in params:
            query["port"] = params["port"]
    elif ":" in host:
        host = f"[{host}]"
    user = quote(params.get("user", ""), safe="")
    if params.get("password"):
        user += f":{quote(params['password'], safe='')}"
    port = f":{params['port']}" if "port" in params and host else ""
    authority = f"{user}@{host}{port}" if user else f"{host}{port}"
    tail = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"{scheme}://{authority}/{quote(params.get('dbname', ''), safe='')}{tail}"


def redact(params: Mapping[str, str]) -> str:
    """The URL of `params` without any secret."""
    return make_url("postgresql", {k: v for k, v in params.items() if k not in _SECRET})


def connection_error(error: psycopg.Error, params: Mapping[str, str]) -> WarehouseError:
    """What a failed connection means: what, where (no password) and what to do."""
    text = str(error).strip()
    if params.get("password"):
        text = text.replace(params["password"], "***")
    advice = _advice(text, params.get("dbname", ""), params.get("user", ""))
    return WarehouseError(f"cannot connect to the warehouse at {redact(params)}. {advice}\n{text}")


def _advice(text: str, database: str, user: str) -> str:
    if "password authentication failed" in text or "no password supplied" in text:
        return f'The server refused user "{user}" or the password: check both.'
    if f'database "{database}" does not exist' in text:
        return f'The server has no database "{database}": create it there with  createdb -O {user} {database}'
    if "no pg_hba.conf entry" in text:
        return "The server does not admit this machine or user: see its pg_hba.conf, or add ?sslmode=require."
    if "too many clients" in text or "remaining connection slots" in text:
        return "The server has no free connection: close some, or raise its max_connections."
    if "starting up" in text or "shutting down" in text:
        return "The server is starting or stopping: try again in a moment."
    return "It does not answer: is it running, is the address right, does a firewall stand between?"
