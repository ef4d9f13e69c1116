"""Which files need not be read again: by their bytes, and by the recipe, which names all else that shaped them."""

from __future__ import annotations

from dataclasses import replace

from apps.sources import FileList, Indexed, Outcome, Source, identify
from contracts import ParseFailure, SourceState

_LIMITED = frozenset({ParseFailure.ENCRYPTED, ParseFailure.TOO_LARGE})  # other settings may help
_TRY_AGAIN = frozenset({ParseFailure.TIMEOUT, ParseFailure.UNREADABLE, ParseFailure.INTERNAL})
_CHECKED = " checked by "


def checked_recipe(recipe: str, guard: str) -> str:
    """Return the recipe with the version of the guard that checks the passages, in place of the one before."""
    return f"{recipe.partition(_CHECKED)[0]}{_CHECKED}{guard}"


def recipe_of(reason: str | None, recipe: str, limits: str) -> str:
    """Return the recipe of an outcome: what failed was not checked, and only failures for want of a password or of room
    depend on `limits`, the sign of these settings."""
    if reason is None:
        return recipe
    read = recipe.partition(_CHECKED)[0]
    return f"{read} {limits}" if reason in _LIMITED else read


def remembered(source: Source, recipe: str, known: FileList, limits: str, digest: str = "") -> Indexed | None:
    """Return the outcome of a file that need not be read again: known by its fingerprint, or by its digest."""
    state = known.get(source.name)
    if state is None or state.recipe != recipe_of(state.reason, recipe, limits):
        return None
    if not _holds(state, source, known, limits, digest):
        return None
    inside = known.every_inside(source.name)
    return outcome_of(source.collection, state, tuple(outcome_of(source.collection, each) for each in inside))


def checked_otherwise(
    source: Source, recipe: str, known: FileList, limits: str, digest: str = ""
) -> tuple[SourceState, ...]:
    """Return the states of a file that is remembered but for the rules by which its passages were checked, and of all
    inside it: each as it will be once it is checked again, the file's own one last. None for any other file."""
    state = known.get(source.name)
    guard = recipe.partition(_CHECKED)[2]
    if state is None or state.reason or checked_recipe(state.recipe, guard) != recipe:
        return ()
    if not _holds(state, source, known, limits, digest):
        return ()
    inside = (
        each if each.reason else replace(each, recipe=checked_recipe(each.recipe, guard))
        for each in known.every_inside(source.name)
    )
    return *inside, replace(state, recipe=recipe, fingerprint=source.fingerprint)


def outcome_of(collection: str, state: SourceState, members: tuple[Indexed, ...] = ()) -> Indexed:
    """Return the outcome of a file that is in this state since before."""
    if state.reason:
        return Indexed(state.source, Outcome.FAILED, reason=state.reason, message=state.message, members=members)
    return Indexed(state.source, Outcome.UNCHANGED, identify(collection, state.source), members=members)


def _holds(state: SourceState, source: Source, known: FileList, limits: str, digest: str) -> bool:
    """Return whether a file has the bytes that it had, and nothing of it may come out otherwise now."""
    same = digest == state.digest if digest else state.fingerprint and state.fingerprint == source.fingerprint
    if not same or state.reason in _TRY_AGAIN:
        return False
    return not any(_may_come_out_otherwise(member, limits) for member in known.every_inside(source.name))


def _may_come_out_otherwise(member: SourceState, limits: str) -> bool:
    limited = member.reason in _LIMITED and not member.recipe.endswith(f" {limits}")
    return member.reason in _TRY_AGAIN or limited
