"""Signed short-lived access tokens, and random secrets of which only a hash is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt

from practice.errors import Refusal
from practice.security.encryption import MasterKey

ALGORITHM = "HS256"
AUDIENCE = "caseload-api"
ISSUER = "caseload"
TYPE = "at+jwt"
ACCESS_LIFETIME = timedelta(minutes=15)


class NotSignedIn(Refusal):
    """The request has no valid access token or no live session.

    Fix: refresh the tokens, or sign in again.
    """

    code = "UNAUTHORIZED"
    status = 401


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The session and account that an access token names."""

    session_id: UUID
    account_id: UUID


class AccessTokens:
    """The issuer of access tokens. They only name a session; its permissions are looked up on every request."""

    def __init__(self, master: MasterKey) -> None:
        self._key = master.derive("access tokens")
        self.key_id = hashlib.sha256(b"kid" + self._key).hexdigest()[:16]

    def sign(self, claims: AccessClaims, now: datetime) -> str:
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": str(claims.account_id),
                "sid": str(claims.session_id),
                "iat": int(now.timestamp()),
                "exp": int((now + ACCESS_LIFETIME).timestamp()),
            },
            self._key,
            algorithm=ALGORITHM,
            headers={"kid": self.key_id, "typ": TYPE},
        )

    def read(self, token: str, now: datetime) -> AccessClaims:
        """Return the claims of a valid access token, or raise NotSignedIn."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or header.get("kid") != self.key_id:
                raise jwt.InvalidTokenError("header")
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # times are checked against `now` below
                options={
                    "require": ["exp", "iat", "sub", "sid"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "strict_aud": True,
                },
            )
            exp, iat = claims["exp"], claims["iat"]
            if type(exp) is not int or type(iat) is not int or not iat - 60 <= now.timestamp() < exp:
                raise jwt.ExpiredSignatureError("time")
            return AccessClaims(UUID(claims["sid"]), UUID(claims["sub"]))
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise NotSignedIn(
                "Your access token is missing, invalid or expired. Refresh it, or sign in again."
            ) from None


def generate_secret() -> tuple[str, bytes]:
    """Return a new secret and the hash to store. 256 random bits need no slow hash."""
    secret = secrets.token_urlsafe(32)
    return secret, hash_secret(secret)


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
