"""Forged access tokens are refused, and a valid one is accepted."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import httpx2
import pytest

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1
from tests.support.drivers.server import Server

DROP = object()


class Forge:
    """A maker of tokens that are valid except for what a test changes. It has the key, which is the worst case."""

    def __init__(self, practice: PracticeFixture) -> None:
        tokens = practice.installation.tokens
        self.key: bytes = tokens._key
        self.practice = practice
        self.valid = practice.token(now=datetime.now(UTC))
        head, body, _ = self.valid.split(".")
        self.header, self.claims = decode_json(head), decode_json(body)

    def token(self, header: dict[str, Any] | None = None, key: bytes | None = None, **claims: Any) -> str:
        head = drop_missing(self.header | (header or {}))
        body = drop_missing(self.claims | claims)
        signing_input = f"{encode_json(head)}.{encode_json(body)}"
        digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(str(head.get("alg")), hashlib.sha256)
        return f"{signing_input}.{encode_base64(hmac.new(key or self.key, signing_input.encode(), digest).digest())}"

    def unsigned(self, alg: str) -> str:
        return f"{encode_json(self.header | {'alg': alg})}.{encode_json(self.claims)}."

    def pieces(self) -> tuple[str, str, str]:
        head, body, signature = self.valid.split(".")
        return head, body, signature


def drop_missing(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not DROP}


def encode_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def encode_json(value: Any) -> str:
    return encode_base64(json.dumps(value).encode())


def decode_json(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture(scope="module")
def forge(server: Server) -> Forge:
    return Forge(server.create_practice())


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def open_other_session(forge: Forge) -> str:
    other = forge.practice.add("biller")
    return str(forge.practice.tokens(other, datetime.now(UTC)).session_id)


def cut_signature(forge: Forge) -> str:
    head, body, signature = forge.pieces()
    return f"{head}.{body}.{signature[:20]}"


def change_signature(forge: Forge) -> str:
    head, body, signature = forge.pieces()
    return f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def promote(forge: Forge) -> str:
    head, _, signature = forge.pieces()
    return f"{head}.{encode_json(forge.claims | {'roles': ['admin']})}.{signature}"


PEM = (
    b"-----BEGIN PUBLIC KEY-----\n"
    b"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    b"-----END PUBLIC KEY-----\n"
)
FORGED: dict[str, Callable[[Forge], str]] = {
    **{f"alg {alg}": lambda f, alg=alg: f.unsigned(alg) for alg in ("none", "None", "NONE", "nOnE", "", "none ")},
    "alg none, signed": lambda f: f.token({"alg": "none"}),
    "alg missing": lambda f: f.token({"alg": DROP}),
    "alg a list": lambda f: f.token({"alg": ["HS256"]}),
    "alg hs256 in lower case": lambda f: f.token({"alg": "hs256"}),
    "HS256 with another key": lambda f: f.token(key=b"x" * 32),
    "HS256 with an empty key": lambda f: f.token(key=b"\0"),
    "HS256 with the key's name as key": lambda f: f.token(key=f.header["kid"].encode()),
    "HS256 with a public key as key": lambda f: f.token(key=PEM),
    "HS384 with the right key": lambda f: f.token({"alg": "HS384"}),
    "HS512 with the right key": lambda f: f.token({"alg": "HS512"}),
    "RS256 with the key": lambda f: f.token({"alg": "RS256"}),
    "ES256 with the key": lambda f: f.token({"alg": "ES256"}),
    "key of another purpose": lambda f: f.token(key=f.practice.installation.attempt_key),
    "kid missing": lambda f: f.token({"kid": DROP}),
    "kid empty": lambda f: f.token({"kid": ""}),
    "kid another": lambda f: f.token({"kid": "0" * 16}),
    "kid a path": lambda f: f.token({"kid": "../../../../dev/null"}, key=b"\0"),
    "kid SQL": lambda f: f.token({"kid": "x' union select 'secret"}),
    "kid a number": lambda f: f.token({"kid": 1}),
    "kid a list": lambda f: f.token({"kid": [f.header["kid"]]}),
    "jku and jwk": lambda f: f.token({"jku": "http://127.0.0.1/", "jwk": {"kty": "oct", "k": "eA"}}, key=b"x"),
    "crit": lambda f: f.token({"crit": ["unheard-of"], "unheard-of": True}),
    "typ missing": lambda f: f.token({"typ": DROP}),
    "typ JWT": lambda f: f.token({"typ": "JWT"}),
    "typ of a refresh token": lambda f: f.token({"typ": "rt+jwt"}),
    "exp past": lambda f: f.token(exp=now() - 1, iat=now() - 901),
    "exp now": lambda f: f.token(exp=now()),
    "exp missing": lambda f: f.token(exp=DROP),
    "exp null": lambda f: f.token(exp=None),
    "exp a string": lambda f: f.token(exp=str(now() + 600)),
    "exp a float": lambda f: f.token(exp=now() + 600.5),
    "exp infinite": lambda f: f.token(exp=float("inf")),
    "exp true": lambda f: f.token(exp=True),
    "exp a list": lambda f: f.token(exp=[now() + 600]),
    "exp negative": lambda f: f.token(exp=-(10**30)),
    "iat missing": lambda f: f.token(iat=DROP),
    "iat in the future": lambda f: f.token(iat=now() + 3600, exp=now() + 7200),
    "iat a string": lambda f: f.token(iat=str(now())),
    "nbf in the future": lambda f: f.token(nbf=now() + 3600),
    "nbf infinite": lambda f: f.token(nbf=float("inf")),
    "nbf a word": lambda f: f.token(nbf="now"),
    "aud missing": lambda f: f.token(aud=DROP),
    "aud another": lambda f: f.token(aud="caseload-portal"),
    "aud a list": lambda f: f.token(aud=["caseload-api"]),
    "aud a list of several": lambda f: f.token(aud=["other", "caseload-api"]),
    "aud null": lambda f: f.token(aud=None),
    "iss missing": lambda f: f.token(iss=DROP),
    "iss another": lambda f: f.token(iss="caseload "),
    "iss a list": lambda f: f.token(iss=["caseload"]),
    "sid of another account's session": lambda f: f.token(sid=open_other_session(f)),
    "sid of no session": lambda f: f.token(sid="01890000-0000-7000-8000-000000000000"),
    "sid missing": lambda f: f.token(sid=DROP),
    "sid no uuid": lambda f: f.token(sid="1 or 1=1"),
    "sid a number": lambda f: f.token(sid=1),
    "sub of another account": lambda f: f.token(sub=str(f.practice.add("scheduler").account_id)),
    "sub missing": lambda f: f.token(sub=DROP),
    "sub null": lambda f: f.token(sub=None),
    "payload promoted": promote,
    "payload a list": lambda f: f"{encode_json(f.header)}.{encode_json([1])}.{encode_base64(b'x' * 32)}",
    "signature changed": change_signature,
    "signature cut": cut_signature,
    "signature missing": lambda f: ".".join(f.pieces()[:2]) + ".",
    "two parts": lambda f: ".".join(f.pieces()[:2]),
    "four parts": lambda f: f"{f.valid}.{f.pieces()[2]}",
    "two tokens": lambda f: f"{f.valid} {f.valid}",
    "two tokens with a comma": lambda f: f"{f.valid},{f.valid}",
    "header nested without end": lambda f: encode_base64(b'{"alg":' + b"[" * 15000) + ".e30.aaaa",
    "header with an endless number": lambda f: encode_base64(b'{"alg":' + b"9" * 15000 + b"}") + ".e30.aaaa",
    "header a list": lambda f: f"{encode_json(['HS256'])}.{encode_json(f.claims)}.{encode_base64(b'x' * 32)}",
    "refresh token": lambda f: f.practice.tokens(now=datetime.now(UTC)).refresh,
    "a session's id": lambda f: f.claims["sid"],
    "dots": lambda f: "..",
    "quoted": lambda f: f'"{f.valid}"',
}


def test_no_forged_token_is_accepted(http: httpx2.Client, forge: Forge) -> None:
    accepted = {}
    for name, make in FORGED.items():
        answer = http.get(f"{V1}/auth/me", headers={"Authorization": f"Bearer {make(forge)}"})
        if answer.status_code != 401 or answer.headers.get("WWW-Authenticate") != "Bearer":
            accepted[name] = answer.status_code
    assert accepted == {}
    assert http.get(f"{V1}/auth/me", headers={"Authorization": f"Bearer {forge.valid}"}).status_code == 200
    assert http.get(f"{V1}/auth/me", headers={"Authorization": f"Bearer {forge.token()}"}).status_code == 200


def request_status(server: Server, authorization: str) -> int:
    """Return the status for a raw header, which a well-behaved client would trim or refuse."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", f"{V1}/auth/me", headers={"Authorization": authorization})
        return connection.getresponse().status
    finally:
        connection.close()


def test_an_invalid_authorization_header_is_refused(server: Server, http: httpx2.Client, forge: Forge) -> None:
    headers = ["", "Bearer", "Bearer ", "Bearer  ", f"Basic {forge.valid}", f"Token {forge.valid}"]
    headers += [forge.valid, f"Bearer\t{forge.valid}", f"Bearer:{forge.valid}", f"BearerX {forge.valid}"]
    headers += [f"bearer {forge.token(key=b'x' * 32)}", f"Bearer Bearer {forge.valid}", f"Bearer null {forge.valid}"]
    for value in headers:
        assert http.get(f"{V1}/auth/me", headers={"Authorization": value.strip()}).status_code == 401, value
        assert request_status(server, value) == 401, value
    assert http.get(f"{V1}/auth/me").status_code == 401
    assert http.get(f"{V1}/auth/me", params={"access_token": forge.valid}).status_code == 401
    assert http.get(f"{V1}/auth/me", headers={"Cookie": f"access_token={forge.valid}"}).status_code == 401
    # the scheme name is case-insensitive (RFC 9110, 11.1)
    assert http.get(f"{V1}/auth/me", headers={"Authorization": f"bearer {forge.valid}"}).status_code == 200
