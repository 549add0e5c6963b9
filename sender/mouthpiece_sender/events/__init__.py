"""Those who follow the event log: each reads it at its own pace, and none is waited for."""
