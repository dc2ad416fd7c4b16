"""The lab's test driver: starts virtual machines and runs a test script
against them. Has the same functions and messages as the driver of NixOS.

Usage: driver.py SCRIPT NAME=START-SCRIPT...
"""

import base64
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class RequestedAssertionFailed(Exception):
    """An expectation of the test script is not met."""


class MachineError(Exception):
    """A machine does not start, stops, or does not respond."""


def log(message: str) -> None:
    print(message, flush=True)


@contextmanager
def nested(message: str) -> Iterator[None]:
    """Logs a message before the block, and its duration afterwards."""
    log(message)
    started = time.monotonic()
    yield
    log(f"(finished: {message}, in {time.monotonic() - started:.2f} seconds)")


def retry(condition: Callable[[bool], bool], timeout: float) -> None:
    """Calls `condition` once a second, at first more often, until it returns True.

    Its argument says whether this is the last call. Raises an exception after
    `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    pause = 0.1
    while time.monotonic() < deadline:
        if condition(False):
            return
        time.sleep(pause)
        pause = min(1.0, pause * 1.5)
    if not condition(True):
        raise RequestedAssertionFailed(f"action timed out after {timeout} seconds")


class Machine:
    """A virtual machine and a shell in it. Starts when it is first used."""

    def __init__(self, name: str, start_command: str, directory: Path) -> None:
        self.name = name
        self.start_command = start_command
        # Contains the disks; the working directory of the start command.
        self.state_dir = directory / f"vm-state-{name}"
        self.state_dir.mkdir()
        self.process: subprocess.Popen[bytes] | None = None
        self.shell: socket.socket | None = None
        self.connected = False
        self.received = b""

    # -- machine

    def log(self, message: str) -> None:
        log(f"{self.name}: {message}")

    def nested(self, message: str):
        return nested(f"{self.name}: {message}")

    def start(self, allow_reboot: bool = False) -> None:
        if self.is_up():
            return
        self.log("starting vm")
        address = self.state_dir / "backdoor.sock"
        address.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        # Socket paths are limited to 107 characters, and the build directory may be deep: bind with a short
        # path below /proc. QEMU uses a path relative to its working directory.
        folder = os.open(self.state_dir, os.O_RDONLY | os.O_DIRECTORY)
        listener.bind(f"/proc/self/fd/{folder}/{address.name}")
        os.close(folder)
        listener.listen(1)
        options = [
            *([] if allow_reboot else ["-no-reboot"]),
            *("-device", "virtio-serial"),
            *("-chardev", f"socket,id=backdoor,path={address.name}"),
            *("-device", "virtserialport,chardev=backdoor,name=backdoor"),
        ]
        self.process = subprocess.Popen(
            ["sh", "-c", f"exec {self.start_command} {shlex.join(options)}"],
            cwd=self.state_dir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._echo_console, daemon=True).start()
        self.log(f"QEMU running (pid {self.process.pid})")
        listener.settimeout(1)
        while True:
            try:
                self.shell, _ = listener.accept()
                return
            except TimeoutError:
                self._check_alive()

    def _echo_console(self) -> None:
        assert self.process and self.process.stdout
        for line in self.process.stdout:
            text = line.decode(errors="replace").rstrip()
            if text:
                log(f"{self.name} # {text}")

    def _check_alive(self) -> None:
        if self.process and self.process.poll() is not None:
            status = self.process.returncode
            self._forget()
            raise MachineError(f"{self.name}: QEMU exited with status {status}")

    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _forget(self) -> None:
        self.process = None
        self.shell = None
        self.connected = False
        self.received = b""

    def wait_for_shutdown(self) -> None:
        if self.process:
            with self.nested("waiting for the VM to power off"):
                self.process.wait()
        self._forget()

    def shutdown(self) -> None:
        if self.is_up():
            self.execute("poweroff", check_return=False)
            self.wait_for_shutdown()

    def crash(self) -> None:
        self.log("forced crash")
        self._kill()

    def _kill(self) -> None:
        if self.process and self.process.poll() is None:
            log(f"kill machine (pid {self.process.pid})")
            self.process.kill()
            self.process.wait()
        self._forget()

    def reboot(self) -> None:
        """Reboots the machine. Requires start(allow_reboot=True)."""
        self.execute("reboot", check_return=False)
        self.connected = False
        self.connect()

    # -- shell

    def _read_line(self, purpose: str, timeout: float) -> str:
        assert self.shell
        deadline = time.monotonic() + timeout
        while b"\n" not in self.received:
            if time.monotonic() > deadline:
                raise MachineError(f"{self.name}: no response within {timeout} seconds: {purpose}")
            self.shell.settimeout(1)
            try:
                data = self.shell.recv(65536)
            except TimeoutError:
                self._check_alive()
                continue
            if not data:
                raise MachineError(f"{self.name}: the machine disconnected while waiting for: {purpose}")
            self.received += data
        line, self.received = self.received.split(b"\n", 1)
        return line.decode()

    def connect(self) -> None:
        """Waits until the shell of the machine is ready."""
        if self.connected:
            return
        with self.nested("waiting for the VM to finish booting"):
            started = time.monotonic()
            self.start()
            # Skips the rest of a response from before a reboot.
            while self._read_line("shell of the machine", 600) != "ready":
                pass
            self.connected = True
            self.log("Guest shell says: 'ready'")
            self.log(f"(connecting took {time.monotonic() - started:.2f} seconds)")

    def execute(
        self,
        command: str,
        check_return: bool = True,
        check_output: bool = True,
        timeout: int | None = 900,
    ) -> tuple[int, str]:
        """Runs a command. Returns its exit status and its output."""
        self.connect()
        assert self.shell
        limit = f"timeout {timeout} " if timeout is not None else ""
        script = f"{limit}bash -c {shlex.quote('set -euo pipefail; ' + command)}"
        self.shell.sendall(base64.b64encode(script.encode()) + b"\n")
        if not check_return:
            return -2, ""
        answer = self._read_line(command, 3600 if timeout is None else timeout + 30)
        status, _, output = answer.partition(" ")
        return int(status), base64.b64decode(output).decode(errors="replace")

    def succeed(self, *commands: str, timeout: int | None = 900) -> str:
        """Runs commands that must succeed. Returns their output."""
        output = ""
        for command in commands:
            with self.nested(f"must succeed: {command}"):
                status, out = self.execute(command, timeout=timeout)
                if status != 0:
                    self.log(f"output: {out}")
                    raise RequestedAssertionFailed(f"command `{command}` failed (exit code {status})")
                output += out
        return output

    def fail(self, *commands: str, timeout: int | None = 900) -> str:
        """Runs commands that must fail. Returns their output."""
        output = ""
        for command in commands:
            with self.nested(f"must fail: {command}"):
                status, out = self.execute(command, timeout=timeout)
                if status == 0:
                    raise RequestedAssertionFailed(f"command `{command}` unexpectedly succeeded")
                output += out
        return output

    def wait_until_succeeds(self, command: str, timeout: int = 900) -> str:
        output = ""

        def succeeds(_last: bool) -> bool:
            nonlocal output
            status, output = self.execute(command, timeout=timeout)
            return status == 0

        with self.nested(f"waiting for success: {command}"):
            retry(succeeds, timeout)
        return output

    def wait_until_fails(self, command: str, timeout: int = 900) -> str:
        output = ""

        def fails(_last: bool) -> bool:
            nonlocal output
            status, output = self.execute(command, timeout=timeout)
            return status != 0

        with self.nested(f"waiting for failure: {command}"):
            retry(fails, timeout)
        return output

    # -- units, ports, files

    def systemctl(self, query: str, user: str | None = None) -> tuple[int, str]:
        return self.execute(f"systemctl {query}")

    def get_unit_info(self, unit: str, user: str | None = None) -> dict[str, str]:
        status, lines = self.systemctl(f"--no-pager show {shlex.quote(unit)}")
        if status != 0:
            message = f'retrieving systemctl info for unit "{unit}" failed with exit code {status}'
            raise RequestedAssertionFailed(message)
        return dict(line.split("=", 1) for line in lines.splitlines() if "=" in line)

    def get_unit_property(self, unit: str, property: str, user: str | None = None) -> str:
        return self.get_unit_info(unit, user)[property]

    def require_unit_state(self, unit: str, require_state: str = "active") -> None:
        with self.nested(f"checking if unit '{unit}' has reached state '{require_state}'"):
            state = self.get_unit_property(unit, "ActiveState")
            if state != require_state:
                raise RequestedAssertionFailed(
                    f"Expected unit '{unit}' to to be in state '{require_state}' but it is in state '{state}'"
                )

    def wait_for_unit(self, unit: str, user: str | None = None, timeout: int = 900) -> None:
        """Waits until a unit is active. Raises an exception immediately if the
        unit has failed, or if nothing will start it."""
        unit = unit if "." in unit else f"{unit}.service"

        def is_active(_last: bool) -> bool:
            # In this order, because the unit may become active between the queries.
            has_booted = self.get_unit_property("multi-user.target", "ActiveState") == "active"
            state = self.get_unit_property(unit, "ActiveState", user)
            if state == "failed":
                raise RequestedAssertionFailed(f'unit "{unit}" reached state "{state}"')
            if state == "inactive" and has_booted:
                raise RequestedAssertionFailed(f'unit "{unit}" is inactive and there are no pending jobs')
            return state == "active"

        with self.nested(f"waiting for unit {unit}"):
            retry(is_active, timeout)

    def start_job(self, job: str, user: str | None = None) -> tuple[int, str]:
        return self.systemctl(f"start {shlex.quote(job)}")

    def stop_job(self, job: str, user: str | None = None) -> tuple[int, str]:
        return self.systemctl(f"stop {shlex.quote(job)}")

    def _is_listening(self, port: int) -> bool:
        # State 0A is LISTEN. Addresses end with the port in hexadecimal.
        listening = f"grep -qi ':{port:04X} 0*:0000 0A' /proc/net/tcp /proc/net/tcp6"
        return self.execute(listening)[0] == 0

    def wait_for_open_port(self, port: int, addr: str = "localhost", timeout: int = 900) -> None:
        with self.nested(f"waiting for TCP port {port} on {addr}"):
            retry(lambda _last: self._is_listening(port), timeout)

    def wait_for_closed_port(self, port: int, addr: str = "localhost", timeout: int = 900) -> None:
        with self.nested(f"waiting for TCP port {port} on {addr} to be closed"):
            retry(lambda _last: not self._is_listening(port), timeout)

    def wait_for_file(self, filename: str, timeout: int = 900) -> None:
        with self.nested(f"waiting for file '{filename}'"):
            retry(lambda _last: self.execute(f"test -e {shlex.quote(filename)}")[0] == 0, timeout)

    def sleep(self, secs: int) -> None:
        time.sleep(secs)


def run(script: str, machines: list[Machine], directory: Path) -> None:
    """Runs a test script with the machines as variables. Appends machines that
    the script creates to `machines`."""

    @contextmanager
    def subtest(name: str) -> Iterator[None]:
        with nested(f"subtest: {name}"):
            try:
                yield
            except Exception as error:
                log(f'Test "{name}" failed with error: "{error}"')
                raise

    def start_all() -> None:
        with nested("start all VMs"):
            for machine in machines:
                machine.start()

    def create_machine(start_command: str, name: str | None = None) -> Machine:
        machine = Machine(name or f"machine{len(machines)}", start_command, directory)
        machines.append(machine)
        return machine

    names = {machine.name: machine for machine in machines}
    if len(machines) == 1:
        names["machine"] = machines[0]
    tools = {
        "start_all": start_all,
        "create_machine": create_machine,
        "subtest": subtest,
        "log": log,
        "retry": retry,
        "re": re,
    }
    exec(compile(script, "testScript", "exec"), {**names, **tools, "machines": machines})


def explain(error: BaseException, script: str) -> str:
    """Returns the line of the script that failed, and the reason."""
    location = ""
    traceback = error.__traceback__
    while traceback:
        if traceback.tb_frame.f_code.co_filename == "testScript":
            number = traceback.tb_lineno
            location = f"testScript, line {number}: {script.splitlines()[number - 1].strip()}\n"
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError):
        location = f"testScript, line {error.lineno}: {(error.text or '').strip()}\n"
    return f"!!! {location}!!! {type(error).__name__}: {error}"


def main() -> int:
    script = Path(sys.argv[1]).read_text()
    with tempfile.TemporaryDirectory(prefix="vm-") as directory:
        machines = [Machine(*argument.split("=", 1), Path(directory)) for argument in sys.argv[2:]]
        started = time.monotonic()
        try:
            with nested("run the VM test script"):
                run(script, machines, Path(directory))
        except Exception as error:
            log(explain(error, script))
            return 1
        finally:
            log("cleanup")
            for machine in machines:
                machine._kill()
        log(f"test script finished in {time.monotonic() - started:.2f}s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
