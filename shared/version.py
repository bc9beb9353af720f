"""Baton's own version, as pyproject.toml has it; that file is not deployed."""

VERSION = "0.1.0"
