"""A mistake in a service's file is told before the crew does anything."""

import subprocess

from program import PROGRAM, clean_environment


def test_up_with_a_wrong_service_file_touches_nothing(tmp_path):
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "odd.yaml").write_text("id: odd\nexecutable: odd\ncolour: red\n")

    said = subprocess.run(
        [*PROGRAM, "up", "--port", "0"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert said.returncode != 0
    assert "colour" in said.stderr
    assert not (tmp_path / "data").exists()
