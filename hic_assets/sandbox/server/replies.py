"""Error bodies and pages as DHIS2 and the proxy before it write them.

Source: contract 1.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import HTMLResponse, JSONResponse, Response

LOGIN_PAGE = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">
<html class="loginPage" dir="ltr"><head><title>Health Management Information System</title></head>
<body><form id="loginForm" action="../../dhis-web-commons-security/login.action" method="post">
<input type="text" name="j_username"/><input type="password" name="j_password"/>
<input type="submit" value="Sign in"/></form></body></html>
"""
NOT_FOUND_PAGE = """<!doctype html><html lang="en"><head><title>HTTP Status 404 &#8211; Not Found</title></head>
<body><h1>HTTP Status 404 &#8211; Not Found</h1><hr class="line" /><p><b>Type</b> Status Report</p>
<h3>Apache Tomcat/9.0.98</h3></body></html>
"""


class ApiError(Exception):
    """A request the server refuses: HTTP status, DHIS2 error code (or None) and message."""

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def error(status: int, message: str, code: str | None = None, accept: str = "application/json") -> Response:
    """A DHIS2 web message; XML when the Accept header names XML and no JSON."""
    phrase = HTTPStatus(status).phrase
    if "xml" in accept and "json" not in accept:
        body = (
            f'<webMessage xmlns="http://dhis2.org/schema/dxf/2.0" httpStatus="{phrase}" httpStatusCode="{status}" '
            f'status="ERROR"><message>{message}</message></webMessage>'
        )
        return Response(body, status, media_type="application/xml;charset=UTF-8")
    content: dict[str, object] = {"httpStatus": phrase, "httpStatusCode": status, "status": "ERROR", "message": message}
    if code:
        content["errorCode"] = code
    return JSONResponse(content, status)


def proxy_page(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """What nginx says when it answers itself."""
    title = f"{status} {HTTPStatus(status).phrase}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    return HTMLResponse(page + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status, dict(headers or {}))


def login_page() -> Response:
    """The login form, with status 200."""
    return HTMLResponse(LOGIN_PAGE)


def not_found_page() -> Response:
    """Tomcat's page for a path nobody serves."""
    return HTMLResponse(NOT_FOUND_PAGE, 404)
