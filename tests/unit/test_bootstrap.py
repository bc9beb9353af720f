import os
import subprocess
import sys

import pytest

from cli.paths import ROOT

MAIL = {"BATON_EMAIL_FROM": "baton@example.com", "BATON_EMAIL_TO": "ops@example.com"}
SETTINGS = {
    "BATON_TABLES__endpoint": "https://store.table.core.windows.net",
    "BATON_BUS__fullyQualifiedNamespace": "baton.servicebus.windows.net",
}
SCRIPT = """
import sys
from shared.connections import connect
from shared.settings import read_settings
print(type(connect(read_settings()).mailer).__name__, "azure.communication.email" in sys.modules)
"""


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("smtp://127.0.0.1:25", "Smtp False"),
        ("", "NoneType False"),
        ("acs://contoso.communication.azure.com", "Acs True"),
    ],
)
def test_a_mail_service_costs_its_import_only_where_it_is_used(url, told):
    ours = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
    environment = {**ours, **SETTINGS, **MAIL, "BATON_EMAIL_URL": url}

    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.strip() == told


def test_indexing_the_app_imports_no_sdk_but_that_of_functions():
    # They cost a second, at every cold start, before the index is told; triggers import them on first use.
    heavy = ("aiohttp", "azure.core", "azure.data", "azure.identity", "azure.servicebus", "jinja2")
    script = f"import sys, function_app; print([name for name in {heavy} if name in sys.modules])"

    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"


def test_where_triggers_will_run_the_sdk_of_the_tables_is_imported_before_the_first_one():
    script = (
        "import sys, threading, function_app\n"
        "[one.join() for one in threading.enumerate() if one.name == 'import-ahead']\n"
        "print('azure.data.tables' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"BATON_TABLES__endpoint": "https://example.table.core.windows.net"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.strip() == "True"
