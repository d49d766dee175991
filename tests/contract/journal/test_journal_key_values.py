"""Small things kept by name: the first stays where it must, and the last where it may."""

import asyncio

from storecrew.journal.key_values import SqlKeyValues


async def test_what_is_kept_is_found_and_replaced(driver):
    notes = SqlKeyValues(driver.journal.database)
    assert await notes.find("mailbox/x") is None
    await notes.keep("mailbox/x", "1")
    await notes.keep("mailbox/x", "2")
    await notes.keep("mailbox/y", "3")

    assert await notes.find("mailbox/x") == "2"


async def test_of_many_first_ones_all_get_the_same(driver):
    notes = SqlKeyValues(driver.journal.database)
    found = await asyncio.gather(*(notes.keep_first("mail/secret", f"s{n}") for n in range(8)))

    assert len(set(found)) == 1
    assert await notes.find("mail/secret") == found[0]
    assert not await driver.journal.paused()
