"""Fixtures of the embedded servers that tests of the store start and break."""

from tests.support.harness.embedded import home, server, template

__all__ = ["home", "server", "template"]
