"""What every service process of ours sets up at its start: settings, logs, file limit, socket."""
