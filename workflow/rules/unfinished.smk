# Jobs that failed or were killed in an earlier run. No rules here.
#
# Snakemake takes away the outputs of a job that failed and forgets it. Where everything
# behind it still stands from before, a second run would say "Nothing to be done" and end
# well, with the old table: a missing file between others is no reason to make it. Here a
# failed job keeps the mark of one that was started and not finished, and such a mark
# counts for lost files too; `rerun-incomplete` in the profiles runs what has it.

from snakemake.jobs import Job
from snakemake.persistence import PersistenceBase


def keep_mark(cleanup):
    """Mark a failed job as unfinished, after its outputs were taken away."""

    @functools.wraps(cleanup)
    async def marked(self, skip_outputs):
        await cleanup(self, skip_outputs)
        self.dag.workflow.persistence.started(self)

    return marked


def with_lost(incomplete):
    """Count outputs that are marked and lost as incomplete, too."""

    @functools.wraps(incomplete)
    async def found(self, job):
        marked = self._filter_incomplete_keys([self._get_key(f) for f in job.output])
        return await incomplete(self, job) or (list(job.output) if marked else [])

    return found


if not hasattr(Job.cleanup, "__wrapped__"):
    Job.cleanup = keep_mark(Job.cleanup)
    PersistenceBase.incomplete = with_lost(PersistenceBase.incomplete)
