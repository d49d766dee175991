"""The collector of garbage rests while a command starts, and works again when it serves."""

import gc

import pytest

from storecrew.app.gc_tuning import set_start_up_aside
from storecrew.cli.startup import uncollected


@pytest.fixture(autouse=True)
def collector():
    levels = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*levels)
    gc.enable()


def test_the_collector_rests_until_the_command_has_been_brought_into_being():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_wakes_also_where_the_start_failed():
    with pytest.raises(ValueError, match="no"), uncollected():
        raise ValueError("no")
    assert gc.isenabled()


def test_what_serves_has_it_back_when_it_is_ready_and_without_what_start_up_made():
    with uncollected():
        set_start_up_aside()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0


def test_who_had_put_it_to_rest_before_finds_it_so():
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()
