"""What runs in the limited process: give up all that can be given up, run the code, say the word.

Started by its path with ``python -I``, so it imports nothing of this package.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from typing import Any

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
"""``prctl``'s numbers."""
NEW_USERS, NEW_NETWORK = 0x10000000, 0x40000000
"""``unshare``'s flags."""
CREATE_RULES, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Landlock's system calls, the same on every processor."""
READ, EVERYTHING = 0b1101, 0x1FFF
"""Landlock's rights of its first version: execute, read a file, list a folder; and all thirteen."""
CALLS = {
    "x86_64": (
        0xC000003E,
        56,
        {"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "socket": 41, "kill": 62, "ptrace": 101, "tkill": 200},
    ),
    "aarch64": (0xC00000B7, 220, {"execve": 221, "execveat": 281, "socket": 198, "kill": 129, "ptrace": 117}),
}
"""Processor to the kernel's name for it, its number of ``clone``, and those of what is refused."""
CLONE_OF_THREADS, CLONE3 = 0x10000, 435
REFUSED, UNKNOWN, ALLOWED = 0x00050000 | 1, 0x00050000 | 38, 0x7FFF0000
"""A filter's answers: the error EPERM, the error ENOSYS, go on."""


def main() -> None:
    """Read the order, run its parts, and write the word where all have run."""
    order = json.load(sys.stdin)
    limit(order)
    space: dict[str, Any] = {"__name__": "__main__"}
    for part in order["parts"]:
        exec(compile(part, "<answer>", "exec", dont_inherit=True), space)  # noqa: S102 what this process is for
    os.write(order["pipe"], order["word"].encode())
    # Threads that the code left and what it registered for the end have no say any more.
    os._exit(0)


def limit(order: dict[str, Any]) -> None:
    """Give up time, memory, files, and where Linux has it: new processes, sockets, other files."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        # Rights of root go with it, and no network device comes along. Where it is refused the rest still holds.
        library.unshare(NEW_USERS | NEW_NETWORK)
        library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        close_folders(library, order["folder"])
        close_calls(library)
    seconds = int(order["seconds"]) + 1
    kinds = {"RLIMIT_CPU": seconds, "RLIMIT_FSIZE": order["file"], "RLIMIT_AS": order["memory"], "RLIMIT_CORE": 0}
    for kind, most in {**kinds, "RLIMIT_NOFILE": 64}.items():
        lower(getattr(resource, kind), most)


def lower(kind: int, most: int) -> None:
    """Lower a limit for good; what is lower already stays."""
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(kind, (most, most))
    except (OSError, ValueError):
        # macOS knows no limit of the address space; that of time still ends what takes too much.
        if sys.platform == "linux":
            raise


def close_folders(library: Any, folder: str) -> None:
    """Landlock: read what Python needs, write in one folder, nothing else; does nothing where the kernel is older."""
    attributes = struct.pack("<Q", EVERYTHING)
    rules = library.syscall(CREATE_RULES, attributes, len(attributes), 0)
    if rules < 0:
        return
    readable = {sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64", "/dev", "/etc/localtime", *sys.path}
    for place in sorted(place for place in readable if os.path.isdir(place)):
        allow(library, rules, place, READ)
    allow(library, rules, folder, EVERYTHING)
    library.syscall(RESTRICT_SELF, rules, 0)
    os.close(rules)


def allow(library: Any, rules: int, place: str, rights: int) -> None:
    """Let what lies in a folder be used."""
    opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
    library.syscall(ADD_RULE, rules, 1, struct.pack("<Qi", rights, opened), 0)
    os.close(opened)


def close_calls(library: Any) -> None:
    """Seccomp: no new process, no other program, no socket, no signal to others; threads are let through.

    Nothing is refused on a processor that is not known here.
    """
    if platform.machine() not in CALLS:
        return
    audit, clone, refused = CALLS[platform.machine()]
    load_call, load_processor, load_first = 0, 4, 16
    code = [(0x20, 0, 0, load_processor), (0x15, 1, 0, audit), (0x06, 0, 0, REFUSED), (0x20, 0, 0, load_call)]
    # Its arguments lie in memory, where a filter cannot look; without it libraries make threads by clone.
    code += [(0x15, 0, 1, CLONE3), (0x06, 0, 0, UNKNOWN)]
    # What has bit 30 are the calls of x32, numbered anew.
    code += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, REFUSED)]
    for number in refused.values():
        code += [(0x15, 0, 1, number), (0x06, 0, 0, REFUSED)]
    code += [(0x15, 0, 3, clone), (0x20, 0, 0, load_first), (0x45, 1, 0, CLONE_OF_THREADS), (0x06, 0, 0, REFUSED)]
    code += [(0x06, 0, 0, ALLOWED)]
    program = b"".join(struct.pack("<HBBI", *one) for one in code)
    held = ctypes.create_string_buffer(program)
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(held)))
    library.prctl(SECCOMP, FILTER, whole, 0, 0)


if __name__ == "__main__":
    main()
