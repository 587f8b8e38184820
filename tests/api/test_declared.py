"""A route without a declared permission does not start."""

import pytest
from fastapi import APIRouter

from api import app as service
from api import staff
from api.routing import refuse_undeclared
from practice.errors import ConfigurationProblem
from practice.security.installation import Installation


def test_the_service_does_not_start_with_a_route_that_declares_no_permission(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter(prefix="/staff")
    router.include_router(staff.router)
    router.add_api_route("/forgotten", lambda: {"everything": "for everybody"})
    monkeypatch.setattr(service.staff, "router", router)
    with pytest.raises(ConfigurationProblem, match="/staff/forgotten declares no permission"):
        service.create_app(installation)


@pytest.mark.parametrize("kind", ["route", "mount", "websocket"])
def test_the_service_does_not_start_with_an_unknown_kind_of_route(installation: Installation, kind: str) -> None:
    app = service.create_app(installation)
    if kind == "route":
        app.add_route("/raw", lambda request: None)
    elif kind == "mount":
        app.mount("/raw", lambda scope, receive, send: None)
    else:
        app.add_api_websocket_route("/raw", lambda: None)
    with pytest.raises(ConfigurationProblem, match="/raw declares no permission"):
        refuse_undeclared(app)
