"""What the owner may say about mail, and what is refused before anything is sent."""

import pytest

from storecrew.app import load_settings
from storecrew.app.redaction import Redactor, secrets_of
from storecrew.domain.errors import InvalidSettings


def problems(**mail):
    with pytest.raises(InvalidSettings) as wrong:
        load_settings(flags={"mail": mail}, environ={})
    return " ".join(wrong.value.problems)


def test_nothing_set_is_off():
    settings = load_settings(environ={}).mail
    assert not settings.sends
    assert not settings.reads
    assert settings.shop_name == "storecrew"


def test_a_password_comes_from_the_environment_and_is_masked_everywhere(tmp_path):
    environ = {
        "STORECREW_MAIL__SMTP__HOST": "smtp.shop.example",
        "STORECREW_MAIL__SMTP__PASSWORD": "hunter2hunter2",
        "STORECREW_MAIL__SENDER": "shop@shop.example",
    }
    settings = load_settings(environ=environ, directory=tmp_path)

    assert settings.mail.smtp.password.get_secret_value() == "hunter2hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in Redactor(secrets_of(settings)).text("login hunter2hunter2 failed")


@pytest.mark.parametrize(
    ("mail", "about"),
    [
        ({"smtp": {"host": "smtp.x.example"}}, "sender"),
        ({"sender": "no address"}, "is not an address"),
        ({"sender": "a@b.example\r\nBcc: x@y.z"}, "is not an address"),
        ({"reply_to": "x"}, "is not an address"),
        ({"shop": "Tea\nBcc: x"}, "plain text"),
        ({"public_url": "shop.example"}, "https://shop.example"),
        ({"public_url": "http://shop.example"}, "over https alone"),
        ({"public_url": "https://shop.example/?x=1"}, "https://shop.example"),
        (
            {"sender": "a@b.example", "smtp": {"host": "smtp.x.example", "security": "plain"}},
            "plain is for this machine",
        ),
        ({"imap": {"host": "imap.x.example", "security": "plain"}}, "plain is for this machine"),
        ({"smtp": {"port": 0}}, "port"),
        ({"imap": {"poll_seconds": 0}}, "poll_seconds"),
        ({"smtp": {"hots": "x"}}, "did you mean 'host'"),
    ],
)
def test_what_would_not_work_or_not_be_safe_is_refused(mail, about):
    assert about in problems(**mail)


def test_plain_is_for_this_machine_or_where_it_was_asked_for():
    here = {"sender": "a@b.example", "smtp": {"host": "127.0.0.1", "security": "plain"}}
    away = {"host": "smtp.x.example", "security": "plain", "allow_plain": True}
    for smtp in (here["smtp"], away):
        settings = load_settings(flags={"mail": {**here, "smtp": smtp}}, environ={})
        assert settings.mail.sends


def test_a_wrong_password_setting_is_not_repeated_in_the_message():
    assert "hunter2" not in problems(smtp={"password": ["hunter2"]})
