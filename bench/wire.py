"""HTTP/1.1 as the benches speak it: little enough that it costs the measured service little."""

import asyncio
import json
import re
import socket


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def ask(port, method, path, body=None, token=None):
    """One request on a connection of its own; status and document."""
    connection = Connection(port)
    try:
        return await connection.ask(method, path, body, token)
    finally:
        connection.close()


class Connection:
    """HTTP/1.1 with connections that are kept while the other side keeps them."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def ask(self, method, path, body=None, token=None):
        if self.reader is not None and self.reader.at_eof():
            # The other side has closed it while it was idle.
            self.close()
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
        head += ["Content-Type: application/json"] if content else []
        head += [f"Authorization: Bearer {token}"] if token else []
        self.writer.write("\r\n".join([*head, "", ""]).encode() + content)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(answer.split(" ", 2)[1])
        length = re.search(r"(?i)\r\ncontent-length: (\d+)", answer)
        document = await self.reader.readexactly(int(length[1])) if length else b""
        if re.search(r"(?i)\r\nconnection: close", answer):
            self.close()
        return status, document

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None
