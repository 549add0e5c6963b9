"""The start of a service process: its settings, logs, file limit and socket."""
