"""Descriptions of services: the seed's file as it stands, and what is refused."""

from pathlib import Path

import pytest

from storecrew.app.service_files import read_services
from storecrew.app.settings import load_settings
from storecrew.domain.control.services import ServiceSpec
from storecrew.domain.errors import InvalidInput, InvalidSettings
from storecrew.supervisor import LaunchEnvironment
from support.shared_cases import shared_case

SEED = """\
# services/my-service.yaml
id: my-service
name: My AI Service
type: ai-agent
executable: python /path/to/my_service.py
health_endpoint: http://localhost:8001/health
api_endpoint: http://localhost:8001
auto_start: true
restart_policy:
  max_retries: 3
  backoff_seconds: 30
resources:
  max_memory: 512MB
  max_cpu: 25%
environment:
  SERVICE_PORT: "8001"
  LOG_LEVEL: "INFO"
"""


def test_r081_seed_service_file_loads_verbatim(tmp_path: Path) -> None:
    (tmp_path / "my-service.yaml").write_text(SEED)
    (spec,) = read_services(tmp_path)
    assert (spec.id, spec.name, spec.type) == ("my-service", "My AI Service", "ai-agent")
    assert spec.executable == "python /path/to/my_service.py"
    assert spec.auto_start
    assert (spec.restart_policy.max_retries, spec.restart_policy.backoff_seconds) == (3, 30)
    assert (spec.resources.max_memory, spec.resources.max_cpu) == ("512MB", "25%")
    assert spec.environment == {"SERVICE_PORT": "8001", "LOG_LEVEL": "INFO"}


def test_r077_config_table_of_the_seed_is_read(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "orchestrator.yaml").write_text(
        'orchestrator:\n  host: "127.0.0.1"\n  port: 8000\n  log_level: "INFO"\n'
        '  data_dir: "./data"\n  log_dir: "./logs"\n  services_dir: "./services"\n'
        "monitoring:\n  interval: 31\n  timeout: 11\n  enabled: true\n"
        "recovery:\n  enabled: true\n  max_retries: 4\n  backoff_seconds: 32\n"
        'api:\n  cors_origins:\n    - "http://localhost:3000"\n  api_key: null\n'
        '  rate_limit: 100\ndatabase:\n  path: "./data/registry.db"\n'
    )
    settings = load_settings(environ={}, directory=tmp_path)
    assert (settings.monitoring.interval, settings.monitoring.timeout) == (31, 11)
    assert (settings.recovery.max_retries, settings.recovery.backoff_seconds) == (4, 32)
    assert settings.orchestrator.services_dir == Path("services")


def test_every_problem_of_every_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: a\nexecutable: x\nmax_memory: 5\nauto_start: maybe\n")
    (tmp_path / "b.yaml").write_text("id: orchestrator\nexecutable: x\n")
    (tmp_path / "c.yaml").write_text("executable: x\n")
    with pytest.raises(InvalidSettings) as caught:
        read_services(tmp_path)
    found = "\n".join(caught.value.problems)
    assert "a.yaml: max_memory: is no key of a service" in found
    assert "a.yaml: auto_start:" in found
    assert "b.yaml: id: 'orchestrator' is a name of storecrew's own" in found
    assert "c.yaml: id:" in found


def test_two_files_with_one_id_and_circles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: a\nexecutable: x\n")
    (tmp_path / "b.yaml").write_text("id: a\nexecutable: y\n")
    with pytest.raises(InvalidSettings, match="another file describes 'a'"):
        read_services(tmp_path)
    (tmp_path / "a.yaml").write_text("id: a\nexecutable: x\ndepends_on: [b]\n")
    (tmp_path / "b.yaml").write_text("id: b\nexecutable: y\ndepends_on: [a]\n")
    with pytest.raises(InvalidSettings, match="wait for each other"):
        read_services(tmp_path)


def test_a_folder_that_is_not_there_describes_nothing(tmp_path: Path) -> None:
    assert read_services(tmp_path / "none") == []


def surroundings(**variables: str) -> LaunchEnvironment:
    environ = {"PATH": "/bin", "HOME": "/h", "SECRET": "x"}
    return LaunchEnvironment.of("folder", environ, variables.get)


def test_p25_variables_are_put_in_word_by_word_and_never_split() -> None:
    spec = ServiceSpec(
        id="s", executable="run ${ARGUMENT} '${ARGUMENT} b'", environment={"A": "x${ARGUMENT}"}
    )
    launch = surroundings(ARGUMENT="one; two").launch(spec, "n")
    assert launch.command == ["run", "one; two", "one; two b"]
    assert launch.environment["A"] == "xone; two"
    assert launch.environment["SUPERVISED_AS"] == "folder/s/n"
    assert "SECRET" not in launch.environment


def test_p25_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(InvalidInput, match="NONE is not set"):
        surroundings().check(ServiceSpec(id="s", executable="x", environment={"A": "${NONE}"}))


WRITTEN = [
    "0027",
    "0755",
    "0x1F",
    "1_000",
    "+49",
    "-0",
    "0b101",
    "007",
    "8001",
    "0o17",
    "00",
    "-12",
]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("style", ["NUMBER: {}", "{{NUMBER: {}, OTHER: x}}", "'NUMBER': {}"])
def test_a_number_in_the_environment_stays_as_it_is_written(
    tmp_path: Path, written: str, style: str
) -> None:
    line = style.format(written)
    place = line if line.startswith("{") else f"\n  {line}"
    (tmp_path / "a.yaml").write_text(f"id: a\nexecutable: sleep 1\nenvironment: {place}\n")
    (spec,) = read_services(tmp_path)
    assert spec.environment["NUMBER"] == written


@pytest.mark.parametrize("value", ["1.0", "1.5e+3", "yes", "null", ".inf", "[1]", "{a: 1}"])
def test_what_yaml_takes_for_something_else_is_refused_by_name(tmp_path: Path, value: str) -> None:
    (tmp_path / "a.yaml").write_text(
        f"id: a\nexecutable: sleep 1\nenvironment:\n  VALUE: {value}\n"
    )
    with pytest.raises(InvalidSettings, match=r"environment\.VALUE"):
        read_services(tmp_path)


def test_dates_and_merged_numbers_keep_their_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "id: a\nexecutable: sleep 1\nenvironment:\n  <<: {MASK: 0027}\n  DAY: 2026-11-30\n"
    )
    (spec,) = read_services(tmp_path)
    assert spec.environment == {"MASK": "0027", "DAY": "2026-11-30"}


def test_the_shared_octal_case_keeps_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(shared_case("services/34-octal.yaml").read_text())
    (spec,) = read_services(tmp_path)
    assert spec.environment == {
        "UMASK": "0027", "FILE_MODE": "0755", "LICENCE": "0x1F", "BIG": "1_000", "PIN": "+49",
    }  # fmt: skip


def test_a_health_convention_is_one_of_two(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("id: a\nexecutable: sleep 1\nhealth_status: any-2xx\n")
    (spec,) = read_services(tmp_path)
    assert spec.health.status == "any-2xx"
    file.write_text("id: a\nexecutable: sleep 1\nhealth_status: up\n")
    with pytest.raises(InvalidSettings, match="health_status"):
        read_services(tmp_path)


@pytest.mark.parametrize("name", ["orchestrator", "orchestrator-2", "Orchestrator-17", "logs"])
def test_a_service_cannot_take_the_name_of_a_log(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(f"id: {name}\nexecutable: sleep 1\n")
    with pytest.raises(InvalidSettings, match="a name of storecrew's own"):
        read_services(tmp_path)
