"""The version of this program, as roles announce it; pyproject.toml reads it from here."""

VERSION = "0.1.0"
