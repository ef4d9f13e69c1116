"""Conversations: list and search, read, rename, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from apps.api.deps import CallerDep, LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import (
    ConversationChangeIn,
    ConversationId,
    ConversationOut,
    ConversationsOut,
    FilterText,
    conversation_out,
    conversation_summary_out,
)

router = APIRouter(prefix="/v1/conversations", tags=["conversations"], responses=RESPONSES)

ConversationPath = Annotated[ConversationId, Path(description="The conversation's id.")]


@router.get("")
async def list_conversations(
    library: LibraryDep,
    caller: CallerDep,
    query: Annotated[FilterText, Query(description="What the title or a message must say; case does not matter.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[ConversationId | None, Query(description="`next` of the page before.")] = None,
) -> ConversationsOut:
    """List the caller's conversations, the last used first; `next` of one page is `after` of the following one."""
    found = await library.conversations.list(caller.principal, query=query, limit=limit, after=after or "")
    return ConversationsOut(
        conversations=[conversation_summary_out(each) for each in found],
        next=found[-1].id if len(found) == limit else None,
    )


@router.get("/{conversation_id}")
async def read_conversation(
    conversation_id: ConversationPath, library: LibraryDep, caller: CallerDep
) -> ConversationOut:
    """Return a conversation with its messages, oldest first."""
    return conversation_out(*await library.conversations.read(conversation_id, caller.principal))


@router.patch("/{conversation_id}")
async def rename_conversation(
    conversation_id: ConversationPath, wanted: ConversationChangeIn, library: LibraryDep, caller: CallerDep
) -> ConversationOut:
    """Give a conversation another title."""
    await library.conversations.rename(conversation_id, caller.principal, wanted.title)
    return conversation_out(*await library.conversations.read(conversation_id, caller.principal))


@router.delete("/{conversation_id}", status_code=204)
async def delete_conversation(conversation_id: ConversationPath, library: LibraryDep, caller: CallerDep) -> None:
    """Delete a conversation with all that was said and what was summarised of it."""
    await library.conversations.forget(conversation_id, caller.principal)
