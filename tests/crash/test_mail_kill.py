"""kill -9 of the process that sends a campaign: nobody twice, nobody who opted out."""

from storecrew.testing.live.mail_test import MailTrial, deliver


async def test_r123_nobody_is_written_to_twice_though_the_sender_is_killed_half_way(tmp_path):
    trial = MailTrial(recipients=1_500, kills=(0.3, 0.6))

    found = await deliver(tmp_path, trial)

    report, arrived = found.report, len(found.inboxes.taken)
    assert found.twice == []
    assert found.unwanted == []
    assert report.queued == 1_500
    assert report.waiting == report.sending == 0
    assert report.sent + report.failed + report.suppressed + report.unknown == report.queued
    assert report.failed + report.unknown >= 70  # a twentieth has no mailbox
    assert report.failed <= len(found.inboxes.refused) <= report.failed + report.unknown
    assert max(found.inboxes.refused.values()) == 1
    assert report.suppressed >= len(found.out_before | found.out_later) > 30
    assert report.sent <= arrived <= report.sent + report.unknown
    assert report.unknown <= 2 * 32  # what was taken out when it was killed
