"""What systemd does of sd_notify(3) and of its descriptor store."""

import array
import os
import socket

from .process import Process


class Manager:
    """Keeps one descriptor, under `stored_name`, for the process that it starts next."""

    def __init__(self, case, stored_name: str):
        self.case, self.stored_name = case, stored_name
        self.path = str(case.folder / "notify.sock")
        self.socket = case.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.socket.bind(self.path)
        self.socket.settimeout(10)
        self.messages: list[str] = []
        self.stored: int | None = None

    def handle(self) -> str:
        """The next message; a barrier's descriptor is closed, which is the answer."""
        text, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(4))
        descriptors = array.array("i")
        for _, _, octets in ancillary:
            descriptors.frombytes(octets)
        message = text.decode()
        if message.startswith("FDSTORE=1\n"):
            self.stored = descriptors.pop()
        for one in descriptors:
            os.close(one)
        self.messages.append(message)
        return message

    def handle_until(self, text: str) -> None:
        while text not in self.handle():
            pass

    def start(self, name: str, namespace, arguments) -> Process:
        """With the stored descriptor, as systemd passes it: number 3, and named in the environment."""
        environment = dict(os.environ, NOTIFY_SOCKET=self.path)
        command, stored = [self.case.amt, *map(str, arguments)], self.stored
        if stored is not None:
            environment |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": self.stored_name}
            # dash takes one digit only.
            command = ["bash", "-c", f'exec 3<&{stored}; export LISTEN_PID=$$; exec "$@"', "bash", *command]
        started = self.case.program(command, name, namespace, environment, [] if stored is None else [stored])
        if stored is not None:
            os.close(stored)
            self.stored = None
        return started

    def stop(self, process: Process) -> None:
        """A planned restart's first half: everything is kept here."""
        process.signal(15)
        self.handle_until("FDSTORE=1")
        self.handle_until("BARRIER=1")
        self.case.check(process.wait(5) == 0, f"{process.status}: {process.err}")
        self.case.check(f"FDPOLL=0\nFDNAME={self.stored_name}" in "\n".join(self.messages), f"{self.messages}")

    def restart(self, process: Process, name: str, namespace, arguments) -> Process:
        self.stop(process)
        started = self.start(name, namespace, arguments)
        self.handle_until(f"FDSTOREREMOVE=1\nFDNAME={self.stored_name}")
        self.handle_until("READY=1")
        return started
