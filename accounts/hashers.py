"""Passwords as the earlier system kept them: good for one sign-in, which replaces them by our own."""

import re
from typing import Any

import bcrypt
from django.contrib.auth.hashers import BCryptPasswordHasher

BYTES_READ = 72  # what bcrypt has ever looked at; today's library refuses longer ones instead of cutting them
EARLIER = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


def adopted(encoded: str) -> str:
    """Return an earlier hash, `$2b$12$...`, as Django names it; any other as it is."""
    return f"{EarlierBCryptHasher.algorithm}${encoded}" if EARLIER.fullmatch(encoded) else encoded


class EarlierBCryptHasher(BCryptPasswordHasher):
    """bcrypt as such. Only compared with: whoever signs in gets a new hash of the first hasher."""

    def encode(self, password: str, salt: Any) -> str:
        """Hash what bcrypt looks at of the password."""
        return f"{self.algorithm}${bcrypt.hashpw(password.encode()[:BYTES_READ], salt).decode('ascii')}"

    def verify(self, password: str, encoded: str) -> bool:
        """Compare. A hash that is damaged fits no password."""
        try:
            return super().verify(password, encoded)
        except ValueError:
            return False
