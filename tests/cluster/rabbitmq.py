"""Three nodes with the configuration of `deploy/rabbitmq`, each on a machine of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.roles import Operator, Role
from tests.cluster import rootfs
from tests.cluster.balancer import Balancer
from tests.cluster.network import HERE, Machine, Network
from tests.cluster.rootfs import FILES, ROOTFS
from tests.eventually import eventually
from tests.load.programs import cpu_s_of
from tests.rig import BIN
from tests.system.broker_rig import OPERATORS, WitnessedBroker

MQTT = 8883
#: Three nodes start on two cores that others use, too.
START_S = 120.0
#: May ask for shared subscriptions, to see what comes of it.
SHARER = "sharer"
#: Subscribers beside the one of `OPERATORS`.
LOGS = ("log-1", "log-2")
_ANSWERS = 8886
_ANSWERING = ("cleandesk-provi", "python")
_CONFIGURATION = ("rabbitmq.conf", "advanced.config", "enabled_plugins", "definitions.json")
#: One core is enough for each of three.
_FEW_CORES = "+S 1:1 +SDio 1 +sbwt none +sbwtdcpu none +sbwtdio none"
_IN_ROOT = 'mount -t proc proc "$1/proc" && exec chroot "$@"'


def inside(path: Path) -> str:
    """Return how the nodes name a path of ours."""
    return f"/{path.relative_to(ROOTFS)}"


class Node:
    """One RabbitMQ, and who answers its questions."""

    def __init__(self, machine: Machine, files: Path) -> None:
        self.machine = machine
        self.name = f"rabbit@{machine.address}"
        self._files = files
        self._home = files.parent / machine.name
        self._home.mkdir()
        cookie = self._home / ".erlang.cookie"
        cookie.write_text("THROWAWAY", encoding="ascii")
        cookie.chmod(0o400)
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def log(self) -> str:
        """What it logged."""
        return (self._home / f"{self.name}.log").read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it with its helper; returns before it is up."""
        self.start_answers()
        self._start(self._in_root("/usr/lib/rabbitmq/bin/rabbitmq-server"), "rabbitmq")

    def start_answers(self) -> None:
        """Start who answers its questions."""
        program = [str(BIN / "cleandesk-provision"), "answer", "--rules", str(self._files)]
        self._start([*program, "--administrators-from", HERE, "--port", str(_ANSWERS)], "answers")

    def _start(self, command: list[str], name: str) -> None:
        with (self._home / f"{name}.words").open("ab") as words:
            self._running.append(
                subprocess.Popen(
                    self.machine.command(*command),
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=words,
                )
            )

    def _in_root(self, *command: str) -> list[str]:
        home, files = inside(self._home), inside(self._files)
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home,
            "LANG": "C.UTF-8",
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_CONFIG_FILE": f"{files}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{files}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{files}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{home}/store",
            "RABBITMQ_LOG_BASE": home,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-pa {files} {_FEW_CORES}",
        }
        words = [f"{name}={value}" for name, value in environment.items()]
        return ["sh", "-c", _IN_ROOT, "sh", str(ROOTFS), "env", "-i", *words, *command]

    def await_up(self) -> None:
        """Wait until it takes boxes."""
        eventually(self._listens, f"{self.name} listening", within_s=START_S)

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.machine.address, MQTT), timeout=1).close()
        except OSError:
            return False
        return True

    def crash(self) -> None:
        """Kill all of it at once (SIGKILL)."""
        self.machine.crash()
        self._reap()

    def stop(self) -> None:
        """End it in order (SIGTERM)."""
        (server,) = self._pids("beam")
        os.kill(server, signal.SIGTERM)
        eventually(lambda: not self._pids("beam"), "its end", within_s=START_S)
        self.crash()

    def kill_answers(self) -> None:
        """Kill who answers its questions."""
        for pid in self._pids(*_ANSWERING):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self._pids(*_ANSWERING), "its end")

    def memory_mb(self) -> float:
        """Return what the server holds of memory."""
        (server,) = self._pids("beam")
        status = Path(f"/proc/{server}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s*(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def cpu_s(self) -> tuple[float, float]:
        """Return the processor time of the server, and of who answers its questions."""
        return (
            sum(map(cpu_s_of, self._pids("beam"))),
            sum(map(cpu_s_of, self._pids(*_ANSWERING))),
        )

    def _pids(self, *names: str) -> list[int]:
        found = []
        for pid in self.machine.pids():
            comm = Path(f"/proc/{pid}/comm")
            if comm.exists() and comm.read_text(encoding="utf-8").startswith(names):
                found.append(pid)
        return found

    def _reap(self) -> None:
        for process in self._running:
            process.wait(20)
        self._running.clear()

    def ask(self, program: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one of RabbitMQ's own commands on it."""
        command = self._in_root(f"/usr/lib/rabbitmq/bin/{program}", "--longnames", *words)
        return subprocess.run(
            self.machine.command(*command), capture_output=True, text=True, check=False, timeout=120
        )

    def sees(self) -> int:
        """Return how many nodes it sees running, itself among them."""
        said = self.ask("rabbitmqctl", "eval", "length(rabbit_nodes:list_running()).")
        return int(said.stdout) if said.returncode == 0 else 0

    def await_needless(self) -> None:
        """Wait until the others can do without it: each queue has a majority elsewhere."""
        eventually(
            lambda: self.ask("rabbitmq-queues", "check_if_node_is_quorum_critical").returncode == 0,
            "a majority elsewhere",
            within_s=START_S,
        )


class Cluster(WitnessedBroker):
    """The production cluster, with one more who sees everything; clients come by a balancer."""

    def __init__(self, network: Network) -> None:
        rootfs.ensure()
        home = Path(tempfile.mkdtemp(prefix="cluster-", dir=ROOTFS / "srv"))
        super().__init__(home, [*OPERATORS, *(Operator(name, Role.SUBSCRIBER) for name in LOGS)])
        self.files.mkdir(mode=0o700)
        self.nodes = [Node(machine, self.files) for machine in network.machines]
        self._balancer = Balancer([machine.address for machine in network.machines], MQTT)
        self._stack = ExitStack()

    def authorise(self) -> None:
        super().authorise()
        with (self.files / "people.acl").open("a", encoding="utf-8") as file:
            file.write(f"\nuser {SHARER}\ntopic read $share/#\n")

    def port(self, _: int) -> int:
        """Return the balancer's port: there is one listener for all."""
        return self._balancer.port

    def prepare(self) -> None:
        """Write everything that the nodes read, as the README says."""
        self.authorise()
        trust = [self.authorities.trust(issuer).read_bytes() for issuer in Issuer]
        (self.files / "trust.pem").write_bytes(b"".join(trust))
        shutil.copy(FILES.parent / "broker" / "boxes.acl", self.files)
        (self.files / "crl").mkdir()
        for issuer in Issuer:
            name = self.authorities.revoked(issuer).name
            command = ["openssl", "crl", "-hash", "-noout", "-in", str(self.files / name)]
            digest = subprocess.check_output(command, text=True).strip()
            (self.files / "crl" / f"{digest}.r0").symlink_to(f"../{name}")
        for name in _CONFIGURATION:
            text = (FILES / name).read_text(encoding="utf-8")
            (self.files / name).write_text(self._here(text), encoding="utf-8")
        rootfs.compile_names(self.files)

    def _here(self, text: str) -> str:
        text = text.replace("/etc/rabbitmq/cleandesk/", f"{inside(self.files)}/")
        text = text.replace("/etc/rabbitmq/", f"{inside(self.files)}/")
        for number, node in enumerate(self.nodes, 1):
            text = text.replace(f"rabbit@mq{number}.example.org", node.name)
        return text

    def start(self) -> Self:
        """Start all nodes; returns once they are one cluster."""
        with ExitStack() as stack:
            stack.callback(self._remove)
            stack.enter_context(self._balancer)
            for node in self.nodes:
                node.start()
            for node in self.nodes:
                node.await_up()
            whole = len(self.nodes)
            eventually(lambda: self.nodes[0].sees() == whole, "one cluster", within_s=START_S)
            said = self.nodes[0].ask("rabbitmqctl", "enable_feature_flag", "--opt-in", "khepri_db")
            assert said.returncode == 0, said.stderr
            self._stack = stack.pop_all()
        return self

    def reload(self) -> None:
        """Revocation lists and rules are read anew by themselves."""

    def stop(self) -> None:
        """Kill all nodes; what they stored is removed."""
        self._stack.close()

    def _remove(self) -> None:
        for node in self.nodes:
            node.crash()
        shutil.rmtree(self.home)
