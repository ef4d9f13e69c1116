"""Several processes talk in one conversation and summarise it: no turn is torn, lost, or summarised twice."""

import asyncio
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from apps.database import open_database
from retrieval.sql_conversation_list import SqlConversations
from retrieval.sql_conversations import conversations, messages
from retrieval.sql_memory import SqlMemory

_ROOT = Path(__file__).parents[2]
_PROCESSES, _ROUNDS, _AT_ONCE, _BUDGET = 2, 8, 4, 40
_TALK = """
import asyncio, sys

from apps.database import open_database
from contracts import Message
from retrieval.sql_memory import SqlMemory


class Verbatim:
    async def summarise(self, summary, messages):
        await asyncio.sleep(0.01)
        return " ".join([summary, *(message.content.split()[0] for message in messages)]).strip()


async def main(url, name):
    memory = SqlMemory(open_database(url), lambda content: len(content.split()), Verbatim())
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(ROUNDS):
        turns = [
            [Message(role, f"{role[0]}{name}.{number}.{each} x x x x") for role in ("user", "assistant")]
            for each in range(AT_ONCE)
        ]
        calls = [memory.append("c", "alice", turn) for turn in turns]
        await asyncio.gather(*calls, memory.summarise("c", "alice", BUDGET))
    await memory.summarise("c", "alice", BUDGET)


asyncio.run(main(*sys.argv[1:]))
"""


def talk(database: str) -> None:
    """Run the processes, which start to talk at the same time."""
    script = _TALK.replace("ROUNDS", str(_ROUNDS)).replace("AT_ONCE", str(_AT_ONCE)).replace("BUDGET", str(_BUDGET))
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, database, str(number)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(_PROCESSES)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in started:
            process.communicate(b"\n", timeout=60)
            assert process.returncode == 0
    finally:
        for process in started:
            process.kill()
            process.wait()


async def test_processes_share_a_conversation(database: str) -> None:
    engine = open_database(database)
    await asyncio.to_thread(talk, database)

    _, said = await SqlConversations(engine).read("c", "alice")
    heads = [message.content.split()[0] for message in said]
    assert len(set(heads)) == len(heads) == 2 * _PROCESSES * _ROUNDS * _AT_ONCE
    assert [head[1:] for head in heads[::2]] == [head[1:] for head in heads[1::2]]
    for number in range(_PROCESSES):
        rounds = [head.split(".")[1] for head in heads if head.startswith(f"u{number}.")]
        assert rounds == [str(each) for each in range(_ROUNDS) for _ in range(_AT_ONCE)]

    with engine.connect() as connection:
        summary, until = connection.execute(select(conversations.c.summary, conversations.c.summarised_until)).one()
        ids = connection.execute(select(messages.c.id).order_by(messages.c.id)).scalars().all()
    assert summary.split() == heads[: ids.index(until) + 1]
    recalled = await SqlMemory(engine).recall("c", "alice", _BUDGET)
    shown = [message.content.split()[0] for message in recalled.messages]
    assert shown == heads[-len(shown) :]
    assert len(summary.split()) + len(shown) >= len(heads)
    engine.dispose()
