"""The sender: a service and a command that speak through the avatar in a LiveKit room."""
