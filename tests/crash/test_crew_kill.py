"""What was said of the crew survives kill -9: executions, registrations, pauses; and two doors."""

import asyncio

from storecrew.testing.live.connection import Connection, call, request
from storecrew.testing.live.server import PROGRAM, ServerProcess, environment, free_port

FAR = {"agent_id": "far", "endpoint": "http://127.0.0.1:9/", "capabilities": ["far-sight"]}
PRIVATE = {"STORECREW_REMOTE_AGENTS__ALLOW_PRIVATE": "true"}


async def ask(server, method, path, body=None, **headers):
    connection = await Connection.open(server.port)
    try:
        return await connection.ask(request(method, path, body, headers))
    finally:
        connection.close()


async def until(look, wanted, within=30):
    async with asyncio.timeout(within):
        while (found := await look()) not in wanted:  # noqa: ASYNC110 - an answer tells
            await asyncio.sleep(0.05)
    return found


async def test_p09_execution_status_survives_a_restart(tmp_path):
    server = ServerProcess(tmp_path, PRIVATE)
    server.start()
    try:
        await server.ready()
        made = (await ask(server, "POST", "/api/agents/oversight/execute", {"a": 1})).json()
        path = f"/api/agents/executions/{made['executionId']}"

        async def word():
            return (await ask(server, "GET", path)).json()["status"]

        await until(word, {"completed"})
        first = (await ask(server, "GET", path)).json()
        registered = await ask(server, "POST", "/api/agents", FAR)
        token = registered.json()["token"]
        await ask(server, "POST", "/api/agents/oversight/pause", {})
        server.kill()
        server.start()
        await server.ready()

        assert (await ask(server, "GET", path)).json() == first
        assert (await ask(server, "GET", "/api/agents/far")).json()["status"] == "unknown"
        assert (await ask(server, "GET", "/api/agents/oversight")).json()["status"] == "paused"
        beat = await ask(
            server, "POST", "/api/agents/far/heartbeat", Authorization=f"Bearer {token}"
        )
        assert beat.status == 200
        found = [p for p in tmp_path.rglob("*") if p.is_file() and token.encode() in p.read_bytes()]
        assert found == []
        assert await server.stop() in (0, -15, 143)
    finally:
        server.kill()


async def test_the_door_and_the_crew_may_be_two_processes(tmp_path):
    port, data = free_port(), str(tmp_path / "data")
    said = (tmp_path / "said.log").open("wb")
    processes = [
        await asyncio.create_subprocess_exec(
            *PROGRAM, *command, cwd=tmp_path, env=environment({}), stdout=said, stderr=said
        )
        for command in (
            ("worker", "--data-dir", data),
            ("api", "--port", str(port), "--data-dir", data),
        )
    ]
    try:

        async def word():
            try:
                answer = await call(port, "POST", "/api/agents/oversight/execute?wait=5")
            except OSError:
                return "closed"
            return answer.json().get("status", "busy")

        assert await until(word, {"completed"}) == "completed"
        for process in processes:
            process.terminate()
        assert await asyncio.wait_for(processes[0].wait(), 30) == 0
        await asyncio.wait_for(processes[1].wait(), 30)
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
        said.close()


async def test_r076_sigterm_resumes_what_was_under_way(tmp_path):
    server = ServerProcess(tmp_path)
    server.start()
    try:
        await server.ready()
        asked = [
            (await ask(server, "POST", f"/api/agents/{name}/execute", {})).json()["executionId"]
            for name in ("oversight", "inventory", "pricing_optimizer", "product_research") * 5
        ]
        assert await server.stop() == 0
        server.start()
        await server.ready()

        async def words():
            path = "/api/agents/executions/"
            return {(await ask(server, "GET", path + each)).json()["status"] for each in asked}

        assert len(set(asked)) == 20
        await until(words, [{"completed"}])
        assert server.run("verify").returncode == 0
        assert await server.stop() == 0
    finally:
        server.kill()
