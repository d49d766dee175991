"""The sender: each email at most once, nobody who must not be written to, counts that add up."""

import asyncio
import socket
from collections import Counter
from datetime import timedelta
from email.message import EmailMessage

import pytest
from mail_scenario import SEALS, mail_scenario, mail_settings
from smtp_server import DROP, OK

from storecrew.domain.errors import InvalidInput, NotFound, StorageBusy
from storecrew.domain.shop.customers import Customer, SetConsent
from storecrew.domain.shop.messages import DeliveryState, MailReport, SuppressAddress
from storecrew.mail.smtp import SmtpResponse, SmtpResult

WAITING, SENT, FAILED = DeliveryState.WAITING, DeliveryState.SENT, DeliveryState.FAILED
SUPPRESSED, UNKNOWN = DeliveryState.SUPPRESSED, DeliveryState.UNKNOWN
TAKEN = SmtpResponse(result=SmtpResult.ACCEPTED, detail="ok")


def added_up(report: MailReport) -> bool:
    parts = (report.waiting, report.sending, report.sent, report.failed, report.suppressed)
    return report.queued == sum(parts) + report.unknown


async def test_r123_campaign_reaches_each_recipient_once():
    bad = {f"c{n:04d}@customer.example" for n in range(1, 201, 20)}
    later = Counter()

    def at_rcpt(address: str) -> str:
        if address in bad:
            return "550 5.1.1 no such user"
        later[address] += 1
        is_first = address.endswith("7@customer.example") and later[address] == 1
        return "451 4.7.1 grey list" if is_first else OK

    async with mail_scenario(at_rcpt=at_rcpt) as scenario:
        everybody = await scenario.add_customers(200)
        refused = await scenario.store.apply(
            SetConsent(customer="c0002", marketing=False), key="out"
        )
        started = await scenario.campaign(everybody)
        await scenario.send_all()
        assert (await scenario.box.report("spring")).waiting == 20
        scenario.clock.at += timedelta(minutes=2)
        await scenario.send_all()
        report = await scenario.box.report("spring")
        again = await scenario.campaign(everybody)

    assert refused.applied
    assert started.after["queued"] == 199
    assert report == MailReport(queued=199, sent=189, failed=10)
    assert set(scenario.server.taken.values()) == {1}
    assert "c0002@customer.example" not in scenario.server.taken
    assert len(scenario.server.taken) == 189
    assert again.code == "already_open"


async def test_r135_opt_out_wins_though_the_message_was_queued_before():
    async with mail_scenario() as scenario:
        everybody = await scenario.add_customers(3)
        await scenario.campaign(everybody)
        await scenario.store.apply(SetConsent(customer="c0002", marketing=False), key="out")
        service = await scenario.queue("c0002")
        await scenario.send_all()
        report = await scenario.box.report("spring")
        state = await scenario.state(service)

    assert report == MailReport(queued=3, sent=2, suppressed=1)
    assert state is SENT  # a message about an order is no marketing
    assert scenario.server.taken["c0002@customer.example"] == 1


async def test_r135_opt_out_holds_within_the_run_of_letters_under_way():
    def one_by_one(port):
        return mail_settings(port, smtp={"rate_per_minute": 60, "concurrency": 1})

    async with mail_scenario(one_by_one) as scenario:
        everybody = await scenario.add_customers(3)
        await scenario.campaign(everybody)
        sender = scenario.sender()
        assert await sender.round() == 1
        await scenario.store.apply(SetConsent(customer="c0002", marketing=False), key="out")
        sender._next = 0.0
        assert await sender.round() == 0
        assert await sender.round() == 1
        sender.request_stop()
        await sender.run()

    assert dict(scenario.server.taken) == {"c0001@customer.example": 1, "c0003@customer.example": 1}


async def test_a_bad_mailbox_is_written_to_no_more():
    async with mail_scenario(at_rcpt=lambda _: "550 5.1.1 no such user") as scenario:
        await scenario.add_customers(1)
        first = await scenario.queue("c0001")
        await scenario.send_all()
        second = await scenario.queue("c0001")
        await scenario.send_all()
        states = [await scenario.box.message(number) for number in (first, second)]

    assert [each.state for each in states] == [FAILED, SUPPRESSED]
    assert "550" in states[0].detail
    assert "nothing is sent to this address" in states[1].detail


async def test_what_must_not_be_sent_is_suppressed_and_says_why():
    async with mail_scenario() as scenario:
        await scenario.add_customers(3)
        gone = await scenario.queue("c0001")
        await scenario.store.apply(
            SuppressAddress(address="c0001@customer.example", reason="complained"), key="s"
        )
        await scenario.store.put_customers([Customer(id="nomail", name="N")])
        no_address = await scenario.queue("nomail")
        odd = Customer(id="odd", name="O", email='"a b"@x.example\r\nBcc: e@v.il')
        await scenario.store.put_customers([odd])
        unusable = await scenario.queue("odd")
        await scenario.send_all()
        found = [await scenario.box.message(n) for n in (gone, no_address, unusable)]

    assert [each.state for each in found] == [SUPPRESSED, SUPPRESSED, FAILED]
    assert "complained" in found[0].detail
    assert "no address" in found[1].detail
    assert "cannot be written to" in found[2].detail
    assert scenario.server.emails == []


async def test_a_letter_of_which_nobody_knows_is_not_sent_again_until_a_person_says_so():
    answers = [DROP, OK]
    async with mail_scenario(at_data=lambda _: answers.pop(0)) as scenario:
        await scenario.add_customers(1)
        number = await scenario.queue("c0001")
        await scenario.send_all()
        assert await scenario.state(number) is UNKNOWN
        scenario.clock.at += timedelta(days=1)
        await scenario.send_all()
        assert len(scenario.server.emails) == 1

        await scenario.box.retry(number, by="person:owner")
        await scenario.send_all()
        assert await scenario.state(number) is SENT
        with pytest.raises(InvalidInput):
            await scenario.box.retry(number, by="person:owner")
        with pytest.raises(NotFound):
            await scenario.box.retry(999, by="person:owner")
    one, two = scenario.server.mails()
    assert one["Message-ID"] == two["Message-ID"]


async def test_what_a_dead_process_was_sending_is_unknown_and_is_not_sent_again():
    async with mail_scenario() as scenario:
        await scenario.add_customers(5)
        numbers = [await scenario.queue(f"c000{n}") for n in range(1, 6)]
        taken_out = await scenario.box.claim(3)  # and then the process is killed
        assert [await scenario.state(n) for n in numbers] == [DeliveryState.SENDING] * 3 + [
            WAITING
        ] * 2
        scenario.clock.at += timedelta(seconds=1)
        await scenario.send_all()
        states = [await scenario.state(n) for n in numbers]
        report = await scenario.box.report()

    assert [email.message_id for email in taken_out] == numbers[:3]
    assert states == [UNKNOWN] * 3 + [SENT] * 2
    assert added_up(report)
    assert len(scenario.server.taken) == 2


async def test_another_process_is_given_time_before_its_letters_count_as_lost():
    async with mail_scenario() as scenario:
        await scenario.add_customers(2)
        number = await scenario.queue("c0001")
        (email,) = await scenario.box.claim(1)
        sender = scenario.sender(alone=False)
        scenario.clock.at += timedelta(minutes=5)
        await sender.round()
        assert await scenario.state(number) is DeliveryState.SENDING
        scenario.clock.at += timedelta(minutes=11)
        await sender.round()
        assert await scenario.state(number) is UNKNOWN
        # it was only slow: what it knows in the end counts
        await scenario.box.record([sender._judged(email, TAKEN)])
        assert await scenario.state(number) is SENT


async def test_what_a_later_try_found_stands_against_an_earlier_one():
    async with mail_scenario() as scenario:
        await scenario.add_customers(1)
        number = await scenario.queue("c0001")
        (first,) = await scenario.box.claim(1)
        scenario.clock.at += timedelta(minutes=1)
        await scenario.box.recover(scenario.clock.at)
        await scenario.box.retry(number, by="person:owner")
        (second,) = await scenario.box.claim(1)
        sender = scenario.sender()
        await scenario.box.record([sender._judged(first, TAKEN)])

        assert second.attempt == 2
        assert await scenario.state(number) is DeliveryState.SENDING


async def test_a_letter_put_off_is_tried_again_ever_more_seldom_and_then_given_up():
    async with mail_scenario(at_rcpt=lambda _: "451 4.3.0 not now") as scenario:
        await scenario.add_customers(1)
        number = await scenario.queue("c0001")
        waits, began = [], scenario.clock.at
        sender = scenario.sender()
        for _ in range(8):
            await sender.round()
            found = await scenario.box.message(number)
            if found.state is not WAITING:
                break
            assert found.at is not None
            waits.append(found.at - scenario.clock.at)
            scenario.clock.at = found.at
        sender.request_stop()
        await sender.run()

    assert waits == sorted(waits)
    assert len(waits) == 7
    assert timedelta(hours=12) < scenario.clock.at - began < timedelta(days=2)
    assert found.state is FAILED
    assert found.attempts == 8


async def test_a_server_that_is_away_costs_no_letter_a_try():
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = free.getsockname()[1]
    async with mail_scenario(lambda _port: mail_settings(nobody)) as scenario:
        await scenario.add_customers(5)
        for n in range(1, 6):
            await scenario.queue(f"c000{n}")
        sender = scenario.sender()
        for _ in range(20):
            await sender.round()
        assert sender._pause(0) == 300.0
        report = await scenario.box.report()
        assert report == MailReport(queued=5, waiting=5)

        scenario.settings = mail_settings(scenario.server.port)
        await scenario.send_all()
        assert (await scenario.box.report()).sent == 5


async def test_marketing_waits_in_quiet_hours_and_without_a_way_to_unsubscribe():
    async with mail_scenario() as scenario:
        await scenario.add_customers(2)
        await scenario.campaign(["c0001"])
        service = await scenario.queue("c0002")
        await scenario.send_all(scenario.sender(is_quiet=lambda _now: True))
        assert (await scenario.box.report("spring")).waiting == 1
        assert await scenario.state(service) is SENT

        bare = scenario.settings.model_copy(update={"public_url": ""})
        scenario.settings, whole = bare, scenario.settings
        await scenario.send_all()
        assert (await scenario.box.report("spring")).waiting == 1

        scenario.settings = whole
        await scenario.send_all()
        assert (await scenario.box.report("spring")).sent == 1


async def test_the_emergency_stop_holds_between_two_letters():
    async with mail_scenario(lambda port: mail_settings(port, smtp={"concurrency": 1})) as scenario:
        await scenario.add_customers(10)
        for n in range(1, 10):
            await scenario.queue(f"c000{n}")

        def stop_after_four(_email):
            scenario.may = len(scenario.server.emails) < 4
            return OK

        scenario.server.at_data = stop_after_four
        await scenario.sender().round()
        report = await scenario.box.report()

    assert report == MailReport(queued=9, sent=4, waiting=5)


async def test_who_is_told_to_end_finishes_the_letter_under_way_and_gives_the_others_back():
    async with mail_scenario(lambda port: mail_settings(port, smtp={"concurrency": 2})) as scenario:
        await scenario.add_customers(9)
        for n in range(1, 10):
            await scenario.queue(f"c000{n}")
        sender = scenario.sender()

        def stop(_email):
            sender.request_stop()
            return OK

        scenario.server.at_data = stop
        await asyncio.wait_for(sender.run(), 10)
        report = await scenario.box.report()
        waiting = (await scenario.box.messages(state=WAITING)).items

    assert report.sending == report.unknown == 0
    assert 1 <= report.sent <= 2
    assert added_up(report)
    assert {each.attempts for each in waiting} == {0}


async def test_old_messages_are_not_sent_when_mail_is_switched_on_but_a_person_may_insist():
    async with mail_scenario() as scenario:
        await scenario.add_customers(1)
        old = await scenario.queue("c0001")
        scenario.clock.at += timedelta(days=30)
        new = await scenario.queue("c0001", title="New")
        await scenario.send_all()
        assert [await scenario.state(n) for n in (old, new)] == [SUPPRESSED, SENT]
        assert "waited since 2026-03-02" in (await scenario.box.message(old)).detail

        await scenario.box.retry(old, by="person:owner")
        await scenario.send_all()
        assert await scenario.state(old) is SENT


async def test_a_result_that_a_busy_database_did_not_take_is_kept_and_no_letter_is_sent_twice():
    async with mail_scenario() as scenario:
        await scenario.add_customers(3)
        for n in range(1, 4):
            await scenario.queue(f"c000{n}")
        sender = scenario.sender()
        real, failing = scenario.box.record, [True]

        class Busy:
            def __getattr__(self, name):
                return getattr(scenario.box, name)

            async def record(self, results):
                if failing[0] and results:
                    raise StorageBusy("orders")
                await real(results)

        sender.box = Busy()
        await sender.round()
        with pytest.raises(StorageBusy):
            await sender.round()
        failing[0] = False
        await sender.round()
        report = await scenario.box.report()

    assert report == MailReport(queued=3, sent=3)
    assert set(scenario.server.taken.values()) == {1}


async def test_letters_go_at_the_pace_that_was_set():
    def slow(port):
        return mail_settings(port, smtp={"rate_per_minute": 1200, "concurrency": 3})

    async with mail_scenario(slow) as scenario:
        await scenario.add_customers(7)
        for n in range(1, 8):
            await scenario.queue(f"c000{n}")
        loop = asyncio.get_running_loop()
        began = loop.time()
        await scenario.send_all()
        took = loop.time() - began

    assert len(scenario.server.emails) == 7
    assert took >= 6 * 60 / 1200


async def test_a_letter_that_came_back_has_failed_and_says_where_it_was_sent():
    async with mail_scenario() as scenario:
        await scenario.add_customers(1)
        number = await scenario.queue("c0001")
        assert await scenario.box.bounced(number, "too early") is None
        await scenario.send_all()
        mail: EmailMessage = scenario.server.mails()[0]
        assert SEALS.number_in(str(mail["Message-ID"])) == number
        assert await scenario.box.bounced(number, "5.1.1 gone") == "c0001@customer.example"
        assert (await scenario.box.message(number)).detail == "came back: 5.1.1 gone"


async def test_who_shares_an_address_is_nobody_in_particular():
    async with mail_scenario() as scenario:
        await scenario.add_customers(2)
        await scenario.store.put_customers(
            [Customer(id=x, name=x, email="Both@customer.example") for x in "ab"]
        )
        assert await scenario.box.find_customer_by_email("C0001@Customer.Example") == "c0001"
        assert await scenario.box.find_customer_by_email("both@customer.example") is None
        assert await scenario.box.find_customer_by_email("nobody@customer.example") is None


async def test_messages_are_listed_by_state_in_pages():
    async with mail_scenario() as scenario:
        await scenario.add_customers(3)
        for n in range(1, 4):
            await scenario.queue(f"c000{n}")
        await scenario.box.claim(1)
        page = await scenario.box.messages(state=WAITING, page=1, per_page=1)
        assert page.total == 2
        assert [each.customer for each in page.items] == ["c0003"]
        assert (await scenario.box.messages(page=9)).items == ()
        with pytest.raises(InvalidInput):
            await scenario.box.messages(page=0)
        with pytest.raises(InvalidInput):
            await scenario.box.messages(per_page=10_000)


async def test_a_letter_that_nobody_thought_of_stops_no_other():
    async with mail_scenario() as scenario:
        await scenario.add_customers(3)
        numbers = [await scenario.queue(f"c000{n}") for n in (1, 2, 3)]
        sender = scenario.sender()
        real, mailer = sender.writer, sender.mailer

        class Writer:
            settings = real.settings

            def compose(self, email):
                if email.message_id == numbers[0]:
                    raise RuntimeError("nobody thought of this")
                return real.compose(email)

        class Mailer:
            def __init__(self):
                self.own = mailer()

            async def send(self, envelope):
                if envelope.recipient.startswith("c0002"):
                    raise RuntimeError("nor of that")
                return await self.own.send(envelope)

            async def close(self):
                await self.own.close()

        sender.writer, sender.mailer = Writer(), Mailer  # type: ignore[assignment]
        await scenario.send_all(sender)

        assert [await scenario.state(n) for n in numbers] == [FAILED, UNKNOWN, SENT]


async def test_the_postman_outlives_whatever_goes_wrong():
    async with mail_scenario() as scenario:
        await scenario.add_customers(1)
        number = await scenario.queue("c0001")
        calls = []

        async def may_send():
            calls.append(1)
            if len(calls) == 1:
                raise RuntimeError("nobody thought of this")
            return True

        running = asyncio.create_task((sender := scenario.sender(may_send=may_send)).run())
        async with asyncio.timeout(10):
            while await scenario.state(number) is not SENT:  # noqa: ASYNC110 - a row tells
                await asyncio.sleep(0.05)
        sender.request_stop()
        await running
