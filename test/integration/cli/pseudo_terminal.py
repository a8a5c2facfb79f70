"""Runs a command in a real pseudo-terminal: `pseudo_terminal.py COLUMNS COMMAND…`.

What it prints goes to stdout, what comes on stdin is typed, and the end of stdin hangs the terminal up, as closing its
window does. Exits with the command's own status (128 + signal).
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios

columns, command = int(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 40, columns, 0, 0))

sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # EIO: the command has closed its side
            data = b''
        if source == terminal and data:
            os.write(1, data)
        elif source == 0 and data:
            os.write(terminal, data)
        elif source == 0:
            sources = []
            break
        else:
            sources.remove(terminal)
os.close(terminal)
status = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
