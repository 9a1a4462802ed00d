"""Stores a batch: in one round trip where it can, by looking first where it must, again where a COMMIT's outcome is unknown."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from im_infra.errors import ImError
from im_infra.ids.snowflake import Snowflake
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database
from im_infra.sql.errors import DataRejectedError, OutcomeUnknownError, StaleError
from im_repo.log.append_at_once import append_at_once
from im_repo.log.append_batch import BatchResult, BatchTerms, append_batch
from im_repo.log.draft import Draft
from im_repo.log.known_conversations import KnownConversations
from im_repo.outbox.pending import Pending

_LOG: Final = logs.get(__name__)

_UNKNOWN_TRIES: Final = 3
_DELETES_PER_BATCH: Final = 256


class BatchStore:
    """The log's writer; batches of different conversations may be under way side by side.

    Args:
        database: where the log is.
        ids: makes message ids.
        pending: tells which outbox rows are confirmed and go with a batch.
        terms: what holds for all batches.
        metrics: what is counted.
        monotonic: seconds, to time batches.
    """

    def __init__(
        self,
        database: Database,
        *,
        ids: Snowflake,
        pending: Pending,
        terms: BatchTerms,
        metrics: Metrics,
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._ids = ids
        self._pending = pending
        self._terms = terms
        self._monotonic = monotonic
        self._known = KnownConversations()
        self._batch_seconds = metrics.histogram("im_repo_append_batch_seconds")
        self._stale = metrics.counter("im_repo_append_stale_total")

    @property
    def lanes(self) -> int:
        """Batches that the database takes side by side."""
        return self._database.closing_lanes

    async def store(self, drafts: Sequence[Draft], *, trace: bytes = b"") -> BatchResult:
        """Commit drafts, in their order; after a COMMIT whose outcome is unknown again, through lock and dedup.

        What that first COMMIT stored then answers as a duplicate, so that its fan-out is repeated; its outbox row, if
        there is one, is found by its age.

        Args:
            drafts: one or more; no other batch with one of their conversations is under way.
            trace: the batch's span, where an entry is sampled.

        Raises:
            DataRejectedError: one of them is at fault; nothing was stored.
            OutcomeUnknownError: they may be stored.
            ImError: nothing was stored.
        """
        for attempt in range(_UNKNOWN_TRIES):
            confirmed = self._pending.take_done(_DELETES_PER_BATCH)
            started = self._monotonic()
            try:
                result = await self._write(drafts, confirmed, trace=trace)
            except OutcomeUnknownError:
                self._pending.put_back(confirmed)
                if attempt + 1 == _UNKNOWN_TRIES:
                    raise
                _LOG.warning("commit with unknown outcome, looking again", items=len(drafts))
            except ImError as error:
                self._pending.put_back(confirmed)
                # This try left nothing behind; what the one before left is not known, unless the data was refused: it
                # is only looked at where nothing is there.
                if attempt and not isinstance(error, DataRejectedError):
                    raise OutcomeUnknownError(error.message) from error
                raise
            except BaseException:
                self._pending.put_back(confirmed)
                raise
            else:
                self._pending.deleted(confirmed)
                self._batch_seconds.observe(self._monotonic() - started)
                return result
        raise AssertionError("the last attempt returns or raises")

    async def _write(self, drafts: Sequence[Draft], confirmed: Sequence[int], *, trace: bytes) -> BatchResult:
        """Store drafts in one round trip if what is known of their conversations holds; else by looking first.

        What is taken out is given back by what is certainly committed alone: whatever fails is looked at first next time.
        """
        message_ids = self._ids.next_ids(len(drafts))
        unit = partial(
            append_batch, drafts=drafts, message_ids=message_ids, terms=self._terms, confirmed=confirmed, trace=trace
        )
        write_at_once, known = self._database.write_at_once, self._known
        if write_at_once is None:
            return await self._database.write_closing(unit)
        conversations = known.take(drafts)
        result = batch = None
        if conversations is not None:
            batch = append_at_once(
                drafts, conversations, message_ids=message_ids, terms=self._terms, confirmed=confirmed, trace=trace
            )
        if batch is not None:
            try:
                result = batch.answer(await write_at_once(batch.statements))
            except StaleError:
                self._stale.inc()
        if result is None:
            result = await self._database.write_closing(unit)
        known.keep(result.conversations)
        return result
