"""Tables of an Azurite, reached as Baton reaches them and with the SDK by itself."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.adapters.tables import TableService
from tests.contract.azurite import own_tables, running_azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection_string:
        yield connection_string


@pytest.fixture
async def service(azurite: str) -> AsyncIterator[TableService]:
    account = own_tables(azurite)
    yield account
    await account.close()
