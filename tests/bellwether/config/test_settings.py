"""Settings: rising precedence, clear errors, and secrets that stay secret."""

import socket
from pathlib import Path

import pytest

from bellwether.config import docs
from bellwether.config.sections import LogConfig, NodeConfig, UpConfig
from bellwether.config.settings import SECTIONS, Settings, SettingsError, load, parse_flag
from bellwether.supervisor.child import child_environment
from common.metadata.mysql.config import MysqlConfig
from common.settings import declared
from shepherd.config import ShepherdConfig


def read(
    tmp_path: Path,
    toml: str = "",
    environ: dict[str, str] | None = None,
    flags: dict[tuple[str, str], object] | None = None,
) -> Settings:
    if toml:
        (tmp_path / "bellwether.toml").write_text(toml)
    return load(flags or {}, environ or {}, tmp_path)


def port(settings: Settings) -> int:
    return settings.section(ShepherdConfig).port


def test_flags_win_over_environment_over_file_over_default(tmp_path: Path) -> None:
    toml = "[shepherd]\nport = 1001\n"
    environ = {"BELLWETHER_SHEPHERD_PORT": "1002"}
    assert port(read(tmp_path)) == ShepherdConfig().port
    assert port(read(tmp_path, toml)) == 1001
    assert port(read(tmp_path, toml, environ)) == 1002
    assert port(read(tmp_path, toml, environ, {("shepherd", "port"): "1003"})) == 1003


def test_long_environment_names_win_over_short_ones(tmp_path: Path) -> None:
    environ = {"BELLWETHER_PORT": "1", "BELLWETHER_SHEPHERD_PORT": "2"}
    assert port(read(tmp_path, environ=environ)) == 2
    assert port(read(tmp_path, environ={"BELLWETHER_PORT": "1"})) == 1


def test_every_value_tells_where_it_came_from(tmp_path: Path) -> None:
    settings = read(tmp_path, "[log]\npartitions = 2\n", {"BELLWETHER_DATA": "/d"})
    sources = {f"{r.section}.{r.declared.name}": r.source for r in settings.resolved}
    assert sources["log.partitions"].endswith("bellwether.toml")
    assert sources["node.data"] == "BELLWETHER_DATA"
    assert sources["node.zone"] == "default"
    assert settings.section(NodeConfig).data == Path("/d")


@pytest.mark.parametrize(
    ("toml", "environ", "message"),
    [
        ("[shepard]\nport = 1\n", {}, r"unknown section \[shepard\]; did you mean shepherd"),
        ("[shepherd]\nprot = 1\n", {}, "unknown setting shepherd.prot; did you mean port"),
        ("shepherd = 1\n", {}, "must be a table"),
        ("[shepherd\n", {}, "not valid TOML"),
        ("[shepherd]\nport = 'many'\n", {}, "shepherd.port cannot be 'many'"),
        ("", {"BELLWETHER_PROT": "1"}, "unknown environment variable BELLWETHER_PROT"),
        ("", {"BELLWETHER_NODE_TELEMETRY": "perhaps"}, "node.telemetry cannot be 'perhaps'"),
        ("", {"BELLWETHER_LOG_PARTITIONS": "0"}, "partitions must be between"),
        ("", {"BELLWETHER_CONFIG": "/no/such/file"}, "cannot read the configuration file"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, toml: str, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        read(tmp_path, toml, environ)


def test_flags_for_any_setting_are_checked() -> None:
    assert parse_flag("log.partitions=2") == (("log", "partitions"), "2")
    with pytest.raises(SettingsError, match=r"section\.name=value"):
        parse_flag("partitions")
    with pytest.raises(SettingsError, match="did you mean partitions"):
        parse_flag("log.partition=2")


@pytest.mark.parametrize(("text", "value"), [("on", True), ("no", False), ("1", True)])
def test_switches_can_be_written_as_words(tmp_path: Path, text: str, value: bool) -> None:
    settings = read(tmp_path, environ={"BELLWETHER_UP_TWINS": text})
    assert settings.section(UpConfig).twins is value


def test_secrets_are_neither_shown_nor_handed_to_roles(tmp_path: Path) -> None:
    settings = read(tmp_path, environ={"BELLWETHER_KEY": "secret-secret"})
    assert settings.section(UpConfig).key == "secret-secret"
    assert all("secret-secret" not in r.shown for r in settings.resolved)
    assert "secret-secret" not in repr(settings.section(UpConfig))
    assert "secret-secret" not in str(settings.as_environment())
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, environ={"BELLWETHER_KEY": "se cret secret"})
    assert "cret" not in str(caught.value).replace("secret", "")


def test_roles_read_the_same_settings_as_their_supervisor(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        "[log]\npartitions = 2\n[node]\nzone = 'b'\n[shepherd]\nlinger_ms = 1.5\n",
        flags={("node", "telemetry"): False},
    )
    environ = child_environment({"BELLWETHER_PORT": "1"}, settings.as_environment(), {})
    again = load({}, environ, tmp_path)
    assert again.sections == settings.sections
    assert again.file is None


def test_every_setting_of_every_section_says_what_it_does() -> None:
    for config in SECTIONS.values():
        assert config()
        for item in declared(config):
            assert len(item.help) > 10, item.name
    assert LogConfig().partitions == 4


def test_generated_pages_match_the_declarations() -> None:
    assert docs.out_of_date() == []


def test_secret_can_be_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    path = str(tmp_path / "password")
    settings = read(tmp_path, f"[mysql]\npassword_file = '{path}'\n")
    assert settings.section(MysqlConfig).password == "open sesame"
    again = read(tmp_path, environ={"BELLWETHER_MYSQL_PASSWORD_FILE": path})
    assert again.section(MysqlConfig).password == "open sesame"
    won = read(tmp_path, environ={"BELLWETHER_MYSQL_PASSWORD": "environment"})
    assert won.section(MysqlConfig).password == "environment"
    both = {"BELLWETHER_S3_SECRET_KEY": "a", "BELLWETHER_S3_SECRET_KEY_FILE": path}
    with pytest.raises(SettingsError, match="not both"):
        read(tmp_path, environ=both)
    with pytest.raises(SettingsError, match="cannot read"):
        read(tmp_path, environ={"BELLWETHER_MYSQL_PASSWORD_FILE": f"{path}.no"})
    with pytest.raises(SettingsError, match="unknown"):
        read(tmp_path, environ={"BELLWETHER_MYSQL_USER_FILE": path})


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"BELLWETHER_BACKENDS_LOG": "rabbit"}, "backends.log cannot be 'rabbit'"),
        ({"BELLWETHER_BACKENDS_OBJECTS": "s3"}, r"objects = s3 needs \[s3\] bucket"),
        ({"BELLWETHER_BACKENDS_METADATA": "mysql"}, "metadata = mysql needs"),
        ({"BELLWETHER_BACKENDS_LOCKS": "zookeeper"}, "locks = zookeeper needs"),
        ({"BELLWETHER_S3_ACCESS_KEY": "a"}, "given both or not at all"),
        ({"BELLWETHER_ZOOKEEPER_CA": "/ca.pem"}, "need tls = true"),
    ],
)
def test_cluster_settings_that_cannot_work_are_refused(
    tmp_path: Path, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        read(tmp_path, environ=environ)


def test_address_that_means_all_is_advertised_by_name() -> None:
    assert NodeConfig().advertised_host == "127.0.0.1"
    assert NodeConfig(internal_host="0.0.0.0").advertised_host == socket.gethostname()
    assert NodeConfig(internal_host="0.0.0.0", advertise_host="ix-1").advertised_host == "ix-1"


@pytest.mark.parametrize(
    ("section", "setting"),
    [("kafka", "ca"), ("s3", "ca"), ("mysql", "ca"), ("zookeeper", "cert")],
)
def test_file_of_certificates_that_cannot_be_read_is_named(
    tmp_path: Path, section: str, setting: str
) -> None:
    """Libraries say 'No such file or directory' of it, or that nobody can be reached."""
    there = tmp_path / "there.pem"
    there.touch()
    environment = {
        "BELLWETHER_BACKENDS_LOG": "kafka",
        "BELLWETHER_KAFKA_SECURITY": "ssl",
        "BELLWETHER_BACKENDS_OBJECTS": "s3",
        "BELLWETHER_S3_BUCKET": "bucket",
        "BELLWETHER_BACKENDS_METADATA": "mysql",
        "BELLWETHER_MYSQL_HOST": "db.example.com",
        "BELLWETHER_BACKENDS_LOCKS": "zookeeper",
        "BELLWETHER_ZOOKEEPER_SERVERS": "zk-1:2181",
        "BELLWETHER_ZOOKEEPER_TLS": "true",
        "BELLWETHER_ZOOKEEPER_CERT": str(there),
        "BELLWETHER_ZOOKEEPER_KEY": str(there),
    }
    load({}, environment, tmp_path)
    missing = {f"BELLWETHER_{section.upper()}_{setting.upper()}": "/nowhere/at-all.pem"}
    with pytest.raises(SettingsError, match=rf"\[{section}\] {setting}: cannot read /nowhere"):
        load({}, environment | missing, tmp_path)


def test_choice_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="it takes one of embedded, kafka"):
        load({}, {"BELLWETHER_BACKENDS_LOG": "rabbit"}, tmp_path)
