"""Fixtures: embedded servers that the tests of the store start and break."""

from tests.support.harness.embedded import home, server, template

__all__ = ["home", "server", "template"]
