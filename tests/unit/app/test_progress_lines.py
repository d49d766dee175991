"""Where no terminal is watched, long work still says what it is doing."""

import pytest

from storecrew.cli.output import progress_bar


def test_each_kind_of_work_is_named_as_it_begins_and_at_each_tenth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress_bar(quiet=False, lines=True) as report:
        report("Loading", 0, None)
        for done in range(21):
            report("Counting", done, 20)

    lines = capsys.readouterr().err.splitlines()
    tenths = [f"Counting: {done} of 20" for done in range(2, 21, 2)]
    assert lines == ["Loading ...", "Counting ...", *tenths]


@pytest.mark.parametrize(("quiet", "lines"), [(True, True), (False, False)])
def test_nothing_is_printed_where_nobody_asked(
    capsys: pytest.CaptureFixture[str], quiet: bool, lines: bool
) -> None:
    with progress_bar(quiet=quiet, lines=lines) as report:
        report("Counting", 1, 2)

    assert capsys.readouterr().err == ""
