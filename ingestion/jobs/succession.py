"""Which of two jobs for one source counts."""

from __future__ import annotations

from contracts import Job, JobState


def supersedes(later: Job, job: Job) -> bool:
    """Return whether `later` brings the same source after `job`, and was not cancelled."""
    same = (later.collection, later.source) == (job.collection, job.source)
    return same and later.created_at > job.created_at and later.state is not JobState.CANCELLED
