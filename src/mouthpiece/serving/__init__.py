"""What an HTTP service of ours bears: bounds on connections, on time, and on bytes. Plain asyncio and ASGI, so that the
sender and the avatar server share it; only the protocol class that it extends is a server's own."""
