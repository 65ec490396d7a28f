import socket
import urllib.request

for name, go in (("tcp", lambda: socket.create_connection(("1.1.1.1", 80), 1)),
                 ("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
                 ("ipv6", lambda: socket.create_connection(("::1", 80), 1)),
                 ("listen", lambda: socket.create_server(("0.0.0.0", 0))),
                 ("unix", lambda: socket.socket(socket.AF_UNIX)),
                 ("http", lambda: urllib.request.urlopen("http://127.0.0.1:2358/health", timeout=1))):
    try:
        go()
        print(name, "ok")
    except PermissionError:
        print(name, "EPERM")
    except OSError as e:
        print(name, "EPERM" if "not permitted" in str(e) else type(e).__name__)
