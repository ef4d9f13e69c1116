"""Conversations: read and delete."""

from __future__ import annotations

from fastapi import APIRouter

from apps.api.deps import CallerDep, LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import ConversationOut, MessageOut

router = APIRouter(prefix="/v1/conversations", tags=["conversations"], responses=RESPONSES)

_MESSAGES = 1000


@router.get("/{conversation_id}")
async def read_conversation(conversation_id: str, library: LibraryDep, caller: CallerDep) -> ConversationOut:
    """Return a conversation's messages, oldest first."""
    turns = await library.memory.recent(conversation_id, caller.principal, _MESSAGES)
    return ConversationOut(id=conversation_id, messages=[MessageOut(role=t.role, content=t.content) for t in turns])


@router.delete("/{conversation_id}", status_code=204)
async def delete_conversation(conversation_id: str, library: LibraryDep, caller: CallerDep) -> None:
    """Delete a conversation."""
    await library.memory.forget(conversation_id, caller.principal)
