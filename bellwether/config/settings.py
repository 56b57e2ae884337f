"""One configuration for all roles: defaults, TOML file, environment, flags, in rising precedence.

Sections are the configuration dataclasses that the roles declare. Unknown names and values that
cannot be read are errors with the source and the nearest known name. Secrets are never shown.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

import msgspec

from bellwether.config.checks import contradiction
from bellwether.config.role_registry import backend_configs, role_configs
from bellwether.config.sections import BackendsConfig, LogConfig, NodeConfig, UpConfig
from bellwether.config.small import SMALL_DEFAULTS
from common.process.alarms.config import AlarmsConfig
from common.settings import Declared, declared

SECTIONS: dict[str, type] = {
    "node": NodeConfig,
    "backends": BackendsConfig,
    "log": LogConfig,
    **backend_configs(),
    "alarms": AlarmsConfig,
    "up": UpConfig,
    **role_configs(),
}
PREFIX = "BELLWETHER_"
SHORT_NAMES = {
    "DATA": ("node", "data"),
    "HOST": ("shepherd", "host"),
    "PORT": ("shepherd", "port"),
    "KEY": ("up", "key"),
}
# read by client commands, by make.py and by tests; never settings
NOT_SETTINGS = frozenset({"CONFIG", "URL", "SERVER", "LAUNCHER", "REAL_DATA", "SERVERS"})
TEST_PREFIX = "TEST_"
DEFAULT_FILE = "bellwether.toml"
FROM_FILE = "_file"  # a secret's name with this names a file that holds the secret
SECRET_FILE_BYTES_MAX = 4_096  # no secret is longer; a wrong path shall not be read whole

_TRUE, _FALSE = {"yes", "on"}, {"no", "off"}
T = TypeVar("T")


class SettingsError(Exception):
    """The configuration cannot be used. The message states where, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One setting with its value and where that came from."""

    section: str
    declared: Declared
    value: object = field(repr=False)  # it may be a secret
    source: str

    @property
    def shown(self) -> str:
        """The value as it may be printed."""
        if self.declared.secret:
            return "(set)" if self.value else "(not set)"
        return render(self.value)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every section, read and checked. `file` is the configuration file, if one was read."""

    sections: Mapping[str, Any]
    resolved: tuple[Resolved, ...]
    file: Path | None

    def section(self, config: type[T]) -> T:
        """The section that is declared by `config`."""
        for value in self.sections.values():
            if isinstance(value, config):
                return value
        raise LookupError(f"{config.__name__} is not a section")

    def secrets(self) -> tuple[str, ...]:
        """The values of all secrets that are set."""
        return tuple(str(r.value) for r in self.resolved if r.declared.secret and r.value)

    def as_environment(self) -> dict[str, str]:
        """The settings that are not defaults, for a child process. Secrets are left out."""
        pairs = {
            f"{PREFIX}{r.section}_{r.declared.name}".upper(): render(r.value)
            for r in self.resolved
            if r.source != "default" and not r.declared.secret
        }
        return {**pairs, f"{PREFIX}CONFIG": ""}


@dataclass(frozen=True, slots=True)
class _Given:
    value: object = field(repr=False)
    source: str


_GivenMap = dict[tuple[str, str], _Given]


def load(
    flags: Mapping[tuple[str, str], object],
    environ: Mapping[str, str],
    folder: Path,
    file: Path | None = None,
) -> Settings:
    """Read the configuration. `flags` maps (section, name) to values from the command line.

    `file`: the configuration file; without it BELLWETHER_CONFIG, then `bellwether.toml` in
    `folder` if it is there. Raises SettingsError.
    """
    file = file or _find_file(environ, folder)
    given: _GivenMap = {}
    if file is not None:
        given.update(_read_file(file))
    given.update(_read_environment(environ))
    for (section, name), value in flags.items():
        given[_known(section, name, "command line")] = _Given(value, "command line")
    settings = _build(_read_secret_files(given), file)
    if settings.section(UpConfig).small:
        smaller = {path: _Given(value, "up.small") for path, value in SMALL_DEFAULTS.items()}
        settings = _build(_read_secret_files({**smaller, **given}), file)
    problem = contradiction(settings.sections)
    if problem:
        raise SettingsError(problem)
    return settings


def parse_flag(text: str) -> tuple[tuple[str, str], str]:
    """Read `section.name=value`. Raises SettingsError."""
    path, equals, value = text.partition("=")
    section, dot, name = path.strip().partition(".")
    if not equals or not dot:
        raise SettingsError(f"--set {text!r}: write it as section.name=value")
    return _known(section, name, f"--set {path}"), value


def render(value: object) -> str:
    """A value as it is written in the environment."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, (tuple, list)):
        return ",".join(render(item) for item in value)
    return str(value)


def _find_file(environ: Mapping[str, str], folder: Path) -> Path | None:
    named = environ.get(f"{PREFIX}CONFIG")
    if named is not None:
        return Path(named) if named else None
    default = folder / DEFAULT_FILE
    return default if default.exists() else None


def _read_file(file: Path) -> _GivenMap:
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the configuration file {file}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}") from error
    given: _GivenMap = {}
    for section, table in content.items():
        if section not in SECTIONS:
            raise SettingsError(f"{file}: unknown section [{section}]{_nearest(section, SECTIONS)}")
        if not isinstance(table, dict):
            raise SettingsError(f"{file}: {section} must be a table: write [{section}] above it")
        for name, value in table.items():
            given[_known(section, name, str(file))] = _Given(value, str(file))
    return given


def _read_environment(environ: Mapping[str, str]) -> _GivenMap:
    names = {f"{s}_{name}".upper(): (s, name) for s in SECTIONS for name in _names(s)}
    names.update({short: path for short, path in SHORT_NAMES.items() if path[0] in SECTIONS})
    given: _GivenMap = {}
    for variable in sorted(environ, key=lambda v: v[len(PREFIX) :] not in SHORT_NAMES):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in NOT_SETTINGS or name.startswith(TEST_PREFIX):
            continue
        if name not in names:
            raise SettingsError(
                f"unknown environment variable {variable}{_nearest(name, names, PREFIX)}"
            )
        given[names[name]] = _Given(environ[variable], variable)
    return given


def _known(section: str, name: str, where: str) -> tuple[str, str]:
    if section not in SECTIONS:
        raise SettingsError(f"{where}: unknown section {section!r}{_nearest(section, SECTIONS)}")
    names = _names(section)
    if name not in names:
        raise SettingsError(f"{where}: unknown setting {section}.{name}{_nearest(name, names)}")
    return section, name


def _names(section: str) -> list[str]:
    """The settings of a section; a secret can also be given by the name of a file."""
    found = declared(SECTIONS[section])
    return [d.name for d in found] + [d.name + FROM_FILE for d in found if d.secret]


def _read_secret_files(given: _GivenMap) -> _GivenMap:
    """Put what the files hold in the place of their names. Of a secret and its file, the one from
    the source that wins is taken. Raises SettingsError.
    """
    read = dict(given)
    for (section, name), item in given.items():
        secret = name.removesuffix(FROM_FILE)
        if secret == name or not _is_secret(SECTIONS[section], secret):
            continue
        del read[section, name]
        beside = given.get((section, secret))
        if beside is not None and _rank(beside.source) > _rank(item.source):
            continue
        if beside is not None and _rank(beside.source) == _rank(item.source):
            raise SettingsError(f"give {section}.{secret} or {section}.{name}, not both")
        if item.value:
            read[section, secret] = _Given(_secret_in(item), f"{item.source}: {item.value}")
    return read


def _rank(source: str) -> int:
    """How much a source counts: file, environment, command line."""
    return 2 if source == "command line" else 1 if source.startswith(PREFIX) else 0


def _secret_in(item: _Given) -> str:
    try:
        with Path(str(item.value)).expanduser().open("rb") as file:
            text = file.read(SECRET_FILE_BYTES_MAX + 1)
        if len(text) > SECRET_FILE_BYTES_MAX:
            raise SettingsError(f"{item.source}: {item.value} is too long to be a secret")
        return text.decode("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{item.source}: cannot read {item.value}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{item.source}: {item.value} is no text") from error


def _nearest(name: str, known: Any, prefix: str = "") -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f"; did you mean {prefix}{close[0]}?"
    return "; `bellwether settings` lists all"


def _build(given: _GivenMap, file: Path | None) -> Settings:
    sections: dict[str, Any] = {}
    resolved: list[Resolved] = []
    for section, config in SECTIONS.items():
        hints = get_type_hints(config)
        values = {
            name: _convert(item, hints[name], f"{section}.{name}", _is_secret(config, name))
            for (owner, name), item in given.items()
            if owner == section
        }
        try:
            sections[section] = config(**values)
        except ValueError as error:
            sources = sorted({given[section, name].source for name in values})
            raise SettingsError(f"[{section}] {error} (from {', '.join(sources)})") from error
        for item in declared(config):
            source = given[section, item.name].source if item.name in values else "default"
            value = getattr(sections[section], item.name)
            resolved.append(Resolved(section, item, value, source))
    return Settings(sections, tuple(resolved), file)


def _is_secret(config: type, name: str) -> bool:
    return any(d.secret for d in declared(config) if d.name == name)


def _convert(item: _Given, hint: Any, path: str, secret: bool) -> object:
    value = item.value
    if isinstance(value, str):
        if hint is bool and value.lower() in _TRUE | _FALSE:
            value = value.lower() in _TRUE
        elif get_origin(hint) in (tuple, list):
            value = [part.strip() for part in value.split(",") if part.strip()]
        elif value == "" and type(None) in getattr(hint, "__args__", ()):
            value = None
    try:
        return msgspec.convert(value, hint, strict=False, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        shown = "its value" if secret else repr(item.value)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            takes = f"it takes one of {', '.join(hint)}"
        else:
            takes = f"{error}; it takes a value of type {getattr(hint, '__name__', str(hint))}"
        raise SettingsError(f"{item.source}: {path} cannot be {shown}: {takes}") from error


def _decode_path(wanted: type, value: object) -> object:
    if wanted is Path and isinstance(value, str):
        return Path(value).expanduser()
    raise TypeError(f"a setting cannot be of type {wanted}")
