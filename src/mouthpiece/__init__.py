"""The core of Mouthpiece: the wire, the profiles, the ledger, sound and text; no web framework, no agents."""
