"""Runs the append: takes what waits whenever the writer is free, commits it as one batch, answers after the commit.

There is no timer. While one transaction runs the next batch gathers, so under load batches form by themselves, and an
idle append costs one commit.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.observability.span_names import REPO_APPEND_BATCH
from im_infra.observability.tracing import OFF, Span, Tracer, start_batch
from im_infra.rpc.traced_responder import TracedResponder
from im_infra.sql.errors import DataRejectedError
from im_repo.log import convert
from im_repo.log.append_batch import BatchResult
from im_repo.log.append_queue import Answer, AppendQueue, Waiting
from im_repo.log.batch_store import BatchStore
from im_repo.log.draft import Draft, Outcome, Recheck
from im_repo.log.settings import AppendSettings
from im_repo.outbox.pending import Pending

_LOG: Final = logs.get(__name__)

_OVERLOADED_RETRY_MS: Final = 500


class Appender:
    """The queue in front of the log, and the workers behind it.

    Args:
        store: commits batches.
        pending: counts the confirmations of what was committed.
        settings: sizes.
        metrics: what is counted.
        monotonic: seconds, from which a confirmation is late.
        tracer: records batches with sampled entries in them.
    """

    def __init__(
        self,
        store: BatchStore,
        *,
        pending: Pending,
        settings: AppendSettings,
        metrics: Metrics,
        monotonic: Callable[[], float],
        tracer: Tracer = OFF,
    ) -> None:
        self._store = store
        self._pending = pending
        self._settings = settings
        self._monotonic = monotonic
        self._tracer = tracer
        self._queue = AppendQueue(max_items=settings.queue_items, max_bytes=settings.queue_bytes)
        self._ready = asyncio.Event()
        self._stopped = False
        self._batch_items = metrics.histogram("im_repo_append_batch_items")
        self._stored = metrics.counter("im_repo_appended_total")
        self._refused = metrics.counter("im_repo_append_refused_total")
        self._failed = metrics.counter("im_repo_append_failed_total")
        metrics.gauge("im_repo_append_queue_items").set_function(self._queue.__len__)

    def submit(self, draft: Draft, answer: Answer) -> None:
        """Line a draft up; the answer comes after its commit, or at once if there is no room.

        Drafts of one conversation are stored in the order of the calls.
        """
        if self._stopped:
            answer.fail(_stopping())
        elif self._queue.put(Waiting(draft, answer)):
            self._ready.set()
        else:
            answer.fail(ImError(error_table.OVERLOADED, retry_after_ms=_OVERLOADED_RETRY_MS))

    async def run(self) -> None:
        """Append until cancelled; what then still waits is answered UNAVAILABLE, nothing of it was stored."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._store.lanes):
                    tasks.create_task(self._work(), name=f"repo.append.{number}")
        finally:
            self._stopped = True
            for waiting in self._queue.clear():
                waiting.answer.fail(_stopping())

    async def _work(self) -> None:
        settings = self._settings
        while True:
            while not self._queue.has_ready:
                self._ready.clear()
                await self._ready.wait()
            batch = self._queue.take(max_items=settings.batch_items, max_bytes=settings.batch_bytes)
            try:
                await self._commit(batch)
            finally:
                self._queue.done(batch)
                if self._queue.has_ready:
                    self._ready.set()

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        """Store a batch and answer it; where the data is at fault, halve it until the culprit is alone."""
        if not batch:
            return
        try:
            span = self._span(batch) if self._tracer.is_on else None
            if span is None:
                result = await self._store.store([waiting.draft for waiting in batch])
            else:
                result = await self._store_traced([waiting.draft for waiting in batch], span)
        except DataRejectedError as error:
            await self._halve(batch, error)
        except asyncio.CancelledError:
            self._fail(batch, ImError(error_table.UNAVAILABLE, "this node is stopping; the outcome is unknown"))
            raise
        except ImError as error:
            _LOG.warning("append batch failed", items=len(batch), reason=error.reason.name, error=error.message)
            self._fail(batch, error)
        except Exception as error:  # noqa: BLE001 - a bug that one draft brings up must not fail its neighbours
            _LOG.exception("append batch broke", items=len(batch))
            await self._halve(batch, ImError(error_table.INTERNAL, type(error).__name__))
        else:
            self._answer(batch, result)

    async def _halve(self, batch: Sequence[Waiting], error: ImError) -> None:
        if len(batch) == 1:
            _LOG.error("append failed", conversation_id=batch[0].draft.conversation_id, error=error.message)
            self._fail(batch, error)
            return
        middle = len(batch) // 2
        try:
            await self._commit(batch[:middle])
        except asyncio.CancelledError:
            self._fail(batch[middle:], _stopping())
            raise
        await self._commit(batch[middle:])

    def _span(self, batch: Sequence[Waiting]) -> Span | None:
        """The span of a batch with sampled entries in it: they and it are linked to each other."""
        sampled = [waiting.answer.span for waiting in batch if isinstance(waiting.answer, TracedResponder)]
        if not sampled:
            return None
        span = start_batch(self._tracer, REPO_APPEND_BATCH, [each.context for each in sampled], entries=len(batch))
        for each in sampled:
            each.link(span)
        return span

    async def _store_traced(self, drafts: Sequence[Draft], span: Span) -> BatchResult:
        failed: ImError | None = None
        try:
            with span.active():
                return await self._store.store(drafts, trace=span.context)
        except ImError as error:
            failed = error
            raise
        finally:
            span.end(failed)

    def _answer(self, batch: Sequence[Waiting], result: BatchResult) -> None:
        outbox_id = result.outbox_id
        if outbox_id:
            self._pending.add(outbox_id, result.ranges, now=self._monotonic())
        refused = 0
        for waiting, outcome in zip(batch, result.outcomes, strict=True):
            if isinstance(outcome, ImError):
                refused += 1
                waiting.answer.fail(outcome)
            else:
                waiting.answer.answer(_response(outcome, outbox_id))
        self._batch_items.observe(len(batch))
        self._stored.inc(len(batch) - refused)
        if refused:
            self._refused.inc(refused)

    def _fail(self, batch: Sequence[Waiting], error: ImError) -> None:
        self._failed.inc(len(batch))
        for waiting in batch:
            waiting.answer.fail(error)


def _stopping() -> ImError:
    return ImError(error_table.UNAVAILABLE, "this node is stopping; nothing was stored")


def _response(outcome: Outcome, outbox_id: int) -> bytes:
    assert not isinstance(outcome, ImError)
    if isinstance(outcome, Recheck):
        return convert.recheck_response(outcome)
    return convert.stored_response(outcome, outbox_id)
