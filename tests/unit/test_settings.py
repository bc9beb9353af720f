from datetime import timedelta

import pytest

from cli.paths import ROOT
from shared.domain.errors import InvalidInput
from shared.domain.mode import Mode
from shared.settings import read_settings

REQUIRED = {
    "BATON_TABLES__endpoint": "https://store.table.core.windows.net",
    "BATON_BUS__fullyQualifiedNamespace": "baton.servicebus.windows.net",
}


def problems(environment):
    with pytest.raises(InvalidInput) as caught:
        read_settings(environment)
    return {problem.field: problem for problem in caught.value.problems}


def test_the_defaults_are_those_of_the_contract():
    settings = read_settings(REQUIRED)

    assert settings.subscriptions == ()
    assert settings.arm_url == "https://management.azure.com"
    assert settings.table_prefix == "Baton"
    assert (settings.jobs_queue, settings.alerts_queue) == ("redeploy-jobs", "alerts")
    assert (settings.discovery_schedule, settings.sweep_schedule) == (
        "0 */5 * * * *",
        "30 * * * * *",
    )
    assert settings.patch_schedule == "0 20 */2 * * *"
    assert settings.check_interval == timedelta(seconds=30)
    assert settings.redeploy_timeout == timedelta(hours=2)
    assert settings.retry_delay == timedelta(minutes=15)
    assert settings.alert_digest == timedelta(minutes=2)
    assert settings.mode is Mode.DRY_RUN
    assert settings.email_url == ""


def test_events_go_by_https_and_neither_their_address_nor_their_secret_is_ever_shown():
    secret = "whsec_" + "A" * 43 + "="
    good = {"BATON_EVENTS_URL": "https://h.example.com/?code=k3y", "BATON_EVENTS_SECRET": secret}

    settings = read_settings(REQUIRED | good)
    named = problems(
        REQUIRED
        | {"BATON_EVENTS_URL": "http://h.example.com/?code=k3y", "BATON_EVENTS_SECRET": "hush-hush"}
    )

    assert settings.events_url == good["BATON_EVENTS_URL"]
    assert "k3y" not in repr(settings)
    assert secret not in repr(settings)
    assert {field: problem.value for field, problem in named.items()} == {
        "BATON_EVENTS_URL": "(not shown)",
        "BATON_EVENTS_SECRET": "(not shown)",
    }


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "whsec_!", "c2VjcmV0" * 4])
def test_a_secret_is_long_enough_and_spelt_as_standard_webhooks_has_it(secret):
    assert list(problems(REQUIRED | {"BATON_EVENTS_SECRET": secret})) == ["BATON_EVENTS_SECRET"]


def test_every_bad_or_missing_setting_is_named_at_once():
    named = problems(
        {
            "BATON_SUBSCRIPTIONS": "mine",
            "BATON_ARM_URL": "http://example.com",
            "BATON_CHECK_INTERVAL": "soon",
            "BATON_MODE": "Live",
            "BATON_EMAIL_URL": "smtp://mail.example.com:25",
            "BATON_DISCOVERY_SCHEDULE": "*/5 * * * *",
            "BATON_TABLE_PREFIX": "my-app",
        }
    )

    assert set(named) == {
        "BATON_SUBSCRIPTIONS",
        "BATON_ARM_URL",
        "BATON_CHECK_INTERVAL",
        "BATON_MODE",
        "BATON_EMAIL_FROM",
        "BATON_EMAIL_TO",
        "BATON_DISCOVERY_SCHEDULE",
        "BATON_TABLE_PREFIX",
        "BATON_TABLES__endpoint",
        "BATON_BUS__fullyQualifiedNamespace",
    }


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:1", "[::1]:8080"])
def test_plain_http_is_for_loopback_with_a_static_token(host):
    settings = read_settings({**REQUIRED, "BATON_ARM_URL": f"http://{host}/"})

    assert settings.arm_url == f"http://{host}"
    assert settings.arm_token


def test_a_real_resource_manager_is_never_shown_a_static_token():
    assert read_settings({**REQUIRED, "BATON_ARM_TOKEN": "x"}).arm_token == ""


def test_secrets_do_not_show():
    settings = read_settings(
        {
            "BATON_TABLES": "AccountName=a;AccountKey=SECRET1;",
            "BATON_BUS": "Endpoint=sb://x;SharedAccessKey=SECRET2",
            "BATON_EMAIL_URL": "smtps://me:SECRET3@mail.example.com",
            "BATON_EMAIL_FROM": "baton@example.com",
            "BATON_EMAIL_TO": "ops@example.com",
        }
    )

    assert "SECRET" not in repr(settings)


def test_a_wrong_mail_url_is_named_without_its_password():
    (problem,) = problems(
        {**REQUIRED, "BATON_EMAIL_URL": "imap://me:SECRET@mail.example.com"}
    ).values()

    assert "SECRET" not in str(problem)


def test_a_password_is_never_sent_in_the_clear():
    assert "BATON_EMAIL_URL" in problems(
        {**REQUIRED, "BATON_EMAIL_URL": "smtp://me:SECRET@mail.example.com"}
    )


MAIL = {"BATON_EMAIL_FROM": "baton@example.com", "BATON_EMAIL_TO": "ops@example.com"}


@pytest.mark.parametrize(
    "url", ["acs://contoso.europe.communication.azure.com", "acs://127.0.0.1:8025"]
)
def test_communication_services_is_named_by_its_host(url):
    assert read_settings({**REQUIRED, **MAIL, "BATON_EMAIL_URL": url}).email_url == url


@pytest.mark.parametrize(
    "url",
    [
        "acs://evil.example.com",  # would be shown the identity's token
        "acs://communication.azure.com.example.com",
        "acs://key@contoso.communication.azure.com",
        "acs://contoso.communication.azure.com/emails",
        "acs://contoso.communication.azure.com:8443",
        "http://contoso.communication.azure.com",
        "acs://",
    ],
)
def test_the_identity_is_shown_to_communication_services_alone_and_over_tls(url):
    problem = problems({**REQUIRED, **MAIL, "BATON_EMAIL_URL": url})["BATON_EMAIL_URL"]

    assert "acs://NAME.communication.azure.com" in problem.expected
    assert "key@" not in str(problem)


def test_every_setting_is_described():
    asked: set[str] = set()

    class Environment(dict[str, str]):
        def get(self, name, default=None):
            asked.add(name)
            return super().get(name, default)

    # Plain http on loopback, so that the static token is asked for too.
    read_settings(Environment({**REQUIRED, "BATON_ARM_URL": "http://127.0.0.1:1"}))

    described = (ROOT / "docs/settings.md").read_text()
    assert {name for name in asked if f"`{name}`" not in described} == set()


@pytest.mark.parametrize("text", ["key", "Entra"])
def test_people_are_let_in_by_key_or_by_entra(text):
    assert read_settings({**REQUIRED, "BATON_SIGN_IN": text}).sign_in == text.lower()


def test_another_way_in_is_refused_by_name():
    assert set(problems({**REQUIRED, "BATON_SIGN_IN": "anybody"})) == {"BATON_SIGN_IN"}


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ({}, ""),
        (
            {"WEBSITE_HOSTNAME": "baton.azurewebsites.net"},
            "https://baton.azurewebsites.net/api/page",
        ),
        ({"WEBSITE_HOSTNAME": "localhost:7071"}, "http://localhost:7071/api/page"),
        ({"WEBSITE_HOSTNAME": "x/y?z"}, ""),
        (
            {"WEBSITE_HOSTNAME": "a.net", "BATON_PAGE_URL": "https://baton.example.com/p"},
            "https://baton.example.com/p",
        ),
    ],
)
def test_the_page_is_where_azure_serves_the_app_unless_it_is_said_to_be_elsewhere(given, page):
    assert read_settings({**REQUIRED, **given}).page_url == page


def test_a_page_that_is_not_served_safely_is_refused():
    wrong = problems({**REQUIRED, "BATON_PAGE_URL": "http://baton.example.com"})

    assert set(wrong) == {"BATON_PAGE_URL"}
