"""The health check of the images: exit code 0 where this container's service says that it is ready."""

import socket
import sys

with socket.create_connection(("127.0.0.1", 8080), timeout=2) as connection:
    connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    sys.exit(b" 200 " not in connection.recv(64))
