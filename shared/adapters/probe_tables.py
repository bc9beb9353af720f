"""What `./baton doctor` tries on the tables: whether they are there, and whether they can be written."""

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from shared.adapters.table_errors import misses_table
from shared.adapters.tables import Table

# Nobody reads this partition.
_PROBE = ("doctor", "probe")


class ProbedTable(Table):
    """A table that is not made by looking at it."""

    async def exists(self) -> bool:
        """Whether it was made yet; reads at most a page of it.

        Raises:
            Retryable, Terminal: It cannot be read.
        """

        async def work(client: TableClient) -> bool:
            try:
                async for _ in client.list_entities(results_per_page=1):
                    break
            except ResourceNotFoundError as error:
                if misses_table(error):
                    return False
                raise
            return True

        return await self._do(work, repeat=True)

    async def try_writing(self) -> None:
        """Writes a row that nobody reads, and deletes it.

        Raises:
            Retryable, Terminal: It cannot be written.
        """

        async def work(client: TableClient) -> None:
            await client.delete_entity(*_PROBE)

        await self.put({"PartitionKey": _PROBE[0], "RowKey": _PROBE[1]})
        await self._do(work, repeat=True)
