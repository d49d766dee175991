"""kill -9 of a whole server under load: what it answered is kept, once, and all runs end."""

from storecrew.testing.live.crash_test import CrashPlan, run_crash_test
from storecrew.testing.live.load import Load


async def test_nothing_answered_is_lost_or_doubled_when_the_server_is_killed(tmp_path):
    crashes = CrashPlan(kills=3, latest=0.8, quiet_seconds=1.2, settle_within=60)

    survival = await run_crash_test(
        tmp_path, crashes, Load(think_seconds=0.1, events_per_second=60)
    )

    assert survival.heard.wrong == []
    assert survival.account.lost == []
    assert survival.account.doubled == []
    assert survival.account.unfinished == []
    assert survival.account.failed == []
    assert survival.problems == []
    assert survival.exit_code == 0
    assert len(survival.heard.orders) > 20
    assert len(survival.heard.events) > 20
